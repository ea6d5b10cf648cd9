"""Data from the user's own files. How a file is read is chosen by the ending of its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tutor.data.builtin import Data
from tutor.data.limits import Task, size_of
from tutor.data.preprocessing import NO_PREPROCESSING, Preprocessing
from tutor.data.read_idx import read_idx
from tutor.data.read_npz import read_npz
from tutor.data.read_table import read_csv
from tutor.errors import TutorError
from tutor.read_files import is_folder


@dataclass(frozen=True)
class Format:
    """A format of data files: how the name of such a file ends, as a pattern and as people are told, and who reads it.

    The reader of a table (`of_columns`) also takes what is to be done about its columns.
    """

    ending: str
    description: str
    read: Callable[..., Data]
    of_columns: bool = False


FORMATS = (
    Format(r"\.(csv|tsv)$", ".csv, .tsv", read_csv, of_columns=True),
    Format(r"\.npz$", ".npz", read_npz),
    Format(r"[-.]idx[13]([-.]ubyte)?(\.gz)?$", "-idx3-ubyte and -idx3-ubyte.gz, as in MNIST", read_idx),
)
"""Who reads a file whose name ends like this, in any case."""


def is_file_name(word: str) -> bool:
    """Whether a word is the name of a file rather than of a data set: it has an ending, or a folder before it."""
    path = Path(word)
    return bool(path.suffix or _format(path) or re.search(r"[/\\]", word))


def read_file(path: Path, label: str | None, task: Task = "", preprocessing: Preprocessing = NO_PREPROCESSING) -> Data:
    """The examples in a file of one of the FORMATS; `label` is the column, or the array, to be learned, `task` what
    numbers in it are, `preprocessing` what is done about the other columns of a table.

    Raises TutorError, with the file and the place in it, for everything that cannot be learned from.
    """
    data_format = _format(path)
    if data_format is None:
        if is_folder(path):
            raise TutorError(f"{str(path)!r} is a folder, not a file of data")
        known = ", ".join(entry.description for entry in FORMATS)
        raise TutorError(f"{str(path)!r} has no ending that says how to read it; known are {known}")
    size_of(path)
    if preprocessing.of_columns and not data_format.of_columns:
        raise TutorError(f"--drop and --missing are for tables, as a CSV has them; {path} has arrays of numbers")
    try:
        return data_format.read(path, label, task, *([preprocessing] if data_format.of_columns else []))
    except MemoryError:
        raise TutorError(f"{path} does not fit into the memory of this machine") from None


def _format(path: Path) -> Format | None:
    return next((entry for entry in FORMATS if re.search(entry.ending, path.name, re.IGNORECASE)), None)
