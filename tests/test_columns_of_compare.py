"""`compare --columns`: every measure against plain NumPy on a training made anew, and refused where there is none."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor

from tutor.data.builtin import load
from tutor.errors import TutorError
from tutor.experiments.candidates import Candidate, check_measures
from tutor.experiments.experiment import Run, Source, train_once
from tutor.experiments.measures import KINDS, Measure, Subject, read_measure, read_measures
from tutor.training.settings import Settings
from tutor.training.setup import set_up

SMALL = replace(Settings(), epochs=6, validation=0.3, seed=3)


def trained(data: str, **more: Any) -> tuple[Any, dict[str, float]]:
    """A network at its end, and what is measured of it."""
    wanted = replace(SMALL, **more)
    trainer = set_up(load(data, 3), wanted)
    trainer.run()
    subject = Subject(trainer.architecture.depth, bool(trainer.data.classes), True, True)
    texts = [n for n, kind in KINDS.items() if not (kind.needs or kind.of_layer or kind.over_runs)]
    asked = tuple(m for m in (read_measure(text) for text in texts) if not subject.lacks(m))
    outcome = train_once(Run(Source(data), wanted, asked))
    assert outcome is not None
    return trainer, {one.text: value for one, value in outcome.measured.items()}


@pytest.mark.parametrize(("prefix", "part"), [("", "training"), ("validation_", "held-out")])
def test_measures_of_values_are_those_of_numpy(prefix: str, part: str) -> None:
    trainer, found = trained("sine")
    places = trainer.data.parts[part]
    outputs, y = trainer.engine.outputs(trainer.data.rows, places)[0], trainer.data.y[places].ravel()
    mean = trainer.data.y[trainer.data.train].mean()
    wanted = {
        "rmse": np.sqrt(np.mean((outputs - y) ** 2)), "mae": np.mean(np.abs(outputs - y)),
        "r2": 1 - np.mean((outputs - y) ** 2) / np.var(y), "baseline_mae": np.mean(np.abs(y - mean)),
        "baseline_rmse": np.sqrt(np.mean((y - mean) ** 2)), "loss": np.mean((outputs - y) ** 2) / 2,
    }  # fmt: skip
    assert {name: found[prefix + name] for name in wanted} == pytest.approx(wanted, rel=1e-9)
    assert found["gap"] == pytest.approx(found["validation_loss"] - found["training_loss"])


@pytest.mark.parametrize(("prefix", "part"), [("", "training"), ("validation_", "held-out")])
def test_measures_of_classes_are_those_of_numpy(prefix: str, part: str) -> None:
    trainer, found = trained("moons", hidden=(3,))
    places = trainer.data.parts[part]
    out, y = trainer.engine.outputs(trainer.data.rows, places)[0], trainer.data.y[places]
    guessed = (out > 0.5).astype(int)
    recall = [np.mean(guessed[y == c] == c) for c in (0, 1)]
    precision = [np.mean(y[guessed == c] == c) for c in (0, 1)]
    f1 = [2 * p * r / (p + r) for p, r in zip(precision, recall, strict=True)]
    pairs = np.sign(out[y == 1][:, None] - out[y == 0][None, :])
    sure = np.maximum(out, 1 - out)
    bins = np.ceil(sure * 10)
    off = [np.sum(bins == b) * abs(np.mean((guessed == y)[bins == b]) - np.mean(sure[bins == b])) for b in set(bins)]
    commonest = np.bincount(trainer.data.y[trainer.data.train]).argmax()
    wanted = {
        "accuracy": np.mean(guessed == y), "balanced_accuracy": np.mean(recall), "macro_recall": np.mean(recall),
        "macro_precision": np.mean(precision), "macro_f1": np.mean(f1), "roc_auc": np.mean((pairs + 1) / 2),
        "baseline_accuracy": np.mean(y == commonest), "calibration_error": sum(off) / len(y),
    }  # fmt: skip
    assert {name: found[prefix + name] for name in wanted} == pytest.approx(wanted, rel=1e-9)
    every = trainer.data.train
    apart = np.abs(trainer.engine.outputs(trainer.data.rows, every)[0] - trainer.data.y[every])
    assert found["worst_error"] == pytest.approx(apart.max()) and found["solved"] == float(apart.max() < 0.5)
    assert found["parameters"] == 3 * 3 + 4 and found["updates"] == 6 * -(-len(every) // trainer.settings.batch_size)


def test_the_columns_are_in_the_table_in_json_and_in_csv(tutor: Tutor) -> None:
    asked = "parameters,epochs_to_loss(0.3),solved,gradient_norm(layer=1),rmse"
    options = ["compare", "--data", "moons", "--epochs", 5, "--vary", "hidden=2|8", "--seeds", 3]
    assert "values" in tutor(*options, "--columns", asked).stderr  # there are classes
    options += ["--columns", asked.removesuffix(",rmse")]
    found = tutor.json(*options, "--csv", "runs.csv")
    rows = list(csv.DictReader(io.StringIO((tutor.folder / "runs.csv").read_text())))
    reached = []
    for one in found["settings"]:
        hidden = one["settings"]["hidden"][0]
        for seed, run in enumerate(one["runs"]):
            losses = [epoch["loss"] for epoch in run["history"]]
            first = next((k for k, loss in enumerate(losses, 1) if loss <= 0.3), "never")
            layers = tutor.json(
                "train", "--data", "moons", "--epochs", 5, "--hidden", hidden, "--seed", seed, "--layers"
            )
            norm = [layer["gradient_norm"] for layer in layers["layers"] if layer["layer"] == 1][-1]
            wanted = {
                "parameters": 4 * hidden + 1,
                "epochs_to_loss(0.3)": first,
                "solved": 0,
                "gradient_norm(layer = 1)": norm,
            }
            assert run["measures"] == wanted
            row = next(r for r in rows if (r["hidden"], r["seed"]) == (str(hidden), str(seed)))
            assert {name: row[name] for name in wanted} == {
                n: str(float(v) if v != "never" else v) for n, v in wanted.items()
            }
            reached.append((hidden, first))
        known = [f for h, f in reached if h == hidden and f != "never"]
        told = one["summary"]["measures"]["epochs_to_loss(0.3)"]
        assert told["never"] == 3 - len(known) and told["mean"] == (np.mean(known) if known else None)
    assert any(first == "never" for _, first in reached) and any(first != "never" for _, first in reached)
    for how in ([], ["--width", 40], ["--narrate"]):
        shown = " ".join(tutor(*options, *how).stdout.split())
        assert ("epochs to loss 0.3" in shown or not how) and "never" in shown and "0 of 3" in shown
        assert "training right" not in shown and "training loss" in shown  # by which the best is chosen


def test_a_row_without_the_measure_has_none(tutor: Tutor) -> None:
    rows = ["--row", "a: data=moons", "--row", "b: data=sine"]
    found = tutor.json("compare", *rows, "--epochs", 2, "--seeds", 1, "--columns", "rmse,roc_auc")
    first, second = (one["runs"][0]["measures"] for one in found["settings"])
    assert first["rmse"] is None and second["roc_auc"] is None and first["roc_auc"] > 0 and second["rmse"] > 0


def test_a_share_of_all_runs_counts_those_that_diverged(tutor: Tutor) -> None:
    options = ["--data", "sine", "--optimizer", "sgd", "--learning-rate", 1e200, "--epochs", 2, "--seeds", 2]
    found = tutor.json("compare", *options, "--columns", "diverged,rmse")
    measures = found["settings"][0]["summary"]["measures"]
    assert measures["diverged"]["mean"] == 1 and measures["rmse"]["mean"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "moons", "--columns", "paramters"], "did you mean 'parameters'"),
        (["--data", "moons", "--columns", ","], "names the measures"),
        (["--data", "moons", "--columns", "epochs_to_loss"], "epochs_to_loss takes the loss"),
        (["--data", "moons", "--columns", "validation_rmse"], "there are classes"),
        (["--data", "moons", "--columns", "validation_roc_auc"], "--validation 0.2"),
        (["--data", "sine", "--columns", "accuracy"], "no classes"),
        (["--data", "moons", "--output-activation", "tanh", "--columns", "calibration_error"], "no probabilities"),
        (["--data", "moons", "--columns", "gradient_norm(layer=3)"], "this network has 2 layers"),
        (["--data", "moons", "--columns", "dead_share"], "those of a hidden layer"),
        (["momentum/plain", "--columns", "worst_error"], "has no network"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_trained(
    tutor: Tutor, options: list[Any], said: str
) -> None:
    done = tutor("compare", *options, "--epochs", 1)
    assert done.returncode == 2 and said in done.stderr and not done.stdout


def test_a_function_has_what_needs_no_network(tutor: Tutor) -> None:
    options = ["compare", "momentum/plain", "--vary", "learning-rate=0.01,0.05", "--epochs", 8]
    found = tutor.json(*options, "--columns", "parameters,updates,updates_to_loss(5),best_epoch")
    for one in found["settings"]:
        losses = [epoch["loss"] for epoch in one["runs"][0]["history"]]
        assert one["runs"][0]["measures"] == {
            "parameters": 2, "updates": 8, "updates_to_loss(5)": next(k for k, v in enumerate(losses, 1) if v <= 5),
            "best_epoch": 1 + int(np.argmin(losses)),
        }  # fmt: skip


def test_the_help_names_every_measure(tutor: Tutor) -> None:
    told = "".join(tutor("compare", "--help", "--width", 1000).stdout.replace("│", " ").split())
    for name in KINDS:
        assert name.removeprefix("validation_").removeprefix("training_") in told


@pytest.mark.parametrize("name", KINDS)
def test_what_a_measure_needs_is_what_it_is_refused_for(name: str) -> None:
    """A measure is refused of each subject, or gives a number of a training of the kind."""
    kind = KINDS[name]
    measure = Measure(name, (0.3,) * len(kind.needs), layer=1 if kind.of_layer else 0)
    assert read_measures(f"{measure.text},{measure.text}") == [measure]
    values = kind.of == "values"
    if kind.over_runs:
        return  # of several runs: test_bias_and_variance.py
    wanted = replace(SMALL, epochs=2, hidden=(3,), activation="relu")
    outcome = train_once(Run(Source("sine" if values else "moons"), wanted, (measure,)))
    assert outcome is not None and not np.isnan(outcome.measured[measure])
    fits = Subject(2, not values, True, True)
    assert not fits.lacks(measure)
    for other in (
        Subject(2, values, True, True),
        Subject(2, not values, False, True),
        Subject(2, not values, True, False),
    ):
        lacking = other.lacks(measure)
        candidate = Candidate({}, {}, Source("moons"), wanted, subject=other)
        if lacking:
            with pytest.raises(TutorError, match=name):
                check_measures([candidate], [measure])
        else:
            check_measures([candidate], [measure])


def test_the_guide_to_lessons_lists_every_measure_as_the_program_says_it() -> None:
    guide = (Path(__file__).resolve().parent.parent / "lessons" / "README.md").read_text()
    for name, kind in KINDS.items():
        assert re.search(rf"^\| `{name}(\(0\.2\))?` \| {re.escape(kind.says)}( \(of a layer\))? \|$", guide, re.M), name
