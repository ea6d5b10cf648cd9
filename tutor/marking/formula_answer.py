"""Answers that are formulas: whether one is the formula that its line asks for."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from decimal import Decimal
from math import comb, prod
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from tutor.formulas.expressions import folded, names, replace, symbol, written_size
from tutor.formulas.names import plain_name
from tutor.formulas.parse import parse
from tutor.marking.answer import WrittenNumber, read_written
from tutor.marking.as_written import plain_number, why_unreadable
from tutor.marking.key import Program
from tutor.numbers import decimals
from tutor.numbers.budget import A_SHEET, AN_ANSWER, Budget, TooMuchComputing
from tutor.numbers.exact import LARGEST_EXPONENT

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

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
    from multiprocessing import get_context

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
    from tutor.processes import follow_parent

    follow_parent()
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


_SECONDS_A_SHEET = 20.0
NUMBERS, FORMULAS, EITHER = "numbers", "formulas", "either"
"""What an answer may be."""


class ReadAnswers(NamedTuple):
    """The answers of a sheet: every readable one as a number, the formulas in them, whether each is right, and why the
    others cannot be read."""

    written: dict[int, WrittenNumber]
    formulas: Mapping[int, Expr]
    judged: dict[int, str]
    reasons: dict[int, str]

    def is_beside(self, place: int) -> bool:
        """Whether the answer is a formula and a number."""
        return place in self.formulas and place in self.written and self.written[place].exponent is not None


class Formulas:
    """Reads the answers of a sheet to one program, and remembers which formulas were found right."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._judged: dict[tuple[int, Expr], str] = {}

    def read(self, texts: Mapping[int, str], answers: str = EITHER) -> ReadAnswers:
        """Every answer read, where it may be what it is."""
        written: dict[int, WrittenNumber] = {}
        formulas: dict[int, Expr] = {}
        reasons: dict[int, str] = {}
        alone: list[int] = []
        for place, text in texts.items():
            if not text.strip():
                continue
            try:
                written[place] = read_written(plain_number(text, self.program.names[place]))
                if answers == FORMULAS and self.program.compiled.inputs[place]:
                    del written[place]
                    reasons[place] = "a formula is asked for here, in the names of the lines above"
            except ValueError:
                try:
                    formulas[place], number = self._formula(text, place)
                except ValueError as error:
                    reasons[place] = why_unreadable(text, error)
                    continue
                if number is None and answers == NUMBERS:
                    reasons[place] = "a number is asked for here; write what the formula gives"
                elif number is None:
                    alone.append(place)
                else:
                    written[place] = number
        budget = Budget(A_SHEET)
        for place in alone:
            try:
                with budget.share(AN_ANSWER) as share:
                    value = self.program.value_of(
                        formulas[place], self.program.work({p: w.value for p, w in written.items()})[0], share
                    )
            except TooMuchComputing:
                reasons[place] = _beyond(budget)
                continue
            if value is None:
                reasons[place] = "the formula has no value here"
            elif abs(value.adjusted()) > LARGEST_EXPONENT + abs(self.program.key[place].adjusted()):
                reasons[place] = f"what the formula gives is far beyond 10**±{LARGEST_EXPONENT}, as no number here is"
            else:
                written[place] = WrittenNumber(value, None)
        judged, beyond = self._judge({p: f for p, f in formulas.items() if p not in reasons}, budget)
        for place, reason in beyond.items():
            del written[place]
            reasons[place] = reason
        return ReadAnswers(written, formulas, judged, reasons)

    def _formula(self, text: str, place: int) -> tuple[Expr, WrittenNumber | None]:
        """The formula in the text, and the number after its last sign of equality. Raises ValueError with a reason."""
        sides = [side for side in re.split("[=≈]", text) if side.strip()]
        if len(sides) > 1 and plain_name(sides[0]) == self.program.names[place]:
            del sides[0]
        if not sides:
            raise ValueError("there is nothing beside the equals sign")
        number = read_written(plain_number(sides[-1])) if len(sides) > 1 else None
        formula = parse(sides[0], self.program.places)
        if self._is_circular(formula, place):
            raise ValueError("a line is no answer to itself; use the lines above it")
        return formula, number

    def _is_circular(self, formula: Expr, place: int) -> bool:
        """Whether it uses the line itself or one that stands on it: dE/dW5 is no answer to what dE/dW5 is."""
        followers = self.program.compiled.followers[place]
        return any(self.program.places[name] in followers for name in names(formula))

    def _judge(self, formulas: Mapping[int, Expr], budget: Budget) -> tuple[dict[int, str], dict[int, str]]:
        """Whether each formula is the one asked for; a computation without names has only its value. And why some
        cannot be judged."""
        verdicts, reasons = {}, {}
        end = monotonic() + _SECONDS_A_SHEET
        for place, formula in formulas.items():
            if not names(formula):
                continue
            if (place, formula) not in self._judged:
                left = max(0.0, min(SECONDS, end - monotonic()))
                try:
                    with budget.share(AN_ANSWER) as share:
                        verdicts[place] = judge(self.program, place, formula, share, left)
                except TooMuchComputing:
                    reasons[place] = _beyond(budget)
                    continue
                if verdicts[place] == UNDECIDED:
                    continue
                self._judged[place, formula] = verdicts[place]
            verdicts[place] = self._judged[place, formula]
        return verdicts, reasons


def _beyond(budget: Budget) -> str:
    """Why a formula was not worked to its end, when its share of the budget is spent."""
    if budget.left:
        return "this formula asks for more computing than an answer may"
    return "this sheet asks for more computing than a sheet may, by this formula and those above"
