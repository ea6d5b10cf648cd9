"""Tables of examples: the numbers and labels of a CSV file, row by row, and what is wrong in a cell."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from tutor.data.builtin import Data
from tutor.data.limits import (
    MISSING,
    MOST_CLASSES,
    MOST_NUMBERS,
    Task,
    are_classes,
    check_amount,
    check_classes,
    doubtful_classes,
    no_values,
    what_was_taken,
)
from tutor.delimited import Row, Rows, opened_text
from tutor.errors import TutorError, counted, nearest

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles, Labels

_NUMBERING = {"index", "id", "nr", "no", "no.", "row", "unnamed: 0"}
"""What a column is called that numbers the rows, in lower case."""
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
    """A table of examples that is being read: the names of its columns, then its rows, and what their cells say.

    With semicolons, tabs or bars between the cells numbers may have decimal commas, if all of them have. `named` says
    that the names are those of its own heading; a column without one is called by its place.
    """

    def __init__(self, path: Path, text: TextIO) -> None:
        rows = Rows(str(path), text, spaces=True)
        cells = _without_comments(_within_bars(rows) if rows.separator == "|" else rows)
        top = list(islice(cells, 3))
        if not top:
            raise TutorError(f"{path} is empty")
        self.path, self.decimal_commas, self.trouble = path, rows.decimal_commas, rows.trouble
        self.remarks: list[str] = []
        if _tells_sizes([row for _, row in top]):
            self.remarks.append("The first line, with the numbers of examples and features, is passed over.")
            del top[0]
        first = top[0][1]
        self.named = _has_heading([row for _, row in top[:2]], self.decimal_commas)
        if (
            len(first) > 1
            and not first[-1].strip()
            and all(len(r) < len(first) or not r[-1].strip() for _, r in top[1:])
        ):
            del first[-1]  # a comma at the end
        self.bare = [place for place, c in enumerate(first) if self.named and not c.strip()]
        self.names = [(tidy(c) if self.named else "") or f"column {place}" for place, c in enumerate(first, 1)]
        self._rows = chain(top[1:] if self.named else top, cells)
        self._decimals: tuple[str, int] | None = None
        self._room = MOST_NUMBERS

    def __iter__(self) -> Iterator[Row]:
        """The rows below the heading. Raises TutorError for one that has more cells, or fewer."""
        for number, row in self._rows:
            if len(row) == len(self.names) + 1 and not row[-1].strip():
                row.pop()
            if len(row) != len(self.names):
                said = f"{counted(len(row), 'cell')}, but there are {len(self.names)} columns"
                raise self.trouble(number, said)
            yield number, row

    def column(self, label: str) -> int:
        """The place of the column that is called so. Raises TutorError where there is none."""
        wanted = tidy(label)
        if wanted not in self.names:
            close = nearest(wanted[:60], [name[:60] for name in self.names])
            raise TutorError(f"{self.path}: there is no column {wanted[:60]!r}{close}")
        return self.names.index(wanted)

    def numbers(self, number: int, cells: Sequence[str], columns: Sequence[int]) -> array[float]:
        """The numbers in these cells of a row, which stand in these columns. Raises TutorError for the first one that
        is no finite number, and where there have been too many."""
        self._room -= len(cells)
        if self._room < 0:
            raise self.trouble(number, f"there may be at most {MOST_NUMBERS // 1_000_000} million numbers")
        if self.decimal_commas:
            self.check_decimals(number, cells)
        try:
            found = array("d", _numbers([c.replace(",", ".") for c in cells] if self.decimal_commas else cells))
        except ValueError:
            raise self._no_number(number, cells, columns) from None
        if (not isfinite(sum(found)) and not all(map(isfinite, found))) or "_" in "".join(cells):
            raise self._no_number(number, cells, columns)
        return found

    def check_decimals(self, number: int, cells: Sequence[str]) -> None:
        """Raises TutorError where these numbers have decimal points and others before them commas, or the reverse."""
        joined = " ".join(cells)
        for sign, name in ((",", "comma"), (".", "point")):
            if sign in joined:
                first, where = self._decimals = self._decimals or (name, number)
                if first != name:
                    said = f"there is a decimal {name}, but a decimal {first} in row {where}; use one of them"
                    raise self.trouble(number, said)

    def _no_number(self, number: int, cells: Sequence[str], columns: Sequence[int]) -> TutorError:
        place = next(place for place, cell in enumerate(cells) if value_of(cell, self.decimal_commas) is None)
        cell = cells[place].strip()
        said = f"{cell[:40]!r} is not a number" if cell else "the cell is empty; fill it or leave the row out"
        return self.wrong(number, columns[place], f"{said}{_plainly(cell)}")

    def wrong(self, number: int, column: int, said: str) -> TutorError:
        """What to raise about one cell."""
        path, name = self.path, self.names[column][:40]
        return TutorError(f"{path}, row {number}, column {name!r}: {said}")


def _plainly(cell: str) -> str:
    """How a number is written that has more in its cell than a reader of numbers takes; empty for other text."""
    found = _DRESSED.fullmatch(cell)
    if found is None:
        return ""
    before, number, after = found.groups()
    many = number.count(",") + number.count("'") + number.count(" ")
    if not before and not after and not many:
        return ""
    if many == 1 and "." not in number and re.search(r",\d{1,2}$", number):
        plain = number.replace(",", ".")
        return f"; with a decimal point it is {plain}"
    plain = re.sub(r"[,' ]", "", number)
    sign = f" without {before or after}" if before or after else ""
    return f"; written{sign or ' without separators'} it is {plain}"


_DRESSED = re.compile(r"([$€£¥])?\s*(-?\d+(?:[,' ]\d+)*(?:\.\d+)?)\s*([$€£¥%])?")


def _within_bars(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of a table as Markdown writes it, without the bars around them and the line below the heading."""
    for number, row in rows:
        inside = row[1:] if len(row) > 2 and not row[0].strip() else row
        inside = inside[:-1] if len(inside) > 1 and inside is not row and not inside[-1].strip() else inside
        if not all(re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in inside):
            yield number, inside


