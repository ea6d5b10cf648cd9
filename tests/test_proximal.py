"""`train --proximal`: soft-thresholding after each step, worked again in plain NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from networks import matrices

Array = Any


def table(folder: Path) -> tuple[Array, Array]:
    x = np.array([[((7 * i) % 20 - 9.5) / 8, ((3 * i) % 11 - 5.2) / 4] for i in range(20)])
    y = np.array([0.3 * a - 0.2 * a * b + 0.1 for a, b in x])
    lines = ["a,b,y", *(f"{float(a)!r},{float(b)!r},{float(c)!r}" for (a, b), c in zip(x, y, strict=True))]
    (folder / "d.csv").write_text("\n".join(lines) + "\n")
    return x, y


def soft(w: Array, width: float) -> Array:
    return np.sign(w) * np.maximum(np.abs(w) - width, 0)


def descended(layers: list[Array], x: Array, y: Array, epochs: int, size: int, rates: Any, shrink: Any) -> list[Array]:
    """tanh layers, a linear output, half the squared error; batches in the order of the table."""
    layers = [m.copy() for m in layers]
    for epoch in range(epochs):
        for start in range(0, len(x), size):
            rows, targets = x[start : start + size], y[start : start + size]
            passed, a = [], rows.T
            for k, m in enumerate(layers):
                wide = np.vstack([a, np.ones(a.shape[1])])
                z = m @ wide
                a = z if k == len(layers) - 1 else np.tanh(z)
                passed.append((wide, a))
            delta = (a - targets) / len(rows)
            gradients = []
            for k in reversed(range(len(layers))):
                wide, a = passed[k]
                if k < len(layers) - 1:
                    delta = delta * (1 - a**2)
                gradients.append(delta @ wide.T)
                delta = layers[k][:, :-1].T @ delta
            for m, gradient in zip(layers, reversed(gradients), strict=True):
                m -= rates(epoch) * gradient
                m[:, :-1] = shrink(m[:, :-1], rates(epoch))
    return layers


SHRINKS: dict[str, tuple[list[Any], Any]] = {
    "l1": (["--l1", 0.02], lambda w, rate: soft(w, rate * 0.02)),
    "elastic net": (
        ["--elastic-net", 0.05, "--penalty-setting", "l1_ratio=0.8"],
        lambda w, rate: soft(w, rate * 0.05 * 0.8) / (1 + 2 * rate * 0.05 * 0.2),
    ),
    "both, one after the other": (
        ["--l1", 0.02, "--elastic-net", 0.05],
        lambda w, rate: soft(soft(w, rate * 0.02), rate * 0.05 * 0.5) / (1 + 2 * rate * 0.05 * 0.5),
    ),
}


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize("form", ["straight-line", "matrix"])
@pytest.mark.parametrize("penalty", SHRINKS)
def test_steps_are_those_of_plain_numpy(tutor: Tutor, penalty: str, form: str, arithmetic: str) -> None:
    """Long enough for the matrices' generated code to work most of the updates."""
    options, shrink = SHRINKS[penalty]
    x, y = table(tutor.folder)
    hidden, size, epochs = ("3", 4, 60) if form == "straight-line" else ("10,6", 5, 60)
    base = ["--data", "d.csv", "--task", "regression", "--hidden", hidden, "--batch-size", size, "--no-shuffle"]
    base += ["--optimizer", "sgd", "--learning-rate", 0.1, "--arithmetic", arithmetic, "--seed", 2]
    base += ["--schedule", "inverse_time", *options, "--proximal"]
    found = tutor.json("train", *base, "--epochs", epochs)
    assert found["network"]["form"] == form
    tutor.json("train", *base, "--epochs", 1, "--save", "r.npz")
    from tutor.runs.run import load_run

    start = load_run(tutor.folder / "r.npz").states["initial"]["vector"]
    sizes = found["network"]["sizes"]
    right = descended(matrices(start, sizes), x, y, epochs, size, lambda e: 0.1 / (1 + e), shrink)
    ended = matrices(found["weights"], sizes)
    for one, asked in zip(ended, right, strict=True):
        assert one == pytest.approx(asked, rel=1e-8, abs=1e-10)
        assert ((one == 0) == (asked == 0)).all()
    assert sum(int((one[:, :-1] == 0).sum()) for one in ended) > 0


