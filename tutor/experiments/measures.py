"""What is measured of a training: each measure by its name, of the whole network or of one layer, at its end or after
some epoch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from tutor.errors import counted, nearest

if TYPE_CHECKING:
    from tutor.training.trainer import Trainer

NEVER = float("inf")
UNKNOWN = float("nan")
_CALL = re.compile(r"\s*([A-Za-z]\w*)\s*(?:\((.*)\))?\s*")
_COMMA = re.compile(r",(?![^(]*\))")
_ARGUMENT = re.compile(r'\s*(?:([A-Za-z]\w*)\s*=\s*)?("last"|last|[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*')


Of = Literal["", "network", "classes", "probabilities", "values"]


@dataclass(frozen=True)
class Kind:
    """A kind of measure: what it is, the numbers it needs (by name), in which direction it is better: -1 lower, 1
    higher, 0 neither; what it can be taken `of`, where that is not any training; whether it is a share, whether it is
    of the held-out part, whether a training that diverged has it, too, and whether it is `over_runs`, whose training
    sets are resampled for it. One without a `value` is of a layer, and may be taken after any epoch."""

    says: str
    value: Callable[[Observed, Measure], float] | None = None
    needs: tuple[str, ...] = ()
    better: int = 0
    of: Of = "network"
    share: bool = False
    held_out: bool = False
    of_diverged: bool = False
    over_runs: bool = False

    @property
    def of_layer(self) -> bool:
        return self.value is None


@dataclass(frozen=True)
class Subject:
    """What is trained, as far as it decides what can be measured and drawn: the number of layers, 0 of a function, and
    of inputs; whether there are classes, whether outputs are probabilities of them, and whether examples are held
    out."""

    depth: int = 0
    classes: bool = False
    probable: bool = False
    held_out: bool = False
    inputs: int = 0

    def lacks(self, measure: Measure) -> str:
        """Why the measure cannot be taken; empty where it can."""
        kind = measure.kind
        if kind.of and not self.depth:
            return "a function that is minimised has no network"
        if kind.of in ("classes", "probabilities") and not self.classes:
            return "there are no classes, only values"
        if kind.of == "probabilities" and not self.probable:
            return "the outputs are no probabilities"
        if kind.of == "values" and self.classes:
            return "there are classes, and no values to predict"
        if kind.held_out and not self.held_out:
            return "nothing is held out; --validation 0.2 does that"
        return layer_lacking(measure, self.depth) if kind.of_layer else ""


def layer_lacking(measure: Measure, depth: int) -> str:
    """Why no layer of so many has the measure; empty where one has."""
    if measure.layer > depth:
        return f"there is no layer {measure.layer}: this network has {counted(depth, 'layer')}"
    if measure.name in _OF_HIDDEN and measure.layer in (0, depth):
        return "dead and saturated units are those of a hidden layer; name one, as in layer = 1"
    return ""


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

    @property
    def text(self) -> str:
        """As `read_measure` reads it."""
        said = [*(f"{number:g}" for number in self.numbers), *(" = ".join(one) for one in self._where)]
        return f"{self.name}({', '.join(said)})" if said else self.name

    @property
    def called(self) -> str:
        """In words."""
        said = [" ".join([self.name.replace("_", " "), *(f"{number:g}" for number in self.numbers)])]
        return ", ".join([*said, *("last layer" if one == ("layer", "last") else " ".join(one) for one in self._where)])

    @property
    def explained(self) -> str:
        """What it is, and what it is called."""
        return f"{self.kind.says} ({self.called})"

    @property
    def _where(self) -> list[tuple[str, str]]:
        if not self.kind.of_layer:
            return []
        return [("layer", str(self.layer or "last")), *([("epoch", str(self.epoch))] if self.epoch >= 0 else [])]


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


def read_measures(text: str) -> list[Measure]:
    """Several of them with commas between, as in `parameters,epochs_to_loss(0.2)`. Raises ValueError for what is
    none."""
    return list(dict.fromkeys(read_measure(part) for part in _COMMA.split(text) if part.strip()))


@dataclass(frozen=True)
class Observed:
    """A training that has come to its end: what it came to, how many updates there were, in all and in each epoch, how
    many parameters; of a network the trainer, and the history of the accuracy."""

    outcome: Any
    updates: int
    each: int
    parameters: int
    trainer: Trainer | None = None
    accuracies: tuple[float, ...] = ()

    @cached_property
    def quality(self) -> Mapping[str, Any]:
        """What the network comes to on each part, beside a guess without it; of one that diverged there is nothing."""
        from tutor.training.measures import measures_of

        return {} if self.trainer is None or self.outcome.diverged else measures_of(self.trainer)


def _of_outcome(name: str) -> Callable[[Observed, Measure], float]:
    """What every training is measured by at its end anyway."""

    def value(observed: Observed, measure: Measure) -> float:
        found = getattr(observed.outcome, name)
        return (NEVER if "loss" in name else UNKNOWN) if found is None else float(found)

    return value


def _of_quality(part: str, field: str) -> Callable[[Observed, Measure], float]:
    """What `tutor train` says of a part at the end."""

    def value(observed: Observed, measure: Measure) -> float:
        try:
            found = attrgetter(field)(observed.quality[part])
        except (KeyError, AttributeError):
            return UNKNOWN
        return UNKNOWN if found is None else float(found)

    return value


def _first_epoch(values: Any, reached: Callable[[float], bool]) -> float:
    return float(next((number for number, value in enumerate(values, 1) if reached(value)), NEVER))


def _epochs_to_loss(observed: Observed, measure: Measure) -> float:
    losses = [epoch.loss for epoch in observed.outcome.history]
    return _first_epoch(losses, lambda loss: loss <= measure.numbers[0])


def _epochs_to_accuracy(observed: Observed, measure: Measure) -> float:
    return _first_epoch(observed.accuracies, lambda share: share >= measure.numbers[0])


def _best_epoch(observed: Observed, measure: Measure) -> float:
    history = observed.outcome.history
    losses = [e.loss if e.validation_loss is None else e.validation_loss for e in history]
    return float(losses.index(min(losses)) + 1) if losses else UNKNOWN


def _worst_error(observed: Observed, measure: Measure) -> float:
    import numpy as np

    trainer = observed.trainer
    if trainer is None:
        return UNKNOWN
    indices = trainer.data.train
    with np.errstate(all="ignore"):
        outputs = trainer.engine.outputs(trainer.data.rows, indices)
        return float(np.max(np.abs(outputs - trainer.data.targets[:, indices])))


def _gap(observed: Observed, measure: Measure) -> float:
    found = observed.outcome
    if found.validation_loss is None or found.training_loss is None:
        return UNKNOWN
    return float(found.validation_loss - found.training_loss)


def _ending(name: str, says: str, better: int, of: Of = "network") -> dict[str, Kind]:
    """A loss or an accuracy: plain and by the name of the training part the same, and of the held-out part."""
    share = of == "classes"
    training = Kind(f"{says} on the training part", _of_outcome(f"training_{name}"), better=better, of=of, share=share)
    held_out = Kind(
        f"{says} on the held-out part", _of_outcome(f"validation_{name}"), (), better, of or "network", share, True
    )
    return {name: training, f"training_{name}": training, f"validation_{name}": held_out}


def _qualities() -> dict[str, Kind]:
    """Those that `tutor train` tells in words, of the training and of the held-out part."""
    found = {}
    for name, (field, of, better, share, says) in QUALITIES.items():
        for prefix, part in (("", "training"), ("validation_", "held-out")):
            value = _of_quality(part, field)
            found[f"{prefix}{name}"] = Kind(f"{says}, on the {part} part", value, (), better, of, share, bool(prefix))
    return found


QUALITIES: Mapping[str, tuple[str, Of, int, bool, str]] = {
    "rmse": ("rmse", "values", -1, False, "the root of the mean squared error"),
    "mae": ("mae", "values", -1, False, "the mean absolute error"),
    "r2": ("r2", "values", 1, False, "R², the share of the variance that is explained"),
    "baseline_rmse": ("baseline_rmse", "values", 0, False, "the RMSE of predicting the mean"),
    "baseline_mae": ("baseline_mae", "values", 0, False, "the MAE of predicting the mean"),
    "baseline_accuracy": ("baseline_accuracy", "classes", 0, True, "how often the commonest class is right"),
    "balanced_accuracy": ("balanced_accuracy", "classes", 1, True, "the mean recall of the classes"),
    "macro_precision": ("macro.precision", "classes", 1, False, "the mean precision of the classes"),
    "macro_recall": ("macro.recall", "classes", 1, False, "the mean recall of the classes that have examples"),
    "macro_f1": ("macro.f1", "classes", 1, False, "the mean F1 of the classes"),
    "roc_auc": ("roc_auc", "classes", 1, False, "the mean area under the curve of true by false positives"),
    "calibration_error": ("calibration.error", "probabilities", -1, True, "how far sure is from right"),
}
"""What `tutor.training.measures` measures on a part: its field, what it is of, in which direction it is better, whether
it is a share, and what it is."""
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
_OF_HIDDEN = ("dead_share", "saturated_share")
KINDS: Mapping[str, Kind] = {
    **_ending("loss", "the loss", -1, ""),
    **_ending("accuracy", "the share of right answers", 1, "classes"),
    "gap": Kind("the held-out loss minus that on the training part", _gap, better=-1, held_out=True),
    **_qualities(),
    "bias_squared": Kind(
        "over resampled training sets, how far the mean output is from the target, squared, on the held-out part",
        lambda o, m: UNKNOWN, better=-1, held_out=True, over_runs=True,
    ),
    "variance": Kind(
        "over resampled training sets, how far the outputs are from their mean, squared, on the held-out part",
        lambda o, m: UNKNOWN, better=-1, held_out=True, over_runs=True,
    ),
    "worst_error": Kind("the largest difference of an output and its target", _worst_error, better=-1),
    "solved": Kind(
        "the share of trainings after which every training example is right",
        lambda o, m: float(o.outcome.training_accuracy == 1), better=1, of="classes", share=True, of_diverged=True,
    ),
    "diverged": Kind(
        "the share of trainings that diverged", lambda o, m: float(o.outcome.diverged), better=-1, of="", share=True,
        of_diverged=True,
    ),
    "best_epoch": Kind(
        "the epoch with the lowest held-out loss, or loss where nothing is held out", _best_epoch, better=-1, of=""
    ),
    "epochs_done": Kind("how many epochs there were", lambda o, m: float(o.outcome.epochs_done), better=-1, of=""),
    "updates": Kind("how many updates there were", lambda o, m: float(o.updates), better=-1, of=""),
    "epochs_to_loss": Kind("the first epoch whose loss is so low", _epochs_to_loss, ("the loss",), -1, ""),
    "updates_to_loss": Kind(
        "after how many updates an epoch's loss was so low", lambda o, m: _epochs_to_loss(o, m) * o.each,
        ("the loss",), -1, "",
    ),
    "epochs_to_accuracy": Kind(
        "the first epoch after which so many are right", _epochs_to_accuracy, ("the share",), -1, "classes"
    ),
    "parameters": Kind("how many weights and biases there are", lambda o, m: float(o.parameters), better=-1, of=""),
    "seconds_per_update": Kind(
        "how long an update takes", lambda o, m: o.outcome.seconds / max(1, o.updates), better=-1, of=""
    ),
    **{name: Kind(says, share=name.endswith("_share")) for name, (_, says) in OF_LAYERS.items()},
}  # fmt: skip
"""Every measure by the name that lessons and `--columns` use."""
EXAMPLE = "parameters,worst_error,epochs_to_loss(0.2),gradient_norm(layer=1)"


def names_of_measures() -> str:
    """Every measure in a line: those of the held-out part are called as the others, with a word in front."""
    plain = [name for name in KINDS if not name.startswith(("validation_", "training_"))]
    return f"{', '.join(_pattern(name, KINDS[name]) for name in plain)}; of the held-out part as in validation_loss"
