"""What to try next after a training, from looking at its losses and into its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tutor.data.builtin import Data
from tutor.maths.activations import ACTIVATIONS
from tutor.training.layer_measures import LayerState, alike
from tutor.training.settings import Settings
from tutor.training.trainer import UNLEARNED, Epoch, Result, Trainer

if TYPE_CHECKING:
    from tutor.data.array_types import Mask

_FEWEST = 6
"""Epochs from which on a trend is told from noise by a line through the later half."""
_SURE = 5.0
"""How many standard errors a slope is to be away from 0, of many losses; of few more."""
_FALL, _SWING, _RISE = 0.002, 0.1, 0.05
"""What share of a loss counts: to fall over the later half, to swing about its line, to rise above the lowest."""
_ABOVE_NOISE = 12.0
"""How many times the noise of a running median a held-out loss has to rise."""
_FLAT = 0.02
"""A unit is saturated where its slope is no more than this share of the steepest, for nearly every example."""
_NEARLY, _MOST, _ALL_BUT_ALL = 0.95, 0.5, 0.9
_MEASURED_ON = 2048
_WORSE = 1.03
_SLOW = 0.05
"""Losing no more than this share of the first loss in a whole training is slow."""
_LARGE = 10
"""From which size on inputs, and values to predict, are said to want a common scale."""


@dataclass(frozen=True)
class Advice:
    """What was seen, which kind of thing it is, and the settings to try instead, in the order in which they are told:
    each by itself. What is `hopeless` stays so, even where the loss still falls a little."""

    kind: str
    seen: str
    changes: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    hopeless: bool = False


def advice(data: Data, trainer: Trainer, result: Result) -> Advice | None:
    """What to do about a training on these data; None where there is nothing to say."""
    settings, history = trainer.settings, result.history
    if result.diverged:
        return _diverged(trainer)
    if data.name == "xor" and max(trainer.architecture.sizes[1:-1], default=0) < 2:
        seen = "XOR is not linearly separable: with fewer than two hidden units no training can solve it."
        changes = [{"hidden": (4,)}] if settings.rule == "gradient" else []
        return Advice("not separable", seen, changes)
    if settings.rule == "perceptron" or result.interrupted or not history:
        return None
    best = result.best if result.ended.startswith("stopped early") else None
    return _of_its_course(trainer, history, None if best is None else best[1])


def _of_its_course(trainer: Trainer, history: Sequence[Epoch], stopped_at: int | None) -> Advice | None:
    """`stopped_at` is the best epoch of a training that lost its patience: more epochs would end the same."""
    settings = trainer.settings
    if (rising := rising_since(history)) is not None:
        return _overfitted(settings, rising)
    if _solved(trainer, history):
        return None
    inside = _inside(trainer)
    unscaled = _unscaled(trainer, history[-1].loss)
    if unscaled is not None and (inside is None or inside.kind != "identical"):
        return unscaled
    if inside is not None and inside.hopeless:
        return inside
    trend = trend_of([epoch.loss for epoch in history])
    if trend == "falls" and stopped_at is not None:
        seen = f"The training loss was still falling, the held-out loss no longer after epoch {stopped_at}: "
        return _overfitted(settings, stopped_at, f"{seen}more epochs would end the same.")
    if trend == "falls" and (share := _slowly(trainer, history)) is not None:
        seen = f"The loss is still falling, but by no more than {100 * share:.2g}% from epoch 1 to {len(history)}: "
        sooner = {"learning_rate": _rate(settings, 10)}, {"epochs": 2 * settings.epochs}
        return Advice("falls", f"{seen}longer steps may get there sooner.", sooner)
    if trend == "falls":
        return Advice("falls", "The loss is still falling.", ({"epochs": 2 * settings.epochs},))
    if trend == "oscillates":
        seen = "The loss goes up and down and no longer falls: the steps are too long."
        return Advice("oscillates", seen, ({"learning_rate": _rate(settings, 0.1)},))
    if trend == "" or inside is not None:
        return inside
    wider: Mapping[str, Any] = {"hidden": _wider(settings)}
    if history[-1].loss > UNLEARNED * trainer.constant_loss:
        above = history[-1].loss > _WORSE * trainer.constant_loss
        where = "above" if above else "at about"
        seen = f"The loss stands still {where} what a constant guess loses: next to nothing has been learned."
        changes = [wider, {"learning_rate": _rate(settings, 10)}]
        if above:  # the biases alone would come down to such a guess with steps that are long enough
            changes.reverse()
        if not trainer.data.classes and not settings.target_scale:
            changes.insert(0, {"target_scale": True})
        deep = len(settings.hidden) > 1 and settings.activation != "relu"
        return Advice("stuck", seen, [{"activation": "relu"}, *changes] if deep else changes)
    return Advice("settled", "The loss has settled: more epochs will change little, a wider network may.", (wider,))


def trend_of(losses: Sequence[float]) -> str:
    """Whether the losses fall, oscillate or stand still in their later half; empty where too few tell nothing.

    A line is laid through them: they fall where its slope is surely below 0 and its fall is worth an epoch, and
    oscillate where what is left beside it is a good part of the loss.
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
    return "stands still"


