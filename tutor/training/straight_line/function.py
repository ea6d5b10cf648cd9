"""A function minimised as straight-line code: the worksheet's own update, as often as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite, nan

from msgspec.structs import replace as changed

from tutor.numbers.arrays import ARITHMETICS
from tutor.numbers.reproducible_scalars import Fast, Reproducible
from tutor.training.matrix.optimizer import rate_in
from tutor.training.straight_line.source import forward_of, loop_of
from tutor.training.straight_line.steps import COUNT, OneUpdate, update_of_function
from tutor.worksheet.problem import Minimize
from tutor.worksheet.step import GOAL

_FUNCTIONS = {"fast": Fast, "reproducible": Reproducible}


class Descent:
    """The values of a function while it is minimised. An epoch is a step."""

    def __init__(self, minimize: Minimize, givens: Mapping[str, Fraction], arithmetic: str) -> None:
        self.minimize, self.system = minimize, ARITHMETICS[arithmetic]
        self._update: OneUpdate = update_of_function(changed(minimize, schedule="constant"), givens)
        self._loop = loop_of(self._update, None)
        self._functions = _FUNCTIONS[arithmetic]
        self._run = self._loop.function(self._functions)
        self._value = forward_of(self._update, [GOAL]).function(self._functions)
        start = {name: float(value) for name, value in self._update.start.items()}
        start[COUNT] = float(self._update.updates)
        for name, base in self._loop.powers.items():
            start[name] = self.system.number(str(float(self._update.constants[base]))) ** self._update.updates
        self._kept = tuple(float(start[name]) for name in self._loop.kept)

    @property
    def names(self) -> tuple[str, ...]:
        """What the function is of."""
        return self._update.parameters

    def step(self, epoch: int) -> float:
        """The value before this step (from 0), which is made; NaN where there is none, and then nothing changes."""
        try:
            kept, (value,) = self._run(self._kept, [()], [([0], (), 1.0, rate_in(self.minimize, epoch, self.system))])
        except (ArithmeticError, ValueError):
            return nan
        if isfinite(value):
            self._kept = kept
        return float(value)

    @property
    def point(self) -> tuple[float, ...]:
        """Where it stands now."""
        return self._kept[: len(self._update.parameters)]

    @property
    def value(self) -> float:
        """The function where it stands now."""
        return self.at(self.point)

    def at(self, point: tuple[float, ...]) -> float:
        """The function at a point; NaN where it has no value."""
        try:
            return float(self._value(point, [()])[0][0])
        except (ArithmeticError, ValueError):
            return nan
