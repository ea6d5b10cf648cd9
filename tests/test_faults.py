"""A fault of the program is told as one, wherever it happens; and the ways in which a process is cut short."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ONE_NEURON, Tutor

from tutor import __version__
from tutor.homework.marker import LessonMarker

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and descriptors as on POSIX")


def two_lines(err: str) -> list[str]:
    lines = err.splitlines()[-2:]
    assert lines[0].startswith("tutor: this is a fault of the program, not of what you gave it: "), err
    assert lines[1].startswith("tutor: please report") and __version__ in lines[1], err
    return lines


@pytest.mark.parametrize("kind", [ValueError, KeyError, RecursionError, MemoryError, AssertionError, OSError])
def test_an_unforeseen_error_is_told_in_two_lines(kind: Any, tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise kind("of a kind\x1b[31m nobody\nforesaw")

    monkeypatch.setattr("tutor.lessons.find.parse_course", fails)
    code, out, err = tutor("run", "mlp", "--digits=5")
    assert code == 70 and not out and len(err.splitlines()) == 2 and "\x1b" not in err
    what, report = two_lines(err)
    assert kind.__name__ in what and "nobody" in what and "lessons/find.py, line " in what
    assert "`tutor run --digits`" in report and "5`" not in report
    _, _, err = tutor("run", "mlp", TUTOR_DEBUG="1")
    assert "Traceback (most recent call last)" in err and "\x1b" not in err
    two_lines(err)


def test_what_was_given_to_options_stays_with_the_reader(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    tutor("check", "mlp", "s.csv")  # whatever is loaded now keeps the function as it is
    monkeypatch.setattr("tutor.lessons.read.parse_lesson", lambda *_: 1 / 0)
    for arguments in (["check", "mlp", "s.csv", "--secret", "hunter2"], ["check", "mlp", "s.csv", "--secret=hunter2"]):
        (tutor.folder / "s.csv").write_text("h1_in,0.48\n")
        code, _, err = tutor(*arguments)
        assert code == 70 and "hunter2" not in err and "--secret" in err


def test_an_error_that_cannot_be_written_down_is_told_all_the_same(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fails(*_: object) -> None:
        raise Silent

    monkeypatch.setattr("tutor.lessons.find.parse_course", fails)
    code, _, err = tutor("run", "mlp")
    assert code == 70 and "Silent" in two_lines(err)[0]


def sheets(folder: Path, count: int) -> Path:
    (folder / "sheets").mkdir()
    for number in range(count):
        (folder / "sheets" / f"s{number:03}.csv").write_text("name,answer\no_in,1.25\n")
    return folder / "sheets"


@pytest.mark.parametrize(("count", "jobs"), [(3, 1), (70, 2)])
def test_a_fault_at_one_sheet_is_not_told_as_the_students(
    count: int, jobs: int, tutor: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any error, a ValueError and a MemoryError among them, in this process and in others."""
    faults = {"s001.csv": ValueError("ours"), "s002.csv": MemoryError()}
    mark = LessonMarker.mark

    def fails_at_some(marker: LessonMarker, name: str, handed_in: Any) -> Any:
        if error := faults.get(name):
            raise error
        return mark(marker, name, handed_in)

    monkeypatch.setattr(LessonMarker, "mark", fails_at_some)
    (tutor.folder / "one.toml").write_text(ONE_NEURON)
    folder = sheets(tutor.folder, count)
    code, out, err = tutor("check", "one.toml", folder, "--jobs", jobs, "--json", "--gradebook", "g.csv",
                          "--gradescope", "gs", "--prairielearn", "pl", "--feedback", "f")  # fmt: skip
    assert code == 70 and "2 sheets not marked" in two_lines(err)[0]
    told = {sheet["sheet"]: sheet for sheet in json.loads(out)["sheets"]}
    assert len(told) == count and {name for name, sheet in told.items() if "fault" in sheet} == {*faults}
    assert told["s000.csv"]["score"] == 1 and "ValueError: ours" in told["s001.csv"]["fault"]
    assert "score" not in told["s001.csv"] and "fault of the program" in told["s001.csv"]["why"]
    rows = {row["sheet"]: row for row in csv.DictReader((tutor.folder / "g.csv").open())}
    assert rows["s001.csv"]["score"] == "" and "fault of the program" in rows["s001.csv"]["notes"]
    scope, prairie = (json.loads((tutor.folder / at / "s001.json").read_text()) for at in ("gs", "pl"))
    assert "score" not in scope and scope["tests"] == [] and "fault of the program" in scope["output"]
    assert prairie["gradable"] is False and "fault of the program" in prairie["format_errors"][0]
    assert "fault of the program" in (tutor.folder / "f" / "s001.md").read_text()


