"""A training on the screen: progress while it runs, then how the loss fell, what came out, and what to try."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from tutor.errors import counted
from tutor.views.screen import Screen

Watch = Callable[[Any], None]
Regions = Callable[[int, int], Any]
_SYMBOLS = "·#o+x*%@=&"
_CURVE_HEIGHT = 10


@contextmanager
def watching(epochs: int, silent: bool) -> Iterator[Watch]:
    """What to call after every epoch: a bar on stderr where somebody is there to see it, else nothing."""
    if silent or not sys.stderr.isatty():
        yield lambda epoch: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch {task.completed}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=epochs)

        def watch(epoch: Any) -> None:
            accuracy = "" if epoch.accuracy is None else f", {100 * epoch.accuracy:.1f}% right"
            bar.update(task, advance=1, description=f"loss {epoch.loss:.4g}{accuracy}")

        yield watch


def document(data: Any, trainer: Any, result: Any) -> dict[str, Any]:
    """What `--json` prints."""
    shape, wanted, prepared = trainer.shape, trainer.wanted, trainer.data
    last = result.history[-1] if result.history else None
    measured = trainer.measures()
    return {
        "format": 1,
        "network": {
            "sizes": list(shape.sizes),
            "activations": list(shape.activations),
            "loss": shape.loss,
            "parameters": len(trainer.form.vector),
            "form": trainer.form.name,
        },
        "data": {
            "name": data.name,
            "examples": len(data),
            "training": len(prepared.train),
            "validation": len(prepared.validation),
            "test": len(prepared.test),
            "classes": list(data.classes),
        },
        "settings": {**asdict(wanted), "learning_rate": wanted.rules.rate},
        "arithmetic": wanted.arithmetic,
        "seed": wanted.seed,
        "epochs": len(result.history),
        "updates": trainer.form.updates,
        "seconds": result.seconds,
        "ended": result.ended,
        "loss": last and last.loss,
        **({"accuracy": measured["training"].accuracy} if data.classes else {}),
        "parts": {part: {"loss": m.loss, "accuracy": m.accuracy} for part, m in measured.items()},
        "history": [
            {
                "epoch": e.number,
                "loss": e.loss,
                "accuracy": e.accuracy,
                "validation_loss": e.validation_loss,
                "validation_accuracy": e.validation_accuracy,
            }
            for e in result.history
        ],
        "weights": [float(w) for w in trainer.form.vector],
    }


def show(data: Any, trainer: Any, result: Any, confused: Any, cut: Regions, screen: Screen) -> None:
    """The network, the curve, the numbers at the end, who was taken for whom, and where the line is drawn.

    `confused` is the confusion matrix with the part that it is about, `cut` makes the decision regions for so many
    columns and rows.
    """
    shape, wanted = trainer.shape, trainer.wanted
    single = ", here in single precision," if trainer.form.vector.itemsize == 4 else ""
    screen.show(screen.text(f"{data.name}: a {'-'.join(map(str, shape.sizes))} network", "bold"), "")
    sizes = f"{counted(len(trainer.data.train), 'example')}, {counted(len(trainer.form.vector), 'parameter')}"
    words = f"{' and '.join(dict.fromkeys(shape.activations))}; loss: {shape.loss.replace('_', ' ')}"
    screen.show(f"{sizes}, {words}; {wanted.arithmetic} arithmetic.")
    if wanted.arithmetic == "fast":
        screen.show(f"The last digits of fast arithmetic{single} may differ from machine to machine.")
    if result.history:
        if not screen.narrate:
            show_curve(result.history, screen)
        _show_epochs(result.history, screen)
        show_confusion(data.classes, confused, screen)
        if not screen.narrate:
            show_regions(data, cut, screen)
    updates = trainer.form.updates
    each = f"{1e6 * result.seconds / max(1, updates):.3g} µs each"
    ended = result.ended.capitalize()
    screen.show(f"{ended}: {counted(updates, 'update')} in {result.seconds:.2f} s, {each}.")
    if result.diverged:
        screen.show("Try a smaller --learning-rate, --clip-norm 1, or --normalize zscore.")
    elif data.name == "xor" and max(shape.sizes[1:-1], default=0) < 2:
        screen.show("XOR is not linearly separable: with fewer than two hidden units no training can solve it.")


def show_curve(history: Any, screen: Screen) -> None:
    """The loss by the epoch, drawn with characters; the table below says the same in numbers."""
    import plotille

    figure = plotille.Figure()
    figure.width, figure.height = max(20, min(70, screen.width - 25)), _CURVE_HEIGHT
    figure.x_label, figure.y_label = "epoch", "loss"
    figure.set_x_limits(min_=1, max_=max(2, len(history)))
    figure.set_y_limits(min_=0, max_=max(e.loss for e in history) or 1)
    figure.register_label_formatter(float, lambda value, chars, delta, left=False: f"{value:{chars}.3g}")
    figure.plot([e.number for e in history], [e.loss for e in history])
    if screen.unicode and screen.width >= 60:
        screen.show("", figure.show())


def _show_epochs(history: Any, screen: Screen) -> None:
    marks = sorted({1, *(round(len(history) * k / 8) for k in range(1, 9))} - {0})
    rows = [history[mark - 1] for mark in marks]
    held = rows[0].validation_loss is not None
    right = rows[0].accuracy is not None
    headings = ["epoch", "loss", *(["right"] if right else []), *(["held-out loss"] if held else [])]
    headings += ["held-out right"] if held and right else []
    texts = [[str(e.number), f"{e.loss:.6g}"] for e in rows]
    for e, row in zip(rows, texts, strict=True):
        row += [_share(e.accuracy)] if right else []
        row += [f"{e.validation_loss:.6g}"] if held else []
        row += [_share(e.validation_accuracy)] if held and right else []
    if screen.narrate or screen.stacked:
        for row in texts:
            screen.show(", ".join(f"{heading} {text}" for heading, text in zip(headings, row, strict=True)) + ".")
        return
    table = screen.table(*headings, right=headings)
    for row in texts:
        table.add_row(*map(screen.text, row))
    screen.show("", table)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"


def show_confusion(classes: Any, confused: Any, screen: Screen) -> None:
    """How often each class was taken for each; only the confusions in words."""
    part, table = confused
    if not table:
        return
    screen.heading(f"The {part} examples: what each class was taken for")
    wrong = [
        f"{counted(table[i][j], 'time')} {classes[i]} for {classes[j]}"
        for i in range(len(table)) for j in range(len(table)) if i != j and table[i][j]
    ]  # fmt: skip
    if not screen.narrate and sum(max(len(c), 4) + 3 for c in classes) + 12 <= screen.width:
        grid = screen.table("", *classes, right=classes)
        for name, row in zip(classes, table, strict=True):
            grid.add_row(screen.text(name, "bold"), *(screen.text(str(cell)) for cell in row))
        screen.show(grid)
    else:
        screen.show(f"Taken wrongly: {'; '.join(wrong)}." if wrong else "None was taken wrongly.")


def show_regions(data: Any, cut: Regions, screen: Screen) -> None:
    """The plane of two inputs, each place drawn with the sign of its class."""
    columns = max(20, min(64, screen.width - 8))
    found = cut(columns, columns * 2 // 7)
    if found is None:
        return
    cells, (left, right), (low, high) = found
    signs = _SYMBOLS if screen.unicode else _SYMBOLS.replace("·", ".")
    legend = ", ".join(f"{signs[i % len(signs)]} {name}" for i, name in enumerate(data.classes))
    screen.heading(f"Where the network draws the line: {legend}")
    for row in cells:
        screen.show("  " + "".join(signs[c % len(signs)] for c in row))
    across, up = data.features
    screen.indented(
        f"{across} from {left:.3g} to {right:.3g}, {up} from {low:.3g} at the bottom to {high:.3g} at the top"
    )
