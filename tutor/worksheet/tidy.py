"""Tidying an expression: zeros, ones and loose numbers go, everything else stays where it was written."""

from __future__ import annotations

from typing import Any

from sympy import Add, Mul, Pow

from tutor.arithmetic.symbolic import ONE, ZERO, add, folded, multiply, power, rebuild

Expr = Any


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
    number = sum((t for t in flat if t.is_Rational), ZERO)
    place = next((i for i, t in enumerate(flat) if t.is_Rational and t != 0), 0)
    before = [t for t in flat[:place] if not t.is_Rational]
    after = [t for t in flat[place:] if not t.is_Rational]
    terms = [*before, *([number] if number != 0 else []), *after]
    return add(*terms) if terms else number


def _tidy_product(factors: list[Expr]) -> Expr:
    flat = [f for factor in factors for f in (factor.args if isinstance(factor, Mul) else (factor,))]
    number = ONE
    for f in flat:
        if f.is_Rational:
            number *= f
    rest = [f for f in flat if not f.is_Rational]
    if number == 0 or not rest:
        return number
    upper = [f for f in rest if not (isinstance(f, Pow) and f.exp.is_negative)]
    lower = [f for f in rest if isinstance(f, Pow) and f.exp.is_negative]
    ordered = [*upper, *lower]
    return multiply(*ordered) if number == 1 else multiply(number, *ordered)


def _tidy_power(base: Expr, exponent: Expr) -> Expr:
    if exponent == 1:
        return base
    if exponent == 0:
        return ONE
    if base.is_Rational and exponent.is_Integer:
        return base**exponent
    return power(base, exponent)
