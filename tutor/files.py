"""The files that the program writes: which of them it may, and how each is there whole or not at all.

One rule for every command. What it reads, what another of its options writes, and what is no ordinary file is never
written over. Of what exists, only earlier results of the same command are replaced, known by how they begin; anything
else takes --force.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path
from typing import IO, Any

from tutor.errors import TutorError

_BEGINNING = 4096
STDOUT = "-"


@dataclass(frozen=True)
class Kind:
    """What a command writes: what it is called, and a pattern of how all of its own files begin.

    Without a pattern none is replaced unasked, its own neither: people go on working in such a file.
    """

    called: str
    begins: bytes = b""

    def wrote(self, path: Path) -> bool:
        """Whether this file is an earlier result of the command."""
        try:
            with path.open("rb") as file:
                return bool(self.begins) and re.match(self.begins, file.read(_BEGINNING)) is not None
        except OSError:
            return False


@dataclass(frozen=True)
class Target:
    """Where an option has a command write: to a file, or, where `files` is a pattern of names, to such files in a
    folder, which is made where there is none. With `stdout` the name - stands for standard output. Files that are
    `kept` are there already and stay as they are."""

    option: str
    path: Path
    kind: Kind
    files: str = ""
    stdout: bool = False
    kept: Collection[Path] = ()


def printed_too(option: str, path: Path | None, kind: Kind, json: bool) -> list[Target]:
    """The outputs of a command that writes a table, or with the name - prints it, and that may print JSON."""
    found = [Target(option, path, kind, stdout=True)] if path is not None else []
    return [*found, *([Target("--json", Path(STDOUT), kind, stdout=True)] if json else [])]


def claim(outputs: Iterable[Target], inputs: Iterable[Path] = (), force: bool = False) -> None:
    """Raises TutorError where an output may not be written, so that this is known before the work and not after it.

    Files are compared by what they are, not by what they are called.
    """
    used = {_identity(path): "is read by this command" for path in inputs} | _streams()
    known: list[Target] = []
    for output in outputs:
        another = f"name another {'folder' if output.files else 'file'} for {output.option}"
        if other := next((o for o in known if _overlap(o, output)), None):
            raise TutorError(f"{other.option} and {output.option} would both write {str(output.path)!r}; {another}")
        known.append(output)
        if str(output.path) == STDOUT:
            if output.stdout:
                continue
            raise TutorError(f"{output.option} writes a file; give it a name instead of {STDOUT}")
        found = [path for path in _existing(output) if path not in output.kept]
        for path in found:
            if taken := used.get(_identity(path)):
                raise TutorError(f"{str(path)!r} {taken}, so it is not written over; {another}")
        for path in found:
            if not force and not output.kind.wrote(path):
                what = f"is not {output.kind.called} of this program" if output.kind.begins else "may be your own work"
                raise TutorError(f"{str(path)!r} exists, {what} and would be replaced; {another}, or add --force")
        used |= {_identity(path): f"is written by {output.option}" for path in found}


def _existing(output: Target) -> Iterator[Path]:
    """What is there already where the output would be. Raises TutorError where nothing can be written at all."""
    path = output.path
    with _as_tutor_error(path):
        if not output.files:
            exists = _ordinary(path)
            _check_room(Path(os.path.realpath(path)).parent, path)
            if exists and not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, "it is write-protected")
            yield from [path] if exists else []
        elif path.is_dir():
            _check_room(path, path)
            found = (file for file in sorted(path.iterdir()) if fnmatchcase(file.name.lower(), output.files.lower()))
            yield from filter(_ordinary, found)
        else:
            _check_room(next(p for p in (path, *path.absolute().parents) if os.path.lexists(p)), path)


def _check_room(folder: Path, path: Path) -> None:
    if not folder.is_dir():
        there = "is no folder" if os.path.lexists(folder) else "is not there"
        raise TutorError(f"{str(path)!r} cannot be written: the folder {str(folder)!r} {there}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TutorError(f"{str(path)!r} cannot be written: the folder {str(folder)!r} is write-protected")


def _ordinary(path: Path) -> bool:
    """Whether a file is there. Raises TutorError where something else is, which nothing may take the place of."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise TutorError(f"{str(path)!r} is a folder; name a file in it")
    if not stat.S_ISREG(mode):
        raise TutorError(f"{str(path)!r} is not an ordinary file, and nothing else is written; name a file")
    return True


