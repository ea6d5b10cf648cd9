"""A worksheet on a terminal, from top to bottom: the picture, its stages, the derivations, and what was achieved."""

from __future__ import annotations

from collections.abc import Sequence

from tutor.views import picture
from tutor.views.conventions import conventions_line
from tutor.views.epochs import show_epochs
from tutor.views.rounding import shown
from tutor.views.screen import Screen
from tutor.views.tableau import OF_A_FORMULA, Tableau, changes_in_error
from tutor.views.tables import alike, printed_text, show_derivation, show_notes, show_steps
from tutor.worksheet.collapse import collapses


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
