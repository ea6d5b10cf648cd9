"""Slips in batches and optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sympy

from tutor.formulas.expressions import MINUS_ONE, ONE, add, multiply, names, parts, power, replace, symbol
from tutor.maths.kind import Kind
from tutor.slips import rewrite
from tutor.slips.roles import Roles
from tutor.slips.slip import Rewriting, Slip, not_over_paths
from tutor.worksheet.step import Step

Expr = Any


def _count(step: Step) -> tuple[Expr, int] | None:
    """How many terms a mean or a sum of several parts has, and its factor."""
    formula = step.formula
    if formula.is_Mul and formula.args[-1].is_Add and not names(multiply(*formula.args[:-1])):
        return multiply(*formula.args[:-1]), len(formula.args[-1].args)
    return (ONE, len(formula.args)) if formula.is_Add else None


def _is_reduction(step: Step, roles: Roles) -> bool:
    """Whether the step adds up what several outputs, paths or examples contribute: a loss or a gradient."""
    first = roles.by_name.get(step.before or "", step) if step.stage == "after" else step
    return first.stage in ("gradient", "loss")


def _mean_or_sum(of_mean: bool) -> Callable[[Step, Roles], Iterator[Rewriting]]:
    """`of_mean`: the mean was taken where the sum was asked; else the sum where the mean was asked."""

    def rewritings(step: Step, roles: Roles) -> Iterator[Rewriting]:
        found = _count(step)
        if found is None or not _is_reduction(step, roles):
            return
        factor, count = found
        is_mean = factor == sympy.Rational(1, count)
        other = sympy.Rational(1, count) if of_mean else sympy.Integer(count)
        of = "of examples" if _adds_lines(step) else "of outputs or paths"
        for manner in (of, f"{of}, {step.stage}") if is_mean != of_mean else ():
            yield Rewriting(multiply(other, step.formula), step.name, manner)

    return rewritings


def _adds_lines(step: Step) -> bool:
    """Whether it adds up other lines as they stand, and not products or squares."""
    parts_of_terms = ([f for f in rewrite.factors_of(t) if names(f)] for t in rewrite.terms_of(step.formula))
    return all(len(factors) == 1 and factors[0].is_Symbol for factors in parts_of_terms)


def _overwritten(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if _is_reduction(step, roles):
        terms = rewrite.terms_of(step.formula)
        factor = (_count(step) or (ONE, 1))[0]
        for place, term in enumerate(terms) if len(terms) > 1 else ():
            end = {0: "first", len(terms) - 1: "last"}.get(place)
            yield Rewriting(term, step.name, end)
            if factor not in (ONE, MINUS_ONE):
                yield Rewriting(multiply(power(factor, MINUS_ONE), term), step.name, end and f"{end}, undivided")
        ways = _ways_on(terms, roles)
        for place, way in enumerate(ways) if len(terms) > len(ways) > 1 else ():
            yield Rewriting(add(*way), step.name, {0: "the first way", len(ways) - 1: "the last way"}.get(place))


def _ways_on(paths: Sequence[Expr], roles: Roles) -> Sequence[Sequence[Expr]]:
    """The paths of a gradient by the neuron of the next layer to which each leads on from its own. Several go the same
    way where the outputs stand on one another, as those of softmax do."""
    links = [{f for f in rewrite.factors_of(path) if str(f) in roles.partials} for path in paths]
    by = [{roles.partials[str(link)][1]: link for link in of_path} for of_path in links]
    for quantity in by[0]:
        if all(quantity in of_path for of_path in by) and len({of_path[quantity] for of_path in by}) > 1:
            ways: dict[Expr, list[Expr]] = {}
            for path, of_path in zip(paths, by, strict=True):
                ways.setdefault(of_path[quantity], []).append(path)
            return [*ways.values()]
    return ()


def _missing_bias_correction(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.kind is Kind.CORRECTION:
        yield Rewriting(symbol(names(step.formula)[0]), step.name, "")
    if step.stage == "update":
        corrected = [n for n in names(step.formula) if n in roles.by_name and roles.by_name[n].kind is Kind.CORRECTION]
        moments = {name: symbol(names(roles.by_name[name].formula)[0]) for name in corrected}
        for name, moment in moments.items():
            yield Rewriting(rewrite.swapped(step.formula, name, moment), name)
        if len(moments) > 1:
            yield Rewriting(rewrite.with_names(step.formula, **moments), " and ".join(moments), "both")


def _swapped_betas(step: Step, roles: Roles) -> Iterator[Rewriting]:
    pair = {"beta1": symbol("beta2"), "beta2": symbol("beta1")}
    if {"beta1", "beta2"} & {*names(step.formula)} and set(pair) <= {*roles.worksheet.givens}:
        yield Rewriting(rewrite.with_names(step.formula, **pair), "beta1 and beta2", "betas")
    for rate in names(step.formula) if step.stage == "update" else ():
        rest = add(ONE, multiply(MINUS_ONE, symbol(rate)))
        if rest in parts(step.formula):
            yield Rewriting(rewrite.with_names(step.formula, **{rate: rest}), f"{rate} and 1 - {rate}", "exchanged")
            yield Rewriting(replace(step.formula, {rest: symbol(rate)}), f"{rate} and 1 - {rate}", "undiminished")


def _epsilon_inside_root(step: Step, roles: Roles) -> Iterator[Rewriting]:
    epsilon = symbol("epsilon")

    def inside(node: Expr) -> Iterator[Expr]:
        if node.is_Add and epsilon in node.args:
            rest = [term for term in node.args if term != epsilon]
            if len(rest) == 1 and rest[0].is_Pow:
                yield power(add(rest[0].args[0], epsilon), rest[0].args[1])
        if node.is_Pow and node.args[0].is_Add and epsilon in node.args[0].args and not node.args[1].is_Integer:
            rest = [term for term in node.args[0].args if term != epsilon]
            yield add(power(add(*rest), node.args[1]), epsilon)

    for formula in rewrite.anywhere(step.formula, inside):
        yield Rewriting(formula, "epsilon", "")


def _stale_moment(step: Step, roles: Roles) -> Iterator[Rewriting]:
    if step.stage == "update":
        for name in names(step.formula):
            earlier = roles.stale(name)
            if earlier is not None:
                yield Rewriting(rewrite.swapped(step.formula, name, symbol(earlier)), name, "")


SLIPS = (
    Slip(
        "mean-for-sum",
        "Is {} asked for as a sum or as a mean?",
        "This looks like the mean; it is the sum that is asked for.",
        _mean_or_sum(True),
        usual=not_over_paths,
    ),
    Slip(
        "sum-for-mean",
        "Is {} asked for as a mean or as a sum?",
        "This looks like the sum; it is the mean that is asked for.",
        _mean_or_sum(False),
        usual=not_over_paths,
    ),
    Slip(
        "overwritten",
        "Was everything added up that belongs to {}?",
        "Several terms add up to it; this looks like one of them alone.",
        _overwritten,
        usual=not_over_paths,
    ),
    Slip(
        "missing-bias-correction",
        "Is {} corrected for having started at zero?",
        "Look for the bias correction: the moment is divided by 1 minus beta to the power t.",
        _missing_bias_correction,
    ),
    Slip(
        "swapped-betas",
        "Which of the two decay rates belongs here?",
        "One seems to stand in the place of the other: look at {}.",
        _swapped_betas,
    ),
    Slip(
        "epsilon-inside-root",
        "Does {} stand inside the root or outside?",
        "Here it seems to be on the wrong side of the root.",
        _epsilon_inside_root,
    ),
    Slip(
        "stale-moment",
        "Is {} the value of this update or of the one before?",
        "It seems to be taken from the update before.",
        _stale_moment,
    ),
)
