"""The verdict of one line, from its answer, the key and what the writer's own lines lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from math import isfinite
from typing import NamedTuple

from tutor.marking.answer import DEFAULT, WITHIN, Demand, Written, is_same, power_of_ten, read_written
from tutor.marking.key import Compiled, Program
from tutor.marking.machine import as_computed
from tutor.marking.student import Standing, half_unit
from tutor.numbers import decimals
from tutor.numbers.digits import change_of
from tutor.worksheet.step import Worksheet

CREDIT = ("correct", "carried", "rounding")
_FEWEST_FOR_ROUNDING = 2
_NOISE_FROM = 6  # digits; the last of so many may be off because a calculator has only so many itself
_NOTHING = Decimal(0)


class Line:
    """A written number beside what it is held against: the `key` and the `own` value that the writer's lines lead to.

    On an updated weight everything is judged on the change: `value`, `key` and `own` are without `before`, the old one.
    """

    __slots__ = ("before", "demand", "key", "place", "standing", "value", "written")

    def __init__(self, standing: Standing, place: int, written: Written, demand: Demand) -> None:
        self.standing, self.place, self.written, self.demand = standing, place, written, demand
        key = standing.program.key[place]
        before = standing.before(place)
        self.before = before if change_of(key, before) != key else _NOTHING  # then the number itself is judged
        self.value, self.key = written.value - self.before, key - self.before

    def verdict(self) -> str:
        """The first verdict whose condition holds."""
        written, demand, value, key = self.written, self.demand, self.value, self.key
        own = self.standing.own[self.place]
        half = WITHIN * (demand.unit(key) if written.exponent is None else self._unit(key))
        if abs(value - key) <= half:
            if demand.met(written, value, key) or self._shows_the_change():
                return "correct"
            return "carried" if own is not None and is_same(written.value, own) else "coarse"
        if demand.asked and demand.satisfied(value, key):
            return "correct"
        return "coarse" if own is None else self._against_own(own, own - self.before)

    def _shows_the_change(self) -> bool:
        """Whether the digits are enough for the change from the true old value: the one written may happen to be so
        near that next to nothing is left of it."""
        compiled, key = self.standing.compiled, self.standing.program.key
        if (old := compiled.before[self.place]) is None:
            return False
        before = key[old] if change_of(key[self.place], key[old]) != key[self.place] else _NOTHING
        return self.demand.met(self.written, self.written.value - before, key[self.place] - before)

    def _against_own(self, whole: Decimal, own: Decimal) -> str:
        written, demand, value = self.written, self.demand, self.value
        unit = demand.unit(own) if written.exponent is None else self._unit(own)
        apart, half = abs(value - own), WITHIN * unit
        enough = not demand.asked or not value or demand.met(written, value, own)
        possible = bool(value) or not own
        if enough and possible and apart <= half and self.standing.is_steady(self.place):
            return "carried"  # and how far the lines above may be off does not matter
        if not isfinite(reached := self.standing.spread(self.place)):
            return "coarse"  # there is no telling what their lines lead to
        spread = Decimal(reached)
        if not enough:
            return "coarse" if apart <= 2 * unit + 2 * spread or abs(value - self.key) <= 2 * unit else "wrong"
        if possible and apart <= half + spread:
            if self.standing.has_cause(self.place):
                return "carried"
            if written.significant(value) >= _FEWEST_FOR_ROUNDING:
                return "coarse" if ends_within(own, unit) else "rounding"
        if written.exponent is None:
            return "wrong"
        wide = _decimal(self.standing.wide_spread(self.place))
        is_padded = written.value % (10 * written.unit) == 0
        if self._is_rounding(own, wide, min(unit, self._meant_unit(own) or unit) if is_padded else unit):
            return "rounding"
        if not value and abs(own) <= half + (wide if unit < written.unit else 0):
            return "coarse"
        if unit < written.unit:
            return "wrong"
        cut = cut_off(written, self.standing.program.key[self.place]) or cut_off(written, whole, wide)
        return "coarse" if cut else "wrong"

    def _unit(self, truth: Decimal) -> Decimal:
        """One unit of the last digit; of a bare 0, what Python has for 0, that of the writer's other lines."""
        written = self.written
        bare = not written.value and written.exponent == 0
        return (self._meant_unit(truth) if bare else _NOTHING) or written.unit

    def _meant_unit(self, truth: Decimal) -> Decimal:
        """One unit of the last digit that the writer's other lines let expect of this value, though fewer are written:
        Python's 1.0 is not rounded to one decimal. 0 where nothing can be expected."""
        return Decimal(2 * half_unit(truth, self.standing.habits.precision(self.place)))

    def _is_rounding(self, own: Decimal, wide: Decimal, unit: Decimal) -> bool:
        written, value = self.written, self.value
        digits = written.significant(value)
        if digits < _FEWEST_FOR_ROUNDING:
            return False
        copied = self.standing.compiled.formulas[self.place - self.standing.compiled.first].is_Symbol
        off = unit if copied else 2 * unit  # where nothing is computed nothing adds up
        near = ((self.key, off), (own, off + wide))
        if any(abs(value - truth) <= most and not ends_within(truth, unit) for truth, most in near):
            return True
        if digits >= _NOISE_FROM and 0 < abs(own) - abs(value) <= unit and own * value > 0:
            return True
        if ends_within(own, unit):
            return False
        inside = partial(self.standing.program.rounded_inside, self.place, self.standing.values, unit)
        return any(inside(shorter) == written.value for shorter in (unit, unit.scaleb(1)))


def cut_off(written: Written, truth: Decimal, spread: Decimal = Decimal(0)) -> bool:
    """Whether the number is the truth, give or take its spread, with the digits after the last one left off."""
    value, unit = abs(written.value), written.unit
    if not value:
        return abs(truth) < unit + spread
    size = truth.copy_sign(1) if (truth < 0) == (written.value < 0) else -abs(truth)
    return value - spread <= size < value + unit + spread


def _decimal(spread: float) -> Decimal:
    return Decimal(spread) if isfinite(spread) else power_of_ten(400)


def ends_within(truth: Decimal, unit: Decimal) -> bool:
    """Whether the true value has no digit beyond the last one written, so that nothing was rounded there."""
    return abs(truth) < unit * power_of_ten(30) and truth % unit == 0


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
