"""The one kind of error that reaches a person: a sentence that says what is wrong, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet


class TutorError(Exception):
    """Bad input. The command prints the message on stderr, in one line whatever it quotes, and ends with this exit
    code."""

    exit_code = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(" ".join(message.splitlines()))


class NothingThere(TutorError):
    """The input is fine, and what is asked for does not occur in it: nothing to show, nothing to check."""

    exit_code = 3


def nearest(word: str, valid: Iterable[str]) -> str:
    """ " — did you mean …?", or all the valid words where none is close; empty where there are none.

    The words of a set, whose order is another one in every process, are told in that of the alphabet.
    """
    return nearest_in(word, {"valid": valid})


def nearest_in(word: str, groups: Mapping[str, Iterable[str]]) -> str:
    """The same with the valid words in groups, each under its title."""
    words, listed = [], []
    for title, group in groups.items():
        members = sorted(group) if isinstance(group, AbstractSet) else list(group)
        words += members
        listed += [f"{title}: {whole_list(members)}"] if members else []
    if close := closest(word, words):
        return f" — did you mean {close!r}?"
    return f" — {'; '.join(listed)}" if listed else ""


def closest(word: str, valid: Iterable[str]) -> str:
    """The valid word that is meant, if one is near: one that differs in its capitals alone is the nearest."""
    from difflib import get_close_matches

    words = list(valid)
    alike = [other for other in words if other.casefold() == word.casefold()]
    return next(iter(alike or get_close_matches(word, words, n=1, cutoff=0.6)), "")


def nearest_few(word: str, valid: Iterable[str], lists: str) -> str:
    """The same where one is close, else the few that are least far, and the command that `lists` all of them."""
    from difflib import get_close_matches

    words = list(valid)
    if closest(word, words):
        return nearest(word, words)
    least_far = get_close_matches(word, words, n=3, cutoff=0.4)
    near = f"the names nearest to it are {listed(least_far)}; " if len(least_far) > 1 else ""
    return f" — {near}`{lists}` shows every name"


def counted(number: int, thing: str) -> str:
    """`1 weight`, `2 weights`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; of many, those that count on by one stand as `W1 to W64`."""
    told = _with_ranges(names)
    return " and ".join(filter(None, (", ".join(told[:-1]), *told[-1:])))


_COUNTING_FROM = 60
_LAST_NUMBER = re.compile(r"(.*?)([0-9]+)(\D*)", re.DOTALL)


def whole_list(names: Iterable[str]) -> str:
    """Every name, separated by commas; of many, those that count on by one stand as `W1 to W64`."""
    return ", ".join(_with_ranges(names))


def _with_ranges(names: Iterable[str]) -> list[str]:
    known = list(names)
    if len(known) < _COUNTING_FROM:
        return known
    runs: list[list[str]] = []
    for name in known:
        if runs and _follows(runs[-1][-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    return [told for run in runs for told in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else run)]


def _follows(name: str, next_name: str) -> bool:
    """Whether the two are alike but for their last number, and that is the next one."""
    one, other = _LAST_NUMBER.fullmatch(name), _LAST_NUMBER.fullmatch(next_name)
    if not one or not other or (one[1], one[3]) != (other[1], other[3]) or len(one[2]) > 9 or len(other[2]) > 9:
        return False
    return int(other[2]) == int(one[2]) + 1
