"""Examples that are multiplied with many matrices, with the same bits on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log2
from typing import Any

import numpy as np

from tutor.arithmetic.products import MANTISSA, SHIFT, TOO_LARGE, in_order, is_small, slices, unit_of

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
        if not is_small(units, self.x.shape[1], batch):
            _ = self.cuts

    def take(self, order: Array) -> ExactBatch:
        return ExactBatch(self, order)

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
    """A slice of all rows: whole multiples of `unit`, a power of two. A product with it is `wanted` to so many bits.

    `largest` and `longest` bound a number, and the sum over a row, without signs, in that unit.
    """

    unit: float
    largest: float
    longest: float
    wanted: int

    @classmethod
    def of(cls, x: Array, unit: float, wanted: int) -> Cut:
        """The slice of x in this unit, rounded."""
        sums, largest = 0.0, 0.0
        for block in _blocks(x):
            size = np.abs(_rounded(block, unit))
            sums = max(sums, float(size.sum(axis=1).max()))
            largest = max(largest, float(size.max()))
        return cls(unit, max(largest / unit, 1.0), max(sums / unit, 1.0), wanted)


class Part:
    """The numbers of one slice for some of the rows."""

    def __init__(self, values: Array, cut: Cut) -> None:
        self.values, self.cut = values, cut

    def times(self, matrix: Array) -> Array:
        """matrix @ values.T"""
        return self._sliced(matrix, self.values.T, self.cut.longest)

    def gathered(self, delta: Array) -> Array:
        """delta @ values"""
        return self._sliced(delta, self.values, len(self.values) * self.cut.largest)

    def _sliced(self, matrix: Array, values: Array, sums: float) -> Array:
        bits = min(50, MANTISSA - ceil(log2(sums)))
        count = -(-self.cut.wanted // bits)
        height = len(matrix)
        products = np.dot(slices(matrix, bits, count), values)
        total = products[(count - 1) * height :]
        for start in range((count - 2) * height, -1, -height):
            total += products[start : start + height]
        return total


class ExactBatch:
    """Some of the rows."""

    def __init__(self, rows: ExactRows, order: Array) -> None:
        self.rows, self.order = rows, order

    @cached_property
    def x(self) -> Array:
        return self.rows.x.take(self.order, axis=0, mode="clip").astype(np.float64, copy=False)

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
        if is_small(len(matrix), matrix.shape[1], len(self.order)):
            return in_order(matrix, self.x.T)
        return sum_of([part.times(matrix) for part in self.parts])

    def gathered(self, delta: Array, out: Array) -> None:
        """delta @ x into `out`: the gradient by those weights, from that by the weighted sums."""
        if is_small(len(delta), len(self.order), self.rows.x.shape[1]):
            out[...] = in_order(delta, self.x)
        else:
            out[...] = sum_of([part.gathered(delta) for part in self.parts])


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
