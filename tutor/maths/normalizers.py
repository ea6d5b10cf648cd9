"""Normalizers: features brought to a common scale before training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Scalar = Any
Numbers = Any


class Sums(Protocol):
    """What a normalizer asks of a system of numbers; `total` adds up the numbers that are normalised together."""

    def total(self, values: Numbers) -> Scalar: ...
    def sqrt(self, z: Scalar) -> Scalar: ...


@dataclass(frozen=True, slots=True)
class Normalizer:
    """x_new = (x - shift)/scale, with shift(xs, m) and scale(xs, shift, m) of the values xs that x is normalised with.

    Those are an array: the column of the feature, or, for `along = "row"`, the features of the same example.
    """

    name: str
    equation: str
    shift: Callable[[Numbers, Sums], Scalar]
    scale: Callable[[Numbers, Scalar, Sums], Scalar]
    along: str
    remark: str
    source: str = "the lecture's slide on normalization"

    def value(self, x: Scalar, xs: Numbers, m: Sums) -> Scalar:
        """x after normalisation."""
        shift = self.shift(xs, m)
        return (x - shift) / self.scale(xs, shift, m)


def mean(xs: Numbers, m: Sums) -> Scalar:
    """(x1 + … + xn)/n"""
    return m.total(xs) / len(xs)


NORMALIZERS = {
    entry.name: entry
    for entry in (
        Normalizer(
            "zscore",
            "x_new = (x - mean)/std",
            mean,
            lambda xs, centre, m: m.sqrt(mean((xs - centre) ** 2, m)),
            "column",
            "Mean 0 and standard deviation 1 in every feature. A feature that never changes has no std to divide by.",
        ),
        Normalizer(
            "minmax",
            "x_new = (x - min)/(max - min)",
            lambda xs, m: xs.min(),
            lambda xs, low, m: xs.max() - low,
            "column",
            "From 0 to 1 in every feature; one outlier squeezes all the others together. A feature that never changes "
            "has no range to divide by.",
        ),
        Normalizer(
            "unit",
            "x_new = x/sqrt(x1² + … + xn²)",
            lambda xs, m: 0,
            lambda xs, nothing, m: m.sqrt(m.total(xs**2)),
            "row",
            "Scales examples, not features: the columns keep their different scales.",
        ),
    )
}
