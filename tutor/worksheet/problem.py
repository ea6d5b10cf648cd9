"""What a lesson file may ask for: the format, as types. `tutor.lessons` reads and checks it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct, defstruct, field

from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizer import Variant
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES
from tutor.maths.schedules import SCHEDULES
from tutor.maths.setting import numbers

# The words of the registries for editors; what is said of another word comes from `tutor.worksheet.check`.
ActivationName = Annotated[str, Meta(extra_json_schema={"enum": [*ACTIVATIONS, *VECTOR_ACTIVATIONS]})]
LossName = Annotated[str, Meta(extra_json_schema={"enum": [*LOSSES]})]
OptimizerName = Annotated[str, Meta(extra_json_schema={"enum": [*OPTIMIZERS]})]
ScheduleName = Annotated[str, Meta(extra_json_schema={"enum": [*SCHEDULES]})]


class Entry:
    """A weight or bias in a lesson file: a number, the name of a given, or nothing (no connection)."""

    __slots__ = ("name", "value")

    def __init__(self, value: Fraction | None, name: str | None) -> None:
        self.value, self.name = value, name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and (self.value, self.name) == (other.value, other.name)

    def __hash__(self) -> int:
        return hash((self.value, self.name))


class Neuron(Struct, frozen=True, forbid_unknown_fields=True):
    """A neuron with names of its own for its weighted sum and its output."""

    sum: str
    output: str


class Layer(Struct, frozen=True, forbid_unknown_fields=True):
    """One layer: one row of weights per neuron, one column per input.

    `biases` has one for each neuron, `bias` one that all of them share, `thresholds` one each to be subtracted.
    `alpha` is the parameter of prelu and elu. `name` is what `training.rates` calls the layer.
    """

    weights: list[list[Entry]]
    activation: ActivationName
    biases: list[Entry] | None = None
    bias: Entry | None = None
    thresholds: list[Entry] | None = None
    neurons: list[str | Neuron] | None = None
    units: int | None = None
    alpha: Fraction | None = None
    name: str | None = None


class Network(Struct, frozen=True, forbid_unknown_fields=True):
    inputs: list[str]
    layers: list[Layer]
    loss: LossName | None = None
    targets: list[str] | None = None
    loss_settings: dict[str, Fraction] = field(default_factory=dict)

    @property
    def loss_numbers(self) -> list[Fraction]:
        """What the loss is worked with beside outputs and targets."""
        known = numbers(LOSSES[self.loss].settings, self.loss_settings) if self.loss else {}
        return [Fraction(value) for value in known.values()]


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes in and what should come out; a network that is only run forward needs no targets."""

    inputs: list[Fraction]
    targets: list[Fraction] = field(default_factory=list)


CLIPS = ("clip_value", "clip_norm")
"""The limits of clipping, in the order in which they act: each number first, then the length of what has become of all
of them."""


