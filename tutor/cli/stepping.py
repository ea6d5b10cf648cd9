"""`tutor run --step`: one step at a time, at the reader's own pace."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tutor.errors import TutorError
from tutor.views import explanation
from tutor.views.narrate import narrate_outcome, narrate_step
from tutor.views.screen import Screen
from tutor.views.tableau import Tableau
from tutor.views.tables import show_notes, show_step
from tutor.worksheet.names import find_name

LEAVE = -1
HELP = "Enter: next step. b: back. j NAME: jump to a step. w: why. q: quit."


def can_step() -> bool:
    """Whether there is somebody to answer. Without a terminal the worksheet is shown as a whole."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def walk(tableau: Tableau, screen: Screen, stages: Sequence[str] = ()) -> None:
    """Show step after step and do what the reader asks for in between, until the end or `q`."""
    steps = [step for step in tableau.worksheet.steps if not stages or step.stage in stages]
    names = [step.name for step in steps]
    screen.show("", HELP)
    at = 0
    while 0 <= at < len(steps):
        screen.heading(f"Step {at + 1} of {len(steps)}, {steps[at].stage}")
        _show(tableau, screen, names[at])
        at = _ask(tableau, screen, names, at)
    if at == len(steps):
        screen.show("", *(narrate_outcome(tableau)))


def _show(tableau: Tableau, screen: Screen, name: str) -> None:
    step = tableau.worksheet.by_name[name]
    if screen.narrate:
        screen.show(narrate_step(tableau, step))
        return
    show_step(tableau, screen, step)
    show_notes(screen, tableau.printed_by_name.get(name, ()))


def _ask(tableau: Tableau, screen: Screen, names: list[str], at: int) -> int:
    """Where the reader wants to go from step `at`: past the last step at the end, below the first to leave."""
    while True:
        try:
            word, _, rest = input("> ").strip().partition(" ")
        except EOFError:
            return LEAVE
        match word.lower():
            case "" | "n" | "next":
                return at + 1
            case "b" | "back":
                return max(0, at - 1)
            case "q" | "quit":
                return LEAVE
            case "w" | "why":
                explanation.explain(tableau, screen, names[at])
            case "j" | "jump" if rest:
                try:
                    return names.index(find_name(rest, names))
                except TutorError as error:
                    screen.show(str(error))
            case _:
                screen.show(HELP)
