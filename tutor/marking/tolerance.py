"""How far a line can be off because the lines above it were rounded.

Every written number that is not exact and every line left blank is a source of rounding, independent of the others.
With s the derivative of a line's own value by a source, through all blank lines in between, and δ half the width of
that source:

    A = Σ |s|·δ        σ² = Σ s²·δ²/3        T = min(A, |mean| + 5σ)

The mean is 0 where numbers are rounded; where they are cut off each of them is too near to 0 by half a unit on average,
and by a whole one at most, so that A is twice as large, also as long as no line shows that its writer rounds.
A tolerance is worked out in ordinary floating point where that will do, and nobody reads its digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite, sqrt
from operator import mul
from typing import Any, NamedTuple

Function = Callable[[Any, Any], float]
SIGMAS = 5
_MOST_TELLING = 12
_NUDGE = 1e-9
_AGREE = 1e-6


class Bounds(NamedTuple):
    """`likely` is T, what rounding explains; `farthest` is A, what it could do at the very most."""

    likely: float
    farthest: float


EXACT = Bounds(0.0, 0.0)
UNKNOWN = Bounds(inf, inf)

Moves = Mapping[int, float]
"""By how much each source moves a quantity: s·δ, signed, so that what meets on several ways is added first."""


def bounds(moves: Moves, towards: Mapping[int, int], may_cut: bool) -> Bounds:
    """T and A. `towards` has the sign in which a source is cut off, where it is known to be; where each only may be, by
    a whole unit, that counts for what it could do at the very most."""
    farthest = squares = mean = 0.0
    for source, move in moves.items():
        farthest += abs(move)
        squares += move * move
        mean += move * towards.get(source, 0)
    most = 2 * farthest if towards else farthest
    return Bounds(min(most, abs(mean) + SIGMAS * sqrt(squares / 3)), 2 * farthest if may_cut else farthest)


def left(moves: Moves, others: Sequence[tuple[Moves, float]]) -> float:
    """What remains of 5σ once other lines, each with its unit u, are seen to be right to the last digit.

    Rounding that would have moved those as well cannot have been large. With C the covariances of the others, u²/12
    more on the diagonal, and c those with the line, σ² - cᵀ·C⁻¹·c remains of σ².
    """
    rows = [{source: move / unit for source, move in row.items()} for row, unit in others]
    rows = sorted(rows, key=lambda row: _shared(moves, row) ** 2 / (_shared(row, row) + 1 / 12))[-_MOST_TELLING:]
    root: list[list[float]] = []  # of C, by Cholesky
    for row in rows:
        found = _explained(row, rows, root)
        root.append([*found, sqrt(max(_shared(row, row) - sum(map(mul, found, found)), 0.0) + 1 / 12)])
    found = _explained(moves, rows, root)
    return SIGMAS * sqrt(max(_shared(moves, moves) - sum(map(mul, found, found)), 0.0))


def _explained(moves: Moves, rows: Sequence[Moves], root: Sequence[Sequence[float]]) -> list[float]:
    """What each row explains of the line beyond those before it."""
    found: list[float] = []
    for row, known in zip(rows, root, strict=False):
        found.append((_shared(moves, row) - sum(map(mul, found, known))) / known[-1])
    return found


def _shared(one: Moves, other: Moves) -> float:
    """The covariance of two lines."""
    return sum(move * other[source] for source, move in one.items() if source in other) / 3


def combined(slopes: Mapping[int, float], moves: Callable[[int], Moves]) -> dict[int, float]:
    """The moves of a line from those of its inputs and the slopes by them."""
    found: dict[int, float] = {}
    for place, slope in slopes.items():
        for source, move in moves(place).items():
            found[source] = found.get(source, 0.0) + slope * move
    return found


def slopes(function: Function, values: Mapping[int, float], widths: Mapping[int, float]) -> dict[int, float] | None:
    """The derivative by each input that may be off, `widths` says how far; None where a line has no value so near.

    Where a formula bends, as a root near 0, it moves further to one side: the larger of the two counts. At a step or a
    corner the writer's own branch is followed, as the values themselves have it.
    """
    inexact = [(place, width) for place, width in widths.items() if width]
    if not inexact:
        return {}
    by_input = {}
    try:
        middle = function(values, values)
        moved = {place: values[place] for place in widths}
        for place, width in inexact:
            here = moved[place]
            step = max(width, _NUDGE * abs(here))
            moved[place] = here + step
            above = function(moved, values) - middle
            moved[place] = here - step
            below = middle - function(moved, values)
            moved[place] = here
            by_input[place] = max(above, below, key=abs) / step
    except (ArithmeticError, ValueError):
        return None
    return by_input if all(map(isfinite, by_input.values())) else None


def exact_slopes(
    value: Callable[[Sequence[Any]], Decimal | None],
    values: Sequence[Any],
    middle: Decimal | None,
    widths: Mapping[int, float],
) -> dict[int, float] | None:
    """The same where floats give way; `middle` is the value of the line."""
    if middle is None or not all(map(isfinite, widths.values())):
        return None
    by_input, moved = {}, list(values)
    for place, width in widths.items():
        if width:
            here, step = moved[place], Decimal(width)
            ends = []
            for there in (here + step, here - step):
                moved[place] = there
                if (reached := value(moved)) is None:
                    return None
                ends.append(reached)
            moved[place] = here
            by_input[place] = float(max(ends[0] - middle, middle - ends[1], key=abs) / step)
    return by_input


def do_agree(function: Function, values: Mapping[int, float], truth: Decimal) -> bool:
    """Whether floats come to the true value: log(1 + exp(-90)) is 0 in them."""
    try:
        found = function(values, values)
    except (ArithmeticError, ValueError):
        return False
    return abs(found - float(truth)) <= _AGREE * abs(float(truth))
