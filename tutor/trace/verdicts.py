"""Every recorded array judged: by what follows from those above it, and by what is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tutor.trace.algebra import Role
from tutor.trace.replay import Step

RIGHT, CARRIED, WRONG, MISSING = "right", "carried", "wrong", "missing"


@dataclass(frozen=True)
class Judged:
    """A verdict, and the step whose numbers the array was compared with."""

    verdict: str
    truth: Step


def judged(step: Step) -> Mapping[Role, Judged]:
    """Each array that can be checked, in the order in which they are worked.

    What follows from an array that is not right, and is not right itself, is carried; who went on with other numbers
    than those that were recorded may be right all the same.
    """
    verdicts: dict[Role, Judged] = {}
    right: Step | None = None
    for role in (r for r in step.lines if step.is_known(r)):
        above = any(verdicts[r].verdict != RIGHT for r in _above(step, role) if r in verdicts)
        fits = step.fits(role)
        if above:
            right = right or step.right()
            if step.agrees(role, right):
                verdicts[role] = Judged(RIGHT, right)
                continue
        verdicts[role] = Judged((CARRIED if above else RIGHT) if fits else WRONG, step)
    return verdicts


def _above(step: Step, role: Role) -> set[Role]:
    """The recorded arrays on which one stands, directly or through others that are not recorded."""
    found, waiting = set[Role](), [role]
    while waiting:
        for r in step.inputs(waiting.pop()):
            if r not in found:
                found.add(r)
                if r not in step.by_role and r in step.equations:
                    waiting.append(r)
    return {r for r in found if r in step.by_role}
