"""What has been marked of a class, kept until all of it is: so that who breaks it off can go on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec
from msgspec import Struct

from tutor import __version__
from tutor.files import delete, open_for_appending
from tutor.homework.marker import MarkingJob
from tutor.marking.report import NotMarked, Report, SheetReport
from tutor.read_files import is_file


class _Sheet(Struct):
    """One of the two."""

    marked: SheetReport | None = None
    unmarked: NotMarked | None = None


class _Kept(Struct):
    """The sheets of a file, known by what it was like."""

    file: str
    sheets: list[_Sheet]


class Journal:
    """A file of one line a sheet, in a folder in which results are written. It is known by the order: by the lesson,
    what is asked, and the class."""

    def __init__(self, folder: Path, job: MarkingJob, paths: Sequence[Path]) -> None:
        self.path = folder / f".tutor-{_key(job)}.marked"
        self._files = {path: _stamp(path) for path in paths}
        self._places: dict[str, tuple[int, int]] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Journal:
        self._file = open_for_appending(self.path)
        self._places = dict(_places(self._file))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It stays where the work was broken off."""
        if self._file is not None:
            self._file.close()
        if error is None:
            delete(self.path)

    def __contains__(self, path: Path) -> bool:
        return bool(self._files[path]) and self._files[path] in self._places

    def __getitem__(self, path: Path) -> list[Report]:
        assert self._file is not None
        place, length = self._places[self._files[path]]
        self._file.seek(place)
        kept = _kept(self._file.read(length))
        return [report for sheet in kept.sheets if (report := sheet.marked or sheet.unmarked) is not None]

    def add(self, path: Path, reports: Sequence[Report]) -> None:
        """A fault of the program is not kept: it may be gone the next time."""
        if self._file is None or not self._files[path] or any(isinstance(r, NotMarked) and r.fault for r in reports):
            return
        sheets = [_Sheet(None, report) if isinstance(report, NotMarked) else _Sheet(report) for report in reports]
        kept = msgspec.to_builtins(_Kept(self._files[path], sheets))
        self._file.write(json.dumps(kept).encode() + b"\n")


def _kept(line: bytes) -> _Kept:
    """Read by `json`, which keeps every character that a sheet may have in it, halves of surrogate pairs too."""
    return msgspec.convert(json.loads(line), _Kept)


def _places(file: IO[bytes]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Where each sheet stands, of all lines that were finished."""
    file.seek(0)
    place = 0
    for line in file:
        if line.endswith(b"\n"):
            with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                yield _kept(line).file, (place, len(line))
        place += len(line)


def _stamp(path: Path) -> str:
    """What a file is like; changed, it is another one. Nothing of what is no file, such as standard input."""
    if not is_file(path):
        return ""
    found = path.stat()
    return f"{path}/{found.st_size}/{found.st_mtime_ns}"


def _key(job: MarkingJob) -> str:
    owners = job.owners
    parts = [__version__, job.text, repr(job.homework), str(job.before), str(job.feedback)]
    parts += [owners.secret, repr(sorted(owners.codes.items()))] if owners else []
    parts += [repr(job.roster.ids)] if job.roster else []
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
