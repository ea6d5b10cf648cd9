"""The numeric rule of marking, on sheets worked out by hand and on simulated students."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from conftest import ONE_NEURON
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import RandomNetwork, networks

from tutor.lessons.find import lesson_files, read_lesson, worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.marking.answer import Demand
from tutor.marking.printed import mark_printed
from tutor.marking.verdict import Marker
from tutor.views.numbers import fixed
from tutor.worksheet.step import Worksheet


def verdicts(worksheet: Worksheet, answers: dict[str, str]) -> dict[str, str]:
    marks = Marker(worksheet).mark(list(answers.items()))
    return {m.name: m.verdict for m in marks}


PERCEPTRON = worksheet_of(read_lesson("perceptron"))


@pytest.mark.parametrize(
    ("name", "answer", "verdict"),
    [
        ("s", "1.94", "correct"),
        ("s", "1.9", "correct"),  # two significant digits are demanded
        ("s", "2", "coarse"),
        ("s", "1.95", "wrong"),  # the sum ends at the second decimal: nothing was rounded
        ("Predicted", "0.874", "correct"),
        ("Predicted", "0.8744", "correct"),  # 0.87435 rounded: 0.48 units off
        ("Predicted", "0.875", "rounding"),  # one unit off
        ("Predicted", "0.88", "rounding"),
        ("Predicted", "0.9", "coarse"),
        ("Predicted", "0.89", "rounding"),
        ("Predicted", "0.90", "wrong"),
        ("dE/dW1", "0.01", "coarse"),
        ("dE/dW1", "0.0093", "correct"),
        ("dE/dW1", "0.00", "coarse"),  # 0.0093 with the rest left off
        ("dE/dW1", "0.0", "coarse"),
        ("dE/dW1", "-0.0093", "wrong"),
        ("ds/dW1", "0.1", "correct"),
        ("ds/dW1", "1/10", "correct"),
        ("ds/db", "1", "correct"),
        ("ds/db", "1.00", "correct"),
        ("W1_new", "0.4999", "coarse"),  # one digit of the change
        ("W1_new", "0.499907", "correct"),
        ("W1_new", "0.5", "coarse"),
        ("W1_new", "0.500093", "wrong"),
        ("W1_new", "", "missing"),
        ("W1_new", "a half", "unreadable"),
        ("E", "1e-1", "wrong"),
    ],
)
def test_one_answer_alone(name: str, answer: str, verdict: str) -> None:
    assert verdicts(PERCEPTRON, {name: answer}) == {name: verdict}


def test_what_follows_from_an_error_is_carried_and_the_error_is_found_once() -> None:
    """0.5 for the slope instead of 0.10986; then 0.844·0.5·0.1 = 0.0422 and 0.5 - 0.01·0.0422 = 0.499578."""
    answers = {"dE/dPredicted": "0.844", "dPredicted/ds": "0.50", "dE/dW1": "0.0422", "W1_new": "0.499578"}
    found = verdicts(PERCEPTRON, answers)
    assert list(found.values()) == ["correct", "wrong", "carried", "carried"]


def test_a_line_left_blank_is_filled_in_from_the_writers_own_lines() -> None:
    """The gradient is missing; the update follows from the wrong slope above it all the same."""
    found = verdicts(PERCEPTRON, {"dE/dPredicted": "0.844", "dPredicted/ds": "0.50", "W1_new": "0.499578"})
    assert found == {"dE/dPredicted": "correct", "dPredicted/ds": "wrong", "W1_new": "carried"}


def test_a_written_zero_is_right_only_where_zero_is_the_truth() -> None:
    worksheet = worksheet_of(parse_lesson(ONE_NEURON.replace("0.25", "-1").replace("sigmoid", "relu"), "test"))
    assert verdicts(worksheet, {"do_out/do_in": "0", "dE/dW1": "0.0"}) == {
        "do_out/do_in": "correct",
        "dE/dW1": "correct",
    }


CROSS_ENTROPY = ONE_NEURON.replace("half_squared_error", "binary_cross_entropy").replace(
    "targets = [1]", "targets = [0.5]"
)


@pytest.mark.parametrize("written", ["1.00", "0.00", "-3.1", "8.8e-27"])
def test_a_number_that_the_next_line_cannot_use_stops_nothing(written: str) -> None:
    """The logarithm of 0 does not exist; the lines after it are marked against the key."""
    worksheet = worksheet_of(parse_lesson(CROSS_ENTROPY, "x"))
    assert verdicts(worksheet, {"o_out": written, "E": "0.88"}) == {"o_out": "wrong", "E": "correct"}


def test_the_precision_of_a_blank_is_taken_from_other_lines_only() -> None:
    mlp = worksheet_of(read_lesson("mlp"))
    assert verdicts(mlp, {"dout_out/dout_in": "0.2"}) == {"dout_out/dout_in": "wrong"}
    assert verdicts(mlp, {"dE/dW2": "0", "E": "0.9"})["E"] == "wrong"


def test_a_blank_line_may_have_been_rounded_even_if_its_value_is_rational() -> None:
    """0.123456 noted as 0.123: E = ½(1 - 0.123)² = 0.3846, the exact value is 0.38416; 0.12 would lead to 0.3872, but
    nobody goes on with two digits."""
    text = (
        ONE_NEURON.replace("sigmoid", "linear")
        .replace("[[0.5]]", "[[0.123456]]")
        .replace("0.25", "0")
        .replace("inputs = [2]", "inputs = [1]")
    )
    worksheet = worksheet_of(parse_lesson(text, "x"))
    assert verdicts(worksheet, {"dE/do_out": "-0.88", "E": "0.3846"})["E"] == "rounding"
    assert verdicts(worksheet, {"dE/do_out": "-0.88", "E": "0.3872"})["E"] == "wrong"


def test_a_fraction_is_judged_at_the_unit_demanded_of_what_it_is_held_against() -> None:
    worksheet = worksheet_of(parse_lesson(ONE_NEURON.replace("sigmoid", "linear"), "x"))
    answers = {"o_out": "0.99", "dE/do_out": "1/2"}  # the key is 0.25, their own line gives -0.01
    assert verdicts(worksheet, answers)["dE/do_out"] == "wrong"


def test_a_value_that_ends_is_not_a_matter_of_rounding() -> None:
    worksheet = worksheet_of(parse_lesson(ONE_NEURON.replace("sigmoid", "linear"), "x"))
    assert verdicts(worksheet, {"dE/do_out": "0.24"}) == {"dE/do_out": "wrong"}  # 1.25 - 1 is exactly 0.25


def test_own_values_keep_their_digits_where_a_slope_saturates() -> None:
    worksheet = worksheet_of(parse_lesson(ONE_NEURON.replace("[[0.5]]", "[[80]]").replace("0.25", "0"), "x"))
    assert verdicts(worksheet, {"o_in": "160", "do_out/do_in": "3.3e-70"}) == {
        "o_in": "correct",
        "do_out/do_in": "correct",
    }


def test_the_spelling_of_a_printed_name_does_not_matter() -> None:
    lesson = read_lesson("mlp")
    worksheet = worksheet_of(lesson)
    respelled = [
        msgspec.structs.replace(p, name=p.name.replace("dout_out/dout_in", "∂out_out / ∂out_in"))
        for p in lesson.printed
    ]
    expected = [m.verdict for _, m in mark_printed(lesson.printed, worksheet)]
    assert [m.verdict for _, m in mark_printed(respelled, worksheet)] == expected


@pytest.mark.parametrize("lesson", lesson_files())
def test_every_misprint_of_a_lesson_has_a_note(lesson: str) -> None:
    found = read_lesson(lesson)
    for entry, marked in mark_printed(found.printed, worksheet_of(found)):
        assert entry.note or marked.verdict not in ("wrong", "unreadable"), entry.name


def test_appendix_b_has_exactly_five_roots() -> None:
    lesson = read_lesson("mlp")
    wrong = [m.name for _, m in mark_printed(lesson.printed, worksheet_of(lesson)) if m.verdict == "wrong"]
    assert wrong == ["dout_out/dout_in", "dh2_in/dW3", "dh2_in/dW4", "W4_new", "W5_new"]


def written(value: Fraction, significant: int) -> str:
    """A value as a careful student writes it, independent of the program: so many significant digits."""
    return f"{float(value):.{significant - 1}e}"


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(3, 8))
def test_a_student_who_copies_the_exact_values_rounded_is_never_wrong(network: RandomNetwork, digits: int) -> None:
    worksheet = worksheet_of(parse_lesson(network.toml(), "test"))
    answers = {s.name: written(Fraction(str(float(worksheet.values[s.name]))), digits) for s in worksheet.steps}
    found = verdicts(worksheet, answers)
    assert not {name: (answers[name], v) for name, v in found.items() if v in ("wrong", "unreadable")}


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(4, 8))
def test_a_student_who_rounds_every_line_is_never_wrong(network: RandomNetwork, decimals: int) -> None:
    from tutor.formulas.evaluate import value_of
    from tutor.numbers.exact import ExactSystem, as_fraction

    worksheet = worksheet_of(parse_lesson(network.toml(), "test"))
    own, answers, system = dict(worksheet.givens), {}, ExactSystem(40)
    for step in worksheet.steps:
        answers[step.name] = fixed(as_fraction(value_of(step.formula, own, system)), decimals)
        own[step.name] = Fraction(answers[step.name])
        if network.loss == "binary_cross_entropy" and step.which == "sigmoid" and own[step.name] in (0, 1):
            return  # a student who writes 1.0000 for a probability cannot go on
    found = verdicts(worksheet, answers)
    assert not {name: (answers[name], v) for name, v in found.items() if v in ("wrong", "unreadable")}


@pytest.mark.parametrize(
    ("lesson", "answers"),
    [
        # .8744 - .03 = .8444, ·.1098 = .09272, ·.1 = .009272: four digits a line, and updates written out in full
        (
            "perceptron",
            "dE/dW1,0.009272 dE/dW2,0.02781 dE/db,0.09272 W1_new,0.49990728 W2_new,0.1997219 b_new,1.8290728",
        ),
        ("mlp", "dE/db3,0.0977 W1_new,0.50000461"),  # .835·.117 = .0977
        ("mlp", "dE/dW5,0.06019 dE/dW6,0.04924 W5_new,-0.2006019 W6_new,0.2995076"),  # cut off after four digits
    ],
)
def test_honest_gradients_beside_updates_written_in_full(lesson: str, answers: str) -> None:
    """The precision of a writer shows in the change of a weight, not in all its digits."""
    found = verdicts(worksheet_of(read_lesson(lesson)), dict(pair.rsplit(",", 1) for pair in answers.split()))
    assert set(found.values()) <= {"correct", "carried", "rounding"}


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ({"h1_out": "0"}, "coarse"),
        ({"h1_out": "0.6"}, "coarse"),
        ({"h1_out": "0.5"}, "wrong"),
        ({"W2_new": "0.1000000"}, "wrong"),
    ],
)
def test_one_digit_or_no_step_at_all_earns_nothing(answers: dict[str, str], verdict: str) -> None:
    assert verdicts(worksheet_of(read_lesson("mlp")), answers) == dict.fromkeys(answers, verdict)


def test_a_zero_that_follows_from_a_slip_is_carried() -> None:
    """relu(-0.5) = 0 exactly, and everything after it: the writer's own lines lead to 0, whatever the key is."""
    lesson = ONE_NEURON.replace("sigmoid", "relu").replace("[[0.5]]", "[[0.1]]")
    worksheet = worksheet_of(parse_lesson(lesson, "x"))  # key: o_in = 0.45
    found = verdicts(worksheet, {"o_in": "-0.45", "o_out": "0", "do_out/do_in": "0", "dE/dW1": "0"})
    assert list(found.values()) == ["wrong", "carried", "carried", "carried"]


