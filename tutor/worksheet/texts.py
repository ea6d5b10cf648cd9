"""Formulas as text in Python: what holds a text together, its sign, and numbers as floats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from tutor.errors import TutorError

VARIABLE = re.compile(r"\bv\d+\b")
CASE, SUM, PRODUCT, CALL, ATOM = range(5)
"""What holds a text together, weakest first; an atom is a variable or a number."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a formula is in Python, or, with `negative`, minus that."""

    text: str
    rank: int
    negative: bool = False

    @property
    def whole(self) -> str:
        """The text with its sign."""
        return f"-{self.size(PRODUCT)}" if self.negative else self.text

    @property
    def is_atom(self) -> bool:
        return self.rank == ATOM

    @property
    def is_variable(self) -> bool:
        return VARIABLE.search(self.text) is not None

    def size(self, rank: int) -> str:
        """The text without its sign, where something of at least that rank has to stand."""
        return self.text if self.rank >= rank else f"({self.text})"

    def at_least(self, rank: int) -> str:
        """The text with its sign, where something of at least that rank has to stand."""
        if not self.negative:
            return self.size(rank)
        return self.whole if rank <= SUM else f"({self.whole})"


def literal(value: Fraction) -> str:
    """The nearest float, as Python writes it. Raises TutorError where there is none."""
    try:
        return repr(float(value))
    except OverflowError:
        raise TutorError("a number of the network is too large to train with") from None
