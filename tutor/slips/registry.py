"""Every slip that students make, in the order in which those that fit are named.

What is specific comes before what explains almost anything.
"""

from __future__ import annotations

from tutor.slips import any_line, backward, forward, training

SLIPS = {slip.id: slip for slip in (*backward.SLIPS, *forward.SLIPS, *training.SLIPS, *any_line.SLIPS)}

SWAPPED_VALUES = "swapped-values"
ARITHMETIC = "arithmetic"
ARITHMETIC_HINT = "No known slip gives this number. Work it out once more, one operation at a time."
RIGHT_FORMULA_HINT = "The formula is right, but it does not give this number. Put the values in once more."
