"""What a careful teacher would change in a lesson before students see it; each remark says what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from msgspec import field

from tutor.errors import TutorError, listed
from tutor.lessons.format import Homework, Lesson
from tutor.marking.assignment import assign
from tutor.marking.power import Weakness, weaknesses
from tutor.marking.printed import mark_printed
from tutor.marking.sheet import SheetMarker
from tutor.marking.verdict import CREDIT, Marker
from tutor.results import Result
from tutor.worksheet.step import Worksheet

OF_A_FILE = ("about is empty", "source is empty")
"""How the remarks begin that a worksheet by itself needs, and one with a lesson around it does not."""


class Lint(Result):
    """What `tutor lint --json` prints: everything to be mended, or nothing, and the `power` of the homework: in which
    lines the digits demanded cannot tell a slip from rounding."""

    lesson: str
    remarks: list[str]
    power: list[Weakness] = field(default_factory=list)


def remarks(lesson: Lesson, worksheet: Worksheet, key: dict[str, str]) -> Iterator[str]:
    """Everything to be mended. `key` has every value of the worksheet as it would be written on a filled sheet."""
    if not lesson.about.strip():
        yield "about is empty: say in two sentences what the reader is going to see"
    if not lesson.source.strip():
        yield "source is empty: say where the example comes from, or that it is your own"
    try:
        assign(worksheet, lesson.homework)
    except TutorError as error:
        yield str(error)
    for entry, marked in mark_printed(lesson.printed, worksheet):
        place = f" ({entry.place})" if entry.place else ""
        if marked.verdict == "wrong" and not entry.note.strip():
            yield f"printed value {entry.name}{place} = {entry.value} is wrong: say why in its note"
        if marked.verdict == "unreadable":
            yield f"printed value {entry.name}{place} = {entry.value} is no number: write it as the source prints it"
    marker, asked = Marker(worksheet), [step.name for step in worksheet.steps]
    for filled in (cell.mark for cell in SheetMarker(marker, asked).mark(key).cells):
        if filled.verdict != "correct":
            yield f"{filled.name}: {filled.answer} in the key is marked {filled.verdict}; report this, please"
    for blank in marker.mark([(step.name, "") for step in worksheet.steps]):
        if blank.verdict in CREDIT:
            yield f"{blank.name}: an empty answer earns credit; report this, please"
    if unused := [name for name in lesson.givens if not worksheet.users[name] and not _mentioned(name, lesson)]:
        yield f"nothing uses what is given as {listed(unused)}: use it or take it out"
    zeros = list(_unexplained_zeros(worksheet))
    if zeros and not lesson.source.strip():  # an example from elsewhere keeps its numbers
        verb = "is" if len(zeros) == 1 else "are"
        yield (
            f"{listed(zeros)} {verb} exactly 0, and no 0 among the givens explains it: a student learns nothing there; "
            "choose other numbers"
        )


def power(lesson: Lesson, worksheet: Worksheet, homework: Homework) -> list[Weakness]:
    """The lines whose digits cannot tell a slip from rounding. A lesson that asks for what is not there has a remark
    about it; options that do so raise TutorError."""
    try:
        assignment = assign(worksheet, homework)
    except TutorError:
        if homework != lesson.homework:
            raise
        return []
    return weaknesses(worksheet, assignment)


def _mentioned(name: str, lesson: Lesson) -> bool:
    """Whether a printed value or a note has the name in a formula."""
    texts = [text for entry in lesson.printed for text in (entry.name, entry.value, entry.note)]
    texts += [text for entry in lesson.misprints for text in (entry.printed, entry.correct, entry.why)]
    return any(re.search(rf"(?<!\w){re.escape(name)}(?![\w\[])", text) for text in texts)


def _unexplained_zeros(worksheet: Worksheet) -> Iterator[str]:
    """The gradients that are exactly 0, other than by a factor that is given as 0."""
    explained = {name for name, value in worksheet.givens.items() if value == 0}
    for step in worksheet.steps:
        if worksheet.values[step.name] != 0:
            continue
        if _vanishes(step.formula, explained):
            explained.add(step.name)
        elif step.stage == "gradient":
            yield step.name


def _vanishes(node: Any, zeros: Collection[str]) -> bool:
    """Whether the expression is 0 by these quantities alone: a product with one of them, or a sum of such products."""
    if node.is_Symbol:
        return node.name in zeros
    if node.is_Add:
        return all(_vanishes(term, zeros) for term in node.args)
    if node.is_Pow:
        return _vanishes(node.base, zeros)
    return any(_vanishes(factor, zeros) for factor in node.args) if node.is_Mul else bool(node == 0)
