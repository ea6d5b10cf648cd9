"""The epoch table of the perceptron rule: one line for each example shown to the network."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.views.screen import Screen
from tutor.views.worksheet.model import Tableau
from tutor.worksheet.perceptron import table_of


def epoch_rows(tableau: Tableau) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: the epoch, the example, its inputs and targets, then every result and the new weights."""
    known = tableau.worksheet.network
    columns, parts = table_of(tableau.worksheet)
    inputs = [*known.inputs, *known.targets] if known else []
    examples = tableau.examples()
    rows = []
    for number, (_, names) in enumerate(parts):
        epoch, example = divmod(number, len(examples))
        given = [text.split(" = ")[1] for texts in examples[example] for text in texts]
        rows.append([str(epoch + 1), str(example + 1), *given, *(tableau.labels[name] for name in names)])
    return ["epoch", "example", *inputs, *columns], rows


def show_epochs(tableau: Tableau, screen: Screen) -> None:
    """The table, without blanks beside its strokes where it must; a line for each example where that is too wide."""
    screen.heading("Epoch by epoch: sums, outputs, errors, and the weights after each example")
    headings, rows = epoch_rows(tableau)
    widths = [max(len(heading), *(len(row[i]) for row in rows)) for i, heading in enumerate(headings)]
    tight = sum(widths) + len(widths) + 1
    if tight > screen.width:
        for line in epoch_sentences(tableau):
            screen.show(line)
        return
    table = screen.table(*headings, right=headings)
    if tight + 2 * len(widths) > screen.width:
        table.padding = 0
    for number, row in enumerate(rows, 1):
        last = number % len(tableau.examples()) == 0
        table.add_row(*map(screen.text, row), end_section=last)
    screen.show(table)


def epoch_sentences(tableau: Tableau) -> Iterator[str]:
    """The same line by line."""
    headings, rows = epoch_rows(tableau)
    for epoch, example, *values in rows:
        told = ", ".join(f"{heading} = {value}" for heading, value in zip(headings[2:], values, strict=True))
        yield f"Epoch {epoch}, example {example}: {told}."
