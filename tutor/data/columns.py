"""The features of a table: which of its columns are numbers and which are words, and their cells row by row."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tutor.data.cells import GAPS, GAPS_IN_WORDS, INFINITIES, is_date, number_hint, tidy, value_of
from tutor.data.preprocessing import Columns, Missing
from tutor.delimited import Row
from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.data.read_table import Table

MOST_WORDS = 1_000
FEW_WORDS = 10
"""A column with at most so many words is one of categories, however few rows there are."""
_GAP = float("nan")
DROP = "--drop {} leaves the column out"


class ColumnReader:
    """Reads the columns in these places: numbers as they are, words as places among those met so far.

    `in_words` are the indices of the columns that hold words; with `fills` a gap is NaN, else it is refused.
    """

    def __init__(self, table: Table, indices: Sequence[int], in_words: Sequence[int], fills: bool) -> None:
        self.table, self.indices, self.fills = table, list(indices), fills
        self._plain = not in_words and not fills
        self._own = [place in in_words for place in self.indices]
        self.words: dict[int, dict[str, int]] = {place: {} for place in in_words}
        self.gaps = dict.fromkeys(self.indices, 0)

    def read(self, number: int, row: Sequence[str]) -> array[float]:
        """The numbers of a row. Raises TutorError for the first cell that is none."""
        if self._plain:
            return self.table.numbers(number, [row[place] for place in self.indices], self.indices)
        inputs = array("d", [_GAP]) * len(self.indices)
        numbers: list[int] = []
        for k, (place, of_words) in enumerate(zip(self.indices, self._own, strict=True)):
            gap = self.is_gap(place, row[place])
            if gap and self.fills:
                self.gaps[place] += 1
            elif gap and of_words:
                cell = row[place].strip()
                said = f"{cell!r} says that it is missing" if cell else "the cell is empty"
                raise self.table.wrong(number, place, f"{said}; {self.table.gap_advice}")
            elif of_words:
                inputs[k] = self._place_of(place, tidy(row[place]))
            else:
                numbers.append(k)
        columns = [self.indices[k] for k in numbers]
        read = self.table.numbers(number, [row[place] for place in columns], columns)
        self.table.take(number, len(inputs) - len(read))
        for k, value in zip(numbers, read, strict=True):
            inputs[k] = value
        return inputs

    def is_gap(self, place: int, cell: str) -> bool:
        """Whether the cell of that column is empty, or has a word for that."""
        return cell.strip().lower() in (GAPS_IN_WORDS if place in self.words else GAPS)

    def _place_of(self, column: int, word: str) -> int:
        known = self.words[column]
        if word not in known and len(known) >= MOST_WORDS:
            raise self.too_many(column, f"more than {MOST_WORDS:,} different words")
        return known.setdefault(word, len(known))

    def too_many(self, column: int, message: str) -> TutorError:
        """What to raise where a column of words has a name for nearly every row."""
        name = self.table.names[column][:40]
        message = f"{message}, too many to have an input each; {DROP.format(repr(name))}"
        return TutorError(f"{self.table.path}, column {name!r}: {message}")

    def columns(self, missing: Missing, indices: Sequence[int]) -> Columns | None:
        """What these columns hold beside numbers; None where there is nothing but numbers."""
        if self._plain:
            return None
        held = [tuple(self.words[place]) if place in self.words else None for place in indices]
        return Columns(tuple(held), missing)


def places_of_words(table: Table, rows: Sequence[Row], indices: Sequence[int]) -> list[int]:
    """The columns that hold words, by these first rows: those most of whose cells have neither a number nor a gap.

    Raises TutorError for a column of dates.
    """
    cells = {place: _column(rows, place) for place in indices}
    doubtful = [p for p in indices if any(value_of(cell, table.decimal_commas) is None for _, cell in cells[p])]
    return [place for place in doubtful if _holds_words(table, place, cells[place])]


def _column(rows: Sequence[Row], place: int) -> list[tuple[int, str]]:
    return [(number, row[place].strip()) for number, row in rows if place < len(row)]


def _holds_words(table: Table, place: int, cells: Sequence[tuple[int, str]]) -> bool:
    known = [(number, cell) for number, cell in cells if cell.lower() not in GAPS]
    words = [(number, cell) for number, cell in known if _is_word(cell, table.decimal_commas)]
    if 2 * len(words) <= len(known):
        return False
    dates = [(number, cell) for number, cell in words if is_date(cell)]
    if 2 * len(dates) > len(words):
        number, cell = dates[0]
        told = DROP.format(repr(table.names[place][:40]))
        said = f"{cell[:40]!r} is a date, which no network takes as it is; {told}, or write it as numbers"
        raise table.wrong(number, place, f"{said}, as the month or the days since the first")
    return True


def _is_word(cell: str, decimal_commas: bool) -> bool:
    return value_of(cell, decimal_commas) is None and not number_hint(cell) and cell.lower() not in INFINITIES


def gaps_told(table: Table, gaps: Mapping[int, int], words: Mapping[int, object], missing: Missing) -> str:
    """What is done about so many gaps by column; empty where there are none."""
    numbers = [f"{count} in {table.names[p][:40]!r}" for p, count in gaps.items() if count and p not in words]
    texts = [f"{count} in {table.names[p][:40]!r}" for p, count in gaps.items() if count and p in words]
    said = []
    if numbers:
        said.append(f"Gaps are filled with the {missing} of the training part: {', '.join(numbers)}.")
    if texts:
        said.append(f"A gap among words is none of them, so all inputs of its column are 0: {', '.join(texts)}.")
    return " ".join(said)
