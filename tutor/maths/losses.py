"""Losses: how far the outputs y are from the targets t."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.maths.clipping import by_value
from tutor.maths.number_system import absolute
from tutor.maths.setting import Setting

Scalar = Any


@dataclass(frozen=True, slots=True)
class Loss:
    """E = the sum over the outputs of term(y, t), or their mean where `mean` is set.

    `slope` is the derivative of one term by its output y, in the form in which it is taught. Both take the settings, in
    their order, after y and t. `output` is set where the outputs are to be probabilities: the activation that makes
    them. With it dE/dz of an output is simply y - t, and trainings work the term by the weighted sum z below the
    output, `by_sum`, where `rest` is ln of the sum of all exp(z): there a probability that is rounded to 0 has its
    logarithm.
    """

    name: str
    equation: str
    term: Callable[..., Scalar]
    slope: Callable[..., Scalar]
    factor: str
    derivative: str
    mean: bool = False
    output: str = ""
    remark: str = ""
    source: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    by_sum: Callable[..., Scalar] | None = None


def _huber(y: Scalar, t: Scalar, delta: Scalar, m: Any) -> Scalar:
    size = absolute(t - y, m)
    return m.positive(size - delta, delta * (size - delta / 2), (t - y) ** 2 / 2)


LOSSES = {
    entry.name: entry
    for entry in (
        Loss(
            "half_squared_error",
            "E = sum of 1/2 (t - y)²",
            term=lambda y, t, m: (t - y) ** 2 / 2,
            slope=lambda y, t, m: y - t,
            factor="1/2",
            derivative="y - t",
            remark="The factor 1/2 is there to cancel the 2 that the power rule brings down.",
            source="the lecture's case study and both appendices",
        ),
        Loss(
            "squared_error",
            "E = sum of (t - y)²",
            term=lambda y, t, m: (t - y) ** 2,
            slope=lambda y, t, m: 2 * (y - t),
            factor="1",
            derivative="2(y - t)",
            source="common",
        ),
        Loss(
            "mean_squared_error",
            "E = mean of (t - y)²",
            term=lambda y, t, m: (t - y) ** 2,
            slope=lambda y, t, m: 2 * (y - t),
            factor="1/n",
            derivative="2(y - t)/n",
            mean=True,
            remark="n counts the outputs of the network. A large error counts by its square, so outliers weigh much.",
            source="the lecture's slide on loss functions",
        ),
        Loss(
            "binary_cross_entropy",
            "E = sum of -(t ln y + (1 - t) ln(1 - y))",
            term=lambda y, t, m: -(t * m.log(y) + (1 - t) * m.log(1 - y)),
            slope=lambda y, t, m: (y - t) / (y * (1 - y)),
            factor="1",
            derivative="(y - t)/(y(1 - y))",
            output="sigmoid",
            by_sum=lambda z, t, rest, m: t * m.log_one_plus_exp(-z) + (1 - t) * m.log_one_plus_exp(z),
            remark="Every output must lie strictly between 0 and 1.",
            source="common",
        ),
        Loss(
            "cross_entropy",
            "E = -sum of t ln y",
            term=lambda y, t, m: -(t * m.log(y)),
            slope=lambda y, t, m: -(t / y),
            factor="1",
            derivative="-t/y",
            output="softmax",
            by_sum=lambda z, t, rest, m: t * (rest - z),
            remark="The outputs are probabilities that add up to 1, so it goes with softmax.",
            source="the lecture's slide on loss functions",
        ),
        Loss(
            "huber",
            "E = sum of 1/2 (t - y)² where |t - y| <= delta, else delta·(|t - y| - delta/2)",
            term=_huber,
            slope=lambda y, t, delta, m: by_value(y - t, delta, m),
            factor="1/2",
            derivative="y - t, and beyond ±delta that limit",
            remark="A parabola near the target and straight lines further out: an outlier pulls no harder than an "
            "error of delta.",
            source="Huber 1964",
            settings={"delta": Setting("1", "the error from which on the loss is straight", positive=True)},
        ),
    )
}
