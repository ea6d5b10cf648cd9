"""Lines that follow from nothing: a written zero, or a difference of equal numbers, makes everything below it 0, and
there is no work left to show in them."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property

from tutor.formulas.expressions import parts, where
from tutor.marking.answer import is_same
from tutor.marking.student import Working
from tutor.marking.verdict import Marker


class Degenerate:
    """`lines` are the places whose own value is 0, the old one of a parameter, or that of the first forward pass, where
    the key is not; but not because of a branch: a ReLU that is off, a perceptron that is right, clipping."""

    def __init__(self, working: Working, marker: Marker) -> None:
        self.working, self.compiled, self.key, self.marker = working, working.compiled, working.program.key, marker

    @cached_property
    def lines(self) -> frozenset[int]:
        first, own = self.compiled.first, self.working.own
        found: set[int] = set()
        nothing: set[int] = set()  # what stands there is a zero, or no change, that nothing accounts for
        for place in range(first, len(own)):
            if own[place] is None or own[place] == self.key[place]:
                continue
            if self._is_nothing(place, own[place]):
                if self._is_repeated(place) and self._comes_of(place, nothing):
                    found.add(place)
                    nothing.add(place)
            elif self._is_written_as_nothing(place):
                nothing.add(place)
        return frozenset(found)

    def _is_written_as_nothing(self, place: int) -> bool:
        """Whether a number that is something is written as 0 or as no change, and not only to so many digits."""
        w = self.working.written.get(place)
        if w is None or not self._is_nothing(place, w.value):
            return False
        before = self._before(place)
        if w.value and before and abs(self.key[place] - before[1]) <= w.half:
            return False  # nor would the right number show more of a change
        return abs(w.value - self.working.own[place]) > w.half or self.marker.verdict(self.working, place, w) == "wrong"

    def _is_repeated(self, place: int) -> bool:
        """Whether the answer is that very number; one that rounding moved was worked out."""
        written = self.working.written.get(place)
        return written is None or abs(written.value - self.working.own[place]) <= written.half

    def _is_nothing(self, place: int, value: object) -> bool:
        """Whether the value is 0, or as it was before, where the key is not."""
        before = self._before(place)
        if before is None:
            return not value and bool(self.key[place])
        old, old_key = before
        return value in old and self.key[place] != old_key

    def _before(self, place: int) -> tuple[tuple[object, object], Decimal] | None:
        """What stands in place of the value before the updates, as written and as worked out, and what should; None
        where there is none."""
        old = self.compiled.began[place]
        return None if old is None else ((self.working.values[old], self.working.own[old]), self.key[old])

    def _comes_of(self, place: int, nothing: set[int]) -> bool:
        """Whether it is so because of such lines above; or else of a difference of equal numbers."""
        inputs = self.compiled.inputs[place]
        if any(x in nothing for x in inputs):
            return True
        formula = self.compiled.formulas[place - self.compiled.first]
        if self._before(place) is not None or any(isinstance(part, where) for part in parts(formula)):
            return False
        zeros = [x for x in inputs if self.working.values[x] is not None and not self.working.values[x]]
        changed = any(
            x in self.working.written
            and self.key[x] is not None
            and not is_same(self.working.written[x].value, self.key[x])
            for x in inputs
        )
        return not zeros and changed
