"""The text of a lesson file made into a Lesson, or one message that says what is wrong, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
from msgspec import Struct

from tutor.errors import TutorError, nearest
from tutor.lessons.abbreviations import expanded
from tutor.lessons.format import COURSE_FORMAT, FORMAT, Homework, Lesson, Misprint, Printed
from tutor.numbers.exact import comma_hint, read_number
from tutor.toml_text import parse_toml
from tutor.worksheet import problem
from tutor.worksheet.problem import Entry
from tutor.worksheet.rules import check_problem


class Place(Struct, frozen=True):
    """A text of TOML, what messages call its file and, of a block in Markdown, the line where the block begins. The
    text then stands on the lines that it has in the file."""

    where: str
    text: str
    line: int = 0

    def line_of(self, key: str) -> int:
        """The line of the key where that is sure, else of the block."""
        found = _line(self.text, [key])
        return int(found.rpartition(" ")[2]) if found else self.line

    def of(self, keys: Sequence[str]) -> str:
        """The file, with the line of the last of the keys where that is sure, else of the block."""
        return f"{self.where}{_line(self.text, keys) or (f', line {self.line}' if self.line else '')}"


def parse_lesson(text: str, where: str) -> Lesson:
    """The lesson that `text` describes; `where` is how messages call its file."""
    place = Place(where, text)
    raw = read_toml(place)
    _check_format(raw, where)
    return lesson_of(raw, place)


def lesson_of(raw: Mapping[str, Any], place: Place) -> Lesson:
    """The lesson with these keys, completely checked; abbreviations are written out."""
    try:
        whole = expanded(raw)
    except ValueError as error:
        raise TutorError(f"{place.of(_keys(str(error)))}: {error}") from None
    lesson: Lesson = decoded(whole, Lesson, place)
    try:
        if not lesson.title.strip():
            raise ValueError("title: say what the lesson is called")
        for entry in lesson.printed:
            _check_printed(entry)
        check_problem(lesson)
        check_homework(lesson.homework)
    except ValueError as error:
        raise TutorError(f"{place.of(_keys(str(error)) if place.line else ())}: {error}") from None
    return lesson


def decoded(raw: Mapping[str, Any], kind: type[Any], place: Place) -> Any:
    """A table of the file as a Struct of this kind."""
    try:
        return msgspec.convert(raw, kind, dec_hook=_read, builtin_types=(Decimal,))
    except msgspec.ValidationError as error:
        raise TutorError(_explain(str(error), raw, place, kind)) from None


def _keys(message: str) -> list[str]:
    """The keys in front of a message such as `network.layers[1].activation: unknown …`."""
    path, colon, _ = message.partition(": ")
    return re.findall(r"[A-Za-z_]\w*", path) if colon and " " not in path else []


def check_homework(homework: Homework) -> None:
    """Numbers that make sense; which quantities there are is known only with the worksheet."""
    if not 0 <= (homework.carried_penalty or 0) <= 1:
        raise ValueError("homework.carried_penalty: a share of the points, from 0 to 1")
    if homework.decimals is not None and homework.significant is not None:
        raise ValueError("homework: demand decimals or significant digits, not both")
    for key, least in (("decimals", 0), ("significant", 1), ("points", 0)):
        asked = getattr(homework, key)
        for number in asked.values() if isinstance(asked, dict) else [asked]:
            if number is not None and not least <= number <= 1_000:
                raise ValueError(f"homework.{key}: a number from {least} to 1000")


def read_toml(place: Place) -> dict[str, Any]:
    """The tables of the text."""
    try:
        return parse_toml(place.text)
    except ValueError as error:
        raise TutorError(f"{place.where} {error}{_hint(place.text, str(error))}") from None


def _hint(text: str, message: str) -> str:
    """What to do where the line of the message has a number with a decimal comma, text without quotation marks, or a
    backslash that TOML takes for its own."""
    place = re.search(r"at line ([0-9]+)", message)
    if not place:
        return ""
    line = text.split("\n")[int(place[1]) - 1]
    if "\\" in line:
        return "; a backslash stands in '…', or twice"
    if re.match(r"\s*[^=]+=\s*[A-Za-z(]", line):
        return "; a formula or a word stands in quotation marks"
    return comma_hint(line)


def _check_printed(entry: Printed) -> None:
    """Refuses what can be neither a number nor a formula over names, which are known only with the worksheet."""
    try:
        read_number(entry.value)
    except ValueError as error:
        if not re.search(r"[A-Za-z]|[0-9.)]\s*[-+*/]", entry.value):
            raise ValueError(f"printed value of {entry.name!r}: {error}") from None


def _check_format(raw: Mapping[str, Any], where: str) -> None:
    written = raw.get("format")
    if written is None:
        raise TutorError(f"{where}: the first line of a lesson is `format = {FORMAT}`; it is missing")
    if written == COURSE_FORMAT:
        raise TutorError(f"{where}: format {written} is that of a lesson in Markdown; a worksheet in TOML has {FORMAT}")
    if isinstance(written, int) and written > FORMAT:
        raise TutorError(f"{where} has format {written}; this tutor reads format {FORMAT}: install a newer tutor")
    if written != FORMAT or isinstance(written, bool):
        raise TutorError(f"{where}: format must be {FORMAT}, not {written!r}")


def _read(kind: type, value: Any) -> Any:
    """A number of the file as an exact fraction; a weight as a number, a name or nothing."""
    if kind is Entry and isinstance(value, str):
        try:
            return Entry(read_number(value), None)
        except ValueError:
            return Entry(None, value)
    if isinstance(value, str) and kind is Fraction:
        return read_number(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"Expected a number, got {_called(value)}")
    number = read_number(str(value))
    return number if kind is Fraction else Entry(number, None)


_KINDS = {"str": "text", "int": "a whole number", "bool": "true or false", "array": "a list", "object": "a table"}


def _any_of(kinds: Sequence[str]) -> str:
    return " or ".join(_KINDS.get(kind, kind) for kind in kinds)


def _called(value: Any) -> str:
    """What a person calls a value of a TOML file."""
    kinds = {bool: "true or false", str: "text", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")


def _explain(message: str, raw: Mapping[str, Any], place: Place, kind: type[Struct]) -> str:
    """msgspec's message with the place as a reader counts it, the line where that is sure, and the nearest word."""
    problem, _, path = message.partition(" - at `$")
    keys = re.findall(r"[A-Za-z_]\w*", path)
    unreadable = _unreadable_key(raw, keys) if "[...]" in path else None
    if unknown := re.search(r"unknown field `(.*)`", problem):
        problem = f"unknown key {unknown[1]!r}{_nearest_key(unknown[1], keys, kind)}"
        keys.append(unknown[1])
    elif missing := re.search(r"missing required field `(.*)`", problem):
        problem = f"{missing[1]!r} is missing"
    else:
        problem = re.sub(r" \| null`", "`", problem)
        problem = re.sub(r"`(\w+(?: \| \w+)*)`", lambda m: _any_of(m[1].split(" | ")), problem)
    inside = re.sub(r"\[(\d+)\]", lambda m: f"[{int(m[1]) + 1}]", path.strip("`").lstrip("."))
    counted = " (counting from 1)" if re.search(r"\[[0-9]", inside) else ""
    if unreadable:
        inside = inside.replace("[...]", f".{unreadable}")
        keys.append(unreadable)
    return f"{place.of(keys)}: {f'in {inside}{counted}: ' if inside else ''}{problem}"


