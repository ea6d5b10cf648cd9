"""The perceptron rule: epoch after epoch, example after example, until an epoch without error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tutor.errors import counted, nearest
from tutor.formulas.evaluate import value_of
from tutor.formulas.expressions import MINUS_ONE, ONE, ZERO, add, multiply, symbol, where
from tutor.formulas.expressions import replace as with_symbols
from tutor.formulas.parse import parse
from tutor.formulas.quantity import Role, named, owned, read_name
from tutor.maths.kind import Kind
from tutor.numbers.exact import ExactSystem, Number
from tutor.worksheet.connections import Connections, NamedNeuron, connect
from tutor.worksheet.forward import weighted_sum
from tutor.worksheet.problem import Network, Problem, Training
from tutor.worksheet.step import Conventions, Step, Worksheet, together

Expr = Any
RULE = "perceptron"
ACTIVATIONS = {"step": ZERO, "sign": MINUS_ONE}
"""What a neuron puts out when it does not fire; when it fires, 1."""
_FIRES = re.compile(r"\s*([A-Za-z]\w*)\s*(>=|>|≥)\s*(.+?)\s*")


@dataclass
class PerceptronTraining:
    """One layer of threshold neurons, trained by w + eta·(desired - output)·x."""

    network: Network
    training: Training
    problem: Problem

    def __post_init__(self) -> None:
        self.known: Connections = connect(self.network, dict(self.problem.givens))
        self.layer = self.known.layers[0]
        self.trained = self.known.parameters(self.training.update_biases)
        self.system = ExactSystem(50)

    def worksheet(self) -> Worksheet:
        values = self.values()
        known: dict[str, Number] = dict(values)
        now = {p: p for p in self.trained}
        steps: list[Step] = []
        clean, epoch = False, 0
        until_clean = self.training.stop == "clean_epoch"
        while epoch < self.training.max_epochs and not (clean and until_clean):
            epoch, clean = epoch + 1, True
            for example in range(len(self.problem.examples)):
                number = (epoch - 1) * len(self.problem.examples) + example + 1
                done = list(self.presentation(example, number, epoch, now))
                for step in done:
                    known[step.name] = value_of(step.formula, known, self.system)
                clean = clean and all(known[s.name] == 0 for s in done if s.kind is Kind.ERROR)
                steps += done
        ended = ""
        if until_clean:
            ended = f"epoch {epoch} is without error" if clean else f"no epoch without error within {epoch}"
        return Worksheet(values, tuple(steps), self.conventions(ended), "", self.known, tuple(now.items()))

    def values(self) -> dict[str, Fraction]:
        parts = []
        for number, example in enumerate(self.problem.examples, 1):
            at = number if len(self.problem.examples) > 1 else 0
            pairs = ((self.known.inputs, example.inputs), (self.known.targets, example.targets))
            parts += [{named(n, example=at): v for n, v in zip(*pair, strict=True)} for pair in pairs]
        rate = Fraction(1) if self.training.learning_rate is None else self.training.learning_rate
        return together(*parts, self.known.values, {"eta": rate})

    def presentation(self, example: int, number: int, epoch: int, now: dict[str, str]) -> Iterator[Step]:
        """One example shown to the network: sums, outputs, errors, new weights. `now` follows the parameters."""
        at = example + 1 if len(self.problem.examples) > 1 else 0
        part = f"Epoch {epoch}, example {example + 1}"
        inputs = [named(x, example=at) for x in self.known.inputs]
        changes: dict[str, list[Expr]] = {}
        rows = zip(self.layer.neurons, self.layer.weights, self.layer.biases, self.known.targets, strict=True)
        for neuron, row, bias, target in rows:
            current = [w and now.get(w, w) for w in row]
            own = "error" if len(self.layer.neurons) == 1 else owned("error", neuron.stem)
            total, output, error = (named(n, Role.PLAIN, at, number) for n in (neuron.sum, neuron.output, own))
            threshold = bias and now.get(bias, bias)
            yield replace(weighted_sum(total, inputs, current, threshold, self.layer.subtracted), part=part)
            fires, activation = self.fires(neuron, symbol(total), now), self.layer.activation
            yield Step(output, "forward", Kind.ACTIVATION, fires, activation, activation, part=part)
            difference = add(symbol(named(target, example=at)), multiply(MINUS_ONE, symbol(output)))
            yield Step(error, "loss", Kind.ERROR, difference, "desired - output", part=part)
            for weight, x in zip(row, inputs, strict=True):
                if weight in self.trained:
                    changes.setdefault(str(weight), []).append(multiply(symbol("eta"), symbol(error), symbol(x)))
            if bias in self.trained:
                change = multiply(symbol("eta"), symbol(error))
                changes.setdefault(str(bias), []).append(
                    multiply(MINUS_ONE, change) if self.layer.subtracted else change
                )
        for parameter, terms in changes.items():
            name, old = named(parameter, update=number), now[parameter]
            moved = add(symbol(old), *terms)
            yield Step(name, "update", Kind.UPDATE, moved, "perceptron rule", RULE, before=old, part=part)
            now[parameter] = name

    def fires(self, neuron: NamedNeuron, z: Expr, now: Mapping[str, str]) -> Expr:
        """1 where the neuron fires; at a tie only if the rule says so. What it compares with may itself be learned."""
        low = ACTIVATIONS[self.layer.activation]
        strict, bound = self.firing_rule(neuron)
        bound = with_symbols(bound, {symbol(first): symbol(latest) for first, latest in now.items()})
        difference = z if bound == 0 else add(z, multiply(MINUS_ONE, bound))
        if strict:
            return where(difference, ONE, low)
        return where(multiply(MINUS_ONE, z) if bound == 0 else add(bound, multiply(MINUS_ONE, z)), low, ONE)

    def firing_rule(self, neuron: NamedNeuron) -> tuple[bool, Expr]:
        """Whether the comparison is strict, and what the weighted sum is compared with."""
        if self.training.fires is None:
            return False, ZERO
        found = _FIRES.fullmatch(self.training.fires)
        if not found:
            raise ValueError(f'training.fires: write it as in "s > theta" or "s >= 0", not {self.training.fires!r}')
        names = [n.sum for n in self.layer.neurons]
        if found[1] not in (*names, "s"):
            raise ValueError(f"training.fires: {found[1]!r} is not a weighted sum{nearest(found[1], [*names, 's'])}")
        try:
            return found[2] == ">", parse(found[3], self.problem.givens)
        except ValueError as error:
            raise ValueError(f"training.fires: {error}") from None

    def conventions(self, ended: str) -> Conventions:
        rule = self.training.fires or f"{self.layer.neurons[0].sum} >= 0"
        bias = "a threshold by -eta·(desired - output)" if self.layer.subtracted else "a bias by eta·(desired - output)"
        remarks = (
            "perceptron rule: each weight changes by eta·(desired - output)·its input"
            + (f", {bias}" if any(name in self.trained for name in self.known.biases) else ""),
            f"a neuron fires where {rule}",
            f"epochs follow until one is without error, {counted(self.training.max_epochs, 'epoch')} at most"
            if self.training.stop == "clean_epoch"
            else f"{counted(self.training.max_epochs, 'epoch')}, whatever the errors",
        )
        policy = "none" if not self.known.biases else "updated" if self.training.update_biases else "not updated"
        return Conventions(
            loss="",
            loss_factor="",
            reduction="",
            batch="online",
            bias_policy=policy,
            optimizer="",
            chain="",
            remarks=remarks,
            ended=ended,
        )


def table_of(worksheet: Worksheet) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The epoch table: its columns, and for each presentation its title and the names of its values."""
    rows: dict[str, list[str]] = {}
    for step in worksheet.steps:
        rows.setdefault(step.part, []).append(step.name)
    columns = [read_name(name).plain for name in next(iter(rows.values()))]
    return columns, list(rows.items())
