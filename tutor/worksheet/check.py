"""What must hold of a network, its examples and its names before a worksheet can be written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from keyword import iskeyword

from tutor.errors import counted, nearest
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.worksheet.naming import connect, neuron_names, target_names
from tutor.worksheet.problem import Entry, Example, Layer, Network, Neuron, Training

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
MOST_CONNECTIONS = 20_000
RESERVED = ("E", "eta")


def check_problem(
    network: Network, examples: Sequence[Example], training: Training, givens: Mapping[str, Fraction]
) -> None:
    """Raises ValueError, with the place and what to do, for the first thing that does not fit."""
    if training.optimizer not in OPTIMIZERS:
        known = nearest(training.optimizer, OPTIMIZERS)
        raise ValueError(f"training.optimizer: unknown optimizer {training.optimizer!r}{known}")
    if network.loss not in LOSSES:
        raise ValueError(f"network.loss: unknown loss {network.loss!r}{nearest(network.loss, LOSSES)}")
    if not network.inputs or not network.layers:
        raise ValueError("network: give at least one input and one layer")
    width = len(network.inputs)
    for number, layer in enumerate(network.layers, 1):
        check_layer(layer, f"network.layers[{number}]", width, givens)
        width = len(layer.weights)
    check_names(network, givens)
    check_examples(network, examples)


def check_layer(layer: Layer, place: str, width: int, givens: Mapping[str, Fraction]) -> None:
    """One row of weights for each neuron, each as wide as the layer before, and a bias for each or for none."""
    if layer.activation not in ACTIVATIONS:
        raise ValueError(
            f"{place}.activation: unknown activation {layer.activation!r}{nearest(layer.activation, ACTIVATIONS)}"
        )
    rows = len(layer.weights)
    of_weights = f"{counted(rows, 'row')} of weights; give one row for each"
    if not rows:
        raise ValueError(f"{place}.weights: give one row for each neuron")
    if layer.neurons is not None and len(layer.neurons) != rows:
        raise ValueError(f"{place}: {counted(len(layer.neurons), 'neuron')} but {of_weights}")
    if layer.units is not None and layer.neurons is not None:
        raise ValueError(f"{place}: give either neurons or units, not both")
    if layer.units is not None and layer.units != rows:
        raise ValueError(f"{place}: units = {layer.units} but {of_weights}")
    for i, row in enumerate(layer.weights, 1):
        if len(row) != width:
            have, want = counted(len(row), "weight"), counted(width, "input")
            raise ValueError(f"{place}.weights, row {i}: {have} for {want}; give one for each")
        if all(entry.name == "" for entry in row):
            raise ValueError(f"{place}.weights, row {i}: a neuron needs at least one connection")
    if layer.biases is not None and len(layer.biases) != rows:
        count, want = len(layer.biases), counted(rows, "neuron")
        raise ValueError(f"{place}.biases: there are {count} for {want}; give one for each, or none at all")
    for entry in [e for row in layer.weights for e in row] + (layer.biases or []):
        _check_given(entry, place, givens)


def _check_given(entry: Entry, place: str, givens: Mapping[str, Fraction]) -> None:
    if entry.name and entry.name not in givens:
        if not NAME.fullmatch(entry.name):
            raise ValueError(f"{place}: {entry.name[:40]!r} is neither a number nor a name")
        hint = nearest(entry.name, givens) or "; write a number, or define it under [givens]"
        raise ValueError(f"{place}: no given is called {entry.name[:40]!r}{hint}")


def check_names(network: Network, givens: Mapping[str, Fraction]) -> None:
    """Every name can be typed, and no two quantities share one."""
    written = [n for layer in network.layers for n in layer.neurons or ()]
    typed = [part for n in written for part in ((n.sum, n.output) if isinstance(n, Neuron) else (n,))]
    for name in (*network.inputs, *givens, *typed):
        if not NAME.fullmatch(name) or len(name) > 40 or iskeyword(name):
            rule = "use letters, digits and _, beginning with a letter; words of Python such as 'in' are taken"
            raise ValueError(f"{name[:40]!r} cannot be a name: {rule}")
    neurons = neuron_names(network.layers)
    connections = connect(network, dict(givens))
    if len(connections.values) > MOST_CONNECTIONS:
        raise ValueError(f"a worksheet takes at most {MOST_CONNECTIONS:,} weights and biases")
    numbered = sum(e.name is None for layer in network.layers for r in [*layer.weights, layer.biases or []] for e in r)
    if len(connections.values) < len(givens) + numbered:
        taken = next(n for n in givens if re.fullmatch(r"[Wb][0-9]+", n))
        raise ValueError(f"the given {taken!r} has the name of a numbered weight or bias; call it something else")
    every = [n for layer in neurons for x in layer for n in (x.sum, x.output)]
    _check_distinct([*RESERVED, *network.inputs, *connections.values, *target_names(neurons[-1]), *every])


def _check_distinct(found: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in found:
        if name in seen:
            raise ValueError(f"two quantities are called {name!r}; give one of them another name")
        seen.add(name)


def check_examples(network: Network, examples: Sequence[Example]) -> None:
    """Exactly one example, as wide as the network."""
    if len(examples) != 1:
        raise ValueError(f"examples: there are {len(examples)}; a worksheet takes one [[examples]] table")
    wanted = {"inputs": len(network.inputs), "targets": len(network.layers[-1].weights)}
    for part, count in wanted.items():
        have = len(getattr(examples[0], part))
        if have != count:
            numbers, places = counted(have, "number"), counted(count, part[:-1])
            raise ValueError(f"examples[1].{part}: {numbers}, but the network has {places}")
    if network.loss == "binary_cross_entropy" and any(not 0 <= target <= 1 for target in examples[0].targets):
        raise ValueError("examples[1].targets: with binary_cross_entropy a target lies between 0 and 1")
