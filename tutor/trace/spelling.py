"""Arrays, equations and conventions in the words and in the orientation of whoever wrote the program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tutor.errors import counted, listed
from tutor.maths.activations import ACTIVATIONS
from tutor.trace.algebra import Role
from tutor.trace.conventions import Reading


def name_of(reading: Reading, role: Role) -> str:
    recorded = reading.step.by_role.get(role)
    return recorded.name if recorded is not None and recorded.name else usual_name(reading, role)


def spelled(reading: Reading, role: Role, transposed: bool = False) -> str:
    """The name of an array, or of its transpose as it stands inside."""
    recorded = reading.step.by_role.get(role)
    name = name_of(reading, role)
    part = f"{name}[{recorded.part}]" if recorded is not None and recorded.part == "biases" else name
    flips = reading.arrays.layout.transposes(role) if recorded is None else recorded.transposed
    return f"{part}ᵀ" if transposed != flips and role.kind not in ("loss", "t") and not _is_vector(role) else part


def _is_vector(role: Role) -> bool:
    return role.kind.rpartition(".")[2] in ("b", "db", "b_new")


def usual_name(reading: Reading, role: Role) -> str:
    kind, layer = role
    if kind == "A" and layer == 0:
        return "X"
    if kind == "A" and layer == reading.network.depth:
        return "P"
    if kind == "dA" and layer == reading.network.depth:
        return "dP"
    if kind == "T":
        return "y"
    state, dot, plain = kind.rpartition(".")
    stem, new, _ = plain.partition("_new")
    return f"{state}{'_' if dot else ''}{stem}{layer or ''}{new}"


def equation(reading: Reading, role: Role, nodes: Mapping[Role, Any]) -> str:
    """`dW1 = Xᵀ·dZ1 / n`, in the writer's orientation."""
    transposed = reading.arrays.layout.transposes(role)
    if _is_vector(role) or role.kind == "loss":  # sums over what the writer has, whichever way it lies
        text = nodes[role].text(lambda r, t: _spelled_in(reading, r, reading.arrays.layout.transposes(r)), transposed)
    else:
        text = nodes[role].text(lambda r, t: _spelled_in(reading, r, t), transposed)
    return f"{spelled(reading, role, transposed)} = {text}"


def _spelled_in(reading: Reading, role: Role, transposed: bool) -> str:
    if role == Role("T") and reading.arrays.labels.startswith("class"):
        return "one-hot y" if not transposed else "(one-hot y)ᵀ" if reading.arrays.layout.rows else "one-hot y"
    return spelled(reading, role, transposed)


def conventions_of(reading: Reading) -> dict[str, Any]:
    """What was found out, for programs."""
    c, layout = reading.conventions, reading.arrays.layout
    conventions: dict[str, Any] = {
        "examples": "rows" if layout.rows else "columns",
        "weights": "(in, out)" if layout.in_out else "(out, in)",
        "biases": f"{layout.biases} in the weights" if layout.biases else "vectors",
        "activations": [*c.activations],
        "loss": c.loss,
        "averaged": c.by_examples,
        "averaged_over_outputs": c.by_outputs,
        "divided": c.place if c.by_examples else "",
        "descending": c.descending,
        "epsilon": c.epsilon,
        "targets": reading.arrays.labels or "numbers",
        "precision": reading.precision.name,
    }
    if c.rate is not None:
        conventions |= {"optimizer": c.optimizer, "learning_rate": c.rate}
    return conventions


def said(reading: Reading) -> str:
    """The same in one line, for people."""
    c, layout, n = reading.conventions, reading.arrays.layout, reading.network.examples
    hidden = [*dict.fromkeys(c.activations[:-1])]
    weights = "(in, out)" if layout.in_out else "(out, in)"
    parts = [
        f"{counted(n, 'example')} as {'rows' if layout.rows else 'columns'}",
        f"weights {weights}{f', biases as their {layout.biases} row' if layout.biases and layout.in_out else ''}"
        f"{f', biases as their {layout.biases} column' if layout.biases and not layout.in_out else ''}",
        listed([*hidden, f"{c.output} output"]) if hidden else f"{c.output} output",
        f"{c.loss.replace('_', ' ')}, {_means(reading)}",
    ]
    if c.descending:
        parts.append("errors and gradients as target minus output, which are added")
    if c.by_examples and c.place == "update":
        parts.append("gradients summed, and divided by the examples in the update")
    if reading.arrays.labels:
        parts.append(f"targets as {reading.arrays.labels}")
    if c.rate is not None and any(r.kind in ("W_new", "b_new") for r in reading.step.by_role):
        parts.append(f"{c.optimizer} with learning rate {c.rate:g}")
    parts.append(f"{reading.precision.name} precision")
    return "; ".join(parts)


def _means(reading: Reading) -> str:
    c = reading.conventions
    if reading.network.examples == 1 and not c.by_outputs:
        return "of the one example"
    over = [*(["examples"] if c.by_examples else []), *(["outputs"] if c.by_outputs else [])]
    text = f"averaged over {' and '.join(over)}" if over else "summed"
    if c.epsilon:
        text += f", {'clipped at' if c.clipped else 'with'} {c.epsilon:g} in the logarithm"
    return text


def unchecked(reading: Reading) -> Iterator[str]:
    """Recorded arrays that nothing leads to."""
    step = reading.step
    lost = [step.by_role[r].name for r in step.lines if not step.is_known(r)]
    if lost:
        yield f"not checked, for what they are made of is not recorded: {listed(lost)}"
    c = reading.conventions
    taken = [name_of(reading, r) for k in sorted(c.gaps) if (r := Role("A", k)) in step.by_role]
    if taken:
        yield f"taken as recorded, for no activation that is known here leads to it: {listed(taken)}"
    if c.variant.shared and any(r.kind in ("W_new", "b_new") for r in step.by_role):
        yield f"the updates of {c.optimizer} are not checked: they stand on what was before this step"
    used = [n for n in dict.fromkeys(c.activations) if n in ACTIVATIONS and ACTIVATIONS[n].parameter]
    for name in used:
        yield f"{name} is taken with {ACTIVATIONS[name].parameter} = {ACTIVATIONS[name].default}"
