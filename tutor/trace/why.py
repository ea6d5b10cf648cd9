"""One entry of an array opened: the sum behind it, term by term, with the writer's own numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from tutor.errors import TutorError, listed
from tutor.results import Result
from tutor.trace.algebra import Call, Entrywise, Node, Product, Ref, Role, Scaled, Transposed
from tutor.trace.conventions import Reading
from tutor.trace.lesson import worksheet_name
from tutor.trace.replay import Unknown
from tutor.trace.report import Traced
from tutor.trace.spelling import equation, spelled

_ENTRY = re.compile(r"\s*(?:step\s*(?P<step>\d+)\s*:\s*)?(?P<name>[^\[\]]+?)\s*(?:\[(?P<index>[\d\s,]*)\])?\s*")
_MOST_TERMS = 200
Index = tuple[int, ...]


class Term(Struct):
    """A part of the sum: what it is made of, the same in numbers, and what it comes to."""

    text: str
    numbers: str
    value: float


class EntryReport(Result):
    """What `tutor trace --why` prints. `worksheet` is the name of the line in the lesson that `--lesson` writes."""

    name: str
    equation: str
    terms: list[Term]
    total: float
    yours: float | None
    verdict: str
    left_out: int = 0
    worksheet: str = ""


def opened(traced: Sequence[Traced], asked: str) -> EntryReport:
    """Raises TutorError where there is no such array or entry."""
    match = _ENTRY.fullmatch(asked)
    if not match:
        raise TutorError(f"{asked[:60]!r} names no entry; write it as in dW1[0,2]")
    number = int(match["step"] or 1)
    if not 1 <= number <= len(traced):
        raise TutorError(f"there is no step {number}")
    reading = traced[number - 1].reading
    role = _role(reading, match["name"])
    indices = [int(part) for part in (match["index"] or "").split(",") if part.strip()]
    own = _own(reading, role)
    index = _inside(reading, role, indices, own, asked)
    return _report(reading, role, index, own)


def _role(reading: Reading, name: str) -> Role:
    equations = reading.step.equations
    by_name = {spelled(reading, r).removesuffix("ᵀ"): r for r in equations}
    by_name |= {r.name: role for role, r in reading.step.by_role.items() if r.name and role in equations and not r.part}
    if name in by_name:
        return by_name[name]
    folded = {n.casefold(): r for n, r in by_name.items()}
    if name.casefold() in folded:
        return folded[name.casefold()]
    raise TutorError(f"nothing is worked out for {name[:40]!r}; entries can be opened of {listed(by_name)}")


def _own(reading: Reading, role: Role) -> Any:
    try:
        return reading.step.own(role).value
    except Unknown:
        raise TutorError(f"{spelled(reading, role)} cannot be worked out: what it is made of is not recorded") from None


def _inside(reading: Reading, role: Role, indices: list[int], own: Any, asked: str) -> Index:
    """The place of an entry inside, from the writer's indices."""
    shape = np.shape(own)
    recorded = reading.step.by_role.get(role)
    transposed = recorded.transposed if recorded is not None else reading.arrays.layout.transposes(role)
    index = tuple(reversed(indices)) if transposed and len(indices) == 2 else tuple(indices)
    if len(index) == 2 and len(shape) == 1:
        index = (max(index),)
    if len(index) == 1 and len(shape) == 2 and 1 in shape:
        index = (index[0], 0) if shape[1] == 1 else (0, index[0])
    if len(index) != len(shape) or any(not 0 <= i < size for i, size in zip(index, shape, strict=True)):
        sizes = "×".join(map(str, shape[::-1] if transposed else shape))
        raise TutorError(f"{asked[:60]!r}: {spelled(reading, role)} is {sizes or 'a single number'}, counted from 0")
    return index


