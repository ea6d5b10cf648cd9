"""Data: files of every known kind read back, bad ones refused in one sentence, augmentation, weights of classes."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutor.data import limits
from tutor.data.augmentation import Augmentation, parse_augmentation
from tutor.data.builtin import Data
from tutor.data.readers import is_file_name, read_file
from tutor.data.sampling import normals, random_bits
from tutor.errors import TutorError
from tutor.training.preparation import balanced

Array = Any
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
FILES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def idx(array: Array, sizes: tuple[int, ...] | None = None, kind: int = 8) -> bytes:
    shape = array.shape if sizes is None else sizes
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


def pictures(count: int = 6, height: int = 3, width: int = 2) -> tuple[Array, Array]:
    pixels = (np.arange(count * height * width) * 37 % 256).astype(np.uint8).reshape(count, height, width)
    return pixels, (np.arange(count) % 2 + 3).astype(np.uint8)


def refused(path: Path, label: str | None = None) -> str:
    """What is said about a file that cannot be learned from: one line that names it."""
    with pytest.raises(TutorError) as caught:
        read_file(path, label)
    said = str(caught.value)
    assert path.name in said and "\n" not in said and caught.value.exit_code == 2
    return said


def memory_of(work: Callable[[], bool]) -> int:
    """The most bytes that were in use at a time while this was found to be true."""
    tracemalloc.start()
    try:
        assert work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def usable(data: Data) -> bool:
    """Whether a network could be trained with it: shapes that match, finite numbers, every class met."""
    assert (
        data.x.ndim == 2 and data.x.shape == (len(data.y), len(data.features)) and data.x.strides[1] == data.x.itemsize
    )
    assert data.x.dtype in (np.float32, np.float64) and np.isfinite(data.x).all()
    if data.classes:
        assert data.y.dtype == np.int64 and set(data.y.tolist()) == set(range(len(data.classes)))
        assert len(set(data.classes)) == len(data.classes) >= 2
    else:
        assert data.y.dtype == np.float64 and data.y.ndim == 2 and np.isfinite(data.y).all()
    return True


# --- IDX


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (IMAGES, LABELS),
        ("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
        (f"{IMAGES}.gz", f"{LABELS}.gz"),
        (f"{IMAGES}.gz", LABELS),
        (IMAGES, f"{LABELS}.gz"),
        ("emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte.gz"),
    ],
)
def test_images_are_read_back_as_256ths(tmp_path: Path, images: str, labels: str) -> None:
    pixels, y = pictures()
    for name, array in ((images, pixels), (labels, y)):
        raw = idx(array)
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    data = read_file(tmp_path / images, None)
    assert usable(data) and data.x.dtype == np.float32 and data.shape == (3, 2) and data.classes == ("3", "4")
    assert data.x.tolist() == [[p / 256 for p in picture.ravel().tolist()] for picture in pixels]
    assert data.y.tolist() == [0, 1, 0, 1, 0, 1] and data.features[:3] == ("pixel 1,1", "pixel 1,2", "pixel 2,1")


def test_what_is_packed_is_told_by_the_bytes_not_by_the_name(tmp_path: Path) -> None:
    pixels, y = pictures()
    (tmp_path / IMAGES).write_bytes(gzip.compress(idx(pixels)))
    (tmp_path / f"{LABELS}.gz").write_bytes(idx(y))
    assert len(read_file(tmp_path / IMAGES, None)) == 6


HUGE = 2**32 - 1
PIXELS, Y = pictures()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (idx(PIXELS)[:-5], idx(Y), "36 bytes are announced, 31 are there"),
        (idx(PIXELS) + b"..", idx(Y), "is too long: 36 bytes are announced"),
        (idx(PIXELS), idx(Y)[:-1], "6 bytes are announced, 5 are there"),
        (idx(PIXELS), idx(Y) + b".", "is too long: 6 bytes are announced"),
        (idx(PIXELS, (HUGE, HUGE, HUGE)), idx(Y), "announced|at most 200 million"),
        (idx(PIXELS, (60_000, 10_000, 10_000)), idx(Y), "announced|at most 200 million"),
        (idx(PIXELS, (6, 6_000, 5_000)), idx(Y), "bytes are announced, 36 are there|30,000,000 numbers an example"),
        (idx(PIXELS), idx(Y[:5]), "5 labels in "),
        (idx(PIXELS), idx(Y * 0), "every example has the label '0'"),
        (idx(PIXELS), idx(np.arange(6, dtype=np.uint8)), "6 classes for 6 examples"),
        (idx(PIXELS[:2]), idx(Y[:2]), "2 examples; there have to be at least 4"),
        (idx(PIXELS, kind=13), idx(Y), "numbers of the type 0x0d"),
        (idx(PIXELS.ravel()), idx(Y), "1 dimension, but images have 3"),
        (idx(PIXELS[:, :0]), idx(Y), "at least one number"),
        (b"\0\0\x08", idx(Y), "is no IDX file"),
        (b"GIF89a", idx(Y), "is no IDX file"),
        (b"\0\0\x08\x03\0\0", idx(Y), "ends before"),
        (idx(PIXELS), None, "there is no file 'train-labels-idx1-ubyte"),
        (idx(PIXELS), b"", "is empty|is no IDX file"),
    ],
)
def test_bad_images_and_labels(tmp_path: Path, images: bytes, labels: bytes | None, said: str, packed: bool) -> None:
    ending = ".gz" if packed else ""
    for name, raw in ((IMAGES, images), (LABELS, labels)):
        if raw is not None:
            (tmp_path / f"{name}{ending}").write_bytes(gzip.compress(raw) if packed else raw)
    with pytest.raises(TutorError) as caught:
        read_file(tmp_path / f"{IMAGES}{ending}", None)
    assert any(part in str(caught.value) for part in said.split("|")), caught.value


def test_packed_images_that_are_cut_off_or_damaged(tmp_path: Path) -> None:
    pixels = np.random.Philox(1).random_raw(2000).view(np.uint8).reshape(-1, 20, 20)
    (tmp_path / LABELS).write_bytes(idx((np.arange(40) % 2).astype(np.uint8)))
    path, packed = tmp_path / f"{IMAGES}.gz", gzip.compress(idx(pixels))
    path.write_bytes(packed[: len(packed) // 2])
    said = refused(path)
    assert "is cut short: 16,000 bytes are announced" in said and int(said.split()[-3].replace(",", "")) > 5_000
    path.write_bytes(packed[:5000] + b"???" + packed[5003:])
    assert "cannot be read" in refused(path) or "cut short" in refused(path)
    path.write_bytes(gzip.compress(idx(pixels) + bytes(50_000_000)))
    assert memory_of(lambda: "at least 16,001 are there" in refused(path)) < 5_000_000


def test_files_of_images_are_named_with_care(tmp_path: Path) -> None:
    (tmp_path / LABELS).write_bytes(idx(Y))
    assert "has the labels; name the file with the images" in refused(tmp_path / LABELS)
    (tmp_path / IMAGES).write_bytes(idx(PIXELS))
    with pytest.raises(TutorError, match="--label names a column"):
        read_file(tmp_path / IMAGES, "y")


PEAK = """import resource, sys
from pathlib import Path
from tutor.data.readers import read_file
data = read_file(Path(sys.argv[1]), None)
assert data.x.shape == (60_000, 784)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / data.x.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted in other units elsewhere")
def test_sixty_thousand_images_take_little_more_than_their_array(tmp_path: Path) -> None:
    (tmp_path / IMAGES).write_bytes(idx(np.ones((60_000, 28, 28), dtype=np.uint8)))
    (tmp_path / LABELS).write_bytes(idx((np.arange(60_000) % 10).astype(np.uint8)))
    # Through a shell: a process reports the peak of the one that it was forked from, if that was higher.
    command = ["sh", "-c", '"$0" -c "$1" "$2"; exit $?', sys.executable, PEAK, str(tmp_path / IMAGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.5


# --- NPZ


def npz(path: Path, compressed: bool = False, **arrays: Array) -> Path:
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def zipped(path: Path, compression: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, raw in members.items():
            archive.writestr(f"{name}.npy", raw)
    return path


def npy(header: str, body: bytes = b"", version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(header) + 1)
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + b"\n" + body


def plain(array: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


KINDS = ("f2", "f4", ">f4", "f8", "u1", "i2", "i8", "?")


@settings(FILES, max_examples=80)
@given(
    st.sampled_from(KINDS), st.integers(4, 9), st.integers(1, 5), st.booleans(), st.booleans(),
    st.sampled_from([("x", "y"), ("X", "Y"), ("data", "target"), ("x_train", "y_train"), ("X_train", "Y_TRAIN")]),
)  # fmt: skip
def test_arrays_are_read_back(
    tmp_path: Path, kind: str, rows: int, columns: int, fortran: bool, compressed: bool, names: tuple[str, str]
) -> None:
    x = (np.arange(rows * columns).reshape(rows, columns) % 5).astype(kind)
    y = np.arange(rows) % 2
    path = npz(tmp_path / "d.npz", compressed, **{names[0]: np.asfortranarray(x) if fortran else x, names[1]: y})
    data = read_file(path, None)
    assert usable(data) and data.x.tolist() == x.astype(float).tolist() and data.y.tolist() == y.tolist()
    assert data.classes == ("0", "1") and data.shape is None
    assert data.x.dtype == (np.float64 if kind in ("f8", "i8") else np.float32)


def test_images_in_arrays_become_rows(tmp_path: Path) -> None:
    pixels, y = pictures()
    data = read_file(npz(tmp_path / "d.npz", x_train=pixels, y_train=y, x_test=pixels, y_test=y), None)
    assert usable(data) and data.shape == (3, 2) and data.x.tolist() == (pixels.reshape(6, -1) / 256).tolist()
    data = read_file(npz(tmp_path / "f.npz", x=np.asfortranarray(pixels / 7), y=y), None)
    assert usable(data) and data.x.tolist() == (pixels.reshape(6, -1) / 7).tolist()


def test_labels_in_arrays_are_classes_or_values(tmp_path: Path) -> None:
    x = np.arange(60.0)[:, None]
    names = np.array(["cat", "dog", "a \n cat"])[np.arange(60) % 3]
    for y, classes in (
        (names, ("a cat", "cat", "dog")),
        (np.array(["b", "a"])[np.arange(60) % 2][:, None], ("a", "b")),
        (np.arange(60) % 30 - 5, tuple(str(k) for k in range(-5, 25))),
        (np.arange(60) % 3 * 2.0, ("0", "2", "4")),
        (np.arange(60) % 2 == 0, ("0", "1")),
        (np.arange(60) % 30 * 1.0, ()),
        (np.arange(60) / 7, ()),
        (np.arange(60)[:, None] / 7, ()),
        (np.stack([np.arange(60), -np.arange(60)], axis=1) / 7, ()),
    ):
        data = read_file(npz(tmp_path / "d.npz", x=x, y=y), None)
        assert usable(data) and data.classes == classes
        if classes:
            shown = [" ".join(str(v).split()) if y.dtype.kind == "U" else str(int(v)) for v in y.ravel()]
            assert [data.classes[k] for k in data.y] == shown
        else:
            assert data.y.tolist() == y.reshape(60, -1).tolist()
    path = npz(tmp_path / "d.npz", x=x, y=names, other=np.arange(60) / 7)
    assert not read_file(path, "other").classes
    assert "there is no array 'more'; it holds 'x', 'y' and 'other'" in refused(path, "more")


X4, Y4 = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
NAN = X4.copy()
NAN[4, 1] = np.nan


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": X4, "y": Y4}, "it holds 'a' and 'y'"),
        ({"x": X4, "X": X4, "y": Y4}, "which of the arrays"),
        ({}, "it holds no arrays"),
        ({"x": X4, "y": Y4[:5]}, "6 examples in 'x', but 5 in 'y'"),
        ({"x": NAN, "y": Y4}, "array 'x', row 5, column 2: nan"),
        ({"x": X4, "y": NAN[:, 1]}, "array 'y', row 5, column 1: nan"),
        ({"x": X4, "y": Y4 * 0}, "every example has the label '0'"),
        ({"x": X4, "y": np.arange(6)}, "6 classes for 6 examples"),
        ({"x": X4[:3], "y": Y4[:3]}, "3 examples"),
        ({"x": X4[:, :0], "y": Y4}, "at least one number"),
        ({"x": X4[:, 0], "y": Y4}, "the shape (6,)"),
        ({"x": X4, "y": np.float64(3)}, "and 'y' ()"),
        ({"x": X4.astype(str), "y": Y4}, "it holds text"),
        ({"x": X4 + 0j, "y": Y4}, "not 'complex128'"),
        ({"x": X4, "y": Y4.astype("S3")}, "not '|S3'"),
        ({"x": X4, "y": np.array(["a", 1] * 3, dtype=object)}, "array 'y': numbers of at most 64 bits or text"),
        ({"x": X4.astype([("a", "f8")]), "y": Y4}, "[('a', '<f8')]"),
        ({"x": X4, "y": X4.astype(str)}, "class names have the shape"),
    ],
)
def test_bad_arrays(tmp_path: Path, arrays: dict[str, Array], said: str) -> None:
    assert said in refused(npz(tmp_path / "d.npz", **arrays))


FLOATS = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (npy(FLOATS % "(1000000, 1000000)"), "announces more than 1,600 MB"),
        (npy(FLOATS % "(9223372036854775807, 9223372036854775807)"), "announces more than"),
        (npy(FLOATS % "(6, -2)"), "no array has such a shape"),
        (npy(FLOATS % "(-6, -2)"), "no array has such a shape"),
        (npy(FLOATS % "(True, 12)"), "no array has such a shape"),
        (npy(FLOATS % "6"), "no array of plain numbers"),
        (npy(FLOATS % "(6, 2)", bytes(95)), "(6, 2) takes 96 bytes, but there are 95"),
        (npy(FLOATS % "(6, 2)", bytes(97)), "(6, 2) takes 96 bytes, but there are 97"),
        (npy(FLOATS % ("(" * 3000)), "no array of plain numbers"),
        (npy(FLOATS % "__import__('os')"), "no array of plain numbers"),
        (npy(FLOATS % "(6, 2)", version=3), "no array of plain numbers"),
        (npy("{'descr': '<U0', 'fortran_order': False, 'shape': (6, 2), }"), "array 'x': numbers of at most"),
        (npy("{'descr': '<U999999999999', 'fortran_order': False, 'shape': (6, 2), }"), "array 'x': "),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (6, 2), }", b"cos\nsystem\n."), "not 'object'"),
        (b"\x93NUMPY\2\0\xff\xff\xff\xff{" + bytes(20_000_000), "no array of plain numbers"),
        (b"\x93NUMPY\1\0", "no array of plain numbers"),
        (b"", "no array of plain numbers"),
    ],
)
def test_announcements_are_not_believed(tmp_path: Path, x: bytes, said: str) -> None:
    path = zipped(tmp_path / "d.npz", x=x, y=plain(Y4))
    assert memory_of(lambda: said in refused(path)) < 3_000_000


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """2 GB of zeros in 2 MB; and a zip directory that says less than there is."""
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("x.npy", "w") as file:
            file.write(npy(FLOATS % "(2000, 12500)"))
            for _ in range(200):
                file.write(bytes(1_000_000))
        archive.writestr("y.npy", plain(np.arange(2000) % 2))
    raw = path.read_bytes()
    assert len(raw) < 2_000_000 and usable(read_file(path, None))
    size = struct.pack("<I", len(npy(FLOATS % "(2000, 12500)")) + 200_000_000)
    assert raw.count(size) >= 1
    path.write_bytes(raw.replace(size, struct.pack("<I", 1_000_000)))
    assert "takes 200,000,000 bytes, but there are" in refused(path)
    path.write_bytes(raw.replace(size, struct.pack("<I", 4_000_000_000)))
    assert "takes 200,000,000 bytes, but there are" in refused(path)


