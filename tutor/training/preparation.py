"""Data made ready: split into parts, features brought to a common scale, examples and classes weighted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import fsum, sqrt
from typing import TYPE_CHECKING

import numpy as np

from tutor.data.builtin import Data
from tutor.data.encoding import Encoding
from tutor.data.sampling import permutation, random_bits
from tutor.errors import TutorError
from tutor.maths.normalizers import NORMALIZERS, Normalizer
from tutor.numbers.arrays import Reproducible
from tutor.training.architecture import Architecture

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles, Floats, Indices, Labels


def balanced(y: Labels, count: int) -> Doubles:
    """The weights of the classes, (classes,): n / (k·n_c) for n examples, k = `count` classes, n_c examples of class c.

    An example's loss times the weight of its class: then all classes together count alike, and the weights of all
    examples have the sum n, so that the rate of learning keeps its meaning. It is the weighting of King and Zeng 2001,
    "Logistic Regression in Rare Events Data", section 4.2, with the share τ of each class in the population taken as
    1/k; elsewhere it goes by the name "balanced". Raises TutorError for a class without an example.
    """
    examples = np.bincount(y, minlength=count)
    if not examples.all():
        raise TutorError(f"class {int(np.argmin(examples))} has no example in the training part, so it has no weight")
    return len(y) / (count * examples)


_BLOCK_ROWS = 4096
Parts = tuple["Indices", "Indices", "Indices"]
"""The indices of the training, validation and test examples."""


class _Exactly:
    """The sums of a column, rounded once."""

    sqrt = staticmethod(sqrt)

    @staticmethod
    def total(values: Floats) -> float:
        return fsum(values.tolist())


class _EveryRow:
    """The sums of all rows, each from left to right, and their roots."""

    sqrt = staticmethod(np.sqrt)
    total = staticmethod(Reproducible.sums)


@dataclass(frozen=True)
class Scaling:
    """What is taken from every feature, and by what it is divided; fitted on the training part alone. Both are empty
    where each example is scaled by itself."""

    name: str
    shift: tuple[float, ...]
    scale: tuple[float, ...]

    def apply(self, x: Floats) -> None:
        """Scale the rows in place. Raises TutorError for numbers too large to be scaled."""
        entry = NORMALIZERS[self.name]
        for block in _blocks(x):
            if entry.along == "row":
                rows = block.astype(np.float64)
                with np.errstate(over="ignore"):
                    scale = entry.scale(rows, 0, _EveryRow)
                if not np.isfinite(scale).all():
                    raise TutorError(_TOO_LARGE)
                block[...] = rows / np.where(scale > 0, scale, 1.0)  # an example of zeros has no length
            else:
                block[...] = (block - np.array(self.shift)) / np.array(self.scale)

    def scaled(self, targets: Floats) -> Doubles:
        """Targets of (outputs, examples), scaled output by output."""
        found: Doubles = (targets - np.array(self.shift)[:, None]) / np.array(self.scale)[:, None]
        return found

    def in_units(self, outputs: Floats) -> Doubles:
        """Outputs of (outputs, examples) in the unit that the targets had."""
        found: Doubles = outputs * np.array(self.scale)[:, None] + np.array(self.shift)[:, None]
        return found


@dataclass(frozen=True)
class PreparedData:
    """Examples in `rows` that end in a 1 for the bias, (examples, features + 1); `targets` are (outputs, examples).

    `train`, `validation` and `test` are the indices of the examples of each part; the last two may be empty. `y` has
    the class numbers, (examples,), or, in a regression, the values, (examples, outputs). `inputs` are the names of the
    features as they are here, made of the columns of a table as `encoding` says; `target_scaling` is what the targets
    were scaled by, where they were; `remarks` is what to say of all that; `outputs`
    are the names of the values, where they have some.
    """

    rows: Floats
    targets: Doubles
    y: Labels
    classes: tuple[str, ...]
    train: Indices
    validation: Indices
    test: Indices
    scaling: Scaling | None = None
    threshold: float = 0.5
    inputs: tuple[str, ...] = ()
    encoding: Encoding | None = None
    target_scaling: Scaling | None = None
    remarks: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def predicted_classes(self, outputs: Floats) -> Indices:
        """The number of the class that each example is taken for, (examples,), from outputs of (outputs, examples)."""
        return predicted_classes(outputs, self.threshold)

    @property
    def x(self) -> Floats:
        return self.rows[:, :-1]

    @property
    def parts(self) -> dict[str, Indices]:
        """Those parts that there are, by name."""
        named = {"training": self.train, "held-out": self.validation, "test": self.test}
        return {name: indices for name, indices in named.items() if len(indices)}


def prepare(
    data: Data, architecture: Architecture, parts: Parts, normalize: str = "", target_scale: bool = False
) -> PreparedData:
    """Normalise by the training part alone, and write the targets, scaled by that part where they are to be.

    Examples that come with room for a 1 are used up: normalised where they stand.
    """
    rows = rows_with_ones(data.x)
    scaling = target_scaling = None
    if normalize:
        if NORMALIZERS[normalize].for_images and data.shape is None:
            raise TutorError(f"--normalize {normalize} is for images, and these are none; take zscore or minmax")
        channels = data.shape[2] if data.shape and len(data.shape) == 3 else 1
        scaling = _fitted(normalize, rows[:, :-1], parts[0], channels)
        scaling.apply(rows[:, :-1])
    tanh = architecture.activations[-1] == "tanh"
    targets = targets_of(data, architecture.sizes[-1], tanh)
    if target_scale:
        target_scaling = _fitted("zscore", targets.T, parts[0], called="target")
        targets = target_scaling.scaled(targets)
    threshold = 0.0 if tanh else 0.5
    made = PreparedData(rows, targets, data.y, data.classes, *parts, scaling, threshold, data.features)
    return replace(
        made, outputs=data.targets, target_scaling=target_scaling, remarks=(_SCALED,) if target_scale else ()
    )


_SCALED = (
    "The targets are scaled, so the loss is that of scaled values; errors and predictions are told in their own unit."
)


def predicted_classes(outputs: Floats, threshold: float) -> Indices:
    """The number of the class that each example is taken for, (examples,), from outputs of (outputs, examples); a
    single output says 1 above the threshold."""
    taken: Indices = outputs.argmax(axis=0) if len(outputs) > 1 else (outputs[0] > threshold).astype(np.int64)
    return taken


def rows_with_ones(x: Floats) -> Floats:
    """The examples, (examples, features), with a 1 at the end of each, (examples, features + 1).

    Nothing is copied where a reader has left room for it in the array.
    """
    wider = x.base
    if wider is not None and wider.shape == (x.shape[0], x.shape[1] + 1) and np.shares_memory(wider[:1], x[:1]):
        whole: Floats = wider
    else:
        whole = np.empty((x.shape[0], x.shape[1] + 1), x.dtype)
        whole[:, :-1] = x
    whole[:, -1] = 1.0
    return whole


def split(data: Data, validation: float, test: float, seed: int) -> Parts:
    """The indices of the training, validation and test examples, each class in its share: `validation` and `test` are
    the shares held out. Raises TutorError where a part would be empty."""
    order = permutation(random_bits(seed, "split", 0, len(data)))
    if not validation and not test:
        return np.arange(len(data)), order[:0], order[:0]
    groups = [order[data.y[order] == c] for c in range(len(data.classes))] if data.classes else [order]
    ends = [(round(validation * len(g)), round(validation * len(g)) + round(test * len(g))) for g in groups]
    pieces = [np.split(group, cuts) for group, cuts in zip(groups, ends, strict=True)]
    held, tested, train = (np.sort(np.concatenate([piece[k] for piece in pieces])) for k in range(3))
    for name, indices, share in (("training", train, 1), ("validation", held, validation), ("test", tested, test)):
        if share and not len(indices):
            raise TutorError(f"{len(data)} examples are too few: none is left for the {name} part")
    return train, held, tested


def could_hold_out(data: PreparedData, share: float) -> bool:
    """Whether such a share leaves an example of each class, or two values, to be held out of the training part."""
    if not data.classes:
        return share * len(data.train) >= 2
    return bool((share * np.bincount(data.y[data.train].astype(np.int64)) >= 1).all())


_TOO_LARGE = "the examples have numbers that are too large to be normalised"


class _Columns:
    """Columns of the training part in double precision, each made when it is asked for: those of all pixels together
    would be a second copy of the examples."""

    def __init__(self, x: Floats, train: Indices, features: range) -> None:
        self.x, self.train, self.features = x, train, features

    def __iter__(self) -> Iterator[Doubles]:
        return (self.x[self.train, feature].astype(np.float64) for feature in self.features)


@np.errstate(over="ignore")  # what is too large is told below
def _fitted(name: str, x: Floats, train: Indices, channels: int = 1, called: str = "feature") -> Scaling:
    """Fitted in exact sums, feature by feature, or channel by channel of images whose colours stand side by side."""
    entry, count = NORMALIZERS[name], x.shape[1]
    if entry.along == "row":
        return Scaling(name, (), ())
    groups = [range(k, count, channels) for k in range(channels)]
    if entry.along == "column":
        groups = [range(k, k + 1) for k in range(count)]
    shift, scale = [0.0] * count, [1.0] * count
    for group in groups:
        columns = _Columns(x, train, group)
        try:
            start, width = _shift_and_scale(entry, columns if len(group) > 1 else [*columns])
        except OverflowError:
            raise TutorError(f"{called} {group[0] + 1} has numbers that are too large to be normalised") from None
        for feature in group:
            shift[feature], scale[feature] = start, width
    if not np.isfinite([*shift, *scale]).all():
        raise TutorError(_TOO_LARGE)
    return Scaling(name, tuple(shift), tuple(scale))


def _shift_and_scale(entry: Normalizer, columns: Iterable[Doubles]) -> tuple[float, float]:
    """Those of all columns together, which are of one length: the mean of their means, and the root of the mean square
    of their spreads about it. What never changes is only shifted to 0."""
    low, high = min(float(column.min()) for column in columns), max(float(column.max()) for column in columns)
    if low == high:
        return low, 1.0
    shifts = [float(entry.shift(column, _Exactly)) for column in columns]
    start = fsum(shifts) / len(shifts)
    widths = [float(entry.scale(column, start, _Exactly)) for column in columns]
    width = widths[0] if len(widths) == 1 else sqrt(fsum(w * w for w in widths) / len(widths))
    return start, width if width > 0 else 1.0


def targets_of(data: Data, outputs: int, tanh: bool) -> Doubles:
    """(outputs, examples): 0 and 1 for classes (-1 and 1 for tanh), one-hot where there are several outputs."""
    if not data.classes:
        return np.atleast_2d(data.y.T).astype(np.float64)
    low = -1.0 if tanh else 0.0
    if outputs == 1:
        return np.where(data.y == 1, 1.0, low)[None, :]
    return np.where(data.y[None, :] == np.arange(outputs)[:, None], 1.0, low)


def _blocks(x: Floats) -> Iterator[Floats]:
    for start in range(0, len(x), _BLOCK_ROWS):
        yield x[start : start + _BLOCK_ROWS]
