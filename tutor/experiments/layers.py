"""A network looked at layer by layer, as it stands at some moment of its training, over the whole training part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tutor.errors import TutorError
from tutor.training.matrix.layers import Normalise
from tutor.training.matrix.network import Network
from tutor.training.trainer import Trainer

if TYPE_CHECKING:
    from tutor.data.array_types import Floats

_SMALL = 1e-3
_FLAT = 0.01
"""The share of the largest slope below which a unit is saturated."""
Array = Any


class _Heard:
    """The weighted sums of a layer; the gradient that comes back to them is kept."""

    def __init__(self, sums: Any) -> None:
        self.sums = sums
        self.delta: Array = None

    def forward(self, x: Any) -> Array:
        return self.sums.forward(x)

    def backward(self, delta: Array) -> Any:
        self.delta = delta.copy()
        return self.sums.backward(delta)


class Look:
    """One pass forward and backward over all training examples. Layers count from 1."""

    def __init__(self, trainer: Trainer) -> None:
        shape, system, vector = trainer.shape, trainer.loss.system, np.array(trainer.form.vector, np.float64)
        self.shape, self.weights = shape, _weights_in(trainer, vector)
        gradient = np.zeros_like(vector)
        running = [(mean.copy(), spread.copy()) for mean, spread in _running(trainer)]
        network: Any = Network(shape, system, vector, gradient, running)
        self.heard = [_Heard(sums) for sums in network.sums]
        _listen(network, self.heard)
        examples = system.examples(trainer.data.rows, False)
        examples.prepare(shape.sizes[1], len(trainer.data.train))
        targets = trainer.data.targets[:, trainer.data.train]
        with np.errstate(all="ignore"):
            outputs = network.forward(examples.take(trainer.data.train), learning=shape.batch_norm).copy()
            self.layers = [(hidden.activate.z.copy(), hidden.activate.a.copy()) for hidden in network.hidden]
            self.outputs = outputs
            network.backward(targets)
        self.activations = [*(hidden.activate for hidden in network.hidden)]
        self.gradients = [matrix[:, :-1] for matrix in shape.matrices(gradient)]
        self.count = targets.shape[1]

    def place(self, layer: int) -> int:
        """Where the layer stands, 0 being the last. Raises TutorError where there are fewer."""
        if layer > self.shape.depth:
            raise TutorError(f"there is no layer {layer}: this network has {self.shape.depth}")
        return (layer or self.shape.depth) - 1

    def values(self, layer: int) -> Array:
        """The outputs of the layer: a row a unit, a column an example."""
        place = self.place(layer)
        return self.layers[place][1] if place < len(self.layers) else self.outputs

    def slopes(self, layer: int) -> Array:
        """The derivative of the activation at every weighted sum of a hidden layer."""
        place = self.place(layer)
        if place >= len(self.layers):
            raise TutorError("dead and saturated units are those of a hidden layer; name one, as in layer = 1")
        activate, (z, a) = self.activations[place], self.layers[place]
        assert activate.slope is not None
        with np.errstate(all="ignore"):
            return np.abs(np.asarray(activate.slope(z, a, *activate.parameter, activate.system)) * np.ones_like(z))


def _running(trainer: Trainer) -> Any:
    network = getattr(trainer.form, "network", None)
    return network.running if network is not None else []


def _listen(network: Any, heard: list[_Heard]) -> None:
    """Put them in the place of the sums, also within a layer that normalises them."""
    for hidden, one in zip(network.hidden, heard, strict=False):
        sums: Any = hidden.sums
        if isinstance(hidden.sums, Normalise):
            sums.sums = one
        else:
            hidden.sums = one
    network.sums[-1] = heard[-1]


def _length(values: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.sum(np.square(values))))


def gradient_norm(trainer: Trainer, layer: int, before: Floats) -> float:
    """√Σ(dE/dw)² over the weights of the layer, of the mean loss of the training part."""
    look = Look(trainer)
    return _length(look.gradients[look.place(layer)])


def signal_norm(trainer: Trainer, layer: int, before: Floats) -> float:
    """The root of the mean over the examples of Σ(dE/dz)², where E is the loss of the example alone."""
    look = Look(trainer)
    return _length(look.heard[look.place(layer)].delta) * float(np.sqrt(look.count))


def activation_mean(trainer: Trainer, layer: int, before: Floats) -> float:
    return float(np.mean(Look(trainer).values(layer)))


def activation_spread(trainer: Trainer, layer: int, before: Floats) -> float:
    """The standard deviation over all units and examples."""
    return float(np.std(Look(trainer).values(layer)))


def dead_share(trainer: Trainer, layer: int, before: Floats) -> float:
    """The share of units whose slope is 0 for every example."""
    return float(np.mean(np.all(Look(trainer).slopes(layer) == 0, axis=1)))


def saturated_share(trainer: Trainer, layer: int, before: Floats) -> float:
    """The share of weighted sums where the slope is below a hundredth of the activation's largest."""
    look = Look(trainer)
    slopes = look.slopes(layer)
    activate = look.activations[look.place(layer)]
    grid = np.linspace(-10.0, 10.0, 2001)[None, :]
    assert activate.slope is not None
    value = activate.value(grid.copy(), *activate.parameter, activate.system)
    steepest = float(np.max(np.abs(activate.slope(grid, value, *activate.parameter, activate.system))))
    return float(np.mean(slopes < _FLAT * steepest))


def _weights_in(trainer: Trainer, vector: Floats) -> list[Array]:
    """The weights of each layer in a vector of the parameters. Raises TutorError where a layer has no weights and
    biases of its own: the vector has no place for it then."""
    if len(vector) != trainer.shape.count:
        raise TutorError("layers are measured where each has its own weights and biases, and here some have not")
    return [matrix[:, :-1] for matrix in trainer.shape.matrices(np.asarray(vector))]


def _weights(trainer: Trainer, layer: int) -> Array:
    weights = _weights_in(trainer, trainer.form.vector)
    if layer > len(weights):
        raise TutorError(f"there is no layer {layer}: this network has {len(weights)}")
    return weights[layer - 1]


def weight_norm(trainer: Trainer, layer: int, before: Floats) -> float:
    return _length(_weights(trainer, layer))


def zero_weights(trainer: Trainer, layer: int, before: Floats) -> float:
    return float(np.sum(_weights(trainer, layer) == 0))


def small_weights(trainer: Trainer, layer: int, before: Floats) -> float:
    return float(np.sum(np.abs(_weights(trainer, layer)) < _SMALL))


def change_ratio(trainer: Trainer, layer: int, before: Floats) -> float:
    """By how much the weights of the layer changed since the end of the epoch before, over their own length."""
    now, earlier = (_weights_in(trainer, v)[layer - 1] for v in (trainer.form.vector, before))
    length = _length(now)
    return _length(now - earlier) / length if length else 0.0


def worst_error(trainer: Trainer) -> float:
    """The largest difference of an output and its target, over the training part."""
    places = trainer.data.train
    with np.errstate(all="ignore"):
        outputs = trainer.form.outputs(trainer.data.rows, places)
        return float(np.max(np.abs(outputs - trainer.data.targets[:, places])))
