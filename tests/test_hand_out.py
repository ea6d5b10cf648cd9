"""A problem, a sheet and a key for every student: at once, after an interruption, for a roster that has grown."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path

from conftest import ONE_NEURON, Tutor

STUDENTS = [f"s{number}" for number in range(9)]


def prepared(tutor: Tutor, students: list[str] = STUDENTS) -> tuple[str, ...]:
    (tutor.folder / "l.toml").write_text(ONE_NEURON)
    (tutor.folder / "r.csv").write_text("id\n" + "".join(f"{s}\n" for s in students))
    return ("vary", "l.toml", "--roster", "r.csv", "--secret", "S", "--out", "o")


def written(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_processes_change_nothing(tutor: Tutor) -> None:
    words = prepared(tutor)
    assert tutor(*words, "--jobs", "1").returncode == 0
    one = written(tutor.folder / "o")
    assert len(one) == 4 * len(STUDENTS)
    assert tutor(*words, "--jobs", "3", "--force").returncode == 0
    assert written(tutor.folder / "o") == one


def test_it_goes_on_where_it_stopped(tutor: Tutor) -> None:
    words = prepared(tutor)
    assert tutor(*words).returncode == 0
    whole = written(tutor.folder / "o")
    for gone in ("problems/s3.toml", "sheets/s3.csv", "keys/s1.csv", "sheets/s7.csv"):
        (tutor.folder / "o" / gone).unlink()
    sheet = tutor.folder / "o" / "sheets" / "s1.csv"
    filled = sheet.read_text().replace("o_in,,", "o_in,1.5,")
    assert filled != sheet.read_text()
    sheet.write_text(filled)
    done = tutor(*words)
    assert done.returncode == 0, done.stderr
    assert "each of 3 students" in done.stdout and "those of 6 students" in done.stdout
    assert written(tutor.folder / "o") == {**whole, "sheets/s1.csv": filled.encode()}


def test_killed_and_started_again_it_ends_with_the_same_files(tutor: Tutor) -> None:
    students = [f"s{number}" for number in range(200)]
    words = prepared(tutor, students)
    child = subprocess.Popen([sys.executable, "-m", "tutor", *words, "--jobs", "2"], cwd=tutor.folder)
    while len(list((tutor.folder / "o").rglob("*.csv"))) < 3:
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    begun = written(tutor.folder / "o")
    assert tutor(*words).returncode == 0
    after = {name: text for name, text in written(tutor.folder / "o").items() if not name.endswith(".part")}
    assert {Path(name).stem for name in after} == {*students} and len(after) == 4 * len(students)
    assert all(after[name] == text for name, text in begun.items() if name in after)


def test_who_joins_later_gets_a_problem_too_and_another_secret_replaces_nothing(tutor: Tutor) -> None:
    words = prepared(tutor)
    assert tutor(*words).returncode == 0
    before = written(tutor.folder / "o")
    prepared(tutor, [*STUDENTS, "late"])
    assert tutor(*words).returncode == 0
    after = written(tutor.folder / "o")
    assert after.keys() - before.keys() == {
        "problems/late.toml",
        "problems/late.md",
        "sheets/late.csv",
        "keys/late.csv",
    }
    assert before.items() <= after.items()
    other = tutor(*words[:-4], "--secret", "T", "--out", "o")
    assert other.returncode == 2 and "may be your own work" in other.stderr
    assert written(tutor.folder / "o") == after


def test_each_sheet_names_its_student_and_answers_its_problem(tutor: Tutor) -> None:
    assert tutor(*prepared(tutor)).returncode == 0
    for student in STUDENTS:
        about = {n: a for n, a, *_ in csv.reader((tutor.folder / "o" / "sheets" / f"{student}.csv").open())}
        assert about["#student"] == student
        assert f'problem = "{about["#problem"]}"' in (tutor.folder / "o" / "problems" / f"{student}.toml").read_text()
