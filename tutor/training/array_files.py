"""Examples from NPZ files, NumPy's archives of arrays: which arrays are meant, and what is a class in them."""

from __future__ import annotations

import zipfile
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tutor.errors import TutorError, counted, listed
from tutor.training.archives import Member, opened
from tutor.training.checks import (
    LARGEST_FILE,
    MOST_CLASSES,
    are_class_numbers,
    check_amount,
    check_classes,
    check_finite,
    pixel_names,
)
from tutor.training.datasets import Data, room

Array = Any
PAIRS = (("x", "y"), ("data", "target"), ("x_train", "y_train"))


def read_npz(path: Path, label: str | None) -> Data:
    """The examples in the arrays x and y (data and target, x_train and y_train; in any case) of an NPZ file.

    x is (examples, features), or (examples, height, width) for images, which become a row each; bytes of images become
    k/256. y is (examples,) or (examples, outputs); `label` names another array. Text, at most 1,000 different whole
    numbers of a whole type, or at most 20 of another, are classes; other numbers are values to predict.
    Raises TutorError where the archive is damaged, too large, or holds anything else.
    """
    with opened(path, LARGEST_FILE) as archive:
        names = _pair(path, archive, label)
        x, y = (Member(path, archive, name) for name in names)
        if len(x.shape) not in (2, 3) or not 1 <= len(y.shape) <= 2:
            raise TutorError(
                f"{path}: {names[0]!r} has the shape {x.shape} and {names[1]!r} {y.shape}; they have to be (examples, "
                "features) or (examples, height, width), and (examples,) or (examples, outputs)"
            )
        if x.shape[0] != y.shape[0]:
            raise TutorError(
                f"{path}: {counted(x.shape[0], 'example')} in {names[0]!r}, but {y.shape[0]} in {names[1]!r}"
            )
        for member in (x, y):
            check_amount(member.where, member.shape)
        labels, classes = _labels(y)
        inputs = _inputs(x)
    shape = x.shape[1:] if len(x.shape) == 3 else None
    features = pixel_names(shape) if shape else tuple(f"x{k + 1}" for k in range(x.shape[1]))
    return Data(path.stem, inputs, labels, features, classes, shape, path.name)


def _pair(path: Path, archive: zipfile.ZipFile, label: str | None) -> tuple[str, str]:
    """The names of the examples and of the labels in the archive."""
    names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    inside = listed([repr(name[:40]) for name in names]) or "no arrays"
    by_name: dict[str, list[str]] = {}
    for name in names:
        by_name.setdefault(name.lower(), []).append(name)
    if label is not None and label not in names:
        raise TutorError(f"{path}: there is no array {label[:40]!r}; it holds {inside}")
    for first, second in PAIRS:
        found = by_name.get(first, []), [label] if label is not None else by_name.get(second, [])
        if found[0] and found[1] and found[0] != found[1]:
            if len(found[0]) > 1 or len(found[1]) > 1:
                raise TutorError(f"{path}: which of the arrays are meant? It holds {inside}")
            return found[0][0], found[1][0]
    wanted = " or ".join(f"{x} and {y}" for x, y in PAIRS)
    raise TutorError(f"{path} has to hold the arrays {wanted}; it holds {inside}")


def _inputs(member: Member) -> Array:
    """The examples, one row each, in single precision where that holds every number, else in double."""
    if member.dtype.kind == "U":
        raise TutorError(f"{member.where}: it holds text; the examples have to be numbers")
    small = member.dtype.itemsize <= (4 if member.dtype.kind == "f" else 2)
    x = room(member.shape[0], prod(member.shape[1:]), np.float32 if small else np.float64)
    member.read_into(x)
    if member.dtype == np.uint8 and len(member.shape) == 3:
        np.multiply(x, np.float32(1 / 256), out=x)
    check_finite(member.where, x)
    return x


def _labels(member: Member) -> tuple[Array, tuple[str, ...]]:
    """The class of each example and the names of the classes, or the values and no names."""
    y = member.read()
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    kind, where = member.dtype.kind, member.where
    if kind == "U" and y.ndim > 1:
        raise TutorError(f"{where}: class names have the shape (examples,), not {y.shape}")
    if kind == "f":
        check_finite(where, y.reshape(len(y), -1))
    if y.ndim > 1:
        return np.ascontiguousarray(y, dtype=np.float64), ()
    different, codes = np.unique(y, return_inverse=True)
    few = len(different) <= MOST_CLASSES
    if kind == "U" and not few:
        raise TutorError(f"{where}: more than {MOST_CLASSES:,} classes; are these the labels?")
    if not few or (kind == "f" and not are_class_numbers(different.tolist())):
        return y[:, None].astype(np.float64), ()
    names = [_class_name(value) for value in different.tolist()]
    classes = tuple(dict.fromkeys(names))
    check_classes(where, classes, len(y))
    return np.array([classes.index(name) for name in names])[codes], classes


def _class_name(value: str | float) -> str:
    if isinstance(value, str):
        return " ".join(value.split()) or "(empty)"
    return str(int(value))
