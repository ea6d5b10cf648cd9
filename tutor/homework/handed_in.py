"""Reading answer sheets: CSV as spreadsheets write it, TOML, JSON, and the filled Markdown sheet.

A sheet is untrusted: its size is capped, nothing in it is opened or run, and numbers keep the text they were typed as.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tutor.errors import TutorError, counted
from tutor.worksheet.names import find_name

LARGEST_SHEET = 1_000_000
MOST_ROWS = 50_000
LONGEST_ANSWER = 2_000
ANSWER_COLUMNS = ("answer", "value")
NAME_COLUMNS = ("name", "quantity")
MARK = "#"
"""A row whose name begins with it says something about the sheet: `#student`, `#problem`."""

Row = tuple[str, str]
_COMMA_NUMBER = re.compile(r"\s*[-+−]?[0-9]*,[0-9]+(?:[eE][-+−]?[0-9]+)?\s*")
_POINT_NUMBER = re.compile(r"\s*[-+−]?[0-9]*\.[0-9]*(?:[eE][-+−]?[0-9]+)?\s*")


@dataclass(frozen=True)
class HandedIn:
    """The answers by the name of the quantity, what else the sheet says, and what is odd about it."""

    answers: Mapping[str, str]
    about: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def read_sheet(path: str | Path, names: Mapping[str, object]) -> HandedIn:
    """The sheet in a file, or on standard input for `-`. Raises TutorError, with what to do, for what is no sheet."""
    raw = sys.stdin.buffer.read(LARGEST_SHEET + 1) if str(path) == "-" else _bytes_of(Path(path))
    if len(raw) > LARGEST_SHEET:
        raise TutorError(f"it has more than {LARGEST_SHEET:,} bytes; that is no answer sheet")
    return parse_sheet(_decoded(raw), Path(path).suffix.lower(), names)


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise TutorError("it is not an ordinary file" if path.exists() else "there is no such file")
        with path.open("rb") as file:
            return file.read(LARGEST_SHEET + 1)
    except (OSError, ValueError) as error:
        raise TutorError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _decoded(raw: bytes) -> str:
    """UTF-8 with or without a byte order mark, UTF-16 with one, else what spreadsheets on Windows write."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def parse_sheet(text: str, ending: str, names: Mapping[str, object]) -> HandedIn:
    """The sheet that `text` writes; `ending` is that of its file, `names` has every quantity of the worksheet."""
    rows = list(_READERS.get(ending, _any)(text))
    if len(rows) > MOST_ROWS:
        raise TutorError(f"it has more than {MOST_ROWS:,} rows; that is no answer sheet")
    if not rows:
        raise TutorError("there is no answer in it; a sheet has the columns name and answer (see `tutor sheet`)")
    about = {name[1:].strip().lower(): text.strip() for name, text in rows if name.startswith(MARK)}
    return _collected([row for row in rows if not row[0].startswith(MARK)], about, names)


def _collected(rows: Iterable[Row], about: Mapping[str, str], names: Mapping[str, object]) -> HandedIn:
    """Each answer under its quantity. A name that is unknown or answered twice is told."""
    answers: dict[str, str] = {}
    unknown: list[str] = []
    twice: list[str] = []
    for written, text in _with_points(list(rows)):
        name = _name_of(written, names)
        if name is None:
            unknown.append(written[:60] + _meant(written, names))
            continue
        if answers.get(name, "").strip() and text.strip() and answers[name].strip() != text.strip():
            twice.append(name)
        if text.strip() or name not in answers:
            answers[name] = text
    remarks = []
    if unknown:
        remarks.append(f"{_listed(unknown)}: no such quantity on this worksheet, so not marked")
    if twice:
        remarks.append(f"{_listed(twice)}: answered more than once; the last answer counts")
    return HandedIn(answers, about, tuple(remarks))


def _name_of(written: str, names: Mapping[str, object]) -> str | None:
    name = written.strip().strip("`")
    if name in names:
        return name
    try:
        return find_name(name, names) if len(name) <= 200 else None
    except TutorError:
        return None


def _meant(written: str, names: Mapping[str, object]) -> str:
    """ " (dE/dW5?)" for what is nearly a name of the worksheet."""
    plain = re.sub(r"[\s_']", "", written.lower())
    close = [name for name in names if re.sub(r"[\s_']", "", name.lower()) == plain]
    close += [name for name in (f"{written.strip()}_new",) if name in names]
    return f" ({close[0]}?)" if close else ""


