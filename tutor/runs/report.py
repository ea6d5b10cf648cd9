"""What is known of predictions: what `tutor predict --json` prints."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType, field

from tutor.results import Result
from tutor.runs.predict import Predictions
from tutor.runs.run import Run
from tutor.training.measures import Measures


class PredictingNetwork(Struct):
    """The trained network: its neurons layer by layer, inputs first."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str


class NewData(Struct):
    """The new examples, and what was taken for what in them."""

    name: str
    examples: int
    remarks: Sequence[str]


class Prediction(Struct, omit_defaults=True, kw_only=True):
    """What the network says to one example: all of its outputs, and the class, where there are classes."""

    guess: str | None = field(default=None, name="class")
    outputs: list[float]


class PredictionReport(Result, kw_only=True):
    """Every prediction, and what is known of all of them together. `confusion` has a row a class and a column for what
    it was taken for; loss, accuracy, measures and confusion are over the examples whose answers are known."""

    network: PredictingNetwork
    data: NewData
    classes: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    loss: float | None
    accuracy: float | UnsetType | None = UNSET
    confusion: list[list[int]] | UnsetType = UNSET
    measures: Measures | None = None
    predictions: list[Prediction]


def report(run: Run, name: str, predictions: Predictions, remarks: Sequence[str]) -> PredictionReport:
    """What the network says to the examples of this name."""
    rows = predictions.outputs.T.tolist()
    made = PredictionReport(
        network=PredictingNetwork(run.architecture.sizes, run.architecture.activations, run.architecture.loss),
        data=NewData(name, len(rows), remarks),
        loss=predictions.loss,
        measures=predictions.measures,
        predictions=[
            Prediction(guess=next(iter(predictions.class_of(k)), None), outputs=row) for k, row in enumerate(rows)
        ],
    )
    if predictions.predicted is not None:
        made.classes, made.counts = predictions.classes, predictions.counts
        made.accuracy, made.confusion = predictions.accuracy, predictions.confusion
    return made
