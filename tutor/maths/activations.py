"""Activation functions: what a neuron makes of its weighted sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.maths.number_system import NumberSystem, absolute, sign

Scalar = Any
Body = Callable[..., Scalar]


@dataclass(frozen=True, slots=True)
class Activation:
    """a = value(z) and its slope da/dz, written with the output a wherever that is shorter.

    An activation with a `parameter` takes alpha after z: value(z, alpha, m) and slope(z, a, alpha, m); `default` is its
    value where none is given. `bridge`
    holds the lines that lead from what the rules of differentiation give to the slope as it is taught, each with the
    name of the step. `slope` is None where there is no useful derivative. `corner` is a point without derivative.
    `initializer` is where the weights of a layer begin that has it, unless something else is asked for.
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
    initializer: str = "xavier"


def _logistic(z: Scalar, m: NumberSystem) -> Scalar:
    return 1 / (1 + m.exp(-z))


def _below(z: Scalar, m: NumberSystem) -> Scalar:
    """1 + erf(z/sqrt(2)), twice the share of a standard normal distribution below z."""
    return 1 + m.erf(z / m.sqrt(2))


_SELU_SCALE, _SELU_ALPHA = "1.0507009873554805", "1.6732632423543772"


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
            initializer="he",
        ),
        Activation(
            "leaky_relu",
            "a = z where z > 0, else 0.01·z",
            value=lambda z, m: m.positive(z, z, m.number("0.01") * z),
            slope=lambda z, a, m: m.positive(z, 1, m.number("0.01")),
            range="(-∞, ∞)",
            derivative="1 for z > 0, 0.01 for z < 0, none at 0",
            remark="At z = 0 the slope is 0.01 from the left and 1 from the right; 0.01 is used there.",
            corner=0,
            initializer="he",
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
            initializer="he",
        ),
        Activation(
            "elu",
            "a = z where z > 0, else alpha·(exp(z) - 1)",
            value=lambda z, alpha, m: m.positive(z, z, alpha * (m.exp(z) - 1)),
            slope=lambda z, a, alpha, m: m.positive(z, 1, a + alpha),
            range="(-alpha, ∞)",
            derivative="1 for z > 0, a + alpha = alpha·exp(z) for z < 0",
            remark="At z = 0 the slopes of both sides agree only if alpha = 1.",
            parameter="alpha",
            initializer="he",
        ),
        Activation(
            "softplus",
            "a = ln(1 + exp(z))",
            value=lambda z, m: m.log_one_plus_exp(z),
            slope=lambda z, a, m: _logistic(z, m),
            range="(0, ∞)",
            derivative="1/(1 + exp(-z))",
            remark="Its derivative is the sigmoid.",
        ),
        Activation(
            "gelu",
            "a = z·(1 + erf(z/sqrt(2)))/2",
            value=lambda z, m: z * _below(z, m) / 2,
            slope=lambda z, a, m: (_below(z, m) + z * m.sqrt(2 / m.pi) * m.exp(-(z**2 / 2))) / 2,
            range="[-0.17, ∞)",
            derivative="(1 + erf(z/sqrt(2)) + z·sqrt(2/pi)·exp(-z²/2))/2",
            remark="z times the share of a standard normal distribution below z. It falls to -0.17 at z = -0.75 before "
            "it rises: the slope is below 0 there, and reaches 1.13 at z = sqrt(2).",
            source="Hendrycks and Gimpel 2016, Gaussian error linear units",
            initializer="he",
        ),
        Activation(
            "silu",
            "a = z/(1 + exp(-z))",
            value=lambda z, m: z / (1 + m.exp(-z)),
            slope=lambda z, a, m: _logistic(z, m) * (1 + z - a),
            range="[-0.28, ∞)",
            derivative="(1 + z - a)/(1 + exp(-z))",
            remark="z times its sigmoid, also called swish. It falls to -0.28 at z = -1.28 before it rises; the slope "
            "goes from -0.10 to 1.10.",
            source="Elfwing, Uchibe and Doya 2017; Ramachandran, Zoph and Le 2017, Searching for activation functions",
            bridge=(
                ("take out the common factor", lambda z, m: _logistic(z, m) * (1 + z * (m.exp(-z) / (1 + m.exp(-z))))),
                ("add and subtract 1 in the numerator", lambda z, m: _logistic(z, m) * (1 + z * (1 - _logistic(z, m)))),
            ),
            initializer="he",
        ),
        Activation(
            "selu",
            f"a = {_SELU_SCALE[:6]}·z where z > 0, else {_SELU_SCALE[:6]}·{_SELU_ALPHA[:6]}·(exp(z) - 1)",
            value=lambda z, m: m.number(_SELU_SCALE) * m.positive(z, z, m.number(_SELU_ALPHA) * (m.exp(z) - 1)),
            slope=lambda z, a, m: m.positive(
                z, m.number(_SELU_SCALE), a + m.number(_SELU_SCALE) * m.number(_SELU_ALPHA)
            ),
            range="(-1.7581, ∞)",
            derivative="1.0507 for z > 0, a + 1.7581 for z < 0, none at 0",
            remark=f"An ELU whose two numbers, {_SELU_SCALE} and {_SELU_ALPHA}, keep mean 0 and variance 1 from "
            "layer to layer where the weights have mean 0 and variance 1/n_in.",
            source="Klambauer et al. 2017, Self-normalizing neural networks",
            corner=0,
        ),
        Activation(
            "softsign",
            "a = z/(1 + |z|)",
            value=lambda z, m: z / (1 + absolute(z, m)),
            slope=lambda z, a, m: 1 / (1 + absolute(z, m)) ** 2,
            range="(-1, 1)",
            derivative="1/(1 + |z|)²",
            remark="Shaped as tanh, but it comes near -1 and 1 much more slowly: at z = 9 it is 0.9.",
            source="Bergstra et al. 2009; Glorot and Bengio 2010",
            bridge=(
                (
                    "z times its sign is |z|",
                    lambda z, m: 1 / (1 + absolute(z, m)) - absolute(z, m) / (1 + absolute(z, m)) ** 2,
                ),
            ),
        ),
        Activation(
            "hard_sigmoid",
            "a = 0 where z <= -3, 1 where z >= 3, else (z + 3)/6",
            value=lambda z, m: m.positive(z + 3, m.positive(3 - z, (z + 3) / 6, 1), 0),
            slope=lambda z, a, m: m.positive(z + 3, m.positive(3 - z, 1, 0), 0) / 6,
            range="[0, 1]",
            derivative="1/6 for -3 < z < 3, 0 beyond, none at -3 and 3",
            remark="A sigmoid of straight lines, as PyTorch and Keras 3 have it; earlier Keras took 0.2·z + 0.5. "
            "Beyond -3 and 3 nothing is learned any more.",
            source="Courbariaux, Bengio and David 2015; Howard et al. 2019",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class VectorActivation:
    """An activation of a whole layer: output i depends on every weighted sum.

    value(zs, i, m) is output i; slope(outputs, i, j, m) is the derivative of output i by weighted sum j. Computers take
    the largest sum from all, which changes no output and lets nothing overflow: output i is power_i/(sum of the powers)
    with power(z, largest, m). back(a, by_a, mean) is dE/dz of dE/da, with the sum over the outputs of a·dE/da.
    """

    name: str
    equation: str
    value: Body
    slope: Body
    power: Body
    back: Body
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
        power=lambda z, largest, m: m.exp(z - largest),
        back=lambda a, by_a, mean: a * (by_a - mean),
        range="(0, 1), all together 1",
        derivative="a_i·(δ_ij - a_j)",
        remark="With cross-entropy and targets that add up to 1 the gradient by z_i is simply a_i - t_i.",
        source="the lecture's slides on multi-class MLPs",
    )
}
