"""A class: whose sheet is marked, a row for each student, what the platforms take, flawed questions, how lines did."""

from __future__ import annotations

import csv
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import ONE_NEURON, Tutor
from hypothesis import given
from hypothesis import strategies as st

KEY = {"o_in": "1.25", "o_out": "0.777300", "E": "0.0247977", "do_out/do_in": "0.173105"}
"""0.5·2 + 0.25 = 1.25; σ(1.25) = 0.7772999; ½(1 - 0.7773)² = 0.0247977; 0.7773·0.2227 = 0.173105."""
ASKED = '[homework]\nask = ["o_in", "o_out", "E", "do_out/do_in"]\n'
ROSTER = "id,name,email\nann,Ann Lee,ann@x.org\nbob,Bob Poe,bob@x.org\ncy,Cy Roe,cy@x.org\n"


def write(path: Path, answers: dict[str, str] | list[tuple[str, str]]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("name", "answer"), *(answers.items() if isinstance(answers, dict) else answers)])
    return path


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "one.toml"
    path.write_text(ONE_NEURON + ASKED)
    (tmp_path / "r.csv").write_text(ROSTER)
    return path


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(newline="")))


# Whose sheet it is


@pytest.fixture
def drawn(tutor: Tutor, lesson: Path) -> Path:
    """A class with a problem for each; the sheets are filled with the key of their own problem."""
    words = ("vary", lesson, "--roster", "r.csv", "--secret", "S", "--out", "o")
    assert tutor(*words).returncode == 0
    for name in ("ann", "bob", "cy"):
        key = list(csv.reader(tutor("key", f"o/problems/{name}.toml").stdout.splitlines()))
        about = [r[:2] for r in csv.reader((tutor.folder / "o" / "sheets" / f"{name}.csv").open()) if r[0][0] == "#"]
        answers = [(r[0], r[1]) for r in key[1:] if not r[0].startswith("#")]
        write(tutor.folder / "in" / f"{name}.csv", [*answers, *((n, a) for n, a in about if "given" not in n)])
    return tutor.folder / "in"


def about(sheet: Path, **changes: str | None) -> None:
    """Change what a sheet says about itself; None takes it off."""
    rows = [row for row in csv.reader(sheet.open()) if row[0].lstrip("#") not in changes]
    rows += [[f"#{key}", value] for key, value in changes.items() if value is not None]
    with sheet.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def problem_of(sheet: Path) -> str:
    return next(row[1] for row in csv.reader(sheet.open()) if row[0] == "#problem")


PLATFORMS = ("--gradebook", "g.csv", "--gradescope", "gs", "--prairielearn", "pl", "--feedback", "fb")
OWN = ("--roster", "r.csv", "--secret", "S")


