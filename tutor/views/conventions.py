"""The conventions of a worksheet in one line: what a reader must know to get the same numbers."""

from __future__ import annotations

from tutor.errors import counted
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.views.rounding import FEWEST_SIGNIFICANT, shown
from tutor.worksheet.step import Worksheet
from tutor.worksheet.update import RATE

BIASES = {"updated": "biases are updated too", "not updated": "biases are not updated", "none": "no biases", "": ""}


def conventions_line(worksheet: Worksheet, digits: int, rounding: str = "") -> str:
    """The loss with its factor, the biases, the chain rule's form, the arithmetic and the digits shown."""
    made = worksheet.conventions
    parts = []
    if made.loss:
        parts.append(f"loss: {made.loss.replace('_', ' ')}, {LOSSES[made.loss].equation} for target t and output y")
    parts.append(BIASES[made.bias_policy])
    if made.optimizer:
        rate = shown(worksheet.givens[RATE], digits)
        parts.append(f"{OPTIMIZERS[made.optimizer].title} with learning rate eta = {rate}")
    parts += made.remarks
    exact = (
        f"exact arithmetic, rounded once for display: {counted(digits, 'decimal')}, at least {FEWEST_SIGNIFICANT} "
        "significant digits. Every value is computed from the full values above it, not from the rounded ones shown"
    )
    parts.append(rounding or exact)
    return "Conventions: " + "; ".join(filter(None, parts)) + "."
