"""The sheet as its writer has it: the numbers gone on with, and how this writer rounds."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from typing import TypeVar

from tutor.formulas.expressions import parts, where
from tutor.marking.answer import Written, is_same, power_of_ten
from tutor.marking.key import Program, Values
from tutor.marking.tolerance import do_agree, exact_reach, reach

Precision = tuple[int | None, int | None]
"""To so many significant digits, and to so many decimals (as the exponent of the last one)."""
_EXACT: Precision = (None, None)
_FEWEST_OF_A_BLANK = 3  # significant digits
_HALF = Decimal("0.5")
_FEWEST_CUT, _FEWEST_ALIKE = 3, 2  # lines that show a habit
_LONGEST = 40  # digits; what is written with more of them is taken as exact


class Habits:
    """The habits of one writer; `values` has what stands at every place of their sheet."""

    def __init__(self, program: Program, written: Mapping[int, Written], values: Values) -> None:
        self.program, self.written, self.values = program, written, values
        self._precisions: dict[tuple[int | None, int | None], Precision] = {}

    def precision(self, place: int) -> Precision:
        """How they round, from every line but this one: the median of their significant digits, and the last decimal
        if it is the same in all of several lines."""
        mine = self._inexact.get(place)
        told = mine, None if mine is None else self._last(place)
        if told not in self._precisions:
            self._precisions[told] = self._without(*told)
        return self._precisions[told]

    def _without(self, mine: int | None, exponent: int | None) -> Precision:
        digits, exponents = self._counted
        others = len(digits) - (mine is not None)
        if not others:
            return _EXACT
        middle = (others - 1) // 2
        if mine is not None and middle >= bisect_left(digits, mine):
            middle += 1
        last = [e for e, count in exponents.items() if count > (mine is not None and e == exponent)]
        return digits[middle], last[0] if len(last) == 1 and others >= _FEWEST_ALIKE else None

    @cached_property
    def _inexact(self) -> dict[int, int]:
        """For every number that is not exact how many significant digits it has, an updated weight those of its
        change. Those of a machine count only where there are no others."""
        key, before = self.program.key, self.program.compiled.before
        by_hand, by_machine = dict[int, int](), dict[int, int]()
        for place, w in self.written.items():
            if w.exponent is not None and w.value and w.value != key[place]:
                old = None if (earlier := before[place]) is None else self.values[earlier]
                if digits := w.digits if old is None else w.significant(w.value - old):
                    (by_machine if w.grain else by_hand)[place] = digits
        return max(by_hand, by_machine, key=len)

    @cached_property
    def _counted(self) -> tuple[list[int], Counter[int | None]]:
        """The significant digits of all of them, sorted, and the places of their last digits."""
        return sorted(self._inexact.values()), Counter(map(self._last, self._inexact))

    def cuts(self, own: Sequence[Decimal | None]) -> bool:
        """Whether they cut digits off: of the lines where that is not rounding at least three, and most, are cut. The
        truth of a line is its key or `own`, what follows from the lines above it as they stand: whichever is nearer."""
        cut = rounded = 0
        for place, w in self.written.items():
            truths = [t for t in (self.program.key[place], own[place]) if t]
            if w.exponent is None or not truths:
                continue
            truth = min(truths, key=lambda t: abs(t - w.value))
            lost = (abs(truth) - abs(w.value)) / w.unit  # 0 to 1 where digits are cut off, -1/2 to 1/2 where rounded
            cut, rounded = cut + (_HALF < lost <= 1), rounded + (-_HALF <= lost < 0)
        return cut >= _FEWEST_CUT and cut > rounded

    def _last(self, place: int) -> int | None:
        """The place of the last decimal; a machine keeps to none."""
        w = self.written[place]
        return None if w.grain else w.exponent


def half_unit(value: Decimal, precision: Precision) -> float:
    """Half a unit of the last digit that the writer would note of this value; 0 where it ends before that."""
    significant, exponent = precision
    if significant is None or significant > _LONGEST:
        return 0.0
    size = (value.adjusted() if value else 0) - significant + 1
    last = size if exponent is None else max(size, exponent)
    unit = power_of_ten(last)
    return 0.0 if value % unit == 0 else float(unit) / 2


def half_unit_of_a_blank(value: Decimal, precision: Precision) -> float:
    """The same of a result that is not on the sheet: nobody goes on with less than three digits of it, unless all their
    lines have as many decimals."""
    significant, exponent = precision
    return half_unit(value, (significant and max(significant, _FEWEST_OF_A_BLANK), exponent))


Thing = TypeVar("Thing")
_NOTHING = Decimal(0)


class Standing:
    """`values` has what stands at every place, `own` what the writer's lines above it lead to.

    `held` has values of blank lines in which a slip is known to sit, each with how far it may be off.
    """

    def __init__(
        self,
        program: Program,
        written: Mapping[int, Written],
        held: Mapping[int, tuple[Decimal, float]] | None = None,
        worked: tuple[Values, Values] | None = None,
    ) -> None:
        self.program, self.compiled, self.written, self.held = program, program.compiled, written, held or {}
        fixed = {place: w.value for place, w in written.items()}
        self.values, self.own = worked or program.work(
            {**{place: value for place, (value, _) in self.held.items()}, **fixed} if held else fixed
        )
        self.floats = _Memo(partial(_float_of, self.values))
        self._simple_spreads = _Memo(partial(_written_spread, program, written, self.own))
        self._floats_hold = _Memo(partial(_do_floats_hold, program, self.floats, self.own))
        self._spreads: dict[Precision, dict[int, float]] = {}

    def reread(self, written: Mapping[int, Written]) -> Standing:
        """The same numbers with other last digits."""
        return Standing(self.program, written, worked=(self.values, self.own))

    def before(self, place: int) -> Decimal:
        """The old value of an updated parameter, which is judged by its change; 0 for everything else."""
        old = self.compiled.before[place]
        return (None if old is None else self.values[old]) or _NOTHING

    def spread(self, place: int, marked: int | None = None) -> float:
        """A of the line: how far rounding above it can have moved its own value; of a line above the `marked` one, if
        that is another."""
        spreads = self.spreads(self.compiled.inputs[place], place if marked is None else marked)
        return self._reach(place, spreads)

    def has_cause(self, place: int) -> bool:
        """Whether a line above is written that is not the key: else its own value is the key."""
        key, followers = self.program.key, self.compiled.followers
        other = (x for x, w in self.written.items() if x != place and w.value != key[x])
        return any(place in followers[x] for x in (*other, *self.held))

    def is_steady(self, place: int) -> bool:
        """Whether A is known to be finite without being worked out: for a polynomial over numbers written or given."""
        inputs = self.compiled.inputs
        if place not in self.compiled.polynomials:
            return False
        return all(x in self.written or not inputs[x] for x in inputs[place])

    @cached_property
    def _cuts(self) -> bool:
        return self.habits.cuts(self.own)

    def wide_spread(self, place: int) -> float:
        """A for somebody who cuts digits off instead of rounding: every line above is up to twice as far off. Of blank
        lines nobody sees whether they were cut; written ones show it."""
        spreads = self.spreads(self.compiled.inputs[place], place)
        seen = self.written.keys() if not self._cuts else ()
        return self._reach(place, {x: spread if x in seen else 2 * spread for x, spread in spreads.items()})

    def spreads(self, places: Sequence[int], marked: int) -> dict[int, float]:
        """For each of these places δ: how far what stands there may be from what the writer had in mind.

        Half a unit for a written number that is not exact; for a blank its own A and half a unit at the precision that
        every line but the marked one shows, unless its value needs no more digits than that.
        """
        found = {}
        for x in places:
            if (spread := self._simple_spreads[x]) is None and (spread := self._carried_spread(x)) is None:
                return self._blank_spreads(places, self.habits.precision(marked))
            found[x] = spread
        return found

    def _carried_spread(self, place: int) -> float | None:
        """δ of a written number that is just what simple lines above it give: none if those are exact."""
        inputs = {x: spread for x in self.compiled.inputs[place] if (spread := self._simple_spreads[x]) is not None}
        if place not in self.written or len(inputs) < len(self.compiled.inputs[place]):
            return None
        found = self._simple_spreads[place] = float(self.written[place].unit) / 2 if self._reach(place, inputs) else 0.0
        return found

    def _blank_spreads(self, places: Sequence[int], precision: Precision) -> dict[int, float]:
        """δ where blank lines are among them, which have theirs from the lines above: worked out in order, since a
        worksheet may have more lines one upon the other than Python can call functions."""
        known, inputs = self._spreads.setdefault(precision, {}), self.compiled.inputs
        waiting, wanted = list(places), set[int]()
        while waiting:
            x = waiting.pop()
            if x in known or x in wanted:
                continue
            if (spread := self._simple_spreads[x]) is not None:
                known[x] = spread
            else:
                wanted.add(x)
                waiting += inputs[x]
        for x in sorted(wanted):
            moved = self._reach(x, {y: known[y] for y in inputs[x]})
            if (written := self.written.get(x)) is not None:
                known[x] = float(written.unit) / 2 if moved else 0.0
            elif x in self.held:
                value, spread = self.held[x]
                known[x] = spread + half_unit_of_a_blank(value, precision)
            else:
                known[x] = moved + half_unit_of_a_blank(self.own[x], precision)
        return {x: known[x] for x in places}

    def _reach(self, place: int, spreads: Mapping[int, float]) -> float:
        """A of the line from the δ of its inputs."""
        if not any(spreads.values()):
            return 0.0
        formula = self.compiled.steps[place - self.compiled.first].formula
        if not self._floats_hold[place] and not any(isinstance(part, where) for part in parts(formula)):
            return exact_reach(partial(self.program.value, place), self.values, self.own[place], spreads)
        return reach(self.compiled.float_functions[place - self.compiled.first], self.floats, spreads)

    @cached_property
    def habits(self) -> Habits:
        return Habits(self.program, self.written, self.values)


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


def _written_spread(program: Program, written: Mapping[int, Written], own: Values, place: int) -> float | None:
    """δ where the written number tells it; None where the lines above have a say."""
    if place < program.first or own[place] is None:
        return 0.0
    w = written.get(place)
    if w is None:
        return None
    if w.exponent is None or w.value == program.key[place]:
        return 0.0
    return None if is_same(w.value, own[place]) else float(w.unit) / 2
