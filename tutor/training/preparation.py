"""From a data set to what a network is trained on: splits, normalisation, targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tutor.errors import TutorError
from tutor.training.datasets import Data
from tutor.training.network import Network, Shape
from tutor.training.sampling import permutation, words

Array = Any
Part = tuple[Array, Array, Array]


@dataclass(frozen=True)
class Prepared:
    """Examples in columns; `y` the class numbers or, in a regression, the values. `validation` is held out."""

    x: Array
    targets: Array
    y: Array
    classes: tuple[str, ...]
    validation: Part | None = None

    @property
    def count(self) -> int:
        return int(self.x.shape[1])

    def accuracy(self, network: Network, vector: Array, x: Array, y: Array) -> float | None:
        """The share of examples in the right class, None where there are no classes."""
        if not self.classes:
            return None
        return float((self.guesses(network, vector, x) == y).mean())

    def guesses(self, network: Network, vector: Array, x: Array) -> Array:
        """The class that the network takes each example for."""
        outputs = network.forward(vector, x).outputs
        if outputs.shape[0] > 1:
            return outputs.argmax(axis=0)
        return (outputs[0] > threshold(network.shape)).astype(np.int64)


def threshold(shape: Shape) -> float:
    """Where a single output changes from one class to the other."""
    return 0.0 if shape.activations[-1] == "tanh" else 0.5


def prepare(data: Data, outputs: int, share: float, seed: int, normalize: str | None, tanh: bool) -> Prepared:
    """Split by class and seed, normalise by the training part alone, and write the targets.

    `share` of the examples is held out. Raises TutorError where a part would be empty.
    """
    train, held = _split(data, share, seed)
    x = data.x.T
    if normalize:
        shift, scale = _scaling(normalize, x[:, train])
        x = (x - shift) / scale
    targets = _targets(data, outputs, tanh)
    validation = None
    if len(held):
        validation = _columns(x, held), _columns(targets, held), data.y[held]
    return Prepared(_columns(x, train), _columns(targets, train), data.y[train], data.classes, validation)


def _columns(matrix: Array, chosen: Array) -> Array:
    return np.ascontiguousarray(matrix[:, chosen])


def _split(data: Data, share: float, seed: int) -> tuple[Array, Array]:
    """The places of the training and of the held-out examples, each class in its share."""
    order = permutation(words(seed, "split", 0, len(data)))
    if not share:
        return np.arange(len(data)), order[:0]
    groups = [order[data.y[order] == c] for c in range(len(data.classes))] if data.classes else [order]
    held = np.concatenate([group[: round(share * len(group))] for group in groups])
    train = np.concatenate([group[round(share * len(group)) :] for group in groups])
    if not len(held) or not len(train):
        raise TutorError(f"{len(data)} examples are too few to hold out {share:g} of them")
    return np.sort(train), np.sort(held)


def _scaling(name: str, x: Array) -> tuple[Array, Array]:
    """What is taken from every feature, and what it is divided by; a feature that never changes is left as it is."""
    from math import fsum

    if name == "minmax":
        shift, scale = x.min(axis=1, keepdims=True), np.ptp(x, axis=1, keepdims=True)
    else:
        shift = np.array([[fsum(row.tolist()) / len(row)] for row in x])
        scale = np.sqrt(np.array([[fsum((row * row).tolist()) / len(row)] for row in x - shift]))
    return shift, np.where(scale > 0, scale, 1.0)


def _targets(data: Data, outputs: int, tanh: bool) -> Array:
    """One row an output: 0 and 1 for classes (-1 and 1 for tanh), one-hot where there are several outputs."""
    if not data.classes:
        return np.atleast_2d(data.y.T).astype(np.float64)
    low = -1.0 if tanh else 0.0
    if outputs == 1:
        return np.where(data.y == 1, 1.0, low)[None, :]
    return np.where(data.y[None, :] == np.arange(outputs)[:, None], 1.0, low)
