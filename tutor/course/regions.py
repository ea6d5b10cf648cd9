"""Which part of a plane a network takes for what: that of a worksheet, or of a row of an experiment, trained anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tutor.course.drawing import ends, named_after, updates_of
from tutor.course.experiment import Setting, runs_of, settings_in
from tutor.course.format import Drawing, Experiment
from tutor.course.read import Course
from tutor.course.values import Values
from tutor.errors import TutorError, counted, nearest
from tutor.numbers.exact import read_number

if TYPE_CHECKING:
    from tutor.training.trainer import Trainer
    from tutor.worksheet.connections import Connections, NamedLayer
    from tutor.worksheet.step import Worksheet

Cells = Callable[[int, int], Any]


@dataclass(frozen=True)
class Plane:
    """The classes of a plane: `cells` makes them for so many columns and rows, from the top. `about` says of what
    training it is, where it is of one."""

    title: str
    classes: tuple[str, ...]
    across: tuple[str, float, float]
    up: tuple[str, float, float]
    cells: Cells
    about: str = ""


@dataclass(frozen=True)
class Trained:
    """A row of an experiment trained with one seed: the network as it was in the end and after the epochs asked for."""

    name: str
    trainer: Trainer
    states: Mapping[int, Any]
    last: int
    diverged: bool

    @property
    def about(self) -> str:
        """Which training it was."""
        return f"seed {self.trainer.wanted.seed}{', which diverged' if self.diverged else ''}"

    def plane(self, epoch: int) -> Plane | None:
        """Where the network stood after the epoch; None where its examples have not two inputs and classes."""
        from tutor.training.results import regions

        trainer, state = self.trainer, self.states[epoch]
        trainer.form.restore(state)
        found = regions(trainer, 1, 1)
        if found is None:
            return None

        def cells(columns: int, rows: int) -> Any:
            trainer.form.restore(state)
            made = regions(trainer, columns, rows)
            assert made is not None
            return made[0]

        x, y = getattr(trainer.data, "features", None) or ("x1", "x2")
        told = "before training" if epoch == 0 else f"after epoch {epoch}"
        return Plane(told, tuple(trainer.data.classes), (x, *found[1]), (y, *found[2]), cells, self.about)


def trained(course: Course, spec: Experiment, setting: Setting, seed: int, epochs: Sequence[int] = ()) -> Trained:
    """One training of the experiment, made once more; the seed counts from 0 within the experiment."""
    from tutor.experiments.experiment import OfFunction
    from tutor.training.trainer import Checkpoints

    run = runs_of(course, spec, setting)[seed]
    if isinstance(run.source, OfFunction):
        raise TutorError("a function that is minimised has neither regions nor classes; its path is drawn by a plot")
    trainer = run.source.trainer(run.wanted)
    states = {0: trainer.form.state()}

    def keep(result: Any) -> None:
        if len(result.history) in epochs:
            states[len(result.history)] = trainer.form.state()

    trainer.checkpoints = Checkpoints(1, keep) if epochs else None
    result = trainer.run()
    if result.interrupted:
        raise KeyboardInterrupt
    last = len(result.history)
    states[last] = trainer.form.state()
    return Trained(setting.name, trainer, states, last, result.diverged)


def trained_rows(course: Course, spec: Experiment, over: Mapping[str, Any] | None) -> list[Trained]:
    """Every row of the experiment with its first seed."""
    return [trained(course, spec, setting, 0) for setting in settings_in(spec, over)]


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
        yield from _of_experiment(spec, course, block, row)
    else:
        raise ValueError(f"regions: there is no block {block[:60]!r}{nearest(block, values.blocks())}")


def _of_experiment(spec: Drawing, course: Course, block: str, row: str) -> Iterator[Plane]:
    """The network of one row and seed after the epochs that are asked for."""
    if spec.updates:
        raise ValueError("updates: of an experiment say epochs, as in epochs = [0, 1, 6]")
    if spec.ranges:
        raise ValueError("ranges: those of a worksheet's plane; that of an experiment goes as far as its data")
    wanted = course.of_kind("experiment")[block].spec
    settings = {setting.name: setting for setting in settings_in(wanted)}
    if not row and len(settings) > 1:
        raise ValueError(f"regions: say which row of {block!r}, as in {block}.{next(iter(settings))}")
    name = row or next(iter(settings))
    if name not in settings:
        raise ValueError(f"regions: {block!r} has no row {name[:60]!r}{nearest(name, settings)}")
    if not 0 <= spec.seed < wanted.seeds:
        raise ValueError(f"seed: {block!r} has the seeds 0 to {wanted.seeds - 1}")
    found = trained(course, wanted, settings[name], spec.seed, spec.epochs)
    for epoch in spec.epochs or [found.last]:
        if epoch not in found.states:
            raise ValueError(f"epochs: there is no epoch {epoch}; {name} ended after {found.last}")
        plane = found.plane(epoch)
        if plane is None:
            raise ValueError(f"regions: {why_no_plane(found)}")
        yield plane


def why_no_plane(found: Trained) -> str:
    data = found.trainer.data
    inputs = data.x.shape[1]
    if inputs != 2:
        return f"{found.name} has {counted(inputs, 'input')}, and a plane is drawn over two"
    return f"{found.name} has no classes that a plane could be divided into"


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
        classes = ("0", "1") if len(network.targets) == 1 else tuple(n.stem for n in network.layers[-1].neurons)
        cells = _plane_cells(network, _parameters(worksheet, update), spans, lesson)
        yield Plane(told, classes, (network.inputs[0], *spans[0]), (network.inputs[1], *spans[1]), cells)


def _span(spec: Drawing, name: str, known: Sequence[float]) -> tuple[float, float]:
    if name in spec.ranges:
        low, high = ends(spec.ranges[name], f"ranges.{name}")
        return float(low), float(high)
    low_, high_ = min(known), max(known)
    room = 0.3 * (high_ - low_) or 1.0
    return low_ - room, high_ + room


def _last(worksheet: Worksheet, name: str) -> int:
    return max(updates_of(worksheet, name), default=0) or int(f"{name}_new" in worksheet.by_name)


def _parameters(worksheet: Worksheet, update: int) -> dict[str, float]:
    """Every parameter as the update leaves it."""
    found = {name: float(value) for name, value in worksheet.givens.items()}
    for name, _ in worksheet.updated:
        made = [u for u in updates_of(worksheet, name) if u <= update] if update else []
        if made and (value := named_after(name, made[-1], worksheet.values)) is not None:
            found[name] = float(value)
    return found


def _plane_cells(
    network: Connections, known: Mapping[str, float], spans: Sequence[tuple[float, float]], lesson: Any
) -> Callable[[int, int], list[list[int]]]:
    (left, right), (low, high) = spans
    bound = _bound(lesson, known)

    def cells(columns: int, rows: int) -> list[list[int]]:
        xs = [left + (right - left) * (k + 0.5) / columns for k in range(columns)]
        ys = [high - (high - low) * (k + 0.5) / rows for k in range(rows)]
        return [[_class_of(network, known, (x, y), bound) for x in xs] for y in ys]

    return cells


def _bound(lesson: Any, known: Mapping[str, float]) -> float:
    """What the weighted sum of a step unit is compared with."""
    fires = lesson.training.fires if lesson.training is not None else None
    if not fires:
        return 0.0
    text = re.split(r">=|>|≥", fires)[-1].strip()
    return known[text] if text in known else float(read_number(text))


def _class_of(network: Connections, known: Mapping[str, float], x: Sequence[float], bound: float) -> int:
    values = list(x)
    for layer in network.layers:
        sums = [_sum(layer, k, values, known) for k in range(len(layer.neurons))]
        values = sums if layer.activation == "softmax" else [_fires(layer, z, bound) for z in sums]
    if len(values) > 1:
        return values.index(max(values))
    return int(values[0] > (0 if network.layers[-1].activation in ("sign", "tanh", "linear") else 0.5))


def _sum(layer: NamedLayer, place: int, values: Sequence[float], known: Mapping[str, float]) -> float:
    row, bias = layer.weights[place], layer.biases[place]
    total = sum(known[w] * x for w, x in zip(row, values, strict=True) if w)
    return total + (0.0 if not bias else -known[bias] if layer.subtracted else known[bias])


def _fires(layer: NamedLayer, z: float, bound: float) -> float:
    from tutor.maths.activations import ACTIVATIONS
    from tutor.numbers.floats import FloatSystem

    entry = ACTIVATIONS[layer.activation]
    if entry.slope is None:
        return 1.0 if z >= bound else (-1.0 if layer.activation == "sign" else 0.0)
    return float(entry.value(z, *((float(layer.alpha),) if entry.parameter else ()), FloatSystem))
