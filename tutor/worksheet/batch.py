"""One update's pass through a network: the forward steps, the loss and the gradients of an example or of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tutor.formulas.expressions import add, multiply, number, symbol
from tutor.formulas.quantity import local_derivative, named, owned
from tutor.worksheet.chain_rule import Graph, backward, partial_step
from tutor.worksheet.connections import Connections
from tutor.worksheet.delta_rule import RULE as DELTA_RULE
from tutor.worksheet.delta_rule import DeltaRule, summed
from tutor.worksheet.draft import Pass
from tutor.worksheet.forward import forward_steps, penalty_terms
from tutor.worksheet.problem import Network, Training
from tutor.worksheet.step import GOAL, Step
from tutor.worksheet.update import combined_gradients, reduction

Expr = Any


@dataclass(frozen=True)
class Passes:
    """What every pass of a network has in common: its names and loss, how it is trained, and by what its error is
    differentiated; `count` is the number of examples of the lesson."""

    network: Network
    known: Connections
    training: Training
    trained: Sequence[str]
    count: int
    chain: str

    @property
    def size(self) -> int:
        """The number of examples of an update."""
        return self.training.batch_size(self.count)

    @property
    def in_parts(self) -> bool:
        """Whether updates have several examples, but not all: then E of one update is not that of another."""
        return 1 < self.size < self.count

    def number(self, example: int) -> int:
        """The number that the names of an example have, from 1; 0 where it is the only one."""
        return example + 1 if self.count > 1 else 0

    def goal(self, example: int) -> str:
        """The error of an example."""
        return named(GOAL, example=self.number(example))

    def forward(self, group: Sequence[int]) -> list[Step]:
        """The forward pass of each example of the group, and the loss of the group with its penalty."""
        steps = self._examples(group)
        if self.size > 1 and self.network.loss:
            steps.append(self._batch_loss(group))
        elif self.training.penalties:
            steps = [self._penalised(s) if s.stage == "loss" else s for s in steps]
        return steps

    def after(self) -> list[Step]:
        """The forward pass of all examples, and their loss together where every update is by all of them."""
        every = tuple(range(self.count))
        return self._examples(every) if self.in_parts else self.forward(every)

    def _examples(self, group: Sequence[int]) -> list[Step]:
        return [s for e in group for s in forward_steps(self.network, self.known, self.number(e))]

    def whole(self, group: Sequence[int]) -> Pass:
        """Forward, loss and gradients of one update."""
        return self._of_one(group[0]) if self.size == 1 else self._of_batch(group)

    def _share(self, group: Sequence[int]) -> Fraction:
        return Fraction(1, len(group)) if self.training.over_examples == "mean" else Fraction(1)

    def _batch_loss(self, group: Sequence[int]) -> Step:
        """E of a batch: the mean or the sum of the errors of its examples."""
        parts = [symbol(self.goal(e)) for e in group]
        share = self._share(group)
        total = add(*parts) if share == 1 else multiply(number(share), add(*parts))
        step = reduction(GOAL, "loss", total, "" if len(group) == 1 else self.training.over_examples)
        return self._penalised(step) if self.training.penalties else step

    def _penalised(self, loss: Step) -> Step:
        """The loss with those penalties added that the gradient knows, and not those that act after the step."""
        training = self.training
        known = {p: training.numbers_of(p) for p in training.penalties if p not in training.proximal_penalties}
        if not known:
            return loss
        terms, slopes = penalty_terms(known, [w for w in self.known.weights if w in self.trained])
        return replace(loss, formula=add(loss.formula, *terms), slopes={**loss.slopes, **slopes})

    def _of_one(self, example: int) -> Pass:
        forward, goal = self.forward((example,)), self.goal(example)
        graph = Graph({step.name: step for step in forward}, goal, self.trained)
        gradients = [(goal, p) for p in self.trained if p in graph.users]
        if self.training.rule == DELTA_RULE:
            rule = self._delta_rule(graph, example)
            return Pass(goal, [*forward, *rule.steps()], gradients, self.chain, rule.changes())
        chain, partials, steps = backward([graph], self.chain)
        return Pass(goal, [*forward, *partials, *steps], gradients, chain)

    def _of_batch(self, group: Sequence[int]) -> Pass:
        forward = self.forward(group)
        named = {step.name: step for step in forward}
        parts = [self.goal(e) for e in group]
        graphs = [Graph(named, part, self.trained) for part in parts]
        if self.training.rule == DELTA_RULE:
            return self._delta_batch(forward, [self._delta_rule(g, e) for g, e in zip(graphs, group, strict=True)])
        chain, partials, gradients = backward(graphs, self.chain)
        reached = [p for p in self.trained if p in graphs[0].users]
        whole = named[GOAL]
        penalised = [w for w in whole.slopes if w in reached]
        for w in penalised:
            partials.append(partial_step(local_derivative(GOAL, w), GOAL, w, whole.slopes[w]))
        gradients += combined_gradients(GOAL, reached, parts, self._share(group), penalised)
        return Pass(GOAL, [*forward, *partials, *gradients], [(GOAL, p) for p in reached], chain)

    def _delta_rule(self, graph: Graph, example: int) -> DeltaRule:
        neurons = [n for layer in self.known.layers for n in layer.neurons]
        at = self.number(example)
        return DeltaRule(graph, {named(n.sum, example=at): named(owned("delta", n.stem), example=at) for n in neurons})

    def _delta_batch(self, forward: Sequence[Step], rules: Sequence[DeltaRule]) -> Pass:
        """The deltas of every example, and what moves each parameter: the mean or the sum over the examples."""
        changes = summed(rule.changes() for rule in rules)
        steps = [*forward, *(step for rule in rules for step in rule.steps())]
        share = self._share(range(len(rules)))
        steps += combined_gradients(GOAL, list(changes), [rule.graph.goal for rule in rules], share, ())
        shared = {p: change if share == 1 else multiply(number(share), change) for p, change in changes.items()}
        return Pass(GOAL, steps, [(GOAL, p) for p in self.trained if p in changes], self.chain, shared)