def test_unusual_archives(tmp_path: Path) -> None:
    path = zipped(tmp_path / "d.npz", zipfile.ZIP_LZMA, x=plain(X4), y=plain(Y4))
    assert "packed as neither" in refused(path)
    many = zipped(tmp_path / "many.npz", **{f"a{k}": b"" for k in range(1001)})
    assert "more than 1,000 arrays" in refused(many)
    whole = npz(tmp_path / "whole.npz", x=X4, y=Y4).read_bytes()
    path.write_bytes(whole.replace(X4.tobytes(), (X4 + 1).tobytes()))
    assert "damaged" in refused(path)
    path.write_bytes(b"PK\5\6")
    assert "is no NPZ file" in refused(path)


@settings(FILES, max_examples=150)
@given(st.data(), st.booleans())
def test_broken_archives_never_end_in_anything_but_a_message(
    tmp_path: Path, data: st.DataObject, compressed: bool
) -> None:
    path = npz(tmp_path / "d.npz", compressed, x=X4, y=np.array(["a", "b"] * 3))
    read_or_refused(path, broken(data, path.read_bytes()))


def broken(data: st.DataObject, raw: bytes) -> bytes:
    """The bytes cut off somewhere, or some of them replaced."""
    if data.draw(st.booleans()):
        return raw[: data.draw(st.integers(0, len(raw) - 1))]
    changed = bytearray(raw)
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)), min_size=1, max_size=6)
    ):
        changed[place] = value
    return bytes(changed)


