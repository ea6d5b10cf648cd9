"""Writing answer sheets, blank or filled: CSV, TOML, Markdown and JSON. What is demanded is printed on the sheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby

from tutor.arithmetic.digits import exactly
from tutor.harmless import for_csv, for_json, for_line, for_markdown, for_toml
from tutor.homework.assignment import Assignment
from tutor.homework.sheet_formats import GIVEN, MARK
from tutor.worksheet.step import STAGES, Worksheet

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Question:
    """One cell to be filled: what is asked, in how many digits, for how many points, and what is in it."""

    name: str
    stage: str
    digits: str
    points: str
    answer: str = ""


@dataclass(frozen=True)
class Paper:
    """A sheet to be written: `about` says whose it is and which problem it answers, `givens` are not to be answered."""

    title: str
    questions: Sequence[Question]
    givens: Mapping[str, Fraction]
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, str]:
        """What is given, by name, exactly."""
        return {name: exactly(value) for name, value in self.givens.items()}


def questions(worksheet: Worksheet, assignment: Assignment, answers: Mapping[str, str]) -> list[Question]:
    """What the assignment asks, in worksheet order, filled with the answers that there are."""
    found = []
    for name in assignment.asked:
        told = f"{assignment.points[name]:g}"
        stage, digits = worksheet.by_name[name].stage, str(assignment.demands[name])
        if stage == "update" and worksheet.by_name[name].before:
            digits += " of the change"
        found.append(Question(name, stage, digits, told, answers.get(name, "")))
    return found


def as_csv(paper: Paper) -> str:
    """The columns name, answer, digits, points; what is given, and whose the sheet is, in rows that begin with #."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "answer", "digits", "points"])
    writer.writerows([f"{GIVEN}{name}", value, "", ""] for name, value in paper.given.items())
    writer.writerows([q.name, q.answer, q.digits, q.points] for q in paper.questions)
    writer.writerows([f"{MARK}{key}", for_csv(value), "", ""] for key, value in paper.about.items())
    return text.getvalue()


def as_toml(paper: Paper) -> str:
    """One line a quantity, each stage under a comment."""
    title = for_line(" ".join(paper.title.split()))
    lines = [f"# {title}", "# Write each number as text, so that its digits stay as typed."]
    lines += ["", "# Given:", *(f"# {name} = {value}" for name, value in paper.given.items())]
    for stage, questions in _by_stage(paper):
        lines += ["", f"# {stage}"]
        lines += [f"{_quoted(q.name)} = {_quoted(q.answer)}  # {q.digits}; points: {q.points}" for q in questions]
    if paper.about:
        lines += ["", "[sheet]", *(f"{key} = {_quoted(value)}" for key, value in paper.about.items())]
    return "\n".join(lines) + "\n"


def as_markdown(paper: Paper) -> str:
    """One table a stage."""
    lines = [f"# {for_markdown(' '.join(paper.title.split()))}", ""]
    about = {key.capitalize(): for_markdown(value) for key, value in paper.about.items()}
    lines += [line for key, value in about.items() for line in (f"{key}: `{value}`", "")]
    given = [f"| `{name}` | {value} |" for name, value in paper.given.items()]
    lines += ["## Given", "", "| name | number |", "|---|---|", *given, ""]
    for stage, questions in _by_stage(paper):
        rows = [f"| `{q.name}` | {q.answer} | {q.digits} | {q.points} |" for q in questions]
        lines += [f"## {stage}", "", "| name | answer | digits | points |", "|---|---|---|---|", *rows, ""]
    return "\n".join(lines)


def as_json(paper: Paper) -> str:
    about = {"sheet": dict(paper.about)} if paper.about else {}
    answers = {q.name: q.answer for q in paper.questions}
    return for_json({"format": FORMAT, **about, "givens": paper.given, "answers": answers}, indent=1) + "\n"


def _by_stage(paper: Paper) -> list[tuple[str, list[Question]]]:
    return [(STAGES[stage], list(group)) for stage, group in groupby(paper.questions, key=lambda q: q.stage)]


def _quoted(text: str) -> str:
    return for_toml(json.dumps(text, ensure_ascii=False))


ENDINGS = {"csv": ".csv", "toml": ".toml", "markdown": ".md", "json": ".json"}
WRITERS: Mapping[str, Callable[[Paper], str]] = {
    "csv": as_csv,
    "toml": as_toml,
    "markdown": as_markdown,
    "json": as_json,
}
