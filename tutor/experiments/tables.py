"""The settings of trainings from tables of a file, by the names that the options of `tutor train` have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tutor.errors import TutorError, nearest
from tutor.training.settings import Settings, option

NOT_SETTINGS = ("data", "worksheet", "label")
"""What a row may also say: where its examples come from."""


def settings_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a table gives, as `Settings` has them. Raises TutorError for what is none, or no such value."""
    known = {entry.name: entry for entry in fields(Settings)}
    hints = get_type_hints(Settings)
    settings = {}
    for written, value in table.items():
        name = written.replace("-", "_")
        if name in NOT_SETTINGS:
            continue
        if name not in known:
            names = [other if "_" in written else option(other)[2:] for other in (*known, *NOT_SETTINGS)]
            raise TutorError(f"there is no setting {written[:40]!r}{nearest(written, names)}")
        entry = known[name]
        if value == "none":
            settings[name] = {} if entry.default is MISSING else entry.default
        else:
            settings[name] = _value(written, value, hints[name])
    return settings


def _value(name: str, value: Any, hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is tuple:
        return _widths(name, value)
    if origin is dict:
        if not isinstance(value, dict):
            raise TutorError(f"{name} is a table, as in {{ beta = 0.8 }}")
        return {key: str(entry).lower() if isinstance(entry, bool) else str(entry) for key, entry in value.items()}
    if origin is Literal:
        if value not in get_args(hint):
            raise TutorError(f"{name} is {' or '.join(get_args(hint))}, not {str(value)[:40]!r}")
        return value
    kind = next((k for k in get_args(hint) if k is not type(None)), hint)
    if kind is bool and isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str):
        return value
    if kind in (int, float) and isinstance(value, int | Decimal) and not isinstance(value, bool):
        if kind is int and value != int(value):
            raise TutorError(f"{name} is a whole number, not {value}")
        if isfinite(number := kind(value)):
            return number
    words = {bool: "true or false", str: "a word in quotation marks", int: "a whole number", float: "a number"}
    raise TutorError(f"{name} is {words[kind]}, not {str(value)[:40]!r}")


def _widths(name: str, value: Any) -> tuple[int, ...]:
    sizes = value if isinstance(value, list) else [value]
    if not all(isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in sizes):
        raise TutorError(f"{name} is a list of whole numbers, as in [16, 16]; [] for none")
    return () if sizes in ([], [0]) else tuple(sizes)


def spelled(value: Any) -> str:
    """A value as it is typed on the command line; `none` is what is left to the data."""
    if value is None or value == "" or value == {}:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "0"
    if isinstance(value, Mapping):
        return ",".join(f"{name}={number}" for name, number in value.items())
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
