"""A plot as a picture in a file: SVG of plain lines and text, with its numbers in words for who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, isfinite, log10

from tutor.harmless import for_line
from tutor.views.blocks import Axis, Plot, Series, pieces

OPENING = '<svg xmlns="http://www.w3.org/2000/svg" class="tutor-plot"'
WIDTH, HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 20, 90
_TICKS = 6
_INK, _FRAME, _COLOURS = "#1a1a1a", "#8a8a8a", ("#b3541e", "#1f5fa8")
"""Points, then lines: told apart by their form first, and by colours that differ to everybody."""


def svg(plot: Plot) -> str:
    """The picture, the same text on every machine."""
    told = " ".join(_plain(text) for text in (*plot.told, *(p.text for p in plot.about)))
    lines = [
        f'{OPENING} viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13" fill="{_INK}">',
        f"<title>{_text(f'{plot.up.label} by {plot.across.label}')}</title>",
        f"<desc>{_text(told)}</desc>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(plot.across, plot.up),
        *(line for series in plot.series for line in _series(series, plot)),
        *(_words(_LEFT, HEIGHT - 34 + 18 * k, _plain(p.text), "start") for k, p in enumerate(plot.about)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _axes(across: Axis, up: Axis) -> Iterator[str]:
    left, right, top, bottom = _LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM
    yield f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="{_FRAME}"/>'
    for value in ticks(across.low, across.high, whole=across.ticks == "whole"):
        x = _x(value, across)
        yield f'<path d="M{x:.2f} {bottom}v5" stroke="{_FRAME}"/>'
        yield _words(x, bottom + 20, f"{value:g}", "middle")
    for value in ticks(up.low, up.high):
        y = _y(value, up)
        yield f'<path d="M{left} {y:.2f}h-5M{left} {y:.2f}H{right}" stroke="{_FRAME}" stroke-opacity="0.4"/>'
        yield _words(left - 9, y + 4, f"{value:g}", "end")
    yield _words((left + right) / 2, bottom + 40, across.label, "middle")
    middle = (top + bottom) / 2
    yield (
        f'<text x="18" y="{middle:.2f}" text-anchor="middle" transform="rotate(-90 18 {middle:.2f})">'
        f"{_text(up.label)}</text>"
    )


def _series(series: Series, plot: Plot) -> Iterator[str]:
    seen = [(x, y) for x, y in series.points if isfinite(y)]
    at = [(_x(x, plot.across), _y(min(max(y, plot.up.low), plot.up.high), plot.up)) for x, y in seen]
    colour = _COLOURS[series.drawn == "line"]
    if series.drawn == "line" and len(at) > 1:
        path = " ".join(f"{x:.2f},{y:.2f}" for x, y in at)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        return
    for x, y in at:
        yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="3" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def ticks(low: float, high: float, whole: bool = False) -> Sequence[float]:
    """Round numbers from one end to the other: 1, 2 or 5 times a power of ten apart."""
    if not (isfinite(low) and isfinite(high)) or high <= low:
        return [low] if isfinite(low) else []
    rough = (high - low) / _TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough * (1 - 1e-9))
    step = max(1.0, step) if whole else step
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def _x(value: float, axis: Axis) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * _share(value, axis)


def _y(value: float, axis: Axis) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * _share(value, axis)


def _share(value: float, axis: Axis) -> float:
    """How far along the axis a value lies, from 0 to 1."""
    return (value - axis.low) / (axis.high - axis.low) if axis.high > axis.low else 0.0


def _words(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}">{_text(text)}</text>'


def _text(text: str) -> str:
    return escape(for_line(text))


def _plain(text: object) -> str:
    """The words of a text without any formula in it."""
    return "".join(piece if isinstance(piece, str) else str(getattr(piece, "text", "")) for piece in pieces(text))  # type: ignore[arg-type]
