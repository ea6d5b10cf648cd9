"""Answers that are a computation and its result: the left side is checked as it stands."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

from tutor.formulas.expressions import names, parts
from tutor.marking.formula_answer import RIGHT, WRONG, ReadAnswers
from tutor.marking.student import Working
from tutor.marking.verdict import ROUNDING
from tutor.numbers.budget import AN_ANSWER, Budget, TooMuchComputing

Expr = Any
_FEWEST, _MOST = 3, 15


class Computations:
    """The formulas of a sheet that have a number after them."""

    def __init__(self, working: Working, read: ReadAnswers) -> None:
        self.working, self.read = working, read

    def judged_and_left(self) -> tuple[dict[int, str], dict[int, Decimal]]:
        """Whether formulas are right, those too that have numbers put in for names: such a one is as right as what it
        comes to. And what left sides without names come to, where that is not the number written."""
        judged, left = dict(self.read.judged), dict[int, Decimal]()
        for place in filter(self.read.is_beside, self.read.formulas):
            formula = self.read.formulas[place]
            has_numbers = any(part.is_Rational and abs(part) not in (1, 2) for part in parts(formula))
            if (names(formula) and judged.get(place) != WRONG) or not has_numbers:
                continue
            value = self._value(formula)
            if value is None:
                continue
            written = self.working.written[place]
            if not names(formula) and abs(value - written.value) > written.unit:
                left[place] = _as_fine(value, written.unit)
            if self._is_right(place, value):
                judged[place] = RIGHT
        return judged, left

    def _value(self, formula: Expr) -> Decimal | None:
        try:
            return self.working.program.value_of(formula, self.working.values, Budget(AN_ANSWER))
        except TooMuchComputing:
            return None

    def _is_right(self, place: int, value: Decimal) -> bool:
        """Whether the left side comes to what it should, give or take what rounding its numbers does."""
        truths = (self.working.program.key[place], self.working.own[place])
        most = ROUNDING * self.working.written[place].unit
        return any(truth is not None and abs(value - truth) <= most for truth in truths)


def _as_fine(value: Decimal, unit: Decimal) -> Decimal:
    """The value to the unit of the number beside it, with three significant digits at least: 0.0143 beside 0.5."""
    digits = value.adjusted() - unit.adjusted() + 1
    return Context(prec=min(max(digits, _FEWEST), _MOST)).plus(value)
