"""Measures of what was learned, each worked again in plain Python from the predictions that are told."""

from __future__ import annotations

import json
from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from hypothesis import given
from hypothesis import strategies as st

from tutor.training.measures import majority, means_of, of_classes, of_values, roc_auc


def mean(values: Any) -> float:
    exact = [Fraction(value) for value in values]
    return float(sum(exact) / len(exact))


def of_pairs(scores: list[float], positive: list[bool]) -> float | None:
    """The share of the pairs in which the positive one is above, counted pair by pair."""
    ups = [s for s, p in zip(scores, positive, strict=True) if p]
    downs = [s for s, p in zip(scores, positive, strict=True) if not p]
    won = [1.0 if up > down else 0.5 if up == down else 0.0 for up in ups for down in downs]
    return mean(won) if won else None


def check_values(told: Any, right: list[float], said: list[float], guess: float) -> None:
    off = [a - b for a, b in zip(said, right, strict=True)]
    own = mean(right)
    assert told["rmse"] == pytest.approx(sqrt(mean([e * e for e in off])), rel=1e-9)
    assert told["mae"] == pytest.approx(mean([abs(e) for e in off]), rel=1e-9)
    r2 = 1 - sum(e * e for e in off) / sum((y - own) ** 2 for y in right)
    assert told["r2"] == pytest.approx(r2, rel=1e-9, abs=1e-12)
    assert told["baseline_rmse"] == pytest.approx(sqrt(mean([(guess - y) ** 2 for y in right])), rel=1e-9)
    assert told["baseline_mae"] == pytest.approx(mean([abs(guess - y) for y in right]), rel=1e-9)
    if "verdict" in told:
        assert (told["verdict"] == "worse than") == (told["rmse"] > told["baseline_rmse"])


def check_classes(told: Any, right: list[int], said: list[int], scores: list[list[float]], common: int) -> None:
    """`scores` has a list for each class."""
    pairs = list(zip(right, said, strict=True))
    recalls = []
    for k, one in enumerate(told["classes"]):
        hits = sum(r == s == k for r, s in pairs)
        there, taken = right.count(k), said.count(k)
        precision = hits / taken if taken else None
        recall = hits / there if there else None
        assert (one["examples"], one["precision"], one["recall"]) == (there, precision, recall)
        if there or taken:
            harmonic = 0.0 if not hits else 2 / (1 / (precision or 0) + 1 / (recall or 0))
            assert one["f1"] == pytest.approx(harmonic)
        else:
            assert one["f1"] is None
        area = of_pairs(scores[k], [r == k for r in right])
        assert one["roc_auc"] == (None if area is None else pytest.approx(area))
        recalls += [] if recall is None else [recall]
    assert told["accuracy"] == pytest.approx(mean([float(r == s) for r, s in pairs]))
    assert told["balanced_accuracy"] == pytest.approx(mean(recalls))
    assert told["baseline_accuracy"] == right.count(common) / len(right)
    met = [one for k, one in enumerate(told["classes"]) if k in right]
    for name, value in told["macro"].items():
        assert value == pytest.approx(mean([one[name] or 0.0 for one in met]))


