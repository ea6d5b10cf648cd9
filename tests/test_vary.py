"""Fresh problems: reproducible, of the same shape, and found again from the sheet alone."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from decimal import Decimal

import pytest
from conftest import Tutor

from tutor.errors import TutorError
from tutor.homework.variants import Code, RandomIntegers, Varier, problem_text, read_code, seed_of
from tutor.lessons.find import lesson_text, worksheet_of
from tutor.lessons.read import parse_lesson

AND_GATE = """format = 1
title = "AND"
[network]
inputs = ["x1", "x2"]
[[network.layers]]
activation = "step"
weights = [[0.3, -0.1]]
thresholds = [0.2]
""" + "".join(f"[[examples]]\ninputs = [{a}, {b}]\ntargets = [{a & b}]\n" for a in (0, 1) for b in (0, 1)) + "[training]\nrule = 'perceptron'\nlearning_rate = 0.1\n"  # fmt: skip


def varied(text: str, seed: str) -> str:
    return problem_text(text, Varier(text, parse_lesson(text, "t")).problem(seed))


@pytest.mark.parametrize("seed", ["1", "2", "abc"])
def test_the_same_shape_with_other_numbers(seed: str) -> None:
    text = lesson_text("mlp")
    old, new = tomllib.loads(text), tomllib.loads(varied(text, seed), parse_float=Decimal)
    assert [len(layer["weights"]) for layer in new["network"]["layers"]] == [2, 1]
    assert new["network"]["layers"][0]["weights"] != old["network"]["layers"][0]["weights"]
    assert new["training"]["learning_rate"] == Decimal("0.01")
    numbers = [n for layer in new["network"]["layers"] for row in layer["weights"] for n in row]
    assert all(isinstance(n, Decimal) and -n.as_tuple().exponent <= 3 and n for n in numbers)
    before, after = (worksheet_of(parse_lesson(t, "t")) for t in (text, varied(text, seed)))
    assert [s.name for s in before.steps] == [s.name for s in after.steps]
    slopes = [float(after.values[name]) for name in ("dh1_out/dh1_in", "dh2_out/dh2_in", "dout_out/dout_in")]
    assert min(slopes) > 0.01 and all(after.values[s.name] for s in after.steps)


def test_a_seed_gives_the_same_problem_on_every_machine() -> None:
    """The draw is the SHA-256 of `seed/attempt/count`, written out here for the first three numbers below 1000."""
    import hashlib

    draw = RandomIntegers("7/0")
    expected = [int.from_bytes(hashlib.sha256(f"7/0/{n}".encode()).digest(), "big") % 1000 for n in (1, 2, 3)]
    assert [draw.below(1000) for _ in range(3)] == expected
    assert varied(lesson_text("mlp"), "7") == varied(lesson_text("mlp"), "7") != varied(lesson_text("mlp"), "8")


def test_encodings_stay_and_the_perceptron_rule_still_ends() -> None:
    new = varied(AND_GATE, "3")
    assert [e["targets"] for e in tomllib.loads(new)["examples"]] == [[0], [0], [0], [1]]
    assert worksheet_of(parse_lesson(new, "t")).conventions.ended.endswith("is without error")


def test_free_equations_and_functions_vary_too() -> None:
    text = "format = 1\ntitle = 't'\n[minimize]\nobjective = 'x**2 + 10*y**2'\nstart = { x = 1.5, y = -0.25 }\nlearning_rate = 0.01\n"
    start = tomllib.loads(varied(text, "1"))["minimize"]["start"]
    assert set(start) == {"x", "y"} and start != {"x": 1.5, "y": -0.25}
    free = "format = 1\ntitle = 't'\n[givens]\na = 0.7\nb = 2\n[[equations]]\nname = 'L'\nformula = '(a*b - 1)**2'\n[differentiate]\nwrt = ['a']\n"
    assert tomllib.loads(varied(free, "1"))["givens"] != {"a": 0.7, "b": 2}


def test_codes() -> None:
    code = Code("0123abcd", "xyz9", 12)
    assert read_code(str(code)) == code
    for wrong in ("", "x", "0123abcd-x/y-1", "0123abcd--1", "../../etc-1-1"):
        with pytest.raises(TutorError, match="no code of a problem"):
            read_code(wrong)
    assert seed_of("s", " Ann ") == seed_of("s", "ann") != seed_of("t", "ann")


def test_from_vary_to_marks(tutor: Tutor) -> None:
    """The lesson, its key as a sheet, and the sheet marked against the original lesson: the code finds the problem."""
    (tutor.folder / "mine.toml").write_text(tutor("vary", "mlp", "--seed", "7").stdout)
    (tutor.folder / "key.csv").write_text(tutor("key", "mine.toml").stdout)
    assert tutor("check", "mlp", "key.csv").returncode == tutor("check", "mine.toml", "key.csv").returncode == 0
    other, count = re.subn(r"(?<=-)7(?=-[0-9]+)", "8", (tutor.folder / "key.csv").read_text())
    assert count == 1
    (tutor.folder / "other.csv").write_text(other)
    assert tutor("check", "mlp", "other.csv").returncode == 1
    stale = tutor("check", "perceptron", "key.csv")
    assert stale.returncode == 2 and "not made from this version of this lesson" in stale.stderr


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_class_with_a_problem_for_each(tutor: Tutor, by_hand: bool) -> None:
    students = ["ann", "../../bob", "=cmd", "ann", "Zoë"]
    (tutor.folder / "roster.csv").write_text("id,name\n" + "".join(f"{s},x\n" for s in students), encoding="utf-8")
    done = tutor("vary", "mlp", "--roster", "roster.csv", "--secret", "s3", "--out", "out")
    assert done.returncode == 0, done.stderr
    problems, sheets = tutor.folder / "out" / "problems", tutor.folder / "out" / "sheets"
    names = sorted(p.stem for p in problems.glob("*.toml"))
    assert names == sorted(p.stem for p in sheets.iterdir()) == ["Zo", "ann", "bob", "cmd"]
    assert sorted(p.name for p in problems.glob("*.md")) == [f"{name}.md" for name in names]
    marked = tutor.json("check", "mlp", tutor.folder / "out" / "keys")["sheets"]
    assert [sheet["score"] for sheet in marked] == [47] * 4, "every key answers its own problem"
    for name in names:
        answers = {
            r["name"]: r["answer"] for r in csv.DictReader(tutor("key", problems / f"{name}.toml").stdout.splitlines())
        }
        rows = list(csv.reader((sheets / f"{name}.csv").open(encoding="utf-8")))
        filled = [[n, answers.get(n, a), *rest] for n, a, *rest in rows[1:] if not n.startswith("#")]
        about = [row for row in rows if row[0].startswith("#")]
        if name == "cmd":  # somebody else's whole sheet, under their own name
            worked = tutor.json("run", problems / "ann.toml")["steps"]
            filled = [
                [step["name"], step["value"] if by_hand else repr(float(step["value"]) * (1 + 1e-15))]
                for step in worked
            ]
        if name == "Zo":  # somebody else's sheet with its code, under their own name
            about = [
                ["#student", "Zoë"],
                next(r for r in csv.reader((sheets / "ann.csv").open(encoding="utf-8")) if r[0] == "#problem"),
            ]
        with (sheets / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([rows[0], *filled, *about])
    done = tutor("check", "mlp", sheets, "--roster", "roster.csv", "--secret", "s3", "--json")
    found = {s["sheet"]: s for s in json.loads(done.stdout)["sheets"]}
    assert found["ann.csv"]["done"] and found["bob.csv"]["done"] and "notes" not in found["ann.csv"]
    assert found["Zo.csv"]["why"] == "this sheet answers another student's problem, that of ann"
    assert found["Zo.csv"]["marked"] is False and "score" not in found["Zo.csv"] and "cells" not in found["Zo.csv"]
    assert found["cmd.csv"]["notes"] == ["the numbers answer another student's problem, that of ann"]


def test_a_sheet_without_its_code_answers_the_problem_of_its_student(tutor: Tutor) -> None:
    (tutor.folder / "roster.csv").write_text("id\nann\n../x y\ncy\n")
    assert tutor("vary", "mlp", "--roster", "roster.csv", "--secret", "s3", "--out", "out").returncode == 0
    for name in ("ann", "x_y"):
        lines = tutor("key", f"out/problems/{name}.toml").stdout.splitlines(keepends=True)
        plain = "".join(line for line in lines if not line.startswith("#"))
        (tutor.folder / f"{name}.csv").write_text(plain)
    (tutor.folder / "copy.csv").write_text("#student,ann\n" + (tutor.folder / "ann.csv").read_text())
    both = ("--roster", "roster.csv", "--secret", "s3")
    found = json.loads(tutor("check", "mlp", "ann.csv", "x_y.csv", "copy.csv", *both, "--json").stdout)
    assert [sheet["done"] for sheet in found["sheets"]] == [True, True, True]
    for sheet, student in zip(found["sheets"], ("ann", "../x y", "ann"), strict=True):
        assert sheet["notes"][0].endswith(f"marked as that of {student}")
    assert found["summary"]["several_sheets"] == {"ann": ["ann.csv", "copy.csv"]}
    assert found["summary"]["not_handed_in"] == ["cy"]
    shown = tutor("check", "mlp", "ann.csv", "copy.csv", *both, "--gradescope", "results").stdout
    assert "ann is on 2 sheets: ann.csv, copy.csv." in shown and "Nothing from ../x y, cy." in shown
    told = json.loads((tutor.folder / "results" / "ann.json").read_text())
    hidden = [test for test in told["tests"] if test["visibility"] == "hidden"]
    assert len(hidden) == 1 and "does not say" in hidden[0]["output"] and "does not say" not in told["output"]


@pytest.mark.parametrize("lesson", ["mlp", "perceptron"])
def test_a_fresh_problem_has_nothing_to_mend(tutor: Tutor, lesson: str) -> None:
    (tutor.folder / "new.toml").write_text(tutor("vary", lesson, "--seed", "7").stdout)
    done = tutor("lint", "new.toml")
    assert done.returncode == 0, done.stdout


def test_what_is_missing_is_asked_for(tutor: Tutor) -> None:
    (tutor.folder / "r.csv").write_text("who\nann\n")
    for arguments, said in (
        ([], "--seed"),
        (["--seed", "a b"], "--seed"),
        (["--roster", "r.csv"], "--secret"),
        (["--roster", "r.csv", "--secret", "x", "--out", "o"], "no column 'id'"),
    ):
        done = tutor("vary", "mlp", *arguments)
        assert done.returncode == 2 and said in done.stderr, arguments
