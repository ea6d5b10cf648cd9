"""A feed-forward network in matrix form: its outputs for a batch, and the gradient of the batch's mean loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tutor.maths import batch_norm
from tutor.maths.activations import ACTIVATIONS
from tutor.training.batch_loss import BatchLoss
from tutor.training.noise import Masks
from tutor.training.shape import Shape

Array = Any
System = Any


class Layer(NamedTuple):
    """What a forward pass leaves behind in one layer; an example a column.

    `source` are the layer's inputs with a row of ones (None for the first layer, whose inputs are the batch), `z` the
    weighted sums as they go into the activation, `a` what comes out of it. `normalised` are the sums before gamma and
    beta, and `spread` what they were divided by.
    """

    source: Array | None
    z: Array
    a: Array
    weights: Array
    normalised: Array | None = None
    spread: Array | None = None


class Network:
    """A shape in one arithmetic.

    `running` has the mean and the variance of every hidden weighted sum, which batch normalization uses once the
    training is over.
    """

    def __init__(self, shape: Shape, system: System) -> None:
        self.shape, self.system = shape, system
        self.loss = BatchLoss(shape.loss, system)
        self.nothing_left_out = Masks((None,) * shape.depth, (None,) * shape.depth, (None,) * shape.depth)
        hidden = shape.sizes[1:-1] if shape.batch_norm else ()
        self.running = [(np.zeros((size, 1)), np.ones((size, 1))) for size in hidden]

    def outputs(self, vector: Array, batch: Any) -> Array:
        """What the trained network says: one row an output, one column an example."""
        return self.forward(vector, batch, None)[-1].a

    def forward(self, vector: Array, batch: Any, masks: Masks | None) -> list[Layer]:
        """Every layer of the pass; with masks that of a training, without them that of a network in use."""
        shape, scales = self.shape, self.shape.scales(vector)
        learning = masks is not None
        left_out = masks or self.nothing_left_out
        done: list[Layer] = []
        source: Array | None = None
        for depth, matrix in enumerate(shape.matrices(vector)):
            weights = matrix if left_out.weights[depth] is None else matrix * left_out.weights[depth]
            bare = _without_bias(weights) if shape.normalises(depth) else weights
            z = batch.times(bare) if source is None else self.system.multiply(bare, source)
            normalised = spread = None
            if shape.normalises(depth):
                normalised, spread = self._normalised(depth, z, learning)
                z = batch_norm.scaled(normalised, scales[depth], weights[:, -1:])
            a = self.activate(shape.activations[depth], z)
            done.append(Layer(source, z, a, weights, normalised, spread))
            if depth + 1 < shape.depth:
                source = self._passed_on(depth, a, source, left_out)
        return done

    def _passed_on(self, depth: int, a: Array, source: Array | None, masks: Masks) -> Array:
        """What the next layer gets: the outputs with those of the layer before, less what is left out, and ones."""
        size, count = a.shape
        result = np.empty((size + 1, count), a.dtype)
        result[size] = 1.0
        out = result[:size]
        branch = masks.branches[depth]
        out[...] = a
        if branch is not None:
            out *= branch
        if source is not None and self.shape.skips(depth):
            out += source[:-1]
        if (kept := masks.outputs[depth]) is not None:
            out *= kept
        return result

    def _normalised(self, depth: int, z: Array, learning: bool) -> tuple[Array, Array]:
        """The sums with mean 0 and variance 1, and by what they were divided; while learning those of the batch."""
        mean, variance = self.running[depth]
        if learning:
            count = z.shape[1]
            batch_mean = self.system.sums(z) / count
            centred = z - batch_mean
            batch_variance = self.system.sums(centred * centred) / count
            self.running[depth] = (
                batch_norm.running(mean, batch_mean, self.system),
                batch_norm.running(variance, batch_variance, self.system),
            )
            mean, variance = batch_mean, batch_variance
        spread = batch_norm.spread(variance, self.system)
        return (z - mean) / spread, spread

    def activate(self, name: str, z: Array) -> Array:
        if name != "softmax":
            return ACTIVATIONS[name].value(z, *_parameter(name), self.system)
        powers = self.system.exp(z - z.max(axis=0))
        powers /= self.system.column_sums(powers)
        return powers

    def gradient(
        self,
        vector: Array,
        batch: Any,
        done: Sequence[Layer],
        targets: Array,
        result: Array,
        masks: Masks | None = None,
        shares: Array | None = None,
    ) -> None:
        """Put the derivative of the batch's mean loss by every parameter into `result`; `shares` weigh the examples."""
        shape, left_out = self.shape, masks or self.nothing_left_out
        parts, scales, by_scales = shape.matrices(result), shape.scales(vector), shape.scales(result)
        delta = self._output_delta(done[-1], targets)
        delta /= targets.shape[1]
        if shares is not None:
            delta *= shares
        passed: Array | None = None  # dE/d(output) of the layer below that comes through a residual connection
        for depth in range(shape.depth - 1, -1, -1):
            layer = done[depth]
            if layer.normalised is not None:
                by_scales[depth][...] = self.system.sums(delta * layer.normalised)
                by_beta = self.system.sums(delta)
                delta = self._through_norm(delta * scales[depth], layer)
            found = batch.gathered(delta) if layer.source is None else self.system.multiply(delta, layer.source.T)
            parts[depth][...] = found if left_out.weights[depth] is None else found * left_out.weights[depth]
            if layer.normalised is not None:
                parts[depth][:, -1:] = by_beta
            if depth:
                back = self.system.multiply(layer.weights[:, :-1].T, delta)
                if passed is not None:
                    back += passed
                if (kept := left_out.outputs[depth - 1]) is not None:
                    back *= kept
                passed = back if shape.skips(depth - 1) else None
                branch = left_out.branches[depth - 1]
                delta = (back if branch is None else back * branch) * self._slope(depth - 1, done[depth - 1])

    def _through_norm(self, by_normalised: Array, layer: Layer) -> Array:
        count = by_normalised.shape[1]
        mean = self.system.sums(by_normalised) / count
        mean_of_product = self.system.sums(by_normalised * layer.normalised) / count
        return batch_norm.slope(by_normalised, mean, layer.normalised, mean_of_product, layer.spread)

    def _slope(self, depth: int, layer: Layer) -> Array:
        name = self.shape.activations[depth]
        body = ACTIVATIONS[name].slope
        assert body is not None
        return body(layer.z, layer.a, *_parameter(name), self.system)

    def _output_delta(self, last: Layer, targets: Array) -> Array:
        """dE/dz of the last layer; with softmax or a sigmoid and cross-entropy simply output minus target."""
        name, y = self.shape.activations[-1], last.a
        if (name, self.shape.loss) in (("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")):
            return y - targets
        by_output = self.loss.slope(y, targets)
        if name != "softmax":
            return by_output * self._slope(self.shape.depth - 1, last)
        return y * (by_output - self.system.column_sums(by_output * y))


def _without_bias(weights: Array) -> Array:
    result = weights.copy()
    result[:, -1] = 0.0
    return result


def _parameter(name: str) -> tuple[float, ...]:
    entry = ACTIVATIONS[name]
    return (float(entry.default),) if entry.parameter else ()
