"""Saved runs of every kind of wrongness: each is refused with a message or is a run, in little memory.

What is taken for a run is used: it goes on, it predicts, it becomes a script. Nothing but the deliberate error comes
out of any of that.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import fuzz
from hypothesis import given
from hypothesis import strategies as st
from test_runs import npz, trained

from tutor.errors import TutorError
from tutor.export.plan import plan_of
from tutor.export.scripts import EXPORTS
from tutor.runs.predict import csv_rows, new_examples, predict
from tutor.runs.run import check_can_save, go_on, load_run, save_run

MOST_MEMORY = 60_000_000
NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("xor", {"hidden": (2,), "batch_size": 1, "optimizer": "adam"}),
    ("xor", {"hidden": (), "rule": "perceptron", "batch_size": 1}),
    ("moons", {"hidden": (3,), "normalize": "zscore", "optimizer": "momentum", "schedule": "cosine"}),
    ("sine", {"hidden": (3,), "optimizer": "sgd", "clip_norm": 1.0, "dropout": 0.2}),
    (
        "iris",
        {"hidden": (3, 3), "batch_norm": True, "residual": True, "validation": 0.3, "patience": 2, "optimizer": "adadelta"},
    ),
]  # fmt: skip


def saved() -> Iterator[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        for data, settings in NETWORKS:
            path = Path(folder, "r.json")
            trained(data, path, epochs=3, **settings)
            yield json.loads(path.read_bytes())


RUNS = list(saved())
extremes = st.sampled_from(
    [0, -1, 1, 2, 3, 10**9, 10**18, 2**63, 2**64, 10**30, 10**400, -(10**400), 0.5, -0.0, 1e308, -1e308, 5e-324, "", "nan", "inf", "1", "0x10",
     "1e999", "9" * 400, None, True, [], {}, [[]], [10**9], [10_000_000], [1] * 1_001, ["a", "a"], "x.csv", "/dev/zero", "moons", "iris", "\0", "\ud800",
     "adam", "sgd", "relu", "softmax", "step", "cross_entropy", "fast", "perceptron", "zscore", "straight-line", "matrix"]
)  # fmt: skip
anything = extremes | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


def places(value: Any, behind: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in the document; of a long list only the ends."""
    if behind:
        yield behind
    keys = value if isinstance(value, dict) else (0, len(value) - 1) if isinstance(value, list) and value else ()
    for key in keys:
        yield from places(value[key], (*behind, key))


def copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


