"""A feed-forward network in matrix form: its parameters as one vector, its outputs, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tutor.maths.activations import ACTIVATIONS
from tutor.maths.initializers import INITIALIZERS
from tutor.maths.losses import LOSSES
from tutor.training.sampling import normals, uniforms, words

Array = Any
System = Any


@dataclass(frozen=True)
class Shape:
    """Layers of these sizes, inputs first; one activation for each but the inputs; and the loss of one example."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str

    @property
    def count(self) -> int:
        """How many weights and biases there are."""
        return sum((before + 1) * after for before, after in pairwise(self.sizes))

    def matrices(self, vector: Array) -> list[Array]:
        """The vector as one matrix a layer, a row a neuron, the bias in the last column. Views, not copies."""
        found, start = [], 0
        for before, after in pairwise(self.sizes):
            end = start + (before + 1) * after
            found.append(vector[start:end].reshape(after, before + 1))
            start = end
        return found

    def weights(self) -> Array:
        """Which entries of the vector are weights, not biases."""
        mask = np.ones(self.count, dtype=bool)
        for matrix in self.matrices(mask):
            matrix[:, -1] = False
        return mask

    def initial(self, seed: int, initializer: str, system: System) -> Array:
        """Weights drawn from the seed, biases 0."""
        entry = INITIALIZERS[initializer]
        vector = np.zeros(self.count)
        raw = words(seed, "weights", 0, self.count)
        if entry.distribution == "normal":
            vector[:] = normals(raw)
        elif entry.distribution == "uniform":
            vector[:] = 2.0 * uniforms(raw) - 1.0
        for matrix, (before, after) in zip(self.matrices(vector), pairwise(self.sizes), strict=True):
            matrix *= entry.scale(float(before), float(after), system)
            matrix[:, -1] = 0.0
        return vector


@dataclass(frozen=True)
class Pass:
    """What a forward pass leaves behind: the inputs, weighted sums and outputs of every layer, an example a column."""

    inputs: Sequence[Array]
    sums: Sequence[Array]
    outputs: Array


class Network:
    """A shape in one arithmetic."""

    def __init__(self, shape: Shape, system: System) -> None:
        self.shape, self.system = shape, system
        self.loss = LOSSES[shape.loss]

    def forward(self, vector: Array, x: Array, masks: Sequence[Array | None] = ()) -> Pass:
        """The outputs for the examples in the columns of x; `masks` multiply the outputs of the hidden layers."""
        inputs, sums, a = [], [], x
        for depth, matrix in enumerate(self.shape.matrices(vector)):
            a = np.vstack([a, np.ones((1, a.shape[1]))])
            inputs.append(a)
            z = self.system.multiply(matrix, a)
            sums.append(z)
            a = self.activate(self.shape.activations[depth], z)
            if depth < len(masks) and masks[depth] is not None:
                a = a * masks[depth]
        return Pass(inputs, sums, a)

    def activate(self, name: str, z: Array) -> Array:
        if name != "softmax":
            return ACTIVATIONS[name].value(z, *self._parameter(name), self.system)
        powers = self.system.exp(z - z.max(axis=0))
        return powers / self.system.sums(np.ascontiguousarray(powers.T)).T

    def _parameter(self, name: str) -> tuple[float, ...]:
        entry = ACTIVATIONS[name]
        return (float(entry.default),) if entry.parameter else ()

    def losses(self, outputs: Array, targets: Array) -> Array:
        """The loss of every output of every example, before it is added up; kept from infinity at 0 and 1."""
        y = np.clip(outputs, _TINY, 1 - _TINY) if self.shape.loss in _PROBABILITIES else outputs
        return self.loss.term(y, targets, self.system) / self._divisor

    @property
    def _divisor(self) -> int:
        return self.shape.sizes[-1] if self.loss.mean else 1

    def gradient(self, vector: Array, done: Pass, targets: Array, masks: Sequence[Array | None] = ()) -> Array:
        """The derivative of the mean loss of the batch by every parameter."""
        result = np.empty(self.shape.count)
        parts, matrices = self.shape.matrices(result), self.shape.matrices(vector)
        delta = self._output_delta(done, targets) / targets.shape[1]
        for depth in range(len(matrices) - 1, -1, -1):
            parts[depth][...] = self.system.multiply(delta, np.ascontiguousarray(done.inputs[depth].T))
            if depth:
                back = self.system.multiply(np.ascontiguousarray(matrices[depth][:, :-1].T), delta)
                if depth - 1 < len(masks) and masks[depth - 1] is not None:
                    back = back * masks[depth - 1]
                delta = back * self._slope(depth - 1, done)
        return result

    def _slope(self, depth: int, done: Pass) -> Array:
        name = self.shape.activations[depth]
        z, entry = done.sums[depth], ACTIVATIONS[name]
        a = self.activate(name, z)
        assert entry.slope is not None
        return entry.slope(z, a, *self._parameter(name), self.system)

    def _output_delta(self, done: Pass, targets: Array) -> Array:
        """dE/dz of the last layer; with softmax or a sigmoid and cross-entropy simply output minus target."""
        name, y = self.shape.activations[-1], done.outputs
        if (name, self.shape.loss) in (("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")):
            return y - targets
        if self.shape.loss in _PROBABILITIES:
            y = np.clip(y, _TINY, 1 - _TINY)
        by_output = self.loss.slope(y, targets, self.system) / self._divisor
        if name != "softmax":
            return by_output * self._slope(len(self.shape.activations) - 1, done)
        inner = self.system.sums(np.ascontiguousarray((by_output * y).T)).T
        return y * (by_output - inner)


_PROBABILITIES = ("binary_cross_entropy", "cross_entropy")
_TINY = 1e-12
