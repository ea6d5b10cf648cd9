"""Transcripts: recorded by the command, verified by the command, and trusted with nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Tutor

from tutor.errors import TutorError
from tutor.lessons.find import lesson_files
from tutor.transcripts import read, record
from tutor.transcripts.differences import differences
from tutor.transcripts.read import commands_of, read_header

RECORDED = ROOT / "transcripts"


def test_every_lesson_is_recorded() -> None:
    assert {p.stem for p in RECORDED.glob("*.md")} == set(lesson_files())


HOSTILE = {
    "COLUMNS": "43", "LC_ALL": "C", "PYTHONUTF8": "0", "TERM": "dumb", "FORCE_COLOR": "1", "PYTHONHASHSEED": "99", "TUTOR_DIGITS": "9",
    "TUTOR_NARRATE": "1", "TZ": "Asia/Tokyo", "OPENBLAS_NUM_THREADS": "2", "PYTHONIOENCODING": "ascii",
}  # fmt: skip


QUICK = ("perceptron", "mlp", "gates")
"""Those whose experiments take next to no time. `tutor transcript verify` makes all of them again, which takes minutes."""


@pytest.mark.parametrize("environment", [{}, HOSTILE], ids=["none", "hostile"])
def test_the_transcripts_hold_in_any_environment(process: Tutor, environment: dict[str, str]) -> None:
    for path in (path for lesson in QUICK for path in RECORDED.glob(f"{lesson}.*")):
        shutil.copy(path, process.folder)
    done = process("transcript", "verify", process.folder, **environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_numpy_is_at_work_in_what_is_recorded() -> None:
    """So that the surroundings in which a transcript is made, with other kernels of NumPy and BLAS, could make it fail."""
    script = "import sys\nfrom tutor.cli import run\nassert run() == 0 and 'numpy' in sys.modules"
    pages = sorted(RECORDED.glob("*.md"))
    commands = [words for page in pages for words in commands_of(page.read_text(encoding="utf-8"), page.stem)]
    trained = [words for words in commands if words[0] == "train"]
    assert {"perceptron", "mlp"} <= {words[1] for words in trained}
    for command in trained:
        done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, check=True, text=True)
        assert "What the trainer made of it, in reproducible arithmetic" in done.stdout


def test_what_differs_between_surroundings_is_not_recorded(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter([pages("mlp"), record.Pages("another", "")])
    monkeypatch.setattr(record, "make", lambda *_: next(made))
    done = tutor("transcript", "record", "mlp")
    assert done.returncode == 2 and "two runs in different surroundings differ" in done.stderr
    assert not list(tutor.folder.rglob("*.md"))


def pages(lesson: str) -> record.Pages:
    return record.Pages(*((RECORDED / f"{lesson}{end}").read_bytes().decode() for end in (".md", ".json")))


@pytest.fixture
def made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run: a transcript made again is the recorded one."""
    monkeypatch.setattr(record, "make", lambda lesson, *_: pages(lesson))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "copied"
    folder.mkdir()
    for ending in (".md", ".json"):
        shutil.copy(RECORDED / f"perceptron{ending}", folder)
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


@pytest.mark.usefixtures("made_again")
@pytest.mark.parametrize(
    ("file", "old", "new", "kind"),
    [("perceptron.md", "0.874", "0.875", r"numeric \(by 0\.001\)"), ("perceptron.md", "W1 · X1", "W1 · X2", "symbolic"),
     ("perceptron.md", " Predicted ", "  Predicted ", "layout"), ("perceptron.json", '"0.1"', '"0.2"', "numeric"),
     ("perceptron.md", "sha256 = \"", "sha256 = \"0", "symbolic"), ("perceptron.md", "width = 80", "width = 81", "numeric"),
     ("perceptron.md", "exit_code = 0", "exit_code = 1", "numeric")],
)  # fmt: skip
def test_every_change_is_found_and_named(tutor: Tutor, copied: Path, file: str, old: str, new: str, kind: str) -> None:
    change(copied / file, old, new)
    done = tutor("transcript", "verify", copied)
    assert done.returncode == 1
    assert re.search(rf"({kind})( \(by [^)]*\))? in {file}", done.stdout), done.stdout


