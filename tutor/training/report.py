"""What is known of a training: what `tutor train --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from msgspec import Struct, field

from tutor.data.builtin import Data
from tutor.data.encoding import Encoding
from tutor.results import Result
from tutor.training import trainer as training
from tutor.training.layer_measures import LayerMeasures
from tutor.training.measures import Measures, measures_of
from tutor.training.preparation import Scaling
from tutor.training.trainer import Measurement, Trainer


class NetworkReport(Struct):
    """The network: its neurons layer by layer, inputs first, and the form in which its updates were worked out."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    parameters: int
    form: str


class DataReport(Struct, omit_defaults=True):
    """The data, how many examples each part of them has, and what was taken for what where that was a guess; the
    inputs by their names, where they are not the columns of the table themselves."""

    name: str
    examples: int
    training: int
    validation: int
    test: int
    classes: tuple[str, ...]
    remarks: tuple[str, ...]
    inputs: tuple[str, ...] = ()


class EpochReport(Struct):
    """One epoch: the mean loss of its examples, each before its update; what follows is measured after it."""

    epoch: int
    loss: float
    accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None


class AdviceReport(Struct):
    """What to try after a training: what kind of thing was seen, in words, and the commands."""

    kind: str
    seen: str
    commands: list[str]


class TrainingReport(Result, kw_only=True):
    """A training from its settings to its weights; `loss` is that of the last epoch, `parts` are measured at the end.

    `layers` has every layer before training and after each epoch, with --layers. What the weights alone do not say
    comes last: how examples are scaled, and, by layer, the running means and
    variances of batch normalization.
    """

    network: NetworkReport
    data: DataReport
    settings: dict[str, Any]
    arithmetic: str
    seed: int
    epochs: int
    updates: int
    seconds: float
    ended: str
    loss: float | None
    accuracy: float | None = None
    parts: dict[str, Measurement]
    measures: dict[str, Measures]
    history: list[EpochReport]
    layers: list[LayerMeasures] = field(default_factory=list)
    advice: AdviceReport | None = None
    weights: list[float]
    scaling: Scaling | None = None
    encoding: Encoding | None = None
    target_scaling: Scaling | None = None
    running: dict[str, list[float]] = field(default_factory=dict)


def epoch_reports(history: list[training.Epoch] | tuple[training.Epoch, ...]) -> list[EpochReport]:
    """Every epoch of a training."""
    return [EpochReport(e.number, e.loss, e.accuracy, e.validation_loss, e.validation_accuracy) for e in history]


def report(
    data: Data,
    trainer: Trainer,
    result: training.Result,
    advised: AdviceReport | None = None,
    layers: Sequence[LayerMeasures] = (),
) -> TrainingReport:
    """The training that has just ended, or was resumed without any epoch left, with its layers if they were watched."""
    architecture, settings, prepared, engine = trainer.architecture, trainer.settings, trainer.data, trainer.engine
    measured = trainer.measures()
    state = engine.state()
    return TrainingReport(
        network=NetworkReport(
            architecture.sizes, architecture.activations, architecture.loss, len(engine.vector), engine.name
        ),
        data=DataReport(
            data.name,
            len(data),
            len(prepared.train),
            len(prepared.validation),
            len(prepared.test),
            data.classes,
            (*data.remarks, *prepared.remarks),
            prepared.inputs if prepared.encoding is not None else (),
        ),
        settings={**asdict(settings), "learning_rate": float(settings.training.rate)},
        arithmetic=settings.arithmetic,
        seed=settings.seed,
        epochs=len(result.history),
        updates=engine.updates,
        seconds=result.seconds,
        ended=result.ended,
        loss=result.history[-1].loss if result.history else None,
        accuracy=measured["training"].accuracy if data.classes else None,
        parts=measured,
        measures=measures_of(trainer),
        history=epoch_reports(result.history),
        layers=list(layers),
        advice=advised,
        weights=[float(w) for w in engine.vector],
        scaling=prepared.scaling,
        encoding=prepared.encoding,
        target_scaling=prepared.target_scaling,
        running={n: array.ravel().tolist() for n, array in state.items() if n.startswith(("mean_", "variance_"))},
    )
