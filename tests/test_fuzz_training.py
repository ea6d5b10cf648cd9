"""Random settings, trained by the program and by an implementation of the same in plain NumPy: predictions, losses and
three updates. Where PyTorch is installed its autograd is asked for the gradients, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import fuzz
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import matrices

from tutor.data.builtin import Data
from tutor.training.preparation import split
from tutor.training.settings import Settings
from tutor.training.setup import set_up
from tutor.training.trainer import Trainer

Array = Any
TOLERANCE = 1e-10
UPDATES = 3
STABILITY = 1e-8
ROUNDING = 1e-15


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


ACTIVATIONS: dict[str, tuple[Any, Any]] = {
    "linear": (lambda z: z, lambda z: np.ones_like(z)),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(z)), lambda z: np.where(z > 0, 1, np.exp(z))),
    "softplus": (lambda z: np.logaddexp(0, z), sigmoid),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
}


def softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=0))
    return powers / powers.sum(axis=0)


def loss_and_slope(loss: str, z: Array, y: Array, t: Array, delta: float) -> tuple[Array, Array]:
    """The loss of each example, and its derivative by the outputs, or, for cross-entropies, by the last sums."""
    d = y - t
    if loss == "binary_cross_entropy":
        return (np.logaddexp(0, z) - t * z).sum(axis=0), d
    if loss == "cross_entropy":
        rest = z.max(axis=0) + np.log(np.exp(z - z.max(axis=0)).sum(axis=0))
        return -(t * (z - rest)).sum(axis=0), d
    if loss == "huber":
        inside = np.abs(d) <= delta
        each = np.where(inside, d**2 / 2, delta * (np.abs(d) - delta / 2))
        return each.sum(axis=0), np.where(inside, d, delta * np.sign(d))
    factor = {"half_squared_error": 0.5, "squared_error": 1.0, "mean_squared_error": 1 / len(t)}[loss]
    return factor * (d**2).sum(axis=0), 2 * factor * d


class Plain:
    """A network of dense layers, trained layer by layer from the output or all at once."""

    def __init__(self, layers: list[Array], wanted: Settings, activations: tuple[str, ...], loss: str) -> None:
        self.layers, self.wanted, self.activations, self.loss = layers, wanted, activations, loss
        self.kept: list[dict[str, Array]] = [{} for _ in layers]
        self.t, self.rounded = 0, False

    def forward(self, rows: Array) -> Array:
        a, self.passed = rows.T, []
        for m, name in zip(self.layers, self.activations, strict=True):
            wide = np.vstack([a, np.ones(a.shape[1])])
            z = m @ wide
            a = softmax(z) if name == "softmax" else ACTIVATIONS[name][0](z)
            self.passed.append((wide, z, a))
        return a

    def losses(self, rows: Array, targets: Array) -> Array:
        y = self.forward(rows)
        return loss_and_slope(self.loss, self.passed[-1][1], y, targets, self.delta)[0]

    @property
    def delta(self) -> float:
        return float(self.wanted.loss_setting.get("delta", 1))

    def update(self, rows: Array, targets: Array, rate: float) -> float:
        wanted, y = self.wanted, self.forward(rows)
        z, top = self.passed[-1][1], len(self.layers) - 1
        each, delta = loss_and_slope(self.loss, z, y, targets, self.delta)
        delta, terms = delta / len(rows), (np.abs(y) + np.abs(targets)) / len(rows)
        if "cross_entropy" not in self.loss:
            if self.activations[-1] == "softmax":
                delta, terms = y * (delta - (y * delta).sum(axis=0)), y * (terms + (y * terms).sum(axis=0))
            else:
                slope = ACTIVATIONS[self.activations[-1]][1](z)
                delta, terms = delta * slope, terms * np.abs(slope)
        self.t += 1
        frozen = {top if name == "output" else int(name) - 1 for name in wanted.freeze}
        gradients: dict[int, Array] = {}
        for k in reversed(range(top + 1)):
            wide, z, _ = self.passed[k]
            if k < top:
                slope = ACTIVATIONS[self.activations[k]][1](z)
                delta, terms = delta * slope, terms * np.abs(slope)
            if k not in frozen:
                gradients[k] = self.penalised(k, delta @ wide.T)
                self.watch(gradients[k], terms @ np.abs(wide.T), rate)
                if wanted.update_order == "output-first":
                    self.step(k, gradients[k], rate)
            w = self.layers[k][:, :-1]
            delta, terms = w.T @ delta, np.abs(w.T) @ terms
        if wanted.update_order == "together":
            length = np.sqrt(sum((g**2).sum() for g in gradients.values()))
            for k, g in gradients.items():
                clipped = wanted.clip_norm is not None and length > wanted.clip_norm
                self.step(k, g * wanted.clip_norm / length if clipped else g, rate)
        return float(each.sum())

    def penalised(self, k: int, g: Array) -> Array:
        w = self.layers[k][:, :-1]
        if not self.wanted.proximal:
            g[:, :-1] += self.wanted.l1 * np.sign(w)
        g[:, :-1] += 2 * self.wanted.l2 * w
        limit = self.wanted.clip_value
        return g if limit is None else np.clip(g, -limit, limit)

    def watch(self, g: Array, terms: Array, rate: float) -> None:
        """Note where the terms of g cancel so far that their rounding shows: a step divided by |g| has its relative error."""
        if self.wanted.optimizer not in ("sgd", "momentum"):
            self.rounded |= bool((rate * ROUNDING * terms / (np.abs(g) + STABILITY) > TOLERANCE).any())

    def step(self, k: int, g: Array, rate: float) -> None:
        w, kept = self.layers[k], self.kept[k]

        def mean(name: str, value: Array, share: float) -> Array:
            kept[name] = share * kept.get(name, 0.0) + (1 - share) * value
            return kept[name]

        match self.wanted.optimizer:
            case "sgd":
                new = w - rate * g
            case "momentum":
                new = w - rate * mean("v", g, 0.9)
            case "adagrad":
                kept["s"] = kept.get("s", 0.0) + g**2
                new = w - rate * g / (np.sqrt(kept["s"]) + STABILITY)
            case "rmsprop":
                new = w - rate * g / (np.sqrt(mean("s", g**2, 0.9)) + STABILITY)
            case _:
                m, v = mean("m", g, 0.9) / (1 - 0.9**self.t), mean("v", g**2, 0.999) / (1 - 0.999**self.t)
                if self.wanted.optimizer == "adamw":
                    w = w * (1 - rate * 0.01)
                new = w - rate * m / (np.sqrt(v) + STABILITY)
        if self.wanted.proximal:
            part = new[:, :-1]
            new[:, :-1] = np.sign(part) * np.maximum(np.abs(part) - rate * self.wanted.l1, 0)
        self.layers[k] = new


PAIRS = [
    ("linear", "half_squared_error"), ("tanh", "squared_error"), ("linear", "mean_squared_error"), ("linear", "huber"),
    ("softplus", "half_squared_error"), ("sigmoid", "binary_cross_entropy"), ("softmax", "cross_entropy"),
    ("softmax", "half_squared_error"),
]  # fmt: skip


@st.composite
def trainings(draw: st.DrawFn) -> tuple[Settings, int, int, int]:
    """Settings, and how many examples, features and outputs the data have."""
    last, loss = draw(st.sampled_from(PAIRS))
    hidden = tuple(draw(st.lists(st.integers(1, 7), max_size=3)))
    size, optimizer = (
        draw(st.integers(1, 7)),
        draw(st.sampled_from(["sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"])),
    )
    l1 = draw(st.sampled_from([0.0, 0.01]))
    order = draw(st.sampled_from(["together", "together", "output-first"])) if hidden else "together"
    norm = draw(st.sampled_from([None, 0.05])) if order == "together" else None
    freeze = draw(st.sampled_from([(), (), ("1",), ("output",)])) if hidden else ()
    if len(hidden) == 1 and freeze:
        order = "together"
    wanted = Settings(
        hidden=hidden, output_activation=last, loss=loss, batch_size=size, optimizer=optimizer,
        activation=draw(st.sampled_from(sorted(ACTIVATIONS))) if hidden else "tanh",
        loss_setting={"delta": "0.3"} if loss == "huber" else {}, l1=l1, proximal=bool(l1) and draw(st.booleans()),
        l2=draw(st.sampled_from([0.0, 0.02])), clip_value=draw(st.sampled_from([None, 0.03])), clip_norm=norm,
        learning_rate=draw(st.sampled_from([0.01, 0.05, 0.2])), schedule=draw(st.sampled_from(["constant", "inverse_time"])),
        seed=draw(st.integers(0, 999)), update_order=order, freeze=freeze, init=draw(st.sampled_from(["xavier", "uniform"])),
        normalize=draw(st.sampled_from(["", "zscore", "unit"])), shuffle=draw(st.booleans()), epochs=UPDATES,
        validation=draw(st.sampled_from([0.0, 0.3])), arithmetic=draw(st.sampled_from(["reproducible", "fast"])),
    )  # fmt: skip
    classes = loss in ("binary_cross_entropy", "cross_entropy") or last == "softmax"
    outputs = (2 if loss == "binary_cross_entropy" else draw(st.integers(2, 4))) if classes else draw(st.integers(1, 3))
    return wanted, draw(st.integers(12, 20)), draw(st.integers(1, 6)), outputs


def examples(wanted: Settings, count: int, features: int, outputs: int) -> Data:
    numbers = np.random.Generator(np.random.Philox(wanted.seed))
    x = numbers.normal(size=(count, features)) * 2 + 0.5
    names = tuple(f"x{k}" for k in range(features))
    if wanted.loss in ("binary_cross_entropy", "cross_entropy") or wanted.output_activation == "softmax":
        return Data("drawn", x, np.arange(count) % outputs, names, tuple("abcd"[:outputs]))
    return Data("drawn", x, numbers.uniform(-0.9, 0.9, (count, outputs)), names)


def scaled(x: Array, normalize: str, train: Array) -> Array:
    match normalize:
        case "zscore":
            return (x - x[train].mean(axis=0)) / x[train].std(axis=0)
        case "unit":
            return x / np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x


def targets_of(data: Data, outputs: int) -> Array:
    if not data.classes:
        return data.y.T
    return (data.y[None] == (np.arange(outputs)[:, None] if outputs > 1 else 1)) * 1.0


def begun(wanted: Settings, count: int, features: int, outputs: int) -> tuple[Trainer, Plain, Array, Array, Array]:
    """The trainer, the plain network with the same first weights, and its rows, targets and training part."""
    data = examples(wanted, count, features, outputs)
    trainer = set_up(Data(data.name, data.x.copy(), data.y, data.features, data.classes), wanted)
    train = split(data, wanted.validation, 0.0, wanted.seed)[0]
    layers = [m.copy() for m in matrices(trainer.initial, trainer.architecture.sizes)]
    plain = Plain(layers, wanted, trainer.architecture.activations, trainer.architecture.loss)
    return (
        trainer,
        plain,
        scaled(data.x, wanted.normalize, train),
        targets_of(data, trainer.architecture.sizes[-1]),
        train,
    )


@fuzz(60)
@given(trainings())
def test_random_settings_agree_with_plain_numpy(drawn: tuple[Settings, int, int, int]) -> None:
    wanted, *sizes = drawn
    trainer, plain, rows, targets, train = begun(wanted, *sizes)
    every, size = np.arange(len(rows)), min(wanted.batch_size, len(train))
    assert trainer.engine.outputs(trainer.data.rows, every) == pytest.approx(plain.forward(rows), abs=TOLERANCE)
    for epoch in range(1, UPDATES + 1):
        batch = trainer.permutations(epoch, epoch)[0][:size]
        rate = wanted.learning_rate / (1 + (epoch - 1)) if wanted.schedule == "inverse_time" else wanted.learning_rate
        (found,) = trainer.engine.run(epoch, batch[None])
        places = train[batch]
        right = plain.update(rows[places], targets[:, places], rate)
        assume(not plain.rounded)
        assert found == pytest.approx(right / len(places), rel=TOLERANCE, abs=TOLERANCE), wanted
        for mine, asked in zip(matrices(trainer.engine.vector, trainer.architecture.sizes), plain.layers, strict=True):
            assert mine == pytest.approx(asked, rel=TOLERANCE, abs=TOLERANCE), wanted
    assert trainer.engine.outputs(trainer.data.rows, every) == pytest.approx(plain.forward(rows), abs=1e-9)
    told = plain.losses(rows[train], targets[:, train]).mean()
    assert trainer.measure(trainer.data.train).loss == pytest.approx(told, rel=1e-9, abs=TOLERANCE)


@fuzz(30)
@given(trainings())
def test_the_gradients_of_the_plain_network_are_those_of_autograd(drawn: tuple[Settings, int, int, int]) -> None:
    """So that what the program is compared with is not wrong in the same way."""
    torch = pytest.importorskip("torch")
    wanted, *sizes = drawn
    _, plain, rows, targets, train = begun(wanted, *sizes)
    layers = [torch.tensor(m, dtype=torch.float64, requires_grad=True) for m in plain.layers]
    f, a = torch.nn.functional, torch.tensor(rows[train].T)
    t, k = torch.tensor(targets[:, train] * 1.0), len(train)
    named = {"relu": torch.relu, "leaky_relu": f.leaky_relu, "elu": f.elu, "softplus": f.softplus, "silu": f.silu}
    named |= {"linear": lambda z: z, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "softsign": f.softsign}
    named["softmax"] = lambda z: torch.softmax(z, dim=0)
    for m, name in zip(layers, plain.activations, strict=True):
        z = m[:, :-1] @ a + m[:, -1:]
        a = named[name](z)
    losses = {
        "half_squared_error": lambda: ((a - t) ** 2).sum() / 2,
        "squared_error": lambda: ((a - t) ** 2).sum(),
        "mean_squared_error": lambda: ((a - t) ** 2).sum() / len(t),
        "huber": lambda: f.huber_loss(a, t, reduction="sum", delta=0.3),
        "binary_cross_entropy": lambda: f.binary_cross_entropy_with_logits(z, t, reduction="sum"),
        "cross_entropy": lambda: f.cross_entropy(z.T, t.T, reduction="sum"),
    }
    loss = losses[plain.loss]() / k
    gradients = torch.autograd.grad(loss, layers)
    bare = Settings(hidden=wanted.hidden, optimizer="sgd", learning_rate=1.0, loss_setting=wanted.loss_setting)
    plain.wanted, before = bare, [m.copy() for m in plain.layers]
    assert plain.update(rows[train], targets[:, train], 1.0) / k == pytest.approx(loss.item(), rel=TOLERANCE)
    for old, new, gradient in zip(before, plain.layers, gradients, strict=True):
        assert old - new == pytest.approx(gradient.numpy(), rel=1e-8, abs=TOLERANCE)
