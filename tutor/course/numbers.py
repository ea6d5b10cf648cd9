"""What is said to a number that is not right: only what is true of that very number.

Nothing is known of how it came about, since a question asks for one line alone. So nothing is said of lines above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Any

from tutor.marking.answer import WrittenNumber, read_written
from tutor.numbers.exact import as_fraction
from tutor.worksheet.step import Step

_RATIOS = {
    Fraction(-1): "has the wrong sign",
    Fraction(1, 2): "is half as large as it should be",
    Fraction(2): "is twice as large as it should be",
    Fraction(10): "is ten times as large as it should be",
    Fraction(1, 10): "is a tenth of what it should be",
}
_OF_A_CHANGE = ("factor-two", "decimal-slip", "ascent")
"""The slips that the ratio of the changes tells better: two speak of the whole number, one of gradient descent."""
_CLEAR = 10
"""How many times as large as its uncertainty a change must be for its ratio to be told."""


class Typed:
    """A number as it was typed beside the step that it answers. A formula, or what is none, is no number here."""

    def __init__(self, text: str, step: Step, values: Mapping[str, Any]) -> None:
        self.written: WrittenNumber | None = None
        with suppress(ValueError):
            self.written = read_written(text)
        self.right = as_fraction(values[step.name])
        self.old = step.before if step.stage == "update" else None
        beside = (*step.inputs, *([self.old] if self.old else ()))
        self.known = {name: as_fraction(values[name]) for name in beside}

    @property
    def repeats(self) -> str:
        """The name in the formula whose value it is, and no other than that: the value before an update first."""
        if self.written is None:
            return ""
        value = Fraction(self.written.value)
        same = [name for name, known in self.known.items() if known == value != self.right]
        return next((name for name in same if name == self.old), next(iter(same), ""))

    @property
    def change(self) -> str:
        """How the change that it makes of the old value stands to the right one, in a sentence; empty where that is
        told by no simple ratio."""
        if self.old is None or self.written is None:
            return ""
        old = self.known[self.old]
        wanted, made = self.right - old, Fraction(self.written.value) - old
        half = Fraction(self.written.half)
        tolerance = half if _CLEAR * half <= abs(wanted) else 0
        told = (words for ratio, words in _RATIOS.items() if abs(made - ratio * wanted) <= tolerance)
        return next((f"the change from {self.old} = {float(old):.6g} {words}" for words in told), "")

    def fits(self, slip: str) -> bool:
        """Whether what is said of the slip is true of the number itself."""
        return self.old is None or slip not in _OF_A_CHANGE

    @property
    def agrees(self) -> bool:
        """Whether it is the right number as far as it goes."""
        return self.written is not None and abs(Fraction(self.written.value) - self.right) < Fraction(self.written.unit)
