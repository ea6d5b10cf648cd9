"""Results in the forms that learning platforms take: gradebooks as CSV, Gradescope, PrairieLearn.

Every file is written beside its place and then moved there, so that nothing half-written is ever found.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from tutor.files import Kind
from tutor.harmless import file_name, for_csv, for_markdown
from tutor.marking.report import CellReport, NotMarked, Report, SheetReport

PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "plain": ("student", "sheet", "score", "max_score", "percent", "root_errors", "slips", "notes"),
    "canvas": ("Student", "ID", "SIS User ID", "SIS Login ID", "Section"),
    "moodle": ("username", "idnumber", "email"),
}
"""The columns by which each platform knows a student; Canvas and Moodle add one with the title of the homework."""
GRADESCOPE = Kind("a result for Gradescope", rb'\{("score": [^",]+, )?"output": "# ')
PRAIRIELEARN = Kind("a result for PrairieLearn", rb'\{"gradable": (true|false), "score": [^",]+, "message": ')
FEEDBACK = Kind("feedback", rb"# [^\n]*: (not marked|[^\s:]+ of [^\s:]+ points)\n")


def student_of(sheet: Report) -> str:
    """Who handed the sheet in: what it says itself, else the name of its file."""
    return (isinstance(sheet, SheetReport) and sheet.student) or Path(sheet.sheet).stem


class Gradebook:
    """A CSV with one row a student, in the columns that the platform imports."""

    def __init__(self, file: IO[str], platform: str, title: str) -> None:
        self.writer = csv.writer(file)
        self.platform = platform
        self._told_points = platform != "canvas"
        self.writer.writerow(_heading(platform, title))

    def add(self, sheet: Report) -> None:
        """One row; a sheet that could not be marked has one without points, so that nobody is missing."""
        if isinstance(sheet, SheetReport) and not self._told_points:
            self.writer.writerow(["Points Possible", "", "", "", "", sheet.max_score])
            self._told_points = True
        self.writer.writerow([for_csv(cell) for cell in self._row(sheet)])

    def _row(self, sheet: Report) -> list[object]:
        student, score = student_of(sheet), "" if isinstance(sheet, NotMarked) else sheet.score
        if self.platform == "canvas":
            return [student, "", student, student, "", score]
        if self.platform == "moodle":
            return [student, student, student if "@" in student else "", score]
        if isinstance(sheet, NotMarked):
            told = f"not marked: {sheet.error}{f' ({sheet.fault})' if sheet.fault else ''}"
            return [student, sheet.sheet, "", "", "", "", "", told]
        percent = round(100 * sheet.score / sheet.max_score, 2) if sheet.max_score else 100
        slips = ", ".join(group.id for group in sheet.misconceptions)
        roots = ", ".join(sheet.root_errors)
        notes = "; ".join((*sheet.remarks, *sheet.unread, *sheet.notes))
        return [student, sheet.sheet, sheet.score, sheet.max_score, percent, roots, slips, notes]


def book_kind(platform: str, title: str) -> Kind:
    """A gradebook is known by its whole heading: one that somebody exported from a platform has more columns."""
    text = io.StringIO()
    csv.writer(text).writerow(_heading(platform, title))
    return Kind("a gradebook", re.escape(text.getvalue().encode("utf-8", "replace")))


def _heading(platform: str, title: str) -> list[object]:
    return [*PLATFORMS[platform], *([] if platform == "plain" else [for_csv(title)])]


def gradescope(sheet: Report, feedback: str) -> dict[str, Any]:
    """The results.json of a Gradescope autograder, with the feedback as a page of Markdown.

    After a fault of the program it has no score at all, which is a failure of the autograder there, and not 0 points.
    """
    if isinstance(sheet, NotMarked) and sheet.fault:
        return {"output": feedback, "output_format": "md", "tests": []}
    if isinstance(sheet, NotMarked):
        return {"score": 0, "output": feedback, "output_format": "md", "tests": []}
    tests = [
        {
            "name": cell.name,
            "score": earned,
            "max_score": cell.points,
            "status": "passed" if cell.credit else "failed",
            "output": _told(cell),
            "output_format": "text",
            "number": str(number),
            "visibility": "visible",
        }
        for number, (cell, earned) in enumerate(_earned(sheet), 1)
    ]
    for note in sheet.notes:
        told = {"name": "For the teacher", "status": "failed", "output": for_markdown(note), "output_format": "text"}
        tests.append({**told, "visibility": "hidden"})
    return {"score": sheet.score, "output": feedback, "output_format": "md", "tests": tests}


def prairielearn(sheet: Report, feedback: str) -> dict[str, Any]:
    """The results.json of a PrairieLearn external grader; what cannot be marked does not count as an attempt there."""
    if isinstance(sheet, NotMarked):
        told = [for_markdown(f"not marked: {sheet.error}")]
        return {"gradable": False, "score": 0, "message": "", "format_errors": told, "tests": []}
    tests = [
        {
            "name": cell.name,
            "description": cell.verdict,
            "points": earned,
            "max_points": cell.points,
            "message": _told(cell),
            "output": "",
        }
        for cell, earned in _earned(sheet)
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


def _earned(sheet: SheetReport) -> list[tuple[CellReport, float]]:
    return [(cell, cell.earned) for cell in sheet.cells if cell.points or cell.answer]


def _told(cell: CellReport) -> str:
    return "\n".join([for_markdown(cell.answer), cell.verdict, *(slip.message for slip in cell.slips[:3])])


def names_of(student: str) -> set[str]:
    """What a sheet may be called that belongs to a student: their id, or the file name that is made from it."""
    return {student, file_name(student, set())}
