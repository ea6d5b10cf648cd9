"""Formulas written by people: Python's own syntax tree, walked against a whitelist, built into SymPy node by node.

Nothing is ever evaluated as code. Raises ValueError, with a reason for the writer, for whatever is not a formula.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from functools import cached_property
from typing import Any

import sympy

from tutor.errors import counted, nearest
from tutor.formulas.evaluate import value_of
from tutor.formulas.expressions import MINUS_ONE, ZERO, add, multiply, names, symbol, written_depth, written_size
from tutor.formulas.indices import (
    FOLDED,
    NO_INDICES,
    Indices,
    Loop,
    SizeLimit,
    combined,
    has_index,
    holds,
    index_values,
    indexed_name,
    unknown_name,
    worked_out,
)
from tutor.formulas.syntax import DEEPEST_NESTING, Syntax, bases, read_syntax
from tutor.formulas.vocabulary import COMPARISONS, CONSTANTS, FUNCTIONS, OPERATORS, OVER_A_RANGE
from tutor.numbers.budget import AN_ANSWER, Budget, TooMuchComputing
from tutor.numbers.exact import ExactSystem, comma_hint, read_number

Expr = Any

DEEPEST_FORMULA = 80
LARGEST_POWER = 1_000
MOST_PARTS = 10_000
"""The names, numbers and operations of a formula that is written out: abs(u) is u if u > 0 else -u."""


def parse(text: str, known: Collection[str], at: Indices = NO_INDICES, limit: SizeLimit | None = None) -> Expr:
    """The expression that `text` writes over the `known` names, where the indices `at` are numbers.

    What it is made of, with every sum written out, comes out of the `limit` that the lesson has.
    """
    written = read_syntax(text, frozenset(known))
    long = f"the formula has more than {MOST_PARTS:,} parts when its sums are written out; shorten a range"
    expression = _Reader(written, known, at, SizeLimit(MOST_PARTS, long, limit)).read(written.tree, 0)
    if _size(expression) > DEEPEST_FORMULA and written_depth(expression) > DEEPEST_FORMULA:
        raise ValueError(f"written out, the formula is nested deeper than {DEEPEST_FORMULA} levels")
    return expression


class _Reader:
    """One walk over one syntax tree; everything that is not listed here is refused."""

    def __init__(self, syntax: Syntax, known: Collection[str], at: Indices, limit: SizeLimit) -> None:
        self.syntax, self.known, self.at, self.limit = syntax, known, at, limit

    def read(self, node: ast.expr, depth: int) -> Expr:
        self.limit.take()
        if depth > 4 * DEEPEST_NESTING:
            raise ValueError("the formula is nested too deeply")
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            base = self.syntax.name(node.value.id)
            return self._quantity(indexed_name(base, node.slice, self.at, self.syntax.written(node.slice)))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self.read(node.operand, depth + 1)
            return multiply(MINUS_ONE, inner) if isinstance(node.op, ast.USub) and inner != 0 else inner
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return self._operation(node, depth)
        if isinstance(node, ast.BinOp) and has_index(node, self.at):
            number = worked_out(node, self.at, FOLDED)
            if number is not None:
                return sympy.Integer(int(number))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id, node, depth)
        if isinstance(node, ast.IfExp):
            return self._choice(node, depth)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            self._check_block(node.value.id, self.syntax.written(node))
        hint = comma_hint(self.syntax.source) if isinstance(node, ast.Tuple) else ""
        raise ValueError(f"{self._text(node)} does not belong in a formula{hint}")

    def _check_block(self, block: str, written: str) -> None:
        """Raises ValueError, with the name that is meant, where names begin with the block of a lesson and a dot: of
        `net.dE/dW1[1]` the first part is read where only `net.dE/dW1` is known."""
        if own := [name for name in self.known if name.startswith(f"{block}.")]:
            raise ValueError(unknown_name(written, [name for name in own if name.startswith(written)] or own))

    def _text(self, node: ast.expr) -> str:
        return ascii(self.syntax.written(node)[:40])

    def _number(self, node: ast.Constant) -> Expr:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ValueError(f"{self._text(node)} does not belong in a formula")
        value = read_number(self.syntax.written(node))
        return sympy.Rational(value.numerator, value.denominator)

    def _name(self, written: str) -> Expr:
        if written in self.at:
            return sympy.Integer(self.at[written])
        return self._quantity(self.syntax.name(written))

    def _quantity(self, name: str) -> Expr:
        if name not in self.known:
            if name in CONSTANTS:
                return CONSTANTS[name]
            raise ValueError(unknown_name(name, self.known))
        return symbol(name)

    def _operation(self, node: ast.BinOp, depth: int) -> Expr:
        arms = []  # a long sum leans to the left as deep as it is long, so that arm is walked in a loop
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and type(left.op) in OPERATORS:
            arms.append((type(left.op), left.right))
            left = left.left
        result = self.read(left, depth + 1)
        number = worked_out(left, self.at, FOLDED)
        indexed = has_index(left, self.at)
        for operator, arm in reversed(arms):
            right = self.read(arm, depth + 1)
            if operator is ast.Pow:
                self._check_exponent(right)
            spliced = right.is_Add and operator is ast.Add and _is_sum_over_range(arm)
            for term in right.args if spliced else (right,):
                result = OPERATORS[operator](result, term)
            number = combined(number, operator, worked_out(arm, self.at, FOLDED))
            indexed = indexed or has_index(arm, self.at)
            if indexed and number is not None:  # t - 1 is the number that it is
                result = sympy.Integer(int(number))
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
        if name in OVER_A_RANGE:
            return self._over_range(name, node, depth)
        if name not in FUNCTIONS:
            raise ValueError(f"unknown function {name[:40]!a}{nearest(name, [*FUNCTIONS, *OVER_A_RANGE])}")
        count, build = FUNCTIONS[name]
        if node.keywords or len(node.args) != count:
            pattern = "a" if count == 1 else "a, b"
            raise ValueError(f"{name} takes {counted(count, 'value')}, as in {name}({pattern})")
        return _bounded(build(*(self.read(argument, depth + 1) for argument in node.args)))

    def _over_range(self, name: str, node: ast.Call, depth: int) -> Expr:
        """sum(… for k in 1..3) written out, mean(…) likewise."""
        body = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if not isinstance(body, ast.GeneratorExp):
            raise ValueError(f"{name} goes over a range, as in {name}(x[k] for k in 1..3)")
        loops = [self._loop(generator) for generator in body.generators]
        outside, count = self.at, 0
        terms: list[Expr] = []
        for here in index_values(loops, outside, self.limit):
            self.at, count = here, count + 1
            term = self.read(body.elt, depth + 1)
            terms += term.args if _is_sum_over_range(body.elt) and term.is_Add else [term]
        self.at = outside
        if not terms and name == "mean":
            raise ValueError("a mean over a range without any number has no value")
        return OVER_A_RANGE[name](add(*terms) if terms else ZERO, count)

    def _loop(self, generator: ast.comprehension) -> Loop:
        index = generator.target.id if isinstance(generator.target, ast.Name) else ""
        if not index or index != self.syntax.name(index):
            raise ValueError("a sum goes over one index after another, as in `for i in 1..3 for j in 1..2`")
        known = frozenset(self.known)
        if index in self.at or index in known or index in bases(known):
            raise ValueError(f"the index {index[:40]!a} of a sum has the name of something else; take another letter")
        return Loop(index, generator.iter, self.syntax.written(generator.iter)[:40], generator.ifs)

    def _choice(self, node: ast.IfExp, depth: int) -> Expr:
        test = node.test
        if (decided := holds(test, self.at)) is not None:
            return self.read(node.body if decided else node.orelse, depth + 1)
        if not isinstance(test, ast.Compare) or len(test.ops) != 1 or type(test.ops[0]) not in COMPARISONS:
            raise ValueError("a condition compares two values: a if x > y else b")
        sides = self.read(test.left, depth + 1), self.read(test.comparators[0], depth + 1)
        branches = self.read(node.body, depth + 1), self.read(node.orelse, depth + 1)
        return _bounded(COMPARISONS[type(test.ops[0])](*sides, *branches))


def _is_sum_over_range(node: ast.expr) -> bool:
    """Whether its terms may stand in a sum without parentheses: nobody wrote any."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sum"


def _bounded(node: Expr) -> Expr:
    """The node, unless it is longer than anybody reads when it is written out, as functions of functions soon are."""
    _size(node)
    return node


def _size(node: Expr) -> int:
    size = written_size(node)
    if size > MOST_PARTS:
        raise ValueError(f"the formula has {size:,} parts when it is written out; it may have {MOST_PARTS:,}")
    return size
