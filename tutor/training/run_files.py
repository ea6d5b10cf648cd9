"""The files of saved runs: a heading and named arrays, as NPZ or as JSON, written whole and read without trust.

Nothing in a file is believed before it is checked, no memory is taken for what a file only announces, and nothing in it
is ever evaluated: no pickles, and array headers are compared with a pattern.
"""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from tutor.errors import TutorError
from tutor.whole_files import written_whole

Array = Any
Heading = dict[str, Any]
HEADING = "run"
LARGEST_NPZ = 2_000_000_000
LARGEST_JSON = 50_000_000
MOST_ARRAYS = 500
_KINDS = {"<f8": "float64", "<f4": "float32", "|u1": "uint8"}
_HEADER = re.compile(
    r"\{'descr': '([<>|=]?[A-Za-z]\d{0,9})', 'fortran_order': (True|False), 'shape': \(([\d, ]{0,99})\), \} *\n"
)
_BAD_ZIP = (zipfile.BadZipFile, struct.error, ValueError, EOFError, RuntimeError, OverflowError, KeyError)


def write_file(path: Path, heading: Heading, arrays: Mapping[str, Array]) -> None:
    """Write both; the file appears under its name only once it is complete.

    The same run is always written as the same bytes. Raises TutorError where there is something else in its place.
    """
    check_target(path)
    with written_whole(path, binary=True) as file:
        if path.suffix.lower() == ".npz":
            _write_npz(file, heading, arrays)
        else:
            file.write(_json(path, heading, arrays))


def check_target(path: Path) -> None:
    """Raises TutorError where a run cannot be saved, so that this is known before the training and not after it."""
    if path.suffix.lower() not in (".npz", ".json"):
        raise TutorError(f"{str(path)!r}: give the file of a saved run the ending .npz, or .json for a small network")
    if not path.parent.is_dir():
        raise TutorError(f"there is no folder {str(path.parent)!r} to save the run in")
    if os.path.lexists(path) and not _is_ours(path):
        raise TutorError(f"{str(path)!r} exists and is no saved run; name another file, or take that one away first")


def _is_ours(path: Path) -> bool:
    try:
        return read_file(path)[0].get("program") == "tutor"
    except TutorError:
        return False


def _write_npz(file: IO[bytes], heading: Heading, arrays: Mapping[str, Array]) -> None:
    described = np.frombuffer(msgspec.json.encode(heading), np.uint8)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # weights are noise, which nothing makes smaller
        for name, array in {HEADING: described, **arrays}.items():
            raw = io.BytesIO()
            np.lib.format.write_array(raw, array.astype(array.dtype.newbyteorder("<"), "C"), (1, 0), False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), raw.getbuffer())


def _json(path: Path, heading: Heading, arrays: Mapping[str, Array]) -> bytes:
    """Decimals are the shortest ones that are read back as the same bits."""
    listed = {
        name: {"dtype": str(array.dtype), "shape": list(array.shape), "values": array.ravel().tolist()}
        for name, array in arrays.items()
    }
    raw = msgspec.json.format(msgspec.json.encode({**heading, "arrays": listed}), indent=0)
    if len(raw) > LARGEST_JSON:
        raise TutorError(f"{str(path)!r} would have {len(raw) // 1_000_000} MB; save a large network as .npz")
    return raw


def read_file(path: Path) -> tuple[Heading, dict[str, Array]]:
    """The heading and the arrays, all of them finite. Raises TutorError for whatever is not such a file."""
    largest = LARGEST_NPZ if path.suffix.lower() == ".npz" else LARGEST_JSON
    try:
        if not path.is_file():
            raise TutorError(f"there is no saved run {str(path)!r}")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > largest:
                raise TutorError(f"{path} has more than {largest // 1_000_000:,} MB")
            heading, arrays = _read_npz(path, file, size) if largest == LARGEST_NPZ else _read_json(path, file)
    except OSError as error:
        raise TutorError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except MemoryError:
        raise TutorError(f"{path} does not fit into the memory of this machine") from None
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise TutorError(f"{path}, array {name[:40]!r}: not every number is finite")
    return heading, arrays


