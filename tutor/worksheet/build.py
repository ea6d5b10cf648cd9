"""From what a lesson asks for to its worksheet: forward steps and loss, gradients, updates, the forward pass again.

The kinds of problem differ in the first stage only: what they are as a computation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tutor.formulas.quantity import after, derivative, named
from tutor.worksheet.computation import Computation, Descent, TrainingState
from tutor.worksheet.conventions import of_chain
from tutor.worksheet.equations import free_computation, minimize_computation
from tutor.worksheet.gradients import Pass, differentiated
from tutor.worksheet.network import network_computation
from tutor.worksheet.numbering import after_steps, gradient_names, new_names, numbered
from tutor.worksheet.perceptron import RULE, perceptron_computation
from tutor.worksheet.problem import Problem
from tutor.worksheet.step import Conventions, Step, Worksheet, merged
from tutor.worksheet.update import Update


def build(problem: Problem, chain: str | None = None, at: TrainingState | None = None) -> Worksheet:
    """The worksheet of a network, of free equations, or of a function to minimise.

    `chain` is `full` (every path written out) or `delta` (each result's gradient is used again), the problem's own
    where none is given; `at` is the moment of a training where it begins. Raises ValueError where quantities share a
    name, or for states that nothing can begin with.
    """
    made, form = computation_of(problem, at), chain or problem.chain
    passes = [differentiated(forward, made.wrt, form) for forward in made.forwards]
    first = passes[0]
    conventions = of_chain(made.conventions, first.chain, form)
    if made.descent is not None:
        return _with_updates(made, made.descent, passes, conventions)
    given, gradients = merged(*made.givens), tuple(gradient_names(first.gradients, 0))
    objective = made.forwards[0].objective
    return Worksheet(
        given, tuple(first.steps), conventions, first.goal, made.network, gradients=gradients, objective=objective
    )


def computation_of(problem: Problem, at: TrainingState | None = None) -> Computation:
    """The problem up to its loss."""
    if problem.minimize is not None:
        return minimize_computation(problem.minimize, problem.givens)
    if problem.network is None:
        return free_computation(problem)
    if problem.training is not None and problem.training.rule == RULE:
        return perceptron_computation(problem, problem.network, problem.training, at)
    return network_computation(problem, problem.network, at)


def update_of(computation: Computation, one: Pass) -> Update:
    """What changes those parameters that the pass has a gradient for, or that a rule moves."""
    descent = computation.descent
    assert descent is not None
    begun = {name for group in computation.givens for name in group}
    worked = {*(step.name for step in one.steps), *descent.given}
    parameters = [p for p in computation.wrt if p in one.moves or (p in begun and derivative(one.goal, p) in worked)]
    return Update(descent, one, parameters)


def _with_updates(
    computation: Computation, descent: Descent, passes: Sequence[Pass], conventions: Conventions
) -> Worksheet:
    """One update after the other, each over what came out of the one before, and the forward pass after the last."""
    updates, many = [update_of(computation, one) for one in passes], descent.numbered or len(descent.planned) > 1
    steps: list[Step] = []
    gradients: list[tuple[str, str, str]] = []
    first: dict[str, str] = {}
    for k, planned in enumerate(descent.planned, 1):
        one, update, number = passes[planned.forward], updates[planned.forward], k if many else 0
        whole = [*one.steps, *update.steps(descent.training_state.updates + k, planned.epoch)]
        steps += numbered(whole, update.kept, k, planned.part, descent.given) if many else whole
        gradients += gradient_names(one.gradients, number)
        for step in one.steps:
            first.setdefault(step.name, named(step.name, update=number))
    last = new_names(updates[0].parameters, len(descent.planned) if many else 0)
    return Worksheet(
        merged(*computation.givens, *_begun(descent, updates[0])),
        (*steps, *after_steps(descent.again, last, first)),
        conventions,
        passes[0].goal and named(passes[0].goal, update=1 if many else 0),
        computation.network,
        updated=tuple(last.items()),
        outcomes=tuple((first.get(goal, goal), after(goal)) for goal in descent.compared),
        gradients=tuple(gradients),
    )


def _begun(descent: Descent, update: Update) -> list[Mapping[str, Fraction]]:
    """The learning rate and settings, and the states of the optimizer as they are at the moment of the descent."""
    return [
        {name: descent.training_state.values.get(name, v) for name, v in group.items()} for group in update.givens()
    ]
