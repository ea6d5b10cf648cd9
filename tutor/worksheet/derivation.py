"""Derivatives written out, one rule a line, and tidied to the form that a teacher writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import sympy
from msgspec import Struct
from sympy import Add, Mul, Pow

from tutor.formulas.expressions import (
    FUNCTION_NODES,
    MINUS_ONE,
    ONE,
    ZERO,
    add,
    changed,
    folded,
    formula,
    multiply,
    names,
    parts,
    power,
    rebuild,
    replace,
    symbol,
    where,
    written_size,
)
from tutor.maths.number_system import FUNCTIONS
from tutor.worksheet.step import Step

Expr = Any
_LONGEST_NUMBER = 1_400  # bits: 400 digits, as many as a file may write


def tidied(expression: Expr) -> Expr:
    """The expression without zeros, ones and loose numbers, its factors and terms otherwise in place."""
    return folded(expression, _tidy)


def _tidy(node: Expr, parts: list[Expr]) -> Expr:
    if isinstance(node, Add):
        return _tidy_sum(parts)
    if isinstance(node, Mul):
        return _tidy_product(parts)
    if isinstance(node, Pow):
        return _tidy_power(*parts)
    return rebuild(node, parts)


def _tidy_sum(terms: list[Expr]) -> Expr:
    flat = [t for term in terms for t in (term.args if isinstance(term, Add) else (term,))]
    number, rest = _gathered(flat, ZERO, sympy.Rational.__add__)
    place = next((i for i, t in enumerate(flat) if t.is_Rational and t != 0), 0)
    before = [t for i, t in rest if i < place]
    after = [t for i, t in rest if i >= place]
    terms = [*before, *([number] if number != 0 else []), *after]
    return add(*terms) if terms else number


def _tidy_product(factors: list[Expr]) -> Expr:
    flat = [f for factor in factors for f in (factor.args if isinstance(factor, Mul) else (factor,))]
    if any(f.is_Rational and f == 0 for f in flat):
        return ZERO
    number, kept = _gathered(flat, ONE, sympy.Rational.__mul__)
    rest = [f for _, f in kept]
    if not rest:
        return number
    upper = [f for f in rest if not (isinstance(f, Pow) and f.exp.is_negative)]
    lower = [f for f in rest if isinstance(f, Pow) and f.exp.is_negative]
    ordered = [*upper, *lower]
    return multiply(*ordered) if number == 1 else multiply(number, *ordered)


def _gathered(
    flat: list[Expr], number: Expr, together: Callable[[Expr, Expr], Expr]
) -> tuple[Expr, list[tuple[int, Expr]]]:
    """All loose numbers as one, unless that gets too long to be read; and the others with their places."""
    rest = []
    for place, part in enumerate(flat):
        found = together(number, part) if part.is_Rational else None
        if found is None or not _is_short(found):
            rest.append((place, part))
        else:
            number = found
    return number, rest


def _is_short(number: Expr, times: int = 1) -> bool:
    return times * max(int(number.p).bit_length(), int(number.q).bit_length()) <= _LONGEST_NUMBER


def _tidy_power(base: Expr, exponent: Expr) -> Expr:
    if exponent == 1:
        return base
    if exponent == 0:
        return ONE
    if base.is_Rational and exponent.is_Integer and (base != 0 or exponent > 0) and _is_short(base, abs(int(exponent))):
        return base**exponent
    return power(base, exponent)


D = sympy.Function("D")
"""D(f, x) stands for a derivative that has not been worked out yet."""
MOST_PARTS = 200_000
"""The names, numbers and operations on all lines of a derivation together."""


class Line(Struct, frozen=True):
    """One line of a derivation: the expression so far and the rule that led to it."""

    expression: Expr
    rule: str


Rule = Callable[[Expr, Expr], Expr | None]


def _constant(f: Expr, x: Expr) -> Expr | None:
    """dc/dx = 0"""
    return None if _depends(f, x) else ZERO


def _sum(f: Expr, x: Expr) -> Expr | None:
    """d(u + v)/dx = du/dx + dv/dx"""
    return add(*(D(term, x) for term in f.args)) if isinstance(f, Add) else None


def _cases(f: Expr, x: Expr) -> Expr | None:
    """what is given case by case is differentiated case by case"""
    return where(f.args[0], *(D(case, x) for case in f.args[1:])) if isinstance(f, where) else None


def _constant_factor(f: Expr, x: Expr) -> Expr | None:
    """d(c*u)/dx = c*du/dx"""
    if not isinstance(f, Mul):
        return None
    constant = [factor for factor in f.args if not _depends(factor, x)]
    rest = [factor for factor in f.args if _depends(factor, x)]
    return multiply(*constant, D(multiply(*rest), x)) if constant else None


def _product(f: Expr, x: Expr) -> Expr | None:
    """d(u*v)/dx = du/dx*v + u*dv/dx"""
    if not isinstance(f, Mul):
        return None
    return add(*(multiply(*f.args[:i], D(factor, x), *f.args[i + 1 :]) for i, factor in enumerate(f.args)))


def _power(f: Expr, x: Expr) -> Expr | None:
    """d(u**n)/dx = n*u**(n - 1)*du/dx"""
    if f == x:
        return multiply(ONE, power(x, add(ONE, MINUS_ONE)))
    if not isinstance(f, Pow) or _depends(f.exp, x):
        return None
    lowered = multiply(f.exp, power(f.base, add(f.exp, MINUS_ONE)))
    return multiply(*lowered.args, D(f.base, x))


def _function(name: str, f: Expr, x: Expr) -> Expr | None:
    """df(u)/dx = f'(u)*du/dx"""
    if not isinstance(f, FUNCTION_NODES[name]):
        return None
    slope = formula(FUNCTIONS[name].slope, f.args[0], f)
    return multiply(*(slope.args if isinstance(slope, Mul) else (slope,)), D(f.args[0], x))


