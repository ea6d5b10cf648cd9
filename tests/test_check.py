"""`tutor sheet`, `key` and `check` as people and programs use them."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ONE_NEURON, Tutor

KEY = {"o_in": "1.25", "o_out": "0.777300", "E": "0.0247977", "do_out/do_in": "0.173105"}
"""0.5·2 + 0.25 = 1.25; σ(1.25) = 0.7772999; ½(1 - 0.7773)² = 0.0247977; 0.7773·0.2227 = 0.173105."""
WRONG = {**KEY, "do_out/do_in": "-0.173105", "dE/dW1": "0.0771"}


def write(path: Path, answers: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("name", "answer"), *answers.items()])
    return path


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "one.toml"
    path.write_text(ONE_NEURON)
    return path


def checked(tutor: Tutor, *arguments: object, code: int = 1) -> Any:
    done = tutor("check", *arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("form", ["csv", "toml", "markdown", "json"])
def test_the_key_marks_itself_correct_and_a_blank_sheet_is_missing(tutor: Tutor, lesson: Path, form: str) -> None:
    ending = {"markdown": "md"}.get(form, form)
    for command, code, verdict in (("key", 0, "correct"), ("sheet", 1, "missing")):
        path = tutor.folder / f"{command}.{ending}"
        path.write_text(tutor(command, lesson, "--format", form).stdout)
        found = checked(tutor, lesson, path, code=code)
        assert {cell["verdict"] for cell in found["sheets"][0]["cells"]} == {verdict}


def test_the_document_says_everything(tutor: Tutor, lesson: Path) -> None:
    found = checked(tutor, lesson, write(tutor.folder / "s.csv", WRONG))
    assert found["format"] == 1 and found["lesson"] == "one"
    sheet = found["sheets"][0]
    assert sheet["sheet"] == "s.csv" and sheet["root_errors"] == ["do_out/do_in"]
    cells = {cell["name"]: cell for cell in sheet["cells"]}
    wrong = cells["do_out/do_in"]
    assert wrong["verdict"] == "wrong" and wrong["answer"] == "-0.173105"
    assert float(wrong["key"]) == pytest.approx(0.1731047, abs=1e-6) and float(wrong["from_own"]) == pytest.approx(
        0.1731047, abs=1e-6
    )
    assert wrong["slips"][0]["id"] == "sign-slip" and {"message", "value"} <= {*wrong["slips"][0]}
    assert cells["dE/dW1"]["verdict"] == "carried"  # (0.7773 - 1)·(-0.173105)·2 = 0.0771
    (told,) = sheet["misconceptions"]
    assert (told["id"], told["scope"], told["cells"]) == ("sign-slip", "line", ["do_out/do_in"]) and told["message"]
    assert sheet["score"] == 4 and sheet["max_score"] == len(cells)


def test_points_digits_penalties_and_what_is_asked_come_from_the_lesson_or_from_options(
    tutor: Tutor, lesson: Path
) -> None:
    sheet = write(tutor.folder / "s.csv", WRONG)
    lesson.write_text(
        ONE_NEURON
        + '[homework]\nask = ["loss", "gradient"]\npoints = { gradient = 2, "dE/dW1" = 4 }\ncarried_penalty = 0.25\n'
    )
    found = checked(tutor, lesson, sheet)["sheets"][0]
    assert (found["score"], found["max_score"]) == (1 + 4 * 0.75, 1 + 4 + 2)
    options = ("--ask", "E", "--ask", "dE/dW1", "--points", "E=10", "--carried-penalty", "0")
    again = checked(tutor, lesson, sheet, *options, code=0)["sheets"][0]
    assert (again["score"], again["max_score"]) == (10 + 4, 14)
    few = checked(tutor, lesson, sheet, "--ask", "E", "--decimals", "9")["sheets"][0]
    assert next(c for c in few["cells"] if c["name"] == "E")["verdict"] == "coarse"
    assert "9 decimals" in tutor("sheet", lesson, "--decimals", 9).stdout
    for wrong in (
        'ask = ["gradients"]',
        "decimals = -1",
        "carried_penalty = 2",
        "points = { gradient = -1 }",
        "decimals = 2\nsignificant = 3",
        "marks = 3",
    ):
        lesson.write_text(f"{ONE_NEURON}[homework]\n{wrong}\n")
        done = tutor("check", lesson, sheet)
        assert done.returncode == 2 and "homework" in done.stderr and "Traceback" not in done.stderr, wrong
        if wrong.startswith("ask"):
            assert "homework.ask" in tutor("lint", lesson).stdout


@pytest.mark.parametrize(
    "options", [["--width", "80"], ["--width", "40"], ["--narrate"], ["--width", "160", "--reveal"]]
)
def test_what_is_read_on_the_screen(tutor: Tutor, lesson: Path, options: list[str]) -> None:
    done = tutor("check", lesson, write(tutor.folder / "s.csv", WRONG), *options)
    assert done.returncode == 1 and "do_out/do_in" in done.stdout and "sign-slip" in done.stdout
    assert ("0.17310" in done.stdout.replace("-0.173105", "")) == ("--reveal" in options), (
        "no value before it is asked for"
    )
    if "--width" in options:
        assert max(map(len, done.stdout.splitlines())) <= int(options[1])


def test_nothing_from_a_sheet_reaches_the_terminal_unescaped(tutor: Tutor, lesson: Path) -> None:
    sheet = write(
        tutor.folder / "s.csv",
        {"o_in": "\x1b[31mred", "o_out": "[bold red]1[/]", "E": "\x9b2J", "\x1b[2Jx": "1", "#student": "\x1b]0;t\x07"},
    )
    for options in ([], ["--narrate"], ["--reveal", "--width", "40"]):
        done = tutor("check", lesson, sheet, *options)
        assert done.returncode == 1 and not {"\x1b", "\x9b", "\x07"} & {*done.stdout, *done.stderr}
    assert "[bold red]1[/]" in tutor("check", lesson, sheet, "--width", "120").stdout


def test_a_wrong_line_that_was_not_asked_is_not_said_to_earn_credit(tutor: Tutor, lesson: Path) -> None:
    sheet = write(tutor.folder / "s.csv", WRONG)
    done = tutor("check", lesson, sheet, "--ask", "forward", "--feedback", "fb")
    assert done.returncode == 0 and "Every line that was asked earns credit." in done.stdout
    assert "Every line that was asked earns credit." in (tutor.folder / "fb" / "s.md").read_text()
    lost = tutor("check", lesson, sheet, "--roster", "nowhere.csv")
    assert lost.returncode == 2 and "nowhere.csv" in lost.stderr


def test_a_class_and_everything_that_is_written_about_it(tutor: Tutor, lesson: Path) -> None:
    folder = tutor.folder / "class"
    folder.mkdir()
    write(folder / "ann.csv", {**WRONG, "#student": "=ann"})
    write(folder / "bob.csv", {**KEY, "#student": "../../bob"})
    (folder / "broken.csv").write_bytes(b"\x00\xff")
    done = tutor(
        "check",
        lesson,
        folder,
        "--gradebook",
        "g.csv",
        "--gradescope",
        "gs",
        "--prairielearn",
        "pl",
        "--feedback",
        "fb",
        "--ask",
        "forward",
        "--ask",
        "do_out/do_in",
    )
    assert done.returncode == 1 and "broken.csv" in done.stderr and "broken.csv" in done.stdout
    rows = list(csv.DictReader((tutor.folder / "g.csv").open()))
    assert [(row["student"], row["score"], row["root_errors"]) for row in rows] == [
        ("'=ann", "2", "do_out/do_in"), ("../../bob", "3", ""), ("broken", "", ""),
    ]  # fmt: skip
    assert "not marked" in rows[2]["notes"]
    assert sorted(path.name for path in (tutor.folder / "fb").glob("*.md")) == ["ann.md", "bob.md", "broken.md"]
    assert "not marked" in (tutor.folder / "fb" / "broken.md").read_text()
    broken = [json.loads((tutor.folder / folder / "broken.json").read_text()) for folder in ("gs", "pl")]
    assert broken[0]["score"] == 0 and "not marked" in broken[0]["output"]
    assert broken[1]["gradable"] is False and broken[1]["format_errors"] and "score" not in broken[1]
    alone = tutor("check", lesson, folder / "broken.csv", "--gradescope", "results.json")
    assert alone.returncode == 2 and json.loads((tutor.folder / "results.json").read_text()) == broken[0]
    scope = json.loads((tutor.folder / "gs" / "ann.json").read_text())
    assert (
        scope["score"] == 2
        and sum(t["score"] for t in scope["tests"]) == 2
        and sum(t["max_score"] for t in scope["tests"]) == 3
    )
    assert {"name", "score", "max_score", "status", "output", "output_format", "number", "visibility"} <= {
        *scope["tests"][0]
    }
    prairie = json.loads((tutor.folder / "pl" / "bob.json").read_text())
    assert (
        prairie["gradable"] is True
        and prairie["score"] == 1
        and all("points" in t and "max_points" in t for t in prairie["tests"])
    )
    feedback = (tutor.folder / "fb" / "ann.md").read_text()
    assert "sign-slip" in feedback and "0.173105" not in feedback.replace("-0.173105", "")
    everything = checked(tutor, lesson, folder)
    assert [s.get("marked", True) for s in everything["sheets"]] == [True, True, False]
    assert everything["summary"]["slips"][0]["id"] == "sign-slip"


def test_gradebooks_have_the_columns_that_the_platforms_import(tutor: Tutor, lesson: Path) -> None:
    sheets = [write(tutor.folder / f"{name}.csv", KEY) for name in ("ann", "bob")]
    tutor("check", lesson, *sheets, "--gradebook", "canvas.csv", "--platform", "canvas")
    lines = (tutor.folder / "canvas.csv").read_text().splitlines()
    assert lines[0] == "Student,ID,SIS User ID,SIS Login ID,Section,one neuron" and lines[1].startswith(
        "Points Possible,"
    )
    assert lines[2].startswith("ann,,,ann,,")
    tutor("check", lesson, *sheets, "--gradebook", "moodle.csv", "--platform", "moodle")
    assert (tutor.folder / "moodle.csv").read_text().splitlines()[0] == "username,idnumber,email,one neuron,feedback"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["one.toml", "none.csv"], 2, "there is no such file"),
        (["one.toml", "empty"], 3, "no sheet to mark"),
        (["nothing", "s.csv"], 2, "there is no lesson"),
        (["one.toml", "s.csv", "--points", "gradient"], 2, "--points gradient=2"),
        (["one.toml", "s.csv", "--gradebook", "missing/g.csv"], 2, "cannot be written"),
        (["one.toml", "s.csv", "--secret", "x", "--roster", "none.csv"], 2, "there is no file 'none.csv'"),
    ],
)
def test_what_cannot_be_marked_says_why(tutor: Tutor, lesson: Path, arguments: list[str], code: int, said: str) -> None:
    (tutor.folder / "empty").mkdir()
    write(tutor.folder / "s.csv", KEY)
    done = tutor("check", *arguments)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr


def test_a_sheet_on_standard_input(tutor: Tutor, lesson: Path) -> None:
    done = tutor("check", lesson, "-", "--json", "--ask", "o_in", stdin="name,answer\no_in,1.25\n")
    assert done.returncode == 0 and json.loads(done.stdout)["sheets"][0]["score"] == 1


def big_class(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        write(folder / f"s{number:04}.csv", WRONG if number % 3 else KEY)
    return folder


def test_several_processes_give_the_same_as_one(tutor: Tutor, lesson: Path) -> None:
    folder = big_class(tutor.folder / "class", 130)
    assert checked(tutor, lesson, folder, "--jobs", 1) == checked(tutor, lesson, folder, "--jobs", 3)


LISTENING = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from tutor.__main__ import main; sys.exit(main())"
"""A command that hears Ctrl-C even where its parent does not, as in the background of a shell."""


def test_watching_marks_again_when_the_sheet_is_saved(tutor: Tutor, lesson: Path) -> None:
    sheet = write(tutor.folder / "s.csv", WRONG)
    command = [
        sys.executable,
        "-u",
        "-c",
        LISTENING,
        "check",
        str(lesson),
        str(sheet),
        "--watch",
        "--ask",
        "do_out/do_in",
    ]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    child = subprocess.Popen(
        command, cwd=tutor.folder, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    )
    assert child.stdout is not None
    try:
        for said in ("sign-slip", "Ctrl-C ends", "Every line earns credit"):
            if said.startswith("Every"):
                write(sheet, KEY)
            assert any(said in line for line in child.stdout), said
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=20) == 130
    finally:
        child.kill()
        child.stdout.close()
