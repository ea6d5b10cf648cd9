"""The numbers behind a lesson's pictures: curves point by point, and the path of updates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import mean
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tutor.course.format import Drawing
from tutor.course.values import Values
from tutor.errors import TutorError, nearest
from tutor.numbers.exact import read_number

if TYPE_CHECKING:
    from tutor.course.experiment import Results
    from tutor.worksheet.step import Worksheet

Points = list[tuple[float, float]]
POINTS = 81
_RANGE = re.compile(r"\s*([0-9]{1,3})\s*\.\.\s*([0-9]{1,3})\s*")
BY_EPOCH = ("loss", "accuracy", "validation_loss")
_MARGIN = Fraction(3, 10)


class Curves(Struct, frozen=True):
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
    names, points = frozenset(known), []
    for number in range(int(found[1]), int(found[2]) + 1):
        try:
            value = evaluate_formula(parse(written, names, {variable: number}), known)
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


class Path(Struct, frozen=True):
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
    updates = [u for u in updates_of(worksheet, names[0]) if all(named_after(n, u, known) is not None for n in names)]
    points = [tuple(float(known[n]) for n in names)]
    points += [tuple(float(named_after(n, u, known)) for n in names) for u in updates]
    return Path(names, points, _errors(worksheet), _curve(block, names, points, values))


def updates_of(worksheet: Worksheet, name: str) -> list[int]:
    from tutor.formulas.quantity import Role, read_name

    made = [read_name(n) for n in worksheet.by_name]
    found = [q.update for q in made if q.in_any_update == name and q.update]
    return sorted(found) or [0 for q in made if q.base == name and q.role is Role.NEW][:1]


def named_after(name: str, update: int, known: Mapping[str, Any]) -> Any:
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
