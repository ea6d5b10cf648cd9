"""What a terminal shows: lines of text with their colours, without what acts on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text as Line

from tutor.escaping import for_terminal
from tutor.printers.screen import Screen
from tutor.printers.text import spelled
from tutor.views.blocks import Aside, Paragraph, Piece, Strong, Text, Verdict, pieces

Parts = Iterator[RenderableType]
_VERDICTS = {"correct": "green", "wrong": "bold red", "unreadable": "red"}
_OTHER_VERDICT = "yellow"


class Page:
    """What is printed on one screen."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.console = Console(
            width=screen.width,
            height=60,
            color_system="standard" if screen.color else None,
            force_terminal=screen.color,
            no_color=not screen.color,
            legacy_windows=False,
            force_jupyter=False,
            highlight=False,
            emoji=False,
            markup=False,
            soft_wrap=False,
        )

    def lines(self, parts: Sequence[RenderableType]) -> str:
        """The parts as they are printed, without spaces at the ends of lines."""
        if not self.screen.color and all(map(_is_text, parts)):
            return "".join(f"{line.rstrip()}\n" for part in parts for line in self._wrapped(part))
        with self.console.capture() as caught:
            self.console.print(Group(*parts))
        return "".join(f"{line.rstrip()}\n" for line in caught.get().split("\n")[:-1])

    def _wrapped(self, part: Any) -> Iterator[str]:
        """The lines of a text without colours, as the console breaks them, in half of its time."""
        indent, text = (part.left, part.renderable) if type(part) is Padding else (0, part)
        text = text if type(text) is Line else Line(str(text))
        for line in text.wrap(self.console, max(1, self.screen.width - indent), overflow="fold"):
            yield f"{' ' * indent}{line.plain}"

    def clean(self, text: Text) -> str:
        """The text as it is spelled here, without what acts on a terminal."""
        return for_terminal(spelled(text, self.screen.style), self.screen.unicode)

    def line(self, text: Text, style: str = "") -> Line:
        """Text to be shown as it is: no markup in it has any effect, and no number in it is ever cut."""
        of = pieces(text)
        if len(of) == 1:
            return Line(self.clean(text), style=style or _style(of[0]), overflow="fold")
        line = Line(style=style, overflow="fold")
        for piece in of:
            line.append(self.clean(piece), _style(piece))
        return line


def _is_text(part: RenderableType) -> bool:
    return type(part.renderable if type(part) is Padding else part) in (Line, str)


def _style(piece: Piece) -> str:
    if isinstance(piece, Verdict):
        return _VERDICTS.get(piece.verdict, _OTHER_VERDICT)
    return "bold" if isinstance(piece, Strong) else "dim" if isinstance(piece, Aside) else ""


def paragraph(block: Paragraph, page: Page) -> Parts:
    line = page.line(block.text)
    yield Padding(line, (0, 0, 0, block.indent)) if block.indent else line


def indented(text: Text, page: Page, by: int = 2) -> Parts:
    yield from paragraph(Paragraph(text, by), page)
