"""One update of a network: worked as its formulas stand and, once there have been some, as code made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Any
from weakref import ref

from tutor.training.matrix.code import Code, Pool
from tutor.training.matrix.dropout import Masks
from tutor.training.matrix.network import Network
from tutor.training.matrix.optimizer import MatrixOptimizer

Array = Any


def worth(parameters: int) -> int:
    """How many updates of a kind there have to be for code to save more time than it takes to write."""
    return max(2, 500_000 // (5_000 + parameters))


class Update:
    """A network and how it is optimised, with the updates that are planned, by the size of their batches. Code and
    formulas come to the same bits, so no result depends on which of them works an update."""

    def __init__(self, network: Network, optimization: MatrixOptimizer, planned: Mapping[int, int]) -> None:
        self.network, self.optimization = network, optimization
        enough = worth(len(network.vector))
        self._written = {size for size, updates in planned.items() if updates >= enough}
        self._change_written = sum(planned.values()) >= enough
        self._pool: Pool = {}
        self._gradients: dict[Any, Callable[..., None]] = {}
        self._examples: Callable[[], Any] = lambda: None  # not kept longer than they are needed
        self._by_size: dict[int, Callable[..., None]] = {}
        self._change: tuple[Callable[..., None], list[str]] | None = None

    def gradient(
        self,
        examples: Any,
        indices: Array,
        targets: Array,
        outputs: Array,
        sample_weights: Array | None,
        masks: Masks | None,
    ) -> None:
        """Put what the loss of these examples is worked from into `outputs`, and the derivative of their mean loss into
        the gradient of the network."""
        if examples is not self._examples():
            self._examples, self._by_size = ref(examples), {}
        run = self._by_size.get(len(indices))
        if run is None:
            _gradient(self.network, examples.take(indices), targets, outputs, sample_weights, masks)
            if len(indices) in self._written:
                self._write(examples, len(indices), targets, outputs, sample_weights, masks)
        else:
            run(examples.x.take, indices, targets, outputs, *_given(sample_weights, masks))

    def output_first(
        self,
        examples: Any,
        indices: Array,
        targets: Array,
        outputs: Array,
        sample_weights: Array | None,
        masks: Masks | None,
        epoch: int,
    ) -> None:
        """Gradient and step, layer by layer from the output: the error goes back through the weights that have just
        been changed."""
        network, optimization = self.network, self.optimization
        network.forward(examples.take(indices), True, masks)
        outputs[...] = network.loss_inputs
        numbers = optimization.numbers(self.loss(targets, outputs, sample_weights), epoch)
        for depth, sums in enumerate(network.sums):
            sums.learned = partial(self._change_layer, depth, numbers)
        network.backward(targets, sample_weights)

    def _change_layer(self, depth: int, numbers: Mapping[str, float]) -> None:
        for part in self.network.architecture.slices(depth):
            self.optimization.change(self.network.vector, self.network.gradient, numbers, part)

    def loss(self, targets: Array, outputs: Array, sample_weights: Array | None) -> float:
        """What an optimizer that goes by the loss is told of these examples, with the penalties."""
        if not self.optimization.variant.shared:
            return 0.0
        return self.network.loss.mean(outputs, targets, sample_weights) + self.optimization.penalty(self.network.vector)

    def step(self, loss: float, epoch: int) -> None:
        """Change the parameters by the gradient, which is used up, of a loss in that epoch (from 0)."""
        network, optimization = self.network, self.optimization
        if self._change is not None and optimization.updates:
            change, names = self._change
            change(*optimization.numbers_named(names, loss, epoch))
            return
        optimization.change(network.vector, network.gradient, optimization.numbers(loss, epoch))
        if self._change_written and optimization.updates > 1:
            self._change = self._written_change()

    def _write(self, examples: Any, size: int, *arguments: Any) -> None:
        """Code for the next batches of this kind, which may have been there before."""
        kind = examples.kind(self.network.architecture.sizes[1], size)
        if (size, *kind) not in self._gradients:
            self._gradients[size, *kind] = self._written_gradient(examples, size, *arguments)
        self._by_size[size] = self._gradients[size, *kind]

    def _written_gradient(
        self,
        examples: Any,
        size: int,
        targets: Array,
        outputs: Array,
        sample_weights: Array | None,
        masks: Masks | None,
    ) -> Callable[..., None]:
        """`_gradient` for batches of this size, and arguments like these."""
        code, network = Code(self._pool), self.network
        running = [(code.leaf(mean), code.leaf(variance)) for mean, variance in network.running]
        take, indices, y, a = code.argument(), code.argument(), code.argument(targets), code.argument(outputs)
        weights = None if sample_weights is None else code.argument(sample_weights)
        kept = None if masks is None else masks.map(code.argument)
        x = code.buffer((size, examples.x.shape[1]), examples.x.dtype)
        code.write("{}({}, 0, {out}, 'clip')", take.name, indices.name, out=x)
        arrays = code.leaf(network.vector), code.leaf(network.gradient)
        coded = Network(network.architecture, network.system, *arrays, running)
        _gradient(coded, examples.batch(x), y, a, weights, kept)
        return code.function([take, indices, y, a, *_given(weights, kept)])

    def _written_change(self) -> tuple[Callable[..., None], list[str]]:
        """What the optimization does, and the names of the numbers that it asks for."""
        code, optimization = Code(self._pool), copy(self.optimization)
        optimization.state = {name: code.leaf(array) for name, array in self.optimization.state.items()}
        numbers = {name: code.argument() for name in optimization.number_names}
        optimization.change(code.leaf(self.network.vector), code.leaf(self.network.gradient), numbers)
        names = [name for name, value in numbers.items() if code.reads(value)]
        return code.function([numbers[name] for name in names]), names


def _gradient(
    network: Network, batch: Any, targets: Array, outputs: Array, sample_weights: Array | None, masks: Masks | None
) -> None:
    network.forward(batch, True, masks)
    outputs[...] = network.loss_inputs
    network.backward(targets, sample_weights)


def _given(sample_weights: Array | None, masks: Masks | None) -> list[Any]:
    """Those arguments that there are."""
    return [*([] if sample_weights is None else [sample_weights]), *([] if masks is None else masks.there)]
