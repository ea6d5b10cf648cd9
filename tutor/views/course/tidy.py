"""No more empty lines between blocks than one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tutor.views.blocks import Block, Break, Heading, Level, Plot, Regions


def tidy(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same blocks without a break where another one is, or where what follows begins with one itself."""
    waiting: Block | None = None
    begun = False
    for block in blocks:
        if isinstance(block, Break):
            waiting = block if begun else None
            continue
        if waiting is not None and not _begins_with_a_break(block):
            yield waiting
        waiting, begun = None, True
        yield block


def _begins_with_a_break(block: Block) -> bool:
    return isinstance(block, Plot | Regions) or (isinstance(block, Heading) and block.level is Level.SECTION)
