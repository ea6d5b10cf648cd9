"""What is said about a step; the rest is found in its arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tutor.errors import TutorError, nearest
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES
from tutor.trace.precision import PRECISIONS


@dataclass(frozen=True)
class Options:
    """What is said about a step, as `tutor train` says it; empty where it is to be found."""

    activation: str = ""
    output_activation: str = ""
    loss: str = ""
    loss_setting: Mapping[str, float] = field(default_factory=dict)
    optimizer: str = ""
    learning_rate: float | None = None
    optimizer_setting: Mapping[str, Any] = field(default_factory=dict)
    penalties: Mapping[str, float] = field(default_factory=dict)
    penalty_setting: Mapping[str, float] = field(default_factory=dict)
    dropout: float = 0.0
    examples: str = ""
    weights: str = ""
    precision: str = ""
    update: int | None = None
    gaps: frozenset[int] = frozenset()
    """The layers behind which something stands that is not known: what comes out of it is taken as it is recorded."""
    open: bool = False
    """Whether something of that kind stands behind each layer whose outputs no activation explains."""
    decay: float = 0.0
    """What an optimizer adds of each parameter to its gradient, as `weight_decay` does in PyTorch."""

    def check(self) -> None:
        """Raises TutorError for a word that nothing is called, and for numbers that cannot be meant."""
        sloping = [name for name, entry in ACTIVATIONS.items() if entry.slope]
        for name in filter(None, self.activation.split(",")):
            _known(name, sloping, "activation")
        _known(self.output_activation, [*sloping, *VECTOR_ACTIVATIONS], "output activation")
        _known(self.loss, LOSSES, "loss")
        _known(self.optimizer, OPTIMIZERS, "optimizer")
        _known(self.precision, PRECISIONS, "precision")
        _known(self.examples, ("rows", "columns"), "way to lay out examples")
        _known(self.weights, ("in-out", "out-in"), "way to lay out weights")
        for name, strength in self.penalties.items():
            _known(name, PENALTIES, "penalty")
            if not (np.isfinite(strength) and strength >= 0):
                raise TutorError(f"{name}: the strength of a penalty is a number from 0 on")
        if not 0 <= self.dropout < 1:
            raise TutorError("dropout is a share from 0 to below 1")
        if self.learning_rate is not None and not (np.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise TutorError("the learning rate is a number above 0")
        if self.update is not None and self.update < 1:
            raise TutorError("updates are counted from 1")


def _known(word: str, valid: Iterable[str], kind: str) -> None:
    if word and word not in valid:
        raise TutorError(f"unknown {kind} {word[:60]!r}{nearest(word, list(valid))}")
