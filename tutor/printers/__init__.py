"""How blocks are said: on a terminal, in sentences, in Markdown. Each kind of output is one module, with one function
for each kind of block."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from tutor.printers.screen import Screen, open_screen

if TYPE_CHECKING:
    from tutor.views.blocks import Block, Text

_WIDTH_OF_A_FILE = 80
Printing = Callable[["Iterable[Block]", Screen], Iterator[str]]

PRINTERS: Mapping[str, str] = {
    "terminal": "tutor.printers.terminal",
    "sentences": "tutor.printers.sentences",
    "markdown": "tutor.printers.markdown",
}
"""Each module has `BY_BLOCK`, its function for each kind of block, and `printed`, which says block after block. It is
loaded where something is printed, and not before."""


def printing(name: str) -> Printing:
    """The function `printed` of a printer."""
    found: Printing = import_module(PRINTERS[name]).printed
    return found


def document(blocks: Iterable[Block], kind: str = "markdown") -> str:
    """The blocks as the text of a file, which is as wide as it is."""
    return "".join(printing(kind)(blocks, Screen(_WIDTH_OF_A_FILE, color=False, unicode=True)))


@dataclass(frozen=True)
class Printer:
    """Whoever says blocks on standard output."""

    screen: Screen

    def show(self, blocks: Iterable[Block]) -> None:
        """Say the blocks, each as soon as it is there."""
        for text in self.said(blocks):
            sys.stdout.write(text)

    def said(self, blocks: Iterable[Block]) -> Iterator[str]:
        """The text of the blocks, each as soon as it is there."""
        return printing("sentences" if self.screen.narrate else "terminal")(blocks, self.screen)

    def say(self, *texts: Text) -> None:
        """Say these texts, each in a paragraph of its own."""
        from tutor.views.blocks import Paragraph

        self.show(map(Paragraph, texts))

    def fitted(self) -> Printer:
        """The same in the width that the terminal has by now."""
        return replace(self, screen=self.screen.fitted())


def printer_for(width: int | None, color: str, narrate: bool) -> Printer:
    """The printer for standard output, as the options of a command ask for it."""
    return Printer(open_screen(width, color, narrate))
