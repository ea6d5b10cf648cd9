"""From a lesson to a trainer, and from a network built from options to the problem of a worksheet."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from tutor.data.builtin import Data
from tutor.errors import TutorError
from tutor.numbers.arrays import ARITHMETICS
from tutor.numbers.exact import read_number
from tutor.training.architecture import Shape
from tutor.training.matrix.network import BatchLoss
from tutor.training.matrix.optimizer import Rules
from tutor.training.preparation import Prepared, rows_with_ones
from tutor.training.settings import IS_ON, Settings, check, option
from tutor.training.straight_line.engine import SmallForm, StraightLine
from tutor.training.trainer import Trainer
from tutor.worksheet.connections import neuron_names
from tutor.worksheet.network_rules import why_no_gradient
from tutor.worksheet.perceptron import RULE
from tutor.worksheet.problem import Entry, Layer, Network, Problem, Training

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles, Floats


def problem_of(shape: Shape, vector: Floats, rules: Rules) -> Problem:
    """The network with these weights and biases, trained by these rules.

    Its weights are W1, W2, … and its biases b1, b2, …, neuron by neuron; `in_rows` has them
    in the order of the vector. Raises ValueError where a weight is not finite.
    """
    return Problem(network=_network(shape, vector, shape.loss), training=_as_training(rules))


def perceptron_of(shape: Shape, vector: Floats, wanted: Settings) -> Problem:
    """A single layer of step units, trained by the perceptron rule."""
    rate = Fraction(wanted.rules.rate)
    training = Training(rule="perceptron", learning_rate=rate, max_epochs=wanted.epochs)
    return Problem(network=_network(shape, vector, None), training=training)


def _network(shape: Shape, vector: Floats, loss: str | None) -> Network:
    layers = [
        Layer(
            weights=[[_entry(w) for w in row[:-1]] for row in matrix.tolist()],
            activation=activation,
            biases=[_entry(row[-1]) for row in matrix.tolist()],
        )
        for matrix, activation in zip(shape.matrices(vector), shape.activations, strict=True)
    ]
    return Network(inputs=[f"x{i + 1}" for i in range(shape.sizes[0])], layers=layers, loss=loss)


def _entry(value: float) -> Entry:
    return Entry(Fraction(value), None)


def _as_training(rules: Rules) -> Training:
    return Training(
        optimizer=rules.optimizer,
        learning_rate=Fraction(rules.rate),
        settings=dict(rules.settings),
        schedule=rules.schedule,
        schedule_settings={name: read_number(str(text)) for name, text in rules.schedule_settings.items()},
        clip_value=_given(rules.clip_value),
        clip_norm=_given(rules.clip_norm),
        l1=_given(rules.l1 or None),
        l2=_given(rules.l2 or None),
    )


def _given(value: float | None) -> Fraction | None:
    return None if value is None else Fraction(value)


CHANGEABLE = (
    "optimizer", "learning_rate", "optimizer_setting", "schedule", "schedule_setting", "l1", "l2", "clip_value",
    "clip_norm", "batch_size", "epochs", "shuffle", "seed", "arithmetic",
)  # fmt: skip
"""What may be said beside a lesson; the rest is in the lesson."""
_OF_TRAINING = {name: name for name in CHANGEABLE[:9]} | {
    "optimizer_setting": "settings",
    "schedule_setting": "schedule_settings",
}


def lesson_trainer(problem: Problem, name: str, given: Mapping[str, Any]) -> tuple[Data, Trainer]:
    """The examples of the lesson as data, and a trainer of its network; `given` are settings that replace its own.

    Examples come in the lesson's order unless shuffling is asked for. Raises TutorError where the lesson has no
    network or no examples, and for a setting that is the lesson's affair.
    """
    if problem.network is None or not problem.examples:
        raise TutorError(f"{name} has no network with examples to train on; try `tutor run {name}`")
    by_rule = problem.training is not None and problem.training.rule == RULE
    if not by_rule and (why := why_no_gradient(problem.network)):
        raise TutorError(f"{name} cannot be trained: {why}")
    for setting in given:
        if setting not in CHANGEABLE:
            raise TutorError(f"{option(setting)} is the lesson's affair; leave it out, or change it in the lesson")
    training = problem.training or Training()
    hidden = tuple(len(layer.weights) for layer in problem.network.layers[:-1])
    training = _training(training, given)
    wanted = _settings(training, len(problem.examples), {"hidden": hidden, **given})
    check(wanted)
    changed = replace(problem, training=training)
    data, prepared = _examples(problem, problem.network, name)
    system = ARITHMETICS[wanted.arithmetic]
    try:
        line = StraightLine(changed, prepared.x.T, prepared.targets, wanted.batch_size, wanted.arithmetic)
    except ValueError as error:
        raise TutorError(f"{name}: {error}") from None
    shape = _shape(problem.network)
    return data, Trainer(SmallForm(line, wanted.rules, system), prepared, wanted, shape, BatchLoss(shape.loss, system))


def _settings(training: Training, count: int, given: Mapping[str, Any]) -> Settings:
    """The lesson's way to train as settings."""
    by_rule = training.rule == RULE
    usual: dict[str, Any] = {
        "optimizer": training.optimizer,
        "optimizer_setting": {key: _text(value) for key, value in training.settings.items()},
        "schedule": training.schedule,
        "schedule_setting": {key: _text(value) for key, value in training.schedule_settings.items()},
        "batch_size": 1 if by_rule else training.batch_size(count),
        "shuffle": False,
        "rule": "perceptron" if by_rule else "gradient",
    }
    if training.learning_rate is not None:
        usual["learning_rate"] = float(training.learning_rate)
    if by_rule:
        usual["epochs"] = training.max_epochs
    return Settings(**{**usual, **given})


