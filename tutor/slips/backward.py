"""Slips in the backward pass and in the step against the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sympy

from tutor.errors import listed
from tutor.formulas.expressions import MINUS_ONE, ONE, add, multiply, names, parts, power, replace, symbol, where
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
        yield Rewriting(multiply(MINUS_ONE, step.formula), _which_way_round(step, roles), "")


def _which_way_round(step: Step, roles: Roles) -> str:
    """The rule for the sign of an error, or of the derivative of a loss by an output."""
    if step.partial_of is None:
        return "The error is target minus output here"
    match roles.by_name[step.partial_of[0]].which:
        case "cross_entropy":
            return "The error gets smaller as the output of the right class grows: its derivative is negative"
        case "binary_cross_entropy":
            return "The derivative by the output has the sign of output minus target"
    return "The derivative by the output is output minus target"


def _missing_slope(step: Step, roles: Roles) -> Iterator[Rewriting]:
    slopes = _slopes_in(step, roles)
    left_out = dict.fromkeys(slopes, ONE)
    no_activation = {name: roles.without_activation(name) for name in slopes}
    for nothing, across in ((left_out, ""), (no_activation, ", nothing across")) if slopes else ():
        yield Rewriting(rewrite.with_names(step.formula, **nothing), listed(slopes), f"all{across}")
        for layer in dict.fromkeys(map(roles.layer_of, slopes)):
            those = {name: other for name, other in nothing.items() if roles.layer_of(name) == layer}
            formula = rewrite.with_names(step.formula, **those)
            yield Rewriting(formula, listed(those), f"layer {layer}{across}")
    for name in slopes if len(slopes) > 1 else ():
        yield Rewriting(rewrite.swapped(step.formula, name, ONE), name)
    terms = rewrite.terms_of(step.formula)
    for place, term in enumerate(terms) if len(terms) > 1 else ():
        for name in (n for n in slopes if n in names(term)):
            yield Rewriting(add(*terms[:place], rewrite.swapped(term, name, ONE), *terms[place + 1 :]), name)
    if step.partial_of and roles.by_name[step.partial_of[0]].kind in WRITTEN_BY_PEOPLE:
        factors = rewrite.factors_of(step.formula)
        for place, factor in enumerate(factors) if len(factors) > 1 else ():
            if factor.args:
                yield Rewriting(multiply(*factors[:place], *factors[place + 1 :]), "the inner derivative")


def _extra_slope(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """The slope of an activation where the loss has taken it away, or where the output is linear."""
    if step.name in roles.slopes and step.formula == ONE:
        output = symbol(roles.slopes[step.name][0])
        for form, slope in _FORMS_OF_OUTPUT.items():
            yield Rewriting(slope(output), step.name, form)
    if step.name in roles.partials and _is_cross_entropy(step.name, roles):
        output = symbol(roles.partials[step.name][1])
        for target in names(step.formula):  # the gradient by the sum, which is taken for that by the output
            if symbol(target) != output:
                yield Rewriting(add(output, multiply(MINUS_ONE, symbol(target))), step.name, "after output - target")
    output_name = roles.output_of(step)
    if output_name and not _slopes_in(step, roles):
        for form, slope in _FORMS_OF_OUTPUT.items():
            yield Rewriting(multiply(step.formula, slope(symbol(output_name))), step.name, form)
    if step.stage == "gradient":
        terms = rewrite.terms_of(step.formula)
        taken_away = [_slope_that_a_loss_takes_away(term, roles) for term in terms]
        if all(taken_away):
            again = [multiply(term, symbol(slope)) for term, slope in zip(terms, taken_away, strict=True)]
            yield Rewriting(add(*again), step.name, "once more")


def _slope_that_a_loss_takes_away(path: Expr, roles: Roles) -> str:
    """Of a path of the chain rule out of a cross-entropy the slope of the output that it leads through; else empty."""
    of_loss = {roles.partials[n][1] for n in names(path) if n in roles.partials and _is_cross_entropy(n, roles)}
    total = next((roles.slopes[n][1] for n in names(path) if n in roles.slopes and roles.slopes[n][0] in of_loss), "")
    own = (n for n, (_, by) in roles.slopes.items() if by == total and len(names(roles.by_name[n].formula)) == 1)
    return next(own, "")


def _is_cross_entropy(partial: str, roles: Roles) -> bool:
    return roles.by_name[roles.partials[partial][0]].which in ("cross_entropy", "binary_cross_entropy")


_FORMS_OF_OUTPUT: Mapping[str, Callable[[Expr], Expr]] = {
    "sigmoid": lambda a: multiply(a, add(ONE, multiply(MINUS_ONE, a))),
    "tanh": lambda a: add(ONE, multiply(MINUS_ONE, power(a, sympy.Integer(2)))),
}


def _slope_form(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """A slope that is the slope of no function: 1 - a for a(1 - a), 1 - a for 1 - a², z(1 - z), sech for sech²."""
    if step.name not in roles.slopes or not names(step.formula):
        return
    output, total = roles.slopes[step.name]
    factors = rewrite.factors_of(step.formula)
    for place in range(len(factors)) if len(factors) > 1 else ():
        yield Rewriting(multiply(*factors[:place], *factors[place + 1 :]), step.name, f"without factor {place}")
    squares = {node: node.args[0] for node in parts(step.formula) if node.is_Pow and node.args[1] == 2}
    if squares:
        yield Rewriting(replace(step.formula, squares), step.name, "without square")
    if output in names(step.formula) and total not in names(step.formula):
        yield Rewriting(rewrite.swapped(step.formula, output, symbol(total)), step.name, "of the sum")
    yield Rewriting(power(step.formula, sympy.Rational(1, 2)), step.name, "root")
    yield Rewriting(symbol(output), step.name, "the output itself")


def _slope_of_output(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.name in roles.slopes:
        output, total = roles.slopes[step.name]
        again = rewrite.swapped(roles.by_name[output].formula, total, symbol(output))
        yield Rewriting(replace(step.formula, {symbol(output): again, symbol(total): symbol(output)}), output, "")


def _other_branch(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """The slope that a function of several cases has on the other side."""
    cases = [node for node in parts(step.formula) if isinstance(node, where)] if step.name in roles.slopes else ()
    for node in cases:
        for which, value in enumerate(node.args[1:]):
            yield Rewriting(replace(step.formula, {node: value}), roles.slopes[step.name][1], f"case {which}")


def _other_neuron_slope(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.name in roles.slopes:
        for other in roles.slopes_beside(step.name):
            if names(roles.by_name[other].formula):  # a slope that is the same everywhere is that of no neuron
                yield Rewriting(symbol(other), other)
        for manner, other in roles.slopes_instead(step.name):
            yield Rewriting(roles.by_name[other].formula, other, manner)
    taken: dict[str, dict[str, Expr]] = {}
    for name in _slopes_in(step, roles):
        for other in roles.slopes_beside(name):
            yield Rewriting(rewrite.swapped(step.formula, name, symbol(other)), other)
        for manner, other in roles.slopes_instead(name):
            taken.setdefault(manner, {})[name] = symbol(other)
    for manner, by in taken.items():
        yield Rewriting(rewrite.with_names(step.formula, **by), listed(map(str, by.values())), manner)


def _one_for_the_other(by_parameter: bool) -> Callable[[Step, Roles], Iterator[Rewriting]]:
    def rewritings(step: Step, roles: Roles) -> Iterator[Rewriting]:
        taken = {}
        for name in (step.name, *names(step.formula)):
            if name in roles.partials and (roles.partials[name][1] in roles.parameters) == by_parameter:
                other = roles.other_factor(name)
                if other is not None:
                    taken[name] = other
        if step.name in taken:
            yield Rewriting(taken.pop(step.name), step.name, "")
        elif taken:
            by = {symbol(name): other for name, other in taken.items()}
            yield Rewriting(replace(step.formula, by), listed(taken), "")
        for name, other in taken.items() if len(taken) > 1 else ():
            yield Rewriting(rewrite.swapped(step.formula, name, other), name)

    return rewritings


def _partial_for_gradient(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.name in roles.gradients:
        chain = rewrite.factors_of(step.formula)
        for factor in _factors(step.formula, roles):
            position = f"{chain.index(factor)} of {len(chain)}" if factor in chain else None
            yield Rewriting(factor, str(factor), position)
    elif step.stage == "update":
        for name in names(step.formula):
            if name in roles.gradients:
                for factor in _factors(roles.by_name[name].formula, roles):
                    yield Rewriting(rewrite.swapped(step.formula, name, factor), str(factor))


def _factors(formula: Expr, roles: Roles) -> list[Expr]:
    """Every factor of every product in a gradient, and of the gradients in it, each once. The gradient of one example
    is no factor of that of all, though a number stands before it."""
    found: dict[Expr, None] = {}
    seen: set[Expr] = set()
    waiting = [formula]
    while waiting:
        for term in rewrite.terms_of(waiting.pop()):
            product = [factor for factor in rewrite.factors_of(term) if names(factor)]
            found |= dict.fromkeys(product if len(product) > 1 else ())
            for factor in (f for f in product if f.is_Symbol and f not in seen):
                seen.add(factor)
                if factor.name in roles.gradients and factor.name in roles.by_name:
                    waiting.append(roles.by_name[factor.name].formula)
    return list(found)


def _missing_factor(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """One link of the chain left out of a gradient, on all paths; or a factor of a step of the perceptron rule or of
    what an optimizer keeps. A slope, a rate and a number that are left out are slips of their own."""
    if step.name in roles.gradients:
        yield from _without_a_link(step, roles)
    elif step.stage == "update" and step.kind in (Kind.UPDATE, Kind.STATE):
        yield from _without_a_factor(step, roles)


def _without_a_factor(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """m = beta1·m + g for beta1·m + (1 - beta1)·g, and w + eta·error for w + eta·error·x."""
    terms = rewrite.terms_of(step.formula)
    for at, term in enumerate(terms):
        factors = [f for f in rewrite.factors_of(term) if names(f) and not any(map(roles.rate, names(f)))]
        rest = [f for f in factors if f.is_Add] if step.kind is Kind.STATE else factors
        for factor in rest if len(factors) > 1 else ():
            left = multiply(*(f for f in term.args if f != factor))
            yield Rewriting(add(*terms[:at], left, *terms[at + 1 :]), str(factor), f"factor {factors.index(factor)}")


def _without_a_link(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """The gradient without one of its factors, or without those of the same kind in every term of a sum: the weights
    that lead on from a neuron, the input of a weight."""
    factors = rewrite.factors_of(step.formula)
    for place, factor in enumerate(factors) if len(factors) > 1 else ():
        if names(factor) and str(factor) not in roles.slopes:
            formula = multiply(*factors[:place], *factors[place + 1 :])
            yield Rewriting(formula, str(factor), f"{place} of {len(factors)}")
    paths = [rewrite.factors_of(term) for term in rewrite.terms_of(step.formula)]
    if len(paths) < 2 or any(len(path) < 2 for path in paths):
        return
    shared = [f for f in paths[0] if names(f) and str(f) not in roles.slopes and all(f in path for path in paths)]
    links: list[list[Expr]] = [[factor] * len(paths) for factor in shared]
    lengths = {len(path) for path in paths}
    for place in range(len(paths[0])) if len(lengths) == 1 else ():
        one_of_each = [path[place] for path in paths]
        weights = [roles.partials.get(str(f), ("", ""))[1] for f in one_of_each]
        is_weight = all(names(f) and str(f) not in roles.slopes for f in one_of_each)
        if is_weight and one_of_each[0] not in shared and all(weights):
            links.append(one_of_each)
    for link in links:
        left = [multiply(*(f for f in path if f != gone)) for path, gone in zip(paths, link, strict=True)]
        detail = listed(dict.fromkeys(map(str, link)))
        yield Rewriting(add(*left), detail, f"{paths[0].index(link[0])} of {len(paths[0])} on {len(paths)} paths")


def _twice(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """A value that is used in several places hands on its running sum each time a part of its gradient arrives."""
    if step.name not in roles.gradients:
        return
    running: dict[str, dict[Expr, Expr]] = {"in order": {}, "in reverse": {}}
    for name in names(step.formula):
        if name in roles.gradients and name in roles.by_name and name != step.name:
            terms = rewrite.terms_of(roles.by_name[name].formula)
            if len(terms) > 1:
                counts = range(len(terms), 0, -1)
                for order, ordered in (("in order", terms), ("in reverse", terms[::-1])):
                    weighted = [multiply(sympy.Integer(n), t) for n, t in zip(counts, ordered, strict=True)]
                    running[order][symbol(name)] = add(*weighted)
    for order, by in running.items():
        if by:
            yield Rewriting(replace(step.formula, by), listed(map(str, by)), order)


def _ascent(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.stage == "update" and step.before:
        yield Rewriting(scaled(step, MINUS_ONE), step.before, "")


def _not_updated(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.stage == "update" and step.before:
        yield Rewriting(symbol(step.before), step.before, "")


def _missing_rate(step: Step, roles: Roles) -> Iterator[Rewriting]:
    for name in names(step.formula) if step.stage == "update" else ():
        if rate := roles.rate(name):
            yield Rewriting(rewrite.swapped(step.formula, name, ONE), rate, "")


def _updated_weight(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.stage not in ("partial", "gradient"):
        return
    new: dict[str, Expr] = {}
    for name in names(step.formula):
        is_weight = name in roles.partials and roles.by_name[name].formula.is_Symbol
        weight = roles.by_name[name].formula.name if is_weight else name
        if weight in roles.successors:
            new[name] = symbol(roles.successors[weight])
    if new:
        by = {symbol(name): other for name, other in new.items()}
        yield Rewriting(replace(step.formula, by), listed(map(roles.old_of, new.values())), "")
    for name, other in new.items() if len(new) > 1 else ():
        yield Rewriting(rewrite.swapped(step.formula, name, other), roles.old_of(other))


SLIPS = (
    Slip(
        "error-sign",
        "Which way round does the error stand: what is subtracted from what?",
        "{}.",
        _error_sign,
    ),
    Slip(
        "missing-slope",
        "Does every activation on the way have its slope in the product?",
        "The slope of an activation seems to be missing: look for {}.",
        _missing_slope,
    ),
    Slip(
        "slope-of-output",
        "At which value is the slope taken?",
        "{} already is the output: put it into the formula of the slope as it is, without the activation again.",
        _slope_of_output,
    ),
    Slip(
        "extra-slope",
        "Is there a slope too many in {}?",
        "Look at what the loss leaves of the slope, and whether there is an activation at all.",
        _extra_slope,
    ),
    Slip(
        "slope-form",
        "What is the derivative of this activation, written by its output?",
        "Look at the form of the slope {}, factor by factor and power by power.",
        _slope_form,
    ),
    Slip(
        "other-branch",
        "On which side of the bend of the activation does {} lie?",
        "The slope has a value for each side; this looks like that of the other one.",
        _other_branch,
    ),
    Slip(
        "other-neuron-slope",
        "To which neuron does the slope in this line belong?",
        "This looks like the slope of another neuron, {}. Check which output goes into it.",
        _other_neuron_slope,
    ),
    Slip(
        "weight-for-input",
        "What remains of w·x when it is differentiated by w?",
        "For {}: it is x, the other factor, not w itself.",
        _one_for_the_other(True),
    ),
    Slip(
        "input-for-weight",
        "What remains of w·x when it is differentiated by x?",
        "For {}: it is w, the other factor, not x itself.",
        _one_for_the_other(False),
    ),
    Slip(
        "not-updated",
        "Was {} updated?",
        "It stands here as it was before the step.",
        _not_updated,
    ),
    Slip(
        "partial-for-gradient",
        "Is this the whole chain, or one link of it?",
        "This looks like {} alone. The gradient is the product of all factors of the chain rule.",
        _partial_for_gradient,
    ),
    Slip(
        "missing-factor",
        "Is every factor in the product?",
        "One of them seems to be missing: look for {}.",
        _missing_factor,
    ),
    Slip(
        "twice",
        "How often does each value pass back what arrives at it?",
        "It passes back once, when every part has arrived: look at {}.",
        _twice,
    ),
    Slip(
        "ascent",
        "Does the step go against the gradient?",
        "To lower the error, subtract the step from {}.",
        _ascent,
    ),
    Slip(
        "missing-rate",
        "Is everything in the step that decides how large it is?",
        "The learning rate seems to be missing: look for {}.",
        _missing_rate,
    ),
    Slip(
        "updated-weight",
        "Which weights belong here, those before the update or those after it?",
        "All gradients are worked out before any weight changes: take {} from before the update.",
        _updated_weight,
    ),
)
