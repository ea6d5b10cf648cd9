"""The equations between the arrays of one step, in the order in which they are worked, each from the registries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizer import RATE, Variant, counts
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES
from tutor.maths.setting import numbers
from tutor.trace.algebra import Call, Entrywise, Node, Product, Ref, Role, Scaled, Transposed
from tutor.trace.formula_text import FormulaText, formula_text
from tutor.trace.precision import Bounded, BoundedSystem

Array = Any
SOFTMAX = VECTOR_ACTIVATIONS["softmax"]


@dataclass(frozen=True)
class Conventions:
    """What the program computes: found, or said. `activations` has one for each layer, the output's last.

    `by_examples` and `by_outputs` say whether the loss is a mean over them; `place` whether the examples divide the
    `error` of the output, each `gradient` or only the `update`; with `descending` errors and gradients have the other
    sign, target minus output, and are added; `epsilon` is added to what a logarithm is taken of, or with `clipped`
    keeps it that far from 0 and 1. Behind the layers of `gaps` stands something that is not known.
    """

    activations: tuple[str, ...]
    loss: str
    by_examples: bool = True
    by_outputs: bool = False
    place: str = "error"
    epsilon: float = 0.0
    clipped: bool = False
    optimizer: str = "sgd"
    rate: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    loss_settings: Mapping[str, float] = field(default_factory=dict)
    penalties: Mapping[str, float] = field(default_factory=dict)
    penalty_settings: Mapping[str, float] = field(default_factory=dict)
    dropout: float = 0.0
    update: int = 1
    gaps: frozenset[int] = frozenset()
    decay: float = 0.0
    descending: bool = False

    @property
    def output(self) -> str:
        return self.activations[-1]

    @property
    def is_simple(self) -> bool:
        """Whether the slope of the loss by the last weighted sums is output minus target."""
        return LOSSES[self.loss].output == self.output

    @cached_property
    def variant(self) -> Variant:
        return OPTIMIZERS[self.optimizer].variant(self.settings)


class Network:
    """The equations of a step in which these arrays are recorded. Numbers of examples and outputs are those of it."""

    def __init__(
        self, conventions: Conventions, examples: int, outputs: int, has_biases: Mapping[int, bool], recorded: set[Role]
    ) -> None:
        self.conventions, self.examples, self.outputs = conventions, examples, outputs
        self.depth, self.has_biases, self.recorded = len(conventions.activations), has_biases, recorded

    @cached_property
    def equations(self) -> dict[Role, Node]:
        unknown = {Role(kind, k) for k in self.conventions.gaps for kind in ("A", "dA", "dZ")}
        return {role: node for role, node in self._all() if role not in unknown}

    def _all(self) -> Iterator[tuple[Role, Node]]:
        for k in range(1, self.depth + 1):
            yield Role("Z", k), self._sum(k)
            yield Role("A", k), self._output(k)
        yield Role("loss"), self._loss()
        for k in range(self.depth, 0, -1):
            yield Role("dA", k), self.by_output(k)
            yield Role("dZ", k), self._by_sum(k)
            yield Role("dW", k), self._by_weights(k)
            if self.has_biases[k]:
                yield Role("db", k), self._by_biases(k)
        if self.conventions.rate is not None and not self.conventions.variant.shared:
            for k in range(1, self.depth + 1):
                for kind in ("W", "b") if self.has_biases[k] else ("W",):
                    yield from self.update(Role(kind, k), self.conventions.variant, self.conventions.rate)

    # Forward

    def _sum(self, k: int) -> Node:
        product = Product(Ref(Role("A", k - 1)), Ref(Role("W", k)))
        return Entrywise("+", product, Ref(Role("b", k), "bias")) if self.has_biases[k] else product

    def _output(self, k: int) -> Node:
        plain = activation(self.conventions.activations[k - 1], Ref(Role("Z", k)))
        return self._dropped(plain, k)

    def _dropped(self, node: Node, k: int) -> Node:
        """What the mask of a layer leaves of it, divided by the share that is kept."""
        if Role("mask", k) not in self.recorded:
            return node
        kept = Entrywise("⊙", node, Ref(Role("mask", k)), "mask")
        share = 1 - self.conventions.dropout
        return Scaled(kept, 1 / share, after=f" / {share:g}", tag="dropout scale") if share < 1 else kept

    def _loss(self) -> Node:
        c = self.conventions
        total: Node = Call(loss_total(c.loss, c), (Ref(Role("A", self.depth)), Ref(Role("T"))), self.loss_text, "loss")
        total = self.averaged(total, by_examples=c.by_examples)
        for name, strength in c.penalties.items():
            for k in range(1, self.depth + 1):
                term = Call(
                    penalty_total(name, strength, c), (Ref(Role("W", k)),), penalty_text(name, True), "penalty", True
                )
                total = Entrywise("+", total, term, "penalised")
        return total

    @property
    def loss_text(self) -> str:
        c, entry = self.conventions, LOSSES[self.conventions.loss]
        names = [*entry.settings]
        body = entry.term
        y = "{0}" if not c.epsilon else f"clip({{0}}, {c.epsilon:g})" if c.clipped else f"({{0}} + {c.epsilon:g})"
        return "Σ " + formula_text(lambda a, t, m: body(a, t, *map(FormulaText, names), m), y, "{1}")

    def averaged(self, node: Node, by_examples: bool, tag: str = "mean") -> Node:
        """Divided by what the loss is a mean over."""
        if by_examples:
            node = Scaled(node, 1 / self.examples, after=" / n", tag=tag)
        if self.conventions.by_outputs:
            node = Scaled(node, 1 / self.outputs, after=" / d", tag="outputs")
        return node

    # Backward

    def by_output(self, k: int) -> Node:
        """dE/dA."""
        if k < self.depth:
            return Product(Ref(Role("dZ", k + 1)), Transposed(Ref(Role("W", k + 1))))
        return self.error(loss_slope(self.conventions.loss, self.conventions))

    def error(self, slope: Node) -> Node:
        """The slope of the loss by outputs, or by the last sums, from that of its terms."""
        c = self.conventions
        if c.descending and isinstance(slope, Entrywise) and slope.sign == "-":
            slope = Entrywise("-", slope.right, slope.left, slope.tag)
        elif c.descending:
            slope = Scaled(slope, -1, "-")
        return self.averaged(slope, by_examples=c.by_examples and c.place == "error")

    def _by_sum(self, k: int) -> Node:
        is_last, c = k == self.depth, self.conventions
        recorded = Role("dA", k) in self.recorded
        if is_last and c.is_simple and not recorded:
            return self.error(Entrywise("-", Ref(Role("A", k)), Ref(Role("T")), "error"))
        back: Node = Ref(Role("dA", k)) if recorded or not is_last else self.by_output(k)
        if is_last and c.output == "softmax":
            return softmax_back(Ref(Role("A", k)), back)
        back = self._dropped(back, k)
        name = c.activations[k - 1]
        if name == "linear":
            return back
        return Entrywise("⊙", back, self.slope(k), "with slope")

    def slope(self, k: int, name: str = "") -> Node:
        """Of the activation of a layer, at its weighted sums; of outputs that a mask has changed, before that."""
        z: Node = Ref(Role("Z", k))
        own = self.conventions.activations[k - 1]
        masked = Role("mask", k) in self.recorded
        a = activation(own, z) if masked or (name and name != own) else Ref(Role("A", k))
        return slope_of(name or own, z, activation(name, z) if name and name != own else a)

    def _by_weights(self, k: int) -> Node:
        product = Product(Transposed(Ref(Role("A", k - 1))), Ref(Role("dZ", k)))
        node = self._shared(product)
        for name, strength in self.conventions.penalties.items():
            sign = "-" if self.conventions.descending else "+"
            node = Entrywise(sign, node, self.penalty_slope(name, strength, Ref(Role("W", k))), "penalised")
        return node

    def penalty_slope(self, name: str, strength: float, w: Node) -> Node:
        own = settings_of_penalty(name, self.conventions)
        entry = PENALTIES[name]
        return Call(lambda w, m: strength * entry.slope(w, *own, m), (w,), penalty_text(name), "penalty")

    def _by_biases(self, k: int) -> Node:
        total = Call(lambda d, m: d.total(0), (Ref(Role("dZ", k)),), "Σ {0} over the examples", "bias sum", True)
        return self._shared(total)

    def _shared(self, node: Node) -> Node:
        c = self.conventions
        if c.by_examples and c.place == "gradient":
            return Scaled(node, 1 / self.examples, after=" / n", tag="mean")
        return node

    # Update

    def update(self, parameter: Role, variant: Variant, rate: float) -> Iterator[tuple[Role, Node]]:
        """The states of an optimizer, and the new parameter."""
        kind, k = parameter
        states = [e.name for e in variant.equations if e.start is not None]
        for equation in variant.equations:
            if equation.start is not None:
                role = Role(f"{equation.name}.{kind}_new", k)
                yield role, self.step(equation.name, parameter, variant, rate, states[: states.index(equation.name)])
        yield Role(f"{kind}_new", k), self.step("w", parameter, variant, rate, states)

    def step(
        self,
        name: str,
        parameter: Role,
        variant: Variant,
        rate: float,
        new: list[str],
        reason: str = "",
        update: int | None = None,
    ) -> Node:
        """One line of an optimizer, what is neither a state nor the parameter put in. States that are not recorded
        begin here if this is the first update."""
        kind, k = parameter
        old = [n for n in variant.state if Role(f"{n}.{kind}", k) in self.recorded]
        gradient = self._used(parameter)
        refs: list[Node] = [Ref(parameter), gradient, *(Ref(Role(f"{n}.{kind}", k)) for n in old)]
        refs += [Ref(Role(f"{n}.{kind}_new", k)) for n in new]
        begun = {n: start for n, start in variant.state.items() if n not in old}
        t = update or self.conventions.update

        def work(*arguments: Any) -> Any:
            *arrays, m = arguments
            in_words = bool(arrays) and isinstance(arrays[0], FormulaText)
            space = _space(
                variant, FormulaText("eta") if in_words else rate, begun, FormulaText("t") if in_words else t, m
            )
            space.first = t == 1
            names = ["w", "g", *old, *(f"{n}_new" for n in new)]
            vars(space).update(zip(names, arrays, strict=True))
            return _line(name, variant, space, m)

        if not reason:
            places = [f"{{{i}}}" if isinstance(ref, Ref) else f"({{{i}}})" for i, ref in enumerate(refs)]
            body = formula_text(work, *places)
            reason = body[1:-1] if body.startswith("(") and body.endswith(")") and body.count("(") == 1 else body
            if isinstance(gradient, Scaled) and gradient.before == "-" and "- eta·({1})" in reason:
                refs[1], reason = replace(gradient, before=""), reason.replace("- eta·({1})", "+ eta·{1}")
        return Call(work, tuple(refs), reason, "update")

    def _used(self, parameter: Role) -> Node:
        """The gradient as an optimizer uses it."""
        c, decay = self.conventions, self.conventions.decay
        gradient: Node = Ref(Role(f"d{parameter.kind}", parameter.layer))
        if c.by_examples and c.place == "update":
            gradient = Scaled(gradient, 1 / self.examples, after=" / n", tag="mean")
        if c.descending:
            gradient = Scaled(gradient, -1, "-")
        return Entrywise("+", gradient, Scaled(Ref(parameter), decay, f"{decay:g}·")) if decay else gradient


def _space(variant: Variant, rate: Any, begun: Mapping[str, Any], t: Any, m: Any) -> SimpleNamespace:
    known = {name: m.number(str(value)) for name, value in variant.settings.items()}
    start = {name: rate if value == RATE else m.number(str(value)) for name, value in begun.items()}
    return SimpleNamespace(**known, **variant.choices, **start, **counts(t), eta=rate)


def _line(name: str, variant: Variant, space: SimpleNamespace, m: Any) -> Any:
    for equation in variant.equations:
        known = hasattr(space, equation.result) and equation.name != name
        if not known:
            value = equation.body(space, m)
            if equation.name == name:
                return value
            setattr(space, equation.result, value)
    raise KeyError(name)


# What the registries say, as functions of arrays


def _parameter(name: str) -> list[float]:
    entry = ACTIVATIONS[name]
    return [float(entry.default)] if entry.parameter else []


def activation(name: str, z: Node) -> Node:
    """The outputs of a layer of its weighted sums."""
    if name == "softmax":
        return Call(softmax, (z,), "softmax({0})", "activation", True)
    entry, own = ACTIVATIONS[name], _parameter(name)
    if name == "linear":
        return z
    text = formula_text(lambda z, m: entry.value(z, *own, m), "{0}")
    text = text if name in ("tanh",) else f"{name}({{0}})"
    return Call(lambda z, m: entry.value(z, *own, m), (z,), text, "activation")


def slope_of(name: str, z: Node, a: Node) -> Node:
    entry, own = ACTIVATIONS[name], _parameter(name)
    assert entry.slope is not None
    slope = entry.slope
    text = formula_text(lambda z, a, m: slope(z, a, *own, m), "{0}", "{1}")
    return Call(lambda z, a, m: slope(z, a, *own, m), (z, a), text, "slope")


def softmax(z: Bounded, m: Any, axis: int = 1) -> Bounded:
    largest = Bounded(z.value.max(axis=axis, keepdims=True), 0.0, z.precision)
    powers = SOFTMAX.power(z, largest, m)
    found: Bounded = powers / powers.total(axis, keepdims=True)
    return found


def softmax_back(a: Node, by_a: Node, axis: int = 1) -> Node:
    def back(a: Bounded, by_a: Bounded, m: Any) -> Bounded:
        found: Bounded = SOFTMAX.back(a, by_a, (a * by_a).total(axis, keepdims=True))
        return found

    return Call(back, (a, by_a), "{0} ⊙ ({1} - Σ {0} ⊙ {1})", "with slope", True)


def _own_settings(loss: str, c: Conventions) -> list[float]:
    return [float(v) for v in numbers(LOSSES[loss].settings, c.loss_settings).values()]


def loss_terms(loss: str, c: Conventions, y: Bounded, t: Bounded) -> Bounded:
    """What each output of each example adds to the loss. An output that is exactly its target adds nothing."""
    entry, own = LOSSES[loss], _own_settings(loss, c)
    if c.epsilon and c.clipped:
        y = Bounded(np.clip(y.value, c.epsilon, 1 - c.epsilon), y.bound, y.precision)
    elif c.epsilon and entry.output:
        by_class = LOSSES["cross_entropy"].term
        found: Bounded = by_class(y + c.epsilon, t, BoundedSystem)
        if loss == "binary_cross_entropy":
            found = found + by_class(1 - y + c.epsilon, 1 - t, BoundedSystem)
        return found
    terms: Bounded = entry.term(y, t, *own, BoundedSystem)
    certain = (y.value == t.value) | ((t.value == 0) & (entry.output == "softmax"))
    if entry.output and np.any(certain):
        bound = np.where(certain, 0.0, terms.bound)
        return Bounded(np.where(certain, 0.0, terms.value), bound, terms.precision)
    return terms


def loss_total(loss: str, c: Conventions) -> Callable[..., Bounded]:
    return lambda y, t, m: loss_terms(loss, c, y, t).total()


def loss_slope(loss: str, c: Conventions) -> Node:
    """The slope of the loss by the outputs, of a term."""
    entry, own = LOSSES[loss], _own_settings(loss, c)
    text = formula_text(lambda y, t, m: entry.slope(y, t, *own, m), "{0}", "{1}")
    arguments = (Ref(Role("A", len(c.activations))), Ref(Role("T")))
    return Call(lambda y, t, m: entry.slope(y, t, *own, m), arguments, text, "error")


def settings_of_penalty(name: str, c: Conventions) -> list[float]:
    return [float(v) for v in numbers(PENALTIES[name].settings, c.penalty_settings).values()]


def penalty_total(name: str, strength: float, c: Conventions) -> Callable[..., Bounded]:
    entry, own = PENALTIES[name], settings_of_penalty(name, c)
    return lambda w, m: strength * entry.term(w, *own, m).total()


def penalty_text(name: str, total: bool = False) -> str:
    entry = PENALTIES[name]
    own = [FormulaText(n) for n in entry.settings]
    body = entry.term if total else entry.slope
    return f"{name}·{'Σ ' if total else ''}{formula_text(lambda w, m: body(w, *own, m), '{0}')}"
