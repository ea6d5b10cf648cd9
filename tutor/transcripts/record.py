"""Recorded lessons: making a transcript, and making it again to see whether a byte differs.

A transcript is Markdown: a header in TOML that says how it was made, then one `console` block per command. Beside it
stands a JSON file with every value in full. What of a recorded one may be run, `recorded` decides.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from glob import escape
from pathlib import Path
from threading import Event
from typing import IO

from tutor import __version__
from tutor.errors import TutorError
from tutor.files import Kind, Target, claim, make_folder, write_whole
from tutor.lessons.course_text import CourseText
from tutor.lessons.find import LARGEST_FILE, lesson_file, lesson_files, open_lesson
from tutor.read_files import read_text
from tutor.transcripts.differences import Difference, differences
from tutor.transcripts.read import FORMAT, LARGEST, DrawnWith, commands_of, read_recorded, versions_of

_VALUES = Kind("the values of a transcript", rb'\{\s*"format": \d+,\s*"drawn_with": \{')
KINDS = {".md": Kind("a transcript", rb"# Transcript of the lesson `"), ".json": _VALUES}
WIDTH = 80
_NO_VECTORS = "X86_V3 X86_V4 AVX512_ICL"  # of NumPy's own
_SURROUNDINGS = (
    {"PYTHONHASHSEED": "1", "COLUMNS": "43", "OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": _NO_VECTORS},
    {"PYTHONHASHSEED": "4242", "COLUMNS": "171", "OPENBLAS_CORETYPE": "Haswell"},
)
_KEPT = ("PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMP", "TUTOR_LESSONS", "VIRTUAL_ENV")
_UPDATE = 100
_LONGEST = 300
"""Seconds in which all commands of a transcript have to be over."""
_NEVER = Event()


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command printed and how it ended."""

    command: tuple[str, ...]
    exit_code: int
    text: str


@dataclass(frozen=True, slots=True)
class Pages:
    """The two files of a transcript."""

    markdown: str
    sidecar: str


def commands_for(lesson: str) -> list[tuple[str, ...]]:
    """What is recorded of a lesson: of a network that is trained, the trainer's own numbers too."""
    from tutor.worksheet.perceptron import RULE

    opened = open_lesson(lesson)
    if isinstance(opened, CourseText) and not opened.worksheets:
        return [("run", lesson), ("errata", lesson)]
    written = opened.worksheet() if isinstance(opened, CourseText) else opened
    is_trained = written.network is not None and written.training is not None and written.training.rule != RULE
    explained = [("train", lesson, f"--explain={_UPDATE}")] if is_trained else []
    return [("run", lesson), ("errata", lesson), *explained]


def run_command(command: Sequence[str], surroundings: Mapping[str, str], until: float, stop: Event = _NEVER) -> Ran:
    """Run `tutor` with these arguments in a fresh process, an empty folder and a scrubbed environment.

    Raises TutorError where it could not do what it was asked, prints without end, or is not over at the time `until`
    or when `stop` is set; the process and those that it started are then ended.
    """
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    environment |= {"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8", "TUTOR_WIDTH": str(WIDTH), "TUTOR_COLOR": "never"}
    if "TUTOR_LESSONS" in environment:
        environment["TUTOR_LESSONS"] = str(Path(environment["TUTOR_LESSONS"]).absolute())
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as said,
    ):
        child = subprocess.Popen(
            [sys.executable, "-m", "tutor", *command],
            env={**environment, **surroundings, "TUTOR_HOME": home},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=said,
            start_new_session=True,
        )
        try:
            wrong = _fault(child, (out, said), until, stop)
        finally:
            _end(child)
        text, complaint = (_content(file) for file in (out, said))
    if wrong or child.returncode not in (0, 1, 3):
        reason = wrong or complaint.strip() or f"it ended with {child.returncode}"
        raise TutorError(f"{shlex.join(command)}: {reason}")
    return Ran(tuple(command), child.returncode, text)


