"""One training step of a PyTorch model, on a copy, with everything in between recorded by hooks.

PyTorch is no dependency: whoever has a model has loaded it. What is checked are the linear layers of the model in the
order in which they are called, and the activations between them, whether modules or functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tutor.errors import NothingThere, TutorError, listed
from tutor.trace.step import Step
from tutor.trace.torch_hooks import Hooks, Layer

if TYPE_CHECKING:
    from tutor.trace.report import TraceReport

_LOSSES = {
    "CrossEntropyLoss": ("cross_entropy", "softmax"),
    "cross_entropy": ("cross_entropy", "softmax"),
    "NLLLoss": ("cross_entropy", "softmax"),
    "nll_loss": ("cross_entropy", "softmax"),
    "BCELoss": ("binary_cross_entropy", "sigmoid"),
    "binary_cross_entropy": ("binary_cross_entropy", "sigmoid"),
    "BCEWithLogitsLoss": ("binary_cross_entropy", "sigmoid"),
    "binary_cross_entropy_with_logits": ("binary_cross_entropy", "sigmoid"),
    "MSELoss": ("mean_squared_error", ""),
    "mse_loss": ("mean_squared_error", ""),
    "HuberLoss": ("huber", ""),
    "SmoothL1Loss": ("huber", ""),
}
"""By their classes and by their functions."""
_ON_LOGITS = ("CrossEntropyLoss", "cross_entropy", "BCEWithLogitsLoss", "binary_cross_entropy_with_logits")
_PLAIN: dict[str, Any] = {"weight": None, "pos_weight": None, "label_smoothing": 0.0, "ignore_index": -100, "beta": 1}
"""The settings of a loss with which it is the one that is known here."""
_STATES = {
    "Adam": {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "v_max"},
    "AdamW": {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "v_max"},
    "SGD": {"momentum_buffer": "v"},
    "RMSprop": {"square_avg": "r", "grad_avg": "a", "momentum_buffer": "b"},
    "Adagrad": {"sum": "r"},
    "Adadelta": {"square_avg": "r", "acc_delta": "u"},
}


def pytorch(model: Any, loss_function: Any, optimizer: Any, x: Any, y: Any, *, activation: str = "") -> TraceReport:
    """Take one step with a copy of the model and its optimizer, and check it.

    `loss_function` is called with the outputs of the model and y. Neither the model, nor the optimizer, nor a gradient
    is changed. Gradients begin at 0, as after `optimizer.zero_grad()`. `activation` is what the hidden layers are meant
    to have, as in `tutor train`; else what they have is found. Raises NothingThere where the model has no linear layers
    that are called with vectors, TutorError where it cannot be copied.
    """
    from tutor.trace.options import Options
    from tutor.trace.report import trace

    model, optimizer = _copied(model, optimizer)
    with Hooks(model) as hooks:
        outputs = model(x)
    loss = loss_function(outputs, y)
    if not hooks.layers:
        raise NothingThere(
            "the model calls no nn.Linear with a batch of vectors, so there is nothing that is known here"
        )
    hooks.follow(outputs, loss)
    layers = hooks.layers
    options = _of_loss(loss_function)
    step, remarks = Step(), hooks.remarks()
    if not options and _is_module(loss_function):
        remarks.append(f"the loss is not checked, for {type(loss_function).__name__} is not known here as it is set")
        hooks.gaps.add(len(layers))
    else:
        step.record(y=y, loss=loss)
    _record_sums(step, layers, outputs, loss_function)
    before = _states(optimizer, layers, "")
    if not loss.requires_grad:
        raise NothingThere("no parameter has a part in this loss: all of them are frozen, or the outputs are detached")
    loss.backward()
    _record_gradients(step, layers)
    cut = [f"{k}" for k, layer in enumerate(layers, 1) if layer.module.weight.grad is None]
    if cut:
        plural = "s" if len(cut) > 1 else ""
        remarks.append(
            f"no gradient comes back to the weights of layer{plural} {listed(cut)}, as with .detach(), no_grad() or "
            "requires_grad=False"
        )
    trained = _of_optimizer(optimizer)
    if isinstance(trained, str):
        remarks.append(trained)
    else:
        options |= trained
        step.record(**before)
        optimizer.step()
        _record_updates(step, layers, optimizer)
    options |= _of_layers(layers, activation) | _of_outputs(layers[-1], options)
    options |= {"examples": "rows", "weights": "out-in", "gaps": frozenset(hooks.gaps), "open": not activation}
    report = trace([step.arrays], Options(**options))[0].report
    report.remarks += remarks
    return report


def _copied(model: Any, optimizer: Any) -> tuple[Any, Any]:
    try:
        model, optimizer = deepcopy((model, optimizer))
    except RuntimeError as error:  # a tensor that is the result of something cannot be copied
        raise TutorError(f"the model cannot be copied: {str(error).splitlines()[0][:200]}") from None
    optimizer.zero_grad()
    model.zero_grad()
    return model, optimizer


def _record_sums(step: Step, layers: list[Layer], outputs: Any, loss_function: Any) -> None:
    step.record(X=layers[0].inputs)
    for k, layer in enumerate(layers, 1):
        step.record(**{f"W{k}": layer.module.weight, f"Z{k}": layer.sums})
        if layer.module.bias is not None:
            step.record(**{f"b{k}": layer.module.bias})
        if k < len(layers):
            step.record(**{f"A{k}": layers[k].inputs})
        elif outputs.shape == layer.sums.shape and not _is_logits(layer.sums, outputs):
            step.record(**{f"A{k}": _probabilities(outputs, loss_function, layer.activation)})


def _record_gradients(step: Step, layers: list[Layer]) -> None:
    for k, layer in enumerate(layers, 1):
        grads = {f"dZ{k}": layer.by_sums}
        if not layer.is_shared:
            grads |= {f"dW{k}": layer.module.weight.grad, f"db{k}": getattr(layer.module.bias, "grad", None)}
        step.record(**{name: g for name, g in grads.items() if g is not None})


def _record_updates(step: Step, layers: list[Layer], optimizer: Any) -> None:
    step.record(**_states(optimizer, layers, "_new"))
    for k, layer in enumerate(layers, 1):
        if not layer.is_shared:
            step.record(**{f"W{k}_new": layer.module.weight})
            if layer.module.bias is not None:
                step.record(**{f"b{k}_new": layer.module.bias})


def _is_module(loss_function: Any) -> bool:
    return hasattr(loss_function, "forward")


def _is_logits(sums: Any, outputs: Any) -> bool:
    return bool((sums == outputs.detach()).all())


def _probabilities(outputs: Any, loss_function: Any, activation: str) -> Any:
    """The outputs of a softmax, also where the model hands on their logarithms; behind an activation that is none, what
    a loss that takes logits makes of them."""
    output = _LOSSES.get(_name_of(loss_function), ("", ""))[1]
    if _name_of(loss_function) in _ON_LOGITS and activation not in ("softmax", "sigmoid"):
        return outputs.softmax(1) if output == "softmax" else outputs.sigmoid()
    is_log = _name_of(loss_function) in ("NLLLoss", "nll_loss") and bool((outputs <= 0).all())
    return outputs.exp() if is_log else outputs


def _of_loss(loss_function: Any) -> dict[str, Any]:
    name = _name_of(loss_function)
    loss, output = _LOSSES.get(name, ("", "")) if _is_plain(loss_function) else ("", "")
    options: dict[str, Any] = {"loss": loss, "output_activation": output}
    delta = getattr(loss_function, "delta", getattr(loss_function, "beta", None))
    if loss == "huber" and delta is not None:
        options["loss_setting"] = {"delta": float(delta)}
    return {key: value for key, value in options.items() if value}


def _of_outputs(last: Layer, options: dict[str, Any]) -> dict[str, Any]:
    """A loss that goes with any outputs has those that the model makes."""
    unsaid = last.activation and "output_activation" not in options
    return {"output_activation": last.activation} if unsaid else {}


def _name_of(loss_function: Any) -> str:
    return str(getattr(loss_function, "__name__", type(loss_function).__name__))


def _is_plain(loss_function: Any) -> bool:
    return all(
        getattr(loss_function, name, None) is None or getattr(loss_function, name) == value
        for name, value in _PLAIN.items()
    )


def _of_layers(layers: list[Layer], activation: str) -> dict[str, Any]:
    hidden = [layer.activation for layer in layers[:-1]]
    said = activation or (",".join(hidden) if hidden and all(hidden) else "")
    return {"activation": said} if said else {}


def _of_optimizer(optimizer: Any) -> dict[str, Any] | str:
    """The options of an optimizer; or why its updates are not checked."""
    name, groups = type(optimizer).__name__, optimizer.param_groups
    group = groups[0]
    if len(groups) > 1:
        return "the updates are not checked, for the parameters are in several groups"
    rate = float(group["lr"])
    made = dict(_settings(name, group))
    known = made.pop("optimizer", "")
    if not known:
        return f"the updates are not checked, for {name} is not known here"
    decay = 0.0 if name == "AdamW" else float(group.get("weight_decay", 0))
    return {
        "optimizer": known,
        "learning_rate": rate,
        "optimizer_setting": made,
        "update": _count(optimizer),
        "decay": decay,
    }


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


def _states(optimizer: Any, layers: list[Layer], ending: str) -> dict[str, Any]:
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
