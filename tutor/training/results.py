"""What a trained network makes of its data: the confusion matrix, and where it draws the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tutor.training.preparation import rows_with_ones
from tutor.training.trainer import Trainer

if TYPE_CHECKING:
    from tutor.data.array_types import Labels, Places

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
    part, places = list(data.parts.items())[-1]
    guessed = data.guesses(trainer.form.outputs(data.rows, places))
    return part, confusion_matrix(data.y[places], guessed, count)


def confusion_matrix(classes: Labels, guessed: Places, count: int) -> list[list[int]]:
    """A row for each of so many classes, a column for what its examples were taken for: how many of them."""
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (classes.astype(np.int64), guessed), 1)
    return [[int(cell) for cell in row] for row in table]


def regions(
    trainer: Trainer, columns: int, rows: int
) -> tuple[Places, tuple[float, float], tuple[float, float]] | None:
    """For two inputs the class of every cell of a grid over the data, top row first, and the span of each axis."""
    data = trainer.data
    if data.x.shape[1] != 2 or not data.classes:
        return None
    (left, right), (low, high) = ((float(a.min()), float(a.max())) for a in data.x.T)
    left, right = left - _MARGIN * (right - left), right + _MARGIN * (right - left)
    low, high = low - _MARGIN * (high - low), high + _MARGIN * (high - low)
    across = left + (right - left) * (np.arange(columns) + 0.5) / columns
    up = high - (high - low) * (np.arange(rows) + 0.5) / rows
    grid = rows_with_ones(np.stack([np.tile(across, rows), np.repeat(up, columns)], axis=1))
    guessed = data.guesses(trainer.form.outputs(grid, np.arange(len(grid))))
    return guessed.reshape(rows, columns), (left, right), (low, high)
