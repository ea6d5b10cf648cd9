"""Numbers that a machine computed: their last digits are its rounding, not the writer's.

Whoever works a sheet with NumPy, PyTorch or a spreadsheet and copies all digits writes 0.4649000000000002 for 0.4649.
Such a number is read to as many digits as the arithmetic behind it gives in that line.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, isfinite, log10

from tutor.homework.program import Program
from tutor.homework.spread import reach
from tutor.homework.standing import Standing
from tutor.homework.written import Written

_OPERATIONS = 4  # as often as each number of a line is rounded on the way to its result


def as_computed(program: Program, written: Mapping[int, Written]) -> Mapping[int, Written]:
    """The numbers of a sheet, each that a machine computed with no more digits than are its own."""
    computed = [place for place, w in written.items() if w.grain]
    if not computed:
        return written
    standing = Standing(program, written)
    return {**written, **{place: _without_noise(standing, place) for place in computed}}


def _without_noise(standing: Standing, place: int) -> Written:
    written = standing.written[place]
    noise = _noise(standing, place, written)
    if not isfinite(noise) or not noise or written.exponent is None:
        return written
    last = floor(log10(2 * noise)) + 1
    return written if last <= written.exponent else Written(written.value, last, written.grain)


def _noise(standing: Standing, place: int, written: Written) -> float:
    """How far rounding inside the line may have moved its result: that of each input and of the result itself, and what
    the formula loses where numbers cancel."""
    floats, own = standing.floats, standing.own[place]
    if own is None:
        return 0.0
    function = standing.compiled.float_functions[place - standing.compiled.first]
    spreads = {x: _OPERATIONS * written.grain * abs(floats[x]) for x in standing.compiled.inputs[place]}
    try:
        lost = abs(function(floats, floats) - float(own))
    except (ArithmeticError, ValueError):
        lost = 0.0
    of_result: float = written.grain * abs(float(own)) + lost
    return reach(function, floats, spreads) + _OPERATIONS * of_result
