"""The plots of a lesson as blocks."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.course.drawing import Path, curves_of, path_of
from tutor.course.format import Drawing
from tutor.course.read import Course
from tutor.course.values import Values
from tutor.views.blocks import Axis, Block, Plot, Series
from tutor.views.course.curves import curves

_MOST_TOLD = 12


def plot_blocks(spec: Drawing, course: Course, values: Values) -> Iterator[Block]:
    """The picture, and its numbers in words."""
    if spec.path:
        yield _path(spec, path_of(spec.path, values))
    elif spec.regions:
        from tutor.course.regions import planes_of
        from tutor.views.regions import regions

        yield from regions(spec.title or spec.regions, list(planes_of(spec, course, values)))
    else:
        found = curves_of(spec, values)
        title = spec.title or ", ".join(spec.curves)
        yield curves(title, found.across, "value", found.points, spec.log)


def _path(spec: Drawing, path: Path) -> Plot:
    """The way of the updates: along the curve of the error for one parameter, in the plane for two."""
    named = [" and ".join(f"{n} = {x:.4g}" for n, x in zip(path.names, at, strict=True)) for at in path.points]
    shown = named if len(named) <= _MOST_TOLD else [*named[: _MOST_TOLD - 1], named[-1]]
    skipped = len(named) - len(shown)
    sentences = [f"{'start' if k == 0 else f'update {k}'}: {at}" for k, at in enumerate(shown[:-1])]
    sentences.append(f"{'at last, after ' if skipped else ''}update {len(named) - 1}: {shown[-1]}")
    if len(path.names) == 1:
        series, across, up = _along_the_curve(path)
        labels = path.names[0], "E"
    else:
        points = tuple((at[0], at[1]) for at in path.points)
        series = (Series(points, marked=tuple(points[:1]), sign="s"), Series(points[1:], "points", "o"))
        across, up = ([at[k] for at in path.points] for k in range(2))
        labels = path.names[0], path.names[1]
    room_x, room_y = (0.1 * (max(side) - min(side)) or 1.0 for side in (across, up))
    return Plot(
        spec.title or f"The path of {' and '.join(path.names)}",
        Axis(labels[0], min(across) - room_x, max(across) + room_x),
        Axis(labels[1], min(up) - room_y, max(up) + room_y),
        series,
        ("; ".join(sentences) + ".",),
        keyed=True,
    )


def _along_the_curve(path: Path) -> tuple[tuple[Series, ...], list[float], list[float]]:
    points = tuple((at[0], e) for at, e in zip(path.points, path.errors, strict=False))
    series = (Series(tuple(path.curve)), Series(points, "points", "o"))
    return series, [x for x, _ in (*path.curve, *points)], [y for _, y in (*path.curve, *points)]