def _identity(path: Path) -> tuple[object, object]:
    """What file this is, whatever it is called; of one that is not there yet, where it will be. Names that differ in
    case alone are one file on many systems."""
    with suppress(OSError, ValueError):
        found = path.stat()
        if found.st_ino:
            return found.st_dev, found.st_ino
    with suppress(ValueError):
        path = Path(os.path.realpath(path))
    return "", str(path).casefold()


def _streams() -> dict[tuple[object, object], str]:
    """The files that standard input, output and error come from or go to."""
    found: dict[tuple[object, object], str] = {}
    for number, name in enumerate(("input", "output", "error")):
        with suppress(OSError):
            opened = os.fstat(number)
            if stat.S_ISREG(opened.st_mode) and opened.st_ino:
                found[opened.st_dev, opened.st_ino] = f"is standard {name}"
    return found


def _overlap(one: Target, other: Target) -> bool:
    """Whether two outputs can come to the same file."""
    if one.files and other.files:
        return one.files == other.files and _identity(one.path) == _identity(other.path)
    if one.files or other.files:
        folder, file = (one, other) if one.files else (other, one)
        inside = _identity(folder.path) == _identity(file.path.parent)
        return inside and fnmatchcase(file.path.name.lower(), folder.files.lower())
    return _identity(one.path) == _identity(other.path)


class _Part(io.FileIO):
    """A file that is being written. What goes wrong with it is told of the file that it will be."""

    def __init__(self, part: Path, path: Path) -> None:
        with _as_tutor_error(path):
            super().__init__(part, "x")
        self.path = path

    def write(self, data: Any, /) -> int:
        with _as_tutor_error(self.path):
            return super().write(data)


@contextmanager
def written(path: Path, binary: bool = False) -> Iterator[IO[Any]]:
    """A file that appears at `path` only once it is complete: it is written beside it and then moved there; the end
    of a symbolic link, where there is one. A file that is replaced hands its mode on.

    The unfinished file has a name that no other process has, and is nobody else's to delete. Raises TutorError where
    it cannot be written.
    """
    if str(path) == STDOUT:
        yield sys.stdout
        return
    with _as_tutor_error(path):
        target = Path(os.path.realpath(path))
        _ordinary(target)
    part = target.with_name(f".tutor-{os.urandom(8).hex()}.part")
    try:
        raw = io.BufferedWriter(_Part(part, path))
        with raw if binary else io.TextIOWrapper(raw, "utf-8", errors="replace", newline="") as file:
            yield file
            file.flush()
            with _as_tutor_error(path):
                os.fsync(file.fileno())
        with _as_tutor_error(path):
            if _ordinary(target):
                part.chmod(stat.S_IMODE(target.stat().st_mode))
            part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """The text as such a file."""
    with written(path) as file:
        file.write(text)


def open_for_appending(path: Path) -> IO[bytes]:
    """A file of the program's own, which nobody else may read, with what is in it and with room at its end."""
    with _as_tutor_error(path):
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)


def delete(path: Path) -> None:
    """Such a file, when it is no longer needed."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Give a file that is of no use another name, which nothing has yet, so that it is not lost. Returns that name."""
    names = (path.with_name(f"{path.name}.broken{f'-{n}' if n > 1 else ''}") for n in count(1))
    kept = next(name for name in names if not os.path.lexists(name))
    with _as_tutor_error(path):
        path.replace(kept)
    return kept


def make_folder(path: Path) -> None:
    """The folder, and every one above it that is missing."""
    with _as_tutor_error(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def _as_tutor_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: no name of a file has a NUL in it
        raise TutorError(f"{str(path)!r} cannot be written: {getattr(error, 'strerror', None) or error}") from None
