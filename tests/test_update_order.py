"""`train --update-order output-first`: the lecture's algorithm, layer by layer from the output, in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from networks import matrices

Array = Any
Rule = Callable[[Array, Array, int, Any], Array]


def trained(
    layers: list[Array], x: Array, y: Array, epochs: int, size: int, rule: Rule, output_first: bool, l2: float = 0.0
) -> list[Array]:
    """tanh layers, a sigmoid output with binary cross-entropy; `rule` makes of a layer, its gradient, the number of the
    update and a place to keep something the new layer."""
    layers, kept, t = [m.copy() for m in layers], [{} for _ in layers], 0
    for _ in range(epochs):
        for start in range(0, len(x), size):
            rows, targets, t = x[start : start + size], y[start : start + size], t + 1
            passed, a = [], rows.T
            for k, m in enumerate(layers):
                wide = np.vstack([a, np.ones(a.shape[1])])
                z = m @ wide
                a = 1 / (1 + np.exp(-z)) if k == len(layers) - 1 else np.tanh(z)
                passed.append((wide, a))
            delta, old = (a - targets) / len(rows), [m.copy() for m in layers]
            for k in reversed(range(len(layers))):
                wide, a = passed[k]
                if k < len(layers) - 1:
                    delta = delta * (1 - a**2)
                gradient = delta @ wide.T
                gradient[:, :-1] += 2 * l2 * old[k][:, :-1]
                layers[k] = rule(old[k], gradient, t, kept[k])
                through = layers[k] if output_first else old[k]
                delta = through[:, :-1].T @ delta
    return layers


def sgd(w: Array, g: Array, t: int, kept: Any) -> Array:
    return w - 0.5 * g


def clipped(w: Array, g: Array, t: int, kept: Any) -> Array:
    return w - 0.5 * np.clip(g, -0.03, 0.03)


def adam(w: Array, g: Array, t: int, kept: Any) -> Array:
    m = kept["m"] = 0.9 * kept.get("m", 0) + 0.1 * g
    v = kept["v"] = 0.999 * kept.get("v", 0) + 0.001 * g**2
    return w - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


RULES: dict[str, tuple[Rule, list[Any], float]] = {
    "sgd": (sgd, ["--optimizer", "sgd", "--learning-rate", 0.5], 0),
    "with a penalty": (sgd, ["--optimizer", "sgd", "--learning-rate", 0.5, "--l2", 0.01], 0.01),
    "clipped": (clipped, ["--optimizer", "sgd", "--learning-rate", 0.5, "--clip-value", 0.03], 0),
    "adam": (adam, ["--optimizer", "adam", "--learning-rate", 0.05], 0),
}
X = np.array([[((7 * i) % 20 - 9.5) / 8, ((3 * i) % 11 - 5.2) / 4] for i in range(20)])
Y = (X[:, 0] * X[:, 1] > 0.1).astype(int)


def table(tutor: Tutor) -> None:
    rows = [f"{float(a)!r},{float(b)!r},{int(c)}" for (a, b), c in zip(X, Y, strict=True)]
    (tutor.folder / "d.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize("form", ["straight-line", "matrix"])
@pytest.mark.parametrize("name", RULES)
def test_the_weights_are_those_of_plain_numpy(tutor: Tutor, name: str, form: str, arithmetic: str) -> None:
    table(tutor)
    rule, options, l2 = RULES[name]
    hidden, size = ("3", 6) if form == "straight-line" else ("8,5", 6)
    base = ["--data", "d.csv", "--hidden", hidden, "--batch-size", size, "--no-shuffle", "--seed", 3, *options]
    base += ["--arithmetic", arithmetic]
    tutor.json("train", *base, "--epochs", 1, "--save", "r.npz")
    from tutor.runs.run import load_run

    start = load_run(tutor.folder / "r.npz").states["initial"]["vector"]
    sizes = [2, *map(int, hidden.split(",")), 1]
    for order, output_first in (("together", False), ("output-first", True)):
        found = tutor.json("train", *base, "--epochs", 12, "--update-order", order)
        assert found["network"]["form"] == form
        right = trained(matrices(start, sizes), X, Y, 12, size, rule, output_first, l2)
        other = trained(matrices(start, sizes), X, Y, 12, size, rule, not output_first, l2)
        for mine, asked, wrong in zip(matrices(found["weights"], sizes), right, other, strict=True):
            assert mine == pytest.approx(asked, rel=1e-9, abs=1e-11)
            assert np.abs(asked - wrong).max() > 1e-6


@pytest.mark.parametrize("hidden", ["3", "30,20"])
def test_resuming_is_exact(tutor: Tutor, hidden: str) -> None:
    base = ["--data", "moons", "--hidden", hidden, "--update-order", "output-first"]
    whole = tutor.json("train", *base, "--epochs", 4)
    tutor.json("train", *base, "--epochs", 2, "--save", "r.npz")
    again = tutor.json("train", "--resume", "r.npz", "--epochs", 4)
    assert again["weights"] == whole["weights"] and again["settings"]["update_order"] == "output-first"


def test_a_lesson_takes_it_too(tutor: Tutor) -> None:
    """The first update of the lecture's network by hand: the last weights agree with the right order, those before
    them do not."""
    right, told = (
        tutor.json("train", "mlp", "--epochs", 1, "--update-order", order)["weights"]
        for order in ("together", "output-first")
    )
    same = [a == b for a, b in zip(right, told, strict=True)]
    assert same[-1] and not same[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--hidden", 0], "no effect"),
        (["--hidden", 0, "--rule", "perceptron", "--batch-size", 1], "no effect"),
        (["--freeze", 1], "only one layer learns"),
        (["--clip-norm", 1], "--clip-value"),
        (["--explain", 1], "slip:updated-weight"),
    ],
)
def test_where_it_can_have_no_effect_it_is_refused(tutor: Tutor, options: list[Any], said: str) -> None:
    done = tutor("train", "--data", "xor", "--update-order", "output-first", *options)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_weight_that_layers_share_has_no_order(tutor: Tutor) -> None:
    (tutor.folder / "l.toml").write_text(
        'format = 1\ntitle = "t"\n[givens]\nW = 0.5\n[network]\ninputs = ["x"]\nloss = "half_squared_error"\n'
        '[[network.layers]]\nactivation = "tanh"\nweights = [["W"]]\n'
        '[[network.layers]]\nactivation = "linear"\nweights = [["W"]]\n'
        "[[examples]]\ninputs = [1]\ntargets = [2]\n[training]\nlearning_rate = 0.1\n"
    )
    done = tutor("train", "l.toml", "--update-order", "output-first")
    assert done.returncode == 2 and "share" in done.stderr, done.stderr
