"""What keeps a network from learning, as its settings, its weights and its layers show it, and what to try instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np

from tutor.errors import counted, listed
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.optimizers import OPTIMIZERS
from tutor.numbers.arrays import ARITHMETICS
from tutor.training.layer_measures import FLAT, LayerState, alike, is_flat
from tutor.training.settings import Settings, option
from tutor.training.trainer import Trainer

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Mask

_NEARLY, _MOST, _ALL_BUT_ALL = 0.95, 0.5, 0.9
_MEASURED_ON = 2048
LARGE = 10
"""From which size on inputs, and values to predict, are said to want a common scale."""
_WEAK = 0.001
"""A strength of a penalty that leaves room to learn."""


@dataclass(frozen=True)
class Advice:
    """What was seen, which kind of thing it is, and the settings to try instead, in the order in which they are told:
    each by itself. What is `hopeless` stays so, even where the loss still falls a little."""

    kind: str
    seen: str
    changes: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    hopeless: bool = False


def rate_times(settings: Settings, times: float) -> float:
    """The learning rate, so many times as large."""
    return float(f"{times * float(settings.training.rate):.3g}")


def usual_rate(settings: Settings) -> float:
    """The rate that the optimizer has for small networks; the perceptron rule's own is 1."""
    return 1.0 if settings.rule == "perceptron" else float(OPTIMIZERS[settings.optimizer].small_rate)


def shorter_steps(settings: Settings) -> dict[str, Any]:
    """A tenth of a rate above the usual one, three tenths of another, for twice as many epochs: steps that are shorter
    need more of them."""
    times = 0.1 if float(settings.training.rate) > usual_rate(settings) else 0.3
    return {"learning_rate": rate_times(settings, times), "epochs": 2 * settings.epochs}


def nothing_changes(settings: Settings) -> Advice | None:
    """Settings with which no update can change a weight."""
    if not float(settings.training.rate):
        seen = "The learning rate is 0, so no update changes a weight."
        return Advice("no steps", seen, ({"learning_rate": usual_rate(settings)},))
    for name in ("clip_norm", "clip_value"):
        if getattr(settings, name) == 0:
            seen = f"{option(name)} 0 makes every gradient 0, so no example changes a weight."
            return Advice("no steps", seen, ({name: None},))
    return None


def not_separable(trainer: Trainer, accuracy: float | None) -> Advice | None:
    """Two classes that no line separates, and a network that can draw nothing else: with one unit a layer, all of them
    rising, the output is a rising function of one weighted sum."""
    architecture, data = trainer.architecture, trainer.data
    narrow = all(size == 1 for size in architecture.sizes[1:-1]) and not architecture.residual
    if len(data.classes) != 2 or accuracy == 1 or not narrow or not all(map(_rises, architecture.activations)):
        return None
    if not _same_mean(data.x[data.train], data.y[data.train] == 0):
        return None
    seen = (
        "Both classes have the same mean, so they are not linearly separable: with fewer than two hidden units in a "
        "layer no training can tell them apart."
    )
    return Advice("not separable", seen, ({"hidden": (4,)},) if trainer.settings.rule == "gradient" else ())


def _rises(activation: str) -> bool:
    """Whether an activation never falls, so that a larger weighted sum never makes a smaller output."""
    entry = ACTIVATIONS.get(activation)
    if entry is None:
        return True  # of two outputs softmax says the larger
    parameter = [float(entry.default)] if entry.parameter else []
    values = entry.value(np.linspace(-10.0, 10.0, 2001), *parameter, ARITHMETICS["fast"])
    return bool((np.diff(values) > -1e-9).all())


def _same_mean(x: Floats, first: Mask) -> bool:
    """Whether both classes have one mean, which then lies between the examples of each of them."""
    near = 1e-9 * float(np.abs(x).max(initial=0.0))
    means = [[fsum(column.tolist()) / len(part) for column in part.T] for part in (x[first], x[~first]) if len(part)]
    return len(means) == 2 and all(abs(a - b) <= near for a, b in zip(*means, strict=True))


