"""The equations of a lesson as steps: indices filled in, those of one index worked together, formulas read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, groupby, product
from math import prod
from operator import itemgetter
from typing import Any

from tutor.arithmetic.symbolic import written_size
from tutor.worksheet.parse import parse
from tutor.worksheet.problem import Equation, Problem
from tutor.worksheet.step import Step

Expr = Any
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\[[0-9]+\])?")
_INDEX = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"(-?[0-9]{1,4})\.\.(-?[0-9]{1,4})")
MOST_STEPS = 20_000
MOST_PARTS = 300_000
"""The names, numbers and operations in all equations of a lesson."""


@dataclass(frozen=True, slots=True)
class Written:
    """One equation with its indices filled in; `number` counts the [[equations]] of the file from 1."""

    number: int
    name: str
    formula: str

    @property
    def words(self) -> set[str]:
        """Whatever in the formula may be a name."""
        return set(re.findall(NAME, self.formula))


def equation_steps(problem: Problem) -> list[Step]:
    """The equations in order, each over the givens and the ones before it. Raises ValueError with the place."""
    known, steps, size = set(problem.givens), [], 0
    written = list(_in_order(problem.equations))
    names = {equation.name for equation in written}
    for equation in written:
        place = f"equation {equation.number}, {equation.name!r}"
        if not NAME.fullmatch(equation.name) or len(equation.name) > 60:
            raise ValueError(f"{place}: a name has letters, digits and _, and perhaps an index as in h[2]")
        if equation.name in known:
            raise ValueError(f"{place}: two quantities are called {equation.name!r}; give one of them another name")
        try:
            formula = _read(equation, known)
            size += written_size(formula)
        except ValueError as error:
            later = sorted(equation.words & (names - known))
            hint = f" ({later[0]} is defined only further on)" if later else ""
            raise ValueError(f"{place}: {error}{hint}") from None
        if size > MOST_PARTS:
            raise ValueError(f"{place}: by here the equations have {size:,} parts; they may have {MOST_PARTS:,}")
        steps.append(Step(equation.name, "forward", formula, "equation"))
        known.add(equation.name)
    return steps


def _read(equation: Written, known: set[str]) -> Expr:
    """The formula. It is read over the names that stand in it: all names would take longer with every equation."""
    try:
        return parse(equation.formula, known & equation.words)
    except ValueError:
        return parse(equation.formula, known)  # which can say what name was meant


def _in_order(equations: Sequence[Equation]) -> Iterator[Written]:
    """All equations with their indices filled in. Neighbours with the same `for` are worked together, index value by
    index value, so that each may need the others at the value before."""
    spans = [_span(equation) for equation in equations]
    if sum(prod(map(len, span.values())) for span in spans) > MOST_STEPS:
        raise ValueError(f"a worksheet takes at most {MOST_STEPS:,} steps")
    for span, group in groupby(zip(count(1), equations, spans), key=itemgetter(2)):
        members = list(group)
        filled = [
            Written(number, _with_indices(equation.name, at), _with_indices(equation.formula, at))
            for at in (dict(zip(span, values, strict=True)) for values in product(*span.values()))
            for number, equation, _ in members
        ]
        yield from _sorted(filled) if span else filled


def _sorted(group: Sequence[Written]) -> Iterator[Written]:
    """The equations as they stand, except that each waits for those of the group that it needs."""
    places = {equation.name: place for place, equation in enumerate(group)}
    missing = [{places[w] for w in e.words & places.keys()} - {place} for place, e in enumerate(group)]
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
    yield from (group[place] for place in sorted(left))  # they need one another; the reader of formulas says so


def _span(equation: Equation) -> dict[str, range]:
    """The values of each index of `for`."""
    found = {}
    for name, text in equation.ranges.items():
        span = _RANGE.fullmatch(text.strip())
        if not span or int(span[1]) > int(span[2]):
            raise ValueError(f'equation {equation.name!r}: a range is written as in t = "1..3", not {text!r}')
        found[name] = range(int(span[1]), int(span[2]) + 1)
    return found


def _with_indices(text: str, at: Mapping[str, int]) -> str:
    """The text with every index worked out: h[t-1] is h[2] for t = 3."""

    def index(match: re.Match[str]) -> str:
        inside = match[1].replace(" ", "")
        found = re.fullmatch(r"([A-Za-z_]\w*|[0-9]{1,4})(?:([+-])([0-9]{1,4}))?", inside)
        if not found or (not found[1].isdigit() and found[1] not in at):
            raise ValueError(f"[{match[1]}] is not an index; write a number, or {', '.join(at) or 'an index of `for`'}")
        start = int(found[1]) if found[1].isdigit() else at[found[1]]
        shift = int(found[3] or 0) * (-1 if found[2] == "-" else 1)
        return f"[{start + shift}]"

    return _INDEX.sub(index, text)
