"""Expressions as text: one walk over SymPy's tree for every style, in the order in which the formula is written."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy
from sympy import Add, Mul, NumberSymbol, Pow, Rational, Symbol
from sympy.core.function import AppliedUndef

from tutor.formulas.expressions import MINUS_ONE, formula, multiply, where
from tutor.maths.number_system import sign
from tutor.views.numbers import finite_decimals, fixed
from tutor.views.style import PLAIN, Style

Expr = Any

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4
_LONGEST_FRACTION = 20  # characters; a decimal that ends is easier to read than a longer one


def expression_text(expression: Expr, style: Style = PLAIN, names: Mapping[str, str] | None = None) -> str:
    """The expression as text; with `names`, each quantity as the text that stands for it there (its number)."""
    return _Writer(style, names).write(expression)[0]


class _Writer:
    """Writes a node as (text, precedence); a parent adds parentheses where a part binds less tightly than it does."""

    def __init__(self, style: Style, names: Mapping[str, str] | None) -> None:
        self.style, self.names = style, names

    def write(self, node: Expr) -> tuple[str, int]:
        if isinstance(node, Symbol):
            return self._name(node.name)
        if isinstance(node, Rational):
            return self._number(node)
        if isinstance(node, Add):
            return self._sum(node), SUM
        if isinstance(node, Mul):
            return self._product(node)
        if isinstance(node, Pow):
            return self._power(node)
        if isinstance(node, where):
            return self._choice(node)
        if isinstance(node, NumberSymbol):
            return str(node), ATOM
        if isinstance(node, AppliedUndef):
            f, x = node.args
            return self.style.derivative.format(x=x.name, f=self.write(f)[0]), ATOM
        inner = ", ".join(self.write(argument)[0] for argument in node.args)
        return f"{type(node).__name__.lower()}({inner})", ATOM

    def inside(self, node: Expr, tightness: int) -> str:
        text, own = self.write(node)
        return f"({text})" if own < tightness else text

    def _name(self, name: str) -> tuple[str, int]:
        if self.names is None:
            return name, ATOM
        text = self.names[name]
        return text, SUM if text.startswith("-") else PRODUCT if "/" in text else ATOM

    def _number(self, node: Rational) -> tuple[str, int]:
        value = Fraction(int(node.p), int(node.q))
        decimals = finite_decimals(value, 6)
        if decimals is None and len(str(node)) > _LONGEST_FRACTION:
            decimals = finite_decimals(value, _LONGEST_FRACTION)
        text = str(node) if decimals is None else fixed(value, decimals)
        return text, SUM if node < 0 else PRODUCT if "/" in text else ATOM

    def _sum(self, node: Add) -> str:
        parts: list[str] = []
        for term in node.args:
            positive = _without_minus(term)
            if positive is None or (self.names is not None and term.is_Rational):
                text = self.inside(term, PRODUCT) if parts else self.inside(term, SUM)
                if parts and text.startswith("-"):
                    text = f"({text})"
                parts.append(f"{self.style.plus}{text}" if parts else text)
            else:
                text = self._after_minus(positive)
                parts.append(f"{self.style.minus}{text}" if parts else self._negative(text))
        return "".join(parts)

    def _after_minus(self, node: Expr) -> str:
        """Where a minus stands before it: a negative number in front is then in parentheses, in a product too."""
        text, own = self._product(node, shielded=True) if isinstance(node, Mul) else self.write(node)
        return f"({text})" if own < PRODUCT else text

    def _product(self, node: Mul, shielded: bool = False) -> tuple[str, int]:
        factors = list(node.args)
        negative = len(factors) > 1 and factors[0] == -1
        text = ""
        for factor in factors[1:] if negative else factors:
            below = _denominator(factor)
            if below == 2 and self.style.half and not text:
                text = self.style.half
            elif below is not None:
                text = f"{text or '1'}{self.style.over}{self.inside(below, POWER)}"
            elif text:
                text = f"{text}{self.style.times}{self.inside(factor, POWER)}"
            else:
                text = self._after_minus(factor) if negative or shielded else self._leading(factor)
        signed = self._negative(text) if negative else text
        return signed, PRODUCT if signed == text else SUM

    def _leading(self, factor: Expr) -> str:
        """The first factor: a negative number needs no parentheses there."""
        text, own = self.write(factor)
        return text if own >= PRODUCT or isinstance(factor, Symbol | Rational) else f"({text})"

    def _negative(self, text: str) -> str:
        """The product with a minus before it, unless its first factor is a plain 0: there a minus says nothing."""
        zero = text == "0" or text.startswith((f"0{self.style.times}", f"0{self.style.over}"))
        return text if zero and not text.startswith("0**") else f"{self.style.negative}{text}"

    def _power(self, node: Pow) -> tuple[str, int]:
        if node.exp == sympy.Rational(1, 2):
            return self.style.root.format(f=self.write(node.base)[0]), ATOM
        below = _denominator(node)
        if below is not None:
            return f"1{self.style.over}{self.inside(below, POWER)}", PRODUCT
        exponent = self.inside(node.exp, ATOM)
        return self.inside(node.base, ATOM) + self.style.superscript(exponent), POWER

    def _choice(self, node: where) -> tuple[str, int]:
        """The larger or the smaller of two, an absolute value, a sign, or whatever else is chosen by a comparison."""
        z, then, otherwise = node.args
        left, right = _sides(z)
        if isinstance(z, Add) and {then, otherwise} == {left, right}:
            pattern = self.style.larger if then == left else self.style.smaller
            return pattern.format(a=self.write(then)[0], b=self.write(otherwise)[0]), ATOM
        if then == z and otherwise == multiply(MINUS_ONE, z):
            return self.style.size.format(a=self.write(z)[0]), ATOM
        if node == formula(sign, z):
            return self.style.sign.format(a=self.write(z)[0]), ATOM
        if isinstance(z, Mul) and z.args[0] == -1:  # -u > 0 says that u >= 0 does not hold
            return self._cases(*_sides(_without_minus(z)), ">=", otherwise, then), 0
        return self._cases(left, right, ">", then, otherwise), 0

    def _cases(self, left: Expr, right: Expr, sign: str, then: Expr, otherwise: Expr) -> str:
        condition = f"{self.inside(left, SUM)} {sign} {self.inside(right, SUM)}"
        return f"{self.inside(then, SUM)} if {condition} else {self.write(otherwise)[0]}"


def _sides(z: Expr) -> tuple[Expr, Expr]:
    """The two sides of the comparison behind z > 0: x and y where z is x - y, else z and 0."""
    if isinstance(z, Add) and len(z.args) == 2 and (right := _without_minus(z.args[1])) is not None:
        return z.args[0], right
    return z, sympy.S.Zero


def _without_minus(term: Expr) -> Expr | None:
    """u for a term written -u, None for one written without a minus."""
    if isinstance(term, Mul) and term.args[0] == -1:
        rest = term.args[1:]
        return rest[0] if len(rest) == 1 else Mul(*rest, evaluate=False)
    if isinstance(term, Mul) and term.args[0].is_Rational and term.args[0] < 0:
        return Mul(-term.args[0], *term.args[1:], evaluate=False)
    if isinstance(term, Rational) and term < 0:
        return -term
    return None


def _denominator(factor: Expr) -> Expr | None:
    """u where the factor is 1/u, None for any other."""
    if not isinstance(factor, Pow) or not isinstance(factor.exp, Rational) or factor.exp >= 0:
        return None
    return factor.base if factor.exp == -1 else Pow(factor.base, -factor.exp, evaluate=False)