def read_or_refused(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    try:
        data = read_file(path, None)
    except TutorError as error:
        assert path.parent.name in str(error) and "\n" not in str(error)
    else:
        assert usable(data)


@FILES
@given(st.data(), st.booleans())
def test_broken_images_never_end_in_anything_but_a_message(
    tmp_path: Path, data: st.DataObject, compressed: bool
) -> None:
    (tmp_path / LABELS).write_bytes(idx(Y))
    raw = idx(PIXELS)
    read_or_refused(tmp_path / IMAGES, broken(data, gzip.compress(raw) if compressed else raw))
    (tmp_path / IMAGES).write_bytes(raw)
    (tmp_path / LABELS).write_bytes(broken(data, idx(Y)))
    read_or_refused(tmp_path / IMAGES, raw)


@settings(FILES, max_examples=100)
@given(st.sampled_from(["d.csv", "d.npz", IMAGES, f"{IMAGES}.gz"]), st.binary(max_size=400))
def test_random_bytes_never_end_in_anything_but_a_message(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / LABELS).write_bytes(idx(Y))
    read_or_refused(tmp_path / name, raw)


# --- CSV


@settings(FILES, max_examples=80)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(
            st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=n + 1, max_size=n + 1), min_size=4, max_size=8
        )
    ),
    st.sampled_from([",", ";", "\t", ";,"]),
    st.booleans(),
)  # fmt: skip
def test_numbers_in_a_csv_are_read_back(tmp_path: Path, rows: list[list[float]], style: str, heading: bool) -> None:
    """Any numbers, with any separator, with decimal commas where semicolons separate, with a heading or without."""
    text = "\n".join(style[0].join(map(repr, row)) for row in rows)
    text = text.replace(".", ",") if style == ";," else text
    names = style[0].join(f"c{k}" for k in range(len(rows[0])))
    path = tmp_path / "d.csv"
    path.write_text(f"{names}\n{text}\n" if heading else text)
    try:
        data = read_file(path, None)
    except TutorError as error:
        assert "every example has the label" in str(error) or "classes for" in str(error)
        return
    assert usable(data) and data.x.tolist() == [row[:-1] for row in rows]
    found = [float(data.classes[k].replace(",", ".")) for k in data.y] if data.classes else data.y[:, 0].tolist()
    assert found == [row[-1] for row in rows]
    assert data.features == tuple(f"c{k}" if heading else f"column {k + 1}" for k in range(len(rows[0]) - 1))


