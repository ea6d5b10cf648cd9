"""How many digits an answer must have: so many significant ones, or so many decimals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tutor.arithmetic.digits import MOST_DEMANDED
from tutor.errors import counted
from tutor.homework.written import WITHIN, Written, power_of_ten


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

    def met(self, written: Written, value: Decimal, truth: Decimal) -> bool:
        """Whether a number close enough to the truth has digits enough too; fewer where those left off are zeros.

        `value` and `truth` are the numbers judged: of an updated weight, the changes.
        """
        if not value or not truth:
            return value == truth
        if self.decimals is not None:
            enough = written.exponent is None or -written.exponent >= self.decimals
            enough = enough or written.digits >= MOST_DEMANDED
        else:
            enough = written.significant(value) >= (self.significant or 1)
        return enough or self.satisfied(value, truth)

    def satisfied(self, value: Decimal, truth: Decimal) -> bool:
        """Whether the value is right to the unit demanded, however many digits it has."""
        return bool(value) == bool(truth) and abs(value - truth) <= WITHIN * self.unit(truth)


DEFAULT = Demand()
