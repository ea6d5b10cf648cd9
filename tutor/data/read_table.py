"""Tables of examples: the numbers, words and labels of a CSV file, row by row, and what is wrong in a cell."""

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
from tutor.data.cells import GAPS, MISSING, number_hint, tidy, value_of
from tutor.data.columns import DROP, FEW_WORDS, ColumnReader, gaps_told, places_of_words
from tutor.data.labels import TargetColumns, target_columns
from tutor.data.limits import MOST_NUMBERS, Task, check_amount
from tutor.data.preprocessing import NO_PREPROCESSING, Preprocessing
from tutor.data.separators import Signs
from tutor.delimited import Row, Rows, opened_text
from tutor.errors import TutorError, counted, listed, nearest

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles

_NUMBERING = {"index", "id", "nr", "no", "no.", "row", "rowid", "rownames", "unnamed: 0"}
"""What a column is called that numbers the rows, in lower case."""
_PEEKED_CELLS, _PEEKED_ROWS = 50_000, 50
"""How many cells, in how many rows at least, are looked at to tell what a column holds."""
_SHOWN = 5
_PIXELS = {str(level): float(level) for level in range(256)}


def _numbers(cells: Sequence[str]) -> list[float]:
    """The cells as numbers. Pixels are looked up, which takes a third of the time; raises ValueError for text."""
    try:
        return list(map(_PIXELS.__getitem__, cells))
    except KeyError:
        return list(map(float, cells))


