"""The NumPy script: forward pass, backward pass written out layer by layer, the update from the registry."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tutor.export.parts import (
    CodeSystem,
    array,
    assembled,
    documented,
    in_units,
    own_targets,
    rate_lines,
    scaling_lines,
    setting_lines,
    step_lines,
    target_lines,
    text_of,
    using,
)
from tutor.export.plan import Plan
from tutor.formulas.code import CALL, POWER, Code, code_of
from tutor.maths import batch_norm
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.clipping import by_norm, by_value
from tutor.maths.losses import LOSSES

NUMPY = CodeSystem("np")


def gradient_lines(plan: Plan) -> list[str]:
    """The backward pass: d is dE/dz of a layer, e is dE/dh of what it passes on."""
    architecture, top = plan.architecture, plan.architecture.depth
    lines = [
        "def gradient(f, targets):",
        '    """The derivative of the mean loss by every parameter: d is that by a sum z, e that by an output h."""',
        f"    d{top} = {_output_delta(plan)} / len(targets)",
    ]
    if plan.output_first:
        lines[1:2] = [
            '    """The derivative of the mean loss, layer by layer from the output: d is that by a sum z, e that by',
            '    an output h. Whoever takes a layer changes its weights; the error goes back through the new ones."""',
        ]
    for k in range(top, 0, -1):
        depth = k - 1
        if architecture.normalises(depth):
            lines += _through_norm(k)
        lines.append(f"    by_W{k} = d{k}.T @ f.h{k - 1}")
        if not architecture.normalises(depth):
            lines.append(f"    by_b{k} = d{k}.sum(axis=0)")
        if plan.output_first and depth in plan.free:
            lines += [*_penalty_slopes(plan, k), f"    yield layer{k}, {_places(plan, depth, 0)}, {_by_layer(k)}"]
        if plan.output_first and depth in plan.free and architecture.normalises(depth):
            lines.append(f"    yield None, {_places(plan, depth, 1)}, by_gamma{k}")
        if k > 1:
            passed = f" + e{k}  # and past the layer" if architecture.skips(depth) else ""
            lines.append(f"    e{k - 1} = d{k} @ W{k}{passed}")
            slope = _slope(architecture.activations[k - 2], f"f.z{k - 1}", f"f.a{k - 1}")
            lines.append(f"    d{k - 1} = e{k - 1}" + (f" * {slope}" if slope != "1" else ""))
    if plan.output_first:
        return [*lines, "", ""]
    for depth in plan.free:
        lines += _penalty_slopes(plan, depth + 1)
    parts = [_by_layer(k) for k in range(1, top + 1)]
    parts += [f"by_gamma{k}" for k in range(1, top) if architecture.batch_norm]
    return [*lines, "    return np.concatenate([", *(f"        {part}," for part in parts), "    ])", "", ""]


def _penalty_slopes(plan: Plan, k: int) -> list[str]:
    slopes = ((strength, code_of(p.slope(Code(f"W{k}"), *own, NUMPY))) for strength, p, own in plan.penalties)
    return [f"    by_W{k} += {strength} * {slope.at_least(POWER)}" for strength, slope in slopes]


def _by_layer(k: int) -> str:
    return f"np.column_stack([by_W{k}, by_b{k}]).ravel()"


def _places(plan: Plan, depth: int, which: int) -> str:
    """Where the weights and biases of a layer lie in the vector or, as the second, its gammas."""
    found = plan.architecture.slices(depth)[which]
    return f"slice({found.start}, {found.stop})"


def _output_delta(plan: Plan) -> str:
    architecture, k = plan.architecture, plan.architecture.depth
    name, y, t = architecture.activations[-1], Code(f"f.a{k}"), Code("targets")
    loss = LOSSES[architecture.loss]
    if loss.output == name:
        return f"({y.text} - targets)"
    by_y = code_of(loss.slope(y, t, *plan.loss_numbers, NUMPY))
    if loss.mean:
        by_y = by_y / architecture.sizes[-1]
    if name == "softmax":
        mean = Code(f"({(by_y * y).whole}).sum(axis=1, keepdims=True)", CALL)
        return text_of(VECTOR_ACTIVATIONS[name].back, y, by_y, mean)
    slope = _slope(name, f"f.z{k}", y.text)
    return by_y.at_least(POWER) + (f" * {slope}" if slope != "1" else "")


def _through_norm(k: int) -> list[str]:
    arguments = (f"by_n{k}", f"by_n{k}.mean(axis=0)", f"f.n{k}", f"(by_n{k} * f.n{k}).mean(axis=0)", f"f.s{k}")
    return [
        f"    by_gamma{k}, by_b{k} = (d{k} * f.n{k}).sum(axis=0), d{k}.sum(axis=0)",
        f"    by_n{k} = d{k} * gamma{k}",
        f"    d{k} = {text_of(batch_norm.slope, *map(Code, arguments))}",
    ]


