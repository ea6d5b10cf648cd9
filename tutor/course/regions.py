"""Which part of a plane a network takes for what: that of a worksheet, or of a row of an experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tutor.course.decision import Decision, class_of
from tutor.course.drawing import ends, named_after, updates_of
from tutor.course.format import Drawing
from tutor.course.read import Course
from tutor.course.values import Values
from tutor.errors import nearest
from tutor.numbers.exact import Number
from tutor.training.plane import Plane

if TYPE_CHECKING:
    from tutor.worksheet.step import Worksheet

_NUDGE = 1e-9
"""How far beside a place a network is looked at, in parts of the plane, to see whether a boundary goes through it."""


def planes_of(spec: Drawing, course: Course, values: Values) -> Iterator[Plane]:
    """The regions of a worksheet's network after some updates, or of a row of an experiment after some epochs. Raises
    ValueError, with the key that is to be changed in front, where there are none."""
    block, _, row = spec.regions.strip().partition(".")
    kind = values.blocks().get(block)
    if kind == "worksheet":
        if row:
            raise ValueError(f"regions: {block!r} is a worksheet and has no rows; write regions = {block!r}")
        yield from _of_worksheet(spec, block, values)
    elif kind == "experiment":
        from tutor.course.trained_rows import planes_of_row

        yield from planes_of_row(spec, course, block, row)
    else:
        raise ValueError(f"regions: there is no block {block[:60]!r}{nearest(block, values.blocks())}")


def _of_worksheet(spec: Drawing, block: str, values: Values) -> Iterator[Plane]:
    worksheet, lesson = values.worksheet(block), values.course.worksheet(block)
    network = worksheet.network
    if network is None or len(network.inputs) != 2:
        raise ValueError(f"regions: {block!r} has no network with two inputs")
    if spec.epochs:
        raise ValueError("epochs: of a worksheet say updates, as in updates = [0, 16]")
    if spec.seed:
        raise ValueError("seed: that of a row of an experiment; a worksheet has none")
    for name in spec.ranges:
        if name not in network.inputs:
            raise ValueError(f"ranges: there is no input {name[:60]!r}{nearest(name, network.inputs)}")
    spans = [_span(spec, name, [float(e.inputs[k]) for e in lesson.examples]) for k, name in enumerate(network.inputs)]
    last = max((_last(worksheet, name) for name, _ in worksheet.updated), default=0)
    for update in spec.updates or [last]:
        if not 0 <= update <= last:
            raise ValueError(f"updates: {block!r} has {last} updates; there is no update {update}")
        told = "" if last == 0 else "at the start" if update == 0 else f"after update {update}"
        yield _plane(told, worksheet, _parameters(worksheet, update), spans, lesson)


def _span(spec: Drawing, name: str, known: Sequence[float]) -> tuple[float, float]:
    if name in spec.ranges:
        low, high = ends(spec.ranges[name], f"ranges.{name}")
        return float(low), float(high)
    low_, high_ = min(known), max(known)
    room = 0.3 * (high_ - low_) or 1.0
    return low_ - room, high_ + room


def _last(worksheet: Worksheet, name: str) -> int:
    return max(updates_of(worksheet, name), default=0) or int(f"{name}_new" in worksheet.by_name)


def _parameters(worksheet: Worksheet, update: int) -> dict[str, Number]:
    """Every parameter as the update leaves it."""
    found: dict[str, Number] = dict(worksheet.givens)
    for name, _ in worksheet.updated:
        made = [u for u in updates_of(worksheet, name) if u <= update] if update else []
        if made and (value := named_after(name, made[-1], worksheet.values)) is not None:
            found[name] = value
    return found


def _plane(
    title: str, worksheet: Worksheet, known: Mapping[str, Number], spans: Sequence[tuple[float, float]], lesson: Any
) -> Plane:
    """The plane of a network with these parameters, and the worksheet's examples in it."""
    network = worksheet.network
    assert network is not None
    (left, right), (low, high) = spans
    last = network.layers[-1]
    classes = ("0", "1") if len(last.neurons) == 1 else tuple(neuron.stem for neuron in last.neurons)
    bound = Fraction(0) if last.activation in ("sign", "tanh", "linear") else Fraction(1, 2)
    decide = Decision(worksheet, known, bound, (_NUDGE * (right - left), _NUDGE * (high - low)))

    def grid(columns: int, rows: int) -> tuple[list[float], list[float]]:
        xs = [left + (right - left) * (k + 0.5) / columns for k in range(columns)]
        return xs, [high - (high - low) * (k + 0.5) / rows for k in range(rows)]

    points = [example.inputs for example in lesson.examples]
    classed = [class_of(example.targets, bound) for example in lesson.examples if example.targets]
    taken = [decide.exactly(*point) for point in points]
    examples = tuple(
        (float(x), float(y), *pair) for (x, y), pair in zip(points, zip(classed, taken, strict=False), strict=False)
    )
    across, up = network.inputs
    return Plane(
        title,
        classes,
        (across, left, right),
        (up, low, high),
        cells=lambda columns, rows: decide.grid(*grid(columns, rows)),
        examples=examples,
        counts=lambda columns, rows: decide.counts(*grid(columns, rows)),
    )
