"""The arithmetics of training: `reproducible`, the same bits everywhere, and `fast`, what the machine does best."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutor.maths.number_system import completed
from tutor.numbers import reproducible_arrays, reproducible_scalars
from tutor.numbers.reproducible_products import ExactRows, Operand, bits_for, product, row_by_row

Array = Any


class ReproducibleFloat(float):
    """A number whose whole powers are multiplied out, and others made of exp and ln: the C library's pow is not the
    same everywhere."""

    def __pow__(self, exponent: float, modulus: None = None) -> float:
        if not isinstance(exponent, int | float):
            return NotImplemented
        count = int(exponent)
        if count != exponent or count < 0:
            return reproducible_scalars.exp(exponent * reproducible_scalars.log(self))
        result, square = 1.0, float(self)
        while count:
            if count & 1:
                result *= square
            square *= square
            count >>= 1
        return result


@completed(reproducible_arrays)
class Reproducible:
    """Plain + - × ÷ and square roots in a fixed order, exact slices in products."""

    name = "reproducible"
    pi = math.pi
    multiply: Any = staticmethod(product)
    transposed: Any = staticmethod(Operand.transposed)

    @staticmethod
    def operand(x: Array, longest_sum: int) -> Operand:
        """A matrix ready for several products, whose sums have at most so many terms."""
        return Operand(x, bits_for(longest_sum))

    @staticmethod
    def sqrt(z: Any) -> Any:
        return math.sqrt(z) if isinstance(z, int | float) else np.sqrt(z)

    @staticmethod
    def number(text: str) -> float:
        return ReproducibleFloat(text)

    @staticmethod
    def positive(z: Array, then: Array, otherwise: Array) -> Array:
        if isinstance(otherwise, int) and otherwise == 0:
            if then is z:
                return np.maximum(z, 0.0) + 0.0  # + 0.0 for one sign of zero everywhere
            if isinstance(then, int) and then == 1:
                return z > 0  # a product with it is the same as one with 1.0 and 0.0
        return np.where(z > 0, then, otherwise)

    @staticmethod
    @reproducible_arrays.called(number=True)
    def total(values: Array) -> float:
        """The sum of all, one after the other."""
        return float(np.add.accumulate(np.ravel(values))[-1])

    @staticmethod
    def sums(values: Array) -> Array:
        """The sum of every row, as a column."""
        return row_by_row(values.T.copy())[:, None]

    @staticmethod
    def column_sums(values: Array) -> Array:
        """The sum of every column."""
        return row_by_row(values if values.flags.c_contiguous else values.copy())

    @staticmethod
    def examples(x: Array, single: bool) -> ExactRows:
        """Examples, one a row, ready to be multiplied with weights."""
        return ExactRows(x)


@completed(np)
class Fast(Reproducible):
    """NumPy's own functions and BLAS: faster, and the last digits may differ between machines."""

    name = "fast"
    multiply: Any = staticmethod(np.dot)

    @staticmethod
    def operand(x: Array, longest_sum: int) -> Array:
        return x

    @staticmethod
    def transposed(x: Array, columns: int | None = None) -> Array:
        return x[:, :columns].T

    @staticmethod
    def number(text: str) -> float:
        """A plain number, which leaves arrays in single precision as they are; a subclass of float would not."""
        return float(text)

    @staticmethod
    def positive(z: Array, then: Array, otherwise: Array) -> Array:
        if isinstance(otherwise, int) and otherwise == 0:
            if then is z:
                return np.maximum(z, 0.0)
            if isinstance(then, int) and then == 1:
                return z > 0  # a product with it is the same as one with 1.0 and 0.0
        return np.where(z > 0, then, otherwise)

    @staticmethod
    @reproducible_arrays.called(number=True)
    def total(values: Array) -> float:
        return float(np.sum(values))

    @staticmethod
    def sums(values: Array) -> Array:
        return np.add.reduce(values, axis=1, keepdims=True)

    @staticmethod
    def column_sums(values: Array) -> Array:
        return np.add.reduce(values, axis=0)

    @staticmethod
    def examples(x: Array, single: bool) -> PlainRows:  # type: ignore[override]
        return PlainRows(x.astype(np.float32 if single else np.float64, copy=False))


class PlainRows:
    """Examples, one a row, for products in whatever order the library adds."""

    def __init__(self, x: Array) -> None:
        self.x = x

    def prepare(self, units: int, batch: int) -> None:
        """Nothing has to be prepared."""

    def take(self, order: Array) -> PlainRows:
        return self.batch(self.x.take(order, axis=0, mode="clip"))

    def batch(self, x: Array) -> PlainRows:
        """Some of the rows."""
        return PlainRows(x)

    def kind(self, units: int, batch: int) -> tuple[Any, ...]:
        """All batches are multiplied in the same way."""
        return ()

    def times(self, matrix: Array) -> Array:
        return np.dot(matrix, self.x.T)

    def weight_gradient(self, delta: Array, out: Array) -> None:
        np.dot(delta, self.x, out=out)


ARITHMETICS = {system.name: system for system in (Reproducible, Fast)}
