"""One update: penalty, clipping, schedule and optimizer, each from the registry, over all parameters at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from tutor.errors import TutorError
from tutor.maths.clipping import by_norm, by_value, norm
from tutor.maths.optimizer import RATE, Variant, counts
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES
from tutor.maths.schedules import SCHEDULES
from tutor.numbers.reproducible_arrays import called

Array = Any
System = Any


@dataclass(frozen=True)
class Rules:
    """How parameters are changed. Settings are numbers as they were typed, flags true or false; None is the registry's
    own."""

    optimizer: str = "sgd"
    learning_rate: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    schedule: str = "constant"
    schedule_settings: Mapping[str, str] = field(default_factory=dict)
    l1: float = 0.0
    l2: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None

    @property
    def rate(self) -> float:
        chosen = OPTIMIZERS[self.optimizer].rate
        return self.learning_rate if self.learning_rate is not None else float(chosen or "0.1")

    @property
    def variant(self) -> Variant:
        """The optimizer in the form that its settings give it."""
        return OPTIMIZERS[self.optimizer].variant(self.settings)

    def start(self, value: Any) -> float:
        """What a state begins with."""
        return self.rate if value == RATE else float(value)


def rate_in(rules: Rules, epoch: int, system: System) -> float:
    """The learning rate of the epoch, counted from 0."""
    if rules.schedule == "constant":
        return rules.rate
    schedule = SCHEDULES[rules.schedule]
    texts = {**schedule.settings, **rules.schedule_settings}
    numbers = {name: system.number(texts[name]) for name in schedule.settings}
    try:
        return float(schedule.rate(SimpleNamespace(eta0=rules.rate, epoch=epoch, **numbers), system))
    except (ArithmeticError, ValueError):
        said = f"the {schedule.name} schedule has no learning rate for epoch {epoch + 1} with these settings"
        raise TutorError(said) from None


class Optimization:
    """The state of an optimizer, and its steps."""

    def __init__(self, rules: Rules, count: int, weights: Array, system: System, dtype: Any = np.float64) -> None:
        self.rules, self.system, self.weights = rules, system, weights
        self.variant = rules.variant
        self.settings = {name: system.number(text) for name, text in self.variant.settings.items()}
        self.state: dict[str, Any] = {n: np.full(count, rules.start(v), dtype) for n, v in self.variant.state.items()}
        self.shared: dict[str, Any] = {n: rules.start(v) for n, v in self.variant.shared_state.items()}
        self.updates = 0
        self._rate: tuple[int, float] = (-1, 0.0)

    def rate(self, epoch: int) -> float:
        """The learning rate of the epoch, counted from 0."""
        if self._rate[0] != epoch:
            self._rate = epoch, rate_in(self.rules, epoch, self.system)
        return self._rate[1]

    def penalty(self, vector: Array) -> float:
        """What the penalties add to the loss."""
        strengths = {"l1": self.rules.l1, "l2": self.rules.l2}
        w = vector[self.weights]
        return float(sum(s * self.system.total(PENALTIES[n].term(w, self.system)) for n, s in strengths.items() if s))

    def step(self, vector: Array, gradient: Array, loss: float, epoch: int) -> None:
        """Change the parameters in place; the gradient is used up."""
        self.change(vector, gradient, self.numbers(loss, epoch))

    @property
    def number_names(self) -> list[str]:
        """What `numbers` has."""
        shared = [f"{line.name}_new" if line.name in self.shared else line.name for line in self.variant.shared]
        return [RATE, "E", *counts(0.0), *shared]

    def numbers(self, loss: float, epoch: int) -> dict[str, float]:
        """Begin the next update: what is the same for all parameters in it, by name."""
        self.updates += 1
        numbers = {RATE: self.rate(epoch), "E": loss, **counts(float(self.updates))}
        if self.variant.shared:
            numbers |= self._shared_numbers(numbers)
        return numbers

    def _shared_numbers(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """The lines that are worked once for all parameters."""
        space: dict[str, Any] = {**numbers, **self.shared, **self._chosen()}
        found = {}
        for equation in self.variant.shared:
            value = float(equation.body(SimpleNamespace(**space), self.system))
            if equation.name in self.shared:
                self.shared[equation.name] = value
            space[equation.result] = found[equation.result] = value
        return found

    def _chosen(self) -> dict[str, Any]:
        """The settings, and what bodies decide by."""
        return {**self.settings, **self.variant.choices, "first": self.updates == 1}

    def change(self, vector: Array, gradient: Array, numbers: Mapping[str, Any]) -> None:
        """Penalties, clipping and the equations of the optimizer; arrays may also be those of generated code."""
        if self.rules.l1 or self.rules.l2:
            self._penalise(vector, gradient)
        if self.rules.clip_value is not None:
            gradient[...] = by_value(gradient, self.rules.clip_value, self.system)
        if self.rules.clip_norm is not None:
            shortened(gradient, self.rules.clip_norm, self.system)
        arrays = {"w": vector, "g": gradient, **self.state}
        space = SimpleNamespace(**arrays, **numbers, **self._chosen())
        made = {}
        for equation in self.variant.equations:
            value: Any = equation.body(space, self.system)
            if equation.name in arrays:
                made[equation.name] = value
            setattr(space, equation.result, value)
        for name, value in made.items():
            arrays[name][...] = value

    def _penalise(self, vector: Array, gradient: Array) -> None:
        for name, strength in (("l1", self.rules.l1), ("l2", self.rules.l2)):
            if strength:
                gradient += strength * np.where(self.weights, PENALTIES[name].slope(vector, self.system), 0.0)


@called(number=True)
def shortened(gradient: Array, limit: float, system: System) -> None:
    """Shorten the gradient in place where it is longer than the limit."""
    length = float(norm(system.total(gradient * gradient), system))
    if length > limit:
        gradient[...] = by_norm(gradient, length, limit, system)
