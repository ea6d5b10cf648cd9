"""Whether the digits that a homework demands can tell right from wrong: what `lint` and `sheet` say of them."""

from __future__ import annotations

import csv
from io import StringIO
from math import exp

import pytest
from conftest import Tutor

DELTA, SLOPE, X1, W5, W5_NEW = 0.09746997285797811, 0.23613543798732525, 0.1, -0.2, -0.20060211868586833
"""Of the lecture's second example: dE/dout_in, σ'(h1_in), an input, a weight before its update and after it."""
RIGHT, SLIPPED = DELTA * W5 * SLOPE * X1, DELTA * W5_NEW * SLOPE * X1
LINE = "dE/dW1"


def sheet_with(tutor: Tutor, decimals: int, number: float) -> int:
    """The exit code of `check` for the key with this number in the line."""
    demanded = ("--decimals", decimals)
    rows = list(csv.DictReader(StringIO(tutor("key", "mlp", *demanded).stdout)))
    answers = {row["name"]: row["answer"] for row in rows} | {LINE: f"{number:.{decimals}f}"}
    with (tutor.folder / "s.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("name", "answer"), *answers.items()])
    return tutor("check", "mlp", "s.csv", *demanded).returncode


def test_a_line_that_shows_too_little_is_named_with_the_digits_that_would_show_it(tutor: Tutor) -> None:
    power = {line["name"]: line for line in tutor.json("lint", "mlp", "--decimals", "4")["power"]}
    weak = power[LINE]
    assert weak["value"] == f"{RIGHT:.4f}" and weak["digits"] == "4 decimals" and weak["ask_for"] == "7 decimals"
    moved = {slip["slip"]: slip["moved"] for slip in weak["slips"] if slip["line"] == LINE}
    assert moved["updated-weight"] == pytest.approx(abs(SLIPPED - RIGHT) / 1e-4, abs=0.006)
    assert [sheet_with(tutor, decimals, SLIPPED) for decimals in (4, 7)] == [0, 1]
    assert [sheet_with(tutor, decimals, RIGHT) for decimals in (4, 7)] == [0, 0]


def test_digits_that_tell_everything_and_digits_nobody_demanded_are_passed_over(tutor: Tutor) -> None:
    for options in ([], ["--decimals", "12"]):
        done = tutor("lint", "mlp", *options)
        assert done.returncode == 0 and "worth a thought" not in done.stdout
        assert "may pass for rounding" not in tutor("sheet", "mlp", *options).stderr


def test_the_sheet_says_it_beside_itself_to_whoever_hands_it_out(tutor: Tutor) -> None:
    done = tutor("sheet", "mlp", "--decimals", "4")
    assert LINE in done.stderr and "may pass for rounding" in done.stderr
    assert "rounding" not in done.stdout
    said = tutor("lint", "mlp", "--decimals", "4")
    assert said.returncode == 0, "whether it matters is the teacher's to decide"
    assert f"{LINE} is {RIGHT:.4f} to 4 decimals" in " ".join(said.stdout.split())


def test_where_only_the_end_is_asked_the_line_between_is_a_remedy(tutor: Tutor) -> None:
    """σ without the minus before its exponent in the second hidden neuron."""
    h1, h2 = 0.617747874769249, 1 / (1 + exp(0.022))
    out_in = W5 * h1 + 0.3 * h2 + 1.83
    error = (0.03 - 1 / (1 + exp(-out_in))) ** 2 / 2
    (weak,) = tutor.json("lint", "mlp", "--decimals", "4", "--ask", "E")["power"]
    assert ("exp-sign", "h2_out") in {(slip["slip"], slip["line"]) for slip in weak["slips"]}
    assert (weak["name"], weak["ask_for"], weak["ask_also"]) == ("E", "5 decimals", "out_in")
    for asked, decimals, code in ((["E"], 4, 0), (["E"], 5, 1), (["out_in", "E"], 4, 1)):
        numbers = {"out_in": out_in, "E": error}
        rows = [("name", "answer"), *((name, f"{numbers[name]:.{decimals}f}") for name in asked)]
        with (tutor.folder / "e.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        options = [option for name in asked for option in ("--ask", name)]
        assert tutor("check", "mlp", "e.csv", "--decimals", decimals, *options).returncode == code
