"""The update of the parameters as steps, and the forward pass with the new ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace as with_changes

from tutor.arithmetic.symbolic import formula, replace, symbol
from tutor.maths.optimizers import OPTIMIZERS
from tutor.worksheet.step import Step

RATE = "eta"


def update_steps(optimizer_name: str, goal: str, parameters: Sequence[str]) -> Iterator[Step]:
    """W_new for every parameter, by the optimizer's equation."""
    optimizer = OPTIMIZERS[optimizer_name]
    for name in parameters:
        equation = formula(optimizer.update, symbol(name), symbol(f"d{goal}/d{name}"), symbol(RATE))
        yield Step(f"{name}_new", "update", equation, optimizer.reason, before=name)


def after_steps(forward: Sequence[Step], parameters: Sequence[str]) -> Iterator[Step]:
    """The forward pass once more, with W_new for W: h_in_after, …, E_after."""
    renamed = {symbol(p): symbol(f"{p}_new") for p in parameters}
    renamed |= {symbol(step.name): symbol(f"{step.name}_after") for step in forward}
    for step in forward:
        yield with_changes(
            step,
            name=f"{step.name}_after",
            stage="after",
            formula=replace(step.formula, renamed),
            slopes={},
            bridge=(),
            before=step.name,
        )
