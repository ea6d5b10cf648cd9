"""The layers of a network in matrix form, seen from inside while a batch goes forward and its gradient back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutor.training.architecture import Architecture
from tutor.training.layer_measures import LayerState, slopes_of, steepest_of
from tutor.training.matrix.layers import FirstLinear, Linear
from tutor.training.matrix.network import Network, Running

Array = Any
System = Any


class RecordingSums:
    """Weighted sums in their place in a network; the gradient by them that comes back is kept."""

    def __init__(self, sums: FirstLinear | Linear) -> None:
        self.own, self.delta = sums, None

    def forward(self, x: Any) -> Array:
        return self.own.forward(x)

    def backward(self, delta: Array, by_bias: Array | None = None) -> Any:
        self.delta = delta.copy()
        return self.own.backward(delta, by_bias)


def layer_states(
    architecture: Architecture,
    system: System,
    vector: Array,
    running: Running,
    batch: Any,
    targets: Array,
    sample_weights: Array | None,
) -> list[LayerState]:
    """Every layer of a network with these parameters and what it makes of a batch, nothing left out. Batch
    normalization works by the batch, as in training; the parameters and running averages stay as they are."""
    gradient = np.zeros_like(vector)
    network: Any = Network(
        architecture, system, vector, gradient, [(mean.copy(), variance.copy()) for mean, variance in running]
    )
    recording = [RecordingSums(sums) for sums in network.sums]
    for layer, one in zip(network.normalised or network.hidden, recording, strict=False):
        layer.sums = one
    network.sums[-1] = recording[-1]
    network.forward(batch, learning=architecture.batch_norm)
    activations = [*(hidden.activate for hidden in network.hidden), network.activate]
    seen = [(layer.z.copy(), layer.a.copy()) for layer in activations]
    network.backward(targets, sample_weights)
    states = []
    for depth, (sums, outputs) in enumerate(seen):
        units, own = (architecture.matrices(whole)[depth] for whole in (vector, gradient))
        signal = recording[depth].delta * targets.shape[1]
        slopes, steepest = None, 1.0
        if depth < architecture.depth - 1:
            name, parameter = architecture.activations[depth], activations[depth].parameter
            slopes, steepest = (
                slopes_of(name, parameter, sums, outputs, system),
                steepest_of(name, parameter, system),
            )
        states.append(LayerState(units[:, :-1], own[:, :-1], units, outputs, slopes, signal, steepest))
    return states
