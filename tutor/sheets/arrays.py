"""The arrays of somebody's program as answers: W1, dW1, Z1 of a layer spread over the names of a network.

Which axis has the neurons and which the inputs or the examples is found by the shapes; where these leave it open, by
the numbers: the given ones among them first. `W1` is the matrix of the first layer there, not a single weight.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tutor.errors import listed
from tutor.formulas.quantity import derivative, named, read_name
from tutor.marking.as_written import plain_number
from tutor.numbers.exact import is_number
from tutor.worksheet.named_network import NamedNetwork
from tutor.worksheet.step import Worksheet

MOST_NUMBERS = 50_000
_BEGINS = re.compile(r"\s*(?:[A-Za-z.]{1,20}\s*\(\s*)?\[")
_TOKEN = re.compile(r"[\[\]]|[^\s,\[\]]+")
_QUOTES = "'\""
_MOST_AXES = 3
_CLOSE = 0.02
"""By how much of itself a number may differ from another one that it is taken for, where only places are compared."""


@dataclass(frozen=True)
class Array:
    """Its numbers as they are written, row by row."""

    shape: tuple[int, ...]
    numbers: tuple[str, ...]

    def as_matrix(self, rows: int, columns: int) -> tuple[tuple[str, ...], ...] | None:
        """The same with so many rows and columns, where it has them, but for axes of length 1; else None."""
        wanted = tuple(n for n in (rows, columns) if n != 1)
        if tuple(n for n in self.shape if n != 1) != wanted or (len(self.shape) > 1 and not self._has(rows, columns)):
            return None
        return tuple(self.numbers[r * columns : (r + 1) * columns] for r in range(rows))

    def _has(self, rows: int, columns: int) -> bool:
        return self.shape[-2:] == (rows, columns)

    @property
    def transposed(self) -> Array:
        """Its transpose; one with a single axis as it is."""
        if len(self.shape) != 2:
            return self
        rows, columns = self.shape
        numbers = tuple(self.numbers[r * columns + c] for c in range(columns) for r in range(rows))
        return Array((columns, rows), numbers)


def read_array(text: str) -> Array | None:
    """The array that a program has printed or written as JSON: [[0.1, 0.2], [0.3, 0.4]], array([1., 2.]); None where
    it is no array, or one with rows of several lengths."""
    if not _BEGINS.match(text) or "]" not in text:
        return None
    tokens = _TOKEN.findall(text[text.index("[") : text.rindex("]") + 1])
    open_lists: list[list[Any]] = []
    whole: list[Any] = []
    for token in tokens[:MOST_NUMBERS]:
        if token == "[":
            inner: list[Any] = []
            if open_lists:
                open_lists[-1].append(inner)
            open_lists.append(inner)
        elif token == "]":
            whole = open_lists.pop()
            if not open_lists:
                break
        elif _is_entry(token):
            open_lists[-1].append(token.strip(_QUOTES))
        else:
            return None
        if len(open_lists) > _MOST_AXES:
            return None
    shape = _shape(whole) if not open_lists else None
    return Array(shape, tuple(_flat(whole))) if shape else None


def _shape(entries: object) -> tuple[int, ...] | None:
    """That of lists within lists; None where they are empty, or not all alike."""
    if not isinstance(entries, list):
        return ()
    shapes = set(map(_shape, entries))
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(entries), *inner)


def _flat(entries: object) -> Iterator[str]:
    if isinstance(entries, list):
        for entry in entries:
            yield from _flat(entry)
    else:
        yield str(entries)


def _is_entry(token: str) -> bool:
    return token.lower().lstrip("+-") in ("nan", "inf") or is_number(plain_number(token.strip(_QUOTES)))


@dataclass(frozen=True, slots=True)
class Called:
    """What the name of an array says: weights, biases, sums, outputs, inputs, targets or the loss of a layer (0 for the
    last one), and whether these are the `given` ones, `new` ones, or the `slope` of the loss by them."""

    what: str
    layer: int = 0
    role: str = ""


_LETTERS = {"w": "weights", "weight": "weights", "theta": "weights", "b": "biases", "bias": "biases"}
_LETTERS |= dict.fromkeys(("z", "s", "net"), "sums") | dict.fromkeys(("a", "h", "out"), "outputs")
_NAME = re.compile(
    rf"(de/d|dl/d|dj/d|dld|grad|d|g|new|)({'|'.join(_LETTERS)})([1-9][0-9]?)(new|grad|)|(delta)([1-9][0-9]?)"
)
_OF_MODULES = re.compile(r"(.+)\.(weight|bias)((?:[._](?:new|grad))?)")
_ALONE = {"x": "inputs", "inputs": "inputs", "y": "targets", "t": "targets", "targets": "targets"}
_ALONE |= dict.fromkeys(("p", "yhat", "ypred", "probs", "out", "output", "outputs", "predictions"), "outputs")
_ALONE |= dict.fromkeys(("loss", "e", "l", "j", "cost"), "loss")


def read_names(names: Sequence[str]) -> Mapping[str, Called]:
    """Those of the names that are known; of a model's modules the first weights are those of the first layer."""
    modules = list(dict.fromkeys(m[1] for m in map(_OF_MODULES.fullmatch, names) if m))
    meanings = {}
    for name in names:
        spelled = name
        if match := _OF_MODULES.fullmatch(name):
            spelled = f"{match[2]}{modules.index(match[1]) + 1}{match[3]}"
        spelled = re.sub(r"[\s_.]", "", spelled.replace("∂", "d")).lower()
        if spelled in _ALONE:
            meanings[name] = Called(_ALONE[spelled])
        elif match := _NAME.fullmatch(spelled):
            if match[5]:
                meanings[name] = Called("sums", int(match[6]), "slope")
                continue
            role = "new" if "new" in (match[1], match[4]) else "slope" if match[1] or match[4] else ""
            meanings[name] = Called(_LETTERS[match[2]], int(match[3]), role)
    return meanings


