"""`tutor train`: a network trained for real."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.views.screen import Screen

DataName = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="and, or, nand, xor, blobs, circles, moons, spirals, sine, iris, digits, or a file: CSV, NPZ, MNIST IDX.",
    ),
]
Label = Annotated[str | None, typer.Option(help="The column of a CSV to be learned; the last unless given.")]


THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def use_one_thread() -> None:
    """Tell the library behind NumPy's products, which reads this when it is loaded, to work in one thread.

    The products of a small network are over before a second thread has begun, and with another program running the
    threads wait for each other. Whoever has set one of the variables knows better.
    """
    if not any(name in os.environ for name in THREADS):
        os.environ.update(dict.fromkeys(THREADS, "1"))


@command()
def train(
    data: DataName,
    screen: Screen,
    given: dict[str, Any],
    label: Label = None,
    json_output: Json = False,
) -> None:
    """Train a network on a data set, and see how the loss falls.

    Try `tutor train --data moons`, or `tutor train --data xor --hidden 1` to see it fail. The same seed gives the same
    bits on every machine; --arithmetic fast is faster, and its last digits may differ between machines.
    """
    use_one_thread()
    from tutor.training.datasets import DATA, load
    from tutor.training.files import is_file_name, read_file
    from tutor.training.results import confusion, regions
    from tutor.training.settings import Settings
    from tutor.training.setup import set_up
    from tutor.views.training import show
    from tutor.views.training_data import document
    from tutor.views.watching import watching

    wanted = Settings(**given)
    found = load(data, wanted.seed) if data in DATA or not is_file_name(data) else read_file(Path(data), label)
    trainer = set_up(found, wanted)
    with watching(wanted.epochs, json_output) as watch:
        result = trainer.run(watch)
    if json_output:
        print(json.dumps(document(found, trainer, result), indent=1))
    else:
        show(found, trainer, result, confusion(trainer), partial(regions, trainer), screen)
    if result.diverged:
        raise typer.Exit(1)
