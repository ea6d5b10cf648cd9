"""The forward pass of a worksheet's network for any inputs and parameters: its own steps, compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import nan

from tutor.formulas.expressions import names
from tutor.formulas.quantity import Role, read_name
from tutor.numbers.reproducible_scalars import Fast
from tutor.training.straight_line.source import forward_of
from tutor.training.straight_line.steps import OneUpdate, in_rows, shifted
from tutor.worksheet.named_network import NamedLayer
from tutor.worksheet.step import Step, Worksheet

Outputs = Callable[[Mapping[str, float], Sequence[Sequence[float]]], list[tuple[float, ...]]]


def outputs_of(worksheet: Worksheet) -> Outputs:
    """For the values of the parameters, and rows of inputs, the outputs for each row; NaN where there is none."""
    network = worksheet.network
    assert network is not None
    first = _first_of_each(worksheet)
    steps = [first[n] for layer in network.layers for what in ("sum", "output") for n in _each(layer, what)]
    made, used = {step.name for step in steps}, {name for step in steps for name in names(step.formula)}
    inputs = {quantity.base: name for name in used if (quantity := read_name(name)).base in network.inputs}
    parameters = in_rows(network)
    constants = used - made - {*inputs.values()} - {*parameters}
    update = OneUpdate(
        steps=tuple(shifted(steps)),
        rows=(tuple(inputs.get(name, name) for name in network.inputs),),
        outputs=tuple(first[neuron.output].name for neuron in network.layers[-1].neurons),
        parameters=parameters,
        becomes={},
        start={},
        constants={name: Fraction(worksheet.givens[name]) for name in constants},
    )
    run = forward_of(update, update.outputs).function(Fast)

    def outputs(known: Mapping[str, float], rows: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
        kept = tuple(known[name] for name in parameters)
        try:
            found: list[tuple[float, ...]] = run(kept, rows)
            return found
        except (ArithmeticError, ValueError):
            return [outputs(known, [row])[0] if len(rows) > 1 else (nan,) * len(update.outputs) for row in rows]

    return outputs


def _each(layer: NamedLayer, what: str) -> list[str]:
    """The names of the weighted sums, or of the outputs, of a layer."""
    return [getattr(neuron, what) for neuron in layer.neurons]


def _first_of_each(worksheet: Worksheet) -> dict[str, Step]:
    """The first step of each quantity, by its name without example and update."""
    found: dict[str, Step] = {}
    for step in worksheet.steps:
        quantity = read_name(step.name)
        if quantity.of is None and quantity.role is Role.PLAIN:
            found.setdefault(quantity.base, step)
    return found
