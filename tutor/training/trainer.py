"""The training loop: epochs, validation, early stopping, and an end that says why it came."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from tutor.data.sampling import epoch_permutations
from tutor.training.architecture import Architecture
from tutor.training.matrix.network import BatchLoss
from tutor.training.preparation import PreparedData, predicted_classes
from tutor.training.settings import Settings

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles, Floats, Indices
    from tutor.training.layer_measures import LayerState

_ALL_MEASURED, _MEASURED = 100, 25
"""Up to how many epochs the network is measured after each, and how often in a longer training."""
_UPDATES_AT_ONCE = 4_000
UNLEARNED = 0.97
"""What share of the loss of a constant guess a network loses at least that has learned next to nothing."""
_SURELY = 1e-9  # a share of examples that is as good as none
GROWN, OUT_OF_REACH = 10.0, 1e6
"""How many times the loss that a training began with the last one may be, and from where on nothing comes back."""


class Engine(Protocol):
    """A network being trained, in matrix form or as straight-line code.

    `vector` has all of its parameters, (parameters,). `run` trains an epoch for each permutation, (epochs, examples of
    the training part). `outputs` and `loss_inputs` take indices of rows, (examples, features + 1), and give the outputs
    and what the loss is worked from: (outputs, indices). `layer_states` is every layer, by all examples of the training
    part or by the first so many.
    """

    name: Literal["matrix", "straight-line"]

    @property
    def vector(self) -> Floats: ...
    @property
    def failed(self) -> str: ...
    @property
    def updates(self) -> int: ...
    def run(self, first: int, permutations: Indices) -> list[float]: ...
    def outputs(self, rows: Floats, indices: Indices) -> Floats: ...
    def loss_inputs(self, rows: Floats, indices: Indices) -> Floats: ...
    def layer_states(self, most: int | None = None) -> list[LayerState]: ...
    def state(self) -> dict[str, Any]: ...
    def restore(self, state: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Measurement:
    """What the network does with one part of the data; without classes there is no accuracy."""

    loss: float
    accuracy: float | None


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to: the mean loss of its examples, each before the update that it led to, and, in epochs in
    which the network is measured, what it then does with the training and the validation part."""

    number: int
    loss: float
    accuracy: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None


@dataclass
class Result:
    """Everything that a training leaves behind. `seconds` is the time of the updates alone, `ended` says why it
    stopped, and `interrupted` and `diverged` what kind of end that was. `best` is the lowest validation loss, its epoch
    and the state of the network then; `last` the state at the end, from which a training can go on."""

    history: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0
    ended: str = "all epochs done"
    interrupted: bool = False
    diverged: bool = False
    best: tuple[float, int, dict[str, Any]] | None = None
    last: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoints:
    """After `every` so many epochs, `keep` is given what Ctrl-C would leave behind then."""

    every: int
    keep: Callable[[Result], None]


