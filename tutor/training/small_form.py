"""A small network, or any network of a lesson, as straight-line code that a trainer can run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from tutor.training.optimization import Rules, rate_in

if TYPE_CHECKING:  # these import SymPy, which matrices do without
    from tutor.training.straight_line import StraightLine
    from tutor.worksheet.step import Worksheet

Array = Any
System = Any
LARGEST = {"fast": 160, "reproducible": 400}
"""Parameters times examples an update, up to which straight-line code is faster than matrices."""


class SmallForm:
    """Straight-line code with the schedule of its learning rate."""

    name: Literal["matrix", "straight-line"] = "straight-line"

    def __init__(self, line: StraightLine, rules: Rules, system: System) -> None:
        self.line, self.rules, self.system = line, rules, system

    @property
    def vector(self) -> Array:
        return self.line.vector

    @property
    def updates(self) -> int:
        return self.line.updates

    @property
    def failed(self) -> str:
        return self.line.failed

    def run(self, first: int, orders: Array) -> list[float]:
        """One epoch for each order, a row each, the first of them numbered `first`; the loss of each."""
        if self.rules.schedule == "constant":
            return self.line.run(orders, [self.rules.rate] * len(orders))
        epochs = range(first - 1, first - 1 + len(orders))
        return self.line.run(orders, [rate_in(self.rules, epoch, self.system) for epoch in epochs])

    def outputs(self, rows: Array, places: Array) -> Array:
        """What the network says to the examples in these rows, each of which ends in a 1: one row an output, one
        column an example."""
        return self.line.outputs(rows[places, :-1].T)

    def worksheet(self, group: Array, epoch: int, chain: str | None) -> Worksheet:
        """The exact worksheet of the next update, by these examples of the training part in that epoch (from 1)."""
        return self.line.worksheet(group.tolist(), epoch - 1, chain)

    def state(self) -> dict[str, Any]:
        """Everything that goes on from here, by name."""
        return {"vector": self.vector, **self.line.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there. Raises KeyError or ValueError where something is missing or of another size."""
        self.line.vector = state["vector"]
        self.line.restore(state)
