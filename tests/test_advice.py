"""Advice that is typed: it is true of the training that it is about, and what it leads to is no worse."""

from __future__ import annotations

import itertools
import shlex
from random import Random
from typing import Any

import numpy as np
import pytest
from conftest import Tutor

from tutor.maths.activations import ACTIVATIONS
from tutor.training.trend import trend_of

XOR = "a,b,y\n" + "0,0,n\n0,1,p\n1,0,p\n1,1,n\n" * 5
RAW = "a,b,y\n" + "".join(f"{40 * i % 997},{7000 - 31 * i % 1009},{'pn'[i * i % 3 == 0]}\n" for i in range(120))


def typed(tutor: Tutor, command: str, fails: int | None = 0) -> Any:
    return {"advice": None, **tutor.json(*shlex.split(command.removeprefix("tutor ")), fails=fails)}


# --- one hidden unit


@pytest.mark.parametrize("activation", [name for name, entry in ACTIVATIONS.items() if entry.slope])
def test_what_no_training_can_solve_is_solved_by_none(tutor: Tutor, activation: str) -> None:
    """One unit draws a line where its activation rises; one that falls somewhere may draw two."""
    (tutor.folder / "d.csv").write_text(XOR)
    z = np.linspace(-4, 4, 801)
    falls = {"silu": z / (1 + np.exp(-z)), "gelu": z * (1 + np.tanh(0.8 * z))}
    options = f"--hidden 1 --activation {activation} --epochs 400 --learning-rate 0.1"
    runs = [typed(tutor, f"train --data d.csv {options} --seed {seed}") for seed in range(4)]
    said = [run["advice"] is not None and "no training can tell them apart" in run["advice"]["seen"] for run in runs]
    if activation in falls:
        assert (np.diff(falls[activation]) < 0).any() and not any(said)
    else:
        assert all(said) and all(run["accuracy"] < 1 for run in runs)


def test_xor_with_one_silu_that_solves_it_is_not_said_to_be_unsolvable(tutor: Tutor) -> None:
    found = tutor("train", "--data", "xor", "--hidden", 1, "--activation", "silu", "--epochs", 2000, "--seed", 1).stdout
    assert "100.0% right" in found and "separable" not in found and "no training" not in found


def test_a_wider_layer_behind_one_unit_may_bend_the_line(tutor: Tutor) -> None:
    for hidden in ("1,4", "1,1"):
        seen = tutor("train", "--data", "xor", "--hidden", hidden, "--epochs", 20).stdout
        assert ("not linearly separable" in seen) == (hidden == "1,1")


# --- the measures of advice are those of --layers


def slopes(name: str, z: Any) -> Any:
    of = {"tanh": 1 - np.tanh(z) ** 2, "leaky_relu": np.where(z > 0, 1, 0.01), "sigmoid": np.exp(-abs(z))}
    return of[name]


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh", "sigmoid"])
def test_units_that_are_called_saturated_are_so_in_the_table_and_in_numpy(tutor: Tutor, activation: str) -> None:
    (tutor.folder / "d.csv").write_text(RAW)
    found = typed(tutor, f"train --data d.csv --activation {activation} --epochs 40 --layers")
    last = next(layer for layer in found["layers"] if layer["epoch"] == 40)
    weights = np.array(found["weights"])[:48].reshape(16, 3)
    x = np.array([line.split(",")[:2] for line in RAW.splitlines()[1:]], float)
    z = weights[:, :2] @ x.T + weights[:, 2:]
    steepest = 0.25 if activation == "sigmoid" else 1.0
    by_hand = (slopes(activation, z) < 0.01 * steepest).mean()
    assert last["saturated"] == pytest.approx(by_hand, abs=0.02)
    told = found["advice"]["seen"]
    assert ("saturated" in told) == (by_hand > 0.5), told
    assert ["--normalize zscore" in command for command in found["advice"]["commands"]] == [True]


# --- the trend


@pytest.mark.parametrize("late", [1.01, 1.1, 1.3])
@pytest.mark.parametrize("count", [8, 10, 20, 40])
def test_one_loss_that_rises_is_no_end_of_the_fall(count: int, late: float) -> None:
    falling = [0.8**k for k in range(count)]
    assert trend_of([*falling[:-1], falling[-2] * late]) in ("falls", "unsteady")


@pytest.mark.parametrize("count", [8, 10, 20, 40])
def test_a_loss_about_a_level_stands_still(count: int) -> None:
    gauss = Random(count).gauss
    assert trend_of([1 + 0.003 * gauss(0, 1) for _ in range(count)]) == "stands still"


