"""Formulas written by people: Python's own syntax tree, walked against a whitelist, built into SymPy node by node.

Nothing is ever evaluated as code. Raises ValueError, with a reason for the writer, for whatever is not a formula.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from functools import cached_property, lru_cache
from typing import Any

import sympy

from tutor.arithmetic.budget import AN_ANSWER, Budget, TooMuchComputing
from tutor.arithmetic.exact import ExactSystem, comma_hint, read_number
from tutor.arithmetic.symbolic import (
    MINUS_ONE,
    add,
    formula,
    multiply,
    names,
    power,
    symbol,
    where,
    written_depth,
    written_size,
)
from tutor.errors import counted, nearest
from tutor.maths.activations import ACTIVATIONS
from tutor.worksheet.evaluate import value_of
from tutor.worksheet.names import is_name, meant_by

Expr = Any

LONGEST_TEXT = 2_000
DEEPEST_NESTING = 40
DEEPEST_FORMULA = 80
LARGEST_POWER = 1_000
MOST_PARTS = 10_000
"""The names, numbers and operations of a formula that is written out: abs(u) is u if u > 0 else -u."""
SPELLINGS = str.maketrans({"−": "-", "·": "*", "×": "*", "²": "**2", "³": "**3", "∂": "d", "^": "**"})

OPERATORS: Mapping[type, Callable[[Expr, Expr], Expr]] = {
    ast.Add: lambda a, b: add(a, b),
    ast.Sub: lambda a, b: add(a, multiply(MINUS_ONE, b)),
    ast.Mult: lambda a, b: multiply(a, b),
    ast.Div: lambda a, b: multiply(a, power(b, MINUS_ONE)),
    ast.Pow: lambda a, b: power(a, b),
}


def _minus(a: Expr, b: Expr) -> Expr:
    return a if b == 0 else add(a, multiply(MINUS_ONE, b))


COMPARISONS: Mapping[type, Callable[[Expr, Expr, Expr, Expr], Expr]] = {
    ast.Gt: lambda x, y, a, b: where(_minus(x, y), a, b),
    ast.Lt: lambda x, y, a, b: where(_minus(y, x), a, b),
    ast.GtE: lambda x, y, a, b: where(_minus(y, x), b, a),
    ast.LtE: lambda x, y, a, b: where(_minus(x, y), b, a),
}
"""a if x > y else b, and the others, each by the one comparison that formulas know."""

FUNCTIONS: Mapping[str, tuple[int, Callable[..., Expr]]] = {
    "exp": (1, lambda z: sympy.exp(z, evaluate=False)),
    "log": (1, lambda z: sympy.log(z, evaluate=False)),
    "ln": (1, lambda z: sympy.log(z, evaluate=False)),
    "sin": (1, lambda z: sympy.sin(z, evaluate=False)),
    "cos": (1, lambda z: sympy.cos(z, evaluate=False)),
    "sqrt": (1, lambda z: power(z, sympy.Rational(1, 2))),
    "abs": (1, lambda z: where(z, z, multiply(MINUS_ONE, z))),
    "max": (2, lambda a, b: where(_minus(a, b), a, b)),
    "min": (2, lambda a, b: where(_minus(b, a), a, b)),
    **{name: (1, lambda z, body=ACTIVATIONS[name].value: formula(body, z)) for name in ("tanh", "sigmoid", "relu")},
}


def parse(text: str, known: Collection[str]) -> Expr:
    """The expression that `text` writes over the `known` names."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"a formula may have {LONGEST_TEXT} characters; this one has {len(text)}")
    source = text.strip().translate(SPELLINGS)
    if odd := next((c for c in source if not c.isascii() or not c.isprintable() or c == "#"), None):
        raise ValueError(f"the character {odd!a} does not belong in a formula")
    source, places = _hide_names(source, frozenset(known))
    if not source:
        raise ValueError("the formula is empty")
    if _nesting(source) > DEEPEST_NESTING:
        raise ValueError(f"the formula is nested deeper than {DEEPEST_NESTING} levels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # Python's opinion of a formula is not for its writer
            tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("this is not a formula: use numbers, names, + - * / ** and parentheses") from None
    expression = _bounded(_Reader(source, known, places).read(tree.body, 0))
    if written_depth(expression) > DEEPEST_FORMULA:
        raise ValueError(f"written out, the formula is nested deeper than {DEEPEST_FORMULA} levels")
    return expression


def _nesting(source: str) -> int:
    depth = deepest = 0
    for character in source:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _hide_names(source: str, known: frozenset[str]) -> tuple[str, dict[str, str]]:
    """Names such as dE/dW1 as plain identifiers, so that Python's grammar leaves them whole."""
    pattern = _special_names(known)
    if pattern is None:
        return source, {}
    places: dict[str, str] = {}
    mark = "_q"
    while mark in source:
        mark += "_"

    def hide(match: re.Match[str]) -> str:
        place = f"{mark}{len(places)}_"
        places[place] = match[0]
        return place

    return pattern.sub(hide, source), places


@lru_cache(maxsize=64)
def _special_names(known: frozenset[str]) -> re.Pattern[str] | None:
    special = sorted((n for n in known if not n.isidentifier()), key=lambda n: (-len(n), n))
    if not special:
        return None
    return re.compile(r"(?<![A-Za-z0-9_.])(?:" + "|".join(map(re.escape, special)) + r")(?![A-Za-z0-9_(\[@])")


class _Reader:
    """One walk over one syntax tree; everything that is not listed here is refused."""

    def __init__(self, source: str, known: Collection[str], places: Mapping[str, str]) -> None:
        self.source, self.known, self.places = source, known, places

    def read(self, node: ast.expr, depth: int) -> Expr:
        if depth > 4 * DEEPEST_NESTING:
            raise ValueError("the formula is nested too deeply")
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self.read(node.operand, depth + 1)
            return multiply(MINUS_ONE, inner) if isinstance(node.op, ast.USub) and inner != 0 else inner
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return self._operation(node, depth)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id, node, depth)
        if isinstance(node, ast.IfExp):
            return self._choice(node, depth)
        if isinstance(node, ast.Subscript) and is_name(text := ast.get_source_segment(self.source, node) or ""):
            return self._name(text)
        hint = comma_hint(self.source) if isinstance(node, ast.Tuple) else ""
        raise ValueError(f"{self._text(node)} does not belong in a formula{hint}")

    def _text(self, node: ast.expr) -> str:
        return ascii(self._written(node)[:40])

    def _written(self, node: ast.expr) -> str:
        """The text of the node: the source is one line of ASCII."""
        return self.source[node.col_offset : node.end_col_offset]

    def _number(self, node: ast.Constant) -> Expr:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ValueError(f"{self._text(node)} does not belong in a formula")
        value = read_number(self._written(node))
        return sympy.Rational(value.numerator, value.denominator)

    def _name(self, written: str) -> Expr:
        name = self.places.get(written, written)
        if name not in self.known:
            raise ValueError(f"unknown name {name[:40]!a}{meant_by(name, self.known)}")
        return symbol(name)

    def _operation(self, node: ast.BinOp, depth: int) -> Expr:
        arms = []  # a long sum leans to the left as deep as it is long, so that arm is walked in a loop
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and type(left.op) in OPERATORS:
            arms.append((type(left.op), left.right))
            left = left.left
        result = self.read(left, depth + 1)
        for operator, arm in reversed(arms):
            right = self.read(arm, depth + 1)
            if operator is ast.Pow:
                self._check_exponent(right)
            result = _flat(OPERATORS[operator](result, right))
        return result

    def _check_exponent(self, exponent: Expr) -> None:
        if names(exponent):
            return
        try:
            value = value_of(exponent, {}, self._system)
        except (ZeroDivisionError, ValueError, OverflowError, TooMuchComputing):
            raise ValueError("an exponent has no value") from None
        if abs(value) > LARGEST_POWER:
            raise ValueError(f"an exponent is beyond ±{LARGEST_POWER}")

    @cached_property
    def _system(self) -> ExactSystem:
        return ExactSystem(30, Budget(AN_ANSWER))

    def _call(self, name: str, node: ast.Call, depth: int) -> Expr:
        if name not in FUNCTIONS:
            raise ValueError(f"unknown function {name[:40]!a}{nearest(name, FUNCTIONS)}")
        count, build = FUNCTIONS[name]
        if node.keywords or len(node.args) != count:
            pattern = "a" if count == 1 else "a, b"
            raise ValueError(f"{name} takes {counted(count, 'value')}, as in {name}({pattern})")
        return _bounded(build(*(self.read(argument, depth + 1) for argument in node.args)))

    def _choice(self, node: ast.IfExp, depth: int) -> Expr:
        test = node.test
        if not isinstance(test, ast.Compare) or len(test.ops) != 1 or type(test.ops[0]) not in COMPARISONS:
            raise ValueError("a condition compares two values: a if x > y else b")
        sides = self.read(test.left, depth + 1), self.read(test.comparators[0], depth + 1)
        branches = self.read(node.body, depth + 1), self.read(node.orelse, depth + 1)
        return _bounded(COMPARISONS[type(test.ops[0])](*sides, *branches))


def _flat(node: Expr) -> Expr:
    """a + b + c as one sum of three terms rather than (a + b) + c; products likewise."""
    kind = type(node)
    if kind in (sympy.Add, sympy.Mul) and type(node.args[0]) is kind:
        return kind(*node.args[0].args, *node.args[1:], evaluate=False)
    return node


def _bounded(node: Expr) -> Expr:
    """The node, unless it is longer than anybody reads when it is written out, as functions of functions soon are."""
    size = written_size(node)
    if size > MOST_PARTS:
        raise ValueError(f"the formula has {size:,} parts when it is written out; it may have {MOST_PARTS:,}")
    return node
