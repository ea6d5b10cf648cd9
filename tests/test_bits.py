"""Trainings whose final weights are kept, bit by bit: the same on every machine and after every change of the program.

`python tests/test_bits.py` writes tests/bits.json anew, from the commands below. Do that only where an arithmetic is to
change, and say so: whoever has resumed or published a training counts on the old bits.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from itertools import pairwise
from math import exp, sqrt, tanh
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from conftest import Tutor, in_its_own

KEPT = Path(__file__).with_name("bits.json")
TABLE = "a,b,class\n" + "".join(f"{n % 7 / 4},{n % 5 / 8},{'pqr'[n * n % 11 % 3]}\n" for n in range(40))
WORKED = {
    "xor, tanh, adam": "--data xor --hidden 3 --batch-size 4 --epochs 40 --optimizer adam --learning-rate 0.1",
    "table, sigmoid, softmax, momentum, l2": (
        "--data d.csv --normalize minmax --hidden 4 --activation sigmoid --batch-size 40 --epochs 25 --optimizer momentum"
        " --learning-rate 0.5 --l2 0.01"
    ),
    "table, relu, one example at a time": (
        "--data d.csv --normalize minmax --hidden 3 --activation relu --batch-size 1 --no-shuffle --epochs 2"
        " --optimizer sgd --learning-rate 0.05"
    ),
}
"""Those that are worked here too, in plain Python."""
TRAININGS = WORKED | {
    "moons, elu, nadam": (
        "--data moons --hidden 3,2 --activation elu --batch-size 10 --epochs 3 --optimizer nadam --learning-rate 0.02"
        " --schedule cosine --clip-norm 0.5 --seed 4"
    ),
    "circles, batch norm, dropout": (
        "--data circles --hidden 6 --activation softplus --batch-norm --dropout 0.25 --epochs 3 --optimizer adamw"
        " --learning-rate 0.01 --seed 5"
    ),
    "moons, residual": (
        "--data moons --hidden 4,4,4 --residual --stochastic-depth 0.3 --init he --epochs 3 --optimizer nesterov"
        " --learning-rate 0.05 --seed 6"
    ),
    "iris, leaky relu, dropconnect": (
        "--data iris --hidden 4 --activation leaky_relu --dropconnect 0.2 --class-weights --validation 0.2 --epochs 4"
        " --optimizer rmsprop --learning-rate 0.01 --l1 0.001 --augment noise=0.1 --seed 7"
    ),
    "sine, prelu, adagrad": (
        "--data sine --hidden 5 --activation prelu --batch-size 8 --epochs 4 --optimizer adagrad --learning-rate 0.1"
        " --loss mean_squared_error --clip-value 0.3 --seed 8"
    ),
    "digits in slices": (
        "--data digits --hidden 2 --activation tanh --output-activation sigmoid --loss half_squared_error --epochs 1"
        " --optimizer adadelta --learning-rate 1 --seed 9"
    ),
}


def trained(tutor: Tutor, options: str) -> dict[str, Any]:
    (tutor.folder / "d.csv").write_text(TABLE)
    return tutor.json("train", *shlex.split(options))  # type: ignore[no-any-return]


def bits(document: dict[str, Any]) -> dict[str, Any]:
    """Every weight, and the loss of every epoch."""
    losses = [epoch["loss"] for epoch in document["history"]]
    return {
        "form": document["network"]["form"],
        "weights": [float(weight).hex() for weight in document["weights"]],
        "losses": [float(loss).hex() for loss in losses],
    }


@pytest.mark.parametrize("name", TRAININGS)
def test_the_bits_are_those_that_were_kept(tutor: Tutor, name: str) -> None:
    assert bits(trained(tutor, TRAININGS[name])) == json.loads(KEPT.read_text())[name]


def test_both_forms_and_many_kinds_are_kept() -> None:
    kept = json.loads(KEPT.read_text())
    assert set(kept) == set(TRAININGS) and {entry["form"] for entry in kept.values()} == {"straight-line", "matrix"}


# The same in plain Python, where only the first weights are the program's.

Examples = list[tuple[list[float], list[float]]]
ACTIVATIONS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "tanh": (tanh, lambda a: 1 - a * a),
    "sigmoid": (lambda z: 1 / (1 + exp(-z)), lambda a: a * (1 - a)),
    "relu": (lambda z: max(z, 0.0), lambda a: float(a > 0)),
}
"""And the slope by what comes out."""


def rows_of(weights: list[float], sizes: list[int]) -> list[list[list[float]]]:
    """A row a neuron, its bias at the end, as --json has them."""
    left = iter(weights)
    return [[[next(left) for _ in range(before + 1)] for _ in range(after)] for before, after in pairwise(sizes)]


def gradients(network: list[list[list[float]]], activation: str, x: list[float], target: list[float]) -> list[float]:
    """Of cross-entropy over a softmax, or of the binary one over a sigmoid: both have the error y - t at the last sums."""
    act, slope = ACTIVATIONS[activation]
    outputs = [x]
    for depth, layer in enumerate(network):
        sums = [sum(w * v for w, v in zip(row, [*outputs[-1], 1.0], strict=True)) for row in layer]
        if depth < len(network) - 1:
            outputs.append([act(z) for z in sums])
        elif len(sums) > 1:
            highest = max(sums)
            powers = [exp(z - highest) for z in sums]
            outputs.append([p / sum(powers) for p in powers])
        else:
            outputs.append([1 / (1 + exp(-sums[0]))])
    delta, found = [y - t for y, t in zip(outputs[-1], target, strict=True)], []
    for depth in reversed(range(len(network))):
        found[:0] = [d * v for d in delta for v in [*outputs[depth], 1.0]]
        if depth:
            back = [
                sum(d * row[i] for d, row in zip(delta, network[depth], strict=True))
                for i in range(len(outputs[depth]))
            ]
            delta = [b * slope(a) for b, a in zip(back, outputs[depth], strict=True)]
    return found


def step(name: str, rate: float, state: list[list[float]], g: list[float], t: int) -> list[float]:
    """The change of each parameter; the state is that of the optimizer."""
    if name == "sgd":
        return [-rate * each for each in g]
    if name == "momentum":
        state[0] = [0.9 * v + 0.1 * each for v, each in zip(state[0], g, strict=True)]
        return [-rate * v for v in state[0]]
    state[0] = [0.9 * m + 0.1 * each for m, each in zip(state[0], g, strict=True)]
    state[1] = [0.999 * v + 0.001 * each * each for v, each in zip(state[1], g, strict=True)]
    moments = [(m / (1 - 0.9**t), v / (1 - 0.999**t)) for m, v in zip(*state, strict=True)]
    return [-rate * m / (sqrt(v) + 1e-8) for m, v in moments]


def by_hand(document: dict[str, Any], first: list[float], examples: Examples) -> list[float]:
    said, weights = document["settings"], list(first)
    sizes, state, size = document["network"]["sizes"], [[0.0] * len(first), [0.0] * len(first)], said["batch_size"]
    batches = [examples[at : at + size] for at in range(0, len(examples), size)] * said["epochs"]
    of_weights = [
        float(place < len(row) - 1) for layer in rows_of(first, sizes) for row in layer for place in range(len(row))
    ]
    for t, batch in enumerate(batches, 1):
        network = rows_of(weights, sizes)
        each = [gradients(network, said["activation"], x, target) for x, target in batch]
        mean = [sum(parts) / len(batch) for parts in zip(*each, strict=True)]
        g = [m + 2 * said["l2"] * w * of for m, w, of in zip(mean, weights, of_weights, strict=True)]
        weights = [
            w + change
            for w, change in zip(weights, step(said["optimizer"], said["learning_rate"], state, g, t), strict=True)
        ]
    return weights


def examples_of(name: str) -> Examples:
    if name.startswith("xor"):
        return [([a, b], [float(a != b)]) for a in (0.0, 1.0) for b in (0.0, 1.0)]
    rows = [line.split(",") for line in TABLE.split()[1:]]
    columns = [[float(row[place]) for row in rows] for place in (0, 1)]
    scaled = [[(v - min(column)) / (max(column) - min(column)) for v in column] for column in columns]
    return [([a, b], [float(kind == row[2]) for kind in "pqr"]) for a, b, row in zip(*scaled, rows, strict=True)]


@pytest.mark.parametrize("name", WORKED)
def test_the_bits_are_right(tutor: Tutor, name: str) -> None:
    """A rate of 1e-300 leaves the first weights as they are; from there plain Python goes the same way."""
    options = WORKED[name]
    rate = options.split("--learning-rate ")[1].split()[0]
    first = trained(tutor, options.replace(f"--learning-rate {rate}", "--learning-rate 1e-300"))["weights"]
    start = [0.0 if abs(weight) < 1e-200 else weight for weight in first]
    document = trained(tutor, options)
    worked = by_hand(document, start, examples_of(name))
    assert document["weights"] == pytest.approx(worked, rel=1e-11, abs=1e-12)
    assert max(abs(a - b) for a, b in zip(worked, start, strict=True)) > 0.05, "it went somewhere"


def record() -> None:
    with TemporaryDirectory() as folder:
        tutor = Tutor(Path(folder), in_its_own)
        kept = {name: bits(trained(tutor, options)) for name, options in TRAININGS.items()}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(record())
