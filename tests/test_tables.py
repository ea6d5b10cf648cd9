"""Tables as people have them: what is learned of numbers, columns by their names, labels, and how cells are written."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor

HOUSES = "size,rooms,price\n" + "".join(f"{50 + 7 * i},{1 + i % 4},{100 + 5 * (i % 12)}\n" for i in range(48))


def write(tutor: Tutor, name: str, text: str) -> Path:
    path = tutor.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_are_classes_or_values_as_it_is_said(tutor: Tutor) -> None:
    """Twelve prices: without a word they are classes, and that is said; with --task they are what they are."""
    write(tutor, "houses.csv", HOUSES)
    guessed = tutor.json("train", "--data", "houses.csv", "--epochs", 2)
    assert len(guessed["data"]["classes"]) == 12
    assert "--task regression" in guessed["data"]["remarks"][0] and "'price'" in guessed["data"]["remarks"][0]
    shown = tutor("train", "--data", "houses.csv", "--epochs", 2, COLUMNS="200").stdout
    assert guessed["data"]["remarks"][0] in shown
    values = tutor.json("train", "--data", "houses.csv", "--epochs", 2, "--task", "regression", "--save", "h.npz")
    assert not values["data"]["classes"] and values.get("accuracy") is None and not values["data"]["remarks"]
    assert values["network"]["sizes"][-1] == 1
    classes = tutor.json("train", "--data", "houses.csv", "--epochs", 2, "--task", "classes")
    assert len(classes["data"]["classes"]) == 12 and not classes["data"]["remarks"]
    gone_on = tutor.json("train", "--resume", "h.npz", "--epochs", 3)
    assert not gone_on["data"]["classes"] and gone_on["epochs"] == 3
    assert tutor("train", "--resume", "h.npz", "--epochs", 4, "--task", "classes").returncode == 2
    told = tutor.json("predict", "h.npz", "--data", "houses.csv")
    assert told["loss"] is not None and "accuracy" not in told


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0, 1], ""),
        ([3, 4], ""),
        ([1, 2, 3, 4, 5], "--task regression"),
        ([*range(1990, 2010)], "--task regression"),
        ([*range(24)], "--task classes"),
        ([0.5, 1, 1.5], ""),
    ],
    ids=str,
)
def test_what_is_guessed_is_said_where_it_may_be_wrong(tutor: Tutor, labels: list[float], said: str) -> None:
    rows = [f"{i % 7},{labels[i % len(labels)]}" for i in range(3 * len(labels) + 6)]
    write(tutor, "d.csv", "a,b\n" + "\n".join(rows) + "\n")
    values = np.array([labels[i % len(labels)] for i in range(len(rows))], dtype=np.float64)
    np.savez(tutor.folder / "d.npz", x=np.arange(len(rows))[:, None] % 7, y=values)
    for name in ("d.csv", "d.npz"):
        remarks = tutor.json("train", "--data", name, "--epochs", 1)["data"]["remarks"]
        assert len(remarks) == bool(said) and said in "".join(remarks), name
        for task, found in (("classes", len(labels)), ("regression", 0)):
            told = tutor.json("train", "--data", name, "--epochs", 1, "--task", task)["data"]
            assert len(told["classes"]) == found and not told["remarks"], (name, task)


def test_a_task_that_cannot_be(tutor: Tutor) -> None:
    write(tutor, "words.csv", "a,b\n" + "1,x\n2,y\n" * 4)
    for words, said in (
        (("--data", "words.csv", "--task", "regression"), "--task regression predicts numbers"),
        (("--data", "words.csv", "--task", "regresion"), "did you mean 'regression'"),
        (("--data", "xor", "--task", "classes"), "--task says what the labels of a file are"),
        (("mlp", "--task", "classes"), "--task and --init-from go with --data"),
    ):
        done = tutor("train", *words)
        assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_comparison_takes_the_task_and_tells_it_on(tutor: Tutor) -> None:
    write(tutor, "houses.csv", HOUSES)
    options: list[Any] = ["--data", "houses.csv", "--vary", "hidden=2|3", "--seeds", 1, "--epochs", 2]
    found = tutor.json("compare", *options, "--task", "regression")
    assert found["ranked_by"] == "training_loss" and "--task regression" in found["command"]
    assert found["settings"][0]["runs"][0]["training_accuracy"] is None and not found["remarks"]
    assert "--task regression" in tutor.json("compare", *options)["remarks"][0]
    assert "--task regression" in tutor("compare", *options, COLUMNS="200").stdout


FEATURES = ("size", "rooms")


@pytest.fixture
def priced(tutor: Tutor) -> Tutor:
    """A network that was trained on two columns, and its script."""
    write(tutor, "houses.csv", HOUSES)
    options = ["--data", "houses.csv", "--task", "regression", "--epochs", 2, "--normalize", "zscore"]
    assert tutor("train", *options, "--save", "h.npz").returncode == 0
    assert tutor("export", "h.npz", "--output", "script.py").returncode == 0
    return tutor


def from_script(tutor: Tutor, table: str) -> tuple[int, list[float], str]:
    """The exit code of the script, what it says to each row, and its message."""
    command = [sys.executable, "-I", "script.py", table]
    done = subprocess.run(command, cwd=tutor.folder, capture_output=True, text=True, check=False)
    return done.returncode, [float(line) for line in done.stdout.split()], done.stderr


ROWS = {"size": [50, 57, 64], "rooms": [1, 2, 3], "price": [100, 105, 110], "note": [7, 8, 9]}


@pytest.mark.parametrize("heading", [*permutations(("size", "rooms", "price", "note")), *permutations(FEATURES)])
def test_columns_go_by_their_names(priced: Tutor, heading: tuple[str, ...]) -> None:
    write(priced, "plain.csv", "".join(f"{50 + 7 * i},{1 + i}\n" for i in range(3)))
    right = [p["outputs"][0] for p in priced.json("predict", "h.npz", "--data", "plain.csv")["predictions"]]
    body = "\n".join(",".join(str(ROWS[name][i]) for name in heading) for i in range(3))
    write(priced, "new.csv", ",".join(heading) + "\n" + body + "\n")
    told = priced.json("predict", "h.npz", "--data", "new.csv")
    assert [p["outputs"][0] for p in told["predictions"]] == right
    assert (told["loss"] is not None) == ("price" in heading)
    if heading in (("size", "rooms", "price", "note"), ("rooms", "size")):
        assert from_script(priced, "new.csv")[:2] == (0, pytest.approx(right, rel=1e-5))


@pytest.mark.parametrize("heading", ["size,price", "rooms,price", "size,Rooms", "size,rooms2,price", "size,size,rooms"])
def test_columns_of_which_only_some_are_known_are_refused(priced: Tutor, heading: str) -> None:
    count = heading.count(",") + 1
    write(priced, "new.csv", heading + "\n" + "\n".join(["50,1,2"[: 2 * count]] * 3).replace(",2,", ",2") + "\n")
    done = priced("predict", "h.npz", "--data", "new.csv")
    missing = [name for name in FEATURES if name not in heading.split(",")]
    assert done.returncode == 2 and all(repr(name) in done.stderr for name in missing or ["size"])
    code, _, said = from_script(priced, "new.csv")
    assert code == 1 and all(repr(name) in said for name in missing) and "new.csv" in said


def test_columns_with_other_names_go_by_place_and_that_is_said(priced: Tutor) -> None:
    write(priced, "new.csv", "a,b\n50,1\n57,2\n")
    told = priced.json("predict", "h.npz", "--data", "new.csv")
    assert "here the columns are called 'a' and 'b'" in told["data"]["remarks"][0]
    assert priced("predict", "h.npz", "--data", "houses.csv", "--label", "rooms").returncode == 2


@pytest.mark.parametrize("word", ["NA", "N/A", "nan", "?", "none"])
def test_a_word_for_what_is_missing_is_not_silently_a_class(tutor: Tutor, word: str) -> None:
    labels = ["red", "blue", "red", word, "blue", "blue", word, "red"]
    write(tutor, "d.csv", "a,kind\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels)))
    np.savez(tutor.folder / "d.npz", x=np.arange(8)[:, None], y=np.array(labels))
    for name in ("d.csv", "d.npz"):
        (said,) = tutor.json("train", "--data", name, "--epochs", 1)["data"]["remarks"]
        assert said.startswith(f"2 examples have {word!r} as ") and "leave those rows out" in said
    assert f"2 examples have {word!r}" in tutor("train", "--data", "d.csv", "--epochs", 1, COLUMNS="200").stdout
    write(tutor, "e.csv", "a,kind\n1,x\n2,\n3,x\n4,y\n5,y\n")
    done = tutor("train", "--data", "e.csv", "--epochs", 1)
    assert done.returncode == 2 and "the label is missing" in done.stderr


def test_one_class_in_two_spellings_is_told(tutor: Tutor) -> None:
    labels = ["Yes", "no", "yes", "No", "yes", "NO", "maybe", "maybe"]
    write(tutor, "d.csv", "a,kind\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels * 2)))
    remarks = tutor.json("train", "--data", "d.csv", "--epochs", 1)["data"]["remarks"]
    assert [said.partition(" are taken")[0] for said in remarks] == ["'Yes' and 'yes'", "'no', 'No' and 'NO'"]
    assert all("spell them alike" in said for said in remarks)


POINTS = [
    (0.5, 1.0, "no"),
    (1.5, -2.0, "yes"),
    (2.5, 3.0, "no"),
    (0.25, 4.0, "yes"),
    (3.5, 5.5, "no"),
    (4.5, 0.1, "yes"),
]
PLAIN = "a,b,kind\n" + "".join(f"{a},{b},{c}\n" for a, b, c in POINTS)


def rows(form: str) -> str:
    return "".join(form.format(*point) for point in POINTS)


FORMS = {
    "spaces in cells": "a , b , kind\n" + rows(" {} , {} , {} \n"),
    "runs of spaces": "a b kind\n" + rows("  {}   {}  {}\n"),
    "bars": "a|b|kind\n" + rows("{}|{}|{}\n"),
    "a table of Markdown": "| a | b | kind |\n|---|:-:|---:|\n" + rows("| {} | {} | {} |\n"),
    "comments": "# from the lab\n#\na,b,kind\n" + rows("{},{},{}\n# next\n"),
    "a heading that NumPy wrote": "# a,b,kind\n" + rows("{},{},{}\n"),
    "a comma at the end": "a,b,kind,\n" + rows("{},{},{},\n"),
    "a comma at the end of rows": "a,b,kind\n" + rows("{},{},{},\n"),
    "an index column": ",a,b,kind\n" + "".join(f"{i},{a},{b},{c}\n" for i, (a, b, c) in enumerate(POINTS)),
    "a named index": "id,a,b,kind\n" + "".join(f"{i},{a},{b},{c}\n" for i, (a, b, c) in enumerate(POINTS, 1)),
    "blank lines": "\n\na,b,kind\n\n" + rows("{},{},{}\n\n"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_table_is_read_as_people_have_it(tutor: Tutor, name: str) -> None:
    """The same training, and the same predictions, as from the plain table."""
    write(tutor, "plain.csv", PLAIN)
    write(tutor, "d.csv", FORMS[name])
    options = ["--epochs", 3, "--hidden", 2]
    right = tutor.json("train", "--data", "plain.csv", *options, "--save", "r.npz")
    found = tutor.json("train", "--data", "d.csv", *options)
    assert found["weights"] == right["weights"] and found["data"]["classes"] == right["data"]["classes"]
    assert any("only counts the rows" in said for said in found["data"]["remarks"]) == ("index" in name)
    known, told = (tutor.json("predict", "r.npz", "--data", file) for file in ("plain.csv", "d.csv"))
    assert known["predictions"] == told["predictions"] and known["accuracy"] == told["accuracy"]


def test_the_line_that_scikit_learn_writes_on_top_is_passed_over_and_told(tutor: Tutor) -> None:
    body = "".join(f"{a},{b},{int(c == 'yes')}\n" for a, b, c in POINTS)
    write(tutor, "plain.csv", body)
    write(tutor, "d.csv", "6,2,no,yes\n" + body)
    right, found = (tutor.json("train", "--data", name, "--epochs", 2) for name in ("plain.csv", "d.csv"))
    assert found["weights"] == right["weights"] and "passed over" in found["data"]["remarks"][0]


@pytest.mark.parametrize(
    ("cell", "plain"),
    [("$200", "200"), ("12%", "12"), ("200,100", "200100"), ("1,234.5", "1234.5"), ("3,5", "3.5"), ("200 €", "200")],
)
def test_a_number_with_more_in_its_cell_is_told_and_how_to_write_it(tutor: Tutor, cell: str, plain: str) -> None:
    write(tutor, "feature.csv", "a,b\n" + f'"{cell}",x\n1,y\n' * 4)
    write(tutor, "label.csv", "a,b\n" + "".join(f'{i},"{cell}"\n' for i in range(4)) * 2)
    for name, column in (("feature.csv", "'a'"), ("label.csv", "'b'")):
        done = tutor("train", "--data", name, "--epochs", 1)
        assert done.returncode == 2 and repr(cell) in done.stderr and column in done.stderr
        assert f"it is {plain}" in done.stderr, done.stderr


def test_two_columns_of_one_name_are_told(tutor: Tutor) -> None:
    write(tutor, "d.csv", "a,b,a,kind\n" + "1,2,3,x\n4,5,6,y\n" * 3)
    done = tutor("train", "--data", "d.csv")
    assert done.returncode == 2 and "columns 1 and 3 are both called 'a'" in done.stderr


@pytest.mark.parametrize("first", ["", "NA", "?"])
def test_a_first_row_with_a_gap_is_never_taken_for_a_heading(tutor: Tutor, first: str) -> None:
    """It was refused in one place and lost in another."""
    write(tutor, "plain.csv", PLAIN.partition("\n")[2])
    assert tutor("train", "--data", "plain.csv", "--epochs", 2, "--save", "r.npz").returncode == 0
    assert tutor("export", "r.npz", "--output", "script.py").returncode == 0
    write(tutor, "d.csv", f"{first},2,no\n1,2,yes\n3,4,no\n5,6,yes\n")
    for words in (("train", "--data", "d.csv"), ("predict", "r.npz", "--data", "d.csv")):
        done = tutor(*words)
        assert done.returncode == 2 and "row 1" in done.stderr, done.stderr
    code, told, said = from_script(tutor, "d.csv")
    assert code == 1 and not told and "d.csv" in said


def test_what_only_looks_like_an_index_is_kept(tutor: Tutor) -> None:
    """A feature with a name of its own, one that has gaps, and the only one that there is."""
    for heading, step in (("a,b,kind", 1), ("id,b,kind", 7)):
        write(tutor, "d.csv", heading + "\n" + "".join(f"{step * i},{i * i % 5},{'xy'[i % 2]}\n" for i in range(8)))
        assert tutor.json("train", "--data", "d.csv", "--epochs", 1)["network"]["sizes"][0] == 2
    write(tutor, "d.csv", "id,kind\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(8)))
    assert tutor.json("train", "--data", "d.csv", "--epochs", 1)["network"]["sizes"][0] == 1


@pytest.mark.parametrize("first", [0, 1, 7, 1001, -3])
@pytest.mark.parametrize("order", ["up", "down", "shuffled"])
def test_an_index_counts_from_anywhere_in_any_order(tutor: Tutor, first: int, order: str) -> None:
    numbers = {"up": [*range(12)], "down": [*range(12)][::-1], "shuffled": [5 * k % 12 for k in range(12)]}[order]
    body = "".join(f"{first + n},{n * n % 5},{'xy'[n % 2]}\n" for n in numbers)
    write(tutor, "d.csv", "id,b,kind\n" + body)
    found = tutor.json("train", "--data", "d.csv", "--epochs", 1)
    assert found["network"]["sizes"][0] == 1 and "'id' only counts the rows" in found["data"]["remarks"][0]


def test_a_column_that_never_changes_is_worth_a_remark(tutor: Tutor) -> None:
    write(tutor, "d.csv", "a,b,c,kind\n" + "".join(f"7,{i},p,{'xy'[i % 2]}\n" for i in range(8)))
    (said, _) = tutor.json("train", "--data", "d.csv", "--epochs", 1)["data"]["remarks"]
    assert said == "'a' and 'c' have the same value in every row, so nothing can be learned from them."


@pytest.mark.parametrize(
    ("text", "options", "said", "not_said"),
    [
        ("a,b,kind\n" + "1,5,x\n2,6,y\n" * 4, "--label b,kind", "leave it out of --label", "--drop"),
        ("a,b,c\n" + "1,5,2\n2,6,3\n" * 4 + "1,2,much\n", "--label b,c", "most of its column are", "--drop"),
        ("a,b,kind\n" + "1,inf,x\n2,inf,y\n" * 4, "", "'inf' is not a number; --drop 'b'", "most of its column"),
        ("a,b,kind\n" + "1,1,x\n2,inf,y\n3,4,x\n" * 4, "", "most of its column are; correct it", "; --drop"),
    ],
)
def test_what_is_said_of_a_column_is_true_of_it(
    tutor: Tutor, text: str, options: str, said: str, not_said: str
) -> None:
    write(tutor, "d.csv", text)
    done = tutor("train", "--data", "d.csv", *options.split())
    assert done.returncode == 2 and said in done.stderr and not_said not in done.stderr, done.stderr


@pytest.mark.parametrize("options", [[], ["--label", "kind"]])
def test_two_columns_of_answers_with_one_name_are_refused(tutor: Tutor, options: list[str]) -> None:
    write(tutor, "plain.csv", PLAIN)
    assert tutor("train", "--data", "plain.csv", "--epochs", 2, "--save", "r.npz").returncode == 0
    write(tutor, "d.csv", "a,b,kind,kind\n" + rows("{0},{1},no,{2}\n"))
    done = tutor("predict", "r.npz", "--data", "d.csv", *options)
    assert done.returncode == 2 and "two columns are called 'kind'; which of them is meant?" in done.stderr


@pytest.mark.parametrize("heading", ["A,b", "A,B", "a,B"])
def test_a_column_that_differs_in_its_capitals_is_thought_of(tutor: Tutor, heading: str) -> None:
    write(tutor, "plain.csv", PLAIN.replace("a,b", "a,b,third").replace(",no", ",1,no").replace(",yes", ",1,yes"))
    assert tutor("train", "--data", "plain.csv", "--epochs", 2, "--save", "r.npz").returncode == 0
    write(tutor, "d.csv", f"{heading},third\n1,2,3\n")
    done = tutor("predict", "r.npz", "--data", "d.csv")
    meant = " and ".join(repr(name) for name in heading.split(",") if name.isupper())
    assert done.returncode == 2 and f"did you mean {meant}? Give" in done.stderr, done.stderr
