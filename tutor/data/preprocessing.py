"""What is done about the columns of a table that are not wanted, that hold words, or that have gaps, and about classes
that are not wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Missing = Literal["", "mean", "median", "drop"]
"""How a gap is filled; `drop` leaves out its row, and nothing at all refuses it."""


@dataclass(frozen=True)
class Preprocessing:
    """The columns that are left out, as they were typed, what is done about gaps, and the classes that are kept, as
    they were typed; all of them where none is named."""

    drop: tuple[str, ...] = ()
    missing: Missing = ""
    classes: tuple[str, ...] = ()

    @property
    def is_given(self) -> bool:
        return bool(self.of_columns or self.classes)

    @property
    def of_columns(self) -> bool:
        return bool(self.drop or self.missing)

    @property
    def fills(self) -> bool:
        return self.missing in ("mean", "median")


NO_PREPROCESSING = Preprocessing()
"""Every column is taken, and a gap refused."""


@dataclass(frozen=True)
class Columns:
    """What is still to be done to the columns of `x`, (examples, columns), before they are inputs.

    A column of words has its `words` here, each once, and in x their places among these; one of numbers has None. NaN
    stands in x for a gap, which only where `missing` is mean or median there may be.
    """

    words: tuple[tuple[str, ...] | None, ...]
    missing: Missing
