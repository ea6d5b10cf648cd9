"""`--figure FILE`: the curve of a training as a picture, or as the numbers that one is drawn from."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli import tell
from tutor.errors import TutorError
from tutor.files import Kind, Target, claim, write_whole

if TYPE_CHECKING:
    from tutor.training.trainer import Epoch

FigureFile = Annotated[
    Path | None,
    typer.Option("--figure", metavar="FILE", help="The curve of the training: a picture as .svg, numbers as .csv."),
]
_HEADINGS = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
_PICTURE = rb'<svg xmlns="http://www.w3.org/2000/svg" class="tutor-plot"'
_FIGURE = Kind("a curve", rb"(" + _PICTURE + rb"|" + ",".join(_HEADINGS).encode() + rb"\r\n)")


def claim_figure(path: Path | None, inputs: Sequence[Path], force: bool) -> None:
    """Raises TutorError where no figure can be written there, before the training rather than after it."""
    if path is None:
        return
    if path.suffix.lower() not in (".svg", ".csv"):
        raise TutorError(f"--figure {str(path)!r}: give it the ending .svg for a picture, or .csv for its numbers")
    claim([Target("--figure", path, _FIGURE)], inputs, force)


def write_figure(path: Path | None, history: Sequence[Epoch]) -> None:
    """Write the curve, where it is asked for and there is one."""
    if path is None:
        return
    if not history:
        tell(f"No epoch was finished, so there is no curve for {path}.")
        return
    write_whole(path, _picture(history) if path.suffix.lower() == ".svg" else _numbers(history))
    tell(f"The curve is in {path}.")


def _picture(history: Sequence[Epoch]) -> str:
    from tutor.printers.svg import svg
    from tutor.views.training import curve

    return svg(curve(history))


def _numbers(history: Sequence[Epoch]) -> str:
    """A row an epoch; what was not measured in it is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADINGS)
    for e in history:
        writer.writerow([e.number, e.loss, e.accuracy, e.validation_loss, e.validation_accuracy])
    return text.getvalue()
