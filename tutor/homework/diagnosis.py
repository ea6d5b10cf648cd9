"""What went wrong in a root error: every slip that leads from the lines above it to the number written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite, log

from tutor.homework.candidates import Candidate, Candidates
from tutor.homework.slips import ARITHMETIC, ARITHMETIC_HINT, SLIPS, SWAPPED_VALUES
from tutor.homework.spread import reach
from tutor.homework.standing import Standing
from tutor.homework.verdict import cut_off
from tutor.homework.written import WITHIN, Written

ROUNDED, WITHIN_SPREAD, CUT_OFF = range(3)
_SURE_BELOW, _LIKELY_BELOW = 0.05, 0.5
_RANGE = log(1_000)  # a wrong number lies anywhere within three powers of ten
_FARTHEST_BLANKS, _NEAREST_BLANKS = 60, 12
_NUDGE = Decimal("1e-15")
_TOO_SMALL_FOR_FLOATS = 1e-9
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
        return self.chance < _SURE_BELOW

    @property
    def likely(self) -> bool:
        """Whether it is more than a guess, though not sure."""
        return self.chance < _LIKELY_BELOW

    @property
    def hint(self) -> str:
        """What to look at, without the value."""
        return ARITHMETIC_HINT if self.id == ARITHMETIC else SLIPS[self.id].hint.format(self.detail)


class Diagnosis:
    """Names the slips of one program."""

    def __init__(self, candidates: Candidates) -> None:
        self.program = candidates.program
        self.candidates = candidates

    def direct(self, standing: Standing, place: int, written: Written) -> list[Fit]:
        """Slips in the line itself, from the writer's own lines or from the key; the best of each kind, best first."""
        found = list(self._direct(standing, place, written))
        return _best_of_each(found)

    def _direct(self, standing: Standing, place: int, written: Written) -> Iterator[Fit]:
        candidates = self.candidates.of(place)
        scale = _Scale(standing, place, written, self._old(standing, place), len(candidates))
        for index, (candidate, (at_key, key_float)) in enumerate(
            zip(candidates, self.candidates.of_key(place), strict=True)
        ):
            own = candidate.value(standing.values) if scale.may_fit(candidate) else None
            key = None if at_key == own or scale.is_far(key_float) else at_key
            for source, value in enumerate((own, key)):
                if value is None:
                    continue
                kind, spread = scale.match(value, candidate if source == 0 else None)
                if kind is not None:
                    order = (candidate.id == SWAPPED_VALUES, kind, source, candidate.rank, index)
                    yield Fit(candidate.id, candidate.detail, value, place, order, scale.chance(spread))

    def through_blanks(self, standing: Standing, place: int, written: Written, anything: bool) -> list[Fit]:
        """Slips in lines left blank above this one, worked forward from there, the best first.

        With `anything`, also the slip that explains almost anything.
        """
        blanks = self._blanks_above(standing, place)
        if not blanks or written.value == self._old(standing, place):  # a weight left as it was says nothing of them
            return []
        count = sum(len(self.candidates.of(blank)) for blank in blanks)
        scale = _Scale(standing, place, written, self._old(standing, place), count)
        found = list(self._through_blanks(standing, place, scale, blanks, swapped=False))
        if not found and anything:
            found = list(self._through_blanks(standing, place, scale, blanks, swapped=True))
        return sorted(found, key=lambda fit: fit.order)

    def _through_blanks(
        self, standing: Standing, place: int, scale: _Scale, blanks: list[int], swapped: bool
    ) -> Iterator[Fit]:
        own, spread = standing.own[place], standing.spread(place)
        for blank in blanks:
            path = self._path(blank, place, blanks)
            for index, candidate in enumerate(self.candidates.of(blank)):
                wanted = (candidate.id == SWAPPED_VALUES) == swapped
                slipped = candidate.value(standing.values) if wanted else None
                if not slipped or slipped == standing.values[blank]:
                    continue
                value = self._forward(standing, blank, slipped, path)
                if value is None:
                    continue
                wider = spread * max(1.0, float(abs(value / own))) if own else spread
                kind = scale.kind(value, wider)
                if kind is not None:
                    order = (swapped, kind, 0, candidate.rank, len(path), index)
                    chance = scale.chance(wider) if kind != WITHIN_SPREAD else max(_SURE_BELOW, scale.chance(wider))
                    spread_there = standing.spreads(standing.precision(place))[0][blank]
                    yield Fit(candidate.id, candidate.detail, slipped, blank, order, chance, spread_there)

    def unknown(self, standing: Standing, place: int, written: Written) -> Iterator[Fit]:
        """For each blank line above the value that leads to the answer, whatever may have gone wrong there."""
        blanks, own = self._blanks_above(standing, place), standing.own[place]
        for blank in blanks[:_NEAREST_BLANKS] if own is not None and written.unit else ():
            here, path = standing.values[blank], self._path(blank, place, blanks)
            if not here:
                continue
            nudge = abs(here) * _NUDGE
            above = self._forward(standing, blank, here + nudge, path)
            if above is None or above == own:
                continue
            slope = (above - own) / nudge
            solved = here + (written.value - own) / slope
            reached = self._forward(standing, blank, solved, path)
            if solved and reached is not None and abs(reached - written.value) <= WITHIN * written.unit:
                spread = abs(float(written.unit / slope)) / 2
                yield Fit(ARITHMETIC, "", solved, blank, (len(path),), 1.0, spread)

    def _old(self, standing: Standing, place: int) -> Decimal:
        before = self.program.before[place]
        return (None if before is None else standing.values[before]) or Decimal(0)

    def _blanks_above(self, standing: Standing, place: int) -> list[int]:
        """The lines left blank that this one stands on, without a written line between; the nearest first."""
        found: dict[int, None] = {}
        queue = list(self.program.inputs[place])
        while queue and len(found) < _FARTHEST_BLANKS:
            x = queue.pop(0)
            if x >= self.program.first and x not in standing.written and x not in standing.held and x not in found:
                found[x] = None
                queue += self.program.inputs[x]
        return list(found)

    def _path(self, blank: int, place: int, blanks: list[int]) -> list[int]:
        """The lines to be worked again when the blank one changes, in order, the marked one last."""
        followers = self.program.followers[blank]
        return [*sorted(b for b in blanks if b in followers and b != blank), place]

    def _forward(self, standing: Standing, blank: int, slipped: Decimal, path: list[int]) -> Decimal | None:
        values = list(standing.values)
        values[blank] = slipped
        for place in path:
            values[place] = self.program.value(place, values)
        found: Decimal | None = values[path[-1]]
        return found