def test_values_are_measured_part_by_part_in_their_own_unit(tutor: Tutor) -> None:
    rows = [(i % 13, (7 * i) % 11, 1000.0 + 3 * (i % 13) + 0.25 * i) for i in range(70)]
    (tutor.folder / "d.csv").write_text("a,b,price\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    options = ["--data", "d.csv", "--epochs", 10, "--target-scale", "--normalize", "zscore", "--save", "r.npz"]
    found = tutor.json("train", *options)
    told = tutor.json("predict", "r.npz", "--data", "d.csv")
    right, said = [row[2] for row in rows], [p["outputs"][0] for p in told["predictions"]]
    check_values(found["measures"]["training"], right, said, mean(right))
    check_values(told["measures"], right, said, mean(right))
    assert found["measures"]["training"]["outputs"][0]["name"] == "price"
    parts = tutor.json("train", *options[:-2], "--validation", 0.2, "--test", 0.2)["measures"]
    assert list(parts) == ["training", "held-out", "test"]


@pytest.mark.parametrize("data", ["iris", "moons", "digits"])
@pytest.mark.parametrize("activation", ["", "tanh"])
def test_classes_are_measured_from_what_is_guessed(tutor: Tutor, data: str, activation: str) -> None:
    options = ["--data", data, "--epochs", 2, "--hidden", 3, "--learning-rate", 0.01, "--save", "r.npz"]
    found = tutor.json("train", *options, *(["--output-activation", activation] if activation else []))
    told = tutor.json("predict", "r.npz", "--data", data)
    names = told["classes"]
    said = [names.index(p["class"]) for p in told["predictions"]]
    from tutor.data.builtin import load

    right = load(data, 0).y.astype(int).tolist()
    outputs = [p["outputs"] for p in told["predictions"]]
    scores = [[row[k] for row in outputs] for k in range(len(names))] if len(outputs[0]) > 1 else []
    scores = scores or [[-row[0] for row in outputs], [row[0] for row in outputs]]
    common = max(range(len(names)), key=lambda k: (right.count(k), -k))
    few = 400  # pairs are counted one by one
    if len(right) <= few:
        check_classes(found["measures"]["training"], right, said, scores, common)
        check_classes(told["measures"], right, said, scores, common)
    assert found["measures"]["training"]["baseline"] == f"always saying {names[common]}"
    assert found["measures"]["training"]["accuracy"] == pytest.approx(found["accuracy"])


@given(st.integers(2, 4).flatmap(lambda k: st.lists(
    st.tuples(st.integers(0, k - 1), st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=k, max_size=k)), min_size=1, max_size=12)))  # fmt: skip
def test_any_classes_and_outputs(examples: list[tuple[int, list[float]]]) -> None:
    """Classes without examples, classes that are never guessed, and ties."""
    from msgspec import to_builtins

    count = len(examples[0][1])
    right, scores = [y for y, _ in examples], [[row[k] for _, row in examples] for k in range(count)]
    said = [max(range(count), key=lambda k: (row[k], -k)) for _, row in examples]
    common = majority(np.array(right), count)
    assert right.count(common) == max(map(right.count, range(count)))
    found = of_classes(np.array(right), np.array(said), np.array(scores), [*"abcd"[:count]], common)
    check_classes(to_builtins(found), right, said, scores, common)
    assert (
        found.verdict
        == {-1: "worse than", 0: "no better than", 1: "better than"}[
            int(np.sign(round(len(right) * (found.accuracy - found.baseline_accuracy))))
        ]
    )


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.booleans()), min_size=2, max_size=15))
def test_any_values(examples: list[tuple[float, float, bool]]) -> None:
    y, said, positive = ([*column] for column in zip(*examples, strict=True))
    assert roc_auc(np.array(said), np.array(positive)) == (
        None if len({*positive}) == 1 else pytest.approx(of_pairs(said, positive))
    )
    values = np.array([y])
    found = of_values(values, np.array([said]), means_of(values))
    own = [float(Fraction(v) - sum(map(Fraction, y)) / len(y)) for v in y]
    assert found.baseline_rmse == pytest.approx(sqrt(mean([v * v for v in own])), rel=1e-6, abs=1e-9)
    assert found.rmse == pytest.approx(sqrt(mean([(a - b) ** 2 for a, b in zip(said, y, strict=True)])), rel=1e-9)
    assert (found.r2 is None) <= (max(y) - min(y) < 1e-3)


def test_predictions_stand_beside_the_guess_of_the_training_part(tutor: Tutor) -> None:
    """Examples that are all alike would else be guessed without an error; a run without that guess says whose it is."""
    (tutor.folder / "values.csv").write_text("a,y\n" + "".join(f"{i},{2.5 * i}\n" for i in range(40)))
    (tutor.folder / "classes.csv").write_text("a,y\n" + "".join(f"{i},{'pq'[i > 12]}\n" for i in range(40)))
    (tutor.folder / "same.csv").write_text("a,y\n" + "3,7.5\n" * 5)
    (tutor.folder / "rare.csv").write_text("a,y\n" + "3,p\n" * 5 + "30,q\n")
    for name, more, new in (("values", ["--task", "regression"], "same"), ("classes", [], "rare")):
        save = [*more, "--epochs", 3, "--validation", 0.25, "--save", f"{name}.json"]
        tutor("train", "--data", f"{name}.csv", *save)
        saved = json.loads((tutor.folder / f"{name}.json").read_text())
        told = tutor.json("predict", f"{name}.json", "--data", f"{new}.csv")["measures"]
        if name == "values":
            assert told["baseline"] == "predicting the mean" and told["baseline_rmse"] > 20
            assert told["baseline_rmse"] == pytest.approx(abs(saved["guess"][0] - 7.5))
        else:
            assert saved["guess"] == pytest.approx([1 / 3, 2 / 3], abs=0.02)
            assert (told["baseline"], told["baseline_accuracy"]) == ("always saying q", 1 / 6)
        for guess in ([], [0.5, 1, 2]):
            (tutor.folder / f"{len(guess)}.json").write_text(json.dumps({**saved, "guess": guess}))
        old = tutor.json("predict", "0.json", "--data", f"{new}.csv")["measures"]
        assert old["baseline"].endswith("of these examples")
        assert old["baseline_rmse"] == 0 if name == "values" else old["baseline_accuracy"] == 5 / 6
        done = tutor("predict", "3.json", "--data", f"{new}.csv")
        assert done.returncode == 2 and "'guess' is to have a finite number" in done.stderr


