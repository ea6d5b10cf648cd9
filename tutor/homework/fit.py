"""How a number that comes out with a slip agrees with the number written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite, log

from tutor.homework.candidates import Candidate
from tutor.homework.slips import ARITHMETIC, ARITHMETIC_HINT, SLIPS
from tutor.homework.spread import do_agree, exact_reach, reach
from tutor.homework.standing import Standing
from tutor.homework.verdict import cut_off
from tutor.homework.written import WITHIN, Written

ROUNDED, WITHIN_SPREAD, CUT_OFF = range(3)
SURE_BELOW, _LIKELY_BELOW = 0.05, 0.5
_RANGE = log(1_000)  # a wrong number lies anywhere within three powers of ten
_TOO_SMALL_FOR_FLOATS = 1e-9
_FLOATS_ARE_OFF = 0.01  # of the size of the number: far more than they are, but for a difference of near equals
_FORMULA_DIGITS = 25  # to which the value of a formula agrees with that of a slip


@dataclass(frozen=True, slots=True)
class Fit:
    """A slip that gives the number written. `place` is the line it sits in, which may have been left blank.

    `chance` is how many slips would fit a number picked at random, `spread` how far the value itself may be off.
    """

    id: str
    detail: str
    value: Decimal
    place: int
    order: tuple[int, ...]
    chance: float
    spread: float = 0.0

    @property
    def sure(self) -> bool:
        return self.chance < SURE_BELOW

    @property
    def likely(self) -> bool:
        """Whether it is more than a guess, though not sure."""
        return self.chance < _LIKELY_BELOW

    @property
    def hint(self) -> str:
        """What to look at, without the value."""
        return ARITHMETIC_HINT if self.id == ARITHMETIC else SLIPS[self.id].hint.format(self.detail)


class Scale:
    """One written number, and how close a value must come to it to be what was written."""

    def __init__(self, standing: Standing, place: int, written: Written, count: int) -> None:
        self.standing, self.place, self.written, self.count = standing, place, written, count
        self.unit = written.unit if written.exponent is not None else abs(written.value).scaleb(-_FORMULA_DIGITS)
        self.half = WITHIN * self.unit
        old = standing.before(place)
        self.change = written.value - old
        self.number, self.start, self.size = float(written.value), float(old), abs(float(self.change))
        self.rough_unit = float(self.unit)

    def own(self, candidate: Candidate) -> tuple[Decimal | None, int | None, float]:
        """What the slip gives on the writer's own lines, how it fits, and its spread. Nothing where already floating
        point tells that it does not."""
        value = candidate.value(self.standing.values) if self._may_fit(candidate) else None
        if value is None:
            return None, None, 0.0
        if self.kind(value, 0.0) == ROUNDED:
            return value, ROUNDED, 0.0
        spread = self._spread(candidate, value)
        return value, self.kind(value, spread), spread

    def _may_fit(self, candidate: Candidate) -> bool:
        floats = self.standing.floats
        try:
            rough = candidate.approximate(floats, floats)
        except (ArithmeticError, ValueError):
            return True
        if self.size < _TOO_SMALL_FOR_FLOATS or not isfinite(rough):
            return True
        if self._is_far(rough):
            return False
        beyond = abs(self.number - rough) - self.rough_unit - _FLOATS_ARE_OFF * self.size
        return beyond <= 0 or beyond <= 2 * self._spread(candidate)

    def _spread(self, candidate: Candidate, value: Decimal | None = None) -> float:
        standing = self.standing
        spreads = standing.spreads(candidate.inputs, self.place)
        if value is not None and not do_agree(candidate.approximate, standing.floats, value):
            return exact_reach(candidate.value, standing.values, value, spreads)
        return reach(candidate.approximate, standing.floats, spreads)

    def _is_far(self, number: float) -> bool:
        """Whether the value differs by more than half of the larger change, which no rounding explains."""
        apart = abs(self.number - number)
        return apart > 2 * self.rough_unit and 2 * apart > max(self.size, abs(number - self.start))

    def kind(self, value: Decimal, spread: float) -> int | None:
        apart = abs(self.written.value - value)
        if not self.change and value != self.written.value:
            return None  # a zero, or a weight left as it was, is what comes out exactly
        if apart <= self.half:
            return ROUNDED
        if not isfinite(spread):
            return None
        if spread and apart <= self.half + Decimal(spread):
            return WITHIN_SPREAD
        if apart > self.unit and not spread:
            return None
        return CUT_OFF if self.unit and cut_off(self.written, value, 2 * Decimal(spread)) else None

    def chance(self, spread: float) -> float:
        """How many of the candidates would fit a number of this size that has nothing to do with them."""
        size = float(abs(self.change)) or self.rough_unit or 1.0
        return self.count * (1.02 * self.rough_unit + 2 * spread) / (size * _RANGE)
