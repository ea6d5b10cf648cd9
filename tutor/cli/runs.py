"""Saved runs: kept and gone on with, used by `tutor predict`, written as a script by `tutor export`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tutor.cli import tell
from tutor.errors import TutorError
from tutor.files import Target, claim

if TYPE_CHECKING:
    from tutor.training.datasets import Data
    from tutor.training.run_data import Source
    from tutor.training.trainer import Trainer


def begun(
    lesson: str | None, data: str | None, label: str | None, given: Mapping[str, Any], save: Path | None, force: bool
) -> tuple[Source | None, Data, Trainer]:
    """A new training of a lesson or on data; where the data came from, the examples, and the trainer."""
    from tutor.training.run_data import files_of, open_data, source_of
    from tutor.training.settings import Settings, check
    from tutor.training.setup import set_up

    if (lesson is None) == (data is None):
        raise TutorError("name a lesson, as in `tutor train mlp`, or data, as in --data moons: one of the two")
    if lesson is not None:
        if save is not None or label is not None:
            raise TutorError("--save and --label go with --data; a lesson has its network and its examples in its file")
        return None, *_lesson(lesson, given)
    assert data is not None
    _claim(save, files_of(data), force)
    wanted = Settings(**given)
    check(wanted)
    if wanted.rule == "perceptron" and "optimizer" in given:
        raise TutorError("the perceptron rule has no optimizer; leave out --optimizer, or --rule")
    source = source_of(data, label, wanted.seed)
    found = open_data(data, label, wanted.seed)
    return source, found, set_up(found, wanted)


def _lesson(name: str, given: Mapping[str, Any]) -> tuple[Data, Trainer]:
    from tutor.lessons import read_lesson, slug
    from tutor.training.lesson_setup import lesson_trainer

    return lesson_trainer(read_lesson(name), slug(name), given)


def _claim(save: Path | None, inputs: Sequence[Path], force: bool) -> None:
    from tutor.training.run_files import RUN, check_ending

    if save is not None:
        check_ending(save)
        claim([Target("--save", save, RUN)], inputs, force)


def gone_on(
    run: Path,
    data: str | None,
    label: str | None,
    explain: int | None,
    given: Mapping[str, Any],
    save: Path | None,
    force: bool,
) -> tuple[Source | None, Data, Trainer]:
    """A saved run that goes on; all but the number of epochs is settled in it."""
    from tutor.training.run_data import places
    from tutor.training.runs import go_on, schedule_note
    from tutor.training.settings import option

    _claim(save, [], force)
    own = {"data": data, "label": label, "explain": explain, **{n: v for n, v in given.items() if n != "epochs"}}
    if extra := [option(name) for name, value in own.items() if value is not None]:
        raise TutorError(
            f"{extra[0]} is settled in the saved run; only --epochs, --save and --checkpoint go with --resume"
        )
    source, found, trainer = go_on(run, given.get("epochs"))
    _claim(save or run, places(source, run), force or save is None)  # it is kept where it was
    if "epochs" in given and (note := schedule_note(trainer.wanted)):
        tell(note)
    return source, found, trainer


def keep_checkpoints(
    target: Path | None, every: int | None, source: Source | None, data: Data, trainer: Trainer
) -> None:
    """Have the trainer save the run after every so many epochs. Where that fails it is told, and the training goes
    on: there may be room again the next time, and the last checkpoint is still there."""
    from tutor.training.runs import save_run
    from tutor.training.trainer import Checkpoints, Result

    if every is None:
        return
    if target is None or source is None:
        raise TutorError("--checkpoint is how often the run is saved on the way; add --save FILE")
    file, origin = target, source

    def keep(reached: Result) -> None:
        try:
            save_run(file, origin, data, trainer, reached)
        except TutorError as error:
            tell(f"No checkpoint after epoch {len(reached.history)}: {error}")

    trainer.checkpoints = Checkpoints(every, keep)


def keep(target: Path | None, source: Source | None, data: Data, trainer: Trainer) -> TutorError | None:
    """Save the run before it is shown; why it could not be saved."""
    from tutor.training.runs import save_run

    if source is None or target is None or trainer.result.diverged:
        return None
    try:
        try:
            save_run(target, source, data, trainer)
        except KeyboardInterrupt:  # what has been reached is kept first
            save_run(target, source, data, trainer)
            raise
    except TutorError as error:
        return error
    return None


def tell_how_it_ended(target: Path | None, trainer: Trainer, unsaved: TutorError | None) -> None:
    """Say where the run is, and end with the exit code for how it ended."""
    result = trainer.result
    if unsaved is not None:
        raise unsaved
    if result.diverged:
        if target is not None:
            passed = trainer.checkpoints is not None and trainer.done >= trainer.checkpoints.every
            kept = f"; {target} has the last checkpoint" if passed else f", so nothing was saved in {target}"
            tell(f"The training diverged{kept}.")
        raise typer.Exit(1)
    if result.interrupted:
        if target is None:
            tell("Interrupted, and nothing was kept; with --save FILE it would have been.")
        else:
            tell(f"Interrupted and saved; go on with `tutor train --resume {target}`.")
        raise typer.Exit(130)
    if target is not None:
        tell(f"Saved in {target}.")
