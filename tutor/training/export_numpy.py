"""The NumPy script: forward pass, backward pass and update written out layer by layer, an example a row."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tutor.arithmetic.scalar import SMALLEST_PROBABILITY
from tutor.maths import batch_norm
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.clipping import by_norm, by_value
from tutor.maths.losses import LOSSES
from tutor.maths.penalties import PENALTIES
from tutor.training.export import Plan
from tutor.training.export_backward import NUMPY, gradient_lines
from tutor.training.export_parts import (
    array,
    assembled,
    documented,
    rate_lines,
    setting_lines,
    step_lines,
    using,
)
from tutor.training.written import Writing, Written, text_of, written


def script(plan: Plan) -> str:
    """The whole script."""
    lines = [
        'np.seterr(over="ignore")  # where exp overflows, 1/(1 + exp(-z)) is 0, as it should be',
        *_numbers(plan),
        "",
        "",
        *_forward(plan),
        *_predict(plan),
        *gradient_lines(plan),
        *rate_lines(plan),
        *_step(plan),
        *_update(plan),
        *using(plan),
    ]
    return assembled(plan, "numpy", "NumPy", lines)


def activation(name: str, z: str, m: Writing) -> str:
    """The text of an activation of one sum."""
    entry = ACTIVATIONS[name]
    parameter = [m.number(entry.default)] if entry.parameter else []
    return text_of(entry.value, Written(z), *parameter, m)


def _numbers(plan: Plan) -> list[str]:
    """The parameters in one vector, its parts by their names, and what else was learned."""
    shape, scaling = plan.shape, plan.run.heading.scaling
    lines = [
        "# All parameters: layer by layer, neuron by neuron, the bias after the weights; the parts are views of it."
    ]
    lines.append(f"w = {array(plan.vector)}")
    start = 0
    for k, (before, after) in enumerate(pairwise(shape.sizes), 1):
        end = start + (before + 1) * after
        lines.append(f"layer{k} = w[{start}:{end}].reshape({after}, {before + 1})")
        lines.append(f"W{k}, b{k} = layer{k}[:, :-1], layer{k}[:, -1]")
        start = end
    for k, size in enumerate(shape.sizes[1:-1] if shape.batch_norm else (), 1):
        lines.append(f"gamma{k} = w[{start}:{start + size}]")
        start += size
    for k, (mean, variance) in enumerate(plan.running, 1):
        lines += [f"mean{k} = {array(mean)}", f"variance{k} = {array(variance)}"]
    if scaling is not None:
        lines += [f"shift = {array(scaling.shift)}", f"scale = {array(scaling.scale)}"]
    lines += [f"state_{name} = {array(values)}" for name, values in plan.state.items()]
    return [*lines, *setting_lines(plan)]


def _forward(plan: Plan) -> list[str]:
    shape = plan.shape
    lines = [
        "def forward(x, learning=False):",
        '    """Every weighted sum z, activation a and passed-on output h, a row an example."""',
    ]
    kept, source = ["h0=x"], "x"
    for depth, name in enumerate(shape.activations):
        k = depth + 1
        if shape.normalises(depth):
            lines += _normalised(k, source)
            kept.append(f"n{k}=n{k}, s{k}=s{k}")
        else:
            lines.append(f"    z{k} = {source} @ W{k}.T + b{k}")
        if name == "softmax":
            lines.append(f"    powers = np.exp(z{k} - z{k}.max(axis=1, keepdims=True))")
            lines.append(f"    a{k} = powers / powers.sum(axis=1, keepdims=True)")
        else:
            lines.append(f"    a{k} = {activation(name, f'z{k}', NUMPY)}")
        kept.append(f"z{k}=z{k}, a{k}=a{k}")
        if k < shape.depth:
            lines.append(
                f"    h{k} = a{k} + {source}  # the residual connection" if shape.skips(depth) else f"    h{k} = a{k}"
            )
            kept.append(f"h{k}=h{k}")
            source = f"h{k}"
    return [*lines, "    return SimpleNamespace(", *(f"        {part}," for part in kept), "    )", "", ""]


def _normalised(k: int, source: str) -> list[str]:
    mean, variance = Written(f"mean{k}"), Written(f"variance{k}")
    return [
        f"    sums = {source} @ W{k}.T",
        "    if learning:",
        "        centre = sums.mean(axis=0)",
        "        variance = ((sums - centre) ** 2).mean(axis=0)",
        f"        mean{k}[...] = {text_of(batch_norm.running, mean, Written('centre'), NUMPY)}",
        f"        variance{k}[...] = {text_of(batch_norm.running, variance, Written('variance'), NUMPY)}",
        "    else:",
        f"        centre, variance = mean{k}, variance{k}",
        f"    s{k} = {text_of(batch_norm.spread, Written('variance'), NUMPY)}",
        f"    n{k} = (sums - centre) / s{k}",
        f"    z{k} = {text_of(batch_norm.scaled, Written(f'n{k}'), Written(f'gamma{k}'), Written(f'b{k}'))}",
    ]


def _predict(plan: Plan) -> list[str]:
    scaled = "(x - shift) / scale" if plan.run.heading.scaling is not None else "x"
    return [
        "def scaled(x):",
        '    """Examples as the network was trained on them."""',
        "    x = np.asarray(x, dtype=np.float64)",
        f"    return {scaled}",
        "",
        "",
        "def predict(x):",
        '    """The outputs for these examples, a row each."""',
        f"    return forward(scaled(x)).a{plan.shape.depth}",
        "",
        "",
    ]


class _Longer(Writing):
    """Where it is known already that the condition holds."""

    def positive(self, z: Any, then: Any, otherwise: Any) -> Written:
        return written(then)


def clipped(plan: Plan, module: str) -> tuple[str, str]:
    """How a gradient g is cut back by value, and by its length; empty where it is not."""
    rules = plan.settings.rules
    value = norm = ""
    if rules.clip_value is not None:
        value = text_of(by_value, Written("g"), written(rules.clip_value), Writing(module))
    if rules.clip_norm is not None:
        norm = text_of(by_norm, Written("g"), Written("length"), written(rules.clip_norm), _Longer(module))
    return value, norm


def _step(plan: Plan) -> list[str]:
    together, each = step_lines(plan, "np", "    ")
    return [
        "def step(g, E, epoch):",
        *documented(plan.variant),
        '    now["t"] += 1',
        '    t, eta = now["t"], rate(epoch)',
        *together,
        *(f"    {name} = state_{name}" for name in plan.variant.state),
        *each,
        "",
        "",
    ]


def loss_text(plan: Plan, y: str, m: Writing) -> str:
    """The mean loss of the examples."""
    loss = LOSSES[plan.shape.loss]
    outputs = f" / {plan.shape.sizes[-1]}" if loss.mean else ""
    return f"({text_of(loss.term, Written(y), Written('targets'), m)}).sum() / len(targets){outputs}"


def _update(plan: Plan) -> list[str]:
    shape, rules = plan.shape, plan.settings.rules
    value, norm = clipped(plan, "np")
    outputs, tiny = f"f.a{shape.depth}", SMALLEST_PROBABILITY
    if LOSSES[shape.loss].output:
        outputs = f"np.clip({outputs}, {tiny}, 1 - {tiny})"
    lines = [
        "def update(x, targets, epoch=EPOCH):",
        '    """One update by these examples; the mean of their losses before it."""',
        "    targets = np.asarray(targets, dtype=np.float64)",
        "    f = forward(scaled(x), learning=True)",
        f"    y = {outputs}",
        f"    E = loss = float({loss_text(plan, 'y', NUMPY)})",
        "    g = gradient(f, targets)",
    ]
    if plan.variant.shared:
        for name, strength in (("l1", rules.l1), ("l2", rules.l2)):
            for k in range(1, shape.depth + 1) if strength else ():
                term = text_of(PENALTIES[name].term, Written(f"W{k}"), NUMPY)
                lines.append(f"    E = E + {strength!r} * float(({term}).sum())")
    if value:
        lines.append(f"    g = {value}")
    if norm:
        lines += [
            "    length = math.sqrt((g * g).sum())",
            f"    if length > {rules.clip_norm!r}:",
            f"        g = {norm}",
        ]
    return [*lines, "    step(g, E, epoch)", "    return loss", "", ""]
