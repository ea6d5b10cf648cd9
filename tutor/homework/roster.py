"""The students of a class, as a CSV lists them: who is who, and by which columns platforms know them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tutor.delimited import Rows
from tutor.errors import TutorError
from tutor.escaping import file_name, for_markdown
from tutor.read_files import read_any_encoding

ID_COLUMNS = ("id", "student", "student id", "username", "idnumber", "sis login id", "email")
"""What the column may be called by whose entries students are known, the first that there is."""
EMAIL_COLUMNS = ("email", "email address", "e-mail", "e-mail address")
LOGIN_COLUMNS = ("sis login id", "username", "login", "login id")
NUMBER_COLUMNS = ("idnumber", "id number")
NAME_COLUMNS = ("name", "full name", "display name")
_CANVAS_COLUMNS = ("sis user id", "sis login id", "section")
_LARGEST = 5_000_000


@dataclass(frozen=True)
class Student:
    """`columns` has what stands in each column of the roster, by its heading in lower case; `id` is one of them."""

    id: str
    columns: Mapping[str, str]

    def at(self, *headings: str) -> str:
        """What stands in the first of these columns in which anything stands."""
        return next((self.columns[heading] for heading in headings if self.columns.get(heading)), "")

    @property
    def name(self) -> str:
        """The full name, where the roster has one. Canvas calls the column of names Student."""
        both = (self.at("first name", "firstname", "given name"), self.at("last name", "lastname", "surname"))
        student = self.at("student") if self.columns.get("student") != self.id else ""
        return self.at(*NAME_COLUMNS) or student or (" ".join(both) if all(both) else "")

    @property
    def is_from_canvas(self) -> bool:
        return any(column in self.columns for column in _CANVAS_COLUMNS)


@dataclass(frozen=True)
class Roster:
    """Every student once, in the order of the file."""

    students: tuple[Student, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(student.id for student in self.students)

    def find(self, name: str) -> Student | None:
        """The student whom a sheet names: by the id, in whatever letters, or by what only one of them has as login,
        e-mail or number."""
        return self._by_name.get(name) or self._by_name.get(_plain(name))

    def of_file(self, stem: str) -> Student | None:
        """The student after whom a file is named."""
        return self._by_file.get(stem)

    @cached_property
    def _by_name(self) -> Mapping[str, Student]:
        found: dict[str, Student] = {}
        several = set[str]()
        for student in self.students:
            for name in {_plain(student.at(*columns)) for columns in (EMAIL_COLUMNS, LOGIN_COLUMNS, NUMBER_COLUMNS)}:
                several |= {name} & found.keys()
                found.setdefault(name, student)
        known = {name: student for name, student in found.items() if name and name not in several}
        known |= {_plain(student.id): student for student in reversed(self.students)}
        return known | {student.id: student for student in self.students}

    @cached_property
    def _by_file(self) -> Mapping[str, Student]:
        taken: set[str] = set()
        found = {file_name(student.id, taken): student for student in self.students}
        return found | {student.id: student for student in self.students}


def _plain(name: str) -> str:
    """A name as it comes back from a sheet in Markdown, which cannot hold every character."""
    return for_markdown(name).strip().casefold()


def read_roster(path: Path) -> Roster:
    """Raises TutorError for what is no roster."""
    rows = iter(Rows(repr(str(path)), read_any_encoding(path, _LARGEST, "roster"), ID_COLUMNS))
    heading = [cell.strip().lower() for cell in next(rows, (0, []))[1]]
    column = next((heading.index(name) for name in ID_COLUMNS if name in heading), None)
    if column is None:
        raise TutorError(f"{str(path)!r} has no column {ID_COLUMNS[0]!r} (or {', '.join(ID_COLUMNS[1:])})")
    found: dict[str, Student] = {}
    for student in _students(heading, column, (row for _, row in rows)):
        found.setdefault(student.id, student)
    if not found:
        raise TutorError(f"{str(path)!r} has no students")
    return Roster(tuple(found.values()))


def _students(heading: list[str], column: int, rows: Iterator[list[str]]) -> Iterator[Student]:
    for row in rows:
        if len(row) > column and row[column].strip():
            yield Student(row[column].strip(), dict(zip(heading, map(str.strip, row), strict=False)))
