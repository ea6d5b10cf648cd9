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
from math import inf, isfinite, log
from typing import Any

from tutor.marking.answer import WITHIN
from tutor.marking.everywhere import EVERYWHERE, GIVEN, Change, Everywhere
from tutor.marking.misread import readings
from tutor.marking.student import Working
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


@dataclass(frozen=True)
class _Trial:
    """What a mistake would come to: the numbers of all lines that it moves, and which of the written ones fit them."""

    mistake: Mistake
    rank: tuple[int, ...]
    own: Mapping[int, float]
    explained: frozenset[int]
    broken: int

    @property
    def gain(self) -> int:
        return len(self.explained) - self.broken


class Search:
    """Looks for the story of one sheet. `wrong` are the lines that the worksheet does not explain; `has_slip` says
    whether a slip in a single line does."""

    def __init__(
        self, working: Working, everywhere: Everywhere, wrong: Iterable[int], has_slip: Callable[[int], bool]
    ) -> None:
        self.working, self.everywhere, self.compiled = working, everywhere, working.compiled
        self.has_slip = has_slip
        self.wrong = set(wrong)
        self.mistakes: list[Mistake] = []
        self._functions: dict[int, Function] = {}
        self._givens: dict[int, float] = {}
        self._tolerances: dict[int, float] = {}

    def run(self) -> list[Mistake]:
        """The mistakes that explain several lines, the one that explains most first."""
        while self.wrong and (best := self._best()) is not None:
            self.mistakes.append(best.mistake)
            self.wrong -= best.explained
            if best.mistake.change is not None:
                self._functions |= best.mistake.change.rough
            if best.mistake.given is not None and best.mistake.read_as is not None:
                self._givens[best.mistake.given] = float(best.mistake.read_as)
        return list(joined(self.mistakes))

    def _best(self) -> _Trial | None:
        trials = sorted(self._trials(), key=lambda trial: (-trial.gain, trial.rank))
        if not trials:
            return None
        best = trials[0]
        alike = [t.mistake for t in trials[1:] if t.explained == best.explained and t.gain == best.gain]
        others = {mistake.id: mistake for mistake in reversed(alike) if mistake.id != best.mistake.id}
        mistake = replace(best.mistake, also=tuple(reversed(others.values())))
        return _Trial(mistake, best.rank, best.own, best.explained, best.broken)

    def _trials(self) -> Iterator[_Trial]:
        yield from self._misread()
        if len(self.wrong) < FEWEST_EXPLAINED:
            return
        kinds = Counter(change.rank[0] for change in self.everywhere.changes)
        above = self._above_wrong()
        for change in self.everywhere.at(above):
            tried = kinds[change.rank[0]]
            trial = self._try(change, above)
            if trial is not None and self._is_worth(trial, tried):
                yield trial
            if trial is None or not self.wrong <= trial.explained or trial.broken:
                parts = (self._try(part, above) for part in self.everywhere.parts(change))
                yield from (part for part in parts if part is not None and self._is_worth(part, tried))

    def _above_wrong(self) -> set[int]:
        """The lines in which a mistake can sit: those that are wrong, and the blank ones that they stand on."""
        found, waiting = set(self.wrong), list(self.wrong)
        while waiting:
            for x in self.compiled.inputs[waiting.pop()]:
                if x >= self.compiled.first and x not in found and x not in self.working.written:
                    found.add(x)
                    waiting.append(x)
        return found

    def _is_worth(self, trial: _Trial, tried: int, fewest: int = FEWEST_EXPLAINED) -> bool:
        return trial.gain >= fewest and self._chance(trial, tried) < _LIKELY_BELOW

    def _chance(self, trial: _Trial, tried: int) -> float:
        """How many of so many mistakes would explain these lines if they were any numbers."""
        chance = float(tried)
        for place in trial.explained:
            w = self.working.written[place]
            size = abs(float(w.value) - self._before(place, trial.mistake)) or float(w.unit) or 1.0
            width = self._tolerance(place, trial.own[place], trial.mistake) * (
                0.1 if self._is_same(place, trial.own[place]) else 1
            )
            chance *= min(1.0, 2 * width / (size * _RANGE))
        return chance

    def _try(self, change: Change, above: set[int]) -> _Trial | None:
        """The change put in; None where it cannot explain several lines."""
        if any(m.change and change.formulas.keys() <= m.change.formulas.keys() for m in self.mistakes):
            return None
        here = change.formulas.keys() & above
        if len(here) < FEWEST_EXPLAINED and here <= self.wrong:
            return None
        own = self._replayed({**self._functions, **change.rough}, self._givens, change)
        hint = change.hint(min(here or change.formulas))
        mistake = Mistake(change.id, change.scope, hint, (), change, entry=change.entry)
        return self._trial(mistake, change.rank, own, FEWEST_EXPLAINED)

    def _trial(self, mistake: Mistake, rank: tuple[int, ...], own: Mapping[int, float], fewest: int) -> _Trial | None:
        explained = frozenset(place for place in self.wrong if place in own and self._fits(place, own[place], mistake))
        if len(explained) < fewest:
            return None
        others = own.keys() & self.working.written.keys() - self.wrong
        broken = sum(not self._fits(place, own[place], mistake) for place in others)
        return _Trial(replace(mistake, explains=tuple(sorted(explained))), rank, own, explained, broken)

    def _before(self, place: int, mistake: Mistake | None) -> float:
        """The old value of an updated parameter, as it was read."""
        old = self.compiled.before[place]
        if old is not None and mistake is not None and old == mistake.given and mistake.read_as is not None:
            return float(mistake.read_as)
        return self._givens.get(old, float(self.working.before(place))) if old is not None else 0.0

    def _fits(self, place: int, own: float, mistake: Mistake | None = None) -> bool:
        written = self.working.written[place]
        if not isfinite(own) or (written.exponent is None and not own):
            return False
        value = float(written.value)
        if (not value or not value - self._before(place, mistake)) and not self._is_same(place, own):
            return False  # a zero, or a weight left as it was, is what comes out exactly
        return abs(float(written.value) - own) <= self._tolerance(place, own, mistake)

    def _is_same(self, place: int, own: float) -> bool:
        value = float(self.working.written[place].value)
        return abs(own - value) <= 1e-12 * max(1.0, abs(value))

    def _tolerance(self, place: int, own: float, mistake: Mistake | None) -> float:
        """How far the number may be from what the mistake gives: rounding above the line grows with the line."""
        if place not in self._tolerances:
            self._tolerances[place] = self.working.bounds(place).likely
        likely = self._tolerances[place]
        right = float(self.working.own[place] or 0) - float(self.working.before(place))
        change = own - self._before(place, mistake)  # of an updated weight it is the change that grows
        growth = max(1.0, abs(change / right)) if right else 1.0
        unit = float(self.working.written[place].unit) or abs(own) * 1e-12
        half = unit if self.working.cuts else unit * float(WITHIN)
        noise = 1e-12 * abs(own)
        return half + noise + (likely * min(growth, 1e3) if isfinite(likely) else inf)

    def _replayed(
        self, functions: Mapping[int, Function], givens: Mapping[int, float], change: Change | None = None
    ) -> dict[int, float]:
        """What the lines come to that these formulas and givens move, with what is written taken as written."""
        found: dict[int, float] = {}
        looks_down = change is not None and any(x > place for place, inputs in change.inputs.items() for x in inputs)
        for _ in range(_ROUNDS if looks_down else 1):
            values = _Overlay(self.working.floats, givens)
            values.update({place: v for place, v in found.items() if place not in self.working.written})
            again = self._worked(functions, givens, values)
            if again == found:
                break
            found = again
        return found

    def _worked(
        self, functions: Mapping[int, Function], givens: Mapping[int, float], values: _Overlay, last: int | None = None
    ) -> dict[int, float]:
        """One pass over the lines that move, in their order, down to the `last` one that is asked for."""
        compiled, written, found = self.compiled, self.working.written, dict[int, float]()
        waiting = [*functions, *(user for given in givens for user in compiled.users[given])]
        heapify(waiting)
        while waiting:
            place = heappop(waiting)
            if last is not None and place > last:
                break
            if place in found:
                continue
            function = functions.get(place) or compiled.float_functions[place - compiled.first]
            try:
                found[place] = value = function(values, values)
            except (ArithmeticError, ValueError, TypeError):
                found[place] = value = inf
            if place not in written:
                values[place] = value
                for user in compiled.users[place]:
                    heappush(waiting, user)
        return found

    # A misread given

    def _misread(self) -> Iterator[_Trial]:
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
                trial = self._trial(mistake, rank, self._replayed(self._functions, moved), fewest)
                if trial and first in trial.explained and self._is_worth(trial, tried, fewest):
                    yield trial

    def _leads_to(self, place: int, givens: Mapping[int, float]) -> bool:
        """Whether the line is right with these givens."""
        own = self._worked(self._functions, givens, _Overlay(self.working.floats, givens), place)
        return place in own and self._fits(place, own[place])

    def _givens_above(self, place: int) -> list[int]:
        """The givens that a line stands on, directly or through lines left blank."""
        found, waiting = dict[int, None](), [place]
        while waiting:
            for x in self.compiled.inputs[waiting.pop()]:
                if x not in found and (x < self.compiled.first or x not in self.working.written):
                    found[x] = None
                    waiting.append(x)
        return [x for x in found if x < self.compiled.first]


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
