"""What printers need to know of an output: how wide it is, what it can show, and how text is spelled there."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass, replace
from typing import Any

from tutor.escaping import for_terminal
from tutor.views.style import ASCII, PRETTY, SPOKEN, Style

NARROWEST = 20
STACK_BELOW = 60
WIDE_FROM = 120


@dataclass(frozen=True)
class Screen:
    """One place to write to. `narrate` asks for sentences instead of tables and pictures; one that `follows` has the
    width of its terminal, which somebody may change."""

    width: int
    color: bool
    unicode: bool
    narrate: bool = False
    follows: bool = False

    @property
    def style(self) -> Style:
        """How formulas are spelled here."""
        return SPOKEN if self.narrate else PRETTY if self.unicode else ASCII

    @property
    def stacked(self) -> bool:
        """Whether there is too little room for columns."""
        return self.width < STACK_BELOW

    def fitted(self) -> Screen:
        """The same in the width that its terminal has by now."""
        return replace(self, width=max(terminal_columns(), NARROWEST)) if self.follows else self


def plain(message: str, stream: Any) -> str:
    """A message for `stream`, safe to print there."""
    return for_terminal(message, _can_show(stream, "—…"))


def open_screen(width: int | None, color: str, narrate: bool) -> Screen:
    """The screen for standard output. Numbers stay whole and nothing fails, whatever it can or cannot show."""
    unicode = _can_show(sys.stdout, "─╮½²∂·")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    live = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    columns = max(width or terminal_columns(), NARROWEST)
    return Screen(columns, color == "always" or (color == "auto" and live), unicode, narrate, follows=width is None)


def terminal_columns() -> int:
    """How wide the terminal is at this moment: COLUMNS, else that on stdout, else, for a pager, that on stderr.

    A file gets 80 columns, whatever the terminal from which it is written.
    """
    asked = os.environ.get("COLUMNS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    try:
        kind = os.fstat(1).st_mode
        return os.get_terminal_size(2 if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) else 1).columns or 80
    except (OSError, ValueError):
        return 80


def _can_show(stream: Any, sample: str) -> bool:
    try:
        sample.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
