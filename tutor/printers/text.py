"""Text with formulas in it, as one string."""

from __future__ import annotations

from tutor.views.blocks import Calculation, Formula, Piece, Text, Verdict, pieces
from tutor.views.style import Style


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
