"""Cross-validation: every fold is what a training on the others, and a prediction of it, come to by hand."""

from __future__ import annotations

from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from hypothesis import given
from hypothesis import strategies as st

from tutor.data.builtin import Data, load
from tutor.experiments.folds import folds_of


@given(st.lists(st.integers(0, 2), min_size=6, max_size=40), st.integers(2, 6), st.integers(0, 5))
def test_every_example_is_held_out_once_and_every_class_in_its_share(labels: list[int], count: int, seed: int) -> None:
    y = np.array(labels)
    data = Data("d", np.zeros((len(y), 1)), y, ("x",), ("a", "b", "c"))
    folds = folds_of(data, count, seed)
    held = [fold[2].tolist() for fold in folds]
    assert sorted(place for fold in held for place in fold) == list(range(len(y)))
    assert max(map(len, held)) - min(map(len, held)) <= 1
    for train, none, fold in folds:
        assert not len(none) and sorted([*train.tolist(), *fold.tolist()]) == list(range(len(y)))
        for c in range(3):
            assert abs(int((y[fold] == c).sum()) - labels.count(c) / count) <= 1


def table(values: bool) -> tuple[str, list[str]]:
    rows = []
    for i in range(45):
        kind = (
            f"{1.5 * (i % 9) + 0.1 * i:.2f}" if values else i % 3
        )  # numbers are sorted: their order is that of no file
        rows.append(f"{'' if i % 11 == 3 else i % 9},{'pq'[i % 2]},{(7 * i) % 13},{kind}\n")
    return "a,b,c,kind\n", rows


@pytest.mark.parametrize("values", [False, True])
def test_a_fold_is_a_training_on_the_others(tutor: Tutor, values: bool) -> None:
    heading, rows = table(values)
    (tutor.folder / "d.csv").write_text(heading + "".join(rows))
    options: list[Any] = ["--missing", "mean", "--normalize", "zscore", "--epochs", 4, "--hidden", 3, "--seed", 2]
    options += ["--target-scale"] if values else []
    found = tutor.json("train", "--data", "d.csv", *options, "--folds", 4)
    y = np.zeros((45, 1)) if values else np.arange(45) % 3
    data = Data("d", np.zeros((45, 1)), y, ("x",), () if values else ("0", "1", "2"))
    assert len(found["folds"]) == 4 and found["complete"] and found["settings"]["seed"] == 2
    for fold, (train, _, held) in zip(found["folds"], folds_of(data, 4, 2), strict=True):
        (tutor.folder / "train.csv").write_text(heading + "".join(rows[k] for k in train))
        (tutor.folder / "held.csv").write_text(heading + "".join(rows[k] for k in held))
        tutor.json("train", "--data", "train.csv", *options, "--save", "r.npz")
        told = tutor.json("predict", "r.npz", "--data", "held.csv")
        assert (fold["training"], fold["held_out"]) == (len(train), len(held))
        assert fold["loss"] == pytest.approx(told["loss"], rel=1e-12)
        if values:
            assert fold["measures"]["rmse"] == pytest.approx(told["measures"]["rmse"], rel=1e-12)
        else:
            assert fold["measures"]["accuracy"] == told["accuracy"]
    for name, get in {"loss": lambda f: f["loss"], ("rmse" if values else "accuracy"): lambda f: f["measures"]["rmse" if values else "accuracy"]}.items():  # fmt: skip
        every = [get(fold) for fold in found["folds"]]
        assert found["over_folds"][name]["mean"] == pytest.approx(mean(every))
        assert found["over_folds"][name]["deviation"] == pytest.approx(stdev(every))
    better = [f["measures"]["verdict"] for f in found["folds"]].count("better than")
    assert found["better"] == better


def test_arrays_are_not_used_up_by_the_first_fold(tutor: Tutor) -> None:
    """Examples that are scaled where they stand are whole again for the next fold."""
    iris = load("iris", 0)
    np.savez(tutor.folder / "d.npz", x=iris.x, y=iris.y)
    options = ["--normalize", "zscore", "--epochs", 2, "--folds", 3]
    named, arrays = tutor.json("train", "--data", "iris", *options), tutor.json("train", "--data", "d.npz", *options)
    assert [f["loss"] for f in named["folds"]] == [f["loss"] for f in arrays["folds"]]


def test_folds_are_shown_in_every_way(tutor: Tutor) -> None:
    options = ["train", "--data", "iris", "--epochs", 20, "--folds", 3]
    for more in ([], ["--narrate"], ["--width", "40"], ["--width", "160"]):
        done = tutor(*options, *more)
        shown = " ".join(done.stdout.split())
        assert done.returncode == 0 and "In 3 of 3 folds the network is better than always saying" in shown
        assert "mean" in shown.lower() and "deviation" in shown.lower() and "ROC-AUC" in shown


def test_what_does_not_go_with_folds(tutor: Tutor) -> None:
    for words, said in (
        (["--data", "iris", "--folds", 1], "from 2 to 1,000"),
        (["--data", "xor", "--folds", 5], "too few for 5 folds"),
        (["--data", "iris", "--folds", 3, "--validation", 0.2], "leave out --validation"),
        (["--data", "iris", "--folds", 3, "--save", "r.npz"], "--save is of a single training"),
        (["--data", "iris", "--folds", 3, "--figure", "c.svg"], "--figure is of a single training"),
        (["mlp", "--folds", 3], "a lesson is of a single training"),
    ):
        done = tutor("train", *words)
        assert done.returncode == 2 and said in done.stderr, done.stderr
    diverged = tutor(
        "train", "--data", "sine", "--folds", 2, "--optimizer", "sgd", "--learning-rate", 1e6, "--epochs", 9
    )
    assert diverged.returncode == 1 and "2 trainings diverged, and are in no mean" in " ".join(diverged.stdout.split())
