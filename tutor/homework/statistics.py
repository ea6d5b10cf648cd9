"""How the questions of a homework did: who got each line right, with which mistakes, and what it says of a student."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt

from msgspec import Struct

from tutor.marking.report import SheetReport

_MOST = 3


class MistakeCount(Struct):
    """In how many sheets a mistake is, and the lines in which it shows most often."""

    id: str
    scope: str
    sheets: int
    lines: list[str]


class ItemReport(Struct):
    """How one line did in a class: the shares of the sheets in which it was right, carried, wrong, too coarse, and left
    blank or unreadable.

    `discrimination` is the correlation of its points with those of all other lines of the sheet: near 0 or below it
    says nothing about who can do the rest, as where a question is flawed. It is null where all have the same.
    """

    name: str
    right: float
    carried: float
    wrong: float
    coarse: float
    open: float
    discrimination: float | None
    mistakes: Mapping[str, int]


GROUPS = {"correct": "right", "rounding": "right", "missing": "open", "unreadable": "open"}


@dataclass
class _Item:
    """Sums over the sheets: of the share of the line's points (x), and of the share of all others (y)."""

    groups: Counter[str] = field(default_factory=Counter)
    mistakes: Counter[str] = field(default_factory=Counter)
    sheets: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0

    def add(self, group: str, share: float, others: float) -> None:
        self.groups[group] += 1
        self.sheets += 1
        self.x, self.y = self.x + share, self.y + others
        self.xx, self.yy, self.xy = self.xx + share**2, self.yy + others**2, self.xy + share * others

    @property
    def discrimination(self) -> float | None:
        n = self.sheets
        variances = (n * self.xx - self.x**2, n * self.yy - self.y**2)
        if min(variances) <= _NOTHING * n * n:
            return None
        return round((n * self.xy - self.x * self.y) / sqrt(variances[0] * variances[1]), 2)


_NOTHING = 1e-12


class Statistics:
    """Counts sheet by sheet; the lines that have points, in the order of the worksheet."""

    def __init__(self) -> None:
        self._items: dict[str, _Item] = {}
        self._mistakes: Counter[tuple[str, str]] = Counter()
        self._lines: dict[tuple[str, str], Counter[str]] = {}

    def add(self, sheet: SheetReport) -> None:
        cells = [cell for cell in sheet.cells if cell.points]
        for cell in cells:
            rest = sheet.max_score - cell.points
            others = (sheet.score - cell.earned) / rest if rest else 0.0
            item = self._items.setdefault(cell.name, _Item())
            item.add(GROUPS.get(cell.verdict, cell.verdict), cell.earned / cell.points, others)
            item.mistakes.update(slip.id for slip in cell.slips[:1])
        for told in (m for m in sheet.misconceptions if not m.explains_the_same):
            self._mistakes[told.id, told.scope] += 1
            self._lines.setdefault((told.id, told.scope), Counter()).update(told.cells)

    @property
    def items(self) -> list[ItemReport]:
        return [_report(name, item) for name, item in self._items.items()]

    @property
    def mistakes(self) -> list[MistakeCount]:
        """The commonest first."""
        found = sorted(self._mistakes.items(), key=lambda pair: (-pair[1], pair[0]))
        return [MistakeCount(*key, count, _commonest(self._lines[key])) for key, count in found]


def _report(name: str, item: _Item) -> ItemReport:
    shares = {group: round(item.groups[group] / item.sheets, 4) for group in ("right", "carried", "wrong", "coarse")}
    mistakes = {slip: item.mistakes[slip] for slip in _commonest(item.mistakes)}
    opened = round(item.groups["open"] / item.sheets, 4)
    return ItemReport(name, **shares, open=opened, discrimination=item.discrimination, mistakes=mistakes)


def _commonest(counts: Counter[str]) -> list[str]:
    return [name for name, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]]
