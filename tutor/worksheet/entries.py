"""One entry of a registry, as a person looks it up: its formula, derivative and values at a few points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tutor.arithmetic.symbolic import formula, number, symbol
from tutor.errors import TutorError, nearest
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS, Activation
from tutor.maths.initializers import INITIALIZERS
from tutor.maths.losses import LOSSES, Loss
from tutor.maths.normalizers import NORMALIZERS
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES, Penalty
from tutor.maths.schedules import SCHEDULES
from tutor.worksheet.derivation import simplest
from tutor.worksheet.step import Step

REGISTRIES: Mapping[str, Mapping[str, Any]] = {
    "activation": {**ACTIVATIONS, **VECTOR_ACTIVATIONS},
    "loss": LOSSES,
    "penalty": PENALTIES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "initializer": INITIALIZERS,
    "normalizer": NORMALIZERS,
}
POINTS = tuple(map(Fraction, ("-2", "-1", "-0.5", "0", "0.5", "1", "2")))
PROBABILITIES = tuple(map(Fraction, ("0.01", "0.1", "0.5", "0.9", "0.99")))


@dataclass(frozen=True)
class Curve:
    """A function of one quantity that can be derived, tabled and drawn; `derivative` is None where there is none.

    At the `corner` there is no derivative either, whatever programs take for it.
    """

    step: Step
    variable: str
    derivative: Any
    points: tuple[Fraction, ...]
    value: Callable[[Any, Any], Any]
    span: tuple[float, float]
    corner: Fraction | None = None


def find_entry(name: str) -> tuple[str, Any]:
    """The kind and the entry called `name`; `loss:x` or `schedule:step` where several kinds share a name."""
    wanted_kind, _, word = name.lower().rpartition(":")
    found = [(kind, entries[word]) for kind, entries in REGISTRIES.items() if word in entries]
    if wanted_kind:
        found = [(kind, entry) for kind, entry in found if kind == wanted_kind]
    if len(found) > 1:
        choices = " or ".join(f"{kind}:{word}" for kind, _ in found)
        raise TutorError(f"{word!r} is more than one thing; write {choices}")
    if not found:
        every = [entry for entries in REGISTRIES.values() for entry in entries]
        raise TutorError(f"there is nothing called {name!r}{nearest(word, every)}")
    return found[0]


def curve_of(kind: str, entry: Any) -> Curve | None:
    """The entry as a function to look at: of z, of an output for a target of 1, or of a weight."""
    if isinstance(entry, Activation):
        return _activation_curve(entry)
    if isinstance(entry, Loss):
        return _loss_curve(entry)
    if isinstance(entry, Penalty):
        w = symbol("w")
        step = Step("R", "loss", formula(entry.term, w), "penalty", slopes={"w": formula(entry.slope, w)})
        corner = None if entry.corner is None else Fraction(entry.corner)
        return Curve(step, "w", formula(entry.slope, w), POINTS, lambda x, m: entry.term(x, m), (-3, 3), corner)
    return None


def _activation_curve(entry: Activation) -> Curve:
    z, a = symbol("z"), symbol("a")
    extra = (number(Fraction(entry.default)),) if entry.parameter else ()
    slope = formula(entry.slope, z, a, *extra) if entry.slope else None
    bridge = tuple((why, formula(body, z)) for why, body in entry.bridge)
    step = Step("a", "forward", formula(entry.value, z, *extra), entry.name,
                slopes={} if slope is None else {"z": slope}, bridge=bridge)  # fmt: skip
    plain = (float(entry.default),) if entry.parameter else ()
    corner = None if entry.corner is None else Fraction(entry.corner)
    return Curve(step, "z", slope, POINTS, lambda x, m: entry.value(x, *plain, m), (-5, 5), corner)


def _loss_curve(entry: Loss) -> Curve:
    y, one = symbol("y"), number(Fraction(1))
    step = Step("E", "loss", formula(entry.term, y, one), entry.name)
    probability = bool(entry.output)
    points, span = (PROBABILITIES, (0.01, 0.99)) if probability else (POINTS, (-1.0, 3.0))
    return Curve(step, "y", simplest(step, "y"), points, lambda x, m: entry.term(x, 1, m), span)
