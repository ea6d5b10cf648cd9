"""A marked sheet as plain data: what `tutor check --json` prints and every other form of feedback is made from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from tutor.homework.assignment import Assignment
from tutor.homework.diagnosis import Fit
from tutor.homework.equivalence import RIGHT
from tutor.homework.sheet import Cell, MarkedSheet
from tutor.homework.slips import ARITHMETIC, ARITHMETIC_HINT, RIGHT_FORMULA_HINT
from tutor.homework.verdict import CREDIT

_SHOWN = Context(prec=20)
_LONGEST_ECHO = 200
Document = dict[str, Any]


def sheet_document(
    name: str, sheet: MarkedSheet, assignment: Assignment, names: tuple[str, ...], about: Mapping[str, str]
) -> Document:
    """Everything about one sheet; `names` has the quantity at each place."""
    earned = assignment.earned(sheet)
    return {
        "sheet": name,
        **({"student": about["student"]} if "student" in about else {}),
        "cells": [_cell(cell, assignment, earned, names) for cell in sheet.cells],
        "root_errors": sheet.root_errors,
        "misconceptions": [{"id": slip, "cells": list(cells)} for slip, cells in sheet.misconceptions.items()],
        "score": number(sum(earned.values(), Fraction(0))),
        "max_score": number(assignment.max_score),
        "done": assignment.is_done(sheet),
    }


def _cell(cell: Cell, assignment: Assignment, earned: Mapping[str, Fraction], names: tuple[str, ...]) -> Document:
    mark = cell.mark
    slips = [_slip(fit, mark.name, names) for fit in cell.slips]
    if mark.verdict == "wrong" and not slips:
        hint = RIGHT_FORMULA_HINT if cell.formula == RIGHT else ARITHMETIC_HINT
        slips = [{"id": ARITHMETIC, "message": hint, "value": _text(mark.own), "sure": False}]
    return {
        "name": mark.name,
        "answer": mark.answer[:_LONGEST_ECHO],
        "key": _text(mark.key),
        "from_own": _text(mark.own),
        "verdict": mark.verdict,
        "slips": slips,
        "points": number(assignment.points.get(mark.name, Fraction(0))),
        "earned": number(earned.get(mark.name, Fraction(0))),
        "credit": mark.verdict in CREDIT,
        **({"formula": cell.formula} if cell.formula else {}),
    }


def _slip(fit: Fit, marked: str, names: tuple[str, ...]) -> Document:
    line = names[fit.place]
    where = {} if line == marked else {"in": line}
    before = "" if line == marked else f"In {line}, which was left blank: "
    doubt = "" if fit.sure else "Could be: "
    return {"id": fit.id, "message": before + doubt + fit.hint, "value": _text(fit.value), "sure": fit.sure, **where}


def _text(value: Decimal | None) -> str | None:
    if value is None:
        return None
    short = _SHOWN.plus(value).normalize()
    return f"{short:f}" if -12 <= short.adjusted() <= 18 or not short else str(short)


def number(value: Fraction) -> int | float:
    """Points: whole where they are."""
    return int(value) if value.denominator == 1 else round(float(value), 6)
