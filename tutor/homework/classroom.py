"""A whole class: many sheets in several processes, in their order, with as little in memory as for one."""

from __future__ import annotations

import gc
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, field

from tutor.homework.earlier_marks import Change
from tutor.homework.journal import Journal
from tutor.homework.marker import LessonMarker, MarkingJob, unmarked
from tutor.homework.roster import Roster
from tutor.homework.statistics import ItemReport, MistakeCount, Statistics
from tutor.homework.students import StudentReport, Students
from tutor.marking.report import NotMarked, Report
from tutor.processes import workers
from tutor.results import Result

_CHUNK = 25
_ALONE_UP_TO = 60  # so few sheets are marked before a second process has started
_MOST_LINES = 3


def mark_all(job: MarkingJob, paths: Sequence[Path], jobs: int, journal: Journal | None = None) -> Iterator[Report]:
    """Every sheet in the order of the paths, every row of a form's export; of a file that is no sheet why not. What the
    journal has is not marked again."""
    known = {path for path in paths if journal is not None and path in journal}
    marked = _mark_each(job, [path for path in paths if path not in known], jobs)
    for path in paths:
        if journal is not None and path in known:
            yield from journal[path]
            continue
        reports = next(marked)
        if journal is not None:
            journal.add(path, reports)
        yield from reports


def _mark_each(job: MarkingJob, paths: Sequence[Path], jobs: int) -> Iterator[list[Report]]:
    """The sheets of each file."""
    marker = LessonMarker(job)
    gc.freeze()  # what has been loaded stays, and is not looked through for the garbage of the sheets
    gc.set_threshold(20_000, 50, 50)
    if jobs == 1 or len(paths) <= _ALONE_UP_TO:
        for path in paths:
            yield marker.mark_all_in(path)
        return
    _markers[:] = [marker]  # where a forked process finds it
    chunks = deque(list(paths[i : i + _CHUNK]) for i in range(0, len(paths), _CHUNK))
    while chunks:  # each time round but the first after a process was ended from outside
        with suppress(BrokenProcessPool):
            yield from _marked(job, chunks, jobs)
        for path in chunks.popleft() if chunks else ():
            yield _marked_apart(job, path)
    _markers.clear()


def _marked(job: MarkingJob, chunks: deque[list[Path]], jobs: int) -> Iterator[list[Report]]:
    """The sheets in their order; `chunks` keeps what has not been marked. Raises BrokenProcessPool."""
    with workers(jobs, _set_up, job) as pool:
        waiting: deque[Future[list[list[Report]]]] = deque()
        handed_out = 0
        while chunks:
            while handed_out < len(chunks) and len(waiting) <= 2 * jobs:
                waiting.append(pool.submit(_mark_chunk, chunks[handed_out]))
                handed_out += 1
            found = waiting.popleft().result()
            chunks.popleft()
            handed_out -= 1
            yield from found


def _marked_apart(job: MarkingJob, path: Path) -> list[Report]:
    """One file in a process of its own, which it may be the one to end."""
    try:
        with workers(1, _set_up, job) as pool:
            return pool.submit(_mark_chunk, [path]).result()[0]
    except BrokenProcessPool:
        return [unmarked(path, "the process that marked it was ended from outside, perhaps for want of memory")]


_markers: list[LessonMarker] = []


def _set_up(job: MarkingJob) -> None:
    if not _markers:
        _markers.append(LessonMarker(job))


def _mark_chunk(paths: Sequence[Path]) -> list[list[Report]]:
    return [_markers[0].mark_all_in(path) for path in paths]


class SlipCount(Struct):
    """In how many sheets of the class a slip was made, and the lines in which it sits most often."""

    id: str
    sheets: int
    lines: list[str]


class ClassReport(Struct, omit_defaults=True, kw_only=True):
    """How a class did: `sheets` were marked, `broken` could not be; `mean_percent` is the mean share of the points.

    `students` has a row for each, `not_on_roster` who is not there, `please_look` the sheets for a teacher to look at,
    with the reasons. `items` are the lines and how each of them did, `misconceptions` the mistakes, the commonest
    first; `changes` those that a teacher has made to flawed questions.
    """

    sheets: int
    without_error: int
    mean_percent: float
    broken: list[str]
    slips: list[SlipCount]
    several_sheets: dict[str, list[str]]
    not_handed_in: list[str]
    students: list[StudentReport]
    items: list[ItemReport]
    misconceptions: list[MistakeCount]
    please_look: dict[str, list[str]] = field(default_factory=dict)
    not_on_roster: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


class Checked(Result):
    """What `tutor check --json` prints; with several sheets there is a summary of the class, with an earlier result to
    compare with the marks that have changed since."""

    lesson: str
    sheets: list[Report]
    summary: ClassReport | None = None
    changed: list[Change] | None = None


class Summary:
    """How a class did, counted sheet by sheet; with a roster also who has handed in nothing."""

    def __init__(self, roster: Roster | None = None) -> None:
        self.students = Students(roster)
        self.statistics = Statistics()
        self.sheets = self.done = 0
        self.share = 0.0
        self.broken: list[str] = []
        self.faults: dict[str, str] = {}
        self.slips = Counter[str]()
        self.lines: dict[str, Counter[str]] = {}
        self.please_look: dict[str, list[str]] = {}
        self.changes: list[str] = []

    def add(self, sheet: Report) -> None:
        self.students.add(sheet)
        if sheet.please_look:
            self.please_look[sheet.sheet] = sheet.please_look
        if isinstance(sheet, NotMarked):
            self.broken.append(sheet.sheet)
            if sheet.fault:
                self.faults[sheet.sheet] = sheet.fault
            return
        self.statistics.add(sheet)
        self.changes += [change for change in sheet.changes if change not in self.changes]
        self.sheets += 1
        self.done += bool(sheet.done)
        self.share += sheet.score / sheet.max_score if sheet.max_score else 1.0
        for cell in sheet.cells:
            for slip in cell.slips[:1]:
                self.lines.setdefault(slip.id, Counter())[slip.line or cell.name] += 1
        self.slips.update({slip.id for cell in sheet.cells for slip in cell.slips[:1]})

    @property
    def report(self) -> ClassReport:
        """The counts: every slip with the lines in which it sits most often."""
        slips = [
            SlipCount(slip, count, [name for name, _ in self.lines[slip].most_common(_MOST_LINES)])
            for slip, count in sorted(self.slips.items(), key=lambda pair: (-pair[1], pair[0]))
        ]
        mean = 100 * self.share / self.sheets if self.sheets else 0.0
        return ClassReport(
            sheets=self.sheets,
            without_error=self.done,
            mean_percent=round(mean, 2),
            broken=self.broken,
            slips=slips,
            several_sheets={row.student: row.sheets for row in self.students if len(row.sheets) > 1},
            not_handed_in=self.students.missing,
            students=[row.report for row in self.students],
            items=self.statistics.items,
            misconceptions=self.statistics.mistakes,
            please_look=self.please_look,
            not_on_roster=self.students.unknown,
            changes=self.changes,
        )
