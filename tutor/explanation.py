"""The simplest story that leads to what somebody has: the mistake that explains most, then the next one.

It does not matter here what the lines are, numbers or arrays, nor what a mistake changes: whoever knows says which
mistakes could be made now, and for each which lines it explains and which it breaks.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Mistake = TypeVar("Mistake")
Line = TypeVar("Line", bound=Hashable)


@dataclass(frozen=True)
class Trial(Generic[Mistake, Line]):
    """What a mistake would come to: the lines that are wrong without it and right with it, and how many it breaks.
    `rank` orders what explains equally well, the more usual first."""

    mistake: Mistake
    rank: tuple[int, ...]
    explained: frozenset[Line]
    broken: int = 0

    @property
    def gain(self) -> int:
        return len(self.explained) - self.broken


@dataclass(frozen=True)
class Explanation(Generic[Mistake, Line]):
    """A mistake of a story, the lines that it explains, and others that explain the same ones just as well."""

    mistake: Mistake
    explained: frozenset[Line]
    also: tuple[Mistake, ...]


class Evidence(Protocol[Mistake, Line]):
    """The lines as they are, and all that has been put in so far."""

    wrong: set[Line]
    """The lines that go wrong with the story so far."""

    def trials(self) -> Iterable[Trial[Mistake, Line]]:
        """The mistakes that could be next, those that are worth it."""

    def put_in(self, mistake: Mistake) -> None:
        """Take the mistake for made, and see anew what goes wrong."""


def simplest_explanation(evidence: Evidence[Mistake, Line], most: int) -> list[Explanation[Mistake, Line]]:
    """At most so many mistakes, the one that explains most first."""
    found: list[Explanation[Mistake, Line]] = []
    while evidence.wrong and len(found) < most:
        trials = sorted(evidence.trials(), key=lambda trial: (-trial.gain, trial.rank))
        if not trials:
            break
        best = trials[0]
        also = [t.mistake for t in trials[1:] if t.gain == best.gain and t.explained == best.explained]
        found.append(Explanation(best.mistake, best.explained, tuple(also)))
        evidence.put_in(best.mistake)
    return found
