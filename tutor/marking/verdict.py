"""The verdict of one line, from its answer, the key and what the writer's own lines lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from math import isfinite
from typing import NamedTuple

from tutor.marking.answer import DEFAULT, WITHIN, Demand, WrittenNumber, ends_within, is_same, read_written
from tutor.marking.floating_point import as_computed
from tutor.marking.key import Compiled, Program
from tutor.marking.student import Working
from tutor.numbers import decimals
from tutor.numbers.digits import change_of
from tutor.worksheet.step import Worksheet

CREDIT = ("correct", "carried", "rounding")
FEWEST_FOR_ROUNDING = 2
"""Significant digits that a number must have to be called rounded."""
ROUNDING = 2
"""Units of the last digit that rounding on the way may have moved a number."""
DIGITS, CHANGE, AGREEMENT = "digits", "change", "agreement"
"""What a coarse line has too little of."""
_DIGITS_OF_A_FLOAT = 4
_NOTHING = Decimal(0)


class Line:
    """A written number beside what it is held against: the `key` and the `own` value that the writer's lines lead to.

    On an updated weight everything is judged on the change: `value`, `key` and `own` are without `before`, the old one.
    `unit` is one unit of the last digit written, u in the rules; of a bare 0, what Python has for 0, that of the
    writer's other lines.
    """

    def __init__(self, working: Working, place: int, written: WrittenNumber) -> None:
        self.working, self.place, self.written, self.demand = working, place, written, working.demands[place]
        key = working.program.key[place]
        before = working.before(place)
        self.before = before if change_of(key, before) != key else _NOTHING  # then the number itself is judged
        self.whole = working.own[place]
        self.value, self.key = written.value - self.before, key - self.before
        self.unit = written.unit
        if not written.value and written.exponent == 0:
            self.unit = working.expected_unit(place, key) or written.unit

    def verdict(self) -> str:
        """The first verdict whose condition holds."""
        demand, value, key = self.demand, self.value, self.key
        if abs(value - key) <= WITHIN * self._unit(key):
            if self._is_met(value, key) or self._shows_the_change():
                return "correct"
            if value:
                return "carried" if self._is_own_in_full() else "coarse"
        if demand.asked and demand.satisfied(value, key):
            return "correct"
        if self.whole is None:
            return "coarse"
        own = self.whole - self.before
        return self._against_own(own) if value else self._of_nothing(own)

    def lacks(self) -> str:
        """What a coarse line has too little of: the change of a parameter that was left as it was, agreement where
        others show that rounding has not moved it as far, or digits. Nothing where it has the digits demanded, and
        follows from lines that have not."""
        if not self.value and self.working.compiled.before[self.place] is not None:
            return CHANGE
        own = None if self.whole is None else self.whole - self.before
        truths = (self.key, *(() if own is None else (own,)))
        if not any(self._is_met(self.value, truth) for truth in truths):
            return DIGITS
        likely = self.working.bounds(self.place).likely
        return AGREEMENT if own is not None and self._likely(own) < likely else ""

    def _is_within(self, own: Decimal, tolerance: float = 0.0) -> bool:
        return abs(self.value - own) <= WITHIN * self._unit(own) + Decimal(tolerance)

    def _likely(self, own: Decimal) -> float:
        """T of the line; where only that makes it right, what other lines leave of it."""
        likely = self.working.bounds(self.place).likely
        only_so = isfinite(likely) and self._is_within(own, likely) and not self._is_within(own)
        return (
            self.working.likely_beside_others(self.place) if only_so and self.written.exponent is not None else likely
        )

    def _unit(self, truth: Decimal) -> Decimal:
        """One unit of the last digit; of what is exact that of the digits demanded."""
        return self.demand.unit(truth) if self.written.exponent is None else self.unit

    def _is_met(self, value: Decimal, truth: Decimal) -> bool:
        """Whether the digits are those demanded."""
        return self.demand.met(self.written, value, truth, self._expected_unit)

    def _expected_unit(self) -> Decimal:
        return self.working.expected_unit(self.place, self.written.value)

    def _is_own_in_full(self) -> bool:
        return self.whole is not None and is_same(self.written.value, self.whole)

    def _shows_the_change(self) -> bool:
        """Whether the digits are enough for the change from the true old value: the one written may happen to be so
        near that next to nothing is left of it."""
        compiled, key = self.working.compiled, self.working.program.key
        if (old := compiled.before[self.place]) is None:
            return False
        before = key[old] if change_of(key[self.place], key[old]) != key[self.place] else _NOTHING
        return self._is_met(self.written.value - before, key[self.place] - before)

    def _of_nothing(self, own: Decimal) -> str:
        """A written zero, or a parameter left as it was, where the key is not."""
        if not own:
            return "carried" if self.working.has_cause(self.place) else "coarse"
        least = self.unit if self.working.may_cut else WITHIN * self.unit
        if min(abs(own), abs(self.key)) <= least:
            return "coarse"
        likely = self.working.bounds(self.place).likely
        return "coarse" if not isfinite(likely) or abs(own) <= least + Decimal(likely) else "wrong"

    def _against_own(self, own: Decimal) -> str:
        working, written, value = self.working, self.written, self.value
        enough = self._is_met(value, own) or self._is_own_in_full()
        cause = working.has_cause(self.place)
        if enough and cause and self._is_within(own) and working.is_steady(self.place):
            return "carried"  # and how far the lines above may be off does not matter
        farthest = working.bounds(self.place).farthest
        if not isfinite(farthest):
            return "coarse"  # there is no telling what their lines lead to
        likely = self._likely(own)
        if self._is_within(own, likely):
            if not enough:
                return "coarse"
            if cause:
                return "carried"
        if written.exponent is None:
            return "wrong"
        if enough and self._is_rounding(own, Decimal(likely)):
            return "rounding"
        if self._is_within(own, farthest) or self._is_cut_off(Decimal(farthest if working.may_cut else likely)):
            return "coarse"
        return "wrong"

    def _is_cut_off(self, tolerance: Decimal) -> bool:
        """Whether too few digits are those of the truth, their own one give or take the spread, the others left off."""
        key = self.working.program.key[self.place]
        truths = ((key, _NOTHING), (self.whole, tolerance))
        return any(t is not None and cut_off(self.written.value, self.unit, t, off) for t, off in truths)

    def _is_rounding(self, own: Decimal, likely: Decimal) -> bool:
        written, value = self.written, self.value
        digits = written.significant(value)
        if digits < FEWEST_FOR_ROUNDING:
            return False
        is_copy = self.working.compiled.formulas[self.place - self.working.program.first].is_Symbol
        unit = self._meant_unit(own)
        least = unit if is_copy else ROUNDING * unit  # where nothing is computed nothing adds up
        truths = (self.key, own)
        for truth in truths:
            tolerance = (
                likely * min(1, abs(truth / own)) if own else likely
            )  # that of a large own value is none of the key's
            if abs(value - truth) <= least + tolerance and not ends_within(truth, unit):
                return True
        if digits >= _DIGITS_OF_A_FLOAT or self.working.cuts:
            whole = self.written.value
            wholes = (truth + self.before for truth in truths)
            if any(0 < abs(t) - abs(whole) <= unit and t * whole > 0 for t in wholes):
                return True  # a float just below a number that ends, cut off: -0.3599 for -0.36
        if ends_within(own, unit):
            return False
        inside = partial(self.working.program.rounded_inside, self.place, self.working.values, unit)
        return any(inside(shorter) == written.value for shorter in (unit, unit.scaleb(1)))

    def _meant_unit(self, truth: Decimal) -> Decimal:
        """One unit of the last digit; where zeros stand at the end, of the last that the writer's other lines let
        expect: Python's 1.0 is not rounded to one decimal."""
        if ends_within(self.written.value, 10 * self.written.unit):
            return min(self.unit, self.working.expected_unit(self.place, truth) or self.unit)
        return self.unit


