"""Decimal arithmetic with many digits: nearly as exact as fractions, and fast enough to mark thousands of sheets.

Python's decimal module is exact in what it says: every operation is correctly rounded to the digits of the context,
the same on every machine. Raises ValueError or an ArithmeticError where a value does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal, getcontext, localcontext
from functools import cache, lru_cache

from tutor.maths.number_system import FUNCTIONS as TABLE
from tutor.numbers.exact import Number, as_fraction

FUNCTIONS = (*TABLE, "sqrt", "power", "rounded", "snapped")
_SNAPPED = 6  # digits; a sum smaller than its terms by all but so many is taken as 0
_SHORT, _SPARE = 20, 5  # digits
_ONE = Decimal(1)
_FARTHEST = 1_000_000  # beyond that a decimal has no exponent for e^z


@contextmanager
def precision(digits: int) -> Iterator[Context]:
    """Decimals of so many significant digits, and exponents as far as they reach."""
    with localcontext() as context:
        context.prec = digits
        yield context


def number_of(value: Number) -> Decimal:
    """The value with the digits of the context."""
    exact = as_fraction(value)
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def exp(z: Decimal) -> Decimal:
    """e^z; of a number as short as people write them the product of what its digits give, which is much less work."""
    digits = getcontext().prec
    sign, figures, last = _within_reach(z).as_tuple()
    if len(figures) > min(_SHORT, digits // 2):
        return z.exp()
    wider = _wider(digits + _SPARE)
    product, place = _ONE, int(last)
    for figure in reversed(figures):
        if figure:
            product = wider.multiply(product, _exp_of_digit(sign, figure, place, wider.prec))
        place += 1
    return +product


@lru_cache(maxsize=2_000)
def _exp_of_digit(sign: int, figure: int, place: int, digits: int) -> Decimal:
    return Decimal((sign, (figure,), place)).exp(_wider(digits))


@cache
def _wider(digits: int) -> Context:
    return Context(prec=digits)


def log(z: Decimal) -> Decimal:
    if z <= 0:
        raise ValueError("takes the logarithm of 0 or of a negative number")
    return z.ln()


def tanh(z: Decimal) -> Decimal:
    """(e^2z - 1)/(e^2z + 1), with as many digits more as the difference eats."""
    if not z:
        return z
    with localcontext() as context:
        context.prec += max(0, -z.adjusted()) + 3
        square = exp(2 * z)
        ratio = (square - 1) / (square + 1)
    return +ratio


def sin(z: Decimal) -> Decimal:
    return _turn(z)[0]


def cos(z: Decimal) -> Decimal:
    return _turn(z)[1]


def _turn(z: Decimal) -> tuple[Decimal, Decimal]:
    """sin z and cos z: the series of z/2^k, doubled k times by sin 2x = 2 sin x cos x and cos 2x = 1 - 2 sin² x."""
    with localcontext() as context:
        halvings = max(0, 4 * (_within_reach(z).adjusted() + 2))
        context.prec += halvings + 5
        x = z / 2**halvings
        term, sine, n = x, x, 1
        while term.adjusted() > sine.adjusted() - context.prec and term:
            n += 2
            term *= -x * x / (n * (n - 1))
            sine += term
        cosine = (1 - sine * sine).sqrt()
        for _ in range(halvings):
            sine, cosine = 2 * sine * cosine, 1 - 2 * sine * sine
    return +sine, +cosine


def sqrt(z: Decimal) -> Decimal:
    return z.sqrt()


def power(base: Decimal, exponent: Decimal) -> Decimal:
    return Decimal(base) ** exponent


def snapped(terms: Sequence[Decimal | int]) -> Decimal:
    """The sum; 0 where it is so much smaller than its terms that only what was rounded off can be left of it."""
    total = Decimal(0)
    for term in terms:
        total += term
    largest = max((Decimal(term).adjusted() for term in terms if term), default=0)
    return Decimal(0) if total and total.adjusted() < largest - getcontext().prec + _SNAPPED else total


def rounded(z: Decimal, unit: Decimal) -> Decimal:
    """z rounded to a multiple of the unit, half to even. Raises ArithmeticError where nothing would be left of it:
    nobody goes on with 0 for exp(-3)."""
    found = z.quantize(unit)
    if z and not found:
        raise ArithmeticError("rounds to 0")
    return found


def _within_reach(z: Decimal) -> Decimal:
    if abs(z) > _FARTHEST:
        raise ValueError(f"takes a function of a number beyond ±{_FARTHEST:,}")
    return z


def _by_mpmath(name: str) -> Callable[[Decimal], Decimal]:
    """The function as mpmath has it, with as many digits as the context, and a few more on the way."""

    def function(z: Decimal) -> Decimal:
        from mpmath import MPContext

        context = MPContext()
        context.dps = getcontext().prec + _SPARE
        return number_of(getattr(context, name)(context.mpf(str(_within_reach(z)))))

    return function


globals().update({name: _by_mpmath(name) for name in TABLE if name not in globals()})
