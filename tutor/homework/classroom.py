"""A whole class: many sheets in several processes, in their order, with as little in memory as for one."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from tutor.homework.gradebook import names_of, student_of
from tutor.homework.marker import Desk, Order, unmarked
from tutor.marking.report import NotMarked, Report
from tutor.processes import workers
from tutor.results import Result

_CHUNK = 25
_ALONE_UP_TO = 60  # so few sheets are marked before a second process has started
_MOST_LINES = 3


def mark_all(order: Order, paths: Sequence[Path], jobs: int) -> Iterator[Report]:
    """Every sheet in the order of the paths, every row of a form's export; of a file that is no sheet why not."""
    desk = Desk(order)
    if jobs == 1 or len(paths) <= _ALONE_UP_TO:
        for path in paths:
            yield from desk.mark_all_in(path)
        return
    _desks[:] = [desk]  # where a forked process finds it
    chunks = deque(list(paths[i : i + _CHUNK]) for i in range(0, len(paths), _CHUNK))
    while chunks:  # each time round but the first after a process was ended from outside
        with suppress(BrokenProcessPool):
            yield from _marked(order, chunks, jobs)
        for path in chunks.popleft() if chunks else ():
            yield from _marked_apart(order, path)
    _desks.clear()


def _marked(order: Order, chunks: deque[list[Path]], jobs: int) -> Iterator[Report]:
    """The sheets in their order; `chunks` keeps what has not been marked. Raises BrokenProcessPool."""
    with workers(jobs, _set_up, order) as pool:
        waiting: deque[Future[list[Report]]] = deque()
        handed_out = 0
        while chunks:
            while handed_out < len(chunks) and len(waiting) <= 2 * jobs:
                waiting.append(pool.submit(_mark_chunk, chunks[handed_out]))
                handed_out += 1
            found = waiting.popleft().result()
            chunks.popleft()
            handed_out -= 1
            yield from found


def _marked_apart(order: Order, path: Path) -> list[Report]:
    """One file in a process of its own, which it may be the one to end."""
    try:
        with workers(1, _set_up, order) as pool:
            return pool.submit(_mark_chunk, [path]).result()
    except BrokenProcessPool:
        return [unmarked(path, "the process that marked it was ended from outside, perhaps for want of memory")]


_desks: list[Desk] = []


def _set_up(order: Order) -> None:
    if not _desks:
        _desks.append(Desk(order))


def _mark_chunk(paths: Sequence[Path]) -> list[Report]:
    return [report for path in paths for report in _desks[0].mark_all_in(path)]


class SlipCount(Struct):
    """In how many sheets of the class a slip was made, and the lines in which it sits most often."""

    id: str
    sheets: int
    lines: list[str]


class ClassReport(Struct):
    """How a class did: `sheets` were marked, `broken` could not be; `mean_percent` is the mean share of the points."""

    sheets: int
    without_error: int
    mean_percent: float
    broken: list[str]
    slips: list[SlipCount]
    several_sheets: dict[str, list[str]]
    not_handed_in: list[str]


class Checked(Result):
    """What `tutor check --json` prints; with several sheets there is a summary of the class."""

    lesson: str
    sheets: list[Report]
    summary: ClassReport | None = None


@dataclass
class Summary:
    """How a class did, counted sheet by sheet; with a `roster` also who has handed in nothing."""

    roster: Sequence[str] = ()
    sheets: int = 0
    done: int = 0
    share: float = 0.0
    broken: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    slips: Counter[str] = field(default_factory=Counter)
    lines: dict[str, Counter[str]] = field(default_factory=dict)
    handed_in: dict[str, list[str]] = field(default_factory=dict)

    def add(self, sheet: Report) -> None:
        self.handed_in.setdefault(student_of(sheet), []).append(sheet.sheet)
        if isinstance(sheet, NotMarked):
            self.broken.append(sheet.sheet)
            if isinstance(sheet, NotMarked) and sheet.fault:
                self.faults[sheet.sheet] = sheet.fault
            return
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
            several_sheets={student: sheets for student, sheets in self.handed_in.items() if len(sheets) > 1},
            not_handed_in=[s for s in self.roster if not names_of(s) & self.handed_in.keys()],
        )
