"""What `tutor` says when nothing is asked of it."""

from __future__ import annotations

import textwrap

from tutor.printers.screen import NARROWEST, terminal_columns

_WHAT = (
    "A tutor for neural networks: every value, every derivative and every update of a training step, worked out to the "
    "last digit, and your own homework marked line by line."
)


def greeting() -> str:
    """What this is, where the reader is in the course, and what to type next, in the width of the terminal."""
    width = max(terminal_columns(), NARROWEST)
    ways = _ways()
    wide = max(map(len, ways))
    beside = wide + 5 + max(map(len, ways.values())) <= width
    between = "   " if beside else "\n      "
    lines = [f"  {way:{wide if beside else 0}}{between}{purpose}" for way, purpose in ways.items()]
    return "\n".join([textwrap.fill(_WHAT, min(width, 80)), "", "Next", *lines])


def _ways() -> dict[str, str]:
    """What to type, and why: for somebody who has begun, first of all to go on."""
    from tutor.cli import tell
    from tutor.course.progress import done_of, progress_file, read_progress

    begun = read_progress(tell).last if progress_file().exists() else ""
    share = done_of(read_progress(), begun) if begun else None
    first = {"tutor learn": f"go on with {begun}, of which you read {100 * share:.0f}%"} if share else {}
    return {
        **(first or {"tutor learn": "begin the first lesson, step by step"}),
        "tutor run perceptron": "read the first lesson from top to bottom",
        "tutor list": "see the course",
        "tutor --help": "see everything that it can do",
    }
