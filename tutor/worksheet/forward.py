"""The forward pass of a feed-forward network as steps: weighted sums, activations, loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from msgspec.structs import replace

from tutor.formulas.expressions import MINUS_ONE, add, formula, multiply, number, symbol
from tutor.formulas.quantity import named
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS, VectorActivation
from tutor.maths.kind import Kind
from tutor.maths.losses import LOSSES
from tutor.maths.penalties import PENALTIES
from tutor.worksheet.named_network import NamedLayer, NamedNetwork, NamedNeuron
from tutor.worksheet.problem import Network
from tutor.worksheet.step import GOAL, Step

Expr = Any


def forward_steps(network: Network, named_network: NamedNetwork, example: int = 0) -> Iterator[Step]:
    """Weighted sum and activation of every neuron, layer by layer, then the loss; the names say which `example` it is
    where that has a number."""
    inputs = tuple(named(x, example=example) for x in named_network.inputs)
    for plain in named_network.layers:
        layer = _of_example(plain, example)
        sums = [
            weighted_sum(n.sum, inputs, row, bias, layer.subtracted)
            for n, row, bias in zip(layer.neurons, layer.weights, layer.biases, strict=True)
        ]
        if layer.activation in VECTOR_ACTIVATIONS:
            yield from sums
            yield from activate_together(layer.neurons, VECTOR_ACTIVATIONS[layer.activation])
        else:
            for neuron, step in zip(layer.neurons, sums, strict=True):
                yield step
                yield activate(neuron, layer.activation, layer.alpha)
        inputs = tuple(neuron.output for neuron in layer.neurons)
    if network.loss:
        targets = [named(t, example=example) for t in named_network.targets]
        yield loss_step(network.loss, network.loss_numbers, inputs, targets, named(GOAL, example=example))


def _of_example(layer: NamedLayer, example: int) -> NamedLayer:
    pairs = [(named(n.sum, example=example), named(n.output, example=example)) for n in layer.neurons]
    neurons = tuple(NamedNeuron(n.stem, *pair) for n, pair in zip(layer.neurons, pairs, strict=True))
    return replace(layer, neurons=neurons)


def weighted_sum(
    name: str, inputs: Sequence[str], row: Sequence[str | None], bias: str | None, subtracted: bool = False
) -> Step:
    terms = [multiply(symbol(w), symbol(x)) for w, x in zip(row, inputs, strict=True) if w is not None]
    if bias is not None:
        terms.append(multiply(MINUS_ONE, symbol(bias)) if subtracted else symbol(bias))
    return Step(name, "forward", Kind.WEIGHTED_SUM, add(*terms), "weighted sum")


def activate(neuron: NamedNeuron, name: str, alpha: Fraction = Fraction(1)) -> Step:
    """The output of one neuron. The slope is None where the activation has no useful one."""
    activation = ACTIVATIONS[name]
    z, a = symbol(neuron.sum), symbol(neuron.output)
    extra = (number(alpha),) if activation.parameter else ()
    slope = activation.slope and formula(activation.slope, z, a, *extra)
    return Step(
        neuron.output,
        "forward",
        Kind.ACTIVATION,
        formula(activation.value, z, *extra),
        activation.name,
        activation.name,
        slopes={} if slope is None else {neuron.sum: slope},
        bridge=tuple((why, formula(body, z)) for why, body in activation.bridge),
    )


def activate_together(neurons: Sequence[NamedNeuron], activation: VectorActivation) -> Iterator[Step]:
    """The outputs of a layer whose activation takes all its weighted sums, with the Jacobian as their slopes."""
    sums, outputs = [symbol(n.sum) for n in neurons], [symbol(n.output) for n in neurons]
    for i, neuron in enumerate(neurons):
        value = formula(lambda *a, i=i: activation.value(a[:-1], i, a[-1]), *sums, key=(activation.name, i, len(sums)))
        slopes = {
            other.sum: formula(
                lambda *a, i=i, j=j: activation.slope(a[:-1], i, j, a[-1]),
                *outputs,
                key=(activation.name, "slope", i, j, len(sums)),
            )
            for j, other in enumerate(neurons)
        }
        yield Step(neuron.output, "forward", Kind.ACTIVATION, value, activation.name, activation.name, slopes)


def loss_step(
    loss_name: str, settings: Iterable[Fraction], outputs: Sequence[str], targets: Sequence[str], name: str = GOAL
) -> Step:
    loss, numbers = LOSSES[loss_name], [*map(number, settings)]
    pairs = [(symbol(y), symbol(t)) for y, t in zip(outputs, targets, strict=True)]
    share = Fraction(1, len(pairs)) if loss.mean else Fraction(1)
    total = add(*(formula(loss.term, y, t, *numbers) for y, t in pairs))
    slopes = {y.name: scaled(share, formula(loss.slope, y, t, *numbers)) for y, t in pairs}
    return Step(name, "loss", Kind.LOSS, scaled(share, total), loss.name.replace("_", " "), loss.name, slopes)


def penalty_terms(
    penalties: Mapping[str, Sequence[Fraction]], weights: Sequence[str]
) -> tuple[list[Expr], dict[str, Expr]]:
    """For penalties with their settings the terms added to the loss, and their derivative by each weight."""
    terms, slopes = [], dict.fromkeys(weights, sympy.S.Zero)
    for name, settings in penalties.items():
        penalty, strength, numbers = PENALTIES[name], symbol(name), [*map(number, settings)]
        terms.append(multiply(strength, add(*(formula(penalty.term, symbol(w), *numbers) for w in weights))))
        for w in weights:
            slope = multiply(strength, formula(penalty.slope, symbol(w), *numbers))
            slopes[w] = slope if slopes[w] == 0 else add(slopes[w], slope)
    return terms, slopes


def reduction(name: str, stage: str, formula: Expr, how: str) -> Step:
    """What the examples of a batch come to: their `sum` or `mean`, or what the only one has."""
    reason = f"{how} over the examples" if how else "the only example of its batch"
    return Step(name, stage, Kind.REDUCTION, formula, reason, how)


def scaled(share: Fraction, expression: Expr) -> Expr:
    """share · expression, written only where it says something."""
    return expression if share == 1 else multiply(number(share), expression)
