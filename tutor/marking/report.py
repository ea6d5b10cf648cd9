"""What is known of a marked sheet: what `tutor check --json` prints and every other form of feedback is made from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from functools import cache
from typing import Any

from msgspec import Struct, field

from tutor.marking.assignment import Assignment
from tutor.marking.diagnosis import Fit
from tutor.marking.formula_answer import RIGHT
from tutor.marking.key import Program
from tutor.marking.sheet import Cell, MarkedSheet, Misconception
from tutor.marking.verdict import CREDIT
from tutor.slips.registry import ARITHMETIC, ARITHMETIC_HINT, RIGHT_FORMULA_HINT

_SHOWN = Context(prec=30)
_LONGEST_ECHO = 200


class SlipReport(Struct, omit_defaults=True):
    """A slip that leads to the answer: its name, its hint, and the value that it gives. A sure one fits alone.

    `line` is where it sits, if not in the marked line: a line above it that was left blank.
    """

    id: str
    message: str
    value: str | None
    sure: bool
    line: str = field(default="", name="in")


class CellReport(Struct, omit_defaults=True):
    """One quantity of a sheet: the answer, the right value, and the value to which the writer's own lines lead.

    `slips` are those that fit, the best first. `formula` says whether the formula of the answer is right, wrong or
    undecided, where it has one; `reason` why the answer cannot be read. A `degenerate` line follows from zeros above it
    and shows nothing. What is `dropped` does not count; what is `accepted` is not the key and right all the same.
    """

    name: str
    answer: str
    key: str | None
    from_own: str | None
    verdict: str
    stage: str
    slips: list[SlipReport]
    points: int | float
    earned: int | float
    credit: bool
    formula: str = ""
    degenerate: bool = False
    reason: str = ""
    dropped: bool = False
    accepted: bool = False


class MisconceptionReport(Struct, omit_defaults=True):
    """A mistake of the sheet's story, and the root errors that it explains.

    `scope` says where it was made: a `given` misread, `everywhere`, in a `layer`, or in a `line`. `entry` is
    that of a registry that was taken for another. One that `explains_the_same` as the one before fits as well.
    """

    id: str
    scope: str
    cells: list[str]
    message: str
    given: str = ""
    read_as: str | None = None
    entry: str = ""
    explains_the_same: bool = False


class SheetReport(Struct, omit_defaults=True, kw_only=True):
    """One marked sheet. `root_errors` are the lines that do not follow from those above them, the first one first.

    `remarks` are about the file, `notes` are for the teacher; the student is the one that the sheet itself names.
    `please_look` says why a teacher should look at it, where its points say little. `changes` are those that a teacher
    has made to flawed questions.
    """

    sheet: str
    student: str | None = None
    cells: list[CellReport]
    root_errors: list[str]
    misconceptions: list[MisconceptionReport]
    score: int | float
    max_score: int | float
    done: bool
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    please_look: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


class NotMarked(Struct, omit_defaults=True, kw_only=True):
    """A sheet that was not marked, and why; `fault` is set where that is a fault of the program, `is_not_own` where its
    problem is not known or not its student's.

    `told` is what whoever handed it in may read of it, where that is less; `please_look` says that a teacher should.
    """

    sheet: str
    marked: bool
    why: str
    student: str | None = None
    told: str = ""
    fault: str = ""
    is_not_own: bool = False
    please_look: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """Why, for whoever handed it in."""
        return self.told or self.why


def not_marked(sheet: str, why: str, **others: Any) -> NotMarked:
    """What stands in the place of a sheet that was not marked; what is not the program's fault is for a teacher to look
    at."""
    look = [] if others.get("fault") else [why]
    return NotMarked(sheet=sheet, marked=False, why=why, please_look=look, **others)


Report = SheetReport | NotMarked


class Reporter:
    """Writes the reports of one problem; what is the same on every sheet is written once."""

    def __init__(self, program: Program, assignment: Assignment) -> None:
        self.program, self.assignment = program, assignment
        self._key = cache(lambda name: _text(program.key[program.places[name]]))

    def report(self, name: str, sheet: MarkedSheet, about: Mapping[str, str]) -> SheetReport:
        """Everything about one sheet."""
        earned = self.assignment.earned(sheet)
        return SheetReport(
            sheet=name,
            student=about.get("student"),
            cells=[self._cell(cell, earned) for cell in sheet.cells],
            root_errors=sheet.root_errors,
            misconceptions=[_misconception(told) for told in sheet.misconceptions],
            score=number(sum(earned.values())),
            max_score=self.assignment.max_score,
            done=self.assignment.is_done(sheet),
            please_look=list(self.assignment.please_look(sheet)),
            changes=self.assignment.changes,
        )

    def _cell(self, cell: Cell, earned: Mapping[str, float]) -> CellReport:
        mark = cell.mark
        name, key = mark.name, self._key(mark.name)
        slips = [self._slip(fit, name) for fit in cell.slips]
        if mark.verdict == "wrong" and not slips:
            hint = RIGHT_FORMULA_HINT if cell.formula == RIGHT else ARITHMETIC_HINT
            slips = [SlipReport(ARITHMETIC, hint, _text(mark.own), False)]
        return CellReport(
            name=name,
            answer=mark.answer[:_LONGEST_ECHO],
            key=key,
            from_own=key if mark.own == mark.key else _text(mark.own),
            verdict=mark.verdict,
            stage=self.program.worksheet.by_name[name].stage,
            slips=slips,
            points=self.assignment.points.get(name, 0),
            earned=number(earned.get(name, 0)),
            credit=mark.verdict in CREDIT,
            formula=cell.formula,
            degenerate=cell.degenerate,
            reason=cell.reason[:_LONGEST_ECHO],
            dropped=name in self.assignment.dropped,
            accepted=cell.accepted,
        )

    def _slip(self, fit: Fit, marked: str) -> SlipReport:
        line = self.program.names[fit.place]
        before = "" if line == marked else f"In {line}, which was left blank: "
        doubt = "" if fit.sure else "Could be: "
        return SlipReport(fit.id, before + doubt + fit.hint, _text(fit.value), fit.sure, "" if line == marked else line)


def _misconception(told: Misconception) -> MisconceptionReport:
    read_as = _text(told.read_as)
    return MisconceptionReport(
        told.id, told.scope, list(told.cells), told.message, told.given, read_as, told.entry, told.is_other
    )


def _text(value: Decimal | None) -> str | None:
    if not value:
        return None if value is None else "0"
    short = _SHOWN.plus(value).normalize()
    text = str(short)
    return f"{short:f}" if "E" in text and -12 <= short.adjusted() <= 18 else text


def number(points: float) -> float:
    """Points without the noise of floating point: whole where they are."""
    if isinstance(points, int):
        return points
    rounded = round(points, 6)
    return int(rounded) if rounded == int(rounded) else rounded
