"""Saved runs: kept and gone on with, used by `tutor predict`, written as a script by `tutor export`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tutor.cli import tell
from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.training.datasets import Data
    from tutor.training.run_data import Source
    from tutor.training.trainer import Trainer


def begun(
    lesson: str | None, data: str | None, label: str | None, given: Mapping[str, Any], save: Path | None
) -> tuple[Source | None, Data, Trainer]:
    """A new training of a lesson or on data; where the data came from, the examples, and the trainer."""
    from tutor.training.run_data import open_data, source_of
    from tutor.training.run_files import check_target
    from tutor.training.settings import Settings, check
    from tutor.training.setup import set_up

    if (lesson is None) == (data is None):
        raise TutorError("name a lesson, as in `tutor train mlp`, or data, as in --data moons: one of the two")
    if lesson is not None:
        if save is not None or label is not None:
            raise TutorError("--save and --label go with --data; a lesson has its network and its examples in its file")
        return None, *_lesson(lesson, given)
    assert data is not None
    if save is not None:
        check_target(save)
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


def gone_on(
    run: Path, data: str | None, label: str | None, explain: int | None, given: Mapping[str, Any], save: Path | None
) -> tuple[Source | None, Data, Trainer]:
    """A saved run that goes on; all but the number of epochs is settled in it."""
    from tutor.training.run_files import check_target
    from tutor.training.runs import go_on, schedule_note
    from tutor.training.settings import option

    if save is not None:
        check_target(save)
    own = {"data": data, "label": label, "explain": explain, **{n: v for n, v in given.items() if n != "epochs"}}
    if extra := [option(name) for name, value in own.items() if value is not None]:
        raise TutorError(f"{extra[0]} is settled in the saved run; only --epochs and --save go with --resume")
    source, found, trainer = go_on(run, given.get("epochs"))
    if "epochs" in given and (note := schedule_note(trainer.wanted)):
        tell(note)
    return source, found, trainer


@contextmanager
def finish(source: Source | None, data: Data, trainer: Trainer, target: Path | None) -> Iterator[None]:
    """Save the run before it is shown, say afterwards where it is, and end with the exit code for how it ended."""
    from tutor.training.runs import save_run

    result = trainer.result
    try:
        if source is not None and target is not None and not result.diverged:
            save_run(target, source, data, trainer)
    finally:
        yield
    if result.diverged:
        if target is not None:
            tell(f"The training diverged, so nothing was saved in {target}.")
        raise typer.Exit(1)
    if result.interrupted:
        if target is None:
            tell("Interrupted, and nothing was kept; with --save FILE it would have been.")
        else:
            tell(f"Interrupted and saved; go on with `tutor train --resume {target}`.")
        raise typer.Exit(130)
    if target is not None:
        tell(f"Saved in {target}.")
