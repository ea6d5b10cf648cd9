"""An experiment of a lesson: its trainings, by the engine of `tutor compare`, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from itertools import product
from math import isfinite, isinf
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from tutor.course.format import Experiment
from tutor.course.kept import Kept, data_files, kept
from tutor.course.read import Block, Course
from tutor.course.values import Infinite
from tutor.errors import TutorError
from tutor.experiments.measures import UNKNOWN, Measure, read_measure

if TYPE_CHECKING:
    from tutor.experiments.candidates import Candidate
    from tutor.experiments.experiment import Run

_ENGINE = ("maths", "numbers", "data", "training", "experiments", "worksheet", "formulas")
"""The folders of the program whose change may change what a training comes to."""
Watch = Callable[[int], None]
Watched = Callable[[int], AbstractContextManager[Watch]]
"""For so many trainings, what is to be called with how many more have ended while they run."""
T = TypeVar("T")


class Seed(Struct, frozen=True):
    """One training: its losses epoch by epoch, with accuracy and the held-out part where these were measured, what was
    measured of it, by the name that the lesson gives each measure, and the path of the parameters of a function."""

    seed: int
    ended: str
    diverged: bool
    losses: list[float]
    accuracies: list[float | None]
    held_out: list[float | None]
    measured: dict[str, float]
    path: dict[str, list[float]] = {}


class Row(Struct, frozen=True):
    """One setting of an experiment with all of its seeds."""

    name: str
    says: dict[str, str]
    seeds: list[Seed]


class Results(Struct, frozen=True):
    """What an experiment came to."""

    measures: dict[str, str]
    rows: list[Row]

    def values(self) -> dict[str, tuple[Any, ...]]:
        """Every measure of every row by `measure.row`, seed by seed: exactly as computed; infinite for a target that
        was never reached, and for the loss of a training that diverged."""
        found: dict[str, tuple[Any, ...]] = {}
        for row in self.rows:
            for measure in self.measures:
                target = bool(read_measure(self.measures[measure]).kind.needs)
                found[f"{measure}.{row.name}"] = tuple(_exact(seed.measured[measure], target) for seed in row.seeds)
        return found

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)


def _exact(value: float, target: bool) -> Any:
    if isfinite(value):
        return Fraction(value)
    return Infinite(value) if isinf(value) and not target else value


class Setting(Struct, frozen=True):
    """A row before it is trained: its name, what it says of itself, where its examples come from, and its settings."""

    name: str
    says: Mapping[str, str]
    data: str
    worksheet: str
    given: Mapping[str, Any]


def settings_in(spec: Experiment, over: Mapping[str, Any] | None = None) -> list[Setting]:
    """The rows, or every combination of what is to vary; `over` are settings that overrule the lesson's own."""
    from tutor.experiments.tables import settings_of, spelled
    from tutor.training.settings import option

    base = settings_of(spec.settings)
    found = []
    for name, row in (spec.rows or {"": {}}).items():
        own = settings_of(row)
        says = {option(key)[2:]: spelled(value) for key, value in own.items()}
        says |= {key: str(row[key]) for key in ("data", "worksheet") if key in row}
        worksheet = row.get("worksheet", "" if "data" in row else spec.worksheet)
        data = row.get("data", "" if worksheet else spec.data)
        found.append(Setting(name or "all", says, data, worksheet, {**base, **own, **(over or {})}))
    if not spec.vary:
        return found
    names, lists = list(spec.vary), list(spec.vary.values())
    combined = []
    for number, values in enumerate(product(*lists), 1):
        own = settings_of(dict(zip(names, values, strict=True)))
        says = {option(key)[2:]: spelled(value) for key, value in own.items()}
        combined.append(Setting(f"v{number}", says, spec.data, spec.worksheet, {**base, **own, **(over or {})}))
    return combined


USUAL = ("loss", "accuracy")


def measures_of(spec: Experiment) -> dict[str, Measure]:
    """What is measured: the loss, and the accuracy where there are classes, unless the lesson says what."""
    wanted = spec.measure or {name: name for name in USUAL}
    return {name: read_measure(text) for name, text in wanted.items()}


