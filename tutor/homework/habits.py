"""How a writer rounds, as the numbers show that are not exactly what they stand for."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property

from tutor.homework.program import Program, Values
from tutor.homework.written import Written, power_of_ten

Precision = tuple[int | None, int | None]
"""To so many significant digits, and to so many decimals (as the exponent of the last one)."""
_EXACT: Precision = (None, None)
_FEWEST_OF_A_BLANK = 3  # significant digits
_HALF = Decimal("0.5")
_FEWEST_CUT, _FEWEST_ALIKE = 3, 2  # lines that show a habit
_LONGEST = 40  # digits; what is written with more of them is taken as exact


class Habits:
    """The habits of one writer; `values` has what stands at every place of their sheet."""

    def __init__(self, program: Program, written: Mapping[int, Written], values: Values) -> None:
        self.program, self.written, self.values = program, written, values
        self._precisions: dict[tuple[int | None, int | None], Precision] = {}

    def precision(self, place: int) -> Precision:
        """How they round, from every line but this one: the median of their significant digits, and the last decimal
        if it is the same in all of several lines."""
        mine = self._inexact.get(place)
        told = mine, None if mine is None else self._last(place)
        if told not in self._precisions:
            self._precisions[told] = self._without(*told)
        return self._precisions[told]

    def _without(self, mine: int | None, exponent: int | None) -> Precision:
        digits, exponents = self._counted
        others = len(digits) - (mine is not None)
        if not others:
            return _EXACT
        middle = (others - 1) // 2
        if mine is not None and middle >= bisect_left(digits, mine):
            middle += 1
        last = [e for e, count in exponents.items() if count > (mine is not None and e == exponent)]
        return digits[middle], last[0] if len(last) == 1 and others >= _FEWEST_ALIKE else None

    @cached_property
    def _inexact(self) -> dict[int, int]:
        """For every number that is not exact how many significant digits it has, an updated weight those of its
        change. Those of a machine count only where there are no others."""
        key, before = self.program.key, self.program.compiled.before
        by_hand, by_machine = dict[int, int](), dict[int, int]()
        for place, w in self.written.items():
            if w.exponent is not None and w.value and w.value != key[place]:
                old = None if (earlier := before[place]) is None else self.values[earlier]
                if digits := w.digits if old is None else w.significant(w.value - old):
                    (by_machine if w.grain else by_hand)[place] = digits
        return max(by_hand, by_machine, key=len)

    @cached_property
    def _counted(self) -> tuple[list[int], Counter[int | None]]:
        """The significant digits of all of them, sorted, and the places of their last digits."""
        return sorted(self._inexact.values()), Counter(map(self._last, self._inexact))

    def cuts(self, own: Sequence[Decimal | None]) -> bool:
        """Whether they cut digits off: of the lines where that is not rounding at least three, and most, are cut. The
        truth of a line is its key or `own`, what follows from the lines above it as they stand: whichever is nearer."""
        cut = rounded = 0
        for place, w in self.written.items():
            truths = [t for t in (self.program.key[place], own[place]) if t]
            if w.exponent is None or not truths:
                continue
            truth = min(truths, key=lambda t: abs(t - w.value))
            lost = (abs(truth) - abs(w.value)) / w.unit  # 0 to 1 where digits are cut off, -1/2 to 1/2 where rounded
            cut, rounded = cut + (_HALF < lost <= 1), rounded + (-_HALF <= lost < 0)
        return cut >= _FEWEST_CUT and cut > rounded

    def _last(self, place: int) -> int | None:
        """The place of the last decimal; a machine keeps to none."""
        w = self.written[place]
        return None if w.grain else w.exponent


def half_unit(value: Decimal, precision: Precision) -> float:
    """Half a unit of the last digit that the writer would note of this value; 0 where it ends before that."""
    significant, exponent = precision
    if significant is None or significant > _LONGEST:
        return 0.0
    size = (value.adjusted() if value else 0) - significant + 1
    last = size if exponent is None else max(size, exponent)
    unit = power_of_ten(last)
    return 0.0 if value % unit == 0 else float(unit) / 2


def half_unit_of_a_blank(value: Decimal, precision: Precision) -> float:
    """The same of a result that is not on the sheet: nobody goes on with less than three digits of it, unless all their
    lines have as many decimals."""
    significant, exponent = precision
    return half_unit(value, (significant and max(significant, _FEWEST_OF_A_BLANK), exponent))
