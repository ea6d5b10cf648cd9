"""What a source prints, marked: formulas by their meaning, doubles by their digits, and no credit without a cause."""

from __future__ import annotations

import pytest

from tests.conftest import Tutor

LOGARITHM = """format = 1
title = "logarithm"
[givens]
t = 1
y = 0.25
[[equations]]
name = "E"
formula = "-t*ln(y)"
[differentiate]
wrt = ["y"]
"""


def verdict(tutor: Tutor, lesson: str, name: str, value: str) -> str:
    path = tutor.folder / "lesson.toml"
    path.write_text(f'{lesson}\n[[printed]]\nname = "{name}"\nvalue = "{value}"\n')
    (row,) = tutor.json("run", path)["printed"]
    assert row["printed"] == value
    found: str = row["verdict"]
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-t/y", "correct"), ("t/y", "wrong"), ("-(t*y)/(y*y)", "correct"), ("-4*t**2", "wrong"),
        ("-t/y = -4.0", "correct"), ("-t/y = -4.3", "wrong"), ("t/y = -4.0", "wrong"), ("-1/0.25", "correct"),
    ],
)  # fmt: skip
def test_a_printed_formula_is_judged_by_its_meaning(tutor: Tutor, value: str, expected: str) -> None:
    assert verdict(tutor, LOGARITHM, "dE/dy", value) == expected


@pytest.mark.parametrize("value", ["one", "-t/q", "dE/dy"])
def test_what_is_neither_a_number_nor_a_formula_is_told(tutor: Tutor, value: str) -> None:
    path = tutor.folder / "lesson.toml"
    path.write_text(f'{LOGARITHM}\n[[printed]]\nname = "dE/dy"\nvalue = "{value}"\n')
    done = tutor("run", path)
    assert done.returncode == 2 and f"{value!r} is neither a number nor a formula" in done.stderr


def test_the_last_digits_of_a_double_are_no_misprint(tutor: Tutor) -> None:
    """tanh 2 is 0.96402758007581688394…; the nearest doubles are 1.1e-16 apart."""
    lesson = 'format = 1\ntitle = "t"\n[givens]\nx = 2\n[[equations]]\nname = "a"\nformula = "tanh(x)"\n'
    assert verdict(tutor, lesson, "a", "0.9640275800758169") == "correct"
    assert verdict(tutor, lesson, "a", "0.9640275800758167") == "correct"
    assert verdict(tutor, lesson, "a", "0.9640275800757169") == "wrong"


SMALL = """format = 1
title = "no root"
chain = "delta"
[network]
inputs = ["x"]
loss = "squared_error"
[[network.layers]]
neurons = ["h"]
activation = "relu"
weights = [[1]]
[[network.layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[1]]
[[examples]]
inputs = [4]
targets = [0]
"""


def test_what_follows_from_nothing_on_the_sheet_is_not_carried(tutor: Tutor) -> None:
    """dE/do_in is 2·0.982·0.982·0.018 = 0.0347; nobody rounds its factors so far that 0.5 comes out."""
    (tutor.folder / "small.toml").write_text(SMALL)
    (tutor.folder / "sheet.csv").write_text("name,answer\ndE/do_in,0.5\ndE/dh_in,1\n")
    (sheet,) = tutor.json("check", "small.toml", "sheet.csv", fails=1)["sheets"]
    assert sheet["root_errors"] == ["dE/do_in"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x[1]", "one update only, so the new value is 'x_new'"), ("x_nw", "did you mean 'x_new'?"),
        ("dE/dx[1]", "there is dE/dx"),
    ],
)  # fmt: skip
def test_a_name_that_is_none_leads_to_the_right_one(tutor: Tutor, name: str, said: str) -> None:
    path = tutor.folder / "lesson.toml"
    path.write_text(
        'format = 1\ntitle = "x"\n[minimize]\nobjective = "x**2"\nstart = { x = 1 }\noptimizer = "sgd"\n'
        f'learning_rate = 0.1\nsteps = 1\n[[printed]]\nname = "{name}"\nvalue = "0.8"\n'
    )
    done = tutor("run", path)
    assert done.returncode == 2 and said in " ".join(done.stderr.split())


def test_gradients_from_above_are_proved(tutor: Tutor) -> None:
    path = tutor.folder / "seed.toml"
    path.write_text(
        'format = 1\ntitle = "s"\n[givens]\nx = 2\n[[equations]]\nname = "h"\nformula = "tanh(x)"\n[[equations]]\n'
        'name = "y"\nformula = "h*x"\n[differentiate]\nseed = { y = 0.3 }\nwrt = ["x", "h"]\n'
    )
    found = tutor.json("prove", path)
    assert found["objective"] == "dE/dy*y"
    assert [g["verdict"] for g in found["gradients"]] == ["agrees", "agrees"]
