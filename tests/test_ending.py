"""How a training ended, and what is advised: trainings of known kind, and what is said of each."""

from __future__ import annotations

import shlex
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import Tutor
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.training.trainer import Epoch
from tutor.training.trend import rising_since, trend_of

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


def files(folder: Path) -> None:
    """Labels that are pure noise; inputs far from 0; inputs that are all positive."""
    draw, gauss = Random(3).uniform, Random(4).gauss
    label = Random(5).choice
    tables = {
        "noise": [(gauss(0, 1), gauss(0, 1), label("nm")) for _ in range(80)],
        "raw": [(draw(1000, 9000), draw(-5000, -2000), label("nm")) for _ in range(80)],
        "far": [(draw(5, 9), draw(5, 9), "n" if i % 3 else "m") for i in range(80)],
    }
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text("a,b,y\n" + "".join(f"{a:.3f},{b:.3f},{c}\n" for a, b, c in rows))
    (folder / "big.csv").write_text(BIG)
    homes = [(area := draw(40, 220), draw(0, 9000), 2800 * area + gauss(0, 30000)) for _ in range(120)]
    (folder / "prices.csv").write_text("a,b,y\n" + "".join(f"{a:.1f},{b:.0f},{y:.0f}\n" for a, b, y in homes))


KNOWN = {
    "a few epochs": ("falls", "moons --epochs 3 --learning-rate 0.001", "--epochs 6"),
    "tiny steps": ("falls", "xor --optimizer sgd --learning-rate 0.01 --epochs 60", "--epochs 120"),
    "steps far too small": ("falls", "moons --optimizer sgd --learning-rate 0.00001", "--learning-rate 0.0001"),
    "values": ("falls", "sine --learning-rate 0.001 --epochs 40", "--epochs 80"),
    "steps too long": ("oscillates", "sine --learning-rate 0.5 --batch-size 8 --epochs 60", "--learning-rate 0.05"),
    "noise": ("settled", "noise.csv --hidden 0 --epochs 200 --learning-rate 0.05", "--hidden 16"),
    "noise in small batches": (
        "stuck",
        "noise.csv --hidden 0 --epochs 100 --batch-size 8 --learning-rate 0.05",
        "--hidden 16",
    ),
    "no line": ("stuck", "circles --hidden 0 --epochs 80 --learning-rate 0.01", "--hidden 16"),
    "deep and flat": ("stuck", "moons --hidden 8,8,8,8,8 --activation sigmoid --optimizer sgd --epochs 40", "relu"),
    "a line through a sine": ("settled", "sine --hidden 0 --epochs 100 --learning-rate 0.05", "--hidden 16"),
    "copies": ("identical", "moons --init zeros --epochs 30", "--init xavier"),
    "copies of three classes": ("identical", "iris --init zeros --activation sigmoid --epochs 60", "--init xavier"),
    "dead": ("dead", "far.csv --activation relu --hidden 4 --optimizer sgd --learning-rate 20", "leaky_relu"),
    "saturated": ("saturated", "raw.csv --epochs 60 --learning-rate 0.01", "--normalize zscore"),
    "by heart": ("overfits", "noise.csv --hidden 64 --validation 0.4 --epochs 400 --learning-rate 0.02", "--patience"),
    "iris by heart": ("overfits", "iris --hidden 32,32 --validation 0.5 --epochs 400 --learning-rate 0.02", "--l2"),
    "one unit": ("not separable", "xor --hidden 1", "--hidden 4"),
    "an explosion": (
        "diverged",
        "big.csv --hidden 0 --optimizer sgd --learning-rate 0.001 --task regression",
        "zscore",
    ),
    "an explosion of scaled inputs": (
        "diverged",
        "big.csv --hidden 0 --optimizer sgd --learning-rate 9 --task regression --normalize zscore",
        "--learning-rate 0.9",
    ),
    "values of large size": ("unscaled", "prices.csv --task regression", "--normalize zscore --target-scale"),
    "values of large size, inputs scaled": (
        "unscaled",
        "prices.csv --task regression --normalize zscore --activation relu",
        "--normalize zscore --target-scale",
    ),
    "copies and values of large size": ("identical", "prices.csv --task regression --init zeros", "--init xavier"),
    "an explosion of values": (
        "diverged",
        "prices.csv --task regression --optimizer sgd --normalize zscore",
        "--normalize zscore --target-scale",
    ),
    "done": (None, "and --epochs 400 --learning-rate 0.1", ""),
    "all right": (None, "circles --learning-rate 0.05 --epochs 100", ""),
    "the perceptron rule": (None, "and --rule perceptron --hidden 0", ""),
}


