"""Every slip that students make, in the order in which those that fit are named.

What is specific comes before what explains almost anything.
"""

from __future__ import annotations

from tutor.slips import any_line, backward, forward, training
from tutor.slips.slip import Hint

SLIPS = {slip.id: slip for slip in (*backward.SLIPS, *forward.SLIPS, *training.SLIPS, *any_line.SLIPS)}

IN_ANY_LINE = frozenset(slip.id for slip in any_line.SLIPS)
"""Slips that explain many numbers: nothing is learned from one beside a more special slip that gives the same."""
SCALED = frozenset({"sign-slip", "factor-two", "decimal-slip"})
"""Those that give the right number times another."""
SWAPPED_VALUES = "swapped-values"
ARITHMETIC = "arithmetic"
ARITHMETIC_HINT = Hint(
    "Does this line come out again if it is worked once more?",
    "No known slip gives this number. Work it out once more, one operation at a time.",
)
RIGHT_FORMULA_HINT = Hint(
    "Was every value put in as it stands above?",
    "The formula is right, but it does not give this number. Put the values in once more.",
)
MISREAD_HINT = Hint(
    "Look at {} once more: was it copied as it is given?",
    "The lines that follow fit another number in its place.",
)
