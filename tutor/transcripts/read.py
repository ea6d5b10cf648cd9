"""A recorded transcript as it lies in a folder: read without trust, before anything that it asks for is run.

Its header and its sidecar have one strict type each, and a limit for whatever could be long. The commands in it are
argument lists of read-only commands of this program, about the lesson of the transcript and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from tutor.errors import TutorError, counted
from tutor.read_files import read_whole
from tutor.toml_text import parse_toml

FORMAT = 1
LARGEST = 10_000_000
"""Bytes of a page, of a sidecar and of what a command prints."""
MOST_COMMANDS = 10
MOST_TRANSCRIPTS = 1_000
READ_ONLY = {"run": 1, "why": 2, "errata": 1, "list": 0, "train": 1}
"""Commands that write nothing, with how many words they take; the first word is the lesson."""
_HARMLESS = re.compile(r"--narrate|--json|--(?:only|chain)=[a-z]{1,20}|--digits=[0-9]{1,2}|--explain=[0-9]{1,3}")
_LARGEST_HEADER = 20_000
_Word = Annotated[str, msgspec.Meta(max_length=200)]


class Command(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What was run, how it ended, and the SHA-256 of what it printed."""

    arguments: Annotated[list[_Word], msgspec.Meta(min_length=1, max_length=10)]
    exit_code: int
    sha256: _Word


class Header(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the page says of how it was made."""

    format: Literal[1]
    tutor: _Word
    lesson: _Word
    lesson_sha256: _Word
    seed: _Word
    arithmetic: _Word
    width: int
    commands: Annotated[list[Command], msgspec.Meta(max_length=MOST_COMMANDS)]


class DrawnWith(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The versions of the libraries that drew the page: they explain a difference, they are not compared."""

    rich: _Word
    sympy: _Word


class _Sidecar(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    format: Literal[1]
    drawn_with: DrawnWith
    worksheet: msgspec.Raw


def transcript_names(folder: Path) -> list[str]:
    """The lessons that have a page or a sidecar in the folder."""
    if not folder.is_dir():
        raise TutorError(f"there is no folder {str(folder)!r}")
    try:
        found = {p.stem for p in folder.iterdir() if p.suffix in (".md", ".json") and p.name != "README.md"}
    except OSError as error:
        raise TutorError(f"the folder {str(folder)!r} cannot be read: {error.strerror}") from None
    if len(found) > MOST_TRANSCRIPTS:
        raise TutorError(f"{str(folder)!r} has {len(found):,} transcripts; at most {MOST_TRANSCRIPTS:,} are verified")
    return sorted(found)


def read_recorded(path: Path) -> str:
    """The text of a page or a sidecar, byte for byte."""
    try:
        return read_whole(path, LARGEST, "transcript").decode()
    except UnicodeDecodeError as error:
        raise TutorError(f"it is not UTF-8 text (byte {error.start + 1})") from None


def read_header(page: str) -> Header:
    """The header: what stands between the first line "```toml" and the next line "```"."""
    lines = iter(page.split("\n"))
    if "```toml" not in lines:  # this goes to the line behind it
        raise TutorError("there is no header: no line is ```toml")
    header = "\n".join(takewhile(lambda line: line != "```", lines))
    if next(lines, None) is None:
        raise TutorError("the header does not end: no line behind ```toml is ```")
    if len(header) > _LARGEST_HEADER:
        raise TutorError(
            f"the header has {len(header):,} characters; at most {_LARGEST_HEADER:,}, with "
            f"{MOST_COMMANDS} commands, are read"
        )
    try:
        return msgspec.convert(parse_toml(header), Header)
    except msgspec.ValidationError as error:
        raise TutorError(f"the header is not one of format {FORMAT}: {str(error)[:300]}") from None
    except ValueError as error:
        raise TutorError(f"the header {error}") from None


def commands_of(page: str, lesson: str) -> list[tuple[str, ...]]:
    """What the page of the lesson asks to be run, once it is known that all of that only reads."""
    header = read_header(page)
    if header.lesson != lesson:
        raise TutorError(f"the header is that of the lesson {header.lesson!r}")
    return [allowed(command.arguments, lesson) for command in header.commands]


def allowed(arguments: Sequence[str], lesson: str) -> tuple[str, ...]:
    """The arguments, if they are those of a command that only reads, about this lesson."""
    command, *rest = arguments
    if command not in READ_ONLY:
        raise TutorError(f"{command!r} is not a command that only reads")
    plain = [word for word in rest if not word.startswith("-")]
    for word in rest:
        if word.startswith("-") and not _HARMLESS.fullmatch(word):
            raise TutorError(f"the option {word!r} is not allowed in a transcript")
    if command == "train" and not any(word.startswith("--explain=") for word in rest):
        raise TutorError("'train' has --explain=N in a transcript; without it, it says how long it took")
    if len(plain) != READ_ONLY[command]:
        raise TutorError(f"{command!r} takes {counted(READ_ONLY[command], 'word')} in a transcript")
    if plain and plain[0] != lesson:
        raise TutorError(f"a transcript of {lesson!r} runs nothing on {plain[0]!r}")
    if not all(word.isprintable() for word in plain):
        raise TutorError(f"{plain[-1]!r} is not a name")
    return tuple(arguments)


def versions_of(sidecar: str) -> DrawnWith:
    """Which libraries drew the page, from a sidecar of the right kind; its worksheet is not looked into."""
    try:
        return msgspec.json.decode(sidecar, type=_Sidecar).drawn_with
    except msgspec.ValidationError as error:
        raise TutorError(f"the sidecar is not one of format {FORMAT}: {str(error)[:300]}") from None
    except RecursionError:
        raise TutorError("the sidecar cannot be read: it is nested too deeply") from None
    except (msgspec.MsgspecError, ValueError) as error:  # also what is no JSON at all
        raise TutorError(f"the sidecar cannot be read: {error}") from None
