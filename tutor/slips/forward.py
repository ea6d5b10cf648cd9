"""Slips in sums, activations and losses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from tutor.formulas.expressions import MINUS_ONE, ONE, add, multiply, names, parts, power, replace, symbol
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.kind import Kind
from tutor.slips import rewrite
from tutor.slips.roles import Roles, activation_of
from tutor.slips.slip import Rewriting, Slip
from tutor.worksheet.connections import NamedNeuron
from tutor.worksheet.forward import activate
from tutor.worksheet.softmax import is_softmax
from tutor.worksheet.step import Step

Expr = Any


def _missing_bias(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.kind is Kind.WEIGHTED_SUM and step.formula.is_Add:
        for place, term in enumerate(step.formula.args):
            factors = rewrite.factors_of(term)
            if len(factors) == 1 and factors[0].is_Symbol:
                yield Rewriting(add(*step.formula.args[:place], *step.formula.args[place + 1 :]), str(factors[0]), "")


def _swapped_weights(step: Step, roles: Roles) -> Iterator[Rewriting]:
    own = roles.weights_in(step.formula)
    for row, matrix, position in roles.weight_rows(step):
        present = [w for w in row if w in own]
        others = [w for w in row if w]
        for first in present:
            for second in others:
                if first != second and (second not in present or first < second):
                    for formula in _exchanged(step.formula, roles, {first: second, second: first}):
                        yield Rewriting(formula, f"{first} and {second}")
        flat = [w for weights in matrix for w in weights]
        height = len(matrix)
        transposed = [flat[column * height + position] for column in range(len(row))]
        if transposed != row and all(transposed[i] for i, w in enumerate(row) if w in own):
            pairs = {w: str(transposed[i]) for i, w in enumerate(row) if w in own and w}
            for formula in _exchanged(step.formula, roles, pairs):
                yield Rewriting(formula, "the weight matrix, read by columns", "columns")


def _exchanged(formula: Expr, roles: Roles, pairs: dict[str, str]) -> Iterator[Expr]:
    """Each weight replaced by another after as many updates, where there is one."""
    own = roles.weights_in(formula)
    by = {name: roles.version(pairs[w], of_same_age=name) for w, name in own.items() if w in pairs}
    known = {symbol(name): symbol(other) for name, other in by.items() if other is not None}
    if len(known) == len(by):
        yield replace(formula, known)


def _no_activation(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if activation_of(step) and names(step.formula):
        yield Rewriting(symbol(names(step.formula)[0]), step.name, "")
    if total := _sum_of_softmax(step):
        yield Rewriting(symbol(total), step.name, "")
    if step.name in roles.slopes:
        yield Rewriting(ONE, step.name, "")


def _sum_of_softmax(step: Step) -> str | None:
    """The weighted sum of a softmax output."""
    above = [part for part in rewrite.factors_of(step.formula) if isinstance(part, sympy.exp)]
    return names(above[0])[0] if is_softmax(step) and above and names(above[0]) else None


def _wrong_activation(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if total := _sum_of_softmax(step):
        yield Rewriting(sympy.exp(symbol(total)), "exp alone, not divided by the sum", "exp")
        yield Rewriting(activate(NamedNeuron("", total, step.name), "sigmoid").formula, "sigmoid", "sigmoid")
    if activation_of(step) and names(step.formula):
        neuron = NamedNeuron("", names(step.formula)[0], step.name)
        for name, entry in ACTIVATIONS.items():
            if name not in (step.which, "linear") and not entry.parameter:
                yield Rewriting(activate(neuron, name).formula, name, name)
    elif step.name in roles.slopes:
        output, total = roles.slopes[step.name]
        for name, entry in ACTIVATIONS.items():
            if name not in (roles.by_name[output].which, "linear") and entry.slope and not entry.parameter:
                yield Rewriting(activate(NamedNeuron("", total, output), name).slopes[total], name, name)


def _exp_sign(step: Step, roles: Roles) -> Iterator[Rewriting]:
    def turned(node: Expr) -> Iterator[Expr]:
        if isinstance(node, sympy.exp):
            yield sympy.exp(multiply(MINUS_ONE, node.args[0]), evaluate=False)

    for formula in rewrite.anywhere(step.formula, turned):
        yield Rewriting(formula, "exp", "")


def _log_base(step: Step, roles: Roles) -> Iterator[Rewriting]:
    bases = (sympy.Integer(10), sympy.Integer(2))
    logs = {node for node in parts(step.formula) if isinstance(node, sympy.log)}
    for base in bases if logs else ():
        divisor = power(sympy.log(base, evaluate=False), MINUS_ONE)
        yield Rewriting(replace(step.formula, {n: multiply(n, divisor) for n in logs}), f"base {base}", f"{base}")


SLIPS = (
    Slip(
        "missing-bias",
        "Is everything in the sum?",
        "The bias seems to be missing: look for {}.",
        _missing_bias,
    ),
    Slip(
        "swapped-weights",
        "Which weight belongs to which connection?",
        "Some seem to stand at the wrong one: look at {}.",
        _swapped_weights,
    ),
    Slip(
        "no-activation",
        "Does the activation function stand in {}?",
        "This looks as if it were not there.",
        _no_activation,
    ),
    Slip(
        "wrong-activation",
        "Which activation function does this neuron have?",
        "This looks like {}.",
        _wrong_activation,
    ),
    Slip(
        "exp-sign",
        "Which sign does the exponent have?",
        "The sign in the exponent of {} seems to be turned round.",
        _exp_sign,
    ),
    Slip(
        "log-base",
        "Which logarithm is meant?",
        "This looks like {}; the loss takes the natural one.",
        _log_base,
    ),
)
