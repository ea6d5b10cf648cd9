"""Everything that a training is told: the network, how it is trained, on which part of the data, in which arithmetic.

The command line, `--vary` of `tutor compare` and saved runs all take the names, the types and the limits from here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tutor.data.seeds import SEEDS
from tutor.errors import TutorError, listed, nearest, whole_list
from tutor.maths.initializers import INITIALIZERS
from tutor.maths.penalties import PENALTIES, PROXIMAL

if TYPE_CHECKING:
    from tutor.maths.setting import Setting
    from tutor.training.learning import Learning
    from tutor.training.matrix.dropout import DropRates
    from tutor.worksheet.problem import Training

Any_ = TypeVar("Any_", bound=type)

IS_ON = {"true": True, "1": True, "false": False, "0": False}
SECTIONS = {
    "hidden": "The network",
    "optimizer": "How it learns",
    next(iter(PENALTIES)): "Against learning by heart",
    "normalize": "Examples and arithmetic",
}
"""What `--help` puts together: the first setting of every section."""
MOST_LAYERS = 1_000
USUAL_RATE = "0.1"
"""Of a lesson that is trained by an optimizer without a usual learning rate."""


def setting(default: Any, text: str, least: float | None = None, below: float | None = None) -> Any:
    """A field with what `--help` says of it, the least it may be, and what it must stay below."""
    known = {"help": text, "least": least, "below": below}
    return field(default_factory=dict, metadata=known) if default == {} else field(default=default, metadata=known)


def _with_strengths(settings: Any_) -> Any_:
    """The class with a field for the strength of each penalty, after the clipping."""
    known = settings.__annotations__
    names = list(known)
    later = {name: known.pop(name) for name in names[names.index("clip_norm") + 1 :]}
    for entry in PENALTIES.values():
        known[entry.name] = "float"
        setattr(settings, entry.name, setting(0.0, f"Strength of the penalty on {entry.of}.", 0))
    known |= later
    return settings


@dataclass(frozen=True)
@_with_strengths
class Settings:
    """One training. An empty text, or None, leaves a choice to what fits the data."""

    hidden: tuple[int, ...] = setting((16,), "Units of each hidden layer, as in 16,16; 0 for none.", 1)
    activation: str = setting("tanh", "Of the hidden layers.")
    output_activation: str = setting("", "Of the output; what fits the data unless given.")
    loss: str = setting("", "What fits the output unless given.")
    loss_setting: dict[str, str] = setting({}, "As in delta=0.5; may be given several times.")
    batch_norm: bool = setting(False, "Normalise every hidden weighted sum over its batch.")
    residual: bool = setting(False, "Add a hidden layer's input to its output where both are as wide.")
    init: str = setting("", f"One of {whole_list(INITIALIZERS)}; what fits the activation unless given.")
    freeze: tuple[str, ...] = setting(
        (), "A layer that keeps its weights: its number as --layers has it, or output; may be given several times."
    )
    optimizer: str = setting("adam", "`tutor explain NAME` says what each does.")
    learning_rate: float | None = setting(None, "The optimizer's own for small networks unless given.", 0)
    optimizer_setting: dict[str, str] = setting({}, "As in beta=0.8 or amsgrad=true; may be given several times.")
    schedule: str = setting("constant", "How the rate changes from epoch to epoch.")
    schedule_setting: dict[str, str] = setting({}, "As in every=20; may be given several times.")
    rule: Literal["gradient", "perceptron"] = setting(
        "gradient", "gradient: descent. perceptron: the perceptron rule, for a single layer of step units."
    )
    update_order: Literal["together", "output-first"] = setting(
        "together",
        "output-first: layer by layer from the output, whose new weights take the error back, as the lecture's slide "
        "has it; no gradient descent.",
    )
    batch_size: int = setting(32, "Examples an update; 1 is stochastic, all of them batch.", 1)
    epochs: int = setting(100, "Times through the data.", 1)
    shuffle: bool = setting(True, "A new order in every epoch.")
    seed: int = setting(0, "The same seed gives the same training.", 0)
    clip_value: float | None = setting(None, "Largest entry of the gradient.", 0)
    clip_norm: float | None = setting(None, "Largest length of the gradient.", 0)
    penalty_setting: dict[str, str] = setting({}, "As in l1_ratio=0.3; may be given several times.")
    proximal: bool = setting(False, f"Soft-thresholding for {listed(PROXIMAL)}: weights become exactly 0.")
    dropout: float = setting(0.0, "Share of the hidden outputs left out.", 0, 1)
    dropconnect: float = setting(0.0, "Share of the weights left out.", 0, 1)
    stochastic_depth: float = setting(0.0, "Share of the residual layers left out.", 0, 1)
    augment: str = setting("", "Change the examples in every epoch, as in shift=1,flip,noise=0.05.")
    normalize: str = setting(
        "",
        "zscore or minmax, fitted on the training part; unit, each example to length 1; of images mean_image, "
        "channel_mean or channel_zscore.",
    )
    target_scale: bool = setting(False, "Scale values to predict to mean 0 and spread 1; reports have their own unit.")
    class_weights: bool = setting(False, "Let rare classes count as much as common ones.")
    validation: float = setting(0.0, "Share of the examples held out to watch the training.", 0, 1)
    test: float = setting(0.0, "Share held out until the training is over.", 0, 1)
    patience: int | None = setting(None, "Stop after so many epochs without a better validation loss.", 1)
    arithmetic: Literal["reproducible", "fast"] = setting("reproducible", "reproducible: the same bits everywhere.")

    @property
    def drop_rates(self) -> DropRates:
        from tutor.training.matrix.dropout import DropRates

        return DropRates(self.dropout, self.dropconnect, self.stochastic_depth)

    @property
    def learning(self) -> Learning:
        """Raises TutorError for a layer that there is not, and where none is left to learn."""
        from tutor.training.learning import Learning

        depth = len(self.hidden) + 1
        known = {str(k + 1): k for k in range(depth)} | {"output": depth - 1}
        for layer in self.freeze:
            if layer not in known:
                there = f"layers 1 to {depth}, and output is the last one" if depth > 1 else "one layer, called output"
                raise TutorError(f"--freeze {layer[:40]!r}: the network has {there}")
        frozen = frozenset(known[layer] for layer in self.freeze)
        if len(frozen) == depth:
            raise TutorError("--freeze keeps the weights of every layer; leave one of them out, so that it can learn")
        return Learning(frozen, self.update_order == "output-first")

    @property
    def penalties(self) -> dict[str, float]:
        """The penalties that are asked for, each with its strength."""
        return {name: strength for name in PENALTIES if (strength := getattr(self, name))}

    @property
    def training(self) -> Training:
        """How parameters are changed, every number as the float that it is here; a schedule that asks for it runs over
        all the epochs."""
        from fractions import Fraction

        from tutor.maths.optimizers import OPTIMIZERS
        from tutor.maths.schedules import SCHEDULES
        from tutor.worksheet.problem import Training

        whole = {"epochs": Fraction(self.epochs)} if "epochs" in SCHEDULES[self.schedule].settings else {}
        usual = float(OPTIMIZERS[self.optimizer].small_rate)
        rate = usual if self.learning_rate is None else self.learning_rate
        if self.rule == "perceptron":
            return Training(rule="perceptron", learning_rate=Fraction(rate), max_epochs=self.epochs)
        limits = {name: getattr(self, name) for name in ("clip_value", "clip_norm")}
        given = {name: value for name, value in (self.penalties | limits).items() if value is not None}
        exact: dict[str, Any] = {name: Fraction(value) for name, value in given.items()}
        return Training(
            optimizer=self.optimizer,
            learning_rate=Fraction(rate),
            settings=numbers_typed(self.optimizer_setting),
            schedule=self.schedule,
            schedule_settings={**whole, **numbers_typed(self.schedule_setting)},
            penalty_settings=numbers_typed(self.penalty_setting),
            proximal=self.proximal,
            **exact,
        )


def numbers_typed(settings: Mapping[str, str]) -> dict[str, Any]:
    """The settings of an entry as they were typed: exact numbers, and flags true or false."""
    from tutor.numbers.exact import read_number

    return {n: IS_ON[t.lower()] if t.isalpha() else read_number(t) for n, t in settings.items()}


def option(name: str) -> str:
    """What a setting is called on the command line."""
    return "--" + name.replace("_", "-")


def check(settings: Settings, given: Collection[str] = ()) -> None:
    """Raises TutorError, with what to do, for whatever cannot be meant; `given` names the settings that were typed,
    among them those that were typed as they are by default."""
    _check_words(settings)
    for entry in fields(settings):
        _check_range(entry.name, getattr(settings, entry.name), entry.metadata)
    if len(settings.hidden) > MOST_LAYERS:
        raise TutorError(f"--hidden has at most {MOST_LAYERS:,} layers, not {len(settings.hidden):,}")
    if settings.validation + settings.test >= 1:
        raise TutorError("--validation and --test together hold everything out; leave something to learn from")
    if settings.patience is not None and not settings.validation:
        raise TutorError("--patience waits for a better validation loss; hold something out with --validation 0.2")
    if settings.residual and not any(before == after for before, after in pairwise(settings.hidden)):
        raise TutorError("--residual needs two hidden layers of the same width, as in --hidden 16,16")
    _check_effect(settings, given)
    assert settings.learning is not None  # raises for layers that cannot be frozen
    if settings.stochastic_depth and not settings.residual:
        raise TutorError("--stochastic-depth leaves out residual layers; add --residual")
    if settings.update_order == "output-first" and settings.clip_norm is not None:
        raise TutorError(
            "--clip-norm needs the whole gradient before the first weight changes, which --update-order output-first "
            "has not; take --clip-value"
        )
    if settings.batch_norm and settings.batch_size == 1:
        raise TutorError("--batch-norm works on several examples at once; give --batch-size 2 or more")


def _check_effect(settings: Settings, given: Collection[str]) -> None:
    """Raises TutorError for a setting that changes nothing, or contradicts another one."""
    if settings.rule == "perceptron" and settings.hidden:
        raise TutorError("the perceptron rule trains a single layer; add --hidden 0")
    if settings.rule == "perceptron" and (settings.output_activation not in ("", "step") or settings.loss):
        raise TutorError(
            "the perceptron rule has step units and counts errors; leave out --output-activation and --loss"
        )
    usual = Settings()
    for name, why in _without_effect(settings):
        if name in given or getattr(settings, name) != getattr(usual, name):
            raise TutorError(f"{option(name)} has no effect: {why}; leave out {option(name)}")


def _without_effect(settings: Settings) -> Iterator[tuple[str, str]]:
    """The settings that change nothing beside the others, and why."""
    from tutor.maths.optimizers import OPTIMIZERS

    by_rule = settings.rule == "perceptron"
    if by_rule:
        for name in (
            *PENALTIES,
            "penalty_setting",
            "proximal",
            "clip_value",
            "clip_norm",
            "dropconnect",
            "class_weights",
            "augment",
            "update_order",
        ):
            yield name, "it works on gradients, and the perceptron rule has none"
        yield from dict.fromkeys(("optimizer", "optimizer_setting"), "the perceptron rule has no optimizer").items()
        yield from dict.fromkeys(("schedule", "schedule_setting"), "the perceptron rule keeps its rate").items()
    if by_rule and settings.batch_size != 1:
        yield "batch_size", "the perceptron rule takes one example after the other"
    if not any(getattr(settings, name) for name in PROXIMAL):
        yield "proximal", f"it takes the place of the slope of {' or '.join(PROXIMAL)}, and there is none of these"
    if not settings.hidden:
        for name in ("activation", "dropout", "batch_norm", "update_order"):
            yield name, "it acts on hidden layers, and there are none"
    if len(settings.hidden) + 1 - len(settings.learning.frozen) < 2:
        yield "update_order", "only one layer learns"
    if not by_rule and OPTIMIZERS[settings.optimizer].adapts_rate:
        yield "schedule", f"{settings.optimizer} changes the learning rate itself, by the error"


def _check_words(settings: Settings) -> None:
    from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
    from tutor.maths.initializers import INITIALIZERS
    from tutor.maths.losses import LOSSES
    from tutor.maths.normalizers import NORMALIZERS
    from tutor.maths.optimizers import OPTIMIZERS
    from tutor.maths.schedules import SCHEDULES
    from tutor.worksheet.optimizer_rules import settings_of_penalties

    sloping = [name for name, entry in ACTIVATIONS.items() if entry.slope]
    _known(settings.activation, sloping, "activation")
    flat = ["step"] if settings.rule == "perceptron" else []
    for word, words, kind in (
        (settings.output_activation, [*flat, *sloping, *VECTOR_ACTIVATIONS], "output activation"),
        (settings.loss, LOSSES, "loss"),
        (settings.init, INITIALIZERS, "initializer"),
        (settings.normalize, NORMALIZERS, "normalization"),
    ):
        if word:
            _known(word, list(words), kind)
    _known(settings.optimizer, OPTIMIZERS, "optimizer")
    _known(settings.schedule, SCHEDULES, "schedule")
    _check_optimizer(settings)
    _check_numbers(f"{settings.schedule} schedule", SCHEDULES[settings.schedule].settings, settings.schedule_setting)
    of_loss = LOSSES[settings.loss].settings if settings.loss else {}
    _check_numbers(f"{settings.loss or 'usual'} loss", of_loss, settings.loss_setting)
    _check_numbers(*settings_of_penalties(settings.penalties), settings.penalty_setting)


def _check_numbers(of: str, settings: Mapping[str, Setting], given: Mapping[str, str]) -> None:
    from tutor.worksheet.optimizer_rules import check_numbers

    for name in given.keys() & settings:
        _check_number(name, given[name])
    try:
        check_numbers(of, settings, given)
    except ValueError as error:
        raise TutorError(str(error)) from None


def _check_optimizer(settings: Settings) -> None:
    from tutor.maths.optimizers import OPTIMIZERS
    from tutor.worksheet.optimizer_rules import check_settings

    entry = OPTIMIZERS[settings.optimizer]
    for name, text in settings.optimizer_setting.items():
        if name in entry.settings:
            _check_number(name, text)
    found: dict[str, Any] = {
        n: IS_ON.get(t.lower(), t) if n in entry.flags else t for n, t in settings.optimizer_setting.items()
    }
    try:
        check_settings(settings.optimizer, found)
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
                none = ", or 0 alone for none" if isinstance(value, tuple) else ""
                raise TutorError(f"{option(name)} is at least {least:g}{none}, not {number:g}")
            if below is not None and not number < below:
                raise TutorError(f"{option(name)} is a share below {below:g}, such as 0.2, not {number:g}")


def _known(word: str, valid: Collection[str], kind: str) -> None:
    if word not in valid:
        raise TutorError(f"unknown {kind} {word[:60]!r}{nearest(word, valid)}")
