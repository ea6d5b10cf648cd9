"""Exact arithmetic: fractions as long as a value is rational, then more correct digits than anyone will read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import Any

from tutor.maths.number_system import FUNCTIONS
from tutor.numbers.budget import A_WORKSHEET, Budget

Number = Any  # Fraction | mpmath.mpf; mpmath has no types

LARGEST_EXPONENT = 300
MOST_DIGITS = 400
FARTHEST = 10_000
_FARTHEST_EXPONENT = 100_000  # bits; beyond that a value cannot be turned into digits in reasonable time
_WIDEST_FRACTION = 20_000  # bits; beyond that a fraction costs more than it tells
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_RATIO = re.compile(r"([+-]?[0-9]+)\s*/\s*([0-9]+)")


def read_number(text: str) -> Fraction:
    """The number that `text` writes, exactly: `-0.2`, `.5`, `1.2e-3` or `3/7`, ASCII digits only.

    Raises ValueError, with a reason for the person who wrote it, for anything else and for absurd sizes.
    """
    above, _, below = check_number(text).partition("/")
    return Fraction(int(above), int(below)) if below else Fraction(above)


def check_number(text: str) -> str:
    """The text without spaces around it and with a plain minus. Raises ValueError where it writes no number."""
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number with more than {MOST_DIGITS} characters")
    if decimal := _DECIMAL.fullmatch(text):
        exponent = decimal[1] or "0"
        if len(exponent) > 6 or abs(int(exponent)) > LARGEST_EXPONENT:
            raise ValueError(f"the exponent of {text} is beyond ±{LARGEST_EXPONENT}")
        return text
    ratio = _RATIO.fullmatch(text)
    if not ratio:
        raise ValueError(f"{text!r} is not a number{comma_hint(text)}")
    if int(ratio[2]) == 0:
        raise ValueError(f"{text} divides by zero")
    return text


def is_number(text: str) -> bool:
    """Whether `read_number` reads it."""
    try:
        check_number(text)
    except ValueError:
        return False
    return True


def comma_hint(text: str) -> str:
    """What to do about a decimal comma in the text; empty where there is none."""
    found = re.search(r"(?<![0-9.,])([0-9]+),([0-9]+)(?![0-9.,])", text)
    return f"; numbers have a decimal point: {found[1]}.{found[2]}" if found else ""


class LogarithmOfZero(ValueError):
    """log 0 has no value; 0·log 0 is 0 by convention, the limit of x·log x: what cannot happen costs nothing."""


@lru_cache(maxsize=64)
def _context(digits: int) -> Any:
    """The functions of mpmath to so many digits, which take longer to make than most formulas to work."""
    from mpmath import MPContext

    context = MPContext()
    context.dps = digits
    context.pretty = False
    return context


@lru_cache(maxsize=64)
def _power_of_ten(digits: int, power: int) -> Any:
    """10^power as a number of so many digits."""
    return _context(digits).mpf(10) ** power


class ExactSystem:
    """Arithmetic in which rational values stay rational and others carry `digits` significant digits.

    `compared` collects the inexact numbers on whose sign something hung: which case holds, or whether there is a value.
    Raises ZeroDivisionError and ValueError (with a reason) where a value does not exist, and TooMuchComputing where the
    `budget` is spent.
    """

    def __init__(self, digits: int, budget: Budget | None = None) -> None:
        from mpmath.libmp import from_rational, mpf_shift

        self.digits = digits
        self.compared: list[Number] = []
        self._mp = _context(digits)
        self._bits: int = self._mp.prec  # which mpmath works out whenever it is asked
        self.budget = budget or Budget(A_WORKSHEET)
        self._from_rational, self._shifted = from_rational, mpf_shift

    def inexact(self, value: Number) -> Number:
        """The value in floating point of this system's precision."""
        if type(value) is Fraction:
            below = value.denominator
            twos = (below & -below).bit_length() - 1  # which mpmath would take off byte by byte
            raw = self._from_rational(value.numerator, below >> twos, self._bits)
            return self._mp.make_mpf(self._shifted(raw, -twos))
        return value

    @property
    def pi(self) -> Number:
        return +self._mp.pi

    def plain(self, value: Number) -> Number:
        """The number that a value of this system is to others."""
        return value

    def bounded(self, value: Number) -> Number:
        """The value itself, except that an unwieldy fraction becomes inexact."""
        if type(value) is Fraction:
            size = value.numerator.bit_length() + value.denominator.bit_length()
            return self.inexact(value) if size > _WIDEST_FRACTION else value
        _, mantissa, exponent, size = value._mpf_
        if not self._mp.isfinite(value) or (mantissa and abs(exponent + size) > _FARTHEST_EXPONENT):
            raise ValueError("is too large or too small to be written down")
        return value

    def charge(self, value: Number) -> None:
        """Spends what it takes to read or make the value."""
        rational = type(value) is Fraction
        self.budget.spend(value.numerator.bit_length() + value.denominator.bit_length() if rational else self._bits)

    def add(self, terms: Iterable[Number]) -> Number:
        rational: Fraction | None = None
        rest: Number = None
        for term in terms:
            if type(term) is Fraction:
                term = term if rational is None else self.bounded(rational + term)
                rational = term if type(term) is Fraction else None
            if type(term) is not Fraction:
                rest = term if rest is None else rest + term
        if rest is None:
            return Fraction(0) if rational is None else rational
        return rest + self.inexact(rational) if rational else rest

    def multiply(self, factors: Iterable[Number]) -> Number:
        rational: Fraction | None = None
        rest: Number = None
        for factor in factors:
            if type(factor) is Fraction:
                factor = factor if rational is None else self.bounded(rational * factor)
                rational = factor if type(factor) is Fraction else None
            if type(factor) is not Fraction:
                rest = factor if rest is None else rest * factor
        if rest is None:
            return Fraction(1) if rational is None else rational
        if rational is None or rational == 1:
            return rest
        return rest * self.inexact(rational) if rational else rational

    def power(self, base: Number, exponent: Number) -> Number:
        if type(exponent) is Fraction:
            if exponent.denominator == 1:
                return self._integer_power(base, int(exponent))
            if exponent == Fraction(1, 2) and type(base) is Fraction and base >= 0:
                roots = isqrt(base.numerator), isqrt(base.denominator)
                if roots[0] ** 2 == base.numerator and roots[1] ** 2 == base.denominator:
                    return Fraction(*roots)
        if self._sign(base) < 0:
            raise ValueError("takes a root of a negative number")
        if base == 0:
            if exponent < 0:
                raise ZeroDivisionError
            return Fraction(0)
        return self.bounded(self._function(self.inexact(base).__pow__, exponent))

    def _integer_power(self, base: Number, exponent: int) -> Number:
        if exponent < 0 and not self._sign(base):
            raise ZeroDivisionError
        if type(base) is Fraction:
            size = (base.numerator.bit_length() + base.denominator.bit_length()) * abs(exponent)
            if size <= _WIDEST_FRACTION:
                return Fraction(base**exponent)
            base = self.inexact(base)
        if abs(exponent) > 10**9:
            raise ValueError("has an exponent beyond a thousand million")
        return self.bounded(base**exponent)

    def _function(self, function: Callable[[Number], Number], z: Number) -> Number:
        """The value of what takes a series to compute."""
        self.budget.spend_on_function(self._bits)
        return function(self.inexact(z))

    def apply(self, name: str, z: Number) -> Number:
        """The function of that name in the table."""
        entry = FUNCTIONS[name]
        if entry.of_positive:
            sign = self._sign(z)
            if sign == 0:
                raise LogarithmOfZero("takes the logarithm of 0")
            if sign < 0:
                raise ValueError(f"takes the {entry.title} of a negative number")
        rational = entry.rational(z) if type(z) is Fraction else None  # only a fraction is known to be 0 or 1
        if rational is not None:
            return Fraction(rational)
        return self._function(getattr(self._mp, name), z if entry.of_positive else _within_reach(z, name))

    def is_positive(self, z: Number) -> bool:
        if type(z) is not Fraction:
            self.compared.append(z)
        return bool(z > 0)

    def _sign(self, z: Number) -> int:
        """1, 0 or -1; only 1 is what everybody expects of it."""
        if z > 0:
            return 1
        if type(z) is not Fraction:
            self.compared.append(z)
        return -1 if z < 0 else 0

    def settled(self, rough: Number, fine: Number, digits: int) -> bool:
        """Whether two evaluations of one quantity agree to `digits` significant digits.

        A zero that did not come out of fractions is never settled: it may be a difference of near equals.
        """
        if type(fine) is Fraction and type(rough) is Fraction:
            return fine == rough
        if fine == 0:
            return False
        fine = self.inexact(fine)
        apart = self.inexact(rough) - fine
        _, mantissa, exponent, size = apart._mpf_
        _, _, place, length = fine._mpf_
        if not mantissa or exponent + size + digits * 10 // 3 + 2 <= place + length:  # the powers of two say so already
            return bool(self._mp.isfinite(apart))
        return bool(abs(apart) <= abs(fine) * _power_of_ten(self.digits, -digits))


