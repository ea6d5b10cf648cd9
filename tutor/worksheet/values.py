"""The value of a formula, exactly, and of all steps of a worksheet, with as many digits as their differences need."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from msgspec import Struct, field

from tutor.errors import TutorError
from tutor.formulas.evaluate import value_of
from tutor.formulas.expressions import parts
from tutor.maths.kind import Kind
from tutor.numbers.budget import A_STEP, A_WORKSHEET, Budget, TooMuchComputing, cost_of
from tutor.numbers.cancelling import PROVED, CancellingSystem
from tutor.numbers.exact import ExactSystem, Number
from tutor.worksheet.step import Step

CORRECT_DIGITS = 34
_FIRST_DIGITS, _SECOND_DIGITS = 50, 75
_FEWEST_TRIED, _MOST_DIGITS = 300, 10_000
_PASSES = 6  # with that many digits take about as long as all that lead there
_DIGITS_OF_A_SIGN = 3


def evaluate_formula(formula: Any, values: Mapping[str, Number]) -> Number:
    """The value of one formula, as precise as those of a worksheet. Raises TutorError where it has none."""
    step = Step("the formula", "check", Kind.CHECK, formula, "formula")
    return evaluate_steps({name: values[name] for name in step.inputs}, [step]).values[step.name]


class Evaluation(Struct):
    """The `values` by name, and in `zeros` the steps in which the terms of a sum cancel: how many digits of them were
    found to do so, None where it is proved that all do."""

    values: dict[str, Number]
    zeros: dict[str, int | None] = field(default_factory=dict)


class _Pass(ChainMap[str, Number]):
    """The values of all steps in one system: `held` numbers before `computed` ones; and why some steps have none."""

    def __init__(
        self, givens: Mapping[str, Number], steps: Iterable[Step], system: ExactSystem, held: Mapping[str, Number]
    ) -> None:
        self.computed: dict[str, Number] = dict(givens)
        self.failed: dict[str, str] = {}
        self.compared: dict[str, list[Number]] = {}
        self.zeros: dict[str, int] = {}
        self.changes: dict[str, Number] = {}
        super().__init__(*([dict(held)] if held else []), self.computed)
        self.known: Mapping[str, Number] = self if held else self.computed
        for step in steps:
            self._work(step, system)
        self.plain = {name: system.plain(value) for name, value in self.computed.items()}

    def _work(self, step: Step, system: ExactSystem) -> None:
        try:
            self.computed[step.name] = system.bounded(value_of(step.formula, self.known, system))
        except ZeroDivisionError:
            zero = next((x for x in step.inputs if self[x] == 0), None)
            self.failed[step.name] = "divides by zero" + (f", since {zero} is 0" if zero else "")
        except KeyError as missing:
            self.failed[step.name] = f"needs {missing.args[0]}, which has no value"
        except (ValueError, OverflowError) as error:
            self.failed[step.name] = str(error)
        except TooMuchComputing:
            raise TutorError(
                f"by {step.name} the worksheet asks for more computing than one may; give it smaller powers, or "
                "numbers with fewer digits"
            ) from None
        if system.compared:
            self.compared[step.name] = system.compared.copy()
            system.compared.clear()
        if isinstance(system, CancellingSystem) and system.zeros:
            self.zeros[step.name] = min(system.zeros)
        if step.before and step.stage == "update" and step.name in self.computed:
            self.changes[step.name] = self._change(self[step.name], self[step.before], system)
        if isinstance(system, CancellingSystem):
            system.zeros.clear()

    def _change(self, new: Number, old: Number, system: ExactSystem) -> Number:
        """By how much a parameter changes: 0 where it is the very number that it was."""
        return Fraction(0) if new is old else system.plain(system.add([new, system.multiply([Fraction(-1), old])]))


def values_with(
    givens: Mapping[str, Number], steps: Iterable[Step], system: ExactSystem, held: Mapping[str, Number]
) -> Mapping[str, Number]:
    """The values in the given system when some quantities are held at other values than their own."""
    values = _Pass(givens, steps, system, held)
    _complain_of(values.failed)
    return values


def evaluate_steps(givens: Mapping[str, Number], steps: Iterable[Step]) -> Evaluation:
    """The value of every given and step, each exact or correct to `CORRECT_DIGITS` significant digits.

    All steps are evaluated with two precisions. Where the two disagree, on a value or on the sign of what decides, a
    difference of near equals may have eaten digits. Those steps are evaluated again, with what they stand on, ever more
    precisely, and by a system that proves where a difference is 0. What has lost every digit that can be tried in
    reasonable time is 0, too. Raises TutorError, with its name, for a step without a value.
    """
    steps = tuple(steps)
    budget = Budget(A_WORKSHEET + A_STEP * len(steps))
    first, second = (ExactSystem(digits, budget) for digits in (_FIRST_DIGITS, _SECOND_DIGITS))
    rough, found, doubtful = _Pass(givens, steps, first, {}), Evaluation({}), set[str]()
    systems: Iterator[ExactSystem] = iter((second,))
    while (system := next(systems, None)) is not None:
        fine = _Pass(givens, steps, system, {})
        found.values |= fine.plain
        found.zeros |= {name: None if digits == PROVED else digits for name, digits in fine.zeros.items()}
        doubtful = _doubtful(steps, rough, fine, system)
        _complain_of({name: why for name, why in fine.failed.items() if name not in doubtful})
        if not doubtful:
            return found
        rough, steps = fine, with_ancestors(steps, doubtful)
        if system is second:
            systems = _finer(steps, budget)
    name = next(step.name for step in steps if step.name in doubtful)
    raise TutorError(f"{name} changes with every digit that is added; change the numbers that lead to it")


def _finer(steps: Sequence[Step], budget: Budget) -> Iterator[ExactSystem]:
    """One system after the other, as far as the budget goes; at last those in which a 0 is found without a proof."""
    kinds = [isinstance(part, sympy.Function | sympy.Pow) for step in steps for part in parts(step.formula)]
    most, digits = _MOST_DIGITS, _SECOND_DIGITS
    while most > _FEWEST_TRIED and _PASSES * cost_of(kinds.count(True), len(kinds), most) > budget.left:
        most = most * 2 // 3
    while (digits := digits * 3 // 2) < most:
        yield CancellingSystem(digits, budget)
    yield CancellingSystem(most, budget, most // 2)
    yield CancellingSystem(most * 5 // 4, budget, most // 2)


def _complain_of(failed: Mapping[str, str]) -> None:
    for name, reason in failed.items():
        raise TutorError(f"{name} {reason}; change the numbers that lead to it")


def _doubtful(steps: Iterable[Step], rough: _Pass, fine: _Pass, system: ExactSystem) -> set[str]:
    """The steps on which two passes disagree, and those that have no value because of one of them."""
    found = set[str]()
    for step in steps:
        missing = [x for x in step.inputs if x not in fine]
        if not found.isdisjoint(missing) or not (missing or _do_agree(step, rough, fine, system)):
            found.add(step.name)
    return found


def _do_agree(step: Step, rough: _Pass, fine: _Pass, system: ExactSystem) -> bool:
    name = step.name
    before, now = rough.compared.get(name, []), fine.compared.get(name, [])
    if len(before) != len(now) or rough.failed.get(name) != fine.failed.get(name):
        return False
    if not all(system.settled(a, b, _DIGITS_OF_A_SIGN) for a, b in zip(before, now, strict=True)):
        return False
    return name in fine.failed or all(
        system.settled(a[name], b[name], CORRECT_DIGITS)
        for a, b in ((rough.plain, fine.plain), (rough.changes, fine.changes))
        if name in b
    )


def with_ancestors(steps: tuple[Step, ...], names: set[str], held: Collection[str] = ()) -> tuple[Step, ...]:
    """The steps of these names and all that they stand on, in order; what is held as a number stands on nothing."""
    needed = set(names)
    for step in reversed(steps):
        if step.name in needed and step.name not in held:
            needed.update(step.inputs)
    return tuple(step for step in steps if step.name in needed and step.name not in held)
