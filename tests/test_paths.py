"""The path of two parameters on level lines: where it goes, which points the lines join, and how it is said."""

from __future__ import annotations

import re
from itertools import pairwise
from math import hypot, isfinite, nan
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import HEAD, Tutor
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.experiments.paths import level_lines

BOWL = """format = 1
title = "A bowl"
[minimize]
objective = "x**2 + 10*y**2"
start = { x = 1, y = -1 }
learning_rate = 0.02
steps = 12
"""
RATES = ["--vary", "learning-rate=0.02,0.09,0.3"]
SVG = "{http://www.w3.org/2000/svg}"


def descended(rate: float, steps: int = 12) -> np.ndarray:
    found = [np.array([1.0, -1.0])]
    for _ in range(steps):
        found.append(found[-1] - rate * np.array([2.0, 20.0]) * found[-1])
    return np.array(found)


@pytest.fixture
def bowl(tutor: Tutor) -> Tutor:
    (tutor.folder / "bowl.toml").write_text(BOWL)
    return tutor


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
def test_every_row_goes_where_the_updates_take_it(bowl: Tutor, arithmetic: str) -> None:
    found = bowl.json("compare", "bowl.toml", *RATES, "--arithmetic", arithmetic)
    for one, rate in zip(found["settings"], (0.02, 0.09, 0.3), strict=True):
        path = one["runs"][0]["path"]
        assert pytest.approx(descended(rate), rel=1e-12) == np.array([path["x"], path["y"]]).T


def test_the_path_is_told_in_words_and_drawn(bowl: Tutor) -> None:
    told = " ".join(bowl("compare", "bowl.toml", *RATES, "--narrate").stdout.split())
    x, y = descended(0.09)[3]
    assert f"after 3 steps x = {x:.4g}, y = {y:.4g} with the value {x * x + 10 * y * y:.4g}" in told
    assert "it diverges" in told and told.count("it diverges") == 1 and "on the level lines of x**2 + 10*y**2" in told
    shown = bowl("compare", "bowl.toml", *RATES, "--width", 80).stdout
    picture = [line for line in shown.split("level lines")[1].splitlines() if " | " in line]
    assert any("a" in line.split(" | ")[1] for line in picture) and any("b" in line.split(" | ")[1] for line in picture)
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_the_picture_has_the_path_in_its_place(bowl: Tutor) -> None:
    options = ["compare", "bowl.toml", *RATES, "--draw", "paths", "--figure", "p.svg"]
    done = bowl(*options)
    assert done.returncode == 0 and "epoch by epoch" not in done.stdout
    first = (bowl.folder / "p.svg").read_bytes()
    lines = ElementTree.fromstring(first).findall(f"{SVG}polyline")
    paths = [line for line in lines if line.get("stroke-dasharray") is None]
    levels = [line for line in lines if line.get("stroke-dasharray") is not None]
    assert len(paths) == 2 and len(levels) >= 6  # of the third there is only the start

    def points(line: Any) -> np.ndarray:
        return np.array([[float(v) for v in p.split(",")] for p in line.get("points").split()])

    for line, rate in zip(paths, (0.02, 0.09), strict=True):
        there, wanted = points(line), descended(rate)
        for k in range(2):  # two points say where every other lies
            low, high = wanted[:, k].argmin(), wanted[:, k].argmax()
            slope = (there[high, k] - there[low, k]) / (wanted[high, k] - wanted[low, k])
            assert there[:, k] == pytest.approx(there[low, k] + slope * (wanted[:, k] - wanted[low, k]), abs=0.02)
    assert bowl(*options).returncode == 0 and (bowl.folder / "p.svg").read_bytes() == first


