"""Initializers: where the weights begin. `scale` turns a standard normal or a uniform number into a weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.maths.number_system import NumberSystem

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
            "All neurons of a layer get the same gradient and stay identical, however long they learn.",
        ),
        Initializer(
            "normal",
            "w ~ N(0, 0.01²)",
            "normal",
            lambda n_in, n_out, m: m.number("0.01"),
            "A layer multiplies the spread of its inputs by about 0.01·sqrt(n_in) and by its slope: by less than 1 up "
            "to 10,000 inputs. In deep networks the differences between examples fade from layer to layer.",
        ),
        Initializer(
            "uniform",
            "w ~ U(-0.05, 0.05)",
            "uniform",
            lambda n_in, n_out, m: m.number("0.05"),
            "A small range around 0, with standard deviation 0.05/sqrt(3) = 0.029; like `normal` it does not look at "
            "the size of the layer.",
        ),
        Initializer(
            "xavier",
            "w ~ N(0, 2/(n_in + n_out))",
            "normal",
            lambda n_in, n_out, m: m.sqrt(2 / (n_in + n_out)),
            "Keeps the spread of the weighted sums, and of the gradients on their way back, where slopes are 1: in "
            "linear layers, nearly in tanh layers while their sums are small. A sigmoid layer, with slopes of 1/4 and "
            "less, still takes three quarters of it away: ten of them leave at most (1/4)^10 = 0.00000095.",
            "the lecture; Glorot and Bengio 2010",
        ),
        Initializer(
            "he",
            "w ~ N(0, 2/n_in)",
            "normal",
            lambda n_in, n_out, m: m.sqrt(2 / n_in),
            "For relu, which passes on half of the mean square of its sums: the 2 makes up for it, so that the mean "
            "square stays about the same from layer to layer.",
            "the lecture; He et al. 2015",
        ),
    )
}
