"""Programs in PyTorch as they are written: right ones are told to be right, and what goes wrong in one is found.

What is right and wrong here comes from PyTorch itself, whose derivatives nobody wrote by hand.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import Tutor

from tutor.errors import NothingThere, TutorError
from tutor.trace import Step, pytorch

torch = pytest.importorskip("torch")
nn: Any = torch.nn
F: Any = torch.nn.functional

N = 8
X = torch.randn(N, 4, generator=torch.Generator().manual_seed(1))
CLASSES = torch.tensor([0, 2, 1, 0, 2, 2, 1, 0])
SIGNS = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1])
VALUES = torch.randn(N, 2, generator=torch.Generator().manual_seed(2))


def mlp(outputs: int, activation: Callable[[], Any] = nn.Tanh, *end: Any) -> Any:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 6), activation(), nn.Linear(6, 5), activation(), nn.Linear(5, outputs), *end)


def sgd(model: Any, **settings: Any) -> Any:
    return torch.optim.SGD(model.parameters(), lr=0.1, **settings)


def told(model: Any, loss: Any, y: Any, optimizer: Any = None, x: Any = X, **said: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of (n, 1) against (n,)
        return pytorch(model, loss, optimizer or sgd(model), x, y, **said)


def wrong(report: Any) -> list[str]:
    return [a.name for a in report.arrays if a.verdict in ("wrong", "carried")]


def first(report: Any) -> str:
    return next((a.name for a in report.arrays if a.verdict == "wrong"), "")


def checked(report: Any) -> set[str]:
    return {a.name for a in report.arrays if a.verdict == "right"}


EVERY_GRADIENT = {f"d{kind}{k}" for kind in "Wb" for k in (1, 2, 3)}
EVERY_UPDATE = {f"{kind}{k}_new" for kind in "Wb" for k in (1, 2, 3)}

KINDS: dict[str, tuple[Callable[[str], Any], Callable[[], Any], Any]] = {
    "values": (lambda r: nn.MSELoss(reduction=r), lambda: mlp(2), VALUES),
    "one value": (lambda r: nn.MSELoss(reduction=r), lambda: mlp(1), VALUES[:, :1]),
    "values, with outliers": (lambda r: nn.HuberLoss(reduction=r, delta=0.5), lambda: mlp(2), VALUES),
    "two classes, one logit": (lambda r: nn.BCEWithLogitsLoss(reduction=r), lambda: mlp(1), SIGNS[:, None].float()),
    "two classes, a sigmoid": (
        lambda r: nn.BCELoss(reduction=r),
        lambda: mlp(1, nn.Tanh, nn.Sigmoid()),
        SIGNS[:, None].float(),
    ),
    "two classes, two logits": (lambda r: nn.CrossEntropyLoss(reduction=r), lambda: mlp(2), SIGNS),
    "several classes": (lambda r: nn.CrossEntropyLoss(reduction=r), lambda: mlp(3), CLASSES),
    "several classes, logarithms": (
        lambda r: nn.NLLLoss(reduction=r),
        lambda: mlp(3, nn.Tanh, nn.LogSoftmax(1)),
        CLASSES,
    ),
    "several labels": (
        lambda r: nn.BCEWithLogitsLoss(reduction=r),
        lambda: mlp(3),
        (VALUES[:, [0, 1, 0]] > 0).float(),
    ),
}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model(kind: str, reduction: str) -> None:
    loss, model, y = KINDS[kind]
    report = told(model(), loss(reduction), y)
    assert not wrong(report) and not report.mistakes and not report.remarks
    assert {"loss", "dZ3", *EVERY_GRADIENT, *EVERY_UPDATE} <= checked(report)
    assert report.conventions["averaged"] == (reduction == "mean")


ACTIVATIONS = [
    "Tanh",
    "ReLU",
    "Sigmoid",
    "LeakyReLU",
    "ELU",
    "Softplus",
    "GELU",
    "SiLU",
    "SELU",
    "Softsign",
    "Hardsigmoid",
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_usual_activation(name: str, dtype: str) -> None:
    if (name, dtype) == ("Hardsigmoid", "float64"):
        pytest.skip("PyTorch has its slope of 1/6 in single precision only, which is said to be wrong, and is")
    kind = getattr(torch, dtype)
    model = mlp(3, getattr(nn, name)).to(kind)
    report = told(model, nn.CrossEntropyLoss(), CLASSES, x=X.to(kind))
    assert not wrong(report) and {*EVERY_GRADIENT, *EVERY_UPDATE} <= checked(report)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda p: torch.optim.SGD(p, lr=0.1),
    "weight decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "momentum, weight decay": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
    "dampened": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adam, weight decay": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.01, weight_decay=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p),
}


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_usual_optimizer(name: str, steps: int) -> None:
    """At its first step, and later; model, optimizer and gradients are as they were afterwards."""
    model, loss = mlp(3, nn.ReLU), nn.CrossEntropyLoss()
    optimizer = OPTIMIZERS[name](model.parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model(X), CLASSES).backward()
        optimizer.step()
    before = [p.detach().clone() for p in model.parameters()]
    gradients = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    report = told(model, loss, CLASSES, optimizer)
    assert not wrong(report) and checked(report) >= EVERY_UPDATE
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    after = [p.grad for p in model.parameters()]
    assert all(a is b is None or torch.equal(a, b) for a, b in zip(gradients, after, strict=True))


@pytest.mark.parametrize("loss", [F.cross_entropy, lambda p, t: F.nll_loss(F.log_softmax(p, 1), t)])
def test_losses_that_are_functions(loss: Any) -> None:
    assert {"loss", *EVERY_GRADIENT} <= checked(told(mlp(3), loss, CLASSES))


class Layers(nn.Module):  # type: ignore[misc]
    """Three layers that a model calls as it likes."""

    def __init__(self, body: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.body, self.a, self.b, self.c = body, nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.side = nn.Linear(4, 6)

    def forward(self, x: Any) -> Any:
        return self.body(self, x)


def _residual(m: Any, x: Any) -> Any:
    h = torch.relu(m.a(x))
    return m.c(h + torch.relu(m.b(h)))


OUT_OF_LINE: dict[str, Callable[[Any, Any], Any]] = {
    "functions": lambda m, x: m.c(F.silu(m.b(F.gelu(m.a(x))))),
    "residual": _residual,
    "used beside": lambda m, x: (lambda h: m.c(torch.tanh(m.b(h))) + h[:, :3])(torch.tanh(m.a(x))),
    "twice the same layer": lambda m, x: m.c(torch.tanh(m.b(torch.tanh(m.b(torch.tanh(m.a(x))))))),
    "two branches": lambda m, x: m.c(torch.tanh(m.a(x)) * torch.tanh(m.side(x))),
    "two heads": lambda m, x: (lambda h: m.c(h) + m.c(torch.relu(h)))(torch.tanh(m.a(x))),
    "scaled": lambda m, x: 3 * m.c(2 * torch.tanh(m.b(torch.sin(m.a(x))))),
    "normalized": lambda m, x: m.c(F.layer_norm(torch.relu(m.a(x)), (6,))),
    "dropped": lambda m, x: m.c(F.dropout(torch.relu(m.a(x)), 0.5)),
}


@pytest.mark.parametrize("name", OUT_OF_LINE)
def test_what_is_not_known_is_never_called_wrong(name: str) -> None:
    report = told(Layers(OUT_OF_LINE[name]), nn.CrossEntropyLoss(), CLASSES)
    assert not [a for a in wrong(report) if "_new" not in a] and (report.remarks or name == "functions")


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(label_smoothing=0.1),
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0])),
        nn.MultiMarginLoss(),
    ],
)
def test_a_loss_that_is_not_known_is_left_out(loss: Any) -> None:
    report = told(mlp(3), loss, CLASSES)
    assert not wrong(report) and any("loss" in remark for remark in report.remarks)
    assert checked(report) >= EVERY_GRADIENT


@pytest.mark.parametrize("make", [lambda: nn.BatchNorm1d(6), lambda: nn.Dropout(0.5), lambda: nn.LeakyReLU(0.3)])
def test_modules_that_are_not_known_are_named(make: Callable[[], Any]) -> None:
    model = nn.Sequential(nn.Linear(4, 6), make(), nn.Linear(6, 3))
    report = told(model, nn.CrossEntropyLoss(), CLASSES)
    assert not wrong(report) and type(model[1]).__name__ in " ".join(report.remarks)
    assert {"dW2", "dW1"} <= checked(report)


class Written(torch.autograd.Function):  # type: ignore[misc]
    """tanh with a derivative that somebody wrote."""

    slope: Any = None

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        ctx.save_for_backward(z)
        return torch.tanh(z)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return Written.slope(ctx.saved_tensors[0], g)


SLOPES: dict[str, tuple[Any, str]] = {
    "right": (lambda z, g: g * (1 - torch.tanh(z) ** 2), ""),
    "left out": (lambda z, g: g, "missing-slope"),
    "of the output": (lambda z, g: g * (1 - torch.tanh(torch.tanh(z)) ** 2), "slope-of-output"),
    "of the sum": (lambda z, g: g * (1 - z**2), "slope-form"),
    "of a sigmoid": (lambda z, g: g * torch.sigmoid(z) * (1 - torch.sigmoid(z)), "wrong-activation"),
}


@pytest.mark.parametrize("name", SLOPES)
def test_a_derivative_of_ones_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slope, mistake = SLOPES[name]
    monkeypatch.setattr(Written, "slope", slope)
    report = told(Layers(lambda m, x: m.c(Written.apply(m.b(torch.tanh(m.a(x)))))), nn.CrossEntropyLoss(), CLASSES)
    assert [m.id for m in report.mistakes] == ([mistake] if mistake else [])
    assert first(report) == ("dZ2" if mistake else "")


class Listed(nn.Module):  # type: ignore[misc]
    """Layers in a plain list, which no optimizer sees."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.layers, self.out = [nn.Linear(4, 6), nn.Linear(6, 6)], nn.Linear(6, 3)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.out(x)


