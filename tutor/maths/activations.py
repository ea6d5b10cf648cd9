"""Activation functions: what a neuron makes of its weighted sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.maths.number_system import NumberSystem, sign

Scalar = Any
Body = Callable[..., Scalar]


@dataclass(frozen=True, slots=True)
class Activation:
    """a = value(z) and its slope da/dz, written with the output a wherever that is shorter.

    An activation with a `parameter` takes alpha after z: value(z, alpha, m) and slope(z, a, alpha, m); `default` is its
    value where none is given. `bridge`
    holds the lines that lead from what the rules of differentiation give to the slope as it is taught, each with the
    name of the step. `slope` is None where there is no useful derivative. `corner` is a point without derivative.
    """

    name: str
    equation: str
    value: Body
    slope: Body | None
    range: str
    derivative: str
    remark: str = ""
    source: str = "the lecture's table of activation functions"
    parameter: str | None = None
    default: str = "1"
    corner: float | None = None
    bridge: tuple[tuple[str, Body], ...] = ()


def _logistic(z: Scalar, m: NumberSystem) -> Scalar:
    return 1 / (1 + m.exp(-z))


NO_SLOPE = "its slope is 0 wherever it exists, so gradient descent cannot use it; train with the perceptron rule"

ACTIVATIONS = {
    entry.name: entry
    for entry in (
        Activation(
            "linear",
            "a = z",
            value=lambda z, m: z,
            slope=lambda z, a, m: 1,
            range="(-∞, ∞)",
            derivative="1",
            remark="Layers of linear neurons alone are no more than one linear layer.",
        ),
        Activation(
            "step",
            "a = 1 where z >= 0, else 0",
            value=lambda z, m: m.positive(-z, 0, 1),
            slope=None,
            range="{0, 1}",
            derivative="0 for z ≠ 0, none at 0",
            remark=NO_SLOPE,
            corner=0,
        ),
        Activation(
            "sign",
            "a = 1 where z > 0, -1 where z < 0, 0 at 0",
            value=sign,
            slope=None,
            range="{-1, 0, 1}",
            derivative="0 for z ≠ 0, none at 0",
            remark=NO_SLOPE,
            corner=0,
        ),
        Activation(
            "sigmoid",
            "a = 1/(1 + exp(-z))",
            value=_logistic,
            slope=lambda z, a, m: a * (1 - a),
            range="(0, 1)",
            derivative="a*(1 - a)",
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
            derivative="1 - a²",
            remark="tanh(z) = 2·sigmoid(2z) - 1: a sigmoid, stretched and centred at 0.",
        ),
        Activation(
            "relu",
            "a = z where z > 0, else 0",
            value=lambda z, m: m.positive(z, z, 0),
            slope=lambda z, a, m: m.positive(z, 1, 0),
            range="[0, ∞)",
            derivative="1 for z > 0, 0 for z < 0, none at 0",
            remark="At z = 0 there is no derivative; 0 is used there, as nearly all programs do.",
            corner=0,
        ),
        Activation(
            "leaky_relu",
            "a = z where z > 0, else 0.01·z",
            value=lambda z, m: m.positive(z, z, m.number("0.01") * z),
            slope=lambda z, a, m: m.positive(z, 1, m.number("0.01")),
            range="(-∞, ∞)",
            derivative="1 for z > 0, 0.01 for z < 0, none at 0",
            remark="The lecture prints the range as (-1, 1) and a derivative of 1 at 0; from the left it is 0.01.",
            corner=0,
        ),
        Activation(
            "prelu",
            "a = z where z > 0, else alpha·z",
            value=lambda z, alpha, m: m.positive(z, z, alpha * z),
            slope=lambda z, a, alpha, m: m.positive(z, 1, alpha),
            range="(-∞, ∞) for alpha > 0",
            derivative="1 for z > 0, alpha for z < 0, none at 0",
            remark="A leaky ReLU with a slope of its own. As published, alpha is learned with the weights; here it "
            "keeps the value that it is given.",
            source="He et al. 2015, Delving deep into rectifiers",
            parameter="alpha",
            default="0.25",
            corner=0,
        ),
        Activation(
            "elu",
            "a = z where z > 0, else alpha·(exp(z) - 1)",
            value=lambda z, alpha, m: m.positive(z, z, alpha * (m.exp(z) - 1)),
            slope=lambda z, a, alpha, m: m.positive(z, 1, a + alpha),
            range="(-alpha, ∞)",
            derivative="1 for z > 0, a + alpha = alpha·exp(z) for z < 0",
            remark="The lecture prints the range as [0, ∞). At z = 0 the slopes of both sides agree only if alpha = 1.",
            parameter="alpha",
        ),
        Activation(
            "softplus",
            "a = ln(1 + exp(z))",
            value=lambda z, m: m.log_one_plus_exp(z),
            slope=lambda z, a, m: _logistic(z, m),
            range="(0, ∞)",
            derivative="1/(1 + exp(-z))",
            remark="The lecture prints the range as (0, 1); that is the range of its derivative, the sigmoid.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class VectorActivation:
    """An activation of a whole layer: output i depends on every weighted sum.

    value(zs, i, m) is output i; slope(outputs, i, j, m) is the derivative of output i by weighted sum j.
    """

    name: str
    equation: str
    value: Body
    slope: Body
    range: str
    derivative: str
    remark: str
    source: str


VECTOR_ACTIVATIONS = {
    "softmax": VectorActivation(
        "softmax",
        "a_i = exp(z_i)/(exp(z_1) + … + exp(z_K))",
        value=lambda zs, i, m: m.exp(zs[i]) / sum((m.exp(z) for z in zs[1:]), m.exp(zs[0])),
        slope=lambda outputs, i, j, m: outputs[i] * (1 - outputs[i]) if i == j else -(outputs[i] * outputs[j]),
        range="(0, 1), all together 1",
        derivative="a_i·(δ_ij - a_j)",
        remark="With cross-entropy and targets that add up to 1 the gradient by z_i is simply a_i - t_i.",
        source="the lecture's slides on multi-class MLPs",
    )
}
