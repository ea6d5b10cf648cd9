"""What a saved network makes of new examples: the first of them, then all of them in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tutor.errors import counted, listed
from tutor.runs.predict import Predictions
from tutor.runs.run import Run
from tutor.views.blocks import Block, Column, Heading, Kind, Level, Paragraph, Row, Table
from tutor.views.measures import in_numbers, in_words
from tutor.views.training import confusion_matrix

_SHOWN = 10


def predictions_page(run: Run, name: str, predictions: Predictions, remarks: list[str]) -> Iterator[Block]:
    """The first examples in a table, the rest in numbers."""
    count = predictions.outputs.shape[1]
    _, epochs = run.trained
    sizes = "-".join(map(str, run.architecture.sizes))
    yield Heading(f"{name}: {counted(count, 'example')} for a {sizes} network", Level.TITLE)
    yield Paragraph(f"It was trained on {run.heading.source.name}, for {counted(epochs, 'epoch')}.")
    yield from map(Paragraph, remarks)
    yield _first(predictions)
    if count > _SHOWN:
        yield Paragraph(f"These are the first {_SHOWN} of {count:,}; --csv FILE writes all of them.")
    if predictions.counts:
        taken = ", ".join(f"{name}: {number:,}" for name, number in predictions.counts.items())
        yield Paragraph(f"So many were taken for each class: {taken}.")
    if predictions.loss is not None:
        right = "" if predictions.accuracy is None else f", {100 * predictions.accuracy:.1f}% right"
        yield Paragraph(f"Against the answers: loss {predictions.loss:.6g}{right}.")
    if predictions.wrong:
        yield Paragraph(_wrong(predictions.wrong))
    measured = {} if predictions.measures is None else {"these examples": predictions.measures}
    yield from in_words(measured)
    if predictions.confusion:
        yield from confusion_matrix(predictions.classes, ("given", predictions.confusion))
    yield from in_numbers({"given": predictions.measures} if predictions.measures is not None else {})


def _wrong(numbers: Sequence[int]) -> str:
    few, more = [f"{number:,}" for number in numbers[:_SHOWN]], len(numbers) - _SHOWN
    if more <= 0:
        return f"Wrong: {'example' if len(few) == 1 else 'examples'} {listed(few)}."
    return f"Wrong: examples {', '.join(few)} and {more:,} more; --csv FILE writes all with their answers."


def _first(predictions: Predictions) -> Table:
    """The first examples with every output, or, where that is too much, with the output of the class they get."""
    names, scores = predictions.scores
    shown = range(min(_SHOWN, scores.shape[1]))
    every = [[f"{score:.4g}" for score in scores[:, k]] for k in shown]
    if not predictions.classes or len(names) < 2:
        return _table(predictions, names, every)
    best = [[f"{scores[:, k].max():.4g}"] for k in shown]
    narrower = _table(predictions, ["its probability" if predictions.probable else "its output"], best)
    return replace(_table(predictions, names, every), narrower=narrower)


def _table(predictions: Predictions, names: Sequence[str], outputs: Sequence[Sequence[str]]) -> Table:
    answers = predictions.answers
    headings = [
        "example",
        *(["class"] if predictions.classes else []),
        *([] if answers is None else ["answer"]),
        *names,
    ]
    rows = []
    for k, output in enumerate(outputs):
        guess = predictions.class_of(k)
        known = [] if answers is None else [_answer(predictions.answer_of(k))]
        cells = [str(k + 1), *guess, *known, *output]
        told = ", ".join(f"{heading} {cell}" for heading, cell in zip(headings[1:], cells[1:], strict=True))
        rows.append(Row(tuple(cells), f"Example {cells[0]}: {told}."))
    kinds = [Kind.NAME if heading in ("class", "answer") else Kind.NUMBER for heading in headings]
    return Table(tuple(map(Column, headings, kinds)), tuple(rows), apart=True)


def _answer(cells: Sequence[object]) -> str:
    return ", ".join(cell if isinstance(cell, str) else f"{cell:.4g}" for cell in cells) or "-"
