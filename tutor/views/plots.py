"""Several curves in one picture, each with its letter."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from string import ascii_letters
from typing import Any

from tutor.views.screen import STACK_BELOW, Screen

MOST_CURVES = 8
_HEIGHT = 14
_LETTERS_ON_A_CURVE = 6
_CUT_AT = 3  # times the lowest start, so that one setting that jumps does not flatten the others


def mark(place: int) -> str:
    """a, b, …, Z, and then numbers."""
    return ascii_letters[place] if place < len(ascii_letters) else str(place + 1)


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


def show_curves(comparison: Any, screen: Screen) -> None:
    """The mean loss of each epoch, setting by setting, and the same in numbers; of many settings the best ones."""
    places = [place for place in range(len(comparison.summaries)) if comparison.summaries[place].curve()]
    which = ""
    if len(places) > MOST_CURVES:
        which = f" of the {MOST_CURVES} {'best' if comparison.ranking else 'first'} settings"
        places = sorted((comparison.ranking or places)[:MOST_CURVES])
    curves = {mark(place): comparison.summaries[place].curve() for place in places}
    longest = max(map(len, curves.values()), default=0)
    if longest < 2:
        return
    drawn = screen.unicode and not screen.narrate and screen.width >= STACK_BELOW
    screen.heading(f"The mean training loss{which}, epoch by epoch")
    if drawn:
        _draw(curves, longest, screen)
    for name, curve in curves.items():
        marks = sorted({1, *(max(1, round(len(curve) * k / 4)) for k in range(1, 5))})
        screen.indented(f"{name}: " + ", ".join(f"{curve[m - 1]:.4g} in epoch {m}" for m in marks), by=2)


def _draw(curves: dict[str, Sequence[float]], longest: int, screen: Screen) -> None:
    import plotille

    figure = plotille.Figure()
    figure.with_colors = screen.color
    figure.width, figure.height = max(20, min(70, screen.width - 25)), _HEIGHT
    figure.x_label, figure.y_label = "epoch", "loss"
    top = min(max(map(max, curves.values())), _CUT_AT * min(curve[0] for curve in curves.values())) or 1
    figure.set_x_limits(min_=1, max_=longest)
    figure.set_y_limits(min_=0, max_=top)
    figure.register_label_formatter(float, lambda value, chars, delta, left=False: f"{value:{chars}.3g}")
    for curve in curves.values():  # plotille walks dot by dot, also to a point a billion screens away
        figure.plot(list(range(1, len(curve) + 1)), [min(loss, top) for loss in curve])
    for number, (name, curve) in enumerate(curves.items()):
        for epoch in _lettered(number, len(curves), longest):
            if epoch <= len(curve) and curve[epoch - 1] <= top:
                figure.scatter([epoch], [curve[epoch - 1]], marker=name)
    screen.show(figure.show())
    if any(max(curve) > top for curve in curves.values()):
        screen.indented(f"(cut off above {top:.3g})", style="dim")


def _lettered(number: int, of: int, longest: int) -> list[int]:
    """The epochs in which a curve carries its letter: each curve in others, so that no letter hides another."""
    last = max(1, _LETTERS_ON_A_CURVE * of - 1)
    return sorted({1 + round((longest - 1) * (k * of + number) / last) for k in range(_LETTERS_ON_A_CURVE)})
