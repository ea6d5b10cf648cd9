"""What a mistake of a program is: a way to rewrite equations between arrays as they are with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tutor.trace.algebra import Node, Ref, Role, rewritten
from tutor.trace.equations import Network
from tutor.trace.replay import Step, Unknown

Array = Any


@dataclass(frozen=True)
class Situation:
    """A step as it stands: the network, its equations with the story so far, and the arrays of the step before."""

    network: Network
    step: Step
    before: Mapping[Role, Array]

    @property
    def last(self) -> int:
        return self.network.depth

    @cached_property
    def ratios(self) -> dict[Role, float]:
        """Of arrays that go wrong by one factor throughout: recorded over what it should be."""
        found = {}
        for role in self.step.lines:
            if self.step.is_known(role) and not self.step.fits(role):
                ratio = _ratio(self.step.value(role).value, self.step.own(role).value)
                if ratio is not None:
                    found[role] = ratio
        return found


def _ratio(recorded: Array, own: Array) -> float | None:
    if np.shape(recorded) != np.shape(own) or not np.any(own) or not np.all(np.isfinite(recorded)):
        return None
    place = np.unravel_index(np.argmax(np.abs(own)), np.shape(own))
    return float(recorded[place] / own[place])


class Rewriting(NamedTuple):
    """The equation with the mistake. What is done in the same `manner` in several equations is one mistake; `detail`
    fills the `{}` of the message."""

    manner: str
    node: Node
    detail: str = ""


Rewritings = Callable[[Situation, Role, Node], Iterator[Rewriting]]


@dataclass(frozen=True)
class Mistake:
    """`message` says what happened, `numpy` and `pytorch` what to look for in code. With `together` it is made in all
    equations of its manner or not at all; `only` is the scope in which it has this name, where another has its own."""

    id: str
    message: str
    numpy: str
    pytorch: str
    rewritings: Rewritings
    together: bool = False
    only: str = ""


def swapped(node: Node, tag: str, other: Callable[[Node], Node]) -> Iterator[Node]:
    """The equation with another part where one has this tag; nothing where none has."""
    made = rewritten(node, lambda n: other(n) if n.tag == tag else None)
    if made is not node:
        yield made


def swapped_ref(node: Node, role: Role, other: Node) -> Iterator[Node]:
    """The equation with something else in the place of an array; nothing where this is that array, or it has none."""
    made = rewritten(node, lambda n: other if isinstance(n, Ref) and n.role == role else None)
    if made is not node and other != Ref(role):
        yield made


def recorded_value(situation: Situation, role: Role) -> Array | None:
    try:
        return situation.step.value(role).value
    except Unknown:
        return None
