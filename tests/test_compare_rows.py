"""`tutor compare` of lessons, worksheets, functions and named rows: what single trainings come to."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
from conftest import Tutor

FUNCTION = """format = 1
title = "A bowl"
[givens]
c = -3
[minimize]
objective = "x**2 + 10*y**2 + c"
start = { x = 1, y = -1 }
learning_rate = 0.04
steps = 6
"""


def test_a_lesson_is_trained_as_train_trains_it(tutor: Tutor) -> None:
    found = tutor.json("compare", "mlp", "--vary", "optimizer=sgd,adam", "--epochs", 3, "--seeds", 1)
    rates = {one["settings"]["learning_rate"] for one in found["settings"]}
    own = tutor.json("train", "mlp", "--epochs", 1)["settings"]["learning_rate"]
    assert own in rates and len(found["settings"]) >= 6
    for one in found["settings"]:
        said = one["settings"]
        alone = tutor.json(
            "train", "mlp", "--epochs", 3, "--optimizer", said["optimizer"], "--learning-rate", said["learning_rate"]
        )
        assert one["runs"][0]["history"] == alone["history"]
        assert one["runs"][0]["training_loss"] == alone["parts"]["training"]["loss"]
    losses = [one["runs"][0]["training_loss"] for one in found["settings"]]
    assert losses[found["best"]] == min(losses) and found["command"].startswith("tutor train mlp --optimizer")


def test_a_lesson_has_one_run_of_each_setting_unless_it_shuffles(tutor: Tutor) -> None:
    options = ["compare", "mlp", "--vary", "epochs=2,3", "--batch-size", 1]
    assert len(tutor.json(*options)["seeds"]) == 1
    assert len(tutor.json(*options, "--shuffle")["seeds"]) == 3


def descended(optimizer: str, rate: float, steps: int) -> tuple[list[float], float]:
    point, moved, values = np.array([1.0, -1.0]), np.zeros(2), []
    scale = np.array([1.0, 10.0])
    for _ in range(steps):
        values.append(float(scale @ point**2 - 3))
        gradient = 2 * scale * point
        moved = rate * gradient if optimizer == "sgd" else 0.9 * moved + 0.1 * gradient
        point = point - (moved if optimizer == "sgd" else rate * moved)
    return values, float(scale @ point**2 - 3)


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
def test_a_function_is_compared_by_its_last_value(tutor: Tutor, arithmetic: str) -> None:
    (tutor.folder / "bowl.toml").write_text(FUNCTION)
    options = ["compare", "bowl.toml", "--row", "plain: optimizer=sgd", "--row", "slow: learning-rate=0.01 epochs=3"]
    found = tutor.json(*options, "--row", "rolls: optimizer=momentum learning-rate=0.05", "--arithmetic", arithmetic)
    asked = [("sgd", 0.04, 6), ("sgd", 0.01, 3), ("momentum", 0.05, 6)]
    for one, wanted in zip(found["settings"], asked, strict=True):
        values, last = descended(*wanted)
        (run,) = one["runs"]
        assert [epoch["loss"] for epoch in run["history"]] == pytest.approx(values, rel=1e-12)
        assert run["training_loss"] == pytest.approx(last, rel=1e-12) and run["epochs_done"] == wanted[2]
        said = one["settings"]
        assert (said["optimizer"], said["learning_rate"], said["epochs"]) == wanted
    assert found["best"] == min(range(3), key=lambda k: descended(*asked[k])[1])
    shown = " ".join(tutor(*options).stdout.split())
    assert "final value" in shown and "training loss" not in shown


def test_a_function_that_runs_away_has_diverged(tutor: Tutor) -> None:
    (tutor.folder / "bowl.toml").write_text(FUNCTION)
    found = tutor.json("compare", "bowl.toml", "--vary", "learning-rate=0.04,0.5", "--epochs", 2000)
    assert [one["runs"][0]["diverged"] for one in found["settings"]] == [False, True]


def test_rows_are_what_their_settings_train(tutor: Tutor) -> None:
    rows = ["--row", "plain: optimizer=sgd learning-rate=0.5", "--row", "deep: hidden=4,4 'activation=relu'"]
    found = tutor.json("compare", "--data", "moons", "--epochs", 3, *rows, "--seeds", 2)
    assert found["varied"][0] == "row" and [one["settings"]["row"] for one in found["settings"]] == ["plain", "deep"]
    typed = [["--optimizer", "sgd", "--learning-rate", 0.5], ["--hidden", "4,4", "--activation", "relu"]]
    for one, options in zip(found["settings"], typed, strict=True):
        for seed, run in enumerate(one["runs"]):
            alone = tutor.json("train", "--data", "moons", "--epochs", 3, *options, "--seed", seed)
            assert run["history"] == alone["history"]
            assert one["settings"]["learning_rate"] == alone["settings"]["learning_rate"]
    best = found["settings"][found["best"]]["settings"]["row"]
    assert found["command"].split()[:4] == ["tutor", "train", "--data", "moons"]
    assert ("--hidden 4,4" in found["command"]) == (best == "deep")


def test_rows_on_different_examples_have_no_best(tutor: Tutor) -> None:
    rows = ["--row", "a: data=moons", "--row", "b: data=circles", "--row", "c: worksheet=mlp"]
    found = tutor.json("compare", *rows, "--epochs", 2, "--seeds", 1)
    assert found["best"] is None and [one["settings"]["trained on"] for one in found["settings"]] == [
        "moons",
        "circles",
        "mlp",
    ]
    assert "their examples differ" in " ".join(tutor("compare", *rows, "--epochs", 2, "--seeds", 1).stdout.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "xor", "--row", "a: epochs=2", "--vary", "hidden=2"], "leave out --vary"),
        (["--data", "xor", "--row", "a: epochs=2", "--search", "random"], "leave out --vary"),
        (["--row", "a: epochs=2"], "for all rows with --data moons"),
        (["--data", "xor", "--row", "epochs=2"], "give it a name"),
        (["--data", "xor", "--row", "a: epochs"], "'epochs' is no setting"),
        (["--data", "xor", "--row", "a: epoch=2"], "did you mean 'epochs'"),
        (["--data", "xor", "--row", "a: epochs=x"], "--row a epochs takes whole numbers"),
        (["--data", "xor", "--row", "a: epochs=2", "--row", "a: epochs=3"], "two rows are called 'a'"),
        (["--data", "xor", "--row", "a: optimizer=adma"], "row a: unknown optimizer"),
        (["--data", "xor", "--row", "a: data=moons worksheet=mlp"], "not both"),
        (["mlp", "--row", "a: label=y"], "say which data"),
        (["mlp", "--row", "a: worksheet=gates/and label=y"], "has its own targets"),
        (["--data", "xor", "--row", "a: label=y"], "--label names a column of a file"),
        (["mlp", "--data", "xor", "--vary", "epochs=1,2"], "or else the lesson"),
        (["mlp", "--vary", "hidden=2"], "the lesson's affair"),
        (["mlp/nothing", "--vary", "epochs=1,2"], "no experiment or worksheet"),
        (["momentum/race", "--vary", "epochs=1,2"], "has its own data and rows"),
        *(
            (["momentum/race", *words], f"leave out {words[0]}")
            for words in (
                ["--columns", "loss"],
                ["--layers"],
                ["--times"],
                ["--label", "y"],
                ["--task", "classes"],
                ["--drop", "a"],
                ["--search", "random"],
                ["--draw", "curves"],
                ["--csv", "-"],
            )
        ),
        ([], "say what to train on"),
    ],
)
def test_what_cannot_be_compared_is_said(tutor: Tutor, options: list[Any], said: str) -> None:
    done = tutor("compare", *options)
    assert done.returncode == 2 and said in done.stderr and not done.stdout


def test_layers_are_compared_as_train_shows_them(tutor: Tutor) -> None:
    options = ["--data", "moons", "--epochs", 3]
    found = tutor.json(
        "compare", *options, "--vary", "hidden=3|4,4", "--seeds", 2, "--layers", "--csv", "runs.csv", "--jobs", 2
    )
    rows = list(csv.DictReader(io.StringIO((tutor.folder / "runs.csv").read_text())))
    for one, hidden in zip(found["settings"], ("3", "4,4"), strict=True):
        alone = [tutor.json("train", *options, "--hidden", hidden, "--seed", s, "--layers")["layers"] for s in (0, 1)]
        depth = len(hidden.split(",")) + 1
        assert [layer["layer"] for layer in one["layers"]] == [*range(1, depth + 1)]
        for k, layer in enumerate(one["layers"]):
            for name, told in layer.items():
                values = [run[k - depth][name] for run in alone]
                if name == "layer" or values[0] is None:
                    assert name == "layer" or told is None
                    continue
                assert told["mean"] == pytest.approx(np.mean(values)) and told["deviation"] == pytest.approx(
                    np.std(values, ddof=1)
                )
                of_csv = [float(row[f"{name}_{k + 1}"]) for row in rows if row["hidden"] == hidden]
                assert of_csv == values
    shown = tutor("compare", *options, "--vary", "hidden=3|4,4", "--seeds", 2, "--layers", "--narrate").stdout
    assert "Setting b, layer 3: gradient" in " ".join(shown.split())


def test_a_row_may_learn_another_column_of_the_same_file(tutor: Tutor) -> None:
    lines = [f"{i},{7 * i % 11},{3 * i % 8}.5,{5 * i % 9}.25" for i in range(24)]
    (tutor.folder / "h.csv").write_text("\n".join(["a,b,price,rent", *lines]) + "\n")
    rows = ["--row", "one: label=price", "--row", "two: label=rent optimizer=sgd"]
    found = tutor.json("compare", "--data", "h.csv", *rows, "--epochs", 3, "--seeds", 1)
    for one, (label, optimizer) in zip(found["settings"], (("price", "adam"), ("rent", "sgd")), strict=True):
        alone = tutor.json("train", "--data", "h.csv", "--label", label, "--optimizer", optimizer, "--epochs", 3)
        assert one["runs"][0]["history"] == alone["history"] and one["settings"]["label"] == label
        assert one["settings"]["learning_rate"] == alone["settings"]["learning_rate"]
    assert found["best"] is None
