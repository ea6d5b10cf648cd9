"""What `tutor` says when nothing is asked of it."""

from __future__ import annotations

import textwrap

from tutor.printers.screen import NARROWEST, terminal_columns

_WHAT = (
    "A tutor for neural networks: every value, every derivative and every update of a training step, worked out to the "
    "last digit, and your own homework marked line by line."
)
_WAYS = {
    "tutor run perceptron": "read the first lesson",
    "tutor list": "see which lessons there are",
    "tutor --help": "see everything that it can do",
}


def greeting() -> str:
    """What this is, and what to type next, in the width of the terminal."""
    width = max(terminal_columns(), NARROWEST)
    wide = max(map(len, _WAYS))
    beside = wide + 5 + max(map(len, _WAYS.values())) <= width
    between = "   " if beside else "\n      "
    ways = [f"  {way:{wide if beside else 0}}{between}{purpose}" for way, purpose in _WAYS.items()]
    return "\n".join([textwrap.fill(_WHAT, min(width, 80)), "", "Next", *ways])
