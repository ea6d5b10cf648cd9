"""Bias² and variance: what of the error every training set makes, and what each makes on its own.

Each run learns from a training set of its own, drawn from the training part with replacement (Efron 1979), and all are
measured on the same held-out examples. The mean squared error of the outputs is the sum of both (Geman, Bienenstock and
Doursat 1992); of probabilities it is the Brier score (Brier 1950). Noise in the targets counts as bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from tutor.data.sampling import random_bits, uniforms
from tutor.experiments.measures import Measure

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Indices
    from tutor.experiments.experiment import Outcome
    from tutor.training.trainer import Trainer

BIAS, VARIANCE = "bias_squared", "variance"


def drawn(train: Indices, seed: int) -> Indices:
    """As many examples of the training part, with replacement."""
    chosen = (uniforms(random_bits(seed, "resample", 0, len(train))) * len(train)).astype(np.int64)
    return np.sort(train[chosen])


def held_out(trainer: Trainer) -> tuple[Floats, Floats]:
    """What the network says to the held-out examples, and what is true, both (outputs, examples)."""
    data, indices = trainer.data, trainer.data.validation
    outputs, targets = trainer.engine.outputs(data.rows, indices).astype(np.float64), data.targets[:, indices]
    if data.target_scaling is not None:
        return data.target_scaling.in_units(outputs), data.target_scaling.in_units(targets)
    return outputs, targets


def decomposed(outcomes: Sequence[Outcome | None], seeds: int) -> list[Outcome | None]:
    """The outcomes with the bias² of their setting, and what each adds to its variance: how far its outputs are from
    the mean of all, squared. Every so many outcomes are those of a setting; one that diverged has neither."""
    found: list[Outcome | None] = []
    for start in range(0, len(outcomes), seeds):
        found += _of_setting(outcomes[start : start + seeds])
    return found


def _of_setting(outcomes: Sequence[Outcome | None]) -> list[Outcome | None]:
    known = [one.held_out for one in outcomes if one is not None and one.held_out is not None]
    if not known:
        return list(outcomes)
    total = known[0][0]
    for outputs, _ in known[1:]:
        total = total + outputs
    middle = total / len(known)
    bias = mean_square(middle - known[0][1])
    found: list[Outcome | None] = []
    for one in outcomes:
        if one is not None and one.held_out is not None:
            own = {Measure(BIAS): bias, Measure(VARIANCE): mean_square(one.held_out[0] - middle)}
            one = replace(one, measured={**one.measured, **own}, held_out=None)
        found.append(one)
    return found


def mean_square(apart: Floats) -> float:
    """Over outputs and examples, the sum rounded once."""
    return fsum((apart * apart).ravel().tolist()) / apart.size