@pytest.mark.parametrize(
    ("changes", "student", "why"),
    [
        ({"student": "bob"}, "bob", "this sheet answers another student's problem, that of ann"),
        ({"student": "nobody"}, "nobody", "this sheet answers another student's problem, that of ann"),
        ({"problem": None, "student": "nobody"}, "nobody", "no code of a problem"),
        ({"problem": None, "student": None}, None, "no code of a problem"),
    ],
)
def test_a_sheet_whose_problem_is_not_its_own_is_not_marked(
    tutor: Tutor, lesson: Path, drawn: Path, changes: dict[str, str | None], student: str | None, why: str
) -> None:
    about(drawn / "ann.csv", **changes)
    (drawn / "ann.csv").rename(drawn / "odd.csv")
    done = tutor("check", lesson, drawn, *OWN, *PLATFORMS, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    sheet = {s["sheet"]: s for s in told["sheets"]}["odd.csv"]
    assert sheet["marked"] is False and why in sheet["why"] and not {"score", "max_score", "cells"} & {*sheet}
    assert sheet.get("student") == student and told["summary"]["please_look"]["odd.csv"] == [sheet["why"]]
    assert told["summary"]["sheets"] == 2
    name = student or "odd"
    own = "bob" if student == "bob" else None  # who has handed in a sheet of their own too
    files = [tutor.folder / at / f"{'bob_2' if own else name}.json" for at in ("gs", "pl")]
    for result in (json.loads(path.read_text()) for path in files):
        assert "score" not in result and "ann" not in json.dumps(result)
    rows = {row["student"]: row for row in table(tutor.folder / "g.csv")}
    if own:
        assert rows["bob"]["score"] == rows["bob"]["max_score"] == "4" and "2 sheets" in rows["bob"]["notes"]
    else:
        assert rows[name]["score"] == "" and why in rows[name]["notes"]
    shown = " ".join(tutor("check", lesson, drawn, *OWN, "--width", "160").stdout.split())
    assert "Please look at these sheets" in shown and f"odd.csv: {sheet['why']}." in shown
    alone = tutor("check", lesson, drawn / "odd.csv", *OWN, "--json")
    assert alone.returncode == 2 and why in alone.stderr
    assert json.loads(alone.stdout)["sheets"] == [sheet]


@pytest.mark.parametrize(
    "changes", [{"problem": None}, {"student": None}, {"student": "ANN "}, {"student": "ann@x.org"}]
)
def test_a_sheet_is_marked_where_its_student_or_its_code_says_whose_it_is(
    tutor: Tutor, lesson: Path, drawn: Path, changes: dict[str, str | None]
) -> None:
    about(drawn / "ann.csv", **changes)
    (drawn / "ann.csv").rename(drawn / "odd.csv")
    told = tutor.json("check", lesson, drawn / "odd.csv", *OWN)["sheets"][0]
    assert told["student"] == "ann" and told["done"]
    assert any("does not say" in note for note in told.get("notes", [])) == (None in changes.values())


def test_a_lesson_may_be_mended_when_its_problems_are_handed_out(tutor: Tutor, lesson: Path, drawn: Path) -> None:
    """What counts may change, and what is said; other numbers would make other problems."""
    rows = [row if row[0] != "E" else ["E", "7"] for row in csv.reader((drawn / "ann.csv").open())]
    with (drawn / "ann.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (tutor.folder / "old.json").write_text(tutor("check", lesson, drawn, *OWN, "--json").stdout)
    lesson.write_text(ONE_NEURON.replace("one neuron", "a neuron") + ASKED + "drop = ['E']\n")
    told = tutor.json("check", lesson, drawn, *OWN, "--compare", "old.json")
    assert [(c["student"], c["before"], c["before_of"], c["after"], c["after_of"]) for c in told["changed"]] == [
        ("ann", 3, 4, 3, 3), ("bob", 4, 4, 3, 3), ("cy", 4, 4, 3, 3),
    ]  # fmt: skip
    assert tutor("vary", lesson, *OWN, "--out", "o").returncode == 0, "who joins late gets a problem too"
    lesson.write_text(ONE_NEURON.replace("0.25", "0.35") + ASKED)
    (drawn / "bob.csv").rename(drawn / "other.csv")
    told = tutor.json("check", lesson, drawn, *OWN, fails=1)["summary"]["students"]
    assert [row["student"] for row in told] == ["ann", "bob", "cy"], "and each of these sheets is still somebody's"
    assert all("was not made from this version" in row["why"] and "score" not in row for row in told)


def test_a_secret_that_fits_no_sheet_accuses_nobody(tutor: Tutor, lesson: Path, drawn: Path) -> None:
    done = tutor("check", lesson, drawn, "--roster", "r.csv", "--secret", "T", "--gradebook", "g.csv", "--json")
    assert done.returncode == 2 and not done.stdout and len(done.stderr.splitlines()) == 1
    assert "no code on these sheets fits the secret" in done.stderr and not (tutor.folder / "g.csv").exists()
    about(drawn / "bob.csv", student="ann")  # one that is not its own, and all others are: the secret is right
    (drawn / "ann.csv").unlink()
    assert tutor("check", lesson, drawn, "--roster", "r.csv", "--secret", "S", "--json").returncode == 1


# A row for each student


def test_a_row_for_everybody_on_the_roster_in_its_order(tutor: Tutor, lesson: Path) -> None:
    folder = tutor.folder / "in"
    write(folder / "a.csv", {**KEY, "E": "7", "#student": "cy"})
    write(folder / "b.csv", {**KEY, "#student": "cy"})
    write(folder / "c.csv", {**KEY, "#student": "stranger"})
    write(folder / "d.csv", {"zz": "1", "#student": "ann"})
    told = json.loads(tutor("check", lesson, folder, "--roster", "r.csv", *PLATFORMS, "--json").stdout)["summary"]
    assert [row["student"] for row in told["students"]] == ["ann", "bob", "cy", "stranger"]
    ann, bob, cy, stranger = told["students"]
    assert "score" not in ann and "none of its names" in ann["why"] and ann["sheet"] == "d.csv"
    assert "score" not in bob and bob["why"] == "nothing handed in" and "sheet" not in bob
    assert (cy["sheet"], cy["score"], cy["max_score"], cy["sheets"]) == ("b.csv", 4, 4, ["a.csv", "b.csv"])
    assert stranger["score"] == 4 and told["not_on_roster"] == ["stranger"] and told["not_handed_in"] == ["bob"]
    rows = table(tutor.folder / "g.csv")
    assert [(r["student"], r["score"]) for r in rows] == [("ann", ""), ("bob", ""), ("cy", "4"), ("stranger", "4")]
    assert "not marked" in rows[0]["notes"] and rows[1]["notes"] == "nothing handed in"
    assert "2 sheets: a.csv, b.csv; the better one counts, b.csv" in rows[2]["notes"]
    for options in (["--width", "40"], ["--width", "160"], ["--narrate"]):
        shown = " ".join(tutor("check", lesson, folder, "--roster", "r.csv", *options).stdout.split())
        assert "The better one counts: b.csv" in shown and "Nothing from bob" in shown
        assert "Not on the roster" in shown and "stranger" in shown


def test_two_answers_for_one_line_are_told_everywhere(tutor: Tutor, lesson: Path) -> None:
    write(tutor.folder / "in" / "ann.csv", [*KEY.items(), ("E", "0.5")])
    said = "E: answered more than once; the last answer counts"
    assert said in " ".join(tutor("check", lesson, "in", *PLATFORMS, "--width", "160").stdout.split())
    assert tutor.json("check", lesson, "in", fails=1)["sheets"][0]["remarks"] == [said]
    for path in ("fb/ann.md", "gs/ann.json", "pl/ann.json", "g.csv"):
        assert said in (tutor.folder / path).read_text(), path
    tutor("check", lesson, "in", "--gradebook", "m.csv", "--platform", "moodle")
    assert said in table(tutor.folder / "m.csv")[0]["feedback"]


# What the platforms take. The rules were read in their public sources and pages in 2026.


def test_canvas(tutor: Tutor, lesson: Path) -> None:
    """lib/gradebook_importer.rb of instructure/canvas-lms: a heading has Student and ID as its first two columns, the
    SIS User ID is followed by the SIS Login ID, and Section is the last before the assignments; a row whose first cell
    has Points Possible in it is of no student; a student is found by ID, else by SIS User ID, else by SIS Login ID, else
    by name; a blank score is none."""
    (tutor.folder / "c.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework 0\n    Points Possible,,,,,10\n"
        '"Lee, Ann",901,U7,ann,Monday,3\n"Poe, Bob",902,,bob,Tuesday,\n'
    )
    write(tutor.folder / "in" / "x.csv", {**KEY, "E": "7", "#student": "ann"})
    write(tutor.folder / "in" / "y.csv", {**KEY, "#student": "stranger"})
    words = ("check", lesson, "in", "--gradebook", "g.csv", "--platform", "canvas")
    tutor(*words, "--roster", "c.csv")
    rows = list(csv.reader((tutor.folder / "g.csv").open(newline="")))
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "one neuron"],
        ["Points Possible", "", "", "", "", "4"],
        ["Lee, Ann", "901", "U7", "ann", "Monday", "3"],
        ["Poe, Bob", "902", "", "bob", "Tuesday", ""],
    ], "and nobody whom Canvas would have to make a new student of"
    tutor(*words, "--roster", "r.csv", "--scale", "100")
    rows = list(csv.reader((tutor.folder / "g.csv").open(newline="")))
    assert rows[1][-1] == "100" and rows[2] == ["Ann Lee", "", "", "ann", "", "75"], "a login is no SIS User ID"


