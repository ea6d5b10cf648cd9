"""A number as somebody wrote it: its digits say how precise it means to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from tutor.arithmetic.decimals import number_of, precision
from tutor.arithmetic.exact import read_number

WITHIN = Decimal("0.51")
"""How much of a unit an answer may be off: half of one, and a little for a tie."""
_RATIO_DIGITS = 400


@dataclass(frozen=True, slots=True)
class Written:
    """`exponent` is the power of ten of the last digit written; None for what is exact, a fraction or a formula.

    `unit` is one unit of the last digit, u in the rules of marking (0 of what is exact), `half` what an answer may be
    off.
    """

    value: Decimal
    exponent: int | None
    unit: Decimal = field(init=False)
    half: Decimal = field(init=False)

    def __post_init__(self) -> None:
        unit = Decimal(0) if self.exponent is None else power_of_ten(self.exponent)
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "half", WITHIN * unit)

    def significant(self, change: Decimal | None = None) -> int:
        """How many significant digits were written, of the number or of a `change` that it makes. None of a zero."""
        size = self.value if change is None else change
        if not size:
            return 0
        return 1_000 if self.exponent is None else max(0, size.adjusted() - self.exponent + 1)


def power_of_ten(exponent: int) -> Decimal:
    return Decimal((0, (1,), exponent))


def is_same(a: Decimal, b: Decimal) -> bool:
    """Equal but for the last digits that the precision cuts off."""
    return abs(a - b) <= abs(a).scaleb(-40)


@lru_cache(maxsize=50_000)
def read_written(text: str) -> Written:
    """The number in `text` with the place of its last digit. Raises ValueError where it is not a number."""
    exact = read_number(text)
    if "/" in text:
        with precision(_RATIO_DIGITS):
            return Written(number_of(exact), None)
    value = Decimal(text.strip().replace("\N{MINUS SIGN}", "-"))
    exponent = int(value.as_tuple().exponent)
    return Written(value, exponent if value else min(exponent, 0))  # 0e9 is no less precise than 0
