"""From the words of a command to a trainer: what fits the data is chosen where nothing is said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tutor.errors import TutorError, nearest
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.initializers import INITIALIZERS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.schedules import SCHEDULES
from tutor.training.datasets import Data
from tutor.training.network import Network, Shape
from tutor.training.optimization import Rules
from tutor.training.preparation import prepare
from tutor.training.systems import ARITHMETICS
from tutor.training.trainer import Plan, Trainer

NORMALIZERS = ("zscore", "minmax")


@dataclass(frozen=True)
class Wishes:
    """What the user says about the network; None leaves the choice to the data."""

    hidden: Sequence[int] = (16,)
    activation: str = "tanh"
    output_activation: str | None = None
    loss: str | None = None
    init: str | None = None
    normalize: str | None = None
    validation: float = 0.0
    arithmetic: str = "reproducible"


def shape_of(wishes: Wishes, data: Data) -> Shape:
    """The layers. Raises TutorError for an unknown word, or for a loss that does not go with the outputs."""
    _known(wishes.activation, [n for n, e in ACTIVATIONS.items() if e.slope], "activation")
    outputs = _outputs(wishes, data)
    several = outputs > 1 and bool(data.classes)
    usual = ("softmax", "cross_entropy") if several else ("sigmoid", "binary_cross_entropy")
    if not data.classes:
        usual = ("linear", "half_squared_error")
    last = wishes.output_activation or usual[0]
    _known(last, [*[n for n, e in ACTIVATIONS.items() if e.slope], *VECTOR_ACTIVATIONS], "output activation")
    loss = wishes.loss or (usual[1] if last == usual[0] else "half_squared_error")
    _known(loss, LOSSES, "loss")
    if loss == "cross_entropy" and last != "softmax":
        raise TutorError("cross_entropy needs probabilities; give --output-activation softmax")
    if loss == "binary_cross_entropy" and last != "sigmoid":
        raise TutorError("binary_cross_entropy needs outputs between 0 and 1; give --output-activation sigmoid")
    if last == "softmax" and outputs == 1:
        raise TutorError("softmax needs an output for each class; with two classes use sigmoid")
    if any(size < 1 for size in wishes.hidden):
        raise TutorError("a hidden layer has at least one unit, as in --hidden 16,16")
    sizes = (data.x.shape[1], *wishes.hidden, outputs)
    return Shape(sizes, (*[wishes.activation] * len(wishes.hidden), last), loss)


def _outputs(wishes: Wishes, data: Data) -> int:
    if not data.classes:
        return 1 if data.y.ndim == 1 else int(data.y.shape[1])
    return len(data.classes) if len(data.classes) > 2 or wishes.output_activation == "softmax" else 1


def set_up(data: Data, wishes: Wishes, rules: Rules, plan: Plan) -> Trainer:
    """Everything ready to be trained. Raises TutorError with what to do for whatever does not fit."""
    _known(wishes.arithmetic, ARITHMETICS, "arithmetic")
    _known(rules.optimizer, OPTIMIZERS, "optimizer")
    _known(rules.schedule, SCHEDULES, "schedule")
    if wishes.normalize:
        _known(wishes.normalize, NORMALIZERS, "normalization")
    if not 0 <= wishes.validation < 1 or not 0 <= plan.dropout < 1:
        raise TutorError("--validation and --dropout are shares from 0 to 1, such as 0.2")
    if plan.patience is not None and not wishes.validation:
        raise TutorError("--patience waits for a better validation loss; hold something out with --validation 0.2")
    system = ARITHMETICS[wishes.arithmetic]
    shape = shape_of(wishes, data)
    init = wishes.init or ("he" if wishes.activation in ("relu", "leaky_relu") else "xavier")
    _known(init, INITIALIZERS, "initializer")
    tanh = shape.activations[-1] == "tanh"
    prepared = prepare(data, shape.sizes[-1], wishes.validation, plan.seed, wishes.normalize, tanh)
    return Trainer(Network(shape, system), prepared, rules, plan, shape.initial(plan.seed, init, system))


def _known(word: str, valid: Collection[str], kind: str) -> None:
    if word not in valid:
        raise TutorError(f"unknown {kind} {word[:60]!r}{nearest(word, valid)}")