def test_moodle(tutor: Tutor, lesson: Path) -> None:
    """grade/import/csv/classes/load_data.php of moodle/moodle: `-` is no grade, and in a new column alone it is; for one
    grade above 100, or for one user whom it does not know, the whole file is refused; a blank user takes the one of the
    row before; a grade is a number."""
    (tutor.folder / "m.csv").write_text(
        "id,username,idnumber,e-mail address\nann,al,77,ann@x.org\nbob,bp,78,bob@x.org\n"
    )
    write(tutor.folder / "in" / "x.csv", {**KEY, "E": "7", "#student": "ann"})
    write(tutor.folder / "in" / "y.csv", {**KEY, "#student": "stranger"})
    words = ("check", lesson, "in", "--gradebook", "g.csv", "--platform", "moodle", "--points", "E=197")
    high = tutor(*words)
    assert "Moodle refuses a file with a grade above 100" in high.stderr and "--scale 100" in high.stderr
    done = tutor(*words, "--scale", "100", "--roster", "m.csv")
    assert "Moodle refuses" not in done.stderr
    rows = table(tutor.folder / "g.csv")
    assert [(r["username"], r["idnumber"], r["email"], r["one neuron"]) for r in rows] == [
        ("al", "77", "ann@x.org", "1.5"), ("bp", "78", "bob@x.org", "-"),
    ]  # fmt: skip
    assert rows[0]["feedback"] == "look first at E" and rows[1]["feedback"] == "nothing handed in"
    tutor("check", lesson, "in", "--gradebook", "g.csv", "--platform", "moodle")
    assert all(r["username"] and 0 <= float(r["one neuron"]) <= 100 for r in table(tutor.folder / "g.csv"))


