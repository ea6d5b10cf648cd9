"""All that a lesson may say as a JSON Schema: a worksheet in TOML, and every block of a lesson in Markdown."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Struct

from tutor.course.format import BLOCKS
from tutor.lessons.course_text import Extras
from tutor.lessons.format import Header, Lesson, schema_of_numbers
from tutor.maths.gates import GATES

_NOT_IN_A_BLOCK = ("format", "order", "problem")


def schema() -> dict[str, Any]:
    """For editors that complete TOML. It describes the file of a worksheet; `blocks` names the part that describes each
    kind of block."""
    kinds: dict[str, type[Struct]] = {"lesson": Header, **BLOCKS}
    _, parts = msgspec.json.schema_components(
        [Lesson, Extras, *kinds.values()], schema_hook=schema_of_numbers, ref_template="#/$defs/{name}"
    )
    for part in parts.values():  # Python 3.13 takes the indentation out of docstrings, earlier ones do not
        if "description" in part:
            part["description"] = cleandoc(part["description"])
    _abbreviated(parts)
    parts["Worksheet"] = _worksheet(parts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A lesson of tutor",
        "$ref": "#/$defs/Lesson",
        "blocks": {
            "worksheet": {"$ref": "#/$defs/Worksheet"},
            **{kind: {"$ref": f"#/$defs/{struct.__name__}"} for kind, struct in kinds.items()},
        },
        "$defs": parts,
    }


def _abbreviated(parts: dict[str, Any]) -> None:
    """What may be written shorter: examples by the name of a gate, equations as a table, equal layers."""
    lesson = parts["Lesson"]["properties"]
    lesson["examples"] = {"anyOf": [lesson["examples"], {"enum": [*GATES]}]}
    table = {"type": "object", "additionalProperties": {"type": "string"}}
    lesson["equations"] = {"anyOf": [lesson["equations"], table]}
    parts["Layer"]["properties"]["repeat"] = {"type": "integer", "minimum": 1}


def _worksheet(parts: dict[str, Any]) -> dict[str, Any]:
    """A worksheet within a lesson: what a file of its own has, without its head, and what it may say besides."""
    lesson = parts["Lesson"]
    own = {key: value for key, value in lesson["properties"].items() if key not in _NOT_IN_A_BLOCK}
    return {
        **{key: value for key, value in lesson.items() if key != "required"},
        "title": "Worksheet",
        "description": "A block `toml worksheet NAME` of a lesson.",
        "properties": {**own, **parts.pop("Extras")["properties"]},
    }
