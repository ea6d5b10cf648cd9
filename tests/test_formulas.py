"""Answers that are formulas: right, wrong, or undecided in time."""

from __future__ import annotations

import time

import pytest

from tutor.formulas.parse import parse
from tutor.homework.marker import LessonMarker, MarkingJob
from tutor.lessons.find import lesson_text, read_lesson, worksheet_of
from tutor.lessons.format import Homework
from tutor.marking.formula_answer import judge
from tutor.marking.key import Program
from tutor.marking.report import CellReport
from tutor.sheets.read import HandedIn

DESK = LessonMarker(MarkingJob(lesson_text("mlp"), "mlp", Homework()))
PROGRAM = Program(worksheet_of(read_lesson("mlp")))


def cell(name: str, answer: str, **others: str) -> CellReport:
    cells = DESK.mark("s", HandedIn({name: answer, **others})).cells
    return next(c for c in cells if c.name == name)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("dE/dW5", "-(desired - out_out)*out_out*(1 - out_out)*h1_out"),
        ("dE/dW5", "(out_out - desired)*dout_out/dout_in*h1_out"),
        ("dE/dW1", "dE/dW5*W5*(1 - h1_out)*X1"),
        ("dh1_out/dh1_in", "exp(-h1_in)/(1 + exp(-h1_in))^2"),
        ("dh1_out/dh1_in", "1/(exp(h1_in) + 2 + exp(-h1_in))"),
        ("h1_out", "1 - 1/(1 + exp(h1_in))"),
        ("E", "(desired² - 2*desired*out_out + out_out²)/2"),
        ("W5_new", "W5 - eta*dE/dW5"),
        ("dout_in/dW5", "h1_out"),
    ],
)
def test_a_right_formula_however_it_is_written(name: str, formula: str) -> None:
    found = cell(name, formula)
    assert found.verdict == "correct" and found.formula == "right"


@pytest.mark.parametrize(
    ("name", "formula", "slip"),
    [
        ("dE/dW5", "(desired - out_out)*out_out*(1 - out_out)*h1_out", "sign-slip"),
        ("dE/dW5", "(out_out - desired)*h1_out", "missing-slope"),
        ("dh1_out/dh1_in", "h2_out*(1 - h2_out)", "other-neuron-slope"),
        ("dE/dout_out", "desired - out_out", "error-sign"),
        ("h1_in", "W1*X1 + W2*X2", "missing-bias"),
        ("W5_new", "W5 + eta*dE/dW5", "ascent"),
    ],
)
def test_a_wrong_formula_names_its_slip(name: str, formula: str, slip: str) -> None:
    found = cell(name, formula)
    assert found.verdict == "wrong" and found.formula == "wrong"
    assert slip in [s.id for s in found.slips]


def test_a_formula_whose_value_is_only_close_is_wrong() -> None:
    """0.8350754 + 1e-4 agrees to two digits, and is another formula."""
    assert cell("dE/dout_out", "out_out - desired + X1/1000").verdict == "wrong"


def test_a_right_formula_with_a_wrong_number_and_the_reverse() -> None:
    wrong_number = cell("dE/dout_out", "out_out - desired = 0.8")
    assert (wrong_number.formula, wrong_number.verdict) == ("right", "coarse")
    wrong_number = cell("dE/dout_out", "out_out - desired = 0.95")
    assert (wrong_number.formula, wrong_number.verdict) == ("right", "wrong")
    assert "formula is right" in wrong_number.slips[0].message
    wrong_formula = cell("dE/dout_out", "desired - out_out = 0.835")
    assert (wrong_formula.formula, wrong_formula.verdict) == ("wrong", "correct")


def test_a_formula_stands_on_the_lines_that_the_student_wrote() -> None:
    found = DESK.mark("s", HandedIn({"out_out": "0.9000", "dE/dout_out": "out_out - desired", "dE/dW5": "0.0545"}))
    verdicts = {c.name: c.verdict for c in found.cells if c.answer}
    # 0.9 is wrong; 0.87 follows, and 0.87·0.9·0.1·0.61775 = 0.04837 would follow from it: 0.0545 does not
    assert verdicts == {"out_out": "wrong", "dE/dout_out": "carried", "dE/dW5": "wrong"}


def test_a_computation_is_judged_like_a_fraction() -> None:
    assert cell("h1_in", "0.5*0.1 + 0.1*0.3 + 0.4").verdict == "correct"
    assert cell("h1_in", "0.5*0.1 + 0.1*0.3").verdict == "wrong"
    assert not cell("h1_in", "0.48*1").formula


@pytest.mark.parametrize("name", ["dE/dW5", "W5_new"])
@pytest.mark.parametrize("formula", ["dE/dW5", "W5_new", "(W5 - W5_new)/eta", "E_after"])
def test_a_line_is_no_answer_to_itself(name: str, formula: str) -> None:
    if name == "W5_new" and formula == "dE/dW5":
        return
    assert cell(name, formula).verdict == "unreadable"


def test_what_sympy_cannot_decide_in_time_is_not_called_wrong() -> None:
    place = PROGRAM.places["out_out"]
    formula = parse("1/(1 + exp(-out_in))", PROGRAM.names)
    assert judge(PROGRAM, place, formula) == "right"
    assert judge(PROGRAM, place, formula, seconds=0.0) == "undecided"
    assert judge(PROGRAM, place, parse("1/(1 + exp(out_in))", PROGRAM.names), seconds=0.0) == "wrong"


@pytest.mark.parametrize(
    "formula",
    [
        "h1_out**1000**1000",
        "9**9**9",
        "exp(exp(exp(h1_out*1000)))",
        "(" * 300 + "1" + ")" * 300,
        "h1_out" + "*h1_out" * 400,
    ],
)
def test_no_formula_hangs(formula: str) -> None:
    start = time.perf_counter()
    assert cell("out_in", formula).verdict in ("unreadable", "wrong")
    assert time.perf_counter() - start < 8
