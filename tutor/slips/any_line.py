"""Slips that can happen in any line, and the one that explains almost anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from tutor.formulas.expressions import MINUS_ONE, add, multiply, names, parts, power, replace, symbol
from tutor.formulas.quantity import tags
from tutor.formulas.typed import typed
from tutor.maths.kind import Kind
from tutor.slips import rewrite
from tutor.slips.roles import Roles
from tutor.slips.slip import Rewriting, Slip, nowhere, over_paths, scaled
from tutor.worksheet.step import Step

Expr = Any
_MOST_SWAPPED, _MOST_BESIDE, _MOST_INPUTS = 600, 150, 6


def _factor_two(step: Step, roles: Roles) -> Iterator[Rewriting]:
    yield Rewriting(scaled(step, sympy.Integer(2)), "twice", "twice")
    yield Rewriting(scaled(step, sympy.Rational(1, 2)), "half", "half")


def _missing_term(step: Step, roles: Roles) -> Iterator[Rewriting]:
    for formula in rewrite.anywhere(step.formula, rewrite.one_left_out):
        yield Rewriting(formula, step.name)
    for manner, formula in _without_a_product(step, roles):
        yield Rewriting(formula, step.name, manner)
    terms = rewrite.expanded(step.formula)
    for place in range(len(terms)):
        yield Rewriting(add(*terms[:place], *terms[place + 1 :]), step.name)


def _without_a_product(step: Step, roles: Roles) -> Iterator[tuple[str, Expr]]:
    """A sum of products without the one at some place, counted from either end; the derivatives by the sums of other
    neurons left out. A bias that is forgotten has a name of its own."""
    terms = rewrite.terms_of(step.formula)
    products = [place for place, term in enumerate(terms) if len(rewrite.factors_of(term)) > 1]
    for count, place in enumerate(products if len(terms) > 1 else ()):
        left = add(*terms[:place], *terms[place + 1 :])
        if count < _MOST_INPUTS:
            yield f"number {count}", left
        if place == products[-1]:
            yield "the last", left
    across = [term for term in terms if any(n in roles.slopes and roles.is_across(n) for n in names(term))]
    if 0 < len(across) < len(terms):
        yield "across", add(*(term for term in terms if term not in across))


def _power_slip(step: Step, roles: Roles) -> Iterator[Rewriting]:
    """A root or a square forgotten or added, in any part of the formula."""
    half = sympy.Rational(1, 2)
    nodes = [node for node in parts(step.formula) if node.is_Pow and names(node)]
    roots = {n: power(n.args[0], n.args[1] * 2) for n in nodes if n.args[1] in (half, -half)}
    squares = {n: power(n.args[0], sympy.Integer(1 if n.args[1] == 2 else -1)) for n in nodes if abs(n.args[1]) == 2}
    for what, changed in (("root", roots), ("square", squares)):
        if changed:
            yield Rewriting(replace(step.formula, changed), step.name, what)
        for node, other in changed.items() if len(changed) > 1 else ():
            yield Rewriting(replace(step.formula, {node: other}), step.name)
    yield Rewriting(power(step.formula, sympy.Integer(2)), step.name, "squared")
    yield Rewriting(power(step.formula, half), step.name, "rooted")
    for name in names(step.formula)[:_MOST_INPUTS]:
        for exponent in (sympy.Integer(2), half):
            yield Rewriting(rewrite.swapped(step.formula, name, power(symbol(name), exponent)), step.name)


def _decimal_slip(step: Step, roles: Roles) -> Iterator[Rewriting]:
    for k in (1, -1, 2, -2, 3, -3):
        yield Rewriting(scaled(step, sympy.Rational(10) ** k), "the decimal point", f"{k}")
    if step.stage == "update":
        for k in (1, -1):
            yield Rewriting(multiply(sympy.Rational(10) ** k, step.formula), f"the decimal point of {step.name}")
    terms = rewrite.terms_of(step.formula) if step.kind is Kind.WEIGHTED_SUM else ()
    for place, term in enumerate(terms if len(terms) > 1 else ()):
        for k in (1, -1):
            moved = add(*terms[:place], multiply(sympy.Rational(10) ** k, term), *terms[place + 1 :])
            yield Rewriting(moved, f"the decimal point of {typed(term)}")


def _sign_slip(step: Step, roles: Roles) -> Iterator[Rewriting]:
    yield Rewriting(multiply(MINUS_ONE, step.formula), step.name, "")
    for formula in rewrite.anywhere(step.formula, rewrite.one_sign_changed):
        yield Rewriting(formula, step.name)


def _swapped_values(step: Step, roles: Roles) -> Iterator[Rewriting]:
    own = tags(step.name)
    others = sorted((n for n in roles.worksheet.names if n != step.name), key=lambda n: roles.tags[n] != own)
    for other in others[:_MOST_SWAPPED]:
        yield Rewriting(symbol(other), other)
    beside = [n for n in others if roles.tags[n] in ((), own)]
    for name in names(step.formula)[:_MOST_INPUTS]:
        kind = roles.by_name[name].stage if name in roles.by_name else ""
        for other in beside[:_MOST_BESIDE]:
            if other != name and (roles.by_name[other].stage if other in roles.by_name else "") == kind:
                yield Rewriting(rewrite.swapped(step.formula, name, symbol(other)), f"{other} for {name}")


SLIPS = (
    Slip(
        "missing-term",
        "How many terms does the sum in {} have?",
        "One of them seems to be missing.",
        _missing_term,
        usual=over_paths,
    ),
    Slip(
        "factor-two",
        "Is a factor missing or one too many, where something is squared, halved or averaged?",
        "This is {} as much as it should be: look at the factors 1/2 and 2 and at their derivatives.",
        _factor_two,
        usual=nowhere,
    ),
    Slip(
        "decimal-slip",
        "Is the decimal point in its place?",
        "The number fits with {} in another place: count by how many places it is off.",
        _decimal_slip,
        usual=nowhere,
    ),
    Slip(
        "sign-slip",
        "Is every sign right in {}?",
        "The number fits with a sign turned round: look at the signs one by one.",
        _sign_slip,
        usual=nowhere,
    ),
    Slip(
        "power-slip",
        "Is every square and every root in {}?",
        "One of them is missing, or there is one too many.",
        _power_slip,
        usual=nowhere,
    ),
    Slip(
        "swapped-values",
        "Was every number taken from its own line?",
        "One seems to come from another line: {}.",
        _swapped_values,
    ),
)
