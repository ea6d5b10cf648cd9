"""The perceptron rule: epoch after epoch, example after example, until an epoch without error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from msgspec import Struct
from msgspec.structs import replace as changed

from tutor.errors import counted, nearest
from tutor.formulas.evaluate import value_of
from tutor.formulas.expressions import MINUS_ONE, ONE, ZERO, add, multiply, symbol, where
from tutor.formulas.parse import parse
from tutor.formulas.quantity import named, owned, read_name
from tutor.maths.kind import Kind
from tutor.numbers.exact import ExactSystem, Number
from tutor.worksheet.computation import Computation, Descent, ForwardPass, PlannedUpdate, TrainingState
from tutor.worksheet.forward import weighted_sum
from tutor.worksheet.named_network import NamedLayer, NamedNetwork, NamedNeuron
from tutor.worksheet.network import inputs_and_targets, known_at, number_of
from tutor.worksheet.problem import Network, Problem, Training
from tutor.worksheet.step import Conventions, Step, Worksheet, merged

Expr = Any
RULE = "perceptron"
ACTIVATIONS = {"step": ZERO, "sign": MINUS_ONE}
"""What a neuron puts out when it does not fire; when it fires, 1."""
_FIRES = re.compile(r"\s*([A-Za-z]\w*)\s*(>=|>|≥)\s*(.+?)\s*")


def perceptron_computation(
    problem: Problem, network: Network, training: Training, at: TrainingState | None = None
) -> Computation:
    """One layer of threshold neurons, shown one example after the other: w + eta·(desired - output)·x."""
    training_state = at or TrainingState()
    rule = Rule(known_at(training_state, problem, network), training, dict(problem.givens))
    count = len(problem.examples)
    forwards = [rule.forward(number_of(example, count)) for example in range(count)]
    pairs = inputs_and_targets(problem, rule.known)
    with_rate = changed(
        training, learning_rate=Fraction(1) if training.learning_rate is None else training.learning_rate
    )
    givens = [*(values for pair in pairs for values in pair), rule.known.values]
    epochs, ended = _epochs(forwards, merged(*givens), with_rate)
    planned = [
        PlannedUpdate(k, f"Epoch {epoch + 1}, example {k + 1}", epoch) for epoch in range(epochs) for k in range(count)
    ]
    descent = Descent(with_rate, "training", planned, training_state, numbered=True)
    return Computation(givens, forwards, list(forwards[0].moves), rule.conventions(ended), rule.known, descent)


def _epochs(forwards: Sequence[ForwardPass], values: Mapping[str, Number], training: Training) -> tuple[int, str]:
    """How many epochs there are, and what came of them where they end with the first that has no error."""
    system, known, rate = ExactSystem(50), dict(values), training.rate
    for epoch in range(1, training.max_epochs + 1):
        clean = True
        for forward in forwards:
            for step in forward.steps:
                known[step.name] = value_of(step.formula, known, system)
            clean = clean and all(known[step.name] == 0 for step in forward.steps if step.kind is Kind.ERROR)
            moves = {p: value_of(add(*terms), known, system) for p, terms in forward.moves.items()}
            known |= {p: known[p] + rate * move for p, move in moves.items()}
        if clean and training.stop == "clean_epoch":
            return epoch, f"epoch {epoch} is without error"
    last = training.max_epochs
    return last, f"no epoch without error within {last}" if training.stop == "clean_epoch" else ""


class Rule(Struct, frozen=True):
    """How the neurons of a layer fire, and by what each example moves their weights."""

    known: NamedNetwork
    training: Training
    givens: Mapping[str, Fraction]

    @property
    def layer(self) -> NamedLayer:
        return self.known.layers[0]

    @property
    def trained(self) -> list[str]:
        return self.known.parameters(self.training.update_biases)

    def forward(self, example: int) -> ForwardPass:
        """One example shown to the network: sums, outputs, errors, and what these move."""
        inputs, trained = [named(x, example=example) for x in self.known.inputs], self.trained
        steps: list[Step] = []
        moves: dict[str, list[Expr]] = {}
        rows = zip(self.layer.neurons, self.layer.weights, self.layer.biases, self.known.targets, strict=True)
        for neuron, row, bias, target in rows:
            own = "error" if len(self.layer.neurons) == 1 else owned("error", neuron.stem)
            total, output, error = (named(n, example=example) for n in (neuron.sum, neuron.output, own))
            steps.append(weighted_sum(total, inputs, row, bias, self.layer.subtracted))
            fires, activation = self.fires(neuron, symbol(total)), self.layer.activation
            steps.append(Step(output, "forward", Kind.ACTIVATION, fires, activation, activation))
            difference = add(symbol(named(target, example=example)), multiply(MINUS_ONE, symbol(output)))
            steps.append(Step(error, "loss", Kind.ERROR, difference, "desired - output"))
            for weight, x in zip(row, inputs, strict=True):
                if weight in trained:
                    moves.setdefault(str(weight), []).append(multiply(symbol(error), symbol(x)))
            if bias in trained:
                moved = multiply(MINUS_ONE, symbol(error)) if self.layer.subtracted else symbol(error)
                moves.setdefault(str(bias), []).append(moved)
        return ForwardPass("", steps, moves=moves)

    def fires(self, neuron: NamedNeuron, z: Expr) -> Expr:
        """1 where the neuron fires; at a tie only if the rule says so. What it compares with may itself be learned."""
        low = ACTIVATIONS[self.layer.activation]
        strict, bound = self.firing_rule(neuron)
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
            return found[2] == ">", parse(found[3], self.givens)
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
