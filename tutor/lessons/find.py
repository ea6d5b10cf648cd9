"""Finding a lesson file, by a path or by the name of one that comes with the program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import TutorError, nearest
from tutor.lessons.abbreviations import expanded
from tutor.lessons.course_text import CourseText, parse_course
from tutor.lessons.format import Header, Lesson
from tutor.lessons.markdown import is_course
from tutor.lessons.read import parse_lesson
from tutor.read_files import is_folder, read_text
from tutor.toml_text import parse_toml

if TYPE_CHECKING:
    from tutor.worksheet.step import Worksheet


LARGEST_FILE = 1_000_000
COURSE = ".md"
"""The ending of a lesson that is a text."""


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
    """Every lesson that can be run by its bare name. README.md and its like, in capitals, are none."""
    found: dict[str, Path] = {}
    for folder in reversed(folders()):
        for ending in (".toml", COURSE):
            found |= {path.stem: path for path in sorted(folder.glob(f"*{ending}")) if not path.stem.isupper()}
    return found


def course() -> list[tuple[str, Header]]:
    """All lessons with their names and what stands at their top, in course order."""
    return [(name, _header(opened)) for name, opened in open_course()]


def open_course() -> list[tuple[str, CourseText | Lesson]]:
    """All lessons with their names, in course order, each opened once."""
    lessons = [(name, _opened(path, _called(name, path))) for name, path in lesson_files().items()]
    return sorted(lessons, key=lambda pair: (_header(pair[1]).order, pair[0]))


def course_worksheets() -> Iterator[tuple[str, Worksheet]]:
    """Every worksheet of the course by LESSON/WORKSHEET, in order; what cannot be worked is told of elsewhere."""
    for lesson, found in open_course():
        if not isinstance(found, CourseText):
            continue
        for name in found.worksheets:
            with suppress(TutorError):
                yield f"{lesson}/{name}", worksheet_of(found.worksheet(name))


def _header(lesson: CourseText | Lesson) -> Header:
    if isinstance(lesson, CourseText):
        return lesson.header
    return Header(format=lesson.format, title=lesson.title, source=lesson.source, order=lesson.order)


def slug(name: str) -> str:
    """What a lesson is called in output: the bare name of its file, with that of its worksheet."""
    file, worksheet = address(name)
    stem = file if file == "-" else Path(file).stem
    return f"{stem}-{worksheet}" if worksheet else stem


def address(name: str) -> tuple[str, str]:
    """A lesson and, where LESSON/WORKSHEET is written, the worksheet; else nothing for it."""
    head, slash, tail = name.rpartition("/")
    if not slash or not head or not tail or tail.endswith((COURSE, ".toml")):
        return name, ""
    path = _known(head)
    return (head, tail) if path is not None and path.suffix == COURSE else (name, "")


def lesson_text(name: str) -> str:
    """The text of a worksheet as a lesson in TOML: that of its file, or what a lesson in Markdown says of it. The name
    is that of a known lesson, a path, or `-` for standard input, with /WORKSHEET where another than the first is
    meant."""
    text = _text(name)
    if not _is_course(name, text):
        return _unabbreviated(text)
    found, worksheet = parse_course(text, _place_of(name)), address(name)[1]
    found.worksheet(worksheet)  # what is wrong with it is told with the line where it stands
    return found.toml(found.worksheet_name(worksheet))


def _unabbreviated(text: str) -> str:
    """The text with its abbreviations written out, if it has any."""
    with suppress(ValueError):
        raw = parse_toml(text)
        if (whole := expanded(raw)) != raw:
            import tomli_w

            return tomli_w.dumps(whole)
    return text


def _text(name: str) -> str:
    return read_text(name if name == "-" else lesson_file(name), LARGEST_FILE, "lesson")


def _is_course(name: str, text: str) -> bool:
    return is_course(text) if name == "-" else lesson_file(name).suffix == COURSE


def lesson_file(name: str) -> Path:
    """The file of the lesson of this name or path. Raises TutorError where the name is that of no lesson."""
    name = address(name)[0]
    path = _known(name)
    if path is not None:
        return path
    path = Path(name)
    bare = name != "-" and not path.suffix and os.sep not in name
    if not name or (bare and not os.path.lexists(path)):
        raise TutorError(
            f"there is no lesson {name[:80]!r}{nearest(name, lesson_files())} (a file needs its ending, as in my.toml)"
        )
    return path


def _known(name: str) -> Path | None:
    """The file of a lesson of this name, or of a lesson in Markdown at this path."""
    known = lesson_files()
    if found := known.get(name) or next((path for n, path in known.items() if n.lower() == name.lower()), None):
        return found
    return Path(name) if name.endswith(COURSE) else None


def open_lesson(name: str) -> CourseText | Lesson:
    """The lesson of this name, path or `-`: a text with its worksheets, or a worksheet in TOML."""
    text, place = _text(name), _place_of(name)
    return parse_course(text, place) if _is_course(name, text) else parse_lesson(text, place)


def read_lesson(name: str) -> Lesson:
    """A worksheet by the name of its lesson, path or `-`, and its own, completely checked. Raises TutorError for
    whatever is wrong with it."""
    found = open_lesson(name)
    return found.worksheet(address(name)[1]) if isinstance(found, CourseText) else found


def _opened(path: Path, place: str) -> CourseText | Lesson:
    text = read_text(path, LARGEST_FILE, "lesson")
    return parse_course(text, place) if path.suffix == COURSE else parse_lesson(text, place)


def _place_of(name: str) -> str:
    """What messages call the lesson."""
    name = address(name)[0]
    path = lesson_files().get(name)
    if path is not None:
        return _called(name, path)
    return "standard input" if name == "-" else name


def _called(name: str, path: Path) -> str:
    """What messages call the file of a known lesson: its path, unless it came with the program."""
    if path.parent != shipped_folder():
        return str(path)
    return path.name if path.suffix == COURSE else name
