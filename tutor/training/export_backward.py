"""The backward pass of the NumPy script, written out layer by layer."""

from __future__ import annotations

from tutor.maths import batch_norm
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.penalties import PENALTIES
from tutor.training.export import Plan
from tutor.training.written import FACTOR, POWER, PRODUCT, Writing, Written, text_of, written

NUMPY = Writing("np")


def gradient_lines(plan: Plan) -> list[str]:
    """The backward pass: d is dE/dz of a layer, e is dE/dh of what it passes on."""
    shape, top = plan.shape, plan.shape.depth
    lines = [
        "def gradient(f, targets):",
        '    """The derivative of the mean loss by every parameter: d is that by a sum z, e that by an output h."""',
        f"    d{top} = {_output_delta(plan)} / len(targets)",
    ]
    for k in range(top, 0, -1):
        depth = k - 1
        if shape.normalises(depth):
            lines += _through_norm(k)
        lines.append(f"    by_W{k} = d{k}.T @ f.h{k - 1}")
        if not shape.normalises(depth):
            lines.append(f"    by_b{k} = d{k}.sum(axis=0)")
        if k > 1:
            passed = f" + e{k}  # and past the layer" if shape.skips(depth) else ""
            lines.append(f"    e{k - 1} = d{k} @ W{k}{passed}")
            slope = _slope(shape.activations[k - 2], f"f.z{k - 1}", f"f.a{k - 1}")
            lines.append(f"    d{k - 1} = e{k - 1}" + (f" * {slope}" if slope != "1" else ""))
    strengths = {"l1": plan.settings.l1, "l2": plan.settings.l2}
    for name, strength in strengths.items():
        for k in range(1, top + 1) if strength else ():
            slope = written(PENALTIES[name].slope(Written(f"W{k}"), NUMPY)).at(POWER)
            lines.append(f"    by_W{k} += {strength!r} * {slope}")
    parts = [f"np.column_stack([by_W{k}, by_b{k}]).ravel()" for k in range(1, top + 1)]
    parts += [f"by_gamma{k}" for k in range(1, top) if shape.batch_norm]
    return [*lines, "    return np.concatenate([", *(f"        {part}," for part in parts), "    ])", "", ""]


def _output_delta(plan: Plan) -> str:
    shape, k = plan.shape, plan.shape.depth
    name, y, t = shape.activations[-1], Written(f"f.a{k}"), Written("targets")
    loss = LOSSES[shape.loss]
    if loss.output == name:
        return f"({y.text} - targets)"
    by_y = written(loss.slope(y, t, NUMPY))
    if loss.mean:
        by_y = by_y / shape.sizes[-1]
    if name == "softmax":
        return f"{y.text} * ({by_y.at(PRODUCT)} - ({by_y.at(FACTOR)} * {y.text}).sum(axis=1, keepdims=True))"
    slope = _slope(name, f"f.z{k}", y.text)
    return by_y.at(FACTOR) + (f" * {slope}" if slope != "1" else "")


def _through_norm(k: int) -> list[str]:
    arguments = (f"by_n{k}", f"by_n{k}.mean(axis=0)", f"f.n{k}", f"(by_n{k} * f.n{k}).mean(axis=0)", f"f.s{k}")
    return [
        f"    by_gamma{k}, by_b{k} = (d{k} * f.n{k}).sum(axis=0), d{k}.sum(axis=0)",
        f"    by_n{k} = d{k} * gamma{k}",
        f"    d{k} = {text_of(batch_norm.slope, *map(Written, arguments))}",
    ]


def _slope(name: str, z: str, a: str) -> str:
    entry = ACTIVATIONS[name]
    assert entry.slope is not None
    parameter = [NUMPY.number(entry.default)] if entry.parameter else []
    return written(entry.slope(Written(z), Written(a), *parameter, NUMPY)).at(POWER)
