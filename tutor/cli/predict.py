"""`tutor predict`: a saved network on new examples."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli import tell
from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.cli.onward import lead_on
from tutor.errors import TutorError
from tutor.read_files import real_path
from tutor.views.plain_data import as_json
from tutor.views.screen import Screen

if TYPE_CHECKING:
    from tutor.training.predict import Predictions

RunFile = Annotated[Path, typer.Argument(metavar="FILE", help="A run saved by `tutor train --save FILE`.")]


@command()
def predict(
    file: RunFile,
    screen: Screen,
    data: Annotated[str, typer.Option(metavar="NAME|FILE", help="The examples: a data set by name, or a CSV.")],
    label: Annotated[str | None, typer.Option(help="The column with the right answers, if there is one.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Draw a named data set anew, as in --data moons.")] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", "--output", metavar="FILE", help="Write every prediction; - is stdout.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Use a saved network: what it says to new examples, and how often it is right where the answers are known.

    tutor train --data moons --save moons.npz; tutor predict moons.npz --data moons --seed 7

    A CSV needs the columns that the network was trained on, by their names or in their order, and need not have the
    answers. It is scaled as the training examples were, with the numbers fitted on those.
    """
    from tutor.training.new_data import new_examples
    from tutor.training.predict import predict as predictions
    from tutor.training.runs import load_run
    from tutor.views import predictions as view

    run = load_run(file)
    examples = new_examples(run, data, label, seed)
    found = predictions(run, examples)
    if table is not None:
        _write(table, found, {real_path(file), real_path(data)})
        if str(table) == "-":
            return
    if json_output:
        print(as_json(view.document(run, data, found, examples.remarks)))
    else:
        view.show(run, data, found, examples.remarks, screen)
        lead_on(screen, "predict", run=file)


def _write(path: Path, found: Predictions, inputs: set[str]) -> None:
    from tutor.training.predict import csv_rows
    from tutor.whole_files import written_whole

    rows = ([_harmless(cell) for cell in row] for row in csv_rows(found))
    if str(path) == "-":
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
        return
    if real_path(path) in inputs:
        raise TutorError(f"{str(path)!r} is read here; name another file for the predictions")
    with written_whole(path) as file:
        csv.writer(file).writerows(rows)
    tell(f"The predictions are in {path}.")


def _harmless(cell: Any) -> Any:
    """The cell so that no spreadsheet takes it for a formula. A number is none, whatever its sign."""
    from tutor.harmless import for_csv

    try:
        float(cell)
    except ValueError:
        return for_csv(cell)
    return cell
