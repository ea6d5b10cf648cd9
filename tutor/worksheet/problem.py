"""What a lesson file may ask for: the format, as types. `tutor.lessons` reads and checks it."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct


class Entry:
    """A weight or bias in a lesson file: a number, the name of a given, or nothing (no connection)."""

    __slots__ = ("name", "value")

    def __init__(self, value: Fraction | None, name: str | None) -> None:
        self.value, self.name = value, name


class Neuron(Struct, frozen=True, forbid_unknown_fields=True):
    """A neuron with names of its own for its weighted sum and its output."""

    sum: str
    output: str


class Layer(Struct, frozen=True, forbid_unknown_fields=True):
    """One layer: one row of weights per neuron, one column per input."""

    weights: list[list[Entry]]
    activation: str
    biases: list[Entry] | None = None
    neurons: list[str | Neuron] | None = None
    units: int | None = None


class Network(Struct, frozen=True, forbid_unknown_fields=True):
    inputs: list[str]
    loss: str
    layers: list[Layer]


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    inputs: list[Fraction]
    targets: list[Fraction]


class Training(Struct, frozen=True, forbid_unknown_fields=True):
    learning_rate: Fraction
    optimizer: str = "sgd"
    update_biases: bool = True