def _frozen() -> Any:
    model = mlp(3)
    model[2].requires_grad_(False)
    return model


CE = nn.CrossEntropyLoss()
DETACHED = {"body": lambda m, x: m.c(torch.relu(m.b(torch.relu(m.a(x)))).detach())}
MISTAKES: dict[str, tuple[str, str, Callable[[], Any]]] = {
    "softmax before CrossEntropyLoss": (
        "loss",
        "softmax-twice",
        lambda: told(mlp(3, nn.ReLU, nn.Softmax(1)), CE, CLASSES),
    ),
    "the same in a function": (
        "loss",
        "softmax-twice",
        lambda: told(mlp(3), lambda p, t: F.cross_entropy(F.softmax(p, 1), t), CLASSES),
    ),
    "sigmoid before BCEWithLogitsLoss": (
        "loss",
        "softmax-twice",
        lambda: told(mlp(1, nn.ReLU, nn.Sigmoid()), nn.BCEWithLogitsLoss(), SIGNS[:, None].float()),
    ),
    "softmax over the batch": (
        "A3",
        "softmax-axis",
        lambda: told(mlp(3, nn.ReLU, nn.LogSoftmax(0)), nn.NLLLoss(), CLASSES),
    ),
    "NLLLoss of probabilities": (
        "loss",
        "missing-log",
        lambda: told(mlp(3, nn.ReLU, nn.Softmax(1)), nn.NLLLoss(), CLASSES),
    ),
    "NLLLoss of logits": ("loss", "missing-log", lambda: told(mlp(3, nn.ReLU), nn.NLLLoss(), CLASSES)),
    "relu before the loss": ("A3", "wrong-activation", lambda: told(mlp(3, nn.Tanh, nn.ReLU()), CE, CLASSES)),
    "(n, 1) against (n,)": ("loss", "broadcast", lambda: told(mlp(1), nn.MSELoss(), VALUES[:, 0])),
    "labels off by one": (
        "loss",
        "labels-shifted",
        lambda: told(mlp(3), lambda p, t: F.cross_entropy(p, (t + 1) % 3), CLASSES),
    ),
    "divided once more": (
        "loss",
        "mean-twice",
        lambda: told(mlp(3), lambda p, t: F.cross_entropy(p, t) / len(t), CLASSES),
    ),
    "the negative loss": ("loss", "sign-slip", lambda: told(mlp(3), lambda p, t: -F.cross_entropy(p, t), CLASSES)),
    "no activation": ("A1", "no-activation", lambda: told(mlp(3, nn.Identity), CE, CLASSES, activation="relu")),
    "another activation": ("A1", "wrong-activation", lambda: told(mlp(3, nn.Sigmoid), CE, CLASSES, activation="relu")),
    "detached": ("W1_new", "not-updated", lambda: told(Layers(DETACHED["body"]), CE, CLASSES)),
    "requires_grad=False": ("W2_new", "layer-not-updated", lambda: told(_frozen(), CE, CLASSES)),
    "a plain list of layers": ("W1_new", "not-updated", lambda: told(Listed(), CE, CLASSES)),
    "a layer that the optimizer has not": (
        "W3_new",
        "layer-not-updated",
        lambda: (lambda m: told(m, CE, CLASSES, torch.optim.SGD([*m[0].parameters(), *m[2].parameters()], lr=0.1)))(
            mlp(3)
        ),
    ),
    "maximize=True": ("W1_new", "ascent", lambda: (lambda m: told(m, CE, CLASSES, sgd(m, maximize=True)))(mlp(3))),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_of_programs(name: str) -> None:
    array, mistake, run = MISTAKES[name]
    report = run()
    assert first(report) == array and report.mistakes[0].id == mistake, str(report)
    assert "arithmetic" not in {m.id for m in report.mistakes}, str(report)


# A loop by hand, recorded as it runs


def loop(steps: int, mistake: str = "") -> list[Step]:
    """Each step of a loop that is written out, as `Step` records it."""
    model = mlp(3)
    optimizer = sgd(model)
    layers, found = [model[0], model[2], model[4]], []
    for _ in range(steps):
        step = Step().record(X=X, y=CLASSES)
        for k, layer in enumerate(layers, 1):
            step.record(**{f"W{k}": layer.weight, f"b{k}": layer.bias})
        if mistake != "zero_grad":
            optimizer.zero_grad()
        logits = model(X)
        loss = F.cross_entropy(logits, CLASSES, reduction="sum" if mistake == "reduction" else "mean")
        loss.backward()
        step.record(logits=logits, loss=loss / N if mistake == "reduction" else loss)
        for k, layer in enumerate(layers, 1):
            step.record(**{f"dW{k}": layer.weight.grad, f"db{k}": layer.bias.grad})
        if mistake != "step":
            optimizer.step()
        for k, layer in enumerate(layers, 1):
            step.record(**{f"W{k}_new": layer.weight, f"b{k}_new": layer.bias})
        found.append(step)
    return found


@pytest.mark.parametrize(
    ("mistake", "array", "ids"),
    [
        ("", "", []),
        ("zero_grad", "dW3", ["accumulated"]),
        ("reduction", "dW3", ["sum-for-mean"]),
        ("step", "W1_new", ["not-updated"]),
    ],
)
def test_a_loop_that_is_written_out(mistake: str, array: str, ids: list[str]) -> None:
    *before, last = loop(2, mistake)
    report = last.check(activation="tanh", loss="cross_entropy", learning_rate=0.1, before=before)
    assert first(report) == array and [m.id for m in report.mistakes] == ids, str(report)


def test_models_in_which_nothing_is_known() -> None:
    with pytest.raises(NothingThere):
        told(nn.Sequential(nn.Flatten(), nn.Tanh()), nn.MSELoss(), X, torch.optim.SGD([torch.zeros(1)], lr=0.1))
    with pytest.raises(NothingThere, match="frozen"):
        told(mlp(3).requires_grad_(False), CE, CLASSES)
    model = mlp(3)
    model.kept = (X * torch.ones(1, requires_grad=True)).sum()
    with pytest.raises(TutorError, match="copied"):
        told(model, CE, CLASSES)


# The arrays of other frameworks


def nested(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(value).tolist() for name, value in arrays.items()}


def dense(mistake: str = "") -> dict[str, Any]:
    """A step as JAX, TensorFlow or Flax print it: kernels (in, out), everything in single precision, and only what a
    training loop has in its hands."""
    r = np.random.default_rng(6)
    x, labels = r.normal(size=(N, 4)).astype(np.float32), CLASSES.numpy()
    w1, b1 = r.normal(size=(4, 5)).astype(np.float32), np.zeros(5, np.float32)
    w2, b2 = r.normal(size=(5, 3)).astype(np.float32), np.zeros(3, np.float32)
    h = np.maximum(x @ w1 + b1, 0)
    logits = h @ w2 + b2
    e = np.exp(logits - logits.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    d2 = (p - np.eye(3, dtype=np.float32)[labels]) / np.float32(1 if mistake == "sum-for-mean" else N)
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
        "loss": -np.mean(np.log(p[np.arange(N), labels])),
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