def test_orphans_and_empty_folders_are_found(tutor: Tutor, copied: Path, tmp_path: Path) -> None:
    (copied / "perceptron.json").unlink()
    assert tutor("transcript", "verify", copied).returncode == 1
    (copied / "perceptron.md").unlink()
    assert tutor("transcript", "verify", copied).returncode == 3
    shutil.copy(RECORDED / "mlp.md", copied / "nosuchlesson.md")
    done = tutor("transcript", "verify", copied)
    assert done.returncode == 1 and "orphan" in done.stdout


def asking(*commands: object, **more: object) -> str:
    """The page of a transcript of `mlp` that asks for these commands."""
    header: dict[str, object] = {"format": 1, "tutor": "0", "lesson": "mlp", "lesson_sha256": "", "seed": "none"}
    header |= {"arithmetic": "exact", "width": 80, **more}
    lines = [f"{key} = {json.dumps(value)}" for key, value in header.items()]
    for command in commands:
        lines += ["[[commands]]", f"arguments = {json.dumps(command)}", "exit_code = 0", 'sha256 = ""']
    return "\n".join(["```toml", *lines, "```", ""])


def test_a_transcript_asks_for_its_own_lesson() -> None:
    wanted = [["run", "mlp", "--narrate"], ["why", "mlp", "dE/dW1"], ["errata", "mlp"], ["list"]]
    assert commands_of(asking(*wanted), "mlp") == [tuple(command) for command in wanted]


@pytest.mark.parametrize(
    "arguments",
    [["sh", "-c", "true"], ["transcript", "record"], ["run", "../../x"], ["run", "/etc/passwd"], ["run", "-"], ["run", ""],
     ["run", "mlp", "--out=x"], ["run", "--only=forward", "/etc/passwd"], ["run", "--only", "forward", "mlp"], ["run", "mlp", "--only=../x"], ["run", "--json"], ["errata", "mlp", "x.toml"],
     ["why", "x.toml", "W1"], [], [1], "run mlp", None, {"run": "mlp"}, ["--help"], ["run", "mlp", "--width", "5"], ["run", "perceptron"],
     ["why", "mlp", "W1\0"], ["why", "mlp", "W1\x1b[2J"], ["why", "mlp", "W" * 201], ["run", "mlp", *["--json"] * 9], ["run", "mlp", f"--digits={10**30}"],
     ["check", "mlp", "x"], ["train", "mlp", "--explain=5", "--save=x.npz"], ["train", "mlp"], ["train", "--explain=5"],
     ["train", "perceptron", "--explain=5"], ["train", "mlp", "--explain=99999"], ["run", "mlp", "--json\n"]],
    ids=lambda a: repr(a)[:40],
)  # fmt: skip
def test_a_transcript_can_only_ask_for_reading(arguments: object) -> None:
    with pytest.raises(TutorError):
        commands_of(asking(arguments), "mlp")


LARGE = 2_000_000
PAGES: list[tuple[str, str]] = [
    ("", "no header"),
    ("```toml\n" * 40_000, "the header does not end"),
    ("```toml\n" + "x = 1\n" * LARGE, "the header does not end"),
    ("```toml\nx = 1\n", "the header does not end"),
    ("```toml\n```\n", "missing required field"),
    ("```toml\n\0\n```\n", "not valid TOML"),
    (f"```toml\nx = {'[' * 9_000}\n```\n", "nested too deeply"),
    (f"```toml\nx = {'9' * 9_000}\n```\n", "too many digits"),
    (f"```toml\nformat = 0x{'f' * 9_000}\n```\n", "more than 400 digits"),
    ("```toml\nformat = 1\nformat = 1\n```\n", "not valid TOML"),
    (f"```toml\n{'a.' * 20_000}a = 1\n```\n", "at most 20,000"),
    (f"```toml\n{'a.' * 9_000}a = 1\n```\n", "too many dots"),
    (asking(*[["run", "mlp"]] * 3_000), "at most 20,000, with 10 commands"),
    (asking(*[["list"]] * 11), "length <= 10"),
    (asking(["run", "mlp"], format=2), "not one of format 1"),
    (asking(["run", "mlp"], more=1), "`more`"),
    (asking(["run", "mlp"], **{"m" * 9_000: 1}), "unknown field"),
    (asking(["run", "mlp"], width="80"), "`$.width`"),
    (asking(["run", "mlp"], seed=[1]), "`$.seed`"),
    (asking(["run", "mlp"], lesson="perceptron"), "'perceptron'"),
]


