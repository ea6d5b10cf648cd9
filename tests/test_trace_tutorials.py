"""Networks from scratch as public tutorials write them, and the arrays of other frameworks: right is right, and the line
with the mistake is found."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from trace_tutorials import TUTORIALS

from tutor.trace import Step


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_is_right_and_its_mistake_is_found(name: str) -> None:
    tutorial = TUTORIALS[name]
    right, wrong = (Step().record(**tutorial.run(mistake)).check(**tutorial.said) for mistake in (False, True))
    assert {a.verdict for a in right.arrays} <= {"right", "missing"} and not right.mistakes, str(right)
    first = next(a.name for a in wrong.arrays if a.verdict == "wrong")
    assert (first, *(m.id for m in wrong.mistakes)) == (tutorial.array, *tutorial.mistakes), str(wrong)
    # What is known is used: every array that was recorded is judged, but for those that are given.
    given = {"X", "y", "Y", *(f"{kind}{k}" for kind in "Wb" for k in (1, 2))}
    assert {a.name for a in right.arrays if a.verdict == "right"} == set(tutorial.run(False)) - given
    assert not right.remarks


# The arrays of other frameworks


def nested(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(value).tolist() for name, value in arrays.items()}


def dense(mistake: str = "") -> dict[str, Any]:
    """A step as JAX, TensorFlow or Flax print it: kernels (in, out), everything in single precision, and only what a
    training loop has in its hands."""
    r = np.random.default_rng(6)
    n = 8
    x, labels = r.normal(size=(n, 4)).astype(np.float32), np.array([0, 2, 1, 0, 2, 2, 1, 0])
    w1, b1 = r.normal(size=(4, 5)).astype(np.float32), np.zeros(5, np.float32)
    w2, b2 = r.normal(size=(5, 3)).astype(np.float32), np.zeros(3, np.float32)
    h = np.maximum(x @ w1 + b1, 0)
    logits = h @ w2 + b2
    e = np.exp(logits - logits.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    d2 = (p - np.eye(3, dtype=np.float32)[labels]) / np.float32(1 if mistake == "sum-for-mean" else n)
    d1 = (d2 @ w2.T) * (1 if mistake == "missing-slope" else h > 0)
    g1, g2 = x.T @ d1, h.T @ d2
    rate = np.float32(-0.01 if mistake == "ascent" else 0.01)
    return {
        "inputs": x,
        "labels": labels,
        "kernel1": w1,
        "bias1": b1,
        "kernel2": w2,
        "bias2": b2,
        "logits": logits,
        "loss": -np.mean(np.log(p[np.arange(n), labels])),
        "grad_kernel1": g1,
        "grad_bias1": d1.sum(0),
        "grad_kernel2": g2,
        "grad_bias2": d2.sum(0),
        "kernel1_new": w1 - rate * g1,
        "kernel2_new": w2 - rate * g2,
    }


@pytest.mark.parametrize("mistake", ["", "sum-for-mean", "missing-slope", "ascent"])
def test_nested_lists_of_other_frameworks(mistake: str, tutor: Tutor) -> None:
    (tutor.folder / "step.json").write_text(json.dumps(nested(dense(mistake))))
    said = ("--activation", "relu", "--loss", "cross_entropy", "--learning-rate", "0.01")
    done = tutor("trace", "step.json", *said, "--json")
    found = json.loads(done.stdout)
    assert [m["id"] for m in found["mistakes"]] == ([mistake] if mistake else []) and done.returncode == bool(mistake)
    assert found["conventions"]["precision"] == "single"
