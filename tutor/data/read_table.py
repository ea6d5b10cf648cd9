"""Delimited text with a heading: the numbers and labels of a CSV file, row by row, and what is wrong in a cell."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from tutor.data.builtin import Data
from tutor.data.limits import MOST_CLASSES, MOST_NUMBERS, are_class_numbers, check_amount, check_classes
from tutor.errors import TutorError, counted, nearest
from tutor.read_files import opened

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


LONGEST_LINE = 10_000_000


def read_csv(path: Path, label: str | None) -> Data:
    """The examples in a CSV file, with a header or without; the label is the named column, else the last one.

    Commas, semicolons or tabs separate; with the latter two, numbers may have decimal commas if all of them have.
    Text in the label column, or at most 20 different whole numbers, are classes; other numbers are values to predict.
    Numbers are kept in double precision, and a row is forgotten as soon as its numbers are.
    """
    with opened(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        return _read(path, text, label)


def _read(path: Path, file: TextIO, label: str | None) -> Data:
    lines = _lines(path, file)
    first = next(lines, "")
    separator = _separator(first)
    rows = _rows(path, chain([first], lines), separator)
    top = [row for _, row in zip(range(2), rows, strict=False)]
    if not top:
        raise TutorError(f"{path} is empty")
    decimal_commas = separator != ","
    named = _has_heading([row for _, row in top], decimal_commas)
    heading = [(tidy(c) if named else "") or f"column {place}" for place, c in enumerate(top[0][1], 1)]
    column = _column(path, heading, label)
    table = Table(path, heading, column, decimal_commas)
    for number, row in chain(top[1:] if named else top, rows):
        table.add(number, row)
    return table.data()


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    number = 0
    try:
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise TutorError(f"{path}, row {number}: the line is longer than {LONGEST_LINE:,} characters")
            yield line
    except UnicodeDecodeError as error:
        # What was read ahead begins with the line that could not be finished.
        row = number + 1 + error.object[: error.start].count(b"\n")
        byte = f"0x{error.object[error.start]:02x}"
        raise TutorError(f"{path}, row {row}: the byte {byte} is not UTF-8; save the file as CSV in UTF-8") from None


def _separator(line: str) -> str:
    """The most frequent of comma, semicolon and tab, commas between digits not counted where there is another."""
    bare = re.sub(r'"[^"]*"', "", line)
    other = max(";\t", key=bare.count)
    commas = re.sub(r"(?<=\d),(?=\d)", "", bare).count(",")
    return other if bare.count(other) > commas else ","


def _rows(path: Path, lines: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows in which anything stands, with their last lines' numbers."""
    reader = csv.reader(lines, delimiter=separator)
    above = 0
    try:
        for row in reader:
            if any(separator in cell.partition("\n")[2] or "\0" in cell for cell in row):
                raise TutorError(
                    f"{path}, row {above + 1}: a cell has whole rows in it; is a quotation mark not closed?"
                )
            above = reader.line_num
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise TutorError(f"{path}, row {reader.line_num}, is no row of a CSV: {error}") from None


def _has_heading(rows: Sequence[Sequence[str]], decimal_commas: bool) -> bool:
    """Whether the first row has a word where the second has a number, or words only."""
    first, second = rows[0], rows[-1]
    words = [value_of(cell, decimal_commas) is None for cell in first]
    pairs = zip(words, first, second, strict=False)
    return all(words) or any(w and c.strip() and value_of(d, decimal_commas) is not None for w, c, d in pairs)


def _column(path: Path, heading: Sequence[str], label: str | None) -> int:
    if len(heading) < 2:
        raise TutorError(f"{path}: there is only the label; each example needs at least one number to learn from")
    if label is None:
        return len(heading) - 1
    wanted = tidy(label)
    if wanted not in heading:
        close = nearest(wanted[:60], [name[:60] for name in heading])
        raise TutorError(f"{path}: there is no column {wanted[:60]!r}{close}")
    return heading.index(wanted)
