"""The simplest story that leads to what is written: which mistakes were made throughout, which given was misread.

A mistake is put into the worksheet, the sheet is worked again with what is written taken as written, and the lines are
counted that still go wrong. The mistake that explains most is taken, then the next one. Floats are enough for the
search; the verdict of a line is worked out exactly, with the story in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from heapq import heapify, heappop, heappush
from itertools import takewhile
from math import inf, isfinite, log
from typing import Any

from tutor.explanation import Explanation, Trial, simplest_explanation
from tutor.marking.answer import WITHIN
from tutor.marking.misread import readings
from tutor.marking.student import Working
from tutor.marking.systematic import EVERYWHERE, GIVEN, Change, SystematicErrors
from tutor.slips.registry import MISREAD_HINT
from tutor.slips.slip import Hint

FEWEST_EXPLAINED = 2
"""Lines that a mistake made everywhere has to explain."""
_LONG = 5
"""Significant digits of a single line that are enough for a misread given."""
_RANGE = log(1_000)  # a wrong number lies anywhere within three powers of ten
_LIKELY_BELOW = 0.05
_ROUNDS = 3  # in which a formula that stands on lines below it is worked again
Function = Callable[[Any, Any], float]


@dataclass(frozen=True)
class Mistake:
    """One mistake of a story. `explains` has the lines that are right with it, `also` other mistakes that explain the
    same ones just as well."""

    id: str
    scope: str
    hint: Hint
    explains: tuple[int, ...]
    change: Change | None = None
    also: tuple[Mistake, ...] = ()
    given: int | None = None
    read_as: Decimal | None = None
    entry: str = ""


class Search:
    """Looks for the story of one sheet. `wrong` are the lines that the worksheet does not explain; `has_slip` says
    whether a slip in a single line does."""

    def __init__(
        self, working: Working, systematic: SystematicErrors, wrong: Iterable[int], has_slip: Callable[[int], bool]
    ) -> None:
        self.working, self.systematic, self.compiled = working, systematic, working.compiled
        self.has_slip = has_slip
        self.wrong = set(wrong)
        self._made: list[Change] = []
        self._functions: dict[int, Function] = {}
        self._givens: dict[int, float] = {}
        self._tolerances: dict[int, float] = {}

    def run(self) -> list[Mistake]:
        """The mistakes that explain several lines, the one that explains most first."""
        return list(joined([_with_others(found) for found in simplest_explanation(self, len(self.wrong))]))

    def put_in(self, mistake: Mistake) -> None:
        self.wrong -= {*mistake.explains}
        if mistake.change is not None:
            self._made.append(mistake.change)
            self._functions |= mistake.change.rough
        if mistake.given is not None and mistake.read_as is not None:
            self._givens[mistake.given] = float(mistake.read_as)

    def trials(self) -> Iterator[Trial[Mistake, int]]:
        fewest = FEWEST_EXPLAINED
        for trial in self._misread():
            fewest = max(fewest, trial.gain)
            yield trial
        if len(self.wrong) < FEWEST_EXPLAINED:
            return
        kinds = Counter(change.rank[0] for change in self.systematic.changes)
        shows = self._shows()
        for change in self.systematic.at(shows.keys()):
            if len(_shown_by(change, shows)) < fewest:  # nor could any part of it
                continue
            for part in (change, *self.systematic.parts(change)):
                found = self._try(part, shows, fewest, kinds[change.rank[0]])
                if found is None:
                    continue
                fewest = max(fewest, found.gain)
                yield found
                if self.wrong <= found.explained and not found.broken:
                    break

    def _shows(self) -> dict[int, set[int]]:
        """The lines in which a mistake can sit, those that are wrong and the blank ones that they stand on, each with
        the wrong lines that would show it."""
        shows: dict[int, set[int]] = {}
        for line in self.wrong:
            waiting = [line]
            while waiting:
                place = waiting.pop()
                shown = shows.setdefault(place, set())
                if line not in shown:
                    shown.add(line)
                    blank = (x for x in self.compiled.inputs[place] if x not in self.working.written)
                    waiting += (x for x in blank if x >= self.compiled.first)
        return shows

    def _try(
        self, change: Change, shows: Mapping[int, set[int]], fewest: int, tried: int
    ) -> Trial[Mistake, int] | None:
        """The change put in; None where it explains fewer lines than that."""
        possible = _shown_by(change, shows)
        if len(possible) < fewest or any(change.formulas.keys() <= made.formulas.keys() for made in self._made):
            return None
        moved = self._replayed({**self._functions, **change.rough}, self._givens, change)
        hint = change.hint(min(change.formulas.keys() & shows.keys()))
        mistake = Mistake(change.id, change.scope, hint, (), change, entry=change.entry)
        return self._trial(mistake, change.rank, moved, possible, fewest, tried)

    def _trial(
        self,
        mistake: Mistake,
        rank: tuple[int, ...],
        moved: Iterable[tuple[int, float]],
        possible: set[int],
        fewest: int,
        tried: int,
    ) -> Trial[Mistake, int] | None:
        """What the mistake comes to, from what all lines come to that it moves; given up as soon as it cannot explain
        as many as `fewest`. None too where one of so many `tried` would explain as much if the lines were any numbers.
        """
        givens, written = self._givens_with(mistake), self.working.written
        explained: dict[int, float] = {}
        most, broken = len(possible), 0
        for place, own in moved:
            if place not in written:
                continue
            fits = self._fits(place, own, givens)
            if place not in self.wrong:
                broken += not fits
            elif fits:
                explained[place] = own
                most += place not in possible
            else:
                most -= place in possible
            if most - broken < fewest:
                return None
        if len(explained) - broken < fewest or self._chance(explained, givens, tried) >= _LIKELY_BELOW:
            return None
        mistake = replace(mistake, explains=tuple(sorted(explained)))
        return Trial(mistake, rank, frozenset(explained), broken)

    def _chance(self, explained: Mapping[int, float], givens: Mapping[int, float], tried: int) -> float:
        """How many of so many mistakes would explain these lines if they were any numbers."""
        chance = float(tried)
        for place, own in explained.items():
            w = self.working.written[place]
            size = abs(float(w.value) - self._before(place, givens)) or float(w.unit) or 1.0
            width = self._tolerance(place, own, givens) * (0.1 if self._is_same(place, own) else 1)
            chance *= min(1.0, 2 * width / (size * _RANGE))
        return chance

    def _givens_with(self, mistake: Mistake) -> dict[int, float]:
        """The givens as they were read, in the story so far and in the mistake."""
        if mistake.given is None or mistake.read_as is None:
            return self._givens
        return {**self._givens, mistake.given: float(mistake.read_as)}

    def _before(self, place: int, givens: Mapping[int, float]) -> float:
        """The old value of an updated parameter, as it was read."""
        old = self.compiled.before[place]
        return 0.0 if old is None else givens.get(old) or float(self.working.before(place))

    def _fits(self, place: int, own: float, givens: Mapping[int, float]) -> bool:
        written = self.working.written[place]
        if not isfinite(own) or (written.exponent is None and not own):
            return False
        value = float(written.value)
        if (not value or value == float(self.working.before(place))) and not self._is_same(place, own):
            return False  # a zero, or a weight left as it was, is what comes out exactly
        return abs(value - own) <= self._tolerance(place, own, givens)

    def _is_same(self, place: int, own: float) -> bool:
        value = float(self.working.written[place].value)
        return abs(own - value) <= 1e-12 * max(1.0, abs(value))

    def _tolerance(self, place: int, own: float, givens: Mapping[int, float]) -> float:
        """How far the number may be from what the mistake gives: rounding above the line grows with the line."""
        if place not in self._tolerances:
            self._tolerances[place] = self.working.bounds(place).likely
        likely = self._tolerances[place]
        right = float(self.working.own[place] or 0) - float(self.working.before(place))
        change = own - self._before(place, givens)  # of an updated weight it is the change that grows
        growth = max(1.0, abs(change / right)) if right else 1.0
        unit = float(self.working.written[place].unit) or abs(own) * 1e-12
        half = unit if self.working.cuts else unit * float(WITHIN)
        noise = 1e-12 * abs(own)
        return half + noise + (likely * min(growth, 1e3) if isfinite(likely) else inf)

    def _replayed(
        self, functions: Mapping[int, Function], givens: Mapping[int, float], change: Change | None = None
    ) -> Iterable[tuple[int, float]]:
        """What the lines come to that these formulas and givens move, in their order, with what is written taken as
        written."""
        values = _Overlay(self.working.floats, givens)
        if change is None or not change.looks_down:
            return self._worked(functions, givens, values)
        found: dict[int, float] = {}
        for _ in range(_ROUNDS):
            again = dict(self._worked(functions, givens, values))
            if again == found:
                break
            found = again
            values = _Overlay(self.working.floats, givens)
            values.update({place: v for place, v in found.items() if place not in self.working.written})
        return found.items()

    def _worked(
        self, functions: Mapping[int, Function], givens: Mapping[int, float], values: _Overlay
    ) -> Iterator[tuple[int, float]]:
        """One pass over the lines that move; `values` has what is left blank."""
        compiled, written, last = self.compiled, self.working.written, -1
        waiting = [*functions, *(user for given in givens for user in compiled.users[given])]
        heapify(waiting)
        while waiting:
            place = heappop(waiting)
            if place == last:
                continue
            last = place
            function = functions.get(place) or compiled.float_functions[place - compiled.first]
            try:
                value = function(values, values)
            except (ArithmeticError, ValueError, TypeError):
                value = inf
            yield place, value
            if place not in written:
                values[place] = value
                for user in compiled.users[place]:
                    heappush(waiting, user)

    # A misread given

    def _misread(self) -> Iterator[Trial[Mistake, int]]:
        """Givens that a person could have read as the number that the first wrong line needs."""
        first = min(self.wrong)
        names, key = self.working.program.names, self.working.program.key
        is_long = self.working.written[first].digits >= _LONG and len(self.wrong) == 1
        fewest = 1 if is_long else FEWEST_EXPLAINED
        if len(self.wrong) < fewest or (fewest == 1 and self.has_slip(first)):
            return
        givens = self._givens_above(first)
        for given in givens:
            if given in self._givens:
                continue
            possible = [*readings(key[given], [key[x] for x in range(self.compiled.first) if x != given])]
            tried = len(givens) * len(possible)
            for read, by_digits in possible:
                moved = {**self._givens, given: float(read)}
                if not (by_digits or fewest > 1) or not self._leads_to(first, moved):
                    continue
                hint = MISREAD_HINT.of(names[given])
                mistake = Mistake("misread-given", GIVEN, hint, (), given=given, read_as=read)
                rank = (0,) if by_digits else (2,)
                lines = self._replayed(self._functions, moved)
                trial = self._trial(mistake, rank, lines, self.wrong, fewest, tried)
                if trial and first in trial.explained:
                    yield trial

    def _leads_to(self, place: int, givens: Mapping[int, float]) -> bool:
        """Whether the line is right with these givens."""
        lines = self._worked(self._functions, givens, _Overlay(self.working.floats, givens))
        return any(
            x == place and self._fits(place, own, givens) for x, own in takewhile(lambda line: line[0] <= place, lines)
        )

    def _givens_above(self, place: int) -> list[int]:
        """The givens that a line stands on, directly or through lines left blank."""
        found, waiting = dict[int, None](), [place]
        while waiting:
            for x in self.compiled.inputs[waiting.pop()]:
                if x not in found and (x < self.compiled.first or x not in self.working.written):
                    found[x] = None
                    waiting.append(x)
        return [x for x in found if x < self.compiled.first]


def _shown_by(change: Change, shows: Mapping[int, set[int]]) -> set[int]:
    """The wrong lines that would show the change."""
    return set[int]().union(*(shows[place] for place in change.formulas if place in shows))


def _with_others(explanation: Explanation[Mistake, int]) -> Mistake:
    """The mistake with the others that explain the same lines as well, each once."""
    others: dict[str, Mistake] = {}
    for other in explanation.also:
        if other.id != explanation.mistake.id:
            others.setdefault(other.id, other)
    return replace(explanation.mistake, also=tuple(others.values()))


def joined(mistakes: Sequence[Mistake]) -> Iterator[Mistake]:
    """The same mistake told once, in however many parts it was found: that of the weights, say, and that of the biases.

    Of readings that explain the same lines the one is taken that another part has already.
    """
    ids = Counter(mistake.id for mistake in mistakes)
    parts: dict[tuple[str, str, int | None], list[Mistake]] = {}
    for mistake in mistakes:
        shared = next((m for m in mistake.also if ids[m.id] and not ids[mistake.id] > 1), None)
        if shared is not None:
            others = tuple(m for m in (mistake, *mistake.also) if m is not shared)
            mistake = replace(shared, explains=mistake.explains, also=tuple(replace(m, also=()) for m in others))
        parts.setdefault((mistake.id, mistake.entry, mistake.given), []).append(mistake)
    for same in parts.values():
        yield _as_one(same)


def _as_one(same: Sequence[Mistake]) -> Mistake:
    first, *more = same
    if not more or first.change is None:
        return first
    formulas = {place: f for m in reversed(same) if m.change for place, f in m.change.formulas.items()}
    also = tuple(a for a in first.also if all(a.id in {b.id for b in m.also} for m in more))
    explains = tuple(sorted({place for m in same for place in m.explains}))
    details = {place: d for m in same if m.change for place, d in m.change.details.items()}
    change = replace(first.change, scope=EVERYWHERE, formulas=formulas, details=details)
    return replace(first, scope=EVERYWHERE, explains=explains, change=change, also=also)


class _Overlay(dict[int, float]):
    """The values of a sheet with others over them."""

    def __init__(self, below: Mapping[int, float], over: Mapping[int, float]) -> None:
        super().__init__(over)
        self._below = below

    def __missing__(self, place: int) -> float:
        return self._below[place]
