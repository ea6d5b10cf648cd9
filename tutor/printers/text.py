"""What printers have in common: text with formulas in it as one string, and the lines of a worksheet as a table."""

from __future__ import annotations

from collections.abc import Sequence

from tutor.views.blocks import (
    Calculation,
    Column,
    Formula,
    Kind,
    Piece,
    Printed,
    Row,
    Strong,
    Table,
    Text,
    Verdict,
    pieces,
)
from tutor.views.style import PLAIN, Style


def spelled(text: Text, style: Style) -> str:
    """The text with every formula in this style. It is not yet harmless."""
    return "".join(_spelled(piece, style) for piece in pieces(text))


def _spelled(piece: Piece, style: Style) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Formula):
        from tutor.views.notation import expression_text

        return expression_text(piece.expression, style, piece.numbers)
    return (piece.text or piece.verdict) if isinstance(piece, Verdict) else piece.text


def equation(line: Calculation, style: Style) -> tuple[str, str, str]:
    """The formula, the numbers in it, the value: the latter two empty where they would only repeat the one before."""
    formula = spelled(Formula(line.formula), style)
    numbers = spelled(Formula(line.formula, line.numbers), style)
    return formula, "" if numbers == line.value else numbers, "" if formula == line.value else line.value


def sign(line: Calculation) -> str:
    """What stands before numbers: whether they are the exact ones."""
    return "=" if line.exact else "≈"


def as_table(lines: Sequence[Calculation]) -> Table:
    """Lines of a worksheet; what is said of none of them has no column."""
    drifts, printed = any(line.drift for line in lines), any(line.printed for line in lines)
    columns = [Column("name", Kind.NAME), Column("formula"), Column("with numbers", continued=True)]
    columns += [Column("value", Kind.NUMBER)]
    columns += [Column("exact", Kind.NUMBER), Column("drift", Kind.NUMBER)] if drifts else []
    columns += [Column("printed")] if printed else []
    rows = []
    for line in lines:
        numbers = Formula(line.formula, line.numbers)
        repeats = spelled(numbers, PLAIN) == line.value
        cells: list[Text] = [Strong(line.name), Formula(line.formula), "" if repeats else (f"{sign(line)} ", numbers)]
        cells += [line.value, *((line.drift or ("", "")) if drifts else ())]
        cells += [_verdicts(line.printed)] if printed else []
        rows.append(Row(tuple(cells), ""))
    return Table(tuple(columns), tuple(rows))


def _verdicts(values: Sequence[Printed]) -> Text:
    """`0.23 wrong`, one line for each value printed."""
    said: list[Piece] = []
    for value in values:
        said += ["\n" if said else "", Verdict(value.verdict, f"{value.value} {value.verdict}")]
    return tuple(said)
