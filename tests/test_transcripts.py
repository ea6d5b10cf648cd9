"""Transcripts: recorded by the command, verified by the command, and trusted with nothing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Tutor

from tutor.errors import TutorError
from tutor.lessons import lesson_files
from tutor.transcripts import allowed, read_header

RECORDED = ROOT / "transcripts"


def test_every_lesson_is_recorded() -> None:
    assert {p.stem for p in RECORDED.glob("*.md")} == set(lesson_files())


@pytest.mark.parametrize(
    "environment",
    [{}, {"COLUMNS": "43"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}, {"TERM": "dumb"}, {"FORCE_COLOR": "1"}, {"PYTHONHASHSEED": "99"},
     {"OPENBLAS_CORETYPE": "Prescott"}, {"TUTOR_DIGITS": "9", "TUTOR_NARRATE": "1"}, {"TZ": "Asia/Tokyo"}],
    ids=str,
)  # fmt: skip
def test_the_transcripts_hold_in_any_environment(tutor: Tutor, environment: dict[str, str]) -> None:
    done = tutor("transcript", "verify", RECORDED, **environment)
    assert done.returncode == 0, done.stdout + done.stderr


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


@pytest.mark.parametrize(
    "arguments",
    [["sh", "-c", "true"], ["transcript", "record"], ["run", "../../x"], ["run", "/etc/passwd"], ["run", "-"],
     ["run", "perceptron", "--out=x"], ["run", "--only=forward", "/etc/passwd"], ["run", "--only", "forward", "mlp"], ["run", "mlp", "--only=../x"], ["run", "--json"], ["errata", "mlp", "x.toml"],
     ["why", "x.toml", "W1"], [], [1], "run perceptron", None, ["--help"], ["run", "perceptron", "--width", "5"]],
    ids=str,
)  # fmt: skip
def test_a_transcript_can_only_ask_for_reading(arguments: object) -> None:
    with pytest.raises(TutorError):
        allowed(arguments)


def test_a_hostile_transcript_runs_nothing(tutor: Tutor, copied: Path) -> None:
    change(copied / "perceptron.md", '["run", "perceptron"]', '["transcript", "record", "perceptron"]')
    done = tutor("transcript", "verify", copied)
    assert done.returncode == 1 and "not a command that only reads" in done.stdout


def test_recording_gives_what_is_there(tutor: Tutor) -> None:
    assert tutor("transcript", "record", "perceptron").returncode == 0
    folder = tutor.folder / "transcripts"
    assert (folder / "perceptron.md").read_bytes() == (RECORDED / "perceptron.md").read_bytes()
    drawn, recorded = (json.loads((f / "perceptron.json").read_text()) for f in (folder, RECORDED))
    assert {**drawn, "drawn_with": ""} == {**recorded, "drawn_with": ""}  # it notes the versions that drew it
    assert set(drawn["drawn_with"]) == set(recorded["drawn_with"])


def test_an_automatic_build_never_records(tutor: Tutor) -> None:
    done = tutor("transcript", "record", "perceptron", CI="true")
    assert done.returncode == 2 and not (tutor.folder / "transcripts").exists()


@pytest.mark.parametrize("page", sorted(RECORDED.glob("*.md")), ids=lambda p: p.stem)
def test_a_header_says_how_it_was_made_and_nothing_else(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    header = read_header(text)
    assert set(header) == {"format", "tutor", "lesson", "lesson_sha256", "seed", "arithmetic", "width", "commands"}
    assert all(set(c) == {"arguments", "exit_code", "sha256"} for c in header["commands"])
    assert text.count("```console\n") == len(header["commands"])
    assert "…" not in text and str(Path.home()) not in text
