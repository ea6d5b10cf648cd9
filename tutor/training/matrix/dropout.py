"""What is left out of a network while it learns: outputs, weights, whole layers. All drawn from the seed.

What is kept is divided by the probability of keeping it, so that nothing has to change when the network is used.
Sources: dropout, Srivastava et al. 2014; DropConnect, Wan et al. 2013; stochastic depth, Huang et al. 2016.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.data.sampling import random_bits
from tutor.training.architecture import Architecture

Array = Any
_LANES = 1 << 16


@dataclass(frozen=True)
class Masks:
    """For each layer what its outputs, its weights and, in a residual layer, its own branch are multiplied with; None
    where nothing is left out."""

    outputs: tuple[Array | None, ...]
    weights: tuple[Array | None, ...]
    branches: tuple[float | None, ...]

    @staticmethod
    def nothing(depth: int) -> Masks:
        """The masks that leave nothing out of so many layers."""
        return Masks(*((None,) * depth for _ in range(3)))

    @property
    def there(self) -> list[Any]:
        """Those that there are."""
        return [mask for mask in (*self.outputs, *self.weights, *self.branches) if mask is not None]

    def map(self, function: Callable[[Any], Any]) -> Masks:
        """What the function makes of those that there are, in the same order."""
        groups = (self.outputs, self.weights, self.branches)
        return Masks(*(tuple(None if mask is None else function(mask) for mask in group) for group in groups))


@dataclass(frozen=True)
class DropRates:
    """The shares that are left out: of hidden outputs, of weights, of residual layers."""

    dropout: float = 0.0
    dropconnect: float = 0.0
    stochastic_depth: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.dropout or self.dropconnect or self.stochastic_depth)

    def masks(self, architecture: Architecture, seed: int, epoch: int, batch: int, count: int) -> Masks:
        """The masks of one batch of `count` examples, from a stream of its own."""
        outputs: list[Array | None] = [None] * architecture.depth
        weights: list[Array | None] = [None] * architecture.depth
        branches: list[float | None] = [None] * architecture.depth
        if self.dropout:
            sizes = architecture.sizes[1:-1]
            kept = _kept(random_bits(seed, "dropout", epoch, -(-sum(sizes) * count // 4), batch=batch), self.dropout)
            start = 0
            for depth, size in enumerate(sizes):
                outputs[depth] = kept[start : start + size * count].reshape(size, count)
                start += size * count
        if self.dropconnect:
            kept = _kept(
                random_bits(seed, "dropconnect", epoch, -(-architecture.dense // 4), batch=batch), self.dropconnect
            )
            for depth, mask in enumerate(architecture.matrices(kept)):
                mask[:, -1] = 1.0  # a bias is no connection
                weights[depth] = mask
        if self.stochastic_depth:
            kept = _kept(
                random_bits(seed, "depth", epoch, -(-architecture.depth // 4), batch=batch), self.stochastic_depth
            )
            branches = [
                float(kept[depth]) if architecture.skips(depth) else None for depth in range(architecture.depth)
            ]
        return Masks(tuple(outputs), tuple(weights), tuple(branches))


def _kept(raw: Array, share: float) -> Array:
    """0 with the probability `share`, to one part in 65,536, else 1/(1 - share): four numbers from each word."""
    lanes = raw.astype("<u8").view("<u2")
    return (lanes >= round(share * _LANES)) / (1.0 - share)