class Optimization(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How parameters are changed: the optimizer, its settings, and what happens to the gradient before.

    `state` has what the optimizer remembers of earlier updates, as in { t = 3, m_w = 0.1, v_w = 0.01 }, where t is how
    many of them there were. Worksheets and trainings both work by this description.
    """

    optimizer: OptimizerName = "sgd"
    learning_rate: Fraction | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    schedule: ScheduleName = "constant"
    schedule_settings: dict[str, Fraction] = field(default_factory=dict)
    clip_value: Fraction | None = None
    clip_norm: Fraction | None = None
    state: dict[str, Fraction] = field(default_factory=dict)

    @property
    def rate(self) -> Fraction:
        """The learning rate, the optimizer's own where none is given."""
        return Fraction(OPTIMIZERS[self.optimizer].rate or 0) if self.learning_rate is None else self.learning_rate

    @property
    def variant(self) -> Variant:
        """The optimizer in the form that its settings give it."""
        return OPTIMIZERS[self.optimizer].variant(self.settings)

    @property
    def rate_settings(self) -> dict[str, Fraction]:
        """What the schedule is worked with."""
        known = numbers(SCHEDULES[self.schedule].settings, self.schedule_settings)
        return {name: Fraction(value) for name, value in known.items()}

    @property
    def clips(self) -> tuple[str, ...]:
        """How gradients are clipped, one way after the other: the names of the limits."""
        return tuple(limit for limit in CLIPS if getattr(self, limit) is not None)

    @property
    def proximal_penalties(self) -> list[str]:
        """The penalties that act after each step, in place of their slopes."""
        return []

    def numbers_of(self, penalty: str) -> list[Fraction]:
        """What the penalty is worked with beside a weight and its strength."""
        return []

    @property
    def made_before(self) -> int:
        """How many updates there were before the first."""
        return int(self.state.get("t", 0))


if TYPE_CHECKING:
    Penalised = Optimization
else:
    Penalised = defstruct(
        "Penalised",
        [(name, Fraction | None, None) for name in PENALTIES],
        bases=(Optimization,),
        frozen=True,
        forbid_unknown_fields=True,
        kw_only=True,
    )
"""An optimization with the strength of each penalty, by its name."""


class Training(Penalised, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a network is trained. `batch` says which examples make an update: all, with the mean or the sum of what they
    lose, one after another, or so many at a time, of which `reduction` takes the mean or the sum."""

    update_biases: bool = True
    batch: Literal["mean", "sum", "online"] | int = "mean"
    reduction: Literal["mean", "sum"] = "mean"
    epochs: int = 1
    penalty_settings: dict[str, Fraction] = field(default_factory=dict)
    proximal: bool = False
    rates: dict[str, Fraction] = field(default_factory=dict)
    rule: Literal["gradient", "delta", "perceptron"] = "gradient"
    fires: str | None = None
    stop: Literal["clean_epoch", "max_epochs"] = "clean_epoch"
    max_epochs: int = 20

    @property
    def penalties(self) -> dict[str, Fraction]:
        """The penalties that are asked for, each with its strength."""
        given = {name: getattr(self, name) for name in PENALTIES}
        return {name: strength for name, strength in given.items() if strength is not None}

    @property
    def proximal_penalties(self) -> list[str]:
        return [name for name in self.penalties if self.proximal and PENALTIES[name].proximal is not None]

    def numbers_of(self, penalty: str) -> list[Fraction]:
        return [Fraction(value) for value in numbers(PENALTIES[penalty].settings, self.penalty_settings).values()]

    def batch_size(self, count: int) -> int:
        """How many of `count` examples an update has; the last of an epoch may have fewer."""
        if isinstance(self.batch, int):
            return min(self.batch, count)
        return 1 if self.batch == "online" else count

    @property
    def over_examples(self) -> Literal["mean", "sum"]:
        """What an update takes of its examples."""
        if isinstance(self.batch, int):
            return self.reduction
        return "sum" if self.batch == "sum" else "mean"


class Equation(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a free worksheet; with `for`, one for each value of an index, as in { t = "1..3" }."""

    name: str
    formula: str
    ranges: dict[str, str] = field(default_factory=dict, name="for")


class Differentiate(Struct, frozen=True, forbid_unknown_fields=True):
    """What of a free worksheet is differentiated by what, each `of` by each `wrt`; `seed` has gradients that arrive
    from above instead."""

    wrt: list[str]
    of: str | list[str] | None = None
    seed: dict[str, Fraction] = field(default_factory=dict)


class Minimize(Optimization, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A function minimised step by step, without any network.

    In place of the `objective`, `gradients` may have those of each step, as in { w = [0.1, -0.2, 0.3] }.
    """

    start: dict[str, Fraction]
    objective: str | None = None
    gradients: dict[str, list[Fraction]] = field(default_factory=dict)
    steps: int | None = None


class Problem(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Exactly one of: a network with examples and training, free equations, a function to minimise.

    `chain` says how gradients are written: every factor of every path, or each result's gradient used again.
    """

    chain: Literal["full", "delta"] = "full"
    network: Network | None = None
    examples: list[Example] = field(default_factory=list)
    training: Training | None = None
    givens: dict[str, Fraction] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)
    differentiate: Differentiate | None = None
    minimize: Minimize | None = None
