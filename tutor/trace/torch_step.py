"""One training step of a PyTorch model, on a copy, with everything in between recorded by hooks.

PyTorch is no dependency: whoever has a model has loaded it. What is checked are the linear layers of the model in the
order in which they are called, and the activations between them, whether modules or functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tutor.errors import NothingThere, listed
from tutor.trace.step import Step

if TYPE_CHECKING:
    from tutor.trace.report import TraceReport

_LOSSES = {
    "CrossEntropyLoss": ("cross_entropy", "softmax"),
    "NLLLoss": ("cross_entropy", "softmax"),
    "BCELoss": ("binary_cross_entropy", "sigmoid"),
    "BCEWithLogitsLoss": ("binary_cross_entropy", "sigmoid"),
    "MSELoss": ("mean_squared_error", ""),
    "HuberLoss": ("huber", ""),
    "SmoothL1Loss": ("huber", ""),
}
_ON_LOGITS = ("CrossEntropyLoss", "BCEWithLogitsLoss")
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
}
_STATES = {
    "Adam": {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "v_max"},
    "AdamW": {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "v_max"},
    "SGD": {"momentum_buffer": "v"},
    "RMSprop": {"square_avg": "r", "grad_avg": "a", "momentum_buffer": "b"},
    "Adagrad": {"sum": "r"},
    "Adadelta": {"square_avg": "r", "acc_delta": "u"},
}


def pytorch(model: Any, loss_function: Any, optimizer: Any, x: Any, y: Any) -> TraceReport:
    """Take one step with a copy of the model and its optimizer, and check it.

    `loss_function` is called with the outputs of the model and y. Neither the model, nor the optimizer, nor a gradient
    is changed. Gradients begin at 0, as after `optimizer.zero_grad()`. Raises NothingThere where the model has no
    linear layers that are called with vectors.
    """
    from tutor.trace.conventions import Options
    from tutor.trace.report import trace

    model, optimizer = deepcopy((model, optimizer))
    optimizer.zero_grad()
    hooks = _Hooks(model)
    outputs = model(x)
    hooks.remove()
    loss = loss_function(outputs, y)
    step, remarks = Step(), hooks.remarks()
    layers = hooks.layers
    if not layers:
        raise NothingThere(
            "the model calls no nn.Linear with a batch of vectors, so there is nothing that is known here"
        )
    step.record(X=layers[0].inputs, y=y, loss=loss)
    for k, layer in enumerate(layers, 1):
        step.record(**{f"W{k}": layer.module.weight, f"Z{k}": layer.sums})
        if layer.module.bias is not None:
            step.record(**{f"b{k}": layer.module.bias})
        after = layers[k].inputs if k < len(layers) else outputs
        if after.shape == layer.sums.shape and (k < len(layers) or not _is_logits(layer.sums, after)):
            step.record(**{f"A{k}": after if k < len(layers) else _probabilities(after, loss_function)})
    before = _states(optimizer, layers, "")
    loss.backward()
    for k, layer in enumerate(layers, 1):
        grads = {f"dZ{k}": layer.by_sums, f"dW{k}": layer.module.weight.grad}
        if layer.module.bias is not None:
            grads[f"db{k}"] = layer.module.bias.grad
        step.record(**{name: g for name, g in grads.items() if g is not None})
    options = _of_loss(loss_function) | _of_layers(layers, hooks)
    trained = _of_optimizer(optimizer)
    if isinstance(trained, str):
        remarks.append(trained)
        optimizer.step()
    else:
        options |= trained
        step.record(**before)
        optimizer.step()
        step.record(**_states(optimizer, layers, "_new"))
        for k, layer in enumerate(layers, 1):
            step.record(**{f"W{k}_new": layer.module.weight})
            if layer.module.bias is not None:
                step.record(**{f"b{k}_new": layer.module.bias})
    options |= {"examples": "rows", "weights": "out-in", "gaps": frozenset(hooks.gaps)}
    report = trace([step.arrays], Options(**options))[0].report
    report.remarks += remarks
    return report


class _Layer:
    """A call of a linear layer: its inputs and its sums as they were, and the gradient that came back to these."""

    def __init__(self, module: Any, inputs: Any, sums: Any) -> None:
        self.module, self.inputs, self.sums = module, inputs.detach().clone(), sums.detach().clone()
        self.by_sums: Any = None
        self.activation = ""
        if sums.requires_grad:
            sums.register_hook(self._keep)

    def _keep(self, gradient: Any) -> None:
        self.by_sums = gradient.detach().clone()


class _Hooks:
    """What a forward pass calls, in its order."""

    def __init__(self, model: Any) -> None:
        self.layers: list[_Layer] = []
        self.unknown: list[str] = []
        self.gaps: set[int] = set()
        self._handles = [
            module.register_forward_hook(self._called) for module in model.modules() if not list(module.children())
        ]

    def _called(self, module: Any, inputs: Any, outputs: Any) -> None:
        name = type(module).__name__
        if name == "Linear" and inputs[0].dim() == 2:
            self.layers.append(_Layer(module, inputs[0], outputs))
        elif name in _ACTIVATIONS:
            if self.layers and _ACTIVATIONS[name]:
                self.layers[-1].activation = _ACTIVATIONS[name]
        else:
            self.unknown.append(name)
            if self.layers:
                self.gaps.add(len(self.layers))

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def remarks(self) -> list[str]:
        if not self.unknown:
            return []
        return [f"left out, for it is not known here: {listed(dict.fromkeys(self.unknown))}"]


def _is_logits(sums: Any, outputs: Any) -> bool:
    return bool((sums == outputs.detach()).all())


def _probabilities(outputs: Any, loss_function: Any) -> Any:
    """The outputs of a softmax, also where the model hands on their logarithms."""
    return outputs.exp() if type(loss_function).__name__ == "NLLLoss" else outputs


def _of_loss(loss_function: Any) -> dict[str, Any]:
    name = type(loss_function).__name__
    loss, output = _LOSSES.get(name, ("", ""))
    options: dict[str, Any] = {"loss": loss, "output_activation": output}
    delta = getattr(loss_function, "delta", getattr(loss_function, "beta", None))
    if loss == "huber" and delta is not None:
        options["loss_setting"] = {"delta": float(delta)}
    return {key: value for key, value in options.items() if value}


def _of_layers(layers: list[_Layer], hooks: _Hooks) -> dict[str, Any]:
    hidden = [layer.activation for layer in layers[:-1]]
    options: dict[str, Any] = {}
    if hidden and all(hidden):
        options["activation"] = ",".join(hidden)
    return options


def _of_optimizer(optimizer: Any) -> dict[str, Any] | str:
    """The options of an optimizer; or why its updates are not checked."""
    name, groups = type(optimizer).__name__, optimizer.param_groups
    group = groups[0]
    if len(groups) > 1:
        return "the updates are not checked, for the parameters are in several groups"
    if group.get("weight_decay") and name != "AdamW":
        return "the updates are not checked, for weight_decay is added to the gradients inside the optimizer"
    rate = float(group["lr"])
    made = dict(_settings(name, group))
    known = made.pop("optimizer", "")
    if not known:
        return f"the updates are not checked, for {name} is not known here"
    return {"optimizer": known, "learning_rate": rate, "optimizer_setting": made, "update": _count(optimizer)}


def _settings(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    if name == "SGD":
        momentum = group.get("momentum", 0)
        yield "optimizer", "nesterov" if group.get("nesterov") else "momentum" if momentum else "sgd"
        if momentum:
            yield "beta", momentum
        if momentum and not group.get("nesterov"):
            yield "classical", True
            if group.get("dampening"):
                yield "dampening", group["dampening"]
    elif name in ("Adam", "AdamW"):
        yield "optimizer", name.lower()
        yield "beta1", group["betas"][0]
        yield "beta2", group["betas"][1]
        yield "epsilon", group["eps"]
        if group.get("amsgrad"):
            yield "amsgrad", True
        if name == "AdamW":
            yield "decay", group["weight_decay"]
    elif name == "RMSprop":
        yield "optimizer", "rmsprop"
        yield "rho", group["alpha"]
        yield "epsilon", group["eps"]
        if group.get("centered"):
            yield "centered", True
        if group.get("momentum"):
            yield "momentum", group["momentum"]
    elif name == "Adagrad" and not group.get("lr_decay"):
        yield "optimizer", "adagrad"
        yield "epsilon", group["eps"]
        yield "initial_accumulator", group.get("initial_accumulator_value", 0)
    elif name == "Adadelta":
        yield "optimizer", "adadelta"
        yield "rho", group["rho"]
        yield "epsilon", group["eps"]


def _count(optimizer: Any) -> int:
    """The number of the step that comes next, as far as the optimizer counts."""
    counts = [int(state["step"]) for state in optimizer.state.values() if "step" in state]
    if counts:
        return max(counts) + 1
    return 2 if any(state for state in optimizer.state.values()) else 1


def _states(optimizer: Any, layers: list[_Layer], ending: str) -> dict[str, Any]:
    """What the optimizer keeps of each parameter, under the names that it has here."""
    known = _STATES.get(type(optimizer).__name__, {})
    found = {}
    for k, layer in enumerate(layers, 1):
        for name, parameter in (("W", layer.module.weight), ("b", layer.module.bias)):
            state = optimizer.state.get(parameter, {}) if parameter is not None else {}
            for key, called in known.items():
                if state.get(key) is not None:
                    found[f"{called}_{name}{k}{ending}"] = state[key]
    return found
