"""Everything that a training is told: the network, how it is trained, on which part of the data, in which arithmetic.

The command line, `--vary` of `tutor compare` and saved runs all take the names, the types and the limits from here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from tutor.data.seeds import SEEDS
from tutor.errors import TutorError, nearest

if TYPE_CHECKING:
    from tutor.training.matrix.dropout import Noise
    from tutor.training.matrix.optimizer import Rules


IS_ON = {"true": True, "1": True, "false": False, "0": False}
SECTIONS = {
    "hidden": "The network",
    "optimizer": "How it learns",
    "l1": "Against learning by heart",
    "normalize": "Examples and arithmetic",
}
"""What `--help` puts together: the first setting of every section."""
MOST_LAYERS = 1_000


def setting(default: Any, text: str, least: float | None = None, below: float | None = None) -> Any:
    """A field with what `--help` says of it, the least it may be, and what it must stay below."""
    known = {"help": text, "least": least, "below": below}
    return field(default_factory=dict, metadata=known) if default == {} else field(default=default, metadata=known)


@dataclass(frozen=True)
class Settings:
    """One training. An empty text, or None, leaves a choice to what fits the data."""

    hidden: tuple[int, ...] = setting((16,), "Units of each hidden layer, as in 16,16; 0 for none.", 1)
    activation: str = setting("tanh", "Of the hidden layers.")
    output_activation: str = setting("", "Of the output; what fits the data unless given.")
    loss: str = setting("", "What fits the output unless given.")
    batch_norm: bool = setting(False, "Normalise every hidden weighted sum over its batch.")
    residual: bool = setting(False, "Add a hidden layer's input to its output where both are as wide.")
    init: str = setting("", "zeros, normal, uniform, xavier or he.")
    optimizer: str = setting("adam", "`tutor explain NAME` says what each does.")
    learning_rate: float | None = setting(None, "The optimizer's own unless given.", 0)
    optimizer_setting: dict[str, str] = setting({}, "As in beta=0.8 or amsgrad=true; may be given several times.")
    schedule: str = setting("constant", "How the rate changes from epoch to epoch.")
    schedule_setting: dict[str, str] = setting({}, "As in every=20; may be given several times.")
    rule: Literal["gradient", "perceptron"] = setting(
        "gradient", "gradient: descent. perceptron: the perceptron rule, for a single layer of step units."
    )
    batch_size: int = setting(32, "Examples an update; 1 is stochastic, all of them batch.", 1)
    epochs: int = setting(100, "Times through the data.", 1)
    shuffle: bool = setting(True, "A new order in every epoch.")
    seed: int = setting(0, "The same seed gives the same training.", 0)
    clip_value: float | None = setting(None, "Largest entry of the gradient.", 0)
    clip_norm: float | None = setting(None, "Largest length of the gradient.", 0)
    l1: float = setting(0.0, "Strength of the penalty on |w|.", 0)
    l2: float = setting(0.0, "Strength of the penalty on w².", 0)
    dropout: float = setting(0.0, "Share of the hidden outputs left out.", 0, 1)
    dropconnect: float = setting(0.0, "Share of the weights left out.", 0, 1)
    stochastic_depth: float = setting(0.0, "Share of the residual layers left out.", 0, 1)
    augment: str = setting("", "Change the examples in every epoch, as in shift=1,flip,noise=0.05.")
    normalize: str = setting("", "zscore or minmax, fitted on the training part; unit, each example to length 1.")
    class_weights: bool = setting(False, "Let rare classes count as much as common ones.")
    validation: float = setting(0.0, "Share of the examples held out to watch the training.", 0, 1)
    test: float = setting(0.0, "Share held out until the training is over.", 0, 1)
    patience: int | None = setting(None, "Stop after so many epochs without a better validation loss.", 1)
    arithmetic: Literal["reproducible", "fast"] = setting("reproducible", "reproducible: the same bits everywhere.")

    @property
    def noise(self) -> Noise:
        from tutor.training.matrix.dropout import Noise

        return Noise(self.dropout, self.dropconnect, self.stochastic_depth)

    @property
    def rules(self) -> Rules:
        """How parameters are changed; a schedule that asks for it runs over all the epochs."""
        from tutor.maths.optimizers import OPTIMIZERS
        from tutor.maths.schedules import SCHEDULES
        from tutor.training.matrix.optimizer import Rules

        asked = SCHEDULES[self.schedule].settings
        whole = {"epochs": str(self.epochs)} if "epochs" in asked else {}
        flags = OPTIMIZERS[self.optimizer].flags
        settings = {n: IS_ON[text.lower()] if n in flags else text for n, text in self.optimizer_setting.items()}
        return Rules(
            self.optimizer,
            self.learning_rate,
            settings,
            self.schedule,
            {**whole, **self.schedule_setting},
            self.l1,
            self.l2,
            self.clip_value,
            self.clip_norm,
        )


def option(name: str) -> str:
    """What a setting is called on the command line."""
    return "--" + name.replace("_", "-")


def check(wanted: Settings) -> None:
    """Raises TutorError, with what to do, for whatever cannot be meant."""
    _check_words(wanted)
    for entry in fields(wanted):
        _check_range(entry.name, getattr(wanted, entry.name), entry.metadata)
    if len(wanted.hidden) > MOST_LAYERS:
        raise TutorError(f"--hidden has at most {MOST_LAYERS:,} layers, not {len(wanted.hidden):,}")
    if wanted.validation + wanted.test >= 1:
        raise TutorError("--validation and --test together hold everything out; leave something to learn from")
    if wanted.patience is not None and not wanted.validation:
        raise TutorError("--patience waits for a better validation loss; hold something out with --validation 0.2")
    if wanted.residual and not any(before == after for before, after in pairwise(wanted.hidden)):
        raise TutorError("--residual needs two hidden layers of the same width, as in --hidden 16,16")
    if wanted.rule == "perceptron":
        _check_perceptron(wanted)
    if wanted.stochastic_depth and not wanted.residual:
        raise TutorError("--stochastic-depth leaves out residual layers; add --residual")
    if wanted.batch_norm and wanted.batch_size == 1:
        raise TutorError("--batch-norm works on several examples at once; give --batch-size 2 or more")
    if (wanted.dropout or wanted.batch_norm) and not wanted.hidden:
        raise TutorError("--dropout and --batch-norm act on hidden layers, and there are none")


def _check_perceptron(wanted: Settings) -> None:
    if wanted.hidden:
        raise TutorError("the perceptron rule trains a single layer; add --hidden 0")
    if wanted.output_activation not in ("", "step") or wanted.loss:
        raise TutorError(
            "the perceptron rule has step units and counts errors; leave out --output-activation and --loss"
        )
    for name in ("l1", "l2", "clip_value", "clip_norm", "dropconnect", "class_weights", "augment"):
        if getattr(wanted, name):
            raise TutorError(f"{option(name)} works on gradients, and the perceptron rule has none")
    if wanted.schedule != "constant":
        raise TutorError("--schedule goes with gradients; the perceptron rule keeps its rate")


def _check_words(wanted: Settings) -> None:
    from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
    from tutor.maths.initializers import INITIALIZERS
    from tutor.maths.losses import LOSSES
    from tutor.maths.normalizers import NORMALIZERS
    from tutor.maths.optimizers import OPTIMIZERS
    from tutor.maths.schedules import SCHEDULES

    sloping = [name for name, entry in ACTIVATIONS.items() if entry.slope]
    _known(wanted.activation, sloping, "activation")
    flat = ["step"] if wanted.rule == "perceptron" else []
    for word, words, kind in (
        (wanted.output_activation, [*flat, *sloping, *VECTOR_ACTIVATIONS], "output activation"),
        (wanted.loss, LOSSES, "loss"),
        (wanted.init, INITIALIZERS, "initializer"),
        (wanted.normalize, NORMALIZERS, "normalization"),
    ):
        if word:
            _known(word, list(words), kind)
    _known(wanted.optimizer, OPTIMIZERS, "optimizer")
    _known(wanted.schedule, SCHEDULES, "schedule")
    _check_optimizer(wanted)
    valid = SCHEDULES[wanted.schedule].settings
    for name, text in wanted.schedule_setting.items():
        if not valid:
            raise TutorError(f"the {wanted.schedule} schedule has no settings, so no {name[:60]!r}")
        _known(name, valid, f"setting of the {wanted.schedule} schedule")
        _check_number(name, text)


def _check_optimizer(wanted: Settings) -> None:
    from tutor.maths.optimizers import OPTIMIZERS
    from tutor.worksheet.optimizer_rules import check_settings

    entry = OPTIMIZERS[wanted.optimizer]
    for name, text in wanted.optimizer_setting.items():
        if name in entry.settings:
            _check_number(name, text)
    found: dict[str, Any] = {
        n: IS_ON.get(t.lower(), t) if n in entry.flags else t for n, t in wanted.optimizer_setting.items()
    }
    try:
        check_settings(wanted.optimizer, found)
    except ValueError as error:
        raise TutorError(str(error)) from None


def _check_number(name: str, text: str) -> None:
    from tutor.numbers.exact import read_number

    try:
        read_number(text)
        float(text)  # without the fractions that a lesson may have
    except ValueError:
        raise TutorError(f"{name} is to be a number, not {text[:40]!r}") from None


def _check_range(name: str, value: Any, limits: Any) -> None:
    least, below = limits["least"], limits["below"]
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, int | float) and not isinstance(number, bool):
            if isinstance(number, int) and abs(number) >= SEEDS:
                raise TutorError(f"{option(name)} has at most {len(str(SEEDS)) - 1} digits")
            if not isfinite(number):
                raise TutorError(f"{option(name)} is a finite number, not {number}")
            if least is not None and not number >= least:
                raise TutorError(f"{option(name)} is at least {least:g}, not {number:g}")
            if below is not None and not number < below:
                raise TutorError(f"{option(name)} is a share below {below:g}, such as 0.2, not {number:g}")


def _known(word: str, valid: Collection[str], kind: str) -> None:
    if word not in valid:
        raise TutorError(f"unknown {kind} {word[:60]!r}{nearest(word, valid)}")
