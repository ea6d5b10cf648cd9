"""Random networks for the tests, and an implementation of them that shares nothing with the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

ACTIVATIONS = ["linear", "sigmoid", "tanh", "relu"]
LOSSES = ["half_squared_error", "squared_error", "mean_squared_error", "binary_cross_entropy"]


def decimals(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda n: f"{n / 100:.2f}")


@dataclass(frozen=True)
class RandomNetwork:
    inputs: list[str]
    targets: list[str]
    weights: list[list[list[str]]]
    biases: list[list[str]]
    activations: list[str]
    loss: str
    rate: str

    def toml(self, **training: str) -> str:
        lines = ["format = 1", 'title = "random"', "[network]"]
        lines.append("inputs = [" + ", ".join(f'"X{i + 1}"' for i in range(len(self.inputs))) + "]")
        lines.append(f'loss = "{self.loss}"')
        for weights, biases, activation in zip(self.weights, self.biases, self.activations, strict=True):
            rows = ", ".join("[" + ", ".join(row) + "]" for row in weights)
            lines += ["[[network.layers]]", f'activation = "{activation}"', f"weights = [{rows}]"]
            lines.append("biases = [" + ", ".join(biases) + "]")
        lines += ["[[examples]]", f"inputs = [{', '.join(self.inputs)}]", f"targets = [{', '.join(self.targets)}]"]
        lines += ["[training]", f"learning_rate = {self.rate}", *(f"{k} = {v}" for k, v in training.items())]
        return "\n".join(lines) + "\n"

    def parameters(self) -> dict[str, Any]:
        """The parameters as mpmath numbers, named W1, W2, … and b1, b2, … neuron by neuron."""
        flat = [w for layer in self.weights for row in layer for w in row]
        flat_biases = [b for layer in self.biases for b in layer]
        named = {f"W{i}": mpmath.mpf(w) for i, w in enumerate(flat, 1)}
        return named | {f"b{i}": mpmath.mpf(b) for i, b in enumerate(flat_biases, 1)}

    def names_by_layer(self) -> list[list[str]]:
        """The names of the weights of each layer, and those of its biases."""
        found, numbers = [], {"W": 0, "b": 0}
        for biases, rows in zip(self.biases, self.weights, strict=True):
            for letter, count in (("W", sum(map(len, rows))), ("b", len(biases))):
                found.append([f"{letter}{numbers[letter] + n}" for n in range(1, count + 1)])
                numbers[letter] += count
        return found

    def error(self, parameters: dict[str, Any], functions: Any = mpmath, one: Any = 1) -> Any:
        """The loss with these parameters; `functions` has exp, log, tanh and maximum for their type."""
        values = [one * functions.mpf(x) if functions is mpmath else functions.number(x) for x in self.inputs]
        w = b = 0
        for weights, activation in zip(self.weights, self.activations, strict=True):
            following = []
            for _ in weights:
                z = 0
                for value in values:
                    w += 1
                    z = z + parameters[f"W{w}"] * value
                b += 1
                following.append(_activate(activation, z + parameters[f"b{b}"], functions))
            values = following
        number = mpmath.mpf if functions is mpmath else functions.number
        return _loss(self.loss, values, [number(t) for t in self.targets], functions)


def _activate(name: str, z: Any, f: Any) -> Any:
    match name:
        case "linear":
            return z
        case "sigmoid":
            return 1 / (1 + f.exp(-z))
        case "tanh":
            return (f.exp(z) - f.exp(-z)) / (f.exp(z) + f.exp(-z))
    return (z if z > 0 else 0 * z) if f is mpmath else f.relu(z)


def _loss(name: str, outputs: list[Any], targets: list[Any], f: Any) -> Any:
    pairs = list(zip(outputs, targets, strict=True))
    squares = sum((t - y) ** 2 for y, t in pairs)
    match name:
        case "half_squared_error":
            return squares / 2
        case "squared_error":
            return squares
        case "mean_squared_error":
            return squares / len(pairs)
    return -sum(t * f.log(y) + (1 - t) * f.log(1 - y) for y, t in pairs)


@st.composite
def networks(draw: st.DrawFn, widest: int = 4) -> RandomNetwork:
    """1 to 3 layers of up to 4 units, any activation; cross-entropy only where the outputs lie in (0, 1)."""
    sizes = draw(st.lists(st.integers(1, widest), min_size=2, max_size=4))
    loss = draw(st.sampled_from(LOSSES))
    activations = [draw(st.sampled_from(ACTIVATIONS)) for _ in sizes[1:]]
    if loss == "binary_cross_entropy":
        activations[-1] = "sigmoid"
    number = decimals(-150, 150)
    layers = list(pairwise(sizes))
    return RandomNetwork(
        inputs=[draw(number) for _ in range(sizes[0])],
        targets=[draw(decimals(0, 100)) for _ in range(sizes[-1])],
        weights=[[[draw(number) for _ in range(before)] for _ in range(after)] for before, after in layers],
        biases=[[draw(number) for _ in range(after)] for _, after in layers],
        activations=activations,
        loss=loss,
        rate=draw(decimals(1, 100)),
    )


def matrices(weights: Sequence[float], sizes: Sequence[int]) -> list[NDArray[np.float64]]:
    """The weights as `--json` has them, layer by layer: a row a neuron, its bias last."""
    found, start = [], 0
    for before, after in pairwise(sizes):
        end = start + (before + 1) * after
        found.append(np.array(weights[start:end]).reshape(after, before + 1))
        start = end
    assert start == len(weights)
    return found
