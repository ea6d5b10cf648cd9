"""How the names of one update become those of the k-th, and of the forward pass after the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from tutor.formulas.expressions import names as names_in
from tutor.formulas.expressions import replace as with_names
from tutor.formulas.expressions import symbol
from tutor.formulas.quantity import Role, after, derivative, named
from tutor.worksheet.step import Step


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


def gradient_names(gradients: Iterable[tuple[str, str]], number: int) -> Iterator[tuple[str, str, str]]:
    """Every gradient of update `number` (0 where there is only one): its name, of what it is, by what."""
    for goal, name in gradients:
        gradient = named(derivative(goal, name), update=number)
        yield gradient, named(goal, update=number), named(name, update=max(number - 1, 0))


def new_names(parameters: Iterable[str], number: int = 0) -> dict[str, str]:
    """What the parameters are called after update `number`; after the only one it has none."""
    return {p: named(p, update=number) if number else named(p, Role.NEW) for p in parameters}


def after_steps(forward: Sequence[Step], last: Mapping[str, str], first: Mapping[str, str]) -> Iterator[Step]:
    """The forward pass once more, with the `last` values of the parameters: h_in_after, …, E_after.

    `first` has the name that each quantity has where it was first worked out.
    """
    names = {step.name: after(step.name) for step in forward} | dict(last)
    for step in forward:
        done = renamed(step, names, "After the updates" if step.part else "")
        yield replace(done, stage="after", slopes={}, bridge=(), before=first.get(step.name, step.name))
