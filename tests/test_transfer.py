"""Layers that keep their weights, weights from another training, and some of the classes of a data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from networks import matrices

Array = Any
FORMS = {"straight-line": ("3,2", 4), "matrix": ("12,12", 16)}


def in_layers(found: Any) -> list[Array]:
    return matrices(found["weights"], found["network"]["sizes"])


def first_weights(tutor: Tutor, base: list[Any]) -> list[Array]:
    from tutor.runs.run import load_run

    tutor.json("train", *base, "--epochs", 1, "--save", "first.npz", "--force")
    run = load_run(tutor.folder / "first.npz")
    return matrices(run.states["initial"]["vector"], run.architecture.sizes)


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "options",
    [
        ["--optimizer", "sgd", "--learning-rate", 0.3],
        ["--optimizer", "adamw", "--l2", 0.01],
        ["--l1", 0.02, "--proximal", "--clip-norm", 0.5],
        ["--update-order", "output-first", "--l1", 0.02, "--proximal"],
        ["--optimizer", "adaptive_sign", "--clip-value", 0.1],
    ],
    ids=str,
)
def test_a_frozen_layer_keeps_every_bit(tutor: Tutor, options: list[Any], form: str, arithmetic: str) -> None:
    """Long enough for the matrices' generated code to work most of the updates; every other layer learns."""
    hidden, size = FORMS[form]
    base = ["--data", "moons", "--hidden", hidden, "--batch-size", size, "--arithmetic", arithmetic, *options]
    start, last = first_weights(tutor, base), hidden.count(",") + 2
    for frozen in ("1", "output"):
        found = tutor.json("train", *base, "--epochs", 4, "--freeze", frozen)
        assert found["network"]["form"] == form
        for number, (before, after) in enumerate(zip(start, in_layers(found), strict=True), 1):
            kept = number == 1 if frozen == "1" else number == last
            assert np.array_equal(before, after) == kept


