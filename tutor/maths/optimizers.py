"""Optimizers: from a parameter w and its gradient g to the new parameter, as named equations in order."""

from __future__ import annotations

from typing import Any

from tutor.maths.number_system import NumberSystem, larger, sign
from tutor.maths.optimizer import Body, Equation, Flag, Optimizer
from tutor.maths.setting import Setting

Scalar = Any


def _step(rate: Body, reason: str = "gradient step") -> Equation:
    return Equation("w", lambda s, m: s.w - rate(s, m), reason)


def _root(mean: Scalar, epsilon: Scalar, s: Any, m: NumberSystem) -> Scalar:
    """What a step is divided by: the root of a mean of squares, kept from 0 by epsilon."""
    return m.sqrt(mean + epsilon) if s.epsilon_inside else m.sqrt(mean) + epsilon


def _adam_root(s: Any, m: NumberSystem) -> Scalar:
    if not s.epsilon_hat:
        return _root(s.v_hat, s.epsilon, s, m)
    rest = 1 - s.beta2**s.t
    return _root(s.v_hat, s.epsilon / (rest if s.epsilon_inside else m.sqrt(rest)), s, m)


def _decay(default: str, meaning: str) -> Setting:
    return Setting(default, meaning, 0, 1)


EPSILON = Setting("1e-8", "keeps the division from one by 0")
BETA1 = _decay("0.9", "how much of the mean of the gradients m is kept at each update")
BETA2 = _decay("0.999", "how much of the mean of the squares v is kept at each update")
RHO = "how much of the mean of the squares r is kept at each update"
ADAM_SETTINGS = {"beta1": BETA1, "beta2": BETA2, "epsilon": EPSILON}
INSIDE = Flag(False, "with epsilon inside the root")
ADAM_FLAGS = {
    "epsilon_inside": INSIDE,
    "epsilon_hat": Flag(False, "with epsilon added before the bias correction, which then enlarges it too"),
    "amsgrad": Flag(False, "with the largest v so far in place of v (AMSGrad)"),
}

FIRST_MOMENT = Equation(
    "m", lambda s, m: s.beta1 * s.m + (1 - s.beta1) * s.g, "first moment: mean of gradients", start="0"
)
SECOND_MOMENT = Equation(
    "v", lambda s, m: s.beta2 * s.v + (1 - s.beta2) * s.g**2, "second moment: mean of squares", start="0"
)
M_HAT = "m, enlarged because it began at 0"
V_HAT = "v, enlarged because it began at 0"
CORRECTED_SECOND = Equation(
    "v_hat", lambda s, m: s.v_new / (1 - s.beta2**s.t), "bias correction", meaning=V_HAT, correction=True
)
ADAM_MOMENTS = (
    FIRST_MOMENT,
    SECOND_MOMENT,
    Equation("v_max", lambda s, m: larger(s.v_max, s.v_new, m), "the largest v so far", start="0", when="amsgrad"),
    Equation("m_hat", lambda s, m: s.m_new / (1 - s.beta1**s.t), "bias correction", meaning=M_HAT, correction=True),
    Equation(
        "v_hat",
        lambda s, m: (s.v_max_new if s.amsgrad else s.v_new) / (1 - s.beta2**s.t),
        "bias correction",
        meaning=V_HAT,
        correction=True,
    ),
)
SQUARES = Equation("r", lambda s, m: s.rho * s.r + (1 - s.rho) * s.g**2, "mean of the squared gradients", start="0")


def _moved(s: Any) -> Scalar:
    """What the velocity takes of the gradient."""
    if not s.classical:
        return (1 - s.beta) * s.g
    return s.g if s.dampening is None else (1 - s.dampening) * s.g


def _rms(s: Any, m: NumberSystem) -> Scalar:
    return _root(s.variance if s.centered else s.r_new, s.epsilon, s, m)


def _variance(s: Any, m: NumberSystem) -> Scalar:
    """Never below 0, where rounding may lead."""
    found = s.r_new - s.a_new**2
    return m.positive(found, found, 0)


def _scheduled(t: Scalar, s: Any, m: NumberSystem) -> Scalar:
    """Dozat's momentum schedule, beta1·(1 - 0.5·0.96^(psi·t))."""
    return s.beta1 * (1 - m.number("0.5") * m.number("0.96") ** (s.psi * t))


