"""The arrays of a step from a file: NPZ, or JSON with one object or a list of them, in the order of the steps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tutor.data.limits import LARGEST_FILE, MOST_NUMBERS
from tutor.data.read_npz import Member, opened
from tutor.errors import TutorError
from tutor.files import Kind
from tutor.read_files import read_text

Array = Any
Arrays = dict[str, Array]
STEP = Kind("a step", rb"PK\x03\x04")
MOST_STEPS = 1_000
_STEP_OF = re.compile(r"(?:step)?_?(\d{1,6})[/:@](.+)")


def read_steps(path: Path) -> list[Arrays]:
    """The arrays of each step in a file. Raises TutorError, with the place, for what are no arrays of numbers."""
    if path.suffix.lower() == ".npz":
        return list(_from_npz(path))
    if path.suffix.lower() in (".json", "") or str(path) == "-":
        return _from_json(path)
    raise TutorError(f"{str(path)!r} is neither .npz nor .json; write the arrays with np.savez, or as nested lists")


def _from_npz(path: Path) -> Iterator[Arrays]:
    steps: dict[int, Arrays] = {}
    with opened(path, LARGEST_FILE) as archive:
        for stored in archive.namelist():
            if not stored.endswith(".npy"):
                raise TutorError(f"{path} holds {stored[:40]!r}, which is no array")
            name = stored.removesuffix(".npy")
            member = Member(path, archive, name)
            if member.dtype.kind == "U":
                raise TutorError(f"{member.where}: it holds text, and a step has numbers")
            match = _STEP_OF.fullmatch(name)
            number, name = (int(match[1]), match[2]) if match else (0, name)
            steps.setdefault(number, {})[name] = member.read()
    if not steps:
        raise TutorError(f"{path} holds no arrays")
    yield from (steps[number] for number in sorted(steps))


def _from_json(path: Path) -> list[Arrays]:
    text = read_text(path, LARGEST_FILE, "step")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TutorError(f"{str(path)!r} is no JSON: {str(error)[:100]}") from None
    steps = found if isinstance(found, list) else [found]
    if not steps or len(steps) > MOST_STEPS or not all(isinstance(step, dict) and step for step in steps):
        raise TutorError(
            f"{str(path)!r} has to hold an object with the name of each array, or a list of at most {MOST_STEPS:,} "
            'such objects, as in {"X": [[1, 2]], "W1": [[0.5], [0.25]]}'
        )
    return [arrays_of(step, str(path)) for step in steps]


def arrays_of(named: Mapping[str, Any], where: str = "") -> Arrays:
    """Each as an array of plain numbers, a copy as it is now. Raises TutorError for what is none."""
    return {
        str(name): as_array(value, f"{where}: {name!r:.60}" if where else f"{name!r:.60}")
        for name, value in named.items()
    }


def as_array(value: Any, where: str) -> Array:
    """A copy of nested lists, of an array, or of anything that NumPy takes for one."""
    if hasattr(value, "detach"):  # a tensor that may have a gradient
        value = value.detach().cpu()
        if str(getattr(value, "dtype", "")).endswith("bfloat16"):
            value = value.float()
        value = value.numpy()
    try:
        array = np.array(_numbers(value))
    except (ValueError, TypeError, OverflowError, RecursionError, RuntimeError):
        raise TutorError(f"{where} is no array of numbers: its rows have to be lists of the same length") from None
    if array.dtype.kind not in "buif" or array.dtype.itemsize > 8:
        raise TutorError(f"{where} is no array of plain numbers of at most 64 bits")
    if array.ndim > 2:
        raise TutorError(f"{where} has {array.ndim} dimensions, {array.shape}; a step has vectors and matrices")
    if array.size > MOST_NUMBERS:
        raise TutorError(f"{where} has more than {MOST_NUMBERS:,} numbers")
    return array


def _numbers(value: Any) -> Any:
    """JSON has no word for what is not finite: null is taken for it."""
    if value is None:
        return float("nan")
    return [_numbers(v) for v in value] if isinstance(value, list) else value
