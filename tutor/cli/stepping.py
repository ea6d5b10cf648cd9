"""`tutor run --step`: one step at a time, at the reader's own pace."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tutor.cli.keys import has_keys, read_key
from tutor.errors import TutorError
from tutor.formulas.names import find_name, plain_name
from tutor.printers import Printer
from tutor.views.blocks import Heading
from tutor.views.worksheet.model import WorksheetView
from tutor.views.worksheet.page import calculation, outcome, setting
from tutor.views.worksheet.why import explanation
from tutor.worksheet.step import Step, by_stage

LEAVE = -1
KEYS = "Enter, space, right or down: next step. Left, up or b: back."
LINES = "Enter: next step. b: back."
HELP = "j: jump to a step by its number, its stage or its name. w: why. p: picture. q: quit. ?: this help."
_ACTIONS = {
    "next": ("", "\r", "\n", " ", "n", "next", "right", "down"),
    "back": ("b", "back", "left", "up"),
    "jump": ("j", "jump"),
    "why": ("w", "why"),
    "picture": ("p", "picture"),
    "quit": ("q", "quit"),
}


def can_step() -> bool:
    """Whether there is somebody to answer. Without a terminal the worksheet is shown as a whole."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def walk(view: WorksheetView, printer: Printer, stages: Sequence[str] = ()) -> bool:
    """Show step after step and do what the reader asks for in between, until the end, `q`, Ctrl-D or Ctrl-C.

    Says whether it came to the end.
    """
    steps = [step for step in view.worksheet.steps if not stages or step.stage in stages]
    _help(printer)
    at = 0
    while 0 <= at < len(steps):
        printer = printer.fitted()
        title = f"Step {at + 1} of {len(steps)}, {steps[at].stage}"
        printer.show([Heading(title), calculation(view, steps[at])])
        at = _ask(view, printer, steps, at)
    if at == LEAVE:
        return False
    printer.show(outcome(view))
    return True


def _help(printer: Printer) -> None:
    printer.say("", KEYS if has_keys() else LINES, HELP)


def _ask(view: WorksheetView, printer: Printer, steps: Sequence[Step], at: int) -> int:
    """Where the reader wants to go from step `at`: past the last step at the end, below the first to leave."""
    while True:
        printer = printer.fitted()
        try:
            action, rest = _answer()
            if action == "jump":
                return find_step(rest or input("jump to: "), steps)
        except (EOFError, KeyboardInterrupt):
            print()
            return LEAVE
        except TutorError as error:
            printer.say(str(error))
            continue
        if action in ("next", "back", "quit"):
            return {"next": at + 1, "back": max(0, at - 1), "quit": LEAVE}[action]
        if action == "why":
            printer.show(explanation(view, steps[at].name))
        elif action == "picture":
            printer.show(setting(view))
        else:
            _help(printer)


def _answer() -> tuple[str, str]:
    """What the reader wants, and what they typed behind it; empty for what nobody knows."""
    if has_keys():
        word, rest = read_key("> "), ""
        word = word or "?"
        print()
    else:
        word, _, rest = input("> ").strip().partition(" ")
    return next((action for action, words in _ACTIONS.items() if word.lower() in words), ""), rest.strip()


def find_step(written: str, steps: Sequence[Step]) -> int:
    """The place of the step with that number, of the first one of a stage, or of that name or a name beginning so.

    Raises TutorError where there is none.
    """
    names, word = [step.name for step in steps], plain_name(written)
    if word.isdecimal():
        if 1 <= int(word[:9]) <= len(steps):
            return int(word[:9]) - 1
        raise TutorError(f"there are {len(steps)} steps; jump to a number from 1 to {len(steps)}")
    if word not in names:
        begun = word.lower()
        stage = [at for at, step in enumerate(steps) if begun and step.stage.startswith(begun)]
        like = [at for at, name in enumerate(names) if begun and name.lower().startswith(begun)]
        whole = [at for at in like if names[at].lower() == begun]
        if found := whole[:1] or stage[:1] or like[:1]:
            return found[0]
    return names.index(find_name(written, names, by_stage(steps)))
