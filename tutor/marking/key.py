"""A worksheet made ready for marking: its key, and its steps compiled so that each sheet is worked in an instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from random import Random
from typing import Any

from tutor.formulas.code import Pass, Source, functions
from tutor.formulas.compiled import compiled
from tutor.formulas.evaluate import value_of
from tutor.formulas.expressions import names
from tutor.numbers import decimals
from tutor.numbers.budget import Budget
from tutor.numbers.digits import change_of
from tutor.numbers.exact import ExactSystem, Number, as_fraction
from tutor.numbers.floats import FloatSystem
from tutor.worksheet.step import Step, Worksheet
from tutor.worksheet.values import evaluate_formula


def straight_line(steps: Iterable[Step], places: Mapping[str, int], arithmetic: Any, snapping: bool = False) -> Pass:
    """All steps as one function of the standing values v and the computed ones o.

    Where v has a number already, as somebody has written it, the steps after it stand on that one; where it has None
    they stand on the computed one, which is put there.
    """
    source = Source(places, snapping=snapping)
    lines = ["def run(v, o):", "  pass"]
    for step in steps:
        place = places[step.name]
        lines += [f"  o[{place}] = t = {source.formula(step.formula)}", f"  if v[{place}] is None: v[{place}] = t"]
    run: Pass = compiled([*source.apart, *lines], arithmetic, source.constants)["run"]
    return run


def result(
    function: Callable[..., Decimal], inputs: Iterable[int], sheet_values: Sequence[Any], *further: Decimal
) -> Decimal | None:
    """What a compiled formula comes to; None where it has no value, or one of its `inputs` has none."""
    if any(sheet_values[x] is None for x in inputs):
        return None
    try:
        return function(sheet_values, *further)
    except (ArithmeticError, ValueError):
        return None


Values = list[Any]  # a Decimal for each quantity, None where there is none
_FEWEST_DIGITS, _MOST_DIGITS = 50, 3_200
_WIDE_DIGITS = 400
_AGREEMENT = Decimal("1e-33")
_TRIALS = 6


class Program:
    """The numbers of one worksheet beside the steps that it may share with others.

    `key` has the true value of each place. `digits` is the precision in which the key comes out right; everything of a
    program runs inside `precision(program.digits)`.
    """

    def __init__(self, worksheet: Worksheet, compiled: Compiled | None = None) -> None:
        self.worksheet = worksheet
        self.compiled = compiled or Compiled(worksheet)
        self.steps, self.names, self.places = self.compiled.steps, self.compiled.names, self.compiled.places
        self.first = self.compiled.first
        self.true: dict[str, Number] = dict(worksheet.values)
        for step in self.compiled.checks:
            self.true[step.name] = evaluate_formula(step.formula, worksheet.values)
        self.digits, self.snapping = _FEWEST_DIGITS, False
        if not self._agrees():
            self.snapping = True  # 1/3 + 1/3 + 1/3 - 1 is exactly 0, which decimals miss by their last digit
            while not self._agrees() and self.digits < _MOST_DIGITS:
                self.digits *= 2

    def _agrees(self) -> bool:
        """Whether so many digits reproduce the exact values; `key` is made on the way."""
        with decimals.precision(self.digits):
            self.key: Values = [decimals.number_of(self.true[name]) for name in self.names]
            self._run = self.compiled.straight_line(self.digits, self.snapping)
            found = self.work({})[1]
            truths = [*zip(found[self.first :], self.key[self.first :], strict=True), *self._changes(found)]
        return all(value is not None and abs(value - key) <= abs(key) * _AGREEMENT for value, key in truths)

    def _changes(self, values: Values) -> Iterator[tuple[Decimal | None, Decimal]]:
        """By how much each parameter is found to change, and by how much it does, where that is not nothing."""
        for place, old in enumerate(self.compiled.before):
            if old is not None:
                before, after = (as_fraction(self.true[self.names[x]]) for x in (old, place))
                if before and after != before and change_of(after, before) != after:
                    value = values[place]
                    yield None if value is None else value - self.key[old], decimals.number_of(after - before)

    def work(self, written: Mapping[int, Decimal], givens: Sequence[Decimal] | None = None) -> tuple[Values, Values]:
        """What stands at every place, the written number or else the computed one; and the computed ones by themselves.

        A step without a value, such as the logarithm of 0, has None, and so has what stands on it. `givens` are other
        numbers in the place of the given ones.
        """
        sheet_values, own = self._worked(written, self.key[: self.first] if givens is None else givens)
        if givens is None and not all(own) and self._lost_digits(own):
            with decimals.precision(max(_WIDE_DIGITS, 2 * self.digits)):  # a result that is 0 even then is 0
                return self._worked(written, self.key[: self.first])
        return sheet_values, own

    def _worked(self, written: Mapping[int, Decimal], givens: Sequence[Decimal]) -> tuple[Values, Values]:
        sheet_values: Values = [*givens, *[None] * len(self.steps)]
        own = sheet_values.copy()
        for place, value in written.items():
            sheet_values[place] = value
        try:
            self._run(sheet_values, own)
        except (ArithmeticError, ValueError):
            self._work_carefully(sheet_values, own, written)
        return sheet_values, own

    def _lost_digits(self, own: Values) -> bool:
        """Whether some result is 0 that the key has not: a difference of near equals may have eaten every digit."""
        return any(value is not None and not value and key for value, key in zip(own, self.key, strict=True))

    def _work_carefully(self, sheet_values: Values, own: Values, written: Mapping[int, Decimal]) -> None:
        for place in range(self.first, len(self.names)):
            own[place] = self.value(place, sheet_values)
            sheet_values[place] = written.get(place, own[place])

    def value(self, place: int, sheet_values: Sequence[Any]) -> Decimal | None:
        """The value of one step; None where it has none, or stands on one that has none."""
        inputs = self.compiled.inputs[place]
        value = result(self.compiled.functions(self.digits, self.snapping)[place - self.first], inputs, sheet_values)
        return self.value_of(self.steps[place - self.first].formula, sheet_values) if value is None else value

    def value_of(self, formula: Any, sheet_values: Sequence[Any], budget: Budget | None = None) -> Decimal | None:
        """The value of any formula over the worksheet's names, by the exact rules: 0·log 0 is 0.

        Raises TooMuchComputing where the budget is spent.
        """
        values: dict[str, Number] = {}
        for name in names(formula):
            value = sheet_values[self.places[name]]
            if value is None:
                return None
            values[name] = Fraction(value)
        system = ExactSystem(self.digits, budget)
        try:
            return decimals.number_of(as_fraction(system.bounded(value_of(formula, values, system))))
        except (ArithmeticError, ValueError):
            return None

    @cached_property
    def trials(self) -> Sequence[Values]:
        """The worksheet worked with other numbers in the place of the given ones, several times: by these a wrong
        formula shows itself."""
        return [self.work({}, _other_numbers(self.key[: self.first], Random(point)))[1] for point in range(_TRIALS)]

    def rounded_inside(self, place: int, sheet_values: Sequence[Any], outer: Decimal, inner: Decimal) -> Decimal | None:
        """The value to the unit `outer` when each result inside the formula is rounded to the unit `inner`."""
        function = self.compiled.rounding_functions(self.digits)[place - self.first]

        def rounded(sheet_values: Sequence[Any], inner: Decimal) -> Decimal:
            return decimals.rounded(function(sheet_values, inner), outer)

        return result(rounded, self.compiled.inputs[place], sheet_values, inner)


def _other_numbers(givens: Sequence[Decimal], random: Random) -> list[Decimal]:
    """The givens, each changed by up to half, a zero into something else."""
    factors = [Decimal(random.randint(500, 1500)) / 1000 for _ in givens]
    return [(value or Decimal("0.3")) * factor for value, factor in zip(givens, factors, strict=True)]


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

    @cached_property
    def began(self) -> list[int | None]:
        """For an updated parameter, and a line of the pass after the updates, the place of what stood there before."""
        repeated = [self.places.get(s.before) if s.before and s.stage == "after" else None for s in self.steps]
        return [a if a is not None else b for a, b in zip(self.before, [None] * self.first + repeated, strict=True)]


def _is_polynomial(formula: Any) -> bool:
    if formula.is_Symbol or not names(formula):
        return True
    if formula.is_Pow:
        base, exponent = formula.args
        return bool(exponent.is_Integer and exponent > 0) and _is_polynomial(base)
    return bool(formula.is_Add or formula.is_Mul) and all(map(_is_polynomial, formula.args))
