"""How far the reader is: which lesson, which part of it, and what was answered, kept in one file."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
from msgspec import Struct, field

from tutor.course.folders import progress_file
from tutor.errors import TutorError
from tutor.files import make_folder, set_aside, write_whole
from tutor.read_files import is_file, read_text

FORMAT = 1
_LARGEST = 10_000_000
Say = Callable[[str], None]


class Answered(Struct):
    """A question with every answer that was given, how many hints were asked for, and whether it is done."""

    given: list[str] = field(default_factory=list)
    hints: int = 0
    right: bool = False


class Place(Struct):
    """How far a lesson was read: the next part, of how many, and what was answered, by the name of the question or the
    words that it asks."""

    part: int = 0
    parts: int = 0
    answered: dict[str, Answered] = field(default_factory=dict)

    @property
    def share(self) -> float:
        return min(1.0, self.part / self.parts) if self.parts else 0.0


class Progress(Struct):
    """Everything that is remembered; `last` is the lesson that was read last."""

    format: int = FORMAT
    last: str = ""
    lessons: dict[str, Place] = field(default_factory=dict)

    def place(self, lesson: str) -> Place:
        return self.lessons.setdefault(lesson, Place())


def read_progress(say: Say = lambda text: None) -> Progress:
    """What is remembered. A file that cannot be read is set aside, and that is said."""
    path = progress_file()
    if not is_file(path):
        return Progress()
    try:
        found = msgspec.convert(json.loads(read_text(path, _LARGEST, "progress")), Progress)
        if found.format != FORMAT:
            raise ValueError(f"it has format {found.format}")
        return found
    except (TutorError, ValueError, RecursionError) as error:
        try:
            kept = set_aside(path)
            say(f"what was remembered cannot be read ({str(error)[:100]}); it is kept as {kept}, and a new file begins")
        except TutorError as fault:
            say(str(fault))
        return Progress()


def write_progress(progress: Progress) -> None:
    """Keep it, whole or not at all. Raises TutorError where the folder cannot be written."""
    path = progress_file()
    make_folder(path.parent)
    write_whole(path, json.dumps(msgspec.to_builtins(progress), indent=1) + "\n")


def done_of(progress: Progress, lesson: str) -> float | None:
    """The share of the lesson that was read; None where it was never begun."""
    place = progress.lessons.get(lesson)
    return place.share if place is not None and place.parts else None
