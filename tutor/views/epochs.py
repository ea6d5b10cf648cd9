"""The epoch table of the perceptron rule: one line for each example shown to the network."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.views.screen import Screen
from tutor.views.tableau import Tableau
from tutor.worksheet.perceptron import table_of


def epoch_rows(tableau: Tableau) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: which example, its inputs and targets, then every result and the weights it leads to."""
    known = tableau.worksheet.network
    columns, parts = table_of(tableau.worksheet)
    inputs = [*known.inputs, *known.targets] if known else []
    examples = tableau.examples()
    rows = []
    for number, (part, names) in enumerate(parts):
        given = [text.split(" = ")[1] for texts in examples[number % len(examples)] for text in texts]
        rows.append([part, *given, *(tableau.labels[name] for name in names)])
    return ["", *inputs, *columns], rows


def show_epochs(tableau: Tableau, screen: Screen) -> None:
    """The table, or a line for each example where there is too little room for columns."""
    screen.heading("Epoch by epoch: sums, outputs, errors, and the weights after each example")
    headings, rows = epoch_rows(tableau)
    widths = [max(len(heading), *(len(row[i]) for row in rows)) for i, heading in enumerate(headings)]
    if sum(widths) + 3 * len(widths) + 1 > screen.width:
        for line in epoch_sentences(tableau):
            screen.show(line)
        return
    table = screen.table(*headings, right=headings[1:])
    for number, row in enumerate(rows, 1):
        last = number % len(tableau.examples()) == 0
        table.add_row(*map(screen.text, row), end_section=last)
    screen.show(table)


def epoch_sentences(tableau: Tableau) -> Iterator[str]:
    """The same line by line."""
    headings, rows = epoch_rows(tableau)
    for part, *values in rows:
        told = ", ".join(f"{heading} = {value}" for heading, value in zip(headings[1:], values, strict=True))
        yield f"{part}: {told}."
