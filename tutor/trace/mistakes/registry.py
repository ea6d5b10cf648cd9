"""Every mistake that is looked for, what is specific before what explains almost anything."""

from __future__ import annotations

from tutor.trace.mistakes import backward, forward, slopes, update

MISTAKES = (
    *update.MISTAKES[:2],
    *slopes.MISTAKES,
    *backward.MISTAKES,
    *forward.MISTAKES,
    *update.MISTAKES[2:],
    *backward.LAST_RESORTS,
)
ARITHMETIC = "arithmetic"
ARITHMETIC_MESSAGE = "No known mistake gives these numbers. What stands above them does not lead here."
