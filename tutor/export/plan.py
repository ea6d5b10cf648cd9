"""What is to be exported: the network, its data and its last state, read off a saved run once for every library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tutor.errors import TutorError
from tutor.files import Kind
from tutor.formulas.code import Code, code_of
from tutor.maths.losses import LOSSES
from tutor.maths.optimizer import RATE, Variant
from tutor.maths.penalties import PENALTIES, Penalty
from tutor.maths.setting import numbers
from tutor.runs.run import Run
from tutor.training.architecture import Architecture
from tutor.training.matrix.optimizer import begins
from tutor.training.settings import Settings
from tutor.worksheet.problem import Training

if TYPE_CHECKING:
    from tutor.data.array_types import Stored

SCRIPT = Kind("a script", rb'"""A [\d-]+ network trained with tutor ')


@dataclass(frozen=True)
class Plan:
    """What a script is made from: the network, and where its training stands after `epochs` epochs.

    `vector` and each array of `state`, the optimizer's, have a number for every parameter, (parameters,); `shared` has
    its numbers for all parameters together, `running` the mean and the variance of each hidden weighted sum, (neurons,
    1), where there is batch normalization.
    """

    run: Run
    vector: Stored
    state: Mapping[str, Stored]
    shared: Mapping[str, float]
    running: list[tuple[Stored, Stored]]
    updates: int
    epochs: int

    @property
    def architecture(self) -> Architecture:
        return self.run.architecture

    @property
    def settings(self) -> Settings:
        return self.run.settings

    @cached_property
    def training(self) -> Training:
        return self.settings.training

    @property
    def penalties(self) -> Iterator[tuple[str, Penalty, list[Code]]]:
        """The strength of each penalty as a text, the penalty, and its settings; those that act by their slope."""
        after = self.training.proximal_penalties
        yield from self._penalties([name for name in self.settings.penalties if name not in after])

    def _penalties(self, names: Sequence[str]) -> Iterator[tuple[str, Penalty, list[Code]]]:
        for name in names:
            own = [code_of(float(n)) for n in self.training.numbers_of(name)]
            yield repr(self.settings.penalties[name]), PENALTIES[name], own

    def shrunk(self, w: str, module: Any) -> list[str]:
        """What soft-thresholding makes of a weight after a step, one penalty after the other, as texts."""
        rate, found = f"{RATE}_new" if RATE in self.variant.shared_state else RATE, []
        for strength, penalty, own in self._penalties(self.training.proximal_penalties):
            assert penalty.proximal is not None
            found.append(code_of(penalty.proximal(Code(w), Code(rate) * Code(strength), *own, module)).whole)
        return found

    @property
    def loss_numbers(self) -> list[Code]:
        """What the loss takes beside outputs and targets."""
        known = numbers(LOSSES[self.architecture.loss].settings, self.architecture.loss_setting)
        return [code_of(float(value)) for value in known.values()]

    @property
    def output_first(self) -> bool:
        """Whether each layer is changed before the error goes back through it."""
        return self.settings.learning.output_first

    @property
    def free(self) -> list[int]:
        """The layers that learn, counted from 0."""
        return [depth for depth in range(self.architecture.depth) if depth not in self.settings.learning.frozen]

    @property
    def variant(self) -> Variant:
        return self.training.variant


def plan_of(run: Run, weights: str) -> Plan:
    """The network as it is after the training, or, with `initial`, as it was before it."""
    if run.settings.rule == "perceptron":
        raise TutorError("the perceptron rule is no gradient descent; only networks trained by that are exported")
    architecture, training = run.architecture, run.settings.training
    variant = training.variant
    hidden = architecture.sizes[1:-1] if architecture.batch_norm else ()
    if weights == "initial":
        vector = run.states["initial"]["vector"]
        begun = {name: np.full(architecture.count, begins(training, value)) for name, value in variant.state.items()}
        shared = {name: begins(training, value) for name, value in variant.shared_state.items()}
        return Plan(run, vector, begun, shared, [(np.zeros(n), np.ones(n)) for n in hidden], 0, 0)
    found, epochs = run.trained
    try:
        if isinstance(found.get("states"), Mapping):
            found = {**found, **_by_array(architecture, [*variant.state], found["states"])}
        state = {name: np.ravel(found[f"state_{name}"]) for name in variant.state}
        shared = {name: float(found[name]) for name in variant.shared_state}
        running = [(np.ravel(found[f"mean_{k}"]), np.ravel(found[f"variance_{k}"])) for k in range(len(hidden))]
    except KeyError as error:
        raise TutorError(f"the saved run does not have {error}, which the next update needs") from None
    return Plan(run, found["vector"], state, shared, running, int(found["updates"]), epochs)


def _by_array(architecture: Architecture, names: Sequence[str], states: Mapping[str, float]) -> dict[str, Any]:
    """The states of straight-line code, a number each such as m_W1, as arrays in the order of the parameters."""
    order, weight, bias = [], count(1), count(1)
    for before, after in pairwise(architecture.sizes):
        for _ in range(after):
            order += [f"W{next(weight)}" for _ in range(before)] + [f"b{next(bias)}"]
    found = {name: [states.get(f"{name}_{p}", 0.0) for p in order] for name in names}  # a frozen one has no state
    return {**states, **{f"state_{name}": np.array(values) for name, values in found.items()}}
