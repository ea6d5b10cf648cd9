"""Marking: every answer of a sheet against the key and against what the writer's own lines lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from tutor.arithmetic import decimals
from tutor.homework.demand import DEFAULT, Demand
from tutor.homework.program import Program
from tutor.homework.standing import Standing
from tutor.homework.verdict import Line, verdict
from tutor.homework.written import Written, power_of_ten, read_written
from tutor.worksheet.compile import functions
from tutor.worksheet.step import Step, Worksheet

_ENOUGH = DEFAULT.significant or 2


@dataclass(frozen=True, slots=True)
class Mark:
    """The verdict on one answer. `own` is what the writer's own earlier lines lead to, None where to no value."""

    name: str
    answer: str
    key: Decimal
    own: Decimal | None
    verdict: str


class Marker:
    """Marks sheets of one worksheet. Whatever is the same for all of them is made once."""

    def __init__(
        self, worksheet: Worksheet, demands: Mapping[str, Demand] | None = None, checks: Sequence[Step] = ()
    ) -> None:
        self.program = Program(worksheet, checks)
        self.demands = demands or {}

    def varied(self, program: Program) -> Marker:
        """The same marker for a problem of the same steps with other given numbers."""
        other = copy(self)
        other.program = program
        return other

    def mark(self, answers: Sequence[tuple[str, str]]) -> list[Mark]:
        """A mark for each (name, text), in the order given.

        Where one quantity is answered more than once, the last readable answer counts for the lines that follow.
        """
        with decimals.precision(self.program.digits):
            read = [self.read(text) for _, text in answers]
            places = [self.program.places[name] for name, _ in answers]
            standing = self.standing({p: w for p, w in zip(places, read, strict=True) if w is not None})
            return [
                self.mark_one(standing, place, text, written)
                for place, (_, text), written in zip(places, answers, read, strict=True)
            ]

    def read(self, text: str) -> Written | None:
        """The number written, None for what is not one."""
        try:
            return read_written(text)
        except ValueError:
            return None

    def standing(self, written: Mapping[int, Written]) -> Standing:
        return Standing(self.program, written)

    def mark_one(self, standing: Standing, place: int, text: str, written: Written | None) -> Mark:
        name, key = self.program.names[place], self.program.key[place]
        if written is None:
            return Mark(name, text, key, standing.own[place], "unreadable" if text.strip() else "missing")
        own = standing.own[place]
        if place in self._plain and abs(written.value - key) <= written.half and written.significant() >= _ENOUGH:
            return Mark(name, text, key, own, "correct")  # most answers of most sheets, without a further thought
        return Mark(name, text, key, own, verdict(self.line(standing, place, written)))

    @cached_property
    def _plain(self) -> frozenset[int]:
        """The places judged by the number itself and the default demand."""
        before, names = self.program.before, self.program.names
        return frozenset(
            p for p, old in enumerate(before) if old is None and self.demands.get(names[p], DEFAULT) is DEFAULT
        )

    def line(self, standing: Standing, place: int, written: Written) -> Line:
        """What the answer at this place is held against."""
        program = self.program
        key, own = program.key[place], standing.own[place]
        old = program.before[place]
        return Line(
            written,
            key,
            own,
            (None if old is None else standing.values[old]) or Decimal(0),
            self.demands.get(program.names[place], DEFAULT),
            lambda: standing.spread(place),
            lambda: standing.wide_spread(place),
            lambda places: self.rounded_inside(standing.values, place, -(written.exponent or 0), places),
        )

    def rounded_inside(self, values: Sequence[Any], place: int, outer: int, inner: int) -> Decimal | None:
        """The value to `outer` decimals when each result inside the formula is rounded to `inner` decimals."""
        try:
            found = self._rounding[place - self.program.first](values, power_of_ten(-inner))
            return decimals.rounded(found, power_of_ten(-outer))
        except (ArithmeticError, ValueError, TypeError):
            return None

    @cached_property
    def _rounding(self) -> list[Any]:
        formulas = [step.formula for step in self.program.steps]
        return functions(formulas, self.program.places, decimals, rounding=True)
