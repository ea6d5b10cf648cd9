"""Formulas as a person types them into an answer, with names or with numbers in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

from tutor.formulas.code import ATOM, HALF, PRODUCT, Code, Writer, call, code_of, power

Expr = Any


def typed(formula: Expr, numbers: Mapping[str, str] | None = None) -> str:
    """The formula in the language in which answers are read; with `numbers`, each name as its number."""
    return _Typed(str if numbers is None else numbers.__getitem__).code(formula).whole


class _Typed(Writer):
    def __init__(self, spelled: Callable[[str], str]) -> None:
        self.spelled = spelled

    def code(self, node: Expr) -> Code:
        if isinstance(node, sympy.Symbol):
            text = self.spelled(node.name)
            return Code(text.removeprefix("-"), ATOM, text.startswith("-"))
        if isinstance(node, sympy.Integer):
            return code_of(int(node))
        if isinstance(node, sympy.Rational):
            return _fraction(node)
        return self.operation(node)

    def power(self, base: Expr, exponent: Expr) -> Code:
        if exponent == HALF:
            return call("sqrt", self.code(base))
        if exponent == -HALF:
            return Code(f"1 / sqrt({self.code(base).whole})", PRODUCT)
        return power(self.code(base), self.code(exponent))


def _fraction(number: Expr) -> Code:
    size = abs(number)
    decimals = sympy.Integer(size.q)
    for prime in (2, 5):
        while decimals % prime == 0:
            decimals //= prime
    if decimals == 1 and len(str(size.q)) <= 7:
        return Code(f"{float(size):.12g}", ATOM, bool(number < 0))
    return Code(f"{size.p}/{size.q}", PRODUCT, bool(number < 0))
