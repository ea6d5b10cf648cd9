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
from tutor.lessons.format import FORMAT, Homework, Lesson, Misprint, Printed
from tutor.numbers.exact import comma_hint, read_number
from tutor.toml_text import parse_toml
from tutor.worksheet import problem
from tutor.worksheet.problem import Entry
from tutor.worksheet.rules import check_problem


def parse_lesson(text: str, where: str) -> Lesson:
    """The lesson that `text` describes; `where` is how messages call its file."""
    raw = _toml(text, where)
    _check_format(raw, where)
    try:
        lesson = msgspec.convert(raw, Lesson, dec_hook=_read, builtin_types=(Decimal,))
    except msgspec.ValidationError as error:
        raise TutorError(_explain(str(error), raw, text, where)) from None
    try:
        if not lesson.title.strip():
            raise ValueError("title: say what the lesson is called")
        for entry in lesson.printed:
            _check_printed(entry)
        check_problem(lesson)
        check_homework(lesson.homework)
    except ValueError as error:
        raise TutorError(f"{where}: {error}") from None
    return lesson


def check_homework(wanted: Homework) -> None:
    """Numbers that make sense; which quantities there are is known only with the worksheet."""
    if not 0 <= (wanted.carried_penalty or 0) <= 1:
        raise ValueError("homework.carried_penalty: a share of the points, from 0 to 1")
    if wanted.decimals is not None and wanted.significant is not None:
        raise ValueError("homework: demand decimals or significant digits, not both")
    for key, least in (("decimals", 0), ("significant", 1), ("points", 0)):
        asked = getattr(wanted, key)
        for number in asked.values() if isinstance(asked, dict) else [asked]:
            if number is not None and not least <= number <= 1_000:
                raise ValueError(f"homework.{key}: a number from {least} to 1000")


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except ValueError as error:
        raise TutorError(f"{where} {error}{_comma(text, str(error))}") from None


def _comma(text: str, message: str) -> str:
    """What to do where the line of the message has a number with a decimal comma."""
    place = re.search(r"at line ([0-9]+)", message)
    return comma_hint(text.split("\n")[int(place[1]) - 1]) if place else ""


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


def _explain(message: str, raw: Mapping[str, Any], text: str, where: str) -> str:
    """msgspec's message with the place as a reader counts it, the line where that is sure, and the nearest word."""
    problem, _, path = message.partition(" - at `$")
    keys = re.findall(r"[A-Za-z_]\w*", path)
    unreadable = _unreadable_key(raw, keys) if "[...]" in path else None
    if unknown := re.search(r"unknown field `(.*)`", problem):
        problem = f"unknown key {unknown[1]!r}{nearest(unknown[1], _fields(keys))}"
        keys.append(unknown[1])
    elif missing := re.search(r"missing required field `(.*)`", problem):
        problem = f"{missing[1]!r} is missing"
    else:
        problem = re.sub(r" \| null`", "`", problem)
        problem = re.sub(r"`(\w+(?: \| \w+)*)`", lambda m: _any_of(m[1].split(" | ")), problem)
    place = re.sub(r"\[(\d+)\]", lambda m: f"[{int(m[1]) + 1}]", path.strip("`").lstrip("."))
    counted = " (counting from 1)" if re.search(r"\[[0-9]", place) else ""
    if unreadable:
        place = place.replace("[...]", f".{unreadable}")
        keys.append(unreadable)
    return f"{where}{_line(text, keys)}: {f'in {place}{counted}: ' if place else ''}{problem}"


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


def _line(text: str, keys: list[str]) -> str:
    if not keys:
        return ""
    places = [m.start() for m in re.finditer(rf"(?m)^\s*\[*(?:[\w.]+\.)?{re.escape(keys[-1])}\]*\s*(?:=|$)", text)]
    return f", line {text.count(chr(10), 0, places[0] + 1) + 1}" if len(places) == 1 else ""


def _fields(keys: list[str]) -> Iterator[str]:
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
    yield from tables.get(keys[-1] if keys else "", Lesson).__struct_encode_fields__