def _within_reach(z: Number, function: str) -> Number:
    """z itself. Further out the slope of a sigmoid has more zeros than there are digits to find them with; exp(-z²) is
    asked for beside numbers that it changes nothing in."""
    if abs(z) > FARTHEST and not (function == "exp" and -(FARTHEST**2) <= z < 0):
        raise ValueError(f"takes {function} of a number beyond ±{FARTHEST:,}")
    return z


def as_fraction(value: Number) -> Fraction:
    """The value as a fraction, without any loss: an mpmath number is a whole number times a power of two."""
    if type(value) is Fraction:
        return value
    if isinstance(value, Decimal):
        return Fraction(value)
    sign, mantissa, exponent, _ = value._mpf_
    whole, power = int(-mantissa if sign else mantissa), int(exponent)
    return Fraction(whole << power) if power >= 0 else Fraction(whole, 1 << -power)


class ComplexSystem(ExactSystem):
    """The same functions over complex numbers, for derivatives by a step in the imaginary direction.

    f(x + ih) = f(x) + ih·f'(x) + …, so Im f(x + ih)/h is the derivative, without any difference that could cancel.
    Source: Squire and Trapp 1998.
    """

    def above(self, value: Fraction, height: Fraction) -> Number:
        """value + i·height"""
        return self._mp.mpc(self.inexact(value), self.inexact(height))

    def height(self, value: Number) -> Fraction:
        """The imaginary part, as a fraction."""
        return Fraction(0) if type(value) is Fraction else as_fraction(self._mp.mpc(value).imag)

    def bounded(self, value: Number) -> Number:
        return super().bounded(value) if type(value) is Fraction else value

    def is_positive(self, z: Number) -> bool:
        return bool((z if type(z) is Fraction else self._mp.mpc(z).real) > 0)

    def power(self, base: Number, exponent: Number) -> Number:
        if type(base) is Fraction and type(exponent) is Fraction:
            return super().power(base, exponent)
        whole = type(exponent) is Fraction and exponent.denominator == 1
        return self.inexact(base) ** int(exponent) if whole else self._function(self.inexact(base).__pow__, exponent)

    def apply(self, name: str, z: Number) -> Number:
        if FUNCTIONS[name].of_positive and z == 0:
            raise LogarithmOfZero("takes the logarithm of 0")
        return self._function(getattr(self._mp, name), z)
