"""A network with its examples as the draft of a worksheet: a pass for each update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tutor.errors import listed
from tutor.formulas.quantity import named
from tutor.worksheet.batch import Passes
from tutor.worksheet.connections import Connections, connect
from tutor.worksheet.draft import Course, Draft, Pass
from tutor.worksheet.network_conventions import conventions_of
from tutor.worksheet.network_rules import why_no_gradient
from tutor.worksheet.problem import Network, Problem, Training
from tutor.worksheet.step import GOAL


@dataclass(frozen=True)
class Moment:
    """Where in a training a worksheet begins: after so many `updates`, in which `epoch` (from 0), and the values that
    parameters and the optimizer's states have by then, where they are no longer those of the beginning."""

    updates: int = 0
    epoch: int = 0
    values: Mapping[str, Fraction] = field(default_factory=dict)


def network_draft(problem: Problem, network: Network, chain: str, at: Moment | None = None) -> Draft:
    """Forward pass, loss and gradients of every update, or, without [training], of all examples once."""
    training = problem.training or Training()
    moment = at or Moment(training.made_before)
    known, count = _connections(problem, network, moment), len(problem.examples)
    frozen = {name for name, rate in training.rates.items() if rate == 0}
    trained = [p for p in known.parameters(training.update_biases) if known.layer_of(p) not in frozen]
    passes = Passes(network, known, training, trained, count, chain)
    made, forward = list(_passes(problem, passes, moment.epoch)), passes.after()
    first = made[0]
    draft = Draft(_givens(problem, passes), made, conventions_of(problem, passes, first), first.goal, known)
    if problem.training is None:
        return draft
    parameters = [p for _, p in first.gradients]
    rates = {p: training.rates[known.layer_of(p)] for p in parameters if known.layer_of(p) in training.rates}
    losses = [step.name for step in forward if step.stage == "loss"]
    course = Course(
        training,
        "training",
        parameters,
        forward,
        losses if passes.in_parts else list(dict.fromkeys(one.goal for one in made)),
        rates,
        known.weights if training.proximal_penalties else [],
        updates=moment.updates,
        values=moment.values,
    )
    return replace(draft, course=course)


def _connections(problem: Problem, network: Network, moment: Moment) -> Connections:
    known = connect(network, dict(problem.givens))
    known.values |= {name: value for name, value in moment.values.items() if name in known.values}
    if not any(example.targets for example in problem.examples):
        known.targets = ()  # a network that is only run forward
    return known


def _passes(problem: Problem, passes: Passes, epoch: int) -> Iterator[Pass]:
    """A pass for each update, in order: all examples together, or so many after so many."""
    if problem.training is None and why_no_gradient(passes.network):
        yield Pass(GOAL, passes.after())
        return
    size, every = passes.size, range(passes.count)
    groups = [tuple(every[first : first + size]) for first in range(0, passes.count, size)]
    if problem.training is None:
        groups = [tuple(every)]
    by_group = {group: passes.whole(group) for group in groups}
    for k in range(len(groups) * passes.training.epochs):
        group, done = groups[k % len(groups)], k // len(groups)
        part = _title(passes, k + 1, group, done + 1 if len(groups) > 1 else 0)
        yield replace(by_group[group], part=part, epoch=epoch + done)


def _title(passes: Passes, number: int, group: Sequence[int], epoch: int) -> str:
    """As in "Update 3, examples 1 and 2 (epoch 2)"; an epoch of 0 is not told."""
    numbers = listed([str(example + 1) for example in group])
    some = f", example{'s'[: len(group) - 1]} {numbers}" if len(group) < passes.count else ""
    return f"Update {number}{some}" + (f" (epoch {epoch})" if epoch and passes.training.epochs > 1 else "")


def _givens(problem: Problem, passes: Passes) -> list[Mapping[str, Fraction]]:
    """The inputs and targets of every example, the weights and biases, and the strengths of the penalties."""
    known = passes.known
    inputs = [_of_example(known.inputs, e.inputs, passes.number(k)) for k, e in enumerate(problem.examples)]
    targets = [_of_example(known.targets, e.targets, passes.number(k)) for k, e in enumerate(problem.examples)]
    return [*inputs, known.values, *targets, passes.training.penalties]


def _of_example(names: Sequence[str], values: Sequence[Fraction], example: int) -> dict[str, Fraction]:
    return {named(name, example=example): value for name, value in zip(names, values, strict=True)}
