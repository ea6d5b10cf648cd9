"""Matrix products with the same bits on every machine, however the library behind NumPy adds.

Small products are added up in order, term by term. For larger ones each operand is split into slices of so few bits
that every product of two slices, and every partial sum of such products, is exact in double precision: then no order
of adding matters, and the library may add as it likes. Source: Ozaki, Ogita, Oishi and Rump 2012.
"""

from __future__ import annotations

from math import ceil, frexp, log2
from typing import Any

import numpy as np

Array = Any
MANTISSA = 53
SHIFT = 1.5 * 2.0**52
_SMALLEST, TOO_LARGE = 2.0**-300, 2.0**400
_IN_ORDER = 6_000  # products of two numbers, up to which adding in order is the faster way
_WIDEST = 200_000  # the same for a vector, which is faster in order than split into slices


class Operand:
    """A matrix that takes part in several products: split into slices once, and only where that is needed.

    The slices have so few bits that products with other operands of the same `bits` are exact; see `bits_for`.
    """

    def __init__(self, x: Array, bits: int, halves: tuple[Array, Array] | None = None) -> None:
        self.x, self.bits, self._halves = x, bits, halves

    @property
    def halves(self) -> tuple[Array, Array]:
        """The leading slice and the next one."""
        if self._halves is None:
            shift = _shift(self.x, self.bits)
            high = self.x + shift
            high -= shift
            low = self.x - high
            shift *= 2.0**-self.bits
            low += shift
            low -= shift
            self._halves = high, low
        return self._halves

    def transposed(self, columns: int | None = None) -> Operand:
        """The transpose of the matrix, or of its first columns."""
        halves = None
        if self._halves is not None:
            halves = self._halves[0][:, :columns].T, self._halves[1][:, :columns].T
        return Operand(self.x[:, :columns].T, self.bits, halves)


def bits_for(longest_sum: int) -> int:
    """How many bits the slices of both operands may have, where sums have at most so many terms."""
    return (MANTISSA - ceil(log2(max(longest_sum, 2)))) // 2


def product(a: Operand, b: Operand, out: Array | None = None) -> Array:
    """a @ b, in order where it is small, else to twice their bits; NaN where an operand has one or is infinite."""
    if is_small(a.x.shape[0], a.x.shape[1], b.x.shape[1]):
        return put(in_order(a.x, b.x), out)
    (a_high, a_low), (b_high, b_low) = a.halves, b.halves
    rest = np.dot(a_high, b_low)
    rest += np.dot(a_low, b_high)
    return np.add(rest, np.dot(a_high, b_high), out)


def put(result: Array, out: Array | None) -> Array:
    """The result, in `out` where that is given."""
    if out is not None:
        out[...] = result
    return result


def is_small(rows: int, inner: int, columns: int) -> bool:
    return rows * inner * columns <= (_WIDEST if rows == 1 or columns == 1 else _IN_ORDER)


def in_order(a: Array, b: Array) -> Array:
    """a @ b with the terms of every sum added one after the other."""
    rows, columns = a.shape[0], b.shape[1]
    terms = np.multiply(a.T[:, :, None], b[:, None, :], order="C").reshape(a.shape[1], -1)
    return row_by_row(terms).reshape(rows, columns)


def row_by_row(terms: Array) -> Array:
    """The sum of the rows of a C-ordered matrix, in order; NumPy adds a single column in another way."""
    if terms.shape[1] == 1:
        return np.add.accumulate(terms, axis=0)[-1]
    return np.add.reduce(terms, axis=0)


def slices(x: Array, bits: int, count: int) -> Array:
    """So many slices of the matrix one below the other: the leading bits of every number, counted from the largest of
    all, then the next ones."""
    height = x.shape[0]
    result = np.empty((count * height, x.shape[1]))
    shift, rest = _shift(x, bits), x
    for start in range(0, count * height, height):
        part = result[start : start + height]
        np.add(rest, shift, part)
        part -= shift
        if start + height < count * height:
            rest = rest - part
        shift *= 2.0**-bits
    return result


def _shift(x: Array, bits: int) -> float:
    """What rounds every number to so many bits, counted from the largest of all, when it is added and taken away again;
    NaN, which spreads to all of them, where one is infinite or so large that sums could overflow."""
    largest = float(np.abs(x).max())
    return SHIFT * unit_of(largest, bits) if largest < TOO_LARGE else np.nan


def unit_of(largest: float, bits: int) -> float:
    """The last of so many bits, counted from the power of two above the largest number."""
    return float(max(2.0 ** frexp(largest)[1], _SMALLEST) * 2.0**-bits)
