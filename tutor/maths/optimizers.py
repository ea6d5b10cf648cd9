"""Optimizers: from a parameter w and its gradient g to the new parameter, as named equations in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.maths.system import NumberSystem

Scalar = Any
Body = Callable[[Any, NumberSystem], Scalar]

BETA, EPSILON = "0.9", "1e-8"


@dataclass(frozen=True, slots=True)
class Equation:
    """One line: the quantity `name` (a state, an intermediate result or, in the last line, `w`) and its value.

    The body takes a namespace with w, g, eta, t (the number of the update, from 1), the settings, the states as they
    were, and the results of the lines above: a state's new value as `<state>_new`, anything else by its name.
    """

    name: str
    body: Body
    reason: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A setting that is true or false, and the form that the optimizer has then."""

    default: bool
    on: str
    off: str


@dataclass(frozen=True, slots=True)
class Optimizer:
    """States begin at 0 and are kept for each parameter; `shared` lines are worked once an update for all of them.

    `rate` is the learning rate that is taken where none is given.
    """

    name: str
    title: str
    equation: str
    equations: tuple[Equation, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Flag] = field(default_factory=dict)
    state: tuple[str, ...] = ()
    shared: tuple[Equation, ...] = ()
    shared_state: tuple[str, ...] = ()
    rate: str | None = None
    remark: str = ""
    source: str = "the lecture"


def _step(rate: Body, reason: str = "gradient step") -> Equation:
    return Equation("w", lambda s, m: s.w - rate(s, m), reason)


FIRST_MOMENT = Equation("m", lambda s, m: s.beta1 * s.m + (1 - s.beta1) * s.g, "first moment: mean of gradients")
SECOND_MOMENT = Equation("v", lambda s, m: s.beta2 * s.v + (1 - s.beta2) * s.g**2, "second moment: mean of squares")
CORRECTED_FIRST = Equation("m_hat", lambda s, m: s.m_new / (1 - s.beta1**s.t), "bias correction")
CORRECTED_SECOND = Equation("v_hat", lambda s, m: s.v_new / (1 - s.beta2**s.t), "bias correction")
ADAM_SETTINGS = {"beta1": "0.9", "beta2": "0.999", "epsilon": EPSILON}

