"""Reading a file that somebody named: whole, no more than may be, and never one that waits or does not end."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from tutor.errors import TutorError

_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def opened(path: Path | str, called: str = "") -> Iterator[BufferedReader]:
    """The file at `path`, open for reading; messages call it by its path, or as `called` says.

    Raises TutorError where it is no ordinary file, cannot be opened, or cannot be read later on.
    """
    where = called or repr(str(path))
    try:
        _check_kind(Path(path).stat().st_mode, where)  # before it is opened: that alone may start a device
        descriptor = os.open(path, _READING)
    except FileNotFoundError:
        raise TutorError("there is no such file" if called else f"there is no file {where}") from None
    except (OSError, ValueError) as error:  # ValueError: no name of a file has a NUL in it
        raise unreadable(where, error) from None
    with os.fdopen(descriptor, "rb") as file:
        try:
            _check_kind(os.fstat(file.fileno()).st_mode, where)
            yield file
        except OSError as error:
            raise unreadable(where, error) from None


def read_whole(path: Path | str, most: int, what: str, called: str = "") -> bytes:
    """The bytes of the file at `path`, or of standard input for `-`; with more than `most` it is no `what`."""
    if str(path) == "-":
        raw, where = _standard_input(most), called or "standard input"
    else:
        where = called or repr(str(path))
        with opened(path, called) as file:
            size = os.fstat(file.fileno()).st_size or most  # some that are not empty say 0
            raw = file.read(min(size, most) + 1)  # for so many bytes memory is taken, however many there are
    if len(raw) > most:
        raise TutorError(f"{where} has more than {most:,} bytes; that is no {what}")
    return raw


def read_text(path: Path | str, most: int, what: str) -> str:
    """The same as text: UTF-8, with or without a byte order mark. Raises TutorError for every other encoding."""
    try:
        return read_whole(path, most, what).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = "standard input" if str(path) == "-" else repr(str(path))
        raise TutorError(f"{where} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8") from None


def encoding_of(beginning: bytes) -> str:
    """UTF-16 where a text begins with its byte order mark, else UTF-8."""
    return "utf-16" if beginning.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"


def decoded(raw: bytes) -> str:
    """The text of a small file from a person's spreadsheet: where it is neither UTF-8 nor marked as UTF-16, as Windows
    writes it."""
    try:
        return raw.decode(encoding_of(raw), errors="replace" if encoding_of(raw) == "utf-16" else "strict")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def read_any_encoding(path: Path | str, most: int, what: str, called: str = "") -> str:
    """The text of a small file, whichever way it is encoded."""
    return decoded(read_whole(path, most, what, called))


def unreadable(where: str, error: Exception) -> TutorError:
    """What to raise where the system does not let a file be read."""
    return TutorError(f"{where} cannot be read: {getattr(error, 'strerror', None) or error}")


def is_folder(path: Path | str) -> bool:
    """Whether it is a folder; no where the system does not let that be known."""
    with suppress(OSError, ValueError):
        return Path(path).is_dir()
    return False


def is_file(path: Path | str) -> bool:
    """Whether it is an ordinary file; no where the system does not let that be known."""
    with suppress(OSError, ValueError):
        return Path(path).is_file()
    return False


def real_path(path: Path | str) -> str:
    """Where the file is, through every symbolic link; of links that go round in circles the path itself."""
    return os.path.realpath(path)


def _standard_input(most: int) -> bytes:
    try:
        return sys.stdin.buffer.read(most + 1)
    except OSError as error:
        why = "is closed" if error.errno == errno.EBADF else f"cannot be read: {error.strerror}"
        raise TutorError(f"standard input {why}") from None


def _check_kind(mode: int, where: str) -> None:
    if stat.S_ISDIR(mode):
        raise TutorError(f"{where} is a folder, not a file")
    if not stat.S_ISREG(mode):
        raise TutorError(f"{where} is not an ordinary file")
