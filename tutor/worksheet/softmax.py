"""Softmax with cross-entropy: how the gradient by a weighted sum collapses to output minus target."""

from __future__ import annotations

from collections.abc import Sequence

from tutor.formulas.expressions import MINUS_ONE, ONE, add, multiply, names, symbol
from tutor.formulas.quantity import derivative, read_name
from tutor.maths.kind import Kind
from tutor.worksheet.derivation import Line
from tutor.worksheet.step import Step, Worksheet

SOFTMAX = "softmax"


def is_softmax(step: Step) -> bool:
    return step.kind is Kind.ACTIVATION and step.which == SOFTMAX


def collapses(worksheet: Worksheet) -> list[tuple[str, tuple[Line, ...]]]:
    """For every softmax neuron of the first round the name of the gradient and its derivation, line by line.

    Empty without softmax and cross-entropy, or where the targets do not add up to 1.
    """
    beginning = worksheet.steps[0].part
    first = [step for step in worksheet.steps if step.part == beginning and step.stage in ("forward", "loss")]
    outputs = [step for step in first if is_softmax(step)]
    loss = next((step for step in first if (step.kind, step.which) == (Kind.LOSS, "cross_entropy")), None)
    if loss is None:
        return []
    outputs = [step for step in outputs if step.name in loss.slopes]
    targets = [next(n for n in names(loss.slopes[step.name]) if n != step.name) for step in outputs]
    if not outputs or sum(worksheet.givens[t] for t in targets) != 1:
        return []
    local = {step.partial_of: step.name for step in worksheet.steps if step.partial_of}
    goal = read_name(loss.name).in_any_update  # its number stands at the end of a name only
    found = []
    for j, z in enumerate(outputs[0].slopes):
        chain = [(local[loss.name, s.name], local[s.name, z]) for s in outputs]
        found.append((derivative(goal, z), _lines(loss, outputs, targets, j, z, chain)))
    return found


def _lines(
    loss: Step, outputs: Sequence[Step], targets: Sequence[str], j: int, z: str, links: Sequence[tuple[str, str]]
) -> tuple[Line, ...]:
    a = [symbol(step.name) for step in outputs]
    t = [symbol(name) for name in targets]
    chain = [multiply(symbol(above), symbol(below)) for above, below in links]
    inserted = [multiply(loss.slopes[s.name], s.slopes[z]) for s in outputs]
    cancelled = [
        multiply(MINUS_ONE, t[i], add(ONE, multiply(MINUS_ONE, a[i]))) if i == j else multiply(t[i], a[j])
        for i in range(len(outputs))
    ]
    return (
        Line(add(*chain), "chain rule: the sum over the outputs"),
        Line(add(*inserted), "insert the local derivatives"),
        Line(add(*cancelled), "cancel each output against its own denominator"),
        Line(add(multiply(a[j], add(*t)), multiply(MINUS_ONE, t[j])), "collect what has the output in it"),
        Line(add(a[j], multiply(MINUS_ONE, t[j])), "the targets add up to 1"),
    )
