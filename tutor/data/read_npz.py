"""NPZ archives, of examples and of saved runs, opened without trusting anything that they announce.

An NPZ is a zip file with one .npy file an array: a magic word, a header with type, order and shape, then the numbers.
`numpy.load` takes the memory that a header asks for; here the zip directory, the header and the limits have to agree
before any is taken, and only plain numbers and text are read, never pickles.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from tutor import read_files
from tutor.data.builtin import Data, empty_rows
from tutor.data.limits import (
    LARGEST_FILE,
    MOST_CLASSES,
    MOST_NUMBERED_CLASSES,
    MOST_NUMBERS,
    PIECE,
    Task,
    are_classes,
    check_amount,
    check_classes,
    check_finite,
    doubtful_classes,
    no_values,
    pixel_names,
    what_was_taken,
)
from tutor.errors import TutorError, counted, listed

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Labels, Stored

MOST_ARRAYS = 1_000
_MOST_BYTES = 8 * MOST_NUMBERS
_LONGEST_HEADER = 1_000
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError, RuntimeError, OverflowError, KeyError)
_BAD_HEADER = (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError, OverflowError)


@contextmanager
def opened(path: Path, largest: int) -> Iterator[zipfile.ZipFile]:
    """The archive, if it has no more than `largest` bytes.

    Raises TutorError here, and for whatever turns out to be damaged while it is read.
    """
    try:
        with read_files.opened(path) as file:
            _check_directory(path, file, largest)
            with zipfile.ZipFile(file) as archive:
                yield archive
    except _BAD_ZIP as error:
        raise TutorError(f"{path} is no NPZ file, or it is damaged: {str(error)[:100]!r}") from None


def _check_directory(path: Path, file: IO[bytes], largest: int) -> None:
    """That the zip directory is a small one: reading it takes memory for every name in it."""
    size = file.seek(0, 2)
    if size > largest:
        raise TutorError(f"{path} has more than {largest // 1_000_000:,} MB")
    file.seek(max(0, size - 42))
    end = file.read()[-42:]
    if end[-22:-18] != b"PK\5\6":
        raise TutorError(f"{path} is no NPZ file, or it is cut short: the directory at its end is missing")
    arrays, length = struct.unpack("<HL", end[-12:-6])
    if arrays > MOST_ARRAYS or length > 1000 * MOST_ARRAYS or end.startswith(b"PK\6\7"):
        raise TutorError(f"{path} has more than {MOST_ARRAYS:,} arrays")


class Member:
    """One array of an archive: its header, checked, and its numbers when they are asked for."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, name: str) -> None:
        self.where, self._archive = f"{path}, array {name[:40]!r}", archive
        self._info = info = archive.getinfo(f"{name}.npy")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise TutorError(f"{self.where}: it is encrypted, or packed as neither savez nor savez_compressed packs")
        with archive.open(info) as file:
            # The header says how long it is itself; NumPy would read so much before it looked at how much that is.
            beginning = io.BytesIO(file.read(_LONGEST_HEADER))
        self.shape, self.fortran, self.dtype = self._read_header(beginning)
        self._start = beginning.tell()
        largest = _MOST_BYTES if self.dtype.kind == "U" else 8
        if self.dtype.kind not in "buifU" or not 0 < self.dtype.itemsize <= largest:
            raise TutorError(f"{self.where}: numbers of at most 64 bits or text are read, not {str(self.dtype)[:40]!r}")
        announced = prod(self.shape) * self.dtype.itemsize
        if announced > _MOST_BYTES:
            raise TutorError(f"{self.where}: it announces more than {_MOST_BYTES // 1_000_000:,} MB")
        found = info.file_size - self._start
        if announced != found:
            raise TutorError(f"{self.where}: {self.shape} takes {announced:,} bytes, but there are {found:,}")

    def _read_header(self, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        """Shape, whether the first index runs fastest, and type."""
        try:
            version = np.lib.format.read_magic(file)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                shape, fortran, dtype = read(file)
        except _BAD_HEADER:
            raise TutorError(f"{self.where}: this is no array of plain numbers or text") from None
        if any(isinstance(size, bool) or not 0 <= size < 2**63 for size in shape):
            raise TutorError(f"{self.where}: no array has such a shape")
        return shape, fortran, dtype

    def read(self) -> Stored:
        """The array as it is in the file, read in pieces; the last piece has been compared with the checksum."""
        flat = np.empty(prod(self.shape), dtype=self.dtype)
        for start, piece in self._pieces(1):
            flat[start : start + len(piece)] = piece
        return flat.reshape(self.shape[::-1]).T if self.fortran else flat.reshape(self.shape)

    def read_into(self, rows: Floats) -> None:
        """The array into these rows, one for each entry of the first dimension, without a copy of the whole."""
        if self.fortran:
            rows[...] = self.read().reshape(rows.shape)
            return
        width = rows.shape[1]
        for start, piece in self._pieces(width):
            rows[start // width : (start + len(piece)) // width] = piece.reshape(-1, width)

    def _pieces(self, width: int) -> Iterator[tuple[int, Stored]]:
        """Where each piece begins, and its numbers: whole rows of so many."""
        size = max(1, PIECE // (width * self.dtype.itemsize)) * width
        total, place = prod(self.shape), 0
        with self._archive.open(self._info) as file:
            file.read(self._start)
            while place < total:
                wanted = min(size, total - place) * self.dtype.itemsize
                raw = file.read(wanted)
                if len(raw) < wanted:
                    found = place * self.dtype.itemsize + len(raw)
                    announced = total * self.dtype.itemsize
                    raise TutorError(
                        f"{self.where} is cut short: {announced:,} bytes are announced, {found:,} are there"
                    )
                yield place, np.frombuffer(raw, dtype=self.dtype)
                place += wanted // self.dtype.itemsize
            file.read(1)  # the checksum is compared when the end is reached


_MOST_CHANNELS = 4
PAIRS = (("x", "y"), ("data", "target"), ("x_train", "y_train"))


def read_npz(path: Path, label: str | None, task: Task = "") -> Data:
    """The examples in the arrays x and y (data and target, x_train and y_train; in any case) of an NPZ file.

    x is (examples, features), or, for images, which become a row each, (examples, height, width) or (examples, height,
    width, channels); bytes of images become k/256. y is (examples,) or (examples, outputs); `label` names another
    array. Text, at most 1,000 different whole numbers of a whole type, or at most 20 of another, are classes; other
    numbers are values to predict.
    Raises TutorError where the archive is damaged, too large, or holds anything else.
    """
    with opened(path, LARGEST_FILE) as archive:
        names = _pair(path, archive, label)
        x, y = (Member(path, archive, name) for name in names)
        if not 2 <= len(x.shape) <= 4 or not 1 <= len(y.shape) <= 2:
            raise TutorError(
                f"{path}: {names[0]!r} has the shape {x.shape} and {names[1]!r} {y.shape}; they have to be (examples, "
                "features), (examples, height, width) or (examples, height, width, channels), and (examples,) or "
                "(examples, outputs)"
            )
        if len(x.shape) == 4 and x.shape[3] > _MOST_CHANNELS:
            raise TutorError(
                f"{path}: {names[0]!r} has the shape {x.shape}, whose last size is to be that of the channels, at most "
                f"{_MOST_CHANNELS}; where they come first, x.transpose(0, 2, 3, 1) puts them last"
            )
        if x.shape[0] != y.shape[0]:
            raise TutorError(
                f"{path}: {counted(x.shape[0], 'example')} in {names[0]!r}, but {y.shape[0]} in {names[1]!r}"
            )
        for member in (x, y):
            check_amount(member.where, member.shape)
        labels, classes, remarks = _labels(y, names[1], task)
        inputs = _inputs(x)
    shape: Any = x.shape[1:] if len(x.shape) > 2 else None
    features = pixel_names(shape) if shape else tuple(f"x{k + 1}" for k in range(x.shape[1]))
    return Data(path.stem, inputs, labels, features, classes, shape, path.name, remarks)


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


def _inputs(member: Member) -> Floats:
    """The examples, one row each, in single precision where that holds every number, else in double."""
    if member.dtype.kind == "U":
        raise TutorError(f"{member.where}: it holds text; the examples have to be numbers")
    small = member.dtype.itemsize <= (4 if member.dtype.kind == "f" else 2)
    x = empty_rows(member.shape[0], prod(member.shape[1:]), np.float32 if small else np.float64)
    member.read_into(x)
    if member.dtype == np.uint8 and len(member.shape) > 2:
        np.multiply(x, np.float32(1 / 256), out=x)
    check_finite(member.where, x)
    return x


def _labels(member: Member, name: str, task: Task) -> tuple[Labels, tuple[str, ...], tuple[str, ...]]:
    """The class of each example and the names of the classes, or the values and no names; and what to remark."""
    y = member.read()
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    kind, where = member.dtype.kind, member.where
    if kind == "U" and y.ndim > 1:
        raise TutorError(f"{where}: class names have the shape (examples,), not {y.shape}")
    if kind == "f":
        check_finite(where, y.reshape(len(y), -1))
    if y.ndim > 1:
        if task == "classes":
            raise TutorError(f"{where}: it has {y.shape[1]} values an example, and --task classes takes one")
        return np.ascontiguousarray(y, dtype=np.float64), (), ()
    different, codes = np.unique(y, return_inverse=True)
    remarks: tuple[str, ...] = ()
    if kind == "U":
        if task == "regression":
            raise no_values(where)
        if len(different) > MOST_CLASSES:
            raise TutorError(f"{where}: more than {MOST_CLASSES:,} classes; are these the labels?")
    else:
        numbers = different.tolist()
        classed = are_classes(where, numbers, task, MOST_NUMBERED_CLASSES if kind == "f" else MOST_CLASSES)
        remarks = what_was_taken(name, numbers, classed, task)
        if not classed:
            return y[:, None].astype(np.float64), (), remarks
    names = [_class_name(value) for value in different.tolist()]
    classes = tuple(dict.fromkeys(names))
    check_classes(where, classes, len(y))
    class_numbers = np.array([classes.index(label) for label in names])[codes]
    if kind == "U":
        remarks = doubtful_classes(name, classes, np.bincount(class_numbers, minlength=len(classes)).tolist())
    return class_numbers, classes, remarks


def _class_name(value: str | float) -> str:
    if isinstance(value, str):
        return " ".join(value.split()) or "(empty)"
    return str(int(value)) if float(value).is_integer() else repr(value)
