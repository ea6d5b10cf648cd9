"""What a saved network makes of new examples: the first of them, then all of them in numbers."""

from __future__ import annotations

from typing import Any

from tutor.errors import counted
from tutor.runs.predict import Predictions
from tutor.runs.run import Run
from tutor.views.screen import Screen
from tutor.views.training import show_confusion

_SHOWN = 10


def show(run: Run, name: str, found: Predictions, remarks: list[str], screen: Screen) -> None:
    """The first examples in a table, the rest in numbers."""
    count = found.outputs.shape[1]
    _, epochs = run.trained
    sizes = "-".join(map(str, run.shape.sizes))
    screen.show(screen.text(f"{name}: {counted(count, 'example')} for a {sizes} network", "bold"))
    screen.show(f"It was trained on {run.heading.source.name}, for {counted(epochs, 'epoch')}.", *remarks)
    _show_first(found, screen)
    if count > _SHOWN:
        screen.show(f"These are the first {_SHOWN} of {count:,}; --csv FILE writes all of them.")
    if found.counts:
        taken = ", ".join(f"{name}: {number:,}" for name, number in found.counts.items())
        screen.show(f"So many were taken for each class: {taken}.")
    if found.loss is not None:
        right = "" if found.accuracy is None else f", {100 * found.accuracy:.1f}% right"
        screen.show(f"Against the answers: loss {found.loss:.6g}{right}.")
    if found.confusion:
        show_confusion(found.classes, ("given", found.confusion), screen)


def _show_first(found: Predictions, screen: Screen) -> None:
    names, scores = found.scores
    answers = found.answers
    headings = ["example", *(["class"] if found.classes else []), *(["answer"] if answers is not None else []), *names]
    rows = []
    for k in range(min(_SHOWN, scores.shape[1])):
        guess = [] if found.guesses is None else [found.classes[int(found.guesses[k])]]
        known = [] if answers is None else [_answer(found.classes, answers[k])]
        rows.append([str(k + 1), *guess, *known, *(f"{score:.4g}" for score in scores[:, k])])
    columns = zip(headings, *rows, strict=True)  # a heading may be broken between words, a cell nowhere
    widths = [max(map(len, (*heading.split(), *cells))) for heading, *cells in columns]
    if found.classes and len(names) > 1 and sum(widths) + 3 * len(widths) >= screen.width:  # only that of the guess
        headings = [*headings[: -len(names)], "its probability" if found.probable else "its output"]
        rows = [[*row[: -len(names)], f"{scores[:, k].max():.4g}"] for k, row in enumerate(rows)]
    if screen.narrate or screen.stacked:
        for row in rows:
            told = ", ".join(f"{heading} {cell}" for heading, cell in zip(headings[1:], row[1:], strict=True))
            screen.show(f"Example {row[0]}: {told}.")
        return
    table = screen.table(*headings, right=[heading for heading in headings if heading not in ("class", "answer")])
    for row in rows:
        table.add_row(*map(screen.text, row))
    screen.show("", table)


def _answer(classes: Any, answer: Any) -> str:
    if classes:
        return classes[int(answer)] if answer >= 0 else "-"
    return ", ".join(f"{float(value):.4g}" for value in answer)
