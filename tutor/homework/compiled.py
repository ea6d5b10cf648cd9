"""The steps of a worksheet compiled for marking: everything that does not depend on its numbers.

A class in which every student has numbers of their own is marked with one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from tutor.arithmetic import decimals
from tutor.arithmetic.floats import FloatSystem
from tutor.arithmetic.symbolic import names
from tutor.worksheet.compile import Pass, functions, straight_line
from tutor.worksheet.step import Step, Worksheet

Functions = list[Callable[..., Any]]


class Compiled:
    """Every quantity has a place: the givens first, then the steps in their order, last the `checks`, which are further
    formulas over the worksheet's names.

    `straight_line` runs all steps in one, `functions` has each by itself, and `rounding_functions` each with every
    result inside the formula rounded to a unit; their constants have so many digits as they are asked for with.
    """

    def __init__(self, worksheet: Worksheet, checks: Sequence[Step] = ()) -> None:
        self.worksheet, self.checks = worksheet, checks
        self.steps: Sequence[Step] = (*worksheet.steps, *checks)
        self.names = (*worksheet.names, *(step.name for step in checks))
        self.first = len(worksheet.givens)
        self.places: Mapping[str, int] = {name: place for place, name in enumerate(self.names)}
        self.straight_line = cache(self._straight_line)
        self.functions = cache(self._functions)
        self.rounding_functions = cache(self._rounding_functions)

    def suited_to(self, worksheet: Worksheet) -> Compiled:
        """This one where the worksheet has these very steps, whatever its numbers; else one of its own."""
        mine, theirs = ([(step.name, step.formula) for step in steps] for steps in (self.steps, worksheet.steps))
        return self if self.names == worksheet.names and mine == theirs else Compiled(worksheet)

    @cached_property
    def formulas(self) -> list[Any]:
        return [step.formula for step in self.steps]

    def _straight_line(self, digits: int, snapping: bool) -> Pass:
        with decimals.precision(digits):
            return straight_line(self.steps, self.places, decimals, snapping)

    def _functions(self, digits: int, snapping: bool) -> Functions:
        with decimals.precision(digits):
            return functions(self.formulas, self.places, decimals, snapping=snapping)

    def _rounding_functions(self, digits: int) -> Functions:
        with decimals.precision(digits):
            return functions(self.formulas, self.places, decimals, rounding=True)

    @cached_property
    def float_functions(self) -> Functions:
        """Each step in ordinary floating point, for tolerances."""
        return functions(self.formulas, self.places, FloatSystem, decided=True)

    @cached_property
    def polynomials(self) -> frozenset[int]:
        """The steps that have a value whatever stands above them."""
        return frozenset(place for place, f in enumerate(self.formulas, self.first) if _is_polynomial(f))

    @cached_property
    def inputs(self) -> list[tuple[int, ...]]:
        """For every place those that its formula stands on."""
        below = [tuple(self.places[name] for name in step.inputs) for step in self.steps]
        return [()] * self.first + below

    @cached_property
    def users(self) -> list[list[int]]:
        """For every place the steps that have it in their formula."""
        found: list[list[int]] = [[] for _ in self.names]
        for place, below in enumerate(self.inputs):
            for x in below:
                found[x].append(place)
        return found

    @cached_property
    def followers(self) -> list[frozenset[int]]:
        """For every place all that stand on it, directly or through others, itself among them."""
        found: list[set[int]] = [{place} for place in range(len(self.names))]
        for place in reversed(range(len(self.names))):
            for user in self.users[place]:
                found[place] |= found[user]
        return [frozenset(places) for places in found]

    @cached_property
    def before(self) -> list[int | None]:
        """For an updated parameter the place of the old one: it is judged by its change."""
        changed = [self.places[s.before] if s.before and s.stage == "update" else None for s in self.steps]
        return [None] * self.first + changed


def _is_polynomial(formula: Any) -> bool:
    if formula.is_Symbol or not names(formula):
        return True
    if formula.is_Pow:
        base, exponent = formula.args
        return bool(exponent.is_Integer and exponent > 0) and _is_polynomial(base)
    return bool(formula.is_Add or formula.is_Mul) and all(map(_is_polynomial, formula.args))
