"""The numeric rule of marking: every line against the key and against what the writer's own lines lead to.

Nobody is punished twice: a line that follows from an earlier wrong one is `carried`. The only tolerance is the
precision that the writer chose, half a unit of the last digit, and what that does to the lines that follow.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median_low
from typing import Any

from tutor.arithmetic.exact import ExactSystem, Number, as_fraction, exponent_of, round_to
from tutor.arithmetic.symbolic import symbol, terms_holding, where
from tutor.errors import TutorError
from tutor.homework.written import Written, read_written
from tutor.worksheet.evaluate import evaluate_formula, evaluate_steps, value_of
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
    sheet = _Sheet(worksheet, readable)
    return [_mark_one(sheet, step, text) for step, text in answers]


def _mark_one(sheet: _Sheet, step: Step, text: str) -> Mark:
    key = sheet.key(step)
    try:
        written = read_written(text)
    except ValueError:
        return Mark(step.name, text, key, None, "unreadable" if text.strip() else "missing")
    value, spread = sheet.own(step)
    before = as_fraction(sheet.standing[step.before]) if step.before and step.stage == "update" else Fraction(0)
    line = _Line(step, written, key, key if value is None else value, spread, before)
    return Mark(step.name, text, key, value, verdict(line, sheet.standing))


class _Sheet:
    """The worksheet as the writer has it: each line from what they wrote above it, blanks filled from their lines."""

    def __init__(self, worksheet: Worksheet, written: Mapping[str, Written]) -> None:
        self.worksheet, self.written = worksheet, written
        self.system = ExactSystem(_PRECISION)
        numbers = {name: w.value for name, w in written.items() if name in worksheet.by_name}
        self.own_values = evaluate_steps(worksheet.givens, worksheet.steps, numbers)
        self.standing = ChainMap(numbers, self.own_values)
        inexact = {n: w for n, w in written.items() if w.value and n in numbers and w.value != worksheet.values[n]}
        self._digits = {name: w.significant() for name, w in inexact.items()}
        self._spreads: dict[int, dict[str, Fraction]] = {}

    def key(self, step: Step) -> Fraction:
        if step.name in self.worksheet.by_name:
            return as_fraction(self.worksheet.values[step.name])
        return as_fraction(evaluate_formula(step.formula, self.worksheet.values))

    def own(self, step: Step) -> tuple[Fraction | None, Fraction]:
        """The value that the writer's own lines lead to, and A, how far their rounding can have moved it.

        None where their lines lead to no value at all, such as the logarithm of 0.
        """
        others = [digits for name, digits in self._digits.items() if name != step.name]
        spreads = self._spread_with(median_low(others) if others else _PRECISION)
        try:
            if step.name in self.worksheet.by_name:
                value = self.own_values[step.name]
            else:
                value = evaluate_formula(step.formula, self.standing)
            return as_fraction(value), self._reach(step, spreads)
        except (KeyError, TutorError):
            return None, Fraction(0)

    def _spread_with(self, digits: int) -> dict[str, Fraction]:
        """For every line how far what stands there may be from what the writer had in mind.

        Half a unit for a written number that is not exact; for a blank its own A and half a unit at the writer's
        usual precision of so many `digits`, unless it needs no more digits than that.
        """
        if digits in self._spreads:
            return self._spreads[digits]
        spreads = self._spreads[digits] = dict.fromkeys(self.worksheet.givens, Fraction(0))
        for step in self.worksheet.steps:
            if step.name not in self.own_values:
                spreads[step.name] = Fraction(0)
                continue
            value, reach = as_fraction(self.own_values[step.name]), self._reach(step, spreads)
            if answer := self.written.get(step.name):
                exact = answer.value == self.worksheet.values[step.name] or (reach == 0 and answer.value == value)
                spreads[step.name] = Fraction(0) if exact or answer.unit is None else answer.unit / 2
            else:
                unit = _unit(value, digits) if value else Fraction(1)
                spreads[step.name] = reach if (value / unit).denominator == 1 else reach + unit / 2
        return spreads

    def _reach(self, step: Step, spreads: Mapping[str, Fraction]) -> Fraction:
        """A = the sum over the inputs of |df/dx| times the spread of x."""
        moved = terms_holding(step.formula, (name for name in step.inputs if spreads.get(name)))
        return sum((abs(self._slope(terms, name)) * spreads[name] for name, terms in moved.items()), Fraction(0))

    def _slope(self, terms: Sequence[Any], name: str) -> Fraction:
        """How fast the terms change with the quantity, by a difference quotient in exact arithmetic."""
        here = self.standing[name]
        nudge = (abs(as_fraction(here)) or 1) * _NUDGE

        def at(offset: Fraction) -> Fraction:
            values = ChainMap({name: self.system.add([here, offset])}, self.standing)
            return sum((as_fraction(value_of(term, values, self.system)) for term in terms), Fraction(0))

        try:
            return (at(nudge) - at(-nudge)) / (2 * nudge)
        except (ValueError, ZeroDivisionError, OverflowError):
            return Fraction(0)


def _unit(value: Fraction, significant: int) -> Fraction:
    """One unit of the last of so many significant digits of the value."""
    return Fraction(10) ** (exponent_of(value) - significant + 1)


def verdict(line: _Line, standing: Mapping[str, Number]) -> str:
    """The first verdict whose condition holds; on an updated weight everything is judged on the change."""
    key, own = line.key - line.before, line.own - line.before
    value = line.written.value - line.before
    if abs(value - key) <= _WITHIN * _unit_against(line.written, key):
        return "correct" if _digits_suffice(line.written, value, key) else "coarse"
    unit = _unit_against(line.written, own)
    if abs(value - own) <= _WITHIN * unit + line.spread and (value or not own):
        return "carried"
    if line.written.unit and _is_rounding(line, value, key, own, unit, standing):
        return "rounding"
    if not value and abs(own) <= _WITHIN * unit:
        return "coarse"
    return "wrong"


def _unit_against(written: Written, truth: Fraction) -> Fraction:
    """u; a fraction has no last digit and is judged at the unit demanded of the truth."""
    if written.unit is not None:
        return written.unit
    return _unit(truth, DIGITS_DEMANDED) if truth else Fraction(0)


def _digits_suffice(written: Written, value: Fraction, key: Fraction) -> bool:
    """Two significant digits, or all that the key has; fewer where the digits left off are zeros."""
    if not value or not key:
        return value == key
    if written.significant(value) >= DIGITS_DEMANDED:
        return True
    return abs(value - key) <= _WITHIN * _unit(key, DIGITS_DEMANDED)


def _is_rounding(
    line: _Line, value: Fraction, key: Fraction, own: Fraction, unit: Fraction, standing: Mapping[str, Number]
) -> bool:
    reach = {key: 2 * unit, own: 2 * unit + 2 * line.spread}
    if line.written.significant(value) >= DIGITS_DEMANDED and any(
        abs(value - truth) <= most and not _ends_within(truth, unit) for truth, most in reach.items()
    ):
        return True
    if _ends_within(own, unit):
        return False
    outer = line.written.decimals
    return any(_rounded_inside(line.step.formula, standing, outer, d) == line.written.value for d in (outer, outer - 1))


def _ends_within(truth: Fraction, unit: Fraction) -> bool:
    """Whether the true value has no digit beyond the last one written, so that nothing was rounded there."""
    return (truth / unit).denominator == 1


def _rounded_inside(formula: Any, standing: Mapping[str, Number], outer: int, inner: int) -> Fraction | None:
    """The value to `outer` decimals when each result inside the formula is rounded to `inner` decimals."""
    system = ExactSystem(_PRECISION)

    def walk(node: Any) -> Number:
        if not node.args or isinstance(node, where):
            return value_of(node, standing, system)
        blanks = [symbol(f"_{i}") for i in range(len(node.args))]
        parts = [round_to(as_fraction(walk(p)), inner) if _is_written_down(p) else walk(p) for p in node.args]
        inside = {blank.name: part for blank, part in zip(blanks, parts, strict=True)}
        return value_of(node.func(*blanks, evaluate=False), inside, system)

    try:
        return round_to(as_fraction(walk(formula)), outer)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None


def _is_written_down(node: Any) -> bool:
    """Whether a person notes this as a result: not a number or a name, nor -x or the 1/x of a quotient."""
    if not node.args:
        return False
    return not (node.is_Mul and node.args[0] == -1) and not (node.is_Pow and node.args[1] == -1)
