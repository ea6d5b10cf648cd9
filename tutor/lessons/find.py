"""Finding a lesson file, by a path or by the name of one that comes with the program."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import TutorError, nearest
from tutor.lessons.format import Lesson
from tutor.lessons.read import parse_lesson
from tutor.read_files import is_folder, read_text

if TYPE_CHECKING:
    from tutor.worksheet.step import Worksheet


LARGEST_FILE = 1_000_000


def worksheet_of(lesson: Lesson, chain: str | None = None) -> Worksheet:
    """The lesson's worksheet; `chain` is `full` or `delta`, the lesson's own where none is given."""
    from tutor.worksheet.build import build

    try:
        return build(lesson, chain)
    except ValueError as error:
        raise TutorError(str(error)) from None


def shipped_folder() -> Path:
    """The folder of the lessons that come with the program, installed or in a checkout."""
    here = Path(__file__).resolve().parent.parent
    installed = here / "lesson_files"
    return installed if installed.is_dir() else here.parent / "lessons"


def folders() -> list[Path]:
    """The reader's own lesson folder, if TUTOR_LESSONS names one, and the shipped one."""
    own = os.environ.get("TUTOR_LESSONS")
    if own and not is_folder(own):
        raise TutorError(f"TUTOR_LESSONS names {own!r}, and that is no folder")
    return [*([Path(own)] if own else []), shipped_folder()]


def lesson_files() -> dict[str, Path]:
    """Every lesson that can be run by its bare name."""
    found: dict[str, Path] = {}
    for folder in reversed(folders()):
        found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return found


def course() -> list[tuple[str, Lesson]]:
    """All lessons with their names, in course order."""
    lessons = [(name, read_lesson(name)) for name in lesson_files()]
    return sorted(lessons, key=lambda pair: (pair[1].order, pair[0]))


def slug(name: str) -> str:
    """What a lesson is called in output: the bare name of its file."""
    return name if name == "-" else Path(name).stem


def lesson_text(name: str) -> str:
    """The text of the lesson: a bare name of a known lesson, a path, or `-` for standard input."""
    if name == "-":
        return read_text(name, LARGEST_FILE, "lesson")
    return read_text(lesson_file(name), LARGEST_FILE, "lesson")


def lesson_file(name: str) -> Path:
    """The file of the lesson of this name or path. Raises TutorError where the name is that of no lesson."""
    known = lesson_files()
    name = next((n for n in known if n.lower() == name.lower()), name)
    path = known.get(name, Path(name))
    bare = name not in known and name != "-" and not path.suffix and os.sep not in name
    if not name or (bare and not os.path.lexists(path)):
        raise TutorError(
            f"there is no lesson {name[:80]!r}{nearest(name, known)} (a file needs its ending, as in my.toml)"
        )
    return path


def read_lesson(name: str) -> Lesson:
    """The lesson by its name, path or `-`, completely checked. Raises TutorError for whatever is wrong with it."""
    return parse_lesson(lesson_text(name), _place_of(name))


def _place_of(name: str) -> str:
    """What messages call the file: its path, unless it came with the program."""
    path = lesson_files().get(name)
    if path is not None and path.parent != shipped_folder():
        return str(path)
    return "standard input" if name == "-" else name