def test_a_class_without_examples_is_in_no_mean() -> None:
    """One that a network takes examples for: its recall is not known, and 0 would be a guess."""
    found = of_classes(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1]), np.eye(3)[[0, 2, 1, 1]].T, ["a", "b", "c"], 0)
    recalls = [np.mean([True, False]), np.mean([True, True])]
    assert found.balanced_accuracy == found.macro.recall == np.mean(recalls)
    assert found.macro.precision == 1 and found.classes[2].recall is None


@pytest.mark.parametrize(("more", "examples", "verdict"), [
    (0, 400, "no better than"), (1, 400, "about as good as"), (2, 400, "about as good as"), (3, 400, "better than"),
    (-1, 400, "about as good as"), (-3, 400, "worse than"), (1, 12, "better than"), (2, 4, "better than"),
])  # fmt: skip
def test_one_or_two_examples_of_many_make_no_difference(more: int, examples: int, verdict: str) -> None:
    y = np.arange(examples) % 2
    guessed = np.zeros(examples, int)
    start = 1 if more > 0 else 0  # one of the second class rightly taken for it, or of the first wrongly
    guessed[start : start + 2 * abs(more) : 2] = 1
    found = of_classes(y, guessed, guessed[None, :].astype(float), ["no", "yes"], 0)
    assert round(examples * (found.accuracy - found.baseline_accuracy)) == more and found.verdict == verdict


def test_numbers_without_a_measure_are_null() -> None:
    found = of_values(np.array([[1.0, 2.0]]), np.array([[np.inf, np.nan]]), [1.5])
    assert found.verdict == "not to be compared with" and not np.isfinite(found.rmse)
    assert of_values(np.array([[2.0, 2.0]]), np.array([[2.0, 1.0]]), [2.0]).r2 is None
    assert roc_auc(np.array([np.nan, 1.0]), np.array([True, False])) is None


def test_what_is_worse_than_a_guess_is_told_in_words(tutor: Tutor) -> None:
    """A network that has hardly moved, from targets far away; and classes of which one is rare."""
    (tutor.folder / "far.csv").write_text("a,y\n" + "".join(f"{i % 7},{1000.5 + i % 5}\n" for i in range(40)))
    bad = ["train", "--data", "far.csv", "--epochs", 2, "--learning-rate", 0.001]
    assert "worse than predicting the mean, with RMSE 1.41" in " ".join(tutor(*bad).stdout.split())
    rare = "a,kind\n" + "".join(f"{i % 9},{'rare' if i % 20 == 0 else 'usual'}\n" for i in range(80))
    (tutor.folder / "rare.csv").write_text(rare)
    options = ["train", "--data", "rare.csv", "--epochs", 40]
    for more in ([], ["--narrate"], ["--width", "40"]):
        shown = " ".join(tutor(*options, *more).stdout.split())
        assert "no better than always saying usual, which is right in 95.0%; balanced accuracy 50.0%" in shown
        assert "rare" in shown and "precision" in shown and "ROC-AUC" in shown


def test_a_lesson_and_a_divergence_are_measured_too(tutor: Tutor) -> None:
    assert tutor.json("train", "mlp", "--epochs", 5)["measures"]["training"]["rmse"] >= 0
    diverged = tutor.json(
        "train", "--data", "sine", "--optimizer", "sgd", "--learning-rate", 1e6, "--epochs", 40, fails=1
    )
    assert diverged["measures"]["training"]["verdict"] in ("worse than", "not to be compared with")