def _errors(freedom: int) -> float:
    """The quantile of Student's distribution that lies where `_SURE` lies of the normal one, by the first terms of its
    expansion in 1/freedom (Fisher 1926)."""
    z = _SURE
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _slowly(trainer: Trainer, history: Sequence[Epoch]) -> float | None:
    """What share of the first loss is gone, where that is next to nothing and the rest no better than a constant guess;
    of a single example such a guess loses nothing, and tells nothing."""
    first, last, constant = history[0].loss, history[-1].loss, trainer.constant_loss
    if constant <= 1e-6 * first or last <= UNLEARNED * constant:
        return None
    share = 1 - last / first
    return share if 0 < share < _SLOW else None


def _solved(trainer: Trainer, history: Sequence[Epoch]) -> bool:
    """Whether every training example is right, or the values are met as well as floats can."""
    last = history[-1]
    return last.accuracy == 1 or (last.accuracy is None and last.loss <= 1e-6 * trainer.first_loss)


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


def _overfitted(settings: Settings, since: int, seen: str = "") -> Advice:
    rises = f"The held-out loss rises since epoch {since} while the training loss falls: the network learns by heart."
    patience = {"patience": max(3, since // 10)}
    narrower = {"hidden": tuple(max(2, n // 2) for n in settings.hidden)}
    changes: list[Mapping[str, Any]] = [] if settings.patience is not None else [patience]
    changes.append({"l2": 10 * settings.penalties.get("l2", 0.0001)})
    return Advice("overfits", seen or rises, [*changes, narrower] if narrower["hidden"] != settings.hidden else changes)


def _diverged(trainer: Trainer) -> Advice:
    settings, x = trainer.settings, trainer.data.x[trainer.data.train[:_MEASURED_ON]]
    slower: dict[str, Any] = {"learning_rate": _rate(settings, 0.1)}
    largest = float(np.abs(x).max()) if np.isfinite(x).all() else 0.0
    values = _large_targets(trainer) if settings.hidden else 0.0
    scaled: dict[str, Any] = {"normalize": "zscore"} if not settings.normalize and largest > _LARGE else {}
    sizes = [f"the inputs go up to {largest:.3g}"] if scaled else []
    if values:
        scaled["target_scale"] = True
        sizes.append(f"the values to predict go up to {values:.3g}")
    if scaled:
        said = " and ".join(sizes)
        seen = f"{said[0].upper()}{said[1:]}; on a common scale no step would leap as far."
        return Advice("diverged", seen, (scaled, slower))
    short: list[Mapping[str, Any]] = [slower]
    if settings.clip_norm is None and settings.rule == "gradient":
        short.append({"clip_norm": 1.0})
    return Advice("diverged", "The steps were too long.", short)


def _large_targets(trainer: Trainer) -> float:
    """How far values to predict go from 0 that are not scaled and would be better; 0 where there are none."""
    if trainer.data.classes or trainer.settings.target_scale:
        return 0.0
    largest = float(np.abs(trainer.data.targets[:, trainer.data.train]).max())
    return largest if np.isfinite(largest) and largest > _LARGE else 0.0


def _unscaled(trainer: Trainer, loss: float) -> Advice | None:
    """Values so large that a network with weights of usual size has not come near them."""
    settings, largest = trainer.settings, _large_targets(trainer)
    if not largest or loss <= _WORSE * trainer.constant_loss:
        return None
    seen = (
        f"The values to predict go up to {largest:.3g}, far from what a network begins with, and it is still worse "
        "than a constant guess."
    )
    change: dict[str, Any] = {"target_scale": True}
    if not settings.normalize and np.abs(trainer.data.x[trainer.data.train]).max() > _LARGE:
        change["normalize"] = "zscore"
    return Advice("unscaled", seen, (change,), hopeless=True)


def _rate(settings: Settings, times: float) -> float:
    return float(f"{times * float(settings.training.rate):.3g}")


def _wider(settings: Settings) -> tuple[int, ...]:
    return tuple(2 * n for n in settings.hidden) or (16,)


def _inside(trainer: Trainer) -> Advice | None:
    """What keeps the hidden units from learning: copies of each other, or no slope."""
    settings = trainer.settings
    with np.errstate(all="ignore"):
        hidden = trainer.engine.layer_states(_MEASURED_ON)[:-1]
    for depth, layer in enumerate(hidden, 1):
        if len(layer.units) > 1 and alike(layer.units).all():
            seen = f"All units of hidden layer {depth} are the same, and the same gradient keeps them so."
            return Advice("identical", seen, ({"init": ACTIVATIONS[settings.activation].initializer},), hopeless=True)
    for depth, (flat, silent) in enumerate(map(_flat_units, hidden), 1):
        count = len(flat)
        if silent.mean() > _MOST:
            dead = f"{int(silent.sum())} of {count} units of hidden layer {depth} are dead"
            seen = f"{dead}: 0 for every example, with slope 0."
            changes = [*_common_scale(trainer), {"activation": "leaky_relu"}, {"learning_rate": _rate(settings, 0.1)}]
            return Advice("dead", seen, changes, hopeless=bool(silent.all()))
        if flat.mean() > _MOST:
            seen = f"{int(flat.sum())} of {count} units of hidden layer {depth} are saturated: their slope is near 0."
            scaled: list[Mapping[str, Any]] = [] if settings.normalize else [{"normalize": "zscore"}]
            slower = {"learning_rate": _rate(settings, 0.1)}
            return Advice("saturated", seen, [*scaled, slower], hopeless=bool(flat.mean() > _ALL_BUT_ALL))
    return None


def _common_scale(trainer: Trainer) -> list[Mapping[str, Any]]:
    """Inputs of large size kill units at rates that are fine for others."""
    largest = np.abs(trainer.data.x[trainer.data.train[:_MEASURED_ON]]).max()
    return [{"normalize": "zscore"}] if not trainer.settings.normalize and largest > _LARGE else []


def _flat_units(layer: LayerState) -> tuple[Mask, Mask]:
    """Which units of a hidden layer have next to no slope for nearly every example, and which have none and an output
    of 0 for all of them."""
    steep, outputs = layer.slopes, layer.outputs
    if steep is None:
        nowhere = np.zeros(len(outputs), dtype=bool)
        return nowhere, nowhere
    flat = ((steep <= _FLAT * layer.steepest) & (outputs != 0)).mean(axis=1) >= _NEARLY
    return flat, (steep == 0).all(axis=1) & (outputs == 0).all(axis=1)
