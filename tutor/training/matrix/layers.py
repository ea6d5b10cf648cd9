"""The parts of a network in matrix form. Each takes what the one before made of a batch, and passes a gradient back.

Weighted sums have their `mask`, the weights that are not left out, and may have something to be done as soon as the
gradient of their layer is there: `learned`. What that makes of the weights is what the gradient then goes back through.

Everything has a row a unit and a column an example. `forward` keeps what `backward` needs; what it returns may be
changed by the next layer, and what `backward` is given is used up. Arrays may also be those of generated code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tutor.maths import batch_norm
from tutor.maths.activations import ACTIVATIONS

Array = Any
System = Any


class FirstLinear:
    """The weighted sums of the first layer: z = W·x + b, straight from the examples of a batch."""

    def __init__(self, matrix: Array, gradient: Array) -> None:
        self.matrix, self.gradient, self.mask = matrix, gradient, None
        self.learned: Callable[[], None] | None = None

    def forward(self, batch: Any) -> Array:
        self.batch = batch
        return batch.times(self.matrix if self.mask is None else self.matrix * self.mask)

    def backward(self, delta: Array, by_bias: Array | None = None) -> None:
        """dE/dW = dE/dz·xᵀ; nobody asks for the gradient by the examples."""
        self.batch.weight_gradient(delta, self.gradient)
        _complete(self, by_bias)


class Linear:
    """The weighted sums of a later layer: z = W·a + b. A row of ones below `a` takes the biases along."""

    def __init__(self, matrix: Array, gradient: Array, system: System) -> None:
        self.matrix, self.gradient, self.mask = matrix, gradient, None
        self.learned: Callable[[], None] | None = None
        self.system = system

    def forward(self, a: Array) -> Array:
        wide = np.ones_like(a, shape=(self.matrix.shape[1], a.shape[1]))
        wide[:-1] = a
        self.longest = max(*self.matrix.shape, a.shape[1])
        self.left, self.right = self._weights(), self.system.operand(wide, self.longest)
        return self.system.multiply(self.left, self.right)

    def backward(self, delta: Array, by_bias: Array | None = None) -> Array:
        """dE/dW = dE/dz·aᵀ, and dE/da = Wᵀ·dE/dz."""
        by_sums, transposed = self.system.operand(delta, self.longest), self.system.transposed
        self.system.multiply(by_sums, transposed(self.right), out=self.gradient)
        _complete(self, by_bias)
        if self.learned is not None:
            self.left = self._weights()
        return self.system.multiply(transposed(self.left, -1), by_sums)

    def _weights(self) -> Any:
        return self.system.operand(self.matrix if self.mask is None else self.matrix * self.mask, self.longest)


def _complete(sums: FirstLinear | Linear, by_bias: Array | None) -> None:
    """The gradient of a layer without what is left out, and with that of its biases where the sums do not have it."""
    if sums.mask is not None:
        sums.gradient *= sums.mask
    if by_bias is not None:
        sums.gradient[:, -1:] = by_bias
    if sums.learned is not None:
        sums.learned()


class Activate:
    """a = f(z), unit by unit, by the registry. Step units have no slope, so nothing goes back through them."""

    def __init__(self, name: str, system: System) -> None:
        entry = ACTIVATIONS[name]
        self.value, self.slope, self.system = entry.value, entry.slope, system
        self.parameter = (float(entry.default),) if entry.parameter else ()

    def forward(self, z: Array) -> Array:
        self.z, self.a = z, self.value(z, *self.parameter, self.system)
        return self.a

    def backward(self, delta: Array) -> Array:
        assert self.slope is not None
        delta *= self.slope(self.z, self.a, *self.parameter, self.system)
        return delta


class Softmax:
    """a_i = exp(z_i)/(exp(z_1) + … + exp(z_K)); the largest z is taken from all, so that nothing overflows."""

    def __init__(self, system: System) -> None:
        self.system = system

    def forward(self, z: Array) -> Array:
        z -= np.maximum.reduce(z, axis=0)
        self.z = z
        powers = self.system.exp(z)
        powers /= self.system.column_sums(powers)
        self.a = powers
        return powers

    def backward(self, delta: Array) -> Array:
        """dE/dz_j = a_j·(dE/da_j - sum of a_i·dE/da_i)"""
        delta -= self.system.column_sums(delta * self.a)
        delta *= self.a
        return delta


class Normalise:
    """Batch normalization of the weighted sums; their own bias is what it adds at the end. While the network learns, by
    the mean and variance of the batch; after that by their running averages."""

    def __init__(
        self, sums: FirstLinear | Linear, gamma: Array, by_gamma: Array, running: tuple[Array, Array], system: System
    ) -> None:
        self.sums, self.system, self.learning = sums, system, False
        self.gamma, self.beta, self.by_gamma = gamma, sums.matrix[:, -1:], by_gamma
        self.mean, self.variance = running

    def forward(self, x: Any) -> Array:
        z = self.sums.forward(x)
        z -= self.beta
        mean, variance = self.mean, self.variance
        if self.learning:
            count = z.shape[1]
            mean = self.system.sums(z) / count
            variance = self.system.sums((z - mean) ** 2) / count
            self.mean[...] = batch_norm.running(self.mean, mean, self.system)
            self.variance[...] = batch_norm.running(self.variance, variance, self.system)
        self.deviation = batch_norm.deviation(variance, self.system)
        self.normalised = (z - mean) / self.deviation
        return batch_norm.scaled(self.normalised, self.gamma, self.beta)

    def backward(self, delta: Array) -> Any:
        sums, count = self.system.sums, delta.shape[1]
        by_beta = sums(delta)
        self.by_gamma[...] = sums(delta * self.normalised)
        delta *= self.gamma
        mean, of_product = sums(delta) / count, sums(delta * self.normalised) / count
        return self.sums.backward(batch_norm.slope(delta, mean, self.normalised, of_product, self.deviation), by_beta)


class Hidden:
    """A hidden layer: sums and activation, then what is left out of them; with `skips` its input is added.

    `branch` and `kept` are what the layer's own part and its outputs are multiplied with, None where nothing is left
    out.
    """

    def __init__(self, sums: FirstLinear | Linear | Normalise, activate: Activate, skips: bool) -> None:
        self.sums, self.activate, self.skips = sums, activate, skips
        self.branch: float | None = None
        self.kept: Array | None = None

    def forward(self, x: Any) -> Array:
        a = self.activate.forward(self.sums.forward(x))
        if self.branch is not None:
            a = a * self.branch
        if self.skips:
            a = a + x
        return a if self.kept is None else a * self.kept

    def backward(self, delta: Array) -> Any:
        if self.kept is not None:
            delta *= self.kept
        passed = delta.copy() if self.skips else None
        if self.branch is not None:
            delta *= self.branch
        back = self.sums.backward(self.activate.backward(delta))
        if passed is not None:
            back += passed
        return back
