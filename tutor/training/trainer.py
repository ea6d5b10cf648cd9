"""The training loop: epochs of shuffled batches, with validation, early stopping, and an end that says why it came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tutor.training.network import Network
from tutor.training.optimization import Optimization, Rules
from tutor.training.preparation import Prepared
from tutor.training.sampling import permutation, uniforms, words

Array = Any


@dataclass(frozen=True)
class Plan:
    """How long and in what pieces. With `patience` training stops when so many epochs brought no better validation
    loss, and the best weights are restored."""

    epochs: int = 100
    batch_size: int = 32
    dropout: float = 0.0
    patience: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to: the mean loss over its batches, and what the network then does with either part."""

    number: int
    loss: float
    accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass
class Result:
    """Everything that a training leaves behind. `ended` says why it stopped."""

    vector: Array
    history: list[Epoch] = field(default_factory=list)
    updates: int = 0
    seconds: float = 0.0
    ended: str = "all epochs done"

    @property
    def diverged(self) -> bool:
        return self.ended.startswith("diverged")


class Trainer:
    """One network, one data set, one way to train."""

    def __init__(self, network: Network, data: Prepared, rules: Rules, plan: Plan, vector: Array) -> None:
        self.network, self.data, self.plan = network, data, plan
        self.result = Result(vector)
        self.optimization = Optimization(rules, len(vector), network.shape.weights(), network.system)

    def run(self, watch: Callable[[Epoch], None] = lambda epoch: None) -> Result:
        """Train to the end, or until Ctrl-C; what was reached by then is the result."""
        best: tuple[float, Array, int] | None = None
        for number in range(1, self.plan.epochs + 1):
            started = time.perf_counter()
            try:
                loss = self._epoch(number)
            except KeyboardInterrupt:
                self.result.ended = f"interrupted in epoch {number}"
                break
            self.result.seconds += time.perf_counter() - started
            if not np.isfinite(loss):
                self.result.ended = f"diverged: the loss was {loss} at update {self.optimization.updates}"
                break
            epoch = self._measured(number, loss)
            self.result.history.append(epoch)
            watch(epoch)
            if self.plan.patience is not None and epoch.validation_loss is not None:
                if best is None or epoch.validation_loss < best[0]:
                    best = (epoch.validation_loss, self.result.vector.copy(), number)
                elif number - best[2] >= self.plan.patience:
                    self.result.ended = f"stopped early: epoch {best[2]} was the best"
                    break
        if best is not None:
            self.result.vector[...] = best[1]
        self.result.updates = self.optimization.updates
        return self.result

    def _epoch(self, number: int) -> float:
        """One pass over the training part; the mean loss of its examples, each before the update that it led to."""
        order = permutation(words(self.plan.seed, "shuffle", number, self.data.count))
        x, targets = self.data.x[:, order], self.data.targets[:, order]
        total = 0.0
        for start, end in self._batches():
            batch = np.ascontiguousarray(x[:, start:end]), np.ascontiguousarray(targets[:, start:end])
            masks = self._masks(number, start, end - start)
            done = self.network.forward(self.result.vector, batch[0], masks)
            loss = self.network.system.total(self.network.losses(done.outputs, batch[1])) / (end - start)
            if not np.isfinite(loss):
                return float(loss)
            gradient = self.network.gradient(self.result.vector, done, batch[1], masks)
            whole = loss + self.optimization.penalty(self.result.vector)
            self.optimization.step(self.result.vector, gradient, whole, number - 1)
            total += loss * (end - start)
        return total / self.data.count

    def _batches(self) -> Iterator[tuple[int, int]]:
        size = min(self.plan.batch_size, self.data.count)
        for start in range(0, self.data.count, size):
            yield start, min(start + size, self.data.count)

    def _masks(self, epoch: int, start: int, count: int) -> list[Array | None]:
        """Dropout: each hidden output kept with probability 1 - p and divided by it: at test nothing has to change."""
        p = self.plan.dropout
        hidden = self.network.shape.sizes[1:-1]
        if not p or not hidden:
            return []
        raw = words(self.plan.seed + (start << 20), "dropout", epoch, sum(hidden) * count)
        kept = (uniforms(raw) >= p) / (1.0 - p)
        masks: list[Array | None] = []
        place = 0
        for size in hidden:
            masks.append(kept[place : place + size * count].reshape(size, count))
            place += size * count
        return masks

    def _measured(self, number: int, loss: float) -> Epoch:
        accuracy = self.data.accuracy(self.network, self.result.vector, self.data.x, self.data.y)
        if self.data.validation is None:
            return Epoch(number, loss, accuracy, None, None)
        x, targets, y = self.data.validation
        outputs = self.network.forward(self.result.vector, x).outputs
        held_out = self.network.system.total(self.network.losses(outputs, targets)) / x.shape[1]
        return Epoch(number, loss, accuracy, held_out, self.data.accuracy(self.network, self.result.vector, x, y))