@settings(FILES, max_examples=150)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.sampled_from(["1", "2.5", "1,5", "nan", "", " ", "a", "b", '"', "1_0", "1e999", "\r", "\0", "x\ny"]),
                st.text(max_size=4),
            ),
            max_size=4,
        ),
        max_size=9,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_text_is_read_or_refused(tmp_path: Path, rows: list[list[str]], separator: str) -> None:
    text = "\n".join(separator.join(row) for row in rows)
    read_or_refused(tmp_path / "d.csv", text.encode("utf-8", "surrogatepass"))


ROWS = "1,2,p\n3,4,q\n5,6,p\n7,8,q\n"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\n \n,,\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (f"a,b,y\n{ROWS}1,inf,p\n", "row 6, column 'b': 'inf' is not a number"),
        (f"a,b,y\n{ROWS}nan,1,p\n", "row 6, column 'a': 'nan' is not a number"),
        (f"a,b,y\n{ROWS}1_0,1,p\n", "row 6, column 'a': '1_0' is not a number"),
        (f"a,b,y\n\n\n{ROWS}1,,p\n", "row 8, column 'b': the cell is empty"),
        (f'a,b,"y\nlabel"\n{ROWS}1,x,p\n', "row 7, column 'b': 'x' is not a number"),
        ("a,y\n1,0\n2,1\n3,0\n4,1\n5,nan\n6,1\n", "row 6, column 'y': 'nan' is no label"),
        ("a,y\n1,0\n2,1\n3,0\n4,1\n5,?\n6,1\n", "row 6, column 'y': '?' is no label"),
        ("a;y\n1,5;p\n2.5;q\n3;p\n4;q\n", "row 3: there is a decimal point, but a decimal comma in row 2"),
        ("a;y\n1.234,5;p\n2;q\n3.5;p\n4;q\n", "row 4: there is a decimal point, but a decimal comma in row 2"),
        ("a;y\n1.234.5,5;p\n2;q\n3;p\n4;q\n", "row 2, column 'a': '1.234.5,5' is not a number"),
        ("a;y\n1,5;0.5\n2;1\n3;2\n4;3\n", "row 2"),
        (f"a,b,y\n{ROWS}".encode() + b"1,2,caf\xe9\n" + ROWS.encode(), "row 6: the byte 0xe9 is not UTF-8"),
        (ROWS.encode() * 5000 + b"1,2,caf\xe9\n", "row 20001: the byte 0xe9 is not UTF-8"),
        (ROWS.encode("utf-16") + b"1", "row 5: the byte 0x31 is not UTF-16"),
        (ROWS.encode("utf-16-le"), "row 1: there is a NUL character"),
        (f'a,b,y\n{ROWS}1,2,"p\n3,4,q\n5,6,p\n', "row 6: a cell has whole rows in it"),
        (f'a,b,y\n{ROWS}1,2,"{"x" * 200_000}\n', "is no row of a CSV"),
        (f"a,b,y\n{ROWS}1,2,3,4\n", "row 6: 4 cells, but there are 3 columns"),
        ("a,y\n" + "".join(f"{k},name{k}\n" for k in range(1500)), "more than 1000 classes"),
    ],
)
def test_bad_csv(tmp_path: Path, raw: bytes | str, said: str) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    assert said in refused(path)