def marked(lesson: str, answers: dict[str, str]) -> dict[str, str]:
    return verdicts(worksheet_of(parse_lesson('format = 1\ntitle = "t"\n' + lesson, "t")), answers)


def test_exact_zeros_of_fractions_that_no_decimal_writes() -> None:
    """1/3 + 1/3 + 1/3 - 1 is exactly 0, so that w is 7 and q = 7/3."""
    lesson = 'givens = { a = "1/3" }\nequations = [{ name = "z", formula = "a + a + a - 1" }, { name = "w", formula = "5 if z < 0 else 7" }, { name = "q", formula = "w*a" }]\n'
    assert marked(lesson, {"w": "7", "q": "2.33", "z": "0"}) == {"z": "correct", "w": "correct", "q": "correct"}
    assert marked(lesson, {"w": "5"}) == {"w": "wrong"}


def test_at_a_step_the_writers_own_branch_is_followed() -> None:
    lesson = 'givens = { x = 0.4, w = 0.4, b = 0.2 }\nequations = [{ name = "s", formula = "x*w - b" }, { name = "y", formula = "1 if s > 0 else 0" }]\n'
    assert marked(lesson, {"s": "0.0", "y": "1"})["y"] == "wrong"  # 0 is not above 0
    assert marked(lesson, {"s": "0.04", "y": "1"}) == {"s": "wrong", "y": "carried"}


