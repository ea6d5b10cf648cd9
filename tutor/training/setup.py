"""From settings and data to a trainer: what fits the data is chosen where nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tutor.data.augmentation import parse_augmentation
from tutor.data.builtin import Data
from tutor.data.encoding import encoded
from tutor.errors import TutorError
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.numbers.arrays import ARITHMETICS
from tutor.training.architecture import Architecture
from tutor.training.matrix.engine import MatrixEngine
from tutor.training.matrix.network import BatchLoss
from tutor.training.preparation import Parts, PreparedData, balanced, prepare, split
from tutor.training.settings import Settings, check
from tutor.training.trainer import Engine, Trainer
from tutor.training.transfer import Origin, carried_over, layers_in_common, what_was_taken

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles

MOST_PARAMETERS = 50_000_000
LARGEST = {"fast": 160, "reproducible": 400}
"""Parameters times examples an update, up to which straight-line code is faster than matrices."""


def architecture_of(settings: Settings, inputs: int, classes: Sequence[str], values: int) -> Architecture:
    """The layers for so many inputs, and these classes or, without any, so many values to predict.

    Raises TutorError for a loss that does not go with the outputs, and for a network that is too large.
    """
    outputs = values
    if classes:
        outputs = len(classes) if len(classes) > 2 or settings.output_activation == "softmax" else 1
    if settings.rule == "perceptron":
        if not classes:
            raise TutorError("the perceptron rule tells classes apart, and these data have values")
        return Architecture((inputs, outputs), ("step",), "squared_error")
    usual = ("softmax", "cross_entropy") if outputs > 1 and classes else ("sigmoid", "binary_cross_entropy")
    if not classes:
        usual = ("linear", "half_squared_error")
    last = settings.output_activation or usual[0]
    loss = settings.loss or (usual[1] if last == usual[0] else "half_squared_error")
    if (needed := LOSSES[loss].output) not in ("", last):
        raise TutorError(f"{loss} needs probabilities; give --output-activation {needed}")
    if last == "softmax" and outputs == 1:
        raise TutorError("softmax needs an output for each class; with two classes use sigmoid")
    sizes = (inputs, *settings.hidden, outputs)
    if sum((before + 1) * after for before, after in pairwise(sizes)) > MOST_PARAMETERS:
        layers = "-".join(map(str, sizes)) if len(sizes) < 10 and max(sizes) < 10**12 else "these layers"
        raise TutorError(f"a network of {layers} has more than {MOST_PARAMETERS:,} parameters")
    activations = (*[settings.activation] * len(settings.hidden), last)
    return Architecture(sizes, activations, loss, settings.batch_norm, settings.residual, settings.loss_setting)


def architecture_for(settings: Settings, data: Data) -> Architecture:
    """The layers that these data need, whose features are inputs."""
    return architecture_of(settings, data.x.shape[1], data.classes, 1 if data.y.ndim == 1 else int(data.y.shape[1]))


def set_up(data: Data, settings: Settings, parts: Parts | None = None, origin: Origin | None = None) -> Trainer:
    """Everything ready to be trained, with these parts of the data or those that the settings make, and with what
    another network has learned, where there is one. Raises TutorError with what to do for whatever does not fit."""
    check(settings)
    if settings.rule == "perceptron":
        rate = 1.0 if settings.learning_rate is None else settings.learning_rate
        settings = replace(settings, batch_size=1, learning_rate=rate)
    if settings.class_weights and not data.classes:
        raise TutorError("--class-weights weighs classes, and these data have values")
    if settings.target_scale and data.classes:
        raise TutorError("--target-scale scales values to predict, and these data have classes")
    parts = parts or split(data, settings.validation, settings.test, settings.seed)
    data, encoding, remarks = encoded(data, parts[0])
    architecture = architecture_for(settings, data)
    prepared = prepare(data, architecture, parts, settings.normalize, settings.target_scale)
    system = ARITHMETICS[settings.arithmetic]
    vector = architecture.initial(settings.seed, settings.init or _usual_start(settings), system)
    taken: list[str] = []
    if origin is not None:
        count = layers_in_common(origin, architecture)
        vector = carried_over(origin, architecture, vector, count)
        taken = what_was_taken(origin, architecture, count, settings.normalize, data.classes)
    prepared = replace(prepared, encoding=encoding, remarks=(*remarks, *prepared.remarks, *taken))
    weights = balanced(data.y[prepared.train], len(data.classes))[data.y] if settings.class_weights else None
    engine = _engine(architecture, system, data, prepared, settings, vector, weights)
    return Trainer(engine, prepared, settings, architecture, BatchLoss(architecture, system), weights)


def _usual_start(settings: Settings) -> str:
    """The initializer that fits."""
    if settings.rule == "perceptron":
        return "zeros"
    return ACTIVATIONS[settings.activation].initializer


def _engine(
    architecture: Architecture,
    system: Any,
    data: Data,
    prepared: PreparedData,
    settings: Settings,
    vector: Any,
    sample_weights: Doubles | None,
) -> Engine:
    """Straight-line code for what is small and plain, else matrices: decided by size, so that a training has the same
    bits everywhere."""
    augmentation = parse_augmentation(settings.augment) if settings.augment else None
    if augmentation is not None:
        augmentation.check(data.shape)
    special = settings.drop_rates or settings.batch_norm or settings.residual
    plain = sample_weights is None and augmentation is None and not special
    batch = min(settings.batch_size, len(prepared.train))
    by_rule = settings.rule == "perceptron"
    if by_rule or (plain and architecture.count * batch <= LARGEST[settings.arithmetic]):
        from tutor.training.from_lesson import problem_of
        from tutor.training.straight_line.engine import StraightLine, StraightLineEngine

        x, targets = prepared.x[prepared.train].T, prepared.targets[:, prepared.train]
        problem = problem_of(architecture, vector, settings.training)
        line = StraightLine(problem, x, targets, batch, settings.arithmetic, settings.learning)
        return StraightLineEngine(line, settings.training, system)
    return MatrixEngine(architecture, system, prepared, settings, vector, sample_weights, augmentation, data.shape)
