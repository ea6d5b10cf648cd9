"""The files of saved runs: a heading and named arrays, as NPZ or as JSON, written whole and read without trust.

Nothing in a file is believed before it is checked, and no memory is taken for what a file only announces: a heading is
read into one strict type, with a limit for how many values it may have, and arrays are read as those of examples are.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
import numpy as np

from tutor.data.encoding import Encoding
from tutor.data.read_npz import Member, opened
from tutor.data.source import Source
from tutor.errors import TutorError
from tutor.files import Kind, written
from tutor.read_files import read_whole
from tutor.training.architecture import Architecture
from tutor.training.preparation import Scaling

if TYPE_CHECKING:
    from tutor.data.array_types import Stored

FORMAT = 1
HEADING = "run"
RUN = Kind("a saved run", rb'(?s)(PK\x03\x04.{26}run\.npy.{100,300}?\{"program":"tutor"|\{\s*"program": "tutor")')
LARGEST_NPZ = 2_000_000_000
LARGEST_JSON = 100_000_000
MOST_VALUES = 6_000_000
"""How many values a heading may have, those of JSON with the arrays: decoded, a value takes up to 90 bytes."""
_LONGEST_NUMBER = 25
_VALUES_OF_EPOCH = 5
_KINDS = {"<f8": "float64", "<f4": "float32", "|u1": "uint8"}
_Number = float | Literal["inf", "-inf", "nan"]
_Heading = TypeVar("_Heading", bound="Heading")


class Heading(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What stands in the file beside the arrays.

    `numbers` are those of each state that are no arrays. `features` are the columns of a table that the network needs:
    its inputs, or what `encoding` makes these of; `targets` are the columns that it learned, where they have names.
    `guess` is what a guess without a network goes by: of the training part the share of each class, or the mean of each
    value; older runs have none.
    """

    program: str
    format: int
    version: str
    form: Literal["matrix", "straight-line"]
    settings: dict[str, Any]
    source: Source
    features: tuple[str, ...]
    classes: tuple[str, ...]
    image: tuple[int, ...] | None
    architecture: Architecture = msgspec.field(name="shape")
    scaling: Scaling | None
    history: list[tuple[float, float | None, _Number | None, float | None]]
    seconds: float
    ended: str
    interrupted: bool
    best: tuple[_Number, int] | None
    numbers: dict[str, dict[str, float | dict[str, float]]]
    targets: tuple[str, ...] = ()
    encoding: Encoding | None = None
    target_scaling: Scaling | None = None
    guess: tuple[float, ...] = ()


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    dtype: Literal["float64", "float32"]
    shape: list[int]
    values: list[float]


class _InJson(Heading, forbid_unknown_fields=True, kw_only=True, frozen=True):
    arrays: dict[str, _Listed]


class _Beginning(msgspec.Struct):
    """What tells a saved run of this format from every other file; the rest is passed over."""

    program: msgspec.Raw = msgspec.Raw()
    format: msgspec.Raw = msgspec.Raw()


def write_file(path: Path, heading: Heading, arrays: Mapping[str, Stored]) -> None:
    """Write both; the file appears under its name only once it is complete.

    The same run is always written as the same bytes. Raises TutorError where it cannot be written.
    """
    check_ending(path)
    with written(path, binary=True) as file:
        if path.suffix.lower() == ".npz":
            _write_npz(file, heading, arrays)
        else:
            file.write(_json(heading, arrays))


def check_ending(path: Path) -> None:
    """Raises TutorError where the name says neither of the two forms."""
    if path.suffix.lower() not in (".npz", ".json"):
        raise TutorError(f"{str(path)!r}: give the file of a saved run the ending .npz, or .json for a small network")


def check_room(path: Path, epochs: int, numbers: int) -> None:
    """Raises TutorError where so many epochs, with so many numbers in arrays, would be more than the file may have: so
    that this, too, is known before the training."""
    if epochs * _VALUES_OF_EPOCH > MOST_VALUES - 100_000:
        most = MOST_VALUES // _VALUES_OF_EPOCH - 20_000
        raise TutorError(f"a saved run has the losses of at most {most:,} epochs; train in several goes, with --resume")
    in_json = numbers + epochs * _VALUES_OF_EPOCH
    if path.suffix.lower() == ".json" and in_json * _LONGEST_NUMBER > LARGEST_JSON:
        raise TutorError(f"{str(path)!r} would have up to {in_json:,} numbers; save a large network as .npz")


