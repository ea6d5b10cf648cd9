"""What a lesson file may say beside its problem: the types, and their schema for editors."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

from msgspec import Struct, field

from tutor.results import Result
from tutor.worksheet.problem import Problem

FORMAT = 1
COURSE_FORMAT = 2


class Printed(Struct, frozen=True, forbid_unknown_fields=True):
    """A value or a formula as the source prints it, for a quantity of the lesson or a formula over its names."""

    name: str
    value: str
    note: str = ""
    place: str = ""


class Misprint(Struct, frozen=True, forbid_unknown_fields=True):
    """Something else than a value that the source prints wrongly: a label, a missing line."""

    place: str
    printed: str
    correct: str
    why: str


class Homework(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an answer sheet asks. Tables say it by stage ("gradient") or by quantity ("dE/dW5").

    `carried_penalty` is the share of its points that a line loses which follows from an earlier error. With `charge`
    "once" the same slip in several lines costs the points of one of them. `answers` says whether an answer may be a
    number, a formula or either. What is in `drop` does not count, whatever stands there; `accept` has numbers that are
    right beside the key, for a question that turned out to be flawed.
    """

    ask: list[str] = field(default_factory=list)
    points: dict[str, Fraction] = field(default_factory=dict)
    decimals: int | dict[str, int] | None = None
    significant: int | dict[str, int] | None = None
    carried_penalty: Fraction | None = None
    charge: Literal["once", "each"] = "once"
    answers: Literal["numbers", "formulas", "either"] = "either"
    drop: list[str] = field(default_factory=list)
    accept: dict[str, list[str]] = field(default_factory=dict)


class Lesson(Problem, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lesson file, as it is written. `problem` is the code of a problem that `tutor vary` made."""

    format: int
    title: str
    source: str = ""
    about: str = ""
    order: int = 1_000
    problem: str = ""
    printed: list[Printed] = field(default_factory=list)
    misprints: list[Misprint] = field(default_factory=list)
    homework: Homework = field(default_factory=Homework)


class Header(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands at the top of a lesson of the course: `part` is the chapter that it belongs to, `needs` names the
    lessons that come before it, `minutes` says how long it takes, `can` what the reader can do at its end."""

    format: int
    title: str
    source: str = ""
    part: str = ""
    order: int = 1_000
    needs: list[str] = field(default_factory=list)
    minutes: int | None = None
    can: list[str] = field(default_factory=list)


class ListedLesson(Struct, omit_defaults=True):
    """A lesson as it is listed; `done` is the share of it that was read, if it was begun."""

    name: str
    title: str
    source: str
    part: str = ""
    minutes: int | None = None
    done: float | None = None


class Listing(Result):
    """What `tutor list --json` prints: the lessons, in the order of the course."""

    lessons: list[ListedLesson]


def schema_of_numbers(kind: type) -> dict[str, Any]:
    """What stands for the numbers of a lesson in a JSON Schema."""
    if kind is Fraction:
        return {"type": ["number", "string"], "description": 'a number, or a fraction as text: "1/3"'}
    return {"type": ["number", "string"], "description": 'a number, the name of a given, or "" for no connection'}
