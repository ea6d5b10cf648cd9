"""The text of a formula as Python's syntax tree: which characters it may have, how deep it goes, which names are whole.

Raises ValueError, with a reason for the writer, for whatever is not the text of a formula.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tutor.formulas.indices import INDEXED, RANGE
from tutor.formulas.quantity import SUBSCRIPTS

LONGEST_TEXT = 2_000
DEEPEST_NESTING = 40
SPELLINGS = str.maketrans(
    {"−": "-", "–": "-", "·": "*", "×": "*", "²": "**2", "³": "**3", "∂": "d", "^": "**", **SUBSCRIPTS}
)


@dataclass(frozen=True, slots=True)
class Syntax:
    """A formula as Python reads it; `places` has the names that stand in `source` under another one."""

    source: str
    tree: ast.expr
    places: Mapping[str, str]

    def name(self, identifier: str) -> str:
        """The name that an identifier of the tree stands for."""
        return self.places.get(identifier, identifier)

    def written(self, node: ast.expr) -> str:
        """What somebody wrote there. The source is one line of ASCII."""
        text = self.source[node.col_offset : node.end_col_offset].replace(RANGE, "..")
        for place, name in self.places.items():
            text = text.replace(place, name)
        return text


@lru_cache(maxsize=256)
def read_syntax(text: str, known: frozenset[str]) -> Syntax:
    """The tree of the formula; `known` names are left whole. Kept for one that is read for many values of an index."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"a formula may have {LONGEST_TEXT} characters; this one has {len(text)}")
    source = text.strip().translate(SPELLINGS)
    if odd := next((c for c in source if not c.isascii() or not c.isprintable() or c in f"#{RANGE}"), None):
        raise ValueError(f"the character {odd!a} does not belong in a formula")
    source, places = _hide_names(source.replace("..", RANGE), known)
    if not source:
        raise ValueError("the formula is empty")
    if _nesting(source) > DEEPEST_NESTING:
        raise ValueError(f"the formula is nested deeper than {DEEPEST_NESTING} levels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # Python's opinion of a formula is not for its writer
            tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("this is not a formula: use numbers, names, + - * / ** and parentheses") from None
    return Syntax(source, tree.body, places)


def _nesting(source: str) -> int:
    depth = deepest = 0
    for character in source:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _hide_names(source: str, known: frozenset[str]) -> tuple[str, dict[str, str]]:
    """Names such as dE/dW1 as plain identifiers, so that Python's grammar leaves them whole."""
    pattern = _special_names(known)
    if pattern is None:
        return source, {}
    places: dict[str, str] = {}
    mark = "_q"
    while mark in source:
        mark += "_"

    def hide(match: re.Match[str]) -> str:
        place = f"{mark}{len(places)}_"
        places[place] = match[0]
        return place

    return pattern.sub(hide, source), places


@lru_cache(maxsize=64)
def _special_names(known: frozenset[str]) -> re.Pattern[str] | None:
    """The names that are no identifiers. Of those with an index at the end, what stands before it: the index may be
    written in another way, as in dE/dW1[3-1]."""
    found = {name: INDEXED.fullmatch(name) for name in known}
    bases = {parts[1] for parts in found.values() if parts and not parts[1].isidentifier()}
    whole = {name for name, parts in found.items() if not parts and not name.isidentifier()}
    ways = [
        f"(?:{'|'.join(re.escape(n) for n in sorted(names, key=lambda n: (-len(n), n)))}){after}"
        for names, after in ((bases, r"(?=\[)"), (whole, r"(?![A-Za-z0-9_(\[@])"))
        if names
    ]
    return re.compile(rf"(?<![A-Za-z0-9_.])(?:{'|'.join(ways)})") if ways else None


@lru_cache(maxsize=64)
def bases(known: frozenset[str]) -> frozenset[str]:
    """What stands before the index in the names that have one."""
    return frozenset(parts[1] for parts in map(INDEXED.fullmatch, known) if parts)
