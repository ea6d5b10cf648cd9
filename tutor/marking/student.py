"""The sheet as its writer has it: the numbers gone on with, how precise they are, and how far each line may be off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from math import inf
from typing import NamedTuple, TypeVar

from tutor.formulas.expressions import parts, where
from tutor.marking.answer import WITHIN, Demand, WrittenNumber, ends_within, is_same, power_of_ten
from tutor.marking.key import Program, Values
from tutor.marking.tolerance import (
    EXACT,
    UNKNOWN,
    Bounds,
    Function,
    Moves,
    bounds,
    combined,
    do_agree,
    exact_slopes,
    left,
    slopes,
)

FEWEST_OF_A_BLANK = 3
"""Significant digits with which everybody goes on, at least, but for those who keep to so many decimals everywhere."""
FEWEST_CUT = FEWEST_ALIKE = 3
"""Lines that show that a writer cuts digits off, or notes as many digits of every change."""
_NOTHING = Decimal(0)


def _is_lost(part: float) -> bool:
    """Whether so much of the last digit is lost where digits are rounded or cut off."""
    return -0.5 <= part <= 1


class Precision(NamedTuple):
    """What the last digits of a sheet show: to how many significant digits, and to which decimal (as an exponent), its
    writer works; None where nothing shows it."""

    significant: int | None = None
    exponent: int | None = None
    decimals_kept: bool = False

    def unit(self, value: Decimal) -> Decimal:
        """One unit of the last digit to be expected of this value; 0 where nothing can be expected."""
        if self.significant is None or self.exponent is None:
            return _NOTHING
        first = value.adjusted() if value else 0
        by_digits, by_decimals = first - max(self.significant, FEWEST_OF_A_BLANK) + 1, self.exponent
        if self.decimals_kept or not value:
            return power_of_ten(by_decimals)
        return power_of_ten(min(max(by_digits, by_decimals), first - FEWEST_OF_A_BLANK + 1))


class Working:
    """`values` has what stands at every place, `own` what the writer's lines above it lead to.

    `held` has values of blank lines in which a mistake is known to sit, each with how far it may be off; `demands` what
    is asked of each place.
    """

    def __init__(
        self,
        program: Program,
        written: Mapping[int, WrittenNumber],
        demands: Sequence[Demand],
        held: Mapping[int, tuple[Decimal, float]] | None = None,
        worked: tuple[Values, Values] | None = None,
    ) -> None:
        self.program, self.compiled, self.written, self.held = program, program.compiled, written, held or {}
        self.demands = demands
        fixed = {place: w.value for place, w in written.items()}
        self.values, self.own = worked or program.work(
            {**{place: value for place, (value, _) in self.held.items()}, **fixed} if held else fixed
        )
        self.floats = _Memo(partial(_float_of, self.values))
        self._bounds = _Memo(self._work_bounds)
        self._floats_hold = _Memo(partial(_do_floats_hold, program, self.floats, self.own))
        self._moves: dict[int, Moves] = {}
        self._moved = _Memo(self._work_moved)
        self._width = _Memo(lambda place: sum(map(abs, self._moves[place].values())))

    def reread(self, written: Mapping[int, WrittenNumber]) -> Working:
        """The same numbers with other last digits."""
        return Working(self.program, written, self.demands, self.held, (self.values, self.own))

    def without(self, places: Iterable[int]) -> Working:
        """The same sheet with these lines left blank."""
        left = {place: w for place, w in self.written.items() if place not in places}
        return Working(self.program, left, self.demands, self.held)

    def before(self, place: int) -> Decimal:
        """The old value of an updated parameter, which is judged by its change; 0 for everything else."""
        old = self.compiled.before[place]
        return (None if old is None else self.values[old]) or _NOTHING

    def has_cause(self, place: int) -> bool:
        """Whether a line above is written that is not the key: else its own value is the key."""
        return place in self._after_others

    @cached_property
    def _after_others(self) -> frozenset[int]:
        key, followers = self.program.key, self.compiled.followers
        others = (x for x, w in self.written.items() if w.value != key[x])
        return frozenset().union(*(followers[x] - {x} for x in (*others, *self.held)))

    # How precise

    @cached_property
    def precision(self) -> Precision:
        """The coarsest that a line shows which is not exact and agrees with the key or with its own value.

        Who keeps to decimals has the same last place in lines of every size, right or not, but for values that end
        before it; a spreadsheet strips zeros there.
        """
        told = self._telling
        if not told:
            return Precision()
        digits = {self.written[place].digits for place in told}
        exponents = [w.exponent for place in told if (w := self.written[place]).exponent is not None]
        if changes := self._digits_of_changes:
            return Precision(min(digits | changes), max(exponents))
        finest = min(exponents)
        kept = len(digits) > 1 and all(self._agrees(place, power_of_ten(finest)) for place in told)
        ends = {
            (w.exponent, w.digits)
            for place, w in self.written.items()
            if w.exponent is not None and w.value and w.value != self.program.key[place]
        }
        kept |= len(ends) > 1 and len({exponent for exponent, _ in ends}) == 1
        return Precision(min(digits), finest if kept else max(exponents), kept)

    @property
    def _digits_of_changes(self) -> set[int]:
        """The digits of the changes of parameters, where these and not those of the parameters are the same in all: who
        notes every change to five digits writes 0.5000046034, and has worked with five."""
        new = [(w, w.value - self.before(x)) for x, w in self.written.items() if self.compiled.before[x] is not None]
        changed = [(w, change) for w, change in new if w.exponent is not None and change]
        digits = {w.significant(change) for w, change in changed}
        if len(changed) < FEWEST_ALIKE or len({w.exponent for w, _ in changed}) == 1:
            return set()
        return digits if max(digits) - min(digits) <= 1 else set()

    @cached_property
    def _telling(self) -> list[int]:
        """The numbers that were rounded and are right to their own last digit, or else are not; those of a machine only
        where there are no others."""
        key, own = self.program.key, self.own
        rounded = [
            place
            for place, w in self.written.items()
            if w.exponent is not None
            and w.value
            and w.value != key[place]
            and (own[place] is None or not is_same(w.value, own[place]))
        ]
        by_hand = [place for place in rounded if not self.written[place].grain]
        right = [place for place in rounded if self._agrees(place, self.written[place].unit)]
        return [place for place in by_hand if place in right] or right or by_hand or rounded

    def _agrees(self, place: int, unit: Decimal) -> bool:
        value = self.written[place].value
        truths = (self.program.key[place], self.own[place])
        return any(truth is not None and abs(value - truth) <= WITHIN * unit for truth in truths)

    @property
    def cuts(self) -> bool:
        """Whether digits are cut off: of the lines where that is not rounding at least three, and most, are cut."""
        cut, rounded = self._cut_and_rounded
        return cut >= FEWEST_CUT and cut > rounded

    @property
    def may_cut(self) -> bool:
        """Whether no line shows that digits are rounded."""
        return self.cuts or not self._cut_and_rounded[1]

    @cached_property
    def _cut_and_rounded(self) -> tuple[int, int]:
        """How many lines show each, by the truths that more of them keep to: the key, or what their own lines give."""
        lost = []  # of the last digit: 0 to 1 where it was cut off, -1/2 to 1/2 where it was rounded
        for place, w in self.written.items():
            if w.exponent is not None:
                truths = self.program.key[place], self.own[place]
                lost.append([float((abs(t) - abs(w.value)) / w.unit) if t else inf for t in truths])
        by_key, by_own = (sum(map(_is_lost, column)) for column in zip(*lost, strict=True)) if lost else (0, 0)
        cut = rounded = 0
        for key, own in lost:
            first, second = (own, key) if by_own > by_key else (key, own)
            part = first if _is_lost(first) else second
            cut += 0.5 < part <= 1
            rounded += part >= -0.5 and all(truth < 0 or truth == inf for truth in (key, own))
        return cut, rounded

    def expected_unit(self, place: int, value: Decimal) -> Decimal:
        """One unit of the last digit with which the writer goes on with this value: as the sheet shows, and never
        coarser than what is demanded there."""
        unit = self.precision.unit(value)
        demand = self.demands[place]
        return min(unit, demand.unit(value)) if demand.asked and value else unit

    # How far off

    def bounds(self, place: int) -> Bounds:
        """T and A of the line: how far rounding above it can have moved its own value."""
        return self._bounds[place]

    def _work_bounds(self, place: int) -> Bounds:
        moves = self._moved[place]
        return UNKNOWN if moves is None else bounds(moves, self._cut_off(moves), self.may_cut)

    def likely_beside_others(self, place: int) -> float:
        """T of the line, given those that are moved by the same sources and are right to the last digit."""
        likely = self.bounds(place).likely
        if self.may_cut:
            return likely
        moves = self._moved[place] or {}
        others = [(moved, unit) for x, moved, unit in self._right if x != place and not moves.keys().isdisjoint(moved)]
        return min(likely, left(moves, others))

    @cached_property
    def _right(self) -> list[tuple[int, Moves, float]]:
        """The lines that are their own value to the last digit, with the moves of that and with their unit."""
        return [
            (x, self._moved[x] or {}, float(w.unit))
            for x, w in self.written.items()
            if w.exponent is not None and (own := self.own[x]) is not None and abs(w.value - own) <= WITHIN * w.unit
        ]

    def bounds_of(
        self,
        inputs: Sequence[int],
        function: Function,
        exact: Callable[[Sequence[object]], Decimal | None],
        value: Decimal | None = None,
    ) -> Bounds:
        """The same of any formula over these places; `value` is what it comes to, where floats may give way."""
        widths = self._widths(inputs)
        if not any(widths.values()):
            return EXACT
        floats_hold = value is None or do_agree(function, self.floats, value)
        by = slopes(function, self.floats, widths) if floats_hold else exact_slopes(exact, self.values, value, widths)
        if by is None:
            return UNKNOWN
        moves = combined(by, self._moves.__getitem__)
        return bounds(moves, self._cut_off(moves), self.may_cut)

    def is_steady(self, place: int) -> bool:
        """Whether its bounds are known to be finite without being worked out: for a polynomial over numbers written or
        given."""
        inputs = self.compiled.inputs
        if place not in self.compiled.polynomials:
            return False
        return all(x in self.written or not inputs[x] for x in inputs[place])

    def _cut_off(self, moves: Moves) -> Mapping[int, int]:
        """The sign towards which each source is off on average: towards 0 where digits are cut off."""
        if not self.cuts:
            return {}
        return {x: -1 if self.floats[x] > 0 else 1 for x in moves}

    def _widths(self, places: Iterable[int]) -> dict[int, float]:
        """How far each of these places may be off at the very most, taken from the sources above it."""
        self._work_moves(places)
        return {x: self._width[x] for x in places}

    def _work_moves(self, places: Iterable[int]) -> None:
        """The moves of each place: worked out in order, since a worksheet may have more lines one upon the other than
        Python can call functions."""
        waiting = [x for x in places if x not in self._moves]
        if not waiting:
            return
        pending: set[int] = set()
        while waiting:
            x = waiting.pop()
            if x in self._moves or x in pending:
                continue
            if (known := self._known_moves(x)) is not None:
                self._moves[x] = known
            else:
                pending.add(x)
                waiting += self.compiled.inputs[x]
        for x in sorted(pending):
            self._moves[x] = self._carried_moves(x)

    def _known_moves(self, place: int) -> Moves | None:
        """Of what is given or written; None where the lines above have a say."""
        if place < self.program.first or self.own[place] is None:
            return {}
        written = self.written.get(place)
        if written is None:
            if place not in self.held:
                return None
            value, tolerance = self.held[place]
            return {place: tolerance + self._half_unit(place, value)}
        if written.exponent is None or written.value == self.program.key[place]:
            return {}
        if is_same(written.value, self.own[place]):
            return None
        meant = self.expected_unit(place, written.value)  # 1 among numbers of six digits is 1.00000, not 0.5 to 1.5
        return {place: float(min(written.unit, meant) if meant else written.unit) / 2}

    def _carried_moves(self, place: int) -> Moves:
        """Of a blank line, which is rounded once more by itself, and of a written one that is just what those above it
        give."""
        moves = self._moved[place]
        if moves is None:
            return {place: float("inf")}
        if place in self.written:
            return moves
        half = self._half_unit(place, self.own[place])
        return {**moves, place: half} if half else moves

    def _half_unit(self, place: int, value: Decimal | None) -> float:
        """Half a unit of the last digit that the writer would note of this value; 0 where it ends before that."""
        unit = self.expected_unit(place, value) if value is not None else _NOTHING
        return 0.0 if value is None or not unit or ends_within(value, unit) else float(unit) / 2

    def _work_moved(self, place: int) -> Moves | None:
        """The moves of the line's own value; None where it has none so near."""
        widths = self._widths(self.compiled.inputs[place])
        if not any(widths.values()):
            return {}
        formula = self.compiled.formulas[place - self.program.first]
        if not self._floats_hold[place] and not any(isinstance(part, where) for part in parts(formula)):
            by = exact_slopes(partial(self.program.value, place), self.values, self.own[place], widths)
        else:
            by = slopes(self.compiled.float_functions[place - self.program.first], self.floats, widths)
        return None if by is None else combined(by, self._moves.__getitem__)


Thing = TypeVar("Thing")


class _Memo(dict[int, Thing]):
    """What is worked out for a place when it is first asked for."""

    def __init__(self, work: Callable[[int], Thing]) -> None:
        super().__init__()
        self._work = work

    def __missing__(self, place: int) -> Thing:
        found = self[place] = self._work(place)
        return found


def _float_of(values: Values, place: int) -> float:
    value = values[place]
    return 0.0 if value is None else float(value)


def _do_floats_hold(program: Program, floats: Mapping[int, float], own: Values, place: int) -> bool:
    """Whether floats come to the line's own value: log(1 + exp(-90)) is 0 in them."""
    if own[place] is None:
        return True
    return do_agree(program.compiled.float_functions[place - program.first], floats, own[place])
