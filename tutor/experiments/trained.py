"""A training made once more, for what there is to be seen of its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tutor.errors import TutorError
from tutor.experiments.experiment import OfFunction, Run
from tutor.training.layer_measures import LayerMeasures, watch_layers
from tutor.training.results import Plane, plane, why_no_plane
from tutor.training.trainer import Checkpoints

if TYPE_CHECKING:
    from tutor.training.trainer import Trainer


@dataclass(frozen=True)
class Trained:
    """A row of an experiment trained with one seed: the network as it was in the end and after the epochs asked for;
    `layers` are those in the end, where they were asked for."""

    name: str
    trainer: Trainer
    states: Mapping[int, Any]
    last: int
    diverged: bool
    layers: Sequence[LayerMeasures] = ()

    @property
    def about(self) -> str:
        """Which training it was."""
        return f"seed {self.trainer.settings.seed}{', which diverged' if self.diverged else ''}"

    @property
    def lacks(self) -> str:
        """Why there is no plane to be drawn; empty where there is one."""
        data = self.trainer.data
        why = why_no_plane(data.x.shape[1], data.classes)
        return f"{self.name}: {why}" if why else ""

    def plane(self, epoch: int) -> Plane | None:
        """Where the network stood after the epoch; None where there is no plane."""
        engine, state = self.trainer.engine, self.states[epoch]
        engine.restore(state)
        found = plane(self.trainer)
        if found is None:
            return None

        def cells(columns: int, rows: int) -> Any:
            engine.restore(state)
            return found.cells(columns, rows)

        told = "before training" if epoch == 0 else f"after epoch {epoch}"
        return replace(found, title=told, cells=cells, about=self.about)


def trained(name: str, run: Run, epochs: Sequence[int] = (), layers: bool = False) -> Trained:
    """The training of this row, and the network after these epochs and in the end, with or without its layers."""
    if isinstance(run.source, OfFunction):
        raise TutorError("a function that is minimised has no network to be looked at; its path can be drawn")
    trainer = run.trainer()
    states = {0: trainer.engine.state()}
    seen = watch_layers(trainer) if layers else []

    def keep(result: Any) -> None:
        if len(result.history) in epochs:
            states[len(result.history)] = trainer.engine.state()

    trainer.checkpoints = Checkpoints(1, keep) if epochs else None
    result = trainer.run()
    if result.interrupted:
        raise KeyboardInterrupt
    last = len(result.history)
    states[last] = trainer.engine.state()
    at_the_end = [one for one in seen if one.epoch == seen[-1].epoch]
    return Trained(name, trainer, states, last, result.diverged, at_the_end)