def test_a_training_that_has_just_begun_has_not_settled(tutor: Tutor) -> None:
    found = typed(tutor, "train --data digits --epochs 10")
    losses = [epoch["loss"] for epoch in found["history"]]
    assert losses[-1] > losses[-2] and all(b < a for a, b in itertools.pairwise(losses[:-1]))
    assert "settled" not in found["advice"]["seen"] and found["advice"]["commands"] == [
        "tutor train --data digits --epochs 20"
    ]


# --- settings with which nothing can change


@pytest.mark.parametrize("setting", ["--learning-rate 0", "--clip-norm 0", "--clip-value 0"])
@pytest.mark.parametrize("more", ["", " --hidden 8 --optimizer sgd"])
def test_a_setting_that_holds_all_weights_is_named(tutor: Tutor, setting: str, more: str) -> None:
    command = f"train --data moons{more} --epochs 30"
    found = typed(tutor, f"{command} {setting}")
    assert found["history"][0]["loss"] == pytest.approx(found["history"][-1]["loss"], rel=1e-12)
    (advised,) = found["advice"]["commands"]
    assert f"{setting} " not in f"{advised} " and setting.split()[0].strip("-").replace("-", " ") in (
        found["advice"]["seen"].lower().replace("-", " ")
    )
    assert typed(tutor, advised)["loss"] < 0.8 * found["loss"]


@pytest.mark.parametrize("penalty", ["--l2 1", "--l2 30", "--l1 1", "--l1 10", "--elastic-net 1"])
@pytest.mark.parametrize("data", ["moons", "iris"])
def test_a_penalty_that_holds_the_weights_down_is_named_first(tutor: Tutor, data: str, penalty: str) -> None:
    found = typed(tutor, f"train --data {data} --epochs 60 {penalty}")
    assert found["advice"]["seen"].startswith(penalty), found["advice"]
    weaker = typed(tutor, found["advice"]["commands"][0])
    assert weaker["loss"] < 0.6 * found["loss"] and weaker["accuracy"] > 0.8


def test_a_penalty_that_does_no_harm_is_not_named(tutor: Tutor) -> None:
    shown = tutor("train", "--data", "noisy_moons", "--epochs", 60, "--l2", 0.0001).stdout
    assert "epochs" in shown and "keeps the weights" not in shown


def test_a_penalty_beside_inputs_of_large_size_is_not_all_that_is_wrong(tutor: Tutor) -> None:
    rows = "".join(f"{40 * i % 997},{7000 - 31 * i % 1009},{'pn'[40 * i % 997 > 500]}\n" for i in range(120))
    (tutor.folder / "d.csv").write_text(f"a,b,y\n{rows}")
    found = typed(tutor, "train --data d.csv --l2 0.5")
    (command,) = found["advice"]["commands"]
    assert "--l2 0.001" in command and "--normalize zscore" in command
    assert typed(tutor, command)["loss"] < 0.2 < found["loss"]


# --- rates


@pytest.mark.parametrize("rate", [1e-5, 1e-3, 0.03, 0.3, 3, 30, 300])
@pytest.mark.parametrize("network", ["", "--activation sigmoid --output-activation sigmoid --loss half_squared_error"])
def test_whoever_types_the_first_advice_never_comes_back_to_the_same_command(
    tutor: Tutor, rate: float, network: str
) -> None:
    command, met = f"tutor train --data moons {network} --learning-rate {rate} --epochs 40", set[str]()
    for _ in range(6):
        found = typed(tutor, command, None)
        assert command not in met
        met.add(command)
        if found["advice"] is None or found["accuracy"] > 0.97:
            break
        command = found["advice"]["commands"][0]
        typed_rate = (
            shlex.split(command)[shlex.split(command).index("--learning-rate") + 1] if "-rate" in command else 0
        )
        assert float(typed_rate) <= max(rate, 0.03)
    assert found["accuracy"] > 0.8


def test_a_rate_far_above_the_usual_one_is_named(tutor: Tutor) -> None:
    network = "--activation sigmoid --output-activation sigmoid --loss half_squared_error"
    advised = typed(tutor, f"train --data moons {network} --learning-rate 3")["advice"]
    assert "100 times the usual one of adam" in advised["seen"]
    assert len(advised["commands"]) == 1 and advised["commands"][0].endswith("--learning-rate 0.03")


def test_shorter_steps_come_with_more_epochs_and_no_clipping(tutor: Tutor) -> None:
    swings = typed(tutor, "train --data sine --learning-rate 0.5 --batch-size 8 --epochs 60")["advice"]
    assert swings["commands"] == ["tutor train --data sine --learning-rate 0.05 --batch-size 8 --epochs 120"]
    diverged = typed(tutor, "train --data sine --hidden 0 --optimizer sgd --learning-rate 30", 1)["advice"]
    assert diverged["commands"] == ["tutor train --data sine --hidden 0 --optimizer sgd --learning-rate 3"]


