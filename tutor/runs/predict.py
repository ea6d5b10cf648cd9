"""A trained network on new examples: the columns that it knows, what it says, and how often that is right."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from tutor.data.builtin import Data
from tutor.data.source import is_named, open_data
from tutor.errors import TutorError, counted, listed, nearest
from tutor.files import Kind
from tutor.numbers.arrays import ARITHMETICS
from tutor.read_files import read_whole
from tutor.runs.run import Run
from tutor.training.matrix.engine import SINGLE_FROM
from tutor.training.matrix.network import BatchLoss, Network
from tutor.training.preparation import guesses, rows_with_ones, targets_of

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


TABLE = Kind("a table of predictions", rb'example,(class,)?"?(probability of |output|prediction)')
_BLOCK = 2048


@dataclass(frozen=True)
class Predictions:
    """`outputs` has a row an output and a column an example; `guesses` the number of a class for each example, None
    where there are values to predict; `probable` says that outputs are probabilities.

    `answers` are the right ones, as in `Examples`; without them they and what follows from them are None.
    """

    classes: tuple[str, ...]
    probable: bool
    outputs: Array
    guesses: Array | None
    answers: Array | None
    loss: float | None
    accuracy: float | None
    confusion: list[list[int]]

    @property
    def scores(self) -> tuple[list[str], Array]:
        """What speaks for each class, a row a class, or the predicted values, with a name for each row.

        A single output is the probability of the second class; if it is none, it stands alone.
        """
        outputs = self.outputs
        if self.probable:
            both = outputs if len(outputs) > 1 else np.concatenate([1 - outputs, outputs])
            return [f"probability of {name}" for name in self.classes], both
        if len(outputs) == 1:
            return ["output" if self.classes else "prediction"], outputs
        named = self.classes or range(1, len(outputs) + 1)
        return [f"{'output for' if self.classes else 'prediction'} {name}" for name in named], outputs

    @property
    def counts(self) -> dict[str, int]:
        """How many examples were taken for each class."""
        if self.guesses is None:
            return {}
        found = np.bincount(self.guesses, minlength=len(self.classes))
        return {name: int(count) for name, count in zip(self.classes, found, strict=True)}


def outputs_of(run: Run, x: Array) -> Array:
    """What the trained network says to unscaled examples, one a row: one row an output, one column an example."""
    state, _ = run.trained
    system = ARITHMETICS[run.settings.arithmetic]
    running = [(state[f"mean_{k}"], state[f"variance_{k}"]) for k in range(len(run.shape.scales(state["vector"])))]
    network = Network(run.shape, system, state["vector"], np.empty_like(state["vector"]), running)
    rows = rows_with_ones(np.array(x))  # scaled in place, in the precision in which the training had its examples
    if run.heading.scaling is not None:
        run.heading.scaling.apply(rows[:, :-1])
    examples = system.examples(rows, system.name == "fast" and run.shape.count >= SINGLE_FROM)
    with np.errstate(all="ignore"):
        places = np.arange(len(rows))
        blocks = [places[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
        found = [network.forward(examples.take(block)) for block in blocks]
    return np.concatenate(found, axis=1)


def predict(run: Run, examples: Examples) -> Predictions:
    """The outputs and the guesses; loss, accuracy and confusion over the examples whose answers are known."""
    classes, y, last = run.heading.classes, examples.y, run.shape.activations[-1]
    probable = bool(classes) and last in ("sigmoid", "softmax")
    outputs = outputs_of(run, examples.x)
    tanh = last == "tanh"
    guessed = guesses(outputs, 0.0 if tanh else 0.5) if classes else None
    if y is None or not (known := np.flatnonzero(y >= 0) if classes else np.arange(len(y))).size:
        return Predictions(classes, probable, outputs, guessed, None, None, None, [])
    told = Data("", examples.x[known], y[known], run.heading.features, classes)
    system = ARITHMETICS[run.settings.arithmetic]
    loss = BatchLoss(run.shape, system).mean(outputs[:, known], targets_of(told, len(outputs), tanh))
    if guessed is None:
        return Predictions(classes, probable, outputs, None, y, loss, None, [])
    table = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(table, (y[known], guessed[known]), 1)
    accuracy = float((guessed[known] == y[known]).mean())
    return Predictions(classes, probable, outputs, guessed, y, loss, accuracy, [[int(c) for c in row] for row in table])


def csv_rows(found: Predictions) -> Iterator[list[Any]]:
    """A heading, then a row an example: its number, its class, and what speaks for each class, or the values."""
    names, scores = found.scores
    yield ["example", *(["class"] if found.guesses is not None else []), *names]
    for number, row in enumerate(scores.T.tolist(), 1):
        guess = [] if found.guesses is None else [found.classes[int(found.guesses[number - 1])]]
        yield [number, *guess, *row]
