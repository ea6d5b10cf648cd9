"""Slips in sums, activations and losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy

from tutor.formulas.expressions import MINUS_ONE, add, multiply, names, parts, power, replace, symbol
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.kind import Kind
from tutor.slips import rewrite
from tutor.slips.roles import Roles, activation_of
from tutor.slips.slip import Rewriting, Slip
from tutor.worksheet.forward import activate
from tutor.worksheet.named_network import NamedNeuron
from tutor.worksheet.softmax import is_softmax
from tutor.worksheet.step import Step

Expr = Any
Row = Sequence[str]


def _missing_bias(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.kind is Kind.WEIGHTED_SUM and step.formula.is_Add:
        for place, term in enumerate(step.formula.args):
            factors = rewrite.factors_of(term)
            if len(factors) == 1 and factors[0].is_Symbol:
                yield Rewriting(add(*step.formula.args[:place], *step.formula.args[place + 1 :]), str(factors[0]), "")


def _swapped_weights(step: Step, roles: Roles) -> Iterator[Rewriting]:
    yield from _swapped_on_the_way_back(step, roles)
    own = roles.weights_in(step.formula)
    for row, matrix, biases, position in roles.weight_rows(step) if own else ():
        present = [w for w in row if w in own]
        others = [w for w in row if w]
        for first in present:
            for second in others:
                if first != second and (second not in present or first < second):
                    for formula in _exchanged(step.formula, roles, {first: second, second: first}):
                        yield Rewriting(formula, f"{first} and {second}")
        for read, instead in _other_readings(matrix, biases, position):
            pairs = {w: other for w, other in zip([*row, biases[position]], instead, strict=False) if w in own}
            if all(pairs.values()) and any(w != other for w, other in pairs.items()):
                for formula in _exchanged(step.formula, roles, pairs):
                    yield Rewriting(formula, f"the weight matrix, {read}", read)


def _swapped_on_the_way_back(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """The weights on the paths of a gradient taken from other places of their matrices."""
    taken: dict[str, dict[Expr, Expr]] = {}
    for name in names(step.formula) if step.stage == "gradient" else ():
        partial = roles.by_name.get(name)
        if partial is None or not partial.partial_of or not partial.formula.is_Symbol:
            continue
        for row, matrix, biases, position in roles.weight_rows(partial):
            for read, instead in _other_readings(matrix, biases, position):
                pairs = dict(zip(row, instead, strict=False))
                own = [w for w in roles.weights_in(partial.formula) if pairs.get(w)]
                for other in _exchanged(partial.formula, roles, {w: pairs[w] for w in own}) if own else ():
                    taken.setdefault(read, {})[symbol(name)] = other
    for read, by in taken.items():
        yield Rewriting(replace(step.formula, by), f"the weight matrix, {read}", read)


def _other_readings(matrix: Sequence[Row], biases: Row, position: int) -> Iterator[tuple[str, Row]]:
    """What a row of the matrix becomes, perhaps with its bias, where rows, columns or the places in a row are taken for
    one another."""
    flat, height, width = [w for weights in matrix for w in weights], len(matrix), len(matrix[position])
    yield "read by columns", [flat[column * height + position] for column in range(width)]
    for which, order in rewrite.permutations(height).items():
        other = order[position]
        yield f"each row read as {which}", matrix[other]
        yield f"each row and its bias read as {which}", [*matrix[other], biases[other]]
    for which, order in rewrite.permutations(width).items():
        yield f"each weight of a row read as {which}", [matrix[position][column] for column in order]


def _exchanged(formula: Expr, roles: Roles, pairs: Mapping[str, str]) -> Iterator[Expr]:
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
        yield Rewriting(roles.without_activation(step.name), step.name, "")


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
