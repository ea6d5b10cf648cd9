"""From settings and data to a trainer: what fits the data is chosen where nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from tutor.data.augmentation import parse_augmentation
from tutor.data.builtin import Data
from tutor.data.encoding import encoded
from tutor.errors import TutorError
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.numbers.arrays import ARITHMETICS
from tutor.training.architecture import Shape
from tutor.training.matrix.engine import MatrixForm
from tutor.training.matrix.network import BatchLoss
from tutor.training.preparation import Parts, Prepared, balanced, prepare, split
from tutor.training.settings import Settings, check
from tutor.training.trainer import Form, Trainer
from tutor.training.transfer import Origin, carried_over, layers_in_common, what_was_taken

MOST_PARAMETERS = 50_000_000
LARGEST = {"fast": 160, "reproducible": 400}
"""Parameters times examples an update, up to which straight-line code is faster than matrices."""


def shape_of(wanted: Settings, inputs: int, classes: Sequence[str], values: int) -> Shape:
    """The layers for so many inputs, and these classes or, without any, so many values to predict.

    Raises TutorError for a loss that does not go with the outputs, and for a network that is too large.
    """
    outputs = values
    if classes:
        outputs = len(classes) if len(classes) > 2 or wanted.output_activation == "softmax" else 1
    if wanted.rule == "perceptron":
        if not classes:
            raise TutorError("the perceptron rule tells classes apart, and these data have values")
        return Shape((inputs, outputs), ("step",), "squared_error")
    usual = ("softmax", "cross_entropy") if outputs > 1 and classes else ("sigmoid", "binary_cross_entropy")
    if not classes:
        usual = ("linear", "half_squared_error")
    last = wanted.output_activation or usual[0]
    loss = wanted.loss or (usual[1] if last == usual[0] else "half_squared_error")
    if (needed := LOSSES[loss].output) not in ("", last):
        raise TutorError(f"{loss} needs probabilities; give --output-activation {needed}")
    if last == "softmax" and outputs == 1:
        raise TutorError("softmax needs an output for each class; with two classes use sigmoid")
    sizes = (inputs, *wanted.hidden, outputs)
    if sum((before + 1) * after for before, after in pairwise(sizes)) > MOST_PARAMETERS:
        layers = "-".join(map(str, sizes)) if len(sizes) < 10 and max(sizes) < 10**12 else "these layers"
        raise TutorError(f"a network of {layers} has more than {MOST_PARAMETERS:,} parameters")
    activations = (*[wanted.activation] * len(wanted.hidden), last)
    return Shape(sizes, activations, loss, wanted.batch_norm, wanted.residual, wanted.loss_setting)


def shape_for(wanted: Settings, data: Data) -> Shape:
    """The layers that these data need, whose features are inputs."""
    return shape_of(wanted, data.x.shape[1], data.classes, 1 if data.y.ndim == 1 else int(data.y.shape[1]))


def set_up(data: Data, wanted: Settings, parts: Parts | None = None, origin: Origin | None = None) -> Trainer:
    """Everything ready to be trained, with these parts of the data or those that the settings make, and with what
    another network has learned, where there is one. Raises TutorError with what to do for whatever does not fit."""
    check(wanted)
    if wanted.rule == "perceptron":
        rate = 1.0 if wanted.learning_rate is None else wanted.learning_rate
        wanted = replace(wanted, batch_size=1, learning_rate=rate)
    if wanted.class_weights and not data.classes:
        raise TutorError("--class-weights weighs classes, and these data have values")
    if wanted.target_scale and data.classes:
        raise TutorError("--target-scale scales values to predict, and these data have classes")
    parts = parts or split(data, wanted.validation, wanted.test, wanted.seed)
    data, encoding, remarks = encoded(data, parts[0])
    shape = shape_for(wanted, data)
    prepared = prepare(data, shape, parts, wanted.normalize, wanted.target_scale)
    system = ARITHMETICS[wanted.arithmetic]
    vector = shape.initial(wanted.seed, wanted.init or _usual_start(wanted), system)
    taken: list[str] = []
    if origin is not None:
        count = layers_in_common(origin, shape)
        vector = carried_over(origin, shape, vector, count)
        taken = what_was_taken(origin, shape, count, wanted.normalize, data.classes)
    prepared = replace(prepared, encoding=encoding, remarks=(*remarks, *prepared.remarks, *taken))
    form = _form(shape, system, data, prepared, wanted, vector)
    return Trainer(form, prepared, wanted, shape, BatchLoss(shape, system))


def _usual_start(wanted: Settings) -> str:
    """The initializer that fits."""
    if wanted.rule == "perceptron":
        return "zeros"
    return ACTIVATIONS[wanted.activation].initializer


def _form(shape: Shape, system: Any, data: Data, prepared: Prepared, wanted: Settings, vector: Any) -> Form:
    """Straight-line code for what is small and plain, else matrices: decided by size, so that a training has the same
    bits everywhere."""
    augmentation = parse_augmentation(wanted.augment) if wanted.augment else None
    if augmentation is not None:
        augmentation.check(data.shape)
    shares = None
    if wanted.class_weights:
        shares = balanced(data.y[prepared.train], len(data.classes))[data.y]
    plain = shares is None and augmentation is None and not (wanted.noise or wanted.batch_norm or wanted.residual)
    batch = min(wanted.batch_size, len(prepared.train))
    by_rule = wanted.rule == "perceptron"
    if by_rule or (plain and shape.count * batch <= LARGEST[wanted.arithmetic]):
        from tutor.training.from_lesson import problem_of
        from tutor.training.straight_line.engine import SmallForm, StraightLine

        x, targets = prepared.x[prepared.train].T, prepared.targets[:, prepared.train]
        problem = problem_of(shape, vector, wanted.training)
        line = StraightLine(problem, x, targets, batch, wanted.arithmetic, wanted.learning)
        return SmallForm(line, wanted.training, system)
    return MatrixForm(shape, system, prepared, wanted, vector, shares, augmentation, data.shape)
