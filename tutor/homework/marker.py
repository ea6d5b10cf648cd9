"""A marker: one assignment, ready to mark any number of files, each of them by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import msgspec

from tutor.errors import TutorError
from tutor.escaping import file_name
from tutor.faults import described
from tutor.homework.earlier_sheets import kept
from tutor.homework.other_lesson import check_lesson
from tutor.homework.ownership import Claim, Copies, NotOwn, Owners, whose
from tutor.homework.roster import Roster
from tutor.homework.variants import Varier, lesson_mark, problem_lesson, read_code
from tutor.lessons.format import Homework, Lesson
from tutor.lessons.read import parse_lesson
from tutor.marking.assignment import Assignment, assign
from tutor.marking.report import NotMarked, Report, Reporter, SheetReport, not_marked
from tutor.marking.sheet import SheetMarker
from tutor.marking.verdict import Marker
from tutor.read_files import is_file, is_folder, unreadable
from tutor.sheets.arrays import answers_of
from tutor.sheets.formats import DELIMITED, READERS, WORKBOOKS
from tutor.sheets.read import HandedIn, count_rows_of_form, read_about, read_sheet, read_sheets
from tutor.worksheet.build import build
from tutor.worksheet.step import Worksheet

_SUSPICIOUS = 4  # root errors
_FAULT = "a fault of the program, not of the sheet"
ENDINGS = (*DELIMITED, *WORKBOOKS, *READERS)


@dataclass(frozen=True)
class MarkingJob:
    """What is to be marked and how: everything that a process needs to mark on its own.

    `before` are earlier sheets, or folders with earlier ones under the same names; the folder for the `feedback` has
    what was marked into it before.
    """

    text: str
    where: str
    homework: Homework
    owners: Owners | None = None
    roster: Roster | None = None
    before: tuple[Path, ...] = ()
    feedback: Path | None = None


@dataclass(frozen=True)
class Problem:
    """A worksheet with what is asked of it."""

    marker: SheetMarker
    assignment: Assignment

    @cached_property
    def reporter(self) -> Reporter:
        return Reporter(self.marker.program, self.assignment)

    def named(self, handed_in: HandedIn) -> HandedIn:
        """The sheet with the numbers of its arrays under their names here."""
        if not handed_in.arrays:
            return handed_in
        program = self.marker.program
        found = answers_of(handed_in.arrays, program.worksheet, lambda name: _float(program.key[program.places[name]]))
        answers, remarks = {**found.answers, **handed_in.answers}, (*handed_in.remarks, *found.remarks)
        return replace(handed_in, answers=answers, remarks=remarks)


class LessonMarker:
    """Marks the sheets of one lesson, each against the problem that it answers."""

    def __init__(self, job: MarkingJob) -> None:
        self.job = job
        lesson = parse_lesson(job.text, job.where)
        self.own_code = lesson.problem
        worksheet = _worksheet(lesson, job.where)
        self.problem = _problem(worksheet, assign(worksheet, job.homework))
        codes = job.owners.codes if job.owners else {}
        self.seen: list[Mapping[str, str]] = []  # while one sheet is marked again and again
        self.copies = Copies(job.text, self.problem.marker.program.compiled, codes)

    def mark_file(self, path: str | Path) -> SheetReport:
        """The marked sheet. Raises TutorError for a file that is no sheet."""
        return self.mark(_called(path), read_sheet(path, self._names))

    @property
    def _names(self) -> Mapping[str, object]:
        return self.problem.marker.program.worksheet.by_name

    def _before(self, name: str, student: str | None) -> list[Mapping[str, str]]:
        """The earlier sheets of the same student, the latest first."""
        paths = [path / name if is_folder(path) else path for path in self.job.before]
        there = [p for p, given in zip(paths, self.job.before, strict=True) if p is given or is_file(p)]
        found = [*self.seen, *map(self._handed_in_before, reversed(there))]
        if (feedback := self.job.feedback) is not None:
            found += kept(feedback, file_name(student or Path(name).stem, set()))
        return found

    def _handed_in_before(self, path: Path) -> Mapping[str, str]:
        try:
            return read_sheet(path, self._names).answers
        except TutorError as error:
            raise TutorError(f"{path}, handed in before: {error}") from None

    def mark(self, name: str, handed_in: HandedIn) -> SheetReport:
        """The same for a sheet that has been read."""
        try:
            claim = self.job.owners.claim(name, handed_in) if self.job.owners else None
            problem = self._problem_of(handed_in, claim)
        except NotOwn:
            raise
        except TutorError as error:  # its code is none, or that of another lesson
            raise NotOwn(str(error), self._student(name, handed_in)) from None
        handed_in = problem.named(handed_in)
        check_lesson(handed_in)
        student = claim.student if claim else self._student(name, handed_in)
        sheet = problem.marker.mark(handed_in.answers, self._before(name, student))
        report = problem.reporter.report(name, sheet, handed_in.about)
        report.student = student
        report.remarks += handed_in.remarks
        if claim and claim.note:
            report.notes.append(claim.note)
        self._look_for_copies(handed_in, problem, report)
        return report

    def mark_or_complain(self, path: str | Path) -> Report:
        """The same, or why the file cannot be marked: one broken file never stops the others.

        Only what a reader of sheets has complained of is told as the sheet's own; whatever else goes wrong is a fault
        of the program.
        """
        return self._or_why(_called(path), lambda: self.mark_file(path), lambda: self._student_in(path))

    def mark_all_in(self, path: str | Path) -> list[Report]:
        """Every sheet of a file, which a form's export has many of."""
        called = _called(path)
        try:
            sheets = read_sheets(path, self._names)
        except TutorError as error:
            return [not_marked(called, str(error), student=self._student_in(path))]
        except Exception as error:
            return [unmarked(path, described(error))]
        return [self._mark_or_say(f"{row} of {called}" if row else called, sheet) for row, sheet in sheets]

    def _mark_or_say(self, name: str, sheet: HandedIn | TutorError) -> Report:
        if isinstance(sheet, TutorError):
            return not_marked(name, str(sheet))
        return self._or_why(name, lambda: self.mark(name, sheet), lambda: self._student(name, sheet))

    def _or_why(self, name: str, mark: Callable[[], SheetReport], student: Callable[[], str | None]) -> Report:
        try:
            return mark()
        except NotOwn as error:
            return not_marked(name, str(error), student=error.student, told=error.told, is_not_own=True)
        except TutorError as error:
            return not_marked(name, str(error), student=student())
        except Exception as error:
            return not_marked(name, _FAULT, fault=described(error))

    def _student(self, name: str, handed_in: HandedIn) -> str | None:
        return whose(self.job.roster, name, handed_in.about.get("student", ""))

    def _student_in(self, path: str | Path) -> str | None:
        """Whose a file is that is no sheet, as far as that can be read."""
        about: Mapping[str, str] = {}
        with suppress(Exception):
            about = {} if str(path) == "-" else read_about(Path(path))[0]
        return self._student(_called(path), HandedIn({}, about))

    def _problem_of(self, handed_in: HandedIn, claim: Claim | None) -> Problem:
        """The problem that the sheet says it answers, drawn again from its code; without one that of its student."""
        written = claim.code if claim else handed_in.about.get("problem", "")
        if claim and not written:
            written = str(self._varier.problem(claim.seed))
        if not written or written == self.own_code:
            return self.problem
        code = read_code(written)
        if code.lesson != self._mark:
            raise TutorError(f"it answers problem {code}, which was not made from this version of this lesson")
        worksheet = _worksheet(problem_lesson(self.job.text, code), f"problem {code}")
        return self._varied(worksheet)

    @cached_property
    def _mark(self) -> str:
        return lesson_mark(self.job.text)

    @cached_property
    def _varier(self) -> Varier:
        return Varier(self.job.text, parse_lesson(self.job.text, self.job.where))

    def _varied(self, worksheet: Worksheet) -> Problem:
        marker, assignment = self.problem.marker, dataclasses.replace(self.problem.assignment, accepted={})
        compiled = marker.candidates.compiled.suited_to(worksheet)
        if compiled is not marker.candidates.compiled:  # other numbers led to other steps
            return _problem(worksheet, assign(worksheet, _for_others(self.job.homework)))
        own = Marker(worksheet, assignment.demands, compiled)
        rest = marker.candidates, assignment.answers, assignment.dropped
        return Problem(SheetMarker(own, assignment.asked, *rest), assignment)

    def _look_for_copies(self, handed_in: HandedIn, problem: Problem, report: SheetReport) -> None:
        """Say where the numbers answer the problem of another student."""
        if self.job.owners is None or len(report.root_errors) < _SUSPICIOUS:
            return
        source = self.copies.source(handed_in, problem.marker.program.key)
        if source is not None:
            report.notes.append(f"the numbers answer another student's problem, that of {source}")
            report.please_look.append(report.notes[-1])


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _problem(worksheet: Worksheet, assignment: Assignment) -> Problem:
    marker = Marker(worksheet, assignment.demands, accepted=assignment.accepted)
    answers, dropped = assignment.answers, assignment.dropped
    return Problem(SheetMarker(marker, assignment.asked, answers=answers, dropped=dropped), assignment)


