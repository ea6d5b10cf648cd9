"""The key of a worksheet as somebody would write it: each value with the digits that are demanded of it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tutor.formulas.parse import LARGEST_POWER
from tutor.numbers.digits import MOST_DEMANDED, change_of, exponent_of
from tutor.numbers.exact import LARGEST_EXPONENT, as_fraction
from tutor.views.numbers import FEWEST_SIGNIFICANT, finite_decimals, fixed, is_scientific, scientific
from tutor.worksheet.step import Worksheet

DIGITS = 6


def key_answers(worksheet: Worksheet, demands: Mapping[str, tuple[int | None, int | None]]) -> dict[str, str]:
    """The value of every step as text. `demands` has the decimals or the significant digits that are asked for.

    An updated weight is written so that its change has at least three significant digits.
    """
    found = {}
    for step in worksheet.steps:
        value, before = as_fraction(worksheet.values[step.name]), step.before if step.stage == "update" else None
        old = as_fraction(worksheet.values[before]) if before else Fraction(0)
        found[step.name] = _written(value, change_of(value, old), *demands.get(step.name, (None, None)))
    return found


def _written(value: Fraction, change: Fraction, decimals: int | None, significant: int | None) -> str:
    if not value:
        return fixed(value, decimals or 0)
    size, is_short = exponent_of(value), is_scientific(value)
    lasts = [size - DIGITS + 1 if is_short else -DIGITS, size - FEWEST_SIGNIFICANT + 1]
    lasts.append(exponent_of(change or value) - max(FEWEST_SIGNIFICANT, significant or 0) + 1)
    if decimals is not None:
        lasts.append(max(-decimals, size - MOST_DEMANDED + 1))
    last = min(lasts)
    if is_short:
        return _with_short_exponents(scientific(value, size - last + 1))
    least = decimals or 0
    if significant is not None:
        least = max(least, significant - 1 - exponent_of(change or value))
    plain = finite_decimals(value, max(0, -last))
    return fixed(value, max(0, -last) if plain is None else max(plain, least))


def _with_short_exponents(text: str) -> str:
    """The number; as a product of powers of ten where its exponent is larger than a number may have."""
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    if abs(power) <= LARGEST_EXPONENT:
        return text
    sign, whole = "-" if power < 0 else "", abs(power)
    powers = [LARGEST_POWER] * (whole // LARGEST_POWER) + [whole % LARGEST_POWER]
    return " * ".join([mantissa, *(f"10**{sign}{part}" for part in powers if part)])
