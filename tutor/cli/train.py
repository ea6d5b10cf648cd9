"""`tutor train`: a network trained for real."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli.app import Force, command
from tutor.cli.lessons import Json
from tutor.cli.onward import as_typed, free_name, lead_on
from tutor.cli.worksheet import lesson_names
from tutor.views.plain_data import as_json
from tutor.views.screen import Screen

if TYPE_CHECKING:
    from tutor.training.trainer import Trainer

_DATA = typer.Option(
    metavar="NAME|FILE",
    help="and, or, nand, xor, blobs, circles, moons, spirals, sine, iris, digits, or a file: CSV, NPZ, MNIST IDX.",
)
DataName = Annotated[str, _DATA]
Label = Annotated[str | None, typer.Option(help="The column of a CSV to be learned; the last unless given.")]
Save = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Keep the run, also after Ctrl-C, in the place of an older one: .npz, or .json.",
    ),
]
Checkpoint = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Save the run after every N epochs, too, in the file of --save.")
]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Go on with a saved run, and keep it there; only --epochs, --checkpoint, --save and how to print fit it.",
    ),
]


THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def use_one_thread() -> None:
    """Tell the library behind NumPy's products, which reads this when it is loaded, to work in one thread.

    The products of a small network are over before a second thread has begun, and with another program running the
    threads wait for each other. Whoever has set one of the variables knows better.
    """
    if not any(name in os.environ for name in THREADS):
        os.environ.update(dict.fromkeys(THREADS, "1"))


Explain = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Show the worksheet of update N instead, with the trainer's own numbers."),
]


_LESSON = typer.Argument(help="A lesson, whose network learns its own examples.", autocompletion=lesson_names)


@command()
def train(
    screen: Screen,
    given: dict[str, Any],
    lesson: Annotated[str | None, _LESSON] = None,
    data: Annotated[str | None, _DATA] = None,
    label: Label = None,
    explain: Explain = None,
    save: Save = None,
    checkpoint: Checkpoint = None,
    force: Force = False,
    resume: Resume = None,
    json_output: Json = False,
) -> None:
    """Train a network on a data set, or that of a lesson, and see how the loss falls.

    Try `tutor train --data moons --learning-rate 0.02`. With `tutor train --data xor --hidden 3 --learning-rate 0.1
    --epochs 500` a network learns XOR; with --hidden 1 you see it fail. The same seed gives the same bits on every
    machine; --arithmetic fast is faster, and its last digits may differ between machines.

    `tutor train --data xor --hidden 2 --explain 100` shows the worksheet of the hundredth update, from the trainer's
    own weights at that moment.

    With --save FILE the run is kept: `tutor train --resume FILE` goes on to the same bits as if it had never stopped,
    `tutor predict FILE` uses the network, `tutor export FILE` writes it as a script. With --checkpoint 100 it is also
    kept after every 100 epochs, so that no more than those are lost where the machine stops.
    """
    use_one_thread()
    from tutor.cli.runs import begun, gone_on, keep, keep_checkpoints, tell_how_it_ended
    from tutor.training.results import confusion, regions
    from tutor.training.runs import check_can_save
    from tutor.views.progress import watching
    from tutor.views.training import show
    from tutor.views.training_data import document

    if resume is not None:
        source, found, trainer = gone_on(resume, lesson or data, label, explain, given, save, force)
    else:
        source, found, trainer = begun(lesson, data, label, given, save, force)
    if target := save or resume:
        check_can_save(target, trainer)
    if explain is not None:
        _explain(found.name, trainer, explain, screen, json_output)
        return
    keep_checkpoints(target, checkpoint, source, found, trainer)
    with watching(trainer.wanted.epochs, screen, json_output) as watch:
        result = trainer.run(watch)
        unsaved = keep(target, source, found, trainer)  # before anything is shown: the terminal may be gone
    if json_output:
        print(as_json(document(found, trainer, result)))
    else:
        show(found, trainer, result, confusion(trainer), partial(regions, trainer), screen)
    tell_how_it_ended(target, trainer, unsaved)
    if not json_output:
        _lead_on_from(lesson, data, label, target, trainer, screen)


def _lead_on_from(
    lesson: str | None, data: str | None, label: str | None, kept: Path | None, trainer: Trainer, screen: Screen
) -> None:
    """What to do with a trained network: one that is kept, one of a lesson, or one that is forgotten."""
    if lesson is not None:
        lead_on(screen, "train lesson", lesson=lesson, number=min(100, trainer.form.updates))
        return
    words = ["--data", data, *(["--label", label] if label is not None else [])] if data is not None else None
    if kept is not None:
        lead_on(screen, "train saved", run=kept, data=words)
    else:
        lead_on(screen, "train", data=words, again=as_typed(), run=free_name("run", ".npz"))


def _explain(name: str, trainer: Trainer, number: int, screen: Screen, json_output: bool) -> None:
    """The worksheet of one update in the place of the results of all."""
    from tutor.training.explain import explained
    from tutor.views.explained import show_update, update_document

    worksheet, trained = explained(trainer, number)
    if json_output:
        print(as_json(update_document(name, number, worksheet, trained)))
    else:
        show_update(name, number, worksheet, trained, trainer.wanted.arithmetic, screen)
        lead_on(screen, "train explained", name=worksheet.conventions.optimizer)
