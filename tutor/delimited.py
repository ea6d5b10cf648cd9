"""Delimited text as spreadsheets and people write it: its rows of cells, one after the other, by the numbers of lines.

One reader for data sets, new examples, answer sheets and rosters. Nothing of a row is kept, so that a file of any size
takes the memory of its longest row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from tutor.errors import TutorError
from tutor.read_files import encoding_of, opened

Row = tuple[int, list[str]]
"""The number of the line in which a row ends, and its cells."""
LONGEST_LINE = 10_000_000
HEADING_WITHIN = 10  # rows; a title may stand above a heading
_SEPARATORS = ",;\t|"


@contextmanager
def opened_text(path: Path) -> Iterator[TextIO]:
    """The text of a file that is read as it is needed: UTF-8, with or without a byte order mark, or UTF-16 with one."""
    with opened(path) as file, io.TextIOWrapper(file, encoding_of(file.peek(2))) as text:
        yield text


class Rows:
    """The rows of a text in which anything stands. Commas, semicolons, tabs or bars separate their cells, with
    `spaces` also runs of spaces where none of them is there.

    `where` is what messages call the text; without it they begin with the row. `names` are those of columns that its
    heading may have, in lower case: they tell the separator better than its first line does. With `notes` a cell may
    have several lines; without, a quotation mark that is not closed does not swallow the rows below it.
    Raises TutorError, with the row, for what is no text, no CSV, or too long.
    """

    def __init__(
        self, where: str, text: TextIO | str, names: Collection[str] = (), notes: bool = False, spaces: bool = False
    ) -> None:
        self._where, self._notes = where, notes
        self._encoding = "UTF-8" if isinstance(text, str) else text.encoding.upper().removesuffix("-SIG")
        self._above = 0
        lines = self._lines(io.StringIO(text, newline=None) if isinstance(text, str) else text)
        beginning = self._beginning(lines, 2 * HEADING_WITHIN if names or spaces else 1)
        self.separator = _separator(beginning, names)
        if spaces:
            self.separator = _of_a_table(beginning, self.separator)
        self._rows = self._read(chain(beginning, lines))

    @property
    def decimal_commas(self) -> bool:
        """Whether a comma within a cell may be a decimal one."""
        return self.separator != ","

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def trouble(self, number: int, message: str) -> TutorError:
        """What to raise about a row."""
        return TutorError(f"{self._where}, row {number}: {message}" if self._where else f"row {number}: {message}")

    def _lines(self, text: TextIO) -> Iterator[str]:
        number = 0
        try:
            while line := text.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise self.trouble(number, f"the line is longer than {LONGEST_LINE:,} characters")
                if "\0" in line and not self._notes:
                    raise self.trouble(number, "there is a NUL character in it; save the file as CSV in UTF-8")
                yield line
        except UnicodeDecodeError as error:
            # What was read ahead begins with the line that could not be finished.
            row = number + 1 + error.object[: error.start].count(b"\n")
            said = f"the byte 0x{error.object[error.start]:02x} is not {self._encoding}"
            raise self.trouble(row, f"{said}; save the file as CSV in UTF-8") from None

    def _beginning(self, lines: Iterator[str], most: int) -> list[str]:
        """The first lines, from one on in which anything stands; `sep=;` only tells spreadsheets how to open a file."""
        for line in lines:
            if line.strip() and not (self._above == 0 and line.lower().startswith("sep=")):
                return [line, *islice(lines, most - 1)]
            self._above += 1
        return []

    def _read(self, lines: Iterator[str]) -> Iterator[Row]:
        if self.separator == " ":
            lines = (line.strip() + "\n" for line in lines)
        reader = csv.reader(lines, delimiter=self.separator, skipinitialspace=self.separator in " |")
        before = 0
        try:
            for row in reader:
                first, before = before + 1, reader.line_num
                if before > first and not self._notes and any(self.separator in c.partition("\n")[2] for c in row):
                    said = "a cell has whole rows in it; is a quotation mark not closed?"
                    raise self.trouble(self._above + first, said)
                if any(map(str.strip, row)):
                    yield self._above + before, row
        except csv.Error as error:
            raise self.trouble(self._above + reader.line_num, f"this is no row of a CSV: {error}") from None


def _separator(lines: Sequence[str], names: Collection[str]) -> str:
    """The one of the first line that has two of the names as cells of their own, else of one that has one of them;
    else the most frequent one of the first line."""
    single = ""
    for line in lines if names else ():
        for separator in filter(line.__contains__, _SEPARATORS):
            cells = [cell.strip().strip('"`').strip().lower() for cell in line.split(separator)]
            known = len({*cells}.intersection(names))
            if known > 1:
                return separator
            single = single or (separator if known else "")
    return single or _most_frequent(lines[0] if lines else "")


def _of_a_table(lines: Sequence[str], found: str) -> str:
    """The separator of a table whose first lines may be comments; runs of spaces where there is none and each line that
    has no comment has several numbers or words."""
    rows = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not rows:
        return found
    found = _most_frequent(rows[0])
    if any(separator in rows[0] for separator in _SEPARATORS) or len(rows) < 2:
        return found
    counts = {len(row.split()) for row in rows[:HEADING_WITHIN]}
    return " " if len(counts) == 1 and counts.pop() > 1 else found


def _most_frequent(line: str) -> str:
    """Comma, semicolon or tab, commas between digits not counted where there is another; a bar where there is none."""
    bare = re.sub(r'"[^"]*"', "", line)
    other = max(";\t", key=bare.count)
    commas = re.sub(r"(?<=\d),(?=\d)", "", bare).count(",")
    if commas or bare.count(other) or "|" not in bare:
        return other if bare.count(other) > commas else ","
    return "|"
