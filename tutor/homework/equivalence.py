"""Whether a formula that somebody wrote is the one that a line asks for.

First both are worked out, to fifty digits, with other numbers in the place of the given ones: where they differ once,
the formula is wrong, and that is a proof. Where they never differ SymPy is asked whether their difference is 0, in a
process of its own that is stopped when it takes too long.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from random import Random
from typing import Any

import sympy

from tutor.arithmetic import decimals
from tutor.arithmetic.symbolic import names, replace, symbol
from tutor.homework.program import Program

Expr = Any
RIGHT, WRONG, UNDECIDED = "right", "wrong", "undecided"
SECONDS = 5.0
_POINTS, _FEWEST = 6, 3
_AGREEMENT = Decimal("1e-25")


def judge(program: Program, place: int, formula: Expr, seconds: float = SECONDS) -> str:
    """`right`, `wrong`, or `undecided` where SymPy did not come to an end in time."""
    agreed = 0
    with decimals.precision(program.digits):
        for point in range(_POINTS):
            _, values = program.work({}, _other_numbers(program, Random(point)))
            answer, asked = program.value_of(formula, values), values[place]
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


def _other_numbers(program: Program, random: Random) -> list[Decimal]:
    """The givens, each changed by up to half, a zero into something else."""
    factors = [Decimal(random.randint(500, 1500)) / 1000 for _ in range(program.first)]
    return [(value or Decimal("0.3")) * factor for value, factor in zip(program.key, factors, strict=False)]


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
    there.send(_same(formula, asked, definitions))
    there.close()


def _same(formula: Expr, asked: Expr, definitions: Mapping[str, tuple[str, Expr]]) -> bool:
    """Whether the difference is 0, over the results of the forward pass or, if that does not show it, over the givens.

    0 to somebody who only sees derivatives written out is 0; the other way round it may take the formulas behind them.
    """
    derivatives = {name: f for name, (stage, f) in definitions.items() if stage in ("partial", "gradient")}
    everything = {name: f for name, (_, f) in definitions.items()}
    for known in (derivatives, everything):
        difference = _written_out(formula, known) - _written_out(asked, known)
        if sympy.simplify(difference.rewrite(sympy.exp)) == 0:
            return True
    return False


def _written_out(formula: Expr, definitions: Mapping[str, Expr]) -> Expr:
    while used := [name for name in names(formula) if name in definitions]:
        formula = replace(formula, {symbol(name): definitions[name] for name in used})
    return formula
