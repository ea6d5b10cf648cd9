"""Numbers that a machine computed: their last digits are its rounding, not the writer's.

Whoever works a sheet with NumPy, PyTorch or a spreadsheet and copies all digits writes 0.4649000000000002 for 0.4649.
Such a number is read to as many digits as the arithmetic behind it gives in that line. One double shows what it is by
its 15 to 17 digits; numbers in single precision do so together, each being one of them to so many digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import floor, inf, isfinite, log10

from tutor.marking.answer import DOUBLE, SINGLE, WrittenNumber, as_single, count_digits
from tutor.marking.student import Working
from tutor.marking.tolerance import slopes

_NOTHING = Decimal(0)
_OPERATIONS = 4  # as often as each number of a line is rounded on the way to its result
_TELLING, _FEWEST_TELLING = 8, 8
"""Every other number of so many digits is one in single precision, rounded; so many of them hardly are by chance."""


def as_computed(working: Working) -> Working:
    """The same sheet, each number that a machine computed with no more digits than are its own."""
    written, key = working.written, working.program.key
    grains = {place: w.grain for place, w in written.items() if w.grain}
    if _are_singles(written):
        grains = dict.fromkeys(written, SINGLE) | grains
    left = {p: w for p, w in written.items() if not key[p] and w.value and p not in grains and w.exponent is not None}
    if not grains and not left:
        return working
    read = {p: _without_rounding(working, p, grain) for p, grain in grains.items() if written[p].value != key[p]}
    read |= {
        p: WrittenNumber(_NOTHING, 0, DOUBLE)
        for p, w in left.items()
        if abs(w.value) <= _rounding_error(working, p, DOUBLE) < 1
    }
    return working.reread({**written, **read})


def _are_singles(written: Mapping[int, WrittenNumber]) -> bool:
    """Whether the sheet was worked in single precision, and printed as NumPy and TensorFlow do or to more decimals."""
    typed = [w for w in written.values() if w.exponent is not None and not w.grain]
    telling = [w for w in typed if w.digits >= _TELLING and count_digits(w.value) >= _TELLING]
    return len(telling) >= _FEWEST_TELLING and all(map(_is_rounded_single, telling))


def _is_rounded_single(written: WrittenNumber) -> bool:
    single = as_single(float(written.value))
    return isfinite(single) and abs(Decimal(single) - written.value) <= written.unit / 2


def _without_rounding(working: Working, place: int, grain: float) -> WrittenNumber:
    written = working.written[place]
    rounding_error = _rounding_error(working, place, grain)
    if not isfinite(rounding_error) or not rounding_error or written.exponent is None:
        return written
    if abs(written.value) <= rounding_error and not (working.program.key[place] and working.own[place]):
        return WrittenNumber(_NOTHING, 0, grain)  # what is left of terms that cancel
    last = floor(log10(2 * rounding_error)) + 1
    return written if last <= written.exponent else WrittenNumber(written.value, last, grain)


def _rounding_error(working: Working, place: int, grain: float) -> float:
    """How far rounding inside the line may have moved its result: that of each input and of the result itself, and what
    the formula loses where numbers cancel."""
    floats, own = working.floats, working.own[place]
    if own is None:
        return inf
    function = working.compiled.float_functions[place - working.compiled.first]
    spreads = {x: _OPERATIONS * grain * abs(floats[x]) for x in working.compiled.inputs[place]}
    try:
        lost = abs(function(floats, floats) - float(own))
    except (ArithmeticError, ValueError):
        return inf
    largest = max(abs(float(own)), abs(float(working.written[place].value)))  # a slip may have made it large
    of_result: float = grain * largest + lost
    by = slopes(function, floats, spreads)
    return inf if by is None else sum(abs(by[x]) * spreads[x] for x in by) + _OPERATIONS * of_result
