"""Text from files and people made harmless, for each kind of output that it may go to.

What acts on a reader's terminal, spreadsheet or page is the same in every output: control characters (C0 and C1, so
every escape sequence), characters of format (bidirectional marks, zero width), halves of surrogate pairs, private ones,
and the two separators of lines and paragraphs that programs take for line ends.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

_ACTS = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_MARKUP = str.maketrans("`|<>[]", "'/‹›()")
_IN_CODE = str.maketrans("`|<>", "'/‹›")
_FORMULA = re.compile(r"""((?:^|[,;|\t])[\s"']*)(?=[=+\-@＝＋－＠])""")
_SPELLED = {
    "·": "*", "×": "x", "²": "^2", "³": "^3", "⁰": "^0", "½": "1/2", "−": "-", "–": "-", "—": "-", "∂": "d",
    "σ": "sigma", "η": "eta", "Σ": "sum", "′": "'", "’": "'", "“": '"', "”": '"', "…": "...", "→": "->", "▶": ">",
    "≈": "~", "±": "+/-", "∞": "inf", "≤": "<=", "≥": ">=", "≠": "!=",
}  # fmt: skip
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_DEVICES = re.compile(r"(?i)con|prn|aux|nul|clock|com[0-9]|lpt[0-9]")
_LONGEST_NAME = 60


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _ACTS


def _without(text: str, kept: str = "") -> str:
    """The text with a blank for each blank character that acts, and without the others; `kept` stay."""
    if text.isprintable():
        return text
    return "".join(c if c in kept or not _is_control(c) else " " if c.isspace() else "" for c in text)


def for_terminal(text: str, unicode: bool = True) -> str:
    """Text for a terminal, line by line; spelled in ASCII where there is nothing else."""
    safe = _without(text, kept="\n")
    if unicode:
        return safe
    spelled = "".join(_SPELLED.get(c, c) for c in safe)
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()


def is_harmless_page(text: str) -> bool:
    """Whether nothing in a printed page acts on a terminal but what gives its words their style."""
    plain = _STYLE.sub("", text)
    return for_terminal(plain) == plain


def for_line(text: str) -> str:
    """Text that is to stay within one line, as in a comment of a file."""
    return _without(text)


def for_markdown(text: str) -> str:
    """Text within a line of Markdown: no HTML, no link, no end of a code span, no further cell of a table."""
    return _without(text).translate(_MARKUP)


def for_code(text: str) -> str:
    """Text within a code span of Markdown, in which brackets are only brackets: no end of it, no further cell."""
    return _without(text).translate(_IN_CODE)


def for_csv(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula, whether its cells are separated by `,`, `;`, `|` or tabs."""
    return _FORMULA.sub(r"\1'", _without(cell)) if isinstance(cell, str) else cell


def from_csv(cell: str) -> str:
    """The text of a cell that `for_csv` wrote."""
    return re.sub(r"""((?:^|[,;|\t])[\s"']*)'(?=[=+\-@＝＋－＠])""", r"\1", cell)


def for_toml(document: str) -> str:
    """A TOML document, or a string of one, that means the same with `\\u…` for every character that acts.

    They can stand in basic strings alone: neither a bare key nor a number has one, and comments are written with
    `for_line`.
    """
    return _escaped(document, _in_toml)


def _in_toml(character: str) -> str:
    code = ord(character)
    return "\\uFFFD" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def for_json(document: Any, indent: int | None = None) -> str:
    """The document as JSON with letters as they are, and `\\u…` for every character that acts."""
    return _escaped(json.dumps(document, ensure_ascii=False, indent=indent), lambda c: json.dumps(c)[1:-1])


def _escaped(document: str, spell: Callable[[str], str]) -> str:
    lines = document.split("\n")
    return "\n".join(
        line if line.isprintable() else "".join(spell(c) if _is_control(c) else c for c in line) for line in lines
    )


def file_name(word: str, taken: set[str]) -> str:
    """A name for a file of its own, in any folder of any system, from what may be any text: each only once.

    Letters, digits, - and _ only; no device of Windows; nothing that a command takes for an option; and no two that
    differ in capitals alone.
    """
    clean = re.sub(r"[^A-Za-z0-9_-]+", "_", word)[:_LONGEST_NAME].strip("_").lstrip("-_") or "sheet"
    name = f"{clean}_" if _DEVICES.fullmatch(clean) else clean
    number = 1
    while name.lower() in taken:
        number += 1
        name = f"{clean}_{number}"
    taken.add(name.lower())
    return name
