"""The loss of a whole batch: the registry's loss of one output, over all outputs and examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutor.arithmetic.scalar import SMALLEST_PROBABILITY
from tutor.maths.losses import LOSSES

Array = Any
System = Any


class BatchLoss:
    """A loss in one arithmetic. Outputs and targets have a row an output and a column an example.

    Outputs that are probabilities are kept at least 1e-12 away from 0 and 1, where their logarithm is infinite.
    """

    def __init__(self, name: str, system: System) -> None:
        self.name, self.system, self.entry = name, system, LOSSES[name]

    def each(self, outputs: Array, targets: Array) -> Array:
        """What every output of every example adds to the loss of its example."""
        return self._shared(self.entry.term(self._inside(outputs), targets, self.system), targets)

    def slope(self, outputs: Array, targets: Array) -> Array:
        """The derivative of an example's loss by each of its outputs."""
        return self._shared(self.entry.slope(self._inside(outputs), targets, self.system), targets)

    def mean(self, outputs: Array, targets: Array, shares: Array | None = None) -> float:
        """The mean over the examples of the loss of each; `shares` weigh them."""
        count: int = targets.shape[1]
        if self.name == "cross_entropy":  # what has a target of 0 adds nothing, and its logarithm takes long
            asked = targets != 0
            terms = self.entry.term(self._inside(outputs[asked]), targets[asked], self.system)
            weighed = terms if shares is None else terms * np.broadcast_to(shares, targets.shape)[asked]
        else:
            terms = self.system.column_sums(self.each(outputs, targets))
            weighed = terms if shares is None else terms * shares
        total = self.system.total(weighed)
        return float(total / count)

    def _inside(self, outputs: Array) -> Array:
        if not self.entry.output:
            return outputs
        outputs = outputs.astype(np.float64, copy=False)  # 1 - 1e-12 is 1 in single precision
        return np.clip(outputs, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)

    def _shared(self, terms: Array, targets: Array) -> Array:
        return terms / len(targets) if self.entry.mean else terms
