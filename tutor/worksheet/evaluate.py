"""The value of a formula, exactly, and of all steps of a worksheet, with as many digits as their differences need."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from tutor.arithmetic.exact import ExactSystem, Number
from tutor.arithmetic.symbolic import where
from tutor.errors import TutorError
from tutor.worksheet.step import Step

CORRECT_DIGITS = 34
_FIRST_DIGITS = 50
_MOST_DIGITS = 10_000

Rule = Callable[[Any, Mapping[str, Number], ExactSystem], Number]
RULES: dict[type, Rule] = {}


def value_of(formula: Any, values: Mapping[str, Number], system: ExactSystem) -> Number:
    """The value of `formula` where each name has the value given for it.

    Raises ZeroDivisionError or ValueError where it has none.
    """
    kind = type(formula)
    if kind not in RULES:
        RULES[kind] = next(RULES[ancestor] for ancestor in kind.__mro__ if ancestor in RULES)
    return RULES[kind](formula, values, system)


def _all(node: Any, values: Mapping[str, Number], system: ExactSystem) -> list[Number]:
    return [value_of(argument, values, system) for argument in node.args]


def _product(node: Any, values: Mapping[str, Number], system: ExactSystem) -> Number:
    factors = []
    for argument in node.args:
        factor = value_of(argument, values, system)
        if isinstance(factor, Fraction) and not factor:
            return factor  # 0·ln 0 is 0 here: the other factors are not needed
        factors.append(factor)
    return system.multiply(factors)


def _case(node: Any, values: Mapping[str, Number], system: ExactSystem) -> Number:
    z, then, otherwise = node.args
    return value_of(then if value_of(z, values, system) > 0 else otherwise, values, system)


RULES.update(
    {
        sympy.Symbol: lambda n, v, s: v[n.name],
        sympy.Rational: lambda n, v, s: Fraction(int(n.p), int(n.q)),
        sympy.Add: lambda n, v, s: s.add(_all(n, v, s)),
        sympy.Mul: _product,
        sympy.Pow: lambda n, v, s: s.power(*_all(n, v, s)),
        sympy.exp: lambda n, v, s: s.exp(*_all(n, v, s)),
        sympy.log: lambda n, v, s: s.log(*_all(n, v, s)),
        sympy.tanh: lambda n, v, s: s.tanh(*_all(n, v, s)),
        where: _case,
    }
)


def step_value(step: Step, values: Mapping[str, Number], system: ExactSystem) -> Number:
    """The value of one step. Raises TutorError, with its name, where it has none."""
    try:
        return system.bounded(value_of(step.formula, values, system))
    except ZeroDivisionError:
        raise TutorError(f"{step.name} divides by zero; change the numbers that lead to it") from None
    except (ValueError, OverflowError) as error:
        raise TutorError(f"{step.name} {error}; change the numbers that lead to it") from None


def evaluate_steps(
    givens: Mapping[str, Number], steps: Iterable[Step], written: Mapping[str, Fraction] | None = None
) -> dict[str, Number]:
    """The value of every given and step, each exact or correct to `CORRECT_DIGITS` significant digits.

    All steps are evaluated with two precisions. Where the two disagree, a difference of near equals has eaten
    digits, and those steps are evaluated again, with what they stand on, ever more precisely.

    With `written`, later steps stand on those numbers instead of the computed ones; a step that then has no value
    is left out. Without it such a step is an error.
    """
    steps = tuple(steps)
    digits = _FIRST_DIGITS
    rough = _pass(givens, steps, ExactSystem(digits), written)
    settled: dict[str, Number] = {}
    while True:
        digits = digits * 3 // 2
        system = ExactSystem(digits)
        fine = _pass(givens, steps, system, written)
        settled |= fine
        doubtful = {
            name for name in fine if name in rough and not system.settled(rough[name], fine[name], CORRECT_DIGITS)
        }
        if not doubtful:
            return settled
        if digits > _MOST_DIGITS:
            if unsettled := [name for name in doubtful if fine[name] != 0]:
                raise TutorError(
                    f"{unsettled[0]} is a difference so small that it cannot be computed; change the numbers"
                )
            return settled
        rough, steps = fine, _with_ancestors(steps, doubtful)


def _with_ancestors(steps: tuple[Step, ...], wanted: set[str]) -> tuple[Step, ...]:
    needed = set(wanted)
    for step in reversed(steps):
        if step.name in needed:
            needed.update(step.inputs)
    return tuple(step for step in steps if step.name in needed)


def _pass(
    givens: Mapping[str, Number], steps: Iterable[Step], system: ExactSystem, written: Mapping[str, Fraction] | None
) -> dict[str, Number]:
    values: dict[str, Number] = dict(givens)
    standing = values if written is None else ChainMap(dict(written), values)
    for step in steps:
        try:
            values[step.name] = step_value(step, standing, system)
        except (TutorError, KeyError):
            if written is None:
                raise
    return values
