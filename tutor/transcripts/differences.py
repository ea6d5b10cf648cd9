"""In what two texts differ, line by line: in the layout, in symbols, or in a number and by how much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from difflib import SequenceMatcher
from itertools import islice, zip_longest

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]\d+)?(?!\w)")
_MOST = 20
_LONGEST = 300
_MATCHED = 250_000
"""Up to how many pairs of lines it is looked for which belong together: the time for that grows with them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which something recorded and the same made again differ."""

    file: str
    kind: str
    detail: str


def differences(file: str, recorded: str, new: str) -> Iterator[Difference]:
    """The first differing lines, each as a difference in layout, in symbols or in a number, and how many more."""
    pairs = _pairs(recorded.split("\n"), new.split("\n"))
    for at, old, now in islice(pairs, _MOST):
        was, is_now = _shown(old, now), _shown(now, old)
        yield Difference(file, _kind(old or "", now or ""), f"line {at}: recorded {was}, now {is_now}")
    if more := sum(1 for _ in pairs):
        yield Difference(file, "more", f"{more:,} more lines differ")


def _pairs(recorded: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, str | None, str | None]]:
    """Each line that differs: its number, and it as recorded and as it is now; None where there is no such line."""
    shorter = min(len(recorded), len(new))
    start = next((k for k in range(shorter) if recorded[k] != new[k]), shorter)
    end = next((k for k in range(shorter - start) if recorded[-1 - k] != new[-1 - k]), shorter - start)
    old, now = recorded[start : len(recorded) - end], new[start : len(new) - end]
    blocks: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(old), 0, len(now))]
    if len(old) * len(now) <= _MATCHED:
        blocks = SequenceMatcher(None, old, now, autojunk=False).get_opcodes()
    for kind, a, b, c, d in blocks:
        if kind != "equal":
            for at, (was, is_now) in enumerate(zip_longest(old[a:b], now[c:d]), start + a + 1):
                if was != is_now:
                    yield at, was, is_now


def _shown(line: str | None, other: str | None) -> str:
    """The line, or of a long one a part in which it differs."""
    if line is None:
        return "nothing"
    if len(line) <= _LONGEST:
        return repr(line.strip())
    same = next((k for k, (a, b) in enumerate(zip(line, other or "", strict=False)) if a != b), 0)
    start = max(0, same - 40)
    return f"{line[start : start + _LONGEST]!r} from character {start + 1:,} on (it has {len(line):,})"


def _kind(old: str, new: str) -> str:
    old, new = _words(old), _words(new)
    if old.replace(" ", "") == new.replace(" ", ""):
        return "layout"
    if _NUMBER.split(old) == _NUMBER.split(new):
        return f"numeric (by {_size(_NUMBER.findall(old), _NUMBER.findall(new))})"
    return "symbolic"


def _size(old: Sequence[str], new: Sequence[str]) -> str:
    """The largest difference. A number from a file may have any exponent, so nothing here may trap."""
    exact = Context(prec=1000, traps=[])
    pairs = zip(*(map(exact.create_decimal, numbers) for numbers in (old, new)), strict=True)
    sizes = [exact.abs(exact.subtract(a, b)) for a, b in pairs]
    if not all(size.is_finite() for size in sizes):
        return "more than can be written"
    return f"{max(sizes, default=Decimal(0)):.2g}"


def _words(line: str) -> str:
    """The line without the strokes of tables and pictures, its blanks made single."""
    return " ".join(re.sub(r"[\u2500-\u257f|]", " ", line).split())
