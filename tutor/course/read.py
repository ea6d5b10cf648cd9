"""A lesson's text with every block of it read and checked, section by section."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

from msgspec import Struct

from tutor.course.format import BLOCKS, Claim, Drawing, Experiment, Question
from tutor.errors import TutorError, listed, nearest
from tutor.lessons.course_text import CourseText
from tutor.lessons.markdown import Fence, Prose, blocks_of
from tutor.lessons.read import Place, decoded, read_toml

SHOWN = ("table", "curves", "paths", "regions", "confusion", "layers", "weights")
"""What an experiment may show."""


class Block(Struct, frozen=True):
    """A block of data with its place; a worksheet is read where it is asked for."""

    kind: str
    name: str
    line: int
    place: Place
    spec: Any = None


Part = Prose | Block


class Section(Struct, frozen=True):
    """A heading with all that stands below it, down to the next."""

    title: str
    parts: tuple[Part, ...]


class Course(Struct, frozen=True, dict=True):
    """One lesson: its text, and what it is called on the command line."""

    name: str
    text: CourseText

    @cached_property
    def parts(self) -> list[Part]:
        """Prose, cut where a section begins, and blocks, in their order."""
        found: list[Part] = []
        for part in self.text.parts:
            found += _cut(part) if isinstance(part, Prose) else [self._block(part)]
        return found

    @property
    def blocks(self) -> list[Block]:
        return [part for part in self.parts if isinstance(part, Block)]

    @property
    def claims(self) -> list[Block]:
        """The claims alone, for whoever needs nothing else of the lesson: no other block is read."""
        return [self._block(part) for part in self.text.parts if isinstance(part, Fence) and part.kind == "claim"]

    def of_kind(self, kind: str) -> dict[str, Block]:
        """The blocks of a kind that have a name."""
        return {block.name: block for block in self.blocks if block.kind == kind and block.name}

    @property
    def sections(self) -> list[Section]:
        found: list[tuple[str, list[Part]]] = []
        for part in self.parts:
            title = title_of(part)
            if title or not found:
                found.append((title, []))
            found[-1][1].append(part)
        return [Section(title, tuple(parts)) for title, parts in found]

    def _block(self, fence: Fence) -> Block:
        place = self.text.place(fence)
        if fence.kind == "worksheet":
            return Block(fence.kind, fence.name, fence.line, place)
        spec = decoded(read_toml(place), BLOCKS[fence.kind], place)
        _CHECKS[fence.kind](spec, self.text, place)
        return Block(fence.kind, fence.name, fence.line, place, spec)


def title_of(part: Part) -> str:
    """The heading that the part begins with, if it begins a section."""
    if not isinstance(part, Prose):
        return ""
    first = part.text.split("\n", 1)[0]
    return first.lstrip("# ").strip() if first.startswith(("# ", "## ")) else ""


def _cut(prose: Prose) -> Iterator[Prose]:
    """The prose, a piece for each section that begins in it."""
    lines = prose.text.split("\n")
    starts = [
        token.map[0]
        for token in blocks_of(prose.text)
        if token.type == "heading_open" and token.level == 0 and token.tag in ("h1", "h2") and token.map
    ]
    for start, end in pairwise([*sorted({0, *starts}), len(lines)]):
        if text := "\n".join(lines[start:end]).rstrip():
            yield Prose(text, prose.line + start)


def _check_experiment(spec: Experiment, text: CourseText, place: Place) -> None:
    if spec.rows and spec.vary:
        _refuse(place, "vary", "give [rows], each with its name, or [vary], every combination; not both")
    for key, value in (("show", spec.show), ("measure", spec.measure)):
        if not value and key == "show":
            _refuse(place, key, f"say what to show: {', '.join(SHOWN)}")
    for word in spec.show:
        if word not in SHOWN:
            _refuse(place, "show", f"show: an experiment shows no {word!r}{nearest(word, SHOWN)}")
        if spec.vary and word not in ("table", "curves"):
            _refuse(place, "show", f"show: {word!r} draws rows with names; write them as [rows] in place of [vary]")
    for name, row in spec.rows.items():
        if not name.replace("_", "a").isalnum():
            _refuse(place, name, f"rows: {name!r} cannot be a name: letters, digits and _ only")
        if not (row.get("data") or row.get("worksheet") or spec.data or spec.worksheet):
            _refuse(place, name, f"rows.{name}: say what is trained, by data or worksheet")
    if not spec.rows and not (spec.data or spec.worksheet):
        _refuse(place, "", "say what is trained: data = … or worksheet = …")
    if spec.data and spec.worksheet:
        _refuse(place, "worksheet", "trained is data or a worksheet; give one of them")
    for worksheet in filter(None, [spec.worksheet, *(row.get("worksheet", "") for row in spec.rows.values())]):
        if worksheet not in text.worksheets:
            _refuse(place, "worksheet", f"there is no worksheet {worksheet!r}{nearest(worksheet, text.worksheets)}")
    if not 1 <= spec.seeds <= 1_000:
        _refuse(place, "seeds", "seeds: a whole number from 1 to 1000")
    from tutor.experiments.measures import read_measure
    from tutor.experiments.tables import settings_of

    for name, measure in spec.measure.items():
        try:
            read_measure(measure)
        except ValueError as error:
            _refuse(place, name, f"measure.{name}: {error}")
    tables = {"settings": spec.settings, **{f"rows.{name}": row for name, row in spec.rows.items()}}
    for key, table in tables.items():
        try:
            settings_of(table)
        except TutorError as error:
            _refuse(place, key.rpartition(".")[2], f"{key}: {error}")


def _check_claim(spec: Claim, text: CourseText, place: Place) -> None:
    _check_about(spec.about, place)
    given = {
        "test": bool(spec.test),
        "printed and correct": bool(spec.printed or spec.correct),
        "identity": bool(spec.identity),
        "contradiction": bool(spec.contradiction),
    }
    kinds = [kind for kind, there in given.items() if there]
    if spec.verdict == "words":
        if kinds:
            _refuse(place, "verdict", f'"words" is for what no computation decides, and here is {listed(kinds)}')
        if not spec.why.strip():
            _refuse(place, "verdict", "a claim that no computation decides needs its reason in why")
        return
    if len(kinds) != 1:
        _refuse(place, "verdict", f"a claim has exactly one kind of evidence: {', '.join(given)}")
    if bool(spec.printed) != bool(spec.correct):
        _refuse(place, "printed", "give printed and correct, both as formulas")
    if spec.printed and not spec.of:
        _refuse(place, "printed", "say in of = … which quantity of a worksheet both are formulas for, as in mlp.E")
    if bool(spec.counter) != (spec.verdict == "depends" and bool(spec.test)):
        told = "is where the same statement is false" if spec.verdict == "depends" else "goes with verdict = 'depends'"
        _refuse(place, "counter" if spec.counter else "verdict", f"counter {told}")
    if spec.verdict == "depends" and (spec.identity or spec.contradiction):
        _refuse(place, "verdict", "what is proved for all values depends on nothing; say holds or wrong")


def _check_about(names: list[str], place: Place) -> None:
    if names:
        from tutor.worksheet.catalogue import find_entry

        for name in names:
            try:
                find_entry(name)
            except TutorError as error:
                _refuse(place, "about", f"about: {error}; these are the names of `tutor explain`")


def _check_question(spec: Question, text: CourseText, place: Place) -> None:
    ways = {key: bool(getattr(spec, key)) for key in ("choices", "quantity", "formula", "predict")}
    if sum(ways.values()) != 1:
        _refuse(place, "ask", f"a question has exactly one of {', '.join(ways)}")
    if not spec.choices:
        if spec.tests:
            _refuse(place, "tests", "tests go with choices, one for each")
        return
    if spec.right not in spec.choices:
        hint = nearest(spec.right, spec.choices) if spec.right else " — " + " or ".join(map(repr, spec.choices))
        _refuse(place, "right", f"right is one of the choices{hint}")
    if not isinstance(spec.because, list) or len(spec.because) != len(spec.choices):
        _refuse(place, "because", f"write a because for each of the {len(spec.choices)} choices, as a list")
    if spec.tests and len(spec.tests) != len(spec.choices):
        _refuse(place, "tests", f"write a test for each of the {len(spec.choices)} choices")


def _check_drawing(spec: Drawing, text: CourseText, place: Place) -> None:
    ways = {key: bool(getattr(spec, key)) for key in ("curves", "path", "regions")}
    if sum(ways.values()) != 1:
        _refuse(place, "curves", f"a plot has exactly one of {', '.join(ways)}")
    for key in () if spec.regions else ("seed", "epochs", "updates", "ranges"):
        if getattr(spec, key):
            _refuse(place, key, f"{key}: goes with regions = … alone")


_CHECKS: dict[str, Any] = {
    "experiment": _check_experiment,
    "claim": _check_claim,
    "question": _check_question,
    "plot": _check_drawing,
}


def _refuse(place: Place, key: str, message: str) -> None:
    raise TutorError(f"{place.of([key] if key else ())}: {message}")