def test_what_is_an_unusual_but_good_csv(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    for text, x, classes in (
        ("1,5;2,5;p\n2;3;q\n1,5;2,5;p\n2;3;q\n", [[1.5, 2.5], [2, 3]] * 2, ("p", "q")),
        ("1,5\t2,5\t0\n2\t3\t1,0\n1,5\t2,5\t0\n2\t3\t1\n", [[1.5, 2.5], [2, 3]] * 2, ("0", "1,0")),
        ("\ufeffa,y\r\n1,no\r\n\r\n2,yes\r\n3,no\r\n4,yes\r\n", [[1], [2], [3], [4]], ("no", "yes")),
        ("a,y\r1,no\r2,yes\r3,no\r4,yes", [[1], [2], [3], [4]], ("no", "yes")),
        ("sep=;\na;y\n1;no\n2;yes\n3;no\n4;yes\n", [[1], [2], [3], [4]], ("no", "yes")),
        ("a|y\n1,5|no\n2|yes\n3|no\n4|yes\n", [[1.5], [2], [3], [4]], ("no", "yes")),
        ('a,y\n1,"no,\nnever"\n2,yes\n3,"no, never"\n4,yes\n', [[1], [2], [3], [4]], ("no, never", "yes")),
        ("1e308,1e308,10\n1,2,9\n300,255,10\n007,0,9\n", [[1e308, 1e308], [1, 2], [300, 255], [7, 0]], ("9", "10")),
    ):
        for encoding in ("utf-8", "utf-16"):
            path.write_bytes(text.encode(encoding))
            data = read_file(path, None)
            assert usable(data) and data.x.tolist() == x and data.classes == classes, text


def test_files_are_read_by_their_ending(tmp_path: Path) -> None:
    for name in ("d.xlsx", "d", "d.csv.gz"):
        (tmp_path / name).write_text("1,2\n")
        assert "known are .csv, .tsv, .npz," in refused(tmp_path / name)
    for name in ("d.csv", "d.npz", IMAGES, "d"):
        folder = tmp_path / "folders" / name
        folder.mkdir(parents=True)
        assert "is a folder" in refused(folder)
    for name in ("none.csv", "none.npz", f"none-{IMAGES}", "a\0b.csv"):
        with pytest.raises(TutorError, match=r"there is no file|cannot be read"):
            read_file(tmp_path / name, None)
    (tmp_path / "E.CSV").write_text(ROWS)
    assert len(read_file(tmp_path / "E.CSV", None)) == 4
    assert all(map(is_file_name, ("d.csv", "./d", IMAGES, f"{IMAGES}.gz"))) and not is_file_name("moons")


def test_nothing_too_large_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "d.csv"
    with path.open("wb") as file:
        file.truncate(limits.LARGEST_FILE + 1)
    assert "more than 1000 MB" in refused(path)
    path.write_text("1" * 10_000_001)
    assert "row 1: the line is longer" in refused(path)
    monkeypatch.setattr("tutor.data.read_table.MOST_NUMBERS", 6)
    path.write_text(ROWS)
    assert "row 4: there may be at most" in refused(path)


# --- the command line


def harmless(text: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cf") for c in text if c != "\n")


EVIL = "\x1b[31mred\x1b]2title\x07\u202e[bold]\x9b2J"


def test_names_of_strangers_are_harmless_on_the_screen(tutor: Tutor) -> None:
    rows = "".join(f"{k % 7},{k % 3},{'p' if k % 2 else 'q'}{EVIL}\n" for k in range(40))
    (tutor.folder / "d.csv").write_text(f"a{EVIL},b{EVIL},y{EVIL}\n{rows}")
    for options in (["--width", "150"], ["--narrate"], ["--width", "40"]):
        done = tutor("train", "--data", "d.csv", "--epochs", "3", *options)
        assert done.returncode == 0 and harmless(done.stdout) and harmless(done.stderr) and "red" in done.stdout
    for options in (["--label", "x"], ["--label", EVIL]):
        done = tutor("train", "--data", "d.csv", *options)
        assert done.returncode == 2 and harmless(done.stderr) and "there is no column" in done.stderr
    (tutor.folder / "d.csv").write_text(f"a{EVIL},b{EVIL},y{EVIL}\n{rows}1,{EVIL},p\n")
    done = tutor("train", "--data", "d.csv")
    assert done.returncode == 2 and harmless(done.stderr) and "is not a number" in done.stderr
    np.savez(tutor.folder / "d.npz", **{EVIL: X4, "y": Y4})
    done = tutor("train", "--data", "d.npz")
    assert done.returncode == 2 and harmless(done.stderr) and "it holds" in done.stderr


def test_a_network_learns_from_images_and_arrays(tutor: Tutor) -> None:
    y = (np.arange(80) % 2).astype(np.uint8)
    pixels = np.zeros((80, 4, 4), dtype=np.uint8)
    pixels[y == 0, :, 0], pixels[y == 1, 2] = 200, 250
    (tutor.folder / IMAGES).write_bytes(idx(pixels))
    (tutor.folder / LABELS).write_bytes(idx(y))
    np.savez(tutor.folder / "d.npz", x=pixels, y=np.array(["bar", "line"])[y])
    for name in (IMAGES, "d.npz"):
        seen = {}
        for arithmetic in ("fast", "reproducible"):
            found = tutor.json("train", "--data", name, "--epochs", "30", "--arithmetic", arithmetic, "--hidden", "40")
            assert found["accuracy"] == 1 and found["network"]["sizes"][0] == 16
            seen[arithmetic] = found["weights"]
        assert seen["fast"] == pytest.approx(seen["reproducible"], abs=1e-8)
    (tutor.folder / LABELS).unlink()
    done = tutor("train", "--data", IMAGES)
    assert done.returncode == 2 and "labels of" in done.stderr and "Traceback" not in done.stderr


# --- augmentation and weights


def augmented(
    x: Array, shape: tuple[int, int] | None, wanted: Augmentation, seed: int, epoch: int
) -> list[list[float]]:
    """The same in plain Python, one number after the other."""
    n, f = x.shape
    raw = [int(word) for word in random_bits(seed, "augment", epoch, 3 * n + n * f)]
    rows = []
    for i, row in enumerate(x.tolist()):
        new = list(row)
        if shape:
            height, width = shape
            flipped = wanted.flip and raw[3 * i] >= 2**63
            steps = 2 * wanted.shift + 1
            down, right = ((raw[3 * i + k] // 2**32 * steps) // 2**32 - wanted.shift for k in (1, 2))
            for r in range(height):
                for c in range(width):
                    from_row, from_column = r - down, c - right
                    inside = 0 <= from_row < height and 0 <= from_column < width
                    source = width - 1 - from_column if flipped else from_column
                    new[r * width + c] = row[from_row * width + source] if inside else 0.0
        if wanted.noise:
            new = [v + wanted.noise * z for v, z in zip(new, normals(np.array(raw[3 * n + f * i :][:f], dtype=np.uint64)).tolist(), strict=True)]  # fmt: skip
        rows.append(new)
    return rows


@settings(max_examples=60, deadline=None)
@given(
    st.builds(Augmentation, st.integers(0, 3), st.booleans(), st.sampled_from([0.0, 0.1])),
    st.tuples(st.integers(4, 6), st.integers(4, 6)),
    st.integers(1, 12),
    st.integers(0, 2**40),
    st.sampled_from([np.float32, np.float64]),
)
def test_augmentation_agrees_with_plain_python(
    wanted: Augmentation, shape: tuple[int, int], count: int, seed: int, kind: Any
) -> None:
    x = normals(random_bits(1, "data", 0, count * shape[0] * shape[1])).reshape(count, -1).astype(kind)
    before = x.copy()
    found = wanted.apply(x, shape, seed, 5)
    assert found.dtype == kind and np.array_equal(x, before) and found is not x
    assert np.array_equal(found, np.array(augmented(x, shape, wanted, seed, 5)).astype(kind))
    assert np.array_equal(found, wanted.apply(x, shape, seed, 5))


def test_augmentation_goes_every_way_equally_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single bright pixel in the middle comes to lie on each of nine places in a ninth of 9,000 images."""
    x = np.zeros((9_000, 9))
    x[:, 4] = 1
    ninth = Augmentation(shift=1).apply(x, (3, 3), 0, 1).sum(axis=0)
    assert ninth.sum() == 9_000 and (np.abs(ninth - 1_000) < 150).all()
    corner = np.zeros((9_000, 9))
    corner[:, 0] = 1
    flipped = Augmentation(flip=True).apply(corner, (3, 3), 0, 1).sum(axis=0)
    assert flipped[0] + flipped[2] == 9_000 and abs(flipped[0] - 4_500) < 200
    noisy = Augmentation(noise=0.5).apply(x, None, 0, 1)
    assert np.std(noisy - x) == pytest.approx(0.5, abs=0.01)
    assert not np.array_equal(noisy, Augmentation(noise=0.5).apply(x, None, 0, 2))
    monkeypatch.setattr("tutor.data.augmentation._PIECE", 1_001)
    assert np.array_equal(noisy, Augmentation(noise=0.5).apply(x, None, 0, 1))


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_stream_of_words_can_be_drawn_in_pieces(start: int, count: int) -> None:
    assert np.array_equal(
        random_bits(7, "augment", 3, 60)[start : start + count], random_bits(7, "augment", 3, count, start)
    )


def test_augmentation_is_asked_for_in_words() -> None:
    assert parse_augmentation("shift=1,flip,noise=0.05") == Augmentation(1, True, 0.05)
    assert parse_augmentation(" noise = 1e-3 ") == Augmentation(noise=0.001)
    for text, said in (
        ("", "does not know ''"),
        ("shift=1,,flip", "does not know ''"),
        ("flop", "did you mean 'flip'"),
        ("rotate=3", "valid: shift, flip, noise"),
        ("flip=yes", "flip takes no value"),
        ("flip,flip", "flip twice"),
        ("shift", "shift takes pixels"),
        ("shift=1.5", "not '1.5'"),
        ("shift=0", "from 1 to 100"),
        ("shift=" + "9" * 5000, "from 1 to 100"),
        ("shift=-1", "from 1 to 100"),
        ("noise", "noise takes a standard deviation"),
        ("noise=nan", "not 'nan'"),
        ("noise=0", "above 0"),
        ("noise=1e999", "above 0"),
        ("noise=1_0", "above 0"),
    ):
        with pytest.raises(TutorError, match=said):
            parse_augmentation(text)
    x = np.zeros((2, 6))
    for wanted, shape, said in (
        (Augmentation(shift=1), None, "need images"),
        (Augmentation(flip=True), None, "need images"),
        (Augmentation(shift=2), (3, 2), "out of sight"),
    ):
        with pytest.raises(TutorError, match=said):
            wanted.apply(x, shape, 0, 1)


@given(st.lists(st.integers(0, 3), min_size=1).map(lambda more: [0, 1, 2, 3, *more]))
def test_balanced_classes_count_alike(y: list[int]) -> None:
    weights = balanced(np.array(y), 4)
    assert weights.tolist() == [len(y) / (4 * y.count(c)) for c in range(4)]
    assert sum(weights[c] for c in y) == pytest.approx(len(y))
    with pytest.raises(TutorError, match="class 4 has no example"):
        balanced(np.array(y), 5)
