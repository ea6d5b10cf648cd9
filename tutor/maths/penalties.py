"""Penalties: what is added to the loss so that weights stay small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.maths.number_system import NumberSystem, absolute, sign

Scalar = Any


@dataclass(frozen=True, slots=True)
class Penalty:
    """lambda times the sum over the weights of term(w); biases are not penalised. `slope` is d term/dw."""

    name: str
    equation: str
    term: Callable[[Scalar, NumberSystem], Scalar]
    slope: Callable[[Scalar, NumberSystem], Scalar]
    derivative: str
    remark: str
    source: str = "the lecture's slides on L1 and L2 regularization"
    corner: float | None = None


PENALTIES = {
    entry.name: entry
    for entry in (
        Penalty(
            "l1",
            "l1·sum of |w|",
            term=absolute,
            slope=sign,
            derivative="l1·sign(w), taken as 0 at w = 0",
            remark="The lecture's update adds this slope to a gradient that already contains it: the penalty would "
            "count twice. Here it counts once.",
            corner=0,
        ),
        Penalty(
            "l2",
            "l2·sum of w²",
            term=lambda w, m: w**2,
            slope=lambda w, m: 2 * w,
            derivative="2·l2·w",
            remark="The lecture's update adds this slope to a gradient that already contains it: the penalty would "
            "count twice. Here it counts once.",
        ),
    )
}


def soft_threshold(w: Scalar, width: Scalar, m: NumberSystem) -> Scalar:
    """w moved towards 0 by `width`, and exactly 0 where it would pass it: the proximal step of the L1 penalty.

    Source: Daubechies, Defrise and De Mol 2004; Parikh and Boyd 2014, Proximal algorithms, section 6.5.
    """
    return m.positive(w - width, w - width, m.positive(-w - width, w + width, 0))
