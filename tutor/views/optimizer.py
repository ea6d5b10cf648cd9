"""An optimizer, explained: its equations, its symbols one by one, what its settings change, and three updates."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tutor.formulas.quantity import derivative, named, owned
from tutor.maths.kind import Kind as StepKind
from tutor.maths.optimizer import RATE, Optimizer, Variant
from tutor.views.blocks import Aside, Block, Column, Formula, Heading, Kind, Level, Paragraph, Piece, Row, Table
from tutor.views.numbers import shown
from tutor.worksheet.build import build
from tutor.worksheet.problem import Minimize, Problem
from tutor.worksheet.step import GOAL
from tutor.worksheet.update import lines, symbols_in

UPDATES = 3
GRADIENTS = [Fraction(1), Fraction(1, 2), Fraction(-1)]
OBJECTIVE = "w**2"
Lines = list[tuple[str, tuple[Piece, ...], str]]


def written_lines(variant: Variant) -> Lines:
    """Each line of the optimizer: the name, the formula, and the reason. Where the first update has a formula of its
    own, that of all others stands here too."""
    found: Lines = []
    for (line, name, later), (_, _, first) in zip(lines(variant), lines(variant, first=True), strict=True):
        text: tuple[Piece, ...] = (Formula(later),)
        if first != later:
            text = (*text, ", in the first update ", Formula(first))
        found.append((name, text, line.reason))
    return found


def symbols(entry: Optimizer, variant: Variant) -> Iterator[tuple[str, str]]:
    """Every symbol of the equations and what it is, and every number that may be set in them or for their start."""
    named = symbols_in(variant)
    published = f", {entry.rate} if none is given" if entry.rate else ""
    common = {
        "w": "a parameter, a weight or a bias; w_new is its value after the update",
        "g": "the gradient, the derivative of the error by w",
        "E": "the error, with the old parameters",
        RATE: f"the learning rate{published}; tutor train begins with {entry.small_rate}",
        "t": "the number of the update: 1, 2, 3, …",
    }
    yield from ((name, text) for name, text in common.items() if name in named)
    for line in (*variant.shared, *variant.equations):
        start = variant.shared_state.get(line.name, variant.state.get(line.name))
        if line.name not in common:
            at_first = "" if start is None else f"; begins at {start}"
            yield line.name, f"{line.meaning or line.reason}{at_first}"
    yield from setting_facts(entry, [n for n, s in entry.settings.items() if s.default is not None and not s.when])


def setting_facts(entry: Optimizer, names: list[str]) -> Iterator[tuple[str, str]]:
    """What the numbers are, what they are if nothing is said, and what they may be."""
    for name in names:
        setting = entry.settings[name]
        usual = "left out unless it is given" if setting.default is None else f"{setting.default} unless given"
        yield name, f"{setting.meaning}; {usual}, {setting.range}"


def forms(entry: Optimizer) -> Iterator[tuple[str, list[str], Lines]]:
    """Each setting that changes the equations: how it is written, what it does, and the lines that are other ones."""
    for name in (*entry.flags, *entry.settings):
        flag, setting = entry.flags.get(name), entry.settings.get(name)
        needed: dict[str, Any] = {setting.when: True} if setting is not None and setting.when else {}
        value: Any = not flag.default if flag is not None else setting and (setting.example or setting.default)
        before, after = entry.variant(needed), entry.variant({**needed, name: value})
        usual = written_lines(before)
        other = [line for line in written_lines(after) if line not in usual]
        if not other:
            continue
        spelled = " and ".join(f"{key} = {str(of).lower()}" for key, of in {**needed, name: value}.items())
        own = setting_facts(entry, [setting for setting in after.settings if setting not in before.settings])
        form = [flag.on if value else flag.off] if flag is not None else []
        yield spelled, [*form, *(f"{setting}: {text}" for setting, text in own)], other


def three_updates(entry: Optimizer) -> tuple[str, list[dict[str, Any]]]:
    """What they start from, and of each update the gradient, every line and the parameter: exact values by name."""
    rate = Fraction(1) if entry.rate == "1" else Fraction(1, 10)
    variant = entry.variant()
    by_error = GOAL in symbols_in(variant)
    task: dict[str, Any] = {"objective": OBJECTIVE} if by_error else {"gradients": {"w": GRADIENTS}}
    wanted = Minimize(start={"w": Fraction(1)}, optimizer=entry.name, learning_rate=rate, steps=UPDATES, **task)
    values = build(Problem(minimize=wanted)).values
    rows = []
    for k in range(1, UPDATES + 1):
        row = {"t": Fraction(k)} | ({GOAL: values[named(GOAL, update=k)]} if by_error else {})
        row["g"] = values[named(derivative(GOAL, "w"), update=k)]
        for line in (*variant.shared, *variant.equations):
            alone = line in variant.shared or line.kind is StepKind.UPDATE
            row[line.result] = values[named(line.name if alone else owned(line.name, "w"), update=k)]
        rows.append(row)
    source = f"E = {OBJECTIVE}" if by_error else "the gradients 1, 0.5 and -1"
    return f"w = 1, {RATE} = {shown(rate, 1)} and {source}", rows


def facts(entry: Optimizer) -> dict[str, str]:
    """Where it comes from, which form of it this is, and who has it in another."""
    found = {
        "kind": "optimizer",
        "title": entry.title,
        "remark": entry.remark,
        "source": entry.source,
        "in PyTorch and Keras": entry.frameworks,
        "settings": ", ".join(f"{name} = {value}" for name, value in entry.defaults.items()),
        "learning rate if none is given": entry.rate or "",
    }
    return {name: text for name, text in found.items() if text}


def optimizer_page(entry: Optimizer, digits: int) -> Iterator[Block]:
    """Facts, equations, symbols, the other forms, and three updates in numbers."""
    variant = entry.variant()
    yield Heading(entry.name, Level.TITLE)
    for fact, text in facts(entry).items():
        yield Paragraph(f"{fact}: {text}", 2)
    yield Heading("The equations, for each parameter")
    yield from _equations(written_lines(variant))
    yield Heading("The symbols")
    for symbol, text in symbols(entry, variant):
        yield Paragraph(f"{symbol}: {text}", 2)
    for spelled, told, changed in forms(entry):
        yield Heading(f"With {spelled}")
        for text in told:
            yield Paragraph(text, 2)
        yield from _equations(changed)
    start, rows = three_updates(entry)
    yield Heading(f"Three updates from {start}")
    updates = []
    for row in rows:
        numbers = {name: shown(value, digits) for name, value in row.items()}
        said = ", ".join(f"{name} = {number}" for name, number in list(numbers.items())[1:])
        told_as = f"Update {row['t']}: {said}."
        updates.append(Row(tuple(numbers.values()), told_as, (Paragraph(told_as, 2),)))
    yield Table(tuple(Column(name, Kind.NUMBER) for name in rows[0]), tuple(updates))


def _equations(lines: Lines) -> Iterator[Block]:
    for name, text, reason in lines:
        yield Paragraph((name, " = ", *text), 2)
        yield Paragraph(Aside(f"({reason})"), 6)
