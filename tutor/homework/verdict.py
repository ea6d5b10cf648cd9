"""The numeric rule of marking: one line against the key and against what the writer's own lines lead to.

Nobody is punished twice: a line that follows from an earlier wrong one is `carried`. The only tolerance is the
precision that the writer chose, half a unit of the last digit, and what that does to the lines that follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from math import isfinite

from tutor.homework.demand import Demand
from tutor.homework.written import WITHIN, Written, is_same, power_of_ten

CREDIT = ("correct", "carried", "rounding")
_FEWEST_FOR_ROUNDING = 2
_NOISE_FROM = 6  # digits; the last of so many may be off because a calculator has only so many itself


@dataclass(frozen=True, slots=True)
class Line:
    """What a written number is held against: the key, the own value, and `before`, the old value of an updated weight.

    `own` is None where the writer's lines lead to no value. `spread` gives A, how far rounding above can have moved
    it, `wide_spread` how far cutting off can, and `inside` the value when the results inside the formula are rounded
    to so many decimals; all are asked only where they matter.
    """

    written: Written
    key: Decimal
    own: Decimal | None
    before: Decimal
    demand: Demand
    spread: Callable[[], float]
    wide_spread: Callable[[], float]
    inside: Callable[[int], Decimal | None]


def verdict(line: Line) -> str:
    """The first verdict whose condition holds; on an updated weight everything is judged on the change."""
    if line.key == line.before:  # nothing was to change: then the number itself is judged
        line = replace(line, before=Decimal(0))
    written, demand = line.written, line.demand
    value, key = written.value - line.before, line.key - line.before
    unit = written.unit if written.exponent is not None else demand.unit(key)
    if abs(value - key) <= WITHIN * unit:
        if demand.met(written, value, key):
            return "correct"
        return "carried" if line.own is not None and is_same(written.value, line.own) else "coarse"
    if demand.asked and demand.satisfied(value, key):
        return "correct"
    return _against_own(line, value, key)


def _against_own(line: Line, value: Decimal, key: Decimal) -> str:
    if line.own is None or not isfinite(reached := line.spread()):
        return "coarse"  # there is no telling what their lines lead to
    own, spread = line.own - line.before, Decimal(reached)
    unit = line.written.unit if line.written.exponent is not None else line.demand.unit(own)
    if line.demand.asked and value and not line.demand.met(line.written, value, own):
        return "coarse" if abs(value - own) <= 2 * unit + 2 * spread or abs(value - key) <= 2 * unit else "wrong"
    if abs(value - own) <= WITHIN * unit + spread and (value or not own):
        return "carried"
    if line.written.exponent is None:
        return "wrong"
    wide = _decimal(line.wide_spread())
    if _is_rounding(line, value, key, own, unit, wide):
        return "rounding"
    if not value and abs(own) <= WITHIN * unit:
        return "coarse"
    cut = cut_off(line.written, line.key) or cut_off(line.written, line.own, wide)
    return "coarse" if cut else "wrong"


def cut_off(written: Written, truth: Decimal, spread: Decimal = Decimal(0)) -> bool:
    """Whether the number is the truth, give or take its spread, with the digits after the last one left off."""
    value, unit = abs(written.value), written.unit
    if not value:
        return abs(truth) < unit + spread
    size = truth.copy_sign(1) if (truth < 0) == (written.value < 0) else -abs(truth)
    return value - spread <= size < value + unit + spread


def _decimal(spread: float) -> Decimal:
    return Decimal(spread) if isfinite(spread) else power_of_ten(400)


def _is_rounding(line: Line, value: Decimal, key: Decimal, own: Decimal, unit: Decimal, wide: Decimal) -> bool:
    if line.written.significant(value) < _FEWEST_FOR_ROUNDING:
        return False
    near = ((key, 2 * unit), (own, 2 * unit + wide))
    if any(abs(value - truth) <= most and not ends_within(truth, unit) for truth, most in near):
        return True
    if line.written.significant(value) >= _NOISE_FROM and 0 < abs(own) - abs(value) <= unit and own * value > 0:
        return True
    if ends_within(own, unit):
        return False
    decimals = -(line.written.exponent or 0)
    return any(line.inside(d) == line.written.value for d in (decimals, decimals - 1))


def ends_within(truth: Decimal, unit: Decimal) -> bool:
    """Whether the true value has no digit beyond the last one written, so that nothing was rounded there."""
    return abs(truth) < unit * power_of_ten(30) and truth % unit == 0
