"""A marker's desk: one assignment, ready to mark any number of files, each of them by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tutor.errors import TutorError
from tutor.homework.assignment import Assignment, assign
from tutor.homework.handed_in import HandedIn, read_sheet
from tutor.homework.marking import Marker
from tutor.homework.report import Document, sheet_document
from tutor.homework.sheet import SheetMarker
from tutor.lesson_format import Homework, Lesson
from tutor.worksheet.build import build
from tutor.worksheet.step import Worksheet


@dataclass(frozen=True)
class Problem:
    """A worksheet with what is asked of it."""

    marker: SheetMarker
    assignment: Assignment


class Desk:
    """Marks the sheets of one lesson."""

    def __init__(self, lesson: Lesson, wanted: Homework) -> None:
        self.wanted = wanted
        self.problem = self._problem(build(lesson))

    def _problem(self, worksheet: Worksheet) -> Problem:
        assignment = assign(worksheet, self.wanted)
        return Problem(SheetMarker(Marker(worksheet, assignment.demands), assignment.asked), assignment)

    def mark_file(self, path: str | Path) -> Document:
        """The marked sheet as plain data. Raises TutorError for a file that is no sheet."""
        handed_in = read_sheet(path, self.problem.marker.program.places)
        return self.mark(_called(path), handed_in)

    def mark(self, name: str, handed_in: HandedIn) -> Document:
        problem = self.problem
        sheet = problem.marker.mark(handed_in.answers)
        document = sheet_document(name, sheet, problem.assignment, problem.marker.program.names, handed_in.about)
        if handed_in.remarks:
            document["remarks"] = list(handed_in.remarks)
        return document

    def mark_or_complain(self, path: str | Path) -> Document:
        """The same, or why the file cannot be marked: one broken file never stops the others."""
        try:
            return self.mark_file(path)
        except TutorError as error:
            return {"sheet": _called(path), "error": str(error)}


def _called(path: str | Path) -> str:
    return "standard input" if str(path) == "-" else Path(path).name


def sheets_in(paths: Sequence[Path]) -> list[Path]:
    """The files to mark: those named, and those in the folders named. Raises TutorError for what is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            files = (f for f in path.iterdir() if f.is_file() and not f.name.startswith("."))
            found += sorted(f for f in files if f.suffix.lower() in ENDINGS)
        else:
            found.append(path)
    return found


ENDINGS = (".csv", ".tsv", ".toml", ".json", ".md")
