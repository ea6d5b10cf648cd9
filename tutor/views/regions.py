"""Planes as blocks: which part of each belongs to which class, and where the examples are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from tutor.views.blocks import Example, Plane, Regions

LINE = "Where the network draws the line"


def regions(title: str, planes: Iterable[Any]) -> Iterator[Regions]:
    """The planes side by side, as far as they are of the same data."""
    for (classes, across, up, part, about), same in groupby(planes, _common):
        drawn = [Plane(plane.title, plane.cells, tuple(Example(*one) for one in plane.examples)) for plane in same]
        yield Regions(title, classes, across, up, tuple(drawn), part, about)


def _common(plane: Any) -> Any:
    return plane.classes, plane.across, plane.up, plane.part, plane.about
