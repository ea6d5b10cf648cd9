"""What a class is handed out: a problem and a sheet for every student of a roster. The keys lie in a folder of their
own, which is the teacher's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tutor.errors import TutorError
from tutor.escaping import file_name
from tutor.files import Kind, Target, make_folder, write_whole
from tutor.homework.variants import Varier, lesson_mark, problem_text, read_code, seed_of
from tutor.lessons.format import Homework, Lesson
from tutor.lessons.read import parse_lesson
from tutor.marking.assignment import Assignment, assign
from tutor.processes import workers
from tutor.read_files import is_file, read_any_encoding
from tutor.sheets.formats import ENDINGS, WRITERS, Paper, Question, questions
from tutor.sheets.read import read_about
from tutor.worksheet.step import Worksheet

_LARGEST = 5_000_000
_ALONE_UP_TO = 4  # students
_CHUNK = 2


PROBLEMS, SHEETS, KEYS = "problems", "sheets", "keys"
HANDED_OUT = Kind("a problem, a sheet or a key")


@dataclass(frozen=True)
class Pages:
    """How a problem is written for its student, with its questions and whose it is, and what the answers to it are."""

    problem: Callable[[Lesson, Worksheet, Sequence[Question], Mapping[str, str]], str]
    answers: Callable[[Worksheet, Assignment], Mapping[str, str]]


def targets_in(folder: Path, form: str, kept: Collection[Path] = ()) -> list[Target]:
    """What is written into the folder: problems, keys, and sheets, which may be filled already where they are there.
    Those that are `kept` are not written again."""
    endings = ((PROBLEMS, ".toml"), (PROBLEMS, ".md"), (SHEETS, ENDINGS[form]), (KEYS, ENDINGS[form]))
    return [Target("--out", folder / part, HANDED_OUT, f"*{ending}", kept=kept) for part, ending in endings]


@dataclass(frozen=True)
class Handout:
    """What a class is to get: the lesson, where it comes from, what is asked of it, and how sheets are written."""

    text: str
    where: str
    homework: Homework
    secret: str
    form: str
    pages: Pages


class StudentFiles(NamedTuple):
    """Where what is made for a student goes: the problem as a lesson and as a page, the sheet, and the key."""

    student: str
    problem: Path
    page: Path
    sheet: Path
    key: Path

    @property
    def files(self) -> tuple[Path, ...]:
        return self.problem, self.page, self.sheet, self.key


def files_of_students(handout: Handout, students: Sequence[str], folder: Path) -> list[StudentFiles]:
    """For everybody on the roster, in its order."""
    taken: set[str] = set()
    names = [file_name(student, taken) for student in students]
    ending = ENDINGS[handout.form]
    return [
        StudentFiles(
            student,
            folder / PROBLEMS / f"{name}.toml",
            folder / PROBLEMS / f"{name}.md",
            folder / SHEETS / f"{name}{ending}",
            folder / KEYS / f"{name}{ending}",
        )
        for student, name in zip(students, names, strict=True)
    ]


def handed_out(handout: Handout, files: Sequence[StudentFiles]) -> Iterator[Path]:
    """The files that are there already, from an earlier time or from one that was broken off: a problem that is the
    very one drawn from the code in it, and its student's own; a page, a sheet or a key that has such a code."""
    mark = lesson_mark(handout.text)
    for place in files:
        own = f"{mark}-{seed_of(handout.secret, place.student)}-"
        for path in filter(is_file, place.files):
            with suppress(TutorError):
                if _is_own(handout, path, own):
                    yield path


def _is_own(handout: Handout, path: Path, own: str) -> bool:
    if path.suffix == ".toml" and path.parent.name == PROBLEMS:
        text = read_any_encoding(path, _LARGEST, "problem")
        code = parse_lesson(text, str(path)).problem
        return code.startswith(own) and lesson_mark(text) == lesson_mark(problem_text(handout.text, read_code(code)))
    if path.parent.name == PROBLEMS:
        return own in read_any_encoding(path, _LARGEST, "problem")
    return read_about(path)[0].get("problem", "").startswith(own)


def hand_out(
    handout: Handout, files: Sequence[StudentFiles], kept: Collection[Path], folder: Path, jobs: int
) -> Iterator[str]:
    """Write the problem, the sheet and the key of each of these, but for the files to be kept; yields the ids as they
    are done, in their order."""
    for output in targets_in(folder, handout.form):
        make_folder(output.path)
    for place, texts in zip(files, _drawn(handout, [p.student for p in files], jobs), strict=True):
        for path, text in zip(place.files, texts, strict=True):
            if path not in kept:
                write_whole(path, text)
        yield place.student


def _drawn(handout: Handout, students: Sequence[str], jobs: int) -> Iterator[tuple[str, ...]]:
    """The problem of each student as a lesson and as a page, the sheet and the key."""
    if not students:
        return
    writer = _Writer(handout)
    if jobs == 1 or len(students) <= _ALONE_UP_TO:
        yield from map(writer.texts, students)
        return
    _writers[:] = [writer]  # where a forked process finds it
    with workers(jobs, _set_up, handout) as pool:
        yield from pool.map(_texts, students, chunksize=_CHUNK)
    _writers.clear()


class _Writer:
    """Draws problems and writes their sheets; what they have in common is made once."""

    def __init__(self, handout: Handout) -> None:
        self.handout = handout
        self.varier = Varier(handout.text, parse_lesson(handout.text, handout.where))

    def texts(self, student: str) -> tuple[str, ...]:
        handout, drawn = self.handout, self.varier.draw(seed_of(self.handout.secret, student))
        worksheet, lesson = drawn.worksheet, parse_lesson(drawn.text, student)
        about = {"student": student, "problem": str(drawn.code)}
        assignment = assign(worksheet, handout.homework)
        asked = questions(worksheet, assignment, {})
        filled = questions(worksheet, assignment, handout.pages.answers(worksheet, assignment))
        sheet, key = (
            WRITERS[handout.form](Paper(lesson.title, lines, worksheet.givens, about)) for lines in (asked, filled)
        )
        return drawn.text, handout.pages.problem(lesson, worksheet, asked, about), sheet, key


_writers: list[_Writer] = []


def _set_up(handout: Handout) -> None:
    if not _writers:
        _writers.append(_Writer(handout))


def _texts(student: str) -> tuple[str, ...]:
    return _writers[0].texts(student)
