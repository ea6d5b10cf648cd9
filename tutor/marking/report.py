"""A marked sheet as plain data: what `tutor check --json` prints and every other form of feedback is made from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from functools import cache
from typing import Any

from tutor.marking.assignment import Assignment
from tutor.marking.diagnosis import Fit
from tutor.marking.formula_answer import RIGHT
from tutor.marking.key import Program
from tutor.marking.sheet import Cell, MarkedSheet
from tutor.marking.verdict import CREDIT
from tutor.slips.registry import ARITHMETIC, ARITHMETIC_HINT, RIGHT_FORMULA_HINT

_SHOWN = Context(prec=30)
_LONGEST_ECHO = 200
Document = dict[str, Any]


class Reporter:
    """Writes the documents of one problem; what is the same on every sheet is written once."""

    def __init__(self, program: Program, assignment: Assignment) -> None:
        self.program, self.assignment = program, assignment
        self._form = cache(self._blank_form)

    def document(self, name: str, sheet: MarkedSheet, about: Mapping[str, str]) -> Document:
        """Everything about one sheet."""
        earned = self.assignment.earned(sheet)
        return {
            "sheet": name,
            **({"student": about["student"]} if "student" in about else {}),
            "cells": [self._cell(cell, earned) for cell in sheet.cells],
            "root_errors": sheet.root_errors,
            "misconceptions": [{"id": slip, "cells": list(cells)} for slip, cells in sheet.misconceptions.items()],
            "score": number(sum(earned.values())),
            "max_score": self.assignment.max_score,
            "done": self.assignment.is_done(sheet),
        }

    def _cell(self, cell: Cell, earned: Mapping[str, float]) -> Document:
        mark = cell.mark
        name, form = mark.name, self._form(mark.name)
        document = {
            **form,
            "answer": mark.answer[:_LONGEST_ECHO],
            "from_own": form["key"] if mark.own == mark.key else _text(mark.own),
            "verdict": mark.verdict,
            "slips": [self._slip(fit, name) for fit in cell.slips] if cell.slips else [],
            "earned": number(earned.get(name, 0)),
            "credit": mark.verdict in CREDIT,
        }
        if cell.formula:
            document["formula"] = cell.formula
        if cell.reason:
            document["reason"] = cell.reason[:_LONGEST_ECHO]
        if mark.verdict == "wrong" and not cell.slips:
            hint = RIGHT_FORMULA_HINT if cell.formula == RIGHT else ARITHMETIC_HINT
            document["slips"] = [{"id": ARITHMETIC, "message": hint, "value": _text(mark.own), "sure": False}]
        return document

    def _blank_form(self, name: str) -> Document:
        """A cell with what is the same on every sheet, and with room for the rest."""
        key = _text(self.program.key[self.program.places[name]])
        return {
            "name": name,
            "answer": "",
            "key": key,
            "from_own": key,
            "verdict": "",
            "stage": self.program.worksheet.by_name[name].stage,
            "slips": [],
            "points": self.assignment.points.get(name, 0),
            "earned": 0,
            "credit": False,
        }

    def _slip(self, fit: Fit, marked: str) -> Document:
        line = self.program.names[fit.place]
        where = {} if line == marked else {"in": line}
        before = "" if line == marked else f"In {line}, which was left blank: "
        doubt = "" if fit.sure else "Could be: "
        return {
            "id": fit.id,
            "message": before + doubt + fit.hint,
            "value": _text(fit.value),
            "sure": fit.sure,
            **where,
        }


def _text(value: Decimal | None) -> str | None:
    if not value:
        return None if value is None else "0"
    short = _SHOWN.plus(value).normalize()
    text = str(short)
    return f"{short:f}" if "E" in text and -12 <= short.adjusted() <= 18 else text


def number(points: float) -> float:
    """Points without the noise of floating point: whole where they are."""
    if isinstance(points, int):
        return points
    rounded = round(points, 6)
    return int(rounded) if rounded == int(rounded) else rounded
