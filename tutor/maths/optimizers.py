"""Optimizers: from a parameter and its gradient to the new parameter, as named equations in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.maths.system import NumberSystem

Scalar = Any


@dataclass(frozen=True, slots=True)
class Optimizer:
    """w_new = update(w, dE/dw, eta)."""

    name: str
    title: str
    equation: str
    update: Callable[[Scalar, Scalar, Scalar, NumberSystem], Scalar]
    reason: str


OPTIMIZERS = {
    entry.name: entry
    for entry in (
        Optimizer(
            "sgd",
            "gradient descent",
            "w_new = w - eta*dE/dw",
            update=lambda w, gradient, eta, m: w - eta * gradient,
            reason="gradient step",
        ),
    )
}
