"""A trained network on new examples: the columns that it knows, what it says, and how often that is right."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tutor.data.builtin import Data
from tutor.data.cells import tidy, value_of
from tutor.data.columns import ColumnReader, gaps_told
from tutor.data.limits import size_of
from tutor.data.read_table import Table
from tutor.data.source import is_named, open_data
from tutor.delimited import opened_text
from tutor.errors import TutorError, closest, counted, listed
from tutor.files import Kind
from tutor.numbers.arrays import ARITHMETICS
from tutor.runs.run import Run
from tutor.training.matrix.engine import SINGLE_FROM
from tutor.training.matrix.network import BatchLoss, Network
from tutor.training.measures import PROBABLE, Measures, majority, means_of, of_classes, of_values
from tutor.training.preparation import predicted_classes, rows_with_ones, targets_of
from tutor.training.results import confusion_matrix

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Indices, Labels

MOST_SHOWN = 8


@dataclass
class Examples:
    """`x`, (examples, inputs), is unscaled. `y` is None without answers; else the class numbers, (examples,), with -1
    where one is missing, or the values, (examples, outputs). `remarks` say what was taken for what."""

    x: Floats
    y: Labels | None = None
    remarks: list[str] = field(default_factory=list)


def new_examples(run: Run, name: str, label: str | None, seed: int | None) -> Examples:
    """A named data set, drawn from the seed of the run unless another is given, or a file. Raises TutorError where the
    examples are none for this network."""
    if Path(name).suffix.lower() in (".csv", ".tsv", ".txt"):
        return _table(run, Path(name), label)
    data = open_data(name, label, run.settings.seed if seed is None else seed, run.heading.source.task)
    count = run.architecture.sizes[0]
    if run.heading.encoding is not None:
        raise TutorError(f"the network takes the columns of a table, some of them text; {name} is no CSV with these")
    if data.x.shape[1] != count:
        raise TutorError(f"{name} has {counted(data.x.shape[1], 'feature')}, and the network takes {count}")
    examples = Examples(data.x, data.y)
    _compare(run, data.features, examples.remarks)
    if run.heading.classes and {*run.heading.classes} < {*data.classes}:
        numbers = [run.heading.classes.index(name) if name in run.heading.classes else -1 for name in data.classes]
        examples.y = np.array(numbers)[data.y]
        examples.remarks.append(
            "Examples of classes that the network does not know are in no count of right and wrong."
        )
    elif data.classes != run.heading.classes or (not data.classes and data.y.ndim != 2):
        examples.y = None
        examples.remarks.append("Its labels are not those that the network was trained on, so they are left aside.")
    source = run.heading.source
    if name == source.name and is_named(name) and np.array_equal(data.x, open_data(name, None, source.seed).x):
        examples.remarks.append("The network was trained on these very examples; others tell more of it.")
    return examples


def _table(run: Run, path: Path, label: str | None) -> Examples:
    size_of(path)
    encoding, preprocessing = run.heading.encoding, run.heading.source.preprocessing
    with opened_text(path) as text:
        table = Table(path, text)
        remarks: list[str] = []
        if preprocessing.missing == "drop":
            table.gap_advice = "the network was trained without such rows, so it has nothing to fill it with"
        columns, answer, sure = _columns(run, table, label, remarks)
        of_words = [] if encoding is None else encoding.words
        in_words = [place for place, words in zip(columns, of_words, strict=False) if words is not None]
        table.look_for_decimals([place for place in (*columns, *answer) if place not in in_words])
        reader = ColumnReader(table, columns, in_words, preprocessing.fills)
        x, answers = array("d"), []
        for number, row in table:
            x.extend(reader.read(number, row))
            answers.append((number, [row[place] for place in answer]))
    if not x:
        raise TutorError(f"{path} has a heading and no examples")
    inputs: Floats = np.frombuffer(x).reshape(-1, len(columns))
    held = reader.columns(preprocessing.missing, columns)
    if encoding is not None and held is not None:
        remarks += encoding.unknown(inputs, held.words, run.heading.features)
        if told := gaps_told(table, reader.gaps, reader.words, preprocessing.missing):
            remarks.append(told)
        inputs = encoding.apply(inputs, held.words)
    found = Examples(inputs, None, remarks)
    if answer:
        _with_answers(run, table, answer, answers, sure, found)
    return found


def _with_answers(
    run: Run, table: Table, columns: list[int], cells: Sequence[tuple[int, list[str]]], sure: bool, examples: Examples
) -> None:
    """Add the answers in these columns, if they are some; what is not sure to be answers may be something else."""
    names = _listed([table.names[place] for place in columns])
    many = len(columns) > 1
    try:
        examples.y = _answers(run, table, columns, cells)
        examples.remarks.append(f"The answers are taken from the column{'s' if many else ''} {names}.")
    except TutorError:
        if sure:
            raise
        examples.remarks.append(f"The column {names} is left aside: it has no answers of this network.")


def _columns(run: Run, table: Table, label: str | None, remarks: list[str]) -> tuple[list[int], list[int], bool]:
    """The indices of the features, those of the answers if there are any, and whether it is sure that they are answers.

    Columns are taken by their names where the names of the network are among them, and by their places where there are
    no names, or all of them are others. Raises TutorError where only some are known: which ones is then a guess.
    """
    features, names = run.heading.features, table.names
    answer = _known_answers(run, table) if label is None else table.columns(label)
    sure = bool(answer)
    for place in answer:
        if names[place] in features:
            raise TutorError(f"{table.path}: the network takes {names[place][:40]!r}, so it is no column of answers")
    if not table.named or not set(features) & set(names):
        return *_by_place(run, table, answer, remarks), sure
    _check_names(features, table)
    places = [names.index(feature) for feature in features]
    if not answer and set(range(len(names))) - set(places) == {len(names) - 1}:
        answer = [len(names) - 1]
    return places, answer, sure


def _known_answers(run: Run, table: Table) -> list[int]:
    """The indices of the columns that the network learned, where all of them are there."""
    known, label = run.heading.targets, run.heading.source.label
    if known:
        return [table.column(name) for name in known] if {*known} <= {*table.names} else []
    try:
        return [] if label is None else table.columns(label)
    except TutorError:
        return []


def _check_names(features: Sequence[str], table: Table) -> None:
    """Raises TutorError where a feature is no column, or two columns could be meant by one."""
    if missing := [feature for feature in features if feature not in table.names]:
        others = [name for name in table.names if name not in features]
        there = f"; the others here are {_listed(others)}" if others else ""
        meant = [*dict.fromkeys(close for name in missing if (close := closest(name, others)))]
        there += f" — did you mean {_listed(meant)}?" if meant else "."
        are = "is" if len(missing) == 1 else "are"
        raise TutorError(
            f"{table.path}: of the columns that the network takes, {_listed(missing)} {are} not there{there} Give "
            "every column its name in the heading, or leave the heading out and keep their order"
        )
    for feature in features:
        table.check_single(feature)


def _by_place(run: Run, table: Table, answer: list[int], remarks: list[str]) -> tuple[list[int], list[int]]:
    features = run.heading.features
    places = [place for place in range(len(table.names)) if place not in answer]
    if not answer and len(places) == len(features) + 1:
        answer = [places.pop()]
    if len(places) != len(features):
        more = " beside the answers" if answer else ""
        raise TutorError(
            f"{table.path} has {counted(len(places), 'column')}{more}; the network takes {len(features)}: "
            f"{_listed(features)}"
        )
    if table.named:
        _compare(run, [table.names[place] for place in places], remarks)
    return places, answer


def _listed(names: Sequence[str]) -> str:
    """Names in a message, some of them where there are many."""
    shown = [repr(name[:40]) for name in names[:MOST_SHOWN]]
    return listed(shown if len(names) <= MOST_SHOWN else [*shown, f"{len(names) - MOST_SHOWN} more"])


def _compare(run: Run, names: Sequence[str], remarks: list[str]) -> None:
    if list(names) != list(run.heading.features):
        known, own = _listed(run.heading.features), _listed(names)
        remarks.append(
            f"The network was trained on {known}; here the columns are called {own}, and are taken in this order."
        )


def _answers(run: Run, table: Table, columns: list[int], cells: Sequence[tuple[int, list[str]]]) -> Labels:
    """The class numbers, (examples,), with -1 where one is missing, or the values, (examples, outputs)."""
    classes, outputs = run.heading.classes, run.architecture.sizes[-1]
    wanted = 1 if classes else outputs
    if len(columns) != wanted:
        has = counted(len(columns), "column")
        raise TutorError(f"{table.path}: {has} of answers for {wanted}; name all of them with --label a,b")
    if not classes:
        return np.array([table.numbers(row, texts, columns) for row, texts in cells])
    (column,) = columns
    numbers = {name: place for place, name in enumerate(classes)}
    by_value = {value: place for place, name in enumerate(classes) if (value := value_of(name, False)) is not None}
    found = []
    for row, (cell,) in cells:
        name, value = tidy(cell), table.value(row, cell)
        place = numbers.get(name, -1 if not name else None if value is None else by_value.get(value))
        if place is None and run.heading.source.classes:
            place = -1  # of a class that was left out on purpose
        if place is None:
            raise table.wrong(row, column, f"{name[:40]!r} is no class of the network")
        found.append(place)
    return np.array(found)


TABLE = Kind("a table of predictions", rb'example,(class,)?"?(probability of |output|prediction)')
_BLOCK = 2048


@dataclass(frozen=True)
class Predictions:
    """`outputs` is (outputs, examples); `predicted` are numbers of classes, (examples,), and None
    where there are values to predict; `probable` says that outputs are probabilities.

    `answers` are the right ones, as in `Examples`, and `measures` are against them, beside the mean or the commonest
    class of the training part, or, for a run that does not have these, of the examples; without answers they and what
    follows from them are None.
    """

    classes: tuple[str, ...]
    probable: bool
    outputs: Floats
    predicted: Indices | None
    answers: Labels | None
    loss: float | None
    accuracy: float | None
    confusion: list[list[int]]
    targets: tuple[str, ...] = ()
    measures: Measures | None = None

    def answer_of(self, example: int) -> list[object]:
        """The right answer of an example (from 0): the name of its class, empty where it is missing, or the values."""
        if self.answers is None:
            return []
        answer = self.answers[example]
        if self.classes:
            return [self.classes[int(answer)] if answer >= 0 else ""]
        return [*np.atleast_1d(answer).tolist()]

    def class_of(self, example: int) -> list[str]:
        """The class that an example (from 0) is taken for; empty where there are values to predict."""
        return [] if self.predicted is None else [self.classes[int(self.predicted[example])]]

    @property
    def wrong(self) -> list[int]:
        """The examples, numbered from 1, whose class is known and another one."""
        if self.predicted is None or self.answers is None:
            return []
        return (np.flatnonzero((self.predicted != self.answers) & (self.answers >= 0)) + 1).tolist()

    @property
    def scores(self) -> tuple[list[str], Floats]:
        """What speaks for each class, a row a class, or the predicted values, with a name for each row.

        A single output is the probability of the second class; if it is none, it stands alone.
        """
        outputs = self.outputs
        if self.probable:
            both = outputs if len(outputs) > 1 else np.concatenate([1 - outputs, outputs])
            return [f"probability of {name}" for name in self.classes], both
        if len(outputs) == 1:
            return ["output" if self.classes else "prediction"], outputs
        named = self.classes or self.targets or range(1, len(outputs) + 1)
        return [f"{'output for' if self.classes else 'prediction'} {name}" for name in named], outputs

    @property
    def counts(self) -> dict[str, int]:
        """How many examples were taken for each class."""
        if self.predicted is None:
            return {}
        found = np.bincount(self.predicted, minlength=len(self.classes))
        return {name: int(count) for name, count in zip(self.classes, found, strict=True)}


def outputs_of(run: Run, x: Floats) -> Floats:
    """What the trained network says to unscaled examples, (examples, inputs), in the unit of the targets: (outputs,
    examples)."""
    outputs, scaling = _worked(run, x)[0], run.heading.target_scaling
    return outputs if scaling is None else scaling.in_units(outputs)


def _worked(run: Run, x: Floats) -> tuple[Floats, Floats]:
    """The outputs for unscaled examples, and what the loss is worked from, both (outputs, examples)."""
    state, _ = run.trained
    system = ARITHMETICS[run.settings.arithmetic]
    running = [
        (state[f"mean_{k}"], state[f"variance_{k}"]) for k in range(len(run.architecture.scales(state["vector"])))
    ]
    network = Network(run.architecture, system, state["vector"], np.empty_like(state["vector"]), running)
    rows = rows_with_ones(np.array(x))  # scaled in place, in the precision in which the training had its examples
    if run.heading.scaling is not None:
        run.heading.scaling.apply(rows[:, :-1])
    examples = system.examples(rows, system.name == "fast" and run.architecture.count >= SINGLE_FROM)
    with np.errstate(all="ignore"):
        places = np.arange(len(rows))
        blocks = [places[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
        found = [(network.forward(examples.take(block)), network.loss_inputs) for block in blocks]
    outputs, loss_inputs = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return outputs, loss_inputs


def predict(run: Run, examples: Examples) -> Predictions:
    """The outputs and the guesses; loss, accuracy and confusion over the examples whose answers are known."""
    classes, y, last = run.heading.classes, examples.y, run.architecture.activations[-1]
    probable = bool(classes) and last in PROBABLE
    outputs, loss_inputs = _worked(run, examples.x)
    tanh = last == "tanh"
    guessed = predicted_classes(outputs, 0.0 if tanh else 0.5) if classes else None
    scaling, targets = run.heading.target_scaling, run.heading.targets if not classes else ()
    said = outputs if scaling is None else scaling.in_units(outputs)
    if y is None or not (known := np.flatnonzero(y >= 0) if classes else np.arange(len(y))).size:
        return Predictions(classes, probable, said, guessed, None, None, None, [], targets)
    told = Data("", examples.x[known], y[known], run.heading.features, classes)
    system = ARITHMETICS[run.settings.arithmetic]
    right = targets_of(told, len(outputs), tanh)
    loss_inputs = loss_inputs.take(known, axis=1)  # row after row, as the trainer has them: sums depend on the order
    loss = BatchLoss(run.architecture, system).mean(loss_inputs, right if scaling is None else scaling.scaled(right))
    guess = run.heading.guess
    if guessed is None:
        values = y.T.astype(np.float64)
        measures = of_values(values, said, guess or means_of(values), targets)
        if not guess:
            measures.baseline = "predicting the mean of these examples"
        return Predictions(classes, probable, said, None, y, loss, None, [], targets, measures)
    table = confusion_matrix(y[known], guessed[known], len(classes))
    accuracy = float((guessed[known] == y[known]).mean())
    met = y[known].astype(np.int64)
    common = int(np.argmax(guess)) if guess else majority(met, len(classes))
    measured = of_classes(met, guessed[known], outputs[:, known], classes, common, probable)
    if not guess:
        measured.baseline += ", the commonest class of these examples"
    return Predictions(classes, probable, said, guessed, y, loss, accuracy, table, (), measured)


def csv_rows(predictions: Predictions) -> Iterator[list[object]]:
    """A heading, then a row an example: its number, its class, and what speaks for each class, or the values; last the
    right answers where they are known, empty where one is missing."""
    names, scores = predictions.scores
    answers: list[str] = []
    if predictions.answers is not None:
        outputs, several = len(predictions.outputs), not predictions.classes and len(predictions.outputs) > 1
        named = predictions.targets or range(1, outputs + 1)
        answers = [f"answer {name}" for name in named] if several else ["answer"]
    yield ["example", *(["class"] if predictions.predicted is not None else []), *names, *answers]
    for example, row in enumerate(scores.T.tolist()):
        yield [example + 1, *predictions.class_of(example), *row, *predictions.answer_of(example)]
