"""A problem and an answer sheet of their own for every student of a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tutor.files import Kind, Target, make_folder, write_whole
from tutor.harmless import file_name
from tutor.homework.assignment import assign
from tutor.homework.sheet_text import ENDINGS, WRITERS, Paper, questions
from tutor.homework.variant import problem_text, seed_of
from tutor.homework.vary import Varier
from tutor.lesson_format import Homework, parse_lesson
from tutor.worksheet.build import build

PROBLEMS, SHEETS = "problems", "sheets"
HANDED_OUT = Kind("a problem or a sheet")


def targets_in(folder: Path, form: str) -> list[Target]:
    """What is written into the folder: problems, and sheets, which may be filled already where they are there."""
    endings = ((PROBLEMS, ".toml"), (SHEETS, ENDINGS[form]))
    return [Target("--out", folder / part, HANDED_OUT, f"*{ending}") for part, ending in endings]


def hand_out(
    varier: Varier, students: Sequence[str], secret: str, folder: Path, form: str, wanted: Homework
) -> Iterator[str]:
    """Write problems/NAME.toml and sheets/NAME for each student; yields the ids as they are done."""
    for output in targets_in(folder, form):
        make_folder(output.path)
    taken: set[str] = set()
    for student in students:
        text = problem_text(varier.text, varier.problem(seed_of(secret, student)))
        lesson = parse_lesson(text, student)
        worksheet = build(lesson)
        about = {"student": student, "problem": lesson.problem}
        asked = questions(worksheet, assign(worksheet, wanted), {})
        name = file_name(student, taken)
        write_whole(folder / PROBLEMS / f"{name}.toml", text)
        sheet = WRITERS[form](Paper(lesson.title, asked, worksheet.givens, about))
        write_whole(folder / SHEETS / f"{name}{ENDINGS[form]}", sheet)
        yield student
