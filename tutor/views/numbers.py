"""How a number is written: rounded once, half to even, from its exact value."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

from tutor.numbers.digits import exponent_of, round_to, shifted
from tutor.numbers.exact import as_fraction

FEWEST_SIGNIFICANT = 3
_SCIENTIFIC_BELOW = Fraction(1, 10**7)
_SCIENTIFIC_FROM = Fraction(10**15)


def finite_decimals(value: Fraction, most: int) -> int | None:
    """How many decimals write the value exactly, None where that takes more than `most`."""
    rest = value.denominator
    twos = (rest & -rest).bit_length() - 1
    if twos > most:
        return None
    rest, fives = rest >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    decimals = max(twos, fives)
    return decimals if rest == 1 and decimals <= most else None


def fixed(value: Fraction, decimals: int) -> str:
    """The value with exactly so many decimals, rounded half to even, never `-0.000`."""
    whole = round(shifted(value, decimals))
    digits = str(abs(whole)).rjust(decimals + 1, "0")
    text = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals > 0 else digits + "0" * -decimals
    return f"-{text}" if whole < 0 else text


def is_scientific(value: Fraction) -> bool:
    """Whether the value is so small or so large that it is written with a power of ten."""
    return value != 0 and not _SCIENTIFIC_BELOW <= abs(value) < _SCIENTIFIC_FROM


def scientific(value: Fraction, significant: int) -> str:
    """The value as d.dde-n."""
    power = exponent_of(value)
    mantissa = round_to(shifted(value, -power), significant - 1)
    if abs(mantissa) >= 10:
        mantissa, power = mantissa / 10, power + 1
    return f"{fixed(mantissa, significant - 1)}e{power:+03d}"


def decimals_for(value: Fraction, digits: int, significant: int = FEWEST_SIGNIFICANT) -> int:
    """So many decimals that a small value still has its significant digits."""
    return digits if value == 0 else max(digits, significant - 1 - exponent_of(value))


def shown(value: Any, digits: int, before: Any = None, significant: int = FEWEST_SIGNIFICANT) -> str:
    """The value for a reader: `digits` decimals, more where fewer than `significant` digits would be left.

    A value that is exact in so few digits is written without padding (0.1, 1.94). Where `before` is given, the
    quantity replaces another and has enough decimals to show how it changed.
    """
    exact = as_fraction(value)
    if is_scientific(exact):
        return scientific(exact, max(significant, digits))
    decimals = decimals_for(exact, digits, significant)
    if before is not None and (change := exact - as_fraction(before)) and abs(change) >= _SCIENTIFIC_BELOW:
        decimals = max(decimals, decimals_for(change, digits))
    plain = finite_decimals(exact, decimals)
    return fixed(exact, decimals if plain is None else plain)


def as_written(value: Fraction, digits: int) -> str:
    """A number that has been rounded already, with all its digits."""
    decimals = finite_decimals(value, 400)
    if value and (abs(value) < _SCIENTIFIC_BELOW or decimals is None):
        return scientific(value, max(FEWEST_SIGNIFICANT, digits))
    return fixed(value, decimals or 0)


def full(value: Any, significant: int = 30) -> str:
    """The value for a program: every digit of a short decimal, else `significant` digits."""
    exact = as_fraction(value)
    if exact == 0:
        return "0"
    plain = finite_decimals(exact, significant)
    if plain is not None and abs(exact) < Fraction(10) ** significant:
        return fixed(exact, plain)
    number = Decimal(exact.numerator)
    context = Context(prec=significant, rounding=ROUND_HALF_EVEN, Emin=-999_999_999, Emax=999_999_999)
    return format(context.divide(number, Decimal(exact.denominator)), "")
