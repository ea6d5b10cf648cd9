"""A network with its examples as a computation: the forward pass of every update, up to its loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from tutor.errors import listed
from tutor.formulas.expressions import add, symbol
from tutor.formulas.quantity import named, owned
from tutor.worksheet.computation import Computation, Descent, ForwardPass, PlannedUpdate, TrainingState
from tutor.worksheet.conventions import of_network, of_optimization
from tutor.worksheet.delta_rule import RULE as DELTA_RULE
from tutor.worksheet.forward import forward_steps, penalty_terms, reduction, scaled
from tutor.worksheet.named_network import NamedNetwork, name_network
from tutor.worksheet.network_rules import why_no_gradient
from tutor.worksheet.problem import Network, Problem, Training
from tutor.worksheet.step import GOAL, Step


def network_computation(problem: Problem, network: Network, at: TrainingState | None = None) -> Computation:
    """The forward passes of all updates, or, without [training], of all examples once."""
    training = problem.training or Training()
    training_state = at or TrainingState(training.made_before)
    known = known_at(training_state, problem, network)
    frozen = {name for name, rate in training.rates.items() if rate == 0}
    trained = [p for p in known.parameters(training.update_biases) if known.layer_of(p) not in frozen]
    batches = Batches(network, known, training, trained, len(problem.examples))
    forwards = [batches.forward(group) for group in batches.groups]
    conventions = of_network(problem, network, known, trained)
    computation = Computation(batches.givens(problem), forwards, trained, conventions, known)
    if problem.training is None:
        return computation
    again = batches.again(forwards)
    losses = [step.name for step in again if step.stage == "loss"]
    descent = Descent(
        training,
        "training",
        list(batches.planned(training_state.epoch)),
        training_state,
        again,
        losses if batches.in_parts else list(dict.fromkeys(forward.goal for forward in forwards)),
        {p: training.rates[known.layer_of(p)] for p in trained if known.layer_of(p) in training.rates},
        known.weights if training.proximal_penalties else [],
    )
    return replace(computation, conventions=of_optimization(conventions, training), descent=descent)


def known_at(training_state: TrainingState, problem: Problem, network: Network) -> NamedNetwork:
    """The network with its names, and with the values that it has at that moment of its training."""
    known = name_network(network, dict(problem.givens))
    known.values |= {name: value for name, value in training_state.values.items() if name in known.values}
    if not any(example.targets for example in problem.examples):
        known.targets = ()  # a network that is only run forward
    return known


def number_of(example: int, count: int) -> int:
    """The number that the names of an example have, from 1; 0 where it is the only one of `count`."""
    return example + 1 if count > 1 else 0


def inputs_and_targets(problem: Problem, known: NamedNetwork) -> list[tuple[dict[str, Fraction], ...]]:
    """The values that every example has for the inputs and for the targets of the network, by their names."""
    found = []
    for k, example in enumerate(problem.examples):
        at, pairs = (
            number_of(k, len(problem.examples)),
            ((known.inputs, example.inputs), (known.targets, example.targets)),
        )
        found.append(tuple({named(n, example=at): v for n, v in zip(*pair, strict=True)} for pair in pairs))
    return found


class Batches(Struct, frozen=True):
    """How the `count` examples of a network come to updates, and the forward pass of each."""

    network: Network
    known: NamedNetwork
    training: Training
    trained: Sequence[str]
    count: int

    @property
    def size(self) -> int:
        """The number of examples of an update."""
        return self.training.batch_size(self.count)

    @property
    def in_parts(self) -> bool:
        """Whether updates have several examples, but not all: then E of one update is not that of another."""
        return 1 < self.size < self.count

    @property
    def groups(self) -> list[Sequence[int]]:
        """The examples of every update of an epoch."""
        return [range(self.count)[first : first + self.size] for first in range(0, self.count, self.size)]

    def planned(self, epoch: int) -> Iterator[PlannedUpdate]:
        """All updates of the training, which begins in that epoch (from 0)."""
        groups, epochs = self.groups, self.training.epochs
        for k in range(len(groups) * epochs):
            done, place = divmod(k, len(groups))
            numbers = listed([str(example + 1) for example in groups[place]])
            some = f", example{'s'[: len(groups[place]) - 1]} {numbers}" if len(groups) > 1 else ""
            told = f" (epoch {done + 1})" if len(groups) > 1 and epochs > 1 else ""
            yield PlannedUpdate(place, f"Update {k + 1}{some}{told}", epoch + done)

    def forward(self, group: Sequence[int]) -> ForwardPass:
        """The forward pass of each example of the group, and the loss of the group with its penalty."""
        steps, errors = self._examples(group), [self._error(example) for example in group]
        if why_no_gradient(self.network):
            return ForwardPass(
                GOAL, [*steps, *([self._batch_loss(errors)] if self.network.loss and self.size > 1 else [])]
            )
        deltas = self._deltas(group) if self.training.rule == DELTA_RULE else {}
        if self.size > 1:
            return ForwardPass(GOAL, [*steps, self._batch_loss(errors)], errors, self._share(errors), deltas=deltas)
        steps = [self._penalised(step) if step.stage == "loss" else step for step in steps]
        return ForwardPass(errors[0], steps, errors, deltas=deltas)

    def again(self, forwards: Sequence[ForwardPass]) -> list[Step]:
        """The forward pass of all examples, and their loss together where every update is by all of them."""
        if self.in_parts:
            return self._examples(range(self.count))
        return [step for forward in forwards for step in forward.steps]

    def givens(self, problem: Problem) -> list[Mapping[str, Fraction]]:
        """The inputs and targets of every example, the weights and biases, and the strengths of the penalties."""
        examples = inputs_and_targets(problem, self.known)
        return [*(x for x, _ in examples), self.known.values, *(t for _, t in examples), self.training.penalties]

    def _examples(self, group: Sequence[int]) -> list[Step]:
        return [s for k in group for s in forward_steps(self.network, self.known, number_of(k, self.count))]

    def _error(self, example: int) -> str:
        return named(GOAL, example=number_of(example, self.count))

    def _deltas(self, group: Sequence[int]) -> dict[str, str]:
        neurons = [neuron for layer in self.known.layers for neuron in layer.neurons]
        numbers = [number_of(example, self.count) for example in group]
        return {named(n.sum, example=k): named(owned("delta", n.stem), example=k) for k in numbers for n in neurons}

    def _share(self, errors: Sequence[str]) -> Fraction:
        return Fraction(1, len(errors)) if self.training.over_examples == "mean" else Fraction(1)

    def _batch_loss(self, errors: Sequence[str]) -> Step:
        """E of a batch: the mean or the sum of the errors of its examples."""
        total = scaled(self._share(errors), add(*map(symbol, errors)))
        return self._penalised(reduction(GOAL, "loss", total, "" if len(errors) == 1 else self.training.over_examples))

    def _penalised(self, loss: Step) -> Step:
        """The loss with those penalties added that the gradient knows, and not those that act after the step."""
        training = self.training
        known = {p: training.numbers_of(p) for p in training.penalties if p not in training.proximal_penalties}
        if not known:
            return loss
        terms, slopes = penalty_terms(known, [w for w in self.known.weights if w in self.trained])
        return replace(loss, formula=add(loss.formula, *terms), slopes={**loss.slopes, **slopes})
