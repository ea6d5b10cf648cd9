"""The numeric rule of marking: every line against the key and against what the writer's own lines lead to.

Nobody is punished twice: a line that follows from an earlier wrong one is `carried`. The only tolerance is the
precision that the writer chose, half a unit of the last digit, and what that does to the lines that follow.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median_low
from typing import Any

from tutor.arithmetic.exact import ExactSystem, Number, as_fraction, exponent_of
from tutor.arithmetic.symbolic import symbol, terms_holding, where
from tutor.homework.written import Written, read_written
from tutor.worksheet.evaluate import step_value, value_of
from tutor.worksheet.step import Step, Worksheet

DIGITS_DEMANDED = 2
_WITHIN = Fraction(51, 100)
_PRECISION = 60
_NUDGE = Fraction(1, 10**20)


@dataclass(frozen=True, slots=True)
class Mark:
    """The verdict on one line. `own` is what the writer's own earlier lines lead to."""

    name: str
    answer: str
    key: Fraction
    own: Fraction | None
    verdict: str


@dataclass(frozen=True, slots=True)
class _Line:
    """What a written number is held against: the key, the own value, and how far rounding upstream can move it."""

    step: Step
    written: Written
    key: Fraction
    own: Fraction
    spread: Fraction
    before: Fraction


def mark(worksheet: Worksheet, answers: Sequence[tuple[Step, str]]) -> list[Mark]:
    """A mark for each answer, in the order given. A step that is not on the worksheet is a check of its own.

    Where one quantity is answered more than once, the last readable answer counts for the lines that follow.
    """
    readable: dict[str, Written] = {}
    for step, text in answers:
        try:
            readable[step.name] = read_written(text)
        except ValueError:
            continue
    own = OwnValues(worksheet, readable)
    return [_mark_one(worksheet, own, step, text) for step, text in answers]


def _mark_one(worksheet: Worksheet, own: OwnValues, step: Step, text: str) -> Mark:
    key = _value(worksheet, step)
    try:
        written = read_written(text)
    except ValueError:
        return Mark(step.name, text, key, None, "unreadable" if text.strip() else "missing")
    value, spread = own.of(step)
    before = as_fraction(own.values[step.before]) if step.before and step.stage == "update" else Fraction(0)
    line = _Line(step, written, key, as_fraction(value), spread, before)
    return Mark(step.name, text, key, line.own, verdict(line, own.values))


def _value(worksheet: Worksheet, step: Step) -> Fraction:
    if step.name in worksheet.by_name:
        return as_fraction(worksheet.values[step.name])
    return as_fraction(step_value(step, worksheet.values, ExactSystem(_PRECISION)))


class OwnValues:
    """The worksheet as the writer has it: each line from what they wrote above it, blanks filled from their lines.

    `values` has what later lines stand on: the written number, or the own value of a blank. `spread` says how far
    that may be from what the writer had in mind, because it was rounded when it was written down.
    """

    def __init__(self, worksheet: Worksheet, written: Mapping[str, Written]) -> None:
        self.system = ExactSystem(_PRECISION)
        self.values: dict[str, Number] = dict(worksheet.givens)
        self.spread: dict[str, Fraction] = dict.fromkeys(worksheet.givens, Fraction(0))
        inexact = [w for name, w in written.items() if w.value != worksheet.values.get(name)]
        digits = median_low([w.significant() for w in inexact]) if inexact else _PRECISION
        for step in worksheet.steps:
            value, spread = self.of(step)
            if answer := written.get(step.name):
                exact = answer.value == worksheet.values[step.name] or (spread == 0 and answer.value == value)
                self.values[step.name] = answer.value
                self.spread[step.name] = Fraction(0) if exact or answer.unit is None else answer.unit / 2
            else:
                self.values[step.name] = value
                rounded = spread or not isinstance(value, Fraction)
                self.spread[step.name] = spread + (_half_unit(as_fraction(value), digits) if rounded else 0)

    def of(self, step: Step) -> tuple[Number, Fraction]:
        """The value of the step from the writer's own lines, and A, how far their rounding can have moved it."""
        value = step_value(step, self.values, self.system)
        moved = terms_holding(step.formula, (name for name in step.inputs if self.spread[name]))
        reach = (abs(self._slope(terms, name)) * self.spread[name] for name, terms in moved.items())
        return value, sum(reach, Fraction(0))

    def _slope(self, terms: Sequence[Any], name: str) -> Fraction:
        """How fast the terms change with the quantity, by a difference quotient in exact arithmetic."""
        here = self.values[name]

        def at(offset: Fraction) -> Fraction:
            values = ChainMap({name: self.system.add([here, offset])}, self.values)
            return sum((as_fraction(value_of(term, values, self.system)) for term in terms), Fraction(0))

        return (at(_NUDGE) - at(-_NUDGE)) / (2 * _NUDGE)


