"""The numbers in a lesson's prose: every `{formula}` is worked out before the prose is read as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from tutor.lessons.markdown import Prose

_SPEC = re.compile(r"(.*?)(?::\s*([0-9]{1,2})?([%±]{0,2}))?", re.DOTALL)
_CODE = re.compile(r"(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.DOTALL)
OPEN, CLOSE = "\ue000", "\ue001"
"""What stands around the place of a number while Markdown is read, which must not take it for a list or a heading."""
MOST_DECIMALS = 30


class Placeholder(Struct, frozen=True):
    """`{formula:4}`: what is to be worked out, how many decimals are shown, in per cent, with the spread over seeds."""

    formula: str
    decimals: int | None
    percent: bool
    with_deviation: bool
    line: int


class Misplaced(ValueError):
    """What is wrong with a piece of prose, and in which line of the file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def placeholders(prose: Prose) -> list[Placeholder]:
    """Every placeholder of the prose. Raises Misplaced for a lone brace."""
    return [part for part in _pieces(prose) if isinstance(part, Placeholder)]


def filled(prose: Prose, told: Callable[[Placeholder], str]) -> tuple[str, list[str]]:
    """The prose with a mark in the place of every number, and the numbers, as `told` says them."""
    text, numbers = [], list[str]()
    for part in _pieces(prose):
        if isinstance(part, Placeholder):
            text.append(f"{OPEN}{len(numbers)}{CLOSE}")
            numbers.append(told(part))
        else:
            text.append(part)
    return "".join(text), numbers


def put_back(text: str, numbers: list[str]) -> str:
    """The text with the numbers in the place of their marks."""
    return re.sub(f"{OPEN}([0-9]+){CLOSE}", lambda mark: numbers[int(mark[1])], text)


def _pieces(prose: Prose) -> Iterator[str | Placeholder]:
    """Text and placeholders in turn; code, inline or in a block, is text."""
    text = prose.text.replace(OPEN, "").replace(CLOSE, "")
    done = 0
    for start, end in _code(text):
        yield from _outside(text, done, start, prose.line)
        yield text[start:end]
        done = end
    yield from _outside(text, done, len(text), prose.line)


def _code(text: str) -> Iterator[tuple[int, int]]:
    """Where code stands: from the first to behind the last of its characters."""
    from markdown_it import MarkdownIt

    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    blocks = [
        (starts[token.map[0]], min(starts[token.map[1]], len(text)))
        for token in MarkdownIt("commonmark").parse(text)
        if token.type in ("fence", "code_block") and token.map
    ]
    done = 0
    for start, end in [*blocks, (len(text), len(text))]:
        yield from ((done + m.start(), done + m.end()) for m in _CODE.finditer(text[done:start]))
        if end > start:
            yield start, end
        done = end


def _outside(text: str, start: int, end: int, first: int) -> Iterator[str | Placeholder]:
    """A stretch without code: braces that are doubled are meant as one."""
    place, plain = start, ""
    while place < end:
        character = text[place]
        line = first + text.count("\n", 0, place)
        if text[place : min(place + 2, end)] in ("{{", "}}"):
            plain, place = plain + character, place + 2
        elif character == "{":
            close = text.find("}", place, end)
            if close < 0 or "{" in text[place + 1 : close]:
                raise Misplaced(line, "this brace is not closed; a brace that is meant as one is doubled: {{")
            yield plain
            yield _placeholder(text[place + 1 : close], line)
            plain, place = "", close + 1
        elif character == "}":
            raise Misplaced(line, "this brace closes nothing; a brace that is meant as one is doubled: }}")
        else:
            plain, place = plain + character, place + 1
    yield plain


def _placeholder(text: str, line: int) -> Placeholder:
    found = _SPEC.fullmatch(" ".join(text.split()))
    formula, decimals, ways = (found[1], found[2], found[3] or "") if found else (text, None, "")
    if not formula.strip():
        raise Misplaced(line, "there is nothing in these braces; write a formula, as in {mlp.E:4}")
    if decimals and int(decimals) > MOST_DECIMALS:
        raise Misplaced(line, f"{{{text.strip()[:60]}}}: at most {MOST_DECIMALS} decimals")
    return Placeholder(formula, int(decimals) if decimals else None, "%" in ways, "±" in ways, line)