OPTIMIZERS = {
    entry.name: entry
    for entry in (
        Optimizer("sgd", "gradient descent", "w_new = w - eta·g", (_step(lambda s, m: s.eta * s.g),)),
        Optimizer(
            "momentum",
            "gradient descent with momentum",
            "v_new = beta·v + (1 - beta)·g; w_new = w - eta·v_new",
            (
                Equation(
                    "v",
                    lambda s, m: s.beta * s.v + (s.g if s.classical else (1 - s.beta) * s.g),
                    "velocity: a weighted average of the gradients",
                ),
                _step(lambda s, m: s.eta * s.v_new, "step along the velocity"),
            ),
            settings={"beta": BETA},
            flags={
                "classical": Flag(
                    False,
                    "in the classical form v_new = beta·v + g",
                    "in the averaged form v_new = beta·v + (1 - beta)·g",
                )
            },
            rate="0.001",
            state=("v",),
            remark="The lecture's averaged form. The classical one, v_new = beta·v + g, is `classical = true`; at a "
            "constant learning rate the two differ by the factor 1 - beta in it.",
        ),
        Optimizer(
            "nesterov",
            "Nesterov momentum",
            "v_new = beta·v + g; w_new = w - eta·(g + beta·v_new)",
            (
                Equation("v", lambda s, m: s.beta * s.v + s.g, "velocity"),
                _step(lambda s, m: s.eta * (s.g + s.beta * s.v_new), "step along the velocity, looked ahead"),
            ),
            settings={"beta": BETA},
            rate="0.001",
            state=("v",),
            remark="w is the point already stepped ahead, so that the gradient there is the one that counts.",
            source="Nesterov 1983; in this form Bengio, Boulanger-Lewandowski and Pascanu 2013",
        ),
        Optimizer(
            "adaptive_sign",
            "gradient descent with the sign-of-change rule",
            "change = E - E_before; eta_new = up·eta where change and the one before have the same sign, down·eta "
            "where they differ; w_new = w - eta_new·g",
            (_step(lambda s, m: s.eta_new * s.g),),
            settings={"up": "1.05", "down": "0.7"},
            shared=(
                Equation("change", lambda s, m: s.E * 0 if s.first else s.E - s.E_before, "change of the error"),
                Equation(
                    "eta",
                    lambda s, m: m.positive(
                        s.change_new * s.change,
                        s.up * s.eta,
                        m.positive(-s.change_new * s.change, s.down * s.eta, s.eta),
                    ),
                    "same sign: faster; other sign: slower",
                ),
                Equation("E_before", lambda s, m: s.E, "the error, kept for the next update"),
            ),
            shared_state=("change", "eta", "E_before"),
            remark="As the lecture has it, a steadily rising error also keeps its sign and makes the rate grow.",
            source="the lecture's slide on adaptive learning rates; factors by Vogl et al. 1988",
        ),
        Optimizer(
            "adagrad",
            "AdaGrad",
            "r_new = r + g²; w_new = w - eta·g/(sqrt(r_new) + epsilon)",
            (
                Equation("r", lambda s, m: s.r + s.g**2, "sum of the squared gradients"),
                _step(lambda s, m: s.eta * s.g / (m.sqrt(s.r_new) + s.epsilon), "step, ever shorter"),
            ),
            settings={"epsilon": EPSILON},
            rate="0.001",
            state=("r",),
            remark="The sum never falls, so the steps only ever get shorter.",
            source="Duchi, Hazan and Singer 2011",
        ),
        Optimizer(
            "rmsprop",
            "RMSProp",
            "r_new = rho·r + (1 - rho)·g²; w_new = w - eta·g/(sqrt(r_new) + epsilon)",
            (
                Equation("r", lambda s, m: s.rho * s.r + (1 - s.rho) * s.g**2, "mean of the squared gradients"),
                _step(lambda s, m: s.eta * s.g / (m.sqrt(s.r_new) + s.epsilon), "step, scaled"),
            ),
            settings={"rho": "0.9", "epsilon": EPSILON},
            rate="0.001",
            state=("r",),
            source="Tieleman and Hinton 2012",
        ),
        Optimizer(
            "adadelta",
            "AdaDelta",
            "r_new = rho·r + (1 - rho)·g²; d = sqrt(u + epsilon)/sqrt(r_new + epsilon)·g; "
            "u_new = rho·u + (1 - rho)·d²; w_new = w - eta·d",
            (
                Equation("r", lambda s, m: s.rho * s.r + (1 - s.rho) * s.g**2, "mean of the squared gradients"),
                Equation(
                    "d",
                    lambda s, m: m.sqrt(s.u + s.epsilon) / m.sqrt(s.r_new + s.epsilon) * s.g,
                    "step in the units of w",
                ),
                Equation("u", lambda s, m: s.rho * s.u + (1 - s.rho) * s.d**2, "mean of the squared steps"),
                _step(lambda s, m: s.eta * s.d, "step"),
            ),
            settings={"rho": "0.95", "epsilon": "1e-6"},
            rate="1",
            state=("r", "u"),
            remark="Meant for eta = 1.",
            source="Zeiler 2012",
        ),
        Optimizer(
            "adam",
            "Adam",
            "m_new = beta1·m + (1 - beta1)·g; v_new = beta2·v + (1 - beta2)·g²; m_hat = m_new/(1 - beta1^t); "
            "v_hat = v_new/(1 - beta2^t); w_new = w - eta·m_hat/(sqrt(v_hat) + epsilon)",
            (
                FIRST_MOMENT,
                SECOND_MOMENT,
                CORRECTED_FIRST,
                CORRECTED_SECOND,
                _step(lambda s, m: s.eta * s.m_hat / (m.sqrt(s.v_hat) + s.epsilon), "step, scaled"),
            ),
            settings=ADAM_SETTINGS,
            rate="0.001",
            state=("m", "v"),
            remark="Adaptive moment estimation: m is the mean of the signed gradients, v that of their squares.",
            source="the lecture; Kingma and Ba 2015",
        ),
        Optimizer(
            "adamw",
            "AdamW",
            "like Adam, and the weight itself decays: w_new = w - eta·(m_hat/(sqrt(v_hat) + epsilon) + decay·w)",
            (
                FIRST_MOMENT,
                SECOND_MOMENT,
                CORRECTED_FIRST,
                CORRECTED_SECOND,
                _step(
                    lambda s, m: s.eta * (s.m_hat / (m.sqrt(s.v_hat) + s.epsilon) + s.decay * s.w), "step with decay"
                ),
            ),
            settings={**ADAM_SETTINGS, "decay": "0.01"},
            rate="0.001",
            state=("m", "v"),
            source="Loshchilov and Hutter 2019",
        ),
        Optimizer(
            "nadam",
            "Nadam",
            "like Adam, with m_bar = beta1·m_hat + (1 - beta1)·g/(1 - beta1^t) in place of m_hat",
            (
                FIRST_MOMENT,
                SECOND_MOMENT,
                CORRECTED_FIRST,
                CORRECTED_SECOND,
                Equation(
                    "m_bar",
                    lambda s, m: s.beta1 * s.m_hat + (1 - s.beta1) * s.g / (1 - s.beta1**s.t),
                    "looked ahead, as Nesterov does",
                ),
                _step(lambda s, m: s.eta * s.m_bar / (m.sqrt(s.v_hat) + s.epsilon), "step, scaled"),
            ),
            settings=ADAM_SETTINGS,
            rate="0.001",
            state=("m", "v"),
            source="Dozat 2016, in the form without a momentum schedule",
        ),
    )
}
