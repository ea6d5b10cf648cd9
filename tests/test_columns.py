"""Columns as people have them: words, true and false, gaps, dates, columns to leave out, several targets, scaled ones.

The tables have the shape of well-known ones and are made here.
"""

from __future__ import annotations

import csv
import io
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutor.data.builtin import load
from tutor.data.cells import is_date
from tutor.data.encoding import Encoding
from tutor.data.preprocessing import Preprocessing
from tutor.data.readers import read_file
from tutor.errors import TutorError
from tutor.training.preparation import split
from tutor.training.settings import Settings
from tutor.training.setup import set_up

DRAW = random.Random(20)


def penguins() -> str:
    rows = ["rowid,species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year"]
    for i in range(1, 121):
        kind = ("Adelie", "Gentoo", "Chinstrap")[i % 3]
        sizes = [
            round(DRAW.gauss(38 + 5 * (i % 3), 1), 1),
            round(DRAW.gauss(18 - i % 3, 1), 1),
            190 + i % 30,
            25 * (140 + i % 40),
        ]
        told = ["NA"] * 5 if i in (4, 77) else [*sizes, "NA" if i % 40 == 9 else ("male", "female")[i // 3 % 2]]
        rows.append(",".join(map(str, [i, kind, ("Torgersen", "Biscoe", "Dream")[i // 7 % 3], *told, 2007 + i % 3])))
    return "\n".join(rows) + "\n"  # fmt: skip


def wine() -> str:
    """No heading, the class first."""
    return "".join(
        ",".join([str(1 + i % 3), *(f"{DRAW.gauss(10 + i % 3, 1):.2f}" for _ in range(13))]) + "\n" for i in range(90)
    )


def breast_cancer() -> str:
    """An identity number, the class as a letter, and an empty column that a comma at the end makes."""
    names = ",".join(f'"feature_{k}"' for k in range(10))
    rows = [
        f"{8000 + 17 * i},{'MB'[i % 2]}," + ",".join(f"{DRAW.gauss(i % 2, 1):.4f}" for _ in range(10)) + ","
        for i in range(60)
    ]
    return f'"id","diagnosis",{names},\n' + "\n".join(rows) + "\n"


def diabetes() -> str:
    """Tabs between the cells, whole numbers to predict."""
    rows = [
        f"{20 + i % 60}\t{1 + i % 2}\t{DRAW.gauss(26, 4):.1f}\t{DRAW.gauss(95, 13):.0f}\t{25 + (37 * i) % 300}"
        for i in range(80)
    ]
    return "AGE\tSEX\tBMI\tBP\tY\n" + "\n".join(rows) + "\n"


def abalone() -> str:
    """No heading, a letter first, the rings to predict last."""
    return "".join(
        f"{'MFI'[i % 3]},{0.1 + i / 200:.3f},{0.08 + i / 260:.3f},{i / 900:.3f},{3 + i * 7 % 19}\n" for i in range(100)
    )


def write(tutor: Tutor, name: str, text: str) -> Path:
    path = tutor.folder / name
    path.write_text(text, encoding="utf-8")
    return path


TABLES: dict[str, tuple[Any, str, list[str], int, int]] = {
    "penguins.csv": (penguins, "--missing mean", ["--label", "species"], 3 + 2 + 4 + 1, 3),
    "wine.csv": (wine, "", ["--label", "column 1"], 13, 3),
    "cancer.csv": (breast_cancer, "", ["--label", "diagnosis", "--drop", "id"], 10, 2),
    "diabetes.tsv": (diabetes, "", ["--task", "regression"], 4, 0),
    "abalone.csv": (abalone, "", ["--task", "regression"], 3 + 3, 0),
}
"""How a table is made, what it says that it is missing, and the options, the inputs and the classes that it then has."""


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_well_known_shapes_load_or_say_in_a_line_what_is_missing(tutor: Tutor, name: str) -> None:
    made, missing, options, inputs, classes = TABLES[name]
    write(tutor, name, made())
    words = ["--data", name, "--epochs", 2, *options]
    if missing:
        refused = tutor("train", *words)
        assert refused.returncode == 2 and missing in refused.stderr and refused.stderr.count("\n") == 1
    told = tutor.json("train", *words, *missing.split(), "--validation", 0.2, "--save", "r.npz")
    assert told["network"]["sizes"][0] == inputs and len(told["data"]["classes"]) == classes
    assert len(told["data"].get("inputs", [""] * inputs)) == inputs
    found = tutor.json("predict", "r.npz", "--data", name)
    assert found["loss"] is not None and len(found["predictions"]) == told["data"]["examples"]


BIRDS = "island,bill,flag,when,kind\n" + "".join(
    f"{'ABC'[i % 3]},{'' if i == 5 else 30 + i % 17},{i % 2 == 0},2020-01-{1 + i % 28:02},{'xyz'[i % 3]}\n"
    for i in range(60)
)


def test_a_date_is_refused_with_advice_and_can_be_left_out(tutor: Tutor) -> None:
    write(tutor, "birds.csv", BIRDS)
    refused = tutor("train", "--data", "birds.csv", "--missing", "mean")
    assert refused.returncode == 2 and "--drop 'when' leaves the column out" in refused.stderr
    assert "row 2, column 'when': '2020-01-01' is a date" in refused.stderr
    for drop in (["--drop", "when"], ["--drop", "when,flag"], ["--drop", "when", "--drop", "flag"]):
        told = tutor.json("train", "--data", "birds.csv", *drop, "--missing", "mean", "--epochs", 2)
        inputs = ["island=A", "island=B", "island=C", "bill"]
        assert told["data"]["inputs"] == inputs + (["flag=False", "flag=True"] if "flag" not in "".join(drop) else [])
    for words, said in (
        (["--drop", "wen"], "did you mean 'when'"),
        (["--drop", "when,kind", "--label", "kind"], "is to be learned, and dropped"),
        (["--drop", "island,bill,flag,when,kind"], "leaves no column"),
        (["--drop", "island,bill,flag,when"], "there is only the label"),
    ):
        refused = tutor("train", "--data", "birds.csv", *words)
        assert refused.returncode == 2 and said in refused.stderr, refused.stderr


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("2020-01-31", True), ("31.1.2020", True), ("1/31/20", True), ("2020-01-31T10:20:30Z", True), ("12:30", True),
        ("3 March 2020", True), ("Jan 3, 2020", True), ("2020-01-31 10:20", True),
        ("A-1", False), ("1.5", False), ("2020", False), ("10-20", False), ("May", False), ("", False), ("1.2.3.4", False),
    ],
)  # fmt: skip
def test_what_a_date_looks_like(text: str, is_one: bool) -> None:
    assert is_date(text) == is_one


@pytest.mark.parametrize("missing", ["mean", "median"])
def test_gaps_and_words_are_fitted_on_the_training_part_alone(tutor: Tutor, missing: str) -> None:
    """Worked from the cells themselves: numbers by Python's own statistics, words by comparison."""
    rows = [[str(i * i % 23) if i % 5 else "NA", "only" if i == 0 else "pqr"[i % 3], "xy"[i % 2]] for i in range(40)]
    path = write(tutor, "d.csv", "a,b,kind\n" + "".join(",".join(row) + "\n" for row in rows))
    data = read_file(path, None, "", Preprocessing((), missing))  # type: ignore[arg-type]
    for seed in range(4):
        train, held, _ = split(data, 0.5, 0.0, seed)
        trainer = set_up(data, Settings(validation=0.5, seed=seed))
        middle = getattr(statistics, missing)([float(rows[k][0]) for k in train if rows[k][0] != "NA"])
        words = sorted({rows[k][1] for k in train})
        right = [
            [middle if a == "NA" else float(a), *(float(b == word) for word in words)] for a, b, _ in rows
        ]  # fmt: skip
        assert trainer.data.x == pytest.approx(np.array(right), rel=1e-15)
        assert trainer.data.inputs == ("a", *(f"b={word}" for word in words))
        told = " ".join(trainer.data.remarks)
        assert ("'only' in 'b', which no training example has" in told) == (0 in held)


def test_rows_with_gaps_can_be_left_out(tutor: Tutor) -> None:
    write(
        tutor, "gaps.csv", "id,a,b,kind\n" + "1,1,p,x\n2,,p,y\n3,3,NA,x\n4,4,q,\n5,5,q,y\n6,6,p,x\n7,?,p,y\n8,2,q,y\n"
    )
    write(tutor, "whole.csv", "a,b,kind\n1,p,x\n5,q,y\n6,p,x\n2,q,y\n")
    found = tutor.json("train", "--data", "gaps.csv", "--missing", "drop", "--epochs", 3, "--save", "r.npz")
    right = tutor.json("train", "--data", "whole.csv", "--epochs", 3)
    assert found["weights"] == right["weights"]
    assert found["data"]["remarks"][0] == "4 of 8 rows have gaps and are left out."
    assert tutor("predict", "r.npz", "--data", "gaps.csv").returncode == 2
    refused = tutor("train", "--data", "gaps.csv", "--missing", "mean")
    assert refused.returncode == 2 and "row 5, column 'kind': the label is missing" in refused.stderr
    write(tutor, "none.csv", "a,b,kind\n" + ",p,x\n" * 5)
    refused = tutor("train", "--data", "none.csv", "--missing", "drop")
    assert refused.returncode == 2 and "every row has a gap" in refused.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,kind\n" + "".join(f"name {i},{'xy'[i % 2]}\n" for i in range(40)), "40 different words in 40 rows"),
        ("a,kind\n" + "".join(f"name {i},{'xy'[i % 2]}\n" for i in range(1200)), "more than 1,000 different words"),
        ("a,b,kind\n" + "1,1,x\n2,1,y\n" * 4 + "three,1,x\n", "'three' is not a number, and most of its column are"),
        ("a,b,kind\n" + "p,1,x\n,1,y\n" * 4, "row 3, column 'a': the cell is empty; fill it"),
        ("a,b,kind\n" + "p,1,x\nNA,1,y\n" * 4, "row 3, column 'a': 'NA' says that it is missing; fill it"),
        ("a,b,kind\n" + "1,1,x\nNA,1,y\n" * 4, "'NA' is not a number; if it stands for what is missing, fill it"),
    ],
)
def test_columns_that_cannot_be_learned_from(tutor: Tutor, text: str, said: str) -> None:
    write(tutor, "d.csv", text)
    done = tutor("train", "--data", "d.csv", "--epochs", 1)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert "--drop" in done.stderr or "--missing" in done.stderr


def test_a_column_of_nothing_but_gaps(tutor: Tutor) -> None:
    write(tutor, "d.csv", "a,b,kind\n" + ",1,x\n,2,y\n" * 4)
    done = tutor("train", "--data", "d.csv", "--missing", "mean")
    assert done.returncode == 2 and "column 'a': the training part has nothing but gaps; --drop 'a'" in done.stderr


def test_only_tables_have_columns_to_treat(tutor: Tutor) -> None:
    np.savez(tutor.folder / "d.npz", x=np.arange(12.0).reshape(6, 2), y=np.arange(6) % 2)
    for words in (["--data", "d.npz", "--drop", "x"], ["--data", "iris", "--missing", "mean"], ["mlp", "--drop", "X1"]):
        done = tutor("train", *words)
        assert done.returncode == 2 and "--drop" in done.stderr and "--missing" in done.stderr


def from_script(tutor: Tutor, table: str) -> tuple[list[list[float]], str]:
    """What the script says to each row, without the class, and its messages."""
    command = [sys.executable, "-I", "script.py", table]
    done = subprocess.run(command, cwd=tutor.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [[float(cell) for cell in line.split("\t")[1:]] for line in done.stdout.splitlines()], done.stderr


def libraries() -> list[str]:
    try:
        import torch  # noqa: F401
    except ImportError:
        return ["numpy"]
    return ["numpy", "pytorch"]


@pytest.mark.parametrize("library", libraries())
def test_the_saved_run_and_its_script_do_the_same_with_words_and_gaps(tutor: Tutor, library: str) -> None:
    write(tutor, "birds.csv", BIRDS)
    options = ["--drop", "when", "--missing", "median", "--normalize", "zscore", "--epochs", 3]
    whole = tutor.json("train", "--data", "birds.csv", *options, "--save", "r.npz")
    assert tutor("export", "r.npz", "--to", library, "--output", "script.py").returncode == 0
    write(tutor, "new.csv", "kind,flag,bill,island\nx,True,40,A\ny,False,,B\nz,maybe,?,Narnia\nx,,33,\n")
    told = tutor.json("predict", "r.npz", "--data", "new.csv")
    rows, said = from_script(tutor, "new.csv")
    assert rows == [pytest.approx(p["outputs"], rel=1e-5) for p in told["predictions"]]
    remarks = " ".join(told["data"]["remarks"])
    for word in ("'maybe'", "'Narnia'"):
        assert f"1 example has {word} in " in remarks and word in said
    assert "2 in 'bill'" in remarks and "1 in 'island', 1 in 'flag'" in remarks
    told = tutor.json("predict", "r.npz", "--data", "birds.csv")
    assert told["accuracy"] == whole["accuracy"]
    resumed = tutor.json("train", "--resume", "r.npz", "--epochs", 5)
    longer = tutor.json("train", "--data", "birds.csv", *options[:-1], 5)
    assert resumed["weights"] == longer["weights"]


@pytest.mark.parametrize("library", libraries())
def test_several_targets_are_scaled_and_told_in_their_own_unit(tutor: Tutor, library: str) -> None:
    """Two prices of quite different size: the same network as one that learns them scaled by hand."""
    values = [(i % 11, i % 7, 1e6 * (i % 11) + 3e5, 0.001 * (i % 7)) for i in range(66)]
    write(tutor, "d.csv", "a,b,big,small\n" + "".join(",".join(map(repr, row)) + "\n" for row in values))
    columns = [[row[k] for row in values] for k in (2, 3)]
    means, spreads = [statistics.fmean(c) for c in columns], [statistics.pstdev(c) for c in columns]
    write(
        tutor,
        "by_hand.csv",
        "a,b,big,small\n"
        + "".join(
            f"{a},{b}," + ",".join(repr((v - m) / s) for v, m, s in zip(vs, means, spreads, strict=True)) + "\n"
            for a, b, *vs in values
        ),
    )
    options = ["--label", "big,small", "--epochs", 20, "--learning-rate", 0.05]
    found = tutor.json("train", "--data", "d.csv", *options, "--target-scale", "--save", "r.npz")
    right = tutor.json("train", "--data", "by_hand.csv", *options, "--save", "h.npz")
    assert found["network"]["sizes"] == [2, 16, 2] and found["loss"] == pytest.approx(right["loss"], rel=1e-9)
    assert any("in their own unit" in said for said in found["data"]["remarks"])
    told, by_hand = (
        tutor.json("predict", "r.npz", "--data", "d.csv"),
        tutor.json("predict", "h.npz", "--data", "by_hand.csv"),
    )
    outputs = np.array([p["outputs"] for p in told["predictions"]])
    scaled = np.array([p["outputs"] for p in by_hand["predictions"]])
    assert outputs == pytest.approx(scaled * np.array(spreads) + np.array(means), rel=1e-6)
    assert told["loss"] == pytest.approx(by_hand["loss"], rel=1e-6)
    rows = list(csv.reader(io.StringIO(tutor("predict", "r.npz", "--data", "d.csv", "--csv", "-").stdout)))
    assert rows[0] == ["example", "prediction big", "prediction small", "answer big", "answer small"]
    assert [[float(cell) for cell in row[3:]] for row in rows[1:]] == [[*row[2:]] for row in values]
    assert tutor("export", "r.npz", "--to", library, "--output", "script.py").returncode == 0
    driver = "import script; print(script.update([[1, 2], [3, 4]], [[2e6, 0.002], [4e6, 0.001]])); print(script.predict([[1, 2]]).tolist()[0])"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, '.'); {driver}"]
    before = [
        float(cell) for line in run([sys.executable, "-I", "script.py", "d.csv"], tutor) for cell in line.split("\t")
    ]
    assert before == pytest.approx(outputs.ravel().tolist(), rel=1e-5)
    loss, after = run(command, tutor)
    assert 0 < float(loss) < 10 and abs(float(after.strip("[]").split(",")[0])) > 1e4


def run(command: list[str], tutor: Tutor) -> list[str]:
    done = subprocess.run(command, cwd=tutor.folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_targets_that_cannot_be(tutor: Tutor) -> None:
    write(tutor, "d.csv", "a,b,c,kind\n" + "1,2,3,x\n2,1,4,y\n" * 4)
    for words, said in (
        (["--label", "b,kind"], "column 'kind': 'x' is not a number"),
        (["--label", "b,c", "--task", "classes"], "several columns are learned as values"),
        (["--target-scale"], "--target-scale scales values to predict"),
        (["--label", "b,d"], "there is no column 'd'"),
    ):
        done = tutor("train", "--data", "d.csv", *words)
        assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_comparison_takes_the_columns_and_tells_them_on(tutor: Tutor) -> None:
    write(tutor, "birds.csv", BIRDS)
    options: list[Any] = ["--data", "birds.csv", "--drop", "when", "--missing", "mean"]
    found = tutor.json("compare", *options, "--vary", "hidden=2|3", "--seeds", 1, "--epochs", 2)
    assert "--drop when --missing mean" in found["command"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["", "NA", "none", "p", "q", "True", "1", "2.5", "?", "2020-01-01"]), min_size=8, max_size=12),
       st.sampled_from(["", "mean", "median", "drop"]))  # fmt: skip
def test_any_column_is_learned_from_or_refused(tmp_path: Path, cells: list[str], missing: Any) -> None:
    path = tmp_path / "d.csv"
    path.write_text("a,b,kind\n" + "".join(f"{cell},{i},{'xy'[i % 2]}\n" for i, cell in enumerate(cells)))
    try:
        trainer = set_up(read_file(path, None, "", Preprocessing((), missing)), Settings(hidden=(2,), epochs=1))
    except TutorError as error:
        assert "d.csv" in str(error) and "\n" not in str(error)
        return
    assert np.isfinite(trainer.data.x).all() and trainer.data.x.shape[1] == len(trainer.data.inputs)
    encoding = trainer.data.encoding or Encoding((None, None))
    words = encoding.words[0]
    if words is not None:
        assert set(np.unique(trainer.data.x[:, : len(words)])) <= {0.0, 1.0}


def test_plain_numbers_have_no_encoding() -> None:
    trainer = set_up(load("iris", 0), Settings(epochs=1))
    assert trainer.data.encoding is None and trainer.data.remarks == () and len(trainer.data.inputs) == 4