@pytest.mark.parametrize(("page", "said"), PAGES, ids=range(len(PAGES)))
def test_a_page_that_is_none_is_named_at_once(page: str, said: str) -> None:
    started = time.process_time()
    with pytest.raises(TutorError) as caught:
        commands_of(page, "mlp")
    assert said in str(caught.value) and len(str(caught.value)) < 400
    assert time.process_time() - started < 2


def sidecar_with(**changes: object) -> str:
    return json.dumps(json.loads((RECORDED / "mlp.json").read_bytes()) | changes)


SIDECARS = [
    ("", "cannot be read"),
    ("[" * 200_000, "got `array`"),
    ('{"format": 1, "worksheet": ' + "[" * 200_000, "nested too deeply"),
    ('{"format": 1, "worksheet": ' + "9" * 200_000, "cannot be read"),
    ("[" + "[]," * LARGE + "[]]", "got `array`"),
    (sidecar_with(format=10**30), "`$.format`"),
    (sidecar_with(drawn_with={"rich": "1", "sympy": 1}), "`$.drawn_with.sympy`"),
    (sidecar_with(drawn_with=None), "`$.drawn_with`"),
    (sidecar_with(drawn_with={"rich": "1", "sympy": "1", "host": "here"}), "`host`"),
    (sidecar_with(more=1), "`more`"),
    (sidecar_with(**{"m" * 100_000: 1}), "unknown field"),
]


@pytest.mark.parametrize(("sidecar", "said"), SIDECARS, ids=range(len(SIDECARS)))
def test_a_sidecar_that_is_none_is_named(sidecar: str, said: str) -> None:
    with pytest.raises(TutorError) as caught:
        read.versions_of(sidecar)
    assert said in str(caught.value) and len(str(caught.value)) < 400


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


FILES: list[tuple[str, Callable[[Path], object], str]] = [
    (".md", link_to_itself, "cannot be read"),
    (".json", link_to_itself, "cannot be read"),
    (".md", fifo, "is not an ordinary file"),
    (".json", fifo, "is not an ordinary file"),
    (".md", folder_instead, "is a folder"),
    (".md", lambda path: os.truncate(path, 1_500_000_000), "more than 10,000,000 bytes"),  # sparse: nothing is written
    (".json", lambda path: os.truncate(path, 1_500_000_000), "more than 10,000,000 bytes"),
    (".md", lambda path: path.write_bytes(b"\xff\xfe"), "not UTF-8 text (byte 1)"),
    (".md", lambda path: path.write_bytes(b"\0" * 5_000_000), "no header"),
    (".json", lambda path: path.write_bytes(b"\0" * 5_000_000), "cannot be read"),
    (".json", lambda path: path.write_text('{"format": 1, "worksheet": ' + "[" * 100_000), "nested too deeply"),
    (".md", lambda path: path.write_text("```toml\n" * 40_000), "does not end"),
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize(("ending", "spoil", "said"), FILES, ids=range(len(FILES)))
def test_what_is_no_transcript_has_its_message_and_the_others_are_verified(
    tmp_path: Path, made_again: None, ending: str, spoil: Callable[[Path], object], said: str
) -> None:
    for path in RECORDED.iterdir():
        shutil.copy(path, tmp_path)
    spoil(tmp_path / f"mlp{ending}")
    found = dict(record.verify(tmp_path, read.transcript_names(tmp_path)))
    assert found["perceptron"] == []
    (only,) = found["mlp"]
    assert (only.kind, only.file) == ("unreadable", f"mlp{ending}") and said in only.detail, only


def test_every_byte_of_a_sidecar_counts(tutor: Tutor, copied: Path) -> None:
    """Also what means the same to a reader of JSON, and all but the versions of what drew the page."""
    sidecar = copied / "perceptron.json"
    text = sidecar.read_text()
    sidecar.write_text(re.sub(r'"sympy": ".*"', '"sympy": "1.0"', text))
    assert tutor("transcript", "verify", copied).returncode == 0
    sidecar.write_text(text.replace('   "loss":', '   "loss": "none",\n   "loss":', 1))
    done = tutor("transcript", "verify", copied)
    assert done.returncode == 1 and """now nothing""" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [("v 1e+1000000", "v 0.1", "numeric (by more than can be written)"), ("v 1e+99999999999999999999", "v 0.1", "numeric (by more than can be written)"),
     ("v 1e+1000000", "v -1e+1000000", "numeric (by more than can be written)"), ("1 #", "# 1", "symbolic"), (f"{9:09000}", "8", "numeric (by 1)"),
     ("x 0.25 y 3", "x 0.5 y 3", "numeric (by 0.25)"), ("│ a  │", "│ a │", "layout"), ("", "a", "symbolic")],
)  # fmt: skip
def test_a_difference_is_named_whatever_the_numbers_are(old: str, new: str, kind: str) -> None:
    (found,) = differences("f", f"same\n{old}\nsame", f"same\n{new}\nsame")
    assert found.kind == kind and found.detail.startswith("line 2: recorded ")


