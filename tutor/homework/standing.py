"""A worksheet as one writer has it: each line from what they wrote above it, blanks filled from their own lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from typing import TypeVar

from tutor.arithmetic.symbolic import parts, where
from tutor.homework.habits import Habits, Precision, half_unit_of_a_blank
from tutor.homework.program import Program, Values
from tutor.homework.spread import do_agree, exact_reach, reach
from tutor.homework.written import Written, is_same

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
