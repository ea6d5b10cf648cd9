"""What an experiment came to: for every setting the mean and the spread over its seeds, and which setting is best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from statistics import mean, stdev

from tutor.experiments.experiment import Outcome
from tutor.experiments.measures import NEVER, OF_LAYERS, Measure
from tutor.experiments.search import Setting
from tutor.experiments.tables import spelled
from tutor.training.settings import option
from tutor.training.trainer import UNLEARNED

_NOTHING = 1e-6
"""What a constant guess loses where all targets are alike, give or take rounding."""


@dataclass(frozen=True)
class MeanAndDeviation:
    """Mean x̄ = Σx/n and standard deviation √(Σ(x - x̄)²/(n - 1)) over the seeds, each rounded once.

    A single number has no deviation.
    """

    mean: float
    deviation: float | None


def mean_and_deviation(values: Sequence[float | None]) -> MeanAndDeviation | None:
    """Of those numbers that there are; None where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return MeanAndDeviation(float(mean(known)), float(stdev(known)) if len(known) > 1 else None)


@dataclass(frozen=True)
class Measured:
    """One measure over the runs that have it: how many these are, and in how many its target was never reached."""

    over_runs: MeanAndDeviation | None
    runs: int
    never: int


@dataclass(frozen=True)
class Summary:
    """One setting with its outcomes. Means are over those runs that did not diverge."""

    setting: Setting
    outcomes: tuple[Outcome, ...]
    complete: bool

    @property
    def labels(self) -> dict[str, str]:
        """Every varied option with its value, both as they are typed."""
        return {option(name)[2:]: spelled(value) for name, value in self.setting.items()}

    @property
    def diverged(self) -> int:
        return sum(outcome.diverged for outcome in self.outcomes)

    def of(self, measure: str) -> MeanAndDeviation | None:
        """`training_loss`, `validation_accuracy`, `epochs_done` or whatever number an outcome has."""
        return mean_and_deviation([getattr(outcome, measure) for outcome in self.outcomes if not outcome.diverged])

    def measured(self, measure: Measure) -> Measured:
        """A measure that was asked for; a share of all runs counts those that diverged, too."""
        runs = [one for one in self.outcomes if measure.kind.of_diverged or not one.diverged]
        values = [one.measured[measure] for one in runs if measure in one.measured]
        never = sum(value == NEVER for value in values)
        return Measured(mean_and_deviation([value for value in values if isfinite(value)]), len(values), never)

    def layers(self) -> list[dict[str, MeanAndDeviation | None]]:
        """What was measured of each layer at the end, by the name of the measure; nothing where nothing was."""
        known = [outcome.measured for outcome in self.outcomes if not outcome.diverged]
        found: list[dict[str, MeanAndDeviation | None]] = []
        for measure in filter(of_a_layer_at_the_end, known[0] if known else ()):
            while len(found) < measure.layer:
                found.append({})
            values = [measured[measure] for measured in known]
            name, _ = OF_LAYERS[measure.name]
            found[measure.layer - 1][name] = mean_and_deviation(
                [value if isfinite(value) else None for value in values]
            )
        return found

    def curve(self) -> list[float]:
        """The mean loss of each epoch, as far as all runs got that did not diverge."""
        losses = [[epoch.loss for epoch in outcome.history] for outcome in self.outcomes if not outcome.diverged]
        return [float(mean(at_once)) for at_once in zip(*losses, strict=False)]


def of_a_layer_at_the_end(measure: Measure) -> bool:
    return measure.layer > 0 and measure.epoch < 0


@dataclass(frozen=True)
class Comparison:
    """The summaries in the order of the settings, and the measure by which they are ranked; empty for none."""

    summaries: tuple[Summary, ...]
    ranked_by: str

    @property
    def complete(self) -> bool:
        return all(summary.complete for summary in self.summaries)

    @cached_property
    def ranking(self) -> list[int]:
        """The places of the settings, the best first: those that diverged less often, then those with the better mean.

        A setting without all of its runs, or of which every run diverged, has no rank.
        """
        ranked = []
        for place, summary in enumerate(self.summaries):
            found = summary.of(self.ranked_by) if self.ranked_by and summary.complete else None
            if found is not None:
                better = -found.mean if self.ranked_by.endswith("accuracy") else found.mean
                ranked.append((summary.diverged, better, place))
        return [place for *_, place in sorted(ranked)]

    @property
    def has_learned(self) -> bool:
        """Whether any run loses clearly less on its training part than a constant guess would, where one loses
        anything."""
        losses = [
            (outcome.training_loss, outcome.constant_loss)
            for summary in self.summaries
            for outcome in summary.outcomes
            if outcome.training_loss is not None and (outcome.constant_loss or 0.0) > _NOTHING
        ]
        return not losses or any(loss <= UNLEARNED * (constant or 0.0) for loss, constant in losses)

    @property
    def best(self) -> int | None:
        return self.ranking[0] if self.ranking else None


def compare(settings: Sequence[Setting], outcomes: Sequence[Outcome | None], ranked_by: str) -> Comparison:
    """Setting by setting; `outcomes` has as many runs for each as there are seeds."""
    seeds = len(outcomes) // len(settings)
    groups = [outcomes[start : start + seeds] for start in range(0, len(outcomes), seeds)]
    summaries = [
        Summary(setting, tuple(filter(None, group)), None not in group)
        for setting, group in zip(settings, groups, strict=True)
    ]
    return Comparison(tuple(summaries), ranked_by)
