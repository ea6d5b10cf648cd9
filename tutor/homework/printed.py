"""The lecture as the first student: what it prints, marked."""

from __future__ import annotations

from collections.abc import Sequence

from tutor.errors import TutorError
from tutor.homework.compiled import Compiled
from tutor.homework.marking import Mark, Marker
from tutor.lesson_format import Printed
from tutor.worksheet.names import find_name
from tutor.worksheet.parse import parse
from tutor.worksheet.step import Step, Worksheet


def mark_printed(printed: Sequence[Printed], worksheet: Worksheet) -> list[tuple[Printed, Mark]]:
    """Every printed value with its mark."""
    steps = [_step_of(entry, worksheet) for entry in printed]
    checks = {step.name: step for step in steps if step.name not in worksheet.by_name}
    marks = Marker(worksheet, compiled=Compiled(worksheet, tuple(checks.values()))).mark(
        [(step.name, entry.value) for step, entry in zip(steps, printed, strict=True)]
    )
    return list(zip(printed, marks, strict=True))


def _step_of(entry: Printed, worksheet: Worksheet) -> Step:
    """The step that the entry names; a formula over the worksheet's names is a check of its own."""
    try:
        return worksheet.by_name[find_name(entry.name, worksheet.by_name)]
    except TutorError:
        pass
    try:
        return Step(entry.name, "check", parse(entry.name, worksheet.names), "formula")
    except ValueError as error:
        raise TutorError(f"printed value {entry.name!r}: {error}") from None