def _nearest_key(key: str, keys: Sequence[str], kind: type[Struct]) -> str:
    """The key that is meant; one that stands below a table and belongs above all of them is told to go there."""
    valid = list(_fields(keys, kind))
    if keys and key not in valid and key in kind.__struct_encode_fields__:
        return f" in [{'.'.join(keys)}]; write it above the first table of the block"
    return nearest(key, valid)


def _unreadable_key(raw: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """The key whose value is no number, in a table of which msgspec only says that one is there."""
    table: Any = raw
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    for key, value in table.items() if isinstance(table, dict) else ():
        try:
            _read(Fraction, value)
        except ValueError:
            return str(key)
    return None


def _line(text: str, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    places = [m.start() for m in re.finditer(rf"(?m)^[ \t]*\[*(?:[\w.]+\.)?{re.escape(keys[-1])}\]*\s*(?:=|$)", text)]
    return f", line {text.count(chr(10), 0, places[0] + 1) + 1}" if len(places) == 1 else ""


def _fields(keys: Sequence[str], kind: type[Struct]) -> Iterator[str]:
    """The keys that are valid in the table that the path of a message leads to."""
    tables: dict[str, type[Struct]] = {
        "equations": problem.Equation,
        "differentiate": problem.Differentiate,
        "minimize": problem.Minimize,
        "network": problem.Network,
        "layers": problem.Layer,
        "neurons": problem.Neuron,
        "examples": problem.Example,
        "training": problem.Training,
        "printed": Printed,
        "misprints": Misprint,
        "homework": Homework,
    }
    yield from tables.get(keys[-1] if keys else "", kind).__struct_encode_fields__
