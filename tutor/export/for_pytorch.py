"""The PyTorch script: a module in double precision, its gradient from autograd, the update from the registry."""

from __future__ import annotations

from itertools import pairwise

from tutor.export.for_numpy import activation, clipped, loss_text
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
from tutor.formulas.code import Code
from tutor.maths import batch_norm
from tutor.maths.losses import LOSSES

TORCH = CodeSystem("torch")
_OWN = {"sigmoid": "torch.sigmoid({})", "elu": "torch.nn.functional.elu({})", "softmax": "torch.softmax({}, dim=1)"}
"""PyTorch's own functions, where autograd would make 0·∞ of the formula for very large sums."""
_FROM_SUMS = {
    "binary_cross_entropy": "torch.nn.functional.binary_cross_entropy_with_logits(z, targets, reduction='sum')",
    "cross_entropy": "-(targets * torch.log_softmax(z, dim=1)).sum()",
}
"""Losses that are differentiated by the last weighted sums, where no probability is so near 0 that a slope is lost."""


def script(plan: Plan) -> str:
    """The whole script."""
    lines = [
        "torch.set_default_dtype(torch.float64)",
        *_numbers(plan),
        "",
        "",
        *_pieces(plan),
        *_network(plan),
        "network = Network()",
        *(f"state_{name} = [piece.clone() for piece in pieces(state_{name})]" for name in plan.state),
        *_which_learn(plan),
        "",
        "",
        *_predict(plan),
        *rate_lines(plan),
        *([*_gradient(plan), *_step_from_the_output(plan)] if plan.output_first else _step(plan)),
        *_update(plan),
        *using(plan),
    ]
    return assembled(plan, "torch", "NumPy and PyTorch", lines)


def _numbers(plan: Plan) -> list[str]:
    scaling = plan.run.heading.scaling
    lines = ["# All parameters: layer by layer, neuron by neuron, the bias after the weights."]
    lines.append(f"parameters = torch.from_numpy({array(plan.vector)})")
    lines += [f"state_{name} = torch.from_numpy({array(values)})" for name, values in plan.state.items()]
    for k, (mean, variance) in enumerate(plan.running, 1):
        lines += [f"mean{k} = torch.from_numpy({array(mean)})", f"variance{k} = torch.from_numpy({array(variance)})"]
    if scaling is not None and scaling.scale:
        lines.append(f"shift = torch.from_numpy({array(scaling.shift)})")
        lines.append(f"scale = torch.from_numpy({array(scaling.scale)})")
    tensors = [line.replace(" = ", " = torch.from_numpy(", 1) + ")" for line in target_lines(plan)]
    return [*lines, *tensors, *setting_lines(plan)]


def _pieces(plan: Plan) -> list[str]:
    """How the one vector is cut into the parameters of the module, in its order."""
    lines, pieces, start = [], [], 0
    for k, (before, after) in enumerate(pairwise(plan.architecture.sizes), 1):
        end = start + (before + 1) * after
        lines.append(f"    layer{k} = vector[{start}:{end}].reshape({after}, {before + 1})")
        pieces += [f"layer{k}[:, :-1]", f"layer{k}[:, -1]"]
        start = end
    for size in plan.architecture.sizes[1:-1] if plan.architecture.batch_norm else ():
        pieces.append(f"vector[{start}:{start + size}]")
        start += size
    return [
        "def pieces(vector):",
        '    """The weights and biases of every layer, then every gamma."""',
        *lines,
        "    return [",
        *(f"        {piece}," for piece in pieces),
        "    ]",
        "",
        "",
    ]


def _network(plan: Plan) -> list[str]:
    architecture, kept = plan.architecture, plan.output_first
    own = [name for k in range(1, architecture.depth + 1) for name in (f"W{k}", f"b{k}")]
    own += [f"gamma{k}" for k in range(1, architecture.depth) if architecture.batch_norm]
    lines = [
        "class Network(torch.nn.Module):",
        '    """The layers; forward returns the weighted sums of the last one, output makes the outputs of them."""',
        "",
        "    def __init__(self):",
        "        super().__init__()",
        f"        names = {' '.join(own)!r}.split()",
        "        for name, piece in zip(names, pieces(parameters)):",
        "            self.register_parameter(name, torch.nn.Parameter(piece.clone()))",
    ]
    for k in range(1, len(plan.running) + 1):
        lines += [f'        self.register_buffer("{n}{k}", {n}{k}.clone())' for n in ("mean", "variance")]
    lines += ["", "    def forward(self, h0):", *(["        self.seen = {}"] if kept else [])]
    for depth, name in enumerate(architecture.activations):
        k = depth + 1
        if architecture.normalises(depth):
            lines += _normalised(k)
        else:
            lines.append(f"        z{k} = h{depth} @ self.W{k}.T + self.b{k}")
        if k < architecture.depth:
            skipped = f" + h{depth}" if architecture.skips(depth) else ""
            lines.append(f"        h{k} = {_activated(name, f'z{k}')}{skipped}")
        if kept:
            sums = "sums" if architecture.normalises(depth) else f"z{k}"
            lines.append(f"        self.seen[{k}] = h{depth}, {sums}, {f'h{k}' if k < architecture.depth else sums}")
    lines += [f"        return z{architecture.depth}", "", "    @staticmethod", "    def output(z):"]
    return [*lines, f"        return {_activated(architecture.activations[-1], 'z')}", "", ""]


