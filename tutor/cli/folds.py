"""`--folds K`: the training of `tutor train` as often as there are folds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.data.source import Source
    from tutor.printers import Printer
    from tutor.training.settings import Settings

_HELP = "Cross-validation: train K networks, each measured on a part that it has not seen."
Folds = Annotated[int | None, typer.Option("--folds", metavar="K", help=_HELP)]
_INTERRUPTED = 130


def check_alone(others: Mapping[str, Any]) -> None:
    """Raises TutorError for the first of these options that was given, and is of a single training."""
    if extra := [name for name, value in others.items() if value is not None]:
        raise TutorError(f"{extra[0]} is of a single training, and --folds makes several; leave one of them out")


def train_in_folds(source: Source, settings: Settings, count: int, printer: Printer, json_output: bool) -> None:
    """Train, measure and print; exit code 1 where a training diverged, 130 after Ctrl-C."""
    from tutor.data.source import open_data
    from tutor.experiments.folds import cross_validated
    from tutor.printers.progress import counting
    from tutor.results import as_json
    from tutor.views.folds import folds_page

    examples = open_data(source.name, source.label, settings.seed, source.task, source.preprocessing)
    with counting(count, printer.screen, json_output) as watch:
        found = cross_validated(examples, settings, count, watch)
    if json_output:
        print(as_json(found))
    else:
        printer.show(folds_page(found))
    if not found.complete:
        raise typer.Exit(_INTERRUPTED)
    if any(fold.measures is None for fold in found.folds):
        raise typer.Exit(1)
