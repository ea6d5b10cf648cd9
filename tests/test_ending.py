"""How a training ended, and what is advised: trainings of known kind, and what is said of each."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Tutor

BIG = "a,b,y\n" + "".join(f"{100 * i},{37 * i % 101},{300.5 * i}\n" for i in range(1, 60))
LINEAR = ["--hidden", 0, "--optimizer", "sgd", "--task", "regression", "--batch-size", 59]


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize(("rate", "epochs"), [("2e-5", 12), ("1e-6", 12), ("2e-7", 12), ("1e-6", 300)])
def test_a_loss_that_explodes_has_diverged(tutor: Tutor, rate: str, epochs: int, arithmetic: str) -> None:
    """Gradient descent on x² beyond 2/curvature: the loss grows by a constant factor, and is finite for a while."""
    (tutor.folder / "big.csv").write_text(BIG)
    options: list[Any] = ["--data", "big.csv", *LINEAR, "--arithmetic", arithmetic, "--epochs", epochs]
    found = tutor.json("train", *options, "--learning-rate", rate, "--save", "r.npz", fails=1)
    assert found["ended"].startswith("diverged: the loss grew from") and found["loss"] < 1e200
    assert not (tutor.folder / "r.npz").exists()
    compared = tutor.json("compare", *options, "--vary", f"learning-rate={rate},1e-9", "--seeds", 1)
    assert [setting["summary"]["diverged"] for setting in compared["settings"]] == [1, 0]


@pytest.mark.parametrize(
    "options",
    [
        ["--data", "big.csv", *LINEAR, "--learning-rate", "1e-9", "--epochs", 12],
        ["--data", "moons", "--epochs", 3],
        ["--data", "xor", "--epochs", 20, "--dropout", 0.5],
        ["--data", "sine", "--epochs", 20, "--batch-norm"],
        ["--data", "and", "--rule", "perceptron", "--hidden", 0],
    ],
    ids=str,
)
def test_a_loss_that_does_not_explode_has_not(tutor: Tutor, options: list[Any]) -> None:
    (tutor.folder / "big.csv").write_text(BIG)
    assert not tutor.json("train", *options)["ended"].startswith("diverged")


def test_a_network_that_begins_with_nothing_to_learn_may_come_to_lose_more(tutor: Tutor) -> None:
    """Its weights are right to the last bit; an optimizer that goes on by noise has not diverged."""
    rows = "".join(f"{i / 10},0\n" for i in range(10)) + "0.05,0.001\n"
    (tutor.folder / "zero.csv").write_text("a,y\n" + rows)
    options = ["--data", "zero.csv", "--task", "regression", "--init", "zeros", "--hidden", 0, "--epochs", 30]
    assert not tutor.json("train", *options, "--learning-rate", 1e-5)["ended"].startswith("diverged")


def test_going_on_measures_growth_by_the_first_loss_of_all(tutor: Tutor) -> None:
    (tutor.folder / "big.csv").write_text(BIG)
    options = ["--data", "big.csv", *LINEAR, "--learning-rate", "2e-7"]
    whole = tutor.json("train", *options, "--epochs", 60, fails=1)
    tutor("train", *options, "--epochs", 2, "--save", "r.npz")
    assert (tutor.folder / "r.npz").exists()
    assert tutor.json("train", "--resume", "r.npz", "--epochs", 60, fails=1)["ended"] == whole["ended"]
