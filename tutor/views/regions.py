"""Planes as blocks: which part of each belongs to which class, and where the examples are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tutor.views import blocks
from tutor.views.blocks import Example, Regions

if TYPE_CHECKING:
    from tutor.training.plane import Plane

LINE = "Where the network draws the line"


def regions(title: str, planes: Iterable[Plane]) -> Iterator[Regions]:
    """The planes side by side, as far as they are of the same data."""
    for (classes, across, up, part, about), same in groupby(planes, _common):
        drawn = [
            blocks.Plane(plane.title, plane.cells, tuple(Example(*one) for one in plane.examples), plane.counts)
            for plane in same
        ]
        yield Regions(title, classes, across, up, tuple(drawn), part, about)


def _common(plane: Plane) -> tuple[Any, ...]:
    return plane.classes, plane.across, plane.up, plane.part, plane.about
