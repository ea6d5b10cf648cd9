"""The backward pass of one update: every partial derivative, the gradients of its errors and those of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from msgspec import Struct, field

from tutor.formulas.expressions import add, symbol
from tutor.formulas.quantity import derivative, local_derivative
from tutor.worksheet.chain_rule import Graph, backward, partial_step
from tutor.worksheet.computation import ForwardPass
from tutor.worksheet.delta_rule import DeltaRule, summed
from tutor.worksheet.forward import reduction, scaled
from tutor.worksheet.step import Step

Expr = Any


class Pass(Struct, frozen=True):
    """All steps that lead to one update, the forward ones first.

    `gradients` has each as what is differentiated and by what, `chain` is how they are written: nothing where there are
    none. `moves` has what moves each parameter, to be multiplied by the learning rate, where a rule says so.
    """

    goal: str
    steps: Sequence[Step]
    gradients: Sequence[tuple[str, str]] = ()
    chain: str = ""
    moves: Mapping[str, Sequence[Expr]] = field(default_factory=dict)


def differentiated(forward: ForwardPass, wrt: Sequence[str], chain: str) -> Pass:
    """The backward pass by everything in `wrt`, written by the `chain`, or as `delta` where that has too many paths."""
    if not forward.errors:
        return Pass(forward.goal, forward.steps, moves=forward.moves)
    steps = {step.name: step for step in forward.steps}
    if forward.objective:
        steps[forward.objective.name] = forward.objective
    goals, seeded = forward.errors if forward.share is None else (), forward.objective is not None
    graphs = [Graph(steps, error, wrt, seeded, goals) for error in forward.errors]
    share, moves = forward.share or Fraction(1), dict[str, Sequence[Expr]]()
    partials: list[Step] = []
    if forward.deltas:
        rules = [DeltaRule(graph, forward.deltas) for graph in graphs]
        gradients = [step for rule in rules for step in rule.steps()]
        moves |= {p: (scaled(share, change),) for p, change in summed(rule.changes() for rule in rules).items()}
    else:
        chain, partials, gradients = backward(graphs, chain)
    if forward.share is not None:
        reached = [p for p in wrt if p in graphs[0].users]
        slopes = {w: slope for w, slope in steps[forward.goal].slopes.items() if w in reached}
        partials += [partial_step(local_derivative(forward.goal, w), forward.goal, w, slopes[w]) for w in slopes]
        gradients += _of_the_whole(forward, share, reached, slopes)
    done = [*forward.steps, *partials, *gradients]
    return Pass(forward.goal, done, list(_gradient_names(forward, graphs, wrt, done)), chain, moves)


def _of_the_whole(
    forward: ForwardPass, share: Fraction, parameters: Sequence[str], slopes: Mapping[str, Expr]
) -> Iterator[Step]:
    """dE/dW of a batch from the gradients of its examples, and from the slope of the penalty where there is one."""
    how = "" if len(forward.errors) == 1 else "sum" if share == 1 else "mean"
    for name in parameters:
        whole = scaled(share, add(*(symbol(derivative(error, name)) for error in forward.errors)))
        if name in slopes:
            whole = add(whole, symbol(local_derivative(forward.goal, name)))
        yield reduction(derivative(forward.goal, name), "gradient", whole, how)


def _gradient_names(
    forward: ForwardPass, graphs: Sequence[Graph], wrt: Sequence[str], done: Sequence[Step]
) -> Iterator[tuple[str, str]]:
    """What is differentiated and by what; a derivative that is given is not worked."""
    worked = {step.name for step in done}
    for goal, graph in [(forward.goal, graphs[0])] if forward.share is not None else [(g.goal, g) for g in graphs]:
        for name in wrt:
            if name in graph.users and derivative(goal, name) in worked and name != goal:
                yield goal, name