@pytest.mark.parametrize("name", KNOWN)
def test_advice_is_what_the_training_shows(tutor: Tutor, name: str) -> None:
    """Each with the whole command, which changes what was typed and nothing else."""
    kind, typed, change = KNOWN[name]
    files(tutor.folder)
    words = ["train", "--data", *typed.split()]
    found = tutor.json(*words, fails=int(kind == "diverged"))
    advised = found.get("advice")
    if kind is None:
        assert advised is None
        return
    assert advised["kind"] == kind, advised
    assert any(change in command for command in advised["commands"]), advised
    shown = tutor(*words, COLUMNS="200").stdout
    assert advised["seen"] in shown and (kind == "falls" or "still falling" not in shown)
    for command in advised["commands"]:
        assert command.startswith(f"tutor train --data {typed.split()[0]} ") and command in shown
        assert tutor(*shlex.split(command)[1:], "--epochs", 7).returncode in (0, 1)


@pytest.mark.parametrize("typed", ["", "--normalize zscore", "--optimizer sgd", "--activation relu"])
def test_the_first_advice_about_values_of_large_size_helps(tutor: Tutor, typed: str) -> None:
    files(tutor.folder)
    words = ["--data", "prices.csv", "--task", "regression", *typed.split()]
    advised = tutor.json("train", *words, fails=int("sgd" in typed))["advice"]
    first = shlex.split(advised["commands"][0])[1:]
    assert tutor.json(*first)["measures"]["training"]["r2"] > 0.8


def test_units_that_inputs_of_large_size_killed_live_on_a_common_scale(tutor: Tutor) -> None:
    rows = "".join(f"{40 + 7 * i % 41},{20 + 11 * i % 53},{'n' if 7 * i % 41 > 20 else 'm'}\n" for i in range(80))
    (tutor.folder / "large.csv").write_text("a,b,y\n" + rows)
    typed = "train --data large.csv --activation relu --optimizer sgd --learning-rate 3"
    found = tutor.json(*shlex.split(typed))
    assert found["advice"]["kind"] == "dead" and "--normalize zscore" in found["advice"]["commands"][0]
    assert tutor.json(*shlex.split(found["advice"]["commands"][0])[1:])["loss"] < 0.1 < 0.6 < found["loss"]


def test_steps_far_too_small_are_made_longer_until_the_network_learns(tutor: Tutor) -> None:
    """Whoever types the first command that is advised, again and again, comes to a network that has learned."""
    words = shlex.split("train --data moons --optimizer sgd --learning-rate 0.00001")
    for _ in range(5):
        found = tutor.json(*words)
        if found["loss"] < 0.66:
            break
        words = shlex.split(found["advice"]["commands"][0])[1:]
    assert found["loss"] < 0.66, "a constant guess loses 0.69"


def test_what_an_explosion_leaves_is_told_in_few_digits(tutor: Tutor) -> None:
    files(tutor.folder)
    typed = "train --data prices.csv --task regression --hidden 0 --optimizer sgd"
    shown = tutor(*shlex.split(typed), COLUMNS="200").stdout
    told = next(line for line in shown.splitlines() if line.startswith("Training: RMSE"))
    assert "e+" in told.split("R² ")[1].split(";")[0] and len(told) < 200


def test_more_epochs_are_not_advised_to_a_training_that_stopped_early(tutor: Tutor) -> None:
    """It would stop at the same epoch again, to the same bits."""
    files(tutor.folder)
    typed = ["--data", "noise.csv", "--validation", 0.4, "--learning-rate", "0.02", "--patience", 3]
    found = tutor.json("train", *typed)
    assert (
        found["ended"].startswith("stopped early")
        and tutor.json("train", *typed, "--epochs", 200)["loss"] == found["loss"]
    )
    assert "more epochs would end the same" in found["advice"]["seen"]
    assert not any("--epochs" in command for command in found["advice"]["commands"]) and found["advice"]["commands"]


