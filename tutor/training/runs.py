"""Saved runs: everything that a training is and has become, to go on with it to the same bits, or to use its network.

Shuffles and masks are drawn from the seed and the number of the epoch, so no generator has a state to be saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tutor import __version__
from tutor.errors import TutorError
from tutor.maths.schedules import SCHEDULES
from tutor.training.datasets import Data
from tutor.training.run_checks import check_run, check_state, decoded_settings
from tutor.training.run_data import Source, found_again
from tutor.training.run_files import FORMAT, Heading, check_room, read_file, write_file
from tutor.training.settings import Settings
from tutor.training.setup import set_up, shape_for
from tutor.training.shape import Shape
from tutor.training.trainer import Epoch, Result, Trainer

Array = Any
State = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A saved run. `states` has the parameters before the first update as `initial`, the state at the end as `last`,
    from which a training goes on, and, where it was watched with patience, the `best` one."""

    heading: Heading
    settings: Settings
    states: Mapping[str, State]

    @property
    def shape(self) -> Shape:
        return self.heading.shape

    @property
    def trained(self) -> tuple[State, int]:
        """The state that the training kept in the end, and after how many epochs it was reached."""
        best = self.heading.best
        if best is not None and not self.heading.interrupted:
            return self.states["best"], best[1]
        return self.states["last"], len(self.heading.history)


def save_run(path: Path, source: Source, data: Data, trainer: Trainer, reached: Result | None = None) -> None:
    """Write what the trainer has come to, or what it had `reached`. Raises TutorError where that is no network to go on
    with."""
    result = reached or trainer.result
    if result.diverged:
        raise TutorError("the training diverged, so there is nothing to save; try a smaller --learning-rate")
    states = {"initial": {"vector": trainer.initial}, "last": result.last}
    if result.best is not None:
        states["best"] = result.best[2]
    arrays: dict[str, Array] = {}
    numbers: dict[str, dict[str, Any]] = {}
    for which, state in states.items():
        numbers[which] = {name: value for name, value in state.items() if not isinstance(value, np.ndarray)}
        arrays |= {f"{which}.{name}": value for name, value in state.items() if isinstance(value, np.ndarray)}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise TutorError(f"{name} of the optimizer has numbers that are no longer finite; the run is not saved")
    heading = Heading(
        program="tutor",
        format=FORMAT,
        version=__version__,
        form=trainer.form.name,
        settings=msgspec.to_builtins(trainer.wanted),
        source=source,
        features=data.features,
        classes=data.classes,
        image=data.shape,
        shape=trainer.shape,
        scaling=trainer.data.scaling,
        history=[(e.loss, e.accuracy, _spelled(e.validation_loss), e.validation_accuracy) for e in result.history],
        seconds=result.seconds,
        ended=result.ended,
        interrupted=result.interrupted,
        best=result.best and (_spelled(result.best[0]), result.best[1]),
        numbers=numbers,
    )
    write_file(path, heading, arrays)


def check_can_save(path: Path, trainer: Trainer) -> None:
    """Raises TutorError where what the trainer will come to cannot be saved there."""
    state = trainer.form.state()
    numbers = sum(value.size for value in state.values() if isinstance(value, np.ndarray))
    numbers += 2 * len(state.get("states", ()))
    check_room(path, trainer.wanted.epochs, 3 * numbers)


def load_run(path: Path) -> Run:
    """A saved run, checked. Raises TutorError with the file and what is wrong in it."""
    heading, arrays = read_file(path)
    try:
        settings = decoded_settings(heading.settings)
        states: dict[str, State] = {which: dict(numbers) for which, numbers in heading.numbers.items()}
        for name, array in arrays.items():
            which, dot, own = name.partition(".")
            if which not in states or not dot:
                raise TutorError(f"the array {name[:40]!r} belongs to nothing")
            states[which][own] = array
        run = Run(heading, settings, states)
        check_run(run)
    except TutorError as error:
        raise TutorError(f"{path}: {error}") from None
    return run


def go_on(path: Path, epochs: int | None) -> tuple[Source, Data, Trainer]:
    """The saved training, ready to go on to its last epoch, or to `epochs`.

    Raises TutorError where nothing is left to train, or the data are not the same.
    """
    run = load_run(path)
    done = len(run.heading.history)
    wanted = run.settings if epochs is None else replace(run.settings, epochs=epochs)
    if wanted.epochs < done:
        raise TutorError(f"{path} has {done} epochs behind it already; --epochs is how many there are to be in all")
    if wanted.epochs == done and epochs is None and not run.heading.best:
        raise TutorError(f"{path} has all its {done} epochs behind it; train more with --epochs {2 * done}")
    data = found_again(run.heading.source, path)
    same = (data.features, data.classes, data.shape) == (run.heading.features, run.heading.classes, run.heading.image)
    trainer = set_up(data, wanted) if same and shape_for(wanted, data) == run.shape else None
    if trainer is None or trainer.data.scaling != run.heading.scaling:
        raise TutorError(f"{path} does not go with its data: their columns, classes or scaling are others")
    try:
        for which in ("last", "best"):
            if which in run.states:
                check_state(which, run.states[which], trainer.form.state(), exact=True)
    except TutorError as error:
        raise TutorError(f"{path}: {error}") from None
    trainer.form.restore(run.states["last"])
    trainer.result = Result(_history(run), run.heading.seconds)
    if run.heading.best is not None:
        loss, epoch = run.heading.best
        trainer.result.best = float(loss), epoch, run.states["best"]
    return run.heading.source, data, trainer


def schedule_note(wanted: Settings) -> str:
    """What changes where a training goes on to another number of epochs; empty where nothing does."""
    if "epochs" not in SCHEDULES[wanted.schedule].settings or "epochs" in wanted.schedule_setting:
        return ""
    return (
        f"The {wanted.schedule} schedule runs over all epochs, now {wanted.epochs}; those behind were trained with "
        "the one over the former number."
    )


def _history(run: Run) -> list[Epoch]:
    return [
        Epoch(number, loss, accuracy, None if held is None else float(held), held_accuracy)
        for number, (loss, accuracy, held, held_accuracy) in enumerate(run.heading.history, 1)
    ]


def _spelled(value: float | None) -> Any:
    """The number, or its name where JSON has none for it: a held-out loss may be infinite."""
    return value if value is None or isfinite(value) else str(float(value))