class _Scale:
    """One written number, and how close a value must come to it to be what was written."""

    def __init__(self, standing: Standing, place: int, written: Written, old: Decimal, count: int) -> None:
        self.standing, self.place, self.written, self.old, self.count = standing, place, written, old, count
        self.unit = written.unit if written.exponent is not None else abs(written.value).scaleb(-_FORMULA_DIGITS)
        self.half = WITHIN * self.unit
        self.change = written.value - old
        self.number, self.start, self.size = float(written.value), float(old), abs(float(self.change))
        self.reach = 2 * float(self.unit)

    def may_fit(self, candidate: Candidate) -> bool:
        """Whether, as far as floating point can tell, the candidate comes anywhere near the number written."""
        if self.size < _TOO_SMALL_FOR_FLOATS:
            return True
        try:
            return not self.is_far(candidate.approximate(self.standing.floats, self.standing.decided))
        except (ArithmeticError, ValueError):
            return True

    def is_far(self, number: float) -> bool:
        """Whether the value differs by more than half of the larger change, which no rounding explains."""
        apart = abs(self.number - number)
        return apart > self.reach and 2 * apart > max(self.size, abs(number - self.start))

    def match(self, value: Decimal, candidate: Candidate | None) -> tuple[int | None, float]:
        """How the value fits, and its spread; from the key there is none."""
        kind = self.kind(value, 0.0)
        if kind == ROUNDED or candidate is None:
            return kind, 0.0
        standing = self.standing
        spreads = standing.spreads(standing.precision(self.place))[1]
        spread = reach(candidate.approximate, candidate.inputs, standing.floats, standing.decided, spreads)
        return self.kind(value, spread), spread

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
        size = float(abs(self.change)) or float(self.unit) or 1.0
        return self.count * (1.02 * float(self.unit) + 2 * spread) / (size * _RANGE)


def _best_of_each(found: list[Fit]) -> list[Fit]:
    """One fit of each slip, the best first."""
    best: dict[str, Fit] = {}
    for fit in sorted(found, key=lambda fit: fit.order):
        best.setdefault(fit.id, fit)
    return list(best.values())
