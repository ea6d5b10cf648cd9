"""Marking: every answer of a sheet against the key and against what the writer's own lines lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from tutor.arithmetic import decimals
from tutor.homework.compiled import Compiled
from tutor.homework.demand import DEFAULT, Demand
from tutor.homework.program import Program
from tutor.homework.standing import Standing
from tutor.homework.verdict import Line
from tutor.homework.written import Written, read_written
from tutor.worksheet.step import Worksheet

_ENOUGH = DEFAULT.significant or 2


class Mark(NamedTuple):
    """The verdict on one answer. `own` is what the writer's own earlier lines lead to, None where to no value."""

    name: str
    answer: str
    key: Decimal
    own: Decimal | None
    verdict: str


class Marker:
    """Marks sheets of one worksheet. Whatever is the same for all of them is made once."""

    def __init__(
        self, worksheet: Worksheet, demands: Mapping[str, Demand] | None = None, compiled: Compiled | None = None
    ) -> None:
        self.program = Program(worksheet, compiled)
        self.demands = demands or {}
        names, before = self.program.names, self.program.compiled.before
        wanted = [self.demands.get(name, DEFAULT) for name in names]
        self._demands = wanted
        self._plain = [demand is DEFAULT and old is None for demand, old in zip(wanted, before, strict=True)]

    def mark(self, answers: Sequence[tuple[str, str]]) -> list[Mark]:
        """A mark for each (name, text), in the order given.

        Where one quantity is answered more than once, the last readable answer counts for the lines that follow.
        """
        with decimals.precision(self.program.digits):
            read = [_read(text) for _, text in answers]
            places = [self.program.places[name] for name, _ in answers]
            standing = Standing(self.program, {p: w for p, w in zip(places, read, strict=True) if w is not None})
            return [
                self.mark_one(standing, place, text, written)
                for place, (_, text), written in zip(places, answers, read, strict=True)
            ]

    def mark_one(self, standing: Standing, place: int, text: str, written: Written | None) -> Mark:
        program = self.program
        key = program.key[place]
        if written is None:
            verdict = "unreadable" if text.strip() else "missing"
        elif self._plain[place] and written.digits >= _ENOUGH and abs(written.value - key) <= written.half:
            verdict = "correct"  # most answers of most sheets, without a further thought
        else:
            verdict = Line(standing, place, written, self._demands[place]).verdict()
        return Mark(program.names[place], text, key, standing.own[place], verdict)


def _read(text: str) -> Written | None:
    """The number written, None for what is not one."""
    try:
        return read_written(text)
    except ValueError:
        return None
