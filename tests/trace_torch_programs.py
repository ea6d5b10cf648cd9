"""Programs in PyTorch as they are written: models of every kind, and what goes wrong in them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch as library

from tutor.trace import Step, pytorch

torch: Any = library
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
