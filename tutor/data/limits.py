"""What every file of examples has to pass, and the rule for what is a class and what is a value to predict.

Sizes are checked before memory is taken: what a file announces costs nothing to write and may be anything.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from tutor.data.cells import MISSING
from tutor.errors import TutorError, counted, listed
from tutor.read_files import opened

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Image

Task = Literal["", "regression", "classes"]
"""What is to be learned of labels that are numbers; empty where that is guessed from them."""
LARGEST_FILE = 1_000_000_000
MOST_NUMBERS = 200_000_000
"""The most numbers that examples may have together: 0.8 GB in single precision, 1.6 GB in double."""
MOST_FEATURES = 1_000_000
FEWEST_EXAMPLES = 4
MOST_NUMBERED_CLASSES = 20
MOST_CLASSES = 1_000
PIECE = 1 << 20
"""What is read or looked at in one go, in bytes or in numbers: no second copy of the whole is ever made."""


def size_of(path: Path) -> int:
    """The bytes of a file. Raises TutorError where it cannot be read, is no ordinary file, is empty or too large."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
    if not size:
        raise TutorError(f"{path} is empty")
    if size > LARGEST_FILE:
        raise TutorError(f"{path} has more than {LARGEST_FILE // 1_000_000} MB")
    return size


def check_amount(where: str, shape: Sequence[int]) -> None:
    """Raises TutorError where an array of this shape (examples first) is too small to train on or too large."""
    if any(size < 0 for size in shape):
        raise TutorError(f"{where}: no array has the shape {tuple(shape)}")
    if prod(shape) > MOST_NUMBERS:
        sizes = " × ".join(f"{size:,}" if size < 10**15 else "…" for size in shape)
        raise TutorError(f"{where}: {sizes} numbers, but there may be at most {MOST_NUMBERS // 1_000_000} million")
    if prod(shape[1:]) > MOST_FEATURES:
        raise TutorError(f"{where}: {prod(shape[1:]):,} numbers an example, but at most {MOST_FEATURES:,} have names")
    if shape[0] < FEWEST_EXAMPLES:
        raise TutorError(f"{where}: {counted(shape[0], 'example')}; there have to be at least {FEWEST_EXAMPLES}")
    if not prod(shape):
        raise TutorError(f"{where}: each example needs at least one number to learn from")


def check_finite(where: str, x: Floats) -> None:
    """Raises TutorError for the first NaN or infinity in the rows of x, (examples, numbers)."""
    rows = max(1, PIECE // x.shape[1])
    for start in range(0, len(x), rows):
        wrong = np.argwhere(~np.isfinite(x[start : start + rows]))
        if len(wrong):
            row, column = start + int(wrong[0, 0]), int(wrong[0, 1])
            raise TutorError(f"{where}, row {row + 1}, column {column + 1}: {x[row, column]} is not a finite number")


def check_classes(where: str, classes: Sequence[str], examples: int) -> None:
    """Raises TutorError where there is one class only, or hardly more than one example of each."""
    if len(classes) < 2:
        raise TutorError(f"{where}: every example has the label {classes[0][:40]!r}; there is nothing to tell apart")
    if len(classes) > examples // 2:
        raise TutorError(f"{where}: {len(classes)} classes for {examples} examples; are these the labels?")


def are_classes(where: str, different: Collection[float], task: Task, most: int = MOST_NUMBERED_CLASSES) -> bool:
    """Whether labels that are numbers, of which so many are different, stand for classes.

    Without a task that is a guess: whole numbers are classes where there are at most `most` of them. Raises TutorError
    where there are too many to be the classes that are asked for.
    """
    if task == "classes" and len(different) > MOST_CLASSES:
        raise TutorError(f"{where}: more than {MOST_CLASSES:,} classes; are these the labels?")
    if task:
        return task == "classes"
    return len(different) <= most and _are_whole(different)


def what_was_taken(label: str, different: Collection[float], classes: bool, task: Task) -> tuple[str, ...]:
    """What was made of labels that are numbers, and how to say otherwise, where both could be meant: two whole numbers
    are two classes, and numbers with decimals, or more of them than there may be classes, are values."""
    count = len(different)
    if task or not 2 < count <= MOST_CLASSES or not _are_whole(different):
        return ()
    numbers = f"The {count} different whole numbers of {label[:40]!r}"
    if classes:
        said = f"{numbers} are taken for classes; to predict values, as prices, ratings and years are"
        return (f"{said}, add --task regression.",)
    return (f"{numbers} are taken for values to predict; to tell classes apart, add --task classes.",)


def doubtful_classes(label: str, classes: Sequence[str], counts: Sequence[int]) -> tuple[str, ...]:
    """What to remark of classes that are perhaps none: a word for what is missing, or a class in several spellings."""
    doubts = []
    for name, count in zip(classes, counts, strict=True):
        if name.lower() in MISSING:
            has = f"{counted(count, 'example')} {'has' if count == 1 else 'have'} {name[:40]!r} as {label[:40]!r}"
            doubts.append(
                f"{has}, which is taken for a class; if it means that the label is missing, fill it in or leave "
                f"{'that row' if count == 1 else 'those rows'} out."
            )
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(name.casefold(), []).append(repr(name[:40]))
    for several in alike.values():
        if len(several) > 1:
            doubts.append(f"{listed(several)} are taken for {len(several)} classes; if they are one, spell them alike.")
    return tuple(doubts)


def no_values(where: str) -> TutorError:
    """What to raise where values are to be predicted, and the labels are text."""
    return TutorError(f"{where}: the labels are text, and --task regression predicts numbers; leave --task out")


def _are_whole(values: Iterable[float]) -> bool:
    return all(float(value).is_integer() for value in values)


def pixel_names(shape: Image) -> tuple[str, ...]:
    """The features of an image, row by row."""
    return tuple("pixel " + ",".join(str(k + 1) for k in place) for place in np.ndindex(*shape))
