"""Plots drawn with characters."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, floor, log10

from tutor.views.blocks import Axis, Plot

NARROWEST = 45
"""Columns of a screen on which two parts of an axis have room, with the labels beside them."""
_BESIDE = 25
_A_PART = 10  # columns from one tick to the next
_MOST_PARTS = 6
_MOST_ROWS = 16
_WIDEST = 70
_ROWS, _ROWS_OF_SEVERAL = 10, 14
_Pair = tuple[float, float]


def round_axis(low: float, high: float, most: int) -> tuple[float, float, int]:
    """An axis with round ticks (multiples of 1, 2, 2.5 or 5 times a power of ten) on which the range from `low` to
    `high` lies: where it begins, how long a part is, and of how many parts it is, at most `most` (2 or more)."""
    smallest = (high - low) / most or 1.0
    exponent = floor(log10(smallest))
    for step in (factor * 10.0**power for power in (exponent, exponent + 1) for factor in (1, 2, 2.5, 5)):
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if last - first <= most:
            return first * step, step, max(2, last - first)
    raise ValueError("a range without an end")


def tick(value: float, whole: float) -> str:
    """The label of a tick on an axis of this length: no digits beyond what tells one tick from the next."""
    return f"{round(value, max(0, 3 - floor(log10(whole)))) + 0.0:.6g}"


def _label(value: float) -> str:
    """Three digits, or all before the point of a number that is soon told: 2000 rather than 2e+03."""
    return f"{value:.0f}" if 1_000 <= abs(value) < 1_000_000 else f"{value:.3g}"


def drawn(plot: Plot, width: int) -> str:
    """The plot on a screen that is so wide."""
    import plotille

    with _no_numpy_loaded():
        figure = plotille.Figure()
    figure.with_colors = False
    figure.x_label, figure.y_label = plot.across.label, plot.up.label
    if plot.across.ticks == "round":
        figure.register_label_formatter(float, lambda value, chars, delta, left=False: tick(value, delta).rjust(chars))
    else:
        figure.register_label_formatter(float, lambda value, chars, delta, left=False: _label(value).rjust(chars))
    left, right, figure.width = _across(plot.across, width - _BESIDE)
    low, high, figure.height = _up(plot)
    figure.set_x_limits(min_=left, max_=right)
    figure.set_y_limits(min_=low, max_=high)
    for series in plot.series:
        if series.drawn != "line":
            figure.scatter([x for x, _ in series.points], [y for _, y in series.points], marker=series.sign or None)
        else:  # plotille walks dot by dot, also to a point a billion screens away
            inside = [(x, min(max(y, low), high)) for x, y in series.points]
            seen = _distinct(
                inside, (left, low), ((right - left) / (2 * figure.width), (high - low) / (4 * figure.height))
            )
            figure.plot([x for x, _ in seen], [y for _, y in seen])
    for series in plot.series:
        for x, y in series.marked:
            figure.scatter([x], [y], marker=series.sign)
    return str(figure.show())


@contextmanager
def _no_numpy_loaded() -> Iterator[None]:
    """plotille loads NumPy, to know its dates; that takes longer than a picture, in which there are none."""
    if "numpy" in sys.modules:
        yield
        return
    sys.modules["numpy"] = None  # type: ignore[assignment]  # as documented: to import it raises ImportError
    try:
        yield
    finally:
        del sys.modules["numpy"]


def _distinct(points: list[_Pair], corner: _Pair, dot: _Pair) -> list[_Pair]:
    """The points without those on the same dot as the one before them; the line through them is the same."""
    dots = [(round((x - corner[0]) / dot[0]), round((y - corner[1]) / dot[1])) for x, y in points]
    return [point for point, here, before in zip(points, dots, (None, *dots), strict=False) if here != before]


def _across(axis: Axis, room: int) -> tuple[float, float, int]:
    """From where to where, and in how many columns."""
    parts = max(2, room // _A_PART)
    if axis.ticks == "round":
        left, step, parts = round_axis(axis.low, axis.high, min(_MOST_PARTS, parts))
        return left, left + parts * step, _A_PART * parts
    if axis.ticks == "whole":
        step = max(1, ceil((axis.high - axis.low) / min(_WIDEST // _A_PART, parts)))
        parts = max(1, ceil((axis.high - axis.low) / step))
        return axis.low, axis.low + step * parts, _A_PART * parts
    return axis.low, axis.high, max(2 * _A_PART, min(_WIDEST, room))


def _up(plot: Plot) -> tuple[float, float, int]:
    """From where to where, and in how many rows."""
    if plot.up.ticks == "round":
        low, step, rows = round_axis(plot.up.low, plot.up.high, _MOST_ROWS)
        return low, low + rows * step, rows
    return plot.up.low, plot.up.high, _ROWS_OF_SEVERAL if any(s.marked for s in plot.series) else _ROWS
