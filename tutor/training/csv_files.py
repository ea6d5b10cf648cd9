"""Examples from CSV files. Every message says in which row, a line of the file, and in which column the trouble is."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TextIO

from tutor.errors import TutorError, nearest
from tutor.read_files import opened
from tutor.training.csv_table import Table, tidy, value_of
from tutor.training.datasets import Data

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
