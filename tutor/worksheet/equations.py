"""The equations of a lesson as steps: indices filled in, those of one `for` worked together, formulas read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, groupby
from typing import Any

from tutor.arithmetic.symbolic import names, written_size
from tutor.worksheet.indices import Indices, Room, filled_name, spread, written_loops
from tutor.worksheet.parse import parse
from tutor.worksheet.problem import Equation, Problem
from tutor.worksheet.step import Step
from tutor.worksheet.syntax import bases

MOST_STEPS = 20_000
MOST_PARTS = 300_000
"""The names, numbers and operations in all equations of a lesson."""
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Filled:
    """One equation at one value of its indices; `number` counts the [[equations]] of the file from 1."""

    number: int
    equation: Equation
    name: str
    at: Indices

    @property
    def place(self) -> str:
        return f"equation {self.number}, {self.name!r}"


def equation_steps(problem: Problem) -> list[Step]:
    """The equations in order, each over the givens and the ones before it. Raises ValueError with the place."""
    groups = list(_groups(problem.equations))
    known = _all_names(problem.givens, (filled for group in groups for filled in group))
    room = Room(MOST_PARTS, f"the formulas of a lesson have at most {MOST_PARTS:,} parts together; shorten a range")
    done, steps, size = set(problem.givens), [], 0
    for group in groups:
        for filled, formula in _sorted([(filled, _read(filled, known, room)) for filled in group]):
            if later := next((name for name in names(formula) if name not in done), None):
                when = "what this equation defines" if later == filled.name else "defined only further on"
                raise ValueError(f"{filled.place}: {later} is {when}; use what stands before it")
            size += written_size(formula)
            if size > MOST_PARTS:
                whole = f"by here the equations have {size:,} parts; they may have {MOST_PARTS:,}"
                raise ValueError(f"{filled.place}: {whole}")
            steps.append(Step(filled.name, "forward", formula, "equation"))
            done.add(filled.name)
    return steps


def _groups(equations: Sequence[Equation]) -> Iterator[list[Filled]]:
    """All equations with their indices filled in. Neighbours with the same `for` are worked together, index value by
    index value, so that each may need the others at the value before."""
    enough = f"a worksheet takes at most {MOST_STEPS:,} steps"
    room, values = Room(MOST_STEPS, enough), Room(4 * MOST_STEPS, enough)
    for _, numbered in groupby(zip(count(1), equations, strict=False), key=lambda pair: [*pair[1].ranges.items()]):
        members = list(numbered)
        number, equation = members[0]
        group: list[Filled] = []
        try:
            for at in spread(written_loops(equation.ranges), {}, values):
                for number, equation in members:
                    room.take()
                    group.append(Filled(number, equation, filled_name(equation.name, at), at))
            if not group:
                raise ValueError("`for` goes over no value at all; write a range as in 1..3")
        except ValueError as error:
            raise ValueError(f"equation {number}, {equation.name[:LONGEST_NAME]!r}: {error}") from None
        yield group


def _all_names(givens: Iterable[str], equations: Iterable[Filled]) -> frozenset[str]:
    """Everything that a formula may use. Raises ValueError where two quantities, or one and an index, share a name."""
    known: dict[str, int] = dict.fromkeys(givens, 0)
    indices: dict[str, Filled] = {}
    for filled in equations:
        if len(filled.name) > LONGEST_NAME:
            raise ValueError(f"equation {filled.number}: a name has at most {LONGEST_NAME} characters")
        if known.get(filled.name) == filled.number:
            raise ValueError(
                f"{filled.place}: the name is the same for several values of `for`; write each index in it, as in "
                f"{filled.name.partition('[')[0]}[{','.join(filled.at)}]"
            )
        if filled.name in known:
            raise ValueError(
                f"{filled.place}: two quantities are called {filled.name!r}; give one of them another name"
            )
        known[filled.name] = filled.number
        indices |= dict.fromkeys(filled.at, filled)
    every = frozenset(known)
    taken = bases(every)
    for index, filled in indices.items():
        if index in every or index in taken:
            raise ValueError(f"{filled.place}: the index {index!r} has the name of a quantity; take another letter")
    return every


def _read(filled: Filled, known: frozenset[str], room: Room) -> Any:
    try:
        return parse(filled.equation.formula, known, filled.at, room)
    except ValueError as error:
        raise ValueError(f"{filled.place}: {error}") from None


def _sorted(group: Sequence[tuple[Filled, Any]]) -> Iterator[tuple[Filled, Any]]:
    """The equations as they stand, except that each waits for those of the group that it needs."""
    places = {filled.name: place for place, (filled, _) in enumerate(group)}
    missing = [{places[n] for n in names(f) if n in places} - {place} for place, (_, f) in enumerate(group)]
    waiting: dict[int, list[int]] = {}
    for place, needed in enumerate(missing):
        for other in needed:
            waiting.setdefault(other, []).append(place)
    ready = [place for place, needed in enumerate(missing) if not needed]
    left = set(range(len(group)))
    while ready:
        done = heappop(ready)
        left.remove(done)
        yield group[done]
        for place in waiting.get(done, ()):
            missing[place].remove(done)
            if not missing[place]:
                heappush(ready, place)
    yield from (group[place] for place in sorted(left))  # they need one another, which is told where they are read
