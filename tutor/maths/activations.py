"""Activation functions: what a neuron makes of its weighted sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.maths.system import NumberSystem

Scalar = Any
Body = Callable[[Scalar, NumberSystem], Scalar]


@dataclass(frozen=True, slots=True)
class Activation:
    """a = value(z) and its slope da/dz, written with the output a wherever that is shorter.

    `bridge` holds the lines that lead from what the rules of differentiation give to the slope as it is
    taught, each with the name of the step; only derivations read it.
    """

    name: str
    equation: str
    value: Callable[[Scalar, NumberSystem], Scalar]
    slope: Callable[[Scalar, Scalar, NumberSystem], Scalar]
    range: str
    remark: str = ""
    bridge: tuple[tuple[str, Body], ...] = ()


def _logistic(z: Scalar, m: NumberSystem) -> Scalar:
    return 1 / (1 + m.exp(-z))


ACTIVATIONS = {
    entry.name: entry
    for entry in (
        Activation(
            "linear",
            "a = z",
            value=lambda z, m: z,
            slope=lambda z, a, m: 1,
            range="(-∞, ∞)",
        ),
        Activation(
            "sigmoid",
            "a = 1/(1 + exp(-z))",
            value=_logistic,
            slope=lambda z, a, m: a * (1 - a),
            range="(0, 1)",
            remark="The slope is never more than 1/4, which it reaches at z = 0.",
            bridge=(
                ("split the fraction", lambda z, m: _logistic(z, m) * (m.exp(-z) / (1 + m.exp(-z)))),
                ("add and subtract 1 in the numerator", lambda z, m: _logistic(z, m) * (1 - _logistic(z, m))),
            ),
        ),
        Activation(
            "tanh",
            "a = tanh(z)",
            value=lambda z, m: m.tanh(z),
            slope=lambda z, a, m: 1 - a**2,
            range="(-1, 1)",
        ),
        Activation(
            "relu",
            "a = z where z > 0, else 0",
            value=lambda z, m: m.positive(z, z, 0),
            slope=lambda z, a, m: m.positive(z, 1, 0),
            range="[0, ∞)",
            remark="At z = 0 there is no derivative; 0 is used there, as nearly all programs do.",
        ),
    )
}