def test_weights_become_exactly_zero_as_they_do_not_by_the_slope(tutor: Tutor) -> None:
    base = ["train", "--data", "moons", "--hidden", 16, "--epochs", 30, "--l1", 0.01, "--layers"]
    base += ["--optimizer", "sgd", "--learning-rate", 0.3]
    by_slope, by_step = (
        [one["zero"] for one in tutor.json(*base, *more)["layers"][-2:]] for more in ([], ["--proximal"])
    )
    assert by_slope == [0, 0] and sum(by_step) >= 10


def test_biases_are_left_alone(tutor: Tutor) -> None:
    table(tutor.folder)
    found = tutor.json(
        "train", "--data", "d.csv", "--task", "regression", "--hidden", 4, "--l1", 5, "--proximal", "--epochs", 40
    )
    first, last = matrices(found["weights"], found["network"]["sizes"])
    assert (first[:, :-1] == 0).all() and (last[:, :-1] == 0).all() and last[0, -1] != 0


@pytest.mark.parametrize("hidden", ["2", "40,40"])
def test_resuming_is_exact(tutor: Tutor, hidden: str) -> None:
    base = ["--data", "moons", "--hidden", hidden, "--l1", 0.01, "--proximal"]
    whole = tutor.json("train", *base, "--epochs", 6)
    tutor.json("train", *base, "--epochs", 3, "--save", "r.npz")
    assert tutor.json("train", "--resume", "r.npz", "--epochs", 6)["weights"] == whole["weights"]


def test_a_lesson_takes_it_too(tutor: Tutor) -> None:
    plain = tutor.json("train", "mlp", "--epochs", 20, "--l1", 0.1)
    told = tutor.json("train", "mlp", "--epochs", 20, "--l1", 0.1, "--proximal")
    assert told["weights"] != plain["weights"] and told["settings"]["proximal"] is True


def test_the_adaptive_rule_shrinks_by_the_rate_of_its_step(tutor: Tutor) -> None:
    """Two updates by hand: w = x·w - y with E = half the square; the rate grows or falls with the sign of the change
    of E, and both the step and the soft threshold are of the rate that it has become."""
    (tutor.folder / "l.toml").write_text(
        'format = 1\ntitle = "t"\n[network]\ninputs = ["x"]\nloss = "half_squared_error"\n[[network.layers]]\n'
        'activation = "linear"\nweights = [[1]]\n[[examples]]\ninputs = [1]\ntargets = [3]\n[training]\n'
        'optimizer = "adaptive_sign"\nlearning_rate = 0.1\nl1 = 0.5\nproximal = true\nepochs = 4\n'
    )
    w, rate, change, before = 1.0, 0.1, 0.0, 0.0
    for t in range(4):
        error = (w - 3) ** 2 / 2
        new = 0.0 if t == 0 else error - before
        rate *= 1.05 if new * change > 0 else 0.7 if new * change < 0 else 1
        w = float(soft(np.array(w - rate * (w - 3)), rate * 0.5))
        change, before = new, error
    assert rate != 0.1
    assert tutor.json("train", "l.toml", "--epochs", 4)["weights"] == pytest.approx([w], rel=1e-12)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "no effect"),
        (["--l2", 0.1], "slope of l1 or elastic_net"),
        (["--hidden", 0, "--rule", "perceptron"], "no effect"),
    ],
)
def test_without_such_a_penalty_it_is_refused(tutor: Tutor, options: list[Any], said: str) -> None:
    done = tutor("train", "--data", "xor", "--proximal", *options)
    assert done.returncode == 2 and said in done.stderr
