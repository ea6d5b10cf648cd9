"""A lesson's prose, which is Markdown, as blocks: headings, paragraphs, lists, tables, code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tutor.course.prose import filled, put_back
from tutor.course.values import Values
from tutor.lessons.markdown import Prose
from tutor.views.blocks import (
    Block,
    Break,
    Code,
    Column,
    Heading,
    Kind,
    Level,
    Paragraph,
    Piece,
    Plot,
    Regions,
    Row,
    Strong,
    Table,
    Verbatim,
    pieces,
)  # fmt: skip
from tutor.views.course.numbers import told

_INDENT = 2
Token = Any


def prose_blocks(prose: Prose, values: Values, also: Mapping[str, Any] | None = None) -> Iterator[Block]:
    """The prose with its numbers worked out, over the values of the blocks and what is known `also`."""
    text, numbers = filled(prose, lambda part: told(values, part, also))
    yield from markdown_blocks(text, numbers)


def markdown_blocks(text: str, numbers: Sequence[str] = ()) -> Iterator[Block]:
    """Markdown as blocks, with the numbers in the place of their marks."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    yield from _Reader(parser.parse(text), list(numbers)).blocks()


class _Reader:
    """One walk over the tokens of a text."""

    def __init__(self, tokens: Sequence[Token], numbers: list[str]) -> None:
        self.tokens, self.numbers = tokens, numbers
        self.indent = 0
        self.markers: list[str] = []
        self.counts: list[int | None] = []

    def blocks(self) -> Iterator[Block]:
        tokens = iter(self.tokens)
        for token in tokens:
            if token.type == "heading_open":
                level = Level.SECTION if token.tag in ("h1", "h2") else Level.LINES
                yield Heading(self._text(next(tokens)), level)
            elif token.type == "inline":
                yield from self._paragraph(token)
            elif token.type in ("fence", "code_block"):
                yield Verbatim(put_back(token.content.rstrip("\n"), self.numbers))
                yield Break()
            elif token.type == "hr":
                yield Break()
            elif token.type == "table_open":
                yield from self._table(tokens)
                yield Break()
            else:
                yield from self._around(token)

    def _around(self, token: Token) -> Iterator[Block]:
        """Lists and quotations: how far in their paragraphs stand, and what stands before them."""
        if token.type in ("bullet_list_open", "ordered_list_open"):
            ordered = token.type == "ordered_list_open"
            self.counts.append(int(token.attrGet("start") or 1) if ordered else None)
            self.indent += _INDENT
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self.counts.pop()
            self.indent -= _INDENT
            if not self.counts:
                yield Break()
        elif token.type == "list_item_open":
            count = self.counts[-1]
            self.markers.append("- " if count is None else f"{count}. ")
            if count is not None:
                self.counts[-1] = count + 1
        elif token.type == "blockquote_open":
            self.indent += _INDENT
        elif token.type == "blockquote_close":
            self.indent -= _INDENT

    def _paragraph(self, token: Token) -> Iterator[Block]:
        marker = self.markers.pop() if self.markers else ""
        pieces = self._text(token)
        yield Paragraph((marker, *pieces) if marker else pieces, self.indent)
        if not self.counts:
            yield Break()

    def _text(self, token: Token) -> tuple[Piece, ...]:
        """The words of a line with what is strong, and what is code, in it."""
        pieces: list[Piece] = []
        strong, links = 0, list[str]()
        for child in token.children or ():
            text = put_back(child.content, self.numbers)
            if child.type in ("strong_open", "em_open"):
                strong += 1
            elif child.type in ("strong_close", "em_close"):
                strong -= 1
            elif child.type == "link_open":
                links.append(str(child.attrGet("href") or ""))
            elif child.type == "link_close":
                address = links.pop()
                if "://" in address and address != _plain(pieces[-1:]):
                    pieces.append(f" ({address})")
            elif child.type in ("softbreak", "hardbreak"):
                pieces.append(" ")
            elif child.type == "code_inline":
                pieces.append(Code(text))
            elif text:
                pieces.append(Strong(text) if strong else text)
        return tuple(_joined(pieces)) or ("",)

    def _table(self, tokens: Iterator[Token]) -> Iterator[Block]:
        rows: list[list[tuple[Piece, ...]]] = []
        for token in tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(self._text(token))
        heading, *others = rows
        titles = [_plain(cell) for cell in heading]
        numeric = [all(_is_numeric(_plain(row[k])) for row in others if k < len(row)) for k in range(len(titles))]
        columns = tuple(Column(t, Kind.NUMBER if n else Kind.TEXT) for t, n in zip(titles, numeric, strict=True))
        yield Table(columns, tuple(Row(tuple(row), _aloud(titles, row)) for row in others))


def _aloud(titles: Sequence[str], row: Sequence[tuple[Piece, ...]]) -> str:
    """Each cell after its title, with signs between that tell the two apart: both may hold commas and numbers."""
    told = [(title, _plain(cell)) for title, cell in zip(titles, row, strict=False)]
    return f"{'; '.join(f'{title}: {cell}' if title else cell for title, cell in told if cell)}."


def _is_numeric(text: str) -> bool:
    return bool(text) and not any(c.isalpha() for c in text.replace("e", "")) and any(c.isdigit() for c in text)


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbouring texts as one, since each is wrapped by itself."""
    kept = ""
    for piece in pieces:
        if isinstance(piece, str):
            kept += piece
        else:
            if kept:
                yield kept
            kept = ""
            yield piece
    if kept:
        yield kept


def _plain(pieces: Sequence[Piece]) -> str:
    return "".join(piece if isinstance(piece, str) else getattr(piece, "text", "") for piece in pieces)


def plain_texts(blocks: Iterable[Block]) -> list[str]:
    """The words of blocks, one text for each."""
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Heading | Paragraph):
            found.append(_plain(pieces(block.text)))
        elif isinstance(block, Table):
            found += [_plain(pieces(row.told)) for row in block.rows]
        elif isinstance(block, Plot):
            found += [block.title, *(_plain(pieces(text)) for text in block.told)]
        elif isinstance(block, Regions):
            found += [block.title, block.told]
        elif isinstance(block, Verbatim):
            found.append(block.text)
    return found
