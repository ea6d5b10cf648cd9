"""Whether a formula that somebody wrote is the one that a line asks for.

First both are worked out, to fifty digits, with other numbers in the place of the given ones: where they differ once,
the formula is wrong, and that is a proof. Where they never differ SymPy is asked whether their difference is 0, in a
process of its own that is stopped when it takes too long.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from math import comb, prod
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import sympy

from tutor.arithmetic import decimals
from tutor.arithmetic.budget import Budget
from tutor.arithmetic.symbolic import folded, replace, symbol, written_size
from tutor.homework.program import Program
from tutor.workers import stand_by

Expr = Any
RIGHT, WRONG, UNDECIDED = "right", "wrong", "undecided"
SECONDS = 5.0
_FEWEST = 3  # trials in which both have a value
_AGREEMENT = Decimal("1e-25")
_MOST_PARTS, _MOST_TERMS = 3_000, 1_000
"""What SymPy is asked about: so much written out, so many terms multiplied out. More would keep it for minutes."""


def judge(program: Program, place: int, formula: Expr, budget: Budget | None = None, seconds: float = SECONDS) -> str:
    """`right`, `wrong`, or `undecided` where that is too much for SymPy, or was not done in time.

    Raises TooMuchComputing where the budget is spent.
    """
    agreed = 0
    with decimals.precision(program.digits):
        for values in program.trials:
            answer, asked = program.value_of(formula, values, budget), values[place]
            if answer is None or asked is None:
                continue
            if abs(answer - asked) > _AGREEMENT * max(abs(asked), abs(answer)):
                return WRONG
            agreed += 1
    if agreed < _FEWEST:
        return UNDECIDED
    step = program.steps[place - program.first]
    definitions = {s.name: (s.stage, s.formula) for s in program.steps[: place - program.first]}
    return RIGHT if _in_time(seconds, formula, step.formula, definitions) else UNDECIDED


def _in_time(seconds: float, *task: Any) -> bool:
    context: Any = get_context("fork" if sys.platform == "linux" else "spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(there, *task), daemon=True)
    child.start()
    there.close()
    try:
        return bool(here.poll(seconds) and here.recv())
    except EOFError:  # the child ended without an answer: out of memory, say
        return False
    finally:
        child.kill()
        child.join()
        here.close()


def _answer(there: Connection, formula: Expr, asked: Expr, definitions: Mapping[str, tuple[str, Expr]]) -> None:
    stand_by()
    there.send(_same(formula, asked, definitions))
    there.close()


def _same(formula: Expr, asked: Expr, definitions: Mapping[str, tuple[str, Expr]]) -> bool:
    """Whether the difference is 0, over the results of the forward pass or, if that does not show it, over the givens.

    0 to somebody who only sees derivatives written out is 0; the other way round it may take the formulas behind them.
    """
    derivatives = {name: f for name, (stage, f) in definitions.items() if stage in ("partial", "gradient")}
    everything = {name: f for name, (_, f) in definitions.items()}
    for known in (derivatives, everything):
        mine, theirs = _written_out(formula, known), _written_out(asked, known)
        if mine is None or theirs is None or max(_terms(mine), _terms(theirs)) > _MOST_TERMS:
            return False
        if sympy.simplify((mine - theirs).rewrite(sympy.exp)) == 0:
            return True
    return False


def _written_out(formula: Expr, definitions: Mapping[str, Expr]) -> Expr | None:
    """The formula over the givens alone; None where that would be too long."""
    written: dict[Expr, Expr] = {}
    sizes: dict[str, int] = {}
    for name, definition in definitions.items():
        sizes[name] = written_size(definition, sizes)
        written[symbol(name)] = replace(definition, written)
    return replace(formula, written) if written_size(formula, sizes) <= _MOST_PARTS else None


def _terms(expression: Expr) -> int:
    """How many terms there are at most in any part of it that is multiplied out."""
    most = 1

    def terms(node: Expr, inside: list[int]) -> int:
        nonlocal most
        if node.is_Add:
            found = sum(inside)
        elif node.is_Mul:
            found = prod(inside)
        elif node.is_Pow and node.args[1].is_Integer:
            found = comb(inside[0] - 1 + abs(int(node.args[1])), inside[0] - 1)
        else:
            found = 1
        found = min(found, _MOST_TERMS + 1)
        most = max(most, found)
        return found

    folded(expression, terms)
    return most