@pytest.mark.parametrize("form", FORMS)
def test_the_others_learn_as_if_it_were_a_constant(tutor: Tutor, form: str) -> None:
    """The output layer above a frozen one is logistic regression on what that one makes of the examples."""
    hidden, size = ("3", 4) if form == "straight-line" else ("60", 16)
    base = ["--data", "moons", "--hidden", hidden, "--batch-size", size, "--optimizer", "sgd", "--no-shuffle"]
    base += ["--learning-rate", 0.3, "--clip-norm", 0.2, "--l2", 0.05]
    from tutor.data.builtin import load

    data = load("moons", 0)
    first, last = first_weights(tutor, base)
    ones = np.ones((len(data.x), 1))
    features = np.hstack([np.tanh(np.hstack([data.x, ones]) @ first.T), ones])
    w = last[0]
    for start in [*range(0, len(features), size)] * 2:
        rows, y = features[start : start + size], data.y[start : start + size]
        gradient = (1 / (1 + np.exp(-rows @ w)) - y) @ rows / len(rows)
        gradient[:-1] += 2 * 0.05 * w[:-1]
        w = w - 0.3 * gradient * min(1, 0.2 / np.linalg.norm(gradient))
    found = tutor.json("train", *base, "--epochs", 2, "--freeze", 1)
    assert found["network"]["form"] == form
    assert in_layers(found)[1][0] == pytest.approx(w, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("hidden", ["3", "30,20"])
def test_resuming_with_a_frozen_layer_is_exact(tutor: Tutor, hidden: str) -> None:
    base = ["--data", "moons", "--hidden", hidden, "--freeze", 1]
    whole = tutor.json("train", *base, "--epochs", 4)
    tutor.json("train", *base, "--epochs", 2, "--save", "r.npz")
    again = tutor.json("train", "--resume", "r.npz", "--epochs", 4)
    assert again["weights"] == whole["weights"] and again["settings"]["freeze"] == ["1"]


def test_layers_are_named_as_they_are_told(tutor: Tutor) -> None:
    base = ["train", "--data", "moons", "--hidden", "4,4", "--epochs", 1]
    weights = [tutor.json(*base, *more)["weights"] for more in (["--freeze", "3"], ["--freeze", "output"])]
    assert weights[0] == weights[1]
    both = [tutor.json(*base, *more)["weights"] for more in (["--freeze", "1,2"], ["--freeze", 2, "--freeze", 1])]
    assert both[0] == both[1] != weights[0]
    assert "Layers 1 and 2 keep their weights" in tutor(*base, "--freeze", "1,2").stdout
    assert tutor.json("train", "mlp", "--freeze", 1, "--epochs", 2)["settings"]["freeze"] == ["1"]
    for layer, said in (("4", "layers 1 to 3"), ("first", "layers 1 to 3"), ("1,2,3", "leave one")):
        done = tutor(*base, "--freeze", layer)
        assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1
    done = tutor("train", "--data", "moons", "--hidden", 0, "--freeze", 1)
    assert done.returncode == 2 and "leave one" in done.stderr
    done = tutor("train", "--data", "moons", "--hidden", 4, "--freeze", 1, "--explain", 1)
    assert done.returncode == 2 and "--freeze" in done.stderr


FIVE = ["--data", "digits", "--classes", "0,1,2,3,4", "--epochs", 2, "--hidden", "12,9"]


def parameters(tutor: Tutor, name: str, which: str) -> list[Array]:
    from tutor.runs.run import load_run

    run = load_run(tutor.folder / name)
    return matrices(run.states[which]["vector"], run.architecture.sizes)


def test_layers_are_taken_as_far_as_their_sizes_agree(tutor: Tutor) -> None:
    tutor.json("train", *FIVE, "--save", "five.npz")
    learned = parameters(tutor, "five.npz", "last")
    base = ["--data", "digits", "--classes", "5,6,7", "--epochs", 2, "--save", "r.npz", "--force", "--seed", 4]
    for hidden, taken in (("12,9", 2), ("12,8", 1), ("12", 1), ("12,9,9", 2)):
        drawn = tutor.json("train", *base, "--hidden", hidden, "--epochs", 1)
        anew = parameters(tutor, "r.npz", "initial")
        found = tutor.json("train", *base, "--hidden", hidden, "--init-from", "five.npz", "--freeze", 1)
        begun, ended = parameters(tutor, "r.npz", "initial"), in_layers(found)
        for depth, layer in enumerate(begun):
            assert np.array_equal(layer, (learned if depth < taken else anew)[depth])
            assert np.array_equal(layer, ended[depth]) == (depth == 0)
        told = " ".join(found["data"]["remarks"])
        assert drawn["data"]["remarks"] == [] and "five.npz" in told
        assert ("Layers 1 and 2 begin" if taken == 2 else "Layer 1 begins") in told and "drawn anew" in told


def test_outputs_that_fit_are_taken_and_that_is_said(tutor: Tutor) -> None:
    tutor.json("train", *FIVE, "--save", "five.npz")
    again = tutor.json("train", *FIVE, "--init-from", "five.npz")
    assert again["data"]["remarks"] == ["Layers 1, 2 and 3 begin as five.npz has them."]
    other = [*FIVE[:3], "5,6,7,8,9", *FIVE[4:]]
    told = " ".join(tutor.json("train", *other, "--init-from", "five.npz", "--normalize", "zscore")["data"]["remarks"])
    assert "'0', '1', '2', '3' and '4'; here they stand for '5'" in told and "there not at all, here zscore" in told


@pytest.mark.parametrize("hidden", ["2", "16,16"])
def test_a_resumed_run_needs_no_origin(tutor: Tutor, hidden: str) -> None:
    """In both forms, to the same bits, with the file of the origin gone; and it keeps its own first weights."""
    tutor.json("train", "--data", "moons", "--hidden", hidden, "--epochs", 2, "--save", "o.npz")
    base = ["--data", "circles", "--hidden", hidden, "--init-from", "o.npz", "--freeze", 1]
    whole = tutor.json("train", *base, "--epochs", 4)
    tutor.json("train", *base, "--epochs", 2, "--save", "r.npz")
    first = parameters(tutor, "r.npz", "initial")
    (tutor.folder / "o.npz").unlink()
    assert tutor.json("train", "--resume", "r.npz", "--epochs", 4)["weights"] == whole["weights"]
    assert all(map(np.array_equal, parameters(tutor, "r.npz", "initial"), first))


def test_scales_of_batch_normalization_go_over(tutor: Tutor) -> None:
    base = ["--hidden", "4,4", "--batch-norm", "--epochs", 3]
    source = tutor.json("train", "--data", "moons", *base, "--save", "o.npz")["weights"]
    found = tutor.json("train", "--data", "circles", *base, "--init-from", "o.npz", "--freeze", "1,2")
    dense = (2 + 1) * 4 + (4 + 1) * 4
    for kept in (slice(0, dense), slice(dense + 5, dense + 13)):
        assert found["weights"][kept] == source[kept]
    assert "running averages" in " ".join(found["data"]["remarks"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "iris"], "takes 2 inputs, and this one 4"),
        (["--data", "moons", "--hidden", 5], "--hidden 4 fits it"),
        (["--data", "moons", "--activation", "relu"], "add --activation tanh"),
        (["--data", "moons", "--batch-norm"], "leave out --batch-norm"),
        (["--data", "moons", "--residual"], "leave out --residual"),
        (["--resume", "o.npz"], "settled in the saved run"),
        (["--data", "moons", "--folds", 3], "--folds"),
        (["--data", "moons", "--save", "o.npz"], "o.npz"),
        (["mlp"], "go with --data"),
    ],
)
def test_what_does_not_fit_is_refused(tutor: Tutor, options: list[Any], said: str) -> None:
    tutor.json("train", "--data", "moons", "--hidden", "4,4", "--epochs", 1, "--save", "o.npz")
    hidden = [] if "mlp" in options or "--hidden" in options or "--resume" in options else ["--hidden", "4,4"]
    done = tutor("train", *options, *hidden, "--init-from", "o.npz")
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1


