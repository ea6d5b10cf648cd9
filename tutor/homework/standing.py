"""A worksheet as one writer has it: each line from what they wrote above it, blanks filled from their own lines."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property

from tutor.homework.program import Program
from tutor.homework.spread import reach
from tutor.homework.written import Written, is_same, power_of_ten

Precision = tuple[int | None, int | None]
"""How a writer rounds: to so many significant digits, or to so many decimals (as the exponent of the last one)."""
_EXACT: Precision = (None, None)
_LONGEST = 40  # digits; what is written with more of them is taken as exact


class Standing:
    """`values` has what stands at every place, `own` what the writer's lines above it lead to.

    `held` has values of blank lines in which a slip is known to sit.
    """

    def __init__(
        self, program: Program, written: Mapping[int, Written], held: Mapping[int, tuple[Decimal, float]] | None = None
    ) -> None:
        self.program, self.written, self.held = program, written, held or {}
        fixed = {place: value for place, (value, _) in self.held.items()}
        self.values, self.own = program.work(fixed | {place: w.value for place, w in written.items()})
        self._precisions: dict[tuple[int | None, int | None], Precision] = {}
        self._spreads: dict[Precision, tuple[list[float], list[float]]] = {}

    def spread(self, place: int) -> float:
        """A of the line: how far rounding above it can have moved its own value."""
        return self.spreads(self.precision(place))[0][place]

    def wide_spread(self, place: int) -> float:
        """The same for somebody who cuts digits off instead of rounding: every line above twice as far off."""
        program, spreads = self.program, self.spreads(self.precision(place))[1]
        below = program.inputs[place]
        doubled = {x: 2 * spreads[x] for x in below}
        return reach(program.float_functions[place - program.first], below, self.floats, self.decided, doubled)

    @cached_property
    def inexact(self) -> dict[int, int]:
        """The written numbers that are not exactly what they stand for, and so show how the writer rounds: for each
        how many significant digits it has, an updated weight those of its change."""
        key, found = self.program.key, {}
        for place, w in self.written.items():
            if w.exponent is not None and w.value and w.value != key[place]:
                before = self.program.before[place]
                old = None if before is None else self.values[before]
                if digits := w.significant(None if old is None else w.value - old):
                    found[place] = digits
        return found

    @cached_property
    def _habits(self) -> tuple[list[int], Counter[int | None]]:
        """The significant digits of all inexact numbers, sorted, and the places of their last digits."""
        return sorted(self.inexact.values()), Counter(self.written[p].exponent for p in self.inexact)

    def precision(self, place: int) -> Precision:
        """How the writer rounds, from every line but this one: the median of their significant digits, and the last
        decimal if it is the same everywhere."""
        mine = self.inexact.get(place)
        return self._without(mine, None if mine is None else self.written[place].exponent)

    def _without(self, mine: int | None, exponent: int | None) -> Precision:
        if (mine, exponent) not in self._precisions:
            digits, exponents = self._habits
            others = len(digits) - (mine is not None)
            middle = (others - 1) // 2
            if mine is not None and middle >= bisect_left(digits, mine):
                middle += 1
            last = [e for e, count in exponents.items() if count > (mine is not None and e == exponent)]
            found = (digits[middle], last[0] if len(last) == 1 else None) if others else _EXACT
            self._precisions[mine, exponent] = found
        return self._precisions[mine, exponent]

    def spreads(self, precision: Precision) -> tuple[list[float], list[float]]:
        """For every place A, and δ: how far what stands there may be from what the writer had in mind.

        Half a unit for a written number that is not exact; for a blank its own A and half a unit at the writer's
        usual precision, unless its value needs no more digits than that.
        """
        if precision not in self._spreads:
            self._spreads[precision] = self._work_spreads(precision)
        return self._spreads[precision]

    def _work_spreads(self, precision: Precision) -> tuple[list[float], list[float]]:
        program, floats = self.program, self.floats
        reached, spreads = [0.0] * len(floats), [0.0] * len(floats)
        for place in range(program.first, len(floats)):
            own = self.own[place]
            if own is None:
                continue
            function, below = program.float_functions[place - program.first], program.inputs[place]
            reached[place] = moved = reach(function, below, floats, self.decided, spreads)
            if (written := self.written.get(place)) is not None:
                inexact = written.exponent is not None and written.value != program.key[place]
                if inexact and not (moved == 0 and is_same(written.value, own)):
                    spreads[place] = float(written.unit) / 2
            elif place in self.held:
                spreads[place] = self.held[place][1] + _half_unit(self.held[place][0], precision)
            else:
                spreads[place] = moved + _half_unit(own, precision)
        return reached, spreads

    @cached_property
    def decided(self) -> tuple[float, ...]:
        """The same once more, by which case distinctions are decided while one of them is moved."""
        return tuple(self.floats)

    @cached_property
    def floats(self) -> list[float]:
        """What stands at every place, as floats. Where it is the key, its float is at hand."""
        program = self.program
        return [
            known if value == key else float(value) if value is not None else 0.0
            for value, key, known in zip(self.values, program.key, program.key_floats, strict=True)
        ]


def _half_unit(value: Decimal, precision: Precision) -> float:
    """Half a unit of the last digit that the writer would note of this value; 0 where it ends before that."""
    significant, exponent = precision
    if significant is None or significant > _LONGEST:
        return 0.0
    size = (value.adjusted() if value else 0) - significant + 1
    last = size if exponent is None else max(size, exponent)
    unit = power_of_ten(last)
    return 0.0 if value % unit == 0 else float(unit) / 2