def at(document: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        document = document[key]
    return document


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A saved run with a few of its values replaced, by anything or by what stands elsewhere, or left out."""
    document = copied(draw(st.sampled_from(RUNS)))
    other = draw(st.sampled_from(RUNS))
    for _ in range(draw(st.integers(1, 3))):
        here = draw(st.sampled_from(sorted(places(document), key=repr)))
        holder, key = at(document, here[:-1]), here[-1]
        how = draw(st.sampled_from(["anything", "anything", "number", "other", "same place", "gone"]))
        if how == "gone":
            del holder[key]
        elif how == "other":
            holder[key] = copied(at(other, draw(st.sampled_from(sorted(places(other), key=repr)))))
        elif how == "same place" and here in set(places(other)):
            holder[key] = copied(at(other, here))
        elif how == "number" and isinstance(holder[key], int | float):
            holder[key] = type(holder[key])(holder[key] * draw(st.sampled_from([-1, 2, 0, 10**9])))
        else:
            holder[key] = draw(anything)
    return document


CHOICES: dict[str, list[Any]] = {
    "hidden": [[], [2], [3], [4], [3, 3], [3, 4], [10_000_000], [10**17], [7_000, 7_000], [1] * 999],
    "activation": ["tanh", "relu", "sigmoid", "step", "softmax"],
    "output_activation": ["", "tanh", "sigmoid", "softmax", "linear"],
    "loss": ["", "half_squared_error", "cross_entropy", "binary_cross_entropy"],
    "batch_norm": [True, False],
    "residual": [True, False],
    "optimizer": ["adam", "sgd", "momentum", "rmsprop", "adadelta", "nadam", "adaptive_sign"],
    "normalize": ["", "zscore", "minmax", "unit", "mean_image", "channel_mean", "channel_zscore"],
    "rule": ["gradient", "perceptron"],
    "arithmetic": ["fast", "reproducible"],
    "batch_size": [1, 2, 60, 10**17],
    "epochs": [3, 4, 10**17],
    "validation": [0.0, 0.3, 0.999],
    "patience": [None, 1, 10**17],
    "seed": [0, 3, 10**17],
    "augment": ["", "noise=0.1", "flip"],
    "class_weights": [True, False],
}
CLASSES = [[], ["0", "1"], ["0", "1", "2"], [str(k) for k in range(900)]]
SHAPE = {"sizes", "activations", "loss", "batch_norm", "residual"}


@st.composite
def disagreeing(draw: st.DrawFn) -> dict[str, Any]:
    """A saved run in which each value is one that there could be, but they do not go with each other."""
    document = copied(draw(st.sampled_from(RUNS)))
    for name in draw(st.lists(st.sampled_from(sorted(CHOICES)), max_size=3)):
        value = draw(st.sampled_from(CHOICES[name]))
        document["settings"][name] = value
        if name in SHAPE and draw(st.booleans()):
            document["shape"][name] = value
        if name == "hidden" and draw(st.booleans()):
            sizes = document["shape"]["sizes"]
            document["shape"]["sizes"] = [sizes[0], *value, sizes[-1]]
            document["shape"]["activations"] = ["tanh"] * len(value) + document["shape"]["activations"][-1:]
    if draw(st.integers(0, 3)) == 0:
        document["classes"] = draw(st.sampled_from(CLASSES))
    if draw(st.integers(0, 3)) == 0:
        other = draw(st.sampled_from(RUNS))
        key = draw(
            st.sampled_from(["shape", "source", "scaling", "features", "numbers", "arrays", "history", "best", "form"])
        )
        document[key] = copied(other[key])
    return document


def in_npz(path: Path, document: dict[str, Any]) -> Path:
    """The same run in the other form, as far as there is such an array."""
    heading = {name: value for name, value in document.items() if name != "arrays"}
    members = {"run.npy": np.frombuffer(msgspec.json.encode(heading), np.uint8)}
    arrays = document.get("arrays")
    for name, entry in arrays.items() if isinstance(arrays, dict) else ():
        try:
            members[f"{name}.npy"] = np.array(entry["values"], entry["dtype"]).reshape(entry["shape"])
        except (ValueError, TypeError, KeyError, OverflowError, IndexError):
            continue
    return npz(path, {name: raw_of(array) for name, array in members.items()})


def raw_of(array: Any) -> bytes:
    from io import BytesIO

    file = BytesIO()
    np.lib.format.write_array(file, array, (1, 0), True)
    return file.getvalue()


def message(use: Callable[[], Any]) -> str:
    try:
        use()
    except TutorError as error:
        assert len(str(error)) < 1_500 and "\n" not in str(error)
        return str(error)
    return ""


def use(path: Path) -> None:
    """Everything that is done with a saved run; each part has its own reasons to refuse one."""
    run = load_run(path)
    message(lambda: list(csv_rows(predict(run, new_examples(run, run.heading.source.name, None, None)))))
    for script in EXPORTS.values():
        for weights in ("trained", "initial"):
            message(lambda: script(plan_of(run, weights)))  # noqa: B023 - it is used at once
    done = len(run.heading.history)
    go_further(path, done + 1 if run.settings.epochs <= done else None)


def go_further(path: Path, epochs: int | None) -> None:
    source, data, trainer = go_on(path, epochs)
    check_can_save(path, trainer)
    if trainer.settings.epochs - trainer.done <= 3:
        trainer.run()
        save_run(path, source, data, trainer)
        load_run(path)


def check_file(path: Path) -> None:
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    said = message(lambda: load_run(path))
    assert not said or str(path) in said
    if not said:
        message(lambda: use(path))
    assert tracemalloc.get_traced_memory()[1] - before < MOST_MEMORY


@pytest.fixture(scope="module", autouse=True)
def memory() -> Iterator[None]:
    with TemporaryDirectory() as folder:  # what is loaded when it is first used is no memory of an input
        for document in RUNS:
            path = Path(folder, "r.json")
            path.write_text(json.dumps(document))
            assert not message(lambda: use(path))  # noqa: B023 - it is used at once
    tracemalloc.start()
    yield
    tracemalloc.stop()


def in_both_forms(document: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "r.json")
        path.write_text(json.dumps(document))
        check_file(path)
        try:
            other = in_npz(Path(folder, "r.npz"), document)
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
            return  # it cannot be written, so it need not be read
        check_file(other)


@fuzz(30)
@given(documents())
def test_any_json_in_the_place_of_a_value(document: dict[str, Any]) -> None:
    in_both_forms(document)


@fuzz(30)
@given(disagreeing())
def test_settings_shape_and_arrays_that_disagree(document: dict[str, Any]) -> None:
    in_both_forms(document)


def archive(number: int) -> bytes:
    with TemporaryDirectory() as folder:
        return in_npz(Path(folder, "r.npz"), RUNS[number]).read_bytes()


ARCHIVES = [archive(number) for number in range(len(RUNS))]
HEADERS = [b"'<f8'", b"'<f4'", b"'>f8'", b"'<f2'", b"'|O'", b"'<c16'", b"True", b"False", b"(9999999999,)", b"(13,)", b"()", b"(-1,)", b"(1, 13)", b"\x93NUMPY\2\0", b"(" * 30]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An archive cut short, with bits turned over, with a part of it replaced or doubled, or another header."""
    raw = bytearray(draw(st.sampled_from(ARCHIVES)))
    for _ in range(draw(st.integers(1, 3))):
        how = draw(st.sampled_from(["cut", "bits", "put", "header", "doubled"]))
        start = draw(st.integers(0, len(raw))) if draw(st.booleans()) else max(0, len(raw) - draw(st.integers(0, 700)))
        if how == "cut":
            del raw[start : start + draw(st.integers(0, 200))]
        elif how == "bits":
            for place in draw(st.lists(st.integers(0, max(0, len(raw) - 1)), min_size=1, max_size=4)):
                raw[place : place + 1] = bytes(b ^ (1 << draw(st.integers(0, 7))) for b in raw[place : place + 1])
        elif how == "put":
            put = draw(st.binary(min_size=1, max_size=8) | st.just(b"\xff" * 8))
            raw[start : start + len(put)] = put
        elif how == "doubled":
            raw[start:start] = raw[start : start + draw(st.integers(0, 400))]
        else:
            put = draw(st.sampled_from(HEADERS))
            found = raw.find(
                draw(st.sampled_from([b"'<f8'", b"False", b"(", b"\x93NUMPY"])), draw(st.integers(0, len(raw)))
            )
            if found >= 0:
                raw[found : found + len(put)] = put
    return bytes(raw)


@fuzz(50)
@given(damaged())
def test_damaged_archives(raw: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "r.npz")
        path.write_bytes(raw)
        check_file(path)


@fuzz(50)
@given(st.data())
def test_damaged_json(data: st.DataObject) -> None:
    raw = bytearray(json.dumps(data.draw(st.sampled_from(RUNS))).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(raw)))
        put = data.draw(st.binary(max_size=4) | st.sampled_from([b"[" * 3_000, b"9" * 5_000, b"1e999", b"-", b"null", b"\0", b'"', b"{}", b"[]", b",,"]))  # fmt: skip
        raw[start : start + data.draw(st.integers(0, 40))] = put
    with TemporaryDirectory() as folder:
        path = Path(folder, "r.json")
        path.write_bytes(bytes(raw))
        check_file(path)
