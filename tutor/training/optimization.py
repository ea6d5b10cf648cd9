"""One update: penalty, clipping, schedule and optimizer, each from the registry, over all parameters at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from tutor.maths.clipping import by_norm, by_value
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES
from tutor.maths.schedules import SCHEDULES

Array = Any
System = Any


@dataclass(frozen=True)
class Rules:
    """How parameters are changed. Numbers are as the user typed them; None is the registry's own."""

    optimizer: str = "sgd"
    learning_rate: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
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


class Optimization:
    """The state of an optimizer, and its steps."""

    def __init__(self, rules: Rules, count: int, weights: Array, system: System) -> None:
        self.rules, self.system, self.weights = rules, system, weights
        self.entry = OPTIMIZERS[rules.optimizer]
        texts = {**self.entry.settings, **rules.settings}
        self.settings = {name: system.number(texts[name]) for name in self.entry.settings}
        self.flags = {name: bool(rules.settings.get(name, f.default)) for name, f in self.entry.flags.items()}
        self.state: dict[str, Any] = {name: np.zeros(count) for name in self.entry.state}
        self.shared: dict[str, Any] = dict.fromkeys(self.entry.shared_state, 0.0)
        if "eta" in self.shared:
            self.shared["eta"] = rules.rate
        self.updates = 0

    def rate(self, epoch: int) -> float:
        """The learning rate of the epoch, counted from 0."""
        schedule = SCHEDULES[self.rules.schedule]
        texts = {**schedule.settings, **self.rules.schedule_settings}
        numbers = {name: self.system.number(texts[name]) for name in schedule.settings}
        found = schedule.rate(SimpleNamespace(eta0=self.rules.rate, epoch=epoch, **numbers), self.system)
        return float(found)

    def penalty(self, vector: Array) -> float:
        """What the penalties add to the loss."""
        strengths = {"l1": self.rules.l1, "l2": self.rules.l2}
        w = vector[self.weights]
        return float(sum(s * self.system.total(PENALTIES[n].term(w, self.system)) for n, s in strengths.items() if s))

    def step(self, vector: Array, gradient: Array, loss: float, epoch: int) -> None:
        """Change the parameters in place."""
        gradient = self._clipped(self._with_penalties(vector, gradient))
        self.updates += 1
        first = self.updates == 1
        space = {"t": self.updates, "eta": self.rate(epoch), "E": loss, **self.settings, **self.shared}
        flags = {**self.flags, "first": first}
        for equation in self.entry.shared:
            value = equation.body(SimpleNamespace(**space, **flags), self.system)
            space[f"{equation.name}_new"] = value
            self.shared[equation.name] = float(value)
        space |= {"w": vector, "g": gradient, **self.state}
        for equation in self.entry.equations:
            value = equation.body(SimpleNamespace(**space, **flags), self.system)
            if equation.name == "w":
                vector[...] = value
            elif equation.name in self.state:
                self.state[equation.name] = space[f"{equation.name}_new"] = value
            else:
                space[equation.name] = value

    def _with_penalties(self, vector: Array, gradient: Array) -> Array:
        for name, strength in (("l1", self.rules.l1), ("l2", self.rules.l2)):
            if strength:
                slope = PENALTIES[name].slope(vector, self.system)
                gradient = gradient + strength * np.where(self.weights, slope, 0.0)
        return gradient

    def _clipped(self, gradient: Array) -> Array:
        if self.rules.clip_value is not None:
            return by_value(gradient, self.rules.clip_value, self.system)
        if self.rules.clip_norm is not None:
            length = self.system.total(gradient * gradient) ** 0.5
            return by_norm(gradient, length, self.rules.clip_norm, self.system)
        return gradient