def _exponential(f: Expr, x: Expr) -> Expr | None:
    """d(c**u)/dx = c**u*log(c)*du/dx"""
    if not isinstance(f, Pow) or _depends(f.base, x):
        return None
    return multiply(f, sympy.log(f.base, evaluate=False), D(f.exp, x))


def _variable_power(f: Expr, x: Expr) -> Expr | None:
    """u**v = exp(v*log(u))"""
    if not isinstance(f, Pow):
        return None
    return D(sympy.exp(multiply(f.exp, sympy.log(f.base, evaluate=False)), evaluate=False), x)


RULES: Mapping[str, Rule] = {
    "sum rule": _sum,
    "constant rule": _constant,
    "case by case": _cases,
    "constant factor": _constant_factor,
    "product rule": _product,
    **{f"{f.title}, chain rule": partial(_function, name) for name, f in FUNCTIONS.items() if f.in_formulas},
    "power rule": _power,
    "exponential with another base, chain rule": _exponential,
    "power as an exponential": _variable_power,
}


def derive(step: Step, name: str, result: Expr) -> tuple[Line, ...]:
    """The derivative of the step's formula by `name`, line by line, down to `result`, its taught form."""
    x = symbol(name)
    lines = [Line(D(step.formula, x), "what is asked")]
    lines += _work_out(lines[0].expression, x)
    if lines[-1].expression != result and name in step.slopes:
        lines += [Line(expression, why) for why, expression in step.bridge]
    lines += _at_corners(lines[-1].expression, result)
    if lines[-1].expression != result:
        named = step.name in names(result)
        lines.append(Line(result, f"{step.name} written for its formula" if named else "rearranged"))
    return tuple(lines)


def _at_corners(expression: Expr, result: Expr) -> Iterator[Line]:
    """The slope of |u| where u is 0: there is none, and the taught form takes 0."""
    corners: list[Expr] = []

    def chosen(node: Expr) -> Expr | None:
        if not isinstance(node, where) or node.args[1:] != (ONE, MINUS_ONE):
            return None
        u = node.args[0]
        whole = where(u, ONE, where(multiply(MINUS_ONE, u), MINUS_ONE, ZERO))
        if whole not in parts(result):
            return None
        corners.append(u)
        return whole

    found = _everywhere(expression, chosen)
    if found is not None:
        yield Line(found, f"0 is chosen at {corners[0]} = 0, where there is no derivative")


def simplest(step: Step, name: str) -> Expr:
    """The derivative as the rules give it, tidied, with the step's name where its whole formula comes back.

    Raises ValueError where more would be written down on the way to it than anybody reads.
    """
    x = symbol(name)
    last, size = D(step.formula, x), 0
    for line in _work_out(last, x):
        last, size = line.expression, size + written_size(line.expression)
        if size > MOST_PARTS:
            raise ValueError(
                f"the derivative of {step.name} by {name}, rule by rule, would have more than {MOST_PARTS:,} parts; "
                "write the formula as several equations, one for each part of it"
            )
    return replace(last, {step.formula: symbol(step.name)}) if step.formula.args else last


def _work_out(expression: Expr, x: Expr) -> Iterator[Line]:
    while any(isinstance(part, D) for part in parts(expression)):
        for name, rule in RULES.items():
            found = _everywhere(expression, partial(_try, rule))
            if found is not None:
                label = f"{name}, chain rule" if rule is _power and _reaches_inside(expression, x) else name
                yield Line(found, label)
                expression = found
                break
        else:
            raise TypeError(f"no rule differentiates {expression}")
    unit = _everywhere(expression, lambda node: ONE if _is_zeroth_power(node) else None)
    if unit is not None:
        yield Line(unit, "x⁰ = 1")
        expression = unit
    tidy = tidied(expression)
    if tidy != expression:
        yield Line(tidy, "simplify")


def _try(rule: Rule, node: Expr) -> Expr | None:
    return rule(*node.args) if isinstance(node, D) else None


def _reaches_inside(expression: Expr, x: Expr) -> bool:
    open_ones = (part.args[0] for part in parts(expression) if isinstance(part, D))
    return any(isinstance(f, Pow) and f.base != x for f in open_ones)


def _is_zeroth_power(node: Expr) -> bool:
    return (
        isinstance(node, Pow)
        and isinstance(node.exp, Add)
        and all(n.is_Rational for n in node.exp.args)
        and sum(node.exp.args) == 0
    )


def _everywhere(expression: Expr, change: Callable[[Expr], Expr | None]) -> Expr | None:
    """The expression with `change` made at each node where it applies, None where it applies nowhere."""

    def here(node: Expr) -> Expr | None:
        found = change(node)
        return node if found is None and isinstance(node, D) else found

    found = changed(expression, here)
    return None if found is expression else found


def _depends(f: Expr, x: Expr) -> bool:
    return x.name in names(f)
