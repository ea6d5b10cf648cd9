"""The digits of an exact value: where they begin, where it is rounded, how many show a change, all of them."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from fractions import Fraction
from math import floor, log10
from typing import Any

from tutor.numbers.exact import LARGEST_EXPONENT

MOST_DEMANDED = 30
"""Nobody is asked for more significant digits; a number that has them has enough."""

_ALL_DIGITS = Context(prec=1_500, traps=[Inexact])


def exponent_of(value: Fraction) -> int:
    """The power of ten of the first significant digit: 0 for 3.2, -2 for 0.05. The value is not 0."""
    above, below = abs(value.numerator), value.denominator
    guess = floor((above.bit_length() - below.bit_length()) * log10(2))
    while _reaches(above, below, guess + 1):
        guess += 1
    while not _reaches(above, below, guess):
        guess -= 1
    return guess


def _reaches(above: int, below: int, power: int) -> bool:
    """Whether above/below is 10^power or more."""
    tens: int = 10 ** abs(power)
    return above >= below * tens if power >= 0 else above * tens >= below


def shifted(value: Fraction, decimals: int) -> Fraction:
    """value·10^decimals"""
    tens: int = 10 ** abs(decimals)
    return value * tens if decimals >= 0 else value / tens


def round_to(value: Fraction, decimals: int) -> Fraction:
    """The value rounded to so many decimals, half to even."""
    return shifted(Fraction(round(shifted(value, decimals))), -decimals)


_TINY = {Fraction: Fraction(1, 10**LARGEST_EXPONENT), Decimal: Decimal(1).scaleb(-LARGEST_EXPONENT)}


def change_of(value: Any, before: Any) -> Any:
    """By how much the value differs from an earlier one; the value itself where nothing changes that could be written
    down. Fractions or decimals."""
    change = value - before
    return change if abs(change) > abs(before) * _TINY[type(before)] else value


def exactly(value: Fraction) -> str:
    """The number as somebody writes it and `read_number` takes it back: `0.25`, or `1/3` where no decimal ends."""
    try:
        number = _ALL_DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize(_ALL_DIGITS)
    except Inexact:
        return f"{value.numerator}/{value.denominator}"
    return f"{number:f}" if -12 <= number.adjusted() <= 18 else str(number).replace("E+", "e").lower()
