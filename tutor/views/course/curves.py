"""Several named curves in one picture, with their numbers in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, log10

from tutor.views.blocks import Axis, Paragraph, Plot, Series, called

Points = Sequence[tuple[float, float]]
_LETTERS = 6
_CUT_AT = 3
_TOLD = 4
_LEAST = 1e-300


def curves(title: str, across: str, up: str, by_name: Mapping[str, Points], log: bool = False) -> Plot:
    """The curves, each with a letter of its own at some of its points; on a scale of powers of ten with `log`."""
    kept = {n: [(x, y) for x, y in points if isfinite(y) and (y > _LEAST or not log)] for n, points in by_name.items()}
    drawn = {name: [(x, log10(y) if log else y) for x, y in points] for name, points in kept.items() if points}
    signs = signs_of(list(by_name))
    values = [y for points in drawn.values() for _, y in points] or [0.0]
    places = [x for points in drawn.values() for x, _ in points] or [0.0]
    low, high = min(values), max(values)
    cut = "" if log else _cut(drawn)
    if cut:
        high = float(cut)
    room = 0.05 * (high - low) or 0.5
    bottom = 0.0 if 0 <= low < 0.3 * high and not log else low - room
    return Plot(
        title,
        _across(across, places),
        Axis(f"log10 {up}" if log else up, bottom, high + room),
        tuple(_series(signs[name], name, drawn, high + room) for name in drawn),
        tuple((*called(name, signs[name]), f": {told(kept[name], across)}") for name in by_name),
        (Paragraph(f"(cut off above {high:.3g})", 2),) if cut else (),
        keyed=True,
    )


def _across(label: str, places: Sequence[float]) -> Axis:
    """What is counted has whole numbers below it, and epochs are counted from 0 on."""
    low, high = 0.0 if label == "epoch" else min(places), max(places)
    if label == "epoch" or (high > low and all(x.is_integer() for x in places)):
        return Axis(label, low, high, "whole")
    return Axis(label, low, max(high, low + 1e-9))


def signs_of(names: Sequence[str]) -> dict[str, str]:
    """The first letter of each name that no other has, else a, b, c, …"""
    firsts = [name[:1] for name in names]
    if len(set(firsts)) == len(names) and all(first.isalnum() for first in firsts):
        return dict(zip(names, firsts, strict=True))
    return {name: chr(ord("a") + place % 26) for place, name in enumerate(names)}


def _cut(drawn: Mapping[str, Points]) -> str:
    """Where one curve that jumps is cut off, so that it does not flatten the others; empty where none does."""
    starts = [points[0][1] for points in drawn.values() if points]
    highest = max((y for points in drawn.values() for _, y in points), default=0.0)
    limit = _CUT_AT * max(min(starts, default=0.0), 0.0)
    calm = [max(y for _, y in points) for points in drawn.values()]
    return repr(limit) if limit and highest > 4 * limit and min(calm) <= limit else ""


def _series(sign: str, name: str, drawn: Mapping[str, Points], top: float) -> Series:
    """A curve with its letter at some points: each curve at others, so that no letter hides another."""
    points, number = drawn[name], list(drawn).index(name)
    last = max(1, _LETTERS * len(drawn) - 1)
    chosen = sorted({round((len(points) - 1) * (k * len(drawn) + number) / last) for k in range(_LETTERS)})
    marked = tuple(points[k] for k in chosen if k < len(points) and points[k][1] <= top)
    return Series(tuple(points), sign=sign, marked=marked if len(drawn) > 1 else ())


def told(points: Points, across: str) -> str:
    """Where a curve begins, where it is after each quarter, and where it ends."""
    if not points:
        return "no value that can be drawn"
    chosen = sorted({round((len(points) - 1) * k / _TOLD) for k in range(_TOLD + 1)})
    return ", ".join(f"{points[k][1]:.4g} at {across} {points[k][0]:.6g}" for k in chosen)
