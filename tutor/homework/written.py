"""A number as somebody wrote it: its digits say how precise it means to be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from tutor.arithmetic.exact import read_number


@dataclass(frozen=True, slots=True)
class Written:
    """`unit` is one unit of the last digit written (u in the rules of marking), None for an exact fraction."""

    text: str
    value: Fraction
    unit: Fraction | None

    def significant(self, change: Fraction | None = None) -> int:
        """How many significant digits were written, of the number or of a `change` that it makes. None of a zero."""
        size = abs(self.value if change is None else change)
        if self.unit is None or size == 0:
            return 0 if size == 0 else 1_000
        return max(0, len(str(int(size / self.unit))))

    @property
    def decimals(self) -> int:
        """The decimals written; negative where the last digit stands for tens or more."""
        unit = self.unit or Fraction(1)
        return len(str(unit.denominator)) - 1 if unit < 1 else 1 - len(str(unit.numerator))


def read_written(text: str) -> Written:
    """The number in `text` with the place of its last digit. Raises ValueError where it is not a number."""
    value = read_number(text)
    if "/" in text:
        return Written(text, value, None)
    digits, _, exponent = text.strip().lower().partition("e")
    decimals = len(re.sub(r"^[^.]*\.?", "", digits)) if "." in digits else 0
    return Written(text, value, Fraction(10) ** (int(exponent or 0) - decimals))
