"""Whoever measures while a training goes on, and once it is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tutor.errors import TutorError
from tutor.experiments.measures import OF_LAYERS, UNKNOWN, Measure, Observed, layer_lacking
from tutor.training.layer_measures import LayerWatcher

if TYPE_CHECKING:
    from tutor.training.layer_measures import LayerMeasures
    from tutor.training.trainer import Trainer


class Observer:
    """It is to be made before the first update."""

    def __init__(self, trainer: Trainer, measures: Sequence[Measure]) -> None:
        self.trainer, self.found = trainer, dict[Measure, float]()
        self.accuracies: list[float] = []
        self.of_layers = [one for one in measures if one.kind.of_layer]
        self.at_the_end = [one for one in measures if not one.kind.of_layer]
        self.right = any(one.name == "epochs_to_accuracy" for one in measures)
        if self.of_layers:
            self.layers = LayerWatcher(trainer)
            self._take(0)
        if self.right or any(one.epoch > 0 or one.name == "change_ratio" for one in self.of_layers):
            trainer.watchers.append(self._after)

    def _after(self, epoch: int) -> None:
        if self.right:
            self.accuracies.append(self.trainer.measure(self.trainer.data.train).accuracy or 0.0)
        self._take(epoch)

    def _take(self, epoch: int) -> None:
        """What is asked for after this epoch; a change is told against the epoch before."""
        changes = [one for one in self.of_layers if one.name == "change_ratio"]
        wanted = [one for one in self.of_layers if one.epoch == epoch]
        wanted += [one for one in changes if one.epoch == -1]
        if wanted or any(one.epoch == epoch + 1 for one in changes):
            self._measure(wanted, epoch)

    def _measure(self, measures: Sequence[Measure], epoch: int) -> None:
        layers = self.layers.measured(epoch)
        for one in measures:
            self.found[one] = of_layer(one, layers)

    def measured(self, outcome: Any) -> dict[Measure, float]:
        """Every measure, once the training is over."""
        wanted = [one for one in self.of_layers if one.epoch == -1 and one.name != "change_ratio"]
        if wanted:
            self._measure(wanted, len(outcome.history))
        trainer, done = self.trainer, tuple(self.accuracies)
        each = -(-len(trainer.data.train) // trainer.settings.batch_size)
        observed = Observed(outcome, trainer.engine.updates, each, len(trainer.engine.vector), trainer, done)
        return {**dict.fromkeys(self.of_layers, UNKNOWN), **self.found, **at_the_end(self.at_the_end, observed)}


def at_the_end(measures: Sequence[Measure], observed: Observed) -> dict[Measure, float]:
    """What a training that is over comes to by each of these measures of the whole."""
    return {one: one.kind.value(observed, one) for one in measures if one.kind.value is not None}


def of_layer(measure: Measure, layers: Sequence[LayerMeasures]) -> float:
    """One measure of one of these layers. Raises TutorError where the network has no such layer, or the layer no such
    measure."""
    if why := layer_lacking(measure, len(layers)):
        raise TutorError(why)
    field, _ = OF_LAYERS[measure.name]
    value = getattr(layers[(measure.layer or len(layers)) - 1], field)
    return UNKNOWN if value is None else float(value)
