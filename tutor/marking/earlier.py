"""Lines that still follow from what their writer had before: they are to be worked again, and are no mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tutor.marking.answer import WrittenNumber
from tutor.marking.degenerate import Degenerate
from tutor.marking.student import Working
from tutor.marking.verdict import CREDIT, Marker


class Following(NamedTuple):
    """The lines above, by their place, that have changed since; and whether there was nothing to show even then."""

    changed: Sequence[int]
    degenerate: bool


def still_following(
    working: Working, before: Iterable[Mapping[int, WrittenNumber]], wrong: Iterable[int], marker: Marker
) -> dict[int, Following]:
    """Of the lines that are wrong those that are right with the lines of an earlier sheet, the latest first."""
    following: dict[int, Following] = {}
    sheets = [Working(working.program, written, working.demands) for written in before]
    for place in wrong:
        written = working.written[place]
        for earlier in sheets:
            changed = _changed_above(working, earlier, place)
            if not changed:
                continue
            then = Working(working.program, {**earlier.written, place: written}, working.demands)
            if marker.verdict(then, place, written) in CREDIT:
                following[place] = Following(changed, place in Degenerate(then, marker).lines)
                break
    return following


def _changed_above(working: Working, earlier: Working, place: int) -> list[int]:
    """The nearest written lines above that are other than they were."""
    compiled, found = working.compiled, set[int]()
    waiting, seen = list(compiled.inputs[place]), set[int]()
    while waiting:
        x = waiting.pop()
        if x < compiled.first or x in seen:
            continue
        seen.add(x)
        if x not in working.written:
            waiting += compiled.inputs[x]
        elif working.written[x].value != earlier.values[x]:
            found.add(x)
    return sorted(found)
