"""Blocks as a page of Markdown: a network is drawn, any other picture is told in sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tutor.escaping import for_code, for_line, for_markdown
from tutor.printers import picture, sentences
from tutor.printers.screen import Screen
from tutor.printers.text import as_table, spelled
from tutor.views.blocks import (
    Block,
    Break,
    Calculation,
    Calculations,
    Code,
    Commands,
    Confusion,
    Derivation,
    Formula,
    Heading,
    Kind,
    Network,
    Paragraph,
    Piece,
    Plot,
    Regions,
    Strong,
    Table,
    Text,
    Verbatim,
    pieces,
)
from tutor.views.style import PLAIN

_WIDTH = 80
_MARKER = re.compile(r"^([0-9]*)([#+\-=~.)]|\*(?!\*))")
"""What would make a heading, a list or a rule of a line that begins with it."""


def printed(blocks: Iterable[Block], screen: Screen) -> Iterator[str]:
    """The blocks one after the other, with an empty line between any two that are not of one list."""
    before: Block | None = None
    for block in blocks:
        lines = list(BY_BLOCK[type(block)](block))
        if lines and before is not None and not (_is_listed(before) and _is_listed(block)):
            yield "\n"
        yield from (f"{line}\n" for line in lines)
        before = block if lines else before


def _is_listed(block: Block) -> bool:
    return isinstance(block, Paragraph) and block.indent > 0


def _inline(text: Text) -> str:
    return "".join(map(_piece, pieces(text)))


def _piece(piece: Piece) -> str:
    if isinstance(piece, Code | Formula):
        code = for_code(spelled(piece, PLAIN)).strip()
        return f"`{code}`" if code else ""
    text = for_markdown(spelled(piece, PLAIN).replace(">=", "≥").replace("<=", "≤"))
    return f"**{text.strip()}**" if isinstance(piece, Strong) and text.strip() else text


def _heading(block: Heading) -> Iterator[str]:
    yield f"{'#' * block.level.value} {_inline(block.text)}"


def _paragraph(block: Paragraph) -> Iterator[str]:
    if line := _MARKER.sub(r"\1\\\2", _inline(block.text).strip()):
        yield f"- {line}" if block.indent else line


def _verbatim(block: Verbatim) -> Iterator[str]:
    """In a fence that no line of it closes."""
    longest = max((len(run) for run in re.findall("`+", block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (fence, *map(for_line, block.text.split("\n")), fence)


def _nothing(block: Break) -> Iterator[str]:
    yield from ()


def _table(block: Table) -> Iterator[str]:
    yield _cells(_inline(column.heading) for column in block.columns)
    yield _cells("---:" if column.kind is Kind.NUMBER else "---" for column in block.columns).replace(" ", "")
    for row in block.rows:
        yield _cells(map(_inline, row.cells))
    if block.about:
        yield from ("", *_paragraph(Paragraph(block.about)))


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _confusion(block: Confusion) -> Iterator[str]:
    yield from _heading(Heading(block.title))
    yield from _table(block.table)


def _calculations(block: Calculations) -> Iterator[str]:
    yield from _table(as_table(block.lines))
    said = [f"{line.name}: {line.remark}" for line in block.lines if line.remark]
    said += [block.more, *(one.remark for line in block.lines for one in line.printed)]
    for text in filter(None, said):
        yield from ("", *_paragraph(Paragraph(text)))


def _derivation(block: Derivation) -> Iterator[str]:
    for expression, rule in block.lines:
        yield f"- {_inline((Code(block.name), ' = ', Formula(expression), f' ({rule})'))}"


def _network(block: Network) -> Iterator[str]:
    """A picture of each layer, as characters; in sentences where a layer is larger than a picture shows whole."""
    layers = block.named_network.layers
    if any(len(n.neurons) > picture.MOST_NEURONS or len(n.weights[0]) > picture.MOST_INPUTS for n in layers):
        yield from _told(block)
        return
    drawn = picture.layer_pictures(block.named_network, block.labels, _WIDTH, picture.UNICODE)
    for title, lines in zip(picture.layer_titles(layers), drawn, strict=True):
        yield from _paragraph(Paragraph(Strong(title)))
        yield from ("", "```text", *(for_code(line).rstrip() for line in lines[:-1]), "```", "")
    for sentence in sentences.examples(block):
        yield from _paragraph(sentence)


def _told(block: Block) -> Iterator[str]:
    told: Iterator[Block] = sentences.told(block)
    for place, sentence in enumerate(told):
        yield from ([""] if place else [])
        yield from BY_BLOCK[type(sentence)](sentence)


def _commands(block: Commands) -> Iterator[str]:
    for words, purpose in block.ways:
        yield f"- {_inline((Code(' '.join(words)), f': {purpose}' if purpose else ''))}"


BY_BLOCK: Mapping[type, Callable[[Any], Iterator[str]]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Verbatim: _verbatim,
    Break: _nothing,
    Table: _table,
    Confusion: _confusion,
    Calculation: _told,
    Calculations: _calculations,
    Derivation: _derivation,
    Network: _network,
    Plot: _told,
    Regions: _told,
    Commands: _commands,
}