_PARAMETERS = ("weights", "biases")


def deepest_layers(names: Sequence[str]) -> int:
    """The layer of the last parameters that these arrays are of; 0 where they are of none."""
    return max((called.layer for called in read_names(names).values() if called.what in _PARAMETERS), default=0)


def is_of_layers(name: str, last: int) -> bool:
    """Whether a name is that of parameters up to the layer after that one, whose only bias is one number."""
    called = read_names([name]).get(name)
    return called is not None and called.what in _PARAMETERS and called.layer <= last + 1


@dataclass(frozen=True)
class ArrayAnswers:
    """The answers found in arrays, by the names of the worksheet, and what there is to say about them."""

    answers: Mapping[str, str]
    remarks: tuple[str, ...]


Grid = tuple[tuple[str, ...], ...]
"""The names of quantities in the places of an array: neurons down and inputs across, or examples down and neurons
across. An empty name is a place that the worksheet has no quantity for."""


class ArrayNames:
    """What the places of a program's arrays are called on a worksheet of a network."""

    def __init__(self, worksheet: Worksheet, network: NamedNetwork) -> None:
        self.worksheet, self.network = worksheet, network
        self._known = frozenset(worksheet.names)
        self._gradients: dict[str, str] = {}
        for name, goal, by in worksheet.gradients:
            if by not in self._gradients or goal == worksheet.goal:
                self._gradients.setdefault(by, name)
        one = network.inputs[0]
        self.examples = [k for k in range(len(self._known)) if self._in_update(named(one, example=k))] or [0]

    def grid(self, called: Called) -> Grid:
        """The quantities of the array; empty where the worksheet has none of them."""
        if called.what == "loss":
            return self._kept([[self._in_update(self.worksheet.goal)]])
        if called.what in ("inputs", "targets"):
            names = getattr(self.network, called.what)
            return self._kept([[self._in_update(named(n, example=k)) for n in names] for k in self.examples])
        if called.layer > len(self.network.layers):
            return ()
        layer = self.network.layers[called.layer - 1]  # 0 is the last one
        if called.what in ("sums", "outputs"):
            of = [n.sum if called.what == "sums" else n.output for n in layer.neurons]
            return self._kept([[self._of_neuron(n, k, called.role) for n in of] for k in self.examples])
        rows = layer.weights if called.what == "weights" else [[bias] for bias in layer.biases]
        return self._kept([[self._of_parameter(p, called.role) for p in row] for row in rows])

    def _kept(self, rows: Sequence[Sequence[str]]) -> Grid:
        return tuple(map(tuple, rows)) if any(map(any, rows)) else ()

    def _in_update(self, name: str) -> str:
        """The name, in the first update where there are several; empty where there is none."""
        return next((n for n in (name, named(name, update=1)) if n in self._known), "")

    def _of_parameter(self, name: str | None, role: str) -> str:
        if name is None or not role:
            return name or ""
        if role == "slope":
            return self._gradients.get(name, "")
        return next((n for n in (f"{name}_new", named(name, update=1)) if n in self._known), "")

    def _of_neuron(self, name: str, example: int, role: str) -> str:
        """The slope by a neuron of one of several examples has no name: it depends on how they are summed up."""
        if role != "slope":
            return "" if role else self._in_update(named(name, example=example))
        goal = read_name(self.worksheet.goal).in_any_update
        return "" if example else self._in_update(derivative(goal, name))


