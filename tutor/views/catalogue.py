"""One activation, loss, optimizer, term …, explained: `tutor explain`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tutor.maths.optimizer import Optimizer
from tutor.numbers.floats import FloatSystem
from tutor.views.notation import expression_text
from tutor.views.numbers import full, shown
from tutor.views.optimizer import optimizer_document, show_optimizer
from tutor.views.plots import round_axis, tick
from tutor.views.screen import Screen
from tutor.views.style import PLAIN
from tutor.views.worksheet.page import show_derivation
from tutor.views.worksheet.sentences import narrate_derivation
from tutor.worksheet.catalogue import Curve, Shown, shown_of

SAMPLES = 121
_MOST_ROWS = 16
_NARROWEST_PICTURE = 44  # two parts of the axis with their labels
FACTS = ("title", "equation", "derivative", "range", "along", "distribution", "remark", "source")


def facts(kind: str, entry: Any) -> Iterator[tuple[str, str]]:
    """What the registry says of the entry, with the settings and their defaults."""
    yield "kind", kind
    for name in FACTS:
        if text := getattr(entry, name, ""):
            yield name, str(text)
    if settings := getattr(entry, "settings", None):
        yield "settings", ", ".join(f"{name} = {setting.default}" for name, setting in settings.items())
    if related := getattr(entry, "see", ()):
        yield "see also", ", ".join(related)


def show_entry(name: str, kind: str, entry: Any, screen: Screen, digits: int) -> None:
    """Facts, derivations, values and, where there is room and Unicode, a picture."""
    if isinstance(entry, Optimizer):
        show_optimizer(entry, screen, digits)
        return
    screen.show(screen.text(name, "bold"))
    for fact, text in facts(kind, entry):
        screen.indented(f"{fact}: {text}")
    work = shown_of(entry)
    if work is None:
        return
    if work.derivations:
        screen.heading("The derivative, rule by rule")
    for of, lines in work.derivations.items():
        if screen.narrate:
            screen.show(narrate_derivation(of, lines))
        else:
            show_derivation(screen, of, lines)
    _show_values(work, screen, digits)
    if work.curve is not None and screen.unicode and not screen.narrate and screen.width >= _NARROWEST_PICTURE:
        _show_picture(work.curve, screen)


def _show_values(work: Shown, screen: Screen, digits: int) -> None:
    """The table; a point without derivative says none."""
    given = ", ".join(f"{name} = {shown(value, digits)}" for name, value in work.constants.items())
    screen.heading(f"Values for {given}" if given else "Values")
    rows = [["none" if value is None else shown(value, digits) for value in row] for row in work.rows]
    if screen.narrate:
        for first, *rest in rows:
            told = ", ".join(f"{column} = {text}" for column, text in zip(work.columns[1:], rest, strict=True))
            screen.show(f"{work.columns[0]} = {first}: {told}.")
        return
    grid = screen.table(*work.columns, right=work.columns)
    for row in rows:
        grid.add_row(*map(screen.text, row))
    screen.show(grid)


def _show_picture(curve: Curve, screen: Screen) -> None:
    """The function and, dotted, its slope, on axes that show the function whole; a slope far off is left out."""
    import plotille

    low, high = curve.span
    xs = [low + (high - low) * i / (SAMPLES - 1) for i in range(SAMPLES)]
    ys = [curve.value(x, FloatSystem) for x in xs]
    bottom, top = min(ys), max(ys)
    slopes = _slopes(curve, xs) if curve.derivative is not None else []
    reach = max(top - bottom, 1e-9)
    near = [slope for _, slope in slopes if bottom - reach <= slope <= top + reach]
    left, x_step, columns = round_axis(low, high, max(2, min(6, (screen.width - 24) // 10)))
    floor, y_step, rows = round_axis(min([bottom, *near]), max([top, *near]), _MOST_ROWS)
    figure = plotille.Figure()
    figure.width, figure.height = 10 * columns, rows
    figure.color_mode, figure.with_colors = "names", False
    figure.x_label, figure.y_label = curve.variable, curve.name
    figure.set_x_limits(min_=left, max_=left + columns * x_step)
    figure.set_y_limits(min_=floor, max_=floor + rows * y_step)
    figure.register_label_formatter(float, lambda value, chars, delta, left=False: tick(value, delta).rjust(chars))
    figure.plot(xs, ys)
    drawn = [(x, slope) for x, slope in slopes if slope in near]
    if drawn:
        figure.scatter(*zip(*drawn[::3], strict=True))
    told = f"{curve.name} (line) and its slope (dots)" if slopes else curve.name
    screen.heading(f"{told} against {curve.variable}")
    screen.show(figure.show(legend=False))
    if len(near) < len(slopes):
        screen.indented("(where the slope leaves the picture the table has its values)", style="dim")


def _slopes(curve: Curve, xs: list[float]) -> list[tuple[float, float]]:
    """Central differences: fine for a picture; at a corner, where they mean nothing, there is no dot."""
    step = (xs[-1] - xs[0]) / 10_000
    corner = None if curve.corner is None else float(curve.corner)
    return [
        (x, (curve.value(x + step, FloatSystem) - curve.value(x - step, FloatSystem)) / (2 * step))
        for x in xs[1:-1]
        if corner is None or abs(x - corner) > step
    ]


def entry_document(name: str, kind: str, entry: Any) -> dict[str, Any]:
    """What `tutor explain --json` prints."""
    if isinstance(entry, Optimizer):
        return {"format": 1, "name": name, **optimizer_document(entry)}
    document: dict[str, Any] = {"format": 1, "name": name, **dict(facts(kind, entry))}
    work = shown_of(entry)
    if work is None:
        return document
    if work.curve is not None and work.curve.step is not None:
        document["formula"] = expression_text(work.curve.step.formula, PLAIN)
    document["derivation"] = [
        {"of": of, "expression": expression_text(line.expression, PLAIN), "rule": line.rule}
        for of, lines in work.derivations.items()
        for line in lines
    ]
    document["constants"] = {name: full(value) for name, value in work.constants.items()}
    document["values"] = [
        {c: None if value is None else full(value) for c, value in zip(work.columns, row, strict=True)}
        for row in work.rows
    ]
    return document
