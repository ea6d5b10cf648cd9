"""How good a network is: errors in the unit of the values, rates by class, and what a guess without a network gives.

All sums are exact and rounded once, so the same outputs give the same bits everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, isfinite, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from tutor.training.calibration import Calibration, calibration
from tutor.training.preparation import PreparedData
from tutor.training.trainer import Trainer

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Indices, Mask

PROBABLE = ("sigmoid", "softmax")
"""Activations of the output that make probabilities of classes."""
BETTER, SAME, WORSE, UNKNOWN = "better than", "no better than", "worse than", "not to be compared with"
ABOUT = "about as good as"
_FEW, _SMALL = 2, 0.05
"""How many examples more or fewer that are right make no difference, where they are but so small a share of all."""


class OutputMeasures(Struct):
    """One value to predict: the root of the mean squared error, the mean absolute error, and R², the share of the
    variance that is explained, which is null where there is none; then both errors of predicting the mean."""

    name: str
    rmse: float
    mae: float
    r2: float | None
    baseline_rmse: float
    baseline_mae: float


class ValueMeasures(Struct, tag="values", tag_field="of"):
    """Values to predict; with several outputs `rmse`, `mae` and `r2` are the means of theirs. The baseline predicts the
    mean of the training part for every example, and `verdict` says how the network does beside it."""

    rmse: float
    mae: float
    r2: float | None
    baseline: str
    baseline_rmse: float
    baseline_mae: float
    verdict: str
    outputs: list[OutputMeasures]


class ClassMeasure(Struct):
    """One class. Precision is the share of the examples taken for it that are of it, recall the share of its examples
    that are taken for it, F1 the harmonic mean of both; ROC-AUC how often the output of one of its examples is above
    that of another one. What would divide by 0 is null."""

    name: str
    examples: int
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None


class Macro(Struct):
    """The plain means over the classes that have examples; the precision of one that is never guessed counts 0."""

    precision: float
    recall: float
    f1: float


class ClassMeasures(Struct, tag="classes", tag_field="of"):
    """Classes to tell apart; balanced accuracy is the macro recall, `roc_auc` the mean of the classes that have
    examples. The baseline says the commonest class of the training part to every example. Where outputs are
    probabilities, `calibration` says whether they hold."""

    accuracy: float
    balanced_accuracy: float
    macro: Macro
    roc_auc: float | None
    baseline: str
    baseline_accuracy: float
    verdict: str
    classes: list[ClassMeasure]
    calibration: Calibration | None = None


Measures = ClassMeasures | ValueMeasures


def measures_of(trainer: Trainer) -> dict[str, Measures]:
    """What the network, as it is now, comes to on every part of its data."""
    return {part: of_part(trainer, indices) for part, indices in trainer.data.parts.items()}


def of_part(trainer: Trainer, indices: Indices) -> Measures:
    """What it comes to on these examples."""
    data = trainer.data
    with np.errstate(all="ignore"):
        outputs = trainer.engine.outputs(data.rows, indices).astype(np.float64)
    if data.classes:
        common = int(np.argmax(guess_of(data)))
        y = data.y[indices].astype(np.int64)
        probable = trainer.architecture.activations[-1] in PROBABLE
        return of_classes(y, data.predicted_classes(outputs), outputs, data.classes, common, probable)
    if data.target_scaling is not None:
        outputs = data.target_scaling.in_units(outputs)
    values = data.y[indices].reshape(len(indices), -1).T.astype(np.float64)
    return of_values(values, outputs, guess_of(data), data.outputs)


def guess_of(data: PreparedData) -> tuple[float, ...]:
    """What a guess without a network goes by: the share of each class in the training part, or the mean of each
    value."""
    y = data.y[data.train]
    if data.classes:
        counts = np.bincount(y.astype(np.int64), minlength=len(data.classes))
        return tuple((counts / counts.sum()).tolist())
    return tuple(means_of(y.reshape(len(y), -1).T.astype(np.float64)))


def majority(y: Indices, count: int) -> int:
    """The commonest of so many classes, the first one of several."""
    return int(np.bincount(y, minlength=count).argmax())


def means_of(values: Floats) -> list[float]:
    """The mean of each row, (outputs, examples)."""
    return [_mean(row) for row in values]


def _mean(values: Floats) -> float:
    try:
        return fsum(values.tolist()) / len(values)
    except (OverflowError, ValueError):
        return nan


def of_values(y: Floats, outputs: Floats, means: Sequence[float], names: Sequence[str] = ()) -> ValueMeasures:
    """For values and outputs of (outputs, examples), beside predicting these means."""
    called = names if len(names) == len(y) else [f"output {k}" for k in range(1, len(y) + 1)]
    each = [_of_output(*one) for one in zip(called, y, outputs, means, strict=True)]
    explained = [one.r2 for one in each if one.r2 is not None]
    rmse, baseline = (fsum(values) / len(each) for values in ([o.rmse for o in each], [o.baseline_rmse for o in each]))
    worse = sum(one.rmse > one.baseline_rmse for one in each)
    sides = {_compared(one.baseline_rmse, one.rmse) for one in each}
    return ValueMeasures(
        rmse=rmse,
        mae=fsum(one.mae for one in each) / len(each),
        r2=fsum(explained) / len(explained) if explained else None,
        baseline="predicting the mean",
        baseline_rmse=baseline,
        baseline_mae=fsum(one.baseline_mae for one in each) / len(each),
        verdict=sides.pop() if len(sides) == 1 else f"for {worse} of {len(each)} outputs {WORSE}",
        outputs=each,
    )


def _of_output(name: str, y: Floats, output: Floats, mean: float) -> OutputMeasures:
    own = _mean(y)
    with np.errstate(all="ignore"):
        off, from_mean, from_own_mean = output - y, mean - y, y - own
        squares, variance = _mean(off * off), _mean(from_own_mean * from_own_mean)
        baseline = sqrt(_mean(from_mean * from_mean))
    r2 = 1 - squares / variance if variance > 0 else None
    return OutputMeasures(name, sqrt(squares), _mean(np.abs(off)), r2, baseline, _mean(np.abs(from_mean)))


def _compared(less: float, more: float) -> str:
    """How the network does where the second number is an error and the first that of the baseline, or the first is how
    often it is right."""
    if not (isfinite(less) and isfinite(more)):
        return UNKNOWN
    return BETTER if more < less else WORSE if more > less else SAME


def _compared_by_count(right: int, by_guess: int, examples: int) -> str:
    """How the network does that is right so often, beside a guess."""
    apart = abs(right - by_guess)
    return ABOUT if 0 < apart <= min(_FEW, _SMALL * examples) else _compared(right, by_guess)


def of_classes(
    y: Indices, guessed: Indices, outputs: Floats, classes: Sequence[str], common: int, probable: bool = False
) -> ClassMeasures:
    """For the numbers of the classes, (examples,), those that were guessed, and the outputs, (outputs, examples),
    beside saying `common` to every example; `probable` outputs are probabilities."""
    count = len(classes)
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (y, guessed), 1)
    right, there, taken = (values.tolist() for values in (np.diag(table), table.sum(axis=1), table.sum(axis=0)))
    scores = outputs if len(outputs) > 1 else np.concatenate([-outputs, outputs])
    each = [
        ClassMeasure(
            name,
            there[k],
            _share(right[k], taken[k]),
            _share(right[k], there[k]),
            _share(2 * right[k], there[k] + taken[k]),
            roc_auc(scores[k], y == k),
        )
        for k, name in enumerate(classes)
    ]
    met = [one for k, one in enumerate(each) if there[k]]
    macro = Macro(*(fsum(getattr(one, of) or 0.0 for one in met) / len(met) for of in ("precision", "recall", "f1")))
    areas = [one.roc_auc for one in each if one.roc_auc is not None]
    accuracy, baseline = sum(right) / len(y), there[common] / len(y)
    return ClassMeasures(
        accuracy=accuracy,
        balanced_accuracy=macro.recall,
        macro=macro,
        roc_auc=fsum(areas) / len(areas) if areas else None,
        baseline=f"always saying {classes[common]}",
        baseline_accuracy=baseline,
        verdict=_compared_by_count(sum(right), there[common], len(y)),
        classes=each,
        calibration=calibration(outputs, y == guessed) if probable else None,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def roc_auc(scores: Floats, positive: Mask) -> float | None:
    """The area under the curve of true by false positives: the share of the pairs of a positive and a negative example
    in which the positive one has the higher score, ties counting half (Mann and Whitney 1947). None without a pair."""
    ups, downs = int(positive.sum()), int((~positive).sum())
    if not ups or not downs or not np.isfinite(scores).all():
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    twice_ranks = 2 * np.cumsum(counts) - counts + 1  # of each score, the sum of its first and its last rank
    over = int(twice_ranks[place[positive]].sum()) - ups * (ups + 1)
    return over / (2 * ups * downs)
