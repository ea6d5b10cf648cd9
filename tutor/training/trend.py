"""The course of a training: whether its losses fall, stand still or go up and down, and since when they rise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tutor.training.trainer import Epoch

_FEWEST = 6
"""Epochs from which on a trend is told from noise by a line through the later half."""
_SURE = 5.0
"""How many standard errors a slope is to be away from 0, of many losses; of few more."""
_FALL, _SWING, _RISE = 0.002, 0.1, 0.05
"""What share of a loss counts: to fall over the later half, to swing about its line, to rise above the lowest."""
_HARDLY = 0.02
"""What a line through the later half may fall, as a share of the loss, where it is not sure that there is a fall."""
_ABOVE_NOISE = 12.0
"""How many times the noise of a running median a held-out loss has to rise."""


def trend_of(losses: Sequence[float]) -> str:
    """Whether the losses fall, oscillate or stand still in their later half; "unsteady" where they may fall, and empty
    where too few tell nothing.

    A line is laid through them: they fall where its slope is surely below 0 and its fall is worth an epoch, oscillate
    where what is left beside it is a good part of the loss, and stand still where the line itself hardly falls.
    """
    if len(losses) < _FEWEST:
        down = all(b < a for a, b in pairwise(losses))
        return "falls" if len(losses) > 1 and down and losses[-1] < (1 - _FALL) * losses[0] else ""
    later = np.array(losses[len(losses) // 2 :])
    at = np.arange(len(later)) - (len(later) - 1) / 2
    level = float(later.mean())
    slope = float((at * later).sum() / (at * at).sum())
    beside = later - level - slope * at
    swing = float(np.sqrt((beside * beside).sum() / max(1, len(later) - 2)))
    error = swing / float(np.sqrt((at * at).sum()))
    fall = -slope * (len(later) - 1)
    surely = -slope > _errors(len(later) - 2) * error or bool((np.diff(later) < 0).all())
    if surely and fall > _FALL * level:
        return "falls"
    turns = int((np.diff(np.sign(np.diff(later))) != 0).sum())
    if swing > _SWING * level and 3 * turns > len(later):
        return "oscillates"
    return "unsteady" if fall > _HARDLY * level else "stands still"


def _errors(freedom: int) -> float:
    """The quantile of Student's distribution that lies where `_SURE` lies of the normal one, by the first terms of its
    expansion in 1/freedom (Fisher 1926)."""
    z = _SURE
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def rising_since(history: Sequence[Epoch]) -> int | None:
    """The epoch since which the held-out loss rises while the training loss falls. It rises from the lowest of its
    running medians, and by more than it goes up and down about them: a single low loss is no turning point."""
    measured = [epoch for epoch in history if epoch.validation_loss is not None]
    if len(measured) < _FEWEST:
        return None
    losses, width = np.array([epoch.validation_loss for epoch in measured]), max(3, len(measured) // 10)
    medians = np.median(sliding_window_view(losses, width), axis=-1)
    low, noise = int(medians.argmin()), float(np.median(np.abs(np.diff(losses)))) / sqrt(width)
    risen = float(medians[-1] - medians[low])
    began = min(measured[low : low + width], key=lambda epoch: epoch.validation_loss or 0.0)
    has_risen = risen > max(_RISE * medians[low], _ABOVE_NOISE * noise) and history[-1].loss < began.loss
    return began.number if has_risen and history[-1].number - began.number >= 3 else None
