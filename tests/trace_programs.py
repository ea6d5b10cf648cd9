"""Programs that somebody could have written: one training step in plain NumPy, in ten styles, right or with a mistake.

Nothing here comes from the program under test: the formulas are written out, layer by layer, as people write them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = Any

HIDDEN: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "tanh": (np.tanh, lambda z, a: 1 - a * a),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "relu": (lambda z: np.where(z > 0, z, 0).astype(z.dtype), lambda z, a: (z > 0).astype(z.dtype)),
}


@dataclass
class Task:
    """A network and a batch: `kind` is classes, binary or values."""

    sizes: tuple[int, ...]
    kind: str
    activation: str
    n: int
    eta: float = 0.3
    dtype: Any = float
    seed: int = 0
    l2: float = 0.0


TASKS = {
    "one layer, classes": Task((4, 3), "classes", "tanh", 6),
    "one layer, values": Task((3, 2), "values", "tanh", 5),
    "two layers, two classes": Task((3, 5, 1), "binary", "tanh", 7),
    "three layers, relu, classes": Task((4, 6, 5, 3), "classes", "relu", 6),
    "four layers, sigmoid, values": Task((3, 4, 5, 4, 1), "values", "sigmoid", 5),
}


@dataclass
class Style:
    """How a program writes things down."""

    columns: bool = False
    out_in: bool = False
    bias: str = "(d,)"  # (1,d) (d,1) in
    gradient: str = "mean"  # sum, late: divided in dW
    labels: str = "numbers"  # one-hot, column
    half: bool = True
    names: Callable[[str, int], str] = lambda kind, k: f"{kind[0]}{k}_new" if kind.endswith("_new") else f"{kind}{k}"
    lists: bool = False


def _snake(kind: str, k: int) -> str:
    table = {
        "dW": f"grad_W{k}",
        "db": f"grad_b{k}",
        "Z": f"z{k}",
        "A": f"h{k}",
        "dZ": f"delta{k}",
        "W_new": f"W{k}_new",
        "b_new": f"new_b{k}",
    }
    return table.get(kind, f"{kind}{k}")


STYLES = {
    "rows": Style(),
    "rows, (1, d) biases": Style(bias="(1,d)", labels="one-hot"),
    "columns": Style(columns=True, out_in=True, bias="(d,1)", gradient="late", labels="one-hot"),
    "columns, class numbers": Style(columns=True, out_in=True, bias="(d,)"),
    "columns, (in, out)": Style(columns=True, bias="(d,1)"),
    "as PyTorch": Style(out_in=True),
    "sums": Style(gradient="sum", labels="one-hot"),
    "divided at the end": Style(gradient="late", half=False, labels="column"),
    "snake": Style(names=_snake, half=False, gradient="late"),
    "lists": Style(lists=True, gradient="sum", bias="(1,d)"),
}
"""Ten of them."""


class Program:
    """One step, line by line. A mistake is a word that a line asks for."""

    def __init__(self, task: Task, style: Style, mistakes: tuple[str, ...] = (), layer: int = 0) -> None:
        self.task, self.style, self.mistakes, self.layer = task, style, set(mistakes), layer
        self.r = np.random.default_rng(task.seed)

    def has(self, mistake: str, k: int = 0) -> bool:
        return mistake in self.mistakes and self.layer in (0, k or self.layer)

    def run(self) -> dict[str, Any]:
        t, r = self.task, self.r
        K, n, dt = len(t.sizes) - 1, t.n, t.dtype
        X = r.normal(size=(n, t.sizes[0])).astype(dt)
        y, T = self._targets()
        W = [(r.normal(size=s) * (1.2 / np.sqrt(s[0]))).astype(dt) for s in zip(t.sizes, t.sizes[1:], strict=False)]
        b = [(r.normal(size=s) * 0.3).astype(dt) for s in t.sizes[1:]]
        got: dict[str, Any] = {"X": X, "y": y, "W": W, "b": b}
        Z, A, P, loss = self._forward(X, T, W, b)
        dZ, dA, dW, db = self._backward(X, T, W, b, Z, A, P)
        W_new, b_new = self._update(W, b, dW, db)
        got |= {
            "Z": Z,
            "A": A,
            "P": P,
            "loss": loss,
            "dZ": dZ,
            "dA": dA,
            "dW": dW,
            "db": db,
            "W_new": W_new,
            "b_new": b_new,
        }
        assert len(dW) == K
        return self._written(got)

    def _targets(self) -> tuple[Array, Array]:
        t, r = self.task, self.r
        c = t.sizes[-1]
        if t.kind == "classes":
            y = np.concatenate([np.arange(c), r.integers(0, c, max(0, t.n - c))])[: t.n]
            r.shuffle(y)
            T = np.eye(c, dtype=t.dtype)[y]
            return (T if self.style.labels == "one-hot" else y), T
        if t.kind == "binary":
            y = r.integers(0, 2, t.n)
            return (y[:, None] if self.style.labels != "numbers" else y), y[:, None].astype(t.dtype)
        T = r.normal(size=(t.n, c)).astype(t.dtype)
        return (T[:, 0] if c == 1 and self.style.labels == "numbers" else T), T

    def _forward(self, X: Array, T: Array, W: Any, b: Any) -> Any:
        t, n = self.task, self.task.n
        f, _ = HIDDEN[t.activation]
        if self.has("wrong-activation"):
            f, _ = HIDDEN["sigmoid" if t.activation != "sigmoid" else "tanh"]
        Z, A, a = [], [], X
        K = len(W)
        for k in range(K):
            z = a @ W[k]
            if not self.has("missing-bias", k + 1):
                z = z + b[k]
            if k < K - 1:
                a = z.copy() if self.has("no-activation", k + 1) else f(z)
            elif t.kind == "classes":
                axis = 0 if self.has("softmax-axis") else 1
                e = np.exp(z - z.max(axis=axis, keepdims=True))
                a = e / e.sum(axis=axis, keepdims=True)
            elif t.kind == "binary":
                a = 1 / (1 + np.exp(-z))
            else:
                a = z.copy()
            Z.append(z)
            A.append(a)
        P = A[-1]
        L = T
        if self.has("labels-shifted"):
            L = np.roll(T, 1, axis=1)
        if self.has("shuffled-apart"):
            L = T[::-1]
        Q = P
        if self.has("softmax-twice"):
            e = np.exp(P - P.max(1, keepdims=True))
            Q = e / e.sum(1, keepdims=True)
        if t.kind == "classes":
            loss = -np.sum(L * np.log(Q))
        elif t.kind == "binary":
            loss = -np.sum(L * np.log(P) + (1 - L) * np.log(1 - P))
        else:
            loss = np.sum((P - L) ** 2) * (0.5 if self.style.half else 1)
        if self.style.gradient != "sum":
            loss = loss / n
        if t.l2:
            loss = loss + t.l2 * sum(float(np.sum(w.astype(float) ** 2)) for w in W)
        return Z, A, P, np.asarray(loss, t.dtype)

    def _backward(self, X: Array, T: Array, W: Any, b: Any, Z: Any, A: Any, P: Array) -> Any:
        t, n, K = self.task, self.task.n, len(W)
        _, slope = HIDDEN[t.activation]
        if self.has("wrong-activation"):
            _, slope = HIDDEN["sigmoid" if t.activation != "sigmoid" else "tanh"]
        L = T
        if self.has("labels-shifted"):
            L = np.roll(T, 1, axis=1)
        if self.has("shuffled-apart"):
            L = T[::-1]
        d = P - L
        if self.has("softmax-twice"):
            e = np.exp(P - P.max(1, keepdims=True))
            g = e / e.sum(1, keepdims=True) - L
            d = P * (g - np.sum(g * P, axis=1, keepdims=True))
        if self.has("class-numbers"):
            d = P - L.argmax(1)[:, None].astype(t.dtype)
        if t.kind == "values" and not self.style.half and not self.has("forgotten-two"):
            d = 2 * d
        if self.has("error-sign"):
            d = -d
        if self.has("extra-slope"):
            d = d * P * (1 - P)
        early, late = self.style.gradient == "mean", self.style.gradient == "late"
        if self.has("sum-for-mean"):
            early = late = False
        if self.has("mean-for-sum"):
            early = True
        if self.has("wrong-batch-size"):
            n = n + 4  # never twice as many, which would be a factor of 2
        if early:
            d = d / n
        dZ, dA, dW, db = [None] * K, [None] * K, [None] * K, [None] * K
        for k in reversed(range(K)):
            if k < K - 1:
                w = W[k + 1]
                if self.has("updated-weight"):
                    w = w - t.eta * dW[k + 1]
                d = dZ[k + 1] @ (w if self.has("transposed-weight", k + 1) else w.T)
                dA[k] = d
                z, a = Z[k], A[k]
                if self.has("slope-of-output", k + 1):
                    d = d * slope(a, HIDDEN[t.activation][0](a))
                elif self.has("slope-form", k + 1):
                    d = d * (1 - a)
                elif self.has("slope-of-another", k + 1):
                    d = d * HIDDEN["tanh" if t.activation != "tanh" else "sigmoid"][1](z, a)
                elif self.has("wrong-mask", k + 1):
                    d = d * (d > 0)
                elif not self.has("missing-slope", k + 1):
                    d = d * slope(z, a)
            dZ[k] = d
            a = X if k == 0 else A[k - 1]
            g, h = a.T @ d, d.sum(axis=0)
            if self.has("transposed-product", k + 1):
                g = (a.T @ d).T
            if self.has("overwritten", k + 1):
                g, h = a[-1:].T @ d[-1:], d[-1]
            if self.has("bias-not-summed", k + 1):
                h = d
            if self.has("bias-wrong-axis", k + 1):
                h = d.sum(axis=1)
            if self.has("bias-mean", k + 1):
                h = d.mean(axis=0)
            if late:
                g, h = g / n, h / n
            if self.has("mean-twice"):
                g, h = g / n, h / n
            if t.l2 and not self.has("penalty-missing"):
                g = g + (4 if self.has("penalty-doubled") else 2) * t.l2 * W[k]
            if self.has("penalty-on-bias"):
                h = h + 2 * t.l2 * b[k]
            dW[k], db[k] = g, h
        return dZ, dA, dW, db

    def _update(self, W: Any, b: Any, dW: Any, db: Any) -> Any:
        eta = self.task.eta
        if self.has("ascent"):
            eta = -eta
        if self.has("missing-rate"):
            eta = 1.0
        if self.has("rate-twice"):
            eta = eta * eta
        new, new_b = [], []
        for k in range(len(W)):
            g, h = dW[k], db[k]
            still = self.has("layer-not-updated", k + 1)
            new.append(
                W[k].copy()
                if still or self.has("not-updated")
                else (W[k] - self.task.dtype(eta) * (g.T if g.shape != W[k].shape else g))
            )
            new_b.append(
                b[k].copy()
                if still or self.has("not-updated") or self.has("biases-not-updated")
                else b[k] - self.task.dtype(eta) * h
            )
        return new, new_b

    def _written(self, got: dict[str, Any]) -> dict[str, Any]:
        s, out = self.style, {}
        flip = (lambda m: m.T) if s.columns else (lambda m: m)
        turn = (lambda m: m.T) if s.out_in else (lambda m: m)
        K = len(got["W"])
        y = got["y"]
        out["X"] = flip(got["X"])
        out["y"] = flip(y) if y.ndim == 2 else y

        def bias(v: Array) -> Array:
            if v.ndim == 2:
                return flip(v)
            return {"(1,d)": v[None, :], "(d,1)": v[:, None], "(d,)": v}[s.bias]

        for kind in ("W", "b"):
            for k in range(K):
                out[s.names(kind, k + 1)] = turn(got[kind][k]) if kind == "W" else bias(got[kind][k])
        for k in range(K):
            out[s.names("Z", k + 1)] = flip(got["Z"][k])
            if k < K - 1:
                out[s.names("A", k + 1)] = flip(got["A"][k])
        out["P" if s.names is not _snake else "y_hat"] = flip(got["P"])
        out["loss"] = got["loss"]
        for k in reversed(range(K)):
            if got["dA"][k] is not None:
                out[f"dA{k + 1}"] = flip(got["dA"][k])
            out[s.names("dZ", k + 1)] = flip(got["dZ"][k])
            out[s.names("dW", k + 1)] = turn(got["dW"][k])
            out[s.names("db", k + 1)] = bias(got["db"][k])
        for k in range(K):
            out[s.names("W_new", k + 1)] = turn(got["W_new"][k])
            out[s.names("b_new", k + 1)] = bias(got["b_new"][k])
        out = {name: np.array(value) for name, value in out.items()}
        return {name: v.tolist() for name, v in out.items()} if s.lists else out


def without_the_middle(arrays: dict[str, Any]) -> dict[str, Any]:
    """Parameters, gradients and new parameters alone."""
    keep = {}
    for name, value in arrays.items():
        stem = name.rstrip("0123456789")
        if stem not in ("Z", "A", "dA", "dZ", "delta", "z", "h", "P", "y_hat", "loss"):
            keep[name] = value
    return keep


def options_of(task: Task) -> dict[str, Any]:
    loss = {"classes": "cross_entropy", "binary": "binary_cross_entropy"}.get(task.kind, "")
    out: dict[str, Any] = {"activation": task.activation, "learning_rate": task.eta}
    if loss:
        out["loss"] = loss
    if task.l2:
        out["l2"] = task.l2
    return out


MISTAKES: dict[str, tuple[str, ...]] = {
    "missing-bias": ("missing-bias",),
    "no-activation": ("no-activation",),
    "wrong-activation": ("wrong-activation",),
    "softmax-axis": ("softmax-axis",),
    "softmax-twice": ("softmax-twice",),
    "labels-shifted": ("labels-shifted",),
    "shuffled-apart": ("shuffled-apart", "labels-shifted"),
    "class-numbers": ("broadcast",),
    "error-sign": ("error-sign",),
    "extra-slope": ("extra-slope", "wrong-loss"),
    "forgotten-two": ("wrong-loss", "factor-two"),
    "sum-for-mean": ("sum-for-mean",),
    "mean-for-sum": ("mean-for-sum",),
    "mean-twice": ("mean-twice",),
    "wrong-batch-size": ("wrong-batch-size",),
    "missing-slope": ("missing-slope",),
    "slope-of-output": ("slope-of-output",),
    "slope-form": ("slope-form",),
    "slope-of-another": ("wrong-activation", "slope-form"),
    "wrong-mask": ("wrong-mask",),
    "transposed-weight": ("transposed",),
    "transposed-product": ("transposed",),
    "updated-weight": ("updated-weight",),
    "overwritten": ("overwritten",),
    "bias-not-summed": ("bias-not-summed",),
    "bias-wrong-axis": ("bias-wrong-axis",),
    "bias-mean": ("mean-twice", "mean-for-sum"),
    "penalty-missing": ("penalty-missing",),
    "penalty-doubled": ("penalty-doubled",),
    "penalty-on-bias": ("penalty-on-bias",),
    "not-updated": ("not-updated",),
    "biases-not-updated": ("not-updated",),
    "layer-not-updated": ("layer-not-updated",),
    "ascent": ("ascent",),
    "missing-rate": ("missing-rate",),
    "rate-twice": ("rate-twice",),
}
"""What a program may get wrong, and by which names the report may call it: the same numbers by definition."""


def names_of(mistake: str, task: Task) -> set[str]:
    """By which names the report may call it in this network."""
    also: dict[str, tuple[str, ...]] = {}
    if task.sizes[-1] == 1:  # the sum over one unit is no sum
        also["bias-wrong-axis"] = ("bias-not-summed",)
    if task.sizes[-1] == 2:  # a mean over two outputs is a half
        also["forgotten-two"] = ("mean-for-sum",)
    return {*MISTAKES[mistake], *also.get(mistake, ())}


def can_have(mistake: str, task: Task, style: Style) -> bool:
    """Whether the mistake makes a difference in this program, and can be made in it."""
    deep, c = len(task.sizes) > 2, task.kind
    of_hidden = (
        "no-activation",
        "wrong-activation",
        "missing-slope",
        "slope-of-output",
        "slope-form",
        "slope-of-another",
        "wrong-mask",
        "updated-weight",
        "transposed-weight",
    )
    if mistake in of_hidden and not deep:
        return False
    if mistake in ("softmax-axis", "softmax-twice", "labels-shifted", "class-numbers") and c != "classes":
        return False
    if mistake == "extra-slope" and c == "values":
        return False
    if mistake == "forgotten-two" and (c != "values" or style.half):
        return False
    if mistake == "shuffled-apart" and c == "binary":
        return False
    if mistake in ("sum-for-mean", "mean-twice", "wrong-batch-size") and (style.gradient == "sum" or task.n < 2):
        return False
    if mistake == "mean-for-sum" and (style.gradient != "sum" or task.n < 2):
        return False
    if mistake == "wrong-mask" and task.activation != "relu":
        return False
    if mistake in ("slope-of-output", "slope-form") and task.activation == "relu":
        return False
    if mistake == "transposed-weight":
        return False  # shapes differ in these networks; squares are tested apart
    if mistake == "layer-not-updated" and not deep:
        return False
    return task.n > 1 or mistake not in ("overwritten", "bias-not-summed", "bias-wrong-axis", "bias-mean")


def needs(mistake: str, task: Task) -> Task:
    """The task with what a mistake needs."""
    if mistake.startswith("penalty"):
        return replace(task, l2=0.05)
    return task
