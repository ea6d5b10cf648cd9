"""From a lesson to a trainer, and from a network built from options to the problem of a worksheet."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from msgspec.structs import replace

from tutor.data.builtin import Data
from tutor.errors import TutorError
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES
from tutor.numbers.arrays import ARITHMETICS
from tutor.numbers.exact import read_number
from tutor.training.architecture import Architecture
from tutor.training.matrix.network import BatchLoss
from tutor.training.preparation import PreparedData, rows_with_ones
from tutor.training.settings import USUAL_RATE, Settings, check, numbers_typed, option
from tutor.training.straight_line.engine import StraightLine, StraightLineEngine
from tutor.training.trainer import Trainer
from tutor.worksheet.named_network import neuron_names
from tutor.worksheet.network_rules import why_no_gradient
from tutor.worksheet.perceptron import RULE
from tutor.worksheet.problem import Entry, Layer, Minimize, Network, Problem, Training

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles, Floats
    from tutor.training.straight_line.function import Descent

Course = TypeVar("Course", Training, Minimize)


def problem_of(architecture: Architecture, vector: Floats, training: Training) -> Problem:
    """The network with these weights and biases, trained in this way.

    Its weights are W1, W2, … and its biases b1, b2, …, neuron by neuron; `in_rows` has them
    in the order of the vector. Raises ValueError where a weight is not finite.
    """
    return Problem(network=_network(architecture, vector, training.rule), training=training)


def _network(architecture: Architecture, vector: Floats, rule: str) -> Network:
    layers = [
        Layer(
            weights=[[_entry(w) for w in row[:-1]] for row in matrix.tolist()],
            activation=activation,
            biases=[_entry(row[-1]) for row in matrix.tolist()],
        )
        for matrix, activation in zip(architecture.matrices(vector), architecture.activations, strict=True)
    ]
    inputs = [f"x{i + 1}" for i in range(architecture.sizes[0])]
    if rule == RULE:
        return Network(inputs=inputs, layers=layers)
    return Network(
        inputs=inputs, layers=layers, loss=architecture.loss, loss_settings=numbers_typed(architecture.loss_setting)
    )


def _entry(value: float) -> Entry:
    return Entry(Fraction(value), None)


IN_TRAINING = {
    **{name: name for name in ("optimizer", "learning_rate", "schedule", "clip_value", "clip_norm", *PENALTIES)},
    "optimizer_setting": "settings",
    "schedule_setting": "schedule_settings",
    "penalty_setting": "penalty_settings",
    "proximal": "proximal",
}
"""What a lesson calls the settings that are of its training."""
CHANGEABLE = (*IN_TRAINING, "freeze", "update_order", "batch_size", "epochs", "shuffle", "seed", "arithmetic")
"""What may be said beside a lesson; the rest is in the lesson."""


def lesson_trainer(problem: Problem, name: str, given: Mapping[str, Any]) -> tuple[Data, Trainer]:
    """The examples of the lesson as data, and a trainer of its network; `given` are settings that replace its own.

    Examples come in the lesson's order unless shuffling is asked for. Raises TutorError where the lesson has no
    network or no examples, and for a setting that is the lesson's affair.
    """
    if problem.network is None or not problem.examples:
        raise TutorError(f"{name} has no network with examples to train on; try `tutor run {name}`")
    training = problem.training or Training()
    if training.rule != RULE and (why := why_no_gradient(problem.network)):
        raise TutorError(f"{name} cannot be trained: {why}")
    for setting in given:
        if setting not in CHANGEABLE:
            raise TutorError(f"{option(setting)} is the lesson's affair; leave it out, or change it in the lesson")
    training = _by_optimizer(training, given.get("optimizer", training.optimizer))
    hidden = tuple(len(layer.weights) for layer in problem.network.layers[:-1])
    settings = _settings(training, len(problem.examples), {"hidden": hidden, **given})
    check(settings, given)
    training = _with_given(training, settings, given)
    data, prepared = _examples(problem, problem.network, name)
    system, changed = ARITHMETICS[settings.arithmetic], replace(problem, training=training)
    try:
        x, targets = prepared.x.T, prepared.targets
        line = StraightLine(changed, x, targets, settings.batch_size, settings.arithmetic, settings.learning)
    except ValueError as error:
        raise TutorError(f"{name}: {error}") from None
    architecture = _architecture(problem.network)
    return data, Trainer(
        StraightLineEngine(line, training, system), prepared, settings, architecture, BatchLoss(architecture, system)
    )


OF_FUNCTIONS = ("optimizer", "learning_rate", "optimizer_setting", "schedule", "schedule_setting", "clip_value",
                "clip_norm", "epochs", "seed", "arithmetic")  # fmt: skip
"""What may be said beside a worksheet that minimises a function."""


def function_descent(problem: Problem, name: str, given: Mapping[str, Any]) -> tuple[Descent, Settings]:
    """The worksheet's function on its way down, a step an epoch, as many as the worksheet has unless they are given;
    `given` are settings that replace its own. Raises TutorError for one that does not fit."""
    from tutor.training.straight_line.function import Descent

    own = problem.minimize
    assert own is not None
    for setting in given:
        if setting not in OF_FUNCTIONS:
            raise TutorError(f"{option(setting)} is not for a function that is minimised; leave it out")
    course = _by_optimizer(own, given.get("optimizer", own.optimizer))
    usual: dict[str, Any] = {
        "hidden": (),
        "learning_rate": float(course.rate),
        "optimizer": course.optimizer,
        "optimizer_setting": {key: _text(value) for key, value in course.settings.items()},
        "schedule": course.schedule,
        "schedule_setting": {key: _text(value) for key, value in course.schedule_settings.items()},
        "epochs": own.steps or 1,
    }
    settings = Settings(**{**usual, **given})
    check(settings, given)
    try:
        return Descent(_with_given(course, settings, given), problem.givens, settings.arithmetic), settings
    except ValueError as error:
        raise TutorError(f"{name}: {error}") from None


def _by_optimizer(training: Course, optimizer: str) -> Course:
    """The lesson's training with a learning rate, by that optimizer: settings and state of another one do not fit."""
    if optimizer != training.optimizer:
        training = replace(training, optimizer=optimizer, settings={}, state={}, learning_rate=None)
    if training.learning_rate is not None:
        return training
    known = OPTIMIZERS.get(optimizer)
    usual = "1" if isinstance(training, Training) and training.rule == RULE else (known and known.rate) or USUAL_RATE
    return replace(training, learning_rate=Fraction(usual))


