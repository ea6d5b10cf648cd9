"""Which part each quantity plays on a worksheet: what a slip needs to know before it can rewrite a formula."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from tutor.formulas.expressions import ONE, names, symbol
from tutor.maths.activations import ACTIVATIONS
from tutor.worksheet.step import Step, Worksheet

Expr = Any


class Roles:
    """Slopes, local derivatives, old and new values, and the weights of each neuron, all read off the steps."""

    def __init__(self, worksheet: Worksheet) -> None:
        self.worksheet = worksheet
        self.by_name = worksheet.by_name

    @cached_property
    def slopes(self) -> Mapping[str, tuple[str, str]]:
        """The derivatives of activations: dh1_out/dh1_in is (h1_out, h1_in)."""
        return {
            step.name: step.partial_of
            for step in self.worksheet.steps
            if step.partial_of and self.by_name[step.partial_of[0]].reason in _ACTIVATION_REASONS
        }

    def slopes_beside(self, name: str) -> list[str]:
        """The slopes of other neurons in the same example and update."""
        return [other for other in self.slopes if other != name and tag_of(other) == tag_of(name)]

    @cached_property
    def partials(self) -> Mapping[str, tuple[str, str]]:
        """Every local derivative: (A, B) for dA/dB."""
        return {step.name: step.partial_of for step in self.worksheet.steps if step.partial_of}

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Everything that training changes, in each of its versions."""
        found = {name for pair in self.worksheet.updated for name in pair}
        return frozenset(found | {*self.successors})

    @cached_property
    def successors(self) -> Mapping[str, str]:
        """The new value of every parameter: W5 is followed by W5_new."""
        return {step.before: step.name for step in self.worksheet.steps if step.before and step.stage == "update"}

    @cached_property
    def gradients(self) -> frozenset[str]:
        return frozenset(step.name for step in self.worksheet.steps if step.stage == "gradient") | frozenset(
            name for name, _, _ in self.worksheet.gradients
        )

    def other_factor(self, partial: str) -> Expr | None:
        """Of a product u·v the derivative by u is v; here the u that somebody may have taken for it."""
        outer, inner = self.partials[partial]
        formula = self.by_name[partial].formula
        single = formula.is_Symbol or formula == ONE
        return symbol(inner) if single and self.by_name[outer].reason in _SUMS else None

    def weight_rows(self, sum_name: str) -> Iterator[tuple[list[str | None], list[list[str | None]], int]]:
        """For a weighted sum its weights, those of its whole layer, and which row of them it is."""
        network = self.worksheet.network
        plain = re.sub(r"_after(?=@|\[|$)", "", sum_name)
        for layer in network.layers if network else ():
            for row, neuron in enumerate(layer.neurons):
                if base_of(neuron.sum) == base_of(plain):
                    yield list(layer.weights[row]), [list(weights) for weights in layer.weights], row

    def weights_in(self, formula: Expr) -> dict[str, str]:
        """The parameters in the formula, by the name that the network has for them: W1[2] and W1_new as W1."""
        found = {}
        for name in names(formula):
            if name in self.parameters:
                found[re.sub(r"(_new|\[[0-9]+\])$", "", name)] = name
        return found

    def stale(self, name: str) -> str | None:
        """The value before this update of something that was just worked out: m_W1 for m_W1_new."""
        if name not in self.by_name or self.by_name[name].stage != "update":
            return None
        if name.endswith("_new") and name[:-4] in self.worksheet.givens:
            return name[:-4]
        indexed = re.fullmatch(r"(.*)\[([0-9]+)\]", name)
        if not indexed:
            return None
        earlier = indexed[1] if indexed[2] == "1" else f"{indexed[1]}[{int(indexed[2]) - 1}]"
        return earlier if earlier in self.by_name or earlier in self.worksheet.givens else None


_ACTIVATION_REASONS = {*ACTIVATIONS, "softmax"}
_SUMS = ("weighted sum", "equation")


def base_of(name: str) -> str:
    """The name without its example and its update: h1_in@2[3] is h1_in."""
    return re.split(r"[@\[]", name)[0]


def tag_of(name: str) -> str:
    """The example and the update in a name, as in do_out@1/do_in@1[2]: what tells it from the same one elsewhere."""
    return "".join(dict.fromkeys(re.findall(r"@[0-9]+|\[[0-9]+\]", name)))


def activation_of(step: Step) -> str | None:
    """The name of the activation that the step applies, if it is one of a single number."""
    return step.reason if step.reason in ACTIVATIONS and step.stage in ("forward", "after") else None
