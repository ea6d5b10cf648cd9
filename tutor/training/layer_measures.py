"""A network looked at layer by layer while it is trained: how far the gradient reaches, what its units do, what becomes
of its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from tutor.maths.activations import ACTIVATIONS

if TYPE_CHECKING:
    from tutor.training.trainer import Trainer

Array = Any
System = Any

NEAR_ZERO = 1e-3
FLAT = 0.01
"""The share of the largest slope below which a unit is saturated by an example."""
_ALIKE = 1e-12
"""Weights that differ by no more than this share of the layer's largest are the same."""


@dataclass(frozen=True)
class LayerState:
    """One layer as it stands: its weights, each once, and the gradient of the mean loss by these; the weights and the
    bias of every unit, a row each; then, a row a unit and a column an example, the outputs, the slopes at the weighted
    sums and dE/d of the sums, where E is the loss of the example alone. What a layer does not have is None: slopes
    those that are not hidden, gradients those that learn by a rule without any. `steepest` is the largest slope that
    the activation has anywhere."""

    weights: Array
    gradient: Array | None
    units: Array
    outputs: Array
    slopes: Array | None
    signal: Array | None
    steepest: float = 1.0


class LayerMeasures(Struct, frozen=True):
    """One layer after one epoch, 0 being before the first; layers count from 1.

    `gradient_norm` is the length of the gradient of the mean loss by the weights, `signal_norm` the root of the mean
    over the examples of the squared length of dE/d of the weighted sums. Then the mean and standard deviation of the
    outputs over units and examples; the share of units without slope for any example, of weighted sums with a slope
    below a hundredth of the largest, and of units with the weights and bias of another unit; how long the change of the
    weights in the epoch is against the weights; and how many weights are 0 or nearly. Null is what a layer has not.
    """

    layer: int
    epoch: int
    gradient_norm: float | None
    signal_norm: float | None
    activation_mean: float
    activation_spread: float
    dead: float | None
    saturated: float | None
    identical: float
    update_ratio: float | None
    zero: int
    near_zero: int
    weight_norm: float


class LayerWatcher:
    """Whoever looks at a trainer's layers, from before its first update on: by all examples of the training part."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._before: list[Array] | None = None

    def measured(self, epoch: int) -> list[LayerMeasures]:
        """Every layer as it is now; changes are told against the time before."""
        trainer = self.trainer
        with np.errstate(all="ignore"):
            inside = trainer.engine.layer_states()
            before = self._before or [None] * len(inside)
            found = [
                _measured(layer, epoch, one, earlier, trainer.loss.system)
                for layer, (one, earlier) in enumerate(zip(inside, before, strict=True), 1)
            ]
        self._before = [one.weights.copy() for one in inside]
        return found


def watch_layers(trainer: Trainer) -> list[LayerMeasures]:
    """A list that fills while the trainer runs: with every layer as it is now, and after each epoch."""
    layers = LayerWatcher(trainer)
    found = layers.measured(trainer.done)
    trainer.watchers.append(lambda epoch: found.extend(layers.measured(epoch)))
    return found


def slopes_of(activation: str, parameter: Sequence[float], sums: Array, outputs: Array, system: System) -> Array | None:
    """The size of the slope at every weighted sum; None of an activation that has none."""
    entry = ACTIVATIONS.get(activation)
    if entry is None or entry.slope is None:
        return None
    return np.abs(np.asarray(entry.slope(sums, outputs, *parameter, system)) * np.ones_like(sums))


def steepest_of(activation: str, parameter: Sequence[float], system: System) -> float:
    """The largest slope between -10 and 10, where all activations have theirs."""
    grid = np.linspace(-10.0, 10.0, 2001)[None, :]
    slopes = slopes_of(activation, parameter, grid, ACTIVATIONS[activation].value(grid, *parameter, system), system)
    return float(np.max(slopes)) if slopes is not None else 1.0


def _measured(layer: int, epoch: int, one: LayerState, before: Array | None, system: System) -> LayerMeasures:
    mean = _mean(one.outputs, system)
    slopes, signal, length = one.slopes, one.signal, _length(one.weights, system)
    change = None if before is None else _length(one.weights - before, system)
    return LayerMeasures(
        layer=layer,
        epoch=epoch,
        gradient_norm=None if one.gradient is None else _length(one.gradient, system),
        signal_norm=None if signal is None else _length(signal, system) / float(np.sqrt(signal.shape[1])),
        activation_mean=mean,
        activation_spread=float(np.sqrt(_mean(np.square(one.outputs - mean), system))),
        dead=None if slopes is None else _share(np.all(slopes == 0, axis=1)),
        saturated=None if slopes is None else _share(is_flat(slopes, one.steepest)),
        identical=_share(copies(one.units)),
        update_ratio=None if change is None else change / length if length else None,
        zero=int(np.sum(one.weights == 0)),
        near_zero=int(np.sum(np.abs(one.weights) < NEAR_ZERO)),
        weight_norm=length,
    )


def is_flat(slopes: Array, steepest: float) -> Array:
    """Which of these slopes at the weighted sums of a hidden layer are those of a saturated unit."""
    return slopes < FLAT * steepest


def copies(units: Array) -> Array:
    """Which units, a row each, have the weights and the bias of another one."""
    found = np.zeros(len(units), dtype=bool)
    order = np.argsort(units.sum(axis=1), kind="stable")  # copies have the same sum, and so stand side by side
    same = alike(units[order])
    found[order[1:]] |= same
    found[order[:-1]] |= same
    return found


def alike(units: Array) -> Array:
    """For all but the first unit, a row each, whether it is a copy of the one above."""
    near = _ALIKE * float(np.max(np.abs(units), initial=0.0))
    return np.all(np.abs(units[1:] - units[:-1]) <= near, axis=1)


def _share(which: Array) -> float:
    return float(np.mean(which))


def _mean(values: Array, system: System) -> float:
    return float(system.total(np.asarray(values, dtype=np.float64)) / values.size)


def _length(values: Array, system: System) -> float:
    return float(np.sqrt(system.total(np.square(np.asarray(values, dtype=np.float64))))) if values.size else 0.0
