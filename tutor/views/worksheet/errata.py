"""The misprints of a source: wrong values with their proof, remarks, and wrong labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.formulas.expressions import names
from tutor.formulas.parse import parse
from tutor.views.numbers import full
from tutor.views.style import Style
from tutor.views.worksheet.model import PrintedRow, Tableau
from tutor.worksheet.values import with_ancestors


@dataclass(frozen=True, slots=True)
class Label:
    """Something printed wrongly that is no value."""

    place: str
    printed: str
    correct: str
    why: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """All that is to be said about one lesson's source."""

    lesson: str
    title: str
    source: str
    tableau: Tableau
    labels: Sequence[Label]

    def wrong(self) -> list[PrintedRow]:
        return [row for row in self.tableau.printed if row.verdict == "wrong"]

    def remarks(self) -> list[PrintedRow]:
        """Printed values that are not wrong but worth a word; what merely follows from a misprint is only counted."""
        return [r for r in self.tableau.printed if r.note and r.verdict not in ("wrong", "carried")]

    def carried(self) -> list[PrintedRow]:
        return [row for row in self.tableau.printed if row.verdict == "carried"]

    def follows_from_a_misprint(self, row: PrintedRow) -> bool:
        """Whether a wrong value stands among those from which this one is worked out; else they were only rounded."""
        worksheet, wrong = self.tableau.worksheet, {row.name for row in self.wrong()}
        wanted = {row.name} if row.name in worksheet.by_name else set(names(parse(row.name, worksheet.names)))
        return any(step.name in wrong for step in with_ancestors(worksheet.steps, wanted))


def proof(chapter: Chapter, row: PrintedRow, style: Style) -> str:
    """The computation that gives the exact value."""
    step = chapter.tableau.worksheet.by_name.get(row.name)
    if step is None:
        return f"{row.name} = {full(row.exact, 8)}"
    numbers = chapter.tableau.substituted(step, style)
    parts = [row.name, chapter.tableau.formula(step, style), *([numbers] if numbers else []), full(row.exact, 8)]
    return " = ".join(dict.fromkeys(parts))


def _place(row: PrintedRow) -> str:
    return f" ({row.place})" if row.place else ""


def errata_lines(chapters: Sequence[Chapter], style: Style) -> Iterator[tuple[int, str]]:
    """The errata as lines to read, each with how far it is indented."""
    for place, chapter in enumerate(chapters):
        if place:
            yield 0, ""
        source = f" ({chapter.source})" if chapter.source else ""
        wrong, remarks = chapter.wrong(), chapter.remarks()
        yield 0, f"{chapter.title}{source}"
        if not (wrong or remarks or chapter.labels):
            yield 2, "Nothing is printed wrongly."
        for number, row in enumerate(wrong, 1):
            yield 2, f"Erratum {number}: {row.name} is printed as {row.printed}{_place(row)}"
            yield 4, f"Proof: {proof(chapter, row, style)}"
            yield 4, row.note
        yield from _carried_lines(chapter)
        for number, label in enumerate(chapter.labels, len(wrong) + 1):
            yield 2, f"Erratum {number}, {label.place}. Printed: {label.printed}. Correct: {label.correct}."
            yield 4, label.why
        for row in remarks:
            yield 2, f"Remark: {row.name} is printed as {row.printed}{_place(row)}, {row.verdict}"
            yield 4, row.note


def _carried_lines(chapter: Chapter) -> Iterator[tuple[int, str]]:
    meanings = {
        "These follow correctly from earlier misprints and are not counted again": True,
        "These follow correctly from the source's own rounded lines": False,
    }
    for meaning, misprinted in meanings.items():
        found = [row.name for row in chapter.carried() if chapter.follows_from_a_misprint(row) == misprinted]
        if found:
            yield 2, f"{meaning}: {', '.join(found)}."
