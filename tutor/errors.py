"""The one kind of error that reaches a person: a sentence that says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable


class TutorError(Exception):
    """Bad input. The command prints the message on stderr and ends with exit code 2."""


def nearest(word: str, valid: Iterable[str]) -> str:
    """ " — did you mean …?", or the valid words where none is close; empty where there are none."""
    from difflib import get_close_matches

    words = list(valid)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f" — did you mean {close[0]!r}?"
    if not words:
        return ""
    listed = ", ".join(words[:20])
    return f" — valid: {listed}" + (f" and {len(words) - 20} more" if len(words) > 20 else "")


def counted(number: int, thing: str) -> str:
    """`1 weight`, `2 weights`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