OPTIMIZERS = {
    entry.name: entry
    for entry in (
        Optimizer(
            "sgd",
            "gradient descent",
            (_step(lambda s, m: s.eta * s.g),),
            remark="Called stochastic gradient descent where each update sees only some of the examples; the equation "
            "is the same.",
            source="the lecture; Cauchy 1847; with some of the examples at a time Robbins and Monro 1951",
            frameworks="PyTorch's SGD and Keras's SGD without momentum.",
            small_rate="0.3",
        ),
        Optimizer(
            "momentum",
            "gradient descent with momentum",
            (
                Equation(
                    "v",
                    lambda s, m: s.g if s.first and s.dampening is not None else s.beta * s.v + _moved(s),
                    "velocity: a weighted sum of the gradients",
                    start="0",
                ),
                _step(lambda s, m: s.eta * s.v_new, "step along the velocity"),
            ),
            settings={
                "beta": _decay("0.9", "how much of the velocity v is kept at each update"),
                "dampening": Setting(
                    None,
                    "what share of each gradient but the first is left out of the velocity",
                    0,
                    1,
                    when="classical",
                    example="0.9",
                ),
            },
            flags={
                "classical": Flag(
                    False,
                    "in the classical form v_new = beta·v + g",
                    "in the averaged form v_new = beta·v + (1 - beta)·g",
                )
            },
            rate="0.001",
            remark="The averaged form, without bias correction: v begins at 0, so the first steps are short. "
            "The classical one, v_new = beta·v + g, is `classical = true`; at a constant learning rate the two differ "
            "by the factor 1 - beta in it.",
            source="the lecture; the classical form by Polyak 1964",
            frameworks="PyTorch's SGD and Keras's SGD have the classical form. Keras multiplies by the learning rate "
            "when a gradient enters the velocity, not when the velocity moves the weight: the same as long as the rate "
            "does not change. `dampening` is PyTorch's: v_new = beta·v + (1 - dampening)·g, but v_new = g in the first "
            "update; with dampening = beta that is the averaged form from v = g instead of v = 0.",
            small_rate="0.3",
        ),
        Optimizer(
            "nesterov",
            "Nesterov momentum",
            (
                Equation("v", lambda s, m: s.beta * s.v + s.g, "velocity", start="0"),
                _step(lambda s, m: s.eta * (s.g + s.beta * s.v_new), "step along the velocity, looked ahead"),
            ),
            settings={"beta": _decay("0.9", "how much of the velocity v is kept at each update")},
            rate="0.001",
            remark="The classical velocity. w is the point already stepped ahead, so that the gradient there is the "
            "one that counts.",
            source="Nesterov 1983; in this form Bengio, Boulanger-Lewandowski and Pascanu 2013",
            frameworks="PyTorch's SGD and Keras's SGD with nesterov=True. Keras multiplies by the learning rate when a "
            "gradient enters the velocity: the same as long as the rate does not change.",
            small_rate="0.1",
        ),
        Optimizer(
            "adaptive_sign",
            "gradient descent with the sign-of-change rule",
            (_step(lambda s, m: s.eta_new * s.g),),
            settings={
                "up": Setting("1.05", "by what the learning rate is multiplied after two changes of the same sign"),
                "down": Setting("0.7", "by what the learning rate is multiplied after two changes of different signs"),
            },
            shared=(
                Equation("change", lambda s, m: s.E * 0 if s.first else s.E - s.E_before, "change of the error", "0"),
                Equation(
                    "eta",
                    lambda s, m: m.positive(
                        s.change_new * s.change,
                        s.up * s.eta,
                        m.positive(-s.change_new * s.change, s.down * s.eta, s.eta),
                    ),
                    "same sign: faster; other sign: slower",
                    start="eta",
                ),
                Equation("E_before", lambda s, m: s.E, "the error, kept for the next update", "0"),
            ),
            remark="One learning rate for all parameters, from the error E. A steadily rising error also keeps its "
            "sign and makes the rate grow.",
            source="the lecture's slide on adaptive learning rates; factors by Vogl et al. 1988",
            frameworks="Neither PyTorch nor Keras has it. PyTorch's Rprop compares the signs of each parameter's own "
            "gradients instead, and has a step size for each parameter.",
            small_rate="0.1",
        ),
        Optimizer(
            "adagrad",
            "AdaGrad",
            (
                Equation("r", lambda s, m: s.r + s.g**2, "sum of the squared gradients", start="initial_accumulator"),
                _step(lambda s, m: s.eta * s.g / _root(s.r_new, s.epsilon, s, m), "step, ever shorter"),
            ),
            settings={"epsilon": EPSILON, "initial_accumulator": Setting("0", "what the sum r begins with")},
            flags={"epsilon_inside": INSIDE},
            rate="0.001",
            remark="The sum never falls, so the learning rate is divided by ever more. epsilon is added outside the "
            "root, and the sum begins at 0: the first step is eta for any gradient that is well above epsilon.",
            source="Duchi, Hazan and Singer 2011",
            frameworks="PyTorch's Adagrad with epsilon = 1e-10 and a learning rate of 0.01. Keras's Adagrad has "
            "epsilon_inside = true, epsilon = 1e-7 and initial_accumulator = 0.1.",
            small_rate="0.3",
        ),
        Optimizer(
            "rmsprop",
            "RMSProp",
            (
                SQUARES,
                Equation(
                    "a",
                    lambda s, m: s.rho * s.a + (1 - s.rho) * s.g,
                    "mean of the gradients",
                    start="0",
                    when="centered",
                ),
                Equation(
                    "variance",
                    _variance,
                    "variance of the gradients: mean square minus squared mean",
                    when="centered",
                ),
                Equation(
                    "b",
                    lambda s, m: s.momentum * s.b + s.g / _rms(s, m),
                    "velocity of the scaled gradients",
                    start="0",
                    when="momentum",
                ),
                _step(lambda s, m: s.eta * s.g / _rms(s, m) if s.momentum is None else s.eta * s.b_new, "step, scaled"),
            ),
            settings={
                "rho": _decay("0.9", RHO),
                "epsilon": EPSILON,
                "momentum": Setting(
                    None, "how much of the velocity b of the scaled gradients is kept", 0, 1, example="0.9"
                ),
            },
            flags={
                "epsilon_inside": INSIDE,
                "centered": Flag(
                    False, "centered: divided by the root of the variance r_new - a_new² of the gradients"
                ),
            },
            rate="0.001",
            remark="epsilon is added outside the root. There is no bias correction: r begins at 0, so the first step "
            "is eta/sqrt(1 - rho), 3.16·eta with rho = 0.9, for any gradient that is well above epsilon.",
            source="Tieleman and Hinton 2012, whose slide has no epsilon",
            frameworks="PyTorch's RMSprop with alpha = rho = 0.99 and a learning rate of 0.01. Keras's RMSprop has "
            "epsilon_inside = true and epsilon = 1e-7. Both have `centered` and `momentum`; Keras multiplies by the "
            "learning rate when a gradient enters the velocity, PyTorch, as here, when the velocity moves the weight.",
            small_rate="0.03",
        ),
        Optimizer(
            "adadelta",
            "AdaDelta",
            (
                SQUARES,
                Equation(
                    "d",
                    lambda s, m: m.sqrt(s.u + s.epsilon) / m.sqrt(s.r_new + s.epsilon) * s.g,
                    "step in the units of w",
                ),
                Equation("u", lambda s, m: s.rho * s.u + (1 - s.rho) * s.d**2, "mean of the squared steps", start="0"),
                _step(lambda s, m: s.eta * s.d, "step"),
            ),
            settings={
                "rho": _decay("0.95", "how much of the means of squares r and u is kept at each update"),
                "epsilon": Setting("1e-6", "keeps the division from one by 0, and makes the first step other than 0"),
            },
            rate="1",
            remark="Meant for eta = 1. epsilon is inside both roots, and there is no bias correction.",
            source="Zeiler 2012, who has no eta",
            frameworks="PyTorch's Adadelta with rho = 0.9. Keras's Adadelta has epsilon = 1e-7 and a learning rate of "
            "0.001, a thousandth of what Zeiler means.",
            small_rate="1",
        ),
        Optimizer(
            "adam",
            "Adam",
            (*ADAM_MOMENTS, _step(lambda s, m: s.eta * s.m_hat / _adam_root(s, m), "step, scaled")),
            settings=ADAM_SETTINGS,
            flags=ADAM_FLAGS,
            rate="0.001",
            remark="Adaptive moment estimation: m is the mean of the signed gradients, v that of their squares. Both "
            "begin at 0 and are bias-corrected for it. epsilon is added outside the root, after the correction.",
            source="the lecture; Kingma and Ba 2015, algorithm 1; AMSGrad by Reddi, Kale and Kumar 2018",
            frameworks="PyTorch's Adam, also with `amsgrad`. Keras's Adam has epsilon_hat = true, the other form "
            "in Kingma and Ba's section 2, and epsilon = 1e-7. AMSGrad as both frameworks have it takes the largest v "
            "before the bias correction; Reddi, Kale and Kumar have no correction at all.",
            small_rate="0.03",
        ),
        Optimizer(
            "adamw",
            "AdamW",
            (
                *ADAM_MOMENTS,
                _step(lambda s, m: s.eta * (s.m_hat / _adam_root(s, m) + s.decay * s.w), "step with decay"),
            ),
            settings={**ADAM_SETTINGS, "decay": Setting("0.01", "what share of the weight, times eta, is taken away")},
            flags=ADAM_FLAGS,
            rate="0.001",
            remark="Adam, and the weight itself decays, past the moments: with a penalty l2 the decay would be divided "
            "by the root too. Biases decay like weights.",
            source="Loshchilov and Hutter 2019, who multiply the decay by the schedule alone, not by the whole eta",
            frameworks="PyTorch's AdamW. Keras's AdamW has epsilon_hat = true, epsilon = 1e-7 and decay = 0.004.",
            small_rate="0.03",
        ),
        Optimizer(
            "nadam",
            "Nadam",
            (
                FIRST_MOMENT,
                SECOND_MOMENT,
                Equation(
                    "g_hat",
                    lambda s, m: s.g / (1 - (s.product_new if s.momentum_schedule else s.beta1**s.t)),
                    "bias correction",
                    meaning="the gradient, enlarged as it counts in this update",
                    correction=True,
                ),
                Equation(
                    "m_hat",
                    lambda s, m: (
                        s.m_new / (1 - (s.product_new * s.mu_next if s.momentum_schedule else s.beta1**s.next_t))
                    ),
                    "bias correction",
                    meaning="m, enlarged as it counts in the next update",
                    correction=True,
                ),
                CORRECTED_SECOND,
                Equation(
                    "m_bar",
                    lambda s, m: (
                        s.mu_next * s.m_hat + (1 - s.mu) * s.g_hat
                        if s.momentum_schedule
                        else s.beta1 * s.m_hat + (1 - s.beta1) * s.g_hat
                    ),
                    "looked ahead, as Nesterov does",
                    meaning="the mean of the gradients, looked ahead by one update",
                ),
                _step(lambda s, m: s.eta * s.m_bar / _root(s.v_hat, s.epsilon, s, m), "step, scaled"),
            ),
            settings={
                **ADAM_SETTINGS,
                "psi": Setting("0.004", "how fast the momentum mu grows to beta1", when="momentum_schedule"),
            },
            flags={
                "epsilon_inside": INSIDE,
                "momentum_schedule": Flag(
                    False,
                    "with Dozat's momentum schedule, mu = beta1·(1 - 0.5·0.96^(psi·t)) in place of beta1 except in "
                    "the line of m",
                ),
            },
            shared=(
                Equation(
                    "mu",
                    lambda s, m: _scheduled(s.t, s, m),
                    "momentum of this update",
                    when="momentum_schedule",
                ),
                Equation(
                    "mu_next",
                    lambda s, m: _scheduled(s.next_t, s, m),
                    "momentum of the next update",
                    when="momentum_schedule",
                ),
                Equation(
                    "product",
                    lambda s, m: s.product * s.mu,
                    "product of all momenta so far",
                    start="1",
                    when="momentum_schedule",
                ),
            ),
            rate="0.001",
            remark="Adam that looks ahead as Nesterov does: m is corrected as it will count in the next update, by "
            "1 - beta1^(t + 1), the gradient as it counts in this one. epsilon is added outside the root. The momentum "
            "is constant unless `momentum_schedule = true`, with which it grows from about beta1/2 to beta1.",
            source="Dozat 2016, with every mu_t = beta1",
            frameworks="PyTorch's NAdam has momentum_schedule = true with psi = 0.004, its momentum_decay, and a "
            "learning rate of 0.002; Keras's Nadam has it with psi = 1 and epsilon = 1e-7. Both, as here, leave beta1 "
            "in the line of m, where Dozat has mu_t. A form that is often printed divides m by 1 - beta1^t; its first "
            "step is 1.9·eta with beta1 = 0.9, Dozat's 1.47·eta. Optax's nadam has no schedule, as here.",
            small_rate="0.03",
        ),
        Optimizer(
            "lion",
            "Lion",
            (
                Equation(
                    "c",
                    lambda s, m: s.beta1 * s.m + (1 - s.beta1) * s.g,
                    "the mean of the gradients, drawn towards the newest",
                ),
                Equation(
                    "m", lambda s, m: s.beta2 * s.m + (1 - s.beta2) * s.g, "momentum: mean of gradients", start="0"
                ),
                _step(
                    lambda s, m: s.eta * (sign(s.c, m) if s.decay is None else sign(s.c, m) + s.decay * s.w),
                    "step by the sign",
                ),
            ),
            settings={
                "beta1": _decay("0.9", "how much of the mean m there is in c, whose sign is taken"),
                "beta2": _decay("0.99", "how much of the mean m is kept at each update"),
                "decay": Setting(None, "what share of the weight, times eta, is taken away", example="0.01"),
            },
            rate="0.0001",
            remark="Evolved sign momentum: every parameter moves by eta exactly, whatever the size of its gradient, so "
            "eta is to be three to ten times smaller than with Adam. Where c is 0 nothing moves.",
            source="Chen et al. 2023, algorithm 2",
            frameworks="Keras's Lion; PyTorch has none of its own. There, too, c is made of beta1 and the new mean of "
            "beta2, and beta1 = 0.9, beta2 = 0.99.",
            small_rate="0.01",
        ),
    )
}