def _training(training: Training, given: Mapping[str, Any]) -> Training:
    """The lesson's training with what is given in its place."""
    found: dict[str, Any] = {}
    optimizer = given.get("optimizer", training.optimizer)
    if optimizer != training.optimizer:  # whose rate, settings and state would be those of another one
        found |= {"settings": {}, "state": {}, "learning_rate": None}
    if training.learning_rate is None or optimizer != training.optimizer:
        found["learning_rate"] = Fraction(1) if training.rule == RULE else Fraction(repr(Rules(optimizer).rate))
    for setting, field in _OF_TRAINING.items():
        if setting in given:
            found[field] = _exact(given[setting])
    if "batch_size" in given and training.batch == "online" and given["batch_size"] > 1:
        found["batch"] = "mean"
    return replace(training, **found)


def _exact(value: Any) -> Any:
    """Numbers as fractions of what was typed; flags as they are."""
    if isinstance(value, float):
        return Fraction(repr(value))
    if isinstance(value, dict):
        return {key: IS_ON.get(text.lower(), text) if text.isalpha() else Fraction(text) for key, text in value.items()}
    return value


def _text(value: Any) -> str:
    """A flag, or a number in decimals: a lesson may have it as "1/3"."""
    return str(value) if isinstance(value, bool) else str(float(read_number(str(value))))


def _examples(problem: Problem, network: Network, name: str) -> tuple[Data, Prepared]:
    """The lesson's examples; they are classes where every target is 0 or 1 and the outputs are made for that."""
    x = np.array([[float(number) for number in example.inputs] for example in problem.examples])
    targets = np.array([[float(number) for number in example.targets] for example in problem.examples]).T
    classes: tuple[str, ...] = ()
    y: Doubles = targets.T
    if len(targets) == 1 and set(np.ravel(targets).tolist()) == {0.0, 1.0}:
        classes, y = ("0", "1"), targets[0].astype(np.int64)
    elif len(targets) > 1 and set(np.ravel(targets).tolist()) == {0.0, 1.0} and (targets.sum(axis=0) == 1).all():
        classes = tuple(neuron.stem for neuron in neuron_names(network.layers)[-1])
        y = targets.argmax(axis=0)
    data = Data(name, x, y, tuple(network.inputs), classes)
    places = np.arange(len(x))
    return data, Prepared(rows_with_ones(x), targets, y, classes, places, places[:0], places[:0])


def _shape(network: Network) -> Shape:
    sizes = (len(network.inputs), *(len(layer.weights) for layer in network.layers))
    return Shape(sizes, tuple(layer.activation for layer in network.layers), network.loss or "squared_error")
