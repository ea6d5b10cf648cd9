"""A feed-forward network in matrix form: its outputs for a batch, and the gradient of the batch's mean loss."""

from __future__ import annotations

from typing import Any

from tutor.maths.losses import LOSSES
from tutor.training.batch_loss import BatchLoss
from tutor.training.layers import Activate, FirstLinear, Hidden, Linear, Normalise, Softmax
from tutor.training.noise import Masks
from tutor.training.shape import Shape

Array = Any
System = Any


class Network:
    """A shape in one arithmetic, its parameters in `vector`; `backward` puts their gradient into `gradient`."""

    def __init__(self, shape: Shape, system: System, vector: Array, gradient: Array) -> None:
        self.shape, self.vector, self.gradient = shape, vector, gradient
        self.loss = BatchLoss(shape.loss, system)
        parts = list(zip(shape.matrices(vector), shape.matrices(gradient), strict=True))
        self.sums: list[FirstLinear | Linear] = [FirstLinear(*parts[0]), *(Linear(*part, system) for part in parts[1:])]
        scales = zip(self.sums, shape.scales(vector), shape.scales(gradient), strict=False)
        self.normalised = [Normalise(*scale, system) for scale in scales]
        self.hidden = [
            Hidden(sums, Activate(shape.activations[depth], system), shape.skips(depth))
            for depth, sums in enumerate(self.normalised or self.sums[:-1])
        ]
        last = shape.activations[-1]
        self.activate = Softmax(system) if last == "softmax" else Activate(last, system)
        self.simple = LOSSES[shape.loss].output == last  # dE/dz is output minus target

    def forward(self, batch: Any, learning: bool = False) -> Array:
        """The outputs for a batch: one row an output, one column an example."""
        for layer in self.normalised:
            layer.learning = learning
        x = batch
        for hidden in self.hidden:
            x = hidden.forward(x)
        self.outputs: Array = self.activate.forward(self.sums[-1].forward(x))
        return self.outputs

    def leave_out(self, masks: Masks) -> None:
        """What is left out from now on."""
        kind = self.vector.dtype
        for sums, mask in zip(self.sums, masks.weights, strict=True):
            sums.mask = None if mask is None else mask.astype(kind, copy=False)
        for hidden, branch, kept in zip(self.hidden, masks.branches, masks.outputs, strict=False):
            hidden.branch, hidden.kept = branch, None if kept is None else kept.astype(kind, copy=False)

    def backward(self, targets: Array, shares: Array | None = None) -> None:
        """The derivative of the mean loss of the batch that went forward last; `shares` weigh the examples."""
        delta = self.outputs - targets if self.simple else self.loss.slope(self.outputs, targets)
        delta /= targets.shape[1]
        if shares is not None:
            delta *= shares
        if not self.simple:
            delta = self.activate.backward(delta)
        delta = self.sums[-1].backward(delta)
        for hidden in reversed(self.hidden):
            delta = hidden.backward(delta)
