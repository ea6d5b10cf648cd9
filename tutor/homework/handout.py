"""What a class is handed out: a problem and a sheet for every student of a roster. The keys lie in a folder of their
own, which is the teacher's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tutor.delimited import Rows
from tutor.errors import TutorError
from tutor.files import Kind, Target, make_folder, write_whole
from tutor.harmless import file_name
from tutor.homework.variants import Varier, problem_text, seed_of
from tutor.lessons.format import Homework, Lesson
from tutor.lessons.read import parse_lesson
from tutor.marking.assignment import Assignment, assign
from tutor.read_files import read_typed
from tutor.sheets.formats import ENDINGS, WRITERS, Paper, Question, questions
from tutor.worksheet.build import build
from tutor.worksheet.step import Worksheet

ID_COLUMNS = ("id", "student", "student id", "username", "idnumber", "sis login id", "email")
_LARGEST = 5_000_000


def roster_ids(path: Path) -> list[str]:
    """Every id, each once, in the order of the file. Raises TutorError for what is no roster."""
    rows = iter(Rows(repr(str(path)), read_typed(path, _LARGEST, "roster"), ID_COLUMNS))
    heading = [cell.strip().lower() for cell in next(rows, (0, []))[1]]
    column = next((heading.index(name) for name in ID_COLUMNS if name in heading), None)
    if column is None:
        raise TutorError(f"{str(path)!r} has no column {ID_COLUMNS[0]!r} (or {', '.join(ID_COLUMNS[1:])})")
    ids = [row[column].strip() for _, row in rows if len(row) > column and row[column].strip()]
    if not ids:
        raise TutorError(f"{str(path)!r} has no students")
    return list(dict.fromkeys(ids))


PROBLEMS, SHEETS, KEYS = "problems", "sheets", "keys"
HANDED_OUT = Kind("a problem, a sheet or a key")


@dataclass(frozen=True)
class Pages:
    """How a problem is written for its student, with its questions and whose it is, and what the answers to it are."""

    problem: Callable[[Lesson, Worksheet, Sequence[Question], Mapping[str, str]], str]
    answers: Callable[[Worksheet, Assignment], Mapping[str, str]]


def targets_in(folder: Path, form: str) -> list[Target]:
    """What is written into the folder: problems, keys, and sheets, which may be filled already where they are there."""
    endings = ((PROBLEMS, ".toml"), (PROBLEMS, ".md"), (SHEETS, ENDINGS[form]), (KEYS, ENDINGS[form]))
    return [Target("--out", folder / part, HANDED_OUT, f"*{ending}") for part, ending in endings]


def hand_out(
    varier: Varier, students: Sequence[str], secret: str, folder: Path, form: str, wanted: Homework, pages: Pages
) -> Iterator[str]:
    """Write problems/NAME.md, the same as a lesson, sheets/NAME and keys/NAME for each student; yields the ids as they
    are done."""
    for output in targets_in(folder, form):
        make_folder(output.path)
    taken: set[str] = set()
    for student in students:
        text = problem_text(varier.text, varier.problem(seed_of(secret, student)))
        lesson = parse_lesson(text, student)
        worksheet = build(lesson)
        about = {"student": student, "problem": lesson.problem}
        assignment = assign(worksheet, wanted)
        asked = questions(worksheet, assignment, {})
        name = file_name(student, taken)
        write_whole(folder / PROBLEMS / f"{name}.toml", text)
        write_whole(folder / PROBLEMS / f"{name}.md", pages.problem(lesson, worksheet, asked, about))
        filled = questions(worksheet, assignment, pages.answers(worksheet, assignment))
        for part, lines in ((SHEETS, asked), (KEYS, filled)):
            sheet = WRITERS[form](Paper(lesson.title, lines, worksheet.givens, about))
            write_whole(folder / part / f"{name}{ENDINGS[form]}", sheet)
        yield student
