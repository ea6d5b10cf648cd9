"""The results of one sheet in the forms that platforms take: Gradescope's and PrairieLearn's results.json, feedback."""

from __future__ import annotations

from typing import Any

from tutor.escaping import for_markdown
from tutor.files import Kind
from tutor.homework.gradebook import scaled
from tutor.marking.report import CellReport, NotMarked, Report, SheetReport, number

GRADESCOPE = Kind("a result for Gradescope", rb'\{("score": [^",]+, )?"output": "# ')
PRAIRIELEARN = Kind("a result for PrairieLearn", rb'\{"gradable": (true|false), ("score": [^",]+, )?"message": ')
FEEDBACK = Kind("feedback", rb"# [^\n]*: (not marked|[^\s:]+ of [^\s:]+ points)\n")


def gradescope(sheet: Report, feedback: str, scale: float = 0.0) -> dict[str, Any]:
    """The results.json of a Gradescope autograder, with the feedback as a page of Markdown.

    A sheet that was not marked has no score at all, which is a failure of the autograder there, and not 0 points; only
    a file that is no sheet, which whoever handed it in can mend, has 0.
    """
    if isinstance(sheet, NotMarked):
        can_be_mended = not sheet.fault and not sheet.is_not_own
        score = {"score": 0} if can_be_mended else {}
        return {**score, "output": feedback, "output_format": "md", "tests": []}
    most = sheet.max_score
    tests = [
        {
            "name": cell.name,
            "score": scaled_part(cell.earned, most, scale),
            "max_score": scaled_part(cell.points, most, scale),
            "status": "passed" if _is_passed(cell) else "failed",
            "output": _told(cell),
            "output_format": "text",
            "number": str(count),
            "visibility": "visible",
        }
        for count, cell in enumerate(_counting(sheet), 1)
    ]
    for note in (*sheet.notes, *(f"please look: {reason}" for reason in sheet.please_look)):
        told = {"name": "For the teacher", "output": for_markdown(note), "output_format": "text"}
        tests.append({**told, "visibility": "hidden"})
    return {"score": scaled(sheet.score, most, scale), "output": feedback, "output_format": "md", "tests": tests}


def scaled_part(points: int | float, most: int | float, scale: float) -> int | float:
    """Points of one line on the scale of the whole."""
    return number(points * scale / most) if scale and most else points


def _is_passed(cell: CellReport) -> bool:
    """A line with all of its points is passed, whatever excuses it; one without points where it earns credit."""
    return cell.dropped or (cell.earned >= cell.points if cell.points else cell.credit)


def prairielearn(sheet: Report, feedback: str) -> dict[str, Any]:
    """The results.json of a PrairieLearn external grader; what is not marked does not count as an attempt there."""
    if isinstance(sheet, NotMarked):
        told = [for_markdown(f"not marked: {sheet.shown}")]
        return {"gradable": False, "message": "", "format_errors": told, "tests": []}
    tests = [
        {
            "name": cell.name,
            "description": "does not count" if cell.dropped else cell.verdict,
            "points": cell.earned,
            "max_points": cell.points,
            "message": _told(cell),
            "output": "",
        }
        for cell in _counting(sheet)
    ]
    share = sheet.score / sheet.max_score if sheet.max_score else 1.0
    return {
        "gradable": True,
        "score": round(share, 6),
        "message": "",
        "output": feedback,
        "images": [],
        "format_errors": [],
        "tests": tests,
    }


def _counting(sheet: SheetReport) -> list[CellReport]:
    return [cell for cell in sheet.cells if cell.points or cell.answer]


def _told(cell: CellReport) -> str:
    said = ["does not count"] if cell.dropped else [cell.verdict, *(slip.message for slip in cell.slips[:3])]
    return "\n".join([for_markdown(cell.bare), *said, *(["accepted by the teacher"] if cell.accepted else [])])
