"""A problem and an answer sheet of their own for every student of a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tutor.errors import TutorError
from tutor.harmless import file_name
from tutor.homework.assignment import assign
from tutor.homework.gradebook import write_text
from tutor.homework.sheet_text import ENDINGS, WRITERS, Paper, questions
from tutor.homework.variant import problem_text, seed_of
from tutor.homework.vary import Varier
from tutor.lesson_format import Homework, parse_lesson
from tutor.worksheet.build import build

PROBLEMS, SHEETS = "problems", "sheets"


def hand_out(
    varier: Varier, students: Sequence[str], secret: str, folder: Path, form: str, wanted: Homework
) -> Iterator[str]:
    """Write problems/NAME.toml and sheets/NAME for each student; yields the ids as they are done."""
    if folder.is_dir() and any(folder.iterdir()):
        raise TutorError(f"{str(folder)!r} is not empty; sheets in it may be filled already, so name a new folder")
    for part in (PROBLEMS, SHEETS):
        try:
            (folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TutorError(f"the folder {str(folder / part)!r} cannot be made: {error.strerror}") from None
    taken: set[str] = set()
    for student in students:
        text = problem_text(varier.text, varier.problem(seed_of(secret, student)))
        lesson = parse_lesson(text, student)
        worksheet = build(lesson)
        about = {"student": student, "problem": lesson.problem}
        asked = questions(worksheet, assign(worksheet, wanted), {})
        name = file_name(student, taken)
        write_text(folder / PROBLEMS / f"{name}.toml", text)
        sheet = WRITERS[form](Paper(lesson.title, asked, worksheet.givens, about))
        write_text(folder / SHEETS / f"{name}{ENDINGS[form]}", sheet)
        yield student
