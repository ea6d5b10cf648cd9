"""The epoch table of the perceptron rule: one line for each example shown to the network."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.views.blocks import Block, Column, Heading, Kind, Row, Table
from tutor.views.worksheet.model import WorksheetView
from tutor.worksheet.perceptron import table_of


def epochs(view: WorksheetView) -> Iterator[Block]:
    """The epoch, the example, its inputs and targets, then every result and the new weights."""
    known = view.worksheet.network
    columns, parts = table_of(view.worksheet)
    inputs = [*known.inputs, *known.targets] if known else []
    examples = view.examples()
    rows = []
    for number, (_, names) in enumerate(parts):
        epoch, example = divmod(number, len(examples))
        given = [text.split(" = ")[1] for texts in examples[example] for text in texts]
        values = [*given, *(view.labels[name] for name in names)]
        said = ", ".join(f"{name} = {value}" for name, value in zip([*inputs, *columns], values, strict=True))
        told = f"Epoch {epoch + 1}, example {example + 1}: {said}."
        rows.append(Row((str(epoch + 1), str(example + 1), *values), told, ends=example + 1 == len(examples)))
    yield Heading("Epoch by epoch: sums, outputs, errors, and the weights after each example")
    headings = ["epoch", "example", *inputs, *columns]
    yield Table(tuple(Column(heading, Kind.NUMBER) for heading in headings), tuple(rows), whole=True)
