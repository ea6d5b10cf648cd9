"""How far a line can be off because the lines above it were rounded: A = Σ |∂f/∂x|·δ_x.

In ordinary floating point where that will do, by the larger difference to either side: where a formula bends, as a root
near 0, it moves further to one side. A spread is a tolerance, and nobody reads its digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite
from typing import Any

Function = Callable[[Any, Any], float]
_NUDGE = 1e-9
_AGREE = 1e-6


def reach(function: Function, values: Mapping[int, float], spreads: Mapping[int, float]) -> float:
    """A of one line from the δ of its inputs; infinite where it has no value within the spread of one of them.

    At a step or a corner the writer's own branch is followed, as the values themselves have it.
    """
    inexact = [(place, spread) for place, spread in spreads.items() if spread]
    if not inexact:
        return 0.0
    total = 0.0
    try:
        middle = function(values, values)
        moved = {place: values[place] for place in spreads}
        for place, spread in inexact:
            here = moved[place]
            step = max(spread, _NUDGE * abs(here))
            moved[place] = here + step
            above = abs(function(moved, values) - middle)
            moved[place] = here - step
            total += max(above, abs(function(moved, values) - middle)) * spread / step
            moved[place] = here
    except (ArithmeticError, ValueError):
        return inf
    return total if isfinite(total) else inf


def do_agree(function: Function, values: Mapping[int, float], truth: Decimal) -> bool:
    """Whether floats come to the true value: log(1 + exp(-90)) is 0 in them."""
    try:
        found = function(values, values)
    except (ArithmeticError, ValueError):
        return False
    return abs(found - float(truth)) <= _AGREE * abs(float(truth))


def exact_reach(
    value: Callable[[Sequence[Any]], Decimal | None],
    values: Sequence[Any],
    middle: Decimal | None,
    spreads: Mapping[int, float],
) -> float:
    """The same where floats give way; `middle` is the value of the line."""
    if middle is None or not all(map(isfinite, spreads.values())):
        return inf
    total, moved = Decimal(0), list(values)
    for place, spread in spreads.items():
        here, farthest = moved[place], Decimal(0)
        for step in (Decimal(spread), -Decimal(spread)) if spread else ():
            moved[place] = here + step
            if (there := value(moved)) is None:
                return inf
            farthest = max(farthest, abs(there - middle))
        moved[place] = here
        total += farthest
    return float(total)
