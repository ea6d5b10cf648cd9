"""New examples for a trained network: the columns that it knows, from a file that need not have the answers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from tutor.errors import TutorError, counted, listed, nearest
from tutor.read_files import read_whole
from tutor.training.run_data import is_named, open_data
from tutor.training.runs import Run

Array = Any
LARGEST_TABLE = 200_000_000
Row = tuple[int, list[str]]


@dataclass
class Examples:
    """`x` has a row an example, unscaled. `y` is None without answers; else the class numbers, with -1 where one is
    missing, or the values. `remarks` say what was taken for what."""

    x: Array
    y: Array | None = None
    remarks: list[str] = field(default_factory=list)


def new_examples(run: Run, name: str, label: str | None, seed: int | None) -> Examples:
    """A named data set, drawn from the seed of the run unless another is given, or a file. Raises TutorError where the
    examples are none for this network."""
    if Path(name).suffix.lower() in (".csv", ".tsv", ".txt"):
        return _table(run, Path(name), label)
    data = open_data(name, label, run.settings.seed if seed is None else seed)
    count = run.shape.sizes[0]
    if data.x.shape[1] != count:
        raise TutorError(f"{name} has {counted(data.x.shape[1], 'feature')}, and the network takes {count}")
    found = Examples(data.x, data.y)
    _compare(run, data.features, found.remarks)
    if data.classes != run.heading.classes or (not data.classes and data.y.ndim != 2):
        found.y = None
        found.remarks.append("Its labels are not those that the network was trained on, so they are left aside.")
    source = run.heading.source
    if name == source.name and is_named(name) and np.array_equal(data.x, open_data(name, None, source.seed).x):
        found.remarks.append("The network was trained on these very examples; others tell more of it.")
    return found


def _table(run: Run, path: Path, label: str | None) -> Examples:
    rows, decimal_commas = _rows(path)
    names = [cell.strip() for cell in rows[0][1]] if _has_heading(rows, decimal_commas) else None
    body = rows[1:] if names else rows
    width = len(rows[0][1])
    for number, row in body:
        if len(row) != width:
            raise TutorError(f"{path}, row {number}: {counted(len(row), 'cell')}, but there are {width} columns")
    if not body:
        raise TutorError(f"{path} has a heading and no examples")
    shown = names or [f"column {place}" for place in range(1, width + 1)]
    found = Examples(None)
    places, answer, sure = _columns(run, path, shown, bool(names), label, found.remarks)
    values = [[_number(path, n, shown[p], row[p], decimal_commas) for p in places] for n, row in body]
    found.x = np.array(values)
    if answer is not None:
        try:
            found.y = _answers(run, path, shown[answer], [(n, row[answer].strip()) for n, row in body], decimal_commas)
            found.remarks.append(f"The answers are taken from the column {shown[answer]!r}.")
        except TutorError:
            if sure:
                raise
            found.remarks.append(f"The column {shown[answer]!r} is left aside: it has no answers of this network.")
    return found


def _rows(path: Path) -> tuple[list[Row], bool]:
    """The rows in which anything stands, and whether a comma may be a decimal one."""
    text = read_whole(path, LARGEST_TABLE, "table of examples").decode("utf-8-sig", errors="replace")
    first = text.partition("\n")[0]
    other = max(";\t", key=first.count)
    between = re.sub(r"(?<=\d),(?=\d)", "", first).count(",")  # a comma between digits may be a decimal one
    separator = other if first.count(other) > between else ","
    try:
        reader = csv.reader(io.StringIO(text), delimiter=separator)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise TutorError(f"{path} is no CSV: {error}") from None
    if not rows:
        raise TutorError(f"{path} is empty")
    return rows, separator != ","


def _has_heading(rows: Sequence[Row], decimal_commas: bool) -> bool:
    """Whether the first row has a word where the second has a number, or words only."""
    first, second = rows[0][1], rows[min(1, len(rows) - 1)][1]
    words = [_value(cell, decimal_commas) is None for cell in first]
    pairs = zip(words, second, strict=False)
    return all(words) or any(word and _value(cell, decimal_commas) is not None for word, cell in pairs)


def _columns(
    run: Run, path: Path, names: Sequence[str], named: bool, label: str | None, remarks: list[str]
) -> tuple[list[int], int | None, bool]:
    """The places of the features, that of the answers if there is one, and whether it is sure that they are answers."""
    features = run.heading.features
    if label is not None and label not in names:
        raise TutorError(f"{path}: there is no column {label[:60]!r}{nearest(label, names)}")
    wanted = label if label is not None else run.heading.source.label
    answer = names.index(wanted) if wanted in names else None
    sure = answer is not None
    if set(features) <= set(names) and len(set(names)) == len(names) and wanted not in features:
        places = [names.index(feature) for feature in features]
        if answer is None and set(range(len(names))) - set(places) == {len(names) - 1}:
            answer = len(names) - 1
        return places, answer, sure
    places = [place for place in range(len(names)) if place != answer]
    if answer is None and len(places) == len(features) + 1:
        answer = places.pop()
    if len(places) != len(features):
        missing = [repr(feature[:40]) for feature in features if feature not in names]
        raise TutorError(
            f"{path} has {counted(len(names), 'column')}; the network takes {len(features)}, and of those by name "
            f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} not there"
        )
    if named:
        _compare(run, [names[place] for place in places], remarks)
    return places, answer, sure


def _compare(run: Run, names: Sequence[str], remarks: list[str]) -> None:
    if list(names) != list(run.heading.features):
        known, own = ([repr(name[:40]) for name in several] for several in (run.heading.features, names))
        remarks.append(
            f"The network was trained on {listed(known)}; here the columns are called {listed(own)}, and are "
            "taken in this order."
        )


def _value(cell: str, decimal_commas: bool = False) -> float | None:
    try:
        number = float(cell.replace(",", ".") if decimal_commas else cell)
    except ValueError:
        return None
    return number if isfinite(number) and "_" not in cell else None


def _number(path: Path, row: int, column: str, cell: str, decimal_commas: bool) -> float:
    number = _value(cell, decimal_commas)
    if number is None:
        said = f"{cell.strip()[:40]!r} is not a number" if cell.strip() else "the cell is empty"
        raise TutorError(f"{path}, row {row}, column {column[:40]!r}: {said}")
    return number


def _answers(run: Run, path: Path, column: str, cells: Sequence[tuple[int, str]], decimal_commas: bool) -> Array:
    classes = run.heading.classes
    if not classes:
        if run.shape.sizes[-1] != 1:
            raise TutorError(f"{path}: the network has several outputs, and a table has one column of answers")
        return np.array([[_number(path, row, column, cell, decimal_commas)] for row, cell in cells])
    numbers = {name: place for place, name in enumerate(classes)}
    by_value = {value: place for place, name in enumerate(classes) if (value := _value(name)) is not None}
    found = []
    for row, cell in cells:
        value = _value(cell, decimal_commas)
        place = numbers.get(cell, -1 if not cell else None if value is None else by_value.get(value))
        if place is None:
            raise TutorError(f"{path}, row {row}, column {column[:40]!r}: {cell[:40]!r} is no class of the network")
        found.append(place)
    return np.array(found)
