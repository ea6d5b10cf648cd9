"""What marking a sheet comes to: its cells, and the mistakes of its story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from tutor.marking.diagnosis import Fit
from tutor.marking.student import Working
from tutor.marking.verdict import Mark
from tutor.slips.slip import Hint


class Cell(NamedTuple):
    """A marked answer; a root error has the slips that fit, the best first.

    `formula` is set where the answer is or has one: right, wrong or undecided; `reason` where it cannot be read.
    `degenerate` says of a line that it follows from zeros and shows nothing; `earlier` has the lines above from whose
    earlier values it follows. `half` says that a wrong formula stands beside the right number, `left_side` what a
    computation before the equals sign comes to, where that is not the number after it; `accepted` that it is not the
    key, but accepted by the teacher.
    """

    mark: Mark
    slips: Sequence[Fit] = ()
    formula: str = ""
    reason: str = ""
    degenerate: bool = False
    earlier: Sequence[str] = ()
    half: bool = False
    left_side: Decimal | None = None
    accepted: bool = False


class Misconception(NamedTuple):
    """One mistake of the story: in which lines it shows, in how many of them it was made `apart`, line by line, and
    what to look at. `is_other` says that it explains the same lines as the one before, just as well; `blanks` are the
    lines left blank in which it was made, too."""

    id: str
    scope: str
    cells: Sequence[str]
    hint: Hint
    given: str = ""
    read_as: Decimal | None = None
    entry: str = ""
    is_other: bool = False
    apart: int = 0
    blanks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MarkedSheet:
    """`after_errors` are the lines that stand on a root error, or on a blank line in which a mistake sits; `working`
    has the numbers that the writer went on with. What is `dropped` does not count, and is never called an error."""

    cells: Sequence[Cell]
    working: Working = field(compare=False)
    misconceptions: Sequence[Misconception] = ()
    after_errors: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()

    @property
    def root_errors(self) -> list[str]:
        return [c.mark.name for c in self.cells if c.mark.verdict == "wrong" and c.mark.name not in self.dropped]
