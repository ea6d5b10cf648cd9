"""Programs in PyTorch as they are written: right ones are told to be right, and what goes wrong in one is found.

What is right and wrong here comes from PyTorch itself, whose derivatives nobody wrote by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tutor.errors import NothingThere, TutorError

torch = pytest.importorskip("torch")

from trace_torch_programs import (  # noqa: E402  after it is known that PyTorch is there
    ACTIVATIONS,
    CE,
    CLASSES,
    KINDS,
    MISTAKES,
    OPTIMIZERS,
    OUT_OF_LINE,
    SLOPES,
    F,
    Layers,
    Written,
    X,
    loop,
    mlp,
    nn,
    told,
)


def wrong(report: Any) -> list[str]:
    return [a.name for a in report.arrays if a.verdict in ("wrong", "carried")]


def first(report: Any) -> str:
    return next((a.name for a in report.arrays if a.verdict == "wrong"), "")


def checked(report: Any) -> set[str]:
    return {a.name for a in report.arrays if a.verdict == "right"}


EVERY_GRADIENT = {f"d{kind}{k}" for kind in "Wb" for k in (1, 2, 3)}
EVERY_UPDATE = {f"{kind}{k}_new" for kind in "Wb" for k in (1, 2, 3)}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model(kind: str, reduction: str) -> None:
    loss, model, y = KINDS[kind]
    report = told(model(), loss(reduction), y)
    assert not wrong(report) and not report.mistakes and not report.remarks
    assert {"loss", "dZ3", *EVERY_GRADIENT, *EVERY_UPDATE} <= checked(report)
    assert report.conventions["averaged"] == (reduction == "mean")


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_usual_activation(name: str, dtype: str) -> None:
    if (name, dtype) == ("Hardsigmoid", "float64"):
        pytest.skip("PyTorch has its slope of 1/6 in single precision only, which is said to be wrong, and is")
    kind = getattr(torch, dtype)
    model = mlp(3, getattr(nn, name)).to(kind)
    report = told(model, nn.CrossEntropyLoss(), CLASSES, x=X.to(kind))
    assert not wrong(report) and {*EVERY_GRADIENT, *EVERY_UPDATE} <= checked(report)


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


@pytest.mark.parametrize("name", SLOPES)
def test_a_derivative_of_ones_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slope, mistake = SLOPES[name]
    monkeypatch.setattr(Written, "slope", slope)
    report = told(Layers(lambda m, x: m.c(Written.apply(m.b(torch.tanh(m.a(x)))))), nn.CrossEntropyLoss(), CLASSES)
    assert [m.id for m in report.mistakes] == ([mistake] if mistake else [])
    assert first(report) == ("dZ2" if mistake else "")


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_of_programs(name: str) -> None:
    array, mistake, run = MISTAKES[name]
    report = run()
    assert first(report) == array and report.mistakes[0].id == mistake, str(report)
    assert "arithmetic" not in {m.id for m in report.mistakes}, str(report)


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
