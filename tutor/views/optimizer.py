"""An optimizer, explained: its equations, its symbols one by one, what its settings change, and three updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from tutor.formulas.quantity import derivative, named, owned
from tutor.maths.kind import Kind
from tutor.maths.optimizer import RATE, Optimizer, Variant
from tutor.views.notation import expression_text
from tutor.views.numbers import full, shown
from tutor.views.screen import Screen
from tutor.views.style import PLAIN, Style
from tutor.worksheet.build import build
from tutor.worksheet.problem import Minimize, Problem
from tutor.worksheet.step import GOAL
from tutor.worksheet.update import asked, lines

UPDATES = 3
GRADIENTS = [Fraction(1), Fraction(1, 2), Fraction(-1)]
OBJECTIVE = "w**2"
Lines = list[tuple[str, str, str]]


def written_lines(variant: Variant, style: Style) -> Lines:
    """Each line of the optimizer: the name, the formula, and the reason. Where the first update has a formula of its
    own, that of all others stands here too."""
    found = []
    for (line, name, later), (_, _, first) in zip(lines(variant), lines(variant, first=True), strict=True):
        text = expression_text(later, style)
        if first != later:
            text = f"{text}, in the first update {expression_text(first, style)}"
        found.append((name, text, line.reason))
    return found


def symbols(entry: Optimizer, variant: Variant) -> Iterator[tuple[str, str]]:
    """Every symbol of the equations and what it is, and every number that may be set in them or for their start."""
    named = asked(variant)
    common = {
        "w": "a parameter, a weight or a bias; w_new is its value after the update",
        "g": "the gradient, the derivative of the error by w",
        "E": "the error, with the old parameters",
        RATE: "the learning rate" + (f", {entry.rate} if none is given" if entry.rate else ""),
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


def forms(entry: Optimizer, style: Style) -> Iterator[tuple[str, list[str], Lines]]:
    """Each setting that changes the equations: how it is written, what it does, and the lines that are other ones."""
    for name in (*entry.flags, *entry.settings):
        flag, setting = entry.flags.get(name), entry.settings.get(name)
        needed: dict[str, Any] = {setting.when: True} if setting is not None and setting.when else {}
        value: Any = not flag.default if flag is not None else setting and (setting.example or setting.default)
        before, after = entry.variant(needed), entry.variant({**needed, name: value})
        usual = written_lines(before, style)
        other = [line for line in written_lines(after, style) if line not in usual]
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
    by_error = GOAL in asked(variant)
    task: dict[str, Any] = {"objective": OBJECTIVE} if by_error else {"gradients": {"w": GRADIENTS}}
    wanted = Minimize(start={"w": Fraction(1)}, optimizer=entry.name, learning_rate=rate, steps=UPDATES, **task)
    values = build(Problem(minimize=wanted)).values
    rows = []
    for k in range(1, UPDATES + 1):
        row = {"t": Fraction(k)} | ({GOAL: values[named(GOAL, update=k)]} if by_error else {})
        row["g"] = values[named(derivative(GOAL, "w"), update=k)]
        for line in (*variant.shared, *variant.equations):
            alone = line in variant.shared or line.kind is Kind.UPDATE
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


def show_optimizer(entry: Optimizer, screen: Screen, digits: int) -> None:
    """Facts, equations, symbols, the other forms, and three updates in numbers."""
    variant = entry.variant()
    screen.show(screen.text(entry.name, "bold"))
    for fact, text in facts(entry).items():
        screen.indented(f"{fact}: {text}")
    screen.heading("The equations, for each parameter")
    _show_lines(written_lines(variant, screen.style), screen)
    screen.heading("The symbols")
    for symbol, text in symbols(entry, variant):
        screen.indented(f"{symbol}: {text}")
    for spelled, told, changed in forms(entry, screen.style):
        screen.heading(f"With {spelled}")
        for text in told:
            screen.indented(text)
        _show_lines(changed, screen)
    start, rows = three_updates(entry)
    screen.heading(f"Three updates from {start}")
    if screen.narrate or screen.stacked:
        for row in rows:
            numbers = ", ".join(f"{name} = {shown(value, digits)}" for name, value in list(row.items())[1:])
            screen.indented(f"Update {row['t']}: {numbers}.")
        return
    grid = screen.table(*rows[0], right=[*rows[0]])
    for row in rows:
        grid.add_row(*(screen.text(shown(value, digits)) for value in row.values()))
    screen.show(grid)


def _show_lines(found: Lines, screen: Screen) -> None:
    for name, text, reason in found:
        screen.indented(f"{name} {'equals' if screen.narrate else '='} {text}")
        screen.indented(f"({reason})", by=6, style="dim")


def optimizer_document(entry: Optimizer) -> Mapping[str, Any]:
    """What `tutor explain --json` prints."""

    def listed(found: Lines) -> list[dict[str, str]]:
        return [{"name": name, "formula": text, "reason": reason} for name, text, reason in found]

    variant, (start, rows) = entry.variant(), three_updates(entry)
    found = written_lines(variant, PLAIN)
    return {
        **facts(entry),
        "equation": "; ".join(f"{name} = {text}" for name, text, _ in found),
        "equations": listed(found),
        "symbols": dict(symbols(entry, variant)),
        "forms": [{"with": spelled, "means": told, "equations": listed(c)} for spelled, told, c in forms(entry, PLAIN)],
        "start": start,
        "updates": [{name: full(value) for name, value in row.items()} for row in rows],
    }
