"""What `--layers` tells of a training, worked again in plain NumPy from the weights that the training ends with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from networks import matrices

Array = Any
FUNCTIONS = {
    "linear": (lambda z: z, lambda z: np.ones_like(z)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
}
STEEPEST = {"linear": 1.0, "sigmoid": 0.25, "tanh": 1.0, "relu": 1.0, "leaky_relu": 1.0}


def looked_into(
    layers: list[Array], x: Array, y: Array, hidden: str, earlier: list[Array] | None
) -> list[dict[str, Any]]:
    """Half the squared error of a linear output, backpropagated example by example."""
    names = [hidden] * (len(layers) - 1) + ["linear"]
    gradients = [np.zeros_like(m) for m in layers]
    outputs: list[list[Array]] = [[] for _ in layers]
    slopes: list[list[Array]] = [[] for _ in layers]
    signals = [0.0] * len(layers)
    for row, target in zip(x, y, strict=True):
        a, passed = row, []
        for m, name in zip(layers, names, strict=True):
            wide = np.append(a, 1.0)
            z = m @ wide
            value, slope = FUNCTIONS[name]
            a = value(z)
            passed.append((wide, slope(z), a))
        delta = a - target
        for k in reversed(range(len(layers))):
            wide, slope, a = passed[k]
            delta = delta * slope
            gradients[k] += np.outer(delta, wide) / len(x)
            signals[k] += float(delta @ delta) / len(x)
            outputs[k].append(a)
            slopes[k].append(slope)
            delta = layers[k][:, :-1].T @ delta
    found = []
    for k, m in enumerate(layers):
        w, last = m[:, :-1], k == len(layers) - 1
        steep = np.array(slopes[k])
        copies = [any(np.array_equal(m[i], m[j]) for j in range(len(m)) if j != i) for i in range(len(m))]
        change = None if earlier is None else np.linalg.norm(w - earlier[k][:, :-1]) / np.linalg.norm(w)
        found.append({
            "layer": k + 1,
            "gradient_norm": np.linalg.norm(gradients[k][:, :-1]),
            "signal_norm": np.sqrt(signals[k]),
            "activation_mean": np.mean(outputs[k]),
            "activation_spread": np.std(outputs[k]),
            "dead": None if last else np.mean((steep == 0).all(axis=0)),
            "saturated": None if last else np.mean(steep < 0.01 * STEEPEST[names[k]]),
            "identical": np.mean(copies),
            "update_ratio": change,
            "zero": int((w == 0).sum()),
            "near_zero": int((np.abs(w) < 0.001).sum()),
            "weight_norm": np.linalg.norm(w),
        })  # fmt: skip
    return found


def table(folder: Path, inputs: float = 1.0) -> tuple[Array, Array]:
    """Twenty examples, written with all of their digits."""
    x = np.array([[inputs * ((7 * i) % 20 - 9.5) / 8, inputs * ((3 * i) % 11 - 5.2) / 4] for i in range(20)])
    y = np.array([[0.3 * a - 0.2 * a * b + 0.1] for a, b in x])
    lines = ["a,b,y", *(f"{float(a)!r},{float(b)!r},{float(c[0])!r}" for (a, b), c in zip(x, y, strict=True))]
    (folder / "d.csv").write_text("\n".join(lines) + "\n")
    return x, y


def check(told: list[dict[str, Any]], right: list[dict[str, Any]], epoch: int) -> None:
    assert [one["epoch"] for one in told] == [epoch] * len(right)
    for one, asked in zip(told, right, strict=True):
        for name, value in asked.items():
            assert one[name] == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-14)), name


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize("form", ["straight-line", "matrix"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky_relu"])
def test_layers_are_those_of_plain_numpy(tutor: Tutor, arithmetic: str, form: str, activation: str) -> None:
    x, y = table(tutor.folder, 3.0)
    size = ["--hidden", "3,2", "--batch-size", 1] if form == "straight-line" else ["--hidden", "12,5,5"]
    base = ["--data", "d.csv", "--task", "regression", "--activation", activation, "--arithmetic", arithmetic, *size]
    base += ["--optimizer", "sgd", "--learning-rate", 0.05, "--seed", 3]
    whole = tutor.json("train", *base, "--epochs", 3, "--layers")
    assert whole["network"]["form"] == form
    sizes = whole["network"]["sizes"]
    depth, earlier = len(sizes) - 1, None
    assert len(whole["layers"]) == 4 * depth
    for epoch in (2, 3):
        ended = matrices(tutor.json("train", *base, "--epochs", epoch)["weights"], sizes)
        if epoch == 3:
            check(whole["layers"][3 * depth :], looked_into(ended, x, y, activation, earlier), 3)
        earlier = ended
    assert all(one["update_ratio"] is None and one["epoch"] == 0 for one in whole["layers"][:depth])


@pytest.mark.parametrize("size", [["--hidden", "3"], ["--hidden", "40,40"]])
def test_looking_changes_nothing(tutor: Tutor, size: list[str]) -> None:
    base = ["train", "--data", "moons", *size, "--epochs", 7, "--validation", 0.3, "--patience", 3]
    plain, watched = tutor.json(*base), tutor.json(*base, "--layers")
    assert "layers" not in plain
    assert {n: v for n, v in watched.items() if n not in ("layers", "seconds")} == {
        n: v for n, v in plain.items() if n != "seconds"
    }


def test_dead_units_copies_and_zeros_are_seen(tutor: Tutor) -> None:
    """All weights 0: every unit is a copy, no ReLU has a slope, nothing moves but the last bias."""
    table(tutor.folder)
    told = tutor.json(
        "train", "--data", "d.csv", "--task", "regression", "--init", "zeros", "--activation", "relu", "--hidden", "4", "--epochs", 2, "--layers"
    )["layers"]  # fmt: skip
    for one in told:
        first = one["layer"] == 1
        assert (one["dead"], one["identical"]) == ((1.0, 1.0) if first else (None, 0.0))
        assert (one["zero"], one["near_zero"]) == ((8, 8) if first else (4, 4))
        assert one["gradient_norm"] == 0 and one["update_ratio"] is None


SHARED = """format = 1
title = "A convolution"
[givens]
w1 = 0.5
w2 = -0.4
[network]
inputs = ["X1", "X2", "X3"]
loss = "half_squared_error"
[[network.layers]]
activation = "tanh"
weights = [["w1", "w2", ""], ["", "w1", "w2"]]
[[network.layers]]
activation = "sigmoid"
weights = [[-0.2, 0.3]]
[[examples]]
inputs = [0.1, 0.3, -0.4]
targets = [0.3]
[[examples]]
inputs = [0.4, -0.3, 0.7]
targets = [0.9]
[training]
learning_rate = 0.5
"""


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
def test_shared_weights_count_once_and_absent_ones_not_at_all(tutor: Tutor, arithmetic: str) -> None:
    """A tiny convolution without biases; gradients by differences of the mean loss."""
    (tutor.folder / "l.toml").write_text(SHARED)
    told = tutor.json("train", "l.toml", "--epochs", 4, "--arithmetic", arithmetic, "--layers")
    x, y = np.array([[0.1, 0.3, -0.4], [0.4, -0.3, 0.7]]), np.array([0.3, 0.9])

    def loss(w: Array) -> float:
        hidden = np.tanh(np.stack([x[:, 0] * w[0] + x[:, 1] * w[1], x[:, 1] * w[0] + x[:, 2] * w[1]]))
        return float(np.mean((1 / (1 + np.exp(-(w[2:] @ hidden))) - y) ** 2 / 2))

    w, step = np.array(told["weights"]), 1e-6
    assert len(w) == 4
    slope = np.array([(loss(w + step * e) - loss(w - step * e)) / (2 * step) for e in np.eye(4)])
    first, second = told["layers"][-2:]
    assert first["gradient_norm"] == pytest.approx(np.linalg.norm(slope[:2]), rel=1e-6)
    assert second["gradient_norm"] == pytest.approx(np.linalg.norm(slope[2:]), rel=1e-6)
    assert first["weight_norm"] == pytest.approx(np.linalg.norm(w[:2])) and first["zero"] == 0


def test_a_rule_without_gradients_has_none(tutor: Tutor) -> None:
    told = tutor.json("train", "--data", "xor", "--hidden", 0, "--rule", "perceptron", "--epochs", 2, "--layers")
    assert all(one["gradient_norm"] is one["signal_norm"] is one["dead"] is None for one in told["layers"])
    assert all(0 <= one["activation_mean"] <= 1 for one in told["layers"])


@pytest.mark.parametrize("more", [["--narrate"], ["--width", "40"], ["--width", "100"]])
def test_layers_are_shown_and_told(tutor: Tutor, more: list[str]) -> None:
    deep = ["train", "--data", "moons", "--hidden", "8,8,8,8", "--activation", "sigmoid", "--epochs", 9, "--layers"]
    said = " ".join(tutor(*deep, *more).stdout.split())
    for words in ("Layer by layer", "gradient of layer 1 is", "saturated", "These are 3 of 10 moments"):
        assert words in said
    told = tutor.json(*deep)["layers"]
    ratio = told[0]["gradient_norm"] / told[4]["gradient_norm"]
    assert f"Before training the gradient of layer 1 is {ratio:.3g} times" in said


@pytest.mark.parametrize("option", [["--folds", "3"], ["--explain", "1"]])
def test_layers_are_of_one_whole_training(tutor: Tutor, option: list[str]) -> None:
    assert "--layers" in tutor("train", "--data", "xor", "--layers", *option).stderr


def test_a_resumed_training_is_looked_into_from_where_it_goes_on(tutor: Tutor) -> None:
    base = ["train", "--data", "moons", "--hidden", 3, "--layers"]
    whole = tutor.json(*base, "--epochs", 4)["layers"]
    tutor.json(*base, "--epochs", 2, "--save", "r.npz")
    rest = tutor.json("train", "--resume", "r.npz", "--epochs", 4, "--layers")["layers"]
    assert [one["epoch"] for one in rest] == [2, 2, 3, 3, 4, 4]
    assert rest[2:] == whole[6:]


def test_what_was_measured_before_a_divergence_is_kept() -> None:
    """A training that diverges in its first epoch had layers before it."""
    from tutor.experiments.experiment import Run, Source, train_once
    from tutor.experiments.measures import read_measure
    from tutor.training.settings import Settings

    before, at_the_end = read_measure("signal_norm(layer = 1, epoch = 0)"), read_measure("signal_norm(layer = 1)")
    quiet, loud = Settings(epochs=1, optimizer="sgd"), Settings(epochs=1, optimizer="sgd", learning_rate=1e200)
    found = [train_once(Run(Source("sine"), wanted, (before, at_the_end))) for wanted in (quiet, loud)]
    assert found[0] is not None and found[1] is not None and found[1].diverged and not found[1].history
    assert found[0].measured[before] == found[1].measured[before] > 0
    assert not found[1].measured[at_the_end] < np.inf