def test_gradescope(tutor: Tutor, lesson: Path) -> None:
    """docs/specs.md of gradescope/autograder_samples: a score at the top, or one for each test; a status is passed or
    failed; hidden tests are for those without points; formats are text, html, simple_format, md, ansi."""
    lesson.write_text(
        ONE_NEURON + "[homework]\nask = ['o_in', 'o_out', 'E', 'dE/dW1', 'dE/db1']\ncarried_penalty = 0.5\n"
    )
    gradient = {"dE/dW1": "0.0771", "dE/db1": "0.03855"}  # (0.7773 - 1)·0.173105 is -0.03855, times the input 2
    write(tutor.folder / "x.csv", {**KEY, **gradient})
    tutor("check", lesson, "x.csv", "--gradescope", "r.json", "--scale", "10")
    told = json.loads((tutor.folder / "r.json").read_text())
    shown = [test for test in told["tests"] if test["visibility"] == "visible"]
    assert told["output_format"] == "md" and {test["output_format"] for test in shown} == {"text"}
    assert sum(test["max_score"] for test in shown) == pytest.approx(10)
    assert sum(test["score"] for test in shown) == pytest.approx(told["score"])
    for test in (test for test in shown if test["max_score"]):
        assert (test["status"] == "passed") == (test["score"] == test["max_score"]), test
    assert {test["status"] for test in shown} == {"passed", "failed"}
    assert all("score" not in test and "status" not in test for test in told["tests"] if test["visibility"] == "hidden")


def test_a_test_with_full_points_is_never_failed(tutor: Tutor, lesson: Path) -> None:
    """One sign everywhere costs one line, and the other is excused: all of its points, though it is wrong."""
    lesson.write_text(ONE_NEURON + "[homework]\nask = ['o_in', 'o_out', 'E', 'dE/dW1', 'dE/db1']\n")
    write(tutor.folder / "x.csv", {**KEY, "dE/dW1": "0.0771", "dE/db1": "0.03855"})
    tutor("check", lesson, "x.csv", "--gradescope", "r.json")
    tests = {test["name"]: test for test in json.loads((tutor.folder / "r.json").read_text())["tests"]}
    assert {tests[name]["score"] for name in ("dE/dW1", "dE/db1")} == {0, 1}
    assert all((test["score"] == 1) == (test["status"] == "passed") for test in tests.values() if test["max_score"])


