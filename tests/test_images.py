"""Images in colour, and what the lecture does to their pixels before a network sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor

from tutor.data.augmentation import Augmentation
from tutor.data.readers import read_file
from tutor.training.preparation import split

Array = Any
COUNT, SHAPE = 24, (3, 2, 3)


def colours(folder: Path, name: str = "c.npz") -> tuple[Array, Array]:
    """Bytes of images in three channels, each with a mean and a spread of its own; the last one never changes."""
    draw = np.random.Generator(np.random.Philox(7))
    x = draw.integers(0, 120, (COUNT, *SHAPE))
    x = (x * np.array([1, 2, 0]) + np.array([3, 0, 77])).astype(np.uint8)
    y = np.arange(COUNT) % 2
    np.savez(folder / name, x=x, y=y)
    return x / 256, y


def per_channel(x: Array, what: Callable[..., Array]) -> Array:
    return np.broadcast_to(what(x, axis=(0, 1, 2)), SHAPE)


RIGHT: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "mean_image": (lambda x: x.mean(axis=0), lambda x: np.ones(SHAPE)),
    "channel_mean": (lambda x: per_channel(x, np.mean), lambda x: np.ones(SHAPE)),
    "channel_zscore": (
        lambda x: per_channel(x, np.mean),
        lambda x: np.where((spread := per_channel(x, np.std)) > 1e-12, spread, 1),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_taken_from_the_pixels(tutor: Tutor, name: str) -> None:
    """By the training part alone, in the document, in `predict` and in both scripts as in plain NumPy."""
    x, _ = colours(tutor.folder)
    places = split(read_file(tutor.folder / "c.npz", None), 0.25, 0.0, 3)[0]
    shift, scale = (of(x[places]) for of in RIGHT[name])
    found = tutor.json(
        "train", "--data", "c.npz", "--normalize", name, "--validation", 0.25, "--seed", 3, "--hidden", 4,
        "--epochs", 2, "--save", "r.npz",
    )  # fmt: skip
    assert 0 < len(places) < COUNT
    assert found["scaling"]["shift"] == pytest.approx(shift.ravel(), abs=1e-12)
    assert found["scaling"]["scale"] == pytest.approx(scale.ravel(), rel=1e-6)
    first, last = np.split(np.array(found["weights"]), [19 * 4])
    wide = np.column_stack([((x - shift) / scale).reshape(COUNT, -1), np.ones(COUNT)])
    hidden = np.column_stack([np.tanh(wide @ first.reshape(4, 19).T), np.ones(COUNT)])
    right = 1 / (1 + np.exp(-hidden @ last))
    told = tutor.json("predict", "r.npz", "--data", "c.npz")
    assert [one["outputs"][0] for one in told["predictions"]] == pytest.approx(right, abs=1e-6)
    np.save(tutor.folder / "x.npy", x.reshape(COUNT, -1))
    for to in ("numpy", "pytorch"):
        if to == "pytorch":
            pytest.importorskip("torch")
        assert tutor("export", "r.npz", "--to", to, "--output", f"net_{to}.py").returncode == 0
        code = f"import json, numpy, net_{to} as n; print(json.dumps(n.predict(numpy.load('x.npy')).tolist()))"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tutor.folder, capture_output=True, text=True, check=True
        )
        assert [row[0] for row in json.loads(done.stdout)] == pytest.approx(right, abs=1e-6)


def test_resuming_is_exact(tutor: Tutor) -> None:
    colours(tutor.folder)
    base = ["--data", "c.npz", "--normalize", "channel_zscore", "--hidden", 3, "--augment", "shift=1,flip"]
    whole = tutor.json("train", *base, "--epochs", 4)
    tutor.json("train", *base, "--epochs", 2, "--save", "r.json")
    assert tutor.json("train", "--resume", "r.json", "--epochs", 4)["weights"] == whole["weights"]
    assert tutor.json("train", *base[:2], "--epochs", 4, "--hidden", 3)["weights"] != whole["weights"]


def test_colours_stay_together_when_an_image_is_changed(tmp_path: Path) -> None:
    x, _ = colours(tmp_path)
    flat = x.reshape(COUNT, -1)
    flipped = Augmentation(flip=True).apply(flat, SHAPE, 1, 1).reshape(COUNT, *SHAPE)
    turned = [np.array_equal(one, other[:, ::-1]) for one, other in zip(flipped, x, strict=True)]
    assert 0 < sum(turned) < COUNT
    assert all(turn or np.array_equal(one, other) for turn, one, other in zip(turned, flipped, x, strict=True))
    moved = Augmentation(shift=1).apply(flat, SHAPE, 1, 1).reshape(COUNT, *SHAPE)
    seen = [one[one.any(axis=2)] for one in moved]
    assert all(len(pixels) in (2, 3, 4, 6) and (pixels[:, 2] == 77 / 256).all() for pixels in seen)


def test_names_of_pixels_and_what_is_no_image(tutor: Tutor) -> None:
    colours(tutor.folder)
    assert read_file(tutor.folder / "c.npz", None).features[:4] == (
        "pixel 1,1,1",
        "pixel 1,1,2",
        "pixel 1,1,3",
        "pixel 1,2,1",
    )
    x = np.zeros((8, 3, 9, 9), np.uint8)
    np.savez(tutor.folder / "first.npz", x=x, y=np.arange(8) % 2)
    done = tutor("train", "--data", "first.npz")
    assert done.returncode == 2 and "x.transpose(0, 2, 3, 1)" in done.stderr
    np.savez(tutor.folder / "last.npz", x=x.transpose(0, 2, 3, 1), y=np.arange(8) % 2)
    assert tutor("train", "--data", "last.npz", "--epochs", 1).returncode == 0
    for name in RIGHT:
        done = tutor("train", "--data", "moons", "--normalize", name)
        assert done.returncode == 2 and "for images" in done.stderr and "zscore" in done.stderr
        assert tutor("explain", name).stdout.count("image") >= 2


@pytest.mark.parametrize("name", RIGHT)
def test_a_grey_image_has_one_channel(tutor: Tutor, name: str) -> None:
    scaling = tutor.json("train", "--data", "digits", "--normalize", name, "--epochs", 1)["scaling"]
    assert (len(set(scaling["shift"])) == 1) == (name != "mean_image")
