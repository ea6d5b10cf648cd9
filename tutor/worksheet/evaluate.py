"""The value of a formula, exactly, and of all steps of a worksheet, with as many digits as their differences need."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sympy

from tutor.arithmetic.budget import A_STEP, A_WORKSHEET, Budget, TooMuchComputing
from tutor.arithmetic.exact import ExactSystem, LogarithmOfZero, Number
from tutor.arithmetic.symbolic import ZERO, cospi, parts, where
from tutor.errors import TutorError
from tutor.worksheet.step import Step

CORRECT_DIGITS = 34
_FIRST_DIGITS = 50
_MOST_DIGITS = 10_000


def value_of(formula: Any, values: Mapping[str, Number], system: ExactSystem) -> Number:
    """The value of `formula` where each name has the value given for it.

    Raises ZeroDivisionError or ValueError where it has none, TooMuchComputing where the budget of the system is spent.
    """
    return _Evaluation(values, system).of(formula)


class _Evaluation:
    """One walk over a formula as a graph: what stands in several places of it is worked out once."""

    __slots__ = ("known", "system", "values")

    def __init__(self, values: Mapping[str, Number], system: ExactSystem) -> None:
        self.values, self.system = values, system
        self.known: dict[int, Number] = {}  # by identity, which the formula keeps

    def of(self, node: Any) -> Number:
        found = self.known.get(id(node))
        if found is None:
            kind = type(node)
            if kind not in RULES:
                RULES[kind] = next(RULES[ancestor] for ancestor in kind.__mro__ if ancestor in RULES)
            found = self.known[id(node)] = RULES[kind](node, self)
        self.system.charge(found)
        return found

    def all(self, node: Any) -> list[Number]:
        return [self.of(argument) for argument in node.args]


Rule = Callable[[Any, _Evaluation], Number]


def _product(node: Any, e: _Evaluation) -> Number:
    factors, logarithm_of_zero = [], False
    for argument in node.args:
        try:
            factors.append(e.of(argument))
        except LogarithmOfZero:
            logarithm_of_zero = True
    if logarithm_of_zero and not any(isinstance(f, Fraction) and not f for f in factors):
        raise LogarithmOfZero("takes the logarithm of 0")
    return e.system.multiply(factors)


def _case(node: Any, e: _Evaluation) -> Number:
    z, then, otherwise = node.args
    return e.of(then if e.system.is_positive(e.of(z)) else otherwise)


RULES: dict[type, Rule] = {
    sympy.Symbol: lambda node, e: e.values[node.name],
    sympy.Rational: lambda node, e: Fraction(int(node.p), int(node.q)),
    sympy.Add: lambda node, e: e.system.add(e.all(node)),
    sympy.Mul: _product,
    sympy.Pow: lambda node, e: e.system.power(*e.all(node)),
    sympy.exp: lambda node, e: e.system.exp(*e.all(node)),
    sympy.log: lambda node, e: e.system.log(*e.all(node)),
    sympy.tanh: lambda node, e: e.system.tanh(*e.all(node)),
    sympy.sin: lambda node, e: e.system.sin(*e.all(node)),
    sympy.cos: lambda node, e: e.system.cos(*e.all(node)),
    where: _case,
    cospi: lambda node, e: e.system.cospi(*e.all(node)),
}


def evaluate_formula(formula: Any, values: Mapping[str, Number]) -> Number:
    """The value of one formula, as precise as those of a worksheet. Raises TutorError where it has none."""
    step = Step("the formula", "check", formula, "formula")
    return evaluate_steps({name: values[name] for name in step.inputs}, [step])[step.name]


class _Values(ChainMap[str, Number]):
    """What later steps stand on: `written` numbers before `computed` ones; and why some steps have no value."""

    def __init__(self, givens: Mapping[str, Number], written: Mapping[str, Number]) -> None:
        self.computed: dict[str, Number] = dict(givens)
        self.failed: dict[str, str] = {}
        super().__init__(dict(written), self.computed)


def _pass(
    givens: Mapping[str, Number], steps: Iterable[Step], system: ExactSystem, written: Mapping[str, Number]
) -> _Values:
    values = _Values(givens, written)
    for step in steps:
        try:
            values.computed[step.name] = system.bounded(value_of(step.formula, values, system))
        except ZeroDivisionError:
            values.failed[step.name] = "divides by zero"
        except KeyError as missing:
            values.failed[step.name] = f"needs {missing.args[0]}, which has no value"
        except (ValueError, OverflowError) as error:
            values.failed[step.name] = str(error)
        except TooMuchComputing:
            raise TutorError(
                f"by {step.name} the worksheet asks for more computing than one may; give it smaller powers, or "
                "numbers with fewer digits"
            ) from None
    return values


def values_with(
    givens: Mapping[str, Number], steps: Iterable[Step], system: ExactSystem, held: Mapping[str, Number]
) -> Mapping[str, Number]:
    """The values in the given system when some quantities are held at other values than their own."""
    values = _pass(givens, steps, system, held)
    _complain_of(values.failed)
    return values


def evaluate_steps(
    givens: Mapping[str, Number], steps: Iterable[Step], written: Mapping[str, Fraction] | None = None
) -> dict[str, Number]:
    """The value of every given and step, each exact or correct to `CORRECT_DIGITS` significant digits.

    All steps are evaluated with two precisions. Where the two disagree, or a step has no value, a difference of near
    equals may have eaten digits; those steps are evaluated again, with what they stand on, ever more precisely.

    What shrinks with every digit that is added, down to the last, is 0, as the gradient by a bias that all outputs of a
    softmax share.

    With `written`, later steps stand on those numbers instead of the computed ones, and a step that then has no value
    is left out. Without it, TutorError names the step.
    """
    steps, standing = tuple(steps), written or {}
    budget = Budget(A_WORKSHEET + A_STEP * len(steps))
    every = steps
    digits = _FIRST_DIGITS
    rough = _pass(givens, steps, ExactSystem(digits, budget), standing)
    settled: dict[str, Number] = {}
    while True:
        digits = digits * 3 // 2
        system = ExactSystem(digits, budget)
        fine = _pass(givens, steps, system, standing)
        settled |= fine.computed
        doubtful = {step.name for step in steps if not _settled(step, rough, fine, system)}
        if written is None:
            _complain_of({name: why for name, why in fine.failed.items() if name not in doubtful})
        if not doubtful or digits > _MOST_DIGITS:
            break
        rough, steps = fine, with_ancestors(steps, doubtful)
    if vanishing := {name for name in doubtful if _vanishes(rough.get(name), fine.get(name), digits)}:
        return evaluate_steps(givens, [_without(step, vanishing) for step in every], written)
    if written is None:
        _complain_of(fine.failed)
        _complain_of({name: "is too small a difference to be computed" for name in doubtful if fine[name] != 0})
    return settled


def _complain_of(failed: Mapping[str, str]) -> None:
    for name, reason in failed.items():
        raise TutorError(f"{name} {reason}; change the numbers that lead to it")


def _settled(step: Step, rough: _Values, fine: _Values, system: ExactSystem) -> bool:
    name = step.name
    if name in fine.failed:
        rational = all(isinstance(fine.get(x), Fraction) for x in step.inputs)
        functions = any(isinstance(part, sympy.Function) for part in parts(step.formula))
        return rational and not functions  # then more digits would change nothing
    return name in rough.computed and system.settled(rough.computed[name], fine.computed[name], CORRECT_DIGITS)


def _vanishes(rough: Number | None, fine: Number | None, digits: int) -> bool:
    """Whether nothing but rounding is left of a difference: it gets smaller by as much as the precision gets finer."""
    if rough is None or fine is None or isinstance(rough, Fraction) or isinstance(fine, Fraction):
        return False
    ten, step = fine * 0 + 10, digits // 6  # half of the digits added
    return bool(abs(fine) <= abs(rough) * ten**-step and abs(fine) <= ten ** -(digits // 2))


def _without(step: Step, vanishing: set[str]) -> Step:
    """The step as 0 where it vanishes by itself, and not only because one of its inputs does."""
    return replace(step, formula=ZERO) if step.name in vanishing and not vanishing & {*step.inputs} else step


def with_ancestors(steps: tuple[Step, ...], wanted: set[str]) -> tuple[Step, ...]:
    """The wanted steps and all that they stand on, in order."""
    needed = set(wanted)
    for step in reversed(steps):
        if step.name in needed:
            needed.update(step.inputs)
    return tuple(step for step in steps if step.name in needed)
