"""What formulas are made of: operators, comparisons, functions, and what goes over a range, each as it is built."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import sympy

from tutor.formulas.expressions import FUNCTION_NODES, MINUS_ONE, add, formula, multiply, power, where
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.number_system import FUNCTIONS as TABLE

Expr = Any

OPERATORS: Mapping[type, Callable[[Expr, Expr], Expr]] = {
    ast.Add: lambda a, b: _joined(sympy.Add, a, b),
    ast.Sub: lambda a, b: _joined(sympy.Add, a, multiply(MINUS_ONE, b)),
    ast.Mult: lambda a, b: _joined(sympy.Mul, a, b),
    ast.Div: lambda a, b: _joined(sympy.Mul, a, power(b, MINUS_ONE)),
    ast.Pow: lambda a, b: power(a, b),
}


def _joined(kind: Any, a: Expr, b: Expr) -> Expr:
    """a + b + c as one sum of three terms rather than (a + b) + c; products likewise."""
    return kind(*(a.args if type(a) is kind else (a,)), b, evaluate=False)


def _minus(a: Expr, b: Expr) -> Expr:
    return a if b == 0 else add(a, multiply(MINUS_ONE, b))


COMPARISONS: Mapping[type, Callable[[Expr, Expr, Expr, Expr], Expr]] = {
    ast.Gt: lambda x, y, a, b: where(_minus(x, y), a, b),
    ast.Lt: lambda x, y, a, b: where(_minus(y, x), a, b),
    ast.GtE: lambda x, y, a, b: where(multiply(MINUS_ONE, _minus(x, y)), b, a),
    ast.LtE: lambda x, y, a, b: where(multiply(MINUS_ONE, _minus(y, x)), b, a),
}
"""a if x > y else b, and the others, each by the one comparison that formulas know: x >= y is no -(x - y) > 0."""

_LOG_TEN = sympy.log(sympy.Integer(10), evaluate=False)

FUNCTIONS: Mapping[str, tuple[int, Callable[..., Expr]]] = {
    **{name: (1, partial(node, evaluate=False)) for name, node in FUNCTION_NODES.items() if TABLE[name].in_formulas},
    "ln": (1, lambda z: sympy.log(z, evaluate=False)),
    "log10": (1, lambda z: multiply(sympy.log(z, evaluate=False), power(_LOG_TEN, MINUS_ONE))),
    "sqrt": (1, lambda z: power(z, sympy.Rational(1, 2))),
    "abs": (1, lambda z: where(z, z, multiply(MINUS_ONE, z))),
    "max": (2, lambda a, b: where(_minus(a, b), a, b)),
    "min": (2, lambda a, b: where(_minus(b, a), a, b)),
    **{name: (1, lambda z, body=ACTIVATIONS[name].value: formula(body, z)) for name in ("sigmoid", "relu", "sign")},
}


CONSTANTS: Mapping[str, Expr] = {"pi": sympy.pi}
"""Names that mean a number wherever no quantity is called so."""

OVER_A_RANGE: Mapping[str, Callable[[Expr, int], Expr]] = {
    "sum": lambda total, count: total,
    "mean": lambda total, count: multiply(total, power(sympy.Integer(count), MINUS_ONE)),
}
"""What is made of the terms of sum(… for k in 1..3): their total, and how many there are."""
