"""Cross-validation: as many trainings as there are folds, each measured on the fold that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from tutor.data.builtin import Data
from tutor.data.sampling import permutation, random_bits
from tutor.errors import TutorError, counted
from tutor.experiments.summary import MeanAndDeviation, mean_and_deviation
from tutor.results import Result
from tutor.training.measures import ClassMeasures, Measures, measures_of
from tutor.training.settings import Settings, option
from tutor.training.setup import set_up

if TYPE_CHECKING:
    from tutor.data.array_types import Indices
    from tutor.training.preparation import Parts

FEWEST, MOST = 2, 1_000
_HELD_OUT = ("validation", "test", "patience")
_OF_CLASSES = ("accuracy", "baseline_accuracy", "balanced_accuracy", "roc_auc")
_OF_VALUES = ("rmse", "baseline_rmse", "mae", "baseline_mae", "r2")


class FoldReport(Struct):
    """One training, and the measures of its network on the fold that it has not seen; null where it diverged."""

    fold: int
    training: int
    held_out: int
    ended: str
    loss: float | None
    measures: Measures | None


class FoldsReport(Result, kw_only=True):
    """A cross-validation: every fold, and every measure over all of them that did not diverge."""

    data: str
    examples: int
    classes: tuple[str, ...]
    remarks: tuple[str, ...]
    sizes: tuple[int, ...]
    settings: dict[str, Any]
    folds: list[FoldReport]
    over_folds: dict[str, MeanAndDeviation]
    better: int
    baseline: str
    complete: bool


def check_folds(count: int, settings: Settings) -> None:
    """Raises TutorError where the folds do not go with the other settings."""
    if not FEWEST <= count <= MOST:
        raise TutorError(f"--folds is from {FEWEST} to {MOST:,}, not {count}")
    for name in _HELD_OUT:
        if getattr(settings, name):
            raise TutorError(f"--folds holds out every example once; leave out {option(name)}")


def folds_of(data: Data, count: int, seed: int) -> list[Parts]:
    """The indices of the training and the held-out examples of each fold, which is nearly as large as the others; so is
    its share of every class. Raises TutorError where there are too few examples."""
    if count > len(data):
        raise TutorError(f"{data.name} has {counted(len(data), 'example')}, too few for {count} folds")
    order = permutation(random_bits(seed, "split", 0, len(data)))
    groups = [order[data.y[order] == c] for c in range(len(data.classes))] if data.classes else [order]
    dealt = np.concatenate(groups)
    none: Indices = order[:0]
    held = [np.sort(dealt[k::count]) for k in range(count)]
    return [(np.setdiff1d(order, places), none, places) for places in held]


def cross_validated(data: Data, settings: Settings, count: int, watch: Callable[[int], None]) -> FoldsReport:
    """Train and measure fold by fold; Ctrl-C ends it with those that are finished."""
    check_folds(count, settings)
    reports: list[FoldReport] = []
    remarks = dict.fromkeys(data.remarks)
    sizes: tuple[int, ...] = ()
    interrupted = False
    for number, parts in enumerate(folds_of(data, count, settings.seed), 1):
        trainer = set_up(replace(data, x=data.x.copy()), settings, parts)  # a training may scale them where they stand
        result = trainer.run(lambda epoch: watch(0))
        if interrupted := result.interrupted:
            break
        sizes = sizes or trainer.architecture.sizes
        remarks |= dict.fromkeys(trainer.data.remarks)
        places = (len(parts[0]), len(parts[2]))
        if result.diverged:
            reports.append(FoldReport(number, *places, result.ended, None, None))
        else:
            loss, own = trainer.measure(parts[2]).loss, measures_of(trainer)["test"]
            reports.append(FoldReport(number, *places, result.ended, loss, own))
        watch(1)
    measured = [fold.measures for fold in reports if fold.measures is not None]
    return FoldsReport(
        data=data.name,
        examples=len(data),
        classes=data.classes,
        remarks=tuple(remarks),
        sizes=sizes,
        settings={**asdict(settings), "learning_rate": float(settings.training.rate)},
        folds=reports,
        over_folds=_over_folds(reports, measured),
        better=sum(one.verdict == "better than" for one in measured),
        baseline="always saying the commonest class" if data.classes else "predicting the mean",
        complete=not interrupted,
    )


def _over_folds(folds: Sequence[FoldReport], measured: Sequence[Measures]) -> dict[str, MeanAndDeviation]:
    values: dict[str, list[float | None]] = {"loss": [fold.loss for fold in folds]}
    for one in measured:
        own = {name: getattr(one, name) for name in (_OF_CLASSES if isinstance(one, ClassMeasures) else _OF_VALUES)}
        if isinstance(one, ClassMeasures):
            own |= {"macro_f1": one.macro.f1}
        for name, value in own.items():
            values.setdefault(name, []).append(value)
    every = {name: mean_and_deviation(over_folds) for name, over_folds in values.items()}
    return {name: one for name, one in every.items() if one is not None}
