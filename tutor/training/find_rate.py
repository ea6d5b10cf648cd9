"""A learning-rate range test: the rate grows with every update while the loss is watched.

Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, log
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tutor.errors import TutorError
from tutor.results import Result
from tutor.training.matrix.optimizer import rate_in

if TYPE_CHECKING:
    from tutor.data.array_types import Indices
    from tutor.training.trainer import Trainer

LOWEST, HIGHEST, TO_THE_TENFOLD = 1e-6, 10.0, 20
"""The first and the last rate, and how many updates it takes from one to ten times as much."""
UPDATES = 7 * TO_THE_TENFOLD + 1
GROWING: dict[str, Any] = {
    "learning_rate": LOWEST,
    "schedule": "exponential",
    "schedule_setting": {"decay_rate": repr(-log(10) / TO_THE_TENFOLD)},
}
"""The settings of a trainer whose rate grows so, where each update is an epoch of its own."""
_KEPT = 0.9
"""How much of the smoothed loss stays from update to update, where an update has only some of the examples."""
_EXPLODED, _FALLEN = 4.0, 0.99
"""How many times the lowest loss is too much to go on, and what share of the first one counts as a fall."""
RULE = "a tenth of the rate at which the loss is lowest"


class RateStep(Struct, frozen=True):
    """One update: its rate, the loss of its examples before it, and that loss smoothed."""

    update: int
    rate: float
    loss: float
    smoothed: float


@dataclass(frozen=True)
class RangeTest:
    """Every update up to where the loss explodes, and whether it did before the highest rate was reached."""

    steps: list[RateStep]
    exploded: bool

    @property
    def lowest(self) -> RateStep:
        return min(self.steps, key=lambda step: step.smoothed)

    @property
    def suggestion(self) -> float | None:
        """By the rule, in two digits; None where the loss falls at no rate."""
        if self.lowest.smoothed > _FALLEN * self.steps[0].smoothed:
            return None
        return float(f"{self.lowest.rate / 10:.2g}")


class RateReport(Result, kw_only=True):
    """What `tutor train --find-rate --json` prints; no suggestion where the loss falls at no rate."""

    data: str
    sizes: tuple[int, ...]
    optimizer: str
    seed: int
    remarks: tuple[str, ...]
    rule: str = RULE
    lowest: RateStep
    exploded: bool
    suggestion: float | None
    command: str | None
    steps: list[RateStep]


def find_rate(trainer: Trainer) -> RangeTest:
    """Train a fresh trainer with the settings of `GROWING`, batch by batch. Raises TutorError where the first update
    has no finite loss."""
    steps: list[RateStep] = []
    average, lowest, several = 0.0, float("inf"), trainer.settings.batch_size < len(trainer.data.train)
    for number, batch in enumerate(_batches(trainer), 1):
        losses = trainer.engine.run(number, batch[None, :])
        if trainer.engine.failed or not losses or not isfinite(losses[-1]):
            return _ended(steps, True)
        loss = float(losses[-1])
        average = _KEPT * average + (1 - _KEPT) * loss
        smoothed = average / (1 - _KEPT**number) if several else loss
        rate = rate_in(trainer.settings.training, number - 1, trainer.loss.system)
        steps.append(RateStep(number, rate, loss, smoothed))
        lowest = min(lowest, smoothed)
        if smoothed > _EXPLODED * lowest and smoothed > steps[0].smoothed:
            return _ended(steps, True)
    return _ended(steps, False)


def _ended(steps: list[RateStep], exploded: bool) -> RangeTest:
    if not steps:
        raise TutorError("--find-rate: the loss of the first update is not finite; are the examples to be normalised?")
    return RangeTest(steps, exploded)


def _batches(trainer: Trainer) -> Iterator[Indices]:
    """The examples of each update, in the order in which a training takes them."""
    size, epoch, count = trainer.settings.batch_size, 0, 0
    while True:
        epoch += 1
        order = trainer.permutations(epoch, epoch)[0]
        for start in range(0, len(order), size):
            if count == UPDATES:
                return
            count += 1
            yield order[start : start + size]
