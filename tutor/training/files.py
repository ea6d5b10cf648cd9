"""Data from the user's own CSV files. Every message says in which row and which column the trouble is."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np

from tutor.errors import TutorError, counted, nearest
from tutor.training.datasets import Data

LARGEST_FILE = 200_000_000
MOST_NUMBERED_CLASSES = 20
_FEWEST_ROWS = 4


def read_csv(path: Path, label: str | None) -> Data:
    """The examples in a CSV file, with a header or without; the label is the named column, else the last one.

    Text in the label column, or at most 20 different whole numbers, are classes; other numbers are values to predict.
    """
    rows = _rows(path)
    heading = _heading(rows)
    body = list(enumerate(rows, 1))[1:] if _has_heading(rows) else list(enumerate(rows, 1))
    column = _column(heading, label, path)
    for number, row in body:
        if len(row) != len(heading):
            raise TutorError(f"{path}, row {number}: {counted(len(row), 'cell')}, but there are {len(heading)} columns")
    if len(body) < _FEWEST_ROWS:
        raise TutorError(f"{path}: {counted(len(body), 'example')}; there have to be at least {_FEWEST_ROWS}")
    features = [name for place, name in enumerate(heading) if place != column]
    if not features:
        raise TutorError(f"{path}: there is only the label; each example needs at least one number to learn from")
    x = [[_number(path, n, heading[p], cell) for p, cell in enumerate(row) if p != column] for n, row in body]
    y, classes = _labels(path, heading[column], [(n, row[column].strip()) for n, row in body])
    return Data(path.stem, np.array(x), y, tuple(features), classes, source=path.name)


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except IsADirectoryError:
        raise TutorError(f"{str(path)!r} is a folder, not a file of data") from None
    except (OSError, ValueError) as error:
        raise TutorError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > LARGEST_FILE:
        raise TutorError(f"{path} has more than {LARGEST_FILE // 1_000_000} MB")
    text = raw.decode("utf-8-sig", errors="replace")
    first = text.partition("\n")[0]
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise TutorError(f"{path} is no CSV: {error}") from None
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    if not filled:
        raise TutorError(f"{path} is empty")
    return filled


def _is_number(cell: str) -> bool:
    try:
        return isfinite(float(cell))
    except ValueError:
        return False


def _has_heading(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has a word where the second has a number, or words only."""
    first, second = rows[0], rows[min(1, len(rows) - 1)]
    words = [not _is_number(cell) for cell in first]
    return all(words) or any(w and _is_number(cell) for w, cell in zip(words, second, strict=False))


def _heading(rows: Sequence[Sequence[str]]) -> list[str]:
    if _has_heading(rows):
        return [cell.strip() or f"column {place}" for place, cell in enumerate(rows[0], 1)]
    return [f"column {place}" for place in range(1, len(rows[0]) + 1)]


def _column(heading: Sequence[str], label: str | None, path: Path) -> int:
    if label is None:
        return len(heading) - 1
    if label not in heading:
        raise TutorError(f"{path}: there is no column {label!r}{nearest(label, heading)}")
    return heading.index(label)


def _number(path: Path, row: int, column: str, cell: str) -> float:
    if not cell.strip():
        raise TutorError(f"{path}, row {row}, column {column!r}: the cell is empty; fill it or leave the row out")
    if not _is_number(cell):
        raise TutorError(f"{path}, row {row}, column {column!r}: {cell.strip()[:40]!r} is not a number")
    return float(cell)


def _labels(path: Path, column: str, cells: Sequence[tuple[int, str]]) -> tuple[np.ndarray, tuple[str, ...]]:
    for row, cell in cells:
        if not cell:
            raise TutorError(f"{path}, row {row}, column {column!r}: the label is missing")
    texts = [cell for _, cell in cells]
    different = list(dict.fromkeys(texts))
    numbers = all(map(_is_number, texts))
    whole = numbers and all(float(text).is_integer() for text in different)
    if numbers and not (whole and len(different) <= MOST_NUMBERED_CLASSES):
        return np.array([[float(text)] for text in texts]), ()
    if len(different) < 2:
        raise TutorError(f"{path}: every example has the label {different[0][:40]!r}; there is nothing to tell apart")
    if len(different) > len(texts) // 2:
        raise TutorError(f"{path}: {len(different)} classes for {len(texts)} examples; is {column!r} the label column?")
    classes = tuple(sorted(different, key=float)) if numbers else tuple(different)
    return np.array([classes.index(text) for text in texts]), classes
