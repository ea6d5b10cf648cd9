"""Matrix products with the same bits on every machine: every product and every partial sum is exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, frexp, log2
from typing import Any

import numpy as np

from tutor.numbers.reproducible_arrays import called

Array = Any
_BITS = 44  # to which a product comes out, counted from the largest number of either operand
_ROW_BITS, _REST_BITS = 20, 28
_BLOCK = 1 << 20


class ExactRows:
    """Examples, one a row, that are multiplied with many matrices.

    Numbers of at most 20 bits, such as pixels, are one slice as they stand; others are cut into two.
    """

    def __init__(self, x: Array) -> None:
        self.x = x

    def prepare(self, units: int, batch: int) -> None:
        """Look at the numbers now, if products of so many rows of weights with so many examples will ask for it."""
        self.kind(units, batch)

    def take(self, order: Array) -> ExactBatch:
        return self.batch(self.x.take(order, axis=0, mode="clip"))

    def batch(self, x: Array) -> ExactBatch:
        """Some of the rows."""
        return ExactBatch(self, x)

    def kind(self, units: int, batch: int) -> tuple[Any, ...]:
        """How so many examples are multiplied with so many rows of weights: the same for all batches of a kind."""
        columns = self.x.shape[1]
        if is_small(units, columns, batch) and is_small(units, batch, columns):
            return ()
        return tuple((cut.unit, cut.bits(cut.longest), cut.bits(batch * cut.largest)) for cut in self.cuts)

    @cached_property
    def cuts(self) -> list[Cut]:
        """How the rows are cut into slices that add up to them."""
        largest = max(float(self.x.max(initial=0.0)), -float(self.x.min(initial=0.0)))
        if not largest < TOO_LARGE:
            raise ValueError("the examples have numbers that are too large")
        unit, rest = unit_of(largest, _ROW_BITS), unit_of(largest, _ROW_BITS + _REST_BITS)
        if all(np.array_equal(block, _rounded(block, unit)) for block in _blocks(self.x)):
            return [Cut.of(self.x, unit * 2.0 ** _spare_bits(self.x, unit), _BITS)]
        longest = self.x.shape[1] * 2.0 ** (_REST_BITS - 1)
        return [Cut.of(self.x, unit, _BITS), Cut(rest, 2.0 ** (_REST_BITS - 1), longest, _BITS - _ROW_BITS)]


@dataclass(frozen=True)
class Cut:
    """A slice of all rows: whole multiples of `unit`, a power of two. A product with it is `precision` to so many bits.

    `largest` and `longest` bound a number, and the sum over a row, without signs, in that unit.
    """

    unit: float
    largest: float
    longest: float
    precision: int

    def bits(self, sums: float) -> int:
        """How many bits its other operand may have, where sums have so many units."""
        return min(50, MANTISSA - ceil(log2(sums)))

    @classmethod
    def of(cls, x: Array, unit: float, precision: int) -> Cut:
        """The slice of x in this unit, rounded."""
        sums, largest = 0.0, 0.0
        for block in _blocks(x):
            size = np.abs(_rounded(block, unit))
            sums = max(sums, float(size.sum(axis=1).max()))
            largest = max(largest, float(size.max()))
        return cls(unit, max(largest / unit, 1.0), max(sums / unit, 1.0), precision)


class Part:
    """The numbers of one slice for some of the rows."""

    def __init__(self, values: Array, cut: Cut) -> None:
        self.values, self.cut = values, cut

    def times(self, matrix: Array) -> Array:
        """matrix @ values.T"""
        return self._sliced(matrix, self.values.T, self.cut.longest)

    def weight_gradient(self, delta: Array) -> Array:
        """delta @ values"""
        return self._sliced(delta, self.values, len(self.values) * self.cut.largest)

    def _sliced(self, matrix: Array, values: Array, sums: float) -> Array:
        bits = self.cut.bits(sums)
        count = -(-self.cut.precision // bits)
        height = len(matrix)
        products = np.dot(slices(matrix, bits, count), values)
        total = products if count == 1 else products[(count - 1) * height :]
        for start in range((count - 2) * height, -1, -height):
            total = total + products[start : start + height]
        return total


class ExactBatch:
    """Some of the rows."""

    def __init__(self, rows: ExactRows, x: Array) -> None:
        self.rows, self.x = rows, x.astype(np.float64, copy=False)

    @cached_property
    def parts(self) -> list[Part]:
        cuts, rest, found = self.rows.cuts, self.x, []
        if len(cuts) == 1:
            return [Part(rest, cuts[0])]
        for cut in cuts:
            values = _rounded(rest, cut.unit)
            rest = rest - values
            found.append(Part(values, cut))
        return found

    def times(self, matrix: Array) -> Array:
        """matrix @ x.T: what a layer with these weights makes of the examples, one a column."""
        if is_small(len(matrix), matrix.shape[1], len(self.x)):
            return in_order(matrix, self.x.T)
        return sum_of([part.times(matrix) for part in self.parts])

    def weight_gradient(self, delta: Array, out: Array) -> None:
        """delta @ x into `out`: the gradient by those weights, from that by the weighted sums."""
        if is_small(len(delta), *self.x.shape):
            out[...] = in_order(delta, self.x)
        else:
            out[...] = sum_of([part.weight_gradient(delta) for part in self.parts])


def sum_of(matrices: list[Array]) -> Array:
    total = matrices[0]
    for other in matrices[1:]:
        total += other
    return total


def _spare_bits(x: Array, unit: float) -> int:
    """How many of the last bits are 0 in every number, all of them whole multiples of the unit."""
    used = 1 << (_ROW_BITS - 1)
    for block in _blocks(x):
        used |= int(np.bitwise_or.reduce(np.abs(block / unit).astype(np.int64), axis=None))
    return (used & -used).bit_length() - 1


def _rounded(x: Array, unit: float) -> Array:
    """x rounded to a multiple of the unit, a power of two."""
    shift = SHIFT * unit
    return (x.astype(np.float64, copy=False) + shift) - shift


def _blocks(x: Array) -> Iterator[Array]:
    """The matrix in pieces, so that checking it takes little memory."""
    step = max(1, _BLOCK // max(1, x.shape[1]))
    for start in range(0, len(x), step):
        yield x[start : start + step]


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
    return np.add(rest, np.dot(a_high, b_high), out=out)


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
    terms = np.empty_like(a, shape=(a.shape[1], rows, columns), order="C")
    terms = np.multiply(a.T[:, :, None], b[:, None, :], out=terms).reshape(a.shape[1], -1)
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
    result = np.empty_like(x, shape=(count * height, x.shape[1]), order="C")
    shift, rest = _shift(x, bits), x
    for start in range(0, count * height, height):
        part = result[start : start + height]
        np.add(rest, shift, out=part)
        part -= shift
        if start + height < count * height:
            rest = rest - part
        shift *= 2.0**-bits
    return result


def _shift(x: Array, bits: int) -> float:
    """What rounds every number to so many bits, counted from the largest of all, when it is added and taken away again;
    NaN, which spreads to all of them, where one is infinite or so large that sums could overflow."""
    shift: float = _shift_of(np.maximum.reduce(np.abs(x), axis=None), bits)
    return shift


@called(number=True)
def _shift_of(largest: Array, bits: int) -> float:
    largest = float(largest)
    return SHIFT * unit_of(largest, bits) if largest < TOO_LARGE else np.nan


def unit_of(largest: float, bits: int) -> float:
    """The last of so many bits, counted from the power of two above the largest number."""
    return float(max(2.0 ** frexp(largest)[1], _SMALLEST) * 2.0**-bits)
