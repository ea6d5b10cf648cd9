"""Everything that the course finds wrong in its source, or true under a condition only, each with its proof."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from tutor.course.format import Claim
from tutor.course.read import Block as Part
from tutor.course.read import Course
from tutor.views.blocks import Block, Code, Heading, Level, Paragraph, Strong, Verdict
from tutor.views.course.claims import COLOURS, VERDICTS, claim_document, is_erratum
from tutor.views.course.page import Page
from tutor.views.course.tidy import tidy
from tutor.views.numbers import full
from tutor.views.worksheet.errata import Chapter, Label, label_blocks, proof, row_blocks
from tutor.views.worksheet.model import PrintedRow

_SLIDE = re.compile(r"\bslides?\s+([0-9]+)", re.IGNORECASE)
_APPENDIX = re.compile(r"\bappendix\s+([A-Z])\b", re.IGNORECASE)
_BEHIND_THE_SLIDES = 10**6
Quantity = tuple[str, str]
"""A worksheet of a lesson, and one of its quantities."""


class Erratum(Struct):
    """One statement of the source: where it stands, what it says, what is thought of it, and why."""

    number: int
    where: str
    says: str
    verdict: str
    printed: str
    correct: str
    proof: str
    lesson: str


class Quoted(Struct):
    """An erratum without its proof, for whoever only refers to it."""

    number: int
    where: str
    says: str
    verdict: str
    lesson: str


class Proved(Struct, frozen=True):
    """What an entry comes to once it is worked out, and how that is shown."""

    printed: str
    correct: str
    proof: str
    blocks: tuple[Block, ...]


class Entry(Struct, frozen=True):
    """One statement of the source that does not hold as it stands. What it is `about` are names of `tutor explain`.
    Nothing is worked out before `prove` is called: a proof may be a training."""

    lesson: str
    where: str
    says: str
    verdict: str
    prove: Callable[[], Proved]
    about: tuple[str, ...] = ()
    number: int = 0

    @property
    def quoted(self) -> Quoted:
        return Quoted(self.number, self.where, self.says, self.verdict, self.lesson)

    @property
    def whole(self) -> Erratum:
        proved = self.prove()
        return Erratum(
            self.number,
            self.where,
            self.says,
            self.verdict,
            proved.printed,
            proved.correct,
            proved.proof,
            self.lesson,
        )


def of_worksheet(lesson: str, chapter: Chapter) -> Iterator[Entry]:
    """The values and labels that are printed wrongly in a worked example."""

    def of_row(row: PrintedRow) -> Proved:
        why = f"{' = '.join(proof(chapter, row))}. {row.note}".strip()
        return Proved(row.printed, full(row.exact, 8), why, tuple(row_blocks(chapter, row)))

    def of_label(label: Label) -> Proved:
        return Proved(label.printed, label.correct, label.why, tuple(label_blocks(label)))

    for row in chapter.wrong():
        where = _placed(chapter.source, row.place)
        yield Entry(lesson, where, f"{row.name} = {row.printed}", "wrong", partial(of_row, row))
    for label in chapter.labels:
        where = _placed(chapter.source, label.place)
        yield Entry(lesson, where, label.printed, "wrong", partial(of_label, label))


def of_claims(lesson: str, course: Course, page: Callable[[], Page], printed: set[Quantity]) -> Iterator[Entry]:
    """The claims of a lesson that are wrong, or depend, but for those about values that are `printed` wrongly in its
    worked example, where they stand already."""

    def of_claim(block: Part) -> Proved:
        shown = page()
        with shown.placed(block):
            told = claim_document(block.spec, shown.finding(block), shown.values)
        why = [*told.proof, told.why] if told.why not in told.proof else told.proof
        return Proved(told.printed, told.correct, " ".join(why), tuple(tidy(shown.part(block))))

    for block in course.claims:
        claim = block.spec
        if is_another(printed, claim):
            says = " ".join(claim.says.split())
            yield Entry(lesson, claim.where, says, claim.verdict, partial(of_claim, block), tuple(claim.about))


def is_another(printed: set[Quantity], claim: Claim) -> bool:
    """Whether the claim is an erratum, and not one about a value that is `printed` wrongly or what leads to it."""
    worksheet, _, quantity = claim.of.partition(".")
    return is_erratum(claim) and printed.isdisjoint({(worksheet, quantity), (worksheet, claim.then)})


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By slide, the appendices behind them, then as the lessons have them; and numbered so."""
    ordered = sorted(entries, key=lambda one: _slide(one.where))
    return [replace(one, number=number) for number, one in enumerate(ordered, 1)]


def _slide(where: str) -> int:
    if found := _SLIDE.search(where):
        return int(found[1])
    found = _APPENDIX.search(where)
    return _BEHIND_THE_SLIDES + (ord(found[1].upper()) if found else _BEHIND_THE_SLIDES)


def _placed(source: str, place: str) -> str:
    """A place within the source, which is named first unless the place names a slide itself."""
    if not place or not source:
        return place or source
    return place if source in place or _SLIDE.search(place) else f"{source}, {place}"


def short_list(entries: Sequence[Entry]) -> Iterator[Block]:
    """Each in a line or two: its number, the slide, the statement, the verdict."""
    yield Heading("What the lecture prints or states that is not so, or not always", Level.TITLE)
    for one in entries:
        start, rest = f"{one.number}. ", f"{one.where.partition(',')[0].strip()}: {_ended(one.says)} "
        yield Paragraph((Strong(start), rest, Verdict(COLOURS[one.verdict], f"This {VERDICTS[one.verdict]}.")))


def whole(entries: Sequence[Entry]) -> Iterator[Block]:
    """Each with its proof."""
    for one in entries:
        yield Heading(f"Erratum {one.number}: {one.where}")
        yield from one.prove().blocks
        yield Paragraph(("From the lesson ", Code(one.lesson), "."), 2)


def quoted_blocks(entries: Sequence[Entry]) -> Iterator[Block]:
    """What the errata have to say of something, each with the way to its proof."""
    if entries:
        yield Heading("What the lecture says of it")
    for one in entries:
        verdict = Verdict(COLOURS[one.verdict], f"This {VERDICTS[one.verdict]}")
        yield Paragraph(
            (f"{one.where}: {_ended(one.says)} ", verdict, ": ", Code(f"tutor errata {one.number}"), "."), 2
        )


def _ended(says: str) -> str:
    return says if says.endswith((".", "!", "?")) else f"{says}."
