"""How a program lays out its arrays, by their shapes, and the same arrays in one layout: examples as rows, weights
(in, out), biases apart from the weights and as vectors, targets with a row an example and a column an output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from tutor.errors import TutorError
from tutor.trace.algebra import Role

Array = Any
_OF_EXAMPLES = ("A", "Z", "dA", "dZ", "mask")
_OF_BIASES = ("b", "db", "b_new")


def kind_of(role: Role) -> str:
    """What the array is shaped like: `W`, `b`, `examples`, or its own kind."""
    plain = role.kind.rpartition(".")[2]
    if plain in _OF_EXAMPLES:
        return "examples"
    if plain in _OF_BIASES:
        return "b"
    return "W" if plain in ("W", "dW", "W_new") else plain


@dataclass(frozen=True)
class Layout:
    """Examples as rows or columns; weights (in, out) or not; where in its weights a layer has its biases, if there."""

    rows: bool = True
    in_out: bool = True
    biases: str = ""

    def transposes(self, role: Role) -> bool:
        """Whether the writer has such a matrix the other way round."""
        kind = kind_of(role)
        if kind == "W":
            return not self.in_out
        return not self.rows and kind in ("examples", "T")


@dataclass(frozen=True)
class Recorded:
    """An array: as it was recorded, and inside. `part` says which of the weights it is where biases stand in them."""

    name: str
    raw: Array
    array: Array
    transposed: bool
    part: str = ""

    def place(self, index: tuple[int, ...]) -> str:
        """An entry, as the writer counts: dW1[0,2]."""
        found = index[::-1] if self.transposed and len(index) == 2 else index
        if self.raw.ndim == 1 and len(found) == 2:
            found = (max(found),)
        if self.raw.ndim == 2 and len(found) == 1:
            row, column = self.raw.shape
            found = (found[0], 0) if column == 1 and row > 1 else (0, found[0])
        return f"{self.name}[{','.join(map(str, found))}]" if found and self.raw.ndim else self.name


@dataclass
class Arrays:
    """The arrays of a step by their roles, and what was found out about them."""

    layout: Layout
    by_role: dict[Role, Recorded]
    examples: int
    widths: dict[int, int]
    labels: str = ""
    remarks: list[str] = field(default_factory=list)

    @property
    def depth(self) -> int:
        return max((role.layer for role in self.by_role), default=0)


def layouts(named: Mapping[Role, Array], options: Mapping[str, str]) -> list[Layout]:
    """The layouts that go best with the shapes, the more usual ones first; several where shapes do not tell."""
    has_biases = any(kind_of(role) == "b" and "." not in role.kind for role in named)
    places = ("",) if has_biases else ("", "last", "first")
    scored = []
    for biases, rows, in_out in product(places, (True, False), (True, False)):
        if options.get("examples", "rows" if rows else "columns") != ("rows" if rows else "columns"):
            continue
        if options.get("weights", "in-out" if in_out else "out-in") != ("in-out" if in_out else "out-in"):
            continue
        layout = Layout(rows, in_out, biases)
        sizes = [*_sizes(named, layout)]
        common = {symbol: Counter(s for name, s in sizes if name == symbol).most_common(1)[0] for symbol, _ in sizes}
        clashes = len(sizes) - sum(count for _, count in common.values())
        unusual = rows != in_out and not rows
        scored.append(((clashes, len(biases) > 0), unusual, layout))
    fewest = min(score for score, _, _ in scored)
    return [layout for score, _, layout in sorted(scored, key=lambda entry: entry[:2]) if score == fewest]


def _sizes(named: Mapping[Role, Array], layout: Layout) -> Iterator[tuple[Any, int]]:
    """The size of each dimension that a layout gives a meaning to: `n`, or the number of a layer."""
    for role, raw in named.items():
        kind = kind_of(role)
        if kind == "b" and role.kind == "b":
            yield role.layer, raw.size
        if raw.ndim != 2:
            continue
        array = raw.T if layout.transposes(role) else raw
        if kind == "W":
            yield role.layer - 1, array.shape[0] - bool(layout.biases)
            yield role.layer, array.shape[1]
        elif kind == "examples":
            yield "n", array.shape[0]
            yield role.layer, array.shape[1] - _has_ones(array, layout)


def _has_ones(array: Array, layout: Layout) -> bool:
    """Whether the column of ones that goes with biases in the weights is there."""
    if not layout.biases or array.shape[1] < 2 or array.dtype.kind == "b":
        return False
    return bool(np.all(array[:, -1 if layout.biases == "last" else 0] == 1))


def laid_out(named: Mapping[Role, Array], names: Mapping[Role, str], layout: Layout) -> Arrays:
    """All arrays in the one layout."""
    sizes = [*_sizes(named, layout)]
    common = {s: Counter(size for name, size in sizes if name == s).most_common(1)[0][0] for s, _ in sizes}
    depth = max(role.layer for role in named)
    widths: dict[int, int] = {k: common[k] for k in range(depth + 1) if k in common}
    n = common.get("n") or _lonely(named, widths, depth)
    made = Arrays(layout, {}, n, widths)
    for role, raw in named.items():
        for own, recorded in _parts(role, raw, names[role], made):
            made.by_role[own] = recorded
    return made


def _lonely(named: Mapping[Role, Array], widths: dict[int, int], depth: int) -> int:
    """How many examples there are where no matrix says it: as many as a lone vector of one output has."""
    for role, raw in named.items():
        if raw.ndim == 1 and (kind_of(role) == "examples" or role.kind == "T"):
            width = widths.get(role.layer or (0 if role.kind == "A" else depth), 1)
            if width == 1 and raw.size > 1:
                return int(raw.size)
    return 1


def _parts(role: Role, raw: Array, name: str, arrays: Arrays) -> Iterator[tuple[Role, Recorded]]:
    kind, layout = kind_of(role), arrays.layout
    if kind in ("loss", "t"):
        if raw.size == 1:
            yield role, Recorded(name, raw, raw.reshape(()), False)
        else:
            arrays.remarks.append(f"{name} is taken for a single number, and has the shape {raw.shape}; it is left out")
        return
    if kind == "T":
        target, transposed, arrays.labels = _targets(raw, name, arrays)
        yield role, Recorded(name, raw, target, transposed)
        return
    if kind == "b":
        yield role, _bias(role, raw, name, arrays)
        return
    transposed = layout.transposes(role)
    array = _matrix(role, raw, arrays)
    if kind == "W" and layout.biases and array.shape[0] == arrays.widths.get(role.layer - 1, -1) + 1:
        last = layout.biases == "last"
        weights, biases = (array[:-1], array[-1]) if last else (array[1:], array[0])
        yield role, Recorded(name, raw, weights, transposed, "weights")
        yield Role(_of_bias(role.kind), role.layer), Recorded(name, raw, biases, transposed, "biases")
        return
    if kind == "examples" and layout.biases and array.shape[1] == arrays.widths.get(role.layer, -1) + 1:
        array = array[:, :-1] if layout.biases == "last" else array[:, 1:]
    yield role, Recorded(name, raw, array, transposed)


def _of_bias(kind: str) -> str:
    state, dot, plain = kind.rpartition(".")
    return f"{state}{dot}{plain.replace('W', 'b')}"


def _bias(role: Role, raw: Array, name: str, arrays: Arrays) -> Recorded:
    if raw.ndim < 2 or 1 in raw.shape:
        return Recorded(name, raw, raw.reshape(-1), False)
    transposed = not arrays.layout.rows
    return Recorded(name, raw, raw.T if transposed else raw, transposed)


def _matrix(role: Role, raw: Array, arrays: Arrays) -> Array:
    """A matrix that was recorded as a vector or as one number is one row, or one column."""
    if raw.ndim == 2:
        return raw.T if arrays.layout.transposes(role) else raw
    flat = raw.reshape(-1)
    width = arrays.widths.get(role.layer)
    if kind_of(role) == "W":
        return flat[:, None] if width in (1, None) else flat[None, :]
    if width == flat.size and arrays.examples == 1:
        return flat[None, :]
    return flat[:, None] if flat.size == arrays.examples and width in (1, None) else flat[None, :]


def _targets(raw: Array, name: str, arrays: Arrays) -> tuple[Array, bool, str]:
    """The targets, a row an example; whether they were turned; how classes are written."""
    n, width = arrays.examples, arrays.widths.get(max(arrays.widths, default=1), 1)
    if raw.ndim == 2 and width > 1:
        transposed = not arrays.layout.rows
        array = raw.T if transposed else raw
        if array.shape == (n, width):
            return array, transposed, "one-hot" if _are_one_hot(array) else ""
        if raw.T.shape == (n, width) == raw.shape[::-1]:
            return raw.T if not transposed else raw, not transposed, "one-hot" if _are_one_hot(raw) else ""
    flat = raw.reshape(-1)
    if width > 1 and flat.size == width and n == 1 and width != 1:
        return flat[None, :], False, "one-hot" if _are_one_hot(flat[None, :]) else ""
    if flat.size != n:
        raise TutorError(
            f"{name} has the shape {raw.shape}, which are not the targets of {n} examples with {width} outputs; "
            "record y for each example: a class number, or a number for each output"
        )
    if width == 1:
        return flat[:, None], False, ""
    first = _first_class(flat, width, name)
    array = np.zeros((n, width))
    array[np.arange(n), flat.astype(int) - first] = 1
    return array, False, "class numbers" + (" counted from 1" if first else "")


def _are_one_hot(array: Array) -> bool:
    return bool(np.all((array == 0) | (array == 1)) and np.all(array.sum(axis=1) == 1))


def _first_class(flat: Array, classes: int, name: str) -> int:
    whole = np.all(np.isfinite(flat)) and np.all(flat == np.floor(flat))
    if whole and flat.min() >= 0 and flat.max() < classes:
        return 0
    if whole and flat.min() >= 1 and flat.max() <= classes:
        return 1
    raise TutorError(
        f"{name} has to hold class numbers from 0 to {classes - 1}, or a number for each of {classes} outputs"
    )