def _slope(name: str, z: str, a: str) -> str:
    entry = ACTIVATIONS[name]
    assert entry.slope is not None
    parameter = [NUMPY.number(entry.default)] if entry.parameter else []
    return code_of(entry.slope(Code(z), Code(a), *parameter, NUMPY)).at_least(POWER)


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


def activation(name: str, z: str, m: CodeSystem) -> str:
    """The text of an activation of one sum."""
    entry = ACTIVATIONS[name]
    parameter = [m.number(entry.default)] if entry.parameter else []
    return text_of(entry.value, Code(z), *parameter, m)


def _numbers(plan: Plan) -> list[str]:
    """The parameters in one vector, its parts by their names, and what else was learned."""
    architecture, scaling = plan.architecture, plan.run.heading.scaling
    lines = [
        "# All parameters: layer by layer, neuron by neuron, the bias after the weights; the parts are views of it."
    ]
    lines.append(f"w = {array(plan.vector)}")
    start = 0
    for k, (before, after) in enumerate(pairwise(architecture.sizes), 1):
        end = start + (before + 1) * after
        lines.append(f"layer{k} = w[{start}:{end}].reshape({after}, {before + 1})")
        lines.append(f"W{k}, b{k} = layer{k}[:, :-1], layer{k}[:, -1]")
        start = end
    for k, size in enumerate(architecture.sizes[1:-1] if architecture.batch_norm else (), 1):
        lines.append(f"gamma{k} = w[{start}:{start + size}]")
        start += size
    for k, (mean, variance) in enumerate(plan.running, 1):
        lines += [f"mean{k} = {array(mean)}", f"variance{k} = {array(variance)}"]
    if scaling is not None and scaling.scale:
        lines += [f"shift = {array(scaling.shift)}", f"scale = {array(scaling.scale)}"]
    lines += target_lines(plan)
    lines += [f"state_{name} = {array(values)}" for name, values in plan.state.items()]
    if plan.settings.freeze and not plan.output_first:
        lines.append("free = np.ones(len(w), dtype=bool)  # the parameters that learn; those of frozen layers stay")
        frozen = [places for depth in plan.settings.learning.frozen for places in architecture.slices(depth)]
        lines += [f"free[{places.start}:{places.stop}] = False" for places in frozen]
    return [*lines, *setting_lines(plan)]


def _forward(plan: Plan) -> list[str]:
    architecture = plan.architecture
    lines = [
        "def forward(x, learning=False):",
        '    """Every weighted sum z, activation a and passed-on output h, a row an example."""',
    ]
    kept, source = ["h0=x"], "x"
    for depth, name in enumerate(architecture.activations):
        k = depth + 1
        if architecture.normalises(depth):
            lines += _normalised(k, source)
            kept.append(f"n{k}=n{k}, s{k}=s{k}")
        else:
            lines.append(f"    z{k} = {source} @ W{k}.T + b{k}")
        if name == "softmax":
            largest = Code(f"z{k}.max(axis=1, keepdims=True)", CALL)
            lines.append(f"    powers = {text_of(VECTOR_ACTIVATIONS[name].power, Code(f'z{k}'), largest, NUMPY)}")
            lines.append(f"    a{k} = powers / powers.sum(axis=1, keepdims=True)")
        else:
            lines.append(f"    a{k} = {activation(name, f'z{k}', NUMPY)}")
        kept.append(f"z{k}=z{k}, a{k}=a{k}")
        if k < architecture.depth:
            lines.append(
                f"    h{k} = a{k} + {source}  # the residual connection"
                if architecture.skips(depth)
                else f"    h{k} = a{k}"
            )
            kept.append(f"h{k}=h{k}")
            source = f"h{k}"
    return [*lines, "    return SimpleNamespace(", *(f"        {part}," for part in kept), "    )", "", ""]


def _normalised(k: int, source: str) -> list[str]:
    mean, variance = Code(f"mean{k}"), Code(f"variance{k}")
    return [
        f"    sums = {source} @ W{k}.T",
        "    if learning:",
        "        centre = sums.mean(axis=0)",
        "        variance = ((sums - centre) ** 2).mean(axis=0)",
        f"        mean{k}[...] = {text_of(batch_norm.running, mean, Code('centre'), NUMPY)}",
        f"        variance{k}[...] = {text_of(batch_norm.running, variance, Code('variance'), NUMPY)}",
        "    else:",
        f"        centre, variance = mean{k}, variance{k}",
        f"    s{k} = {text_of(batch_norm.deviation, Code('variance'), NUMPY)}",
        f"    n{k} = (sums - centre) / s{k}",
        f"    z{k} = {text_of(batch_norm.scaled, Code(f'n{k}'), Code(f'gamma{k}'), Code(f'b{k}'))}",
    ]


