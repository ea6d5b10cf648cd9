"""What is known of a marked sheet: what `tutor check --json` prints and every other form of feedback is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from functools import cache
from typing import Any, NamedTuple

from msgspec import Struct, field

from tutor.marking.as_written import without_name
from tutor.marking.assignment import Assignment
from tutor.marking.diagnosis import Fit
from tutor.marking.formula_answer import RIGHT
from tutor.marking.key import Program
from tutor.marking.marked import Cell, MarkedSheet, Misconception
from tutor.marking.student import Working
from tutor.marking.verdict import CREDIT, DIGITS, Line
from tutor.marking.worked import worked
from tutor.slips.registry import ARITHMETIC, ARITHMETIC_HINT, RIGHT_FORMULA_HINT

_SHOWN = Context(prec=30)
_LONGEST_ECHO = 200


class SlipReport(Struct, omit_defaults=True):
    """A slip that leads to the answer: its name, its hint, and the value that it gives. A sure one fits alone.

    `line` is where it sits, if not in the marked line: a line above it that was left blank. `message` is the `question`
    to ask oneself and the `rule`, the first two stages of the hint.
    """

    id: str
    message: str
    value: str | None
    sure: bool
    question: str
    rule: str
    line: str = field(default="", name="in")


class CellReport(Struct, omit_defaults=True):
    """One quantity of a sheet: the answer, the right value, and the value to which the writer's own lines lead.

    `slips` are those that fit, the best first. The first line of a mistake has the `worked` formula with the writer's
    own numbers, the third stage of the hint, and the lines to `work_again` once it is mended. `formula` says whether
    that of the answer is right, wrong or undecided, where it has one; `reason` why the answer cannot be read. A
    `degenerate` line follows from zeros above it and shows nothing; one that follows from `earlier` values of lines
    above it has to be worked again. `left_side` is what a computation gives that stands before the number, where the
    two differ; the right number beside a wrong formula earns half and has no credit. A coarse line `lacks` digits,
    the change of a parameter left as it was, or agreement, where other lines show that rounding moves it less; it has
    nothing there where it follows from a line that does. What is `dropped` does not count; what is `accepted` is
    not the key and right all the same.
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
    worked: str = ""
    work_again: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    left_side: str = ""
    lacks: str = ""
    dropped: bool = False
    accepted: bool = False

    @property
    def bare(self) -> str:
        """The answer as it was written, without the name before it."""
        return without_name(self.answer, self.name)


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

    @property
    def unread(self) -> list[str]:
        """What cannot be read: the line, the text, why."""
        return [f"{c.name} = {c.bare} cannot be read: {c.reason}" for c in self.cells if c.reason]


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


class ShownMistake(NamedTuple):
    """One mistake as a student reads of it: the first line that shows it, the others, and where it sits."""

    cell: CellReport
    others: Sequence[str]
    given: str = ""

    @property
    def line(self) -> str:
        """The line in which it sits; a blank one above, where the mistake is there."""
        return (self.cell.slips[0].line if self.cell.slips else "") or self.cell.name

    @property
    def is_guess(self) -> bool:
        """Whether nothing better is known than a slip in a blank line above, one of many that might give the number."""
        best = self.cell.slips[0] if self.cell.slips else None
        return best is not None and bool(best.line) and not best.sure


def mistakes(sheet: SheetReport) -> Iterator[ShownMistake]:
    """The mistakes of a sheet in the order of its lines, each once however many lines show it."""
    told: set[str] = set()
    for cell in (c for c in sheet.cells if c.verdict == "wrong" and not c.dropped):
        if cell.name in told:
            continue
        found = next((m for m in sheet.misconceptions if cell.name in m.cells and not m.explains_the_same), None)
        others = [name for name in (found.cells if found else ()) if name != cell.name]
        told.update(others)
        yield ShownMistake(cell, others, found.given if found else "")


def _may_change(cell: CellReport) -> bool:
    """Whether a line has to be worked again when one above it is mended: not where it is right as it stands."""
    return bool(cell.answer.strip()) and ((cell.verdict != "correct" and cell.from_own != cell.key) or not cell.credit)