def _read_npz(path: Path, file: IO[bytes], size: int) -> tuple[Heading, dict[str, Array]]:
    try:
        _check_directory(path, file, size)
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            for info in infos:
                if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                    raise TutorError(f"{path}, {info.filename[:40]!r}: the arrays of a saved run are not compressed")
            if sum(info.file_size for info in infos) > size:
                raise TutorError(f"{path} announces more bytes than it has")
            found = {info.filename.removesuffix(".npy"): _array(path, info, archive.read(info)) for info in infos}
    except _BAD_ZIP as error:
        raise TutorError(f"{path} is no saved run, or it is damaged: {str(error)[:100]!r}") from None
    if len(found) != len(infos):
        raise TutorError(f"{path} has two arrays of the same name")
    if HEADING not in found:
        raise TutorError(f"{path} is no saved run: it has no array {HEADING!r}; `tutor train --save` writes one")
    return _decoded(path, found.pop(HEADING).tobytes()), found


def _check_directory(path: Path, file: IO[bytes], size: int) -> None:
    """That the zip directory is a small one: it is read as a whole."""
    file.seek(max(0, size - 22))
    end = file.read(22)
    if end[:4] != b"PK\5\6":
        raise TutorError(f"{path} is no saved run, or it is cut short: the directory at the end of a zip is missing")
    count, length = struct.unpack("<HL", end[10:16])
    if count > MOST_ARRAYS or length > 1000 * MOST_ARRAYS:
        raise TutorError(f"{path} has more than {MOST_ARRAYS} arrays")


def _array(path: Path, info: zipfile.ZipInfo, raw: bytes) -> Array:
    where = f"{path}, array {info.filename[:40].removesuffix('.npy')!r}"
    length = int.from_bytes(raw[8:10], "little")
    header = _HEADER.fullmatch(raw[10 : 10 + length].decode("latin-1"))
    if raw[:8] != b"\x93NUMPY\1\0" or not header:
        raise TutorError(f"{where}: this is no array of plain numbers")
    kind, fortran, text = header.groups()
    if kind not in _KINDS or fortran == "True":
        raise TutorError(f"{where}: arrays of {', '.join(_KINDS.values())} in C order are read, not {kind!r}")
    return _shaped(where, raw[10 + length :], kind, [int(part) for part in text.split(",") if part.strip()])


def _shaped(where: str, raw: bytes, kind: str, shape: list[int]) -> Array:
    announced = prod(shape) * np.dtype(kind).itemsize
    if announced != len(raw) or len(shape) > 2:
        raise TutorError(f"{where}: {tuple(shape)} takes {announced:,} bytes, but there are {len(raw):,}")
    return np.frombuffer(raw, kind).reshape(shape).astype(_KINDS[kind])


def _read_json(path: Path, file: IO[bytes]) -> tuple[Heading, dict[str, Array]]:
    heading = _decoded(path, file.read(LARGEST_JSON + 1))
    listed = heading.pop("arrays", {})
    if not isinstance(listed, dict) or len(listed) > MOST_ARRAYS:
        raise TutorError(f"{path}: 'arrays' is to have the arrays by their names, at most {MOST_ARRAYS}")
    found = {}
    for name, entry in listed.items():
        where = f"{path}, array {name[:40]!r}"
        try:
            plain = msgspec.convert(entry, _Listed)
        except msgspec.ValidationError as error:
            raise TutorError(f"{where}: {str(error)[:200]}") from None
        if prod(plain.shape) != len(plain.values) or len(plain.shape) > 2 or min(plain.shape, default=0) < 0:
            raise TutorError(f"{where}: {tuple(plain.shape)} does not fit {len(plain.values):,} numbers")
        kind = {"float64": np.float64, "float32": np.float32}.get(plain.dtype)
        if kind is None:
            raise TutorError(f"{where}: arrays of float64 and float32 are read, not {plain.dtype[:20]!r}")
        with np.errstate(over="ignore"):
            found[name] = np.array(plain.values, np.float64).astype(kind).reshape(plain.shape)
    return heading, found


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: list[int]
    values: list[float]


def _decoded(path: Path, raw: bytes) -> Heading:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise TutorError(f"{path} is no saved run, or it is damaged: {str(error)[:100]}") from None
    if not isinstance(found, dict):
        raise TutorError(f"{path} is no saved run; `tutor train --save` writes one")
    return found
