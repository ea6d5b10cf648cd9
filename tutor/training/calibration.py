"""Whether the probabilities of a network mean what they say: of those that are near 80%, are 80% right?"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Mask

BINS = 10


class Bin(Struct, frozen=True):
    """The examples whose class has a probability above `low`, up to `high`: how many there are, the mean of these
    probabilities, and the share that is right; null in an empty one."""

    low: float
    high: float
    examples: int
    confidence: float | None
    accuracy: float | None


class Calibration(Struct, frozen=True):
    """`error` is the expected calibration error: the mean over the examples of the distance, bin by bin, between how
    sure the network is and how often it is right (Guo et al. 2017). `overconfident` says whether it is surer than
    right on the whole."""

    error: float
    overconfident: bool
    bins: list[Bin]


def calibration(outputs: Floats, right: Mask) -> Calibration | None:
    """Of outputs that are probabilities, (outputs, examples), the only one that of the second class, and whether the
    guess is right for each. None where a probability is no number."""
    sure = np.max(outputs, axis=0) if len(outputs) > 1 else np.maximum(outputs[0], 1 - outputs[0])
    if not len(sure) or not np.isfinite(sure).all():
        return None
    place = np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)
    bins, apart = [], []
    for k in range(BINS):
        there = place == k
        count, confidence, accuracy = int(there.sum()), None, None
        if count:
            confidence, hits = fsum(sure[there].tolist()) / count, int(right[there].sum())
            accuracy = hits / count
            apart.append(count / len(sure) * abs(accuracy - confidence))
        bins.append(Bin(k / BINS, (k + 1) / BINS, count, confidence, accuracy))
    return Calibration(fsum(apart), fsum(sure.tolist()) > int(right.sum()), bins)
