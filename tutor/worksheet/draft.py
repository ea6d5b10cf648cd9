"""What every worksheet is written from, and how: update after update, and then the forward pass once more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tutor.formulas.quantity import after, named
from tutor.worksheet.connections import Connections
from tutor.worksheet.problem import Optimization
from tutor.worksheet.step import GOAL, Conventions, Step, Worksheet
from tutor.worksheet.update import Update, together, with_optimization
from tutor.worksheet.updates import after_steps, claims, new_names, numbered

Expr = Any


@dataclass(frozen=True)
class Pass:
    """What leads to one update: forward steps, loss, partial derivatives and gradients, these written by the `chain`.

    `gradients` has each as a pair: what is differentiated, by what. With the delta rule `changes` has what moves each
    parameter. `part` is the headline of the update where there are several, `epoch` (from 0) is when it happens.
    """

    goal: str
    steps: Sequence[Step]
    gradients: Sequence[tuple[str, str]] = ()
    chain: str = ""
    changes: Mapping[str, Expr] = field(default_factory=dict)
    part: str = ""
    epoch: int = 0


@dataclass(frozen=True)
class Course:
    """How the parameters change from pass to pass, and what is worked once more `after` that.

    `place` is what a lesson calls the training, `compared` the errors that are told before and after. `factors` and
    `shrunk` are those of an update. `given` names givens of which each update has its own. Where a training is met on
    its way, `updates` have been made, and `values` has what is no longer as it was in the beginning.
    """

    training: Optimization
    place: str
    parameters: Sequence[str]
    after: Sequence[Step] = ()
    compared: Iterable[str] = ()
    factors: Mapping[str, Fraction] = field(default_factory=dict)
    shrunk: Sequence[str] = ()
    given: Sequence[str] = ()
    updates: int = 0
    values: Mapping[str, Fraction] = field(default_factory=dict)

    def update(self, made: Pass) -> Update:
        return Update(self.training, made.goal, self.parameters, self.factors, self.shrunk, made.changes)


@dataclass(frozen=True)
class Draft:
    """Givens, and a pass for each update; without a `course` one pass, after which nothing changes."""

    givens: Mapping[str, Fraction]
    passes: Sequence[Pass]
    conventions: Conventions
    goal: str = GOAL
    network: Connections | None = None
    objective: Step | None = None
    course: Course | None = None


def written(draft: Draft) -> Worksheet:
    """The worksheet. Raises ValueError where quantities share a name, or for states that nothing can begin with."""
    if draft.course is not None:
        return _with_updates(draft, draft.course)
    (made,) = draft.passes
    gradients = tuple(claims(made.gradients, 0))
    given, steps = draft.givens, tuple(made.steps)
    return Worksheet(
        given, steps, draft.conventions, draft.goal, draft.network, gradients=gradients, objective=draft.objective
    )


def _with_updates(draft: Draft, course: Course) -> Worksheet:
    steps: list[Step] = []
    gradients: list[tuple[str, str, str]] = []
    first: dict[str, str] = {}
    many = len(draft.passes) > 1
    for k, made in enumerate(draft.passes, 1):
        number, update = k if many else 0, course.update(made)
        whole = [*made.steps, *update.steps(course.updates + k, made.epoch)]
        steps += numbered(whole, update.kept, k, made.part, course.given) if many else whole
        gradients += claims(made.gradients, number)
        for step in made.steps:
            first.setdefault(step.name, named(step.name, update=number))
    last = new_names(course.parameters, len(draft.passes))
    begun = course.update(draft.passes[0]).givens(course.place)
    begun |= {name: value for name, value in course.values.items() if name in begun}
    return Worksheet(
        together(draft.givens, begun),
        (*steps, *after_steps(course.after, last, first)),
        with_optimization(draft.conventions, course.training),
        draft.goal,
        draft.network,
        updated=tuple(last.items()),
        outcomes=tuple((first.get(goal, goal), after(goal)) for goal in course.compared),
        gradients=tuple(gradients),
    )
