"""What a trained network makes of its data: the confusion matrix, and where it draws the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tutor.training.plane import Plane, why_no_plane
from tutor.training.preparation import rows_with_ones
from tutor.training.trainer import Trainer

if TYPE_CHECKING:
    from tutor.data.array_types import Indices, Labels

_MARGIN = 0.1
"""How far around the data the picture goes, in their own width and height."""


def confusion(trainer: Trainer) -> tuple[str, list[list[int]]]:
    """Which part was looked at, and how often each class (a row) was taken for each (a column); empty without classes.

    The test or the held-out part where there is one: what a network makes of examples that it was trained on flatters
    it.
    """
    data = trainer.data
    count = len(data.classes)
    if not count:
        return "", []
    part, indices = list(data.parts.items())[-1]
    guessed = data.predicted_classes(trainer.engine.outputs(data.rows, indices))
    return part, confusion_matrix(data.y[indices], guessed, count)


def confusion_matrix(classes: Labels, guessed: Indices, count: int) -> list[list[int]]:
    """A row for each of so many classes, a column for what its examples were taken for: how many of them."""
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (classes.astype(np.int64), guessed), 1)
    return [[int(cell) for cell in row] for row in table]


def plane(trainer: Trainer) -> Plane | None:
    """The plane around the data, as the network is now, with the examples of the part that `confusion` is about; None
    where there is none."""
    data = trainer.data
    if why_no_plane(data.x.shape[1], data.classes):
        return None
    (left, right), (low, high) = (_with_room(float(a.min()), float(a.max())) for a in data.x.T)

    def cells(columns: int, rows: int) -> Any:
        across = left + (right - left) * (np.arange(columns) + 0.5) / columns
        up = high - (high - low) * (np.arange(rows) + 0.5) / rows
        grid = rows_with_ones(np.stack([np.tile(across, rows), np.repeat(up, columns)], axis=1))
        return data.predicted_classes(trainer.engine.outputs(grid, np.arange(len(grid)))).reshape(rows, columns)

    part, indices = list(data.parts.items())[-1]
    taken = data.predicted_classes(trainer.engine.outputs(data.rows, indices)).tolist()
    there = zip(data.x[indices].tolist(), data.y[indices].tolist(), taken, strict=True)
    examples = tuple((x, y, int(of), int(guess)) for (x, y), of, guess in there)
    across, up = data.inputs if len(data.inputs) == 2 else ("x1", "x2")
    return Plane("", tuple(data.classes), (across, left, right), (up, low, high), cells, examples, part)


def _with_room(low: float, high: float) -> tuple[float, float]:
    room = _MARGIN * (high - low)
    return low - room, high + room
