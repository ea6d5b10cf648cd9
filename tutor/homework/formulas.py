"""Answers that are formulas, alone or with the number that they give: `-(desired - out_out)*h1_out = 0.0516`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import monotonic
from typing import Any

from tutor.arithmetic.budget import A_SHEET, AN_ANSWER, Budget, TooMuchComputing
from tutor.arithmetic.exact import LARGEST_EXPONENT
from tutor.arithmetic.symbolic import names
from tutor.homework.equivalence import SECONDS, UNDECIDED, judge
from tutor.homework.program import Program
from tutor.homework.standing import Standing
from tutor.homework.written import Written, read_written
from tutor.worksheet.parse import parse

Expr = Any
_SECONDS_A_SHEET = 20.0


class Formulas:
    """Reads the answers of a sheet to one program, and remembers which formulas were found right."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._judged: dict[tuple[int, Expr], str] = {}

    def read(self, texts: Mapping[int, str]) -> tuple[dict[int, Written], dict[int, str], dict[int, str]]:
        """Every readable answer as a number; for those that are or have a formula whether it is right; and why the
        others cannot be read."""
        written: dict[int, Written] = {}
        formulas: dict[int, Expr] = {}
        reasons: dict[int, str] = {}
        alone: list[int] = []
        for place, text in texts.items():
            if not text.strip():
                continue
            try:
                written[place] = read_written(text)
            except ValueError:
                try:
                    formulas[place], number = self._formula(text, place)
                except ValueError as error:
                    reasons[place] = _reason(text, error)
                    continue
                if number is None:
                    alone.append(place)
                else:
                    written[place] = number
        budget = Budget(A_SHEET)
        for place in alone:
            try:
                with budget.share(AN_ANSWER) as share:
                    value = self.program.value_of(formulas[place], Standing(self.program, written).values, share)
            except TooMuchComputing:
                reasons[place] = _beyond(budget)
                continue
            if value is None:
                reasons[place] = "the formula has no value here"
            elif abs(value.adjusted()) > LARGEST_EXPONENT + abs(self.program.key[place].adjusted()):
                reasons[place] = f"what the formula gives is far beyond 10**±{LARGEST_EXPONENT}, as no number here is"
            else:
                written[place] = Written(value, None)
        judged, beyond = self._judge({p: f for p, f in formulas.items() if p not in reasons}, budget)
        for place, reason in beyond.items():
            del written[place]
            reasons[place] = reason
        return written, judged, reasons

    def _formula(self, text: str, place: int) -> tuple[Expr, Written | None]:
        """The formula in the text, and the number after its last equals sign. Raises ValueError with a reason."""
        before, sign, after = text.rpartition("=")
        if sign and not before.strip():
            raise ValueError("leave out the equals sign")
        number = read_written(after) if sign else None
        formula = parse(before if sign else text, self.program.places)
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
        found, reasons = {}, {}
        end = monotonic() + _SECONDS_A_SHEET
        for place, formula in formulas.items():
            if not names(formula):
                continue
            if (place, formula) not in self._judged:
                left = max(0.0, min(SECONDS, end - monotonic()))
                try:
                    with budget.share(AN_ANSWER) as share:
                        found[place] = judge(self.program, place, formula, share, left)
                except TooMuchComputing:
                    reasons[place] = _beyond(budget)
                    continue
                if found[place] == UNDECIDED:
                    continue
                self._judged[place, formula] = found[place]
            found[place] = self._judged[place, formula]
        return found, reasons


def _beyond(budget: Budget) -> str:
    """Why a formula was not worked to its end, when its share of the budget is spent."""
    if budget.left:
        return "this formula asks for more computing than an answer may"
    return "this sheet asks for more computing than a sheet may, by this formula and those above"


def _reason(text: str, error: ValueError) -> str:
    """Why an answer cannot be read, and what to do."""
    if re.fullmatch(r"\s*[-+−]?[0-9]+,[0-9]+\s*", text):
        return "write the number with a decimal point"
    if "%" in text:
        return "write the share as a number, 0.5 for 50%"
    return str(error)
