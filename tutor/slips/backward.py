"""Slips in the backward pass and in the step against the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tutor.formulas.expressions import MINUS_ONE, ONE, add, multiply, names, replace, symbol
from tutor.maths.kind import Kind
from tutor.slips import rewrite
from tutor.slips.roles import Roles
from tutor.slips.slip import Rewriting, Slip, scaled
from tutor.worksheet.chain_rule import WRITTEN_BY_PEOPLE
from tutor.worksheet.step import Step

Expr = Any


def _slopes_in(step: Step, roles: Roles) -> list[str]:
    return [name for name in names(step.formula) if name in roles.slopes]


def _error_sign(step: Step, roles: Roles) -> Iterator[Rewriting]:
    of_loss = step.partial_of and roles.by_name[step.partial_of[0]].stage == "loss"
    difference = step.kind is Kind.ERROR and step.formula.is_Add
    if (of_loss and step.partial_of and step.partial_of[1] not in roles.parameters) or difference:
        yield multiply(MINUS_ONE, step.formula), step.name


def _missing_slope(step: Step, roles: Roles) -> Iterator[Rewriting]:
    slopes = _slopes_in(step, roles)
    for name in slopes:
        yield rewrite.swapped(step.formula, name, ONE), name
    if len(slopes) > 1:
        yield replace(step.formula, {symbol(name): ONE for name in slopes}), " and ".join(slopes)
    terms = rewrite.terms_of(step.formula)
    if len(terms) > 1:
        for place, term in enumerate(terms):
            for name in (n for n in slopes if n in names(term)):
                yield add(*terms[:place], rewrite.swapped(term, name, ONE), *terms[place + 1 :]), name
    if step.partial_of and roles.by_name[step.partial_of[0]].kind in WRITTEN_BY_PEOPLE:
        factors = rewrite.factors_of(step.formula)
        if len(factors) > 1:
            for place, factor in enumerate(factors):
                if factor.args:
                    yield multiply(*factors[:place], *factors[place + 1 :]), "the inner derivative"


def _slope_of_output(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.name in roles.slopes:
        output, total = roles.slopes[step.name]
        again = rewrite.swapped(roles.by_name[output].formula, total, symbol(output))
        yield replace(step.formula, {symbol(output): again, symbol(total): symbol(output)}), output


def _other_neuron_slope(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.name in roles.slopes:
        for other in roles.slopes_beside(step.name):
            yield symbol(other), other
    for name in _slopes_in(step, roles):
        for other in roles.slopes_beside(name):
            yield rewrite.swapped(step.formula, name, symbol(other)), other


def _one_for_the_other(by_parameter: bool) -> Callable[[Step, Roles], Iterator[Rewriting]]:
    def rewritings(step: Step, roles: Roles) -> Iterator[Rewriting]:
        for name in (step.name, *names(step.formula)):
            if name in roles.partials and (roles.partials[name][1] in roles.parameters) == by_parameter:
                other = roles.other_factor(name)
                if other is not None:
                    yield (other if name == step.name else rewrite.swapped(step.formula, name, other)), name

    return rewritings


def _partial_for_gradient(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.name in roles.gradients:
        for factor in _factors(step.formula, roles):
            yield factor, str(factor)
    elif step.stage == "update":
        for name in names(step.formula):
            if name in roles.gradients:
                for factor in _factors(roles.by_name[name].formula, roles):
                    yield rewrite.swapped(step.formula, name, factor), str(factor)


def _factors(formula: Expr, roles: Roles) -> list[Expr]:
    """Every factor of every product in a gradient, and of the gradients in it, each once."""
    found: dict[Expr, None] = {}
    waiting = [formula]
    while waiting:
        products = [rewrite.factors_of(term) for term in rewrite.terms_of(waiting.pop())]
        for factor in (f for product in products if len(product) > 1 for f in product if names(f) and f not in found):
            found[factor] = None
            if factor.is_Symbol and factor.name in roles.gradients and factor.name in roles.by_name:
                waiting.append(roles.by_name[factor.name].formula)
    return list(found)


def _ascent(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.stage == "update" and step.before:
        yield scaled(step, MINUS_ONE), step.before


def _missing_rate(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.stage == "update":
        for name in names(step.formula):
            if rate := roles.rate(name):
                yield rewrite.swapped(step.formula, name, ONE), rate


def _updated_weight(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.stage not in ("partial", "gradient"):
        return
    for name in names(step.formula):
        if name in roles.successors:
            yield rewrite.swapped(step.formula, name, symbol(roles.successors[name])), name
        elif name in roles.partials and roles.by_name[name].formula.is_Symbol:
            weight = roles.by_name[name].formula.name
            if weight in roles.successors:
                yield rewrite.swapped(step.formula, name, symbol(roles.successors[weight])), weight


SLIPS = (
    Slip(
        "error-sign",
        "Look at the sign of the error: the derivative by the output is output minus target.",
        _error_sign,
    ),
    Slip(
        "missing-slope",
        "The slope of an activation seems to be missing: look for {} in the product.",
        _missing_slope,
    ),
    Slip(
        "slope-of-output",
        "The slope seems to be taken at the wrong place: {} already is the output, put it into the formula as it is.",
        _slope_of_output,
    ),
    Slip(
        "other-neuron-slope",
        "This looks like the slope of another neuron, {}. Check which output goes into it.",
        _other_neuron_slope,
    ),
    Slip(
        "weight-for-input",
        "For {}: what remains when you differentiate w·x by w, the weight or what it is multiplied by?",
        _one_for_the_other(True),
    ),
    Slip(
        "input-for-weight",
        "For {}: what remains when you differentiate w·x by x, the input or its weight?",
        _one_for_the_other(False),
    ),
    Slip(
        "partial-for-gradient",
        "This looks like {} alone. The gradient is the product of all factors of the chain rule.",
        _partial_for_gradient,
    ),
    Slip(
        "ascent",
        "Does the step go against the gradient? To lower the error, subtract it from {}.",
        _ascent,
    ),
    Slip(
        "missing-rate",
        "Is the learning rate in it? Look for {} in the step.",
        _missing_rate,
    ),
    Slip(
        "updated-weight",
        "Which {} belongs here, the old one or the new one? All gradients are worked out before any weight changes.",
        _updated_weight,
    ),
)
