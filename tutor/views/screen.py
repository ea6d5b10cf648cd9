"""Where output goes: how wide it is, what it can show, and text from files on its way there."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tutor.harmless import for_terminal
from tutor.views.style import ASCII, PRETTY, SPOKEN, Style

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text


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

    def fitted(self) -> Screen:
        """The same in the width that its terminal has by now."""
        return replace(self, width=max(terminal_columns(), NARROWEST)) if self.follows else self

    @property
    def stacked(self) -> bool:
        """Whether there is too little room for columns."""
        return self.width < STACK_BELOW

    @cached_property
    def console(self) -> Console:
        from rich.console import Console

        return Console(
            width=self.width,
            height=60,
            color_system="standard" if self.color else None,
            force_terminal=self.color,
            legacy_windows=False,
            force_jupyter=False,
            highlight=False,
            emoji=False,
            markup=False,
            soft_wrap=False,
        )

    def clean(self, text: str) -> str:
        """The text without control characters, and in ASCII where there is nothing else."""
        return for_terminal(text, self.unicode)

    def text(self, text: str, style: str = "") -> Text:
        """Text to be shown as it is: no markup in it has any effect, and no number in it is ever cut."""
        from rich.text import Text

        return Text(self.clean(text), style=style, overflow="fold")

    def table(self, *headings: str, right: Iterable[str] = ()) -> Table:
        """An empty table with these columns; those named in `right` hold numbers."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.ROUNDED if self.unicode else box.ASCII, show_lines=False)
        for heading in headings:
            table.add_column(self.text(heading), justify="right" if heading in right else "left", overflow="fold")
        return table

    def show(self, *parts: RenderableType | str) -> None:
        """Print each part, without spaces at the ends of lines; a string is shown as it is."""
        for part in parts:
            with self.console.capture() as caught:
                self.console.print(self.text(part) if isinstance(part, str) else part)
            sys.stdout.write("".join(f"{line.rstrip()}\n" for line in caught.get().split("\n")[:-1]))

    def heading(self, text: str) -> None:
        """A line that stands out, with room before it."""
        self.show("", self.text(text, "bold cyan"))

    def paragraphs(self, prose: str) -> None:
        """Prose from a lesson, wrapped to the screen."""
        from rich.padding import Padding

        for paragraph in filter(None, prose.strip().split("\n\n")):
            self.show(Padding(self.text(" ".join(paragraph.split())), (0, 0, 1, 0)))

    def indented(self, line: str, by: int = 2, style: str = "") -> None:
        """A line whose continuation, where it wraps, stays indented."""
        self.show(_indented(self.text(line, style), by))

    def command(self, words: Sequence[str]) -> None:
        """A command on as many lines as it needs, to be pasted as it stands; an option stays with its value."""
        groups: list[str] = []
        for word in words:
            if groups and not word.startswith("--"):
                groups[-1] += f" {word}"
            else:
                groups.append(word)
        lines = [f"  {groups[0]}"]
        for group in groups[1:]:
            if len(lines[-1]) + len(group) + 3 > self.width:
                lines[-1] += " \\"
                lines.append(f"    {group}")
            else:
                lines[-1] += f" {group}"
        self.show(*lines)


def plain(message: str, stream: Any) -> str:
    """A message for `stream`, safe to print there."""
    return for_terminal(message, _can_show(stream, "—…"))


def _indented(text: Any, by: int) -> Any:
    from rich.padding import Padding

    return Padding(text, (0, 0, 0, by))


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
