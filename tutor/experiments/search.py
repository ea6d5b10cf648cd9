"""Which settings are compared: every combination of the listed values, or so many drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, prod
from typing import Any

import numpy as np

from tutor.data.sampling import random_bits, uniforms
from tutor.errors import TutorError, counted
from tutor.experiments.tables import spelled
from tutor.maths.optimizers import OPTIMIZERS
from tutor.numbers import reproducible_arrays
from tutor.training.settings import option

Setting = Mapping[str, Any]
MOST_SETTINGS = 10_000
_DIGITS = 4  # of a number that is drawn, so that it can be read and typed
_ATTEMPTS = 100


@dataclass(frozen=True)
class Choices:
    """A setting with its values, in the order in which they were given."""

    name: str
    values: tuple[Any, ...]

    @property
    def size(self) -> float:
        return len(self.values)

    def at(self, u: float) -> Any:
        """The value at a share u, in [0, 1), of the list."""
        return self.values[int(u * len(self.values))]


@dataclass(frozen=True)
class Span:
    """A setting that lies anywhere between two ends, both of them included.

    The logarithm is uniform between positive ends, since 0.001 and 0.01 differ as much as 0.01 and 0.1 do; the number
    itself is where an end is 0 or less, for shares and for whole numbers.
    """

    name: str
    low: float
    high: float
    kind: type
    share: bool = False

    @property
    def size(self) -> float:
        return inf if self.kind is float else self.high - self.low + 1

    def at(self, u: float) -> Any:
        """The number at a share u, in [0, 1), of the way."""
        if self.kind is not float:
            whole = int(self.low + u * self.size)
            return (whole,) if self.kind is tuple else whole
        if self.low > 0 and not self.share:
            start, end = reproducible_arrays.log(np.array([self.low, self.high]))
            found = float(reproducible_arrays.exp(np.array([start + u * (end - start)]))[0])
        else:
            found = self.low + u * (self.high - self.low)
        return min(max(float(f"{found:.{_DIGITS}g}"), self.low), self.high)


Varied = Choices | Span


RATES = (0.2, 1, 5)
"""What an optimizer is tried with where no rate is given, as multiples of its own for small networks."""


def with_rates(
    settings: Sequence[Setting], rate: float | None, several: bool, own_rates: Mapping[str, float] | None = None
) -> list[Setting]:
    """Settings in which optimizers are compared, each with the learning rate beside it, since it says nothing of an
    optimizer what it does with a rate that fits another one: the rate that is given, else several of its own. What a
    worksheet is trained with is among the rates of its optimizer."""
    rated: list[Setting] = []
    for setting in settings:
        entry = OPTIMIZERS.get(setting.get("optimizer", ""))
        if entry is None or "learning_rate" in setting:
            rated.append(setting)
            continue
        own = [float(f"{times * float(entry.small_rate):.3g}") for times in (RATES if several else (1,))]
        known = (own_rates or {}).get(entry.name)
        if several and known is not None and known not in own:
            own = sorted([*own, known])
        tried = own if rate is None else [rate]
        rated += [{**setting, "learning_rate": one} for one in tried]
    return rated


def grid(varied: Sequence[Varied]) -> list[Setting]:
    """Every combination; the last setting changes fastest. Raises TutorError where a range is among them."""
    lists = []
    for one in varied:
        if isinstance(one, Span):
            name = option(one.name)[2:]
            raise TutorError(f"{name} has a range; draw from it with --search random --trials 20, or list its values")
        lists.append(one.values)
    if (count := prod(map(len, lists))) > MOST_SETTINGS:
        raise TutorError(f"these are {count:,} settings; draw some of them with --search random --trials 20")
    return [dict(zip([one.name for one in varied], values, strict=True)) for values in product(*lists)]


def drawn(varied: Sequence[Varied], trials: int, seed: int) -> list[Setting]:
    """So many different settings: trial after trial, from the stream `search` of this seed.

    More trials begin with the same ones. Raises TutorError where there are not as many.
    """
    size = prod(one.size for one in varied)
    if size < trials:
        raise TutorError(f"there are only {counted(int(size), 'setting')}; --search grid tries all of them")
    found: list[Setting] = []
    for setting in _draws(varied, _ATTEMPTS * trials, seed):
        if setting not in found:
            found.append(setting)
        if len(found) == trials:
            return found
    raise TutorError(f"the ranges are too narrow for {trials} different settings; {len(found)} were found")


def _draws(varied: Sequence[Varied], count: int, seed: int) -> Iterator[Setting]:
    for trial in range(count):
        shares = uniforms(random_bits(seed, "search", trial, len(varied)))
        yield {one.name: one.at(float(u)) for one, u in zip(varied, shares, strict=True)}


def called(setting: Setting) -> str:
    """`optimizer sgd, learning-rate 0.1`."""
    return ", ".join(f"{option(name)[2:]} {spelled(value)}" for name, value in setting.items())
