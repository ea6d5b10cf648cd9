"""The misprints of a source: wrong values with their proof, remarks, and wrong labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tutor.formulas.expressions import names
from tutor.formulas.parse import parse
from tutor.views.blocks import Block, Break, Formula, Heading, Level, Paragraph, Piece, Strong
from tutor.views.notation import expression_text
from tutor.views.numbers import full
from tutor.views.style import PLAIN
from tutor.views.worksheet.model import PrintedRow, WorksheetView
from tutor.worksheet.values import with_ancestors


class Label(Struct, frozen=True):
    """Something printed wrongly that is no value."""

    place: str
    printed: str
    correct: str
    why: str


class Chapter(Struct, frozen=True):
    """All that is to be said about one worksheet's source: what it is called on the command line, and in its lesson."""

    lesson: str
    worksheet: str
    title: str
    source: str
    view: WorksheetView
    labels: Sequence[Label]

    @property
    def has_any(self) -> bool:
        return bool(self.wrong() or self.remarks() or self.labels)

    def wrong(self) -> list[PrintedRow]:
        return [row for row in self.view.printed if row.verdict == "wrong"]

    def remarks(self) -> list[PrintedRow]:
        """Printed values that are not wrong but worth a word; what merely follows from a misprint is only counted."""
        return [r for r in self.view.printed if r.note and r.verdict not in ("wrong", "carried")]

    def carried(self) -> list[PrintedRow]:
        return [row for row in self.view.printed if row.verdict == "carried"]

    def follows_from_a_misprint(self, row: PrintedRow) -> bool:
        """Whether a wrong value stands among those from which this one is worked out; else they were only rounded."""
        worksheet, wrong = self.view.worksheet, {row.name for row in self.wrong()}
        wanted = {row.name} if row.name in worksheet.by_name else set(names(parse(row.name, worksheet.names)))
        return any(step.name in wrong for step in with_ancestors(worksheet.steps, wanted))


def proof(chapter: Chapter, row: PrintedRow) -> dict[str, Piece]:
    """The computation that gives the exact value, term by term, nothing twice: as text for programs, and to be read."""
    value, step = full(row.exact, 8), chapter.view.worksheet.by_name.get(row.name)
    terms: dict[str, Piece] = {row.name: row.name}
    if step is not None:
        labels = chapter.view.labels
        terms[expression_text(step.formula, PLAIN)] = Formula(step.formula)
        if (numbers := expression_text(step.formula, PLAIN, labels)) != labels[step.name]:
            terms.setdefault(numbers, Formula(step.formula, labels))
    terms.setdefault(value, value)
    return terms


def errata(chapters: Sequence[Chapter]) -> Iterator[Block]:
    """The errata lesson by lesson."""
    for number, chapter in enumerate(chapters):
        if number:
            yield Break()
        yield from _chapter(chapter)


def _chapter(chapter: Chapter) -> Iterator[Block]:
    source = f" ({chapter.source})" if chapter.source else ""
    yield Heading(f"{chapter.title}{source}", Level.TITLE)
    if not chapter.has_any:
        yield _line("Nothing is printed wrongly.")
    for row in chapter.wrong():
        yield from row_blocks(chapter, row)
    yield from map(_line, _carried(chapter))
    for label in chapter.labels:
        yield from label_blocks(label)
    for row in chapter.remarks():
        yield _line(f"Remark: {row.name} is printed as {row.printed}{_where(row)}, {row.verdict}")
        yield Paragraph(row.note, 4)


def row_blocks(chapter: Chapter, row: PrintedRow) -> Iterator[Block]:
    """A value that is printed wrongly: the computation that gives the right one, and the note."""
    yield _line(f"Erratum: {row.name} is printed as {row.printed}{_where(row)}")
    first, *others = proof(chapter, row).values()
    yield Paragraph(("Proof: ", first, *(piece for term in others for piece in (" = ", term))), 4)
    yield Paragraph(row.note, 4)


def label_blocks(label: Label) -> Iterator[Block]:
    """Something else that is printed wrongly: both, and why."""
    yield _line(f"Erratum, {label.place}. Printed: {label.printed}. Correct: {label.correct}.")
    yield Paragraph(label.why, 4)


def _line(text: str) -> Paragraph:
    return Paragraph(Strong(text), 2)


def _where(row: PrintedRow) -> str:
    return f" ({row.place})" if row.place else ""


def _carried(chapter: Chapter) -> Iterator[str]:
    meanings = {
        "These follow correctly from earlier misprints and are not counted again": True,
        "These follow correctly from the source's own rounded lines": False,
    }
    for meaning, misprinted in meanings.items():
        names = [row.name for row in chapter.carried() if chapter.follows_from_a_misprint(row) == misprinted]
        if names:
            yield f"{meaning}: {', '.join(names)}."
