"""Recorded lessons: making a transcript, and making it again to see whether a byte differs.

A transcript is Markdown: a header in TOML that says how it was made, then one `console` block per command. Beside it
stands a JSON file with every value in full. A transcript is untrusted input: only read-only commands of this program
are run from it, as argument lists, on lessons by their bare names.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tutor import __version__
from tutor.errors import TutorError, counted
from tutor.lessons import lesson_files, lesson_text

FORMAT = 1
WIDTH = 80
READ_ONLY = {"run": 1, "why": 2, "errata": 1, "list": 0}
"""Commands that write nothing, with how many words they take; the first word is a lesson."""
HARMLESS = re.compile(r"--narrate|--json|--(?:only|chain)=[a-z]+|--digits=[0-9]+")
_SURROUNDINGS = (
    {"PYTHONHASHSEED": "1", "COLUMNS": "43", "OPENBLAS_CORETYPE": "Prescott"},
    {"PYTHONHASHSEED": "4242", "COLUMNS": "171", "OPENBLAS_CORETYPE": "Haswell"},
)
_KEPT = ("PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMP", "TUTOR_LESSONS", "VIRTUAL_ENV")
_LONGEST_RUN = 600  # seconds


@dataclass(frozen=True, slots=True)
class Output:
    """What one command printed and how it ended."""

    command: tuple[str, ...]
    exit_code: int
    text: str


@dataclass(frozen=True, slots=True)
class Pages:
    """The two files of a transcript."""

    markdown: str
    sidecar: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a recorded transcript and the same made again differ."""

    file: str
    kind: str
    detail: str


def commands_for(lesson: str) -> list[tuple[str, ...]]:
    """What is recorded of a lesson."""
    return [("run", lesson), ("errata", lesson)]


