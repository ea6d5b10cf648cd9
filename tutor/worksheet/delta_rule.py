"""The delta rule: the same updates as gradient descent, written with delta = -dE/ds, as w + eta·delta·x.

s is the weighted sum of a neuron and x what a weight multiplies there. Source: Rumelhart, Hinton and Williams 1986.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tutor.formulas.expressions import MINUS_ONE, ONE, add, multiply, symbol
from tutor.maths.kind import Kind
from tutor.worksheet.chain_rule import Graph, partial_steps
from tutor.worksheet.step import Step

Expr = Any
RULE = "delta"


class DeltaRule:
    """One example's backward pass. `deltas` has the name of delta for every weighted sum, by the name of the sum."""

    def __init__(self, graph: Graph, deltas: Mapping[str, str]) -> None:
        self.graph, self.deltas = graph, deltas
        self.partials = list(partial_steps(graph))

    def steps(self) -> Iterator[Step]:
        """The derivatives between the neurons, delta of every weighted sum, and the gradients that it stands for."""
        yield from (step for step in self.partials if step.partial_of and step.partial_of[1] not in self.parameters)
        for name in self.graph.backward_order:
            if name in self.deltas:
                terms = [multiply(*factors) for factors in self._to_next_sums(name)]
                reason = f"delta of {name}: -{self.graph.total(name)}"
                yield Step(self.deltas[name], "gradient", Kind.DELTA, add(*terms), reason)
        for name, change in self.changes().items():
            total = self.graph.total(name)
            yield Step(total, "gradient", Kind.GRADIENT, _minus(change), "minus delta times the input")

    @property
    def parameters(self) -> Sequence[str]:
        return self.graph.parameters

    def changes(self) -> dict[str, Expr]:
        """delta·x for every parameter, the direction in which it moves; the sum of them where it is used twice."""
        slopes = {step.partial_of: step.formula for step in self.partials}
        reached = [p for p in self.parameters if p in self.graph.users]
        return {p: add(*(_product(symbol(self.deltas[s]), slopes[s, p]) for s in self.graph.users[p])) for p in reached}

    def _to_next_sums(self, name: str) -> Iterator[tuple[Expr, ...]]:
        """The factors of every path from the quantity to the weighted sums after it, or to the loss."""
        for user in self.graph.users[name]:
            local = symbol(self.graph.local(user, name))
            if user == self.graph.goal:
                yield (MINUS_ONE, local)
            elif user in self.deltas:
                yield (symbol(self.deltas[user]), local)
            else:
                yield from ((*above, local) for above in self._to_next_sums(user))


def _product(delta: Expr, slope: Expr) -> Expr:
    """delta·x; of a bias only delta, of a threshold, which is subtracted, -delta."""
    if slope == ONE:
        return delta
    return multiply(slope, delta) if slope == MINUS_ONE else multiply(delta, slope)


def _minus(change: Expr) -> Expr:
    factors = change.args if change.is_Mul else (change,)
    return multiply(*factors[1:]) if factors[0] == MINUS_ONE else multiply(MINUS_ONE, *factors)


def summed(changes: Iterable[Mapping[str, Expr]]) -> dict[str, Expr]:
    """The changes of several examples, added for each parameter."""
    terms: dict[str, list[Expr]] = {}
    for one in changes:
        for name, change in one.items():
            terms.setdefault(name, []).append(change)
    return {name: add(*several) for name, several in terms.items()}