def _half_unit(value: Fraction, significant: int) -> Fraction:
    return _unit(value, significant) / 2 if value else Fraction(0)


def _unit(value: Fraction, significant: int) -> Fraction:
    """One unit of the last of so many significant digits of the value."""
    return Fraction(10) ** (exponent_of(value) - significant + 1)


def verdict(line: _Line, values: Mapping[str, Number]) -> str:
    """The first verdict whose condition holds; on an updated weight everything is judged on the change."""
    key, own = line.key - line.before, line.own - line.before
    value = line.written.value - line.before
    unit = line.written.unit or (_unit(key, DIGITS_DEMANDED) if key else Fraction(0))
    if abs(value - key) <= _WITHIN * unit:
        return "correct" if _digits_suffice(line.written, value, key) else "coarse"
    if abs(value - own) <= _WITHIN * unit + line.spread and (value or not own):
        return "carried"
    if _is_rounding(line, value, key, own, unit, values):
        return "rounding"
    if not value and abs(own) <= _WITHIN * unit:
        return "coarse"
    return "wrong"


def _digits_suffice(written: Written, value: Fraction, key: Fraction) -> bool:
    """Two significant digits, or all that the key has; fewer where the digits left off are zeros."""
    if not value or not key:
        return value == key
    if written.significant(value) >= DIGITS_DEMANDED:
        return True
    return abs(value - key) <= _WITHIN * _unit(key, DIGITS_DEMANDED)


def _is_rounding(
    line: _Line, value: Fraction, key: Fraction, own: Fraction, unit: Fraction, values: Mapping[str, Number]
) -> bool:
    if line.written.unit is None or line.written.significant(value) < DIGITS_DEMANDED:
        return False
    reach = {key: 2 * unit, own: 2 * unit + 2 * line.spread}
    if any(abs(value - truth) <= most and not _ends_within(truth, unit) for truth, most in reach.items()):
        return True
    outer = line.written.decimals
    return any(_rounded_inside(line.step.formula, values, outer, d) == line.written.value for d in (outer, outer - 1))


def _ends_within(truth: Fraction, unit: Fraction) -> bool:
    """Whether the true value has no digit beyond the last one written, so that nothing was rounded there."""
    return (truth / unit).denominator == 1


def _rounded_inside(formula: Any, values: Mapping[str, Number], outer: int, inner: int) -> Fraction | None:
    """The value to `outer` decimals when each result inside the formula is rounded to `inner` decimals."""
    system = ExactSystem(_PRECISION)

    def walk(node: Any) -> Number:
        if not node.args or isinstance(node, where):
            return value_of(node, values, system)
        blanks = [symbol(f"_{i}") for i in range(len(node.args))]
        parts = [_round(walk(part), inner) if part.args else walk(part) for part in node.args]
        inside = {blank.name: part for blank, part in zip(blanks, parts, strict=True)}
        return value_of(node.func(*blanks, evaluate=False), inside, system)

    try:
        return _round(walk(formula), outer)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None


def _round(value: Number, decimals: int) -> Fraction:
    scale = Fraction(10) ** decimals
    return Fraction(round(as_fraction(value) * scale)) / scale


def misprints(marks: Iterable[Mark]) -> list[Mark]:
    """The marks of lines that not even the writer's own earlier lines lead to."""
    return [m for m in marks if m.verdict == "wrong"]
