"""A training made once more, for what there is to be seen of its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tutor.errors import TutorError
from tutor.experiments.experiment import OfFunction, Run
from tutor.training.layer_measures import LayerMeasures, watch_layers
from tutor.training.plane import Plane, why_no_plane
from tutor.training.results import plane
from tutor.training.trainer import Checkpoints

if TYPE_CHECKING:
    from tutor.training.trainer import Trainer


class Ended(Struct, frozen=True):
    """What a training left of its network: the states after the epochs asked for, before the first and in the end,
    which is after the `last`; `layers` are those in the end, where they were asked for."""

    states: dict[str, dict[str, Any]]
    last: int
    diverged: bool
    layers: list[LayerMeasures]


@dataclass(frozen=True)
class Trained:
    """A row of an experiment with one seed: the trainer, and what its training left."""

    name: str
    trainer: Trainer
    ended: Ended

    @property
    def last(self) -> int:
        return self.ended.last

    @property
    def about(self) -> str:
        """Which training it was."""
        return f"seed {self.trainer.settings.seed}{', which diverged' if self.ended.diverged else ''}"

    @property
    def lacks(self) -> str:
        """Why there is no plane to be drawn; empty where there is one."""
        data = self.trainer.data
        why = why_no_plane(data.x.shape[1], data.classes)
        return f"{self.name}: {why}" if why else ""

    def has(self, epoch: int) -> bool:
        """Whether it is known where the network stood after the epoch."""
        return str(epoch) in self.ended.states

    def restore(self, epoch: int) -> None:
        """Take the network back to where it stood after the epoch. Raises KeyError, TypeError or ValueError where that
        is a state of another network."""
        self.trainer.engine.restore(self.ended.states[str(epoch)])

    def plane(self, epoch: int) -> Plane | None:
        """Where the network stood after the epoch; None where there is no plane."""
        self.restore(epoch)
        found = plane(self.trainer)
        if found is None:
            return None

        def cells(columns: int, rows: int) -> Any:
            self.restore(epoch)
            return found.cells(columns, rows)

        told = "before training" if epoch == 0 else f"after epoch {epoch}"
        return replace(found, title=told, cells=cells, about=self.about)


def set_up(run: Run) -> Trainer:
    """The network of a row, ready to be trained."""
    if isinstance(run.source, OfFunction):
        raise TutorError("a function that is minimised has no network to be looked at; its path can be drawn")
    return run.trainer()


def train(trainer: Trainer, epochs: Sequence[int] = (), layers: bool = False) -> Ended:
    """Train the network, and keep its states after these epochs and in the end, with or without its layers."""
    states = {0: _plain(trainer.engine.state())}
    seen = watch_layers(trainer) if layers else []

    def keep(result: Any) -> None:
        if len(result.history) in epochs:
            states[len(result.history)] = _plain(trainer.engine.state())

    trainer.checkpoints = Checkpoints(1, keep) if epochs else None
    result = trainer.run()
    if result.interrupted:
        raise KeyboardInterrupt
    last = len(result.history)
    states[last] = _plain(trainer.engine.state())
    at_the_end = [one for one in seen if one.epoch == seen[-1].epoch]
    return Ended({str(epoch): state for epoch, state in states.items()}, last, result.diverged, at_the_end)


def _plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state with lists in the place of arrays."""
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in state.items()}
