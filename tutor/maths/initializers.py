"""Initializers: where the weights begin. `scale` turns a standard normal or a uniform number into a weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.maths.system import NumberSystem

Scalar = Any


@dataclass(frozen=True, slots=True)
class Initializer:
    """weight = scale(n_in, n_out, m) · draw, the draw from `distribution` with standard deviation 1 (or in [-1, 1))."""

    name: str
    equation: str
    distribution: str
    scale: Callable[[Scalar, Scalar, NumberSystem], Scalar]
    remark: str
    source: str = "the lecture's slides on initialization"


INITIALIZERS = {
    entry.name: entry
    for entry in (
        Initializer(
            "zeros",
            "w = 0",
            "none",
            lambda n_in, n_out, m: 0,
            "All neurons of a layer stay identical: it keeps the symmetry, which the lecture says it breaks.",
        ),
        Initializer(
            "normal",
            "w ~ N(0, 0.01²)",
            "normal",
            lambda n_in, n_out, m: m.number("0.01"),
            "In deep networks the activations shrink from layer to layer until nothing is left.",
        ),
        Initializer(
            "uniform",
            "w ~ U(-0.05, 0.05)",
            "uniform",
            lambda n_in, n_out, m: m.number("0.05"),
            "A small range around 0.",
        ),
        Initializer(
            "xavier",
            "w ~ N(0, 2/(n_in + n_out))",
            "normal",
            lambda n_in, n_out, m: m.sqrt(2 / (n_in + n_out)),
            "Keeps the spread of activations and gradients about equal through sigmoid and tanh layers.",
            "the lecture; Glorot and Bengio 2010",
        ),
        Initializer(
            "he",
            "w ~ N(0, 2/n_in)",
            "normal",
            lambda n_in, n_out, m: m.sqrt(2 / n_in),
            "For ReLU, which lets only half of the spread through.",
            "the lecture; He et al. 2015",
        ),
    )
}
