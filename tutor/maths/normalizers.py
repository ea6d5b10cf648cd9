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

    Those are an array: the column of the feature, or, for `along = "row"`, the features of the same example, or, for
    `along = "channel"`, one colour of an image, over all examples and pixels. Some are `for_images` alone.
    """

    name: str
    equation: str
    shift: Callable[[Numbers, Sums], Scalar]
    scale: Callable[[Numbers, Scalar, Sums], Scalar]
    along: str
    remark: str
    source: str = "the lecture's slide on normalization"
    for_images: bool = False

    def value(self, x: Scalar, xs: Numbers, m: Sums) -> Scalar:
        """x after normalisation."""
        shift = self.shift(xs, m)
        return (x - shift) / self.scale(xs, shift, m)


def mean(xs: Numbers, m: Sums) -> Scalar:
    """(x1 + … + xn)/n"""
    return m.total(xs) / len(xs)


def _deviation(xs: Numbers, centre: Scalar, m: Sums) -> Scalar:
    """The standard deviation: the root of the mean square of the distances from the mean."""
    return m.sqrt(mean((xs - centre) ** 2, m))


_OF_IMAGES = "the lecture's slide on preprocessing of images"
NORMALIZERS = {
    entry.name: entry
    for entry in (
        Normalizer(
            "zscore",
            "x_new = (x - mean)/std",
            mean,
            _deviation,
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
        Normalizer(
            "mean_image",
            "x_new = x - mean",
            mean,
            lambda xs, centre, m: 1,
            "column",
            "The mean image, a number for each pixel and colour, is taken from every image, as AlexNet has it.",
            _OF_IMAGES,
            for_images=True,
        ),
        Normalizer(
            "channel_mean",
            "x_new = x - mean",
            mean,
            lambda xs, centre, m: 1,
            "channel",
            "One mean for each colour, over all pixels of all images, as VGGNet has it; a grey image has one channel.",
            _OF_IMAGES,
            for_images=True,
        ),
        Normalizer(
            "channel_zscore",
            "x_new = (x - mean)/std",
            mean,
            _deviation,
            "channel",
            "One mean and one standard deviation for each colour, over all pixels of all images, as ResNet has it.",
            _OF_IMAGES,
            for_images=True,
        ),
    )
}
