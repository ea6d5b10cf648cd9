"""The settings of a training: from the words of a lesson file to an update and its given values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tutor.arithmetic.exact import read_number
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.schedules import SCHEDULES
from tutor.worksheet.problem import Optimization
from tutor.worksheet.step import Conventions
from tutor.worksheet.update import RATE, Update


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
        optimizer=wanted.optimizer,
        goal=goal,
        parameters=parameters,
        flags=_flags(wanted),
        settings=tuple(OPTIMIZERS[wanted.optimizer].settings),
        schedule=wanted.schedule,
        schedule_settings=wanted.schedule_settings,
        clip=_clip(wanted),
        factors=factors or {},
        proximal=shrunk,
        changes=changes or {},
    )


def update_values(wanted: Optimization) -> dict[str, Fraction]:
    """The learning rate and the settings of the optimizer, as given values."""
    chosen = OPTIMIZERS[wanted.optimizer]
    rate = wanted.learning_rate if wanted.learning_rate is not None else Fraction(chosen.rate or 0)
    found = {RATE: rate}
    found |= {name: setting(wanted, name, text) for name, text in chosen.settings.items()}
    if limit := _clip(wanted):
        found[limit] = getattr(wanted, limit)
    return found


def with_optimization(made: Conventions, wanted: Optimization) -> Conventions:
    """The conventions with what a reader must know of the optimizer, the schedule and the clipping."""
    defaults = SCHEDULES[wanted.schedule].settings
    return replace(
        made,
        optimizer=wanted.optimizer,
        flags=_flags(wanted),
        clip=_clip(wanted),
        schedule=wanted.schedule,
        schedule_settings={n: wanted.schedule_settings.get(n, Fraction(text)) for n, text in defaults.items()},
    )


def _clip(wanted: Optimization) -> str:
    return next((limit for limit in ("clip_norm", "clip_value") if getattr(wanted, limit) is not None), "")


def _flags(wanted: Optimization) -> dict[str, bool]:
    flags = OPTIMIZERS[wanted.optimizer].flags
    return {name: bool(wanted.settings.get(name, flag.default)) for name, flag in flags.items()}


def together(*parts: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """All the given values. Raises ValueError where two of them share a name."""
    found: dict[str, Fraction] = {}
    for part in parts:
        for name, value in part.items():
            if name in found:
                raise ValueError(f"two quantities are called {name!r}; give one of them another name")
            found[name] = value
    return found


def setting(wanted: Optimization, name: str, default: str) -> Fraction:
    return read_number(str(wanted.settings.get(name, default)))
