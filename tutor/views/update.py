"""One update of a training: its worksheet, and how far the trainer's own numbers are from the exact ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from tutor.numbers.exact import as_fraction
from tutor.views.blocks import Block, Break, Column, Heading, Kind, Level, Row, Table
from tutor.views.numbers import full
from tutor.views.worksheet.model import WorksheetView
from tutor.views.worksheet.page import worksheet
from tutor.worksheet.step import Worksheet

DIGITS = 6


def update_page(
    name: str, number: int, of: Worksheet, trained: Mapping[str, float], arithmetic: str
) -> Iterator[Block]:
    """The worksheet, then every parameter as it comes out exactly and as the trainer has it."""
    yield Heading(f"{name}: update {number}, from the trainer's own weights at that moment", Level.TITLE)
    yield Break()
    yield from worksheet(WorksheetView(of, DIGITS))
    yield Heading(f"What the trainer made of it, in {arithmetic} arithmetic")
    rows = [(parameter, *values) for parameter, values in compared(of, trained).items()]
    yield Table(
        (Column("parameter"), *(Column(name, Kind.NUMBER) for name in ("exactly", "the trainer", "difference"))),
        tuple(Row(row, "{}: exactly {}, the trainer {}, difference {}.".format(*row)) for row in rows),
    )


def compared(of: Worksheet, trained: Mapping[str, float]) -> dict[str, tuple[str, str, str]]:
    """Each parameter after the update: exactly, as the trainer has it, and the difference."""
    last = dict(of.updated)
    found = {}
    for parameter, own in trained.items():
        if parameter in last:
            exact = as_fraction(of.values[last[parameter]])
            found[parameter] = full(exact), repr(own), f"{float(Fraction(own) - exact):.1e}"
    return found
