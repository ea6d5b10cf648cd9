"""Data sets by name: gates, points in the plane and linear ones drawn from a seed, iris and handwritten digits."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from tutor.data.preprocessing import Columns
from tutor.data.sampling import normals, random_bits, uniforms
from tutor.data.seeds import SEEDS
from tutor.errors import TutorError, nearest
from tutor.maths.gates import GATES, ROWS
from tutor.numbers import reproducible_arrays

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles, Floats, Image, Indices, Labels

POINTS = 400
FEATURES = 20
_TURN = 2 * float.fromhex("0x1.921fb54442d18p+1")


@dataclass(frozen=True)
class Data:
    """`x`, (examples, features), has one row an example; `y` the number of the class of each, (examples,), or, without
    `classes`, its target values, (examples, outputs).

    `shape` is that of an image, where an example is one; x is in single or in double precision.
    In data from a file the names of features and classes are a stranger's text: to be shown only by way of a Screen.
    `remarks` say what a reader took for what, where that was a guess, and how to say otherwise; `targets` are what a
    table calls the columns to be learned. `columns` are those of x that are still to be made into inputs, where a table
    has words or gaps; `features` are then the names of its columns.
    """

    name: str
    x: Floats
    y: Labels
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()
    shape: Image | None = None
    source: str = ""
    remarks: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    columns: Columns | None = None

    def __len__(self) -> int:
        return len(self.x)


def empty_rows(examples: int, features: int, kind: type[np.float32] | type[np.float64]) -> Floats:
    """An empty array, (examples, features), with room behind each row for the 1 that goes with the bias: a large
    data set is then never copied."""
    return np.empty((examples, features + 1), kind)[:, :-1]


def of_classes(data: Data, typed: Sequence[str]) -> Data:
    """The examples of these classes, each given by its name or its number, from 0; all where none is given. Raises
    TutorError for a class that there is not, and where fewer than two of them, or all, are named."""
    if not typed:
        return data
    if not data.classes:
        raise TutorError(f"--classes names some of several classes, and {data.name} has values to predict")
    known = {str(k): k for k in range(len(data.classes))} | {name: k for k, name in enumerate(data.classes)}
    for name in typed:
        if name not in known:
            raise TutorError(f"--classes: {data.name} has no class {name[:40]!r}{nearest(name[:40], data.classes)}")
    chosen = sorted({known[name] for name in typed})
    if len(chosen) == len(data.classes):
        raise TutorError(f"--classes has no effect: it names all {len(chosen)} classes of {data.name}; leave it out")
    if len(chosen) < 2:
        raise TutorError("--classes takes two or more, as in --classes 0,1,2: one class alone is nothing to learn")
    kept = np.isin(data.y, chosen)
    x = empty_rows(int(kept.sum()), data.x.shape[1], np.float32 if data.x.dtype == np.float32 else np.float64)
    np.compress(kept, data.x, axis=0, out=x)
    classes = tuple(data.classes[k] for k in chosen)
    return replace(data, x=x, y=np.searchsorted(chosen, data.y[kept]), classes=classes)


def _gate(name: str, truth: tuple[int, int, int, int]) -> Callable[[int], Data]:
    x = np.array(ROWS, dtype=np.float64)
    return lambda seed: Data(name, x, np.array(truth, dtype=np.int64), ("x1", "x2"), ("0", "1"))


def _plane(name: str, draw: Callable[[int], tuple[Doubles, Indices]]) -> Callable[[int], Data]:
    def data(seed: int) -> Data:
        x, y = draw(seed)
        return Data(name, x, y, ("x1", "x2"), tuple(str(c) for c in range(int(y.max()) + 1)))

    return data


def _noise(seed: int, count: int, deviation: float) -> Doubles:
    return deviation * normals(random_bits(seed, "data", 1, 2 * count)).reshape(count, 2)


def _angles(seed: int, count: int) -> Doubles:
    return uniforms(random_bits(seed, "data", 0, count))


def _blobs(seed: int) -> tuple[Doubles, Indices]:
    y = np.arange(POINTS) % 3
    centres = np.array([[-2.0, -1.0], [2.0, -1.0], [0.0, 2.0]])
    return centres[y] + _noise(seed, POINTS, 0.7), y


def _circles(seed: int) -> tuple[Doubles, Indices]:
    y = np.arange(POINTS) % 2
    angle = _angles(seed, POINTS) * _TURN
    radius = np.where(y == 0, 1.0, 0.5)[:, None]
    ring = np.stack([reproducible_arrays.cos(angle), reproducible_arrays.sin(angle)], axis=1)
    return radius * ring + _noise(seed, POINTS, 0.05), y


def _moons(seed: int, deviation: float = 0.1) -> tuple[Doubles, Indices]:
    y = np.arange(POINTS) % 2
    angle = _angles(seed, POINTS) * (_TURN / 2)
    cosine, sine = reproducible_arrays.cos(angle), reproducible_arrays.sin(angle)
    upper, lower = np.stack([cosine, sine], axis=1), np.stack([1.0 - cosine, 0.5 - sine], axis=1)
    return np.where((y == 0)[:, None], upper, lower) + _noise(seed, POINTS, deviation), y


def _noisy_moons(seed: int) -> tuple[Doubles, Indices]:
    """So blurred that the two overlap: a network that gets every example right has learned the noise."""
    return _moons(seed, 0.3)


def _spirals(seed: int) -> tuple[Doubles, Indices]:
    y = np.arange(POINTS) % 2
    along = np.sqrt(_angles(seed, POINTS))
    angle = along * (1.5 * _TURN) + y * (_TURN / 2)
    arm = along[:, None] * np.stack([reproducible_arrays.cos(angle), reproducible_arrays.sin(angle)], axis=1)
    return arm + _noise(seed, POINTS, 0.02), y


def _sine(seed: int) -> Data:
    x = (uniforms(random_bits(seed, "data", 0, POINTS)) * 2.0 - 1.0)[:, None]
    noise = 0.1 * normals(random_bits(seed, "data", 1, POINTS))[:, None]
    return Data(
        "sine", x, reproducible_arrays.sin(x * (_TURN / 2)) + noise, ("x",), source="sin(pi·x) with noise of 0.1"
    )


_FEW = (2.0, -2.0, 1.0, *(0.0 for _ in range(FEATURES - 3)))
_ALL = tuple(0.5 if k % 2 == 0 else -0.5 for k in range(FEATURES))


def _linear(name: str, coefficients: tuple[float, ...], source: str) -> Callable[[int], Data]:
    """y = the sum of coefficient·x over standard normal features, with standard normal noise."""

    def data(seed: int) -> Data:
        x = normals(random_bits(seed, "data", 0, POINTS * FEATURES)).reshape(POINTS, FEATURES)
        y = normals(random_bits(seed, "data", 1, POINTS))
        for coefficient, column in zip(coefficients, x.T, strict=True):
            # one after the other: in which order a product of matrices adds depends on the machine
            y = y + coefficient * column
        return Data(name, x, y[:, None], tuple(f"x{k + 1}" for k in range(FEATURES)), source=source)

    return data


def _iris(seed: int) -> Data:
    rows = list(csv.reader(io.StringIO(_shipped("iris.csv").decode())))
    heading, body = rows[0], rows[1:]
    classes = tuple(dict.fromkeys(row[-1] for row in body))
    x = np.array([[float(cell) for cell in row[:-1]] for row in body])
    y = np.array([classes.index(row[-1]) for row in body])
    return Data("iris", x, y, tuple(heading[:-1]), classes, source="Fisher 1936; UCI Machine Learning Repository")


def _digits(seed: int) -> Data:
    body = np.array(
        list(csv.reader(io.StringIO(gzip.decompress(_shipped("digits.csv.gz")).decode()))), dtype=np.float64
    )
    names = tuple(f"pixel {i // 8 + 1},{i % 8 + 1}" for i in range(64))
    source = "Alpaydin and Kaynak 1998, UCI Machine Learning Repository"
    return Data("digits", body[:, :-1] / 16.0, body[:, -1].astype(np.int64), names, tuple("0123456789"), (8, 8), source)


def _shipped(name: str) -> bytes:
    return files("tutor.data").joinpath("sets", name).read_bytes()


DATA: dict[str, Callable[[int], Data]] = {
    **{name: _gate(name, truth) for name, truth in GATES.items()},
    "blobs": _plane("blobs", _blobs),
    "circles": _plane("circles", _circles),
    "moons": _plane("moons", _moons),
    "noisy_moons": _plane("noisy_moons", _noisy_moons),
    "spirals": _plane("spirals", _spirals),
    "sine": _sine,
    "sparse": _linear("sparse", _FEW, "2·x1 - 2·x2 + x3 with noise of 1; 17 more features do nothing"),
    "dense": _linear("dense", _ALL, "0.5·x1 - 0.5·x2 + 0.5·x3 and so on, 20 features, with noise of 1"),
    "iris": _iris,
    "digits": _digits,
}
"""Every data set by its name, made from the seed where it is drawn."""


def load(name: str, seed: int) -> Data:
    """The data set. Raises TutorError where there is none of that name."""
    if name not in DATA:
        hint = nearest(name[:60], DATA)
        raise TutorError(f"there is no data set {name[:60]!r}{hint} (a file needs its ending, as in my.csv)")
    if not 0 <= seed < SEEDS:
        raise TutorError(f"the seed of a data set has at most {len(str(SEEDS)) - 1} digits and no sign")
    return DATA[name](seed)