class Trainer:
    """One network, one data set, one way to train. `initial` are the parameters before the first update; each of the
    `watchers` is called after every whole epoch with its number. Where there are `sample_weights`, (examples,), the
    losses of epochs are weighted by them, and so is `constant_loss`, which these are held against."""

    def __init__(
        self,
        engine: Engine,
        data: PreparedData,
        settings: Settings,
        architecture: Architecture,
        loss: BatchLoss,
        sample_weights: Doubles | None = None,
    ) -> None:
        self.engine, self.data, self.settings, self.architecture, self.loss = engine, data, settings, architecture, loss
        self.sample_weights, self.initial = sample_weights, engine.vector.copy()
        self.result = Result()
        self.checkpoints: Checkpoints | None = None
        self.watchers: list[Callable[[int], None]] = []
        self.first_loss = self.constant_loss = float("inf")

    def begin_with(self, vector: Floats) -> None:
        """Other parameters before the first update than those that were drawn."""
        self.engine.restore({**self.engine.state(), "vector": vector})
        self.initial = self.engine.vector.copy()

    @property
    def done(self) -> int:
        """How many epochs lie behind."""
        return len(self.result.history)

    def begin(self) -> None:
        """Measure the network before its first update: growth is measured by what it loses then, or the mean of the
        targets would where that is more, since a network that has nothing to learn may lose nearly nothing."""
        weights = None if self.sample_weights is None else self.sample_weights[self.data.train]
        self.constant_loss = self.loss_of_a_constant(weights)
        losses = [self.measure(self.data.train).loss, self.constant_loss]
        self.first_loss = max((loss for loss in losses if np.isfinite(loss)), default=float("inf"))

    def loss_of_a_constant(self, weights: Doubles | None = None) -> float:
        """What the mean of the targets loses on the training part, both weighted."""
        targets = self.data.targets[:, self.data.train]
        with np.errstate(all="ignore"):
            weighted = targets if weights is None else targets * (weights / weights.mean())
            mean = weighted.mean(axis=1, keepdims=True)
            if self.loss.by_sums:
                kept = np.clip(mean, _SURELY, 1 - _SURELY)
                mean = np.log(kept) if len(mean) > 1 else np.log(kept / (1 - kept))
            return self.loss.mean(np.broadcast_to(mean, targets.shape), targets, weights)

    def run(self, watch: Callable[[Epoch], None] = lambda epoch: None) -> Result:
        """Train to the end, or until Ctrl-C, which takes the network back to the last whole epochs."""
        result = self.result
        try:
            if not self.done:
                self.begin()
            while self.done < self.settings.epochs and not (self._is_over() or self._waited_long_enough()):
                self._several_epochs()
                self._tell_watchers()
                self._keep_checkpoint()
                watch(result.history[-1] if result.history else Epoch(0, float("nan")))
        except KeyboardInterrupt:
            result = self.result = self._stopped_here()
        if not result.interrupted and result.best is None:
            self._look_for_growth(GROWN)
        result.last = self.engine.state()
        if result.best is not None and not result.interrupted:
            self.engine.restore({**result.best[2], "updates": self.engine.updates})
        return result

    def _stopped_here(self) -> Result:
        """What there is to go on with where the training is broken off now."""
        ended = f"interrupted after epoch {self.done}"
        return replace(self.result, interrupted=True, ended=ended, last=self.engine.state())

    def _keep_checkpoint(self) -> None:
        points, done = self.checkpoints, self.done
        if points and 0 < done < self.settings.epochs and done % points.every == 0 and not self.result.diverged:
            points.keep(self._stopped_here())

    def _tell_watchers(self) -> None:
        if not self.engine.failed:
            for watcher in self.watchers:
                watcher(self.done)

    def _several_epochs(self) -> None:
        """The epochs up to the next one in which the network is measured, or as many as pass in an instant."""
        first, kept, best = self.done + 1, self.engine.state(), self.result.best
        try:
            started = time.perf_counter()
            losses = self.engine.run(first, self.permutations(first, self._last_of(first)))
            seconds = time.perf_counter() - started
            whole = losses if not losses or np.isfinite(losses[-1]) else losses[:-1]
            found = [Epoch(number, loss) for number, loss in enumerate(whole, first)]
            if not self.engine.failed and found and self._is_measured(found[-1].number):
                found[-1] = self._measured(found[-1])
            self.result.history += found
        except KeyboardInterrupt:
            if self.done < first:
                self.engine.restore(kept)
                self.result.best = best
            raise
        self.result.seconds += seconds
        if self.engine.failed:
            self.result.diverged, self.result.ended = True, f"diverged: {self.engine.failed}"
        else:
            self._look_for_growth(OUT_OF_REACH)

    def _look_for_growth(self, times: float) -> None:
        """The training has diverged where its loss is so many times what it began with, finite or not."""
        if self.settings.rule == "perceptron" or not self.done or self.result.diverged:
            return
        last = self.result.history[-1].loss
        if last > times * self.first_loss:
            grown = f"the loss grew from {self.first_loss:.3g} to {last:.3g} in epoch {self.done}"
            self.result.diverged, self.result.ended = True, f"diverged: {grown}"

    def _is_over(self) -> bool:
        """Whether the training has diverged or, by the perceptron rule, come to an epoch without error."""
        clean = self.settings.rule == "perceptron" and self.done > 0 and self.result.history[-1].loss == 0
        if clean:
            self.result.ended = f"epoch {self.done} is without error"
        return clean or self.result.diverged

    def _last_of(self, first: int) -> int:
        """The last epoch that is run together with the first."""
        updates = -(-len(self.data.train) // self.settings.batch_size)
        if self.watchers:
            return first
        last = min(self.settings.epochs, first + max(1, _UPDATES_AT_ONCE // updates) - 1)
        if self.checkpoints:
            last = min(last, -(-first // self.checkpoints.every) * self.checkpoints.every)
        return next((number for number in range(first, last) if self._is_measured(number)), last)

    def _is_measured(self, number: int) -> bool:
        short = len(self.data.validation) or self.settings.epochs <= _ALL_MEASURED
        every = 1 if short else -(-self.settings.epochs // _MEASURED)
        return number % every == 0 or number in (1, self.settings.epochs)

    def permutations(self, first: int, last: int) -> Indices:
        """The order of the training examples in each epoch, (epochs, examples); as they stand if all are one batch."""
        count, epochs = len(self.data.train), last - first + 1
        if self.settings.shuffle and self.settings.batch_size < count:
            return epoch_permutations(self.settings.seed, first, epochs, count)
        return np.broadcast_to(np.arange(count), (epochs, count))

    def _measured(self, epoch: Epoch) -> Epoch:
        train, accuracy = self.data.train, None
        if self.data.classes:
            accuracy = self._accuracy(self.engine.loss_inputs(self.data.rows, train), train)
        if not len(self.data.validation):
            return Epoch(epoch.number, epoch.loss, accuracy)
        held_out = self.measure(self.data.validation)
        best = self.result.best
        if self.settings.patience is not None and (best is None or not held_out.loss >= best[0]):
            self.result.best = held_out.loss, epoch.number, self.engine.state()
        return Epoch(epoch.number, epoch.loss, accuracy, held_out.loss, held_out.accuracy)

    def _waited_long_enough(self) -> bool:
        patience, best = self.settings.patience, self.result.best
        if patience is None or best is None or self.done - best[1] < patience:
            return False
        self.result.ended = f"stopped early: epoch {best[1]} was the best"
        return True

    def measure(self, indices: Indices) -> Measurement:
        """Loss and accuracy of the network as it is now, over these examples, unweighted."""
        loss_inputs = self.engine.loss_inputs(self.data.rows, indices)
        with np.errstate(all="ignore"):
            loss = self.loss.mean(loss_inputs, self.data.targets[:, indices])
        return Measurement(loss, self._accuracy(loss_inputs, indices))

    def _accuracy(self, loss_inputs: Floats, indices: Indices) -> float | None:
        """The part of the examples whose class is guessed; None where there are no classes."""
        if not self.data.classes:
            return None
        predicted = predicted_classes(loss_inputs, 0.0 if self.loss.by_sums else self.data.threshold)
        return float((predicted == self.data.y[indices]).mean())

    def measures(self) -> dict[str, Measurement]:
        """Every part by its name."""
        return {name: self.measure(indices) for name, indices in self.data.parts.items()}
