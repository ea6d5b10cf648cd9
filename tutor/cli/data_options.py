"""The options that say which data a training is given, and what is done about their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tutor.errors import TutorError, nearest

if TYPE_CHECKING:
    from tutor.data.limits import Task
    from tutor.data.preprocessing import Preprocessing

NAMED = typer.Option(
    metavar="NAME|FILE",
    help="and, or, nand, xor, blobs, circles, moons, noisy_moons, spirals, sine, sparse, dense, iris, digits, or a "
    "file: CSV, NPZ, MNIST IDX.",
)
_LABEL = "The column of a CSV to be learned, or several, as in price,rent; the last unless given."
Label = Annotated[str | None, typer.Option(metavar="COLUMN", help=_LABEL)]
_DROP = "A column of a CSV that is left out; may be given several times, or as a,b."
Drop = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help=_DROP)]
_MISSING = "What fills a gap in a CSV, fitted on the training part; drop leaves out its row."
MissingName = Annotated[Literal["mean", "median", "drop"] | None, typer.Option(help=_MISSING)]
_CLASSES = (
    "Learn these classes of the data alone, by name or by number from 0, as in 0,1,2; may be given several times."
)
ClassNames = Annotated[list[str] | None, typer.Option("--classes", metavar="CLASS", help=_CLASSES)]
TaskName = Annotated[
    str | None, typer.Option(metavar="NAME", help="regression or classes: what the numbers to be learned are.")
]
TASKS: tuple[Task, ...] = ("regression", "classes")


def known_task(typed: str | None) -> Task:
    """What was typed, if anything was. Raises TutorError where it is no task."""
    if typed is None:
        return ""
    for task in TASKS:
        if typed == task:
            return task
    raise TutorError(f"--task is regression or classes, not {typed[:40]!r}{nearest(typed[:40], TASKS)}")


def preprocessing_typed(
    drop: Sequence[str] | None,
    missing: Literal["mean", "median", "drop"] | None,
    classes: Sequence[str] | None = None,
) -> Preprocessing:
    """What is to be done about the columns of a table, and which classes are wanted."""
    from tutor.data.preprocessing import Preprocessing

    names = [name.strip() for typed in classes or () for name in typed.split(",")]
    return Preprocessing(tuple(drop or ()), missing or "", tuple(name for name in names if name))
