"""Every kind of block in every printer, with text that nobody should trust."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from typing import get_args
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from sympy import Symbol

from tests.conftest import fuzz
from tutor.formulas.parse import parse
from tutor.printers import PRINTERS, printing
from tutor.printers.screen import Screen
from tutor.views.blocks import (
    Aside,
    Axis,
    Block,
    Break,
    Calculation,
    Calculations,
    Code,
    Column,
    Commands,
    Confusion,
    Derivation,
    Formula,
    Heading,
    Kind,
    Level,
    Network,
    Paragraph,
    Plane,
    Plot,
    Printed,
    Regions,
    Row,
    Series,
    Sign,
    Strong,
    Table,
    Verbatim,
    Verdict,
)
from tutor.worksheet.named_network import NamedLayer, NamedNetwork, NamedNeuron

HOSTILE = [
    "", "plain words", "\x1b[31mred\x1b[0m", "\x9b2J", "\x1b]0;title\x07", "\u202eright to left", "zero\u200bwidth", "a\rb\x08",
    "one\ntwo", "a | b || c", "`code` ``more``", "<b>bold</b>", "[link](http://a.b)", "![i](x)", "[bold]markup[/bold]",
    "# heading", "1. first", "- item", "***", "---", "σ·² ≈ ½", "漢字" * 9, "e\u0301\u0301", "x" * 300, "\u2028\u2029", "a ± b",
    "\ud800", "\ue000", "$(reboot)", ":smile:",
]  # fmt: skip
NUMBER = "-1234.5678"
WIDTHS = [20, 40, 60, 80, 160]
RandomIntegers = Callable[[], str]
_SGR = re.compile(r"\x1b\[[0-9;]*m")
_FORMULA = parse("a*(1 - b)/2 + exp(-a)**2", ["a", "b"])


def table(text: RandomIntegers, **how: object) -> Table:
    columns = (Column(text(), Kind.NAME), Column("value", Kind.NUMBER), Column(text(), continued=True), Column("said"))
    rows = [
        Row(
            (Strong(text()), NUMBER, (text(), " ± ", text()), Verdict("wrong", text())),
            (f"{NUMBER} ", text()),
            best=best,
        )
        for best in (False, True)
    ]
    return Table(
        columns, (*rows, Row(("", "0", "", ""), text(), (Paragraph(text()), Paragraph(text(), 2)), ends=True)), **how
    )  # type: ignore[arg-type]


def _ones(columns: int, rows: int) -> list[list[int]]:
    return [[1] * columns] * rows


def calculation(text: RandomIntegers) -> Calculation:
    printed = Printed(text(), NUMBER, "correct", text(), text()), Printed(text(), text(), text())
    return Calculation(
        text(), text(), _FORMULA, {"a": "0.5", "b": NUMBER}, False, NUMBER, text(), text(), text(), ("1", "0"), printed
    )


def network(text: RandomIntegers) -> Network:
    neurons = tuple(NamedNeuron(text(), text(), text()) for _ in range(3))
    layers = [NamedLayer(text(), text(), neurons, (("w", "w", None),) * 3, ("b", None, "b"), subtracted=True)] * 2
    labels = {"w": NUMBER, "b": "0.5"}
    examples = (((text(), text()), (text(),)), ((text(),), ()))
    return Network(NamedNetwork((text(), text(), text()), (text(),), {}, layers), labels, examples)


def plot(text: RandomIntegers, keyed: bool) -> Plot:
    line = Series(((0, 1), (1, -2e9), (5, 0.5)), sign="a", marked=((1, 0.5),))
    dots = Series(((0, 0.5), (2, 7)), "points", "o"), Series(((0, 0.5), (1, 1)), "points")
    across = Axis(text(), 0, 5, "whole" if keyed else "round")
    up = Axis(text(), 0, 1.5, "" if keyed else "round")
    return Plot(
        text(),
        across,
        up,
        (line, *dots),
        (text(), NUMBER, (Sign("a, "), text())),
        (Paragraph(Aside(text()), 2),),
        keyed,
    )


BLOCKS: dict[type, Callable[[RandomIntegers], list[Block]]] = {
    Heading: lambda text: [Heading((text(), text()), level) for level in Level],
    Verbatim: lambda text: [Verbatim(f"{text()}\n  {text()}")],
    Paragraph: lambda text: [
        Paragraph((text(), " ", Formula(_FORMULA), Code(text()), Aside(text()))), Paragraph(text(), 6),
        Paragraph(Formula(_FORMULA, {"a": NUMBER, "b": "1/3"})), Paragraph(text(), seen=True),
    ],
    Break: lambda text: [Break()],
    Table: lambda text: [
        table(text), table(text, whole=True, about=text()), table(text, narrower=table(text), apart=True),
        table(text, whole=True, narrower=Paragraph(text()), aloud=Paragraph(text())), Table((Column(text()),), ()),
    ],
    Confusion: lambda text: [Confusion(text(), (text(), text()), ((3, 0), (1, 12)))],
    Calculation: lambda text: [calculation(text)],
    Calculations: lambda text: [Calculations((calculation(text), calculation(text)), text())],
    Derivation: lambda text: [Derivation(text(), ((_FORMULA, text()), (Symbol("a"), text())))],
    Network: lambda text: [network(text)],
    Plot: lambda text: [plot(text, False), plot(text, True)],
    Regions: lambda text: [
        Regions(text(), (text(), text()), (text(), 0, 1), (text(), -1, 1), planes, text())
        for planes in ((Plane("", _ones),), (Plane(text(), _ones), Plane(text(), _ones), Plane(text(), _ones)))
    ],
    Commands: lambda text: [Commands(((("tutor", text(), "--a", text()), text()), (("tutor", "run"), "")))],
}  # fmt: skip


def harmless(out: str) -> bool:
    return all(c == "\n" or category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for c in out)


def words(data: st.DataObject) -> RandomIntegers:
    texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=30), min_size=1, max_size=2).map("".join)
    return lambda: data.draw(texts)


def test_every_printer_says_every_kind_of_block() -> None:
    assert set(BLOCKS) == set(get_args(Block))
    for module in PRINTERS.values():
        assert set(import_module(module).BY_BLOCK) == set(BLOCKS)


@pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("printer", ["terminal", "sentences"])
@fuzz(12)
@given(data=st.data(), unicode=st.booleans(), color=st.booleans(), width=st.sampled_from(WIDTHS))
def test_nothing_acts_on_a_terminal_or_leaves_it(
    printer: str, kind: type, data: st.DataObject, unicode: bool, color: bool, width: int
) -> None:
    blocks = BLOCKS[kind](words(data))
    screen = Screen(width, color, unicode, printer == "sentences")
    out = "".join(printing(printer)(blocks, screen))
    seen = _SGR.sub("", out) if color else out
    assert harmless(seen) and (unicode or seen.isascii())
    assert max(map(cell_len, seen.split("\n"))) <= width
    assert not [line for line in out.split("\n") if line != line.rstrip()]


@pytest.mark.parametrize("printer", PRINTERS)
@fuzz(12)
@given(data=st.data())
def test_no_printer_lets_a_control_character_through(printer: str, data: st.DataObject) -> None:
    text = words(data)
    for made in BLOCKS.values():
        assert harmless("".join(printing(printer)(made(text), Screen(80, False, True, printer == "sentences"))))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("printer", PRINTERS)
@pytest.mark.parametrize("kind", [Paragraph, Table, Calculation, Calculations, Network, Plot], ids=lambda k: k.__name__)
def test_every_number_stands_whole(printer: str, kind: type, width: int) -> None:
    blocks = BLOCKS[kind](lambda: "some words")
    out = "".join(printing(printer)(blocks, Screen(width, False, True, printer == "sentences")))
    assert NUMBER in out.replace("minus 1234", "-1234")


@pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: kind.__name__)
@fuzz(12)
@given(data=st.data())
def test_nothing_acts_on_a_page_of_markdown(kind: type, data: st.DataObject) -> None:
    """Every line begins what the block begins; no HTML, no link; code and tables end where they are to end. Brackets
    are only brackets within code."""
    blocks = BLOCKS[kind](words(data))
    page = "".join(printing("markdown")(blocks, Screen(80, False, True)))
    if kind is Verbatim:  # in a fence everything is shown, and nothing acts
        lines = page.split("\n")
        assert harmless(page) and lines[0] == lines[-2] == max(re.findall("`+", page), key=len)
        return
    text, *drawn = re.split(r"(?m)^```(?:text)?\n", page)
    assert len(drawn) % 2 == 0 and bool(drawn) <= (kind is Network) and not any("`" in block for block in drawn[::2])
    lines = "".join((text, *drawn[1::2])).split("\n")
    assert harmless(page) and not [line for line in lines if re.search(r"[<>\[\]]", re.sub("`[^`]*`", "", line))]
    assert all(line.count("`") % 2 == 0 for line in lines)
    assert not [line for line in lines if re.match(r"\s*([0-9]+[.)]|[*+~=]|--)", line) and not line.startswith("**")]
    headings = sum(line.startswith("#") for line in lines)
    assert headings == {Heading: 3, Plot: 1, Confusion: 1}.get(kind, 0)
    rows = [line for line in lines if line.startswith("|")]
    assert bool(rows) == (kind in (Table, Calculations, Confusion))
    assert all(
        row.count("|") in {Table: (2, 5), Calculations: (8,), Confusion: (4,)}[kind] and row.endswith("|")
        for row in rows
    )


def test_a_printer_says_each_block_as_soon_as_it_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    from tutor.printers import Printer

    def slowly() -> object:
        yield Paragraph("first")
        assert capsys.readouterr().out == "first\n"
        yield Paragraph("second")

    Printer(Screen(80, False, True)).show(slowly())  # type: ignore[arg-type]
    assert "second" in capsys.readouterr().out and sys.stdout
