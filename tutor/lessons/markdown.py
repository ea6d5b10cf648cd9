"""A lesson's Markdown taken apart: prose, and fenced blocks of data, each with the line at which it begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from tutor.errors import TutorError, nearest

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

KINDS = ("lesson", "worksheet", "experiment", "claim", "question", "plot")
NAMED = ("worksheet", "experiment")
"""The kinds that other blocks speak of, and that therefore have a name."""
_INFO = re.compile(r"toml\s+(\S+)(?:\s+(.*\S))?\s*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OPENING = re.compile(r"`{3,}\s*toml\s+lesson\b")


class Prose(Struct, frozen=True):
    """Markdown as it stands; `line` is its first."""

    text: str
    line: int


class Fence(Struct, frozen=True):
    """A block of data. Its text stands on the lines that it has in the file: empty ones are before it."""

    kind: str
    name: str
    text: str
    line: int


Part = Prose | Fence


def is_course(text: str) -> bool:
    """Whether it is a lesson in Markdown rather than a worksheet in TOML."""
    return any(_OPENING.match(line) for line in text.splitlines())


def blocks_of(text: str) -> Sequence[Token]:
    """Where headings, fences, tables and paragraphs begin and end; what stands in their lines is not looked at."""
    return _parser().parse(text)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])


def read_parts(text: str, where: str) -> list[Part]:
    """Everything in its order. Raises TutorError, with the line, for a block that is none."""
    lines = text.splitlines()
    parts: list[Part] = []
    done = 0
    for token in blocks_of("\n".join(lines)):
        info = _INFO.fullmatch(token.info) if token.type == "fence" and token.level == 0 else None
        if info is None or token.map is None:
            continue
        start, end = token.map
        if not _closes(lines[end - 1], token.markup) or end - 1 == start:
            raise TutorError(
                f"{where}, line {start + 1}: this block is not closed; end it with a line of {token.markup}"
            )
        if prose := _prose(lines, done, start):
            parts.append(prose)
        name = _checked(info[1], info[2] or "", f"{where}, line {start + 1}")
        body = "\n" * (start + 1) + "\n".join(lines[start + 1 : end - 1])
        parts.append(Fence(info[1], name, body, start + 1))
        done = end
    if prose := _prose(lines, done, len(lines)):
        parts.append(prose)
    _check_names([part for part in parts if isinstance(part, Fence)], where)
    return parts


def _closes(line: str, markup: str) -> bool:
    """Whether a fence that was opened by `markup` ends with this line."""
    last = line.strip()
    return len(last) >= len(markup) and set(last) == {markup[0]}


def _prose(lines: list[str], start: int, end: int) -> Prose | None:
    while start < end and not lines[start].strip():
        start += 1
    text = "\n".join(lines[start:end]).rstrip()
    return Prose(text, start + 1) if text else None


def _checked(kind: str, name: str, place: str) -> str:
    """The name of a block, or nothing where it has none."""
    if kind not in KINDS:
        raise TutorError(f"{place}: there is no block {kind[:40]!r}{nearest(kind, KINDS)}")
    if kind == "lesson" and name:
        raise TutorError(f"{place}: the block `toml lesson` has no name; its title stands in it")
    if kind in NAMED and not name:
        raise TutorError(f"{place}: give the {kind} a name, as in ```toml {kind} first")
    if name and not _NAME.fullmatch(name):
        raise TutorError(f"{place}: {name[:40]!r} cannot be a name: letters, digits and _ only, and a letter first")
    return name


def _check_names(fences: list[Fence], where: str) -> None:
    first: dict[str, Fence] = {}
    for fence in fences:
        if fence.kind == "lesson" and fence is not fences[0]:
            raise TutorError(f"{where}, line {fence.line}: the block `toml lesson` comes once, before all others")
        if fence.name and (other := first.setdefault(fence.name, fence)) is not fence:
            raise TutorError(
                f"{where}, line {fence.line}: {fence.name!r} is also what the block in line {other.line} is called; "
                "give one of them another name"
            )
    if not fences or fences[0].kind != "lesson":
        raise TutorError(f"{where}: a lesson begins with a block ```toml lesson, in which its title stands")
