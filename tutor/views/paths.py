"""The paths of two parameters on the level lines of what they minimise: one picture for each function."""

from __future__ import annotations

from collections.abc import Mapping

from tutor.errors import counted
from tutor.experiments.paths import Path, Plane
from tutor.views.blocks import Axis, Paragraph, Plot, Series, called

_TOLD = 4
_SIGNS = 8


def paths_plot(plane: Plane, signs: Mapping[str, str]) -> Plot:
    """The picture, each path with its sign, and where it goes in words."""
    lines = [Series(line, "level") for lines in plane.levels.values() for line in lines]
    names = plane.across[0], plane.up[0]
    levels = ", ".join(f"{level:g}" for level in plane.levels)
    about = f"The dotted lines join points of equal value: {levels}." if plane.levels else ""
    return Plot(
        f"The path of {' and '.join(names)}, on the level lines of {plane.objective}",
        Axis(*plane.across),
        Axis(*plane.up),
        (*lines, *(_series(path, plane, signs[path.name]) for path in plane.paths)),
        tuple((*called(path.name, signs[path.name]), f": {_told(path, plane)}") for path in plane.paths),
        (Paragraph(about),) if about else (),
        keyed=True,
    )


def _series(path: Path, plane: Plane, sign: str) -> Series:
    """The path as far as it stays in the picture, with its sign at some of its points."""
    left = next((k for k, point in enumerate(path.points) if not plane.within(point)), len(path.points))
    seen = path.points[:left]
    last = len(seen) - 1
    chosen = sorted({round(last * k / _SIGNS) for k in range(1, _SIGNS + 1)}) if last > 0 else [0]
    return Series(seen, sign=sign, marked=tuple(seen[k] for k in chosen))


def _told(path: Path, plane: Plane) -> str:
    """Where a path begins, where it is after each quarter of its steps, and where it ends."""
    last, names = len(path.points) - 1, (plane.across[0], plane.up[0])
    said = []
    for k in sorted({round(last * q / _TOLD) for q in range(_TOLD + 1)}):
        at = ", ".join(f"{name} = {x:.4g}" for name, x in zip(names, path.points[k], strict=True))
        when = f"after {counted(k, 'step')}" if k else "at the start"
        said.append(f"{when} {at} with the value {plane.value(path.points[k]):.4g}")
    return f"{'; '.join(said)}{'; it diverges' if path.diverged else ''}."
