"""Normalizers: features brought to a common scale before training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tutor.maths.number_system import NumberSystem, larger, smaller

Scalar = Any


@dataclass(frozen=True, slots=True)
class Normalizer:
    """`value(x, xs, m)` is x after normalisation, where xs are the values that it is normalised with.

    Those are the column of the feature, or, for `along = "row"`, the features of the same example.
    """

    name: str
    equation: str
    value: Callable[[Scalar, Sequence[Scalar], NumberSystem], Scalar]
    along: str
    remark: str
    source: str = "the lecture's slide on normalization"


def mean(xs: Sequence[Scalar]) -> Scalar:
    """(x1 + … + xn)/n"""
    return sum(xs[1:], xs[0]) / len(xs)


def variance(xs: Sequence[Scalar]) -> Scalar:
    """The mean of (x - mean)²: divided by n, not by n - 1."""
    centre = mean(xs)
    return mean([(x - centre) ** 2 for x in xs])


def _extreme(xs: Sequence[Scalar], pick: Callable[..., Scalar], m: NumberSystem) -> Scalar:
    best = xs[0]
    for x in xs[1:]:
        best = pick(best, x, m)
    return best


def _minmax(x: Scalar, xs: Sequence[Scalar], m: NumberSystem) -> Scalar:
    low, high = _extreme(xs, smaller, m), _extreme(xs, larger, m)
    return (x - low) / (high - low)


NORMALIZERS = {
    entry.name: entry
    for entry in (
        Normalizer(
            "zscore",
            "x_new = (x - mean)/std",
            lambda x, xs, m: (x - mean(xs)) / m.sqrt(variance(xs)),
            "column",
            "Mean 0 and standard deviation 1 in every feature. A feature that never changes has no std to divide by.",
        ),
        Normalizer(
            "minmax",
            "x_new = (x - min)/(max - min)",
            _minmax,
            "column",
            "From 0 to 1 in every feature; one outlier squeezes all the others together. A feature that never changes "
            "has no range to divide by.",
        ),
        Normalizer(
            "unit",
            "x_new = x/sqrt(x1² + … + xn²)",
            lambda x, xs, m: x / m.sqrt(sum((other**2 for other in xs[1:]), xs[0] ** 2)),
            "row",
            "Scales examples, not features: the columns keep their different scales.",
        ),
    )
}
