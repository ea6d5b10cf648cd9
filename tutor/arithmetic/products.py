"""Matrix products with the same bits on every machine, however the library behind NumPy adds.

Each operand is split into slices of so few bits that every product of two slices, and every partial sum of such
products, is exact in double precision: then no order of adding matters. Source: Ozaki, Ogita, Oishi and Rump 2012.
"""

from __future__ import annotations

from math import ceil, frexp, log2
from typing import Any

import numpy as np

Array = Any
_MANTISSA = 53
_SHIFT = 1.5 * 2.0**52
_SMALLEST = 2.0**-300


def product(a: Array, b: Array) -> Array:
    """a @ b to about 46 bits, in three exact products of slices; NaN where an operand has one or is infinite."""
    inner = a.shape[1]
    bits = (_MANTISSA - ceil(log2(max(inner, 2)))) // 2
    a_high, a_low = _slices(a, bits)
    b_high, b_low = _slices(b, bits)
    return a_high @ b_high + (a_high @ b_low + a_low @ b_high)


def _slices(x: Array, bits: int) -> tuple[Array, Array]:
    """The leading bits of every number, counted from the largest of all, and the next ones."""
    largest = float(np.abs(x).max(initial=0.0))
    if not largest < np.inf:
        return np.full_like(x, np.nan), np.full_like(x, np.nan)
    unit = max(2.0 ** frexp(largest)[1], _SMALLEST) * 2.0**-bits
    high = _rounded(x, unit)
    return high, _rounded(x - high, unit * 2.0**-bits)


def _rounded(x: Array, unit: float) -> Array:
    """x rounded to a multiple of the unit, a power of two."""
    shift = _SHIFT * unit
    return (x + shift) - shift
