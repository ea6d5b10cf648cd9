"""From what a lesson asks for to its worksheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from tutor.arithmetic.symbolic import add, multiply, number, symbol
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.worksheet.backward import MOST_PATHS, Graph, choose_chain, gradient_steps, partial_steps
from tutor.worksheet.delta_rule import RULE as DELTA_RULE
from tutor.worksheet.delta_rule import DeltaRule, summed
from tutor.worksheet.forward import forward_steps, penalty_terms
from tutor.worksheet.free import equation_steps, free_worksheet, minimize_worksheet
from tutor.worksheet.naming import Connections, connect
from tutor.worksheet.perceptron import RULE, PerceptronTraining
from tutor.worksheet.problem import Network, Problem, Training
from tutor.worksheet.rounds import after_name, after_steps, claims, numbered
from tutor.worksheet.settings import together, update_of, update_values
from tutor.worksheet.step import Conventions, Step, Worksheet
from tutor.worksheet.update import combined_gradients

GOAL = "E"
Expr = Any


def build(problem: Problem, chain: str = "full") -> Worksheet:
    """The worksheet of a network, of free equations, or of a function to minimise.

    `chain` is `full` (every path written out) or `delta` (each result's gradient is used again).
    """
    if problem.minimize is not None:
        return minimize_worksheet(problem.minimize, problem.givens)
    if problem.network is None or problem.training is None:
        return free_worksheet(problem, equation_steps(problem), chain)
    if problem.training.rule == RULE:
        return PerceptronTraining(problem.network, problem.training, problem).worksheet()
    return NetworkBuilder(problem.network, problem.training, problem, chain).worksheet()


@dataclass
class NetworkBuilder:
    """A network, its examples and how it is trained, on the way to becoming steps."""

    network: Network
    training: Training
    problem: Problem
    chain: str

    def __post_init__(self) -> None:
        self.known: Connections = connect(self.network, dict(self.problem.givens))
        self.count = len(self.problem.examples)
        frozen = {name for name, rate in self.training.rates.items() if rate == 0}
        every = self.known.parameters(self.training.update_biases)
        self.trained = [p for p in every if self.known.layer_of(p) not in frozen]
        self.penalties = {name: name for name in ("l1", "l2") if getattr(self.training, name) is not None}
        self.shrunk = self.known.weights if self.training.proximal else []
        self.used_chain = self.chain

    def worksheet(self) -> Worksheet:
        training = self.training
        groups = self.groups()
        templates = {group: self.one_pass(group) for group in dict.fromkeys(groups)}
        first_graph = templates[groups[0]]
        reached = [p for p in self.trained if p in first_graph.reached]
        per_epoch = len(groups) // training.epochs
        steps: list[Step] = []
        many = len(groups) > 1
        kept: list[str] = []
        gradients: list[tuple[str, str, str]] = []
        for k, group in enumerate(groups, 1):
            template = templates[group]
            update = update_of(training, template.goal, reached, self.factors(reached), self.shrunk, template.changes)
            kept = [*reached, *update.state, *OPTIMIZERS[training.optimizer].shared_state]
            whole = [*template.steps, *update.steps(k, (k - 1) // per_epoch)]
            steps += numbered(whole, kept, k, self.title(k, group, per_epoch)) if many else whole
            gradients += claims(template.goal, reached, k if many else 0)
        last = {p: f"{p}[{len(groups)}]" if many else f"{p}_new" for p in reached}
        forward = self.forward_of(tuple(range(self.count)))
        started = {s.name: s.name for s in steps}
        for step in reversed(steps):
            started[step.name.rpartition("[")[0] or step.name] = step.name
        first = {s.name: started.get(s.name, s.name) for s in forward}
        steps += after_steps(forward, last, first)
        goals = list(dict.fromkeys(template.goal for template in templates.values()))
        outcomes = tuple((first.get(g, g), after_name(g)) for g in goals)
        values = self.values(update.state)
        return Worksheet(
            values,
            tuple(steps),
            self.conventions(),
            goals[0],
            self.known,
            updated=tuple(last.items()),
            outcomes=outcomes,
            gradients=tuple(gradients),
        )

    def groups(self) -> list[tuple[int, ...]]:
        """The examples of each update, in order: all together, or one after the other."""
        if self.training.batch == "online":
            one_by_one: list[tuple[int, ...]] = [(e,) for e in range(self.count)]
            return one_by_one * self.training.epochs
        return [tuple(range(self.count))] * self.training.epochs

    def title(self, k: int, group: Sequence[int], per_epoch: int) -> str:
        epoch = f"epoch {(k - 1) // per_epoch + 1}, " if self.training.epochs > 1 and per_epoch > 1 else ""
        example = f", example {group[0] + 1}" if len(group) == 1 and self.count > 1 else ""
        return f"Update {k}{example}" + (f" ({epoch.rstrip(', ')})" if epoch else "")

    def tag(self, example: int) -> str:
        return f"@{example + 1}" if self.count > 1 else ""

    def values(self, states: Sequence[str]) -> dict[str, Fraction]:
        """Everything that is given: inputs, weights, targets, settings, states at the beginning."""
        examples = [(self.tag(e), example) for e, example in enumerate(self.problem.examples)]
        inputs = [dict(zip([f"{x}{t}" for x in self.known.inputs], e.inputs, strict=True)) for t, e in examples]
        targets = [dict(zip([f"{y}{t}" for y in self.known.targets], e.targets, strict=True)) for t, e in examples]
        strengths = {name: getattr(self.training, name) for name in self.penalties}
        settings = update_values(self.training)
        return together(*inputs, self.known.values, *targets, settings, strengths, dict.fromkeys(states, Fraction(0)))

    def factors(self, parameters: Sequence[str]) -> dict[str, Fraction]:
        """The learning rate of each parameter's layer, as a multiple of eta."""
        rates = self.training.rates
        return {p: rates[self.known.layer_of(p)] for p in parameters if self.known.layer_of(p) in rates}

    def forward_of(self, group: Sequence[int]) -> list[Step]:
        """The forward pass of each example of the group, and the loss of the group with its penalty."""
        steps = [s for e in group for s in forward_steps(self.network.loss, self.known, self.tag(e))]
        if len(group) > 1 and self.training.batch != "online":
            steps.append(self.batch_loss(group))
        elif self.penalties:
            steps = [self.penalised(s) if s.stage == "loss" else s for s in steps]
        return steps

    def share(self, group: Sequence[int]) -> Fraction:
        return Fraction(1, len(group)) if self.training.batch == "mean" else Fraction(1)

    def batch_loss(self, group: Sequence[int]) -> Step:
        """E of a batch: the mean or the sum of the errors of its examples."""
        parts = [symbol(f"{GOAL}{self.tag(e)}") for e in group]
        share = self.share(group)
        total = add(*parts) if share == 1 else multiply(number(share), add(*parts))
        step = Step(GOAL, "loss", total, f"{self.training.batch} over the examples")
        return self.penalised(step) if self.penalties else step

    def penalised(self, loss: Step) -> Step:
        """The loss with those penalties added that the gradient knows: soft-thresholding takes care of L1 by itself."""
        smooth = {n: s for n, s in self.penalties.items() if not (n == "l1" and self.training.proximal)}
        if not smooth:
            return loss
        terms, slopes = penalty_terms(smooth, [w for w in self.known.weights if w in self.trained])
        return replace(loss, formula=add(loss.formula, *terms), slopes={**loss.slopes, **slopes})

    def one_pass(self, group: tuple[int, ...]) -> OnePass:
        """Forward, loss and gradients of one update."""
        forward = self.forward_of(group)
        named = {step.name: step for step in forward}
        goal = GOAL if len(group) > 1 else f"{GOAL}{self.tag(group[0])}"
        if len(group) == 1:
            graph = Graph(named, goal, self.trained)
            if self.training.rule == DELTA_RULE:
                rule = self.delta_rule(graph, group[0])
                return OnePass(goal, [*forward, *rule.steps()], set(graph.users), rule.changes())
            self.used_chain = choose_chain(graph, self.chain)
            backward = [*partial_steps(graph), *gradient_steps(graph, self.used_chain)]
            return OnePass(goal, [*forward, *backward], set(graph.users))
        parts = [f"{GOAL}{self.tag(e)}" for e in group]
        graphs = [Graph(named, part, self.trained) for part in parts]
        if self.training.rule == DELTA_RULE:
            return self.delta_batch(forward, goal, [self.delta_rule(g, e) for g, e in zip(graphs, group, strict=True)])
        self.used_chain = choose_chain(graphs[0], self.chain)
        partials = [step for graph in graphs for step in partial_steps(graph)]
        gradients = [step for graph in graphs for step in gradient_steps(graph, self.used_chain)]
        reached = [p for p in self.trained if p in graphs[0].users]
        whole = named[goal]
        penalised = [w for w in whole.slopes if w in reached]
        for w in penalised:
            local = Step(f"local({goal},{w})", "partial", whole.slopes[w], f"derivative of {goal} by {w}")
            partials.append(replace(local, partial_of=(goal, w)))
        gradients += combined_gradients(goal, reached, parts, self.share(group), penalised)
        return OnePass(goal, [*forward, *partials, *gradients], set(reached))

    def delta_rule(self, graph: Graph, example: int) -> DeltaRule:
        neurons = [n for layer in self.known.layers for n in layer.neurons]
        tag = self.tag(example)
        return DeltaRule(graph, {f"{n.sum}{tag}": f"delta_{n.stem}{tag}" for n in neurons})

    def delta_batch(self, forward: Sequence[Step], goal: str, rules: Sequence[DeltaRule]) -> OnePass:
        """The deltas of every example, and what moves each parameter: the mean or the sum over the examples."""
        changes = summed(rule.changes() for rule in rules)
        steps = [*forward, *(step for rule in rules for step in rule.steps())]
        share = self.share(range(len(rules)))
        steps += combined_gradients(goal, list(changes), [rule.graph.goal for rule in rules], share, ())
        shared = {p: change if share == 1 else multiply(number(share), change) for p, change in changes.items()}
        return OnePass(goal, steps, set(changes), shared)

    def conventions(self) -> Conventions:
        loss, training = LOSSES[self.network.loss], self.training
        remarks = []
        if self.used_chain != self.chain:
            remarks.append(
                f"some gradient has more than {MOST_PATHS} paths, so results in between are used again (--chain delta)"
            )
        if self.count > 1:
            manner = "one after the other" if training.batch == "online" else f"as a batch, {training.batch}"
            remarks.append(f"{self.count} examples, {manner}")
        if self.penalties:
            remarks.append("penalty on the weights: " + " and ".join(self.penalties))
        if training.rule == DELTA_RULE:
            remarks.append("delta rule: delta is -dE/d(weighted sum); a weight moves by eta·delta·its input")
        if self.shrunk:
            remarks.append("l1 acts by soft-thresholding after each step; E is shown without it")
        return Conventions(
            loss=loss.name,
            loss_factor=loss.factor,
            reduction="mean" if loss.mean else "sum",
            batch="" if self.count == 1 else training.batch,
            bias_policy="none" if not self.known.biases else "updated" if training.update_biases else "not updated",
            optimizer=training.optimizer,
            chain=self.used_chain,
            remarks=tuple(remarks),
        )


@dataclass(frozen=True)
class OnePass:
    """Forward, loss and gradients of one update, the parameters that the goal depends on, and, with the delta rule,
    what moves them."""

    goal: str
    steps: Sequence[Step]
    reached: set[str]
    changes: Mapping[str, Expr] = field(default_factory=dict)
