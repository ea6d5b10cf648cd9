"""What an experiment of a lesson came to: a table of its rows, and its curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import mean
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from tutor.course.experiment import USUAL, Results, Row, candidate_of, settings_in
from tutor.course.format import Experiment
from tutor.course.read import Course
from tutor.course.values import Value
from tutor.errors import counted
from tutor.experiments.measures import read_measure
from tutor.results import Result
from tutor.views.blocks import Block, Column, Kind, Paragraph, Strong, Table, Text
from tutor.views.blocks import Row as Line
from tutor.views.course.curves import curves, signs_of
from tutor.views.course.networks import network_blocks
from tutor.views.course.numbers import number, spelled
from tutor.views.course.prose import plain_texts

_OF_AN_EPOCH = "The curve has the mean over each epoch, every loss taken before the update that it led to"
_OF_THE_TABLE = "; the table has what was measured at the end"
_LEFT_OUT = " A training that diverged is left out of it."


def experiment_blocks(
    course: Course, spec: Experiment, results: Results, over: Mapping[str, Any] | None = None
) -> Iterator[Block]:
    """What the lesson asks for: the table, the curves, and what the networks of the first seed make of their data;
    `over` are settings that overrule its own."""
    if "table" in spec.show:
        yield _table(spec, results)
        yield Paragraph(" ".join(filter(None, (about(spec, results), _rows_told(spec, results)))))
        if told := _measures_told(results):
            yield Paragraph(told)
    if "curves" in spec.show:
        yield loss_curves(results)
        left_out = _LEFT_OUT if any(seed.diverged for row in results.rows for seed in row.seeds) else ""
        yield Paragraph(f"{_OF_AN_EPOCH}{_OF_THE_TABLE if 'table' in spec.show else ''}.{left_out}")
    if "paths" in spec.show:
        yield from _paths(course, spec, results, over)
    yield from network_blocks(course, spec, over)


def about(spec: Experiment, results: Results) -> str:
    """On what was trained, how often, and what the numbers are."""
    if spec.worksheet and spec.seeds == 1:
        return f"Trained on the examples of {spec.worksheet}."
    on = spec.data or spec.worksheet
    trained = f"Trained on {on}" if on else "Each trained on its own data"
    seeds = counted(spec.seeds, "seed")
    with_deviation = ": mean ± standard deviation over the seeds" if spec.seeds > 1 else ""
    diverged = sum(seed.diverged for row in results.rows for seed in row.seeds)
    ended = f" {counted(diverged, 'training')} diverged." if diverged else ""
    return f"{trained}, {seeds} each{with_deviation}.{ended}"


def _rows_told(spec: Experiment, results: Results) -> str:
    """What each row with a name of its own changes."""
    if not spec.rows:
        return ""
    told = [f"{row.name}: {_settings(row)}" for row in results.rows if row.says]
    return f"{'; '.join(told)}." if told else ""


def _measures_told(results: Results) -> str:
    """What each measure is; the usual ones under their own names say it themselves."""
    measures = {name: read_measure(text) for name, text in results.measures.items()}
    told = [
        f"{name.replace('_', ' ')} is {one.kind.says if name == one.text else one.explained}"
        for name, one in measures.items()
        if not name == one.text in USUAL
    ]
    return f"{'; '.join(told)}." if told else ""


def _settings(row: Row) -> str:
    return ", ".join(f"{key} {value}" for key, value in row.says.items())


def _table(spec: Experiment, results: Results) -> Table:
    """A line for each row, by its name, or by the settings that vary; of a single training its measures alone."""
    changed = [] if spec.rows else list(dict.fromkeys(key for row in results.rows for key in row.says))
    columns = [Column("", Kind.NAME)] if spec.rows else [Column(key, Kind.NAME) for key in changed]
    columns += [Column(measure.replace("_", " "), Kind.NUMBER) for measure in results.measures]
    lines = []
    for row in results.rows:
        heads: list[Text] = [Strong(row.name)] if spec.rows else [row.says.get(key, "") for key in changed]
        lines.append(_line(row.name if spec.rows else _settings(row), heads, row, results))
    return Table(tuple(columns), tuple(lines), whole=True)


def _line(called: str, heads: list[Text], row: Row, results: Results) -> Line:
    values = {measure.replace("_", " "): measured(results, row.name, measure) for measure in results.measures}
    indent = 2 if called else 0
    lines = [Paragraph(f"{measure} {text}", indent) for measure, text in values.items()]
    told = ", ".join(f"{measure} {text}" for measure, text in values.items())
    title = (Paragraph(Strong(called)),) if called else ()
    return Line((*heads, *values.values()), f"{called}: {told}." if called else f"{told}.", (*title, *lines))


def measured(results: Results, row: str, measure: str) -> str:
    """A measure of a row with its spread, in per cent where it is a share."""
    each = results.values()[f"{measure}.{row}"]
    return spelled(Value(each, True), percent=read_measure(results.measures[measure]).kind.share, with_deviation=True)


def loss_curves(results: Results) -> Block:
    """The mean loss of every row, epoch by epoch, as far as all of its seeds got."""
    found = {row.name: mean_curve(row) for row in results.rows}
    return curves("The mean training loss, epoch by epoch", "epoch", "loss", found)


def _paths(course: Course, spec: Experiment, results: Results, over: Mapping[str, Any] | None) -> Iterator[Block]:
    """The path of every row over the function that it minimises. Raises ValueError for a row that has none."""
    from tutor.experiments.experiment import OfFunction
    from tutor.experiments.paths import path_of, planes_of, why_no_path
    from tutor.views.paths import paths_plot

    rows = []
    for setting, row in zip(settings_in(spec, over), results.rows, strict=True):
        source = candidate_of(course, spec, setting).source
        if why := why_no_path(source):
            raise ValueError(f"show: 'paths': {row.name}: {why}")
        assert isinstance(source, OfFunction)
        first = row.seeds[0]
        rows.append((source, path_of(row.name, first.path, first.diverged)))
    signs = signs_of([row.name for row in results.rows])
    yield from (paths_plot(plane, signs) for plane in planes_of(rows))


def mean_curve(row: Row) -> list[tuple[float, float]]:
    losses = [seed.losses for seed in row.seeds if not seed.diverged]
    means = losses[0] if len(losses) == 1 else map(mean, zip(*losses, strict=False))
    return [(float(k), loss) for k, loss in enumerate(means, 1)]


class RowDocument(Struct):
    """One row: what it changes, every measure seed by seed, as text where a number has no word in JSON, and the path of
    the two parameters of a function."""

    name: str
    settings: dict[str, str]
    measures: dict[str, list[float | str]]
    ended: list[str]
    curve: list[float]
    path: dict[str, list[float]] | UnsetType = UNSET


class ExperimentDocument(Struct, tag_field="kind", tag="experiment"):
    """An experiment with its rows; what is to be seen of its networks, in words."""

    name: str
    seeds: int
    measures: dict[str, str]
    rows: list[RowDocument]
    told: list[str]


class ComparedDocument(Result):
    """What `tutor compare LESSON/EXPERIMENT --json` prints."""

    lesson: str
    experiment: ExperimentDocument


def experiment_document(
    course: Course, name: str, spec: Experiment, results: Results, over: Mapping[str, Any] | None = None
) -> ExperimentDocument:
    rows = []
    for row in results.rows:
        each = {m: [_plain(one) for one in results.values()[f"{m}.{row.name}"]] for m in results.measures}
        curve = [loss for _, loss in mean_curve(row)]
        ended, path = [seed.ended for seed in row.seeds], row.seeds[0].path
        rows.append(RowDocument(row.name, dict(row.says), each, ended, curve, path or UNSET))
    told = plain_texts(network_blocks(course, spec, over))
    return ExperimentDocument(name, spec.seeds, dict(results.measures), rows, told)


def _plain(value: Any) -> float | str:
    return number(value) if isinstance(value, float) else float(value)
