"""What a saved run has to be like before it is used. Each message names what is wrong and leaves the rest unread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tutor.errors import TutorError, nearest
from tutor.training.settings import NORMALIZERS, SEEDS, Settings, check
from tutor.training.setup import shape_of
from tutor.training.shape import Shape

if TYPE_CHECKING:
    from tutor.training.runs import Run

Array = Any
State = Mapping[str, Any]


def decoded_settings(found: Mapping[str, Any]) -> Settings:
    """The settings, each of its type and within its limits; those that are not there are as they are by default."""
    valid = [entry.name for entry in fields(Settings)]
    for name in found:
        if name not in valid:
            raise TutorError(f"unknown setting {name[:60]!r}{nearest(name[:60], valid)}")
    try:
        wanted = msgspec.convert(dict(found), Settings)
    except msgspec.ValidationError as error:
        raise TutorError(f"settings: {error}") from None
    check(wanted)
    return wanted


def check_run(run: Run) -> None:
    """Raises TutorError for the first thing that does not fit the others."""
    heading, shape = run.heading, run.heading.shape
    _check_shape(run)
    if not 0 <= heading.source.seed < SEEDS:
        raise TutorError("the seed of the data is no number from 0 on with at most 18 digits")
    if len(set(heading.classes)) != len(heading.classes):
        raise TutorError("two classes have the same name")
    if heading.image is not None and (min(heading.image) < 1 or heading.image[0] * heading.image[1] != shape.sizes[0]):
        raise TutorError(f"no image of this size has {shape.sizes[0]} pixels")
    _check_scaling(run)
    _check_epochs(run)
    _check_states(run)


def _check_shape(run: Run) -> None:
    """That the network is the one that the settings make for these features and classes: of their numbers only."""
    features, classes, shape = run.heading.features, run.heading.classes, run.heading.shape
    if not features or len(classes) == 1:
        raise TutorError("there have to be features, and no classes or several")
    wanted = shape_of(run.settings, len(features), classes, max((1, *shape.sizes[-1:])))
    for entry in fields(Shape):
        if getattr(wanted, entry.name) != getattr(shape, entry.name):
            raise TutorError(f"{entry.name!r} of 'shape' is not what the settings, the features and the classes make")


def _check_scaling(run: Run) -> None:
    scaling, count = run.heading.scaling, run.shape.sizes[0]
    if (scaling.name if scaling else "") != run.settings.normalize:
        raise TutorError("'scaling' is not what the setting normalize says")
    if scaling is None:
        return
    if scaling.name not in NORMALIZERS or len(scaling.shift) != count or len(scaling.scale) != count:
        raise TutorError(f"'scaling' is to have a shift and a scale for each of the {count} inputs")
    if not np.isfinite([*scaling.shift, *scaling.scale]).all() or min(scaling.scale) <= 0:
        raise TutorError("'scaling' has a number that nothing can be divided by")


def _check_epochs(run: Run) -> None:
    heading, done = run.heading, len(run.heading.history)
    if heading.seconds < 0:
        raise TutorError("'seconds' is below 0")
    if done > run.settings.epochs:
        raise TutorError(f"{done} epochs of at most {run.settings.epochs}")
    if heading.best is not None and not 1 <= heading.best[1] <= done:
        raise TutorError(f"the best epoch is none of the {done}")


def _check_states(run: Run) -> None:
    later = ["last", *(["best"] if run.heading.best is not None else [])]
    if run.states.keys() != {"initial", *later}:
        raise TutorError(f"'numbers' is to have initial, {', '.join(later)}, not {_listed(run.states)}")
    shape: Shape = run.shape
    vector: Array = run.states["initial"].get("vector")
    if np.shape(vector) != (shape.count,):  # before anything of this size is made
        raise TutorError(f"the network is to have {shape.count:,} parameters; its vector has another size")
    template: dict[str, Any] = {"vector": vector}
    check_state("initial", run.states["initial"], template)
    variant = run.settings.rules.variant
    template |= {f"state_{name}": template["vector"] for name in variant.state}
    for depth, size in enumerate(shape.sizes[1:-1] if shape.batch_norm else ()):
        template |= {f"mean_{depth}": np.zeros((size, 1)), f"variance_{depth}": np.zeros((size, 1))}
    template |= {"updates": 0, **dict.fromkeys(variant.shared_state, 0.0)}
    for which in later:
        state = run.states[which]
        if run.heading.form == "matrix":
            check_state(which, state, template)
        else:  # what the states are called is checked where the training goes on
            known = {"vector": template["vector"], "updates": 0}
            check_state(which, {name: value for name, value in state.items() if name != "states"}, known)
            if shape.batch_norm or not isinstance(state.get("states"), Mapping):
                raise TutorError(f"{which}: 'states' is to have a number for each state of the optimizer")
        if any(name.startswith("variance_") and np.min(value) < 0 for name, value in state.items()):
            raise TutorError(f"{which}: a variance is below 0")


def check_state(which: str, state: State, template: State, exact: bool = False) -> None:
    """That a state has what the template has: the same names and shapes, with `exact` also the same precision."""
    for name in state:
        if name not in template:
            raise TutorError(f"{which}: {name[:40]!r} is unknown")
    for name, value in template.items():
        if name not in state:
            raise TutorError(f"{which}: {name!r} is missing")
        found = state[name]
        if isinstance(value, np.ndarray):
            if not isinstance(found, np.ndarray) or found.shape != value.shape or found.dtype.kind != "f":
                raise TutorError(f"{which}: {name!r} is to be an array of {value.shape}, not of {np.shape(found)}")
            if exact and found.dtype != value.dtype:
                raise TutorError(f"{which}: {name!r} is to be in {value.dtype}, not in {found.dtype}")
        elif isinstance(value, Mapping):
            if not isinstance(found, Mapping) or found.keys() != value.keys():
                raise TutorError(f"{which}: {name!r} is to have {_listed(value)}")
        elif not isinstance(found, int | float) or not isfinite(found):
            raise TutorError(f"{which}: {name!r} is to be a number")
        elif isinstance(value, int) and (found != int(found) or not 0 <= found < 2**53):
            raise TutorError(f"{which}: {name!r} is to be a whole number")


def _listed(names: Any) -> str:
    return ", ".join(str(name)[:40] for name in list(names)[:10])