class Table:
    """A table of examples that is being read: the names of its columns, then its rows, and what their cells say.

    With semicolons, tabs or bars between the cells numbers may have decimal commas, if all of them have. `named` says
    that the names are those of its own heading; a column without one is called by its place. `to_learn` are the columns
    that hold what is to be learned.
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
        self._signs = Signs(rows.trouble)
        self._peeked: list[Row] = []
        self._room = MOST_NUMBERS
        self.gap_advice, self.word_advice = "fill it or leave the row out", False
        self.to_learn: Sequence[int] = ()

    def peek(self) -> list[Row]:
        """The first rows below the heading as they stand; they are read later all the same."""
        if self._peeked:
            return self._peeked
        first, cells = [], 0
        for row in self._rows:
            first.append(row)
            cells += len(row[1])
            if cells > _PEEKED_CELLS and len(first) >= _PEEKED_ROWS:
                break
        self._rows, self._peeked = chain(first, self._rows), first
        return first

    def look_for_decimals(self, places: Sequence[int]) -> None:
        """See in the first rows of these columns which sign is the decimal one, where numbers may have either."""
        if self.decimal_commas:
            self._signs.look((number, row[k]) for number, row in self.peek() for k in places if k < len(row))

    def __iter__(self) -> Iterator[Row]:
        """The rows below the heading. Raises TutorError for one that has more cells, or fewer."""
        for number, row in self._rows:
            if len(row) == len(self.names) + 1 and not row[-1].strip():
                row.pop()
            if len(row) != len(self.names):
                said = f"{counted(len(row), 'cell')}, but there are {len(self.names)} columns"
                raise self.trouble(number, said)
            yield number, row

    def columns(self, typed: str) -> list[int]:
        """The indices of the columns that are called so, with commas between them; a name may have commas itself.

        Raises TutorError where there is none of that name.
        """
        whole = tidy(typed)
        wanted = [whole] if whole in self.names or "," not in whole else [tidy(part) for part in whole.split(",")]
        return [self.column(name) for name in dict.fromkeys(wanted) if name]

    def column(self, label: str) -> int:
        """The place of the column that is called so. Raises TutorError where there is none, or several."""
        wanted = tidy(label)
        if wanted not in self.names:
            close = nearest(wanted[:60], [name[:60] for name in self.names])
            raise TutorError(f"{self.path}: there is no column {wanted[:60]!r}{close}")
        self.check_single(wanted)
        return self.names.index(wanted)

    def check_single(self, name: str) -> None:
        """Raises TutorError where several columns are called so."""
        if self.names.count(name) > 1:
            raise TutorError(f"{self.path}: two columns are called {name[:40]!r}; which of them is meant?")

    def check_names(self, indices: Sequence[int]) -> None:
        """Raises TutorError where two of these columns have one name."""
        first: dict[str, int] = {}
        for place in indices:
            name = self.names[place]
            if (earlier := first.setdefault(name, place)) < place:
                said = f"columns {earlier + 1} and {place + 1} are both called {name[:40]!r}"
                raise TutorError(f"{self.path}: {said}; give each a name of its own")

    def take(self, number: int, cells: int) -> None:
        """Raises TutorError where so many cells more are too many."""
        self._room -= cells
        if self._room < 0:
            raise self.trouble(number, f"there may be at most {MOST_NUMBERS // 1_000_000} million numbers")

    def numbers(self, number: int, cells: Sequence[str], columns: Sequence[int]) -> array[float]:
        """The numbers in these cells of a row, which stand in these columns. Raises TutorError for the first one that
        is no finite number, and where there have been too many."""
        self.take(number, len(cells))
        try:
            found = array("d", _numbers(self._with_points(number, cells)))
        except ValueError:
            raise self._no_number(number, cells, columns) from None
        if (not isfinite(sum(found)) and not all(map(isfinite, found))) or "_" in "".join(cells):
            raise self._no_number(number, cells, columns)
        return found

    def value(self, number: int, cell: str) -> float | None:
        """The number in a cell of that row, or None. Raises TutorError where it may be one of two."""
        (text,) = self._with_points(number, [cell])
        return value_of(text, False)

    def _with_points(self, number: int, cells: Sequence[str]) -> Sequence[str]:
        return self._signs.with_points(number, cells) if self.decimal_commas else cells

    def _no_number(self, number: int, cells: Sequence[str], columns: Sequence[int]) -> TutorError:
        place = next(place for place, cell in enumerate(cells) if value_of(cell, self.decimal_commas) is None)
        cell, column = cells[place].strip(), columns[place]
        said = f"{cell[:40]!r} is not a number{number_hint(cell)}" if cell else f"the cell is empty; {self.gap_advice}"
        if cell.lower() in GAPS - {""}:
            said += f"; if it stands for what is missing, {self.gap_advice}"
        elif cell and self.word_advice and not number_hint(cell):
            said += self._what_helps(column)
        return self.wrong(number, column, said)

    def _what_helps(self, column: int) -> str:
        """What to do about text in a column of numbers, or about a column that has hardly any."""
        known = [row[column].strip() for _, row in self._peeked if column < len(row) and row[column].strip()]
        numbers = [cell for cell in known if value_of(cell, self.decimal_commas) is not None]
        most = ", and most of its column are" if 2 * len(numbers) > len(known) else ""
        name = repr(self.names[column][:40])
        if column not in self.to_learn:
            return f"{most}; {'correct it, or ' if most else ''}{DROP.format(name)}"
        alone = f"learn {name} alone, or leave it out of --label: several columns are learned as values"
        return f"{most}; correct it, or leave the row out" if most else f"; {alone}"

    def wrong(self, number: int, column: int, message: str) -> TutorError:
        """What to raise about one cell."""
        path, name = self.path, self.names[column][:40]
        return TutorError(f"{path}, row {number}, column {name!r}: {message}")


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
    """The rows read so far: what they have to learn from, and what is to be learned."""

    def __init__(
        self, table: Table, labels: TargetColumns, indices: Sequence[int], preprocessing: Preprocessing
    ) -> None:
        self.table, self.labels, self.preprocessing = table, labels, preprocessing
        in_words = places_of_words(table, table.peek(), indices)
        table.look_for_decimals([place for place in (*indices, *labels.columns) if place not in in_words])
        self.features = list(indices)
        self.reader = ColumnReader(table, indices, in_words, preprocessing.fills)
        self.x, self.count, self.left_out = array("d"), 0, 0

    def add(self, number: int, row: list[str]) -> None:
        """Take in a row. Raises TutorError for the first cell that does not fit."""
        if self.preprocessing.missing == "drop" and (self.labels.is_missing(row) or self._has_gap(row)):
            self.left_out += 1
            return
        self.labels.add(number, row)
        self.x.extend(self.reader.read(number, row))
        self.count += 1

    def _has_gap(self, row: Sequence[str]) -> bool:
        """Whether a cell that is to be learned from is empty, or has a word for that."""
        return any(self.reader.is_gap(place, row[place]) for place in self.features)

    def data(self) -> Data:
        """All the rows as a data set. Raises TutorError where there are too few, or the labels cannot be learned."""
        table, path = self.table, self.table.path
        if self.left_out and not self.count:
            raise TutorError(f"{path}: every row has a gap; fill them with --missing mean, or --drop a column of gaps")
        check_amount(str(path), (self.count, len(self.features)))
        y, classes, remarks = self.labels.targets()
        self._check_words()
        x = np.frombuffer(self.x, dtype=np.float64).reshape(self.count, -1)
        remarks = (*table.remarks, *self._told(), *remarks)
        if (place := self._index(x)) is not None:
            name = table.names[self.features.pop(place)]
            x = np.delete(x, place, axis=1)
            remarks = (*remarks, f"The column {name[:40]!r} only counts the rows, so it is left out.")
        remarks = (*remarks, *self._never_changing(x))
        targets = tuple(table.names[column] for column in self.labels.columns) if table.named else ()
        features = tuple(table.names[place] for place in self.features)
        columns = self.reader.columns(self.preprocessing.missing, self.features)
        return Data(
            path.stem, x, y, features, classes, source=path.name, remarks=remarks, targets=targets, columns=columns
        )

    def _told(self) -> Iterator[str]:
        """What was done about gaps."""
        if self.left_out:
            have = "row has a gap and is" if self.left_out == 1 else "rows have gaps and are"
            yield f"{self.left_out:,} of {self.left_out + self.count:,} {have} left out."
        if told := gaps_told(self.table, self.reader.gaps, self.reader.words, self.preprocessing.missing):
            yield told

    def _never_changing(self, x: Doubles) -> Iterator[str]:
        """What to remark of features with one value in every row."""
        names = [
            self.table.names[k][:40] for k, same in zip(self.features, (x == x[0]).all(axis=0), strict=True) if same
        ]
        shown = [*map(repr, names[:_SHOWN]), *([f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else [])]
        if names:
            have, them = ("has", "it") if len(names) == 1 else ("have", "them")
            yield f"{listed(shown)} {have} the same value in every row, so nothing can be learned from {them}."

    def _check_words(self) -> None:
        """Raises TutorError for a column of words that names nearly every row."""
        for column, words in self.reader.words.items():
            if len(words) > FEW_WORDS and 2 * len(words) > self.count:
                raise self.reader.too_many(column, f"{len(words):,} different words in {self.count:,} rows")

    def _index(self, x: Doubles) -> int | None:
        """The place of a feature that numbers the rows and is called so, or not at all: it would tell their order."""
        if x.shape[1] < 2:
            return None
        for place, column in enumerate(self.features):
            called_so = column in self.table.bare or self.table.names[column].lower() in _NUMBERING
            if called_so and column not in self.reader.words and _counts(x[:, place], self.left_out):
                return place
        return None


def _counts(column: Doubles, left_out: int) -> bool:
    """Whether these are whole numbers one after the other, in any order, but for so many rows that are left out."""
    different = np.unique(column)
    whole = bool((different == np.floor(different)).all()) and len(different) == len(column)
    return whole and bool(different[-1] - different[0] <= len(column) - 1 + left_out)


def read_csv(path: Path, label: str | None, task: Task = "", preprocessing: Preprocessing = NO_PREPROCESSING) -> Data:
    """The examples in a CSV file, with a header or without; the label is the named column, or several with commas
    between them, else the last one.

    Text in the label column, or at most 20 different whole numbers, are classes; other numbers are values to predict;
    unless the task says otherwise.
    Numbers are kept in double precision, and a row is forgotten as soon as its numbers are.
    """
    with opened_text(path) as text:
        table = Table(path, text)
        table.gap_advice = "fill it, leave the row out, or give --missing mean, median or drop"
        table.word_advice = True
        labels, indices = _chosen(table, label, preprocessing.drop)
        table.to_learn = labels
        examples = _Examples(table, target_columns(table, labels, task), indices, preprocessing)
        for number, row in table:
            examples.add(number, row)
        return examples.data()


def _chosen(table: Table, label: str | None, drop: Sequence[str]) -> tuple[list[int], list[int]]:
    """The indices of the columns to be learned, and of those to learn from. Raises TutorError where one of both kinds
    is wanting."""
    dropped = [place for typed in drop for place in table.columns(typed)]
    kept = [place for place in range(len(table.names)) if place not in dropped]
    if not kept:
        raise TutorError(f"{table.path}: --drop leaves no column at all")
    labels = kept[-1:] if label is None else table.columns(label)
    for place in labels:
        if place in dropped:
            raise TutorError(f"{table.path}: the column {table.names[place][:40]!r} is to be learned, and dropped")
    indices = [place for place in kept if place not in labels]
    if not indices:
        said = f"{table.path}: there is only the label; each example needs at least one number or word to learn from"
        raise TutorError(said)
    table.check_names(kept)
    return labels, indices


def _has_heading(rows: Sequence[Sequence[str]], decimal_commas: bool) -> bool:
    """Whether the first row has a word where the second has a number, or words only."""
    first, second = rows[0], rows[-1]
    words = [value_of(cell, decimal_commas) is None for cell in first]
    pairs = zip(words, first, second, strict=False)
    return all(words) or any(
        w and c.strip().lower() not in MISSING and value_of(d, decimal_commas) is not None for w, c, d in pairs
    )
