"""exp, log and tanh of a single number: the operations of `reproducible_arrays` in the same order, and so the same
bits."""

from __future__ import annotations

import math
import sys
from functools import cache
from typing import Any

from tutor.maths.number_system import FUNCTIONS, completed
from tutor.numbers.reproducible_tables import (
    LARGEST,
    LN2_HIGH,
    LN2_LOW,
    NORMAL,
    PER_STEP,
    ROOT_HALF,
    SERIES,
    SHIFT,
    SMALLEST,
    STEP_HIGH,
    STEP_LOW,
    STEPS,
    TANH_NEAR,
    TANH_ONE,
    TANH_SERIES,
    powers_of_two,
    tanh_table,
)

_MOST_POWERS = 100_000
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8, _L9, _L10, _L11 = SERIES
_T0, _T1, _T2, _T3, _T4, _T5, _T6, _T7 = TANH_SERIES


@cache
def _pairs() -> list[tuple[float, float]]:
    return list(zip(*powers_of_two(), strict=True))


_POWERS: dict[float, tuple[float, float]] = {}
"""2^(k/512) as h·(1 + l) for every whole k that was asked for: a look-up by the float k needs no integer."""


def exp(x: float) -> float:
    """e^x; infinity where it is too large for a float, 0 where it is too small."""
    k = x * PER_STEP + SHIFT - SHIFT
    try:
        h, low = _POWERS[k]
    except KeyError:
        return _exp_by_a_new_power(x, k)
    r = x - k * STEP_HIGH - k * STEP_LOW
    return h + h * (low + (r + r) / (2.0 - r + r * r / 6.0))


def _exp_by_a_new_power(x: float, k: float) -> float:
    if x != x:
        return x
    if x > LARGEST:
        return math.inf
    if x < SMALLEST:
        return 0.0
    if x < NORMAL:
        return exp(x + 64.0 * LN2_HIGH + 64.0 * LN2_LOW) * 2.0**-64
    turns, place = divmod(int(k), STEPS)
    h, low = _pairs()[place]
    if -950 < turns < 1024:  # below, h·l is no longer exact to the last place; above, h is no float
        if len(_POWERS) == _MOST_POWERS:
            _POWERS.clear()
        _POWERS[k] = math.ldexp(h, turns), low
        return exp(x)
    r = x - k * STEP_HIGH - k * STEP_LOW
    return math.ldexp(h + h * (low + (r + r) / (2.0 - r + r * r / 6.0)), turns)


def log(x: float) -> float:
    """ln x, -inf at 0 and NaN below."""
    if not 0.0 < x < math.inf:
        return -math.inf if x == 0.0 else x if x > 0.0 else math.nan
    mantissa, exponent = math.frexp(x)
    if mantissa < ROOT_HALF:
        mantissa += mantissa
        exponent -= 1
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    series = ((((((_L0 * z + _L1) * z + _L2) * z + _L3) * z + _L4) * z + _L5) * z + _L6) * z + _L7
    series = (((series * z + _L8) * z + _L9) * z + _L10) * z + _L11
    half = 0.5 * f * f
    return exponent * LN2_HIGH - ((half - (s * (half + z * series) + exponent * LN2_LOW)) - f)


_HYPERBOLICS: dict[float, tuple[float, float]] = {}
"""tanh(j/128) and its slope for every whole j, once one was asked for."""


def _new_hyperbolic(j: float) -> tuple[float, float]:
    _HYPERBOLICS.update((float(i), pair) for i, pair in enumerate(zip(*tanh_table(), strict=True)))
    return _HYPERBOLICS[j]


def tanh(x: float) -> float:
    """tanh x: its series near 0, else by the addition formula from a table."""
    size = abs(x)
    if size < TANH_NEAR:
        square = x * x
        series = (((_T0 * square + _T1) * square + _T2) * square + _T3) * square + _T4
        series = ((series * square + _T5) * square + _T6) * square + _T7
        return math.copysign(size + size * square * series, x)
    if not size < TANH_ONE:
        return x if x != x else math.copysign(1.0, x)
    j = size * 128.0 + SHIFT - SHIFT
    b = size - j * 0.0078125
    square = b * b
    series = (((_T0 * square + _T1) * square + _T2) * square + _T3) * square + _T4
    series = ((series * square + _T5) * square + _T6) * square + _T7
    t = b + b * square * series
    a, slope = _HYPERBOLICS.get(j) or _new_hyperbolic(j)
    return math.copysign(a + slope * t / (1.0 + a * t), x)


def sin(x: float) -> float:
    """sin x"""
    from tutor.numbers import reproducible_arrays

    return float(reproducible_arrays.sin(x))


def cos(x: float) -> float:
    """cos x"""
    from tutor.numbers import reproducible_arrays

    return float(reproducible_arrays.cos(x))


@completed(sys.modules[__name__])
class Reproducible:
    """What a formula calls, with the same bits on every machine.

    Raises ValueError for the logarithm of a negative number.
    """

    FUNCTIONS = (*FUNCTIONS, "sqrt", "log_one_plus_exp")
    pi = math.pi
    sqrt: Any = staticmethod(math.sqrt)

    @staticmethod
    def log(x: float) -> float:
        _check_logarithm(x)
        return log(x)

    @staticmethod
    def positive(z: float, then: float, otherwise: float) -> float:
        return then if z > 0.0 else otherwise


@completed(math)
class Fast(Reproducible):
    """The C library's functions, kept from overflow and from the logarithm of 0."""

    @staticmethod
    def exp(z: float) -> float:
        try:
            return math.exp(z)
        except OverflowError:
            return math.inf

    @staticmethod
    def log(x: float) -> float:
        _check_logarithm(x)
        return math.log(x) if x else -math.inf


class Fastest(Fast):
    """The C library's functions as they are: where they have a value it is the one of `Fast`, elsewhere they raise."""

    exp: Any = staticmethod(math.exp)


def _check_logarithm(x: float) -> None:
    if x < 0.0:
        raise ValueError("takes the logarithm of a negative number")