def test_prairielearn(tutor: Tutor, lesson: Path) -> None:
    """docs/externalGrading.md of PrairieLearn/PrairieLearn: the score is a share from 0 to 1 and stands only where the
    submission is gradable; one that is not says why in format_errors, as a text or a list of them; tests have points
    and max_points; the whole has less than 1 MB."""
    write(tutor.folder / "in" / "x.csv", {**KEY, "E": "7"})
    write(tutor.folder / "in" / "y.csv", {"zz": "1"})
    tutor("check", lesson, "in", "--prairielearn", "pl", "--scale", "100")
    good, bad = (json.loads((tutor.folder / "pl" / f"{name}.json").read_text()) for name in "xy")
    assert good["gradable"] is True and good["score"] == 0.75 and good["format_errors"] == []
    assert sum(test["points"] for test in good["tests"]) == 3 and sum(test["max_points"] for test in good["tests"]) == 4
    assert bad["gradable"] is False and "score" not in bad and "none of its names" in bad["format_errors"][0]


@given(st.floats(0.01, 1e6), st.integers(0, 30), st.integers(1, 30))
def test_a_scale_keeps_the_share(scale: float, score: int, most: int) -> None:
    from tutor.homework.gradebook import scaled

    score = min(score, most)
    assert scaled(score, most, scale) == pytest.approx(scale * score / most, abs=1e-6)
    assert scaled(score, most, 0) == score and scaled(0, 0, scale) == pytest.approx(scale, abs=1e-6)


# Flawed questions


@pytest.mark.parametrize("flaw", ["drop = ['E']", "accept = { E = ['7'] }"])
def test_a_flawed_question_costs_nobody_a_point_and_is_told_everywhere(tutor: Tutor, lesson: Path, flaw: str) -> None:
    lesson.write_text(ONE_NEURON + ASKED + flaw + "\n")
    for name, value in (("ann", "7"), ("bob", KEY["E"])):
        write(tutor.folder / "in" / f"{name}.csv", {**KEY, "E": value})
    dropped = "drop" in flaw
    said = "E: does not count" if dropped else "E: 7 is accepted too"
    told = tutor.json("check", lesson, "in", *PLATFORMS)
    for sheet in told["sheets"]:
        assert sheet["score"] == sheet["max_score"] == (3 if dropped else 4) and sheet["done"]
        assert sheet["root_errors"] == [] and sheet["misconceptions"] == [] and sheet["changes"] == [said]
    cell = {c["name"]: c for c in told["sheets"][0]["cells"]}["E"]
    assert (cell.get("dropped"), cell.get("accepted")) == ((True, None) if dropped else (None, True))
    assert cell["points"] == (0 if dropped else 1) and (dropped or cell["verdict"] == "correct")
    assert told["summary"]["changes"] == [said]
    for path in ("fb/ann.md", "gs/ann.json", "pl/ann.json", "g.csv"):
        assert said in (tutor.folder / path).read_text(), path
    assert all(t["status"] == "passed" for t in json.loads((tutor.folder / "gs" / "ann.json").read_text())["tests"])
    for words in ((tutor.folder / "in" / "ann.csv",), ("in",)):
        for options in (["--width", "40"], ["--width", "160"], ["--narrate"]):
            assert said in " ".join(tutor("check", lesson, *words, *options).stdout.split())
    assert (b"E,," in tutor("sheet", lesson).stdout.encode()) == (not dropped)


