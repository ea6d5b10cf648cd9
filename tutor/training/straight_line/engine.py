"""A small network, or any network of a lesson, as straight-line code that a trainer can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import repeat
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tutor.maths.losses import LOSSES
from tutor.numbers.arrays import ReproducibleFloat
from tutor.numbers.reproducible_scalars import Fast, Fastest, Reproducible
from tutor.training.layer_measures import LayerState
from tutor.training.learning import EVERY_LAYER, Learning
from tutor.training.matrix.optimizer import rates_in
from tutor.training.straight_line.layer_states import layer_states
from tutor.training.straight_line.program import program_of
from tutor.training.straight_line.source import Epoch, Run
from tutor.training.straight_line.steps import COUNT, worksheet_of_update
from tutor.worksheet.computation import TrainingState
from tutor.worksheet.perceptron import RULE
from tutor.worksheet.problem import Example, Optimization, Problem
from tutor.worksheet.step import Worksheet

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles, Floats, Indices
    from tutor.worksheet.step import Worksheet


System = Any


class StraightLineEngine:
    """Straight-line code with the schedule of its learning rate."""

    name: Literal["matrix", "straight-line"] = "straight-line"

    def __init__(self, line: StraightLine, training: Optimization, system: System) -> None:
        self.line, self.training, self.system = line, training, system

    @property
    def vector(self) -> Floats:
        return self.line.vector

    @property
    def updates(self) -> int:
        return self.line.updates

    @property
    def failed(self) -> str:
        return self.line.failed

    def run(self, first: int, permutations: Indices) -> list[float]:
        """One epoch for each order, a row each, the first of them numbered `first`; the loss of each."""
        return self.line.run(permutations, rates_in(self.training, first - 1, len(permutations), self.system))

    def outputs(self, rows: Floats, indices: Indices) -> Floats:
        """What the network says to the examples in these rows, each of which ends in a 1: (outputs, examples)."""
        return self.line.outputs(rows[indices, :-1].T)

    def loss_inputs(self, rows: Floats, indices: Indices) -> Floats:
        """What the loss of these examples is worked from: the last weighted sums, or the outputs."""
        return self.line.loss_inputs(rows[indices, :-1].T)

    def layer_states(self, most: int | None = None) -> list[LayerState]:
        """Every layer by all examples of the training part, or by the first so many."""
        return self.line.layer_states(self.system, most)

    def worksheet(self, group: Indices, epoch: int, chain: str | None) -> Worksheet:
        """The exact worksheet of the next update, by these examples of the training part in that epoch (from 1)."""
        return self.line.worksheet(group.tolist(), epoch - 1, chain)

    def state(self) -> dict[str, Any]:
        """Everything that goes on from here, by name."""
        return {"vector": self.vector, **self.line.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there. Raises KeyError or ValueError where something is missing or of another size."""
        self.line.vector = state["vector"]
        self.line.restore(state)


UNDEFINED = (ArithmeticError, ValueError)
FUNCTIONS: dict[str, tuple[type, type]] = {"fast": (Fastest, Fast), "reproducible": (Reproducible, Reproducible)}
"""The functions that are tried first, and those that have a value nearly everywhere. Where both have one it is the
same, so no result depends on when a training changes from one to the other."""


