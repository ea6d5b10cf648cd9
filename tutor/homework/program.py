"""A worksheet made ready for marking: its key, and its steps compiled so that each sheet is worked in an instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from tutor.arithmetic import decimals
from tutor.arithmetic.exact import ExactSystem, Number, as_fraction
from tutor.arithmetic.floats import FloatSystem
from tutor.worksheet.compile import functions, straight_line
from tutor.worksheet.evaluate import evaluate_formula, value_of
from tutor.worksheet.step import Step, Worksheet

Values = list[Any]  # a Decimal for each quantity, None where there is none
_FEWEST_DIGITS, _MOST_DIGITS = 50, 3_200
_AGREEMENT = Decimal("1e-30")


class Program:
    """Every quantity has a place: the givens first, then the steps in their order.

    `checks` are further formulas over the worksheet's names. `key` has the true value of each place. `digits` is the
    precision in which the key comes out right; everything of a program runs inside `precision(program.digits)`.
    """

    def __init__(self, worksheet: Worksheet, checks: Sequence[Step] = ()) -> None:
        self.worksheet = worksheet
        self.steps: Sequence[Step] = (*worksheet.steps, *checks)
        self.names = (*worksheet.names, *(step.name for step in checks))
        self.true: dict[str, Number] = dict(worksheet.values)
        for step in checks:
            self.true[step.name] = evaluate_formula(step.formula, worksheet.values)
        self.first = len(worksheet.givens)
        self.places: Mapping[str, int] = {name: place for place, name in enumerate(self.names)}
        self.digits, self.snapping = _FEWEST_DIGITS, False
        if not self._agrees():
            self.snapping = True  # 1/3 + 1/3 + 1/3 - 1 is exactly 0, which decimals miss by their last digit
            while not self._agrees() and self.digits < _MOST_DIGITS:
                self.digits *= 2

    def varied(self, worksheet: Worksheet) -> Program:
        """The program of the same steps with other given numbers; a new one where the steps are not the same."""
        same = len(worksheet.steps) == len(self.steps) and all(
            mine.name == other.name and mine.formula == other.formula
            for mine, other in zip(self.steps, worksheet.steps, strict=True)
        )
        if not same or self.names != worksheet.names:
            return Program(worksheet)
        _ = (
            self.compiled,
            self.float_functions,
            self.inputs,
            self.users,
            self.followers,
            self.before,
        )  # made once for all
        other = copy(self)
        other.__dict__.pop("key_floats", None)
        other.worksheet, other.true = worksheet, dict(worksheet.values)
        with decimals.precision(self.digits):
            other.key = [decimals.number_of(other.true[name]) for name in other.names]
        return other

    def _agrees(self) -> bool:
        """Whether so many digits reproduce the exact values; `key` and the compiled steps are made on the way."""
        with decimals.precision(self.digits):
            self.key: Values = [decimals.number_of(self.true[name]) for name in self.names]
            self._run = straight_line(self.steps, self.places, decimals, self.snapping)
            found = self.work({})[1]
        truths = zip(found[self.first :], self.key[self.first :], strict=True)
        return all(value is not None and abs(value - key) <= abs(key) * _AGREEMENT for value, key in truths)

    def work(self, written: Mapping[int, Decimal], givens: Sequence[Decimal] | None = None) -> tuple[Values, Values]:
        """What stands at every place, the written number or else the computed one; and the computed ones by themselves.

        A step without a value, such as the logarithm of 0, has None, and so has what stands on it. `givens` are other
        numbers in the place of the given ones.
        """
        start = self.key[: self.first] if givens is None else list(givens)
        standing: Values = start + [None] * len(self.steps)
        for place, value in written.items():
            standing[place] = value
        own: Values = start + [None] * len(self.steps)
        try:
            self._run(standing, own)
        except (ArithmeticError, ValueError):
            self._work_carefully(standing, own, written)
        if givens is None and self._lost_digits(own):
            return self._work_again(written)
        return standing, own

    def _lost_digits(self, own: Values) -> bool:
        """Whether some result is 0 that the key has not: a difference of near equals may have eaten every digit."""
        return any(value is not None and not value and key for value, key in zip(own, self.key, strict=True))

    def _work_again(self, written: Mapping[int, Decimal]) -> tuple[Values, Values]:
        """The same with many more digits; a result that is 0 even then is 0."""
        start = self.key[: self.first]
        standing: Values = start + [written.get(place) for place in range(self.first, len(self.names))]
        own: Values = start + [None] * len(self.steps)
        with decimals.precision(8 * self.digits):
            try:
                self._run(standing, own)
            except (ArithmeticError, ValueError):
                self._work_carefully(standing, own, written)
        return standing, own

    def _work_carefully(self, standing: Values, own: Values, written: Mapping[int, Decimal]) -> None:
        for place in range(self.first, len(self.names)):
            own[place] = self.value(place, standing)
            standing[place] = written.get(place, own[place])

    def value(self, place: int, standing: Sequence[Any]) -> Decimal | None:
        """The value of one step; None where it has none."""
        try:
            found: Decimal = self.compiled[place - self.first](standing)
            return found
        except TypeError:  # it stands on a step without a value
            return None
        except (ArithmeticError, ValueError):
            return self.value_of(self.steps[place - self.first].formula, standing)

    def value_of(self, formula: Any, standing: Sequence[Any]) -> Decimal | None:
        """The value of any formula over the worksheet's names, by the exact rules: 0·log 0 is 0."""
        from tutor.arithmetic.symbolic import names

        values: dict[str, Number] = {}
        for name in names(formula):
            value = standing[self.places[name]]
            if value is None:
                return None
            values[name] = Fraction(value)
        system = ExactSystem(self.digits)
        try:
            return decimals.number_of(as_fraction(system.bounded(value_of(formula, values, system))))
        except (ArithmeticError, ValueError):
            return None

    @cached_property
    def compiled(self) -> list[Callable[..., Any]]:
        """Each step by itself."""
        return functions([step.formula for step in self.steps], self.places, decimals, snapping=self.snapping)

    @cached_property
    def float_functions(self) -> list[Callable[..., Any]]:
        """Each step by itself in ordinary floating point, for tolerances."""
        return functions([step.formula for step in self.steps], self.places, FloatSystem, decided=True)

    @cached_property
    def key_floats(self) -> list[float]:
        return [float(value) for value in self.key]

    @cached_property
    def inputs(self) -> list[tuple[int, ...]]:
        """For every place those that its formula stands on."""
        below = [tuple(self.places[name] for name in step.inputs) for step in self.steps]
        return [()] * self.first + below

    @cached_property
    def followers(self) -> list[frozenset[int]]:
        """For every place all that stand on it, directly or through others, itself among them."""
        found: list[set[int]] = [{place} for place in range(len(self.names))]
        users = self.users
        for place in reversed(range(len(self.names))):
            for user in users[place]:
                found[place] |= found[user]
        return [frozenset(places) for places in found]

    @cached_property
    def users(self) -> list[list[int]]:
        """For every place the steps that have it in their formula."""
        found: list[list[int]] = [[] for _ in self.names]
        for place, below in enumerate(self.inputs):
            for x in below:
                found[x].append(place)
        return found

    @cached_property
    def before(self) -> list[int | None]:
        """For an updated parameter the place of the old one: it is judged by its change."""
        changed = [self.places[s.before] if s.before and s.stage == "update" else None for s in self.steps]
        return [None] * self.first + changed
