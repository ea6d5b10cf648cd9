"""The key of a worksheet as somebody would write it: each value with the digits that are demanded of it."""

from __future__ import annotations

from collections.abc import Mapping

from tutor.arithmetic.exact import as_fraction
from tutor.views.rounding import decimals_for, fixed, shown
from tutor.worksheet.step import Worksheet

DIGITS = 6


def key_answers(worksheet: Worksheet, demands: Mapping[str, tuple[int | None, int | None]]) -> dict[str, str]:
    """The value of every step as text. `demands` has the decimals or the significant digits that are asked for.

    An updated weight is written so that its change has at least three significant digits.
    """
    found = {}
    for step in worksheet.steps:
        value, before = worksheet.values[step.name], step.before if step.stage == "update" else None
        decimals, significant = demands.get(step.name, (None, None))
        old = worksheet.values[before] if before else None
        text = shown(value, max(DIGITS, decimals or 0), old, max(3, significant or 0))
        if decimals is not None and "e" not in text and len(text.partition(".")[2]) < decimals:
            text = fixed(as_fraction(value), decimals)
        if significant is not None and "e" not in text:
            change = as_fraction(value) - (as_fraction(old) if old is not None else 0)
            least = decimals_for(change, 0, significant)
            text = text if len(text.partition(".")[2]) >= least else fixed(as_fraction(value), least)
        found[step.name] = text
    return found
