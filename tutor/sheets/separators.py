"""What commas, points and parentheses mean in the numbers of a sheet: what the sheet itself shows.

0,35 and 12.400,64 have a decimal comma, 12,400.64 and 0.35 a decimal point; 1,380 may have either, and stays as it is
where no other number shows which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.marking.as_written import plain_digits, plain_number
from tutor.numbers.exact import is_number

Row = tuple[str, str]
_NUMERAL = re.compile(r"(?<![\w.,])(?:[0-9]+(?:[.,][0-9]+)+|[.,][0-9]+)(?![.,]?[0-9])")
"""A number with a comma or a point in it; 1 of W1 and 10 of x10 are none."""
_GROUPS_APART = re.compile(r"(?<![\w.,])[1-9][0-9]{0,2}(?:[ '’][0-9]{3})+(?=[.,][0-9]|(?![\w.,]))")
_IN_PARENTHESES = re.compile(r"((?:[^=≈~:]{0,60}[=≈~:])?\s*)\(\s*([0-9.,]+(?:[eE][-+−–]?[0-9]+)?)\s*\)\s*")
_SIGNED = re.compile(r"\s*\W{0,3}[-−–]\s*[0-9.,]")
_ORDINARY = re.compile(r"\s*[-+−–]?[0-9]*\.?[0-9]*(?:[eE][-+−–]?[0-9]+)?\s*")
_MAY_MEAN_MORE = re.compile(r"[,(']|[0-9] [0-9]|[^\x00-\x7f]")
_CALL = re.compile(r"[A-Za-z]\w*\s*\(|\[")


@dataclass(frozen=True, slots=True)
class Shown:
    """Which signs the numbers of a sheet show to be decimal ones, and which to be those of thousands."""

    decimal_comma: bool = False
    thousands_comma: bool = False
    decimal_point: bool = False
    thousands_point: bool = False


def with_points(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows with a decimal point in every number, without separators of thousands, and with a minus for a number in
    parentheses, as bookkeepers write it, where no number has a sign. What can be read in two ways stays."""
    if not any(_MAY_MEAN_MORE.search(text) for _, text in rows):
        return rows
    plain = [text if _ORDINARY.fullmatch(text) else _grouped(plain_digits(text)) for _, text in rows]
    free = [_ORDINARY.fullmatch(t) is not None or _is_free(t, n) for t, (n, _) in zip(plain, rows, strict=True)]
    shown = _shown([m[0] for text, f in zip(plain, free, strict=True) if f for m in _NUMERAL.finditer(text)])
    read = [_NUMERAL.sub(lambda m: _read(m[0], shown), t) if f else t for t, f in zip(plain, free, strict=True)]
    return _with_minus([(name, text) for (name, _), text in zip(rows, read, strict=True)])


def _is_free(text: str, name: str) -> bool:
    """Whether a comma in it can only be part of a number: there is no function to have several arguments, or the whole
    is a number as a program prints it."""
    if not _CALL.search(text):
        return True
    return len(text) < 200 and is_number(plain_number(_NUMERAL.sub("7", text), name))


def _grouped(text: str) -> str:
    """The text with whole numbers instead of 12 400 and 12'400."""
    return _GROUPS_APART.sub(lambda m: re.sub("[ '’]", "", m[0]), text)


def _shown(numerals: Sequence[str]) -> Shown:
    comma = point = commas = points = False
    for text in numerals:
        last = max(text.rfind(","), text.rfind("."))
        sign, other = text[last], "." if text[last] == "," else ","
        ambiguous = re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", text)
        several = text.count(sign) > 1
        if sign == ",":
            comma, commas = comma or not (ambiguous or several), commas or several
        else:
            point, points = point or not several, points or several
        if other in text:
            commas, points = commas or other == ",", points or other == "."
    return Shown(comma, commas, point, points)


def _read(text: str, shown: Shown) -> str:
    """The number with a decimal point; unchanged where it may be read in two ways or is not grouped by threes."""
    signs = re.sub("[0-9]", "", text)
    if len(set(signs)) == 2:
        whole, decimals = text[: -len(text.rpartition(signs[-1])[2]) - 1], text.rpartition(signs[-1])[2]
        plain = re.sub("[.,]", "", whole)
        return f"{plain}.{decimals}" if signs.count(signs[-1]) == 1 and _by_threes(whole) else text
    if len(signs) > 1:
        return re.sub("[.,]", "", text) if _by_threes(text) else text
    thousand = bool(re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", text))
    if signs == ".":
        meant = thousand and shown.thousands_point and shown.decimal_comma and not shown.thousands_comma
        return text.replace(".", "") if meant else text
    if not thousand or (shown.decimal_comma and not shown.thousands_comma):
        return text.replace(",", ".")
    if (shown.decimal_point or shown.thousands_comma) and not shown.decimal_comma:
        return text.replace(",", "")
    return text


def _by_threes(text: str) -> bool:
    return bool(re.fullmatch(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+", text))


def _with_minus(rows: Sequence[Row]) -> Sequence[Row]:
    if any(_SIGNED.match(text) for _, text in rows):
        return rows
    found = ((name, _IN_PARENTHESES.fullmatch(text), text) for name, text in rows)
    return [(name, f"{match[1]}-{match[2]}" if match else text) for name, match, text in found]
