"""What the contract names as a number, from outside: what a person types and reads, on values worked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ONE_NEURON, Tutor
from mpmath import exp, mpf, workdps

from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.numbers.exact import as_fraction

FREE = """format = 1
title = "free"
[givens]
x = {x}
z = 3
[[equations]]
name = "q"
formula = "{formula}"
"""


def verdict(tutor: Tutor, x: str, answer: str, formula: str = "z*x", *options: object) -> str:
    """Of this answer to z·x where z = 3, or to another formula of them."""
    (tutor.folder / "l.toml").write_text(FREE.format(x=x, formula=formula))
    (tutor.folder / "s.csv").write_text(f"name,answer\nq,{answer}\n")
    done = tutor("check", "l.toml", "s.csv", "--json", *options)
    (cell,) = json.loads(done.stdout)["sheets"][0]["cells"]
    assert (done.returncode == 0) == (cell["verdict"] in ("correct", "carried", "rounding"))
    return str(cell["verdict"])


@pytest.mark.parametrize(
    ("x", "answer", "right"),
    [
        ("0.04165", "0.12", True),  # 0.12495: 0.495 units
        ("0.041666", "0.13", True),  # 0.124998: 0.5002 units, within the little more than a half
        ("0.041695", "0.12", True),  # 0.125085: 0.5085 units
        ("0.041705", "0.12", False),  # 0.125115: 0.5115 units
        ("0.04164", "0.13", True),  # 0.12492: 0.508 units
        ("0.04162", "0.13", False),  # 0.12486: 0.514 units
    ],
)
def test_right_is_within_0_51_units_of_the_last_digit(tutor: Tutor, x: str, answer: str, right: bool) -> None:
    assert (verdict(tutor, x, answer) == "correct") == right


@pytest.mark.parametrize("answer", ["0.374", "0.375", "0.376", "0.37", "0.38"])
def test_both_ways_to_round_a_tie_are_right(tutor: Tutor, answer: str) -> None:
    """3·0.125 = 0.375 exactly."""
    assert (verdict(tutor, "0.125", answer) == "correct") == (answer in ("0.375", "0.37", "0.38"))


@pytest.mark.parametrize(
    ("x", "answer", "expected"),
    [
        ("0.04002", "0.14", "rounding"),  # 0.12006: 1.994 units
        ("0.03998", "0.14", "wrong"),  # 0.11994: 2.006 units
        ("0.05331", "0.14", "rounding"),  # 0.15993: 1.993 units
        ("0.05335", "0.14", "wrong"),  # 0.16005: 2.005 units
    ],
)
def test_what_was_rounded_on_the_way_is_within_2_units(tutor: Tutor, x: str, answer: str, expected: str) -> None:
    assert verdict(tutor, x, answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"), [("0.4", "coarse"), ("0.37", "correct"), ("0.370", "correct"), ("4e-1", "coarse")]
)
def test_two_significant_digits_are_demanded(tutor: Tutor, answer: str, expected: str) -> None:
    """3·0.12341 = 0.37023."""
    assert verdict(tutor, "0.12341", answer) == expected
    assert verdict(tutor, "0.12341", answer, "z*x", "--significant", 1) == "correct"


def test_an_updated_weight_is_judged_by_its_change(tutor: Tutor) -> None:
    """0.2 - 0.5·0.00024 = 0.19988: 0.1999 has one digit of 0.00012, 0.19988 has two."""
    minimize = (
        'format = 1\ntitle = "t"\n[minimize]\nobjective = "0.00024*w"\nstart = { w = 0.2 }\nlearning_rate = 0.5\n'
    )
    (tutor.folder / "l.toml").write_text(minimize)
    for answer, expected in (("0.1999", "coarse"), ("0.19988", "correct"), ("0.20012", "wrong")):
        (tutor.folder / "s.csv").write_text(f"name,answer\nw_new,{answer}\n")
        done = tutor("check", "l.toml", "s.csv", "--ask", "w_new", "--json")
        assert json.loads(done.stdout)["sheets"][0]["cells"][0]["verdict"] == expected, answer


@pytest.mark.parametrize(
    ("x", "options", "shown"),
    [
        ("0.6875", [], "2.062"),  # 2.0625, a tie: to the even digit below
        ("0.6879", [], "2.064"),  # 2.0637
        ("0.6878333333", [], "2.063"),  # 2.0634999999
        ("0.6885", ["--digits", 2], "2.07"),  # 2.0655
        ("0.685", ["--digits", 2], "2.06"),  # 2.055, a tie: to the even digit above
        ("4.11522", [], "12.346"),
        ("0.0004115", [], "0.00123"),  # 0.0012345: three significant digits
        ("0.0004115", ["--digits", 4], "0.00123"),
        ("0.0004115", ["--digits", 5], "0.00123"),
        ("0.0004115", ["--digits", 6], "0.001234"),  # a tie
        ("0.00041155", ["--digits", 6], "0.001235"),  # 0.00123465
        ("0.1", [], "0.3"),  # an exact value has no padding
        ("0.00000004", [], "0.00000012"),
        ("0.00000003", [], "9.00e-08"),
        ("333333333333333.3", [], "999999999999999.9"),
        ("333333333333333.4", [], "1.00e+15"),
    ],
)
def test_three_decimals_and_three_significant_digits_are_shown_half_to_even(
    tutor: Tutor, x: str, options: list[object], shown: str
) -> None:
    (tutor.folder / "l.toml").write_text(FREE.format(x=x, formula="z*x"))
    told = " ".join(tutor("run", "l.toml", "--narrate", *options).stdout.split())
    assert f"which is {shown}. Next" in told, told


def test_a_program_gets_30_digits(tutor: Tutor) -> None:
    (tutor.folder / "l.toml").write_text(FREE.format(x="7", formula="sqrt(x)"))
    assert tutor.json("run", "l.toml")["steps"][0]["value"] == "2.64575131106459059050161575364"


@pytest.mark.parametrize("lost", [0, 10, 14, 15, 16, 17, 18, 19, 20, 40, 60])
def test_a_worksheet_has_34_right_digits_where_so_many_are_lost(lost: int) -> None:
    """In the difference of 1 and a number near it."""
    text = FREE.format(x="0.7", formula=f"exp(x*1e-{lost}) - 1")
    value = as_fraction(worksheet_of(parse_lesson(text, "t")).values["q"])
    with workdps(120):
        true = exp(mpf(7) / 10 * mpf(10) ** -lost) - 1
        assert abs(mpf(value.numerator) / value.denominator / true - 1) < mpf(10) ** -34


@pytest.mark.parametrize("form", ["straight-line", "matrix"])
@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
def test_the_loss_of_what_is_wrong_with_certainty_is_told(tutor: Tutor, form: str, arithmetic: str) -> None:
    """The same example belongs to one class and to the other: after huge steps some are wrong with certainty, and each
    costs the weighted sum itself, which no probability in double precision tells any more."""
    (tutor.folder / "d.csv").write_text("a,class\n1,p\n1,q\n1,p\n1,q\n")
    words = ["--data", "d.csv", "--hidden", 0, "--loss", "binary_cross_entropy", "--optimizer", "sgd", "--epochs", 2]
    words += ["--learning-rate", "1e9", "--batch-size", 1, "--arithmetic", arithmetic]
    trained = tutor.json("train", *words, *(["--dropconnect", "1e-9"] if form == "matrix" else []), fails=1)
    assert trained["network"]["form"] == form and trained["ended"].startswith("diverged: the loss grew")
    steps = 4 * trained["loss"] / 1e9  # each update moves the sum by a whole number of times the rate, nearly
    assert steps > 0.9 and steps == pytest.approx(round(steps), rel=1e-3)


def test_on_paper_no_probability_is_changed(tutor: Tutor) -> None:
    """-ln(1 - σ(1000.25)) = 1000.25."""
    saturated = ONE_NEURON.replace("half_squared_error", "binary_cross_entropy").replace("[[0.5]]", "[[500]]")
    (tutor.folder / "l.toml").write_text(saturated.replace("targets = [1]", "targets = [0]"))
    steps = {step["name"]: step["value"] for step in tutor.json("run", "l.toml")["steps"]}
    assert float(steps["E"]) == pytest.approx(1000.25, rel=1e-15)


@pytest.mark.parametrize(("hidden", "single"), [(12_499, False), (12_500, True)])
def test_fast_training_is_in_single_precision_from_50_000_parameters(tutor: Tutor, hidden: int, single: bool) -> None:
    """2-h-1 with biases has 4h + 1: 49,997 and 50,001."""
    words = ("train", "--data", "xor", "--hidden", hidden, "--epochs", 1, "--arithmetic", "fast", "--init", "zeros")
    said = tutor(*words, "--narrate").stdout
    assert ("single precision" in said) == single, said


@pytest.mark.parametrize(("length", "read"), [(2_000, True), (2_001, False)])
def test_a_formula_may_have_2_000_characters(tutor: Tutor, length: int, read: bool) -> None:
    formula = "x" + " " * (length - 1_999) + "+0" * 999
    assert len(formula) == length
    assert verdict(tutor, "0.5", formula, "x") == ("correct" if read else "unreadable")
    (tutor.folder / "l.toml").write_text(FREE.format(x="0.5", formula=formula))
    assert tutor("run", "l.toml").returncode == (0 if read else 2)


@pytest.mark.parametrize(("last", "read"), [(2_499, True), (2_600, False)])
def test_a_formula_may_have_10_000_parts(tutor: Tutor, last: int, read: bool) -> None:
    """A sum written out, of which each term is x·n: a name, a number, two operations."""
    formula = f"sum(x*n for n in 1..{last})"
    (tutor.folder / "l.toml").write_text(FREE.format(x="1", formula=formula))
    done = tutor("run", "l.toml", "--json")
    assert (done.returncode == 0) == read and ("10,000 parts" in done.stderr) != read, done.stderr


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


LIMITS = [
    ("l.toml", 1_000_000, ("run", "l.toml"), "more than 1,000,000 bytes"),
    (
        "r.csv",
        5_000_000,
        ("vary", "mlp", "--roster", "r.csv", "--secret", "s", "--out", "o"),
        "more than 5,000,000 bytes",
    ),
    ("d.csv", 1_000_000_000, ("train", "--data", "d.csv"), "more than 1000 MB"),
]


@pytest.mark.parametrize(("name", "most", "words", "said"), LIMITS, ids=[limit[0] for limit in LIMITS])
def test_how_large_a_file_may_be(tutor: Tutor, name: str, most: int, words: tuple[str, ...], said: str) -> None:
    """Holes of a file take no room on the disk, and one of too many bytes is not read."""
    if most < 10_000_000:
        (tutor.folder / name).write_bytes(b"#" + b" " * (most - 1))
        assert said not in tutor(*words).stderr
    sparse(tutor.folder / name, most + 1)
    done = tutor(*words)
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_tables_become_lists_below_60_columns_and_a_file_has_80(tutor: Tutor) -> None:
    for width, tables in ((59, False), (60, True), (80, True)):
        shown = tutor("run", "perceptron/perceptron", "--width", width).stdout
        assert ("╭" in shown) == tables, width
    assert tutor("run", "perceptron").stdout == tutor("run", "perceptron", "--width", 80).stdout


def test_exit_codes(tutor: Tutor) -> None:
    """Of those that take a signal or a fault, other files tell."""
    (tutor.folder / "right.csv").write_text("name,answer\nh1_in,0.48\n")
    (tutor.folder / "wrong.csv").write_text("name,answer\nh1_in,0.93\n")
    (tutor.folder / "empty").mkdir()
    diverging = (
        "train",
        "--data",
        "sine",
        "--hidden",
        "0",
        "--optimizer",
        "sgd",
        "--learning-rate",
        3,
        "--epochs",
        900,
    )
    for code, words in (
        (0, ("check", "mlp", "right.csv", "--ask", "h1_in")),
        (1, ("check", "mlp", "wrong.csv", "--ask", "h1_in")),
        (1, diverging),
        (2, ("check", "mlp", "nothing.csv")),
        (2, ("rnu",)),
        (3, ("check", "mlp", "empty")),
    ):
        assert tutor(*words).returncode == code, words
