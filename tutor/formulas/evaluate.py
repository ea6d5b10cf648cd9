"""The value of a formula, exactly: a rule for every operation of the formula language, one walk over its graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import sympy

from tutor.formulas.expressions import FUNCTION_NODES, where
from tutor.numbers.exact import ExactSystem, LogarithmOfZero, Number


def value_of(formula: Any, values: Mapping[str, Number], system: ExactSystem) -> Number:
    """The value of `formula` where each name has the value given for it.

    Raises ZeroDivisionError or ValueError where it has none, TooMuchComputing where the budget of the system is spent.
    """
    return _Evaluation(values, system).of(formula)


class _Evaluation:
    """One walk over a formula as a graph: what stands in several places of it is worked out once."""

    __slots__ = ("known", "system", "values")

    def __init__(self, values: Mapping[str, Number], system: ExactSystem) -> None:
        self.values, self.system = values, system
        self.known: dict[int, Number] = {}  # by identity, which the formula keeps

    def of(self, node: Any) -> Number:
        kind = type(node)
        found = self.values[node.name] if kind is sympy.Symbol else self.known.get(id(node))
        if found is None:
            if kind not in RULES:
                RULES[kind] = next(RULES[ancestor] for ancestor in kind.__mro__ if ancestor in RULES)
            found = self.known[id(node)] = RULES[kind](node, self)
        self.system.charge(found)
        return found

    def all(self, node: Any) -> list[Number]:
        return [self.of(argument) for argument in node.args]


Rule = Callable[[Any, _Evaluation], Number]


def _sum(node: Any, e: _Evaluation) -> Number:
    """The terms of a + b + c all at once, however they are nested on the left: where two of them cancel, the third
    says beside what."""
    terms: list[Number] = []
    while type(node) is sympy.Add:
        terms[:0] = map(e.of, node.args[1:])
        node = node.args[0]
    return e.system.add([e.of(node), *terms])


def _product(node: Any, e: _Evaluation) -> Number:
    factors, logarithm_of_zero = [], False
    for argument in node.args:
        try:
            factors.append(e.of(argument))
        except LogarithmOfZero:
            logarithm_of_zero = True
    if logarithm_of_zero and not any(isinstance(f, Fraction) and not f for f in factors):
        raise LogarithmOfZero("takes the logarithm of 0")
    return e.system.multiply(factors)


def _case(node: Any, e: _Evaluation) -> Number:
    z, then, otherwise = node.args
    return e.of(then if e.system.is_positive(e.of(z)) else otherwise)


def _function(name: str, node: Any, e: _Evaluation) -> Number:
    return e.system.apply(name, *e.all(node))


RULES: dict[type, Rule] = {
    sympy.Rational: lambda node, e: Fraction(int(node.p), int(node.q)),
    sympy.Add: _sum,
    sympy.Mul: _product,
    sympy.Pow: lambda node, e: e.system.power(*e.all(node)),
    where: _case,
    type(sympy.pi): lambda node, e: e.system.pi,
    **{node: partial(_function, name) for name, node in FUNCTION_NODES.items()},
}
