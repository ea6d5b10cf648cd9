"""What commands print with `--json`: one envelope, and plain text of whatever results are made of."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

import msgspec
from msgspec import Struct


class Result(Struct, tag_field="format", tag=1, omit_defaults=True):
    """The whole of what a command prints. Its first field, the number of its format, changes with its meaning.

    A field that has a default is left out where it has nothing to say.
    """


def as_json(result: object, indent: int | None = 1) -> str:
    """A result, or a part of one, with null for what is no finite number, for which JSON has no word."""
    plain = msgspec.to_builtins(result)
    try:
        return json.dumps(plain, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(plain), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not isfinite(value) else value
