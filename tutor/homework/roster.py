"""A roster: the students of a class, from a CSV with a column of ids."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tutor.errors import TutorError
from tutor.read_files import read_whole

ID_COLUMNS = ("id", "student", "student id", "username", "idnumber", "sis login id", "email")
_LARGEST = 5_000_000


def roster_ids(path: Path) -> list[str]:
    """Every id, each once, in the order of the file. Raises TutorError for what is no roster."""
    text = read_whole(path, _LARGEST, "roster").decode("utf-8-sig", errors="replace")
    first = text.split("\n", 1)[0]
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise TutorError(f"{str(path)!r} is no CSV: {error}") from None
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((heading.index(name) for name in ID_COLUMNS if name in heading), None)
    if column is None:
        raise TutorError(f"{str(path)!r} has no column {ID_COLUMNS[0]!r} (or {', '.join(ID_COLUMNS[1:])})")
    ids = [row[column].strip() for row in rows[1:] if len(row) > column and row[column].strip()]
    if not ids:
        raise TutorError(f"{str(path)!r} has no students")
    return list(dict.fromkeys(ids))
