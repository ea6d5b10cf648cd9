"""What an array can be off by: numbers that carry a bound of their error through every operation.

The bound of a sum of products is (number of terms)·u·|x|·|w|, which holds in whatever order a library adds; that of a
function is its slope times the bound of its argument, and a few units of its own. u is the unit roundoff of the type.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from tutor.maths.number_system import FUNCTIONS, softplus
from tutor.numbers.arrays import Fast

Array = Any
_DOUBLE = np.dtype(np.float64)
_OF_A_FUNCTION = 8
"""Units by which the functions of any library, graphics processors among them, may be off."""
_OF_A_FORM = 2
"""The same formula in another form: what is allowed beside the bound of ours."""


class Precision(NamedTuple):
    """The unit roundoff of a type, and the spacing of the smallest numbers that it has."""

    name: str
    roundoff: float
    smallest: float
    bits: int


PRECISIONS = {
    p.name: p
    for p in (
        Precision("double", 2.0**-53, 5e-324, 53),
        Precision("single", 2.0**-24, 2.0**-149, 24),
        Precision("tf32", 2.0**-11, 2.0**-149, 11),
        Precision("half", 2.0**-11, 2.0**-24, 11),
        Precision("bfloat16", 2.0**-8, 2.0**-133, 8),
    )
}
"""By the names that the option has; tf32 is single with products of 11 bits, as graphics processors offer."""
_HELD = ("bfloat16", "half", "single")


def precision_of(arrays: Iterable[Array]) -> Precision:
    """The precision in which these numbers were worked: their type, or of doubles, which lists and files make of
    everything, the narrowest type that holds each of them."""
    found = [a for a in arrays if a.dtype.kind == "f" and a.size]
    declared = min((a.dtype.itemsize for a in found), default=8)
    if declared == 2:
        return PRECISIONS["half"]
    if declared == 4:
        return _narrowest([a for a in found if a.dtype.itemsize == 4], PRECISIONS["single"])
    return _narrowest(found, PRECISIONS["double"])


def _narrowest(arrays: list[Array], otherwise: Precision) -> Precision:
    for name in _HELD:
        p = PRECISIONS[name]
        if p.roundoff > otherwise.roundoff and arrays and all(_holds(p, a) for a in arrays):
            return p
    return otherwise


def _holds(p: Precision, array: Array) -> bool:
    wide = array.astype(np.float64, copy=False)
    with np.errstate(all="ignore"):
        if p.name == "half":
            return bool(np.array_equal(wide.astype(np.float16).astype(np.float64), wide, equal_nan=True))
        single = wide.astype(np.float32)
        if not np.array_equal(single.astype(np.float64), wide, equal_nan=True):
            return False
        return p.name == "single" or not np.any(single.view(np.uint32) & np.uint32(0xFFFF))


class Bounded:
    """Numbers, each known to within `bound`, worked in one precision.

    They are kept in their own type; `value` has them in double precision, made anew whenever it is asked for, so that
    what was recorded in single precision never stands there twice.
    """

    __slots__ = ("bound", "held", "precision")
    __array_ufunc__ = None

    def __init__(self, value: Array, bound: Array, precision: Precision) -> None:
        self.held, self.bound, self.precision = value, bound, precision

    @property
    def value(self) -> Array:
        held = self.held
        return held.astype(_DOUBLE) if isinstance(held, np.ndarray) and held.dtype != _DOUBLE else held

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.held)

    def made(self, value: Array, bound: Array, roundings: float = 1) -> Bounded:
        """A result of an operation, with what its own rounding adds."""
        u, smallest = self.precision.roundoff, self.precision.smallest
        return Bounded(value, bound + roundings * (u * np.abs(value) + smallest), self.precision)

    def __add__(self, other: Any) -> Bounded:
        v, b = _parts(other)
        return self.made(self.value + v, self.bound + b)

    __radd__ = __add__

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.bound, self.precision)

    def __sub__(self, other: Any) -> Bounded:
        v, b = _parts(other)
        return self.made(self.value - v, self.bound + b)

    def __rsub__(self, other: Any) -> Bounded:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Bounded:
        value, (v, b) = self.value, _parts(other)
        bound = self.bound * (np.abs(v) + b) + np.abs(value) * b
        return self.made(value * v, bound, 2)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Bounded:
        v, b = _parts(other)
        value = self.value / v
        least = np.abs(v) - b
        bound = np.where(least > 0, (self.bound + np.abs(value) * b) / np.where(least > 0, least, 1), np.inf)
        return self.made(value, bound, 2)

    def __rtruediv__(self, other: Any) -> Bounded:
        return Bounded(np.float64(other), 0.0, self.precision) / self

    def __pow__(self, exponent: Any) -> Bounded:
        value = self.value**exponent
        largest = np.abs(self.value) + self.bound
        return self.made(value, largest**exponent - np.abs(self.value) ** exponent, 2 * abs(exponent))

    def __rpow__(self, base: Any) -> Bounded:
        return self.made(base**self.value, self.bound * np.abs(base**self.value) * abs(np.log(base)), _OF_A_FUNCTION)

    @property
    def T(self) -> Bounded:
        return Bounded(self.held.T, np.transpose(self.bound), self.precision)

    def __matmul__(self, other: Bounded) -> Bounded:
        """The matrix product, in any order of adding."""
        sizes, others = (np.abs(x.held, dtype=_DOUBLE) for x in (self, other))
        terms = sizes.shape[-1] + 1
        bound = (terms * self.precision.roundoff) * (sizes @ others) + terms * self.precision.smallest
        if np.any(other.bound):
            bound = bound + (sizes + self.bound) @ np.broadcast_to(other.bound, others.shape)
        if np.any(self.bound):
            bound = bound + np.broadcast_to(self.bound, sizes.shape) @ others
        del sizes, others
        return Bounded(self.value @ other.value, bound, self.precision)

    def total(self, axis: int | None = None, keepdims: bool = False) -> Bounded:
        """The sum over an axis, in any order of adding."""
        value = self.value
        count = value.size if axis is None else value.shape[axis]
        sizes = np.broadcast_to(np.abs(value) * (count * self.precision.roundoff) + self.bound, value.shape)
        return Bounded(value.sum(axis, keepdims=keepdims), sizes.sum(axis, keepdims=keepdims), self.precision)

    def __getitem__(self, index: Any) -> Bounded:
        bound = np.broadcast_to(self.bound, self.shape)[index] if np.ndim(self.bound) else self.bound
        return Bounded(self.held[index], bound, self.precision)


def _parts(other: Any) -> tuple[Any, Any]:
    return (other.value, other.bound) if isinstance(other, Bounded) else (other, 0.0)


class BoundedSystem:
    """The number system of `Bounded` numbers, for the formulas of `tutor.maths`."""

    pi = np.pi

    @staticmethod
    def number(text: str) -> float:
        return float(text)

    @staticmethod
    def sqrt(z: Any) -> Any:
        if not isinstance(z, Bounded):
            return np.sqrt(z)
        value = np.sqrt(z.value)
        lowest = np.sqrt(np.maximum(z.value - z.bound, 0))
        return z.made(value, value - lowest)

    @staticmethod
    def positive(z: Any, then: Any, otherwise: Any) -> Any:
        """Where z may be on either side of 0, both are right."""
        if not isinstance(z, Bounded):
            return then if z > 0 else otherwise
        (one, by_one), (other, by_other) = _parts(then), _parts(otherwise)
        value, bound = np.where(z.value > 0, one, other), np.where(z.value > 0, by_one, by_other)
        either = np.abs(z.value) <= z.bound
        if np.any(either):
            bound = np.where(either, np.maximum(by_one, by_other) + np.abs(np.subtract(one, other)), bound)
        return Bounded(value * 1.0, bound, z.precision)

    @classmethod
    def log_one_plus_exp(cls, z: Any) -> Any:
        return softplus(z, cls)  # type: ignore[arg-type]


def _function(name: str) -> Any:
    slope, work = FUNCTIONS[name].slope, getattr(Fast, name)
    system: Any = Fast

    def of(z: Any) -> Any:
        if not isinstance(z, Bounded):
            return work(z)
        value = work(z.value)
        bound: Any = 0.0
        if np.any(z.bound):
            at = [z.value - z.bound, z.value, z.value + z.bound]
            if FUNCTIONS[name].of_positive:
                at = [np.maximum(x, 0) for x in at]
            steepest = np.maximum.reduce([np.abs(slope(x, work(x), system)) for x in at])
            bound = np.where(z.bound > 0, steepest * z.bound, 0)
        return z.made(value, bound, _OF_A_FUNCTION)

    return staticmethod(of)


for _name in FUNCTIONS:
    setattr(BoundedSystem, _name, _function(_name))


def distance(recorded: Array, own: Bounded, p: Precision) -> Array:
    """By how much each entry is off beyond what it can be; nowhere above 0 where the array is what it should be."""
    value = own.value
    off = np.abs(recorded - value)
    allowed = _OF_A_FORM * (own.bound + p.roundoff * np.abs(value) + p.smallest)
    excess = np.where(np.isnan(off) | np.isnan(allowed), np.inf, off - allowed)
    same = (np.isnan(recorded) & np.isnan(value)) | (recorded == value)
    return np.where(same, -1.0, excess)


def fits(recorded: Array, own: Bounded, p: Precision) -> bool:
    """Whether the recorded numbers are these, as far as the precision shows."""
    if recorded.shape != own.shape:
        return False
    return not np.any(distance(recorded, own, p) > 0)
