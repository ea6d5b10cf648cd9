"""The layers of a network in straight-line form, by the quantities of its own steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tutor.maths.activations import ACTIVATIONS
from tutor.training.layer_measures import LayerState, slopes_of, steepest_of
from tutor.training.straight_line.steps import LayerNames

Array = Any
System = Any


def layer_states(
    layers: Sequence[LayerNames], parameters: Mapping[str, float], seen: Mapping[str, Array], x: Array, system: System
) -> list[LayerState]:
    """Every layer of a network with these parameters by name; `seen` has what each step comes to for the examples in
    the columns of x. A weight that several connections share counts once in a layer, and is moved by all of them."""
    states, before = [], x
    for depth, names in enumerate(layers):
        sums, outputs, signal = (
            np.array([seen[name] for name in group]) for group in (names.sums, names.outputs, names.signals)
        )
        slopes, steepest, entry = None, 1.0, ACTIVATIONS.get(names.layer.activation)
        if depth < len(layers) - 1 and entry is not None:
            parameter = (float(names.layer.alpha),) if entry.parameter else ()
            slopes = slopes_of(entry.name, parameter, sums, outputs, system)
            steepest = steepest_of(entry.name, parameter, system)
        weights = list(dict.fromkeys(name for row in names.layer.weights for name in row if name is not None))
        gradient = _gradient(names, weights, signal, before, system) if names.signals else None
        values = np.array([parameters[name] for name in weights])
        learns = signal if names.signals else None
        rows = zip(names.layer.weights, names.layer.biases, strict=True)
        units = np.array([[parameters[name] if name else 0.0 for name in (*row, bias)] for row, bias in rows])
        states.append(LayerState(values, gradient, units, outputs, slopes, learns, steepest))
        before = outputs
    return states


def _gradient(names: LayerNames, weights: Sequence[str], signal: Array, before: Array, system: System) -> Array:
    """The derivative of the mean loss by each of these weights: dE/dW = dE/dz·xᵀ, added up where it is shared."""
    longest = max(*signal.shape, len(before))
    right = system.operand(before, longest)
    products = system.multiply(system.operand(signal, longest), system.transposed(right)) / signal.shape[1]
    total = dict.fromkeys(weights, 0.0)
    for row, values in zip(names.layer.weights, products.tolist(), strict=True):
        for name, value in zip(row, values, strict=True):
            if name is not None:
                total[name] += value
    return np.array([*total.values()])
