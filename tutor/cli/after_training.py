"""What a training leads to: the commands that are advised, and those that come next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.cli.next_commands import as_typed, free_name, print_next
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.data.source import Source
    from tutor.training.obstacles import Advice
    from tutor.training.trainer import Trainer

_HOLD_OUT = 0.25
_OF_ONE_OPTIMIZER = ("optimizer", "optimizer_setting", "learning_rate", "rule")
"""Settings of a run that are not for the other optimizers beside which it is set."""


def commands_for(
    advised: Advice,
    lesson: str | None,
    source: Source | None,
    given: Mapping[str, Any],
    resumed: Path | None,
    trainer: Trainer,
    origin: Path | None,
) -> list[list[str]]:
    """The whole command for each change that is advised, word by word; of a lesson only some settings can change."""
    from tutor.cli.vary_option import command_line, options_typed
    from tutor.training.from_lesson import CHANGEABLE

    if lesson is not None:
        fitting = [change for change in advised.changes if change.keys() <= {*CHANGEABLE}]
        return [["tutor", "train", shlex.quote(lesson), *options_typed({**given, **change})] for change in fitting]
    assert source is not None
    if resumed is not None:
        given = _unusual(trainer)
    found = []
    for change in advised.changes:
        if resumed is not None and [*change] == ["epochs"]:
            found.append(["tutor", "train", "--resume", shlex.quote(str(resumed)), *options_typed(change)])
        else:
            found.append(command_line(source, {**given, **change}))
    return [[*words, *(["--init-from", shlex.quote(str(origin))] if origin else [])] for words in found]


def _unusual(trainer: Trainer) -> dict[str, Any]:
    """The settings that are not as they are by default."""
    from tutor.training.settings import Settings

    usual = asdict(Settings())
    return {name: value for name, value in asdict(trainer.settings).items() if value != usual[name]}


def to_hold_out(trainer: Trainer) -> float:
    """The share that could be held out of a training without anything held out; 0 where there is none."""
    from tutor.training.preparation import could_hold_out

    return _HOLD_OUT if len(trainer.data.parts) == 1 and could_hold_out(trainer.data, _HOLD_OUT) else 0.0


def lead_on(
    lesson: str | None, source: Source | None, label: str | None, kept: Path | None, trainer: Trainer, printer: Printer
) -> None:
    """What to do with a trained network: one that is kept, one of a lesson, or one that is forgotten."""
    from tutor.cli.vary_option import options_typed, words_of

    if lesson is not None:
        print_next(printer, "train lesson", lesson=lesson, number=min(100, trainer.engine.updates))
    elif kept is not None:
        named = None if source is None else ["--data", source.name]
        print_next(printer, "train saved", run=kept, data=None if named is None else [*named, *_labelled(label)])
    else:
        same = {name: value for name, value in _unusual(trainer).items() if name not in _OF_ONE_OPTIMIZER}
        words = None if source is None else [*words_of(source), *options_typed(same)]
        print_next(printer, "train", data=words, again=as_typed(), run=free_name("run", ".npz"))


def _labelled(label: str | None) -> list[str]:
    return [] if label is None else ["--label", label]