def answers_of(arrays: Mapping[str, Array], worksheet: Worksheet, value: Callable[[str], float | None]) -> ArrayAnswers:
    """The arrays as answers; `value` has what a quantity of the worksheet should be, where that is known."""
    if worksheet.network is None:
        return ArrayAnswers({}, (f"{listed(list(arrays))}: arrays are read for a network, and this lesson has none",))
    names = ArrayNames(worksheet, worksheet.network)
    called = read_names(list(arrays))
    grids = {name: names.grid(what) for name, what in called.items()}
    unknown = [name for name in arrays if not grids.get(name)]
    answers: dict[str, str] = {}
    remarks = []
    for kinds, remark_of in _FAMILIES:
        family = {n: (arrays[n], grids[n]) for n in arrays if grids.get(n) and called[n].what in kinds}
        transposed = _is_transposed(family, {n for n in family if _is_given(grids[n], worksheet)}, value)
        for name, (array, grid) in family.items():
            cells = _fitted(array, grid, transposed)
            if cells is None:
                size = " × ".join(map(str, array.shape)) or "no axes"
                remarks.append(f"{name} has the shape {size}, where {len(grid)} × {len(grid[0])} fits, so not marked")
                continue
            pairs = zip((n for row in grid for n in row), (text for row in cells for text in row), strict=True)
            answers |= {n: text for n, text in pairs if n in worksheet.by_name}
        if any(len(grid) > 1 and len(grid[0]) > 1 for _, grid in family.values()):
            remarks.append(remark_of[transposed])
    if unknown:
        remarks.append(f"{listed(unknown)}: no array of this network, so not marked")
    return ArrayAnswers(answers, tuple(remarks))


_FAMILIES = (
    (("weights",), ("weights are read as (outputs, inputs)", "weights are read as (inputs, outputs)")),
    (("biases", "loss"), ("", "")),
    (("sums", "outputs", "inputs", "targets"), ("examples are read as rows", "examples are read as columns")),
)
"""Arrays that are written one way in one program, and what is said of that: as the grids are, or turned."""


def _fitted(array: Array, grid: Grid, transposed: bool) -> Grid | None:
    """The numbers in the places of the grid, the other way round only where they do not fit else."""
    for one in (array.transposed, array) if transposed else (array, array.transposed):
        cells = one.as_matrix(len(grid), len(grid[0]))
        if cells is not None:
            return cells
    return None


def _is_given(grid: Grid, worksheet: Worksheet) -> bool:
    return all(name in worksheet.givens for row in grid for name in row if name)


def _is_transposed(
    family: Mapping[str, tuple[Array, Grid]], given: set[str], value: Callable[[str], float | None]
) -> bool:
    """Whether the arrays are the transposes of their grids: by their shapes, by the given ones, by all of them."""
    matrices = [(a.shape, (len(g), len(g[0]))) for a, g in family.values() if len(a.shape) == 2 and len(g) != len(g[0])]
    as_they_are = sum(shape == size for shape, size in matrices)
    other = sum(shape == size[::-1] for shape, size in matrices)
    if as_they_are != other:
        return other > as_they_are
    for names in (given, set(family)):
        fits = [sum(_alike(family[n], transposed, value) for n in names) for transposed in (False, True)]
        if fits[0] != fits[1]:
            return fits[1] > fits[0]
    return False


def _alike(pair: tuple[Array, Grid], transposed: bool, value: Callable[[str], float | None]) -> int:
    """How many numbers are about what they should be."""
    array, grid = pair
    cells = (array.transposed if transposed else array).as_matrix(len(grid), len(grid[0]))
    count = 0
    for name, text in zip((n for r in grid for n in r), (t for r in cells or () for t in r), strict=False):
        truth = value(name) if name else None
        with suppress(ValueError):
            count += truth is not None and abs(float(plain_number(text)) - truth) <= _CLOSE * abs(truth)
    return count
