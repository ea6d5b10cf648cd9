"""The lecture as the first student: what it prints, marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tutor.errors import TutorError
from tutor.formulas.expressions import symbol
from tutor.formulas.names import find_name, is_name
from tutor.formulas.parse import parse
from tutor.lessons.format import Printed
from tutor.marking.answer import WrittenNumber, is_same
from tutor.marking.formula_answer import RIGHT, WRONG, Formulas
from tutor.marking.key import Compiled
from tutor.marking.verdict import Mark, Marker
from tutor.maths.kind import Kind
from tutor.numbers import decimals
from tutor.numbers.exact import is_number
from tutor.worksheet.step import Step, Worksheet

_COPIED = " as given"


def mark_printed(printed: Sequence[Printed], worksheet: Worksheet) -> list[tuple[Printed, Mark]]:
    """Every printed value with its mark. A formula is judged by its meaning, and counts as the number that it gives."""
    steps = [_step_of(entry, worksheet) for entry in printed]
    checks = {step.name: step for step in steps if step.name not in worksheet.by_name}
    marker = Marker(worksheet, compiled=Compiled(worksheet, tuple(checks.values())))
    formulas = Formulas(marker.program)
    found = [_formula(entry, step, formulas) for entry, step in zip(printed, steps, strict=True)]
    marks = marker.mark(
        [(step.name, entry.value) for step, entry in zip(steps, printed, strict=True)],
        {entry.value: formula.number for entry, formula in zip(printed, found, strict=True) if formula},
    )
    marked = []
    for entry, mark, formula in zip(printed, marks, found, strict=True):
        verdict = (formula and formula.verdict) or mark.verdict
        marked.append((entry, mark._replace(name=mark.name.removesuffix(_COPIED), verdict=verdict)))
    return marked


class _Formula(NamedTuple):
    """What a printed formula gives or is said to give; `verdict` is empty where that number is to be judged."""

    number: WrittenNumber
    verdict: str


def _formula(entry: Printed, step: Step, formulas: Formulas) -> _Formula | None:
    """What is printed where it is a formula: right or wrong by its meaning, whatever it gives here. Raises TutorError
    where it cannot be read."""
    if is_number(entry.value):
        return None
    program = formulas.program
    place = program.places[step.name]
    with decimals.precision(program.digits):
        written, _, judged, reasons = formulas.read({place: entry.value})
        if place in reasons:
            said = f"printed value of {entry.name!r}: {entry.value!r}"
            raise TutorError(f"{said} is neither a number nor a formula: {reasons[place]}")
        number, found = written[place], judged.get(place)
        if found == WRONG:
            return _Formula(number, "wrong")
        if number.exponent is not None:
            return _Formula(number, "")
        is_right = found == RIGHT or is_same(number.value, program.key[place])
    return _Formula(number, "correct" if is_right else "wrong")


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
            return Step(f"{name}{_COPIED}", "check", Kind.CHECK, symbol(name), "formula")
        return Step(entry.name, "check", Kind.CHECK, parse(entry.name, worksheet.names), "formula")
    except ValueError as error:
        raise TutorError(f"printed value {entry.name!r}: {error}") from None