class Reporter:
    """Writes the reports of one problem; what is the same on every sheet is written once."""

    def __init__(self, program: Program, assignment: Assignment) -> None:
        self.program, self.assignment = program, assignment
        self._key = cache(lambda name: _text(program.key[program.places[name]]))

    def report(self, name: str, sheet: MarkedSheet, about: Mapping[str, str]) -> SheetReport:
        """Everything about one sheet."""
        earned = self.assignment.earned(sheet)
        report = SheetReport(
            sheet=name,
            student=about.get("student"),
            cells=[self._cell(cell, earned) for cell in sheet.cells],
            root_errors=sheet.root_errors,
            misconceptions=[_misconception(mistake) for mistake in sheet.misconceptions],
            score=number(sum(earned.values())),
            max_score=self.assignment.max_score,
            done=self.assignment.is_done(sheet),
            please_look=list(self.assignment.please_look(sheet)),
            changes=self.assignment.changes,
        )
        for mistake in mistakes(report):
            mistake.cell.worked = self._worked(sheet, mistake)
            given = [mistake.given] if mistake.given else []
            roots = [mistake.line, mistake.cell.name, *mistake.others, *given, *_blanks(sheet, mistake)]
            again = self._below(report, roots, {mistake.cell.name})
            mistake.cell.work_again = self._standing_on(again, [mistake.cell.name, *mistake.others])
        self._tell_what_lacks(report, sheet)
        stale = {cell.name for cell in report.cells if cell.earlier}
        for cell in report.cells:
            if cell.earlier:
                cell.work_again = self._below(report, [cell.name], stale)
        return report

    def _tell_what_lacks(self, report: SheetReport, sheet: MarkedSheet) -> None:
        """Of the coarse lines those that need more digits, and what is to be worked again then. Where nothing above is
        to blame, more digits are what helps."""
        places, followers, written = self.program.places, self.program.compiled.followers, sheet.working.written
        coarse = [cell for cell in report.cells if cell.verdict == "coarse"]
        for cell in coarse:
            cell.lacks = Line(sheet.working, places[cell.name], written[places[cell.name]]).lacks()
        lacking = {cell.name for cell in coarse if cell.lacks}
        after = sheet.after_errors.union(*({self.program.names[p] for p in followers[places[n]]} for n in lacking))
        lacking |= {cell.name for cell in coarse if cell.name not in after}
        for cell in coarse:
            if cell.name in lacking:
                cell.lacks = cell.lacks or DIGITS
                cell.work_again = self._below(report, [cell.name], lacking)

    def _worked(self, sheet: MarkedSheet, mistake: ShownMistake) -> str:
        """The formula of the line in which the mistake sits, with the numbers that stand above it."""
        places, working = self.program.places, sheet.working
        if mistake.is_guess:  # then the line itself, as it would be without it
            held = {place: value for place, value in working.held.items() if place != places[mistake.line]}
            return worked(Working(self.program, working.written, working.demands, held), places[mistake.cell.name])
        return worked(working, places[mistake.given or mistake.line])

    def _standing_on(self, lines: Sequence[str], mended: Sequence[str]) -> list[str]:
        """Of these lines those that are not mended themselves, or stand on another one that changes."""
        places, followers = self.program.places, self.program.compiled.followers
        changed = {*lines, *mended}
        return [
            name
            for name in lines
            if name not in mended or any(places[name] in followers[places[other]] for other in changed - {name})
        ]

    def _below(self, report: SheetReport, roots: Sequence[str], known: set[str]) -> list[str]:
        """The lines written below these that are not right as they stand; without those told already."""
        places, followers = self.program.places, self.program.compiled.followers
        below = frozenset().union(*(followers[places[name]] for name in roots))
        return [c.name for c in report.cells if places[c.name] in below and c.name not in known and _may_change(c)]

    def _cell(self, cell: Cell, earned: Mapping[str, float]) -> CellReport:
        mark = cell.mark
        name, key = mark.name, self._key(mark.name)
        slips = [self._slip(fit, name) for fit in cell.slips]
        if mark.verdict == "wrong" and not slips:
            hint = RIGHT_FORMULA_HINT if cell.formula == RIGHT else ARITHMETIC_HINT
            slips = [SlipReport(ARITHMETIC, str(hint), _text(mark.own), False, *hint)]
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
            credit=mark.verdict in CREDIT and not cell.half,
            formula=cell.formula,
            degenerate=cell.degenerate,
            earlier=list(cell.earlier),
            left_side=_text(cell.left_side) or "",
            reason=cell.reason[:_LONGEST_ECHO],
            dropped=name in self.assignment.dropped,
            accepted=cell.accepted,
        )

    def _slip(self, fit: Fit, marked: str) -> SlipReport:
        line = self.program.names[fit.place]
        before = "" if line == marked else f"In {line}, which was left blank: "
        doubt, hint = "" if fit.sure else "Could be: ", fit.hint
        return SlipReport(
            fit.id,
            f"{before}{doubt}{hint}",
            _text(fit.value),
            fit.sure,
            before + hint.question,
            doubt + hint.rule,
            "" if line == marked else line,
        )


def _blanks(sheet: MarkedSheet, mistake: ShownMistake) -> Sequence[str]:
    """The lines left blank in which the mistake sits, too."""
    found = (m.blanks for m in sheet.misconceptions if mistake.cell.name in m.cells and not m.is_other)
    return next(found, ())


def _misconception(m: Misconception) -> MisconceptionReport:
    return MisconceptionReport(
        m.id, m.scope, list(m.cells), str(m.hint), m.given, _text(m.read_as), m.entry, m.is_other
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
