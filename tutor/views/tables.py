"""Steps and derivations on a terminal: as tables where there is room for columns, else as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tutor.views.notation import expression_text
from tutor.views.screen import WIDE_FROM, Screen
from tutor.views.tableau import PrintedRow, Tableau
from tutor.worksheet.derivation import Line
from tutor.worksheet.step import Step

if TYPE_CHECKING:
    from rich.text import Text

VERDICT_STYLES = {
    "correct": "green", "wrong": "bold red", "carried": "yellow", "rounding": "yellow", "coarse": "yellow",
}  # fmt: skip


def show_steps(tableau: Tableau, screen: Screen, steps: Sequence[Step]) -> None:
    """One row a step. Wide: four columns; at 80: formula above numbers; narrower: everything stacked."""
    printed = any(step.name in tableau.printed_by_name for step in steps)
    if screen.stacked:
        for step in steps:
            show_step(tableau, screen, step)
        return
    wide, drifts = screen.width >= WIDE_FROM, tableau.rounded is not None
    left_out = {"with numbers": not wide, "exact": not drifts, "drift": not drifts, "printed": not printed}
    every = ("name", "formula", "with numbers", "value", "exact", "drift", "printed")
    headings = [heading for heading in every if not left_out.get(heading)]
    table = screen.table(*headings, right=["value", "exact", "drift"])
    for column in table.columns:
        if column.header in ("name", "value", "exact", "drift"):
            column.no_wrap = True
    for step in steps:
        formula, numbers = tableau.formula(step, screen.style), tableau.substituted(step, screen.style)
        cells = [screen.text(step.name, "bold")]
        if wide:
            cells += [screen.text(formula), screen.text(f"{tableau.sign(step)} {numbers}" if numbers else "")]
        else:
            cells.append(screen.text(formula if numbers is None else f"{formula}\n{tableau.sign(step)} {numbers}"))
        cells.append(screen.text(tableau.labels[step.name]))
        if drifts:
            cells += map(screen.text, tableau.drift(step))
        if printed:
            cells.append(printed_text(screen, tableau.printed_by_name.get(step.name, ())))
        table.add_row(*cells)
    screen.show(table)
    for note in filter(None, dict.fromkeys(map(tableau.cancelled, steps))):
        screen.indented(f"{', '.join(step.name for step in steps if tableau.cancelled(step) == note)}: {note}")


def show_step(tableau: Tableau, screen: Screen, step: Step) -> None:
    """One step as lines: name and rule, formula, numbers, value, and what the lecture prints."""
    screen.show(screen.text(f"{step.name}  ", "bold") + screen.text(f"({step.reason})", "dim"))
    formula, numbers = tableau.formula(step, screen.style), tableau.substituted(step, screen.style)
    screen.indented(f"= {formula}")
    if numbers is not None:
        screen.indented(f"{tableau.sign(step)} {numbers}")
    if formula != tableau.labels[step.name]:
        screen.indented(f"= {tableau.labels[step.name]}")
    if note := tableau.cancelled(step):
        screen.indented(note)
    if tableau.rounded is not None:
        screen.indented("exact value {}, drift {}".format(*tableau.drift(step)))
    for row in tableau.printed_by_name.get(step.name, ()):
        screen.indented(f"printed {row.printed}: {row.verdict}", style=VERDICT_STYLES.get(row.verdict, ""))


def printed_text(screen: Screen, rows: Sequence[PrintedRow]) -> Text:
    """`0.23 wrong`, one line for each value printed."""
    from rich.text import Text

    lines = [screen.text(f"{r.printed} {r.verdict}", VERDICT_STYLES.get(r.verdict, "")) for r in rows]
    return Text("\n").join(lines)


def show_notes(screen: Screen, rows: Sequence[PrintedRow]) -> None:
    """What there is to say about printed values, each with its name."""
    for row in rows:
        if row.note:
            place = f" ({row.place})" if row.place else ""
            screen.indented(f"{row.name}{place}, printed {row.printed}, {row.verdict}: {row.note}")


def alike(tableau: Tableau, others: Sequence[str]) -> str:
    """Which partials come out in the same way."""
    named, more = tableau.beginning(others)
    return f"In the same way: {', '.join(named)}{f', {more}' if more else '.'}"


def show_derivation(screen: Screen, name: str, lines: Sequence[Line]) -> None:
    """Each line with the rule that led to it: beside it where there is room, else below."""
    from rich.table import Table

    screen.show(screen.text(name, "bold"))
    texts = [expression_text(line.expression, screen.style) for line in lines]
    if screen.stacked:
        for text, line in zip(texts, lines, strict=True):
            screen.indented(f"= {text}")
            screen.indented(f"({line.rule})", by=6, style="dim")
        return
    grid = Table.grid(padding=(0, 1))
    for ratio in (None, 3, 1):
        grid.add_column(ratio=ratio, overflow="fold")
    grid.expand = True
    for text, line in zip(texts, lines, strict=True):
        grid.add_row(screen.text("  ="), screen.text(text), screen.text(line.rule, "dim"))
    screen.show(grid)
