"""The code of a training, whatever numbers its parameters begin with: in one process it is made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property, lru_cache

from msgspec.structs import replace as changed

from tutor.maths.optimizer import RATE
from tutor.training.learning import Learning
from tutor.training.straight_line.source import Loop, Run, forward_of, loop_of
from tutor.training.straight_line.steps import OneUpdate, one_update
from tutor.worksheet.named_network import name_network
from tutor.worksheet.perceptron import RULE
from tutor.worksheet.problem import Entry, Layer, Problem, Training

_KEPT = 16
"""Programs; the rows of an experiment are few, and each has all of its seeds one after the other."""


class Program:
    """The loop over the updates by `size` examples, each epoch ending in one by those that are `left`, and the forward
    pass of a single example. With `whole` the targets of an example are known to add up to 1."""

    def __init__(self, problem: Problem, size: int, left: int, whole: bool, learning: Learning) -> None:
        training = problem.training or Training()
        self.problem, self.size, self.whole, self.learning = problem, size, whole, learning
        self.full = one_update(problem, size, whole, learning)
        rest = one_update(problem, left, whole, learning) if left else None
        self.loop: Loop = loop_of(self.full, rest, training.rule == RULE and training.stop == "clean_epoch")
        self.run, self.forward = cache(self.loop.function), cache(self._forward)

    @cached_property
    def single(self) -> OneUpdate:
        """The update by one example, all gradients worked first."""
        together = self.size == 1 and not self.learning.output_first
        return self.full if together else one_update(self.problem, 1, self.whole)

    def _forward(self, names: tuple[str, ...], arithmetic: type) -> Run:
        return forward_of(self.single, names).function(arithmetic)

    def start(self, problem: Problem) -> dict[str, float]:
        """What everything that lives on from update to update begins with in this problem."""
        values = {**_values(problem), RATE: (problem.training or Training()).rate}
        return {name: float(values.get(name, value)) for name, value in self.full.start.items()}

    def suits(self, problem: Problem) -> bool:
        """Whether every number in the code is that of the problem: a parameter that is not trained stands there too."""
        values = _values(problem)
        return all(values.get(name, value) == value for name, value in self.full.constants.items())


def program_of(problem: Problem, size: int, left: int, whole: bool, learning: Learning) -> Program:
    """Its program, made now or for another problem that differs in nothing but where its training begins. Raises
    ValueError and TutorError where `one_update` does."""
    known = _cached(_CacheKey(_without_numbers(problem), problem), size, left, whole, learning)
    return known if known.suits(problem) else Program(problem, size, left, whole, learning)


@dataclass(frozen=True)
class _CacheKey:
    key: str
    problem: Problem = field(compare=False)


@lru_cache(maxsize=_KEPT)
def _cached(key: _CacheKey, size: int, left: int, whole: bool, learning: Learning) -> Program:
    return Program(key.problem, size, left, whole, learning)


def _without_numbers(problem: Problem) -> str:
    """The problem but for its examples, its weights and biases, and the learning rate."""
    assert problem.network is not None
    layers, network = map(_names, problem.network.layers), changed(problem.network, layers=[])
    training = problem.training and changed(problem.training, learning_rate=None)
    return repr((changed(problem, network=network, training=training, examples=[]), *layers))


def _names(layer: Layer) -> Layer:
    """The layer with names alone."""

    def of(entries: list[Entry] | None) -> list[str | None] | None:
        return None if entries is None else [entry.name for entry in entries]

    bias = layer.bias and (layer.bias.name,)
    rows = [of(row) for row in layer.weights]
    return changed(layer, weights=rows, biases=of(layer.biases), thresholds=of(layer.thresholds), bias=bias)


def _values(problem: Problem) -> Mapping[str, Fraction]:
    assert problem.network is not None
    return name_network(problem.network, dict(problem.givens)).values
