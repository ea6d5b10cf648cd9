"""Answer sheets as text, blank or filled: CSV, TOML, Markdown and JSON. What is demanded is printed on the sheet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby

from tutor.delimited import HEADING_WITHIN, Rows
from tutor.errors import TutorError
from tutor.escaping import for_csv, for_json, for_line, for_markdown, for_toml
from tutor.marking.assignment import Assignment
from tutor.numbers.digits import exactly
from tutor.toml_text import parse_toml
from tutor.worksheet.headlines import headlines
from tutor.worksheet.step import Worksheet

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Question:
    """One cell to be filled: what is asked, in how many digits, for how many points, and what is in it."""

    name: str
    headline: str
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
    found, over = [], headlines(worksheet)
    for name in assignment.asked:
        told = f"{assignment.points[name]:g}"
        stage, digits = worksheet.by_name[name].stage, str(assignment.demands[name])
        if stage == "update" and worksheet.by_name[name].before:
            digits += " of the change"
        found.append(Question(name, over[stage], digits, told, answers.get(name, "")))
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
    for over, questions in groupby(paper.questions, key=lambda q: q.headline):
        lines += ["", f"# {over}"]
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
    for over, questions in groupby(paper.questions, key=lambda q: q.headline):
        rows = [f"| `{q.name}` | {q.answer} | {q.digits} | {q.points} |" for q in questions]
        lines += [f"## {over}", "", "| name | answer | digits | points |", "|---|---|---|---|", *rows, ""]
    return "\n".join(lines)


def as_json(paper: Paper) -> str:
    about = {"sheet": dict(paper.about)} if paper.about else {}
    answers = {q.name: q.answer for q in paper.questions}
    return for_json({"format": FORMAT, **about, "givens": paper.given, "answers": answers}, indent=1) + "\n"


def _quoted(text: str) -> str:
    return for_toml(json.dumps(text, ensure_ascii=False))


ENDINGS = {"csv": ".csv", "toml": ".toml", "markdown": ".md", "json": ".json"}
WRITERS: Mapping[str, Callable[[Paper], str]] = {
    "csv": as_csv,
    "toml": as_toml,
    "markdown": as_markdown,
    "json": as_json,
}

ANSWER_COLUMNS = ("answer", "value")
NAME_COLUMNS = ("name", "quantity")
MARK = "#"
"""A row whose name begins with it says something about the sheet: `#student`, `#problem`."""
GIVEN = f"{MARK}given "
"""A row whose name begins with it repeats what is given, for whoever fills in the sheet: `#given W1`."""

DEEPEST_ARRAY = 3
Row = tuple[str, str]
Cells = list[list[str]]
_ASSIGNMENT = re.compile(r'[ \t]*(?:"([^"\n]*)"|([\w-]+))[ \t]*=[ \t]*([^\s#]+)')
_LOOSE = re.compile(r'(?:"([^"]*)"|([^\s="#]+))\s*=\s*(?:"([^"]*)"|([^\s"#\[{][^"#]*?))\s*(?:#.*)?')


def ending_of(text: str) -> str:
    """The ending that a sheet of unknown kind would have: told by its first characters."""
    start = text.lstrip()
    if start.startswith(("{", "[{", "[\n")):
        return ".json"
    lines = text.splitlines()
    if any(line.lstrip().startswith("|") for line in lines):
        return ".md"
    if not re.match(r'(?i)"?(?:name|sep=)', start) and any(_ASSIGNMENT.match(line) for line in lines):
        return ".toml"
    return ".csv"


def csv_cells(text: str) -> Cells:
    """The cells of delimited text, row by row."""
    return [row for _, row in Rows("", text, (*NAME_COLUMNS, *ANSWER_COLUMNS), notes=True)]


def _cell(text: str) -> str:
    return text.strip().strip('"`').strip().lower()


def is_heading(cells: Sequence[str]) -> bool:
    """Whether they are the heading of a sheet."""
    found = {_cell(cell) for cell in cells}
    return not found.isdisjoint(NAME_COLUMNS) and not found.isdisjoint(ANSWER_COLUMNS)


def from_cells(rows: Cells) -> Iterator[Row]:
    """The two columns that matter, by their headings; without headings the first two."""
    filled = [row for row in rows if "".join(row).strip()]
    title = next((n for n, row in enumerate(filled[:HEADING_WITHIN]) if is_heading(row)), 0)
    for row in filled[:title]:  # what stands above the heading is a title, or says something about the sheet
        if row[0].strip().startswith(MARK) and len(row) > 1:
            yield row[0].strip(), row[1]
    filled = filled[title:]
    name, answer, body = 0, 1, filled
    if filled and is_heading(filled[0]):
        heading = [_cell(cell) for cell in filled[0]]
        name = next(i for i, cell in enumerate(heading) if cell in NAME_COLUMNS)
        answer = next(i for i, cell in enumerate(heading) if cell in ANSWER_COLUMNS)
        body = filled[1:]
    elif filled and len(filled[0]) < 2:
        raise TutorError("it has no columns; the first line of a sheet is name,answer (see `tutor sheet`)")
    width = len(filled[0]) if filled else 0
    for row in body:
        if len(row) > name and row[name].strip():
            cells = _joined(row, answer) if len(row) > width and "".join(row[width:]).strip() else row
            yield cells[name].strip(), cells[answer] if len(cells) > answer else ""


def _joined(row: list[str], answer: int) -> list[str]:
    """A row with a cell too many, where an unquoted decimal comma has cut the answer in two."""
    first, second = row[answer].strip(), row[answer + 1].strip() if len(row) > answer + 1 else ""
    if re.fullmatch(r"[^0-9,;]{0,9}[0-9]+", first) and re.match(r"[0-9]+(?![0-9.,])", second):
        return [*row[:answer], f"{first},{second}", *row[answer + 2 :]]
    return row


def _toml(text: str) -> Iterator[Row]:
    try:
        found = parse_toml(text, str)
    except ValueError as error:
        if loose := _loose_lines(text):
            yield from loose
            return
        hint = "; put every name and every answer in quotes" if "=" in text else ""
        raise TutorError(f"it {error}{hint}") from None
    typed = {m[1] if m[1] is not None else m[2]: m[3] for m in map(_ASSIGNMENT.match, text.splitlines()) if m}
    for name, value in found.items():
        if name == "sheet" and isinstance(value, dict):
            yield from ((f"{MARK}{key}", _text(about)) for key, about in value.items())
        elif isinstance(value, str | list) or name not in typed:
            yield name, _text(value)
        else:
            yield name, typed[name]  # as it was typed: TOML reads 0x10 and 1_0 as whole numbers, which no sheet means


def _loose_lines(text: str) -> list[Row]:
    """The same of lines that are no TOML only because an answer stands there without quotes, as 0,48 or 12%; empty
    where there is any other line."""
    found = []
    mark = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line == "[sheet]":
            mark = MARK
        elif not line.startswith("#"):
            match = _LOOSE.fullmatch(line)
            if match is None:
                return []
            name, quoted, bare = match[1] if match[1] is not None else match[2], match[3], match[4]
            found.append((f"{mark}{name}", quoted if quoted is not None else bare))
    return found


def _json(text: str) -> Iterator[Row]:
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise TutorError(f"it is not valid JSON: {str(error)[:200]}") from None
    if isinstance(found, list) and not isinstance(found, _Pairs):
        entries = [dict(entry) for entry in found if isinstance(entry, _Pairs)]
        yield from ((_text(entry.get("name")), _text(entry.get("answer"))) for entry in entries)
        return
    if not isinstance(found, _Pairs):
        raise TutorError('a sheet in JSON is an object: {"h1_in": "0.48", …}')
    for name, value in found:
        if name in ("answers", "sheet") and isinstance(value, _Pairs):
            yield from ((key if name == "answers" else f"{MARK}{key}", _text(v)) for key, v in value)
        elif name not in ("format", "lesson") and not (name == "givens" and isinstance(value, _Pairs)):
            yield name, _text(value)


class _Pairs(list[tuple[str, object]]):
    """An object of JSON with every key, also one that occurs twice."""


def _text(value: object) -> str:
    """An answer as text, an array as the text of one; a table is none."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list) and not isinstance(value, _Pairs):
        return f"[{', '.join(map(_text, value))}]" if _depth(value) <= DEEPEST_ARRAY else ""
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def _depth(value: object) -> int:
    """How many lists there are within each other, counted no further than needed."""
    depth, inner = 0, [value]
    while inner and depth <= DEEPEST_ARRAY:
        inner = [x for one in inner if isinstance(one, list) for x in one]
        depth += bool(inner)
    return depth


def _markdown(text: str) -> Iterator[Row]:
    """Every table with the columns name and answer; a line `Problem: …` or `Student: …` says what the sheet is."""
    table: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        stripped = line.strip()
        if stripped.startswith("|"):
            cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", stripped)[1:]]
            if not all(re.fullmatch(r":?-*:?", cell) for cell in cells) or not any("-" in cell for cell in cells):
                table.append(cells)
            continue
        if table and is_heading(table[0]):
            yield from from_cells(table)
        table = []
        if about := re.fullmatch(r"(?i)(problem|student):\s*`?([^`]*)`?", stripped):
            yield f"{MARK}{about[1].lower()}", about[2]


READERS: Mapping[str, Callable[[str], Iterator[Row]]] = {
    ".toml": _toml,
    ".json": _json,
    ".md": _markdown,
}
DELIMITED = (".csv", ".tsv")
WORKBOOKS = (".xlsx", ".xlsm", ".ods")