@pytest.mark.parametrize(("data", "hidden"), [("moons", 3), ("iris", 4)])
def test_probabilities_are_held_against_what_happens(tutor: Tutor, data: str, hidden: int) -> None:
    """Bin by bin from the predictions; of a probability of 0.7 the bin is above 0.6, up to 0.7."""
    found = tutor.json("train", "--data", data, "--epochs", 3, "--hidden", hidden, "--save", "r.npz")
    told = tutor.json("predict", "r.npz", "--data", data)
    from tutor.data.builtin import load

    names, right = told["classes"], load(data, 0).y.astype(int).tolist()
    bins: dict[int, list[tuple[float, bool]]] = {}
    for one, y in zip(told["predictions"], right, strict=True):
        p = one["outputs"]
        sure = max(p) if len(p) > 1 else max(p[0], 1 - p[0])
        k = next(k for k in range(10) if sure <= (k + 1) / 10)
        bins.setdefault(k, []).append((sure, names.index(one["class"]) == y))
    error = 0.0
    for known in (found["measures"]["training"]["calibration"], told["measures"]["calibration"]):
        for k, one in enumerate(known["bins"]):
            pairs = bins.get(k, [])
            assert (one["low"], one["high"], one["examples"]) == (k / 10, (k + 1) / 10, len(pairs))
            if pairs:
                assert one["confidence"] == pytest.approx(mean([sure for sure, _ in pairs]))
                assert one["accuracy"] == pytest.approx(mean([float(hit) for _, hit in pairs]))
        error = sum(abs(sum(s - h for s, h in pairs)) for pairs in bins.values()) / len(right)
        assert known["error"] == pytest.approx(error)
        gap = sum(s - h for pairs in bins.values() for s, h in pairs)
        assert known["overconfident"] == (gap > 0)
    for more in ([], ["--narrate"]):
        shown = " ".join(tutor("train", "--data", data, "--epochs", 3, "--hidden", hidden, *more).stdout.split())
        assert f"Calibration error {100 * error:.1f}%" in shown


def test_outputs_that_are_no_probabilities_have_no_calibration(tutor: Tutor) -> None:
    found = tutor.json("train", "--data", "moons", "--epochs", 1, "--output-activation", "tanh")
    assert found["measures"]["training"]["calibration"] is None


def test_which_side_is_larger_is_said_where_one_is(tutor: Tutor) -> None:
    """A distance of less than a hundredth on the whole is noise."""
    for options in (["--data", "iris", "--epochs", 300], ["--data", "noisy_moons", "--hidden", 64, "--epochs", 300],
                    ["--data", "moons", "--epochs", 1], ["--data", "digits", "--epochs", 30]):  # fmt: skip
        found = tutor.json("train", *options)["measures"]["training"]["calibration"]
        there = [one for one in found["bins"] if one["examples"]]
        count = [one["examples"] for one in there]
        apart = np.average([one["confidence"] - one["accuracy"] for one in there], weights=count)
        shown = " ".join(tutor("train", *options).stdout.split())
        assert f"Calibration error {100 * found['error']:.1f}%" in shown
        assert ("surer than it is right" in shown) == (apart >= 0.01)
        assert ("right more often than it is sure" in shown) == (apart <= -0.01)


@pytest.mark.parametrize(("typed", "said"), [
    ("--data moons", True), ("--data sine", True), ("--data iris", True), ("--data moons --validation 0.25", False),
    ("--data moons --test 0.2", False), ("--data xor", False), ("--data and", False),
])  # fmt: skip
def test_what_was_learned_from_is_no_measure_of_others(tutor: Tutor, typed: str, said: bool) -> None:
    """A gate has no other examples; where there are some, the option that is named holds them out."""
    shown = " ".join(tutor("train", *typed.split(), "--epochs", 2).stdout.split())
    told = "This is about examples that the network has learned from; --validation 0.25 shows how it does on others."
    assert (told in shown) == said
    if said:
        assert "Held-out: " in tutor("train", *typed.split(), "--epochs", 2, "--validation", 0.25).stdout
    assert told not in " ".join(tutor("train", "mlp", "--epochs", 2).stdout.split())
