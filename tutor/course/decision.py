"""For which class the network of a worksheet decides: by its own arithmetic, which knows an exact tie.

In floating point 0.3 - 0.1 - 0.2 is a little below 0, and a neuron that fires at 0 would not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import chain, pairwise

from tutor.errors import TutorError
from tutor.formulas.quantity import Role, read_name
from tutor.numbers.exact import ExactSystem, Number, as_fraction
from tutor.training.straight_line.forward import outputs_of
from tutor.worksheet.step import Worksheet
from tutor.worksheet.values import values_with, with_ancestors

_DIGITS = 50
_ASIDE = 0.37
"""How far aside a nudge goes, in parts of its length: not along an axis or a diagonal, where boundaries often run."""


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

    def grid(self, xs: Sequence[float], ys: Sequence[float]) -> list[list[int]]:
        """The classes of the places of a grid, row by row: by floating point, but exactly where a boundary goes
        through."""
        found, around = self._looked_at(xs, ys)
        for (row, column), seen in around.items():
            exact = len({*seen}) > 1
            found[row][column] = self.exactly(Fraction(xs[column]), Fraction(ys[row])) if exact else seen[0]
        return found

    def counts(self, xs: Sequence[float], ys: Sequence[float]) -> Mapping[int, float]:
        """How many places of the grid each class has: one that a boundary goes through belongs in parts to both sides,
        as a boundary has no width."""
        found, around = self._looked_at(xs, ys)
        counts = defaultdict[int, float](float, Counter(chain.from_iterable(found)))
        for (row, column), seen in around.items():
            counts[found[row][column]] -= 1
            for one in seen:
                counts[one] += 1 / len(seen)
        return counts

    def _looked_at(
        self, xs: Sequence[float], ys: Sequence[float]
    ) -> tuple[list[list[int]], dict[tuple[int, int], tuple[int, ...]]]:
        """The class of each place as floating point has it; and of those beside a place of another class, or at the
        rim, the classes a nudge beside them: there a boundary may go through."""
        found = [self._classes([(x, y) for x in xs]) for y in ys]
        (right, up), aside = self.nudge, _ASIDE
        places = sorted(_beside_another(found) | _rim(len(ys), len(xs)))
        around = [
            self._classes([(xs[column] + dx, ys[row] + dy) for row, column in places])
            for dx, dy in ((right, aside * up), (-right, -aside * up), (aside * right, -up), (-aside * right, up))
        ]
        return found, dict(zip(places, zip(*around, strict=True), strict=True))

    def _classes(self, points: Sequence[tuple[float, float]]) -> list[int]:
        """The class of each point, as floating point has it."""
        bound, found = float(self.bound), self.rough(self.floats, points)
        if len(self.outputs) == 1:  # as `class_of`, of which a picture asks ten thousand times
            return [int(value > bound) for (value,) in found]
        return [class_of(values, bound) for values in found]


def _beside_another(grid: Sequence[Sequence[int]]) -> set[tuple[int, int]]:
    """The places, as row and column, that have a neighbour of another class in their row or column."""
    found = set[tuple[int, int]]()
    for row, classes in enumerate(grid):
        for column, (one, other) in enumerate(pairwise(classes)):
            if one != other:
                found |= {(row, column), (row, column + 1)}
    for row, (above, below) in enumerate(pairwise(grid)):
        for column, (one, other) in enumerate(zip(above, below, strict=True)):
            if one != other:
                found |= {(row, column), (row + 1, column)}
    return found


def _rim(rows: int, columns: int) -> set[tuple[int, int]]:
    ends = {(row, column) for row in range(rows) for column in (0, columns - 1)}
    return ends | {(row, column) for column in range(columns) for row in (0, rows - 1)}


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
