"""A network built from options as the problem of a worksheet, so that the same builder writes its steps."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tutor.arithmetic.exact import read_number
from tutor.training.optimization import Rules
from tutor.training.settings import Settings
from tutor.training.shape import Shape
from tutor.worksheet.problem import Entry, Layer, Network, Problem, Training

Array = Any


def problem_of(shape: Shape, vector: Array, rules: Rules) -> Problem:
    """The network with these weights and biases, trained by these rules.

    Its weights are W1, W2, … and its biases b1, b2, …, neuron by neuron; `tutor.worksheet.one_update.in_rows` has them
    in the order of the vector. Raises ValueError where a weight is not finite.
    """
    return Problem(network=_network(shape, vector, shape.loss), training=_training(rules))


def perceptron_of(shape: Shape, vector: Array, wanted: Settings) -> Problem:
    """A single layer of step units, trained by the perceptron rule."""
    rate = Fraction(wanted.rules.rate)
    training = Training(rule="perceptron", learning_rate=rate, max_epochs=wanted.epochs)
    return Problem(network=_network(shape, vector, None), training=training)


def _network(shape: Shape, vector: Array, loss: str | None) -> Network:
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


def _training(rules: Rules) -> Training:
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
