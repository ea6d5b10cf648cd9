"""A training, before and after: what is trained, its curve, its end, its mistakes; the same for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tutor.errors import counted
from tutor.views.screen import Screen


def _kept(trainer: Any) -> dict[str, Any]:
    """What the weights alone do not say: how examples are scaled, and the averages of batch normalization."""
    found: dict[str, Any] = {}
    if trainer.data.scaling is not None:
        found["scaling"] = asdict(trainer.data.scaling)
    state = trainer.form.state()
    running = {name: array.ravel().tolist() for name, array in state.items() if name.startswith(("mean_", "variance_"))}
    return {**found, "running": running} if running else found


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
        "settings": {**asdict(wanted), "learning_rate": float(wanted.training.rate)},
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
        **_kept(trainer),
    }


Regions = Callable[[int, int], Any]
_SYMBOLS = "·#o+x*%@=&"
_CURVE_HEIGHT = 10
_COLUMNS_A_TICK = 10
_STILL_FALLING = 0.999


def show(data: Any, trainer: Any, result: Any, confused: Any, cut: Regions, screen: Screen) -> None:
    """The network, the curve, the numbers at the end, who was taken for whom, and where the line is drawn.

    `confused` is the confusion matrix with the part that it is about, `cut` makes the decision regions for so many
    columns and rows.
    """
    shape, wanted = trainer.shape, trainer.wanted
    single = ", here in single precision," if trainer.form.vector.itemsize == 4 else ""
    screen.show(screen.text(f"{data.name}: a {'-'.join(map(str, shape.sizes))} network", "bold"), "")
    sizes = f"{counted(len(trainer.data.train), 'example')}, {counted(len(trainer.form.vector), 'parameter')}"
    by_rule = wanted.rule == "perceptron"
    words = " and ".join(dict.fromkeys(shape.activations))
    loss = "" if by_rule else f" loss: {shape.loss.replace('_', ' ')};"
    screen.show(f"{sizes}, {words};{loss} {wanted.arithmetic} arithmetic.")
    if by_rule:
        screen.show("By the perceptron rule; the loss of an epoch is the number of examples with a wrong output.")
    screen.show(_how(wanted))
    if wanted.arithmetic == "fast":
        screen.show(f"The last digits of fast arithmetic{single} may differ from machine to machine.")
    if result.history:
        if not screen.narrate and screen.unicode and not screen.stacked:
            show_curve(result.history, screen)
        _show_epochs(result.history, screen)
        _show_parts(trainer, screen)
        show_confusion(data.classes, confused, screen)
        if not screen.narrate:
            show_regions(data, cut, screen)
    updates = trainer.form.updates
    each = 1e6 * result.seconds / max(1, updates)
    pace = f", {each:.3g} µs each" if each < 1000 else f", {each / 1000:.3g} ms each"
    ended = result.ended.capitalize()
    took = f"{result.seconds:.2f} s" if result.seconds >= 0.1 else f"{1000 * result.seconds:.2g} ms"
    screen.show(f"{ended}: {counted(updates, 'update')} in {took}{pace if updates else ''}.")
    if result.diverged:
        screen.show("Try a smaller --learning-rate, --clip-norm 1, or --normalize zscore.")
    elif data.name == "xor" and max(shape.sizes[1:-1], default=0) < 2:
        screen.show("XOR is not linearly separable: with fewer than two hidden units no training can solve it.")
    elif wanted.rule == "gradient" and _is_falling(result.history):
        screen.show("The loss is still falling: more --epochs, or a larger --learning-rate, may bring it further down.")


def _how(wanted: Any) -> str:
    """How the network learns, in a sentence."""
    batches = "one example" if wanted.batch_size == 1 else f"up to {wanted.batch_size} examples"
    name = "perceptron rule" if wanted.rule == "perceptron" else wanted.optimizer.replace("_", " ")
    rate = f"{name}, learning rate {float(wanted.training.rate):g}, {batches} an update"
    return f"{rate}; at most {counted(wanted.epochs, 'epoch')}, seed {wanted.seed}."


def _is_falling(history: Any) -> bool:
    """Whether the last tenth of the epochs was clearly better than the tenth before."""
    tenth = max(1, len(history) // 10)
    if len(history) < 2 * tenth:
        return False
    last, before = (sum(e.loss for e in part) for part in (history[-tenth:], history[-2 * tenth : -tenth]))
    return history[-1].accuracy != 1 and bool(last < _STILL_FALLING * before)


def show_curve(history: Any, screen: Screen) -> None:
    """The loss by the epoch, drawn with characters; the table below says the same in numbers."""
    import plotille

    figure = plotille.Figure()
    figure.width = min(70, (screen.width - 25) // _COLUMNS_A_TICK * _COLUMNS_A_TICK)
    figure.height = _CURVE_HEIGHT
    figure.x_label, figure.y_label = "epoch", "loss"
    ticks = figure.width // _COLUMNS_A_TICK
    figure.set_x_limits(min_=0, max_=-(-history[-1].number // ticks) * ticks)
    held_out = [e for e in history if e.validation_loss is not None]
    highest = max(e.loss for e in history)
    shown = max([highest, *(min(e.validation_loss, 2 * highest) for e in held_out)])
    figure.set_y_limits(min_=0, max_=1.1 * shown or 1)  # what lies on the very edge is not drawn
    figure.register_label_formatter(float, lambda value, chars, delta, left=False: f"{value:{chars}.3g}")
    if held_out:
        figure.scatter([e.number for e in held_out], [e.validation_loss for e in held_out], marker="o")
    figure.plot([e.number for e in history], [e.loss for e in history])
    screen.show("", figure.show())
    if held_out:
        screen.show("The line is the loss on the training part, o that on the held-out part.")


def _show_epochs(history: Any, screen: Screen) -> None:
    measured = [e for e in history if e.accuracy is not None or e.validation_loss is not None] or history
    rows = [measured[place] for place in sorted({round((len(measured) - 1) * k / 8) for k in range(9)})]
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
    else:
        table = screen.table(*headings, right=headings)
        for row in texts:
            table.add_row(*map(screen.text, row))
        screen.show("", table)
    if right or held:
        screen.show("The loss is the mean over an epoch, each example before its update; the rest is after it.")


def _show_parts(trainer: Any, screen: Screen) -> None:
    """What the network, as it is in the end, does with every part of the data."""
    said = []
    for part, measure in trainer.measures().items():
        right = "" if measure.accuracy is None else f", {_share(measure.accuracy)} right"
        loss = "" if trainer.wanted.rule == "perceptron" else f" loss {measure.loss:.6g}"
        both = f"{loss}{',' if loss and right else ''}{right.removeprefix(',')}"
        said.append(f"{part}{both} ({counted(len(trainer.data.parts[part]), 'example')})")
    screen.show("", f"In the end: {'; '.join(said)}.")


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
    if not screen.narrate and _width(classes, table) <= screen.width:
        grid = screen.table("", *classes, right=classes)
        for name, row in zip(classes, table, strict=True):
            grid.add_row(screen.text(name, "bold"), *(screen.text(str(cell)) for cell in row))
        screen.show(grid)
    else:
        screen.show(f"Taken wrongly: {'; '.join(wrong)}." if wrong else "None was taken wrongly.")


def _width(classes: Any, table: Any) -> int:
    """How wide the confusion matrix is."""
    columns = [max(len(c), *(len(str(row[k])) for row in table)) for k, c in enumerate(classes)]
    return sum(width + 3 for width in (max(map(len, classes)), *columns)) + 1


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
