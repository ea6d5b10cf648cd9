"""A problem up to its loss: what every kind of problem comes to, before anything is differentiated or updated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from msgspec import Struct, field

from tutor.worksheet.named_network import NamedNetwork
from tutor.worksheet.problem import Optimization
from tutor.worksheet.step import Conventions, Step

Expr = Any


class ForwardPass(Struct, frozen=True):
    """The forward steps of one update, to the loss, and what of them is differentiated: each of the `errors`.

    `goal` is the error of the whole. With a `share` it is that much of the sum of the errors, those of the examples of
    a batch, and so are its gradients. `objective` stands for a goal that is no step, whose derivatives are given.
    For the delta rule `deltas` has the name of delta for every weighted sum; for the perceptron rule `moves` has what
    moves each parameter, to be multiplied by the learning rate.
    """

    goal: str
    steps: Sequence[Step]
    errors: Sequence[str] = ()
    share: Fraction | None = None
    objective: Step | None = None
    deltas: Mapping[str, str] = field(default_factory=dict)
    moves: Mapping[str, Sequence[Expr]] = field(default_factory=dict)


class PlannedUpdate(NamedTuple):
    """An update that is to be made: by which of the forward passes, under which headline, in which epoch (from 0)."""

    forward: int
    part: str
    epoch: int


class TrainingState(Struct, frozen=True):
    """Where in a training a worksheet begins: after so many `updates`, in which `epoch` (from 0), and the values that
    parameters and the optimizer's states have by then, where they are no longer those of the beginning."""

    updates: int = 0
    epoch: int = 0
    values: Mapping[str, Fraction] = field(default_factory=dict)


class Descent(Struct, frozen=True):
    """How the parameters change, update after update, and what is worked once `again` after that.

    `place` is what a lesson calls it, `compared` has the errors that are told before and after. `factors` has the
    learning rate of a parameter as a multiple of eta, where it is one; penalties that act after a step do so on the
    parameters in `shrunk`. `given` names givens of which each update has its own. With `numbered` quantities have the
    number of their update even where there is only one.
    """

    optimization: Optimization
    place: str
    planned: Sequence[PlannedUpdate]
    training_state: TrainingState
    again: Sequence[Step] = ()
    compared: Iterable[str] = ()
    factors: Mapping[str, Fraction] = field(default_factory=dict)
    shrunk: Sequence[str] = ()
    given: Sequence[str] = ()
    numbered: bool = False


class Computation(Struct, frozen=True):
    """Givens in groups, the forward passes, each once, and by what their errors are differentiated; without a
    `descent` there is one pass, after which nothing changes."""

    givens: Sequence[Mapping[str, Fraction]]
    forwards: Sequence[ForwardPass]
    wrt: Sequence[str]
    conventions: Conventions
    network: NamedNetwork | None = None
    descent: Descent | None = None