@pytest.mark.parametrize("platform", ["canvas", "moodle"])
def test_no_platform_gets_0_points_for_a_fault(platform: str, tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LessonMarker, "mark", lambda *_: 1 / 0)
    (tutor.folder / "one.toml").write_text(ONE_NEURON)
    (tutor.folder / "ann.csv").write_text("o_in,1.25\n")
    code, _, err = tutor("check", "one.toml", "ann.csv", "--gradebook", "g.csv", "--platform", platform)
    assert code == 70 and "ZeroDivisionError" in two_lines(err)[0]
    row = list(csv.DictReader((tutor.folder / "g.csv").open()))[-1]
    assert row["one neuron"] == {"canvas": "", "moodle": "-"}[platform]


@POSIX
def test_a_process_that_is_killed_costs_only_the_sheet_it_was_killed_by(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, parent = LessonMarker.mark, os.getpid()

    def ends_the_process(marker: LessonMarker, name: str, handed_in: Any) -> Any:
        if name in ("s030.csv", "s069.csv"):
            assert os.getpid() != parent
            os.kill(os.getpid(), signal.SIGKILL)  # as the system does when memory runs out
        return mark(marker, name, handed_in)

    monkeypatch.setattr(LessonMarker, "mark", ends_the_process)
    (tutor.folder / "one.toml").write_text(ONE_NEURON)
    code, out, err = tutor("check", "one.toml", sheets(tutor.folder, 80), "--jobs", 2, "--json")
    assert code == 70 and "2 sheets not marked" in two_lines(err)[0]
    told = json.loads(out)["sheets"]
    assert [sheet["sheet"] for sheet in told] == [f"s{number:03}.csv" for number in range(80)]
    assert {sheet["sheet"] for sheet in told if "fault" in sheet} == {"s030.csv", "s069.csv"}
    assert "memory" in told[30]["fault"] and told[31]["score"] == 1


CLOSED = [
    ("run mlp >&-", 2, "standard output is closed"),
    ("--version >&-", 2, "standard output is closed"),
    ("--help >&-", 2, "standard output is closed"),
    ("run mlp >/dev/full", 2, "No space left"),
    ("--version >/dev/full", 2, "No space left"),
    ("check mlp key.csv >/dev/full", 2, "No space left"),
    ("run mlp 2>&-", 0, ""),
    ("run nothing 2>&-", 2, ""),
    ("run nothing 2>/dev/full", 2, ""),
    ("run mlp >&- 2>&-", 2, ""),
    ("run mlp <&- >&- 2>&-", 2, ""),
    ("run - <&-", 2, "standard input is closed"),
    ("check mlp - <&-", 2, "standard input is closed"),
    ("run mlp <&-", 0, ""),
    ("run mlp | true", None, ""),
]


@POSIX
@pytest.mark.parametrize(("line", "code", "said"), CLOSED)
def test_closed_and_full_streams(line: str, code: int | None, said: str, tmp_path: Path) -> None:
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("there is no device that is full")
    (tmp_path / "key.csv").write_text("h1_in,0.48\n")
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m tutor {line}', sys.executable], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert code is None or done.returncode == code, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert bool(done.stderr) == bool(said), done.stderr


@POSIX
def test_no_file_takes_the_place_of_a_closed_stream(tutor: Tutor, tmp_path: Path) -> None:
    line = '"$0" -m tutor predict r.json --data xor --csv p.csv >&- 2>&-'
    tutor("train", "--data", "xor", "--epochs", 1, "--save", "r.json")
    subprocess.run(["sh", "-c", line, sys.executable], cwd=tmp_path, check=False)
    assert all(re.match(r"example|[0-9]", row) for row in (tmp_path / "p.csv").read_text().splitlines())


INTERRUPTED = """
import os, signal, sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
sys.argv = ["tutor", "why", "mlp", "dE/dW1"]
from tutor.__main__ import main
sys.exit(main())
"""


@POSIX
@pytest.mark.parametrize(
    "module", ["gc", "tutor.cli", "tutor.errors", "typer", "tutor.cli.worksheet", "sympy", "rich.text"]
)
def test_ctrl_c_while_modules_are_loaded_ends_without_a_word(module: str) -> None:
    script = INTERRUPTED.format(module=module)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


@POSIX
@pytest.mark.parametrize("moment", ["before", "after"])
def test_ctrl_c_at_the_very_beginning_and_the_very_end(moment: str) -> None:
    interrupt = "os.kill(os.getpid(), signal.SIGINT)"
    script = f"""
import os, signal, sys
from tutor.__main__ import main
if {moment!r} == "before": {interrupt}
sys.argv = ["tutor", "--version"]
code = main()
{interrupt}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 130 and done.stderr == ""
    assert bool(done.stdout) == (moment == "after")


@POSIX
def test_ctrl_c_while_something_is_cleaned_up_is_not_lost() -> None:
    """Python drops what is raised in a destructor."""
    script = """
import os, signal, sys, time
from tutor.__main__ import main
import tutor.cli
class Thing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        [number for number in range(1_000)]
def run():
    Thing()
    for _ in range(500):
        time.sleep(0.01)
    return 0
tutor.cli.run = run
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


@POSIX
def test_ctrl_c_stays_ignored_where_it_is(tmp_path: Path) -> None:
    script = "import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + INTERRUPTED.format(module="typer")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0 and "dE/dW1" in done.stdout
