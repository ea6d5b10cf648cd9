"""Tables on a terminal: as wide as their cells, else broken, without margins or with other columns, else in lines."""

from __future__ import annotations

from rich import box
from rich.cells import cell_len
from rich.table import Table as Grid
from rich.text import Text as Line

from tutor.printers.page import Page, Parts, paragraph
from tutor.printers.screen import WIDE_FROM
from tutor.views.blocks import Column, Kind, Paragraph, Row, Table, Text, pieces

_BORDERS = 3  # a stroke and a blank on each side, for every column; one more stroke at the end


def table(block: Table | Paragraph, page: Page) -> Parts:
    """The table, or what takes its place where there is no room for it."""
    if isinstance(block, Paragraph):
        yield from paragraph(block, page)
    elif block.whole:
        yield from _whole(block, page)
    elif block.narrower is not None and not _fits(block, page, broken=True):
        yield from table(block.narrower, page)
    elif page.screen.stacked:
        yield from _stacked(block, page)
    else:
        yield from _framed(block, grid(block, page), page)


def _whole(block: Table, page: Page) -> Parts:
    """The cells on one line; else broken between their pieces; else another table; else without margins."""
    if _fits(block, page):
        yield from _framed(block, grid(block, page), page)
    elif _fits(block, page, broken=True):
        yield from _framed(block, grid(_broken(block), page), page)
    elif block.narrower is not None:
        yield from table(block.narrower, page)
    elif _width(block, page) - 2 * len(block.columns) <= page.screen.width:
        yield from _framed(block, grid(block, page, margin=0), page)
    else:
        yield from _stacked(block, page)


def _framed(block: Table, grid: Grid, page: Page) -> Parts:
    if block.apart:
        yield ""
    yield grid
    if block.about:
        yield page.line(block.about)


def _fits(block: Table, page: Page, broken: bool = False) -> bool:
    return _width(_broken(block) if broken else block, page) <= page.screen.width


def _width(block: Table, page: Page) -> int:
    """How wide the table is with every line of a cell whole."""
    widths = [_longest(page.clean(column.heading)) for column in block.columns]
    for row in block.rows:
        widths = [max(w, _longest(page.clean(cell))) for w, cell in zip(widths, row.cells, strict=True)]
    return sum(widths) + _BORDERS * len(widths) + 1


def _longest(text: str) -> int:
    return max(map(cell_len, text.split("\n")))


def _broken(block: Table) -> Table:
    """The table with headings broken between words, and cells between their pieces."""
    headings = [c.heading.replace(" ", "\n") if " " in c.heading else c.heading for c in block.columns]
    headings = ["-\n".join(h.rsplit("-", 1)) if "\n" not in h else h for h in headings]
    columns = (Column(h, c.kind, c.continued) for h, c in zip(headings, block.columns, strict=True))
    rows = (Row(tuple(map(_on_lines, r.cells)), r.told, r.lines, r.best, r.ends) for r in block.rows)
    return Table(tuple(columns), tuple(rows), apart=block.apart, about=block.about)


def _on_lines(text: Text) -> Text:
    """Each piece on a line of its own."""
    parts = [piece.strip() if isinstance(piece, str) else piece for piece in pieces(text)]
    return tuple(line for piece in parts for line in ("\n", piece))[1:]


def grid(block: Table, page: Page, margin: int = 1) -> Grid:
    """The columns with a frame; where there is not enough room, one that continues another stands below it."""
    wide = page.screen.width >= WIDE_FROM
    strokes = box.ROUNDED if page.screen.unicode else box.ASCII
    table = Grid(box=strokes, show_lines=False, padding=(0, margin))
    for column in block.columns:
        if wide or not column.continued:
            right = column.kind in (Kind.NUMBER, Kind.ANSWER)
            table.add_column(page.line(column.heading), justify="right" if right else "left", overflow="fold")
    for row in block.rows:
        cells: list[Line] = []
        for column, text in zip(block.columns, row.cells, strict=True):
            if wide or not column.continued:
                cells.append(page.line(text))
            elif text:
                cells[-1].append("\n").append_text(page.line(text))
        table.add_row(*cells, style="bold" if row.best else "", end_section=row.ends)
    return table


def _stacked(block: Table, page: Page) -> Parts:
    for row in block.rows:
        for line in row.lines or (Paragraph(row.told),):
            yield from paragraph(line, page)