def run_command(command: Sequence[str], surroundings: Mapping[str, str]) -> Output:
    """Run `tutor` with these arguments in a fresh process, an empty folder and a scrubbed environment."""
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    environment |= {"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8", "TUTOR_WIDTH": str(WIDTH), "TUTOR_COLOR": "never"}
    if "TUTOR_LESSONS" in environment:
        environment["TUTOR_LESSONS"] = str(Path(environment["TUTOR_LESSONS"]).absolute())
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tutor", *command],
            env={**environment, **surroundings},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LONGEST_RUN,
            check=False,
        )
    text = done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")
    if done.returncode == 2:
        raise TutorError(f"{shlex.join(command)}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return Output(tuple(command), done.returncode, text)


def make(lesson: str, commands: Sequence[Sequence[str]], surroundings: Mapping[str, str]) -> Pages:
    """The transcript of the lesson, made now."""
    outputs = [run_command(command, surroundings) for command in commands]
    document = json.loads(run_command(("run", lesson, "--json"), surroundings).text)
    drawn_with = {package: _version(package) for package in ("rich", "sympy")}
    sidecar = {"format": FORMAT, "drawn_with": drawn_with, "worksheet": document}
    return Pages(_markdown(lesson, outputs), json.dumps(sidecar, indent=1) + "\n")


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _markdown(lesson: str, outputs: Sequence[Output]) -> str:
    header = [
        f"format = {FORMAT}",
        f'tutor = "{__version__}"',
        f'lesson = "{lesson}"',
        f'lesson_sha256 = "{_sha256(lesson_text(lesson))}"',
        'seed = "none"',
        'arithmetic = "exact"',
        f"width = {WIDTH}",
    ]
    for output in outputs:
        header += [
            "",
            "[[commands]]",
            f"arguments = {json.dumps(output.command)}",
            f"exit_code = {output.exit_code}",
            f'sha256 = "{_sha256(output.text)}"',
        ]
    blocks = [
        f"```console\n$ {shlex.join(['tutor', *o.command])}\n{o.text}```\n".replace("\n\n```", "\n```") for o in outputs
    ]
    return "\n".join([
        f"# Transcript of the lesson `{lesson}`", "",
        "`tutor transcript verify` runs these commands again and compares every byte.", "",
        "```toml", *header, "```", "", *blocks,
    ])  # fmt: skip


def record(lesson: str, folder: Path) -> Path:
    """Write the transcript of a lesson. It is made twice, in different surroundings, and must not differ.

    Raises TutorError where it does, or where an automatic build would change what a person recorded.
    """
    if os.environ.get("CI"):
        raise TutorError("transcripts are not recorded in an automatic build (the variable CI is set)")
    if lesson not in lesson_files():
        raise TutorError(f"{lesson!r} is not a lesson by its bare name; TUTOR_LESSONS may name a folder of your own")
    first, second = (make(lesson, commands_for(lesson), around) for around in _SURROUNDINGS)
    if first != second:
        raise TutorError(f"{lesson}: two runs in different surroundings differ; that must not be recorded")
    folder.mkdir(parents=True, exist_ok=True)
    for ending, text in ((".md", first.markdown), (".json", first.sidecar)):
        partial = folder / f".{lesson}{ending}.part"
        partial.write_bytes(text.encode())
        partial.replace(folder / f"{lesson}{ending}")
    return folder / f"{lesson}.md"


def transcript_names(folder: Path) -> list[str]:
    """The lessons that have a page or a sidecar in the folder."""
    if not folder.is_dir():
        raise TutorError(f"there is no folder {str(folder)!r}")
    pages = [p.stem for ending in ("*.md", "*.json") for p in folder.glob(ending) if p.name != "README.md"]
    return sorted(set(pages))


def verify_one(folder: Path, name: str) -> list[Difference]:
    """Everything in which the recorded transcript differs from the same made now; empty where it holds."""
    page, sidecar = folder / f"{name}.md", folder / f"{name}.json"
    for path, other in ((page, sidecar), (sidecar, page)):
        if not path.exists():
            return [Difference(other.name, "orphan", f"there is no {path.name} beside it")]
    if name not in lesson_files():
        return [Difference(page.name, "orphan", f"there is no lesson {name!r}")]
    try:
        recorded = Pages(page.read_bytes().decode(), sidecar.read_bytes().decode())
        header = read_header(recorded.markdown)
        commands = [allowed(command["arguments"]) for command in header["commands"]]
        if header["lesson"] != name:
            raise TutorError(f"the header is that of the lesson {header['lesson']!r}")
        old_values = _without_versions(recorded.sidecar)
        new = make(name, commands, _SURROUNDINGS[0])
    except (TutorError, KeyError, TypeError, ValueError, OSError, subprocess.TimeoutExpired) as error:
        return [Difference(page.name, "unreadable", str(error) or type(error).__name__)]
    found = list(_compare(page.name, recorded.markdown, new.markdown))
    return found + list(_compare(sidecar.name, old_values, _without_versions(new.sidecar)))


def _without_versions(sidecar: str) -> str:
    """The sidecar without the versions of the libraries that drew the page: they explain, they are not compared."""
    return json.dumps({**json.loads(sidecar), "drawn_with": None}, indent=1)


def read_header(markdown: str) -> dict[str, Any]:
    """The header of a transcript. Raises TutorError where there is none."""
    fenced = re.search(r"^```toml\n(.*?)^```$", markdown, re.M | re.S)
    if not fenced:
        raise TutorError("there is no header")
    return tomllib.loads(fenced[1])


def allowed(arguments: Any) -> tuple[str, ...]:
    """The arguments, if they are those of a command that only reads, on lessons by their bare names."""
    if not isinstance(arguments, list) or not arguments or not all(isinstance(a, str) for a in arguments):
        raise TutorError("a command is not a list of words")
    command, *rest = arguments
    if command not in READ_ONLY:
        raise TutorError(f"{command!r} is not a command that only reads")
    for word in rest:
        if word.startswith("-") and not HARMLESS.fullmatch(word):
            raise TutorError(f"the option {word!r} is not allowed in a transcript")
    plain = [word for word in rest if not word.startswith("-")]
    if len(plain) != READ_ONLY[command]:
        raise TutorError(f"{command!r} takes {counted(READ_ONLY[command], 'word')} in a transcript")
    if plain and plain[0] not in lesson_files():
        raise TutorError(f"{plain[0]!r} is not a lesson by its bare name")
    return tuple(arguments)


_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]\d+)?(?!\w)")


def _compare(file: str, recorded: str, new: str) -> Iterator[Difference]:
    """Each differing line, as a difference in layout, in symbols or in a number (with its size)."""
    old_lines, new_lines = recorded.split("\n"), new.split("\n")
    for kind, a, b, c, d in SequenceMatcher(None, old_lines, new_lines, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for at, (old, now) in enumerate(zip_longest(old_lines[a:b], new_lines[c:d]), a + 1):
            was = "nothing" if old is None else repr(old.strip())
            is_now = "nothing" if now is None else repr(now.strip())
            yield Difference(file, _kind(old or "", now or ""), f"line {at}: recorded {was}, now {is_now}")


def _kind(old: str, new: str) -> str:
    old, new = _words(old), _words(new)
    if old.replace(" ", "") == new.replace(" ", ""):
        return "layout"
    if _NUMBER.sub("#", old) == _NUMBER.sub("#", new):
        pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
        return f"numeric (by {max(abs(Decimal(a) - Decimal(b)) for a, b in pairs):.2g})"
    return "symbolic"


def _words(line: str) -> str:
    """The line without the strokes of tables and pictures, its blanks made single."""
    return " ".join(re.sub(r"[\u2500-\u257f|]", " ", line).split())
