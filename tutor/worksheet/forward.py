"""The forward pass of a feed-forward network as steps: weighted sums, activations, loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from tutor.arithmetic.symbolic import add, formula, multiply, symbol
from tutor.maths.activations import ACTIVATIONS, Activation
from tutor.maths.losses import LOSSES
from tutor.worksheet.naming import Connections, NamedNeuron
from tutor.worksheet.problem import Network
from tutor.worksheet.step import Step

Expr = Any


def forward_steps(network: Network, connections: Connections) -> Iterator[Step]:
    """Weighted sum and activation of every neuron, layer by layer, then the loss `E`."""
    inputs = tuple(network.inputs)
    for layer in connections.layers:
        activation = ACTIVATIONS[layer.activation]
        for neuron, row, bias in zip(layer.neurons, layer.weights, layer.biases, strict=True):
            yield weighted_sum(neuron.sum, inputs, row, bias)
            yield activate(neuron, activation)
        inputs = tuple(neuron.output for neuron in layer.neurons)
    yield loss_step(network.loss, inputs, connections.targets)


def weighted_sum(name: str, inputs: Sequence[str], row: Sequence[str | None], bias: str | None) -> Step:
    terms = [multiply(symbol(w), symbol(x)) for w, x in zip(row, inputs, strict=True) if w is not None]
    if bias is not None:
        terms.append(symbol(bias))
    return Step(name, "forward", add(*terms), "weighted sum")


def activate(neuron: NamedNeuron, activation: Activation) -> Step:
    z, a = symbol(neuron.sum), symbol(neuron.output)
    return Step(
        neuron.output,
        "forward",
        formula(activation.value, z),
        activation.name,
        slopes={neuron.sum: formula(activation.slope, z, a)},
        bridge=tuple((why, formula(body, z)) for why, body in activation.bridge),
    )


def loss_step(loss_name: str, outputs: Sequence[str], targets: Sequence[str]) -> Step:
    loss = LOSSES[loss_name]
    pairs = [(symbol(y), symbol(t)) for y, t in zip(outputs, targets, strict=True)]
    share = Fraction(1, len(pairs)) if loss.mean else Fraction(1)
    total = add(*(formula(loss.term, y, t) for y, t in pairs))
    slopes = {y.name: scaled(share, formula(loss.slope, y, t)) for y, t in pairs}
    return Step("E", "loss", scaled(share, total), loss.name.replace("_", " "), slopes=slopes)


def scaled(share: Fraction, expression: Expr) -> Expr:
    """share · expression, written only where it says something."""
    import sympy

    return expression if share == 1 else multiply(sympy.Rational(share.numerator, share.denominator), expression)
