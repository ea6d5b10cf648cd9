"""One row for every student of a class: the mark, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import Struct

from tutor.errors import counted
from tutor.homework.roster import Roster, Student
from tutor.marking.report import NotMarked, Report, SheetReport

NOTHING = "nothing handed in"


class StudentReport(Struct, omit_defaults=True, kw_only=True):
    """A student and the sheet that counts: its points, or `why` there are none; `sheets` are all of theirs, where
    there are several."""

    student: str
    sheet: str = ""
    score: int | float | None = None
    max_score: int | float | None = None
    why: str = ""
    sheets: list[str] = msgspec.field(default_factory=list)


@dataclass
class Row:
    """What is kept of the sheet that counts: its points, and what there is to say about it, to teachers (`notes`, and
    why they should `look` at it) and to whoever handed it in (`told`)."""

    student: str
    sheet: str = ""
    score: int | float | None = None
    max_score: int | float | None = None
    roots: str = ""
    mistakes: str = ""
    notes: list[str] = field(default_factory=list)
    look: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    why: str = ""
    sheets: list[str] = field(default_factory=list)
    of: Student | None = None

    @property
    def share(self) -> float:
        """Of the points; less than any where there is no mark."""
        if self.score is None:
            return -1.0
        return self.score / self.max_score if self.max_score else 1.0

    @property
    def several(self) -> list[str]:
        """Which of several sheets counts."""
        if len(self.sheets) < 2:
            return []
        return [f"{len(self.sheets)} sheets: {', '.join(self.sheets)}; the better one counts, {self.sheet}"]

    @property
    def everything(self) -> list[str]:
        """All that a teacher is told about it."""
        if not self.sheet:
            return [NOTHING]
        return [*self.several, *self.notes, *(f"please look: {reason}" for reason in self.look), *self.changes]

    @property
    def report(self) -> StudentReport:
        sheets = self.sheets if len(self.sheets) > 1 else []
        return StudentReport(
            student=self.student,
            sheet=self.sheet,
            score=self.score,
            max_score=self.max_score,
            why=self.why,
            sheets=sheets,
        )


def student_of(sheet: Report) -> str:
    """Who handed the sheet in: the one that it names, else the name of its file."""
    return sheet.student or Path(sheet.sheet).stem


class Students:
    """The rows of a class, filled sheet by sheet: in the order of the roster, those who are not on it after them."""

    def __init__(self, roster: Roster | None = None) -> None:
        self.roster = roster
        self._rows = {s.id: Row(s.id, why=NOTHING, of=s) for s in (roster.students if roster else ())}

    def add(self, sheet: Report) -> None:
        """Of two sheets of one student the better one counts, of two as good the first."""
        student = student_of(sheet)
        new, old = _row(student, sheet), self._rows.get(student)
        sheets = [*(old.sheets if old else []), sheet.sheet]
        counts = new if old is None or not old.sheet or new.share > old.share else old
        counts.sheets, counts.of = sheets, old.of if old else None
        self._rows[student] = counts

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    @property
    def unknown(self) -> list[str]:
        """Who has handed something in and is not on the roster."""
        return [row.student for row in self if self.roster and row.of is None]

    @property
    def missing(self) -> list[str]:
        return [row.student for row in self if not row.sheet]


def _row(student: str, sheet: Report) -> Row:
    if isinstance(sheet, NotMarked):
        fault = f" ({sheet.fault})" if sheet.fault else ""
        told = f"not marked: {sheet.shown}"
        return Row(student, sheet.sheet, notes=[f"not marked: {sheet.why}{fault}"], told=[told], why=sheet.why)
    return Row(
        student,
        sheet.sheet,
        sheet.score,
        sheet.max_score,
        ", ".join(sheet.root_errors),
        ", ".join(group.id for group in sheet.misconceptions),
        [
            *sheet.remarks,
            *sheet.unread,
            *_coarse(sheet),
            *(note for note in sheet.notes if note not in sheet.please_look),
        ],
        sheet.please_look,
        sheet.changes,
        list(_told(sheet)),
    )


def _coarse(sheet: SheetReport) -> Iterator[str]:
    """The lines that earn nothing and are no mistake."""
    if coarse := [cell for cell in sheet.cells if cell.verdict == "coarse" and not cell.dropped]:
        first = next((cell.name for cell in coarse if cell.lacks), coarse[0].name)
        yield f"{counted(len(coarse), 'line')} coarse, {first} first"


def _told(sheet: SheetReport) -> Iterator[str]:
    """What the student is told in a line."""
    if sheet.root_errors:
        yield f"look first at {sheet.root_errors[0]}"
    if blank := sum(cell.verdict == "missing" for cell in sheet.cells):
        yield f"{blank} left blank"
    yield from _coarse(sheet)
    yield from (*sheet.remarks, *sheet.unread, *sheet.changes)
