"""Lesson files: finding them, reading them, and saying what is wrong with one."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from tutor.arithmetic.exact import read_number
from tutor.errors import TutorError, nearest
from tutor.worksheet.check import check_problem
from tutor.worksheet.problem import Entry, Example, Layer, Network, Neuron, Training

if TYPE_CHECKING:
    from tutor.worksheet.step import Worksheet

FORMAT = 1
LARGEST_FILE = 1_000_000


class Printed(Struct, frozen=True, forbid_unknown_fields=True):
    """A value as the source prints it, for a quantity of the lesson or a formula over its names."""

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


class Lesson(Struct, frozen=True, forbid_unknown_fields=True):
    """A lesson file, as it is written."""

    format: int
    title: str
    network: Network
    training: Training
    examples: list[Example]
    source: str = ""
    about: str = ""
    order: int = 1_000
    givens: dict[str, Fraction] = field(default_factory=dict)
    printed: list[Printed] = field(default_factory=list)
    misprints: list[Misprint] = field(default_factory=list)


def worksheet_of(lesson: Lesson, chain: str = "full") -> Worksheet:
    """The lesson's worksheet; `chain` is `full` or `delta`."""
    from tutor.worksheet.build import network_worksheet

    return network_worksheet(lesson.network, lesson.examples[0], lesson.training, lesson.givens, chain)


def shipped_folder() -> Path:
    """The folder of the lessons that come with the program, installed or in a checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "lesson_files"
    return installed if installed.is_dir() else here.parent / "lessons"


def folders() -> list[Path]:
    """The reader's own lesson folder, if TUTOR_LESSONS names one, and the shipped one."""
    own = os.environ.get("TUTOR_LESSONS")
    if own and not Path(own).is_dir():
        raise TutorError(f"TUTOR_LESSONS names {own!r}, and that is no folder")
    return [*([Path(own)] if own else []), shipped_folder()]


def lesson_files() -> dict[str, Path]:
    """Every lesson that can be run by its bare name."""
    found: dict[str, Path] = {}
    for folder in reversed(folders()):
        found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return found


def course() -> list[tuple[str, Lesson]]:
    """All lessons with their names, in course order."""
    lessons = [(name, read_lesson(name)) for name in lesson_files()]
    return sorted(lessons, key=lambda pair: (pair[1].order, pair[0]))


def slug(name: str) -> str:
    """What a lesson is called in output: the bare name of its file."""
    return name if name == "-" else Path(name).stem


def lesson_text(name: str) -> str:
    """The text of the lesson: a bare name of a known lesson, a path, or `-` for standard input."""
    if name == "-":
        return _decode(sys.stdin.buffer.read(LARGEST_FILE + 1), "standard input")
    known = lesson_files()
    name = next((n for n in known if n.lower() == name.lower()), name)
    path = known.get(name, Path(name))
    if not name or (name not in known and not path.suffix and os.sep not in name and not os.path.lexists(path)):
        raise TutorError(
            f"there is no lesson {name[:80]!r}{nearest(name, known)} (a file needs its ending, as in my.toml)"
        )
    return _file_text(path)


def _file_text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise TutorError(f"{str(path)!r} is not an ordinary file; for standard input write -")
        with path.open("rb") as file:
            return _decode(file.read(LARGEST_FILE + 1), str(path))
    except FileNotFoundError:
        raise TutorError(f"there is no file {str(path)!r}") from None
    except IsADirectoryError:
        raise TutorError(f"{str(path)!r} is a folder, not a lesson file") from None
    except (OSError, ValueError) as error:
        raise TutorError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _decode(raw: bytes, where: str) -> str:
    if len(raw) > LARGEST_FILE:
        raise TutorError(f"{where} has more than {LARGEST_FILE:,} bytes; that is no lesson")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TutorError(f"{where} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8") from None


def read_lesson(name: str) -> Lesson:
    """The lesson by its name, path or `-`, completely checked. Raises TutorError for whatever is wrong with it."""
    return parse_lesson(lesson_text(name), _place_of(name))


def _place_of(name: str) -> str:
    """What messages call the file: its path, unless it came with the program."""
    path = lesson_files().get(name)
    if path is not None and path.parent != shipped_folder():
        return str(path)
    return "standard input" if name == "-" else name


def parse_lesson(text: str, where: str) -> Lesson:
    """The lesson that `text` describes; `where` is how messages call its file."""
    raw = _toml(text, where)
    _check_format(raw, where)
    try:
        lesson = msgspec.convert(raw, Lesson, dec_hook=_read, builtin_types=(Decimal,))
    except msgspec.ValidationError as error:
        raise TutorError(_explain(str(error), text, where)) from None
    try:
        if not lesson.title.strip():
            raise ValueError("title: say what the lesson is called")
        for entry in lesson.printed:
            read_number(entry.value)
        check_problem(lesson.network, lesson.examples, lesson.training, lesson.givens)
    except ValueError as error:
        raise TutorError(f"{where}: {error}") from None
    return lesson


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise TutorError(f"{where} is not valid TOML: {error}") from None
    except RecursionError:
        raise TutorError(f"{where} cannot be read: it is nested too deeply") from None
    except (ValueError, ArithmeticError):
        raise TutorError(f"{where} cannot be read: a number in it has too many digits") from None


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


def _called(value: Any) -> str:
    """What a person calls a value of a TOML file."""
    kinds = {bool: "true or false", str: "text", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")


def _explain(message: str, text: str, where: str) -> str:
    """msgspec's message with the place as a reader counts it, the line where that is sure, and the nearest word."""
    problem, _, path = message.partition(" - at `$")
    keys = re.findall(r"[A-Za-z_]\w*", path)
    if unknown := re.search(r"unknown field `(.*)`", problem):
        problem = f"unknown key {unknown[1]!r}{nearest(unknown[1], _fields(keys))}"
        keys.append(unknown[1])
    elif missing := re.search(r"missing required field `(.*)`", problem):
        problem = f"{missing[1]!r} is missing"
    else:
        problem = re.sub(r" \| null`", "`", problem)
        problem = re.sub(r"`(\w+)`", lambda m: _KINDS.get(m[1], m[1]), problem)
    place = re.sub(r"\[(\d+)\]", lambda m: f"[{int(m[1]) + 1}]", path.strip("`").lstrip("."))
    counted = " (counting from 1)" if "[" in place else ""
    return f"{where}{_line(text, keys)}: {f'in {place}{counted}: ' if place else ''}{problem}"


def _line(text: str, keys: list[str]) -> str:
    if not keys:
        return ""
    places = [m.start() for m in re.finditer(rf"(?m)^\s*\[*(?:[\w.]+\.)?{re.escape(keys[-1])}\]*\s*(?:=|$)", text)]
    return f", line {text.count(chr(10), 0, places[0] + 1) + 1}" if len(places) == 1 else ""


def _fields(keys: list[str]) -> Iterator[str]:
    """The keys that are valid in the table that the path of a message leads to."""
    tables: dict[str, type[Struct]] = {
        "network": Network,
        "layers": Layer,
        "neurons": Neuron,
        "examples": Example,
        "training": Training,
        "printed": Printed,
        "misprints": Misprint,
    }
    yield from tables.get(keys[-1] if keys else "", Lesson).__struct_fields__
