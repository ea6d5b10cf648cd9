"""For which class the network of a worksheet decides: by its own arithmetic, which knows an exact tie.

In floating point 0.3 - 0.1 - 0.2 is a little below 0, and a neuron that fires at 0 would not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product

from tutor.errors import TutorError
from tutor.formulas.quantity import Role, read_name
from tutor.numbers.exact import ExactSystem, Number, as_fraction
from tutor.training.straight_line.forward import outputs_of
from tutor.worksheet.step import Worksheet
from tutor.worksheet.values import values_with, with_ancestors

_DIGITS = 50


class Decision:
    """Which class the network with these parameters takes a point of the plane for. A `nudge` along each axis is too
    short to be seen and longer than what floating point rounds."""

    def __init__(
        self, worksheet: Worksheet, parameters: Mapping[str, Number], bound: Number, nudge: tuple[float, float]
    ) -> None:
        network = worksheet.network
        assert network is not None
        self.parameters, self.bound, self.nudge = parameters, bound, nudge
        self.floats = {name: float(value) for name, value in parameters.items()}
        self.rough = outputs_of(worksheet)
        made = _made(worksheet)
        self.outputs = [made[neuron.output] for neuron in network.layers[-1].neurons]
        self.steps = with_ancestors(worksheet.steps, {*self.outputs})
        used = {read_name(name).base: name for step in self.steps for name in step.inputs}
        self.inputs = [used.get(name, name) for name in network.inputs]

    def exactly(self, x: Number, y: Number) -> int:
        """The class of one point."""
        givens = {**self.parameters, **dict(zip(self.inputs, (x, y), strict=True))}
        try:
            values = values_with(givens, self.steps, ExactSystem(_DIGITS), {})
        except TutorError:  # there is no output, so none is above the bound
            return 0
        return class_of([as_fraction(values[name]) for name in self.outputs], self.bound)

    def row(self, xs: Sequence[float], y: float) -> list[int]:
        """The classes of points of the same height: by floating point, but exactly where a boundary goes through."""
        (right, up), bound = self.nudge, float(self.bound)
        around = [
            [class_of(values, bound) for values in self.rough(self.floats, [(x + dx, y + dy) for x in xs])]
            for dx, dy in product((-right, right), (-up, up))
        ]
        return [
            seen[0] if len({*seen}) == 1 else self.exactly(Fraction(x), Fraction(y))
            for x, seen in zip(xs, zip(*around, strict=True), strict=True)
        ]


def _made(worksheet: Worksheet) -> dict[str, str]:
    """The first step of each quantity, by its name without example and update."""
    found: dict[str, str] = {}
    for step in worksheet.steps:
        quantity = read_name(step.name)
        if quantity.of is None and quantity.role is Role.PLAIN:
            found.setdefault(quantity.base, step.name)
    return found


def class_of(values: Sequence[Number], bound: Number) -> int:
    """The largest output, or whether the only one is above the bound."""
    return values.index(max(values)) if len(values) > 1 else int(values[0] > bound)