def test_some_of_the_classes(tutor: Tutor) -> None:
    from tutor.data.builtin import load

    iris = load("iris", 0)
    base = ["train", "--data", "iris", "--epochs", 1, "--hidden", 3]
    by_name, by_number, apart = (
        tutor.json(*base, *which)
        for which in (["--classes", "virginica,setosa"], ["--classes", "0,2"], ["--classes", 2, "--classes", "setosa"])
    )
    assert by_name["weights"] == by_number["weights"] == apart["weights"]
    assert by_name["data"]["classes"] == ["setosa", "virginica"] and by_name["data"]["examples"] == 100
    lines = [",".join(map(str, row)) + f",{iris.classes[k]}" for row, k in zip(iris.x, iris.y, strict=True) if k != 1]
    (tutor.folder / "two.csv").write_text("\n".join(["a,b,c,d,kind", *lines]) + "\n")
    assert tutor.json("train", "--data", "two.csv", *base[3:])["weights"] == by_name["weights"]
    for classes, said in (("setosa", "two or more"), ("0,1,2", "no effect"), ("setos,1", "did you mean 'setosa'")):
        done = tutor(*base, "--classes", classes)
        assert done.returncode == 2 and said in done.stderr
    assert "values to predict" in tutor("train", "--data", "sine", "--classes", "0,1").stderr


def test_examples_of_other_classes_have_no_answer(tutor: Tutor) -> None:
    from tutor.data.builtin import load

    digits = load("digits", 0)
    tutor.json("train", *FIVE, "--save", "five.npz")
    found = tutor.json("predict", "five.npz", "--data", "digits")
    right = [one["class"] == str(k) for one, k in zip(found["predictions"], digits.y, strict=True) if k < 5]
    assert found["accuracy"] == pytest.approx(np.mean(right))
    header = ",".join([*(f"p{k}" for k in range(64)), "digit"])
    rows = [",".join(map(str, [*x, k])) for x, k in zip(digits.x[:200], digits.y[:200], strict=True)]
    (tutor.folder / "d.csv").write_text("\n".join([header, *rows]) + "\n")
    tutor.json("train", "--data", "d.csv", "--classes", "1,2,3", "--epochs", 2, "--save", "three.npz")
    again = tutor.json("predict", "three.npz", "--data", "d.csv")
    pairs = zip(again["predictions"], digits.y[:200], strict=True)
    right = [one["class"] == str(k) for one, k in pairs if k in (1, 2, 3)]
    assert again["accuracy"] == pytest.approx(np.mean(right))
    whole = tutor.json("train", "--data", "d.csv", "--classes", "1,2,3", "--epochs", 4)
    assert tutor.json("train", "--resume", "three.npz", "--epochs", 4)["weights"] == whole["weights"]


def test_folds_and_comparisons_take_some_of_the_classes(tutor: Tutor) -> None:
    assert tutor("train", "--data", "iris", "--classes", "0,1", "--folds", 2, "--epochs", 1).returncode == 0
    done = tutor("compare", "--data", "iris", "--classes", "0,1", "--vary", "hidden=2|3", "--epochs", 1, "--seeds", 1)
    assert done.returncode == 0 and "--classes setosa,versicolor" not in done.stderr
