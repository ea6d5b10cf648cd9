"""A small step as a lesson file: the same network, examples and update, for the worksheet of every line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tutor.errors import TutorError
from tutor.escaping import for_toml
from tutor.files import Kind, Target, write_whole
from tutor.trace.algebra import Role
from tutor.trace.conventions import Reading
from tutor.trace.report import Traced

LESSON = Kind("a lesson", rb"format = 1\ntitle = \"A step of my own program\"")
_MOST_EXAMPLES, _MOST_PARAMETERS = 8, 60


def target(path: Path) -> Target:
    return Target("--lesson", path, LESSON)


def is_readable(reading: Reading) -> bool:
    """Whether a person can read the worksheet of this step."""
    sizes = [r.array.size for role, r in reading.step.by_role.items() if role.kind in ("W", "b")]
    return reading.network.examples <= _MOST_EXAMPLES and sum(sizes) <= _MOST_PARAMETERS and _is_whole(reading)


def _is_whole(reading: Reading) -> bool:
    known = reading.step.by_role
    layers = range(1, reading.network.depth + 1)
    return all(role in known for role in (Role("A", 0), Role("T"), *(Role("W", k) for k in layers)))


def write_lesson(path: Path, traced: Traced) -> None:
    """Raises TutorError where the step is too large to be read, or not all that a lesson needs is recorded."""
    from tutor.lessons.read import parse_lesson

    reading = traced.reading
    if not is_readable(reading):
        raise TutorError(
            f"a lesson is for what can be read: at most {_MOST_EXAMPLES} examples and {_MOST_PARAMETERS} weights and "
            "biases, with X, y and all weights recorded"
        )
    import tomli_w

    text = for_toml(tomli_w.dumps(_document(reading)))
    parse_lesson(text, str(path))
    write_whole(path, text)


def _document(reading: Reading) -> dict[str, Any]:
    c, known = reading.conventions, reading.step.by_role
    inputs = known[Role("A", 0)].array.tolist()
    targets = known[Role("T")].array.tolist()
    document: dict[str, Any] = {
        "format": 1,
        "title": "A step of my own program",
        "chain": "delta",
        "network": {
            "inputs": [f"X{i + 1}" for i in range(len(inputs[0]))],
            "loss": _loss(reading),
            "layers": [*_layers(reading)],
        },
        "examples": [{"inputs": x, "targets": t} for x, t in zip(inputs, targets, strict=True)],
    }
    if c.loss_settings:
        document["network"]["loss_settings"] = dict(c.loss_settings)
    training: dict[str, Any] = {"batch": "mean" if c.by_examples else "sum"}
    if c.rate is not None:
        training |= {"learning_rate": c.rate, "optimizer": c.optimizer}
        training |= {"settings": dict(c.settings)} if c.settings else {}
    document["training"] = training | dict(c.penalties)
    if c.rate is None:
        document["training"]["learning_rate"] = 1
    return document


def _loss(reading: Reading) -> str:
    c = reading.conventions
    if c.by_outputs and reading.network.outputs > 1:
        if c.loss != "squared_error" and c.loss != "mean_squared_error":
            raise TutorError(f"a lesson has no {c.loss.replace('_', ' ')} that is a mean over the outputs")
        return "mean_squared_error"
    return c.loss


def _layers(reading: Reading) -> Iterator[dict[str, Any]]:
    for k, name in enumerate(reading.conventions.activations, 1):
        layer: dict[str, Any] = {"activation": name, "weights": reading.step.by_role[Role("W", k)].array.T.tolist()}
        if (bias := reading.step.by_role.get(Role("b", k))) is not None:
            layer["biases"] = bias.array.tolist()
        yield layer


def worksheet_name(reading: Reading, role: Role, index: tuple[int, ...]) -> str:
    """What the line of an entry is called on the worksheet of the lesson; empty where it has none of its own."""
    if role.kind not in ("dW", "db", "W_new", "b_new") or not is_readable(reading):
        return ""
    plain = "W" if "W" in role.kind else "b"
    known = reading.step.by_role
    before = sum(known[r].array.size for k in range(1, role.layer) if (r := Role(plain, k)) in known)
    own = known.get(Role(plain, role.layer))
    if own is None or len(index) != own.array.ndim:
        return ""
    number = before + 1 + (index[1] * own.array.shape[0] + index[0] if plain == "W" else index[0])
    name = f"{plain}{number}"
    return f"dE/d{name}" if role.kind.startswith("d") else f"{name}_new"
