"""The numbers behind a lesson's pictures: curves point by point, the path of updates, the classes of a plane."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import mean
from typing import TYPE_CHECKING, Any

from tutor.course.experiment import Results, runs_of, settings_in
from tutor.course.format import Drawing
from tutor.course.read import Course
from tutor.course.values import Values
from tutor.errors import TutorError, nearest
from tutor.numbers.exact import read_number

if TYPE_CHECKING:
    from tutor.worksheet.connections import Connections, NamedLayer
    from tutor.worksheet.step import Worksheet

Points = list[tuple[float, float]]
POINTS = 81
_RANGE = re.compile(r"\s*([0-9]{1,3})\s*\.\.\s*([0-9]{1,3})\s*")
BY_EPOCH = ("loss", "accuracy", "validation_loss")
_MARGIN = Fraction(3, 10)


@dataclass(frozen=True)
class Curves:
    """Points of each curve by its name, and what runs across."""

    across: str
    points: Mapping[str, Points]


def curves_of(spec: Drawing, values: Values) -> Curves:
    """Every curve of the plot. Raises ValueError where one has no values."""
    if not spec.over:
        return Curves("epoch", {name: _by_epoch(text, values) for name, text in spec.curves.items()})
    if len(spec.over) != 1:
        raise ValueError('over: one variable with its range, as in over = { z = [-6, 6] } or over = { k = "1..10" }')
    variable, span = next(iter(spec.over.items()))
    if isinstance(span, str):
        return Curves(variable, {n: _over_numbers(text, variable, span, values) for n, text in spec.curves.items()})
    low, high = ends(span, f"over.{variable}")
    return Curves(variable, {n: _over_range(t, variable, low, high, values) for n, t in spec.curves.items()})


def ends(span: Any, where: str) -> tuple[Fraction, Fraction]:
    if not isinstance(span, list) or len(span) != 2:
        raise ValueError(f"{where}: give both ends, as in [-6, 6]")
    low, high = (read_number(str(end)) for end in span)
    if not low < high:
        raise ValueError(f"{where}: the lower end comes first")
    return low, high


def _by_epoch(text: str, values: Values) -> Points:
    """The mean over the seeds of what is measured in every epoch: `race.loss.plain`."""
    block, _, rest = text.strip().partition(".")
    measure, _, row = rest.partition(".")
    if values.blocks().get(block) != "experiment" or measure not in BY_EPOCH:
        raise ValueError(f"{text[:60]!r}: say over which variable, or name a curve of an experiment: race.loss.plain")
    results: Results = values.results(block)
    known = [one.name for one in results.rows]
    if row not in known:
        raise ValueError(f"{block!r} has no row {row[:60]!r}{nearest(row, known)}")
    field = {"loss": "losses", "accuracy": "accuracies", "validation_loss": "held_out"}[measure]
    lines = [getattr(seed, field) for seed in results.row(row).seeds if not seed.diverged]
    by_epoch = enumerate(zip(*lines, strict=False), 1)
    return [(float(epoch), mean(at)) for epoch, at in by_epoch if None not in at]


def _over_numbers(text: str, variable: str, span: str, values: Values) -> Points:
    from tutor.formulas.parse import parse
    from tutor.worksheet.values import evaluate_formula

    found = _RANGE.fullmatch(span)
    if not found or int(found[1]) > int(found[2]):
        raise ValueError(f'over.{variable}: whole numbers from … to …, as in "1..10"')
    written, known = values.names_in(text)
    points = []
    for number in range(int(found[1]), int(found[2]) + 1):
        try:
            value = evaluate_formula(parse(written, known, {variable: number}), known)
        except TutorError as error:
            raise ValueError(str(error)) from None
        points.append((float(number), float(value)))
    return points


def _over_range(text: str, variable: str, low: Fraction, high: Fraction, values: Values) -> Points:
    """So many points at equal distances; those without a value are left out."""
    from tutor.formulas.parse import parse
    from tutor.worksheet.values import evaluate_formula

    written, known = values.names_in(text)
    expression = parse(written, {*known, variable})
    points = []
    for k in range(POINTS):
        x = low + (high - low) * k / (POINTS - 1)
        try:
            points.append((float(x), float(evaluate_formula(expression, {**known, variable: x}))))
        except TutorError:
            continue
    if not points:
        raise ValueError(f"{text[:60]!r} has no value between {float(low):g} and {float(high):g}")
    return points


@dataclass(frozen=True)
class Path:
    """The parameters after each update, from the start on, with the error there; and the error as a function of one."""

    names: tuple[str, ...]
    points: list[tuple[float, ...]]
    errors: list[float]
    curve: Points


def path_of(block: str, values: Values) -> Path:
    """The way of the updates of a worksheet with one or two parameters. Raises ValueError for any other."""
    if values.blocks().get(block) != "worksheet":
        raise ValueError(f"path: there is no worksheet {block[:60]!r}{nearest(block, values.course.worksheets)}")
    worksheet = values.worksheet(block)
    known = worksheet.values
    names = tuple(old for old, _ in worksheet.updated)
    if not 1 <= len(names) <= 2:
        raise ValueError(f"path: {block!r} updates {len(names)} parameters; a path is drawn over one or two")
    updates = [u for u in _updates(worksheet, names[0]) if all(_named(n, u, known) is not None for n in names)]
    points = [tuple(float(known[n]) for n in names)]
    points += [tuple(float(_named(n, u, known)) for n in names) for u in updates]
    return Path(names, points, _errors(worksheet), _curve(block, names, points, values))


def _updates(worksheet: Worksheet, name: str) -> list[int]:
    from tutor.formulas.quantity import Role, read_name

    made = [read_name(n) for n in worksheet.by_name]
    found = [q.update for q in made if q.in_any_update == name and q.update]
    return sorted(found) or [0 for q in made if q.base == name and q.role is Role.NEW][:1]


def _named(name: str, update: int, known: Mapping[str, Any]) -> Any:
    return known.get(f"{name}[{update}]" if update else f"{name}_new")


def _errors(worksheet: Worksheet) -> list[float]:
    """The error before every update, and after the last."""
    from tutor.worksheet.step import GOAL

    errors = re.compile(rf"{GOAL}(\[[0-9]+\]|_after)?")
    wanted = [name for name in worksheet.by_name if errors.fullmatch(name)]
    return [float(worksheet.values[n]) for n in wanted]


def _curve(block: str, names: Sequence[str], points: Sequence[tuple[float, ...]], values: Values) -> Points:
    """The objective over its one parameter, as far as the path goes and a little further."""
    from tutor.formulas.parse import parse
    from tutor.worksheet.values import evaluate_formula

    wanted = values.course.worksheet(block).minimize
    if len(names) != 1 or wanted is None or wanted.objective is None:
        return []
    known = {**values.course.worksheet(block).givens, **wanted.start}
    expression = parse(wanted.objective, known)
    places = [Fraction(x) for (x,) in points]
    low, high = min(places), max(places)
    room = (high - low) * _MARGIN or Fraction(1)
    found = []
    for k in range(POINTS):
        x = low - room + (high - low + 2 * room) * k / (POINTS - 1)
        found.append((float(x), float(evaluate_formula(expression, {**known, names[0]: x}))))
    return found


@dataclass(frozen=True)
class Plane:
    """The classes of a plane: `cells` makes them for so many columns and rows, from the top."""

    title: str
    classes: tuple[str, ...]
    across: tuple[str, float, float]
    up: tuple[str, float, float]
    cells: Callable[[int, int], Any]


def planes_of(spec: Drawing, course: Course, values: Values) -> Iterator[Plane]:
    """The regions of a worksheet's network after some updates, or of a row of an experiment after some epochs."""
    block, _, row = spec.regions.strip().partition(".")
    kind = values.blocks().get(block)
    if kind == "worksheet":
        yield from _of_worksheet(spec, block, values)
    elif kind == "experiment":
        yield from _of_experiment(spec, course, block, row, values)
    else:
        raise ValueError(f"regions: there is no block {block[:60]!r}{nearest(block, values.blocks())}")


