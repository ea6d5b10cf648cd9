"""What a network consists of, and how its parameters lie in one vector."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tutor.data.sampling import normals, random_bits, uniforms
from tutor.maths.initializers import INITIALIZERS

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Mask

System = Any


@dataclass(frozen=True)
class Architecture:
    """Layers of these sizes, inputs first; one activation for each but the inputs; and the loss of one example with its
    settings, as they were typed.

    With `batch_norm` every hidden layer normalises its weighted sums, with `residual` every hidden layer as wide as
    the one before adds that one's output to its own.
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    batch_norm: bool = False
    residual: bool = False
    loss_setting: Mapping[str, str] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How many layers have weights."""
        return len(self.activations)

    @property
    def dense(self) -> int:
        """How many weights and biases there are."""
        return sum((before + 1) * after for before, after in pairwise(self.sizes))

    @property
    def count(self) -> int:
        """How many parameters there are: weights, biases and, with batch normalization, a scale for each sum."""
        return self.dense + (sum(self.sizes[1:-1]) if self.batch_norm else 0)

    def normalises(self, depth: int) -> bool:
        return self.batch_norm and depth < self.depth - 1

    def skips(self, depth: int) -> bool:
        """Whether the layer adds its input to its output."""
        return self.residual and 0 < depth < self.depth - 1 and self.sizes[depth] == self.sizes[depth + 1]

    def matrices(self, vector: Floats) -> list[Floats]:
        """The vector, (parameters,), as one matrix a layer, (neurons, inputs + 1): a row a neuron, the bias in the last
        column. Views, not copies."""
        found, start = [], 0
        for before, after in pairwise(self.sizes):
            end = start + (before + 1) * after
            found.append(vector[start:end].reshape(after, before + 1))
            start = end
        return found

    def scales(self, vector: Floats) -> list[Floats]:
        """gamma of every hidden layer as a column, (neurons, 1); nothing without batch normalization."""
        found, start = [], self.dense
        for size in self.sizes[1:-1] if self.batch_norm else ():
            found.append(vector[start : start + size, None])
            start += size
        return found

    def slices(self, depth: int) -> list[slice]:
        """Where the parameters of a layer lie in the vector."""
        start, gammas = 0, self.dense
        for layer, (before, after) in enumerate(pairwise(self.sizes)):
            end = start + (before + 1) * after
            if layer == depth:
                own = slice(start, end)
                return [own, slice(gammas, gammas + after)] if self.normalises(depth) else [own]
            start, gammas = end, gammas + after
        raise IndexError(depth)

    def free(self, frozen: Collection[int]) -> Mask:
        """Which entries of the vector, (parameters,), learn where these layers do not."""
        mask = np.ones(self.count, dtype=bool)
        for depth in frozen:
            for part in self.slices(depth):
                mask[part] = False
        return mask

    def weights(self) -> Mask:
        """Which entries of the vector, (parameters,), are weights, and so penalised: not biases, and not scales."""
        mask = np.ones(self.count, dtype=bool)
        mask[self.dense :] = False
        for matrix in self.matrices(mask):
            matrix[:, -1] = False
        return mask

    def initial(self, seed: int, initializer: str, system: System) -> Floats:
        """Weights drawn from the seed, biases 0, scales 1: (parameters,)."""
        entry = INITIALIZERS[initializer]
        vector = np.zeros(self.count)
        vector[self.dense :] = 1.0
        raw = random_bits(seed, "weights", 0, self.dense)
        if entry.distribution == "normal":
            vector[: self.dense] = normals(raw)
        elif entry.distribution == "uniform":
            vector[: self.dense] = 2.0 * uniforms(raw) - 1.0
        for matrix, (before, after) in zip(self.matrices(vector), pairwise(self.sizes), strict=True):
            matrix *= entry.scale(float(before), float(after), system)
            matrix[:, -1] = 0.0
        return vector
