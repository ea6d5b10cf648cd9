"""Notes of a lesson with their numbers filled in: `{dE/dW1:5}` is the value of dE/dW1 to five decimals."""

from __future__ import annotations

import re

from tutor.errors import TutorError
from tutor.formulas.parse import parse
from tutor.views.numbers import shown
from tutor.worksheet.step import Worksheet
from tutor.worksheet.values import evaluate_formula

_BLANK = re.compile(r"\{([^{}]*?)(?::([0-9]{1,2}))?\}")


def fill(note: str, worksheet: Worksheet) -> str:
    """The note with every `{formula:decimals}` computed from the worksheet (three decimals where none are said).

    Raises TutorError where a formula in it cannot be read or has no value.
    """

    def computed(blank: re.Match[str]) -> str:
        try:
            value = evaluate_formula(parse(blank[1], worksheet.names), worksheet.values)
        except (ValueError, TutorError) as error:
            raise TutorError(f"in a note, {blank[0][:60]!r}: {error}") from None
        return shown(value, int(blank[2] or 3), significant=1 if blank[2] else 3)

    if "{" in _BLANK.sub("", note) or "}" in _BLANK.sub("", note):
        raise TutorError(f"a note has a lone brace: {note.strip()[:60]!r}; write {{formula}} or {{formula:decimals}}")
    return " ".join(_BLANK.sub(computed, note).split())
