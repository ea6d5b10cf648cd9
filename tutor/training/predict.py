"""A trained network in use: its outputs for new examples, and, where the answers are known, how right it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutor.files import Kind
from tutor.training.batch_loss import BatchLoss
from tutor.training.datasets import Data
from tutor.training.matrix_form import SINGLE_FROM
from tutor.training.network import Network
from tutor.training.new_data import Examples
from tutor.training.preparation import guesses, rows_with_ones, targets_of
from tutor.training.runs import Run
from tutor.training.systems import ARITHMETICS

Array = Any
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
    network = Network(run.shape, system, state["vector"], np.empty_like(state["vector"]))
    for k, layer in enumerate(network.normalised):
        layer.mean[...], layer.variance[...] = state[f"mean_{k}"], state[f"variance_{k}"]
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
    loss = BatchLoss(run.shape.loss, system).mean(outputs[:, known], targets_of(told, len(outputs), tanh))
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