class StraightLine:
    """A network whose update is straight-line code compiled from its worksheet.

    `parameters` has the names of what is trained: layer by layer, neuron by neuron, a bias after its weights. A
    gradient step is worked as w - (eta·delta)·x where the worksheet writes w - eta·(delta·x). `failed` says at which
    update a training came to its end, and why, once a loss is not finite.
    """

    name = "straight-line"

    def __init__(
        self,
        problem: Problem,
        x: Floats,
        targets: Doubles,
        batch_size: int,
        arithmetic: str,
        learning: Learning = EVERY_LAYER,
    ) -> None:
        training = problem.training
        self.problem, self.updates, self.failed = problem, 0, ""
        self._rows = [tuple(row) for row in np.vstack([x, targets]).T.tolist()]
        self._inputs = len(x)
        self._counts_errors = training is not None and training.rule == RULE
        self._size = 1 if self._counts_errors else min(batch_size, len(self._rows))
        whole = bool((np.sum(targets, axis=0) == 1).all())
        self._left = len(self._rows) % self._size
        self._program = program = program_of(problem, self._size, self._left, whole, learning)
        self._loop, self._functions = program.loop, FUNCTIONS[arithmetic]
        self._run: Run = program.run(self._functions[0])
        self.parameters, before = program.full.parameters, program.full.updates
        start = program.start(problem) | {COUNT: float(before)}
        start |= {
            name: ReproducibleFloat(program.full.constants[base]) ** before for name, base in self._loop.powers.items()
        }
        self._kept = tuple(start[name] for name in self._loop.kept)

    @property
    def vector(self) -> Floats:
        """The values of the parameters, in their order; what is assigned to it is copied."""
        return np.array(self._kept[: len(self.parameters)])

    @vector.setter
    def vector(self, values: Floats) -> None:
        count = len(self.parameters)
        if len(values) != count:
            raise ValueError(f"there are {count} parameters, not {len(values)}")
        self._kept = (*np.asarray(values, dtype=np.float64).tolist(), *self._kept[count:])

    def state(self) -> dict[str, Any]:
        """The number of updates and the states of the optimizer."""
        names = self._loop.kept[len(self.parameters) :]
        return {"updates": self.updates, "states": dict(zip(names, self._kept[len(self.parameters) :], strict=True))}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state. Raises KeyError where it is that of another optimizer."""
        names = self._loop.kept[len(self.parameters) :]
        states = [float(state["states"][name]) for name in names]
        self._kept, self.updates = (*self._kept[: len(self.parameters)], *states), int(state["updates"])

    def run(self, permutations: Indices | Sequence[Sequence[int]], rates: Sequence[float]) -> list[float]:
        """Train an epoch for each order of the examples and its learning rate; the loss of each of them.

        The loss of an epoch is the mean over its examples of what each lost before its update, without penalties; with
        the perceptron rule it is the number of examples that got a wrong output, and an epoch without any is the last
        where the lesson says so. A loss that is not finite is the last one; the parameters are then those before the
        update that `failed` names. Orders hold every example, or the first few full groups of an epoch.
        """
        if len(permutations) != len(rates):
            raise ValueError(f"{len(permutations)} epochs have {len(rates)} learning rates")
        epochs = self._epochs(_lists(permutations), rates)
        try:
            kept, losses = self._run(self._kept, self._rows, epochs)
        except UNDEFINED:
            self._run = self._program.run(self._functions[1])
            try:
                kept, losses = self._run(self._kept, self._rows, epochs)
            except UNDEFINED:
                return self._up_to_failure(epochs)
        if losses and not isfinite(losses[-1]):
            return self._up_to_failure(epochs)
        self._kept = kept
        self.updates += sum(_updates(epoch) for epoch in epochs[: len(losses)])
        return list(losses)

    def outputs(self, x: Floats) -> Floats:
        """The outputs, (outputs, examples), for the examples in the columns of x, (features, examples)."""
        return self._worked(self._program.single.outputs, x)

    def loss_inputs(self, x: Floats) -> Floats:
        """What the loss is worked from, (outputs, examples): the last weighted sums where it takes outputs for
        probabilities, else the outputs."""
        network = self.problem.network
        assert network is not None
        by_sums = (
            network.loss and not self._counts_errors and LOSSES[network.loss].output == network.layers[-1].activation
        )
        single = self._program.single
        return self._worked(single.sums if by_sums else single.outputs, x)

    def _worked(self, names: Sequence[str], x: Floats) -> Floats:
        parameters = self._kept[: len(self.parameters)]
        missing = (0.0,) * (len(self._rows[0]) - self._inputs)
        return np.array(self._forward(names)(parameters, [(*row, *missing) for row in x.T.tolist()])).T

    def layer_states(self, system: System, most: int | None = None) -> list[LayerState]:
        """Every layer by the first so many of the examples that it is trained on. What has no value is NaN."""
        rows, single = self._rows[:most], self._program.single
        layers = single.layers
        names = [*dict.fromkeys(name for one in layers for name in (*one.sums, *one.outputs, *one.signals))]
        try:
            found = np.array(self._forward(names)(self._kept[: len(self.parameters)], rows)).T
        except UNDEFINED:
            found = np.full((len(names), len(rows)), nan)
        values = {name: float(value) for name, value in single.constants.items()}
        values |= dict(zip(self.parameters, self._kept, strict=False))
        x = np.array([row[: self._inputs] for row in rows]).T
        return layer_states(layers, values, dict(zip(names, found, strict=True)), x, system)

    def worksheet(self, group: Sequence[int], epoch: int, chain: str | None = None) -> Worksheet:
        """The exact worksheet of the next update, by the examples of the group in that epoch (from 0)."""
        values = {name: Fraction(value) for name, value in zip(self._loop.kept, self._kept, strict=True)}
        rows = [[Fraction(number) for number in self._rows[i]] for i in group]
        examples = [Example(row[: self._inputs], row[self._inputs :]) for row in rows]
        return worksheet_of_update(
            self.problem, examples, TrainingState(self._program.full.updates + self.updates, epoch, values), chain
        )

    def _forward(self, names: Sequence[str]) -> Run:
        return self._program.forward(tuple(names), self._functions[1])

    def _epochs(self, permutations: Sequence[list[int]], rates: Sequence[float]) -> Sequence[Epoch]:
        counts = repeat(1.0) if self._counts_errors else map(float, map(len, permutations))
        if self._size == 1:
            return list(zip(permutations, repeat(()), counts, rates, strict=False))
        found: list[Epoch] = []
        for order, count, rate in zip(permutations, counts, rates, strict=False):
            full = len(order) // self._size * self._size
            if len(order) - full not in (0, self._left):
                raise ValueError(f"the last {len(order) - full} examples of an epoch are no group of this training")
            groups = list(zip(*[iter(order)] * self._size, strict=False))
            found.append((groups, order[full:], count, rate))
        return found

    def _up_to_failure(self, epochs: Sequence[Epoch]) -> list[float]:
        """The same once more, the last epoch update by update, up to the one that has no finite loss."""
        losses: list[float] = []
        for epoch in epochs:
            try:
                kept, found = self._run(self._kept, self._rows, [epoch])
            except UNDEFINED:
                found = [nan]
            if not isfinite(found[0]):
                return [*losses, self._first_failure(epoch)]
            losses += found
            self._kept, self.updates = kept, self.updates + _updates(epoch)
        return losses

    def _first_failure(self, epoch: Epoch) -> float:
        """Go on up to the update that fails, say so in `failed`, and return the loss that it leads to."""
        order, rest, _, rate = epoch
        pieces: list[Epoch] = [([group], (), 1.0, rate) for group in order]
        pieces += [((), rest, 1.0, rate)] if rest else []
        for piece in pieces:
            number = self.updates + 1
            try:
                kept, (loss,) = self._run(self._kept, self._rows, [piece])
            except UNDEFINED as error:
                why = (
                    "divides by zero" if isinstance(error, ZeroDivisionError) else "has no value that a float can hold"
                )
                self.failed = f"update {number}: {self._loop.step_of(error)} {why}"
                return nan
            if not isfinite(loss):
                self.failed = f"update {number}: the loss is {loss}"
                return float(loss)
            self._kept, self.updates = kept, number
        self.failed = f"update {self.updates}: the sum of the losses is too large for a float"
        return nan


def _lists(permutations: Indices | Sequence[Sequence[int]]) -> Sequence[list[int]]:
    """Plain lists: the numbers of an array are slow as indices."""
    if isinstance(permutations, np.ndarray):
        found: list[list[int]] = permutations.tolist()
        return found
    return [order.tolist() if isinstance(order, np.ndarray) else list(order) for order in permutations]


def _updates(epoch: Epoch) -> int:
    return len(epoch[0]) + bool(epoch[1])
