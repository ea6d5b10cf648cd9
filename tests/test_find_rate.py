"""`train --find-rate`: the range test against plain NumPy, and what is read off it."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from networks import matrices


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize(("hidden", "form"), [("2", "straight-line"), ("60", "matrix")])
def test_losses_and_rates_are_those_of_plain_numpy(tutor: Tutor, hidden: str, form: str, arithmetic: str) -> None:
    from tutor.data.builtin import load
    from tutor.runs.run import load_run

    base = ["--data", "moons", "--hidden", hidden, "--batch-size", 16, "--optimizer", "sgd", "--no-shuffle"]
    base += ["--arithmetic", arithmetic]
    assert tutor.json("train", *base, "--epochs", 1, "--save", "r.npz")["network"]["form"] == form
    first, last = matrices(load_run(tutor.folder / "r.npz").states["initial"]["vector"], [2, int(hidden), 1])
    first, last, data = first.copy(), last.copy(), load("moons", 0)
    found = tutor.json("train", *base, "--find-rate")
    average = 0.0
    for k, step in enumerate(found["steps"]):
        places = [(16 * k + i) % 400 for i in range(16)]
        rate = 1e-6 * 10 ** (k / 20)
        x = np.column_stack([data.x[places], np.ones(16)])
        h = np.column_stack([np.tanh(x @ first.T), np.ones(16)])
        y, t = 1 / (1 + np.exp(-h @ last[0])), data.y[places]
        loss = -np.mean(np.where(t == 1, np.log(y), np.log(1 - y)))
        average = 0.9 * average + 0.1 * loss
        assert step["update"] == k + 1 and step["rate"] == pytest.approx(rate, rel=1e-12)
        assert step["loss"] == pytest.approx(loss, rel=1e-6)
        assert step["smoothed"] == pytest.approx(average / (1 - 0.9 ** (k + 1)), rel=1e-6)
        delta = (y - t) / 16
        hidden_delta = np.outer(delta, last[0, :-1]) * (1 - h[:, :-1] ** 2)
        last[0] -= rate * delta @ h
        first -= rate * hidden_delta.T @ x
    assert len(found["steps"]) > 100
    low = min(found["steps"], key=lambda step: step["smoothed"])
    assert found["lowest"] == low and found["suggestion"] == pytest.approx(low["rate"] / 10, rel=0.06)


@pytest.mark.parametrize(
    "options",
    [
        ["--data", "digits", "--optimizer", "sgd"],
        ["--data", "iris", "--hidden", "8", "--normalize", "zscore", "--dropout", 0.1, "--hidden", "30,30"],
        ["--data", "sine", "--schedule", "cosine", "--epochs", 30],
        ["mlp"],
        ["--data", "iris", "--classes", "0,2", "--hidden", "4,4", "--freeze", 1, "--update-order", "output-first"],
    ],
    ids=str,
)
def test_the_suggested_command_can_be_typed_and_learns(tutor: Tutor, options: list[Any]) -> None:
    found = tutor.json("train", *options, "--find-rate")
    assert found == tutor.json("train", *options, "--find-rate")
    words = shlex.split(found["command"])
    assert words[:2] == ["tutor", "train"] and words[-2:] == ["--learning-rate", f"{found['suggestion']:g}"]
    assert all(str(option) in words for option in options if str(option).startswith("--"))
    trained = tutor.json(*words[1:])
    assert not trained["ended"].startswith("diverged")
    assert trained["history"][-1]["loss"] < found["steps"][0]["loss"]


def test_the_page_tells_it_in_words(tutor: Tutor) -> None:
    for width in (40, 80, 160):
        told = tutor("train", "--data", "moons", "--optimizer", "sgd", "--find-rate", COLUMNS=str(width)).stdout
        flat = " ".join(told.split())
        assert "a tenth of the rate at which the loss is lowest" in flat and "--learning-rate" in flat
    aloud = tutor("train", "--data", "moons", "--optimizer", "sgd", "--find-rate", "--narrate").stdout
    assert "The loss goes from" in aloud and "│" not in aloud


def test_where_the_loss_falls_at_no_rate_none_is_suggested(tutor: Tutor) -> None:
    """Two dead layers: with all weights 0 no relu unit ever gets a gradient, and half of the answers are right."""
    options = ["--data", "xor", "--hidden", "3,3", "--activation", "relu", "--init", "zeros", "--find-rate"]
    found = tutor.json("train", *options)
    assert "suggestion" in found and found["suggestion"] is None and found["command"] is None
    said = " ".join(tutor("train", *options).stdout.split())
    assert "falls at no rate" in said
    assert "tutor train --data xor --hidden 3,3 --activation relu --init zeros --layers" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "xor", "--learning-rate", 0.1], "--learning-rate is what"),
        (["--data", "xor", "--optimizer", "adaptive_sign"], "changes the learning rate itself"),
        (["--data", "xor", "--rule", "perceptron", "--hidden", 0], "perceptron"),
        (["gates"], "perceptron"),
        (["--data", "xor", "--save", "r.npz"], "--save"),
        (["--data", "xor", "--layers"], "--layers"),
        (["--data", "xor", "--folds", 3], "--folds"),
        (["--resume", "r.npz"], "--resume"),
        (["--data", "xor", "--figure", "r.svg"], "--figure"),
    ],
)
def test_what_does_not_go_with_it(tutor: Tutor, options: list[Any], said: str) -> None:
    done = tutor("train", *options, "--find-rate")
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