def _predict(plan: Plan) -> list[str]:
    return [
        "def scaled(x):",
        '    """Examples as the network was trained on them."""',
        "    x = np.asarray(x, dtype=np.float64)",
        *scaling_lines(plan, "np"),
        "",
        "",
        "def predict(x):",
        '    """The outputs for these examples, a row each."""',
        f"    return {in_units(plan, f'forward(scaled(x)).a{plan.architecture.depth}')}",
        "",
        "",
    ]


class _Longer(CodeSystem):
    """Where it is known already that the condition holds."""

    def positive(self, z: Any, then: Any, otherwise: Any) -> Code:
        return code_of(then)


def clipped(plan: Plan, module: str) -> tuple[str, str]:
    """How a gradient g is cut back by value, and by its length; empty where it is not."""
    limits = plan.settings
    value = norm = ""
    if limits.clip_value is not None:
        value = text_of(by_value, Code("g"), code_of(limits.clip_value), CodeSystem(module))
    if limits.clip_norm is not None:
        norm = text_of(by_norm, Code("g"), Code("length"), code_of(limits.clip_norm), _Longer(module))
    return value, norm


def _step(plan: Plan) -> list[str]:
    indent = "        " if plan.output_first else "    "
    together, each = step_lines(plan, "np", indent)
    shrunk, states = plan.shrunk("W", NUMPY), [*plan.variant.state]
    lines = [*documented(plan.variant), '    now["t"] += 1', '    t, eta = now["t"], rate(epoch)', *together]
    if not plan.output_first:
        if shrunk:
            each.append(f"    for W in [{', '.join(f'W{depth + 1}' for depth in plan.free)}]:")
            each += [f"        W[...] = {text}  # soft-thresholding" for text in shrunk]
        own = [f"    {name} = state_{name}" for name in states]
        if plan.settings.freeze:
            own.append("    before = w.copy()")
            each.append("    w[...] = np.where(free, w, before)")
        return ["def step(g, E, epoch):", *lines, *own, *each, "", ""]
    if shrunk:
        each += ["        if layer is not None:", "            W = layer[:, :-1]"]
        each += [f"            W[...] = {text}  # soft-thresholding" for text in shrunk]
    value, _ = clipped(plan, "np")
    return [
        "parameters = w",
        "",
        "",
        "def step(gradients, E, epoch):",
        *lines,
        "    for layer, places, g in gradients:",
        "        w = parameters[places]",
        *(f"        {name} = state_{name}[places]" for name in states),
        *([f"        g = {value}"] if value else []),
        *each,
        "",
        "",
    ]


def loss_text(plan: Plan, y: str, m: CodeSystem) -> str:
    """The mean loss of the examples by what it is worked from: by the last sums where it takes outputs for
    probabilities."""
    loss = LOSSES[plan.architecture.loss]
    outputs = f" / {plan.architecture.sizes[-1]}" if loss.mean else ""
    if loss.by_sum is not None:
        text = text_of(loss.by_sum, Code(y), Code("targets"), Code("rest"), m)
    else:
        text = text_of(loss.term, Code(y), Code("targets"), *plan.loss_numbers, m)
    return f"({text}).sum() / len(targets){outputs}"


def _judged(plan: Plan) -> list[str]:
    """The lines for what the loss is worked from."""
    depth = plan.architecture.depth
    if LOSSES[plan.architecture.loss].by_sum is None:
        return [f"    y = f.a{depth}"]
    lines = [f"    y = f.z{depth}  # the sums: they have the logarithm of a probability that is rounded to 0"]
    if plan.architecture.activations[-1] == "softmax":
        lines += [
            "    y = y - y.max(axis=1, keepdims=True)",
            "    rest = np.log(np.exp(y).sum(axis=1, keepdims=True))",
        ]
    return lines


def _update(plan: Plan) -> list[str]:
    limits = plan.settings
    value, norm = ("", "") if plan.output_first else clipped(plan, "np")
    lines = [
        "def update(x, targets, epoch=EPOCH):",
        '    """One update by these examples; the mean of their losses before it."""',
        f"    targets = {own_targets(plan, 'np.asarray(targets, dtype=np.float64)')}",
        "    f = forward(scaled(x), learning=True)",
        *_judged(plan),
        f"    E = loss = float({loss_text(plan, 'y', NUMPY)})",
        "    g = gradient(f, targets)",
    ]
    if plan.variant.shared:
        for strength, penalty, own in plan.penalties:
            for depth in plan.free:
                term = text_of(penalty.term, Code(f"W{depth + 1}"), *own, NUMPY)
                lines.append(f"    E = E + {strength} * float(({term}).sum())")
    if plan.settings.freeze and not plan.output_first:
        lines.append("    g = np.where(free, g, 0.0)")
    if value:
        lines.append(f"    g = {value}")
    if norm:
        lines += [
            "    length = math.sqrt((g * g).sum())",
            f"    if length > {limits.clip_norm!r}:",
            f"        g = {norm}",
        ]
    return [*lines, "    step(g, E, epoch)", "    return loss", "", ""]