def test_shorter_steps_from_the_usual_rate_come_further(tutor: Tutor) -> None:
    gauss = Random(7).gauss
    rows = [(gauss(0, 1), gauss(0, 1), gauss(0, 1)) for _ in range(120)]
    text = "".join(f"{a:.3f},{b:.3f},{a * b + abs(a) + 0.5 * noise:.3f}\n" for a, b, noise in rows)
    (tutor.folder / "d.csv").write_text(f"a,b,y\n{text}")
    found = typed(tutor, "train --data d.csv --task regression --hidden 32 --batch-size 8 --epochs 100")
    assert found["advice"]["kind"] == "oscillates"
    assert (
        typed(tutor, found["advice"]["commands"][0])["parts"]["training"]["loss"] < (found["parts"]["training"]["loss"])
    )


@pytest.mark.parametrize("options", ["--activation relu --optimizer sgd --learning-rate 3", "--learning-rate 0.01"])
def test_units_that_large_inputs_stopped_are_helped_by_a_common_scale_alone(tutor: Tutor, options: str) -> None:
    (tutor.folder / "d.csv").write_text(RAW)
    advised = typed(tutor, f"train --data d.csv {options}")["advice"]
    assert advised["kind"] in ("dead", "saturated") and len(advised["commands"]) == 1
    assert "--normalize zscore" in advised["commands"][0] and "epochs" not in advised["commands"][0]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
def test_inputs_of_large_size_are_named(tutor: Tutor, activation: str) -> None:
    (tutor.folder / "d.csv").write_text(RAW)
    advised = typed(tutor, f"train --data d.csv --activation {activation} --epochs 50")["advice"]
    assert "--normalize zscore" in advised["commands"][0], advised


# --- classes of different size


def rare(count: int = 400) -> tuple[str, Any, Any]:
    """A table in which one example of eight is of the second class, and the two overlap; its inputs and classes."""
    gauss = Random(2).gauss
    rows = [(gauss(0, 1) + 0.7 * (k % 8 == 1), gauss(0, 1), int(k % 8 == 1)) for k in range(count)]
    text = "amount,hour,fraud\n" + "".join(f"{a:.4f},{b:.4f},{'yes' if y else 'no'}\n" for a, b, y in rows)
    read = [[float(cell) for cell in line.split(",")[:2]] for line in text.splitlines()[1:]]
    return text, np.array(read), np.array([y for _, _, y in rows])


def test_a_weighted_loss_is_held_against_what_a_weighted_guess_loses(tutor: Tutor) -> None:
    text, x, y = rare()
    (tutor.folder / "d.csv").write_text(text)
    command = "train --data d.csv --hidden 0 --class-weights --batch-size 400 --epochs 200"
    found = typed(tutor, command)
    *w, b = found["weights"]
    p = 1 / (1 + np.exp(-(x @ np.array(w) + b)))
    losses, weight = (
        -np.log(np.where(y == 1, p, 1 - p)),
        np.where(y == 1, 400 / (2 * y.sum()), 400 / (2 * (1 - y).sum())),
    )
    assert found["parts"]["training"]["loss"] == pytest.approx(losses.mean())
    assert found["loss"] == pytest.approx((weight * losses).mean(), rel=1e-3)
    assert found["loss"] > losses.mean() and (weight * losses).mean() < 0.97 * np.log(2), (
        "which a guess loses, weighted"
    )
    shown = " ".join(tutor(*shlex.split(command)).stdout.split())
    assert "stands still above" not in shown and "nothing has been learned" not in shown
    assert "weighted by its class; all else is after it, and unweighted" in shown


def test_classes_that_count_for_too_little_are_given_weights(tutor: Tutor) -> None:
    text, _, _ = rare()
    (tutor.folder / "d.csv").write_text(text)
    found = typed(tutor, "train --data d.csv --hidden 4 --epochs 30")
    measured = found["measures"]["training"]
    assert measured["accuracy"] >= 0.87 and measured["balanced_accuracy"] < 0.56
    assert f"{100 * measured['balanced_accuracy']:.1f}%" in found["advice"]["seen"]
    first = found["advice"]["commands"][0]
    assert first.endswith("--class-weights")
    assert typed(tutor, first)["measures"]["training"]["balanced_accuracy"] > 0.6


def test_weights_of_classes_are_not_advised_where_the_steps_are_too_long(tutor: Tutor) -> None:
    text, _, _ = rare()
    (tutor.folder / "d.csv").write_text(text)
    advised = typed(tutor, "train --data d.csv --learning-rate 3 --epochs 30", None)["advice"]
    assert not any("--class-weights" in command for command in advised["commands"])
