"""What a picture of a network's decisions is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from tutor.errors import counted

Examples = tuple[tuple[float, float, int, int], ...]
"""Where each example is, the number of its class, and of the class that it is taken for."""


class Plane(Struct, frozen=True):
    """What a network of two inputs takes every place of a plane for: `cells` makes the classes for so many columns and
    rows, from the top, `counts` how many of these places each class has, where there is a better way than to count
    them. Each axis has its name and both ends; `examples` are those of the `part`; `about` says of what training it is,
    where it is one of several."""

    title: str
    classes: tuple[str, ...]
    across: tuple[str, float, float]
    up: tuple[str, float, float]
    cells: Callable[[int, int], Any]
    examples: Examples = ()
    part: str = ""
    about: str = ""
    counts: Callable[[int, int], Mapping[int, float]] | None = None


def why_no_plane(inputs: int, classes: object) -> str:
    """Why there are no regions to be drawn; empty where there are."""
    if inputs != 2:
        return f"there {'is' if inputs == 1 else 'are'} {counted(inputs, 'input')}, and a plane is drawn over two"
    return "" if classes else "there are no classes that a plane could be divided into"