def test_a_slope_that_saturates_after_a_slip_keeps_its_digits() -> None:
    """exp(-130) = 3.5e-57: far beyond the digits that the key needs."""
    mlp = worksheet_of(read_lesson("mlp"))
    assert verdicts(mlp, {"h1_in": "130", "dh1_out/dh1_in": "3.5e-57"})["dh1_out/dh1_in"] == "carried"
    assert verdicts(mlp, {"h1_in": "130", "dh1_out/dh1_in": "0"})["dh1_out/dh1_in"] == "coarse"


def test_six_digits_do_not_excuse_a_wrong_last_one() -> None:
    assert verdicts(worksheet_of(read_lesson("mlp")), {"h1_in": "0.480001", "dh1_in/db1": "1.00001"}) == {
        "h1_in": "wrong",
        "dh1_in/db1": "wrong",
    }


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ({"h1_out": "0.6177"}, "correct"),
        ({"h1_out": "0.617"}, "coarse"),
        ({"h1_in": "0.58", "h1_out": "0.6411"}, "carried"),
        ({"h1_in": "0.58", "h1_out": "0.64"}, "coarse"),
    ],
)
def test_digits_that_are_demanded_are_demanded_of_carried_lines_too(answers: dict[str, str], verdict: str) -> None:
    demands = {"h1_out": Demand(significant=4, asked=True)}
    found = {m.name: m.verdict for m in Marker(worksheet_of(read_lesson("mlp")), demands).mark(list(answers.items()))}
    assert found["h1_out"] == verdict