def candidate_of(course: Course, spec: Experiment, setting: Setting) -> Candidate:
    """One row as `tutor compare` has it. Raises TutorError for what cannot be trained."""
    from tutor.experiments.candidates import candidate
    from tutor.experiments.experiment import Source

    worksheet = setting.worksheet
    source = course.text.worksheet(worksheet) if worksheet else Source(setting.data, spec.label)
    return candidate(source, worksheet or setting.data, setting.given, {})


def results_of(
    course: Course,
    block: Block,
    watched: Watched = lambda count: nullcontext(lambda done: None),
    over: Mapping[str, Any] | None = None,
    jobs: int = 1,
    cluster: str | None = None,
) -> Results:
    """What the experiment came to, from the cache where it is there. Raises TutorError, with its place, for what
    cannot be trained."""
    spec: Experiment = block.spec
    place = kept_training(course, spec, settings_in(spec, over), Results, [spec.measure])
    found = place.read()
    if found is None:
        from tutor.experiments.experiment import run_all

        with watched(count_of(spec)) as watch:
            found = _computed(course, block, over, lambda runs: run_all(runs, jobs, watch, cluster))
        place.write(found)
    return found


def kept_training(
    course: Course, spec: Experiment, settings: Sequence[Setting], shape: type[T], also: Sequence[Any]
) -> Kept[T]:
    """The place of what is known of trainings with these settings: it depends on them, on the worksheets and files that
    they speak of, on what is asked for `also`, and on the engine."""
    parts = [spec.seeds, spec.label, [(s.name, s.data, dict(s.given)) for s in settings], *also]
    parts += [course.text.tables(s.worksheet) for s in settings if s.worksheet]
    return kept(course.name, shape, [*parts, *data_files(s.data for s in settings)], _ENGINE)


def with_seeds(block: Block, seeds: int) -> Block:
    """The same experiment with so many seeds."""
    return msgspec.structs.replace(block, spec=msgspec.structs.replace(block.spec, seeds=seeds))


def count_of(spec: Experiment) -> int:
    """How many trainings there are."""
    return len(settings_in(spec)) * spec.seeds


def _computed(
    course: Course, block: Block, over: Mapping[str, Any] | None, engine: Callable[[Sequence[Run]], Sequence[Any]]
) -> Results:
    from tutor.experiments.resampling import decomposed

    spec: Experiment = block.spec
    rows, candidates = [], []
    for setting in settings_in(spec, over):
        try:
            candidates.append(candidate_of(course, spec, setting))
        except TutorError as error:
            raise TutorError(f"{block.place.of([setting.name])}: {setting.name}: {error}") from None
    known = _measured_of(block, candidates)
    outcomes = decomposed(
        engine([run for one in candidates for run in one.runs(spec.seeds, [*known.values()])]), spec.seeds
    )
    if None in outcomes:
        raise KeyboardInterrupt
    seeds = [_seed(outcome, known) for outcome in outcomes]
    for k, setting in enumerate(settings_in(spec, over)):
        rows.append(Row(setting.name, dict(setting.says), seeds[k * spec.seeds : (k + 1) * spec.seeds]))
    return Results({name: (spec.measure or {}).get(name, name) for name in known}, rows)


def _measured_of(block: Block, candidates: Sequence[Candidate]) -> dict[str, Measure]:
    """The measures of the experiment, by the names that the lesson gives them; of those that are taken where nothing is
    said only what its rows have. Raises TutorError, with its place, for one that none of the rows has."""
    found = {}
    for name, measure in measures_of(block.spec).items():
        lacking = [one.subject.lacks(measure) for one in candidates]
        if not all(lacking):
            found[name] = measure
        elif block.spec.measure:
            raise TutorError(f"{block.place.of([name])}: measure.{name}: {lacking[0]}")
    return found


def _seed(outcome: Any, measures: Mapping[str, Measure]) -> Seed:
    return Seed(
        outcome.seed,
        outcome.ended,
        outcome.diverged,
        [epoch.loss for epoch in outcome.history],
        [epoch.accuracy for epoch in outcome.history],
        [epoch.validation_loss for epoch in outcome.history],
        {name: outcome.measured.get(measure, UNKNOWN) for name, measure in measures.items()},
        {name: list(values) for name, values in outcome.path.items()},
    )