@pytest.mark.parametrize(
    "page",
    ["\n" * 5_000_000, "\na" * 2_500_000, "1" * 10_000_000, "1.1e+1 " * 1_400_000, "-" * 10_000_000, "│ " * 3_000_000],
    ids=lambda page: repr(page[:6]),
)
def test_a_large_page_is_compared_in_little_time(page: str) -> None:
    started = time.process_time()
    text = (RECORDED / "mlp.md").read_text(encoding="utf-8")
    found = list(differences("f", page, text))
    assert 1 <= len(found) <= 21 and all(len(d.detail) < 1_000 for d in found)
    assert time.process_time() - started < 10


def test_a_command_that_does_not_end_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the place of Python stands a script that starts another process and waits for it."""
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\nsleep 1000 &\necho $! > {tmp_path / 'pid'}\nwait\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(TutorError, match=r"tutor|run mlp: .*300 seconds"):
        record.run_command(["run", "mlp"], {}, time.monotonic() + 1)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or ") Z " in state.read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("the process that was started is still there")


def test_a_command_that_prints_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nwhile :; do printf '%010000d' 0; done\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(TutorError, match="run mlp: it prints more than 10,000,000 bytes"):
        record.run_command(["run", "mlp"], {}, time.monotonic() + 60)


def test_a_hostile_transcript_runs_nothing(tutor: Tutor, copied: Path) -> None:
    change(copied / "perceptron.md", '["run", "perceptron"]', '["transcript", "record", "perceptron"]')
    done = tutor("transcript", "verify", copied)
    assert done.returncode == 1 and "not a command that only reads" in done.stdout


def test_recording_gives_what_is_there(tutor: Tutor) -> None:
    assert tutor("transcript", "record", "perceptron").returncode == 0
    folder = tutor.folder / "transcripts"
    assert (folder / "perceptron.md").read_bytes() == (RECORDED / "perceptron.md").read_bytes()
    drawn, read = (json.loads((f / "perceptron.json").read_text()) for f in (folder, RECORDED))
    assert {**drawn, "drawn_with": ""} == {**read, "drawn_with": ""}  # it notes the versions that drew it
    assert set(drawn["drawn_with"]) == set(read["drawn_with"])


def test_an_automatic_build_never_records(tutor: Tutor) -> None:
    done = tutor("transcript", "record", "perceptron", CI="true")
    assert done.returncode == 2 and not (tutor.folder / "transcripts").exists()


@pytest.mark.parametrize("page", sorted(RECORDED.glob("*.md")), ids=lambda p: p.stem)
def test_a_header_says_how_it_was_made_and_nothing_else(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    header = read_header(text)  # which takes nothing but what belongs there
    assert text.count("```console\n") == len(header.commands) > 0
    assert "…" not in text and str(Path.home()) not in text