def pressed_by(trainer: Trainer, share: float) -> Advice | None:
    """Penalties under which the weights have no more than this share of the length with which they began; where there
    is something to be learned, weights grow."""
    settings, architecture = trainer.settings, trainer.architecture
    if not settings.penalties or len(trainer.initial) != architecture.count:  # a lesson may share weights
        return None
    before, now = (_length(trainer, vector) for vector in (trainer.initial, trainer.engine.vector))
    if now > share * before:
        return None
    names = [f"{option(name)} {strength:g}" for name, strength in settings.penalties.items()]
    keep = "keeps" if len(names) == 1 else "keep"
    seen = f"{listed(names)} {keep} the weights small: their length has gone from {before:.3g} to {now:.3g}."
    weaker = {name: min(_WEAK, strength / 10) for name, strength in settings.penalties.items()}
    return Advice("penalized", seen, (weaker,), hopeless=True)


def _length(trainer: Trainer, vector: Floats) -> float:
    """The length of all weights that learn, without biases."""
    frozen = trainer.settings.learning.frozen
    matrices = [m for depth, m in enumerate(trainer.architecture.matrices(vector)) if depth not in frozen]
    return float(np.sqrt(sum(np.square(matrix[:, :-1].astype(np.float64)).sum() for matrix in matrices)))


def inside(trainer: Trainer) -> Advice | None:
    """What keeps the hidden units from learning: copies of each other, or no slope."""
    settings = trainer.settings
    with np.errstate(all="ignore"):
        hidden = trainer.engine.layer_states(_MEASURED_ON)[:-1]
    for depth, layer in enumerate(hidden, 1):
        if len(layer.units) > 1 and alike(layer.units).all():
            seen = f"All units of hidden layer {depth} are the same, and the same gradient keeps them so."
            return Advice("identical", seen, ({"init": ACTIVATIONS[settings.activation].initializer},), hopeless=True)
    for depth, (flat, silent) in enumerate(map(_flat_units, hidden), 1):
        of = f"of {counted(len(flat), 'unit')} of hidden layer {depth} {'is' if len(flat) == 1 else 'are'}"
        if silent.mean() > _MOST:
            seen = f"{int(silent.sum())} {of} dead: 0 for every example, with slope 0."
            ways = common_scale(trainer) or [{"activation": "leaky_relu"}, shorter_steps(settings)]
            return Advice("dead", seen, ways, hopeless=bool(silent.all()))
        if flat.mean() > _MOST:
            share = f"a slope below {100 * FLAT:g}% of the largest for nearly every example"
            seen = f"{int(flat.sum())} {of} saturated: {share}."
            ways = common_scale(trainer) or [shorter_steps(settings)]
            return Advice("saturated", seen, ways, hopeless=bool(flat.mean() > _ALL_BUT_ALL))
    return None


def common_scale(trainer: Trainer) -> list[Mapping[str, Any]]:
    """Inputs of large size take the slope of units at rates that are fine for others, and at smaller rates, too."""
    unscaled = not trainer.settings.normalize and largest_input(trainer) > LARGE
    return [{"normalize": "zscore"}] if unscaled else []


def largest_input(trainer: Trainer) -> float:
    """How far the inputs go from 0; 0 where not all of them are finite."""
    x = trainer.data.x[trainer.data.train[:_MEASURED_ON]]
    return float(np.abs(x).max(initial=0.0)) if np.isfinite(x).all() else 0.0


def _flat_units(layer: LayerState) -> tuple[Mask, Mask]:
    """Which units of a hidden layer are saturated for nearly every example, and which have no slope and an output of 0
    for all of them."""
    steep, outputs = layer.slopes, layer.outputs
    if steep is None:
        nowhere = np.zeros(len(outputs), dtype=bool)
        return nowhere, nowhere
    flat = (is_flat(steep, layer.steepest) & (outputs != 0)).mean(axis=1) >= _NEARLY
    return flat, (steep == 0).all(axis=1) & (outputs == 0).all(axis=1)
