"""Tidying an expression: zeros, ones and loose numbers go, everything else stays where it was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Add, Mul, Pow

from tutor.arithmetic.symbolic import ONE, ZERO, add, folded, multiply, power, rebuild

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