def _without_comments(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows without lines that begin with #, but for one right above the first row that has as many words as it has
    cells: NumPy writes a heading so."""
    held: Row | None = None
    begun = False
    for number, row in rows:
        if row[0].lstrip().startswith("#"):
            if not begun:
                held = number, [row[0].lstrip().lstrip("#"), *row[1:]]
            continue
        if held is not None and len(held[1]) == len(row) > 1:
            yield held
        held, begun = None, True
        yield number, row


def _tells_sizes(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line is one as scikit-learn's files have: how many examples and features, then the classes."""
    if len(rows) < 2 or len(rows[0]) < 3:
        return False
    count, features, *classes = (cell.strip() for cell in rows[0])
    whole = count.isdecimal() and features.isdecimal() and int(features) == len(rows[1]) - 1
    words = all(value_of(name, False) is None and name for name in classes)
    return whole and words and all(value_of(cell, False) is not None for cell in rows[1])


class _Examples:
    """The rows read so far: their numbers one after the other, each label as text and, where it is one, a number."""

    def __init__(self, table: Table, column: int, task: Task) -> None:
        self.table, self.column, self.task = table, column, task
        self.features = [place for place in range(len(table.names)) if place != column]
        self.x, self.values, self.codes = array("d"), array("d"), array("q")
        self.names: dict[str, int] = {}
        self.text_in: int | None = None

    def add(self, number: int, row: list[str]) -> None:
        """Take in a row. Raises TutorError for the first cell that does not fit."""
        self._add_label(number, tidy(row.pop(self.column)))
        self.x.extend(self.table.numbers(number, row, self.features))

    def _add_label(self, number: int, text: str) -> None:
        if not text:
            raise self.table.wrong(number, self.column, "the label is missing")
        value = value_of(text, self.table.decimal_commas)
        if value is None:
            self.text_in = self.text_in or number
        elif self.table.decimal_commas:
            self.table.check_decimals(number, [text])
        if text not in self.names and len(self.names) <= MOST_CLASSES:
            self.names[text] = len(self.names)
        self.values.append(0.0 if value is None else value)
        self.codes.append(self.names.get(text, -1))

    def data(self) -> Data:
        """All the rows as a data set. Raises TutorError where there are too few, or the labels cannot be learned."""
        count, path = len(self.codes), self.table.path
        check_amount(str(path), (count, len(self.features)))
        y, classes, remarks = self._labels(count)
        x = np.frombuffer(self.x, dtype=np.float64).reshape(count, -1)
        remarks = (*self.table.remarks, *remarks)
        if (place := self._index(x)) is not None:
            name = self.table.names[self.features.pop(place)]
            x = np.delete(x, place, axis=1)
            remarks = (*remarks, f"The column {name[:40]!r} only counts the rows, so it is left out.")
        target = self.table.names[self.column] if self.table.named else ""
        features = tuple(self.table.names[place] for place in self.features)
        return Data(path.stem, x, y, features, classes, source=path.name, remarks=remarks, target=target)

    def _index(self, x: Doubles) -> int | None:
        """The place of a feature that numbers the rows and is called so, or not at all: it would tell their order."""
        if x.shape[1] < 2:
            return None
        for place, column in enumerate(self.features):
            called_so = column in self.table.bare or self.table.names[column].lower() in _NUMBERING
            if called_so and (np.diff(x[:, place]) == 1).all() and x[0, place] in (0, 1):
                return place
        return None

    def _labels(self, count: int) -> tuple[Labels, tuple[str, ...], tuple[str, ...]]:
        """The number of the class of each example, (examples,), and their names, or the values, (examples, 1); and what
        to remark."""
        values, codes = np.frombuffer(self.values, dtype=np.float64), np.frombuffer(self.codes, dtype=np.int64)
        where = f"{self.table.path}, column {self.table.names[self.column][:40]!r}"
        few = len(self.names) <= MOST_CLASSES
        if self.text_in is not None:
            if not few:
                raise TutorError(f"{where}: more than {MOST_CLASSES} classes; are these the labels?")
            words = {name for name in self.names if value_of(name, self.table.decimal_commas) is None}
            dressed = min(words)
            if (how := _plainly(dressed)) and all(map(_plainly, words)):
                raise TutorError(f"{where}: {dressed[:40]!r} is not a number{how}; write all of them so")
            check_classes(where, tuple(self.names), count)
            if len(words) < len(self.names) and all(word.lower() in MISSING for word in words):
                raise self.table.wrong(self.text_in, self.column, f"{min(words)!r} is no label, the others are numbers")
            if self.task == "regression":
                raise no_values(where)
            counts = np.bincount(codes, minlength=len(self.names)).tolist()
            label = self.table.names[self.column]
            return codes, tuple(self.names), doubtful_classes(label, tuple(self.names), counts)
        by_value: dict[float, str] = {}
        for name in self.names:
            by_value.setdefault(value_of(name, self.table.decimal_commas) or 0.0, name)
        classed = (few or self.task == "classes") and are_classes(where, by_value, self.task)
        remarks = what_was_taken(self.table.names[self.column], by_value, classed, self.task)
        if not classed:
            return values[:, None], (), remarks
        different = sorted(by_value)
        classes = tuple(by_value[value] for value in different)
        check_classes(where, classes, count)
        return np.searchsorted(np.array(different), values), classes, remarks


def read_csv(path: Path, label: str | None, task: Task = "") -> Data:
    """The examples in a CSV file, with a header or without; the label is the named column, else the last one.

    Text in the label column, or at most 20 different whole numbers, are classes; other numbers are values to predict;
    unless the task says otherwise.
    Numbers are kept in double precision, and a row is forgotten as soon as its numbers are.
    """
    with opened_text(path) as text:
        table = Table(path, text)
        if len(table.names) < 2:
            raise TutorError(f"{path}: there is only the label; each example needs at least one number to learn from")
        for place, name in enumerate(table.names):
            if (earlier := table.names.index(name)) < place:
                said = (
                    f"columns {earlier + 1} and {place + 1} are both called {name[:40]!r}; give each a name of its own"
                )
                raise TutorError(f"{path}: {said}")
        examples = _Examples(table, len(table.names) - 1 if label is None else table.column(label), task)
        for number, row in table:
            examples.add(number, row)
        return examples.data()


def _has_heading(rows: Sequence[Sequence[str]], decimal_commas: bool) -> bool:
    """Whether the first row has a word where the second has a number, or words only."""
    first, second = rows[0], rows[-1]
    words = [value_of(cell, decimal_commas) is None for cell in first]
    pairs = zip(words, first, second, strict=False)
    return all(words) or any(
        w and c.strip().lower() not in MISSING and value_of(d, decimal_commas) is not None for w, c, d in pairs
    )