def cut_off(value: Decimal, unit: Decimal, truth: Decimal, tolerance: Decimal = Decimal(0)) -> bool:
    """Whether the number is the truth, give or take its spread, with the digits after the last one left off."""
    size = abs(truth) if (truth < 0) == (value < 0) else -abs(truth)
    return abs(value) - tolerance <= size < abs(value) + unit + tolerance


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
        self,
        worksheet: Worksheet,
        demands: Mapping[str, Demand] | None = None,
        compiled: Compiled | None = None,
        accepted: Mapping[str, Sequence[WrittenNumber]] | None = None,
    ) -> None:
        """`accepted` has the numbers that a teacher accepts beside the key."""
        self.program = Program(worksheet, compiled)
        self.demands = demands or {}
        self.accepted = {self.program.places[name]: others for name, others in (accepted or {}).items()}
        names, before = self.program.names, self.program.compiled.before
        self.demand_at = [self.demands.get(name, DEFAULT) for name in names]
        self._plain = [d is DEFAULT and old is None for d, old in zip(self.demand_at, before, strict=True)]

    def mark(
        self, answers: Sequence[tuple[str, str]], formulas: Mapping[str, WrittenNumber] | None = None
    ) -> list[Mark]:
        """A mark for each (name, text), in the order given; what a machine computed is read to the digits it gives.

        `formulas` has the number that each answer gives which is a formula. Where one quantity is answered more than
        once, the last readable answer counts for the lines that follow.
        """
        with decimals.precision(self.program.digits):
            texts = [(self.program.places[name], text) for name, text in answers]
            read = [(formulas or {}).get(text) or _read(text) for _, text in answers]
            written = {place: w for (place, _), w in zip(texts, read, strict=True) if w is not None}
            working = as_computed(Working(self.program, written, self.demand_at))
            marks = []
            for (place, text), w in zip(texts, read, strict=True):
                here = working
                if w is not None and written[place] is not w:  # a later answer to the same counts for what follows
                    here = as_computed(Working(self.program, {**written, place: w}, self.demand_at))
                marks.append(self._mark(here, place, text, w and here.written[place]))
            return marks

    def marks(self, working: Working, texts: Mapping[int, str]) -> dict[int, Mark]:
        """The mark of the answer at each place."""
        written = working.written
        marks = {place: self._mark(working, place, text, written.get(place)) for place, text in texts.items()}
        return self._after_coarse(working, marks)

    def _after_coarse(self, working: Working, marks: dict[int, Mark]) -> dict[int, Mark]:
        """What follows from a coarse line may follow from the number kept or from the one written; what fits only the
        written one has too few digits itself."""
        followers, coarse = self.program.compiled.followers, set[int]()
        while found := {p for p, mark in marks.items() if mark.verdict == "coarse" and p not in coarse}:
            coarse |= found
            kept = working.without(coarse)
            after = frozenset().union(*(followers[p] for p in found)) - coarse
            for place in (p for p in kept.written if p in marks and p in after):
                mark, verdict = marks[place], self.verdict(kept, place, kept.written[place])
                if verdict in CREDIT:
                    marks[place] = mark._replace(verdict=verdict)
                elif mark.verdict in CREDIT:
                    marks[place] = mark._replace(verdict="coarse")
        return marks

    def _mark(self, working: Working, place: int, text: str, written: WrittenNumber | None) -> Mark:
        if written is None:
            verdict = "unreadable" if text.strip() else "missing"
        else:
            verdict = self.verdict(working, place, written)
        program = self.program
        return Mark(program.names[place], text, program.key[place], working.own[place], verdict)

    def accepts(self, place: int, written: WrittenNumber) -> bool:
        """Whether the number is one that is accepted beside the key, in as many digits."""
        others = self.accepted.get(place, ())
        return any(abs(written.value - other.value) <= other.half for other in others)

    def verdict(self, working: Working, place: int, written: WrittenNumber) -> str:
        key = self.program.key[place]
        if written.value == key or (place in self.accepted and self.accepts(place, written)):
            return "correct"
        if self._plain[place] and written.digits >= _ENOUGH and abs(written.value - key) <= written.half:
            return "correct"  # most answers of most sheets, without a further thought
        return Line(working, place, written).verdict()


def _read(text: str) -> WrittenNumber | None:
    """The number written, None for what is not one."""
    try:
        return read_written(text)
    except ValueError:
        return None
