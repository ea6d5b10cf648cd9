"""Blocks on a terminal: tables where there is room for columns, else lines; ASCII where there is nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from textwrap import wrap
from typing import Any

from rich.cells import cell_len
from rich.table import Table as Grid

from tutor.printers import picture, plots
from tutor.printers.page import Page, Parts, indented, paragraph
from tutor.printers.screen import Screen
from tutor.printers.tables import grid, table
from tutor.printers.text import as_table, equation, sign
from tutor.views.blocks import (
    Aside,
    Block,
    Break,
    Calculation,
    Calculations,
    Commands,
    Confusion,
    Derivation,
    Formula,
    Heading,
    Level,
    Network,
    Paragraph,
    Plane,
    Plot,
    Printed,
    Regions,
    Strong,
    Table,
    Verbatim,
    Verdict,
)

_HEADINGS = {Level.TITLE: "bold", Level.SECTION: "bold cyan", Level.LINES: "bold"}
_SIGNS = "·#o+x*%@=&"
_NARROWEST_PLANE = 24


def printed(blocks: Iterable[Block], screen: Screen) -> Iterator[str]:
    """The blocks one after the other, each as soon as it is there."""
    page = Page(screen)
    for block in blocks:
        if parts := [*BY_BLOCK[type(block)](block, page)]:
            yield page.lines(parts)


def _heading(block: Heading, page: Page) -> Parts:
    if block.level is Level.SECTION:
        yield ""
    yield page.line(block.text, _HEADINGS[block.level])


def _break(block: Break, page: Page) -> Parts:
    yield ""


def _verbatim(block: Verbatim, page: Page) -> Parts:
    for line in block.text.split("\n"):
        yield page.line(f"  {line}")


def _confusion(block: Confusion, page: Page) -> Parts:
    yield from _heading(Heading(block.title), page)
    yield from table(block.table, page)


def _calculations(block: Calculations, page: Page) -> Parts:
    if page.screen.stacked:
        for line in block.lines:
            yield from _worked(line, page)
    else:
        yield grid(as_table(block.lines), page)
        for remark in filter(None, dict.fromkeys(line.remark for line in block.lines)):
            names = ", ".join(line.name for line in block.lines if line.remark == remark)
            yield from indented(f"{names}: {remark}", page)
    if block.more:
        yield page.line(block.more)
    for line in block.lines:
        yield from _notes(line.printed, page)


def _calculation(block: Calculation, page: Page) -> Parts:
    yield from _worked(block, page)
    if block.in_full:
        yield from indented(block.in_full, page)
    yield from _notes(block.printed, page)


def _worked(line: Calculation, page: Page) -> Parts:
    """One line of a worksheet on several: name and rule, formula, numbers, value, and what the source prints."""
    yield page.line(f"{line.name}  ", "bold") + page.line(f"({line.reason})", "dim")
    formula, numbers, value = equation(line, page.screen.style)
    yield from indented(f"= {formula}", page)
    if numbers:
        yield from indented(f"{sign(line)} {numbers}", page)
    if value:
        yield from indented(f"= {value}", page)
    if line.remark:
        yield from indented(line.remark, page)
    if line.drift:
        yield from indented("exact value {}, drift {}".format(*line.drift), page)
    for one in line.printed:
        yield from indented(Verdict(one.verdict, f"printed {one.value}: {one.verdict}"), page)


def _notes(values: Sequence[Printed], page: Page) -> Parts:
    """What there is to say about printed values, each with its name."""
    for one in values:
        if one.remark:
            yield from indented(one.remark, page)


def _derivation(block: Derivation, page: Page) -> Parts:
    """Each line with the rule that led to it: beside it where there is room, else below."""
    yield page.line(block.name, "bold")
    if page.screen.stacked:
        for expression, rule in block.lines:
            yield from indented(("= ", Formula(expression)), page)
            yield from indented(Aside(f"({rule})"), page, by=6)
        return
    grid = Grid.grid(padding=(0, 1))
    for ratio in (None, 3, 1):
        grid.add_column(ratio=ratio, overflow="fold")
    grid.expand = True
    for expression, rule in block.lines:
        grid.add_row(page.line("  ="), page.line(Formula(expression)), page.line(Aside(rule)))
    yield grid


def _network(block: Network, page: Page) -> Parts:
    """The layers side by side where they fit, else one below the other; then the examples."""
    strokes = picture.UNICODE if page.screen.unicode else picture.ASCII
    titles = picture.layer_titles(block.named_network.layers)
    pictures = picture.layer_pictures(block.named_network, block.labels, page.screen.width, strokes)
    columns = [(page.clean(title), page.clean("\n".join(lines))) for title, lines in zip(titles, pictures, strict=True)]
    widths = [max(cell_len(line) for text in column for line in text.split("\n")) for column in columns]
    yield from _heading(Heading("The network"), page)
    if sum(widths) + 4 * len(widths) <= page.screen.width:
        grid = Grid.grid(padding=(0, 4))
        for width in widths:
            grid.add_column(min_width=width, no_wrap=True)
        grid.add_row(*(page.line(Strong(title)) for title, _ in columns))
        grid.add_row(*(page.line(drawn) for _, drawn in columns))
        yield grid
    else:
        for title, drawn in columns:
            yield page.line(Strong(title))
            yield page.line(drawn)
    for number, (inputs, targets) in enumerate(block.examples, 1):
        if len(block.examples) > 1:
            target = f"; target: {', '.join(targets)}" if targets else ""
            yield page.line(f"Example {number}: {', '.join(inputs)}{target}")
        elif targets:
            yield page.line(f"Target: {', '.join(targets)}")


def _plot(block: Plot, page: Page) -> Parts:
    """The picture where there is room and Unicode for it."""
    drawn = page.screen.unicode and page.screen.width >= plots.NARROWEST
    if drawn or block.keyed:
        yield from _heading(Heading(block.title), page) if block.title else ("",)
    if drawn:
        yield page.line(plots.drawn(block, page.screen.width))
        for about in block.about:
            yield from paragraph(about, page)
    for told in block.told if block.keyed else ():
        yield from indented(told, page)


def _regions(block: Regions, page: Page) -> Parts:
    """The planes with the sign of its class at each place, side by side as far as there is room; below them how large
    a share each class has."""
    signs = _SIGNS if page.screen.unicode else _SIGNS.replace("·", ".")
    legend = ", ".join(f"{signs[i % len(signs)]} {name}" for i, name in enumerate(block.classes))
    wrong = "×" if page.screen.unicode else "X"
    yield from _heading(Heading(f"{block.title}: {legend}"), page)
    if any(plane.examples for plane in block.planes):
        yield from indented(f"Examples: {block.named}, {wrong} where one is taken for another class", page)
    beside, columns, rows = _room_for(len(block.planes), page.screen.width)
    for first in range(0, len(block.planes), beside):
        some = block.planes[first : first + beside]
        titles = [wrap(page.clean(plane.title), columns) for plane in some]
        drawn = [_with_examples(block, plane, columns, rows, signs, wrong) for plane in some]
        for lines in chain(zip_longest(*titles, fillvalue=""), zip(*drawn, strict=True)):
            yield page.line("  " + "  ".join(f"{line:{columns}}" for line in lines).rstrip())
    about = f"; {block.about}" if block.about else ""
    yield from indented(f"{block.extent}{about}", page)
    yield from indented(block.told, page)


def _with_examples(block: Regions, plane: Plane, columns: int, rows: int, signs: str, wrong: str) -> list[str]:
    """The lines of a plane, with a sign where an example is; a wrong one is seen before others in its place."""
    cells = [[signs[c % len(signs)] for c in row] for row in plane.cells(columns, rows)]
    (_, left, right), (_, low, high), letters = block.across, block.up, block.signs
    for one in sorted(plane.examples, key=lambda example: example.is_wrong):
        column, row = (one.x - left) / (right - left) * columns, (high - one.y) / (high - low) * rows
        if 0 <= column < columns and 0 <= row < rows:
            cells[int(row)][int(column)] = wrong if one.is_wrong else letters[one.of]
    return ["".join(row) for row in cells]


def _room_for(planes: int, width: int) -> tuple[int, int, int]:
    """How many planes stand side by side, as evenly as can be, and the columns and rows of each."""
    fit = max(1, min(planes, width // (_NARROWEST_PLANE + 2)))
    beside = -(-planes // -(-planes // fit))
    if beside == 1:
        columns = min(64, max(width - 8, 12))
        return 1, columns, columns * 2 // 7
    columns = min(40, width // beside - 2)
    return beside, columns, columns // 2


def _commands(block: Commands, page: Page) -> Parts:
    """Each command with its purpose beside it where all have room, else below."""
    ways = [(" ".join(words), purpose) for words, purpose in block.ways]
    wide = max(len(words) for words, _ in ways)
    beside = all(purpose for _, purpose in ways)
    beside = beside and wide + 5 + max(len(purpose) for _, purpose in ways) <= page.screen.width
    for (words, purpose), (split, _) in zip(ways, block.ways, strict=True):
        if beside:
            yield from indented(f"{words:{wide}}   {purpose}", page)
        else:
            yield from map(page.line, _command(split, page.screen.width))
            if purpose:
                yield from indented(purpose, page, by=6)


def _command(words: Sequence[str], width: int) -> list[str]:
    """A command on as many lines as it needs, to be pasted as it stands, options beside their values where they fit."""
    groups: list[list[str]] = []
    for word in words:
        if groups and not word.startswith("--"):
            groups[-1].append(word)
        else:
            groups.append([word])
    lines: list[str] = []
    for group in groups:
        whole = " ".join(group)
        for part in [whole] if len(whole) + 6 <= width else group:
            start, *rest = [part] if len(part) + 6 <= width else _broken(part, width - 8)
            if lines and len(lines[-1]) + len(start) + 3 <= width:
                lines[-1] += f" {start}"
            else:
                lines[-1:] = [f"{last} \\" for last in lines[-1:]]
                lines.append(f"    {start}" if lines else f"  {start}")
            for piece in rest:
                lines[-1] += "\\"
                lines.append(piece)
    return lines


def _broken(word: str, width: int) -> list[str]:
    """A quoted word in parts that a shell joins again where each but the last ends with a backslash.

    What is no word to a shell is taken as it stands.
    """
    try:
        (text,) = shlex.split(word)
    except ValueError:
        text = word
    parts = [""]
    for character in text:
        if len(shlex.quote(parts[-1] + character)) > width:
            parts.append("")
        parts[-1] += character
    return [shlex.quote(part) for part in parts]


BY_BLOCK: Mapping[type, Callable[[Any, Page], Parts]] = {
    Heading: _heading,
    Paragraph: paragraph,
    Verbatim: _verbatim,
    Break: _break,
    Table: table,
    Confusion: _confusion,
    Calculation: _calculation,
    Calculations: _calculations,
    Derivation: _derivation,
    Network: _network,
    Plot: _plot,
    Regions: _regions,
    Commands: _commands,
}
