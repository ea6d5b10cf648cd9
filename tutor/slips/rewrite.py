"""Formulas rewritten as somebody may have got them wrong: one part left out, turned round or taken for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

from tutor.formulas.expressions import MINUS_ONE, ONE, add, multiply, names, rebuild, replace, symbol

Expr = Any
Change = Callable[[Expr], Iterator[Expr]]
_MOST_TERMS = 12


def with_names(formula: Expr, **by: Expr) -> Expr:
    """The formula with quantities replaced by other expressions."""
    return replace(formula, {symbol(name): other for name, other in by.items()})


def swapped(formula: Expr, name: str, other: Expr) -> Expr:
    """The formula with one quantity taken for another."""
    return replace(formula, {symbol(name): other})


def anywhere(node: Expr, change: Change) -> Iterator[Expr]:
    """The whole formula with one node changed, for every node and every change of it."""
    yield from change(node)
    for place, part in enumerate(node.args):
        for other in anywhere(part, change):
            yield rebuild(node, [*node.args[:place], other, *node.args[place + 1 :]])


def one_left_out(node: Expr) -> Iterator[Expr]:
    """A sum without one of its terms."""
    if node.is_Add:
        for place in range(len(node.args)):
            yield add(*node.args[:place], *node.args[place + 1 :])


def one_sign_changed(node: Expr) -> Iterator[Expr]:
    """A sum with the sign of one of its terms turned."""
    if node.is_Add:
        for place, term in enumerate(node.args):
            yield add(*node.args[:place], multiply(MINUS_ONE, term), *node.args[place + 1 :])


def expanded(formula: Expr) -> Sequence[Expr]:
    """The terms of a product of sums when it is multiplied out; empty where that says nothing new."""
    factors: list[Expr] = []
    for factor in formula.args if formula.is_Mul else (formula,):
        is_square = factor.is_Pow and factor.args[1] == 2
        factors += [factor.args[0]] * 2 if is_square else [factor]
    sums = [factor.args if factor.is_Add else (factor,) for factor in factors]
    count = 1
    for terms in sums:
        count *= len(terms)
    if sum(len(terms) > 1 for terms in sums) < 2 or count > _MOST_TERMS:
        return ()
    return [multiply(*term) for term in product(*sums)]


@cache
def permutations(count: int) -> Mapping[str, Sequence[int]]:
    """For several things in a row the orders in which somebody may have taken them: for each place which one stands
    there."""
    places = (*range(count),)
    orders = {
        "the next one": (*places[1:], *places[:1]),
        "the one before": (*places[-1:], *places[:-1]),
        "the one from the other end": places[::-1],
        "the first": places[:1] * count,
        "the last": places[-1:] * count,
    }
    return orders if count > 1 else {}


def terms_of(formula: Expr) -> Sequence[Expr]:
    """The products that a sum adds up, whether or not a number stands before it; a product alone is the only one."""
    if formula.is_Mul and formula.args[-1].is_Add and all(not names(factor) for factor in formula.args[:-1]):
        return [multiply(*formula.args[:-1], term) for term in formula.args[-1].args]
    return formula.args if formula.is_Add else (formula,)


def factors_of(term: Expr) -> Sequence[Expr]:
    """What a product multiplies, without a sign before it."""
    factors = term.args if term.is_Mul else (term,)
    return [factor for factor in factors if factor not in (ONE, MINUS_ONE)]
