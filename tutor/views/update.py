"""One update of a training: its worksheet, and how far the trainer's own numbers are from the exact ones."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tutor.numbers.exact import as_fraction
from tutor.views.numbers import full
from tutor.views.screen import Screen
from tutor.views.worksheet import page, sentences
from tutor.views.worksheet.model import Tableau
from tutor.worksheet.step import Worksheet

DIGITS = 6


def show_update(
    name: str, number: int, worksheet: Worksheet, trained: Mapping[str, float], arithmetic: str, screen: Screen
) -> None:
    """The worksheet, then every parameter as it comes out exactly and as the trainer has it."""
    tableau = Tableau(worksheet, DIGITS)
    screen.show(screen.text(f"{name}: update {number}, from the trainer's own weights at that moment", "bold"), "")
    if screen.narrate:
        screen.show(*sentences.narrate_worksheet(tableau))
    else:
        page.show_worksheet(tableau, screen)
    screen.heading(f"What the trainer made of it, in {arithmetic} arithmetic")
    rows = [(p, *found) for p, found in compared(worksheet, trained).items()]
    if screen.narrate or screen.stacked:
        for parameter, exact, own, apart in rows:
            screen.show(f"{parameter}: exactly {exact}, the trainer {own}, difference {apart}.")
        return
    table = screen.table(
        "parameter", "exactly", "the trainer", "difference", right=("exactly", "the trainer", "difference")
    )
    for row in rows:
        table.add_row(*map(screen.text, row))
    screen.show(table)


def compared(worksheet: Worksheet, trained: Mapping[str, float]) -> dict[str, tuple[str, str, str]]:
    """Each parameter after the update: exactly, as the trainer has it, and the difference."""
    last = dict(worksheet.updated)
    found = {}
    for parameter, own in trained.items():
        if parameter in last:
            exact = as_fraction(worksheet.values[last[parameter]])
            found[parameter] = full(exact), repr(own), f"{float(Fraction(own) - exact):.1e}"
    return found
