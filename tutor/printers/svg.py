"""A plot as a picture in a file: SVG of plain lines and text, with its numbers in words for who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import count, groupby
from math import ceil, floor, isfinite, log10
from textwrap import wrap

from tutor.escaping import for_line
from tutor.views.blocks import Axis, Confusion, Example, Plane, Plot, Regions, Series, pieces

OPENING = '<svg xmlns="http://www.w3.org/2000/svg" class="tutor-plot"'
WIDTH, HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 20, 90
_TICKS = 6
_LINE, _LETTERS_A_LINE, _LETTERS_A_NAME = 18, 90, 9
_PLACES, _TINT, _MOST_EXAMPLES = (124, 66), 0.22, 500
_INK, _FRAME = "#1a1a1a", "#8a8a8a"
_COLOURS = "#1f5fa8", "#b3541e", "#1b7f4d", "#8e3b8c", "#7a6a00", "#c2185b"
"""Told apart by their form or their sign first, and by colours that differ to everybody."""


Picture = Plot | Regions | Confusion
Panel = tuple[list[str], list[str]]
"""What is drawn in a panel, and the lines of text below it."""


def svg(*pictures: Picture) -> str:
    """The pictures, one below the other: the same text on every machine."""
    drawn: list[str] = []
    height = 0
    for shown, below in (panel for picture in pictures for panel in _panels(picture)):
        texts = [_words(_LEFT, HEIGHT - 34 + _LINE * k, line, "start") for k, line in enumerate(below)]
        panel = [*shown, *texts]
        drawn += [f'<g transform="translate(0 {height})">', *panel, "</g>"] if height else panel
        height += HEIGHT + _LINE * max(0, len(below) - 1)
    lines = [
        f'{OPENING} viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'font-family="sans-serif" font-size="13" fill="{_INK}">',
        f"<title>{_text('; '.join(map(_title, pictures)))}</title>",
        f"<desc>{_text(' '.join(map(_told, pictures)))}</desc>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *drawn,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _title(picture: Picture) -> str:
    return picture.title or (f"{picture.up.label} by {picture.across.label}" if isinstance(picture, Plot) else "")


def _told(picture: Picture) -> str:
    if not isinstance(picture, Plot):
        return picture.told
    return " ".join(_plain(text) for text in (*picture.told, *(p.text for p in picture.about)))


def _panels(picture: Picture) -> Iterator[Panel]:
    if isinstance(picture, Regions):
        for plane in picture.planes:
            yield _plane(plane, picture)
        return
    if isinstance(picture, Confusion):
        yield _matrix(picture), _wrapped([f"{picture.title}. {picture.told}"])
        return
    below = [_plain(text) for text in (*(p.text for p in picture.about), *(picture.told if picture.keyed else ()))]
    yield [*_axes(picture.across, picture.up), *_all_series(picture)], _wrapped(below)


def _wrapped(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in wrap(text, _LETTERS_A_LINE)]


def _plane(plane: Plane, block: Regions) -> Panel:
    """Each class in a tint, an example with the sign of its class, and a ring around one that is taken wrongly."""
    across, up = Axis(*block.across), Axis(*block.up)
    wide, high = (WIDTH - _LEFT - _RIGHT) / _PLACES[0], (HEIGHT - _TOP - _BOTTOM) / _PLACES[1]
    drawn = []
    for row, classes in enumerate(plane.cells(*_PLACES)):
        column = 0
        for kind, run in groupby(int(place) for place in classes):
            length = len([*run])
            drawn.append(
                f'<rect x="{_LEFT + wide * column:.2f}" y="{_TOP + high * row:.2f}" width="{wide * length:.2f}" '
                f'height="{high:.2f}" fill="{_COLOURS[kind % len(_COLOURS)]}" fill-opacity="{_TINT}"/>'
            )
            column += length
    signs = block.signs
    for one in _some(plane.examples):
        x, y, colour = _x(one.x, across), _y(one.y, up), _COLOURS[one.of % len(_COLOURS)]
        drawn.append(
            f'<text x="{x:.2f}" y="{y + 3.5:.2f}" font-size="10" text-anchor="middle" fill="{colour}">'
            f"{_text(signs[one.of])}</text>"
        )
        if one.is_wrong:
            drawn.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="7" fill="none" stroke="{_INK}" stroke-width="1.5"/>')
    about = f"; {block.about}" if block.about else ""
    ring = "; a ring where one is taken wrongly" if plane.examples else ""
    key = f"{plane.title or block.title}{about}: {block.named}{ring}."
    mistakes = [block.mistakes(plane)] if plane.examples else []
    return [*drawn, *_axes(across, up)], _wrapped([key, f"Of the plane it takes {block.shares(plane)}.", *mistakes])


def _matrix(block: Confusion) -> list[str]:
    """A cell for each pair of classes, the darker the larger its share of the row; confusions in another colour."""
    size = len(block.classes)
    wide, high = (WIDTH - _LEFT - _RIGHT) / size, (HEIGHT - _TOP - _BOTTOM) / size
    letters = min(13.0, 0.8 * high, 0.4 * wide)
    drawn = []
    for i, (name, row) in enumerate(zip(block.classes, block.counts, strict=True)):
        x, y = _LEFT + wide * (i + 0.5), _TOP + high * (i + 0.5)
        drawn.append(_words(_LEFT - 9, y + 4, _clipped(name, _LETTERS_A_NAME), "end", letters))
        drawn.append(_words(x, HEIGHT - _BOTTOM + 18, _clipped(name, int(wide / 0.6 / letters)), "middle", letters))
        for j, number in enumerate(row):
            x, share = _LEFT + wide * j, number / sum(row) if number else 0.0
            drawn.append(
                f'<rect x="{x:.2f}" y="{_TOP + high * i:.2f}" width="{wide:.2f}" height="{high:.2f}" '
                f'fill="{_COLOURS[i != j]}" fill-opacity="{0.75 * share:.3f}" stroke="{_FRAME}" stroke-width="0.5"/>'
            )
            drawn.append(_words(x + wide / 2, y + 4, str(number), "middle", letters))
    drawn.append(_words((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - _BOTTOM + 40, "taken for", "middle"))
    return [*drawn, _upwards("class")]


def _some(examples: Sequence[Example]) -> list[Example]:
    """All that are wrong, as far as there is room, and as many of the others, evenly chosen; the wrong ones on top."""
    found = []
    for wrong in (False, True):
        own = [one for one in examples if one.is_wrong is wrong]
        every = -(-len(own) // _MOST_EXAMPLES) or 1
        found += own[::every]
    return found


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
    yield _upwards(up.label)


def _all_series(plot: Plot) -> Iterator[str]:
    """Lines have a colour each, points that of a second line."""
    numbers = count()
    for series in plot.series:
        if series.drawn == "level":
            yield from _series(series, plot, _FRAME, 'stroke-dasharray="3 3"')
        else:
            yield from _series(series, plot, _COLOURS[1 if series.drawn == "points" else next(numbers) % len(_COLOURS)])


def _series(series: Series, plot: Plot, colour: str, how: str = 'stroke-width="2"') -> Iterator[str]:
    seen = [(x, y) for x, y in series.points if isfinite(y)]
    at = [(_x(x, plot.across), _y(min(max(y, plot.up.low), plot.up.high), plot.up)) for x, y in seen]
    if series.drawn != "points" and len(at) > 1:
        path = " ".join(f"{x:.2f},{y:.2f}" for x, y in at)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" {how}/>'
        for x, y in series.marked:
            yield (
                f'<text x="{_x(x, plot.across):.2f}" y="{_y(y, plot.up) - 5:.2f}" text-anchor="middle" fill="{colour}" '
                f'font-weight="bold">{_text(series.sign)}</text>'
            )
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


def _words(x: float, y: float, text: str, anchor: str, size: float = 13) -> str:
    letters = "" if size == 13 else f' font-size="{size:.1f}"'
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}"{letters}>{_text(text)}</text>'


def _clipped(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: max(0, most - 1)]}…"


def _upwards(label: str) -> str:
    """What stands along the left side."""
    middle = (_TOP + HEIGHT - _BOTTOM) / 2
    return (
        f'<text x="18" y="{middle:.2f}" text-anchor="middle" transform="rotate(-90 18 {middle:.2f})">'
        f"{_text(label)}</text>"
    )


def _text(text: str) -> str:
    return escape(for_line(text))


def _plain(text: object) -> str:
    """The words of a text without any formula in it."""
    return "".join(piece if isinstance(piece, str) else str(getattr(piece, "text", "")) for piece in pieces(text))  # type: ignore[arg-type]
