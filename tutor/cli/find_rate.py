"""`--find-rate`: the learning-rate range test of `tutor train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.data.builtin import Data
    from tutor.printers import Printer
    from tutor.training.trainer import Trainer

_HELP = "Let the rate grow from update to update, see where the loss falls and where it explodes, and get a rate."
FindRate = Annotated[bool, typer.Option("--find-rate", help=_HELP)]


def growing(lesson: str | None, given: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with a rate that grows. Raises TutorError for what does not go with that, and for the first of the
    other options that was given."""
    from tutor.lessons.find import read_lesson
    from tutor.maths.optimizers import OPTIMIZERS
    from tutor.training.find_rate import GROWING

    if extra := [name for name, value in others.items() if value]:
        raise TutorError(f"{extra[0]} is of a whole training, and --find-rate keeps nothing of its own; leave it out")
    if "learning_rate" in given:
        raise TutorError("--learning-rate is what --find-rate looks for; leave one of them out")
    own = None if lesson is None else read_lesson(lesson).training
    if given.get("rule", own and own.rule) == "perceptron":
        raise TutorError("--find-rate watches a loss fall, and the perceptron rule counts errors, whatever the rate")
    known = OPTIMIZERS.get(given.get("optimizer", own.optimizer if own else ""))
    if known is not None and known.adapts_rate:
        raise TutorError(f"--find-rate has no effect: {known.name} changes the learning rate itself, by the error")
    return {**{name: value for name, value in given.items() if name not in GROWING}, **GROWING}


def show_rates(data: Data, trainer: Trainer, command: Sequence[str], printer: Printer, json_output: bool) -> None:
    """Run the test and print it; `command` is the training, to which the rate found is added."""
    from tutor.results import as_json
    from tutor.training.find_rate import RULE, RateReport, find_rate
    from tutor.views.find_rate import rates_page

    test = find_rate(trainer)
    rate = None if test.suggestion is None else f"{test.suggestion:g}"
    words = [*command, "--layers"] if rate is None else [*command, "--learning-rate", rate]
    if not json_output:
        printer.show(rates_page(test, data.name, trainer, RULE, words))
        return
    report = RateReport(
        data=data.name,
        sizes=trainer.architecture.sizes,
        optimizer=trainer.settings.optimizer,
        seed=trainer.settings.seed,
        remarks=(*data.remarks, *trainer.data.remarks),
        lowest=test.lowest,
        exploded=test.exploded,
        suggestion=test.suggestion,
        command=None if rate is None else " ".join(words),
        steps=test.steps,
    )
    print(as_json(report))
