"""Notes of a lesson with their numbers filled in: `{dE/dW1:5}` is the value of dE/dW1 to five decimals."""

from __future__ import annotations

import re

from tutor.arithmetic.exact import ExactSystem
from tutor.errors import TutorError
from tutor.views.rounding import shown
from tutor.worksheet.evaluate import value_of
from tutor.worksheet.parse import parse
from tutor.worksheet.step import Worksheet

_BLANK = re.compile(r"\{([^{}:]+)(?::([0-9]{1,2}))?\}")


def fill(note: str, worksheet: Worksheet) -> str:
    """The note with every `{formula:decimals}` computed from the worksheet (three decimals where none are said).

    Raises TutorError where a formula in it cannot be read or has no value.
    """
    system = ExactSystem(60)

    def computed(blank: re.Match[str]) -> str:
        try:
            value = value_of(parse(blank[1], worksheet.names), worksheet.values, system)
        except (ValueError, ZeroDivisionError) as error:
            raise TutorError(f"the note {blank[0]!r}: {error or 'divides by zero'}") from None
        return shown(value, int(blank[2] or 3), significant=1 if blank[2] else 3)

    return " ".join(_BLANK.sub(computed, note).split())
