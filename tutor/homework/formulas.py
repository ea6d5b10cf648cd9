"""Answers that are formulas, alone or with the number that they give: `-(desired - out_out)*h1_out = 0.0516`."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from tutor.arithmetic.symbolic import names
from tutor.homework.equivalence import SECONDS, judge
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
        self._known = frozenset(program.names)
        self._judged: dict[tuple[int, Expr], str] = {}

    def read(self, texts: Mapping[int, str]) -> tuple[dict[int, Written], dict[int, str]]:
        """Every readable answer as a number, and for those that are or have a formula whether it is right."""
        written: dict[int, Written] = {}
        formulas: dict[int, Expr] = {}
        alone: list[int] = []
        for place, text in texts.items():
            try:
                written[place] = read_written(text)
                continue
            except ValueError:
                if not text.strip():
                    continue
            before, sign, after = text.rpartition("=")
            number, formula = self._number(after) if sign else None, self._formula(before if sign else text)
            if formula is None or (sign and number is None) or self._is_circular(formula, place):
                continue
            formulas[place] = formula
            if number is not None:
                written[place] = number
            else:
                alone.append(place)
        for place in alone:
            value = self.program.value_of(formulas[place], Standing(self.program, written).values)
            if value is None:
                del formulas[place]
            else:
                written[place] = Written(value, None)
        return written, self._judge(formulas)

    def _is_circular(self, formula: Expr, place: int) -> bool:
        """Whether it uses the line itself or one that stands on it: dE/dW5 is no answer to what dE/dW5 is."""
        followers = self.program.followers[place]
        return any(self.program.places[name] in followers for name in names(formula))

    def _number(self, text: str) -> Written | None:
        try:
            return read_written(text)
        except ValueError:
            return None

    def _formula(self, text: str) -> Expr | None:
        try:
            return parse(text, self._known)
        except ValueError:
            return None

    def _judge(self, formulas: Mapping[int, Expr]) -> dict[int, str]:
        """Whether each formula is the one asked for; a computation without names has only its value."""
        found = {}
        end = monotonic() + _SECONDS_A_SHEET
        for place, formula in formulas.items():
            if not names(formula):
                continue
            if (place, formula) not in self._judged:
                left = max(0.0, min(SECONDS, end - monotonic()))
                self._judged[place, formula] = judge(self.program, place, formula, left)
            found[place] = self._judged[place, formula]
        return found
