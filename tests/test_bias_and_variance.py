"""Bias² and variance over resampled training sets, beside plain NumPy on trainings made one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import HEAD, Tutor
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.data.builtin import load
from tutor.data.sampling import random_bits, uniforms
from tutor.experiments.experiment import Outcome
from tutor.experiments.measures import Measure
from tutor.experiments.resampling import decomposed, drawn
from tutor.training.preparation import split
from tutor.training.settings import Settings
from tutor.training.setup import set_up

NAMES = ["bias_squared", "variance"]


def apart(data: str, seeds: int, first: int, **more: Any) -> tuple[float, float, float]:
    """Bias², variance and mean squared error by their definitions."""
    wanted = replace(Settings(), validation=0.3, epochs=5, **more)
    said = []
    for seed in range(first, first + seeds):
        train, held_out, tested = split(load(data, first), 0.3, 0, first)
        raw = uniforms(random_bits(seed, "resample", 0, len(train)))
        chosen = np.sort([train[int(u * len(train))] for u in raw])
        trainer = set_up(load(data, first), replace(wanted, seed=seed), (chosen, held_out, tested))
        trainer.run()
        said.append(trainer.engine.outputs(trainer.data.rows, held_out))
    outputs, targets = np.array(said), trainer.data.targets[:, held_out]
    return (
        float(np.mean((outputs.mean(axis=0) - targets) ** 2)),
        float(np.mean(np.var(outputs, axis=0))),
        float(np.mean((outputs - targets) ** 2)),
    )


@pytest.mark.parametrize(("data", "hidden"), [("sine", 6), ("moons", 3), ("iris", 4)])
def test_they_are_what_their_definitions_give(tutor: Tutor, data: str, hidden: int) -> None:
    bias, variance, error = apart(data, 4, 2, hidden=(hidden,))
    options = ["compare", "--data", data, "--hidden", hidden, "--validation", 0.3, "--epochs", 5, "--seed", 2]
    options += ["--seeds", 4, "--columns", ",".join(NAMES)]
    found = tutor.json(*options, "--jobs", 1)
    measured = found["settings"][0]["summary"]["measures"]
    means = [measured[name]["mean"] for name in NAMES]
    assert means == pytest.approx([bias, variance], rel=1e-9) and sum(means) == pytest.approx(error, rel=1e-9)
    assert {run["measures"]["bias_squared"] for run in found["settings"][0]["runs"]} == {means[0]}
    assert tutor.json(*options, "--jobs", 3) == found
    if data == "sine":
        losses = [run["validation_loss"] for run in found["settings"][0]["runs"]]
        assert 2 * np.mean(losses) == pytest.approx(error)  # its loss is half the squared error
    for how in ([], ["--narrate"]):
        told = " ".join(tutor(*options, *how).stdout.split())
        assert f"{means[0]:.4g}" in told and f"{means[1]:.4g}" in told and "with replacement" in told


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-100, 100), min_size=3, max_size=3), min_size=2, max_size=6))
def test_both_add_up_to_the_mean_squared_error(outputs: list[list[float]]) -> None:
    targets = np.array([[1.0, -2.0, 0.5]])
    runs = [
        Outcome(k, (), "", False, 0.0, held_out=(np.array([one]), targets)) for k, one in enumerate(outputs)
    ]  # fmt: skip
    diverged = Outcome(9, (), "", True, 0.0)
    *found, last = decomposed([*runs, diverged], len(runs) + 1)
    values = [[one.measured[Measure(name)] for one in found if one is not None] for name in NAMES]
    assert last is diverged and len({*values[0]}) == 1
    error = np.mean([(np.array(one) - targets) ** 2 for one in outputs])
    assert values[0][0] + np.mean(values[1]) == pytest.approx(error, rel=1e-9, abs=1e-9)


def test_a_training_set_is_drawn_with_replacement() -> None:
    """Of n draws from n, (1 - 1/n)^n are missed by all: 36.8%."""
    train = np.arange(100, 2100)
    found = [drawn(train, seed) for seed in range(5)]
    assert all(len(one) == 2000 and set(one) <= set(train) for one in found)
    assert all(len({*one.tolist()}) / 2000 == pytest.approx(1 - (1 - 1 / 2000) ** 2000, abs=0.03) for one in found)
    assert (found[0] == drawn(train, 0)).all() and (found[0] != found[1]).any()


def test_an_experiment_of_a_lesson_measures_them_too(tutor: Tutor) -> None:
    lesson = """```toml experiment race
data = "sine"
seeds = 4
[settings]
epochs = 5
validation = 0.3
seed = 2
[rows]
six = { hidden = [6] }
[measure]
bias = "bias_squared"
spread = "variance"
```
"""
    (tutor.folder / "my.md").write_text(HEAD + lesson)
    (row,) = tutor.json("compare", "my.md/race")["experiment"]["rows"]
    bias, variance, _ = apart("sine", 4, 2, hidden=(6,))
    assert row["measures"]["bias"] == pytest.approx([bias] * 4, rel=1e-9)
    assert np.mean(row["measures"]["spread"]) == pytest.approx(variance, rel=1e-9)
    (tutor.folder / "my.md").write_text(HEAD + lesson.replace("validation = 0.3\n", ""))
    done = tutor("compare", "my.md/race")
    assert done.returncode == 2 and "measure.bias: nothing is held out" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "sine"], "--validation 0.2"),
        (["--data", "sine", "--validation", 0.3, "--seeds", 1], "2 seeds or more"),
        (["mlp", "--vary", "learning-rate=0.1,0.2"], "nothing is held out"),
        (["momentum/plain"], "no network"),
    ],
)
def test_where_there_are_none_it_is_said(tutor: Tutor, options: list[Any], said: str) -> None:
    done = tutor("compare", *options, "--columns", "variance", "--epochs", 1)
    assert done.returncode == 2 and said in done.stderr and not done.stdout
