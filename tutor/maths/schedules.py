"""Schedules: how the learning rate changes from epoch to epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.maths.number_system import NumberSystem
from tutor.maths.setting import ANY, Setting

Scalar = Any


@dataclass(frozen=True, slots=True)
class Schedule:
    """eta of an epoch = rate(s, m), where s has eta0, the `epoch` (counted from 0) and the settings."""

    name: str
    equation: str
    rate: Callable[[Any, NumberSystem], Scalar]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    remark: str = ""
    source: str = "common"


DECAY = "how fast the rate falls"
SCHEDULES = {
    entry.name: entry
    for entry in (
        Schedule("constant", "eta = eta0", rate=lambda s, m: s.eta0, remark="The same rate in every epoch."),
        Schedule(
            "inverse_time",
            "eta = eta0/(1 + decay_rate·epoch)",
            rate=lambda s, m: 1 / (1 + s.decay_rate * s.epoch) * s.eta0,
            settings={"decay_rate": Setting("1", DECAY, least=ANY)},
            remark="After 1/decay_rate epochs half of the rate is left, after 9/decay_rate a tenth.",
            source="the lecture's slide on learning rate decay",
        ),
        Schedule(
            "step",
            "eta = eta0·factor^floor(epoch/every)",
            rate=lambda s, m: s.eta0 * s.factor ** (s.epoch // s.every),
            settings={
                "factor": Setting("0.5", "by what the rate is multiplied", least=ANY),
                "every": Setting("10", "how many epochs the rate stays", least=1, whole=True),
            },
            remark="Stays for `every` epochs, then drops by the factor.",
        ),
        Schedule(
            "exponential",
            "eta = eta0·exp(-decay_rate·epoch)",
            rate=lambda s, m: s.eta0 * m.exp(-s.decay_rate * s.epoch),
            settings={"decay_rate": Setting("0.1", DECAY, least=ANY)},
            remark="The same share of the rate is lost in every epoch: 1 - exp(-decay_rate).",
        ),
        Schedule(
            "cosine",
            "eta = eta0·(1 + cos(pi·epoch/epochs))/2",
            rate=lambda s, m: s.eta0 * (1 + m.cospi(s.epoch / s.epochs)) / 2,
            settings={"epochs": Setting("10", "how many epochs it takes down to 0", least=1, whole=True)},
            remark="Falls slowly, then fast, then slowly, to 0 in epoch `epochs`; after that it would rise again.",
            source="Loshchilov and Hutter 2017, SGDR",
        ),
    )
}
