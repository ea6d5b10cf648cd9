"""`tutor predict`: a saved network on new examples."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli import tell
from tutor.cli.app import Force, command
from tutor.cli.lessons import Json
from tutor.cli.next_commands import print_next
from tutor.files import STDOUT, claim, printed_too, written
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.runs.predict import Predictions


RunFile = Annotated[Path, typer.Argument(metavar="FILE", help="A run saved by `tutor train --save FILE`.")]


@command()
def predict(
    file: RunFile,
    printer: Printer,
    data: Annotated[str, typer.Option(metavar="NAME|FILE", help="The examples: a data set by name, or a file.")],
    label: Annotated[str | None, typer.Option(help="The column with the right answers, if there is one.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Draw a named data set anew, as in --data moons.")] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", "--output", metavar="FILE", help="Write every prediction; - is stdout.")
    ] = None,
    force: Force = False,
    json_output: Json = False,
) -> None:
    """Use a saved network: what it says to new examples, and how often it is right where the answers are known.

    tutor train --data moons --save moons.npz; tutor predict moons.npz --data moons --seed 7

    A CSV needs the columns that the network was trained on, by their names, or in their order where it has no names or
    quite other ones, and need not have the answers. It is scaled as the training examples were, with the numbers fitted
    on those.
    """
    from tutor.data.source import files_of
    from tutor.results import as_json
    from tutor.runs.predict import TABLE, new_examples
    from tutor.runs.predict import predict as predictions
    from tutor.runs.report import report
    from tutor.runs.run import load_run
    from tutor.views import predictions as view

    claim(printed_too("--csv", table, TABLE, json_output), [file, *files_of(data)], force)
    run = load_run(file)
    examples = new_examples(run, data, label, seed)
    found = predictions(run, examples)
    if table is not None:
        _write(table, found)
    if json_output:
        print(as_json(report(run, data, found, examples.remarks)))
    elif str(table) != STDOUT:
        printer.show(view.predictions_page(run, data, found, examples.remarks))
        print_next(printer, "predict", run=file)


def _write(path: Path, predictions: Predictions) -> None:
    from tutor.runs.predict import csv_rows

    printed = str(path) == STDOUT
    with written(path) as file:
        writer = csv.writer(file, lineterminator="\n" if printed else "\r\n")
        writer.writerows([_harmless(cell) for cell in row] for row in csv_rows(predictions))
    if not printed:
        tell(f"The predictions are in {path}.")


def _harmless(cell: Any) -> Any:
    """The cell so that no spreadsheet takes it for a formula. A number is none, whatever its sign."""
    from tutor.escaping import for_csv

    try:
        float(cell)
    except ValueError:
        return for_csv(cell)
    return cell