def _of_experiment(spec: Drawing, course: Course, block: str, row: str, values: Values) -> Iterator[Plane]:
    """The network of one row and seed, trained once more and looked at after the epochs that are asked for."""
    from tutor.training.results import regions
    from tutor.training.trainer import Checkpoints

    wanted = course.of_kind("experiment")[block].spec
    settings = {setting.name: setting for setting in settings_in(wanted)}
    name = row or next(iter(settings))
    if name not in settings:
        raise ValueError(f"{block!r} has no row {name[:60]!r}{nearest(name, settings)}")
    run = runs_of(course, wanted, settings[name])[min(spec.seed, wanted.seeds - 1)]
    trainer = run.source.trainer(run.wanted)
    states = {0: trainer.form.state()}

    def keep(result: Any) -> None:
        if len(result.history) in spec.epochs:
            states[len(result.history)] = trainer.form.state()

    trainer.checkpoints = Checkpoints(1, keep) if spec.epochs else None
    result = trainer.run()
    last = len(result.history)
    states[last] = trainer.form.state()
    for epoch in spec.epochs or [last]:
        if epoch not in states:
            raise ValueError(f"epochs: there is no epoch {epoch}; {name} ended after {last}")
        trainer.form.restore(states[epoch])
        found = regions(trainer, 1, 1)
        if found is None:
            raise ValueError(f"regions: {name} has not two inputs and classes, so no plane can be drawn")
        x, y = getattr(trainer.data, "features", None) or ("x1", "x2")
        told = "before training" if epoch == 0 else f"after epoch {epoch}"
        grids = {size: regions(trainer, *size)[0] for size in _sizes()}  # type: ignore[index]
        yield Plane(f"{name}, {told}", tuple(trainer.data.classes), (x, *found[1]), (y, *found[2]), _Kept(grids))


