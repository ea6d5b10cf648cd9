"""What a slip is: a way to rewrite the formula of a step as it would be with the slip.

A slip knows formulas, not networks, so it works on every worksheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tutor.formulas.expressions import MINUS_ONE, add, multiply, symbol
from tutor.maths.kind import Kind
from tutor.slips.roles import Roles
from tutor.worksheet.step import Step

Expr = Any


class Rewriting(NamedTuple):
    """The formula with the slip, and what in it the slip concerns: fills the `{}` of the hint.

    Who makes a slip in one line may make it in all lines of its kind: those that are then worked in the same way have
    the same `manner`. None is a matter of one line.
    """

    formula: Expr
    detail: str
    manner: str | None = None


class Hint(NamedTuple):
    """What to look at, without giving any value away: first the question to ask oneself, then the rule. `{}` in either
    is what the slip concerns."""

    question: str
    rule: str

    def of(self, detail: str) -> Hint:
        return Hint(self.question.format(detail), self.rule.format(detail))

    def __str__(self) -> str:
        return f"{self.question} {self.rule}"


@dataclass(frozen=True, slots=True)
class Slip:
    """A way to get a line wrong, and the two stages of its hint: the question has no number in it.

    `usual` tells the lines in which people make it: of slips that give the very same number those are named first. Half
    of a sum over two examples is rather a forgotten mean, half of a sum over two paths is not.
    """

    id: str
    question: str
    rule: str
    rewritings: Callable[[Step, Roles], Iterator[Rewriting]]
    usual: Callable[[Step, Roles], bool] = lambda step, roles: True

    @property
    def hint(self) -> Hint:
        return Hint(self.question, self.rule)


def nowhere(step: Step, roles: Roles) -> bool:
    """`usual` for what can happen in any line and is typical of none."""
    return False


def over_paths(step: Step, roles: Roles) -> bool:
    """`usual` for what happens where the chain rule adds up several paths."""
    return step.kind is Kind.GRADIENT and bool(step.formula.is_Add)


def not_over_paths(step: Step, roles: Roles) -> bool:
    """`usual` for what happens to sums over examples or outputs."""
    return not over_paths(step, roles)


def scaled(step: Step, factor: Expr) -> Expr:
    """The result times a factor; of an updated weight, its change."""
    if step.before is None or step.stage != "update":
        return multiply(factor, step.formula)
    old = symbol(step.before)
    return add(old, multiply(factor, add(step.formula, multiply(MINUS_ONE, old))))
