"""What an experiment shows of its networks, one for each row: regions, what classes were taken for, layers, weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict, replace

from tutor.course.format import Experiment
from tutor.course.read import Course
from tutor.course.trained_rows import trained_rows
from tutor.views.blocks import Block, Heading, Level
from tutor.views.course.curves import curves
from tutor.views.layers import layers_of_several
from tutor.views.regions import regions
from tutor.views.training import confusion_matrix

if TYPE_CHECKING:
    from tutor.experiments.trained import Trained
    from tutor.training.plane import Plane

_SORTED = "The weights at the end, from the lowest to the highest"
_TITLE = "Which part of the plane is taken for what"


def network_blocks(course: Course, spec: Experiment, over: Mapping[str, Any] | None) -> Iterator[Block]:
    """What is to be seen of the networks themselves, after the last epoch of the first seed. Raises ValueError for a
    row of which there is nothing of the kind to be seen."""
    shown = [word for word in ("regions", "confusion", "layers", "weights") if word in spec.show]
    if not shown:
        return
    rows = trained_rows(course, spec, over)
    if "regions" in shown:
        yield from regions(_TITLE, [_at_the_end(row) for row in rows])
    if "confusion" in shown:
        for row in rows:
            yield from _confused(row)
    if "layers" in shown:
        yield Heading("Layer by layer at the end, over the training part", Level.LINES)
        found = [(row.name, row.name, one.layer, asdict(one)) for row in rows for one in row.ended.layers]
        yield from layers_of_several(found)
    if "weights" in shown:
        yield curves(_SORTED, "percentile", "weight", {row.name: _sorted(row) for row in rows})


def _sorted(row: Trained) -> list[tuple[float, float]]:
    """The weights without biases from the lowest to the highest, each with the percentage of the others below it."""
    row.restore(row.last)
    weights = sorted(map(float, row.trainer.engine.vector[row.trainer.architecture.weights()]))
    return [(100 * place / max(1, len(weights) - 1), weight) for place, weight in enumerate(weights)]


def _at_the_end(row: Trained) -> Plane:
    plane = row.plane(row.last)
    if plane is None:
        raise ValueError(f"show: 'regions': {row.lacks}")
    return replace(plane, title=row.name)


def _confused(row: Trained) -> Iterator[Block]:
    from tutor.training.results import confusion

    row.restore(row.last)
    found = confusion(row.trainer)
    if not found[1]:
        raise ValueError(f"show: 'confusion': {row.name} has no classes")
    yield from confusion_matrix(row.trainer.data.classes, found, f"{row.name}, {row.about}")