def _for_others(homework: Homework) -> Homework:
    """What is asked of a problem with other numbers, for which those that are accepted are no answers."""
    return msgspec.structs.replace(homework, accept={})


def _worksheet(lesson: Lesson, where: str) -> Worksheet:
    try:
        return build(lesson)
    except ValueError as error:
        raise TutorError(f"{where}: {error}") from None


def unmarked(path: str | Path, fault: str) -> NotMarked:
    """What stands in the place of a sheet that a fault of the program kept from being marked."""
    return not_marked(_called(path), _FAULT, fault=fault)


def _called(path: str | Path) -> str:
    return "standard input" if str(path) == "-" else Path(path).name


def sheets_in(paths: Sequence[Path]) -> list[Path]:
    """The files to mark: those named, and the sheets in the folders named."""
    found: list[Path] = []
    for path in paths:
        found += sorted(f for f in _entries(path) if _is_sheet(f)) if is_folder(path) else [path]
    return found


def rows_of_form(path: Path, job: MarkingJob) -> int:
    """How many sheets are in a file that is a form's export; 0 where it is none."""
    if str(path) == "-":
        return 0
    return count_rows_of_form(path, lambda: _worksheet(parse_lesson(job.text, job.where), job.where).by_name)


def passed_over(paths: Sequence[Path]) -> Iterator[tuple[Path, int]]:
    """The folders with something in them that is no sheet, and how much of it."""
    for path in paths:
        if is_folder(path):
            count = sum(not _is_sheet(f) and not f.name.startswith(".") for f in _entries(path))
            if count:
                yield path, count


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise unreadable(f"the folder {str(folder)!r}", error) from None


def _is_sheet(path: Path) -> bool:
    ordinary = is_file(path) and not path.is_symlink() and not path.name.startswith(".")
    return ordinary and path.suffix.lower() in ENDINGS