@settings(max_examples=40, deadline=None)
@given(st.floats(-5, 5), st.floats(-5, 5))
def test_level_lines_of_a_plane_are_exact_and_run_from_edge_to_edge(a: float, b: float) -> None:
    xs, ys = [k / 7 for k in range(8)], [k / 5 - 1 for k in range(6)]
    for level, lines in level_lines(lambda x, y: a * x + b * y, xs, ys).items():
        assert len(lines) == 1
        for x, y in lines[0]:
            assert a * x + b * y == pytest.approx(level, abs=1e-9)
        for x, y in (lines[0][0], lines[0][-1]):
            assert min(abs(x), abs(x - 1), abs(y), abs(y + 1)) < 1e-9


def test_level_lines_of_a_bowl_are_closed_ellipses() -> None:
    xs, ys = np.linspace(-4, 4, 81).tolist(), np.linspace(-2, 2, 61).tolist()
    found = level_lines(lambda x, y: x * x + 4 * y * y, xs, ys)
    inside = {level: lines for level, lines in found.items() if level < 16}
    assert inside and len(found) > 4
    for level, (line,) in inside.items():
        assert line[0] == line[-1]
        assert all(hypot(x, 2 * y) == pytest.approx(level**0.5, rel=2e-2) for x, y in line)
        assert all(hypot(x - u, y - v) < 0.2 for (x, y), (u, v) in pairwise(line))


def test_a_saddle_has_two_branches_and_what_has_no_value_no_line() -> None:
    axis = np.linspace(-1, 1, 22).tolist()
    found = level_lines(lambda x, y: x * y, axis, axis)
    assert all(len(lines) == 2 for level, lines in found.items() if level)
    half = level_lines(lambda x, y: x if x > 0 else nan, axis, axis)
    assert half and all(isfinite(x) and x > 0 for lines in half.values() for line in lines for x, _ in line)
    assert level_lines(lambda x, y: 3.0, axis, axis) == {}


COURSE = """```toml worksheet bowl
[minimize]
objective = "x**2 + 10*y**2"
start = { x = 1, y = -1 }
learning_rate = 0.02
steps = 12
```

```toml experiment race
worksheet = "bowl"
seeds = 1
show = ["table", "paths"]

[rows]
slow = { learning_rate = 0.02 }
fast = { learning_rate = 0.09 }

[measure]
value = "loss"
soon = "epochs_to_loss(1)"
```

"""


def test_an_experiment_draws_its_paths(tutor: Tutor) -> None:
    (tutor.folder / "my.md").write_text(HEAD + COURSE)
    found = tutor.json("compare", "my.md/race")["experiment"]["rows"]
    for row, rate in zip(found, (0.02, 0.09), strict=True):
        wanted = descended(rate)
        values = wanted[:, 0] ** 2 + 10 * wanted[:, 1] ** 2
        assert pytest.approx(wanted, rel=1e-12) == np.array([row["path"]["x"], row["path"]["y"]]).T
        assert row["measures"]["value"] == [pytest.approx(values[-1])]
        assert row["measures"]["soon"] == [1 + int(np.argmax(values <= 1))]
    for how in (["--width", 80], ["--narrate"], ["--width", 40]):
        told = " ".join(tutor("run", "my.md", *how).stdout.split())
        x, y = descended(0.09)[6]
        assert f"after 6 steps x = {x:.4g}, y = {y:.4g} with the value" in told
        assert ("⡀" in told) == (how == ["--width", 80])
    assert re.search("accuracy", tutor("run", "my.md").stdout) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "moons", "--draw", "paths"], "this is a network"),
        (["one.toml", "--draw", "paths"], "this function has 1"),
        (["bowl.toml", "--figure", "p.png"], "ending .svg"),
        (["bowl.toml", "--figure", "mine.svg"], "mine"),
    ],
)
def test_what_cannot_be_drawn_is_said_first(bowl: Tutor, words: list[str], said: str) -> None:
    one = BOWL.replace(" + 10*y**2", "").replace(", y = -1", "")
    (bowl.folder / "one.toml").write_text(one)
    (bowl.folder / "mine.svg").write_text("<svg>my own</svg>")
    done = bowl("compare", *words, "--epochs", 1)
    assert done.returncode == 2 and said in done.stderr and not done.stdout