def _sizes() -> list[tuple[int, int]]:
    """The grids that printers ask for: they are worked out while the network is in the state that is to be shown."""
    return [(columns, columns * 2 // 7) for columns in range(12, 65)] + [(60, 30)]


class _Kept:
    """Grids worked out before."""

    def __init__(self, grids: Mapping[tuple[int, int], Any]) -> None:
        self.grids = grids

    def __call__(self, columns: int, rows: int) -> Any:
        return self.grids[columns, rows]


def _of_worksheet(spec: Drawing, block: str, values: Values) -> Iterator[Plane]:
    worksheet, lesson = values.worksheet(block), values.course.worksheet(block)
    network = worksheet.network
    if network is None or len(network.inputs) != 2:
        raise ValueError(f"regions: {block!r} has no network with two inputs")
    spans = [_span(spec, name, [float(e.inputs[k]) for e in lesson.examples]) for k, name in enumerate(network.inputs)]
    last = max((_last(worksheet, name) for name, _ in worksheet.updated), default=0)
    for update in spec.updates or [last]:
        if not 0 <= update <= last:
            raise ValueError(f"updates: {block!r} has {last} updates; there is no update {update}")
        told = "at the start" if update == 0 else f"after update {update}"
        classes = ("0", "1") if len(network.targets) == 1 else tuple(n.stem for n in network.layers[-1].neurons)
        cells = _plane_cells(network, _parameters(worksheet, update), spans, lesson)
        yield Plane(f"{block}, {told}", classes, (network.inputs[0], *spans[0]), (network.inputs[1], *spans[1]), cells)


def _span(spec: Drawing, name: str, known: Sequence[float]) -> tuple[float, float]:
    if name in spec.ranges:
        low, high = ends(spec.ranges[name], f"ranges.{name}")
        return float(low), float(high)
    low_, high_ = min(known), max(known)
    room = 0.3 * (high_ - low_) or 1.0
    return low_ - room, high_ + room


def _last(worksheet: Worksheet, name: str) -> int:
    return max(_updates(worksheet, name), default=0) or int(f"{name}_new" in worksheet.by_name)


def _parameters(worksheet: Worksheet, update: int) -> dict[str, float]:
    """Every parameter as the update leaves it."""
    found = {name: float(value) for name, value in worksheet.givens.items()}
    for name, _ in worksheet.updated:
        made = [u for u in _updates(worksheet, name) if u <= update] if update else []
        if made and (value := _named(name, made[-1], worksheet.values)) is not None:
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
