"""What commas and points mean in the numbers of a table whose cells neither of them keeps apart: what the table shows.

3.466,36 and 0,847 have a decimal comma, 3,466.36 and 0.847 a decimal point; 2.153 may have either, and another number
has to show which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from tutor.errors import TutorError

_NUMERAL = re.compile(r"\s*[-+]?(?:[0-9]+(?:[.,][0-9]+)*[.,]?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?\s*")
_GROUPED = re.compile(r"\s*[-+]?[1-9][0-9]{0,2}(?:[.,][0-9]{3})+\s*")
_NAMES = {",": "comma", ".": "point"}


class Signs:
    """The decimal sign of a table, once a number shows it, with the row of that number. `trouble` makes what is raised
    about a row."""

    def __init__(self, trouble: Callable[[int, str], TutorError]) -> None:
        self._trouble, self._decimal = trouble, ("", 0)

    def look(self, cells: Iterable[tuple[int, str]]) -> None:
        """See which sign is the decimal one in cells, each with the number of its row."""
        shown = ((sign, number) for number, cell in cells if (sign := decimal_sign(cell)))
        self._decimal = next(shown, self._decimal)

    def with_points(self, number: int, cells: Sequence[str]) -> Sequence[str]:
        """The cells of a row with decimal points alone. Raises TutorError where one shows another decimal sign than
        numbers before it, and where one may be read in two ways."""
        joined = " ".join(cells)
        if "," not in joined and ("." not in joined or self._decimal[0] == "."):
            return cells
        return [self._with_point(number, cell) for cell in cells]

    def _with_point(self, number: int, cell: str) -> str:
        shown = decimal_sign(cell)
        if shown and not self._decimal[0]:
            self._decimal = shown, number
        decimal, row = self._decimal
        if shown and shown != decimal:
            first = f"a decimal {_NAMES[decimal]} in row {row}"
            raise self._trouble(number, f"there is a decimal {_NAMES[shown]}, but {first}; use one of them")
        if not decimal and is_ambiguous(cell):
            raise self._trouble(number, _two_numbers(cell.strip()))
        return with_point(cell, decimal) if decimal else cell


def _two_numbers(cell: str) -> str:
    whole, decimals = re.sub("[.,]", "", cell), cell.replace(",", ".")
    said = f"{cell!r} may be {whole} or {decimals}, and no other number of the table shows which"
    return f"{said}; write {whole}, or {cell}0 if these are decimals"


def decimal_sign(cell: str) -> str:
    """The sign that the number in a cell shows to be the decimal one; empty where it shows none."""
    signs = re.sub("[^.,]", "", cell)
    if not signs or not _NUMERAL.fullmatch(cell):
        return ""
    last, grouped = signs[-1], _GROUPED.fullmatch(cell)
    if len(signs) == 1:
        return "" if grouped else last
    if len({*signs}) == 1:
        return _other(last) if grouped else ""
    whole = cell.rpartition(last)[0]
    return last if signs.count(last) == 1 and _GROUPED.fullmatch(whole) else ""


def is_ambiguous(cell: str) -> bool:
    """Whether the only comma or point in a number may be a decimal one or one of thousands."""
    return _GROUPED.fullmatch(cell) is not None and len(re.sub("[^.,]", "", cell)) == 1


def with_point(cell: str, decimal: str) -> str:
    """The cell with a decimal point and without separators of thousands, where `decimal` is the decimal sign; what is
    no number by that stays as it is."""
    whole, _, decimals = cell.partition(decimal)
    thousands = _other(decimal)
    if thousands in decimals or decimal in decimals or (thousands in whole and not _GROUPED.fullmatch(whole)):
        return cell
    return f"{whole.replace(thousands, '')}.{decimals}" if decimal in cell else whole.replace(thousands, "")


def either_way(cell: str) -> str:
    """The cell with a decimal point, as it may be read by itself."""
    signs = re.sub("[^.,]", "", cell)
    return with_point(cell, decimal_sign(cell) or signs[-1]) if signs else cell


def _other(sign: str) -> str:
    return "." if sign == "," else ","
