"""What must hold of a network, its examples and its names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from keyword import iskeyword

from tutor.errors import counted, nearest
from tutor.formulas.indices import INDEXED
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.numbers.exact import comma_hint
from tutor.worksheet.named_network import name_network
from tutor.worksheet.optimizer_rules import check_numbers
from tutor.worksheet.problem import Entry, Example, Layer, Network, Neuron

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
MOST_CONNECTIONS = 20_000


def check_name(name: str, indexed: bool = False) -> None:
    """A name can be typed, also in a formula; `indexed` ones may end in [2] or [1,2]."""
    parts = INDEXED.fullmatch(name) if indexed else None
    if not NAME.fullmatch(parts[1] if parts else name) or len(name) > 40 or iskeyword(name):
        rule = "use letters, digits and _, beginning with a letter; words of Python such as 'in' are taken"
        index = "; an index is written as in x[2] or x[1,2], without spaces" if indexed and "[" in name else ""
        raise ValueError(f"{name[:40]!r} cannot be a name: {rule}{index}")


def why_no_gradient(network: Network) -> str:
    """Why nothing can be differentiated: there is no loss, or a layer lets no gradient through. Else empty."""
    if network.loss is None:
        return f"network: 'loss' is missing, and without one nothing says what is better{nearest('', LOSSES)}"
    for number, layer in enumerate(network.layers, 1):
        entry = ACTIVATIONS.get(layer.activation)
        if entry is not None and entry.slope is None:
            return f"network.layers[{number}].activation: {layer.activation}: {entry.remark}"
    return ""


def check_network(network: Network, givens: Mapping[str, Fraction]) -> None:
    """Layers that fit one another, known words, names that can be typed."""
    if network.loss is not None and network.loss not in LOSSES:
        raise ValueError(f"network.loss: unknown loss {network.loss!r}{nearest(network.loss, LOSSES)}")
    if network.loss_settings and network.loss is None:
        raise ValueError("network.loss_settings: they go with a loss; say which")
    if network.loss:
        known = LOSSES[network.loss].settings
        check_numbers(f"{network.loss} loss", known, network.loss_settings, "network.loss_settings")
    if not network.inputs or not network.layers:
        raise ValueError("network: give at least one input and one layer")
    width = len(network.inputs)
    for number, layer in enumerate(network.layers, 1):
        check_layer(layer, f"network.layers[{number}]", width, givens)
        width = len(layer.weights)
    if network.loss == "cross_entropy" and network.layers[-1].activation != "softmax":
        raise ValueError("network.loss: cross_entropy needs probabilities; give the last layer softmax")
    written = [n for layer in network.layers for n in layer.neurons or ()]
    outputs = len(network.layers[-1].weights)
    if network.targets is not None and len(network.targets) != outputs:
        names, want = counted(len(network.targets), "name"), counted(outputs, "output")
        raise ValueError(f"network.targets: {names} for {want}; give one for each")
    for place in ("inputs", "targets"):
        called = getattr(network, place) or []
        if double := next((name for name in called if called.count(name) > 1), None):
            raise ValueError(f"network.{place}: two are called {double!r}; give each a name of its own")
    for name in [
        *network.inputs,
        *(network.targets or ()),
        *(p for n in written for p in ((n.sum, n.output) if isinstance(n, Neuron) else (n,))),
    ]:
        check_name(name)
    named_network = name_network(network, dict(givens))
    if len(named_network.values) > MOST_CONNECTIONS:
        raise ValueError(f"a worksheet takes at most {MOST_CONNECTIONS:,} weights and biases")
    _check_numbering(network, givens, named_network.values)


def _check_numbering(network: Network, givens: Mapping[str, Fraction], values: Mapping[str, Fraction]) -> None:
    rows = [
        r for x in network.layers for r in (*x.weights, x.biases or [], x.thresholds or [], [x.bias] if x.bias else [])
    ]
    if len(values) < len(givens) + sum(e.name is None for row in rows for e in row):
        taken = next(n for n in givens if re.fullmatch(r"(W|b|theta)[0-9]+", n))
        raise ValueError(f"the given {taken!r} has the name of a numbered weight or bias; call it something else")


def check_layer(layer: Layer, place: str, width: int, givens: Mapping[str, Fraction]) -> None:
    """One row of weights for each neuron, each as wide as the layer before, and a bias for each or for none."""
    words = [*ACTIVATIONS, *VECTOR_ACTIVATIONS]
    if layer.activation not in words:
        raise ValueError(
            f"{place}.activation: unknown activation {layer.activation!r}{nearest(layer.activation, words)}"
        )
    if layer.activation in VECTOR_ACTIVATIONS and len(layer.weights) == 1:
        raise ValueError(
            f"{place}.activation: {layer.activation} of a single neuron is always 1; take sigmoid, or a neuron a class"
        )
    entry = ACTIVATIONS.get(layer.activation)
    if layer.alpha is not None and (entry is None or entry.parameter is None):
        raise ValueError(f"{place}.alpha: {layer.activation} has no such parameter")
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
        if all(written.name == "" for written in row):
            raise ValueError(f"{place}.weights, row {i}: a neuron needs at least one connection")
    _check_biases(layer, place, rows)
    biases = [*(layer.biases or []), *(layer.thresholds or []), *([layer.bias] if layer.bias else [])]
    for written in [e for row in layer.weights for e in row] + biases:
        _check_given(written, place, givens)


def _check_biases(layer: Layer, place: str, rows: int) -> None:
    kinds = {"biases": layer.biases, "bias": layer.bias, "thresholds": layer.thresholds}
    chosen = [kind for kind, value in kinds.items() if value is not None]
    if len(chosen) > 1:
        raise ValueError(f"{place}: give one of {' and '.join(chosen)}")
    for kind in ("biases", "thresholds"):
        entries = getattr(layer, kind)
        if entries is not None and len(entries) != rows:
            want = counted(rows, "neuron")
            raise ValueError(f"{place}.{kind}: there are {len(entries)} for {want}; give one for each, or none at all")


def _check_given(entry: Entry, place: str, givens: Mapping[str, Fraction]) -> None:
    if entry.name and entry.name not in givens:
        if not NAME.fullmatch(entry.name):
            raise ValueError(f"{place}: {entry.name[:40]!r} is neither a number nor a name{comma_hint(entry.name)}")
        hint = nearest(entry.name, givens) or "; write a number, or define it under [givens]"
        raise ValueError(f"{place}: no given is called {entry.name[:40]!r}{hint}")


def check_examples(network: Network, examples: Sequence[Example], with_targets: bool) -> None:
    """Every example as wide as the network, with targets that the loss can take; not `with_targets`, there may be none
    at all."""
    lengths = {"inputs": len(network.inputs)}
    if with_targets or any(example.targets for example in examples):
        lengths["targets"] = len(network.layers[-1].weights)
    for number, example in enumerate(examples, 1):
        for part, count in lengths.items():
            have = len(getattr(example, part))
            if have != count:
                numbers, places = counted(have, "number"), counted(count, part[:-1])
                raise ValueError(f"examples[{number}].{part}: {numbers}, but the network has {places}")
        if network.loss and LOSSES[network.loss].output and any(not 0 <= target <= 1 for target in example.targets):
            raise ValueError(f"examples[{number}].targets: with {network.loss} a target lies between 0 and 1")
