"""Transcripts of every kind of wrongness: each has its messages or holds, and nothing else comes out.

Nothing is run here: what a transcript would be when made again is the recorded one, so that thousands can be read.
"""

from __future__ import annotations

import json
import string
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from conftest import ROOT, fuzz
from hypothesis import given
from hypothesis import strategies as st

from tutor.errors import TutorError
from tutor.transcripts import record
from tutor.transcripts.read import READ_ONLY, commands_of

PAGE, SIDECAR = ((ROOT / "transcripts" / f"perceptron{ending}").read_bytes() for ending in (".md", ".json"))
MADE = record.Pages(PAGE.decode(), SIDECAR.decode())
TOKENS = [
    "```toml", "```", "```console", "\n", "[[commands]]", "[commands]", "arguments = ", '["run", "perceptron"]', "format = 1", "width = 80",
    "lesson = ", '"perceptron"', '"""', "'''", "[", "]", "{", "}", ",", ":", ".", "#", "0x", "9" * 5_000, "1e999", "1e+1000000", "-0.1", "nan", "inf", "null",
    "1979-05-27T07:32:00Z", "\0", "\x1b[2J", "\u202e", "\ufeff", "\\u0000", "\\ud800", "│", "🦆", '"', "\\", "[" * 2_000, "a." * 2_000, "--digits=", "--only=forward",
]  # fmt: skip
pieces = st.one_of(
    st.sampled_from(TOKENS).map(str.encode),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=8),
)
garbage = st.lists(pieces, max_size=40).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """The file with a few of its parts replaced, left out, doubled or moved."""
    raw = whole
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 60)))
        put = draw(st.one_of(pieces, st.just(b""), st.just(raw[start:end] * 2), st.just(raw[: end - start])))
        raw = raw[:start] + put + raw[end:]
    return raw


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.integers(10**18, 10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
words = st.sampled_from(
    ["run", "why", "errata", "list", "check", "transcript", "record", "perceptron", "mlp", "--json", "--narrate", "-", "",
     "--only=loss", "--digits=9", "--out=x", "../x", "/etc/passwd", "dE/dW1", "W1_new"]
) | st.text(max_size=12)  # fmt: skip


def said(folder: Path) -> list[Any]:
    """What is found in the folder, in bounded time and in bounded words."""
    started = time.process_time()
    with patch.object(record, "make", lambda *_: MADE):
        found = record.verify_one(folder, "perceptron", {"perceptron"})
    assert time.process_time() - started < 5
    assert len(found) <= 42 and all(len(difference.detail) < 3_000 for difference in found)
    return found


@fuzz(100)
@given(
    page=st.just(PAGE) | mutated(PAGE) | mutated(PAGE[:1_000]) | garbage,
    sidecar=st.just(SIDECAR) | mutated(SIDECAR) | mutated(SIDECAR[:400]) | garbage,
)
def test_any_bytes_have_a_message_or_hold(page: bytes, sidecar: bytes) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "perceptron.md").write_bytes(page)
        (folder / "perceptron.json").write_bytes(sidecar)
        found = said(folder)
    if not found:  # only the versions of what drew the page may be others
        assert page == PAGE
        first, second = ({**json.loads(raw), "drawn_with": ""} for raw in (sidecar, SIDECAR))
        assert first == second


@fuzz(100)
@given(changes=st.dictionaries(st.sampled_from(["format", "drawn_with", "worksheet", "more"]), values, max_size=3))
def test_any_json_in_a_sidecar_has_a_message_or_holds(changes: dict[str, Any]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "perceptron.md").write_bytes(PAGE)
        (folder / "perceptron.json").write_text(json.dumps({**json.loads(SIDECAR), **changes}, indent=1) + "\n")
        said(folder)


@fuzz(200)
@given(commands=st.lists(st.lists(words, max_size=6) | values, max_size=12), changes=st.dictionaries(st.text(string.ascii_lowercase, min_size=1, max_size=9), values.filter(lambda v: v is not None), max_size=2))  # fmt: skip
def test_what_is_run_only_reads(commands: list[Any], changes: dict[str, Any]) -> None:
    """A header of any types; what comes through is a command of the four, with harmless options, about the lesson."""
    header = {
        "format": 1,
        "tutor": "0",
        "lesson": "mlp",
        "lesson_sha256": "",
        "seed": "",
        "arithmetic": "",
        "width": 80,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in {**header, **changes}.items()]
    for command in commands:
        lines += ["[[commands]]", f"arguments = {json.dumps(command)}", "exit_code = 0", 'sha256 = ""']
    try:
        found = commands_of("\n".join(["```toml", *lines, "```", ""]), "mlp")
    except TutorError:
        return
    assert len(found) == len(commands) <= 10
    for name, *rest in found:
        plain = [word for word in rest if not word.startswith("-")]
        assert len(plain) == READ_ONLY[name] and plain[:1] in ([], ["mlp"])
        options = [word for word in rest if word.startswith("-")]
        assert all(
            word.partition("=")[0] in ("--narrate", "--json", "--only", "--chain", "--digits") for word in options
        )
        assert not any(mark in word for word in options for mark in "/\\.~ \n")
