"""What a trained network makes of its data: guesses, the confusion matrix, and where it draws the line."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutor.training.trainer import Trainer

Array = Any


def confusion(trainer: Trainer) -> tuple[str, list[list[int]]]:
    """Which part was looked at, and how often each class (a row) was taken for each (a column); empty without classes.

    The held-out part where there is one: what a network makes of examples that it was trained on flatters it.
    """
    data = trainer.data
    count = len(data.classes)
    if not count:
        return "", []
    part, x, y = "training", data.x, data.y
    if data.validation is not None:
        part, x, y = "held-out", data.validation[0], data.validation[2]
    guessed = data.guesses(trainer.network, trainer.result.vector, x)
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (y, guessed), 1)
    return part, [[int(cell) for cell in row] for row in table]


def regions(trainer: Trainer, columns: int, rows: int) -> tuple[Array, tuple[float, float], tuple[float, float]] | None:
    """For two inputs the class of every cell of a grid over the data, top row first, and the span of each axis."""
    data = trainer.data
    if data.x.shape[0] != 2 or not data.classes:
        return None
    (left, right), (low, high) = ((float(a.min()), float(a.max())) for a in data.x)
    across = left + (right - left) * (np.arange(columns) + 0.5) / columns
    up = high - (high - low) * (np.arange(rows) + 0.5) / rows
    grid = np.stack([np.tile(across, rows), np.repeat(up, columns)])
    guessed = data.guesses(trainer.network, trainer.result.vector, grid)
    return guessed.reshape(rows, columns), (left, right), (low, high)
