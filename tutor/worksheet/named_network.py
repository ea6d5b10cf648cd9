"""The names of a network's quantities: neurons, weights, biases and targets."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property

from msgspec import Struct, field

from tutor.formulas.quantity import owned
from tutor.maths.activations import ACTIVATIONS
from tutor.worksheet.problem import Entry, Layer, Network, Neuron


class NamedNetwork(Struct, dict=True):
    """A network with every quantity named: what the forward pass is written over, and what training changes."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    values: dict[str, Fraction]
    layers: list[NamedLayer] = field(default_factory=list)
    weights: list[str] = field(default_factory=list)
    biases: list[str] = field(default_factory=list)

    def parameters(self, with_biases: bool) -> list[str]:
        """What training changes, each once, weights first."""
        return list(dict.fromkeys(self.weights + (self.biases if with_biases else [])))

    def layer_of(self, parameter: str) -> str:
        """The name of the first layer that uses the parameter."""
        return self._layer_names[parameter]

    @cached_property
    def _layer_names(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for layer in self.layers:
            for name in (*layer.biases, *(name for row in layer.weights for name in row)):
                if name is not None:
                    found.setdefault(name, layer.name)
        return found


class NamedNeuron(Struct, frozen=True):
    """`stem` is the name that a target takes: desired_<stem>."""

    stem: str
    sum: str
    output: str


class NamedLayer(Struct, frozen=True):
    """`biases` are added to the weighted sums, or, with `subtracted`, are thresholds taken from them."""

    name: str
    activation: str
    neurons: tuple[NamedNeuron, ...]
    weights: tuple[tuple[str | None, ...], ...]
    biases: tuple[str | None, ...]
    subtracted: bool = False
    alpha: Fraction = Fraction(1)


def neuron_names(layers: Sequence[Layer]) -> list[tuple[NamedNeuron, ...]]:
    """The names of the neurons of every layer. Unnamed ones are h1, h2, … and, in the last layer, out or o1, o2, …"""
    by_layer, hidden = [], 0
    for position, layer in enumerate(layers):
        count, last = len(layer.weights), position == len(layers) - 1
        stems: Sequence[str | Neuron] = layer.neurons or (
            ["out"]
            if last and count == 1
            else [f"o{i + 1}" for i in range(count)]
            if last
            else [f"h{hidden + i + 1}" for i in range(count)]
        )
        hidden += count
        by_layer.append(
            tuple(
                NamedNeuron(n.output, n.sum, n.output)
                if isinstance(n, Neuron)
                else NamedNeuron(n, f"{n}_in", f"{n}_out")
                for n in stems
            )
        )
    return by_layer


def target_names(network: Network, outputs: Sequence[NamedNeuron]) -> tuple[str, ...]:
    """The names that the network gives them; else `desired` for one output, `desired_` and its name for several."""
    if network.targets is not None:
        return tuple(network.targets)
    return ("desired",) if len(outputs) == 1 else tuple(owned("desired", n.stem) for n in outputs)


def layer_name(layer: Layer, neurons: Sequence[NamedNeuron]) -> str:
    """What `rates` calls the layer: its own name, or what its neurons' names have in common, as h for h1 and h2."""
    stems = {neuron.stem.rstrip("0123456789") for neuron in neurons}
    return layer.name or (stems.pop() if len(stems) == 1 else neurons[0].stem)


def name_network(network: Network, givens: dict[str, Fraction]) -> NamedNetwork:
    """Number the unnamed weights and biases neuron by neuron and collect the values of all."""
    names = neuron_names(network.layers)
    known = NamedNetwork(tuple(network.inputs), target_names(network, names[-1]), dict(givens))
    counters: dict[str, int] = {}

    def name(entry: Entry, letter: str, group: list[str]) -> str | None:
        if entry.name == "":
            return None
        if entry.name is None:
            counters[letter] = counters.get(letter, 0) + 1
            called = f"{letter}{counters[letter]}"
            known.values[called] = entry.value or Fraction(0)
        else:
            called = entry.name
        if called not in group:
            group.append(called)
        return called

    for layer, neurons in zip(network.layers, names, strict=True):
        weights = tuple(tuple(name(e, "W", known.weights) for e in row) for row in layer.weights)
        if layer.bias is not None:
            biases: tuple[str | None, ...] = (name(layer.bias, "b", known.biases),) * len(neurons)
        elif layer.thresholds is not None:
            biases = tuple(name(e, "theta", known.biases) for e in layer.thresholds)
        else:
            biases = tuple(name(e, "b", known.biases) for e in layer.biases or ()) or (None,) * len(neurons)
        entry = ACTIVATIONS.get(layer.activation)
        alpha = layer.alpha if layer.alpha is not None else Fraction(entry.default if entry else 1)
        known.layers.append(
            NamedLayer(
                layer_name(layer, neurons),
                layer.activation,
                neurons,
                weights,
                biases,
                subtracted=layer.thresholds is not None,
                alpha=alpha,
            )
        )
    return known