def _settings(training: Training, count: int, given: Mapping[str, Any]) -> Settings:
    """The lesson's way to train as settings."""
    by_rule = training.rule == RULE
    usual: dict[str, Any] = {"learning_rate": float(training.rate), "shuffle": False}
    if by_rule:
        usual |= {"rule": "perceptron", "batch_size": 1, "epochs": training.max_epochs}
    else:
        usual |= {
            "optimizer": training.optimizer,
            "optimizer_setting": {key: _text(value) for key, value in training.settings.items()},
            "schedule": training.schedule,
            "schedule_setting": {key: _text(value) for key, value in training.schedule_settings.items()},
            **{name: float(strength) for name, strength in training.penalties.items()},
            "penalty_setting": {key: _text(value) for key, value in training.penalty_settings.items()},
            "proximal": training.proximal,
            "batch_size": training.batch_size(count),
        }
    return Settings(**{**usual, **given})


def _text(value: Any) -> str:
    """A flag, or a number in decimals: a lesson may have it as "1/3"."""
    return str(value) if isinstance(value, bool) else str(float(read_number(str(value))))


def _with_given(training: Course, settings: Settings, given: Mapping[str, Any]) -> Course:
    """The lesson's training with what is given in its place, each number as it was typed."""
    found = {field: _exact(given[setting]) for setting, field in IN_TRAINING.items() if setting in given}
    online = isinstance(training, Training) and training.batch == "online"
    if online and given.get("batch_size", 1) > 1:
        found["batch"] = "mean"
    changed = replace(training, **found)
    if "epochs" in changed.rate_settings and "epochs" not in changed.schedule_settings:
        over_all = {**changed.schedule_settings, "epochs": Fraction(settings.epochs)}
        return replace(changed, schedule_settings=over_all)
    return changed


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return Fraction(repr(value))
    return numbers_typed(value) if isinstance(value, dict) else value


def _examples(problem: Problem, network: Network, name: str) -> tuple[Data, PreparedData]:
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
    indices = np.arange(len(x))
    parts = (indices, indices[:0], indices[:0])
    return data, PreparedData(rows_with_ones(x), targets, y, classes, *parts, inputs=data.features)


def _architecture(network: Network) -> Architecture:
    sizes = (len(network.inputs), *(len(layer.weights) for layer in network.layers))
    settings = {name: str(float(value)) for name, value in network.loss_settings.items()}
    activations = tuple(layer.activation for layer in network.layers)
    return Architecture(sizes, activations, network.loss or "squared_error", loss_setting=settings)
