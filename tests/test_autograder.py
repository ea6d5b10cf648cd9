"""The upload for Gradescope, run as it is there: in a folder like /autograder, with what was handed in."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from conftest import ONE_NEURON, Tutor

from tutor import __version__

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="Gradescope runs Linux, and its scripts need bash")
ASKED = '[homework]\nask = ["o_in", "o_out"]\n'
SHEETS = {
    "full": ("name,answer\no_in,1.25\no_out,0.7773\n", 2),
    "lost": ("name,answer\no_in,1.25\no_out,0.9\n", 1),
    "no sheet": ("name,answer\nzz,1\n", 0),
}


class Machine:
    """What Gradescope makes of the archive; `tutor` there is the one under test."""

    def __init__(self, root: Path, archive: Path) -> None:
        self.root = root
        for folder in ("source", "submission", "results"):
            (root / folder).mkdir(parents=True)
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                path = root / "source" / entry.filename
                path.write_bytes(zipped.read(entry))
                path.chmod(entry.external_attr >> 16)
        shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
        program = root / "program"
        program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m tutor \"$@\"\n")
        program.chmod(0o755)

    def hand_in(self, **files: str) -> None:
        shutil.rmtree(self.root / "submission")
        (self.root / "submission").mkdir()
        for name, text in files.items():
            path = self.root / "submission" / name.replace("__", "/").replace("_csv", ".csv")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def run(self, **environment: str) -> tuple[int, Any]:
        named = {"AUTOGRADER": str(self.root), "TUTOR": str(self.root / "program"), **environment}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR")}
        done = subprocess.run(
            [self.root / "run_autograder"], cwd=self.root, env={**kept, **named}, capture_output=True, check=False
        )
        results = self.root / "results" / "results.json"
        return done.returncode, json.loads(results.read_text()) if results.exists() else None


@pytest.fixture
def machine(tutor: Tutor) -> Machine:
    (tutor.folder / "l.toml").write_text(ONE_NEURON + ASKED)
    done = tutor("autograder", "l.toml", "--output", "a.zip")
    assert done.returncode == 0, done.stderr
    return Machine(tutor.folder / "autograder", tutor.folder / "a.zip")


def test_the_archive_has_what_the_specification_asks_for(tutor: Tutor, machine: Machine) -> None:
    """docs/specs.md of gradescope/autograder_samples: setup.sh and run_autograder at the root of the archive, the second
    executable and with a line #!."""
    with zipfile.ZipFile(tutor.folder / "a.zip") as zipped:
        assert sorted(zipped.namelist()) == ["lesson.toml", "requirements.txt", "run_autograder", "setup.sh"]
        assert zipped.read("lesson.toml").decode() == (tutor.folder / "l.toml").read_text()
        assert zipped.read("requirements.txt").decode().split() == [f"backprop-tutor=={__version__}"]
        for name in ("setup.sh", "run_autograder"):
            assert zipped.read(name).startswith(b"#!") and b"\r" not in zipped.read(name)
            assert stat.S_IMODE(zipped.getinfo(name).external_attr >> 16) == 0o755
            checked = subprocess.run(["bash", "-n", machine.root / "source" / name], capture_output=True, check=False)
            assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("sheet", SHEETS)
def test_it_ends_with_0_however_many_points_there_are(machine: Machine, sheet: str) -> None:
    text, points = SHEETS[sheet]
    machine.hand_in(**{"my work_csv": text})
    code, told = machine.run()
    assert code == 0 and told["score"] == points
    assert sheet == "no sheet" or sum(test["max_score"] for test in told["tests"]) == 2
    assert all((t["score"] == t["max_score"]) == (t["status"] == "passed") for t in told["tests"])


@pytest.mark.parametrize("files", [{}, {"a_csv": "o_in,1\n", "b_csv": "o_in,2\n"}, {"notes.txt": "hello"}])
def test_who_hands_in_no_sheet_or_several_is_told(machine: Machine, files: dict[str, str]) -> None:
    machine.hand_in(**files)
    code, told = machine.run()
    assert code == 0 and told["score"] == 0 and "Hand in one answer sheet" in told["output"]
    assert f"there were {sum(name.endswith('_csv') for name in files)}" in told["output"]


def test_a_sheet_in_a_folder_is_found_and_what_a_mac_adds_is_not(machine: Machine) -> None:
    machine.hand_in(**{"work__x_csv": SHEETS["full"][0], "._x_csv": "no", "__MACOSX/x.csv": "no"})
    assert machine.run()[1]["score"] == 2


def test_a_program_that_fails_is_a_failure_of_the_autograder(machine: Machine) -> None:
    """And not 0 points: nothing that an earlier time has left is taken for a result either."""
    machine.hand_in(a_csv=SHEETS["full"][0])
    assert machine.run()[0] == 0
    code, told = machine.run(TUTOR=str(machine.root / "nothing"))
    assert code != 0 and told is None


def test_the_same_lesson_makes_the_same_bytes(tutor: Tutor, machine: Machine) -> None:
    first = (tutor.folder / "a.zip").read_bytes()
    again = tutor("autograder", "l.toml", "--output", "a.zip")
    assert again.returncode == 0 and (tutor.folder / "a.zip").read_bytes() == first
    (tutor.folder / "a.zip").write_bytes(b"mine")
    other = tutor("autograder", "l.toml", "--output", "a.zip")
    assert other.returncode == 2 and "is not an autograder of this program" in other.stderr


def test_a_wheel_and_a_scale_come_along(tutor: Tutor) -> None:
    (tutor.folder / "l.toml").write_text(ONE_NEURON + ASKED)
    (tutor.folder / "w-1-py3-none-any.whl").write_bytes(b"PK")
    words = ("autograder", "l.toml", "--output", "b.zip", "--wheel", "w-1-py3-none-any.whl", "--scale", "10")
    assert tutor(*words).returncode == 0
    machine = Machine(tutor.folder / "autograder", tutor.folder / "b.zip")
    assert (machine.root / "source" / "requirements.txt").read_text() == "./w-1-py3-none-any.whl\n"
    assert (machine.root / "source" / "w-1-py3-none-any.whl").read_bytes() == b"PK"
    machine.hand_in(a_csv=SHEETS["lost"][0])
    assert machine.run()[1]["score"] == 5
    assert tutor("autograder", "l.toml", "--wheel", "l.toml").returncode == 2


def test_setting_up_makes_an_environment_and_installs_what_is_required(machine: Machine) -> None:
    """Without a package index: what is required is put aside, so that pip has nothing to fetch."""
    (machine.root / "source" / "requirements.txt").write_text("")
    named = {**os.environ, "AUTOGRADER": str(machine.root), "PYTHON": sys.executable}
    done = subprocess.run(["bash", machine.root / "source" / "setup.sh"], env=named, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (machine.root / "tutor" / "bin" / "python").exists()


def test_a_lesson_that_asks_for_what_is_not_there_is_told_now(tutor: Tutor) -> None:
    (tutor.folder / "l.toml").write_text(ONE_NEURON + "[homework]\nask = ['nothing']\n")
    done = tutor("autograder", "l.toml")
    assert done.returncode == 2 and "homework.ask" in done.stderr and not (tutor.folder / "autograder.zip").exists()
