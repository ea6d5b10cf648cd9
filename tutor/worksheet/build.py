"""From what a lesson asks for to its worksheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tutor.errors import listed
from tutor.formulas.quantity import after, named
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.penalties import PENALTIES
from tutor.worksheet.batch import OnePass, Passes
from tutor.worksheet.chain_rule import MOST_PATHS
from tutor.worksheet.connections import Connections, connect
from tutor.worksheet.delta_rule import RULE as DELTA_RULE
from tutor.worksheet.equations import free_worksheet, minimize_worksheet
from tutor.worksheet.network_rules import why_no_gradient
from tutor.worksheet.perceptron import RULE, PerceptronTraining
from tutor.worksheet.problem import Network, Problem, Training
from tutor.worksheet.step import GOAL, Conventions, Step, Worksheet
from tutor.worksheet.update import Update, together, with_optimization
from tutor.worksheet.updates import after_steps, claims, new_names, numbered


def build(problem: Problem, chain: str | None = None) -> Worksheet:
    """The worksheet of a network, of free equations, or of a function to minimise.

    `chain` is `full` (every path written out) or `delta` (each result's gradient is used again), the problem's own
    where none is given.
    """
    wanted = chain or problem.chain
    if problem.minimize is not None:
        return minimize_worksheet(problem.minimize, problem.givens)
    if problem.network is None:
        return free_worksheet(problem, wanted)
    if problem.training is not None and problem.training.rule == RULE:
        return PerceptronTraining(problem.network, problem.training, problem).worksheet()
    return NetworkBuilder(problem.network, problem, wanted).worksheet()


@dataclass(frozen=True)
class Moment:
    """Where in a training a worksheet begins: after so many `updates`, in which `epoch` (from 0), and the values that
    parameters and the optimizer's states have by then, where they are no longer those of the beginning."""

    updates: int = 0
    epoch: int = 0
    values: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass
class NetworkBuilder:
    """A network, its examples and how it is trained, on the way to becoming steps."""

    network: Network
    problem: Problem
    chain: str
    at: Moment | None = None

    def __post_init__(self) -> None:
        self.training = self.problem.training or Training()
        self.moment = self.at or Moment(self.training.made_before)
        self.known: Connections = connect(self.network, dict(self.problem.givens))
        self.known.values |= {name: v for name, v in self.moment.values.items() if name in self.known.values}
        self.count = len(self.problem.examples)
        if not any(example.targets for example in self.problem.examples):
            self.known.targets = ()  # a network that is only run forward
        frozen = {name for name, rate in self.training.rates.items() if rate == 0}
        every = self.known.parameters(self.training.update_biases)
        self.trained = [p for p in every if self.known.layer_of(p) not in frozen]
        self.passes = Passes(self.network, self.known, self.training, self.trained, self.count, self.chain)

    def worksheet(self) -> Worksheet:
        if self.problem.training is not None:
            return self.trained_worksheet()
        if why_no_gradient(self.network):
            run = OnePass(GOAL, self.passes.after(), set(), "")
            return Worksheet(self.values(), tuple(run.steps), self.conventions(run), network=self.known)
        made = self.passes.whole(tuple(range(self.count)))
        reached = [p for p in self.trained if p in made.reached]
        gradients = tuple(claims(made.goal, reached, 0))
        return Worksheet(
            self.values(), tuple(made.steps), self.conventions(made), made.goal, self.known, gradients=gradients
        )

    def trained_worksheet(self) -> Worksheet:
        """As many updates as are asked for, and the forward pass after them."""
        training, groups = self.training, self.groups()
        templates = {group: self.passes.whole(group) for group in dict.fromkeys(groups)}
        reached = [p for p in self.trained if p in templates[groups[0]].reached]
        per_epoch = len(groups) // training.epochs
        steps: list[Step] = []
        many = len(groups) > 1
        gradients: list[tuple[str, str, str]] = []
        first: dict[str, str] = {}
        shrunk = self.known.weights if training.proximal_penalties else []
        for k, group in enumerate(groups, 1):
            template = templates[group]
            update = Update(training, template.goal, reached, self.factors(reached), shrunk, template.changes)
            whole = [*template.steps, *update.steps(self.moment.updates + k, self.moment.epoch + (k - 1) // per_epoch)]
            steps += numbered(whole, update.kept, k, self.title(k, group, per_epoch)) if many else whole
            gradients += claims(template.goal, reached, k if many else 0)
            for step in template.steps:
                first.setdefault(step.name, named(step.name, update=k if many else 0))
        last, forward = new_names(reached, len(groups)), self.passes.after()
        losses = [step.name for step in forward if step.stage == "loss"]
        goals = losses if self.passes.in_parts else dict.fromkeys(template.goal for template in templates.values())
        started = {n: self.moment.values.get(n, v) for n, v in update.givens("training").items()}
        return Worksheet(
            together(self.values(), started),
            (*steps, *after_steps(forward, last, first)),
            with_optimization(self.conventions(templates[groups[0]]), training),
            templates[groups[0]].goal,
            self.known,
            updated=tuple(last.items()),
            outcomes=tuple((first.get(g, g), after(g)) for g in goals),
            gradients=tuple(gradients),
        )

    def groups(self) -> list[tuple[int, ...]]:
        """The examples of each update, in order: all together, or so many after so many."""
        size, every = self.passes.size, range(self.count)
        return [tuple(every[first : first + size]) for first in range(0, self.count, size)] * self.training.epochs

    def title(self, k: int, group: Sequence[int], per_epoch: int) -> str:
        epoch = f"epoch {(k - 1) // per_epoch + 1}, " if self.training.epochs > 1 and per_epoch > 1 else ""
        numbers = listed([str(e + 1) for e in group])
        example = f", example{'s'[: len(group) - 1]} {numbers}" if len(group) < self.count else ""
        return f"Update {k}{example}" + (f" ({epoch.rstrip(', ')})" if epoch else "")

    def values(self) -> dict[str, Fraction]:
        """The inputs and targets of every example, the weights and biases, and the strengths of the penalties."""
        examples = [(self.passes.number(e), example) for e, example in enumerate(self.problem.examples)]
        inputs = [_given(self.known.inputs, example.inputs, k) for k, example in examples]
        targets = [_given(self.known.targets, example.targets, k) for k, example in examples]
        return together(*inputs, self.known.values, *targets, self.training.penalties)

    def factors(self, parameters: Sequence[str]) -> dict[str, Fraction]:
        """The learning rate of each parameter's layer, as a multiple of eta."""
        rates = self.training.rates
        return {p: rates[self.known.layer_of(p)] for p in parameters if self.known.layer_of(p) in rates}

    def conventions(self, first: OnePass) -> Conventions:
        loss, training = LOSSES.get(self.network.loss or ""), self.training
        return Conventions(
            loss=loss.name if loss else "",
            loss_factor=loss.factor if loss else "",
            reduction=("mean" if loss.mean else "sum") if loss else "",
            batch="" if self.count == 1 or not loss else self.manner() if self.passes.in_parts else str(training.batch),
            bias_policy=self.bias_policy(),
            optimizer="",
            chain=first.chain,
            rates=training.rates,
            remarks=tuple(self.remarks(first)),
        )

    def manner(self) -> str:
        """How the examples come to updates."""
        if self.passes.size == 1 or not self.network.loss:
            return "one after the other"
        many = f"in batches of {self.passes.size}" if self.passes.in_parts else "as a batch"
        return f"{many}, {self.training.over_examples}"

    def forward_only(self) -> str:
        """Why the worksheet ends with the forward pass."""
        entries = [ACTIVATIONS.get(layer.activation) for layer in self.known.layers]
        flat = [entry for entry in entries if entry and entry.slope is None]
        remarks = dict.fromkeys(entry.remark for entry in flat)
        named = [f"{listed(list(dict.fromkeys(e.name for e in flat if e.remark == r)))}: {r}" for r in remarks]
        return "; ".join(["forward pass only", *named])

    def bias_policy(self) -> str:
        """Whether biases are updated: all, none, or only those outside frozen layers. Empty where nothing is."""
        if not self.known.biases:
            return "none"
        if self.problem.training is None:
            return ""
        moved = sum(name in self.trained for name in self.known.biases)
        return "not updated" if not moved else "updated" if moved == len(self.known.biases) else "partly updated"

    def remarks(self, first: OnePass) -> list[str]:
        """What else a reader must know to get the same numbers."""
        training, found = self.training, []
        if first.chain not in ("", self.chain):
            found.append(
                f"some gradient has more than {MOST_PATHS} paths, so results in between are used again (--chain delta)"
            )
        if self.count > 1:
            found.append(f"{self.count} examples, {self.manner()}")
        if self.problem.training is None:
            found.append("gradients only, no update" if first.chain else self.forward_only())
        if self.network.loss and (settings := LOSSES[self.network.loss].settings):
            found.append(_with_settings(self.network.loss, settings, self.network.loss_numbers))
        if training.penalties:
            whole = [_with_settings(p, PENALTIES[p].settings, training.numbers_of(p)) for p in training.penalties]
            found.append("penalty on the weights: " + " and ".join(whole))
        if training.rule == DELTA_RULE:
            found.append("delta rule: delta is -dE/d(weighted sum); a weight moves by eta·delta·its input")
        if after := training.proximal_penalties:
            act, it = ("acts", "it") if len(after) == 1 else ("act", "them")
            found.append(f"{listed(after)} {act} by soft-thresholding after each step; E is shown without {it}")
        return found


def _given(names: Iterable[str], values: Iterable[Fraction], example: int) -> dict[str, Fraction]:
    return {named(name, example=example): value for name, value in zip(names, values, strict=True)}


def _with_settings(name: str, settings: Iterable[str], numbers: Iterable[Fraction]) -> str:
    """As in "huber with delta = 1/2"."""
    return " with ".join(filter(None, [name, listed([f"{n} = {v}" for n, v in zip(settings, numbers, strict=True)])]))
