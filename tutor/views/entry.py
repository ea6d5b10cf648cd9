"""One activation, loss, optimizer …, explained: `tutor explain`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tutor.arithmetic.floats import FloatSystem
from tutor.errors import TutorError
from tutor.views.narrate import narrate_derivation
from tutor.views.notation import expression_text
from tutor.views.rounding import full, shown
from tutor.views.screen import Screen
from tutor.views.style import PLAIN
from tutor.views.tables import show_derivation
from tutor.worksheet.derivation import derive
from tutor.worksheet.entries import Curve, curve_of
from tutor.worksheet.evaluate import evaluate_formula

SAMPLES = 121
FACTS = ("title", "equation", "derivative", "range", "along", "distribution", "remark", "source")


def facts(kind: str, entry: Any) -> Iterator[tuple[str, str]]:
    """What the registry says of the entry, with the settings and their defaults."""
    yield "kind", kind
    for name in FACTS:
        if text := getattr(entry, name, ""):
            yield name, str(text)
    if settings := getattr(entry, "settings", None):
        yield "settings", ", ".join(f"{name} = {value}" for name, value in settings.items())
    if isinstance(rate := getattr(entry, "rate", None), str):
        yield "learning rate if none is given", rate


def table(curve: Curve, digits: int) -> list[tuple[str, str, str]]:
    """The points with value and slope; a dash where there is none."""
    rows = []
    for point in curve.points:
        values = {curve.variable: point}
        value = evaluate_formula(curve.step.formula, values)
        if point == curve.corner:
            rows.append((shown(point, digits), shown(value, digits), "none"))
            continue
        try:
            slope = evaluate_formula(curve.derivative, {**values, curve.step.name: value})
            text = shown(slope, digits)
        except (TutorError, AttributeError):
            text = "-"
        rows.append((shown(point, digits), shown(value, digits), text))
    return rows


def show_entry(name: str, kind: str, entry: Any, screen: Screen, digits: int) -> None:
    """Facts, derivation, values and, where there is room and Unicode, a picture."""
    screen.show(screen.text(name, "bold"))
    for fact, text in facts(kind, entry):
        screen.indented(f"{fact}: {text}")
    curve = curve_of(kind, entry)
    if curve is None:
        return
    if curve.derivative is not None:
        lines = derive(curve.step, curve.variable, curve.derivative)
        screen.heading("The derivative, rule by rule")
        if screen.narrate:
            screen.show(narrate_derivation(f"d{curve.step.name}/d{curve.variable}", lines))
        else:
            show_derivation(screen, f"d{curve.step.name}/d{curve.variable}", lines)
    screen.heading("Values")
    columns = (curve.variable, curve.step.name, f"d{curve.step.name}/d{curve.variable}")
    if screen.narrate:
        for row in table(curve, digits):
            screen.show(
                "{} = {}: {} = {}, {} = {}.".format(*(x for pair in zip(columns, row, strict=True) for x in pair))
            )
        return
    grid = screen.table(*columns, right=columns)
    for row in table(curve, digits):
        grid.add_row(*map(screen.text, row))
    screen.show(grid)
    if screen.unicode:
        show_picture(curve, screen)


def show_picture(curve: Curve, screen: Screen) -> None:
    """The function and, dotted, its slope."""
    import plotille

    low, high = curve.span
    xs = [low + (high - low) * i / (SAMPLES - 1) for i in range(SAMPLES)]
    ys = [curve.value(x, FloatSystem) for x in xs]
    step = (high - low) / 10_000
    slopes = [(curve.value(x + step, FloatSystem) - curve.value(x - step, FloatSystem)) / (2 * step) for x in xs[1:-1]]
    figure = plotille.Figure()
    figure.width, figure.height = max(20, min(60, screen.width - 24)), 14
    figure.color_mode, figure.with_colors = "names", False
    figure.set_x_limits(min_=low, max_=high)
    figure.register_label_formatter(float, lambda value, chars, delta, left=False: f"{value:.2f}".rjust(chars))
    figure.plot(xs, ys, label=curve.step.name)
    if curve.derivative is not None:
        figure.scatter(xs[1:-1:3], slopes[::3], label=f"d{curve.step.name}/d{curve.variable}")
    screen.heading(f"{curve.step.name} (line) and its slope (dots) against {curve.variable}")
    screen.show(figure.show(legend=False))


def entry_document(name: str, kind: str, entry: Any, digits: int) -> dict[str, Any]:
    """What `tutor explain --json` prints."""
    document: dict[str, Any] = {"format": 1, "name": name, **dict(facts(kind, entry))}
    curve = curve_of(kind, entry)
    if curve is None:
        return document
    lines = derive(curve.step, curve.variable, curve.derivative) if curve.derivative is not None else ()
    document["formula"] = expression_text(curve.step.formula, PLAIN)
    document["derivation"] = [{"expression": expression_text(n.expression, PLAIN), "rule": n.rule} for n in lines]
    document["values"] = [
        {
            curve.variable: full(point),
            curve.step.name: full(evaluate_formula(curve.step.formula, {curve.variable: point})),
        }
        for point in curve.points
    ]
    return document
