"""What an experiment came to: what `tutor compare --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec import field as msgspec_field

from tutor.experiments.differences import Difference, against_the_best
from tutor.experiments.experiment import Outcome
from tutor.experiments.measures import NEVER, Measure
from tutor.experiments.paths import Plane as Paths
from tutor.experiments.summary import Comparison, MeanAndDeviation, Measured, Summary
from tutor.results import Result
from tutor.training.plane import Plane
from tutor.training.report import EpochReport, epoch_reports
from tutor.training.settings import Settings
from tutor.training.trainer import Measurement


@dataclass(frozen=True)
class About:
    """What was compared: the data, the settings that all runs share, the search, the runs of each setting, the names
    of what varies, whether times are shown, and what there is to remark; why none is called best, whether functions are
    minimised, without any network, which measures are to be columns, whether layers are shown, which pictures are
    drawn, the paths of functions of two parameters, and the planes of networks of two inputs."""

    data: str
    base: Settings
    search: str
    seeds: int
    varied: Sequence[str]
    times: bool
    remarks: Sequence[str] = ()
    unranked: str = ""
    of_functions: bool = False
    columns: Sequence[Measure] = ()
    layers: bool = False
    drawn: Sequence[str] = ("curves",)
    paths: Sequence[Paths] = ()
    planes: Sequence[Plane] = ()


@dataclass(frozen=True)
class Final:
    """The command that trains the best setting, word by word, and what came out on the test part, if anything did."""

    command: Sequence[str] = field(default_factory=list)
    tested: Measurement | None = None


class MeasureReport(Struct):
    """Mean and deviation over the runs that have the measure, and how many `never` reached its target."""

    mean: float | None
    deviation: float | None
    never: int


class SummaryReport(Struct, kw_only=True):
    """Mean and deviation over the runs of a setting that did not diverge, and their mean loss, epoch by epoch; the
    `measures` are those of --columns."""

    runs: int
    diverged: int
    training_loss: MeanAndDeviation | None
    training_accuracy: MeanAndDeviation | None
    validation_loss: MeanAndDeviation | None
    validation_accuracy: MeanAndDeviation | None
    epochs_done: MeanAndDeviation | None
    seconds: MeanAndDeviation | UnsetType | None = UNSET
    curve: list[float]
    measures: dict[str, MeasureReport] | UnsetType = UNSET


class RunReport(Struct, kw_only=True):
    """One training; losses and accuracies are those of the network at its end. `measures` are those of --columns: null
    where there is none, "never" for a target that was not reached; `path` is that of two parameters of a function."""

    seed: int
    training_loss: float | None
    training_accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    epochs_done: int
    diverged: bool
    ended: str
    seconds: float | UnsetType = UNSET
    history: list[EpochReport]
    path: dict[str, list[float]] | UnsetType = UNSET
    measures: dict[str, float | str | None] | UnsetType = UNSET


class SettingReport(Struct):
    """One setting: the values of what varies, all of its runs together, and each by itself; with --layers every layer
    of the network at the end, mean and deviation over the runs."""

    settings: dict[str, Any]
    summary: SummaryReport
    runs: list[RunReport]
    layers: list[dict[str, Any]] | UnsetType = UNSET


class ComparisonReport(Result):
    """All settings; `best` is the place of the best one, `test` what it came to on the test part. `differences` are
    those of the others from the best, paired by seed, with the interval of Student's t and a sign test."""

    data: str
    remarks: Sequence[str]
    arithmetic: str
    search: str
    varied: Sequence[str]
    seeds: list[int]
    complete: bool
    spread: str
    ranked_by: str | None
    best: int | None
    command: str | None
    test: Measurement | None
    settings: list[SettingReport]
    differences: list[Difference] = msgspec_field(default_factory=list)


def report(about: About, comparison: Comparison, final: Final) -> ComparisonReport:
    """The whole experiment."""
    return ComparisonReport(
        data=about.data,
        remarks=about.remarks,
        arithmetic=about.base.arithmetic,
        search=about.search,
        varied=about.varied,
        seeds=[about.base.seed + k for k in range(about.seeds)],
        complete=comparison.complete,
        spread="standard deviation, n - 1",
        ranked_by=comparison.ranked_by or None,
        best=comparison.best,
        command=" ".join(final.command) or None,
        test=final.tested,
        settings=[_setting(summary, about) for summary in comparison.summaries],
        differences=against_the_best(comparison),
    )


def _setting(summary: Summary, about: About) -> SettingReport:
    times = about.times
    measured = {measure.text: summary.measured(measure) for measure in about.columns}
    together = SummaryReport(
        runs=len(summary.outcomes),
        diverged=summary.diverged,
        training_loss=summary.of("training_loss"),
        training_accuracy=summary.of("training_accuracy"),
        validation_loss=summary.of("validation_loss"),
        validation_accuracy=summary.of("validation_accuracy"),
        epochs_done=summary.of("epochs_done"),
        seconds=summary.of("seconds") if times else UNSET,
        curve=summary.curve(),
        measures={name: _measure(one) for name, one in measured.items()} or UNSET,
    )
    layers = [{"layer": number, **one} for number, one in enumerate(summary.layers(), 1)] if about.layers else []
    runs = [_run(outcome, about) for outcome in summary.outcomes]
    return SettingReport(dict(summary.setting), together, runs, layers or UNSET)


def _measure(measured: Measured) -> MeasureReport:
    if measured.over_runs is None:
        return MeasureReport(None, None, measured.never)
    return MeasureReport(measured.over_runs.mean, measured.over_runs.deviation, measured.never)


def plain(value: float | None) -> float | str | None:
    """A measure of a run: "never" for a target that was not reached, None where there is no number."""
    if value is None or isnan(value):
        return None
    return "never" if value == NEVER else value


def _run(outcome: Outcome, about: About) -> RunReport:
    return RunReport(
        seed=outcome.seed,
        training_loss=outcome.training_loss,
        training_accuracy=outcome.training_accuracy,
        validation_loss=outcome.validation_loss,
        validation_accuracy=outcome.validation_accuracy,
        epochs_done=outcome.epochs_done,
        diverged=outcome.diverged,
        ended=outcome.ended,
        seconds=outcome.seconds if about.times else UNSET,
        history=epoch_reports(outcome.history),
        path={name: list(values) for name, values in outcome.path.items()} or UNSET,
        measures={one.text: plain(outcome.measured.get(one)) for one in about.columns} or UNSET,
    )
