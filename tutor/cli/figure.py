"""`--figure FILE`: the curve of a training as a picture, or as the numbers that one is drawn from; its regions, or its
confusion matrix."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tutor.cli import tell
from tutor.errors import TutorError
from tutor.files import Kind, Target, claim, write_whole

if TYPE_CHECKING:
    from tutor.training.trainer import Epoch, Trainer

FigureFile = Annotated[
    Path | None,
    typer.Option("--figure", metavar="FILE", help="The curve of the training: a picture as .svg, numbers as .csv."),
]
Draw = Annotated[
    Literal["curve", "regions", "confusion"] | None,
    typer.Option(
        help="What --figure shows: the curve unless said, the regions of two inputs, or the confusion matrix."
    ),
]
_HEADINGS = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
PICTURE = rb'<svg xmlns="http://www.w3.org/2000/svg" class="tutor-plot"'
_FIGURE = Kind("a curve", rb"(" + PICTURE + rb"|" + ",".join(_HEADINGS).encode() + rb"\r\n)")


def claim_figure(path: Path | None, draw: str | None, trainer: Trainer, inputs: Sequence[Path], force: bool) -> None:
    """Raises TutorError where no figure can be written there, or nothing of the kind can be drawn, before the training
    rather than after it."""
    from tutor.training.plane import why_no_plane

    if path is None:
        if draw is not None:
            raise TutorError("--draw says what is in the picture of --figure; add --figure picture.svg")
        return
    data = trainer.data
    if draw == "regions" and (why := why_no_plane(data.x.shape[1], data.classes)):
        raise TutorError(f"--draw regions: {why}")
    if draw == "confusion" and not data.classes:
        raise TutorError("--draw confusion: there are values to predict, and no classes to be taken for each other")
    if draw in ("regions", "confusion") and path.suffix.lower() == ".csv":
        raise TutorError(f"--draw {draw} is a picture: give --figure the ending .svg")
    if path.suffix.lower() not in (".svg", ".csv"):
        raise TutorError(f"--figure {str(path)!r}: give it the ending .svg for a picture, or .csv for its numbers")
    claim([Target("--figure", path, _FIGURE)], inputs, force)


def write_figure(path: Path | None, draw: str | None, trainer: Trainer) -> None:
    """Write the picture or the numbers, where they are asked for and there are some."""
    history = trainer.result.history
    if path is None:
        return
    if draw == "regions":
        write_whole(path, _regions(trainer))
        tell(f"The regions are in {path}.")
        return
    if draw == "confusion":
        write_whole(path, _confusion(trainer))
        tell(f"The confusion matrix is in {path}.")
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


def _regions(trainer: Trainer) -> str:
    from tutor.printers.svg import svg
    from tutor.training.results import plane
    from tutor.views.regions import LINE, regions

    found = plane(trainer)
    return svg(*regions(LINE, [] if found is None else [found]))


def _confusion(trainer: Trainer) -> str:
    from tutor.printers.svg import svg
    from tutor.training.results import confusion
    from tutor.views.training import confusion_matrix

    return svg(*confusion_matrix(trainer.data.classes, confusion(trainer)))


def _numbers(history: Sequence[Epoch]) -> str:
    """A row an epoch; what was not measured in it is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADINGS)
    for e in history:
        writer.writerow([e.number, e.loss, e.accuracy, e.validation_loss, e.validation_accuracy])
    return text.getvalue()
