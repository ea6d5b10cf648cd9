"""Gradebooks as CSV, in the columns that learning platforms import. One row a student."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from typing import IO, NamedTuple

from tutor.escaping import for_csv
from tutor.files import Kind
from tutor.homework.roster import EMAIL_COLUMNS, LOGIN_COLUMNS, NUMBER_COLUMNS
from tutor.homework.students import NOTHING, Row
from tutor.marking.report import number

NO_GRADE = "-"
"""What Moodle takes for no grade; an empty cell would be a grade of a new column."""


class Layout(NamedTuple):
    """What stands above the rows, and what in each. `lists_the_roster` says that somebody whom the platform may not
    know is left out, since it would refuse the whole file or make a new student of them."""

    heading: Callable[[str], list[str]]
    cells: Callable[[Row, float], list[object]]
    lists_the_roster: bool


def scaled(score: int | float, most: int | float, scale: float) -> int | float:
    """The same share of `scale`; the points themselves where that is 0."""
    if not scale:
        return score
    return number(scale * score / most if most else scale)


def _points(row: Row, scale: float) -> int | float | str:
    return "" if row.score is None else scaled(row.score, row.max_score or 0, scale)


def _plain(row: Row, scale: float) -> list[object]:
    notes = "; ".join(row.everything)
    if row.score is None or row.max_score is None:
        return [row.student, row.sheet, "", "", "", "", "", notes]
    percent = round(100 * row.score / row.max_score, 2) if row.max_score else 100
    most = number(scale) if scale else row.max_score
    return [row.student, row.sheet, _points(row, scale), most, percent, row.roots, row.mistakes, notes]


def _canvas(row: Row, scale: float) -> list[object]:
    """Canvas finds a student by its own ID, then by the SIS User ID, then by the login, then by the name: a login in
    the column of another might be somebody else's."""
    if row.of is None:
        return [row.student, "", "", row.student, "", _points(row, scale)]
    of = row.of
    number_there = of.at("id") if of.is_from_canvas and of.at("id").isdigit() else ""
    login = of.at(*LOGIN_COLUMNS) or ("" if of.is_from_canvas else row.student)
    name = of.name or row.student
    return [name, number_there, of.at("sis user id"), login, of.at("section"), _points(row, scale)]


def _moodle(row: Row, scale: float) -> list[object]:
    of, mail = row.of, row.student if "@" in row.student else ""
    login = (of.at("username") if of else "") or row.student
    known_number = (of.at(*NUMBER_COLUMNS) if of else "") or row.student
    told = "; ".join([*row.several, *([NOTHING] if not row.sheet else row.told)])
    points = _points(row, scale)
    return [
        login,
        known_number,
        (of.at(*EMAIL_COLUMNS) if of else "") or mail,
        NO_GRADE if points == "" else points,
        told,
    ]


PLATFORMS: Mapping[str, Layout] = {
    "plain": Layout(
        lambda title: ["student", "sheet", "score", "max_score", "percent", "root_errors", "slips", "notes"],
        _plain,
        lists_the_roster=False,
    ),
    "canvas": Layout(
        lambda title: ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title],
        _canvas,
        lists_the_roster=True,
    ),
    "moodle": Layout(
        lambda title: ["username", "idnumber", "email", title, "feedback"], _moodle, lists_the_roster=True
    ),
}
MOODLE_MOST = 100
"""The most points that Moodle imports: for one grade above it the whole file is refused."""


def write_gradebook(file: IO[str], platform: str, title: str, rows: Iterable[Row], scale: float = 0.0) -> None:
    """A row for each student, in their order; with a roster the platforms have those on it, and nobody else."""
    writer, layout, known = csv.writer(file), PLATFORMS[platform], list(rows)
    writer.writerow(_heading(platform, title))
    most = next((row.max_score for row in known if row.max_score is not None), None)
    if platform == "canvas" and most is not None:
        writer.writerow(["Points Possible", "", "", "", "", number(scale) if scale else most])
    has_roster = any(row.of is not None for row in known)
    for row in known:
        if row.of is not None or not (has_roster and layout.lists_the_roster):
            writer.writerow([cell if cell == NO_GRADE else for_csv(cell) for cell in layout.cells(row, scale)])


def book_kind(platform: str, title: str) -> Kind:
    """A gradebook is known by its whole heading: one that somebody exported from a platform has more columns."""
    text = io.StringIO()
    csv.writer(text).writerow(_heading(platform, title))
    return Kind("a gradebook", re.escape(text.getvalue().encode("utf-8", "replace")))


def _heading(platform: str, title: str) -> list[object]:
    return [for_csv(column) for column in PLATFORMS[platform].heading(title)]
