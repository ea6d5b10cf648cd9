"""Files that are there whole or not at all."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from tutor.errors import TutorError


@contextmanager
def written_whole(path: Path, binary: bool = False) -> Iterator[IO[Any]]:
    """A file that appears at `path` only once it is complete: it is written beside it and then moved there.

    Raises TutorError where it cannot be written.
    """
    if not path.name or path.is_dir():
        raise TutorError(f"{str(path)!r} is a folder; name a file in it")
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):  # by somebody who was stopped
        left.unlink(missing_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with half.open("xb") if binary else half.open("x", encoding="utf-8", errors="replace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise TutorError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)
