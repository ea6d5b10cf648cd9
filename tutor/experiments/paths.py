"""The paths of two parameters over the function that they minimise: how far the picture goes, and its level lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isfinite
from typing import Any

from tutor.experiments.experiment import OfFunction

Point = tuple[float, float]
Line = tuple[Point, ...]
_MARGIN = 0.2
_COLUMNS, _ROWS = 60, 40
_LEVELS = 7
_OF_DIVERGED = 4
"""As many points of a path that leads nowhere say how far the picture goes, where there is no other."""


@dataclass(frozen=True)
class Path:
    """Where the parameters were before the first step and after each."""

    name: str
    points: Line
    diverged: bool


@dataclass(frozen=True)
class Plane:
    """Paths over one function; each axis has its name and both ends. `levels` are the lines of equal value, `value` is
    that at a point."""

    objective: str
    across: tuple[str, float, float]
    up: tuple[str, float, float]
    levels: Mapping[float, Sequence[Line]]
    paths: tuple[Path, ...]
    value: Callable[[Point], float] = field(compare=False)

    def within(self, point: Point) -> bool:
        (_, left, right), (_, low, high) = self.across, self.up
        return left <= point[0] <= right and low <= point[1] <= high


def path_of(name: str, by_parameter: Mapping[str, Sequence[float]], diverged: bool) -> Path:
    x, y = by_parameter.values()
    return Path(name, tuple(zip(x, y, strict=True)), diverged)


def planes_of(rows: Sequence[tuple[OfFunction, Path]]) -> list[Plane]:
    """A plane for each function, with the paths over it."""
    return [_plane([*same]) for _, same in groupby(rows, lambda row: _function(row[0]))]


def why_no_path(source: Any) -> str:
    """Why there is nothing of a path to be drawn; empty where there is."""
    if not isinstance(source, OfFunction):
        return "a path is drawn over a function of two parameters, and this is a network"
    count = len(source.problem.minimize.start) if source.problem.minimize else 0
    return "" if count == 2 else f"a path is drawn over two parameters, and this function has {count}"


def _function(source: OfFunction) -> str:
    assert source.problem.minimize is not None
    return f"{source.problem.minimize.objective} {source.problem.givens}"


def _plane(rows: Sequence[tuple[OfFunction, Path]]) -> Plane:
    descent, _ = rows[0][0].descent()
    x, y = descent.names
    paths = tuple(path for _, path in rows)
    kept = [path.points for path in paths if not path.diverged]
    points = [p for line in kept or [path.points[:_OF_DIVERGED] for path in paths] for p in line]
    points += [path.points[0] for path in paths]
    (left, right), (low, high) = (_ends([point[k] for point in points]) for k in range(2))
    xs = [left + (right - left) * k / _COLUMNS for k in range(_COLUMNS + 1)]
    ys = [low + (high - low) * k / _ROWS for k in range(_ROWS + 1)]
    levels = level_lines(lambda a, b: descent.at((a, b)), xs, ys)
    return Plane(descent.minimize.objective or "", (x, left, right), (y, low, high), levels, paths, descent.at)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = _MARGIN * (high - low) or 1.0
    return low - room, high + room


def level_lines(
    value: Callable[[float, float], float], xs: Sequence[float], ys: Sequence[float]
) -> dict[float, list[Line]]:
    """Lines of equal value over a grid, by linear interpolation along its edges: marching squares (Lorensen and Cline
    1987, in the plane). Around a minimum of a bowl they are as far from each other as the first is from it."""
    table = [[value(x, y) for x in xs] for y in ys]
    known = [v for row in table for v in row if isfinite(v)]
    if not known or min(known) == max(known):
        return {}
    low, high = min(known), max(known)
    wanted = (float(f"{low + (high - low) * (k / _LEVELS) ** 2:.2g}") for k in range(1, _LEVELS))
    found = {level: _lines(level, table, xs, ys) for level in dict.fromkeys(wanted)}
    return {level: lines for level, lines in found.items() if lines}


_Edge = tuple[int, int, int]
"""Column and row of where an edge of the grid begins, and whether it goes up."""


def _lines(level: float, table: Sequence[Sequence[float]], xs: Sequence[float], ys: Sequence[float]) -> list[Line]:
    beside: dict[_Edge, list[_Edge]] = {}
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            for one, other in _crossed(level, table, column, row):
                beside.setdefault(one, []).append(other)
                beside.setdefault(other, []).append(one)
    ends = [edge for edge, others in beside.items() if len(others) == 1]
    lines = []
    for start in (*ends, *list(beside)):
        if not beside[start]:
            continue
        edges = [start]
        while beside[edges[-1]]:
            following = beside[edges[-1]].pop()
            beside[following].remove(edges[-1])
            edges.append(following)
        lines.append(tuple(_where(level, edge, table, xs, ys) for edge in edges))
    return lines


def _crossed(level: float, table: Sequence[Sequence[float]], column: int, row: int) -> list[tuple[_Edge, _Edge]]:
    """The edges of a cell that a line goes in and out by: none, a pair, or two at a saddle."""
    places = ((0, 0), (1, 0), (1, 1), (0, 1))
    corners = [table[row + j][column + i] for i, j in places]
    if not all(map(isfinite, corners)):
        return []
    edges = ((column, row, 0), (column + 1, row, 1), (column, row + 1, 0), (column, row, 1))
    above = [corner > level for corner in corners]
    cut = [edge for k, edge in enumerate(edges) if above[k] != above[(k + 1) % 4]]
    if len(cut) < 4:
        return [(cut[0], cut[1])] if cut else []
    if (sum(corners) / 4 > level) == above[0]:  # the middle goes with the first and the third corner
        return [(edges[0], edges[1]), (edges[2], edges[3])]
    return [(edges[3], edges[0]), (edges[1], edges[2])]


def _where(
    level: float, edge: _Edge, table: Sequence[Sequence[float]], xs: Sequence[float], ys: Sequence[float]
) -> Point:
    column, row, up = edge
    first, second = table[row][column], table[row + up][column + 1 - up]
    share = (level - first) / (second - first)
    if up:
        return xs[column], ys[row] + share * (ys[row + 1] - ys[row])
    return xs[column] + share * (xs[column + 1] - xs[column]), ys[row]
