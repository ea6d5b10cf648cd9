"""The worksheet of somebody who rounds every line before going on, to decimals or to significant digits."""

from __future__ import annotations

from fractions import Fraction

from tutor.errors import TutorError
from tutor.formulas.evaluate import value_of
from tutor.numbers.cancelling import CancellingSystem
from tutor.numbers.digits import exponent_of, round_to
from tutor.numbers.exact import as_fraction
from tutor.worksheet.step import Worksheet

_PRECISION, _FOUND_BELOW = 60, 40


def rounded_values(worksheet: Worksheet, digits: int, significant: bool) -> dict[str, Fraction]:
    """Every value when each line is rounded, half to even, and the next ones are worked out from what was written.

    Raises TutorError where a rounded line leaves the next one without a value.
    """
    system = CancellingSystem(_PRECISION, found_below=_FOUND_BELOW)
    found: dict[str, Fraction] = dict(worksheet.givens)
    for step in worksheet.steps:
        try:
            exact = as_fraction(system.plain(value_of(step.formula, found, system)))
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            reason = str(error) or "divides by zero"
            raise TutorError(f"with every line rounded, {step.name} {reason}; round to more digits") from None
        found[step.name] = _rounded(exact, digits, significant)
    return found


def _rounded(value: Fraction, digits: int, significant: bool) -> Fraction:
    if not significant:
        return round_to(value, digits)
    return round_to(value, digits - 1 - exponent_of(value)) if value else value
