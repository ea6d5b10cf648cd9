"""What is measured of a training: each measure by its name, of the whole network or of one layer, at its end or after
some epoch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tutor.errors import TutorError, nearest

if TYPE_CHECKING:
    from tutor.training.layers import LayerMeasures
    from tutor.training.trainer import Trainer

NEVER = float("inf")
UNKNOWN = float("nan")
_CALL = re.compile(r"\s*([A-Za-z]\w*)\s*(?:\((.*)\))?\s*")
_ARGUMENT = re.compile(r'\s*(?:([A-Za-z]\w*)\s*=\s*)?("last"|last|[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*')


@dataclass(frozen=True)
class Kind:
    """A kind of measure: what it is, the numbers it needs (by name), whether it is of a layer, whether it may be taken
    after any epoch, and in which direction it is better: -1 lower, 1 higher, 0 neither."""

    says: str
    needs: tuple[str, ...] = ()
    of_layer: bool = False
    better: int = 0
    share: bool = False


@dataclass(frozen=True, order=True)
class Measure:
    """One measure as it is asked for. Layers count from 1, 0 is the last; epochs from 0, -1 is the last."""

    name: str
    numbers: tuple[float, ...] = ()
    layer: int = 0
    epoch: int = -1

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]


def read_measure(text: str) -> Measure:
    """`loss`, `epochs_to_loss(0.2)` or `gradient_norm(layer = 1, epoch = 0)`. Raises ValueError for what is none."""
    found = _CALL.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:60]!r} is no measure; write it as in epochs_to_loss(0.2)")
    name = found[1]
    if name not in KINDS:
        raise ValueError(f"there is no measure {name[:40]!r}{nearest(name, KINDS)}")
    kind, numbers, named = KINDS[name], [], dict[str, str]()
    for argument in filter(None, (part.strip() for part in (found[2] or "").split(","))):
        one = _ARGUMENT.fullmatch(argument)
        if not one:
            raise ValueError(f"{argument[:40]!r} in {name} is no number; write it as in layer = 1")
        if one[1]:
            named[one[1]] = one[2].strip('"')
        else:
            numbers.append(float(one[2]))
    allowed = [*(["layer"] if kind.of_layer else []), *(["epoch"] if kind.of_layer else [])]
    for key in named:
        if key not in allowed:
            raise ValueError(f"{name} takes no {key[:40]!r}{nearest(key, allowed)}")
    if len(numbers) != len(kind.needs):
        raise ValueError(f"{name} takes {', '.join(kind.needs) or 'no number'}, as in {_pattern(name, kind)}")
    return Measure(name, tuple(numbers), _counted(named, "layer", 1, 0), _counted(named, "epoch", 0, -1))


def _pattern(name: str, kind: Kind) -> str:
    return f"{name}(0.2)" if kind.needs else name


def _counted(named: Mapping[str, str], key: str, least: int, last: int) -> int:
    text = named.get(key, "last")
    if text == "last":
        return last
    if not text.isdigit() or int(text) < least:
        raise ValueError(f'{key} is a whole number from {least} on, or "last"')
    return int(text)


def _of_outcome(name: str) -> Callable[..., float]:
    """What every training is measured by at its end anyway."""

    def value(observed: Observed, measure: Measure) -> float:
        found = getattr(observed.outcome, name)
        return (NEVER if "loss" in name else UNKNOWN) if found is None else float(found)

    return value


@dataclass(frozen=True)
class Observed:
    """A training that has come to its end: the trainer, what it came to, and the history of the accuracy."""

    trainer: Trainer
    outcome: Any
    accuracies: tuple[float, ...]


def _first_epoch(values: Any, reached: Callable[[float], bool]) -> float:
    return float(next((number for number, value in enumerate(values, 1) if reached(value)), NEVER))


def _epochs_to_loss(observed: Observed, measure: Measure) -> float:
    losses = [epoch.loss for epoch in observed.outcome.history]
    return _first_epoch(losses, lambda loss: loss <= measure.numbers[0])


def _epochs_to_accuracy(observed: Observed, measure: Measure) -> float:
    return _first_epoch(observed.accuracies, lambda share: share >= measure.numbers[0])


def _updates_each(observed: Observed) -> int:
    return -(-len(observed.trainer.data.train) // observed.trainer.wanted.batch_size)


def _updates_to_loss(observed: Observed, measure: Measure) -> float:
    return _epochs_to_loss(observed, measure) * _updates_each(observed)


def _best_epoch(observed: Observed, measure: Measure) -> float:
    history = observed.outcome.history
    losses = [e.loss if e.validation_loss is None else e.validation_loss for e in history]
    return float(losses.index(min(losses)) + 1) if losses else UNKNOWN


def _worst_error(observed: Observed, measure: Measure) -> float:
    import numpy as np

    trainer = observed.trainer
    places = trainer.data.train
    with np.errstate(all="ignore"):
        outputs = trainer.form.outputs(trainer.data.rows, places)
        return float(np.max(np.abs(outputs - trainer.data.targets[:, places])))


def _gap(observed: Observed, measure: Measure) -> float:
    found = observed.outcome
    if found.validation_loss is None or found.training_loss is None:
        return UNKNOWN
    return float(found.validation_loss - found.training_loss)


AT_THE_END: Mapping[str, Callable[[Observed, Measure], float]] = {
    **{name: _of_outcome(name) for name in ("training_loss", "training_accuracy", "validation_loss")},
    "validation_accuracy": _of_outcome("validation_accuracy"),
    "loss": _of_outcome("training_loss"),
    "accuracy": _of_outcome("training_accuracy"),
    "gap": _gap,
    "best_epoch": _best_epoch,
    "epochs_done": lambda o, m: float(o.outcome.epochs_done),
    "updates": lambda o, m: float(o.trainer.form.updates),
    "epochs_to_loss": _epochs_to_loss,
    "updates_to_loss": _updates_to_loss,
    "epochs_to_accuracy": _epochs_to_accuracy,
    "worst_error": _worst_error,
    "parameters": lambda o, m: float(len(o.trainer.form.vector)),
    "seconds_per_update": lambda o, m: o.outcome.seconds / max(1, o.trainer.form.updates),
    "diverged": lambda o, m: float(o.outcome.diverged),
    "solved": lambda o, m: float(o.outcome.training_accuracy == 1),
}


_WHOLE: Mapping[str, Kind] = {
    "loss": Kind("the loss on the training part", better=-1),
    "training_loss": Kind("the loss on the training part", better=-1),
    "validation_loss": Kind("the loss on the held-out part", better=-1),
    "accuracy": Kind("the share of right answers on the training part", better=1, share=True),
    "training_accuracy": Kind("the share of right answers on the training part", better=1, share=True),
    "validation_accuracy": Kind("the share of right answers on the held-out part", better=1, share=True),
    "gap": Kind("the held-out loss minus that on the training part", better=-1),
    "best_epoch": Kind("the epoch with the lowest held-out loss, or loss where nothing is held out", better=-1),
    "epochs_done": Kind("how many epochs there were", better=-1),
    "updates": Kind("how many updates there were", better=-1),
    "epochs_to_loss": Kind("the first epoch whose loss is so low", ("the loss",), better=-1),
    "updates_to_loss": Kind("after how many updates an epoch's loss was so low", ("the loss",), better=-1),
    "epochs_to_accuracy": Kind("the first epoch after which so many are right", ("the share",), better=-1),
    "worst_error": Kind("the largest difference of an output and its target", better=-1),
    "parameters": Kind("how many weights and biases there are", better=-1),
    "seconds_per_update": Kind("how long an update takes", better=-1),
    "diverged": Kind("whether the training diverged", better=-1, share=True),
    "solved": Kind("whether every training example is right", better=1, share=True),
}
OF_LAYERS = {
    "gradient_norm": ("gradient_norm", "the length of the gradient of the layer's weights"),
    "signal_norm": ("signal_norm", "the length of dE/d of the layer's weighted sums"),
    "activation_mean": ("activation_mean", "the mean of the layer's outputs"),
    "activation_spread": ("activation_spread", "the standard deviation of the layer's outputs"),
    "dead_share": ("dead", "the share of units without slope for any example"),
    "saturated_share": ("saturated", "the share of weighted sums with a slope below a hundredth of the largest"),
    "identical_share": ("identical", "the share of units with the weights and bias of another one"),
    "weight_norm": ("weight_norm", "the length of the layer's weights"),
    "zero_weights": ("zero", "how many weights are exactly 0"),
    "small_weights": ("near_zero", "how many weights are smaller than 0.001"),
    "change_ratio": ("update_ratio", "by how much the layer's weights changed in the epoch, over their length"),
}
"""The measures of layers: which field of `LayerMeasures` each is, and what that is."""
KINDS: Mapping[str, Kind] = {
    **_WHOLE,
    **{name: Kind(says, of_layer=True, share=name.endswith("_share")) for name, (_, says) in OF_LAYERS.items()},
}
"""Every measure by the name that lessons use."""


class Observer:
    """Whoever measures while a training goes on. It is to be made before the first update."""

    def __init__(self, trainer: Trainer, measures: Sequence[Measure]) -> None:
        self.trainer, self.found = trainer, dict[Measure, float]()
        self.accuracies: list[float] = []
        self.of_layers = [one for one in measures if one.kind.of_layer]
        self.at_the_end = [one for one in measures if not one.kind.of_layer]
        self.right = any(one.name == "epochs_to_accuracy" for one in measures)
        if self.of_layers:
            from tutor.training.layers import Layers

            self.layers = Layers(trainer)
            self._take(0)
        if self.right or any(one.epoch > 0 or one.name == "change_ratio" for one in self.of_layers):
            trainer.watchers.append(self._after)

    def _after(self, epoch: int) -> None:
        if self.right:
            self.accuracies.append(self.trainer.measure(self.trainer.data.train).accuracy or 0.0)
        self._take(epoch)

    def _take(self, epoch: int) -> None:
        """What is asked for after this epoch; a change is told against the epoch before."""
        changes = [one for one in self.of_layers if one.name == "change_ratio"]
        wanted = [one for one in self.of_layers if one.epoch == epoch]
        wanted += [one for one in changes if one.epoch == -1]
        if wanted or any(one.epoch == epoch + 1 for one in changes):
            self._measure(wanted, epoch)

    def _measure(self, wanted: Sequence[Measure], epoch: int) -> None:
        layers = self.layers.measured(epoch)
        for one in wanted:
            self.found[one] = of_layer(one, layers)

    def measured(self, outcome: Any) -> dict[Measure, float]:
        """Every measure, once the training is over."""
        wanted = [one for one in self.of_layers if one.epoch == -1 and one.name != "change_ratio"]
        if wanted:
            self._measure(wanted, len(outcome.history))
        observed = Observed(self.trainer, outcome, tuple(self.accuracies))
        ended = {one: AT_THE_END[one.name](observed, one) for one in self.at_the_end}
        return {**dict.fromkeys(self.of_layers, UNKNOWN), **self.found, **ended}


def of_layer(measure: Measure, layers: Sequence[LayerMeasures]) -> float:
    """One measure of one of these layers. Raises TutorError where the network has no such layer, or the layer no such
    measure."""
    if measure.layer > len(layers):
        raise TutorError(f"there is no layer {measure.layer}: this network has {len(layers)}")
    field, _ = OF_LAYERS[measure.name]
    value = getattr(layers[(measure.layer or len(layers)) - 1], field)
    if value is None and field in ("dead", "saturated"):
        raise TutorError("dead and saturated units are those of a hidden layer; name one, as in layer = 1")
    return UNKNOWN if value is None else float(value)