def _report(reading: Reading, role: Role, index: Index, own: Any) -> EntryReport:
    node = reading.network.equations[role]
    terms = [*_terms(reading, node, index)]
    recorded = reading.step.by_role.get(role)
    yours = None
    verdict = "missing"
    if recorded is not None:
        fits_shape = recorded.array.shape == np.shape(own)
        yours = float(recorded.array[index]) if fits_shape else None
        verdict = "right" if reading.step.fits(role) else "wrong"
        if verdict == "wrong" and yours is not None:
            verdict = (
                "wrong" if not np.isclose(yours, own[index], rtol=1e-3 * reading.precision.roundoff**0.5) else "right"
            )
    return EntryReport(
        _place(reading, role, index),
        equation(reading, role, reading.network.equations),
        terms[:_MOST_TERMS],
        float(own[index]),
        yours,
        verdict,
        max(0, len(terms) - _MOST_TERMS),
        worksheet_name(reading, role, index),
    )


def _place(reading: Reading, role: Role, index: Index) -> str:
    recorded = reading.step.by_role.get(role)
    if recorded is not None and recorded.name and not recorded.part:
        return recorded.place(index)
    shown = index[::-1] if reading.arrays.layout.transposes(role) else index
    return f"{spelled(reading, role).removesuffix('ᵀ')}[{','.join(map(str, shown))}]"


def _terms(reading: Reading, node: Node, index: Index, factor: float = 1.0, after: str = "") -> Iterator[Term]:
    """The sum that stands outermost, taken apart; anything else is one term."""
    if isinstance(node, Scaled):
        yield from _terms(reading, node.of, index, factor * node.factor, node.after + after)
    elif isinstance(node, Entrywise) and node.sign in "+-":
        yield from _terms(reading, node.left, index, factor, after)
        sign = -1 if node.sign == "-" else 1
        yield from _terms(reading, node.right, index[-1:] if _is_bias(node.right) else index, sign * factor, after)
    elif isinstance(node, Product):
        left, right = node.left.value(reading.step.value).value, node.right.value(reading.step.value).value
        for k in range(left.shape[1]):
            a, b = float(left[index[0], k]), float(right[k, index[1]])
            names = (_entry(reading, node.left, (index[0], k)), _entry(reading, node.right, (k, index[1])))
            yield Term(f"{names[0]}·{names[1]}{after}", f"{_short(a)}·{_short(b)}{after}", factor * a * b)
    elif isinstance(node, Call) and node.tag == "bias sum":
        values = node.arguments[0].value(reading.step.value).value
        for k in range(values.shape[0]):
            place = (k, *index)
            yield Term(
                f"{_entry(reading, node.arguments[0], place)}{after}",
                f"{_short(values[place])}{after}",
                factor * float(values[place]),
            )
    else:
        yield _single(reading, node, index, factor, after)


def _is_bias(node: Node) -> bool:
    return isinstance(node, Ref) and node.role.kind == "b"


def _single(reading: Reading, node: Node, index: Index, factor: float, after: str) -> Term:
    value = node.value(reading.step.value).value
    found = float(np.broadcast_to(value, np.shape(value))[index if np.ndim(value) == len(index) else ()])

    def at(role: Role, transposed: bool) -> str:
        return _entry(reading, Ref(role), index)

    def number(role: Role, transposed: bool) -> str:
        try:
            array = reading.step.value(role).value
        except Unknown:
            return "?"
        return _short(float(array[index])) if np.ndim(array) == len(index) and index else spelled(reading, role)

    return Term(f"{node.text(at)}{after}", f"{node.text(number)}{after}", factor * found)


def _entry(reading: Reading, node: Node, index: Index) -> str:
    """The name of an entry, in the writer's own indices."""
    if isinstance(node, Transposed):
        return _entry(reading, node.of, index[::-1])
    if isinstance(node, Ref):
        role = node.role
        if role.kind == "T" and reading.arrays.labels.startswith("class"):
            return f"(one-hot y)[{','.join(map(str, index))}]"
        return _place(reading, role, index) if index else spelled(reading, role)
    return f"({node.text(lambda r, t: spelled(reading, r, t))})[{','.join(map(str, index))}]"


def _short(value: float) -> str:
    text = f"{value:.6g}"
    return f"({text})" if value < 0 else text
