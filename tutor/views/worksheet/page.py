"""Steps and derivations on a terminal: as tables where there is room for columns, else as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tutor.views.notation import expression_text
from tutor.views.numbers import shown
from tutor.views.screen import WIDE_FROM, Screen
from tutor.views.worksheet import picture
from tutor.views.worksheet.conventions import conventions_line
from tutor.views.worksheet.epochs import show_epochs
from tutor.views.worksheet.model import OF_A_FORMULA, PrintedRow, Tableau, changes_in_error
from tutor.worksheet.derivation import Line
from tutor.worksheet.softmax import collapses
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


def show_worksheet(tableau: Tableau, screen: Screen, only: Sequence[str] = ()) -> None:
    """The whole worksheet, or the stages named in `only`."""
    screen.show("", conventions_line(tableau.worksheet, tableau.digits, tableau.rounding))
    if not only:
        show_picture(tableau, screen)
        if tableau.given():
            screen.show("", f"Given: {', '.join(tableau.given())}.")
    shown_parts: set[str] = set()
    for part, stage, steps in tableau.parts(only):
        if tableau.by_perceptron_rule and part != tableau.worksheet.steps[0].part:
            break  # the first example is worked out; the rest stands in the epoch table
        screen.heading(tableau.title(part, stage))
        beginning, others = tableau.beginning(steps)
        show_steps(tableau, screen, beginning)
        if others:
            screen.show(others)
        show_notes(screen, [row for step in steps for row in tableau.printed_by_name.get(step.name, ())])
        if stage == "partial" and not shown_parts and not tableau.brief:
            show_derivations(tableau, screen)
            shown_parts.add(part)
    if tableau.by_perceptron_rule:
        show_epochs(tableau, screen)
    if not only:
        show_checks(tableau, screen)
        show_outcome(tableau, screen)
        show_legend(tableau, screen)


def show_picture(tableau: Tableau, screen: Screen) -> None:
    """The network with its weights: its layers side by side where they fit, else one below the other."""
    known = tableau.worksheet.network
    if known is None:
        return
    strokes = picture.UNICODE if screen.unicode else picture.ASCII
    titles = picture.layer_titles(known.layers)
    pictures = picture.layer_pictures(known, tableau.labels, screen.width, strokes)
    widths = [max(map(len, [title, *lines])) for title, lines in zip(titles, pictures, strict=True)]
    screen.heading("The network")
    if sum(widths) + 4 * len(widths) <= screen.width:
        from rich.table import Table

        grid = Table.grid(padding=(0, 4))
        for width in widths:
            grid.add_column(min_width=width, no_wrap=True)
        grid.add_row(*(screen.text(title, "bold") for title in titles))
        grid.add_row(*(screen.text("\n".join(lines)) for lines in pictures))
        screen.show(grid)
    else:
        for title, lines in zip(titles, pictures, strict=True):
            screen.show(screen.text(title, "bold"), "\n".join(lines))
    for number, (inputs, targets) in enumerate(tableau.examples(), 1):
        if len(tableau.examples()) > 1:
            target = f"; target: {', '.join(targets)}" if targets else ""
            screen.show(f"Example {number}: {', '.join(inputs)}{target}")
        elif targets:
            screen.show(f"Target: {', '.join(targets)}")


def show_derivations(tableau: Tableau, screen: Screen) -> None:
    """One derivation of every kind; the partials that come out alike are named below it."""
    screen.heading("How these derivatives come out, rule by rule")
    for step, lines, others in tableau.derivations_by_kind():
        show_derivation(screen, step.name, lines)
        if others:
            screen.indented(alike(tableau, others))
        screen.show("")
    if collapsed := collapses(tableau.worksheet):
        name, lines = collapsed[0]
        screen.show("With softmax and cross-entropy the gradient by a weighted sum becomes output minus target:", "")
        show_derivation(screen, name, lines)
        screen.indented(alike(tableau, [other for other, _ in collapsed[1:]]))


def show_checks(tableau: Tableau, screen: Screen) -> None:
    """Printed values of formulas that are no steps of the worksheet."""
    rows = [row for row in tableau.printed if row.name not in tableau.worksheet.by_name]
    if not rows:
        return
    screen.heading("Results in between that are printed too")
    if screen.stacked:
        for row in rows:
            screen.show(f"{row.name} = {shown(row.exact, tableau.digits)}, printed {row.printed}: {row.verdict}")
    else:
        table = screen.table("formula", "value", "printed", right=["value"])
        for row in rows:
            cells = (screen.text(text) for text in (row.name, shown(row.exact, tableau.digits)))
            table.add_row(*cells, printed_text(screen, [row]))
        screen.show(table)
    show_notes(screen, rows)


def show_outcome(tableau: Tableau, screen: Screen) -> None:
    """What changed, and by how much the error fell."""
    changes, others = tableau.beginning(tableau.changes())
    if not changes:
        return
    screen.heading("What changed")
    if screen.stacked:
        for name, before, after, change in changes:
            screen.show(name)
            screen.indented(f"from {before} to {after}")
            screen.indented(f"changed by {change}")
    else:
        headings = ("before", "after", "change")
        table = screen.table("", *headings, right=headings)
        for row in changes:
            table.add_row(*map(screen.text, row))
        screen.show(table)
    if others:
        screen.show(others)
    screen.show(*changes_in_error(tableau))


def show_legend(tableau: Tableau, screen: Screen) -> None:
    """What the verdicts mean, those that occur."""
    if tableau.verdicts:
        screen.heading("What the verdicts on printed values mean")
    for verdict, meaning in tableau.verdicts.items():
        screen.indented(f"{verdict}: {meaning}")
    if tableau.verdicts:
        if tableau.prints_a_formula:
            screen.indented(OF_A_FORMULA)
        screen.indented("An empty place: the source prints no value there.")
