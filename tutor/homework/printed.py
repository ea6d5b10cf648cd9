"""The lecture as the first student: what it prints, marked."""

from __future__ import annotations

from collections.abc import Sequence

from tutor.arithmetic.symbolic import symbol
from tutor.errors import TutorError
from tutor.homework.compiled import Compiled
from tutor.homework.marking import Mark, Marker
from tutor.lesson_format import Printed
from tutor.worksheet.names import find_name, is_name
from tutor.worksheet.parse import parse
from tutor.worksheet.step import Step, Worksheet

_COPIED = " as given"


def mark_printed(printed: Sequence[Printed], worksheet: Worksheet) -> list[tuple[Printed, Mark]]:
    """Every printed value with its mark."""
    steps = [_step_of(entry, worksheet) for entry in printed]
    checks = {step.name: step for step in steps if step.name not in worksheet.by_name}
    marks = Marker(worksheet, compiled=Compiled(worksheet, tuple(checks.values()))).mark(
        [(step.name, entry.value) for step, entry in zip(steps, printed, strict=True)]
    )
    return [
        (entry, mark._replace(name=mark.name.removesuffix(_COPIED))) for entry, mark in zip(printed, marks, strict=True)
    ]


def _step_of(entry: Printed, worksheet: Worksheet) -> Step:
    """The step that the entry names; a formula over the worksheet's names is a check of its own."""
    try:
        name = find_name(entry.name, worksheet.names)
    except TutorError as unknown:
        if is_name(entry.name):
            raise TutorError(f"printed value: {unknown}") from None
        name = ""
    if name in worksheet.by_name:
        return worksheet.by_name[name]
    try:
        if name:  # a given has no line: it is checked by one that copies it, and has a name of its own
            return Step(f"{name}{_COPIED}", "check", symbol(name), "formula")
        return Step(entry.name, "check", parse(entry.name, worksheet.names), "formula")
    except ValueError as error:
        raise TutorError(f"printed value {entry.name!r}: {error}") from None
