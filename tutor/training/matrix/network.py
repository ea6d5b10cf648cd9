"""A network in matrix form: its layers in order, and the loss of a whole batch with its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutor.maths.losses import LOSSES
from tutor.maths.setting import numbers
from tutor.training.architecture import Architecture
from tutor.training.matrix.dropout import Masks
from tutor.training.matrix.layers import Activate, FirstLinear, Hidden, Linear, Normalise, Softmax

Array = Any
System = Any
Running = Sequence[tuple[Array, Array]]


class BatchLoss:
    """A loss in one arithmetic, worked from a row an output and a column an example, as targets have: the last weighted
    sums where the loss takes outputs for probabilities, since the logarithm of one that is rounded to 0 is known there;
    else the outputs.
    """

    def __init__(self, architecture: Architecture, system: System) -> None:
        self.name, self.system, self.entry = architecture.loss, system, LOSSES[architecture.loss]
        self.by_sum = self.entry.by_sum if self.entry.output == architecture.activations[-1] else None
        self._own = [*map(system.number, numbers(self.entry.settings, architecture.loss_setting).values())]

    @property
    def by_sums(self) -> bool:
        """Whether the loss is worked from the weighted sums, not from the outputs."""
        return self.by_sum is not None

    def slope(self, outputs: Array, targets: Array) -> Array:
        """The derivative of an example's loss by each of its outputs."""
        return self._shared(self.entry.slope(outputs, targets, *self._own, self.system), targets)

    def mean(self, loss_inputs: Array, targets: Array, sample_weights: Array | None = None) -> float:
        """The mean over the examples of the loss of each; `sample_weights` weigh them."""
        count: int = targets.shape[1]
        if self.by_sums:
            loss_inputs = loss_inputs.astype(np.float64, copy=False)
        if self.by_sums and self.name == "cross_entropy":  # what has a target of 0 adds nothing
            nonzero = np.flatnonzero(targets != 0)
            example = nonzero % count
            terms = self._term(
                loss_inputs.take(nonzero), targets.take(nonzero), self._log_total(loss_inputs).take(example)
            )
            weighed = terms if sample_weights is None else terms * sample_weights.take(example)
        else:
            terms = self.system.column_sums(self._shared(self._term(loss_inputs, targets, None), targets))
            weighed = terms if sample_weights is None else terms * sample_weights
        total = self.system.total(weighed)
        return float(total / count)

    def _term(self, loss_inputs: Array, targets: Array, rest: Array | None) -> Array:
        if self.by_sum is not None:
            return self.by_sum(loss_inputs, targets, rest, self.system)
        return self.entry.term(loss_inputs, targets, *self._own, self.system)

    def _log_total(self, sums: Array) -> Array:
        """ln of the sum of exp(z) over the outputs, (examples,); the largest z is taken from all on the way."""
        largest = np.maximum.reduce(sums, axis=0)
        return largest + self.system.log(self.system.column_sums(self.system.exp(sums - largest)))

    def _shared(self, terms: Array, targets: Array) -> Array:
        return terms / len(targets) if self.entry.mean else terms


class Network:
    """An architecture in one arithmetic, its parameters in `vector`; `backward` puts their gradient into `gradient`.
    With batch normalization `running` has the mean and the variance of each hidden layer, changed in place."""

    def __init__(
        self, architecture: Architecture, system: System, vector: Array, gradient: Array, running: Running = ()
    ) -> None:
        self.architecture, self.system, self.vector, self.gradient = architecture, system, vector, gradient
        self.running = running or [(np.zeros_like(scale), np.ones_like(scale)) for scale in architecture.scales(vector)]
        self.loss = BatchLoss(architecture, system)
        parts = list(zip(architecture.matrices(vector), architecture.matrices(gradient), strict=True))
        self.sums: list[FirstLinear | Linear] = [FirstLinear(*parts[0]), *(Linear(*part, system) for part in parts[1:])]
        scales = zip(self.sums, architecture.scales(vector), architecture.scales(gradient), self.running, strict=False)
        self.normalised = [Normalise(*scale, system) for scale in scales]
        self.hidden = [
            Hidden(sums, Activate(architecture.activations[depth], system), architecture.skips(depth))
            for depth, sums in enumerate(self.normalised or self.sums[:-1])
        ]
        last = architecture.activations[-1]
        self.activate = Softmax(system) if last == "softmax" else Activate(last, system)
        self.simple = LOSSES[architecture.loss].output == last  # dE/dz is output minus target

    def forward(self, batch: Any, learning: bool = False, masks: Masks | None = None) -> Array:
        """The outputs for a batch, without what the masks leave out: one row an output, one column an example."""
        for layer in self.normalised:
            layer.learning = learning
        self._leave_out(masks or Masks.nothing(self.architecture.depth))
        x = batch
        for hidden in self.hidden:
            x = hidden.forward(x)
        self.outputs: Array = self.activate.forward(self.sums[-1].forward(x))
        return self.outputs

    @property
    def loss_inputs(self) -> Array:
        """What the loss of the batch that went forward last is worked from."""
        return self.activate.z if self.loss.by_sums else self.outputs

    def _leave_out(self, masks: Masks) -> None:
        for sums, mask in zip(self.sums, masks.weights, strict=True):
            sums.mask = mask
        for hidden, branch, kept in zip(self.hidden, masks.branches, masks.outputs, strict=False):
            hidden.branch, hidden.kept = branch, kept

    def backward(self, targets: Array, sample_weights: Array | None = None) -> None:
        """The derivative of the mean loss of the batch that went forward last; `sample_weights` weigh the examples."""
        delta = self.outputs - targets if self.simple else self.loss.slope(self.outputs, targets)
        delta /= targets.shape[1]
        if sample_weights is not None:
            delta *= sample_weights
        if not self.simple:
            delta = self.activate.backward(delta)
        delta = self.sums[-1].backward(delta)
        for hidden in reversed(self.hidden):
            delta = hidden.backward(delta)
