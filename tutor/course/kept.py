"""What was computed for a lesson and is kept in the user's cache, under everything that it was computed from."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from tutor.course.folders import cache_folder
from tutor.course.read import Course
from tutor.errors import TutorError
from tutor.files import delete, make_folder, write_whole
from tutor.lessons.course_text import CourseText
from tutor.lessons.markdown import Fence
from tutor.lessons.read import read_toml
from tutor.read_files import read_text

T = TypeVar("T")
_LARGEST = 50_000_000
_MOST = 100
"""The files of a lesson; beyond that the oldest go."""
_PACKAGE = Path(__file__).resolve().parent.parent


class Kept(Struct, Generic[T], frozen=True):
    """One result, which is plain data of a `shape`: the place where it is, or will be."""

    path: Path
    shape: type[T]

    def read(self) -> T | None:
        """What an earlier run kept, if it can be read."""
        try:
            return msgspec.convert(json.loads(read_text(self.path, _LARGEST, "result")), self.shape)
        except (TutorError, ValueError):
            return None

    def write(self, value: T) -> None:
        """Keep it. A folder that nothing can be written into costs time and nothing else."""
        with suppress(TutorError, OSError):
            make_folder(self.path.parent)
            write_whole(self.path, json.dumps(msgspec.to_builtins(value)))
            _make_room(self.path)


def kept(lesson: str, shape: type[T], depends_on: Iterable[Any], folders: Sequence[str] = ("",)) -> Kept[T]:
    """The place of a result of the lesson that depends on these values, on the program, of which `folders` are enough,
    and on the libraries under it."""
    digest = hashlib.sha256(shape.__name__.encode())
    for part in (*map(repr, depends_on), *_program(folders), *_libraries()):
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    return Kept(_folder() / f"{_prefix(lesson)}{digest.hexdigest()[:40]}.json", shape)


class Shown(Struct, frozen=True):
    """All that was printed of a lesson."""

    text: str


def kept_page(course: Course, how: Sequence[Any]) -> Kept[Shown]:
    """The place of the lesson as it is printed in this way: it depends on its text, on the files that its experiments
    read, and on the whole program."""
    text = course.text
    return kept(course.name, Shown, [text.where, text.header, text.parts, *how, *data_files(_data_of(text))])


def _data_of(text: CourseText) -> Iterator[str]:
    """The data of the experiments, from their blocks as they are written: whether these are right is seen elsewhere."""
    for part in text.parts:
        if isinstance(part, Fence) and part.kind == "experiment":
            raw = read_toml(text.place(part))
            rows = raw.get("rows")
            for table in (raw, *(rows.values() if isinstance(rows, dict) else ())):
                if isinstance(table, dict) and isinstance(table.get("data"), str):
                    yield table["data"]


def data_files(names: Iterable[str]) -> Iterator[Any]:
    """What stands in those of the data that are files; one that cannot be read is told of where it is needed."""
    for name in names:
        if Path(name).suffix:  # a data set of the program has no ending
            from tutor.data.source import source_of

            with suppress(TutorError):
                yield source_of(name, None, 0)


def forget(lesson: str) -> None:
    """Keep nothing of the lesson any longer."""
    _discard(_folder().glob(f"{_prefix(lesson)}*"))


def _make_room(path: Path) -> None:
    of_lesson = path.parent.glob(f"{path.name.partition('-')[0]}-*")
    _discard(sorted(of_lesson, key=lambda one: one.stat().st_mtime, reverse=True)[_MOST:])


def _discard(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(TutorError):
            delete(path)


def _folder() -> Path:
    return cache_folder() / "lessons"


def _prefix(lesson: str) -> str:
    return f"{hashlib.sha256(lesson.encode(errors='surrogateescape')).hexdigest()[:12]}-"


def _program(folders: Sequence[str]) -> Iterator[str]:
    for folder in folders:
        every = [f"{at}/{name}" for at, _, names in os.walk(_PACKAGE / folder) for name in names]
        for path in sorted(name for name in every if name.endswith(".py")):
            yield hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _libraries() -> Iterator[str]:
    """Python, and what is installed beside it, each with its version: the names of the folders say it."""
    yield sys.version
    for folder in sys.path:
        with suppress(OSError):
            yield from sorted(one.name for one in Path(folder).iterdir() if one.suffix in (".dist-info", ".egg-info"))
