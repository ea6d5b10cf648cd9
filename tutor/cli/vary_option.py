"""What `--vary` says: the name of a setting, and its values or the ends between which they are drawn."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from tutor.cli.training_options import read
from tutor.errors import TutorError, nearest
from tutor.training.settings import Settings, option

if TYPE_CHECKING:
    from tutor.data.source import Source
    from tutor.experiments.search import Varied


_FIXED = {
    "seed": "--seeds 5 trains every setting with five seeds, from --seed on",
    "validation": "every setting is to be measured on the same examples; give --validation once",
    "test": "every setting is to be measured on the same examples; give --test once",
}
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def read_variations(texts: Sequence[str]) -> list[Varied]:
    """Raises TutorError for whatever is no setting or no value of it."""
    found = [_read_variation(text) for text in texts]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            flag = option(name)[2:]
            raise TutorError(f"--vary {flag} is given twice; name all values in one, as in --vary '{flag}=…|…'")
    return found


def _read_variation(text: str) -> Varied:
    from tutor.experiments.search import Choices, Span

    typed, equals, values = (part.strip() for part in text.partition("="))
    entry = _entry(typed)
    flag = option(entry.name)[2:]
    if not equals or not values:
        raise TutorError(f"--vary {flag} needs values, as in --vary optimizer=sgd,adam")
    if ".." in values:
        return Span(entry.name, *_ends(entry, values), share=entry.metadata["below"] is not None)
    separator = next((sign for sign in "|;" if sign in values), ",")
    read_values = [_value(entry, part.strip()) for part in values.split(separator)]
    for place, value in enumerate(read_values):
        if value in read_values[:place]:
            hint = "" if separator != "," else " (where a value has commas, separate values by |)"
            part = values.split(separator)[place].strip()
            raise TutorError(f"--vary {flag} has {part[:40]!r} twice{hint}")
    return Choices(entry.name, tuple(read_values))


def _entry(typed: str, place: str = "--vary", also: Sequence[str] = ()) -> Field[Any]:
    known = {entry.name: entry for entry in fields(Settings)}
    name = typed.lstrip("-").replace("-", "_")
    if name not in known:
        flags = [*(option(valid)[2:] for valid in known), *also]
        told = nearest(typed.lstrip("-").replace("_", "-"), flags)
        raise TutorError(f"{place} knows no setting {typed[:40]!r}{told}")
    if name in _FIXED:
        raise TutorError(f"{place} does not take {name}: {_FIXED[name]}")
    return known[name]


def setting_typed(place: str, name: str, value: str, also: Sequence[str] = ()) -> tuple[str, Any]:
    """A setting and its value as a row has them; `also` are other words that may stand there. Raises TutorError, with
    the place, for whatever is no setting or no value of it."""
    entry = _entry(name.strip(), place, also)
    return entry.name, _value(entry, value.strip(), place)


def _kind(name: str) -> Any:
    """int, float, bool, str, tuple, dict, or Literal with its words."""
    hint = get_type_hints(Settings)[name]
    if get_origin(hint) is tuple and str in get_args(hint):
        return str
    if get_origin(hint) in (tuple, dict):
        return get_origin(hint)
    if get_origin(hint) is Literal:
        return hint
    return next((kind for kind in get_args(hint) if kind is not type(None)), hint)


def _value(entry: Field[Any], text: str, place: str = "--vary") -> Any:
    kind, flag = _kind(entry.name), option(entry.name)[2:]
    default = {} if entry.default is MISSING else entry.default
    if text.lower() == "none" and (default is None or default in ("", {})):
        return default
    if not text:
        raise TutorError(f"{place} {flag} has an empty value; leave out the separator, or say none where there may be")
    if kind is bool:
        if text.lower() not in _SWITCH:
            raise TutorError(f"{place} {flag} takes true or false, not {text[:40]!r}")
        return _SWITCH[text.lower()]
    if kind in (int, float):
        return _number(flag, text, kind, place)
    if get_origin(kind) is Literal and text not in get_args(kind):
        raise TutorError(f"{place} {flag} takes {' or '.join(get_args(kind))}, not {text[:40]!r}")
    if kind is dict:
        return read(entry.name, text.split(","), get_type_hints(Settings)[entry.name])
    return read(entry.name, text, get_type_hints(Settings)[entry.name])


def _number(flag: str, text: str, kind: type, place: str = "--vary") -> Any:
    try:
        number = kind(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise TutorError(f"{place} {flag} takes {'whole ' if kind is int else ''}numbers, not {text[:40]!r}")
    return number


def _ends(entry: Field[Any], values: str) -> tuple[Any, Any, type]:
    """Both ends of a range, and what lies between them: float, int, or tuple for the width of a hidden layer."""
    from tutor.training.settings import check

    kind, flag = _kind(entry.name), option(entry.name)[2:]
    if kind not in (int, float, tuple):
        raise TutorError(f"--vary {flag} has no range; list its values, separated by commas")
    between = float if kind is float else int
    low, high = (_number(flag, end.strip(), between) for end in values.split("..", 1))
    if not low < high:
        raise TutorError(f"--vary {flag}={values[:40]} is no range: the lower end comes first, as in 0.001..0.1")
    least, below = entry.metadata["least"], entry.metadata["below"]
    if (least is not None and low < least) or (below is not None and high >= below):
        for end in (low, high):
            at_the_end: dict[str, Any] = {entry.name: (end,) if kind is tuple else end}
            check(Settings(**at_the_end))
    return low, high, kind


def command_line(source: Source, chosen: Mapping[str, Any]) -> list[str]:
    """The words of the `tutor train` that trains on these data with these settings, each quoted for a shell."""
    return [*map(shlex.quote, ["tutor", "train", *words_of(source)]), *options_typed(chosen)]


def words_of(source: Source) -> list[str]:
    """The words that name these data, and what is done about their columns."""
    words = ["--data", source.name]
    words += [] if source.label is None else ["--label", source.label]
    words += ["--task", source.task] if source.task else []
    words += [word for column in source.drop for word in ("--drop", column)]
    words += ["--missing", source.missing] if source.missing else []
    return words + (["--classes", ",".join(source.classes)] if source.classes else [])


def options_typed(chosen: Mapping[str, Any]) -> list[str]:
    """The words that set these settings, each quoted for a shell."""
    known = [entry for entry in fields(Settings) if entry.name in chosen]
    return [shlex.quote(word) for entry in known for word in _typed(entry, chosen[entry.name])]


def _typed(entry: Field[Any], value: Any) -> list[str]:
    from tutor.experiments.tables import spelled

    if isinstance(value, bool):
        return [option(entry.name)] if value else [f"--no-{entry.name}"] if entry.default is True else []
    if value is None or value in ("", {}):
        return []
    if isinstance(value, Mapping):
        return [word for name, number in value.items() for word in (option(entry.name), f"{name}={number}")]
    return [option(entry.name), spelled(value)]
