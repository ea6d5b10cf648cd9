"""Which slips explain a number: what comes out with each, and how well that agrees with what was written."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import isfinite, log
from operator import itemgetter

from tutor.marking.answer import WITHIN, WrittenNumber
from tutor.marking.candidates import Candidate, Candidates
from tutor.marking.key import Program
from tutor.marking.student import Working
from tutor.marking.verdict import cut_off
from tutor.slips.registry import ARITHMETIC, ARITHMETIC_HINT, SLIPS, SWAPPED_VALUES
from tutor.slips.slip import Hint

ROUNDED, WITHIN_TOLERANCE, CUT_OFF = range(3)
SURE_BELOW, _LIKELY_BELOW = 0.05, 0.5
_RANGE = log(1_000)  # a wrong number lies anywhere within three powers of ten
_TOO_SMALL_FOR_FLOATS = 1e-9
_FLOATS_ARE_OFF = 0.01  # of the size of the number: far more than they are, but for a difference of near equals
_FORMULA_DIGITS = 25  # to which the value of a formula agrees with that of a slip


@dataclass(frozen=True, slots=True)
class Fit:
    """A slip that gives the number written. `place` is the line it sits in, which may have been left blank.

    `chance` is how many slips would fit a number picked at random, `tolerance` how far the value itself may be off.
    What is `said` of a mistake of the whole sheet stands in place of the slip's own hint.
    """

    id: str
    detail: str
    value: Decimal
    place: int
    order: tuple[int, ...]
    chance: float
    tolerance: float = 0.0
    said: Hint | None = None

    @property
    def sure(self) -> bool:
        return self.chance < SURE_BELOW

    @property
    def likely(self) -> bool:
        """Whether it is more than a guess, though not sure."""
        return self.chance < _LIKELY_BELOW

    @property
    def hint(self) -> Hint:
        """What to look at, without the value."""
        if self.said is not None:
            return self.said
        return ARITHMETIC_HINT if self.id == ARITHMETIC else SLIPS[self.id].hint.of(self.detail)


class Closeness:
    """One written number, and how close a value must come to it to be what was written."""

    def __init__(self, working: Working, place: int, written: WrittenNumber, count: int) -> None:
        self.working, self.place, self.written, self.count = working, place, written, count
        self.unit = written.unit if written.exponent is not None else abs(written.value).scaleb(-_FORMULA_DIGITS)
        self.half = WITHIN * self.unit
        old = working.before(place)
        self.change = written.value - old
        self.number, self.start, self.size = float(written.value), float(old), abs(float(self.change))
        self.rough_unit = float(self.unit)

    def own(self, candidate: Candidate) -> tuple[Decimal | None, int | None, float]:
        """What the slip gives on the writer's own lines, how it fits, and its spread. Nothing where already floating
        point tells that it does not."""
        value = candidate.value(self.working.values) if self._may_fit(candidate) else None
        if value is None:
            return None, None, 0.0
        if self.kind(value, 0.0) == ROUNDED:
            return value, ROUNDED, 0.0
        tolerance = self._tolerance(candidate, value)
        return value, self.kind(value, tolerance), tolerance

    def _may_fit(self, candidate: Candidate) -> bool:
        floats = self.working.floats
        try:
            rough = candidate.approximate(floats, floats)
        except (ArithmeticError, ValueError):
            return True
        if self.size < _TOO_SMALL_FOR_FLOATS or not isfinite(rough):
            return True
        if self._is_far(rough):
            return False
        beyond = abs(self.number - rough) - self.rough_unit - _FLOATS_ARE_OFF * self.size
        return beyond <= 0 or beyond <= 2 * self._tolerance(candidate)

    def _tolerance(self, candidate: Candidate, value: Decimal | None = None) -> float:
        return self.working.bounds_of(candidate.inputs, candidate.approximate, candidate.value, value).likely

    def _is_far(self, number: float) -> bool:
        """Whether the value differs by more than half of the larger change, which no rounding explains."""
        apart = abs(self.number - number)
        return apart > 2 * self.rough_unit and 2 * apart > max(self.size, abs(number - self.start))

    def kind(self, value: Decimal, tolerance: float) -> int | None:
        apart = abs(self.written.value - value)
        if not (self.change and self.written.value) and value != self.written.value:
            return None  # a zero, or a weight left as it was, is what comes out exactly
        if apart <= self.half:
            return ROUNDED
        if not isfinite(tolerance):
            return None
        if tolerance and apart <= self.half + Decimal(tolerance):
            return WITHIN_TOLERANCE
        if apart > self.unit and not tolerance:
            return None
        return CUT_OFF if self.unit and cut_off(self.written.value, self.unit, value, 2 * Decimal(tolerance)) else None

    def is_coarse(self, value: Decimal) -> bool:
        """Whether the value is rounded to fewer digits than the writer has elsewhere: where others have six, 1 is
        hardly 0.55."""
        meant = self.working.expected_unit(self.place, self.written.value)
        return 0 < meant < self.unit and abs(self.written.value - value) > WITHIN * meant

    def chance(self, tolerance: float) -> float:
        """How many of the candidates would fit a number of this size that has nothing to do with them."""
        size = float(abs(self.change)) or self.rough_unit or 1.0
        return self.count * (1.02 * self.rough_unit + 2 * tolerance) / (size * _RANGE)


_FARTHEST_BLANKS, _NEAREST_BLANKS = 60, 12
_NUDGE = Decimal("1e-15")
_FLOAT_ERROR = 1e-12


class Diagnosis:
    """Names the slips of one program."""

    def __init__(self, program: Program, candidates: Candidates) -> None:
        self.program, self.candidates = program, candidates
        self._at_key = cache(self._work_at_key)

    def direct(self, working: Working, place: int, written: WrittenNumber) -> list[Fit]:
        """Slips in the line itself, from the writer's own lines or from the key; the best of each kind, best first."""
        found = self._direct(working, place, written)
        return _best_of_each(
            [fit for fit in found if written.value or fit.id != SWAPPED_VALUES]
        )  # a 0 is like any other

    def _direct(self, working: Working, place: int, written: WrittenNumber) -> Iterator[Fit]:
        candidates = self.candidates.of(place)
        closeness = Closeness(working, place, written, len(candidates))
        own_values: dict[int, Decimal] = {}

        def fit(index: int, source: int, value: Decimal, kind: int, tolerance: float) -> Fit:
            candidate = candidates[index]
            order = (
                2 * closeness.is_coarse(value) + (candidate.id == SWAPPED_VALUES),
                kind,
                source,
                candidate.rank,
                candidate.unusual,
                index,
            )
            return Fit(candidate.id, candidate.detail, value, place, order, closeness.chance(tolerance))

        for index, candidate in enumerate(candidates):
            value, kind, tolerance = closeness.own(candidate)
            if value is not None:
                own_values[index] = value
                if kind is not None:
                    yield fit(index, 0, value, kind, tolerance)
        for index, value in self._near(place, closeness):
            kind = closeness.kind(value, 0.0)
            if kind is not None and value != own_values.get(index):
                yield fit(index, 1, value, kind, 0.0)

    def _near(self, place: int, closeness: Closeness) -> list[tuple[int, Decimal]]:
        """The candidates, by their number, that give about the number written where everything above is right."""
        numbers, found = self._at_key(place)
        margin = closeness.rough_unit + _FLOAT_ERROR * abs(closeness.number)
        return found[bisect_left(numbers, closeness.number - margin) : bisect_right(numbers, closeness.number + margin)]

    def _work_at_key(self, place: int) -> tuple[list[float], list[tuple[int, Decimal]]]:
        """What the candidates give where everything above is right, by size; first as floats."""
        values = ((i, c.value(self.program.key)) for i, c in enumerate(self.candidates.of(place)))
        found = sorted(((i, value) for i, value in values if value is not None), key=itemgetter(1))
        return [float(value) for _, value in found], found

    def through_blanks(self, working: Working, place: int, written: WrittenNumber, anything: bool) -> list[Fit]:
        """Slips in lines left blank above this one, worked forward from there, the best first.

        With `anything`, also the slip that explains almost anything.
        """
        blanks = self._blanks_above(working, place)
        if not blanks or written.value == working.before(place):  # a weight left as it was says nothing of them
            return []
        count = sum(len(self.candidates.of(blank)) for blank in blanks)
        closeness = Closeness(working, place, written, count)
        found = list(self._through_blanks(working, place, closeness, blanks, swapped=False))
        if not found and anything and written.value:
            found = list(self._through_blanks(working, place, closeness, blanks, swapped=True))
        return sorted(found, key=lambda fit: fit.order)

    def _through_blanks(
        self, working: Working, place: int, closeness: Closeness, blanks: list[int], swapped: bool
    ) -> Iterator[Fit]:
        own, tolerance = working.own[place], working.bounds(place).likely
        for blank in blanks:
            path = self._path(blank, place, blanks)
            for index, candidate in enumerate(self.candidates.of(blank)):
                wanted = (candidate.id == SWAPPED_VALUES) == swapped
                slipped = candidate.value(working.values) if wanted else None
                if slipped is None or slipped == working.values[blank]:
                    continue
                value = self._forward(working, blank, slipped, path)
                if value is None:
                    continue
                wider = tolerance * max(1.0, float(abs(value / own))) if own else tolerance
                kind = closeness.kind(value, wider)
                if kind is not None:
                    order = (swapped, kind, 0, candidate.rank, len(path), index)
                    chance = (
                        closeness.chance(wider)
                        if kind != WITHIN_TOLERANCE
                        else max(SURE_BELOW, closeness.chance(wider))
                    )
                    spread_there = working.bounds(blank).likely
                    yield Fit(candidate.id, candidate.detail, slipped, blank, order, chance, spread_there)

    def unknown(self, working: Working, place: int, written: WrittenNumber) -> Iterator[Fit]:
        """For each blank line above the value that leads to the answer, whatever may have gone wrong there."""
        blanks, own = self._blanks_above(working, place), working.own[place]
        for blank in blanks[:_NEAREST_BLANKS] if own is not None and written.unit else ():
            here, path = working.values[blank], self._path(blank, place, blanks)
            if not here:
                continue
            nudge = abs(here) * _NUDGE
            above = self._forward(working, blank, here + nudge, path)
            if above is None or above == own:
                continue
            slope = (above - own) / nudge
            solved = here + (written.value - own) / slope
            reached = self._forward(working, blank, solved, path)
            if solved and reached is not None and abs(reached - written.value) <= WITHIN * written.unit:
                tolerance = abs(float(written.unit / slope)) / 2
                yield Fit(ARITHMETIC, "", solved, blank, (len(path),), 1.0, tolerance)

    def _blanks_above(self, working: Working, place: int) -> list[int]:
        """The lines left blank that this one stands on, without a written line between; the nearest first."""
        found: dict[int, None] = {}
        queue = list(self.program.compiled.inputs[place])
        while queue and len(found) < _FARTHEST_BLANKS:
            x = queue.pop(0)
            if x >= self.program.first and x not in working.written and x not in working.held and x not in found:
                found[x] = None
                queue += self.program.compiled.inputs[x]
        return list(found)

    def _path(self, blank: int, place: int, blanks: list[int]) -> list[int]:
        """The lines to be worked again when the blank one changes, in order, the marked one last."""
        followers = self.program.compiled.followers[blank]
        return [*sorted(b for b in blanks if b in followers and b != blank), place]

    def _forward(self, working: Working, blank: int, slipped: Decimal, path: list[int]) -> Decimal | None:
        values = list(working.values)
        values[blank] = slipped
        for place in path:
            values[place] = self.program.value(place, values)
        found: Decimal | None = values[path[-1]]
        return found


def _best_of_each(fits: list[Fit]) -> list[Fit]:
    """One fit of each slip, the best first; of those that give the same number, what is usual in this line."""
    if len(fits) < 2:
        return fits
    ranks: dict[tuple[tuple[int, ...], str], int] = {}
    for fit in sorted(fits, key=lambda fit: fit.order):
        ranks.setdefault((fit.order[:3], f"{fit.value:.20e}"), fit.order[3])

    def place(fit: Fit) -> tuple[int, ...]:
        kind, (rank, unusual, index) = fit.order[:3], fit.order[3:]
        return (*kind, ranks[kind, f"{fit.value:.20e}"], unusual, rank, index)

    best: dict[str, Fit] = {}
    ordered = sorted(fits, key=place)
    for fit in ordered:
        if fit.order[0] // 2 == ordered[0].order[0] // 2:
            best.setdefault(fit.id, fit)
    return list(best.values())
