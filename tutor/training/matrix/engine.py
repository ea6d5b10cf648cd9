"""Training in matrix form: whole batches at once, for networks of any size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tutor.data.augmentation import Augmentation
from tutor.training.architecture import Architecture
from tutor.training.layer_measures import LayerState
from tutor.training.matrix.dropout import Masks
from tutor.training.matrix.layer_states import layer_states
from tutor.training.matrix.network import Network
from tutor.training.matrix.optimizer import MatrixOptimizer
from tutor.training.matrix.update import Update
from tutor.training.preparation import PreparedData
from tutor.training.settings import Settings

if TYPE_CHECKING:
    from tutor.data.array_types import Image

Array = Any
System = Any
SINGLE_FROM = 50_000
"""Parameters from which on the fast arithmetic computes in single precision."""
_BLOCK = 2048


def _blocks(indices: Array) -> list[Array]:
    return [indices[start : start + _BLOCK] for start in range(0, len(indices), _BLOCK)]


def _batches(columns: Array, size: int) -> list[Array]:
    """The columns, so many at a time, each batch in memory of its own: row after row, as products and sums read it."""
    whole = columns.shape[1] // size * size
    blocks = columns[:, :whole].reshape(len(columns), -1, size).transpose(1, 0, 2).copy()
    return [*blocks, *([columns[:, whole:].copy()] if whole < columns.shape[1] else [])]


def _planned(examples: int, settings: Settings) -> dict[int, int]:
    """How many updates all epochs have, by the size of their batches."""
    size = min(settings.batch_size, examples)
    last = {examples % size: settings.epochs} if examples % size else {}
    return {size: settings.epochs * (examples // size), **last}


class MatrixEngine:
    """One network on its way: parameters, the optimizer's state, and epochs of updates."""

    name: Literal["matrix", "straight-line"] = "matrix"

    def __init__(
        self,
        architecture: Architecture,
        system: System,
        data: PreparedData,
        settings: Settings,
        vector: Array,
        sample_weights: Array | None = None,
        augmentation: Augmentation | None = None,
        image: Image | None = None,
    ) -> None:
        self.system, self.data, self.settings = system, data, settings
        self.sample_weights, self.augmentation, self.image = sample_weights, augmentation, image
        self.single = system.name == "fast" and len(vector) >= SINGLE_FROM
        kind = np.float32 if self.single else np.float64
        self.vector = vector.astype(kind)
        self.network = Network(architecture, system, self.vector, np.empty(len(vector), kind))
        self.learning = settings.learning
        free = architecture.free(self.learning.frozen) if self.learning.frozen else None
        self.optimization = MatrixOptimizer(settings.training, len(vector), architecture.weights(), system, kind, free)
        self.update = Update(self.network, self.optimization, _planned(len(data.train), settings))
        self.examples = system.examples(data.rows, self.single)
        self.examples.prepare(architecture.sizes[1], min(settings.batch_size, len(data.train)))
        self.targets = data.targets.astype(kind)
        self.failed = ""

    @property
    def updates(self) -> int:
        return self.optimization.updates

    def run(self, first: int, permutations: Array) -> list[float]:
        """One epoch for each order, a row each, the first of them numbered `first`; the mean loss of each, every
        example's before the update that it led to. It ends with the first loss that is not finite."""
        losses = []
        with np.errstate(all="ignore"):
            for number, order in enumerate(permutations, first):
                losses.append(self._epoch(number, order))
                if not np.isfinite(losses[-1]):
                    break
        return losses

    def _epoch(self, number: int, order: Array) -> float:
        indices, size = self.data.train[order], self.settings.batch_size
        examples, positions = self._examples(number, indices, order)
        targets = self.targets.take(indices, axis=1)
        batch_targets, batch_outputs = _batches(targets, size), _batches(np.empty_like(targets), size)
        sample_weights = None if self.sample_weights is None else self.sample_weights[indices]
        has_masks, together = bool(self.settings.drop_rates), not self.learning.output_first
        masks, weights = None, None
        for batch, (some, outputs) in enumerate(zip(batch_targets, batch_outputs, strict=True)):
            start, end = batch * size, (batch + 1) * size
            if has_masks:
                masks = self._masks(number, batch, some.shape[1])
            if sample_weights is not None:
                weights = sample_weights[start:end]
            if together:
                self.update.gradient(examples, positions[start:end], some, outputs, weights, masks)
                self.update.step(self.update.loss(some, outputs, weights), number - 1)
            else:
                self.update.output_first(examples, positions[start:end], some, outputs, weights, masks, number - 1)
        return self._mean_loss(np.concatenate(batch_outputs, axis=1), targets, sample_weights)

    def _mean_loss(self, outputs: Array, targets: Array, sample_weights: Array | None) -> float:
        loss = self.network.loss.mean(outputs, targets, sample_weights)
        if np.isfinite(loss) and np.isfinite(self.vector).all():
            return loss
        self.failed = self._failure(outputs, loss)
        return float("nan")

    def _masks(self, epoch: int, batch: int, count: int) -> Masks:
        masks = self.settings.drop_rates.masks(self.network.architecture, self.settings.seed, epoch, batch, count)
        kind = self.vector.dtype
        return masks.map(lambda mask: mask if isinstance(mask, float) else mask.astype(kind, copy=False))

    def _examples(self, number: int, indices: Array, order: Array) -> tuple[Any, Array]:
        """What the batches are taken from, and in which order."""
        if self.augmentation is None:
            return self.examples, indices
        rows = self.data.rows[self.data.train]
        rows[:, :-1] = self.augmentation.apply(rows[:, :-1], self.image, self.settings.seed, number)
        return self.system.examples(rows, self.single), order

    def _failure(self, outputs: Array, loss: float) -> str:
        """At which update things went wrong first: that of the first output that is no finite number."""
        bad = np.flatnonzero(~np.isfinite(outputs).all(axis=0))
        if not len(bad):
            what = "the weights were" if np.isfinite(loss) else f"the loss was {loss:g}, the outputs still"
            return f"{what} {'no longer ' if np.isfinite(loss) else ''}finite after update {self.updates:,}"
        last, size = outputs.shape[1] - 1, self.settings.batch_size
        return f"the outputs were no longer finite at update {self.updates - last // size + int(bad[0]) // size:,}"

    def outputs(self, rows: Array, indices: Array) -> Array:
        """What the network says to the examples in these rows, each of which ends in a 1: one row an output, one
        column an example."""
        known = rows is self.data.rows
        examples = self.examples if known else self.system.examples(rows, self.single)
        with np.errstate(all="ignore"):
            found = [self.network.forward(examples.take(block)) for block in _blocks(indices)]
        return np.concatenate(found, axis=1)

    def loss_inputs(self, rows: Array, indices: Array) -> Array:
        """What the loss of these examples is worked from: the last weighted sums, or the outputs."""
        known = rows is self.data.rows
        examples, found = self.examples if known else self.system.examples(rows, self.single), []
        with np.errstate(all="ignore"):
            for block in _blocks(indices):
                self.network.forward(examples.take(block))
                found.append(self.network.loss_inputs)
        return np.concatenate(found, axis=1)

    def layer_states(self, most: int | None = None) -> list[LayerState]:
        """Every layer by all examples of the training part, or by the first so many, in double precision."""
        indices, examples = self.data.train[:most], self.system.examples(self.data.rows, False)
        network = self.network
        examples.prepare(network.architecture.sizes[1], len(indices))
        sample_weights = None if self.sample_weights is None else self.sample_weights[indices]
        with np.errstate(all="ignore"):
            return layer_states(
                network.architecture,
                self.system,
                self.vector.astype(np.float64),
                network.running,
                examples.take(indices),
                self.data.targets[:, indices],
                sample_weights,
            )

    def state(self) -> dict[str, Any]:
        """Everything that goes on from here: copies, by name."""
        found = {"vector": self.vector.copy(), "updates": self.optimization.updates, **self.optimization.shared}
        found |= {f"state_{name}": array.copy() for name, array in self.optimization.state.items()}
        for depth, (mean, variance) in enumerate(self.network.running):
            found |= {f"mean_{depth}": mean.copy(), f"variance_{depth}": variance.copy()}
        return found

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there. Raises KeyError or ValueError where something is missing or of another size."""
        self.vector[...] = state["vector"]
        self.optimization.updates = int(state["updates"])
        for name, array in self.optimization.state.items():
            array[...] = state[f"state_{name}"]
        for name in self.optimization.shared:
            self.optimization.shared[name] = float(state[name])
        for depth, (mean, variance) in enumerate(self.network.running):
            mean[...], variance[...] = state[f"mean_{depth}"], state[f"variance_{depth}"]
