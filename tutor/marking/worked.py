"""The formula of a line with the numbers that its writer has: the last stage of a hint."""

from __future__ import annotations

from decimal import Context, Decimal

from tutor.formulas.expressions import names
from tutor.formulas.typed import typed
from tutor.marking.student import Working

_SHOWN = Context(prec=6)
_LONGEST = 600


def worked(working: Working, place: int) -> str:
    """`name = formula = formula with numbers`: those written above, and for a line left blank what follows from them. A
    given is told as it stands."""
    program = working.program
    name = program.names[place]
    if place < program.first:
        return f"{name} = {_shown(program.key[place])} is given"
    formula = program.steps[place - program.first].formula
    numbers = {x: _number(working, program.places[x]) for x in names(formula)}
    formulas = (typed(formula), typed(formula, numbers))
    return " = ".join([name, *(text for text in dict.fromkeys(formulas) if len(text) <= _LONGEST)])


def _number(working: Working, place: int) -> str:
    written = working.written.get(place)
    if written is not None and written.exponent is not None:
        return f"{written.value:f}" if abs(written.exponent) < 12 else str(written.value)
    value = working.values[place]
    return "?" if value is None else _shown(value)


def _shown(value: Decimal) -> str:
    short = _SHOWN.plus(value).normalize()
    return f"{short:f}" if -6 <= short.adjusted() <= 12 else str(short)
