"""Whether the digits that a homework demands can tell right from wrong.

A sheet whose every number is right, and rounded to just those digits, is what a slip has to differ from: one that moves
the lines it reaches by no more than rounding could passes for honest work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from msgspec import Struct

from tutor.errors import listed
from tutor.marking.answer import Demand, WrittenNumber
from tutor.marking.assignment import Assignment
from tutor.marking.candidates import Candidate, Candidates
from tutor.marking.student import Working
from tutor.marking.verdict import CREDIT, Marker
from tutor.numbers import decimals
from tutor.slips.registry import SWAPPED_VALUES
from tutor.worksheet.step import Worksheet

_MOST_FURTHER = 12
"""How many more digits are tried."""
_SAME_DIGITS = 12
"""A slip that changes only digits beyond these is no other number to anybody."""


class Unseen(Struct):
    """A slip that passes for rounding: the `line` in which it is made, and by how many units of the last digit demanded
    it moves the asked line."""

    slip: str
    line: str
    moved: float


class Weakness(Struct):
    """An asked line whose digits cannot tell these slips from right work.

    `value` is right, to the `digits` demanded; `tolerance` is T of the line in units of its last digit. `ask_for` are
    the digits, `ask_also` the line above, that would show all the slips; empty where neither would.
    """

    name: str
    value: str
    digits: str
    tolerance: float
    slips: list[Unseen]
    ask_for: str
    ask_also: str

    @property
    def message(self) -> str:
        """What cannot be told apart, and what to do about it."""
        where = (s.slip if s.line == self.name else f"{s.slip} in {s.line}" for s in self.slips)
        most = max(s.moved for s in self.slips)
        by = f"at most {most:.1f} units" if most >= 0.1 else "less than a tenth of a unit"
        remedies = [self.ask_for and f"for {self.ask_for}", self.ask_also and f"for {self.ask_also} too"]
        remedy = f"ask {' or '.join(filter(None, remedies))}" if any(remedies) else "ask for another line instead"
        return (
            f"{self.name} is {self.value} to {self.digits}: {listed(dict.fromkeys(where))} would move it by {by} "
            f"of the last digit, no more than honest rounding may; {remedy}"
        )


class _Passing(NamedTuple):
    slip: str
    place: int
    asked: int
    moved: Decimal


class Power:
    """Looks at one assignment. `asked` are the quantities in worksheet order."""

    def __init__(self, marker: Marker, asked: Sequence[str], candidates: Candidates) -> None:
        self.marker, self.candidates, self.program = marker, candidates, marker.program
        self.asked = [self.program.places[name] for name in asked]

    def weaknesses(self) -> list[Weakness]:
        """The lines with digits demanded in which a slip may pass for rounding, in worksheet order."""
        with decimals.precision(self.program.digits):
            sheet = self._right_sheet(self.asked, self.marker.demand_at)
            all_lines = range(self.program.first, len(self.program.names))
            passing = sorted(self._passing(sheet, all_lines), key=lambda slip: slip.asked)
            by_line = [(place, list(slips)) for place, slips in groupby(passing, key=lambda slip: slip.asked)]
            return [self._weakness(sheet, *found) for found in by_line if self.marker.demand_at[found[0]].asked]

    def _weakness(self, sheet: Working, place: int, slips: Sequence[_Passing]) -> Weakness:
        names, unit = self.program.names, sheet.written[place].unit
        lines = {slip.place for slip in slips}
        return Weakness(
            names[place],
            str(sheet.written[place].value),
            str(self.marker.demand_at[place]),
            round(sheet.bounds(place).likely / float(unit), 2),
            [Unseen(slip.slip, names[slip.place], round(float(slip.moved / unit), 2)) for slip in slips],
            self._digits_that_show(place, lines),
            self._line_that_shows(sheet, place, lines),
        )

    def _digits_that_show(self, place: int, lines: Collection[int]) -> str:
        """The fewest digits that would show every slip in these lines, if they were demanded everywhere."""
        for further in range(1, _MOST_FURTHER + 1):
            demands = [_finer(demand, further) for demand in self.marker.demand_at]
            if not any(self._passing(self._right_sheet(self.asked, demands), lines)):
                return str(demands[place])
        return ""

    def _line_that_shows(self, sheet: Working, place: int, lines: Collection[int]) -> str:
        """The line nearest above, not asked so far, that would show every slip in these lines."""
        for blank in self._blanks_above(sheet, place):
            asked = sorted({*self.asked, blank})
            demands = [*self.marker.demand_at]
            demands[blank] = demands[place]
            if not any(self._passing(self._right_sheet(asked, demands), lines)):
                return self.program.names[blank]
        return ""

    def _blanks_above(self, sheet: Working, place: int) -> Sequence[int]:
        inputs, first = self.program.compiled.inputs, self.program.first
        above, waiting = dict[int, None](), [place]
        while waiting:
            blanks = [x for x in inputs[waiting.pop(0)] if x >= first and x not in sheet.written and x not in above]
            waiting += blanks
            above |= dict.fromkeys(blanks)
        return [*above]

    def _right_sheet(self, asked: Sequence[int], demands: Sequence[Demand]) -> Working:
        key, before = self.program.key, self.program.compiled.before
        written = {}
        for place in asked:
            old = before[place]
            change = key[place] - (0 if old is None else key[old])
            written[place] = _rounded(key[place], demands[place].unit(change or key[place]))
        return Working(self.program, written, demands)

    def _passing(self, sheet: Working, places: Collection[int]) -> Iterator[_Passing]:
        """The slips in these lines that no asked line would show."""
        for place in places:
            path = self._path(sheet, place)
            asked = [x for x in path if x in sheet.written]
            for candidate in self.candidates.of(place) if asked else ():
                is_one = not candidate.unusual and candidate.id != SWAPPED_VALUES  # which may come to any number
                if is_one and (moved := self._moved(sheet, place, candidate, path, asked)) is not None:
                    yield _Passing(candidate.id, place, asked[0], moved)

    def _path(self, sheet: Working, place: int) -> list[int]:
        """The lines that a slip in this one moves while what is written stays as it is, itself first."""
        found, waiting, users = {place}, [place], self.program.compiled.users
        while waiting:
            x = waiting.pop()
            further = [user for user in users[x] if user not in found] if x not in sheet.written else []
            found.update(further)
            waiting += further
        return sorted(found)

    def _moved(
        self, sheet: Working, place: int, candidate: Candidate, path: Sequence[int], asked: Sequence[int]
    ) -> Decimal | None:
        """By how much the slip moves the nearest asked line; None where it moves none, or one of them shows it."""
        values = [*self.program.key]
        values[place] = candidate.value(values)
        for line in path[1:]:
            values[line] = self.program.value(line, values)
        if any(values[line] is None or self._is_seen(sheet, line, values[line]) for line in asked):
            return None
        moved = [abs(values[line] - self.program.key[line]) for line in asked]
        sizes = [abs(self.program.key[line]).scaleb(-_SAME_DIGITS) for line in asked]
        return moved[0] if any(by > size for by, size in zip(moved, sizes, strict=True)) else None

    def _is_seen(self, sheet: Working, line: int, value: Decimal) -> bool:
        written = _rounded(value, sheet.written[line].unit)
        return self.marker.verdict(sheet, line, written) not in CREDIT


def _rounded(value: Decimal, unit: Decimal) -> WrittenNumber:
    return WrittenNumber(value.quantize(unit), int(unit.as_tuple().exponent)) if unit else WrittenNumber(value, 0)


def _finer(demand: Demand, further: int) -> Demand:
    if demand.decimals is not None:
        return replace(demand, decimals=demand.decimals + further)
    return replace(demand, significant=(demand.significant or 0) + further, asked=True)


def weaknesses(worksheet: Worksheet, assignment: Assignment) -> list[Weakness]:
    """The asked lines in which the digits demanded, if any, cannot tell a slip from rounding."""
    if not any(demand.asked for demand in assignment.demands.values()):
        return []
    marker = Marker(worksheet, assignment.demands)
    return Power(marker, assignment.asked, Candidates(marker.program.compiled)).weaknesses()
