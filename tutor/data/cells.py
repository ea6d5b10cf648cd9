"""What a cell of a table says: a number, a number in other clothes, a date, a gap, or a word."""

from __future__ import annotations

import re
from math import isfinite

from tutor.data.separators import either_way

GAPS_IN_WORDS = {"", "na", "n/a", "nan", "null", "?"}
"""What stands in a cell of text, in any case, where its value is missing."""
GAPS = GAPS_IN_WORDS | {"none", "-"}
"""The same among numbers, where no word is meant as itself."""
INFINITIES = {"inf", "+inf", "-inf", "infinity", "-infinity"}
MISSING = GAPS | INFINITIES
"""What stands in a cell, in any case, where its value is missing or is no number."""

_DRESSED = re.compile(r"([$€£¥])?\s*(-?\d+(?:[,' ]\d+)*(?:\.\d+)?)\s*([$€£¥%])?")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[ap]m)?\s*(?:z|[+-]\d{2}:?\d{2})?"
_DAYS = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
    r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})",
    rf"\d{{1,2}}\.?[ -]{_MONTH}[ -]\d{{2,4}}",
    rf"{_MONTH} \d{{1,2}},? \d{{4}}",
)
_DATE = re.compile(rf"(?:{'|'.join(_DAYS)})(?:[t ,]\s*{_TIME})?|{_TIME}", re.IGNORECASE)


def tidy(text: str) -> str:
    """A name on one line."""
    return " ".join(text.split())


def value_of(cell: str, decimal_commas: bool) -> float | None:
    """The finite number that a cell has, or None; with decimal commas as it may be read by itself."""
    text = either_way(cell) if decimal_commas else cell
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and "_" not in text else None


def is_date(cell: str) -> bool:
    """Whether a cell has a day, a time of day, or both."""
    return len(cell) < 60 and _DATE.fullmatch(cell.strip()) is not None


def number_hint(cell: str) -> str:
    """How a number is written that has more in its cell than a reader of numbers takes; empty for other text."""
    found = _DRESSED.fullmatch(cell)
    if found is None:
        return ""
    before, number, after = found.groups()
    many = number.count(",") + number.count("'") + number.count(" ")
    if not before and not after and not many:
        return ""
    if many == 1 and "." not in number and re.search(r",\d{1,2}$", number):
        plain = number.replace(",", ".")
        return f"; with a decimal point it is {plain}"
    plain = re.sub(r"[,' ]", "", number)
    sign = f" without {before or after}" if before or after else ""
    return f"; written{sign or ' without separators'} it is {plain}"