def test_what_follows_from_an_accepted_or_a_dropped_answer_is_carried(tutor: Tutor, lesson: Path) -> None:
    """With the output 0.7 the slope is 0.7·0.3 = 0.21, where the key has 0.173."""
    write(tutor.folder / "x.csv", {"o_in": "1.25", "o_out": "0.700", "do_out/do_in": "0.210"})
    for flaw, points in (("", 2), ("drop = ['o_out']", 2), ("accept = { o_out = ['0.700'] }", 3)):
        lesson.write_text(ONE_NEURON + "[homework]\nask = ['o_in', 'o_out', 'do_out/do_in']\n" + flaw + "\n")
        sheet = tutor.json("check", lesson, "x.csv", fails=0 if flaw else 1)["sheets"][0]
        assert {c["name"]: c["verdict"] for c in sheet["cells"]}["do_out/do_in"] == "carried"
        assert sheet["score"] == points and (sheet["root_errors"] == []) == bool(flaw)


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("drop = ['nothing']", "homework.drop"),
        ("accept = { nothing = ['1'] }", "homework.accept"),
        ("accept = { E = ['about 1'] }", "takes numbers as text"),
    ],
)
def test_what_cannot_be_dropped_or_accepted(tutor: Tutor, lesson: Path, flaw: str, said: str) -> None:
    lesson.write_text(ONE_NEURON + ASKED + flaw + "\n")
    done = tutor("check", lesson, write(tutor.folder / "x.csv", KEY))
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1


# How the lines did


def test_how_each_line_did(tutor: Tutor, lesson: Path) -> None:
    wrong = {"o_in": "9", "o_out": "0.1234", "E": "7", "do_out/do_in": "0.9"}
    chosen = [(), ("E",), ("E", "do_out/do_in"), ("do_out/do_in",), ("o_in", "o_out", "E", "do_out/do_in"), ("o_in",)]
    sheets = [{**KEY, **{name: wrong[name] for name in names}} for names in chosen]
    for number, sheet in enumerate(sheets):
        write(tutor.folder / "in" / f"s{number}.csv", sheet)
    told = tutor.json("check", lesson, "in", "--charge", "each", fails=1)
    scores = [{c["name"]: c["earned"] for c in sheet["cells"]} for sheet in told["sheets"]]
    items = {item["name"]: item for item in told["summary"]["items"]}
    assert list(items) == [*KEY]
    verdicts = [{c["name"]: c["verdict"] for c in sheet["cells"]} for sheet in told["sheets"]]
    for name, item in items.items():
        for group, words in (("right", ("correct", "rounding")), ("carried", ("carried",)), ("wrong", ("wrong",))):
            share = sum(v[name] in words for v in verdicts) / len(verdicts)
            assert item[group] == pytest.approx(share, abs=1e-4)
        rest = [sum(points for other, points in sheet.items() if other != name) for sheet in scores]
        own = [sheet[name] for sheet in scores]
        if len({*own}) > 1:
            assert item["discrimination"] == pytest.approx(statistics.correlation(own, rest), abs=0.006)
        else:
            assert item["discrimination"] is None
    mistakes = told["summary"]["misconceptions"]
    assert [m["sheets"] for m in mistakes] == sorted((m["sheets"] for m in mistakes), reverse=True)
    for options in (["--width", "40"], ["--width", "80"], ["--width", "160"], ["--narrate"]):
        done = tutor("check", lesson, "in", *options)
        assert "discrimination" in done.stdout and "Line by line" in done.stdout
        if "--width" in options:
            assert max(map(len, done.stdout.splitlines())) <= int(options[1])


