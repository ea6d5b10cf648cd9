"""The settings of a training: from the words of a lesson file to an update and its given values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tutor.arithmetic.exact import read_number
from tutor.errors import counted, nearest
from tutor.maths.optimizer import RATE, Variant
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.schedules import SCHEDULES
from tutor.worksheet.problem import Optimization
from tutor.worksheet.step import Conventions
from tutor.worksheet.update import Update, asked

T = "t"
"""What a lesson calls the number of updates that have been made."""


def update_of(
    wanted: Optimization,
    goal: str,
    parameters: Sequence[str],
    factors: Mapping[str, Fraction] | None = None,
    shrunk: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
) -> Update:
    """The update that a lesson asks for; the weights in `shrunk` are soft-thresholded after their step, and those in
    `changes` move by the delta rule."""
    return Update(
        variant=variant_of(wanted),
        goal=goal,
        parameters=parameters,
        schedule=wanted.schedule,
        schedule_settings=wanted.schedule_settings,
        clip=_clip(wanted),
        factors=factors or {},
        proximal=shrunk,
        changes=changes or {},
    )


def variant_of(wanted: Optimization) -> Variant:
    """The optimizer in the form that its settings give it."""
    return OPTIMIZERS[wanted.optimizer].variant(wanted.settings)


def update_values(wanted: Optimization) -> dict[str, Fraction]:
    """The learning rate and the settings of the optimizer, as given values."""
    chosen = OPTIMIZERS[wanted.optimizer]
    rate = wanted.learning_rate if wanted.learning_rate is not None else Fraction(chosen.rate or 0)
    found = {RATE: rate}
    found |= {name: read_number(str(value)) for name, value in variant_of(wanted).settings.items()}
    if limit := _clip(wanted):
        found[limit] = getattr(wanted, limit)
    return found


def begun(wanted: Optimization) -> int:
    """How many updates have been made before."""
    return int(wanted.state.get(T, 0))


def states_of(wanted: Optimization, update: Update, place: str) -> dict[str, Fraction]:
    """What each state begins with: what the lesson gives, or the optimizer's own.

    Raises ValueError where a lesson gives a state that there is not, or some and not all: after an update none has its
    first value any more.
    """
    if not wanted.state:
        return update.state
    needed = [*update.state, *([T] if asked(update.variant) & {T, "first"} else [])]
    if not update.state:
        raise ValueError(f"{place}.state: {wanted.optimizer} keeps nothing from update to update; leave it out")
    for name in wanted.state:
        if name not in (*needed, T):
            known = f"; {wanted.optimizer} has {', '.join(needed)}"
            raise ValueError(f"{place}.state: there is no {name!r}{nearest(name, needed) or known}")
    if missing := [name for name in needed if name not in wanted.state]:
        meant = f" ({T} is how many updates have been made)" if T in missing else ""
        raise ValueError(f"{place}.state: also give {', '.join(missing)}{meant}; after an update none is as it began")
    return {name: wanted.state[name] for name in update.state}


def with_optimization(made: Conventions, wanted: Optimization) -> Conventions:
    """The conventions with what a reader must know of the optimizer, the schedule and the clipping."""
    defaults = SCHEDULES[wanted.schedule].settings
    return replace(
        made,
        optimizer=wanted.optimizer,
        forms=tuple(_forms(wanted)),
        remarks=(*made.remarks, *([f"{counted(begun(wanted), 'update')} made before"] if begun(wanted) else [])),
        clip=_clip(wanted),
        schedule=wanted.schedule,
        schedule_settings={n: wanted.schedule_settings.get(n, Fraction(text)) for n, text in defaults.items()},
    )


def _clip(wanted: Optimization) -> str:
    return next((limit for limit in ("clip_norm", "clip_value") if getattr(wanted, limit) is not None), "")


def _forms(wanted: Optimization) -> Iterator[str]:
    """The forms that the flags of the optimizer give it, in words."""
    entry, choices = OPTIMIZERS[wanted.optimizer], variant_of(wanted).choices
    for name, flag in entry.flags.items():
        yield flag.on if choices[name] else flag.off


def together(*parts: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """All the given values. Raises ValueError where two of them share a name."""
    found: dict[str, Fraction] = {}
    for part in parts:
        for name, value in part.items():
            if name in found:
                raise ValueError(f"two quantities are called {name!r}; give one of them another name")
            found[name] = value
    return found
