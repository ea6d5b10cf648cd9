"""Formulas as SymPy expressions that keep the order and the form in which they are written.

An expression is a graph: a part may stand in several places, and in theirs again, so that written out it would never
end. Whoever walks one uses `changed`, `folded` or `parts`, which come to each part once.

SymPy sorts and simplifies whatever it is given. A tutor must not: `dE/dh * dh/ds * ds/dW` loses its meaning
when sorted by name. So every expression here is built unevaluated; only differentiation lets SymPy simplify.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cache, lru_cache
from types import MappingProxyType, SimpleNamespace
from typing import Any

import sympy
from sympy import Add, Expr, Mul, Pow, Symbol

from tutor.maths.number_system import FUNCTIONS, Function, completed

ZERO, ONE, MINUS_ONE = sympy.S.Zero, sympy.S.One, sympy.S.NegativeOne


@cache
def symbol(name: str) -> Symbol:
    """The quantity called `name`. Always real, so that |x| and roots differentiate as people expect."""
    return Symbol(name, real=True)


def add(*terms: Expr) -> Expr:
    """The sum as written, 0 where there is nothing to add."""
    return terms[0] if len(terms) == 1 else Add(*terms, evaluate=False)


def multiply(*factors: Expr) -> Expr:
    """The product as written, 1 where there is nothing to multiply."""
    return factors[0] if len(factors) == 1 else Mul(*factors, evaluate=False)


def power(base: Expr, exponent: Expr) -> Expr:
    """The power as written."""
    return Pow(base, exponent, evaluate=False)


def rebuild(node: Expr, arguments: list[Expr]) -> Expr:
    """The same operation on other arguments, unevaluated."""
    if not arguments:
        return node
    return node.func(*arguments, evaluate=False)


def replace(expression: Expr, by: Mapping[Expr, Expr]) -> Expr:
    """The expression with every symbol in `by` replaced, otherwise exactly as it was written."""
    return changed(expression, by.get)


def changed(expression: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with every part replaced by what `change` makes of it, from the whole down to its parts; where
    that is None the part stays, and its own parts are looked at. A part that stands in several places is changed once.
    """
    known: dict[int, Expr] = {}  # by identity, which the expression keeps

    def of(node: Expr) -> Expr:
        found = known.get(id(node))
        if found is None:
            found = change(node)
            if found is None:
                found = node
                if node.args:
                    arguments = [of(argument) for argument in node.args]
                    if any(new is not old for new, old in zip(arguments, node.args, strict=True)):
                        found = rebuild(node, arguments)
            known[id(node)] = found
        return found

    return of(expression)


def folded(expression: Expr, combine: Callable[[Expr, list[Any]], Any]) -> Any:
    """What `combine` makes of the expression and of what it has made of each of its parts, from the leaves up; once for
    a part that stands in several places."""
    known: dict[int, Any] = {}

    def of(node: Expr) -> Any:
        if id(node) not in known:
            known[id(node)] = combine(node, [of(argument) for argument in node.args])
        return known[id(node)]

    return of(expression)


def parts(expression: Expr) -> Iterator[Expr]:
    """The expression and all its parts in reading order, each once."""
    seen: set[int] = set()
    stack = [expression]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            stack.extend(reversed(node.args))
            yield node


@lru_cache(maxsize=50_000)
def names(expression: Expr) -> tuple[str, ...]:
    """The quantities in the expression, each once, in the order in which they are read."""
    return tuple(dict.fromkeys(node.name for node in parts(expression) if isinstance(node, Symbol)))


def written_size(expression: Expr, sizes: Mapping[str, int] = MappingProxyType({})) -> int:
    """How many parts the expression has when it is written out, each counted as often as it stands there; a quantity in
    `sizes` as so many parts.

    Formulas share their parts: |u| is u where u > 0 and else -u, so forty of them one in the other have some hundred
    parts, and written out 2**40.
    """

    def size(node: Expr, inside: list[int]) -> int:
        return sum(inside) + (sizes.get(node.name, 1) if isinstance(node, Symbol) else 1)

    found: int = folded(expression, size)
    return found


def written_depth(expression: Expr) -> int:
    """How many operations stand one in the other."""
    found: int = folded(expression, lambda _, inside: 1 + max(inside, default=0))
    return found


def terms_holding(expression: Expr, quantities: Iterable[str]) -> dict[str, list[Expr]]:
    """For each of these quantities the terms of the sum that hold it: the others do not change with it."""
    terms = expression.args if isinstance(expression, Add) else (expression,)
    holding: dict[str, list[Expr]] = {name: [] for name in quantities}
    for term in terms:
        for name in names(term):
            if name in holding:
                holding[name].append(term)
    return holding


class where(sympy.Function):  # type: ignore[misc]  # noqa: N801 - named as it reads in a formula
    """where(z, a, b) is a where z > 0, else b.

    SymPy's Piecewise folds nested conditions into forms that nobody can read, and Max differentiates to a
    Heaviside step with the slope 1/2 at the corner; here the corner belongs to the second case.
    """

    nargs = 3

    def fdiff(self, argindex: int = 1) -> Expr:
        if argindex == 1:
            return ZERO
        return where(self.args[0], *((ONE, ZERO) if argindex == 2 else (ZERO, ONE)))

    def _eval_rewrite_as_Piecewise(self, z: Expr, then: Expr, otherwise: Expr, **kwargs: Any) -> Expr:
        return sympy.Piecewise((then, z > 0), (otherwise, True))


def _node(entry: Function) -> Any:
    """SymPy's class of the function, or one made from the table."""

    def fdiff(self: Any, argindex: int = 1) -> Expr:
        system: Any = Symbolic
        return entry.slope(self.args[0], self, system)

    return getattr(sympy, entry.name, None) or type(entry.name, (sympy.Function,), {"nargs": 1, "fdiff": fdiff})


FUNCTION_NODES: Mapping[str, Any] = {name: _node(entry) for name, entry in FUNCTIONS.items()}
"""What each function of the table is in a formula."""


@completed(SimpleNamespace(**FUNCTION_NODES))
class Symbolic:
    """The number system of derivations. A body from `tutor.maths` run in it gives its formula."""

    pi = sympy.pi

    @staticmethod
    def sqrt(z: Expr) -> Expr:
        return Pow(z, sympy.Rational(1, 2), evaluate=False)

    @staticmethod
    def number(text: str) -> Expr:
        return sympy.Rational(text)

    @staticmethod
    def log_one_plus_exp(z: Expr) -> Expr:
        return sympy.log(1 + sympy.exp(z))

    @staticmethod
    def positive(z: Expr, then: Expr, otherwise: Expr) -> Expr:
        return where(z, then, otherwise)


_TEMPLATES: dict[Hashable, tuple[Expr, tuple[Symbol, ...]]] = {}


def formula(body: Callable[..., Any], *arguments: Expr, key: Hashable = None) -> Expr:
    """The formula that `body` writes for these arguments, in the form in which `tutor.maths` has it.

    The body runs once for each number of arguments; `key` names it where it is made anew at each call.
    """
    known = (key or body, len(arguments))
    if known not in _TEMPLATES:
        blanks = tuple(Symbol(f"_{i}", real=True) for i in range(len(arguments)))
        with sympy.evaluate(False):
            _TEMPLATES[known] = sympy.sympify(body(*blanks, Symbolic)), blanks
    template, blanks = _TEMPLATES[known]
    return replace(template, dict(zip(blanks, arguments, strict=True)))


def number(value: Fraction) -> Expr:
    """A number as an expression."""
    return sympy.Rational(value.numerator, value.denominator)
