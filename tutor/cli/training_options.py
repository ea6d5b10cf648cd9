"""The options of a training: one for each setting, with its type, its help and its default from the settings."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from tutor.errors import TutorError
from tutor.maths.penalties import PENALTIES
from tutor.training.settings import SECTIONS, Settings, option


def setting_parameters() -> list[inspect.Parameter]:
    """An option for each setting; None where it is not given."""
    kinds, section, found = get_type_hints(Settings), "", []
    for entry in fields(Settings):
        section = SECTIONS.get(entry.name, section)
        annotation = _annotation(entry, kinds[entry.name], section)
        found.append(inspect.Parameter(entry.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation))
    return found


def penalty_parameters() -> list[inspect.Parameter]:
    """Those of them that are strengths of penalties."""
    return [parameter for parameter in setting_parameters() if parameter.name in PENALTIES]


def _annotation(entry: Field[Any], kind: Any, section: str) -> Any:
    origin = get_origin(kind)
    if origin is dict:
        typed: Any = list[str]
    elif origin is tuple:
        typed = list[str] if str in get_args(kind) else str
    else:
        typed = next((k for k in get_args(kind) if k is not type(None)), kind) if "None" in str(kind) else kind
    names = [f"{option(entry.name)}/--no-{entry.name}"] if entry.default is True else [option(entry.name)]
    shown = {"help": entry.metadata["help"], "show_default": _default(entry), "rich_help_panel": section}
    metavar = {str: "NAME", list[str]: "NAME=NUMBER"}.get(typed)
    if origin is tuple:
        metavar = "N,N,…" if typed is str else "LAYER"
    return Annotated[typed | None, typer.Option(*names, metavar=metavar, **shown)]


def _default(entry: Field[Any]) -> Any:
    value = None if entry.default is MISSING else entry.default
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value) if value not in (None, "", False, True) else False


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among the options that were given, as the settings have them."""
    kinds = get_type_hints(Settings)
    said = {name: value for name, value in values.items() if name in kinds and value not in (None, [])}
    return {name: read(name, value, kinds[name]) for name, value in said.items()}


def read(name: str, value: Any, kind: Any) -> Any:
    """A setting from what was typed; `none` leaves to the data what is empty by default. Raises TutorError where it is
    no such thing."""
    origin = get_origin(kind)
    if origin is tuple and str in get_args(kind):
        texts = ",".join([value] if isinstance(value, str) else value)
        parts = [part.strip() for part in texts.split(",") if part.strip()]
        return () if parts == ["none"] else tuple(parts)
    if origin is tuple:
        try:
            sizes = tuple(int(part) for part in str(value).split(",") if part.strip())
        except ValueError:
            raise TutorError(f"{option(name)} takes whole numbers, as in 16,16, not {str(value)[:40]!r}") from None
        return () if sizes == (0,) else sizes
    if origin is dict:
        pairs = [text.partition("=") for text in value]
        if not all(key.strip() and equals and number.strip() for key, equals, number in pairs):
            raise TutorError(f"{option(name)} takes a name and a number, as in beta=0.8")
        return {key.strip(): number.strip() for key, _, number in pairs}
    return "" if value == "none" and getattr(Settings(), name) == "" else value
