"""A worksheet for programs: plain data for `--json`, every value with its full precision."""

from __future__ import annotations

from typing import Any

from tutor.views.notation import expression_text
from tutor.views.numbers import full
from tutor.views.style import PLAIN
from tutor.views.worksheet.conventions import update_remarks
from tutor.views.worksheet.model import Tableau
from tutor.worksheet.step import Step

FORMAT = 1


def worksheet_document(lesson: str, tableau: Tableau, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `tutor run --json` prints."""
    worksheet = tableau.worksheet
    return {
        "format": FORMAT,
        "lesson": lesson,
        "conventions": conventions_document(tableau),
        "givens": [{"name": name, "value": full(value)} for name, value in worksheet.givens.items()],
        "steps": [_step(tableau, step) for step in worksheet.steps if not only or step.stage in only],
        "printed": [
            {
                "name": row.name,
                "printed": row.printed,
                "exact": full(row.exact),
                "verdict": row.verdict,
                "note": row.note,
                "place": row.place,
            }
            for row in tableau.printed
        ],
    }


def conventions_document(tableau: Tableau) -> dict[str, Any]:
    """What a reader must know to get the same numbers; on a blank worksheet without what comes of it."""
    worksheet, made = tableau.worksheet, tableau.worksheet.conventions
    return {
        "loss": made.loss,
        "loss_factor": made.loss_factor,
        "reduction": made.reduction,
        "batch": made.batch,
        "bias_policy": made.bias_policy,
        "optimizer": made.optimizer,
        "chain": made.chain,
        "arithmetic": "exact",
        "rounding": tableau.rounding or f"once, half to even, to {tableau.digits} decimals for display",
        "remarks": [
            *(update_remarks(worksheet, tableau.digits) if made.optimizer else ()),
            *made.remarks,
            *([made.ended] if made.ended and not tableau.blank else ()),
        ],
    }


def _step(tableau: Tableau, step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "stage": step.stage,
        "formula": expression_text(step.formula, PLAIN),
        "substituted": expression_text(step.formula, PLAIN, tableau.labels),
        "value": full(tableau.worksheet.values[step.name]),
        **_cancelled(tableau, step),
        **_rounding(tableau, step),
        "reason": step.reason,
        "inputs": list(step.inputs),
    }


def _cancelled(tableau: Tableau, step: Step) -> dict[str, Any]:
    """Whether it is proved that the terms of a sum cancel, or in how many digits they were found to."""
    if step.name not in tableau.worksheet.zeros:
        return {}
    digits = tableau.worksheet.zeros[step.name]
    return {"cancels": {"proved": True} if digits is None else {"proved": False, "digits": digits}}


def _rounding(tableau: Tableau, step: Step) -> dict[str, str]:
    """What the step gives when every line is rounded, where that is asked for."""
    if tableau.rounded is None:
        return {}
    return {"rounded": full(tableau.rounded[step.name]), "drift": tableau.drift(step)[1]}
