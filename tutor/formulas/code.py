"""Steps compiled to straight-line Python, so that a worksheet can be worked thousands of times with other numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy

from tutor.formulas.evaluate import value_of
from tutor.formulas.expressions import names, where
from tutor.numbers.exact import ExactSystem, Number

Expr = Any
Pass = Callable[[list[Any], list[Any]], None]
_PRECISION = 120
_DEEPEST = 30  # operations one in the other, each with up to three parentheses; Python's own parser takes 200
_VALUES = re.compile(r"\bv\b")
_LONGEST_SUM = 100  # terms in one expression; Python's own compiler walks longer ones too deeply


class Source:
    """Writes formulas as Python source and collects their constants.

    With `rounding` every result inside a formula is rounded to the unit `u`, as somebody does who writes it down. With
    `decided` every case distinction is decided by the list `c`, whatever the values in `v`. With `snapping` a sum that
    is as good as 0 beside its terms is 0.
    """

    def __init__(
        self, places: Mapping[str, int], rounding: bool = False, decided: bool = False, snapping: bool = False
    ) -> None:
        self.places, self.rounding, self.decided, self.snapping = places, rounding, decided, snapping
        self.arguments = "v" + (", u" if rounding else "") + (", c" if decided else "")
        self.constants: list[Number] = []
        self.apart: list[str] = []
        self._known: dict[Any, str] = {}
        self._depth = 0

    def formula(self, node: Expr) -> str:
        """The source of a whole formula."""
        return self.value(node) if names(node) else self.constant(node)

    def value(self, node: Expr) -> str:
        if isinstance(node, sympy.Symbol):
            return f"v[{self.places[node.name]}]"
        if node.is_Integer and abs(int(node)) < 1_000:
            return f"{int(node)}" if node >= 0 else f"({int(node)})"
        if not names(node):
            return self.constant(node)
        if self._depth == _DEEPEST:
            return self._apart(node)
        self._depth += 1
        text = f"({self._operation(node)})"
        self._depth -= 1
        return text

    def _apart(self, node: Expr) -> str:
        """A deep part as a function of its own."""
        if node not in self._known:
            self._depth, depth = 0, self._depth
            text = self.value(node)
            self._depth = depth
            self._known[node] = f"p{len(self.apart)}({self.arguments})"
            self.apart.append(f"p{len(self.apart)} = lambda {self.arguments}: {text}")
        return self._known[node]

    def constant(self, node: Expr) -> str:
        """A number by its place among the constants."""
        if node not in self._known:
            try:
                number = value_of(node, {}, ExactSystem(_PRECISION))
            except (ArithmeticError, ValueError):  # no value, as 1/(1 - 1): a slip can lead there
                self._known[node] = "(1 / 0)"
            else:
                self._known[node] = f"k[{len(self.constants)}]"
                self.constants.append(number)
        return self._known[node]

    def _part(self, node: Expr) -> str:
        text = self.value(node)
        return f"rounded({text}, u)" if self.rounding and is_written_down(node) else text

    def _operation(self, node: Expr) -> str:
        if isinstance(node, where):
            condition, *cases = node.args
            then, otherwise = map(self.formula, cases)
            test = self.value(condition)
            if self.decided:
                test = _VALUES.sub("c", test)
            return f"{then} if {test} > 0 else {otherwise}"
        if node.is_Add:
            terms = [self._part(term) for term in node.args]
            return f"snapped(({', '.join(terms)}))" if self.snapping else _sum(terms)
        if node.is_Mul:
            negative = "-" if node.args[0] == -1 else ""
            factors = node.args[1:] if negative else node.args
            above = [self._part(factor) for factor in factors if not _is_reciprocal(factor)]
            below = [self._part(factor.args[0]) for factor in factors if _is_reciprocal(factor)]
            return negative + " / ".join([" * ".join(above) or "1", *below])
        if node.is_Pow:
            return _power(node.args[1], *map(self._part, node.args))
        return f"{type(node).__name__}({', '.join(map(self._part, node.args))})"


def is_written_down(node: Expr) -> bool:
    """Whether a person notes this as a result: not a number or a name, nor -x or the 1/x of a quotient."""
    return bool(node.args) and not (node.is_Mul and node.args[0] == -1) and not (node.is_Pow and node.args[1] == -1)


def _is_reciprocal(node: Expr) -> bool:
    return bool(node.is_Pow and node.args[1] == -1 and names(node))


def _sum(parts: Sequence[str]) -> str:
    if len(parts) <= _LONGEST_SUM:
        return " + ".join(parts)
    pieces = [parts[i : i + _LONGEST_SUM] for i in range(0, len(parts), _LONGEST_SUM)]
    return _sum([f"({' + '.join(piece)})" for piece in pieces])


def _power(exponent: Expr, base: str, text: str) -> str:
    if exponent == -1:
        return f"1 / {base}"
    if exponent == sympy.Rational(1, 2):
        return f"sqrt({base})"
    if exponent.is_Integer:
        return f"{base} ** {int(exponent)}" if exponent > 0 else f"1 / {base} ** {-int(exponent)}"
    return f"power({base}, {text})"


def compiled(lines: Iterable[str], arithmetic: Any, constants: Sequence[Number]) -> dict[str, Any]:
    """What the lines of generated source define. `arithmetic` is a module with exp, log and so on, and `number_of`."""
    tools = {name: getattr(arithmetic, name) for name in arithmetic.FUNCTIONS}
    space: dict[str, Any] = {"__builtins__": {}, "k": [arithmetic.number_of(c) for c in constants], **tools}
    exec(compile("\n".join(lines), "<worksheet>", "exec"), space)
    return space


def functions(
    formulas: Sequence[Expr],
    places: Mapping[str, int],
    arithmetic: Any,
    rounding: bool = False,
    decided: bool = False,
    snapping: bool = False,
) -> list[Callable[..., Any]]:
    """Each formula as a function of the values; with `rounding` also of the unit to which its results are rounded, with
    `decided` also of the values by which its cases are decided."""
    source = Source(places, rounding, decided, snapping)
    lines = [f"  lambda {source.arguments}: {source.formula(formula)}," for formula in formulas]
    lines = [*source.apart, "made = [", *lines, "]"]
    made: list[Callable[..., Any]] = compiled(lines, arithmetic, source.constants)["made"]
    return made
