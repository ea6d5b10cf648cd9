"""One activation, loss, optimizer, term …, explained: `tutor explain`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tutor.maths.optimizer import Optimizer
from tutor.numbers.floats import FloatSystem
from tutor.views.blocks import (
    Aside,
    Axis,
    Block,
    Column,
    Heading,
    Kind,
    Level,
    Paragraph,
    Plot,
    Row,
    Series,
    Table,
)  # fmt: skip
from tutor.views.numbers import shown
from tutor.views.optimizer import optimizer_page
from tutor.views.worksheet.page import derivation
from tutor.worksheet.catalogue import Curve, Details, details_of

SAMPLES = 121
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


def entry_page(name: str, kind: str, entry: Any, digits: int) -> Iterator[Block]:
    """Facts, derivations, values and a picture."""
    if isinstance(entry, Optimizer):
        yield from optimizer_page(entry, digits)
        return
    yield Heading(name, Level.TITLE)
    for fact, text in facts(kind, entry):
        yield Paragraph(f"{fact}: {text}", 2)
    work = details_of(entry)
    if work is None:
        return
    if work.derivations:
        yield Heading("The derivative, rule by rule")
    for of, lines in work.derivations.items():
        yield derivation(of, lines)
    yield from _values(work, digits)
    if work.curve is not None:
        yield _picture(work.curve, digits)


def _values(work: Details, digits: int) -> Iterator[Block]:
    """The table; a point without derivative says none."""
    given = ", ".join(f"{name} = {shown(value, digits)}" for name, value in work.constants.items())
    yield Heading(f"Values for {given}" if given else "Values")
    rows = []
    for values in work.rows:
        cells = ["none" if value is None else shown(value, digits) for value in values]
        first, *others = (f"{column} = {cell}" for column, cell in zip(work.columns, cells, strict=True))
        rows.append(Row(tuple(cells), f"{first}: {', '.join(others)}."))
    yield Table(tuple(Column(name, Kind.NUMBER) for name in work.columns), tuple(rows), whole=True)


def _picture(curve: Curve, digits: int) -> Plot:
    """The function and, dotted, its slope, on axes that show the function whole; a slope far off is left out."""
    low, high = curve.span
    xs = [low + (high - low) * i / (SAMPLES - 1) for i in range(SAMPLES)]
    ys = [curve.value(x, FloatSystem) for x in xs]
    bottom, top = min(ys), max(ys)
    slopes = _slopes(curve, xs) if curve.derivative is not None else []
    reach = max(top - bottom, 1e-9)
    near = [(x, slope) for x, slope in slopes if bottom - reach <= slope <= top + reach]
    heights = [bottom, top, *(slope for _, slope in near)]
    series = [Series(tuple(zip(xs, ys, strict=True)))]
    if near:
        series.append(Series(tuple(near[::3]), "points"))
    left_out = "(where the slope leaves the picture the table has its values)"
    start, middle, end = (f"{shown(Fraction(ys[i]), digits)} at {xs[i]:g}" for i in (0, SAMPLES // 2, SAMPLES - 1))
    return Plot(
        f"{curve.name} (line) and its slope (dots) against {curve.variable}"
        if slopes
        else f"{curve.name} against {curve.variable}",
        Axis(curve.variable, low, high, "round"),
        Axis(curve.name, min(heights), max(heights), "round"),
        tuple(series),
        (f"Against {curve.variable}, {curve.name} goes from {start} through {middle} to {end}.",),
        (Paragraph(Aside(left_out), 2),) if len(near) < len(slopes) else (),
    )


def _slopes(curve: Curve, xs: list[float]) -> list[tuple[float, float]]:
    """Central differences: fine for a picture; at a corner, where they mean nothing, there is no dot."""
    step = (xs[-1] - xs[0]) / 10_000
    corner = None if curve.corner is None else float(curve.corner)
    return [
        (x, (curve.value(x + step, FloatSystem) - curve.value(x - step, FloatSystem)) / (2 * step))
        for x in xs[1:-1]
        if corner is None or abs(x - corner) > step
    ]
