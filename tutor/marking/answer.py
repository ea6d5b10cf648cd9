"""An answer as it stands on a sheet, and the digits that are demanded of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import inf, isfinite
from struct import pack, unpack

from tutor.errors import counted
from tutor.numbers.decimals import number_of, precision
from tutor.numbers.digits import MOST_DEMANDED
from tutor.numbers.exact import check_number, read_number

WITHIN = Decimal("0.51")
"""How much of a unit an answer may be off: half of one, and a little for a tie."""
_RATIO_DIGITS = 400
_OF_AN_EXACT_NUMBER = 1_000  # digits
_FEWEST_OF_A_SINGLE, _FEWEST_OF_A_DOUBLE, _MOST_OF_A_DOUBLE = 11, 15, 17  # digits when it is printed as a double
DOUBLE, SINGLE = 2.0**-53, 2.0**-24


class WrittenNumber:
    """`exponent` is the power of ten of the last digit written; None for what is exact, a fraction or a formula.

    `unit` is one unit of the last digit, u in the rules of marking (0 of what is exact), `half` what an answer may be
    off, `digits` how many significant ones were written, and `grain` how far, in parts of itself, a machine that
    computed it rounds: 0 where nothing shows that one did. Not to be changed.
    """

    __slots__ = ("digits", "exponent", "grain", "half", "unit", "value")

    def __init__(self, value: Decimal, exponent: int | None, grain: float = 0.0) -> None:
        self.value, self.exponent, self.grain = value, exponent, grain
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


def ends_within(value: Decimal, unit: Decimal) -> bool:
    """Whether the value has no digit beyond this unit, so that nothing was rounded there; of one with more digits than
    are worked with, nobody knows."""
    try:
        return value % unit == 0
    except InvalidOperation:
        return False


def is_same(a: Decimal, b: Decimal) -> bool:
    """Equal but for the last digits that the precision cuts off."""
    return abs(a - b) <= abs(a).scaleb(-40)


@lru_cache(maxsize=50_000)
def read_written(text: str) -> WrittenNumber:
    """The number in `text` with the place of its last digit. Raises ValueError where it is not a number."""
    text = check_number(text)
    if "/" in text:
        with precision(_RATIO_DIGITS):
            return WrittenNumber(number_of(read_number(text)), None)
    value = Decimal(text)
    exponent = int(value.as_tuple().exponent)
    return WrittenNumber(value, exponent if value else min(exponent, 0), _grain(value))  # 0e9 is no less precise than 0


def _grain(value: Decimal) -> float:
    """That of double precision for a number with the 15 to 17 digits of one, or written out further as it is; that of
    single precision where a double is one, as only every 500 millionth is by chance."""
    nearest, digits = float(value), count_digits(value)
    if digits < _FEWEST_OF_A_SINGLE or not nearest or not isfinite(nearest):
        return 0.0
    if digits > _MOST_OF_A_DOUBLE and abs(Decimal(nearest) - value) > power_of_ten(int(value.as_tuple().exponent)):
        return 0.0
    if as_single(nearest) == nearest:
        return SINGLE
    return DOUBLE if digits >= _FEWEST_OF_A_DOUBLE else 0.0


def count_digits(value: Decimal) -> int:
    """The significant digits without zeros at the end: 4320001.0000 shows nothing of how it was computed."""
    return len("".join(map(str, value.as_tuple().digits)).rstrip("0"))


def as_single(number: float) -> float:
    """The nearest number in single precision; infinite where it is too large."""
    try:
        single: float = unpack("f", pack("f", number))[0]
    except OverflowError:
        return inf
    return single


@dataclass(frozen=True, slots=True)
class Demand:
    """`decimals` or `significant` digits; by default two significant ones, or all of a value that has fewer."""

    significant: int | None = 2
    decimals: int | None = None
    asked: bool = False

    def __str__(self) -> str:
        if self.decimals is not None:
            return counted(self.decimals, "decimal")
        return counted(self.significant or 0, "significant digit")

    def unit(self, truth: Decimal) -> Decimal:
        """One unit of the last digit demanded of this value."""
        if self.decimals is not None:
            return power_of_ten(max(-self.decimals, truth.adjusted() - MOST_DEMANDED + 1))
        return power_of_ten(truth.adjusted() - (self.significant or 1) + 1) if truth else Decimal(0)

    def met(self, written: WrittenNumber, value: Decimal, truth: Decimal, expected: Callable[[], Decimal]) -> bool:
        """Whether a number close enough to the truth has digits enough too; fewer where those left off are zeros.

        `value` and `truth` are the numbers judged: of an updated weight, the changes. `expected` is one unit of the
        last digit that its writer has elsewhere, 0 where nothing shows it.
        """
        if not value or not truth:
            return value == truth
        if self.decimals is not None:
            enough = written.exponent is None or -written.exponent >= self.decimals
            enough = enough or written.digits >= MOST_DEMANDED
        else:
            enough = written.significant(value) >= (self.significant or 1)
        return enough or self._ends_in_zeros(value, truth, expected())

    def _ends_in_zeros(self, value: Decimal, truth: Decimal, expected: Decimal) -> bool:
        """Whether the digits that are missing are zeros, as a spreadsheet leaves them off, up to the last one that its
        writer has elsewhere, where that is beyond those demanded: a single digit alone is right too easily."""
        shown = value.adjusted() - expected.adjusted() + 1 if expected else 0
        if self.asked or self.decimals is not None or shown < (self.significant or 1):
            return self.satisfied(value, truth)
        return abs(value - truth) <= WITHIN * expected

    def satisfied(self, value: Decimal, truth: Decimal) -> bool:
        """Whether the value is right to the unit demanded, however many digits it has."""
        return bool(value) == bool(truth) and abs(value - truth) <= WITHIN * self.unit(truth)


DEFAULT = Demand()