def test_whose_marks_have_changed(tutor: Tutor, lesson: Path) -> None:
    for name, value in (("ann", "7"), ("bob", KEY["E"])):
        write(tutor.folder / "in" / f"{name}.csv", {**KEY, "E": value, "#student": name})
    (tutor.folder / "old.json").write_text(tutor("check", lesson, "in", "--json").stdout)
    assert tutor.json("check", lesson, "in", "--compare", "old.json", fails=1)["changed"] == []
    assert "No mark has changed" in tutor("check", lesson, "in", "--compare", "old.json").stdout
    lesson.write_text(ONE_NEURON + ASKED + "accept = { E = ['7'] }\n")
    (tutor.folder / "in" / "ann.csv").rename(tutor.folder / "in" / "again.csv")
    changed = tutor.json("check", lesson, "in", "--compare", "old.json")["changed"]
    assert changed == [
        {"sheet": "again.csv", "student": "ann", "before": 3, "after": 4, "before_of": 4, "after_of": 4}
    ]  # fmt: skip
    for options in (["--width", "40"], ["--width", "160"], ["--narrate"]):
        shown = tutor("check", lesson, "in", "--compare", "old.json", *options).stdout
        assert "3 of 4" in shown and "bob" not in shown[shown.index("Compared with") :]
    alone = tutor("check", lesson, "in/again.csv", "--compare", "old.json")
    assert "3 of 4" in alone.stdout
    for text in ("{", "[1]", '{"sheets": [1]}'):
        (tutor.folder / "bad.json").write_text(text)
        done = tutor("check", lesson, "in", "--compare", "bad.json")
        assert done.returncode == 2 and "is no result of `tutor check --json`" in done.stderr


# Going on


def test_broken_off_marking_goes_on_where_it_stopped(
    tutor: Tutor, lesson: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tutor.homework.marker import LessonMarker

    for number in range(30):
        write(
            tutor.folder / "in" / f"s{number:02}.csv",
            {**KEY, "E": f"0.{number + 1}", "o_in": "1.25" if number % 3 else "x"},
        )
    words = ("check", lesson, "in", "--gradebook", "g.csv", "--feedback", "fb", "--jobs", "1", "--json")
    whole = tutor(*words)
    book = (tutor.folder / "g.csv").read_bytes()
    (tutor.folder / "g.csv").unlink()
    done: list[str] = []
    mark = LessonMarker.mark_all_in

    def until(most: int) -> Any:
        def mark_some(marker: LessonMarker, path: Any) -> Any:
            if len(done) >= most:
                raise KeyboardInterrupt
            done.append(Path(path).name)
            return mark(marker, path)

        return mark_some

    monkeypatch.setattr(LessonMarker, "mark_all_in", until(12))
    assert tutor(*words).returncode == 130 and len(done) == 12 and not (tutor.folder / "g.csv").exists()
    write(tutor.folder / "in" / "s03.csv", {**KEY, "E": "0.4", "o_in": "x", "#": ""})  # saved once more in between
    done.clear()
    monkeypatch.setattr(LessonMarker, "mark_all_in", until(1_000))
    again = tutor(*words)
    assert sorted(done) == ["s03.csv", *(f"s{number:02}.csv" for number in range(12, 30))]
    assert again.stdout == whole.stdout and (tutor.folder / "g.csv").read_bytes() == book
    assert not list(tutor.folder.glob(".tutor-*")), "what was kept for going on is gone"


def test_killed_and_started_again_it_ends_with_the_same_results(tutor: Tutor, lesson: Path) -> None:
    for number in range(800):
        write(tutor.folder / "in" / f"s{number:04}.csv", {**KEY, "E": f"0.{number + 1}"})
    words = ("check", str(lesson), "in", "--feedback", "fb", "--gradebook", "g.csv", "--jobs", "2")
    child = subprocess.Popen(
        [sys.executable, "-m", "tutor", *words], cwd=tutor.folder, stdout=subprocess.DEVNULL, start_new_session=True
    )
    while len(list((tutor.folder / "fb").glob("*.md"))) < 100:
        assert child.poll() is None
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert not (tutor.folder / "g.csv").exists()
    assert all(path.read_text().endswith("|\n") for path in (tutor.folder / "fb").glob("*.md")), "none is half written"
    (kept,) = tutor.folder.glob(".tutor-*.marked")
    assert kept.stat().st_mode & 0o077 == 0, "marks are nobody else's to read"
    assert len(kept.read_bytes().splitlines()) >= 99
    assert tutor(*words).returncode == 1 and not kept.exists()
    assert len(table(tutor.folder / "g.csv")) == len(list((tutor.folder / "fb").glob("*.md"))) == 800
