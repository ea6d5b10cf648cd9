"""How far a line can be off because the lines above it were rounded: A = Σ |∂f/∂x|·δ_x.

In ordinary floating point, by the larger difference to either side: where a formula bends, as a root near 0, it moves
further to one side. A spread is a tolerance, and nobody reads its digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf, isfinite

Function = Callable[[Sequence[float], Sequence[float]], float]
_NUDGE = 1e-6


def reach(
    function: Function,
    inputs: Iterable[int],
    values: list[float],
    decided: Sequence[float],
    spreads: Sequence[float] | Mapping[int, float],
) -> float:
    """A of one line from its inputs; infinite where the function has no value within the spread of one of them.

    At a step or a corner the writer's own branch is followed, as the values in `decided` have it.
    """
    total, middle = 0.0, None
    for place in inputs:
        if not (spread := spreads[place]):
            continue
        here = values[place]
        step = max(spread, _NUDGE * abs(here))
        try:
            if middle is None:
                middle = function(values, decided)
            values[place] = here + step
            above = abs(function(values, decided) - middle)
            values[place] = here - step
            total += max(above, abs(function(values, decided) - middle)) * spread / step
        except (ArithmeticError, ValueError):
            return inf
        finally:
            values[place] = here
    return total if isfinite(total) else inf
