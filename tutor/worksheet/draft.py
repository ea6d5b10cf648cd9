"""What every worksheet is written from, and how: update after update, and then the forward pass once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from tutor.formulas.expressions import names as names_in
from tutor.formulas.expressions import replace as with_names
from tutor.formulas.expressions import symbol
from tutor.formulas.quantity import Role, after, derivative, named
from tutor.worksheet.connections import Connections
from tutor.worksheet.problem import Optimization
from tutor.worksheet.step import GOAL, Conventions, Step, Worksheet, together
from tutor.worksheet.update import Update, with_optimization

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
    """Givens in groups, and a pass for each update; without a `course` one pass, after which nothing changes."""

    givens: Sequence[Mapping[str, Fraction]]
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
    given, steps = together(*draft.givens), tuple(made.steps)
    return Worksheet(
        given, steps, draft.conventions, draft.goal, draft.network, gradients=gradients, objective=draft.objective
    )


def _with_updates(draft: Draft, course: Course) -> Worksheet:
    steps: list[Step] = []
    gradients: list[tuple[str, str, str]] = []
    first: dict[str, str] = {}
    many, start = len(draft.passes) > 1, course.update(draft.passes[0])
    begun = [{n: course.values.get(n, v) for n, v in group.items()} for group in start.givens(course.place)]
    conventions = with_optimization(draft.conventions, course.training)
    for k, made in enumerate(draft.passes, 1):
        number, update = k if many else 0, course.update(made)
        whole = [*made.steps, *update.steps(course.updates + k, made.epoch)]
        steps += numbered(whole, update.kept, k, made.part, course.given) if many else whole
        gradients += claims(made.gradients, number)
        for step in made.steps:
            first.setdefault(step.name, named(step.name, update=number))
    last = new_names(course.parameters, len(draft.passes))
    return Worksheet(
        together(*draft.givens, *begun),
        (*steps, *after_steps(course.after, last, first)),
        conventions,
        draft.goal,
        draft.network,
        updated=tuple(last.items()),
        outcomes=tuple((first.get(goal, goal), after(goal)) for goal in course.compared),
        gradients=tuple(gradients),
    )


def renamed(step: Step, names: Mapping[str, str], part: str = "") -> Step:
    """The step with every name changed that `names` has, also inside its formula."""
    written = [step.formula, *step.slopes.values(), *(expression for _, expression in step.bridge)]
    used = {name for expression in written for name in names_in(expression)}
    by = {symbol(name): symbol(names[name]) for name in used if name in names}
    pair = step.partial_of
    return replace(
        step,
        name=names.get(step.name, step.name),
        formula=with_names(step.formula, by),
        slopes={names.get(x, x): with_names(slope, by) for x, slope in step.slopes.items()},
        bridge=tuple((why, with_names(expression, by)) for why, expression in step.bridge),
        partial_of=pair and (names.get(pair[0], pair[0]), names.get(pair[1], pair[1])),
        before=step.before and names.get(step.before, step.before),
        part=part or step.part,
    )


def numbered(
    steps: Sequence[Step], kept: Iterable[str], number: int, part: str, given: Iterable[str] = ()
) -> Iterator[Step]:
    """The steps of update `number`. What is `kept` from update to update (parameters, states) goes in as it came
    out of the one before: W1 as W1[number - 1], W1_new as W1[number]. `given` names givens of which each update has
    its own."""
    names = {name: named(name, update=number) for name in (*(step.name for step in steps), *given)}
    for name in kept:
        names[named(name, Role.NEW)] = named(name, update=number)
        names[name] = named(name, update=number - 1)
    for step in steps:
        yield renamed(step, names, part)


def claims(gradients: Iterable[tuple[str, str]], number: int) -> Iterator[tuple[str, str, str]]:
    """Every gradient of update `number` (0 where there is only one): its name, of what it is, by what."""
    for goal, name in gradients:
        gradient = named(derivative(goal, name), update=number)
        yield gradient, named(goal, update=number), named(name, update=max(number - 1, 0))


def new_names(parameters: Iterable[str], count: int) -> dict[str, str]:
    """What the parameters are called after so many updates."""
    return {p: named(p, update=count) if count > 1 else named(p, Role.NEW) for p in parameters}


def after_steps(forward: Sequence[Step], last: Mapping[str, str], first: Mapping[str, str]) -> Iterator[Step]:
    """The forward pass once more, with the `last` values of the parameters: h_in_after, …, E_after.

    `first` has the name that each quantity has where it was first worked out.
    """
    names = {step.name: after(step.name) for step in forward} | dict(last)
    for step in forward:
        done = renamed(step, names, "After the updates" if step.part else "")
        yield replace(done, stage="after", slopes={}, bridge=(), before=first.get(step.name, step.name))
