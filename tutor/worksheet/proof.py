"""Each gradient four ways: by the chain rule, by SymPy on the composed loss, and by two kinds of differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from msgspec import Struct
from msgspec.structs import replace as with_changes

from tutor.formulas.expressions import names, parts, replace, symbol, where, written_size
from tutor.numbers.exact import ComplexSystem, ExactSystem, as_fraction
from tutor.worksheet.step import Step, Worksheet
from tutor.worksheet.values import evaluate_formula, values_with, with_ancestors

AGREES, AT_A_CORNER, DIFFERS = "agrees", "at a corner", "differs"
AGREEMENT = Fraction(1, 10**25)
_STEP = Fraction(1, 10**40)
_DIGITS = 150
_LARGEST_COMPOSED = 3_000  # nodes of the loss written out in full; SymPy takes about a second for so many


class Proof(Struct, frozen=True):
    """One gradient and its value by each way; `composed` is None where the loss written out is too large.

    `corner` is set where the ways differ and a step on the path has no derivative: its name, and what is 0 there.
    """

    name: str
    chain: Fraction
    composed: Fraction | None
    central: Fraction
    complex_step: Fraction
    corner: tuple[str, Any] | None = None

    @property
    def others(self) -> dict[str, Fraction]:
        """The value by every other way, by its name."""
        found = {"composed": self.composed, "central": self.central, "complex step": self.complex_step}
        return {way: value for way, value in found.items() if value is not None}

    @property
    def largest_difference(self) -> Fraction:
        return max(abs(value - self.chain) for value in self.others.values())

    @property
    def holds(self) -> bool:
        """Whether all agree to 25 digits, relative where the gradient is large."""
        return self.largest_difference <= AGREEMENT * max(Fraction(1), abs(self.chain))

    @property
    def verdict(self) -> str:
        """`agrees`, `differs`, or, where there is no derivative to agree on, `at a corner`."""
        return AGREES if self.holds else AT_A_CORNER if self.corner else DIFFERS


def prove(worksheet: Worksheet) -> Iterator[Proof]:
    """A proof for every gradient of the worksheet."""
    every = worksheet.steps if worksheet.objective is None else (*worksheet.steps, worksheet.objective)
    for name, goal, wrt in worksheet.gradients:
        steps = with_ancestors(every, {goal})
        following = _following(steps, wrt)
        fixed = {w for _, g, w in worksheet.gradients if g == goal and w not in following}
        steps = with_ancestors(steps, {goal}, fixed)
        proof = Proof(
            name,
            as_fraction(worksheet.values[name]),
            _composed(worksheet, steps, goal, wrt),
            _central(worksheet, steps, goal, wrt, fixed),
            _complex(worksheet, steps, goal, wrt, fixed),
        )
        yield proof if proof.holds else with_changes(proof, corner=_corner(worksheet, steps, wrt))


def _following(steps: Sequence[Step], name: str) -> set[str]:
    """The steps that stand on it, directly or through others."""
    moving = {name}
    for step in steps:
        if not moving.isdisjoint(step.inputs):
            moving.add(step.name)
    return moving - {name}


def _corner(worksheet: Worksheet, steps: Sequence[Step], wrt: str) -> tuple[str, Any] | None:
    """The first step on the way that changes from one case to the other exactly where the worksheet stands."""
    moving = {wrt}
    for step in steps:
        if not moving.intersection(step.inputs):
            continue
        moving.add(step.name)
        for node in parts(step.formula):
            watched = node.args[0] if isinstance(node, where) else None
            if watched is None or not moving.intersection(names(watched)):
                continue
            if evaluate_formula(watched, worksheet.values) == 0:
                return step.name, watched
    return None


def _held(worksheet: Worksheet, fixed: set[str]) -> dict[str, Fraction]:
    """The parameters as numbers, also where they are results of earlier updates."""
    return {name: as_fraction(worksheet.values[name]) for name in fixed}


def _composed(worksheet: Worksheet, steps: Sequence[Step], goal: str, wrt: str) -> Fraction | None:
    written: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for step in steps:
        below = {symbol(x): written[x] for x in step.inputs if x in written}
        sizes[step.name] = written_size(step.formula, sizes)
        if sizes[step.name] > _LARGEST_COMPOSED:
            return None
        written[step.name] = replace(step.formula, below)
    derivative = sympy.diff(written[goal], symbol(wrt))
    return as_fraction(evaluate_formula(derivative, worksheet.values))


def _central(worksheet: Worksheet, steps: Sequence[Step], goal: str, wrt: str, fixed: set[str]) -> Fraction:
    held, system = _held(worksheet, fixed), ExactSystem(_DIGITS)
    above, below = (
        as_fraction(values_with(worksheet.givens, steps, system, held | {wrt: held[wrt] + shift})[goal])
        for shift in (_STEP, -_STEP)
    )
    return (above - below) / (2 * _STEP)


def _complex(worksheet: Worksheet, steps: Sequence[Step], goal: str, wrt: str, fixed: set[str]) -> Fraction:
    system = ComplexSystem(_DIGITS)
    held: Mapping[str, Any] = _held(worksheet, fixed)
    shifted = {**held, wrt: system.above(held[wrt], _STEP)}
    return system.height(values_with(worksheet.givens, steps, system, shifted)[goal]) / _STEP
