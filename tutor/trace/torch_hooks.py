"""What the forward pass of a PyTorch model calls, and what stands between its linear layers."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from itertools import pairwise
from typing import Any

from tutor.errors import listed

_ACTIVATIONS = {
    "Tanh": "tanh",
    "ReLU": "relu",
    "Sigmoid": "sigmoid",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "Softplus": "softplus",
    "GELU": "gelu",
    "SiLU": "silu",
    "SELU": "selu",
    "Softsign": "softsign",
    "Hardsigmoid": "hard_sigmoid",
    "Identity": "linear",
    "Softmax": "softmax",
    "LogSoftmax": "softmax",
    "Flatten": "",
    "Unflatten": "",
}
_SETTINGS: dict[str, Any] = {
    "negative_slope": 0.01,
    "alpha": 1.0,
    "beta": 1.0,
    "threshold": 20.0,
    "approximate": "none",
}
"""The settings of an activation with which it is the one that is known here."""
_BEHIND_OUTPUTS = ("softmax", "sigmoid", "tanh", "relu", "view", "squeeze", "unsqueeze", "alias", "clone", "reshape")
"""What the last sums may go through on their way out, by the beginnings of the names in a graph."""


class Layer:
    """A call of a linear layer: its inputs and its sums as they were, and the gradient that came back to these."""

    def __init__(self, module: Any, inputs: Any, sums: Any) -> None:
        self.module, self.inputs, self.sums = module, inputs.detach().clone(), sums.detach().clone()
        self.begins, self.ends = inputs.grad_fn, sums.grad_fn
        self.by_sums: Any = None
        self.activation = ""
        self.is_shared = False
        if sums.requires_grad:
            sums.register_hook(self._keep)

    def _keep(self, gradient: Any) -> None:
        self.by_sums = gradient.detach().clone()


class Hooks:
    """What a forward pass calls, in its order."""

    def __init__(self, model: Any) -> None:
        self.layers: list[Layer] = []
        self.unknown: list[str] = []
        self.gaps: set[int] = set()
        self.said: list[str] = []
        self._model = model

    def __enter__(self) -> Hooks:
        """Listen to every module: those of a plain list are called, too, and are none of the model's own."""
        everywhere = import_module("torch.nn.modules.module")
        self._handle = everywhere.register_module_forward_hook(self._called)
        return self

    def __exit__(self, *raised: object) -> None:
        self._handle.remove()

    def _called(self, module: Any, inputs: Any, outputs: Any) -> None:
        if list(module.children()) or (module is self._model and type(module).__name__ != "Linear"):
            return
        name = type(module).__name__
        if name == "Linear" and inputs[0].dim() == 2:
            self.layers.append(Layer(module, inputs[0], outputs))
        elif name in _ACTIVATIONS and _has(module, _SETTINGS):
            if self.layers and _ACTIVATIONS[name]:
                self.layers[-1].activation = _ACTIVATIONS[name]
        elif not ("Dropout" in name and not module.training):
            self.unknown.append(name)
            if self.layers:
                self.gaps.add(len(self.layers))

    def _leave_out_branches(self) -> None:
        """Keep the layers behind the last that takes something of another shape than the one before it gives."""
        breaks = [k for k, (a, b) in enumerate(pairwise(self.layers), 1) if a.sums.shape != b.inputs.shape]
        if breaks:
            self.said.append(
                f"the linear layers up to number {breaks[-1]} are left out, for they do not follow on each other; "
                "layers are counted from the next one"
            )
            self.layers = self.layers[breaks[-1] :]
            self.gaps = {k - breaks[-1] for k in self.gaps if k > breaks[-1]}

    def follow(self, outputs: Any, loss: Any) -> None:
        """See in the graph of the forward pass what stands between the layers, modules or not."""
        self._find_shared()
        self._leave_out_branches()
        self._find_bare()
        used = _uses(loss)
        ends = [*(layer.begins for layer in self.layers[1:]), outputs.grad_fn]
        for k, (layer, end) in enumerate(zip(self.layers, ends, strict=True), 1):
            last = k == len(self.layers)
            if layer.ends is None or (end is None and not last):
                continue
            between = _between(layer.ends, end)
            names = [node.name() for node in between if node is not layer.ends]
            known = not last or all(
                n.lower().lstrip("_").removeprefix("log").startswith(_BEHIND_OUTPUTS) for n in names
            )
            if layer.ends not in between or not known or _is_left(between, end, used, last):
                self.gaps.add(k)
                self.unknown.append(f"what stands behind layer {k}")

    def _find_shared(self) -> None:
        calls = Counter(id(layer.module) for layer in self.layers)
        for layer in self.layers:
            layer.is_shared = calls[id(layer.module)] > 1
        if any(layer.is_shared for layer in self.layers):
            self.said.append("a layer is called more than once; what its gradient adds up to is not checked")

    def _find_bare(self) -> None:
        for k, (layer, after) in enumerate(pairwise(self.layers), 1):
            if layer.ends is not None and layer.ends is after.begins:
                self.said.append(
                    f"there is no activation between the linear layers {k} and {k + 1}, which together are as one"
                )

    def remarks(self) -> list[str]:
        left_out = (
            [f"left out, for it is not known here: {listed(dict.fromkeys(self.unknown))}"] if self.unknown else []
        )
        return [*left_out, *self.said]


def _uses(loss: Any) -> Counter[Any]:
    """How often each result in the graph of the loss is used in it."""
    used: Counter[Any] = Counter()
    waiting, seen = [loss.grad_fn], {loss.grad_fn}
    while waiting:
        for node, _ in getattr(waiting.pop(), "next_functions", ()):
            if node is not None:
                used[node] += 1
                if node not in seen:
                    seen.add(node)
                    waiting.append(node)
    return used


def _between(start: Any, end: Any) -> set[Any]:
    """The operations that lead to one, back to another or to where the graph begins."""
    found, waiting = {end} - {None}, [end]
    while waiting:
        node = waiting.pop()
        for before, _ in () if node is start or node is None else node.next_functions:
            if before is not None and before not in found and type(before).__name__ != "AccumulateGrad":
                found.add(before)
                waiting.append(before)
    return found


def _is_left(between: set[Any], end: Any, used: Counter[Any], last: bool) -> bool:
    """Whether something on the way is used beside it, too, so that gradients come back from elsewhere."""
    inside = Counter(before for node in between for before, _ in node.next_functions if before in between)
    beside = any(used[node] > inside[node] for node in between if node is not end)
    return beside or (used[end] > 1 and not last)


def _has(module: Any, settings: dict[str, Any]) -> bool:
    """Whether the settings that it has are these."""
    return all(getattr(module, name, value) == value for name, value in settings.items())
