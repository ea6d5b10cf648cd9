"""The two nouns of the whole program: a Step is one named equation, a Worksheet is givens and steps in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from tutor.errors import TutorError, nearest
from tutor.formulas.expressions import names
from tutor.maths.kind import Kind
from tutor.worksheet.named_network import NamedNetwork

Expr = Any  # SymPy has no types
GOAL = "E"
"""The error, which is differentiated where a lesson does not name anything else."""

STAGES = {
    "forward": "Forward pass: from the inputs to the outputs",
    "loss": "Loss: how far the outputs are from the targets",
    "partial": "Partial derivatives: every factor of the chain rule",
    "gradient": "Gradients: the chain rule",
    "update": "Update: a step against the gradient",
    "after": "The same forward pass with the new weights",
}


def check_stages(words: Iterable[str]) -> tuple[str, ...]:
    """The stages asked for. Raises TutorError for a word that is none."""
    stages = tuple(words)
    for stage in stages:
        if stage not in STAGES:
            raise TutorError(f"there is no stage {stage!r}{nearest(stage, STAGES)}")
    return stages


class Step(Struct, frozen=True):
    """One equation `name` = `formula` over earlier names.

    `kind` says what it is, `which` of its kind where there are several; `reason` says it to people, in any words.
    `slopes` has the derivative of the formula by some of its names, in the form in which it is taught; any
    other is derived. `partial_of` is set on a local partial derivative: (A, B) for dA/dB. `before` names the
    quantity that this one replaces: the old weight of an updated one. `part` is the headline under which the step
    belongs where a worksheet has several rounds: which update, which example.
    """

    name: str
    stage: str
    kind: Kind
    formula: Expr
    reason: str
    which: str = ""
    slopes: Mapping[str, Expr] = field(default_factory=dict)
    bridge: tuple[tuple[str, Expr], ...] = ()
    partial_of: tuple[str, str] | None = None
    before: str | None = None
    part: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names in the formula, in reading order."""
        return names(self.formula)


def by_stage(steps: Sequence[Step]) -> dict[str, list[str]]:
    """The names of the steps, stage by stage."""
    return {stage: [step.name for step in steps if step.stage == stage] for stage in STAGES}


def check_names(givens: Iterable[str], steps: Iterable[Step]) -> None:
    """Raises TutorError where two quantities would share a name."""
    seen: set[str] = set()
    for name in (*givens, *(step.name for step in steps)):
        if name in seen:
            raise TutorError(f"two quantities are called {name!r}; give one of them another name")
        seen.add(name)


def merged(*parts: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """All the given values. Raises ValueError where two of them share a name."""
    found: dict[str, Fraction] = {}
    for part in parts:
        for name, value in part.items():
            if name in found:
                raise ValueError(f"two quantities are called {name!r}; give one of them another name")
            found[name] = value
    return found


class Conventions(Struct, frozen=True):
    """What a reader must know to get the same numbers.

    `forms` says in words which form of the optimizer it is, where there are several. `clips` names the givens
    that are limits of clipping; `rates` has the learning rate of a layer as a multiple of eta. `ended` is what came of
    it where that is a result and no convention: when the perceptron rule found no error left.
    """

    loss: str
    loss_factor: str
    reduction: str
    batch: str
    bias_policy: str
    optimizer: str
    chain: str
    forms: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    schedule: str = ""
    schedule_settings: Mapping[str, Fraction] = field(default_factory=dict)
    rates: Mapping[str, Fraction] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    ended: str = ""


class Worksheet(Struct, frozen=True, dict=True):
    """Givens and steps; `goal` is the quantity that the gradients differentiate, of several updates that of the first;
    `objective` is its formula where it is no step: the sum of seed·output where the gradients arrive from above.

    `gradients` has every gradient as (its name, what is differentiated, by what).
    `updated` pairs every parameter with its last new value, `outcomes` every error with the one after the updates.
    `network` describes the connections where the steps come from a network. Raises TutorError where two quantities
    would share a name.
    """

    givens: Mapping[str, Fraction]
    steps: tuple[Step, ...]
    conventions: Conventions
    goal: str = GOAL
    network: NamedNetwork | None = None
    updated: tuple[tuple[str, str], ...] = ()
    outcomes: tuple[tuple[str, str], ...] = ()
    gradients: tuple[tuple[str, str, str], ...] = ()
    objective: Step | None = None

    def __post_init__(self) -> None:
        check_names(self.givens, self.steps)

    @cached_property
    def by_name(self) -> Mapping[str, Step]:
        return {step.name: step for step in self.steps}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everything on the worksheet that has a value, givens first."""
        return (*self.givens, *self.by_name)

    @property
    def without_gradient(self) -> str:
        """What to say to somebody who asks for a gradient: that there is none, and why. Empty where there are some."""
        if any(step.stage in ("partial", "gradient") for step in self.steps):
            return ""
        why = "; ".join(self.conventions.remarks)
        return f"there is no gradient on this worksheet{f' ({why})' if why else ''}"

    @cached_property
    def evaluation(self) -> Any:
        """The values, and how a difference was found to be 0: an Evaluation."""
        from tutor.worksheet.values import evaluate_steps

        return evaluate_steps(self.givens, self.steps)

    @property
    def values(self) -> Mapping[str, Any]:
        """The exact value of every name: a Fraction, or an mpmath number with at least 30 correct digits."""
        values: Mapping[str, Any] = self.evaluation.values
        return values

    @property
    def zeros(self) -> Mapping[str, int | None]:
        """The steps in which the terms of a sum cancel, each with as many digits as were found to do so; None where it
        is proved that all do."""
        zeros: Mapping[str, int | None] = self.evaluation.zeros
        return zeros

    @cached_property
    def users(self) -> Mapping[str, tuple[str, ...]]:
        """For each name the steps that have it in their formula."""
        found: dict[str, list[str]] = {name: [] for name in self.names}
        for step in self.steps:
            for name in step.inputs:
                found[name].append(step.name)
        return {name: tuple(users) for name, users in found.items()}
