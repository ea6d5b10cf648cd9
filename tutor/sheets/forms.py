"""A form's export: a class in one file, with a row for each student and a column for each quantity.

As Google Forms, Microsoft Forms and quizzes of Moodle write it: columns that say who somebody is and when, and columns
whose headings have the name of a quantity in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tutor.delimited import HEADING_WITHIN
from tutor.marking.as_written import plain_number
from tutor.numbers.exact import is_number
from tutor.sheets.formats import Cells, Row, is_heading

FEWEST_QUANTITIES = 3
"""Without a column that says whose a row is, so many columns of quantities make a form."""
_PEOPLE = tuple(
    re.compile(pattern)
    for pattern in (
        r"(sis )?(student|login|matriculation|idnumber|user)( ?(id|number|no|nr))?|id ?number|username|matrikelnummer",
        r".*\be-?mail\b.*",
        r"(what is )?((the|your|full|student|students) )*name",
        r"(last|family|sur) ?name|(first|given) name|forename|surname",
    )
)
"""How somebody is called, the surest first. Microsoft's `ID` only counts the rows."""
_ASIDE = re.compile(
    r"(points|feedback) - .*|.*\[(score|feedback)\]|timestamp|(total )?(score|points)|id|start(ed on)?( time)?|"
    r"completed|completion time|last modified time|time taken|grade.*|state|status|quiz feedback|language|institution|"
    r"department|(right answer|question) [0-9]+"
)
_RESPONSE = re.compile(r"response ([0-9]+)")
_NOBODY = ("", "-", "anonymous")
_PUNCTUATION = ".,:;?!\"'`()[]{}"

Find = Callable[[str], str | None]
"""The quantity that a text names, if it names one."""


@dataclass(frozen=True)
class Filled:
    """A row of the form: which one, whose, what else it says of itself, and the answers."""

    number: int
    about: Mapping[str, str]
    answers: Sequence[Row]
    remark: str = ""


def form_rows(cells: Cells, find: Find) -> list[Filled]:
    """Every row with an answer or a student; empty where the cells are no form's export."""
    for number, heading in enumerate(cells[:HEADING_WITHIN]):
        if is_heading(heading):
            return []
        if may_be_form(heading) and (form := _form(heading, find)) is not None:
            return form.rows(cells[number + 1 :], number + 2)
    return []


def may_be_form(heading: Sequence[str]) -> bool:
    """Whether a row may be the heading of a form: nothing is known yet of the names of quantities."""
    filled = [_plain(cell) for cell in heading if cell.strip()]
    someone = any(pattern.fullmatch(cell) for cell in filled for pattern in _PEOPLE)
    return len(filled) >= (2 if someone else FEWEST_QUANTITIES)


def about_rows(cells: Cells) -> list[Mapping[str, str]]:
    """What each row says of itself, where there is a column with the problem that it answers."""
    for number, heading in enumerate(cells[:HEADING_WITHIN]):
        if "problem" in map(_plain, heading) and not is_heading(heading):
            return [filled.about for filled in _Form(heading, {}, {}, {}, _nothing).rows(cells[number + 1 :], 0)]
    return []


def _plain(cell: str) -> str:
    return " ".join(re.sub(r"[^\w\s/@\[\]-]", "", cell).split()).lower()


def _form(heading: Sequence[str], find: Find) -> _Form | None:
    quantities: dict[int, str] = {}
    responses: dict[int, int] = {}
    unknown: dict[int, str] = {}
    plain = list(map(_plain, heading))
    for column, cell in enumerate(heading):
        if (match := _RESPONSE.fullmatch(plain[column])) and f"question {match[1]}" in plain:
            responses[column] = plain.index(f"question {match[1]}")
        elif _ASIDE.fullmatch(plain[column]) and find(cell) is None:
            continue
        elif (name := quantity_in(cell, find)) is not None:
            quantities[column] = name
        elif plain[column] != "problem" and not any(p.fullmatch(plain[column]) for p in _PEOPLE):
            unknown |= {column: cell.strip()[:60]} if len(cell.split()) == 1 else {}  # a sentence asks something else
    form = _Form(heading, quantities, responses, unknown, find)
    found = len(set(quantities.values())) + len(responses)
    return form if found >= (1 if any(form.people) else FEWEST_QUANTITIES) else None


def quantity_in(text: str, find: Find) -> str | None:
    """The one quantity that a heading names, by itself or among other words."""
    if (name := find(text)) is not None:
        return name
    words = [w for word in text.split() for w in (word, word.strip(".,:;?!"), word.strip(_PUNCTUATION))]
    found = {name for word in words if word and (name := find(word)) is not None}
    return found.pop() if len(found) == 1 else None


def _nothing(_: str) -> None:
    """No text names a quantity."""


class _Form:
    """What the columns of a form are: those of quantities, those of answers whose question stands in another column,
    those that say whose a row is."""

    def __init__(
        self,
        heading: Sequence[str],
        quantities: Mapping[int, str],
        responses: Mapping[int, int],
        unknown: Mapping[int, str],
        find: Find,
    ) -> None:
        self.quantities, self.responses, self.find = quantities, responses, find
        plain = list(map(_plain, heading))
        taken = {*quantities, *responses}
        self.people = [
            [c for c, cell in enumerate(plain) if c not in taken and pattern.fullmatch(cell)] for pattern in _PEOPLE
        ]
        self.problem = next((c for c, cell in enumerate(plain) if cell == "problem"), None)
        self.unknown = unknown

    def rows(self, cells: Cells, first: int) -> list[Filled]:
        found, remark = [], self._remark(cells)
        for number, row in enumerate(cells, first):
            answers = [(name, row[c]) for c, name in self.quantities.items() if c < len(row)]
            for column, question in self.responses.items():
                if max(column, question) < len(row) and row[column].strip():
                    asked = row[question]
                    answers.append((quantity_in(asked, self.find) or " ".join(asked.split()), row[column]))
            about = self._about(row)
            if any(text.strip() for _, text in answers) or ("student" in about and not _is_mean(row)):
                found.append(Filled(number, about, answers, remark))
        return found

    def _remark(self, cells: Cells) -> str:
        """The columns whose name is unknown and in which numbers stand: the time of an answer, say, is none."""
        columns = [
            name
            for column, name in self.unknown.items()
            if any(column < len(row) and is_number(plain_number(row[column])) for row in cells)
        ]
        return f"{', '.join(columns)}: no such quantity on this worksheet, so not marked" if columns else ""

    def _about(self, row: Sequence[str]) -> dict[str, str]:
        """The surest of what says whose the row is; first name and family name together."""
        about = {}
        for columns in self.people:
            names = [row[c].strip() for c in columns if c < len(row) and row[c].strip().lower() not in _NOBODY]
            if names:
                about["student"] = " ".join(names) if columns is self.people[-1] else names[0]
                break
        if self.problem is not None and self.problem < len(row) and row[self.problem].strip():
            about["problem"] = row[self.problem].strip()
        return about


def _is_mean(row: Sequence[str]) -> bool:
    """Whether it is no student's, but what Moodle writes below them."""
    return any(re.fullmatch(r"(?i)(overall|group) average", cell.strip()) for cell in row)
