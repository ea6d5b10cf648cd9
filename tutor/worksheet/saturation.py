"""Steps rewritten where floats give way though the numbers have a value: softmax of large sums, outputs that become 0.

The values are those of the worksheet; only the way to them is another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from tutor.arithmetic.symbolic import MINUS_ONE, Symbolic, add, multiply, power, symbol, where
from tutor.maths.losses import LOSSES
from tutor.worksheet.naming import Connections
from tutor.worksheet.step import Step

Expr = Any
SOFTMAX = "softmax"


def shifted(steps: Sequence[Step]) -> Iterator[Step]:
    """Softmax by way of exp(z - the largest z), worked once for each neuron: then nothing overflows.

    a_i = exp(z_i - m)/(exp(z_1 - m) + … + exp(z_K - m)) for any m.
    """
    for sums, group in groupby(steps, lambda step: step.reason == SOFTMAX and tuple(step.slopes)):
        layer = list(group)
        yield from _shifted_layer(layer, sums) if sums else layer


def _shifted_layer(outputs: Sequence[Step], sums: Sequence[str]) -> Iterator[Step]:
    largest = sums[0]
    for name in sums[1:]:
        case = where(add(symbol(name), multiply(MINUS_ONE, symbol(largest))), symbol(name), symbol(largest))
        largest = f"largest up to {name}"
        yield Step(largest, "forward", case, "the larger of two")
    powers = [f"power of {name}" for name in sums]
    for name, below in zip(powers, sums, strict=True):
        difference = add(symbol(below), multiply(MINUS_ONE, symbol(largest)))
        yield Step(name, "forward", Symbolic.exp(difference), SOFTMAX)
    total = f"sum of the powers up to {sums[-1]}"
    yield Step(total, "forward", add(*map(symbol, powers)), "sum")
    for step, above in zip(outputs, powers, strict=True):
        yield replace(step, formula=multiply(symbol(above), power(symbol(total), MINUS_ONE)))


def collapsed(
    steps: Sequence[Step], known: Connections, loss: str, tags: Sequence[str], whole_targets: bool
) -> Iterator[Step]:
    """The gradient by the weighted sum of an output as a_j·(t_1 + … + t_K) - t_j, which divides by no output.

    With `whole_targets`, where the targets of an example add up to 1, it is a_j - t_j; a sigmoid with binary
    cross-entropy has it so in any case. `tutor.worksheet.collapse` derives it.
    """
    last = known.layers[-1]
    several = last.activation == SOFTMAX and not whole_targets
    found: dict[str, Expr] = {}
    for tag in tags if LOSSES[loss].output == last.activation else ():
        targets = [symbol(f"{target}{tag}") for target in known.targets]
        total = Step(f"sum of the targets{tag or '@1'}", "gradient", add(*targets), "sum")
        if several:
            yield total
        for neuron, target in zip(last.neurons, targets, strict=True):
            output = symbol(f"{neuron.output}{tag}")
            above = multiply(output, symbol(total.name)) if several else output
            found[f"dE{tag}/d{neuron.sum}{tag}"] = add(above, multiply(MINUS_ONE, target))
            found[f"delta_{neuron.stem}{tag}"] = add(target, multiply(MINUS_ONE, above))
    for step in steps:
        yield replace(step, formula=found[step.name]) if step.name in found and step.stage == "gradient" else step
