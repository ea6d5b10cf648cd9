"""Marking: every answer of a sheet against the key and against what the writer's own lines lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from tutor.arithmetic import decimals
from tutor.homework.compiled import Compiled
from tutor.homework.demand import DEFAULT, Demand
from tutor.homework.machine import as_computed
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

    def mark(self, answers: Sequence[tuple[str, str]], formulas: Mapping[str, Written] | None = None) -> list[Mark]:
        """A mark for each (name, text), in the order given; what a machine computed is read to the digits it gives.

        `formulas` has the number that each answer gives which is a formula. Where one quantity is answered more than
        once, the last readable answer counts for the lines that follow.
        """
        with decimals.precision(self.program.digits):
            texts = [(self.program.places[name], text) for name, text in answers]
            read = [(formulas or {}).get(text) or _read(text) for _, text in answers]
            written = {place: w for (place, _), w in zip(texts, read, strict=True) if w is not None}
            standing = as_computed(Standing(self.program, written))
            marks = []
            for (place, text), w in zip(texts, read, strict=True):
                here = standing
                if w is not None and written[place] is not w:  # a later answer to the same counts for what follows
                    here = as_computed(Standing(self.program, {**written, place: w}))
                marks.append(self._mark(here, place, text, w and here.written[place]))
            return marks

    def marks(self, standing: Standing, texts: Mapping[int, str]) -> dict[int, Mark]:
        """The mark of the answer at each place."""
        written = standing.written
        return {place: self._mark(standing, place, text, written.get(place)) for place, text in texts.items()}

    def _mark(self, standing: Standing, place: int, text: str, written: Written | None) -> Mark:
        if written is None:
            verdict = "unreadable" if text.strip() else "missing"
        else:
            verdict = self.verdict(standing, place, written)
        program = self.program
        return Mark(program.names[place], text, program.key[place], standing.own[place], verdict)

    def verdict(self, standing: Standing, place: int, written: Written) -> str:
        key = self.program.key[place]
        if written.value == key:
            return "correct"
        if self._plain[place] and written.digits >= _ENOUGH and abs(written.value - key) <= written.half:
            return "correct"  # most answers of most sheets, without a further thought
        return Line(standing, place, written, self._demands[place]).verdict()


def _read(text: str) -> Written | None:
    """The number written, None for what is not one."""
    try:
        return read_written(text)
    except ValueError:
        return None
