"""What to try next after a training, from looking at its losses and into its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from tutor.training.measures import ClassMeasures, of_part
from tutor.training.obstacles import (
    LARGE,
    Advice,
    common_scale,
    inside,
    largest_input,
    not_separable,
    nothing_changes,
    pressed_by,
    rate_times,
    shorter_steps,
    usual_rate,
)
from tutor.training.settings import Settings
from tutor.training.trainer import UNLEARNED, Epoch, Result, Trainer
from tutor.training.trend import rising_since, trend_of

_WORSE = 1.03
_SLOW = 0.05
"""Losing no more than this share of the first loss in a whole training is slow."""
_SHRUNK = 0.5
"""What is left of the length of weights that a penalty keeps from learning anything."""
_FAR = 10
"""From so many times the usual learning rate on the rate is the first thing to change."""
_NEAR_CHANCE = 0.1
"""Of the way from a guess to all classes right, what is hardly more than a guess."""


def advice(trainer: Trainer, result: Result) -> Advice | None:
    """What to do about a training; None where there is nothing to say. No change is advised that changes nothing."""
    found = _seen(trainer, result)
    if found is None:
        return None
    settings = trainer.settings
    now = {**asdict(settings), "learning_rate": float(settings.training.rate)}
    changes = [change for change in found.changes if any(now[name] != value for name, value in change.items())]
    return replace(found, changes=changes)


def _seen(trainer: Trainer, result: Result) -> Advice | None:
    settings, history = trainer.settings, result.history
    if result.diverged:
        return _diverged(trainer)
    if result.interrupted or not history:
        return None
    obstacle = nothing_changes(settings) or not_separable(trainer, history[-1].accuracy)
    if obstacle is not None or settings.rule == "perceptron":
        return obstacle
    best = result.best if result.ended.startswith("stopped early") else None
    return _of_its_course(trainer, history, None if best is None else best[1])


def _of_its_course(trainer: Trainer, history: Sequence[Epoch], stopped_at: int | None) -> Advice | None:
    """`stopped_at` is the best epoch of a training that lost its patience: more epochs would end the same."""
    settings, last = trainer.settings, history[-1]
    if (rising := rising_since(history)) is not None:
        return _overfitted(settings, rising)
    if _solved(trainer, history):
        return None
    found = _in_the_way(trainer, last)
    if found is not None and found.hopeless:
        return found
    trend = trend_of([epoch.loss for epoch in history])
    if found is None and (unequal := _unequal(trainer, last, trend)) is not None:
        return unequal
    if trend == "falls" and stopped_at is not None:
        seen = f"The training loss was still falling, the held-out loss no longer after epoch {stopped_at}: "
        return _overfitted(settings, stopped_at, f"{seen}more epochs would end the same.")
    if trend == "falls":
        return _falling(trainer, history)
    if trend == "oscillates":
        return _swinging(trainer)
    if trend == "" or found is not None:
        return found
    if trend == "unsteady":
        return None if stopped_at is not None else _more_epochs(settings, _UNSTEADY)
    return _stuck(trainer, last.loss) if _is_unlearned(trainer, last) else _settled(trainer)


def _in_the_way(trainer: Trainer, last: Epoch) -> Advice | None:
    """What keeps the network from learning, the first cause first."""
    if _is_unlearned(trainer, last) and (pressed := pressed_by(trainer, _SHRUNK)) is not None:
        ways = [{**change, **scale} for change in pressed.changes for scale in common_scale(trainer) or [{}]]
        return replace(pressed, seen=f"{pressed.seen} Next to nothing has been learned.", changes=ways)
    found = inside(trainer)
    if found is not None and found.kind == "identical":
        return found
    of_values, of_inputs = _unscaled(trainer, last.loss)
    return of_values or found or of_inputs


_UNSTEADY = "The loss has fallen in the later half of the epochs, but not steadily: more of them will tell."


def _more_epochs(settings: Settings, seen: str) -> Advice:
    return Advice("falls", seen, ({"epochs": 2 * settings.epochs},))


def _falling(trainer: Trainer, history: Sequence[Epoch]) -> Advice:
    """Longer steps are for those that are shorter than usual."""
    settings, share = trainer.settings, _slowly(trainer, history)
    longer = _longer_steps(settings)
    if share is None or not longer:
        return _more_epochs(settings, "The loss is still falling.")
    seen = f"The loss is still falling, but by no more than {100 * share:.2g}% from epoch 1 to {len(history)}: "
    ways = *longer, {"epochs": 2 * settings.epochs}
    return Advice("falls", f"{seen}longer steps may get there sooner.", ways)


def _swinging(trainer: Trainer) -> Advice:
    """Gradients grow with the inputs, so a common scale shortens steps as well."""
    seen = "The loss goes up and down more than it falls: the steps are too long"
    if scaled := common_scale(trainer):
        return Advice("oscillates", f"{seen} for inputs that go up to {largest_input(trainer):.3g}.", scaled)
    return Advice("oscillates", f"{seen}.", (shorter_steps(trainer.settings),))


def _longer_steps(settings: Settings) -> list[dict[str, Any]]:
    """Ten times the rate, up to the usual one: beyond it a training that has not learned is not helped."""
    rate = min(rate_times(settings, 10), usual_rate(settings))
    return [{"learning_rate": rate}] if rate > float(settings.training.rate) else []


def _is_far(settings: Settings) -> bool:
    """Whether the learning rate is far above the usual one."""
    return float(settings.training.rate) >= _FAR * usual_rate(settings)


def _stuck(trainer: Trainer, loss: float) -> Advice:
    """A loss that stands still and is no better than that of a constant guess."""
    settings = trainer.settings
    above = loss > _WORSE * trainer.constant_loss
    where = "above" if above else "at about"
    seen = f"The loss stands still {where} what a constant guess loses: next to nothing has been learned."
    if _is_far(settings):
        usual = usual_rate(settings)
        times = f"{float(settings.training.rate) / usual:.3g} times the usual one of {settings.optimizer}"
        return Advice("stuck", f"{seen} The learning rate is {times}.", ({"learning_rate": usual},))
    changes: list[Mapping[str, Any]] = [{"hidden": _wider(settings)}, *_longer_steps(settings)]
    if above:  # the biases alone would come down to such a guess with steps that are long enough
        changes.reverse()
    if not trainer.data.classes and not settings.target_scale:
        changes.insert(0, {"target_scale": True})
    deep = len(settings.hidden) > 1 and settings.activation != "relu"
    return Advice("stuck", seen, [{"activation": "relu"}, *changes] if deep else changes)


def _settled(trainer: Trainer) -> Advice:
    """Under a penalty weights that are shorter than they began are what keeps the loss up."""
    wider: Mapping[str, Any] = {"hidden": _wider(trainer.settings)}
    if (pressed := pressed_by(trainer, 1.0)) is not None:
        seen = f"The loss has settled: more epochs will change little. {pressed.seen}"
        return Advice("settled", seen, (*pressed.changes, wider))
    return Advice("settled", "The loss has settled: more epochs will change little, a wider network may.", (wider,))


def _unequal(trainer: Trainer, last: Epoch, trend: str) -> Advice | None:
    """Classes of so different size that saying the commonest loses little, and a network that hardly does more."""
    data, settings = trainer.data, trainer.settings
    if not data.classes or settings.class_weights or last.accuracy is None or _is_far(settings):
        return None
    count = len(data.classes)
    chance, sizes = 1 / count, np.bincount(data.y[data.train].astype(np.int64), minlength=count)
    if not sizes.all() or sizes.max() < (1 + chance) / 2 * sizes.sum():
        return None
    measured = of_part(trainer, data.train)
    assert isinstance(measured, ClassMeasures)
    balanced = measured.balanced_accuracy
    if balanced > chance + _NEAR_CHANCE * (1 - chance):
        return None
    seen = (
        f"The balanced accuracy is {100 * balanced:.1f}%, where always saying one class has {100 * chance:.1f}%: the "
        "rare classes count for too little."
    )
    longer = [{"epochs": 2 * settings.epochs}] if trend == "falls" else []
    return Advice("unequal", seen, ({"class_weights": True}, *longer))


def _slowly(trainer: Trainer, history: Sequence[Epoch]) -> float | None:
    """What share of the first loss is gone, where that is next to nothing and the rest no better than a constant guess;
    of a single example such a guess loses nothing, and tells nothing."""
    first, last, constant = history[0].loss, history[-1].loss, trainer.constant_loss
    if constant <= 1e-6 * first or last <= UNLEARNED * constant:
        return None
    share = 1 - last / first
    return share if 0 < share < _SLOW else None


def _is_unlearned(trainer: Trainer, last: Epoch) -> bool:
    return last.loss > UNLEARNED * trainer.constant_loss


def _solved(trainer: Trainer, history: Sequence[Epoch]) -> bool:
    """Whether every training example is right, or the values are met as well as floats can."""
    last = history[-1]
    return last.accuracy == 1 or (last.accuracy is None and last.loss <= 1e-6 * trainer.first_loss)


def _overfitted(settings: Settings, since: int, seen: str = "") -> Advice:
    rises = f"The held-out loss rises since epoch {since} while the training loss falls: the network learns by heart."
    patience = {"patience": max(3, since // 10)}
    narrower = {"hidden": tuple(max(2, n // 2) for n in settings.hidden)}
    changes: list[Mapping[str, Any]] = [] if settings.patience is not None else [patience]
    changes.append({"l2": 10 * settings.penalties.get("l2", 0.0001)})
    return Advice("overfits", seen or rises, [*changes, narrower] if narrower["hidden"] != settings.hidden else changes)


def _diverged(trainer: Trainer) -> Advice:
    settings, largest = trainer.settings, largest_input(trainer)
    slower: dict[str, Any] = {"learning_rate": min(rate_times(settings, 0.1), _FAR * usual_rate(settings))}
    values = _large_targets(trainer) if settings.hidden else 0.0
    scaled: dict[str, Any] = {"normalize": "zscore"} if not settings.normalize and largest > LARGE else {}
    sizes = [f"the inputs go up to {largest:.3g}"] if scaled else []
    if values:
        scaled["target_scale"] = True
        sizes.append(f"the values to predict go up to {values:.3g}")
    if scaled:
        said = " and ".join(sizes)
        seen = f"{said[0].upper()}{said[1:]}; on a common scale no step would leap as far."
        too_fast = float(settings.training.rate) > usual_rate(settings)
        return Advice("diverged", seen, (scaled, slower) if too_fast else (scaled,))
    return Advice("diverged", "The steps were too long.", (slower,))


def _large_targets(trainer: Trainer) -> float:
    """How far values to predict go from 0 that are not scaled and would be better; 0 where there are none."""
    if trainer.data.classes or trainer.settings.target_scale:
        return 0.0
    largest = float(np.abs(trainer.data.targets[:, trainer.data.train]).max())
    return largest if np.isfinite(largest) and largest > LARGE else 0.0


def _unscaled(trainer: Trainer, loss: float) -> tuple[Advice | None, Advice | None]:
    """Values so large that a network with weights of usual size has not come near them; inputs so large that its
    outputs go far beyond the values."""
    if loss <= _WORSE * trainer.constant_loss:
        return None, None
    values, inputs = _large_targets(trainer), largest_input(trainer)
    scaled: dict[str, Any] = {} if trainer.settings.normalize or inputs <= LARGE else {"normalize": "zscore"}
    return (
        _far("values to predict", values, {"target_scale": True, **scaled}) if values else None,
        _far("inputs", inputs, scaled) if scaled else None,
    )


def _far(which: str, size: float, change: Mapping[str, Any]) -> Advice:
    far = f"The {which} go up to {size:.3g}, far from what a network begins with"
    return Advice("unscaled", f"{far}, and it is still worse than a constant guess.", (change,), hopeless=True)


def _wider(settings: Settings) -> tuple[int, ...]:
    return tuple(2 * n for n in settings.hidden) or (16,)
