"""The numeric rule of marking, on sheets worked out by hand and on simulated students."""

from __future__ import annotations

from fractions import Fraction

import pytest
from conftest import ONE_NEURON
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import RandomNetwork, networks

from tutor.homework.marking import mark
from tutor.homework.printed import mark_printed
from tutor.lessons import lesson_files, parse_lesson, read_lesson, worksheet_of
from tutor.views.rounding import fixed
from tutor.worksheet.step import Worksheet


def verdicts(worksheet: Worksheet, answers: dict[str, str]) -> dict[str, str]:
    marks = mark(worksheet, [(worksheet.by_name[name], text) for name, text in answers.items()])
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
        ("dE/dW1", "0.00", "wrong"),  # 0.0093 is 0.01
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
    from tutor.arithmetic.exact import ExactSystem, as_fraction
    from tutor.worksheet.evaluate import value_of

    worksheet = worksheet_of(parse_lesson(network.toml(), "test"))
    own, answers, system = dict(worksheet.givens), {}, ExactSystem(40)
    for step in worksheet.steps:
        answers[step.name] = fixed(as_fraction(value_of(step.formula, own, system)), decimals)
        own[step.name] = Fraction(answers[step.name])
        if network.loss == "binary_cross_entropy" and step.reason == "sigmoid" and own[step.name] in (0, 1):
            return  # a student who writes 1.0000 for a probability cannot go on
    found = verdicts(worksheet, answers)
    assert not {name: (answers[name], v) for name, v in found.items() if v in ("wrong", "unreadable")}
