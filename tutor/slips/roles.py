"""Which part each quantity plays on a worksheet: what a slip needs to know before it can rewrite a formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from tutor.formulas.expressions import ONE, ZERO, names, symbol
from tutor.formulas.quantity import Role, named, read_name, tags
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.kind import Kind
from tutor.maths.optimizer import RATE
from tutor.slips.rewrite import permutations
from tutor.worksheet.softmax import is_softmax
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
            if step.partial_of and self.by_name[step.partial_of[0]].kind is Kind.ACTIVATION
        }

    def slopes_beside(self, name: str) -> list[str]:
        """The slopes of other neurons in the same example and update."""
        return [other for other in self.slopes if other != name and self.tags[other] == self.tags[name]]

    def slopes_instead(self, name: str) -> Iterator[tuple[str, str]]:
        """Who takes the slopes of a layer for one another takes some other one for this: in which manner, and which."""
        layer = self._slopes_of_layers.get((self.tags[name], self.layer_of(name)), [])
        for which, order in permutations(len(layer)).items() if name in layer else ():
            other = layer[order[layer.index(name)]]
            if other != name:
                yield which, other

    @cached_property
    def _slopes_of_layers(self) -> Mapping[tuple[tuple[str, ...], int], list[str]]:
        """The slopes of the neurons of each layer, by their own sums, in each example and update."""
        found: dict[tuple[tuple[str, ...], int], list[str]] = {}
        for name in self.slopes:
            if not self.is_across(name):
                found.setdefault((self.tags[name], self.layer_of(name)), []).append(name)
        return found

    def is_across(self, slope: str) -> bool:
        """Whether it is the slope of an output by the sum of another neuron, as softmax has them."""
        return is_softmax(self.by_name[self.slopes[slope][0]]) and len(names(self.by_name[slope].formula)) > 1

    def without_activation(self, slope: str) -> Expr:
        """What the slope is where there is no activation."""
        return ZERO if self.is_across(slope) else ONE

    @cached_property
    def tags(self) -> Mapping[str, tuple[str, ...]]:
        """The examples, updates and indices in each name: they tell a quantity from the same one elsewhere."""
        return {name: tags(name) for name in self.worksheet.names}

    @cached_property
    def partials(self) -> Mapping[str, tuple[str, str]]:
        """Every local derivative: (A, B) for dA/dB."""
        return {step.name: step.partial_of for step in self.worksheet.steps if step.partial_of}

    @cached_property
    def penalty_slopes(self) -> frozenset[str]:
        """The derivatives by parameters of what they add to the loss themselves."""
        kinds = {name: self.by_name[of].kind for name, (of, by) in self.partials.items() if by in self.parameters}
        return frozenset(name for name, kind in kinds.items() if kind not in _SUMS)

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
        return symbol(inner) if single and self.by_name[outer].kind in _SUMS else None

    def weight_rows(self, step: Step) -> Iterator[tuple[list[str], list[list[str]], list[str], int]]:
        """For a weighted sum, or a derivative of one, its weights, those of its whole layer with the biases, and which
        row it is; a connection that is not there is empty."""
        of = self.by_name[step.partial_of[0]] if step.partial_of else step
        network = self.worksheet.network if of.kind is Kind.WEIGHTED_SUM else None
        first = of.before if of.stage == "after" and of.before else of.name
        for layer in network.layers if network else ():
            for row, neuron in enumerate(layer.neurons):
                if neuron.sum == read_name(first).plain:
                    matrix = [[w or "" for w in weights] for weights in layer.weights]
                    yield matrix[row], matrix, [bias or "" for bias in layer.biases], row

    @cached_property
    def _versions(self) -> Mapping[str, tuple[str, int]]:
        """Every value of every parameter: W1[2] is W1 after 2 updates."""
        network = self.worksheet.network
        found = {parameter: (parameter, 0) for parameter in (network.parameters(with_biases=True) if network else ())}
        for step in self.worksheet.steps:
            if step.before and step.stage == "update":
                parameter, age = found.setdefault(step.before, (step.before, 0))
                found[step.name] = parameter, age + 1
        return found

    @cached_property
    def _by_version(self) -> Mapping[tuple[str, int], str]:
        return {version: name for name, version in self._versions.items()}

    @cached_property
    def updates(self) -> Mapping[str, Sequence[tuple[str, Expr, Expr]]]:
        """For every parameter its new values in order, each with the gradient and the learning rate behind it."""
        gradients = {by: name for name, _, by in self.worksheet.gradients}
        by_parameter: dict[str, list[tuple[str, Expr, Expr]]] = {}
        for name, (parameter, _) in self._versions.items():
            step = self.by_name.get(name)
            if step is None or step.kind is not Kind.UPDATE:
                continue
            gradient = gradients.get(step.before or "")
            if gradient is None:
                continue
            update = read_name(name).update
            written = read_name(gradient)
            clipped = named(written.in_any_update, Role.CLIPPED, update=written.update)
            rates = (r for r in (named("rate", update=update), "rate") if r in self.by_name)
            used = clipped if clipped in self.by_name else gradient
            by_parameter.setdefault(parameter, []).append((name, symbol(used), symbol(next(rates, RATE))))
        return by_parameter

    def version(self, parameter: str, of_same_age: str) -> str | None:
        """The value of the parameter after as many updates as the other one has seen."""
        age = self._versions[of_same_age][1]
        return self._by_version.get((parameter, age), None if age else parameter)

    def weights_in(self, formula: Expr) -> dict[str, str]:
        """The parameters in the formula, by the name that the network has for them: W1[2] and W1_new as W1."""
        return {self._versions[name][0]: name for name in names(formula) if name in self._versions}

    def old_of(self, new: Expr) -> str:
        """The parameter before the update that led to this value."""
        return self.by_name[new.name].before or new.name

    @cached_property
    def _layers(self) -> Mapping[str, int]:
        """The layer of every neuron's sum and output and of every parameter, counted from 1."""
        network = self.worksheet.network
        found: dict[str, int] = {}
        for position, layer in enumerate(network.layers if network else (), 1):
            rows = zip(layer.neurons, layer.weights, layer.biases, strict=True)
            for neuron, weights, bias in rows:
                for name in (neuron.sum, neuron.output, bias, *weights):
                    if name:
                        found.setdefault(name, position)
        return found

    def layer_of(self, name: str) -> int:
        """In which layer a quantity belongs, its derivatives and its later values too; 0 where in none."""
        if (step := self.by_name.get(name)) is not None:
            if step.partial_of:
                return self.layer_of(step.partial_of[0]) or self.layer_of(step.partial_of[1])
            if step.before:
                return self.layer_of(step.before)
        found = read_name(name)
        plain = found.base if found.of is not None else found.plain
        if name in self._versions:
            plain = self._versions[name][0]
        return self._layers.get(plain, 0)

    def is_of_bias(self, name: str) -> bool:
        """Whether a line is a derivative by a bias, or a new value of one."""
        network, step = self.worksheet.network, self.by_name.get(name)
        by = (
            step.partial_of[1]
            if step and step.partial_of
            else step.before
            if step and step.before
            else read_name(name).base
        )
        return network is not None and self._versions.get(by, (by, 0))[0] in network.biases

    def output_of(self, step: Step) -> str:
        """The output of the neuron whose weighted sum this is the gradient by; empty for other steps."""
        if step.stage != "gradient":
            return ""
        by = next((by for name, _, by in self.worksheet.gradients if name == step.name), "")
        by = by or read_name(step.name).base
        inner = self.by_name.get(by)
        if inner is None or inner.kind is not Kind.WEIGHTED_SUM:
            return ""
        users = (self.by_name[name] for name in self.worksheet.users[by])
        return next((user.name for user in users if user.kind is Kind.ACTIVATION and user.stage == "forward"), "")

    def rate(self, name: str) -> str:
        """What the learning rate is called where the quantity is one, in whichever update; else empty."""
        is_rate = name in self.by_name and self.by_name[name].kind is Kind.SCHEDULE
        plain = read_name(name).plain
        return plain if is_rate or plain == RATE else ""

    def stale(self, name: str) -> str | None:
        """The value before this update of something that was just worked out: m_W1 for m_W1_new."""
        step = self.by_name.get(name)
        if step is None or step.stage != "update":
            return None
        found = read_name(name)
        earlier = step.before or (found.earlier if found.update or step.kind is Kind.STATE else "")
        return earlier if earlier in self.by_name or earlier in self.worksheet.givens else None


_SUMS = (Kind.WEIGHTED_SUM, Kind.EQUATION)


def activation_of(step: Step) -> str | None:
    """The name of the activation that the step applies, if it is one of a single number."""
    return step.which if step.kind is Kind.ACTIVATION and step.which in ACTIVATIONS else None
