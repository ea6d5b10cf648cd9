"""Training in matrix form: whole batches at once, for networks of any size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Literal

import numpy as np

from tutor.data.augmentation import Augmentation
from tutor.training.architecture import Shape
from tutor.training.matrix.code import Code, Pool
from tutor.training.matrix.dropout import Masks, Noise
from tutor.training.matrix.network import Network
from tutor.training.matrix.optimizer import Optimization
from tutor.training.preparation import Prepared
from tutor.training.settings import Settings

Array = Any
System = Any
SINGLE_FROM = 50_000
"""Parameters from which on the fast arithmetic computes in single precision."""
_BLOCK = 2048
_WORTH = 20
"""Updates from which on writing code for them takes less time than it saves."""


class MatrixForm:
    """One network on its way: parameters, the optimizer's state, and epochs of updates."""

    name: Literal["matrix", "straight-line"] = "matrix"

    def __init__(
        self,
        shape: Shape,
        system: System,
        data: Prepared,
        wanted: Settings,
        vector: Array,
        shares: Array | None = None,
        augmentation: Augmentation | None = None,
        image: tuple[int, int] | None = None,
    ) -> None:
        self.system, self.data, self.wanted = system, data, wanted
        self.shares, self.augmentation, self.image = shares, augmentation, image
        self.single = system.name == "fast" and len(vector) >= SINGLE_FROM
        kind = np.float32 if self.single else np.float64
        self.vector = vector.astype(kind)
        self.network = Network(shape, system, self.vector, np.empty(len(vector), kind))
        self.optimization = Optimization(wanted.rules, len(vector), shape.weights(), system, kind)
        self.examples = system.examples(data.rows, self.single)
        self.examples.prepare(shape.sizes[1], min(wanted.batch_size, len(data.train)))
        self.targets = data.targets.astype(kind)
        self.failed = ""
        self._pool: Pool = {}
        self._times: Counter[Any] = Counter()
        self._gradients: dict[Any, Callable[..., None]] = {}
        self._change: tuple[Callable[..., None], list[str]] | None = None

    @property
    def updates(self) -> int:
        return self.optimization.updates

    def run(self, first: int, orders: Array) -> list[float]:
        """One epoch for each order, a row each, the first of them numbered `first`; the mean loss of each, every
        example's before the update that it led to. It ends with the first loss that is not finite."""
        losses = []
        with np.errstate(all="ignore"):
            for number, order in enumerate(orders, first):
                losses.append(self._epoch(number, order))
                if not np.isfinite(losses[-1]):
                    break
        return losses

    def _epoch(self, number: int, order: Array) -> float:
        network, optimization = self.network, self.optimization
        places, size = self.data.train[order], self.wanted.batch_size
        examples, positions = self._examples(number, places, order)
        targets = self.targets.take(places, axis=1)
        outputs = np.empty_like(targets)
        shares = None if self.shares is None else self.shares[places]
        noisy, needs_loss = bool(self.wanted.noise), bool(optimization.variant.shared)
        written = self._written(examples, len(places))
        take, few, masks, loss = examples.x.take, None, None, 0.0
        try:
            for start in range(0, len(places), size):
                end = min(start + size, len(places))
                asked, told = targets[:, start:end], outputs[:, start:end]
                if noisy:
                    masks = self._masks(number, start // size, end - start)
                if shares is not None:
                    few = shares[start:end]
                if (gradient := written.get(end - start)) is None:
                    gradient_of(network, examples.take(positions[start:end]), asked, told, few, masks)
                else:
                    gradient(take, positions[start:end], asked, told, *_there(few, masks))
                if needs_loss:
                    loss = network.loss.mean(told, asked, few) + optimization.penalty(self.vector)
                self._step(loss, number - 1)
        finally:
            if noisy:  # also after Ctrl-C: a network in use has nothing left out
                network.leave_out(Noise.nothing(network.shape))
        return self._mean_loss(outputs, targets, shares)

    def _written(self, examples: Any, count: int) -> dict[int, Callable[..., None]]:
        """The generated code of the batches of an epoch by their size, where there are enough of them."""
        size, written = self.wanted.batch_size, {}
        for batch, times in ((size, count // size), (count % size, 1)):
            if batch and times:
                kind = batch, *examples.kind(self.network.shape.sizes[1], batch)
                self._times[kind] += times
                if self._times[kind] > _WORTH and kind not in self._gradients:
                    self._gradients[kind] = self._write_gradient(examples, batch)
                if kind in self._gradients:
                    written[batch] = self._gradients[kind]
        if self._change is None and self.updates + count // size > _WORTH:
            self._change = self._write_change()
        return written

    def _write_gradient(self, examples: Any, count: int) -> Callable[..., None]:
        """What `gradient_of` does, for batches of so many."""
        code, network, depth = Code(self._pool), self.network, self.network.shape.sizes[-1]
        running = [(code.leaf(mean), code.leaf(variance)) for mean, variance in network.running]
        arrays = code.leaf(self.vector), code.leaf(network.gradient), running
        take, positions = code.argument(), code.argument()
        x = code.buffer((count, examples.x.shape[1]), examples.x.dtype)
        code.write("{}({}, 0, {out}, 'clip')", take.name, positions.name, out=x)
        targets, outputs = (code.argument(self.targets[:, :1].repeat(count, axis=1)) for _ in range(2))
        few = None if self.shares is None else code.argument(self.shares[:1].repeat(count))
        masks = self._masks(1, 0, count).map(code.argument) if self.wanted.noise else None
        own = Network(network.shape, self.system, *arrays)
        gradient_of(own, examples.batch(x), targets, outputs, few, masks)
        return code.function([take, positions, targets, outputs, *_there(few, masks)])

    def _write_change(self) -> tuple[Callable[..., None], list[str]]:
        """What the optimization does from the second update on, and the names of the numbers that it asks for."""
        code, optimization = Code(self._pool), copy(self.optimization)
        optimization.state = {name: code.leaf(array) for name, array in self.optimization.state.items()}
        numbers = {name: code.argument() for name in optimization.number_names}
        optimization.change(code.leaf(self.vector), code.leaf(self.network.gradient), numbers, False)
        asked = [name for name, value in numbers.items() if code.reads(value)]
        return code.function([numbers[name] for name in asked]), asked

    def _step(self, loss: float, epoch: int) -> None:
        optimization = self.optimization
        numbers = optimization.numbers(loss, epoch)
        if self._change is None or optimization.updates == 1:
            optimization.change(self.vector, self.network.gradient, numbers, optimization.updates == 1)
        else:
            change, asked = self._change
            change(*[numbers[name] for name in asked])

    def _mean_loss(self, outputs: Array, targets: Array, shares: Array | None) -> float:
        loss = self.network.loss.mean(outputs, targets, shares)
        if np.isfinite(loss) and np.isfinite(self.vector).all():
            return loss
        self.failed = self._failure(outputs, loss)
        return float("nan")

    def _masks(self, epoch: int, batch: int, count: int) -> Masks:
        masks = self.wanted.noise.masks(self.network.shape, self.wanted.seed, epoch, batch, count)
        kind = self.vector.dtype
        return masks.map(lambda mask: mask if isinstance(mask, float) else mask.astype(kind, copy=False))

    def _examples(self, number: int, places: Array, order: Array) -> tuple[Any, Array]:
        """What the batches are taken from, and in which order."""
        if self.augmentation is None:
            return self.examples, places
        rows = self.data.rows[self.data.train]
        rows[:, :-1] = self.augmentation.apply(rows[:, :-1], self.image, self.wanted.seed, number)
        return self.system.examples(rows, self.single), order

    def _failure(self, outputs: Array, loss: float) -> str:
        """At which update things went wrong first: that of the first output that is no finite number."""
        bad = np.flatnonzero(~np.isfinite(outputs).all(axis=0))
        if not len(bad):
            what = "the weights were" if np.isfinite(loss) else f"the loss was {loss:g}, the outputs still"
            return f"{what} {'no longer ' if np.isfinite(loss) else ''}finite after update {self.updates:,}"
        last, size = outputs.shape[1] - 1, self.wanted.batch_size
        return f"the outputs were no longer finite at update {self.updates - last // size + int(bad[0]) // size:,}"

    def outputs(self, rows: Array, places: Array) -> Array:
        """What the network says to the examples in these rows, each of which ends in a 1: one row an output, one
        column an example."""
        known = rows is self.data.rows
        examples = self.examples if known else self.system.examples(rows, self.single)
        with np.errstate(all="ignore"):
            blocks = [places[start : start + _BLOCK] for start in range(0, len(places), _BLOCK)]
            found = [self.network.forward(examples.take(block)) for block in blocks]
        return np.concatenate(found, axis=1)

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


def gradient_of(
    network: Network, batch: Any, targets: Array, outputs: Array, shares: Array | None, masks: Masks | None
) -> None:
    """The outputs for a batch, and the gradient of its loss; arrays may also be those of generated code."""
    if masks is not None:
        network.leave_out(masks)
    outputs[...] = network.forward(batch, True)
    network.backward(targets, shares)


def _there(shares: Array | None, masks: Masks | None) -> list[Any]:
    return [*([] if shares is None else [shares]), *([] if masks is None else masks.there)]