def test_advice_for_a_lesson_and_for_a_saved_run_can_be_typed(tutor: Tutor) -> None:
    of_lesson = tutor.json("train", "mlp", "--epochs", 20)["advice"]
    assert of_lesson["commands"] == ["tutor train mlp --epochs 40"]
    files(tutor.folder)
    slowly = ["--data", "xor", "--optimizer", "sgd", "--learning-rate", "0.01", "--epochs", 60]
    assert tutor("train", *slowly, "--save", "r.npz").returncode == 0
    resumed = tutor.json("train", "--resume", "r.npz", "--epochs", 70)["advice"]
    longer = "tutor train --data xor --optimizer sgd --learning-rate 0.1 --epochs 70"
    assert resumed["commands"] == [longer, "tutor train --resume r.npz --epochs 140"]
    noise = ["--data", "noise.csv", "--hidden", 0, "--learning-rate", "0.05"]
    assert tutor("train", *noise, "--epochs", 100, "--save", "n.npz").returncode == 0
    (first,) = tutor.json("train", "--resume", "n.npz", "--epochs", 120)["advice"]["commands"]
    assert first == "tutor train --data noise.csv --hidden 16 --learning-rate 0.05 --epochs 120"


@given(st.integers(0, 10**6), st.integers(30, 200), st.floats(0.001, 0.05))
def test_noise_about_a_level_is_no_fall(seed: int, count: int, spread: float) -> None:
    """As it is told from noise: by chance hardly once in a million."""
    gauss = Random(seed).gauss
    assert trend_of([1 + spread * gauss(0, 1) for _ in range(count)]) != "falls"
    assert trend_of([(1 + 0.1 * spread * gauss(0, 1)) * 0.97**k for k in range(count)]) == "falls"


def test_a_loss_that_stays_above_a_constant_guess_wants_longer_steps_first(tutor: Tutor) -> None:
    """The biases alone would bring it down that far."""
    told = tutor("train", "--data", "moons", "--optimizer", "sgd", "--learning-rate", 0.00001, "--epochs", 20).stdout
    assert "stands still above" in told
    assert told.index("--learning-rate 0.0001 ") < told.index("--hidden 32")


def course(held_out: list[float]) -> list[Epoch]:
    """A training loss that falls all the way, beside these held-out losses."""
    return [Epoch(k, 1 / k, None, loss, None) for k, loss in enumerate(held_out, 1)]


@settings(max_examples=200)
@given(st.integers(0, 10**6), st.integers(20, 200), st.sampled_from([0.02, 0.05, 0.1]))
def test_a_held_out_loss_that_goes_up_and_down_does_not_rise(seed: int, count: int, spread: float) -> None:
    """One loss that happens to be low, as the smallest of many is, is no turning point."""
    gauss = Random(seed).gauss
    losses = [1 + spread * gauss(0, 1) for _ in range(count)]
    losses[count // 3] = 1 - 4 * spread
    assert rising_since(course(losses)) is None


@settings(max_examples=200)
@given(st.integers(0, 10**6), st.integers(40, 200), st.sampled_from([0.0, 0.01, 0.03]))
def test_a_held_out_loss_that_turns_is_seen_to_rise_from_there(seed: int, count: int, spread: float) -> None:
    """From a third of the training on it grows from 1 to 1.5."""
    gauss, turn = Random(seed).gauss, count // 3
    away = [(k - turn) / (turn if k < turn else count - turn) for k in range(count)]
    since = rising_since(course([1 + 0.5 * abs(x) + spread * gauss(0, 1) for x in away]))
    assert since is not None and abs(since - 1 - turn) <= count // 5


def test_the_best_of_several_that_have_learned_nothing_is_said_to_be_no_better_than_a_guess(tutor: Tutor) -> None:
    command = ["compare", "--data", "moons", "--epochs", "5", "--init", "zeros", "--optimizer", "sgd", "--seeds", "2"]
    told = tutor(*command, "--vary", "learning-rate=0.0000001,0.000001").stdout
    assert "Yet no run of any setting loses clearly less on its training part than a constant guess" in " ".join(
        told.split()
    )
    told = tutor(*command, "--vary", "init=zeros,xavier", "--learning-rate", "0.3").stdout
    assert "constant guess" not in told
