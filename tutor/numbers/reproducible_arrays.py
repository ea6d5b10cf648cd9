"""exp, log, tanh, sin and cos of arrays from plain + - × ÷ in a fixed order: the same bits on every IEEE-754 machine.

NumPy's own functions, and the C library's, depend on the processor. Here every operation is one that IEEE-754 rounds
correctly, and every table is made from whole numbers or decimals, so nothing is left to the machine. The worst errors
are below one unit in the last place (tests hold them against mpmath).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import Any

import numpy as np

from tutor.numbers.reproducible_tables import (
    COSINE_SERIES,
    LARGEST,
    LN2_HIGH,
    LN2_LOW,
    NORMAL,
    PER_STEP,
    PI_OVER_2,
    ROOT_HALF,
    SERIES,
    SHIFT,
    SINE_SERIES,
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

Array = Any


def called(number: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Of a function that generated code calls as a whole, since what it does depends on the numbers in its array.

    An array that is still to come writes the call (see `tutor.training.matrix.code`). `number` says that it makes a
    single number of them.
    """

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def either(x: Any, *more: Any) -> Any:
            write = getattr(x, "call", None)
            return function(x, *more) if write is None else write(function, *more, number=number)

        return either

    return decorated


@cache
def _powers_of_two() -> tuple[Array, Array]:
    high, low = powers_of_two()
    return np.array(high), np.array(low)


def exp(x: Array) -> Array:
    """e^x. Source of the method: Tang 1989, table-driven, with a rational remainder."""
    if hasattr(x, "call"):
        result = _exp(x)
        _correct(x, result)
        return result
    x = np.asarray(x, dtype=np.float64)
    if not x.ndim:  # what NumPy makes of a single number cannot be changed in place
        return exp(x[None])[0]
    return _exp_with_edges(x) if _has_edges(x) else _exp(x)


def _exp(x: Array) -> Array:
    """From -708 to 709.78."""
    high, low = _powers_of_two()
    shifted = x * PER_STEP
    shifted += SHIFT
    k = shifted - SHIFT
    r = x - k * STEP_HIGH
    k *= STEP_LOW
    r -= k
    below = r * r
    below /= 6.0
    below += 2.0 - r
    r += r
    r /= below
    whole = shifted.view(np.int64)
    place = whole & (STEPS - 1)
    r += _take(low, place)
    result = _take(high, place)
    r *= result
    result += r
    whole >>= 9
    whole <<= 52  # the bits of the shift itself fall out at the top
    bits = result.view(np.int64)
    bits += whole
    return result


def _take(table: Array, indices: Array) -> Array:
    return indices.taken_from(table) if hasattr(indices, "taken_from") else table.take(indices)


def _has_edges(x: Array) -> bool:
    return bool(x.size and not np.maximum.reduce(np.abs(x), axis=None) <= -NORMAL)


@called(number=True)
def _correct(x: Array, result: Array) -> None:
    if _has_edges(x):
        result[...] = _exp_with_edges(x)


def _exp_with_edges(x: Array) -> Array:
    """The same where some results overflow, underflow or are no numbers at all."""
    result = _exp(np.clip(np.where(np.isnan(x), 0.0, x), NORMAL, LARGEST))
    small = (x < NORMAL) & (x >= SMALLEST)
    if small.any():
        result[small] = _exp(x[small] + 64.0 * LN2_HIGH + 64.0 * LN2_LOW) * 2.0**-64
    result = np.where(x > LARGEST, np.inf, np.where(x < SMALLEST, 0.0, result))
    return np.where(np.isnan(x), np.nan, result)


@called()
def log(x: Array) -> Array:
    """ln x, -inf at 0 and NaN below: x = m·2^k with m about 1, and the series of log in (m - 1)/(m + 1)."""
    x = np.asarray(x, dtype=np.float64)
    usual = (x > 0) & (x < np.inf)
    result = _log(np.where(usual, x, 1.0))
    if usual.all():
        return result
    return np.where(usual, result, np.where(x == 0, -np.inf, np.where(x > 0, np.inf, np.nan)))


def _log(x: Array) -> Array:
    """From the smallest number to the largest."""
    f, exponent = np.frexp(x)
    below = f < ROOT_HALF
    f += f * below
    f -= 1.0
    k = np.subtract(exponent, below, dtype=np.float64)
    s = f / (2.0 + f)
    z = s * s
    series = _polynomial(z, SERIES)
    series *= z
    half = 0.5 * f
    half *= f
    series += half
    series *= s
    series += k * LN2_LOW
    half -= series
    half -= f
    k *= LN2_HIGH
    k -= half
    return k


def _polynomial(z: Array, coefficients: Sequence[float]) -> Array:
    """The coefficient of the highest power of z comes first."""
    first, second, *others = coefficients
    result = z * first
    result += second
    for coefficient in others:
        result *= z
        result += coefficient
    return result


@cache
def _tanh_table() -> tuple[Array, Array]:
    values, slopes = tanh_table()
    return np.array(values), np.array(slopes)


@called()
def tanh(x: Array) -> Array:
    """tanh x: its series near 0, else tanh(a + b) = tanh a + (1 - tanh² a)·tanh b/(1 + tanh a·tanh b)."""
    x = np.asarray(x, dtype=np.float64)
    if not x.ndim:  # what NumPy makes of a single number cannot be changed in place
        return tanh(x[None])[0]
    values, slopes = _tanh_table()
    b = np.fmin(np.abs(x), TANH_ONE)
    a = b * 128.0
    a += SHIFT
    a -= SHIFT
    a *= b >= TANH_NEAR  # near 0 the addition formula is that of a = 0, which changes nothing
    place = a.astype(np.int64)
    a *= 0.0078125
    b -= a
    below = _tanh_series(b)
    rest = slopes.take(place)
    rest *= below
    result = values.take(place)
    below *= result
    below += 1.0
    rest /= below
    result += rest
    np.copysign(result, x, out=result)
    np.copyto(result, x, where=np.isnan(x))
    return result


def _tanh_series(b: Array) -> Array:
    square = b * b
    series = _polynomial(square, TANH_SERIES)
    square *= b
    series *= square
    series += b
    return series


def _reduced(x: Array) -> tuple[Array, Array]:
    """x as a quarter turn and a rest of at most an eighth of a turn either way; for |x| up to a million."""
    quarter = (x * (2 / np.pi) + SHIFT) - SHIFT
    first, second, third = PI_OVER_2
    return quarter.astype(np.int64) & 3, ((x - quarter * first) - quarter * second) - quarter * third


def _sine_series(r: Array) -> Array:
    z = r * r
    return r + r * z * _polynomial(z, SINE_SERIES)


def _cosine_series(r: Array) -> Array:
    z = r * r
    return 1.0 + z * _polynomial(z, COSINE_SERIES)


def sin(x: Array) -> Array:
    quarter, r = _reduced(np.asarray(x, dtype=np.float64))
    sine: Array = np.where(quarter & 1, _cosine_series(r), _sine_series(r))
    return np.where(quarter & 2, -sine, sine)


def cos(x: Array) -> Array:
    quarter, r = _reduced(np.asarray(x, dtype=np.float64))
    cosine: Array = np.where(quarter & 1, _sine_series(r), _cosine_series(r))
    return np.where((quarter == 1) | (quarter == 2), -cosine, cosine)
