"""The numbers and labels of a CSV file, taken in row by row, and what is wrong in a cell."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from tutor.errors import TutorError, counted
from tutor.training.checks import MOST_CLASSES, MOST_NUMBERS, are_class_numbers, check_amount, check_classes
from tutor.training.datasets import Data

Array = Any
_MISSING = {"", "na", "n/a", "nan", "null", "none", "inf", "+inf", "-inf", "infinity", "-infinity", "?", "-"}
_PIXELS = {str(level): float(level) for level in range(256)}


def tidy(text: str) -> str:
    """A name on one line."""
    return " ".join(text.split())


def value_of(cell: str, decimal_commas: bool) -> float | None:
    """The finite number that a cell has, or None."""
    text = cell.replace(",", ".") if decimal_commas else cell
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and "_" not in text else None


def _numbers(cells: Sequence[str]) -> list[float]:
    """The cells as numbers. Pixels are looked up, which takes a third of the time; raises ValueError for text."""
    try:
        return list(map(_PIXELS.__getitem__, cells))
    except KeyError:
        return list(map(float, cells))


class Table:
    """The rows read so far: their numbers one after the other, each label as text and, where it is one, a number."""

    def __init__(self, path: Path, heading: Sequence[str], column: int, decimal_commas: bool) -> None:
        self.path, self.heading, self.column, self.decimal_commas = path, heading, column, decimal_commas
        self.x, self.values, self.codes = array("d"), array("d"), array("q")
        self.names: dict[str, int] = {}
        self.text_in: int | None = None
        self.decimals: tuple[str, int] | None = None

    def add(self, number: int, row: list[str]) -> None:
        """Take in a row. Raises TutorError for the first cell that does not fit."""
        if len(row) != len(self.heading):
            found = counted(len(row), "cell")
            raise self._trouble(number, None, f"{found}, but there are {len(self.heading)} columns")
        label = row.pop(self.column)
        if len(self.x) + len(row) > MOST_NUMBERS:
            raise self._trouble(number, None, f"there may be at most {MOST_NUMBERS // 1_000_000} million numbers")
        self._add_label(number, tidy(label))
        if self.decimal_commas:
            self._check_decimals(number, row)
        cells = [cell.replace(",", ".") for cell in row] if self.decimal_commas else row
        try:
            numbers = array("d", _numbers(cells))
        except ValueError:
            raise self._unfit(number, row) from None
        if (not isfinite(sum(numbers)) and not all(map(isfinite, numbers))) or "_" in "".join(row):
            raise self._unfit(number, row)
        self.x.extend(numbers)

    def _add_label(self, number: int, text: str) -> None:
        if not text:
            raise self._trouble(number, self.column, "the label is missing")
        value = value_of(text, self.decimal_commas)
        if value is None:
            self.text_in = self.text_in or number
        elif self.decimal_commas:
            self._check_decimals(number, [text])
        if text not in self.names and len(self.names) <= MOST_CLASSES:
            self.names[text] = len(self.names)
        self.values.append(0.0 if value is None else value)
        self.codes.append(self.names.get(text, -1))

    def _check_decimals(self, number: int, cells: Sequence[str]) -> None:
        joined = " ".join(cells)
        for sign, name in ((",", "comma"), (".", "point")):
            if sign in joined:
                first, where = self.decimals = self.decimals or (name, number)
                if first != name:
                    said = f"there is a decimal {name}, but a decimal {first} in row {where}; use one of them"
                    raise self._trouble(number, None, said)

    def _unfit(self, number: int, row: Sequence[str]) -> TutorError:
        """What to raise for a row, without its label, of which not every cell is a number."""
        place = next(place for place, cell in enumerate(row) if value_of(cell, self.decimal_commas) is None)
        cell = row[place].strip()
        said = f"{cell[:40]!r} is not a number" if cell else "the cell is empty; fill it or leave the row out"
        return self._trouble(number, place + (place >= self.column), said)

    def _trouble(self, number: int, column: int | None, said: str) -> TutorError:
        place = "" if column is None else f", column {self.heading[column][:40]!r}"
        return TutorError(f"{self.path}, row {number}{place}: {said}")

    def data(self) -> Data:
        """All the rows as a data set. Raises TutorError where there are too few, or the labels cannot be learned."""
        count, path = len(self.codes), self.path
        check_amount(str(path), (count, len(self.heading) - 1))
        y, classes = self._labels(count)
        x = np.frombuffer(self.x, dtype=np.float64).reshape(count, -1)
        features = tuple(name for place, name in enumerate(self.heading) if place != self.column)
        return Data(path.stem, x, y, features, classes, source=path.name)

    def _labels(self, count: int) -> tuple[Array, tuple[str, ...]]:
        values, codes = np.frombuffer(self.values, dtype=np.float64), np.frombuffer(self.codes, dtype=np.int64)
        where = f"{self.path}, column {self.heading[self.column][:40]!r}"
        few = len(self.names) <= MOST_CLASSES
        if self.text_in is not None:
            if not few:
                raise TutorError(f"{where}: more than {MOST_CLASSES} classes; are these the labels?")
            check_classes(where, tuple(self.names), count)
            words = {name for name in self.names if value_of(name, self.decimal_commas) is None}
            if len(words) < len(self.names) and all(word.lower() in _MISSING for word in words):
                raise self._trouble(self.text_in, self.column, f"{min(words)!r} is no label, the others are numbers")
            return codes, tuple(self.names)
        by_value: dict[float, str] = {}
        for name in self.names:
            by_value.setdefault(value_of(name, self.decimal_commas) or 0.0, name)
        if not few or not are_class_numbers(by_value):
            return values[:, None], ()
        different = sorted(by_value)
        classes = tuple(by_value[value] for value in different)
        check_classes(where, classes, count)
        return np.searchsorted(np.array(different), values), classes
