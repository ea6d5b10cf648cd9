"""One update: penalty, clipping, schedule and optimizer, each from the registry, over all parameters at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from tutor.errors import TutorError
from tutor.maths.clipping import by_norm, by_value, norm
from tutor.maths.optimizer import RATE, counts
from tutor.maths.penalties import PENALTIES
from tutor.maths.schedules import SCHEDULES
from tutor.numbers.reproducible_arrays import called
from tutor.worksheet.problem import Optimization, Training

Array = Any
System = Any


def rate_in(training: Optimization, epoch: int, system: System) -> float:
    """The learning rate of the epoch, counted from 0."""
    rate = float(training.rate)
    if training.schedule == "constant":
        return rate
    schedule = SCHEDULES[training.schedule]
    settings = {name: system.number(value) for name, value in training.rate_settings.items()}
    try:
        return float(schedule.rate(SimpleNamespace(eta0=rate, epoch=epoch, **settings), system))
    except (ArithmeticError, ValueError):
        said = f"the {schedule.name} schedule has no learning rate for epoch {epoch + 1} with these settings"
        raise TutorError(said) from None


def rates_in(training: Optimization, first: int, count: int, system: System) -> list[float]:
    """The learning rates of so many epochs, the first of them numbered from 0."""
    if training.schedule == "constant":
        return [rate_in(training, first, system)] * count
    return [rate_in(training, epoch, system) for epoch in range(first, first + count)]


def begins(training: Optimization, start: Any) -> float:
    """What a state begins with: a number, or the learning rate."""
    return float(training.rate if start == RATE else start)


class MatrixOptimizer:
    """The state of an optimizer, and its steps. `weights` says which parameters are penalised, `free` which of them
    learn, where not all of them do."""

    def __init__(
        self,
        training: Training,
        count: int,
        weights: Array,
        system: System,
        dtype: Any = np.float64,
        free: Array | None = None,
    ) -> None:
        self.training, self.system, self.free = training, system, free
        self.weights = weights if free is None else weights & free
        self.variant = training.variant
        self.settings = {name: system.number(value) for name, value in self.variant.settings.items()}
        self.state: dict[str, Any] = {
            name: np.full(count, begins(training, value), dtype) for name, value in self.variant.state.items()
        }
        self.shared: dict[str, Any] = {n: begins(training, v) for n, v in self.variant.shared_state.items()}
        known = {
            name: (PENALTIES[name], float(strength), [*map(system.number, training.numbers_of(name))])
            for name, strength in training.penalties.items()
        }
        self.proximal = [known.pop(name) for name in training.proximal_penalties]
        self.penalties = [*known.values()]
        self.updates = 0
        self._rate: tuple[int, float] = (-1, 0.0)

    def rate(self, epoch: int) -> float:
        """The learning rate of the epoch, counted from 0."""
        if self._rate[0] != epoch:
            self._rate = epoch, rate_in(self.training, epoch, self.system)
        return self._rate[1]

    def penalty(self, vector: Array) -> float:
        """What the penalties add to the loss, those that act after each step left out."""
        w, m = vector[self.weights], self.system
        return float(sum(strength * m.total(entry.term(w, *own, m)) for entry, strength, own in self.penalties))

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
        numbers = counts(float(self.updates))
        numbers[RATE], numbers["E"] = self.rate(epoch), loss
        if self.variant.shared:
            numbers |= self._shared_numbers(numbers)
        return numbers

    def numbers_named(self, names: Sequence[str], loss: float, epoch: int) -> Sequence[float]:
        """Those of these names alone: most optimizers ask for nothing but the rate."""
        if names == [RATE]:
            self.updates += 1
            return (self.rate(epoch),)
        numbers = self.numbers(loss, epoch)
        return [numbers[name] for name in names]

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

    def change(self, vector: Array, gradient: Array, numbers: Mapping[str, Any], part: slice | None = None) -> None:
        """Penalties, clipping, the equations of the optimizer and soft-thresholding, for all parameters or for those in
        these places; arrays may also be those of generated code."""
        state, weights, free = self.state, self.weights, self.free
        if part is not None:
            vector, gradient, weights = vector[part], gradient[part], weights[part]
            state, free = {name: array[part] for name, array in state.items()}, None if free is None else free[part]
        if free is not None:
            gradient[...] = np.where(free, gradient, 0.0)
        for entry, strength, own in self.penalties:
            gradient += strength * np.where(weights, entry.slope(vector, *own, self.system), 0.0)
        if self.training.clip_value is not None:
            gradient[...] = by_value(gradient, float(self.training.clip_value), self.system)
        if self.training.clip_norm is not None:
            shortened(gradient, float(self.training.clip_norm), self.system)
        arrays = {"w": vector, "g": gradient, **state}
        space = SimpleNamespace(**arrays, **numbers, **self._chosen())
        results = {}
        for equation in self.variant.equations:
            value: Any = equation.body(space, self.system)
            if equation.name in arrays:
                results[equation.name] = value
            setattr(space, equation.result, value)
        if self.proximal:
            rate = numbers.get(f"{RATE}_new", numbers[RATE])
            results["w"] = np.where(weights, self._shrunk(results["w"], rate), results["w"])
        if free is not None:
            results["w"] = np.where(free, results["w"], vector)
        for name, value in results.items():
            arrays[name][...] = value

    def _shrunk(self, w: Array, rate: Any) -> Array:
        """Nearer to 0 by what the penalties ask for in a step of this rate."""
        for entry, strength, own in self.proximal:
            assert entry.proximal is not None
            w = entry.proximal(w, rate * strength, *own, self.system)
        return w


@called(number=True)
def shortened(gradient: Array, limit: float, system: System) -> None:
    """Shorten the gradient in place where it is longer than the limit."""
    length = float(norm(system.total(gradient * gradient), system))
    if length > limit:
        gradient[...] = by_norm(gradient, length, limit, system)
