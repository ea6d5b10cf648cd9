"""A number as somebody wrote it: its digits say how precise it means to be."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from tutor.arithmetic.decimals import number_of, precision
from tutor.arithmetic.exact import check_number, read_number

WITHIN = Decimal("0.51")
"""How much of a unit an answer may be off: half of one, and a little for a tie."""
_RATIO_DIGITS = 400
_OF_AN_EXACT_NUMBER = 1_000  # digits


class Written:
    """`exponent` is the power of ten of the last digit written; None for what is exact, a fraction or a formula.

    `unit` is one unit of the last digit, u in the rules of marking (0 of what is exact), `half` what an answer may be
    off, `digits` how many significant ones were written. Not to be changed.
    """

    __slots__ = ("digits", "exponent", "half", "unit", "value")

    def __init__(self, value: Decimal, exponent: int | None) -> None:
        self.value, self.exponent = value, exponent
        self.unit = Decimal(0) if exponent is None else power_of_ten(exponent)
        self.half = WITHIN * self.unit
        self.digits = self.significant(value)

    def significant(self, change: Decimal) -> int:
        """How many significant digits the same would be of a change that the number makes. None of a zero."""
        if not change:
            return 0
        return _OF_AN_EXACT_NUMBER if self.exponent is None else max(0, change.adjusted() - self.exponent + 1)


def power_of_ten(exponent: int) -> Decimal:
    return Decimal((0, (1,), exponent))


def is_same(a: Decimal, b: Decimal) -> bool:
    """Equal but for the last digits that the precision cuts off."""
    return abs(a - b) <= abs(a).scaleb(-40)


@lru_cache(maxsize=50_000)
def read_written(text: str) -> Written:
    """The number in `text` with the place of its last digit. Raises ValueError where it is not a number."""
    text = check_number(text)
    if "/" in text:
        with precision(_RATIO_DIGITS):
            return Written(number_of(read_number(text)), None)
    value = Decimal(text)
    exponent = int(value.as_tuple().exponent)
    return Written(value, exponent if value else min(exponent, 0))  # 0e9 is no less precise than 0