def _write_npz(file: IO[bytes], heading: Heading, arrays: Mapping[str, Stored]) -> None:
    described = np.frombuffer(msgspec.json.encode(heading), np.uint8)
    archive = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)  # weights are noise, which nothing makes smaller
    try:
        for name, array in {HEADING: described, **arrays}.items():
            raw = io.BytesIO()
            np.lib.format.write_array(raw, array.astype(array.dtype.newbyteorder("<"), "C"), (1, 0), False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), raw.getbuffer())
        archive.close()
    except BaseException:  # a signal, say: closed in the middle of an array, it would raise a ValueError instead
        archive.fp = None
        raise


def _json(heading: Heading, arrays: Mapping[str, Stored]) -> bytes:
    """Decimals are the shortest ones that are read back as the same bits."""
    listed = {
        name: {"dtype": str(array.dtype), "shape": list(array.shape), "values": array.ravel().tolist()}
        for name, array in arrays.items()
    }
    return msgspec.json.format(msgspec.json.encode({**msgspec.to_builtins(heading), "arrays": listed}), indent=0)


def read_file(path: Path) -> tuple[Heading, dict[str, Stored]]:
    """The heading and the arrays, all of them finite. Raises TutorError for whatever is not such a file."""
    try:
        heading, arrays = _read_npz(path) if path.suffix.lower() == ".npz" else _read_json(path)
    except MemoryError:
        raise TutorError(f"{path} does not fit into the memory of this machine") from None
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise TutorError(f"{path}, array {name[:40]!r}: not every number is finite")
    return heading, arrays


def _read_npz(path: Path) -> tuple[Heading, dict[str, Stored]]:
    with opened(path, LARGEST_NPZ) as archive:
        infos = archive.infolist()
        if any(i.compress_type != zipfile.ZIP_STORED or i.file_size != i.compress_size for i in infos):
            raise TutorError(f"{path} is no saved run: its arrays are compressed")
        if sum(info.file_size for info in infos) > path.stat().st_size:
            raise TutorError(f"{path} announces more bytes than it has")
        names = [info.filename.removesuffix(".npy") for info in infos]
        if len(set(names)) != len(names):
            raise TutorError(f"{path} has two arrays of the same name")
        if HEADING not in names:
            raise TutorError(f"{path} is no saved run: it has no array {HEADING!r}; `tutor train --save` writes one")
        members = {name: Member(path, archive, name) for name in names}
        for member in members.values():
            _check_kind(member)
        heading = members.pop(HEADING)
        if prod(heading.shape) > LARGEST_JSON:
            raise TutorError(f"{path}: the array {HEADING!r} has more than {LARGEST_JSON // 1_000_000} MB")
        decoded = _decoded(path, heading.read().tobytes(), Heading)
        return decoded, {name: member.read() for name, member in members.items()}


def _check_kind(member: Member) -> None:
    if member.dtype.str not in _KINDS or member.fortran or len(member.shape) > 2:
        kinds = ", ".join(_KINDS.values())
        raise TutorError(f"{member.where}: arrays of {kinds} with up to two dimensions in C order are read")


def _read_json(path: Path) -> tuple[Heading, dict[str, Stored]]:
    found = _decoded(path, read_whole(path, LARGEST_JSON, "saved run"), _InJson)
    arrays = {}
    for name, entry in found.arrays.items():
        if prod(entry.shape) != len(entry.values) or len(entry.shape) > 2 or min(entry.shape, default=0) < 0:
            raise TutorError(f"{path}, array {name[:40]!r}: its shape does not fit {len(entry.values):,} numbers")
        with np.errstate(over="ignore"):
            arrays[name] = np.array(entry.values, np.float64).astype(entry.dtype).reshape(entry.shape)
    return Heading(**{name: getattr(found, name) for name in Heading.__struct_fields__}), arrays


def _decoded(path: Path, raw: bytes, kind: type[_Heading]) -> _Heading:
    """The heading. What makes a value in JSON is counted first: a file of brackets would take 25 times its size."""
    if sum(raw.count(mark) for mark in (b",", b":", b"[", b"{")) > MOST_VALUES:
        raise TutorError(f"{path} has more than {MOST_VALUES:,} values")
    try:
        beginning = msgspec.json.decode(raw, type=_Beginning)
        if bytes(beginning.program) != b'"tutor"':
            raise TutorError(f"{path} is no saved run; `tutor train --save` writes one")
        known = bytes(beginning.format)
        if known != str(FORMAT).encode():
            newer = known.isdigit() and len(known) < 10 and int(known) > FORMAT
            said = f"was saved by a newer tutor, in format {known.decode()}" if newer else "is in another format"
            raise TutorError(f"{path} {said}; this one reads format {FORMAT}")
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise TutorError(f"{path}: {str(error)[:300]}") from None
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise TutorError(f"{path} is no saved run, or it is damaged: {str(error)[:100]}") from None
