"""What a derivative says, in words: by how much one quantity changes with another, and which way that one has to go."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from tutor.formulas.quantity import Role, read_name
from tutor.numbers.exact import as_fraction
from tutor.views.numbers import shown
from tutor.views.worksheet.model import WorksheetView
from tutor.worksheet.step import Worksheet

NUDGE = Fraction(1, 100)


def meaning(view: WorksheetView, name: str) -> Iterator[str]:
    """For a derivative: what a small change of the one does to the other; of an error also what is to be done."""
    worksheet = view.worksheet
    pair = _differentiated(worksheet, name)
    if pair is None:
        return
    of, by = pair
    value = as_fraction(view.values[name])
    if value == 0:
        yield f"It is 0: a small change of {by} changes {of} by nothing, to first order."
        return
    verb = "grows" if value > 0 else "falls"
    change = shown(abs(value) * NUDGE, view.digits)
    told = f"If {by} grows by {shown(NUDGE, 2)}, {of} {verb} by about {change}"
    updated = {old for old, _ in worksheet.updated}
    wanted = (
        f", so {by} has to go {'down' if value > 0 else 'up'}" if by in updated and of in _errors(worksheet) else ""
    )
    yield f"{told}{wanted}."


def _differentiated(worksheet: Worksheet, name: str) -> tuple[str, str] | None:
    """What is differentiated by what."""
    for gradient, of, by in worksheet.gradients:
        if gradient == name:
            return of, by
    step = worksheet.by_name.get(name)
    return step.partial_of if step is not None else None


def _errors(worksheet: Worksheet) -> set[str]:
    return {worksheet.goal, *(before for before, _ in worksheet.outcomes)}


def first_order(view: WorksheetView) -> Iterator[str]:
    """After one update: what the gradients let expect of the error, beside what it did."""
    worksheet, values = view.worksheet, view.values
    slopes = {by: name for name, of, by in worksheet.gradients if of == worksheet.goal}
    single = all(read_name(new).role is Role.NEW for _, new in worksheet.updated)
    if len(worksheet.outcomes) != 1 or not single or not worksheet.updated:
        return
    if not all(old in slopes and slopes[old] in values for old, _ in worksheet.updated):
        return
    before, after = worksheet.outcomes[0]
    expected = sum(
        (as_fraction(values[slopes[old]]) * (as_fraction(values[new]) - as_fraction(values[old])))
        for old, new in worksheet.updated
    )
    true = as_fraction(values[after]) - as_fraction(values[before])
    if expected == 0 or true == 0:
        return
    predicted, found = (shown(x, view.digits, y) for x, y in ((expected, true), (true, expected)))
    together = "Each gradient times the change of its parameter, added up,"
    yield f"{together} predicts a change of {predicted}; that of {before} is {found}."