def _activated(name: str, z: str) -> str:
    return _OWN[name].format(z) if name in _OWN else activation(name, z, TORCH)


def _normalised(k: int) -> list[str]:
    lines = [
        f"        sums = h{k - 1} @ self.W{k}.T",
        "        if self.training:",
        "            mean = sums.mean(dim=0)",
        "            variance = ((sums - mean) ** 2).mean(dim=0)",
        "            with torch.no_grad():",
    ]
    for name in ("mean", "variance"):
        text = text_of(batch_norm.running, Code(f"self.{name}{k}"), Code(name), TORCH)
        lines.append(f"                self.{name}{k}[...] = {text}")
    normalised = f"(sums - mean) / {text_of(batch_norm.deviation, Code('variance'), TORCH)}"
    scaled = text_of(batch_norm.scaled, Code("normalised"), Code(f"self.gamma{k}"), Code(f"self.b{k}"))
    return [
        *lines,
        "        else:",
        f"            mean, variance = self.mean{k}, self.variance{k}",
        f"        normalised = {normalised}",
        f"        z{k} = {scaled}",
    ]


def _which_learn(plan: Plan) -> list[str]:
    """Of each parameter of the module whether it learns, where some layers are frozen and the script asks."""
    if not plan.settings.freeze or (plan.output_first and not _is_penalised(plan)):
        return []
    layers = [depth in plan.free for depth in range(plan.architecture.depth)]
    gammas = layers[:-1] if plan.architecture.batch_norm else []
    return [f"FREE = {[learns for layer in layers for learns in (layer, layer)] + gammas}  # frozen layers stay"]


def _is_penalised(plan: Plan) -> bool:
    """Whether an update looks at all weights at once, for what the penalties add to the loss or to its gradient."""
    return any(plan.penalties) and (bool(plan.variant.shared) or not plan.output_first)


def _predict(plan: Plan) -> list[str]:
    return [
        "def scaled(x):",
        '    """Examples as the network was trained on them."""',
        "    x = torch.as_tensor(x, dtype=torch.float64)",
        *scaling_lines(plan, "torch"),
        "",
        "",
        "@torch.no_grad()",
        "def predict(x):",
        '    """The outputs for these examples, a row each."""',
        "    network.eval()",
        f"    return {in_units(plan, 'network.output(network(scaled(x)))')}",
        "",
        "",
    ]


def _gradient(plan: Plan) -> list[str]:
    """The backward pass from the output, where each layer is changed before the error goes back through it."""
    architecture, top = plan.architecture, plan.architecture.depth
    lines = [
        "def gradients_of(mean_loss):",
        '    """The derivative of the mean loss, from the output layer: number of the parameter, and gradient. Whoever',
        '    takes a layer changes its weights, and the error goes back through the new ones."""',
        f"    (d,) = torch.autograd.grad(mean_loss, network.seen[{top}][1], retain_graph=True)",
    ]
    for k in range(top, 0, -1):
        depth, first = k - 1, 2 * (k - 1)
        if k < top:
            lines.append(f"    _, sums, h = network.seen[{k}]")
            asked = f", network.gamma{k}, network.b{k}" if architecture.normalises(depth) else ""
            found = "d, by_gamma, by_bias" if asked else "(d,)"
            lines.append(f"    {found} = torch.autograd.grad(h, (sums{asked},), e, retain_graph=True)")
        by_bias = "by_bias" if architecture.normalises(depth) else "d.sum(dim=0)"
        if depth in plan.free:
            lines.append(f"    yield from (({first}, d.T @ network.seen[{k}][0].detach()), ({first + 1}, {by_bias}))")
        if depth in plan.free and architecture.normalises(depth):
            lines.append(f"    yield {2 * top + depth}, by_gamma")
        if k > 1:
            passed = " + e  # and past the layer" if architecture.skips(depth) else ""
            lines.append(f"    e = d @ network.W{k}.detach(){passed}")
    return [*lines, "", ""]


