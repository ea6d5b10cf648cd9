"""What a careful teacher would change in a lesson before students see it; each remark says what to do."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.homework.marking import Marker
from tutor.homework.printed import mark_printed
from tutor.homework.verdict import CREDIT
from tutor.lesson_format import Lesson
from tutor.worksheet.step import Worksheet


def remarks(lesson: Lesson, worksheet: Worksheet, key: dict[str, str]) -> Iterator[str]:
    """Everything to be mended. `key` has every value of the worksheet as it would be written on a filled sheet."""
    if not lesson.about.strip():
        yield "about is empty: say in two sentences what the reader is going to see"
    if not lesson.source.strip():
        yield "source is empty: say where the example comes from, or that it is your own"
    for entry, marked in mark_printed(lesson.printed, worksheet):
        place = f" ({entry.place})" if entry.place else ""
        if marked.verdict == "wrong" and not entry.note.strip():
            yield f"printed value {entry.name}{place} = {entry.value} is wrong: say why in its note"
        if marked.verdict == "unreadable":
            yield f"printed value {entry.name}{place} = {entry.value} is no number: write it as the source prints it"
    marker = Marker(worksheet)
    for filled in marker.mark([(step.name, key[step.name]) for step in worksheet.steps]):
        if filled.verdict != "correct":
            yield f"{filled.name}: {filled.answer} in the key is marked {filled.verdict}; report this, please"
    for blank in marker.mark([(step.name, "") for step in worksheet.steps]):
        if blank.verdict in CREDIT:
            yield f"{blank.name}: an empty answer earns credit; report this, please"
    for name, value in worksheet.values.items():
        if name in worksheet.by_name and value == 0 and worksheet.by_name[name].stage == "gradient":
            yield f"{name} is exactly 0: a student learns nothing from it; choose other numbers"