def _listed(names: list[str]) -> str:
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {counted(more, 'other')}" if more > 0 else "")


def _with_points(rows: list[Row]) -> Iterator[Row]:
    """The rows with decimal points, where the whole sheet is written with decimal commas."""
    commas = any(_COMMA_NUMBER.fullmatch(text) for _, text in rows)
    points = any(_POINT_NUMBER.fullmatch(text) and "." in text for _, text in rows)
    for name, text in rows:
        swap = commas and not points and _COMMA_NUMBER.fullmatch(text)
        yield name, text.replace(",", ".") if swap else text


def _any(text: str) -> Iterator[Row]:
    """A sheet of unknown kind: told by its first characters."""
    start = text.lstrip()
    if start.startswith(("{", "[{", "[\n")):
        return _json(text)
    if re.search(r"^\s*\|.*\|\s*$", text, re.MULTILINE):
        return _markdown(text)
    if not re.match(r'(?i)"?(?:name|sep=)', start) and re.search(r'(?m)^\s*(?:"[^"\n]*"|[\w-]+)\s*=', text):
        return _toml(text)
    return _csv(text)


def _csv(text: str) -> Iterator[Row]:
    lines = text.splitlines(keepends=True)
    if lines and lines[0].lower().startswith("sep="):
        lines = lines[1:]
    first = next((line for line in lines if line.strip()), "")
    separator = max(",;\t", key=lambda mark: (_is_heading(first.split(mark)), first.count(mark)))
    try:
        rows = list(csv.reader(io.StringIO("".join(lines)), delimiter=separator))
    except csv.Error as error:
        raise TutorError(f"it is no CSV: {error}") from None
    return _from_table(rows)


def _cell(text: str) -> str:
    return text.strip().strip('"`').strip().lower()


def _is_heading(cells: list[str]) -> bool:
    found = [_cell(cell) for cell in cells]
    return any(c in NAME_COLUMNS for c in found) and any(c in ANSWER_COLUMNS for c in found)


def _from_table(rows: list[list[str]]) -> Iterator[Row]:
    """The two columns that matter, by their headings; without headings the first two."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    name, answer, body = 0, 1, filled
    if filled and _is_heading(filled[0]):
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
    if re.fullmatch(r"[-+−]?[0-9]+", first) and second.isdigit():
        return [*row[:answer], f"{first},{second}", *row[answer + 2 :]]
    return row


def _toml(text: str) -> Iterator[Row]:
    try:
        found = tomllib.loads(text, parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError, ArithmeticError) as error:
        raise TutorError(f"it is not valid TOML: {str(error)[:200]}") from None
    for name, value in found.items():
        if name == "sheet" and isinstance(value, dict):
            yield from ((f"{MARK}{key}", str(about)) for key, about in value.items())
        else:
            yield name, _typed(name, value, text)


def _typed(name: str, value: object, text: str) -> str:
    """The value as it was typed: TOML reads 0x10 and 1_0 as whole numbers, which no sheet means."""
    if isinstance(value, str):
        return value
    raw = re.search(rf'^\s*["\']?{re.escape(name)}["\']?\s*=\s*([^\s#]+)', text, re.MULTILINE)
    return raw[1] if raw else str(value)


def _json(text: str) -> Iterator[Row]:
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise TutorError(f"it is not valid JSON: {str(error)[:200]}") from None
    if isinstance(found, list) and not isinstance(found, _Pairs):
        entries = [dict(entry) for entry in found if isinstance(entry, _Pairs)]
        yield from ((str(entry.get("name", "")), _text(entry.get("answer"))) for entry in entries)
        return
    if not isinstance(found, _Pairs):
        raise TutorError('a sheet in JSON is an object: {"h1_in": "0.48", …}')
    for name, value in found:
        if name in ("answers", "sheet") and isinstance(value, _Pairs):
            yield from ((key if name == "answers" else f"{MARK}{key}", _text(v)) for key, v in value)
        elif name not in ("format", "lesson"):
            yield name, _text(value)


class _Pairs(list[tuple[str, object]]):
    """An object of JSON with every key, also one that occurs twice."""


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else str(value)


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
        if table and _is_heading(table[0]):
            yield from _from_table(table)
        table = []
        if about := re.fullmatch(r"(?i)(problem|student):\s*`?([^`]*)`?", stripped):
            yield f"{MARK}{about[1].lower()}", about[2]


_READERS = {".csv": _csv, ".tsv": _csv, ".toml": _toml, ".json": _json, ".md": _markdown}
