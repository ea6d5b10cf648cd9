"""`tutor train`: a network trained for real."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.errors import TutorError
from tutor.views.screen import Screen

Name = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="and, or, nand, xor, blobs, circles, moons, spirals, sine, iris, digits, or a CSV file.",
    ),
]
Output = Annotated[str | None, typer.Option(help="Of the output; what fits the data unless given.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Examples an update; 1 is stochastic, all of them batch.")]


@command()
def train(
    data: Name,
    screen: Screen,
    label: Annotated[str | None, typer.Option(help="The column of a CSV to be learned; the last unless given.")] = None,
    hidden: Annotated[str, typer.Option(help="Units of each hidden layer, as in 16,16; 0 for none.")] = "16",
    activation: Annotated[str, typer.Option(help="Of the hidden layers.")] = "tanh",
    output_activation: Output = None,
    loss: Annotated[str | None, typer.Option(help="What fits the output unless given.")] = None,
    optimizer: Annotated[str, typer.Option(help="`tutor explain NAME` says what each does.")] = "adam",
    learning_rate: Annotated[float | None, typer.Option(min=0, help="The optimizer's own unless given.")] = None,
    schedule: Annotated[str, typer.Option(help="How the rate changes from epoch to epoch.")] = "constant",
    batch_size: BatchSize = 32,
    epochs: Annotated[int, typer.Option(min=1, max=1_000_000, help="Times through the data.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same training.")] = 0,
    init: Annotated[str | None, typer.Option(help="zeros, normal, uniform, xavier or he.")] = None,
    l1: Annotated[float, typer.Option(min=0, help="Strength of the penalty on |w|.")] = 0.0,
    l2: Annotated[float, typer.Option(min=0, help="Strength of the penalty on w².")] = 0.0,
    dropout: Annotated[float, typer.Option(min=0, max=0.99, help="Share of hidden outputs left out.")] = 0.0,
    clip_value: Annotated[float | None, typer.Option(min=0, help="Largest entry of the gradient.")] = None,
    clip_norm: Annotated[float | None, typer.Option(min=0, help="Largest length of the gradient.")] = None,
    normalize: Annotated[str | None, typer.Option(help="zscore or minmax, fitted on the training part.")] = None,
    validation: Annotated[float, typer.Option(min=0, max=0.9, help="Share of the examples held out.")] = 0.0,
    patience: Annotated[int | None, typer.Option(min=1, help="Stop after so many epochs without a better one.")] = None,
    arithmetic: Annotated[
        Literal["reproducible", "fast"], typer.Option(help="reproducible: the same bits on every machine.")
    ] = "reproducible",
    json_output: Json = False,
) -> None:
    """Train a network on a data set, and see how the loss falls.

    Try `tutor train --data moons`, or `tutor train --data xor --hidden 1` to see it fail. The same seed gives the same
    bits on every machine; --arithmetic fast is faster, and its last digits may differ between machines.
    """
    from tutor.training.datasets import DATA, load
    from tutor.training.files import is_file_name, read_file
    from tutor.training.optimization import Rules
    from tutor.training.results import confusion, regions
    from tutor.training.setup import Wishes, set_up
    from tutor.training.trainer import Plan
    from tutor.views import training as view

    wishes = Wishes(_sizes(hidden), activation, output_activation, loss, init, normalize, validation, arithmetic)
    rules = Rules(optimizer, learning_rate, {}, schedule, {}, l1, l2, clip_value, clip_norm)
    plan = Plan(epochs, batch_size, dropout, patience, seed)
    found = load(data, seed) if data in DATA or not is_file_name(data) else read_file(Path(data), label)
    trainer = set_up(found, wishes, rules, plan)
    with view.watching(epochs, json_output) as watch:
        result = trainer.run(watch)
    if json_output:
        print(json.dumps(view.document(found, trainer, result), indent=1))
    else:
        view.show(found, trainer, result, confusion(trainer), partial(regions, trainer), screen)
    if result.diverged:
        raise typer.Exit(1)


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise TutorError(f"--hidden takes whole numbers, as in 16,16, not {text[:40]!r}") from None
    return () if sizes == (0,) else sizes
