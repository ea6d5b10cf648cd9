"""Data from the user's own files. How a file is read is chosen by the ending of its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tutor.data.builtin import Data
from tutor.data.limits import Task, size_of
from tutor.data.read_idx import read_idx
from tutor.data.read_npz import read_npz
from tutor.data.read_table import read_csv
from tutor.data.treatment import AS_IT_STANDS, Treatment
from tutor.errors import TutorError
from tutor.read_files import is_folder

Reader = Callable[[Path, str | None, Task], Data]
READERS: dict[str, Reader] = {
    r"\.(csv|tsv)$": read_csv,
    r"\.npz$": read_npz,
    r"[-.]idx[13]([-.]ubyte)?(\.gz)?$": read_idx,
}
"""Who reads a file whose name ends like this, in any case."""


def is_file_name(word: str) -> bool:
    """Whether a word is the name of a file rather than of a data set: it has an ending, or a folder before it."""
    path = Path(word)
    return bool(path.suffix or _reader(path) or re.search(r"[/\\]", word))


def read_file(path: Path, label: str | None, task: Task = "", treatment: Treatment = AS_IT_STANDS) -> Data:
    """The examples in a CSV, NPZ or IDX file; `label` is the column, or the array, to be learned, `task` what
    numbers in it are, `treatment` what is done about the other columns of a table.

    Raises TutorError, with the file and the place in it, for everything that cannot be learned from.
    """
    reader = _reader(path)
    if not reader:
        if is_folder(path):
            raise TutorError(f"{str(path)!r} is a folder, not a file of data")
        raise TutorError(
            f"{str(path)!r} has no ending that says how to read it; known are .csv, .tsv, .npz and, as in MNIST, "
            "-idx3-ubyte and -idx3-ubyte.gz"
        )
    size_of(path)
    try:
        if reader is read_csv:
            return read_csv(path, label, task, treatment)
        if treatment.of_columns:
            raise TutorError(f"--drop and --missing are for tables, as a CSV has them; {path} has arrays of numbers")
        return reader(path, label, task)
    except MemoryError:
        raise TutorError(f"{path} does not fit into the memory of this machine") from None


def _reader(path: Path) -> Reader | None:
    return next((read for ending, read in READERS.items() if re.search(ending, path.name, re.IGNORECASE)), None)