def _step_from_the_output(plan: Plan) -> list[str]:
    together, each = step_lines(plan, "torch", "            ")
    if shrunk := plan.shrunk("w", TORCH):
        each += ["            if w.ndim == 2:"]
        each += [f"                w[...] = {text}  # soft-thresholding" for text in shrunk]
    slopes = [f"{strength} * ({text_of(p.slope, Code('w'), *own, TORCH)})" for strength, p, own in plan.penalties]
    value, _ = clipped(plan, "torch")
    return [
        "def step(gradients, E, epoch):",
        *documented(plan.variant),
        '    now["t"] += 1',
        '    t, eta = now["t"], rate(epoch)',
        *together,
        "    parameters = list(network.parameters())",
        "    for place, g in gradients:",
        "        with torch.no_grad():",
        "            w = parameters[place]",
        *(f"            {name} = state_{name}[place]" for name in plan.variant.state),
        *(["            if w.ndim == 2:"] if slopes else []),  # biases and gammas are not penalised
        *(f"                g = g + {slope}" for slope in slopes),
        *([f"            g = {value}"] if value else []),
        *each,
        "",
        "",
    ]


def _step(plan: Plan) -> list[str]:
    together, each = step_lines(plan, "torch", "        ")
    if shrunk := plan.shrunk("w", TORCH):  # biases and gammas are not penalised
        each += ["        if w.ndim == 2:", *(f"            w[...] = {text}  # soft-thresholding" for text in shrunk)]
    inner, outer = ", ".join(["w", "g", *plan.variant.state]), "".join(f", state_{name}" for name in plan.variant.state)
    if plan.settings.freeze:
        inner, outer = f"{inner}, learns", f"{outer}, FREE"
        each = ["        if not learns:", "            continue", *each]
    return [
        "@torch.no_grad()",
        "def step(gradients, E, epoch):",
        *documented(plan.variant),
        '    now["t"] += 1',
        '    t, eta = now["t"], rate(epoch)',
        *together,
        f"    for {inner} in zip(network.parameters(), gradients{outer}):",
        *each,
        "",
        "",
    ]


def _update(plan: Plan) -> list[str]:
    architecture = plan.architecture
    fused = LOSSES[architecture.loss].output == architecture.activations[-1]
    by_sums = [f"    mean_loss = {_FROM_SUMS[architecture.loss]} / len(targets)"] if fused else []
    by_outputs = [] if fused else ["    y = network.output(z)", f"    mean_loss = {loss_text(plan, 'y', TORCH)}"]
    gradients = "list(torch.autograd.grad(mean_loss, list(network.parameters())))"
    return [
        "def update(x, targets, epoch=EPOCH):",
        '    """One update by these examples; the mean of their losses before it."""',
        f"    targets = {own_targets(plan, 'torch.as_tensor(targets, dtype=torch.float64)')}",
        "    network.train()",
        "    z = network(scaled(x))",
        *by_sums,
        *by_outputs,
        f"    gradients = {'gradients_of(mean_loss)' if plan.output_first else gradients}",
        "    E = loss = mean_loss.item()",
        *_penalties(plan),
        *([] if plan.output_first else _clipping(plan)),
        "    step(gradients, E, epoch)",
        "    return loss",
        "",
        "",
    ]


def _penalties(plan: Plan) -> list[str]:
    """Their slopes, where all gradients are there, and what they add to the loss of an optimizer that goes by it."""
    if not _is_penalised(plan):
        return []
    parts, held = ("w", "network.parameters()"), ""
    if plan.settings.freeze:
        parts, held = ("w, learns", "zip(network.parameters(), FREE)"), " and learns"
    lines = [  # biases and gammas are not penalised
        f"    matrices = [w.detach() if w.ndim == 2{held} else None for {parts[0]} in {parts[1]}]"
    ]
    for strength, penalty, own in plan.penalties:
        slope = text_of(penalty.slope, Code("w"), *own, TORCH)
        term = text_of(penalty.term, Code("w"), *own, TORCH)
        if not plan.output_first:
            lines += ["    gradients = [", f"        g if w is None else g + {strength} * ({slope})"]
            lines += ["        for w, g in zip(matrices, gradients)", "    ]"]
        if plan.variant.shared:
            lines.append(f"    E = E + {strength} * sum(({term}).sum().item() for w in matrices if w is not None)")
    return lines


def _clipping(plan: Plan) -> list[str]:
    value, norm = clipped(plan, "torch")
    lines = []
    if plan.settings.freeze:
        lines.append("    gradients = [g * learns for g, learns in zip(gradients, FREE)]")
    lines += ["    gradients = [", f"        {value}", "        for g in gradients", "    ]"] if value else []
    if norm:
        lines.append("    length = math.sqrt(sum((g * g).sum().item() for g in gradients))")
        lines.append(f"    if length > {plan.settings.clip_norm!r}:")
        lines.append(f"        gradients = [{norm} for g in gradients]")
    return lines