def _fault(child: subprocess.Popen[bytes], files: Sequence[IO[bytes]], until: float, stop: Event) -> str:
    """Wait until the process is over; why it was not waited for any longer, or nothing."""
    while child.poll() is None:
        if stop.is_set():
            return "it was stopped"
        if time.monotonic() > until:
            return f"the commands of a transcript may take {_LONGEST} seconds together, and that is over"
        if any(os.fstat(file.fileno()).st_size > LARGEST for file in files):
            break
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.1)
    much = any(os.fstat(file.fileno()).st_size > LARGEST for file in files)
    return f"it prints more than {LARGEST:,} bytes" if much else ""


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the process, if it is not over, with all that it started."""
    if child.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.wait()


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(LARGEST).decode("utf-8", "replace").replace("\r\n", "\n")


def make(
    lesson: str,
    commands: Sequence[Sequence[str]],
    surroundings: Mapping[str, str],
    drawn_with: DrawnWith,
    stop: Event = _NEVER,
) -> Pages:
    """The transcript of the lesson, made now; `drawn_with` is only written down."""
    until = time.monotonic() + _LONGEST
    ran = [run_command(command, surroundings, until, stop) for command in commands]
    document = json.loads(run_command(("run", lesson, "--json"), surroundings, until, stop).text)
    versions = {"rich": drawn_with.rich, "sympy": drawn_with.sympy}
    sidecar = {"format": FORMAT, "drawn_with": versions, "worksheet": document}
    return Pages(_markdown(lesson, ran), json.dumps(sidecar, indent=1) + "\n")


def libraries() -> DrawnWith:
    """The versions of the libraries that draw pages now."""
    from importlib.metadata import version

    return DrawnWith(version("rich"), version("sympy"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _markdown(lesson: str, outputs: Sequence[Ran]) -> str:
    header = [
        f"format = {FORMAT}",
        f'tutor = "{__version__}"',
        f"lesson = {json.dumps(lesson)}",
        f'lesson_sha256 = "{_sha256(read_text(lesson_file(lesson), LARGEST_FILE, "lesson"))}"',
        'seed = "none"',
        'arithmetic = "exact; that of a training is reproducible"',
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


def prepare(lessons: Sequence[str], folder: Path, force: bool) -> None:
    """Raises TutorError where they cannot be recorded, or an automatic build would change what a person recorded."""
    if os.environ.get("CI"):
        raise TutorError("transcripts are not recorded in an automatic build (the variable CI is set)")
    known = lesson_files()
    if other := [lesson for lesson in lessons if lesson not in known]:
        raise TutorError(f"{other[0]!r} is not a lesson by its bare name; TUTOR_LESSONS may name a folder of your own")
    files = ((kind, f"{escape(lesson)}{ending}") for lesson in lessons for ending, kind in KINDS.items())
    claim([Target("--folder", folder, kind, file) for kind, file in files], [known[name] for name in lessons], force)


def record(lesson: str, folder: Path) -> Path:
    """Write the transcript of a lesson. It is made twice, in different surroundings, and must not differ."""
    drawn_with = libraries()
    first, second = (make(lesson, commands_for(lesson), around, drawn_with) for around in _SURROUNDINGS)
    if first != second:
        raise TutorError(f"{lesson}: two runs in different surroundings differ; that must not be recorded")
    make_folder(folder)
    for ending, text in zip(KINDS, (first.markdown, first.sidecar), strict=True):
        write_whole(folder / f"{lesson}{ending}", text)
    return folder / f"{lesson}.md"


def verify(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, list[Difference]]]:
    """For each of these transcripts everything in which it differs from the same made now; empty where it holds."""
    known, stop = lesson_files(), Event()
    with ThreadPoolExecutor(max_workers=2) as workers:
        try:
            found = workers.map(partial(verify_one, folder, known=known, stop=stop), names)
            yield from zip(names, found, strict=True)
        finally:
            stop.set()


def verify_one(folder: Path, name: str, known: Container[str], stop: Event = _NEVER) -> list[Difference]:
    """One of them; `known` are the lessons."""
    page, sidecar = folder / f"{name}.md", folder / f"{name}.json"
    for path, other in ((page, sidecar), (sidecar, page)):
        if not os.path.lexists(path):
            return [Difference(other.name, "orphan", f"there is no {path.name} beside it")]
    if name not in known:
        return [Difference(page.name, "orphan", f"there is no lesson {name!r}")]
    reading = page
    try:
        markdown = read_recorded(page)
        commands = commands_of(markdown, name)
        reading = sidecar
        values = read_recorded(sidecar)
        drawn_with = versions_of(values)
        reading = page
        new = make(name, commands, _SURROUNDINGS[0], drawn_with, stop)
    except TutorError as error:
        return [Difference(reading.name, "unreadable", str(error))]
    return [*differences(page.name, markdown, new.markdown), *differences(sidecar.name, values, new.sidecar)]
