"""Images in the IDX format of the MNIST files, gzipped or not: the images in one file, their labels in another.

An IDX file opens with two zero bytes, a byte for the type (8: whole numbers from 0 to 255), the number of dimensions,
and each dimension as four bytes, the highest first. Source: LeCun, Cortes and Burges, the MNIST database.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tutor.data.builtin import Data, empty_rows
from tutor.data.limits import PIECE, Task, check_amount, check_classes, pixel_names, size_of
from tutor.errors import TutorError, counted
from tutor.read_files import opened, unreadable

if TYPE_CHECKING:
    from tutor.data.array_types import Labels

_BYTES = 8
_DIMENSIONS = {"images": 3, "labels": 1}
_LEVEL = np.float32(1 / 256)


def read_idx(path: Path, label: str | None, task: Task = "") -> Data:
    """The images in `path`, a row each, with the labels from the file beside it (labels-idx1 for images-idx3).

    Pixels are k/256 in single precision, not k/255: so every one of them is exact, and needs only eight bits.
    Raises TutorError where a file is no IDX file, is cut short or is too long, or where the two do not match.
    """
    if label is not None:
        raise TutorError("--label names a column or an array; the labels of these images are in the file beside them")
    if "idx1" in path.name.lower():
        raise TutorError(f"{path} has the labels; name the file with the images, as in train-images-idx3-ubyte")
    labels = _labels_beside(path)
    with _opened(path) as (file, length):
        count, height, width = _shape(path, file, length, "images")
        check_amount(str(path), (count, height, width))
        pixels = height * width
        x = empty_rows(count, pixels, np.float32)
        for start, piece in _pieces(path, file, count * pixels, max(1, PIECE // pixels) * pixels):
            levels = np.frombuffer(piece, dtype=np.uint8).reshape(-1, pixels)
            np.multiply(levels, _LEVEL, out=x[start // pixels : start // pixels + len(levels)])
    y, classes = _classes(labels, count, path, task)
    name = re.split(r"[-.]?images", path.name)[0] or path.name.split(".")[0]
    return Data(name, x, y, pixel_names((height, width)), classes, (height, width), path.name)


def _labels_beside(path: Path) -> Path:
    name = path.name.replace("images", "labels").replace("IMAGES", "LABELS").replace("idx3", "idx1")
    first = path.with_name(name.replace("IDX3", "IDX1"))
    other = first.with_suffix("") if first.suffix.lower() == ".gz" else first.with_name(f"{first.name}.gz")
    for labels in (first, other):
        if os.path.lexists(labels):
            size_of(labels)
            return labels
    raise TutorError(f"the labels of {path} are missing: there is no file {first.name!r} beside it")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BufferedIOBase, int | None]]:
    """The file, and its length where that is known: what is gzipped is told by its first bytes, not by its name."""
    try:
        with opened(path) as file:
            gzipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if gzipped:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield unpacked, None
            else:
                yield file, os.fstat(file.fileno()).st_size
    except zlib.error as error:
        raise unreadable(repr(str(path)), error) from None


def _read(file: BufferedIOBase, size: int) -> bytes:
    """`size` bytes, or as many as there are before the file ends or, where it is gzipped, was cut off."""
    read = bytearray()
    try:
        while len(read) < size and (piece := file.read1(size - len(read))):
            read += piece
    except EOFError:
        pass
    return bytes(read)


def _shape(path: Path, file: BufferedIOBase, length: int | None, kind: str) -> tuple[int, ...]:
    """The dimensions that the file announces; where the length of the file is known, they agree with it."""
    dimensions = _DIMENSIONS[kind]
    head = _read(file, 4)
    if len(head) < 4 or head[:2] != b"\0\0":
        raise TutorError(f"{path} is no IDX file: it begins with {head!r}, not with two zero bytes, a type and a size")
    if head[2] != _BYTES:
        raise TutorError(f"{path} has numbers of the type 0x{head[2]:02x}; only bytes, 0x08, are read")
    if head[3] != dimensions:
        raise TutorError(f"{path} has {counted(head[3], 'dimension')}, but {kind} have {dimensions}")
    sizes = _read(file, 4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise TutorError(f"{path} ends before it has said how many {kind} there are")
    shape = struct.unpack(f">{dimensions}I", sizes)
    if length is not None:
        _check_length(path, prod(shape), length - 4 - 4 * dimensions)
    return shape


def _check_length(path: Path, announced: int, found: int, more: str = "") -> None:
    if announced != found:
        state = "is cut short" if found < announced else "is too long"
        raise TutorError(f"{path} {state}: {announced:,} bytes are announced, {more}{found:,} are there")


def _pieces(path: Path, file: BufferedIOBase, announced: int, size: int = PIECE) -> Iterator[tuple[int, bytes]]:
    """Where each piece of at most so many bytes begins, and the piece; one that is cut short is not given out.

    Never reads more than one byte beyond what was announced.
    """
    found = 0
    while found < announced and (piece := _read(file, min(size, announced - found))):
        if len(piece) == min(size, announced - found):
            yield found, piece
        found += len(piece)
    found += len(_read(file, 1))
    _check_length(path, announced, found, more="at least " if found > announced else "")


def _classes(path: Path, images: int, beside: Path, task: Task) -> tuple[Labels, tuple[str, ...]]:
    with _opened(path) as (file, length):
        (count,) = _shape(path, file, length, "labels")
        if count != images:
            raise TutorError(
                f"{counted(count, 'label')} in {path}, but {counted(images, 'image')} in {beside}; they have to match"
            )
        read = b"".join(piece for _, piece in _pieces(path, file, count))
    values = np.frombuffer(read, dtype=np.uint8)
    if task == "regression":
        return values[:, None].astype(np.float64), ()
    numbers, y = np.unique(values, return_inverse=True)
    classes = tuple(str(number) for number in numbers.tolist())
    check_classes(str(path), classes, count)
    return y.astype(np.int64), classes
