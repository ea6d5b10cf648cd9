"""Plain data for programs, as JSON that every program reads."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any


def as_json(document: Any) -> str:
    """The document with null for what is no finite number, for which JSON has no word."""
    return json.dumps(_finite(document), indent=1, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not isfinite(value) else value
