"""Any formula, above all one whose parts share parts: a value that Python's own evaluation has too, or a reason."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st
from sympy.core.cache import clear_cache

from tests.conftest import fuzz
from tutor.errors import TutorError
from tutor.formulas.evaluate import value_of
from tutor.formulas.expressions import names, parts, replace, symbol, written_size
from tutor.formulas.parse import MOST_PARTS, parse
from tutor.homework.marker import LessonMarker, MarkingJob
from tutor.lessons.find import lesson_text
from tutor.lessons.format import Homework
from tutor.lessons.read import parse_lesson
from tutor.marking.key import Program
from tutor.numbers.budget import A_SHEET, A_STEP, A_WORKSHEET, AN_ANSWER, Budget, TooMuchComputing
from tutor.numbers.exact import ExactSystem, as_fraction
from tutor.sheets.read import HandedIn
from tutor.views.notation import expression_text
from tutor.worksheet.build import build
from tutor.worksheet.derivation import derive

GIVENS = {"a": "-0.5", "b": "0.7", "c": "2.25"}
DESK = LessonMarker(MarkingJob(lesson_text("mlp"), "mlp", Homework()))
MP = mpmath.MPContext()
MP.dps = 80
TIE = MP.mpf(10) ** -20
_EXACT_DIGITS = 6_100  # a little more than the longest fraction that is kept exact


class Both(NamedTuple):
    """A formula as a student writes it, and for Python."""

    text: str
    python: str


class Tie(Exception):
    """Two sides of a comparison are so near one another that it takes more digits to tell them apart."""


def is_greater(x: Any, y: Any) -> bool:
    if abs(x - y) < TIE:
        raise Tie
    return bool(x > y)


PYTHON = {
    "abs": lambda z: z if is_greater(z, 0) else -z,
    "relu": lambda z: z if is_greater(z, 0) else MP.mpf(0),
    "max": lambda x, y: x if is_greater(x, y) else y,
    "min": lambda x, y: y if is_greater(x, y) else x,
    "exp": MP.exp,
    "log": MP.log,
    "sqrt": MP.sqrt,
    "sin": MP.sin,
    "cos": MP.cos,
    "tanh": MP.tanh,
    "sigmoid": lambda z: 1 / (1 + MP.exp(-z)),
    "is_greater": is_greater,
    "N": MP.mpf,
}


def python_value(formula: Both, **moved: Any) -> Any:
    """The value by Python's own evaluation over mpmath; None where there is none, or a comparison is too close."""
    at = {name: MP.mpf(text) for name, text in GIVENS.items()} | moved
    try:
        found = eval(formula.python, {**PYTHON, **at})
    except (ArithmeticError, ValueError, Tie):
        return None
    except MemoryError:  # Python's parser, of what is nested deeply
        return None
    return found if isinstance(found, MP.mpf) and MP.isfinite(found) and abs(found) < 10**300 else None


LEAVES = st.one_of(
    st.sampled_from([Both(name, name) for name in GIVENS]),
    st.sampled_from(["0", "1", "2", "3", "0.1", "2.5", "1e3", "0.001"]).map(lambda n: Both(n, f"N('{n}')")),
)


def called(function: str, *inside: Both) -> Both:
    return Both(*(f"{function}({', '.join(texts)})" for texts in zip(*inside, strict=True)))


def joined(x: Both, operator: str, y: Both) -> Both:
    return Both(*(f"({left}) {operator} ({right})" for left, right in zip(x, y, strict=True)))


def chosen(x: Both, y: Both, then: Both, otherwise: Both) -> Both:
    text = f"(({then.text}) if ({x.text}) > ({y.text}) else ({otherwise.text}))"
    python = f"(({then.python}) if is_greater({x.python}, {y.python}) else ({otherwise.python}))"
    return Both(text, python)


def raised(x: Both, exponent: int) -> Both:
    return Both(f"({x.text})**{exponent}", f"({x.python})**({exponent})")


def nested(function: str, inner: Both, others: list[Both]) -> Both:
    """The function of the function of …, as deep as there are others: each shares what stands in it. A choice has its
    inside twice, and stops where its text is longer than any formula may be."""
    for other in others:
        if len(inner.text) > 4_000:
            break
        pair = function in ("max", "min")
        inner = (
            chosen(inner, other, inner, other) if function == "if" else called(function, *[inner, other][: 1 + pair])
        )
    return inner


SHARING = ["abs", "relu", "max", "min", "if"]
ONE = [*SHARING[:2], "exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid"]


def larger(inner: st.SearchStrategy[Both]) -> st.SearchStrategy[Both]:
    return st.one_of(
        st.builds(called, st.sampled_from(ONE), inner),
        st.builds(called, st.sampled_from(["max", "min"]), inner, inner),
        st.builds(joined, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds(raised, inner, st.sampled_from([2, 3, -1, -2, 9, 999])),
        st.builds(chosen, inner, inner, inner, inner),
        st.builds(nested, st.sampled_from(SHARING), inner, st.lists(LEAVES, min_size=1, max_size=6)),
    )


SMALL = st.recursive(LEAVES, larger, max_leaves=12)
DEEP = st.builds(nested, st.sampled_from([*SHARING, *ONE]), SMALL, st.lists(LEAVES, max_size=40))
LONG = st.lists(SMALL, min_size=2, max_size=60).flatmap(
    lambda terms: st.sampled_from([" + ", " * ", " - "]).map(
        lambda sign: Both(*(sign.join(f"({t})" for t in texts) for texts in zip(*terms, strict=True)))
    )
)
FORMULAS = st.one_of(SMALL, SMALL, DEEP, LONG)


@fuzz(60)
@given(FORMULAS)
def test_a_formula_has_the_value_that_python_finds_or_a_reason(formula: Both) -> None:
    try:
        expression = parse(formula.text, GIVENS)
    except ValueError as error:
        event(f"refused: {str(error)[:12]}")
        return
    assert written_size(expression) <= MOST_PARTS and {*names(expression)} <= {*GIVENS}
    budget = Budget(AN_ANSWER)
    try:
        found = value_of(expression, {n: Fraction(t) for n, t in GIVENS.items()}, ExactSystem(80, budget))
    except (ZeroDivisionError, ValueError, TooMuchComputing) as error:
        event(type(error).__name__)
        return
    rough = python_value(formula)
    with MP.workdps(_EXACT_DIGITS):
        truth = python_value(formula)
    if truth is None or rough is None:
        event("no value to compare with")
        return
    near = TIE * max(1, abs(truth))
    if abs(rough - truth) > near and not isinstance(found, Fraction):
        event("its terms cancel: one pass with 80 digits is too few")
        return
    event("compared")
    with MP.workdps(_EXACT_DIGITS):
        assert abs(MP.mpf(as_fraction(found).numerator) / as_fraction(found).denominator - truth) <= near


@fuzz(50)
@given(SMALL, SMALL)
def test_replacing_a_name_is_working_with_what_it_stands_for(formula: Both, inner: Both) -> None:
    clear_cache()  # it may give back an equal part of an earlier formula, with parts of its own
    try:
        outer, inside = parse(formula.text, GIVENS), parse(inner.text, ["b", "c"])
    except ValueError:
        return
    values = {n: Fraction(t) for n, t in GIVENS.items()}
    whole = replace(outer, {symbol("a"): inside})
    assert len([*parts(whole)]) <= len([*parts(outer)]) + len([*parts(inside)])  # nothing is written out on the way
    try:
        within = value_of(inside, values, ExactSystem(80, Budget(AN_ANSWER)))
        found = value_of(whole, values, ExactSystem(80, Budget(AN_ANSWER)))
        apart = value_of(outer, values | {"a": within}, ExactSystem(80, Budget(AN_ANSWER)))
    except (ZeroDivisionError, ValueError, TooMuchComputing):
        return
    assert abs(as_fraction(found) - as_fraction(apart)) <= abs(as_fraction(apart)) * Fraction(10) ** -40


@fuzz(12)
@given(st.lists(FORMULAS, min_size=1, max_size=4), st.booleans())
@example([Both("((2)**999)**2", "((N('2'))**999)**2")], True)
def test_formulas_as_answers_get_a_verdict(formulas: list[Both], with_number: bool) -> None:
    """On a sheet whose names are those of the lesson; each cell is marked or says why not, and no sheet breaks."""
    own = {"a": "W1", "b": "X1", "c": "b1"}
    answers = {}
    for name, formula in zip(("h1_in", "out_in", "E", "dE/dW5"), formulas, strict=False):
        text = formula.text
        for letter, given_name in own.items():
            text = text.replace(f"{letter})", f"{given_name})") if len(text) > 1 else text.replace(letter, given_name)
        answers[name] = text[:2_000] + (" = 0.5" if with_number else "")
    cells = {cell.name: cell for cell in DESK.mark("s", HandedIn(answers)).cells}
    for name in answers:
        assert cells[name].verdict != "missing"
        assert cells[name].verdict != "unreadable" or cells[name].reason


@pytest.mark.parametrize("first", ["W1", "exp(W1)**999", "1/(W1-W1)", "log(W1-W1)"])
def test_an_answer_after_which_a_blank_line_has_no_value_is_marked(first: str) -> None:
    answers = {"h1_in": first, "out_in": "exp(W1)**999", "E": first, "dE/dW5": "exp(W1)**999"}
    cells = {cell.name: cell.verdict for cell in DESK.mark("s", HandedIn(answers)).cells}
    assert {cells[name] for name in answers} <= {"wrong", "unreadable"}


LESSON = """format = 1
title = "t"
[givens]
a = -0.5
b = 0.7
c = 2.25
[[equations]]
name = "y"
formula = "{formula}"
[differentiate]
of = "y"
wrt = ["a"]
"""


@fuzz(10)
@given(FORMULAS)
@example(Both("(exp(1e3)) - (a) - (exp(1e3))", "(exp(N('1e3'))) - (a) - (exp(N('1e3')))"))
def test_formulas_as_equations_are_worked_and_differentiated_or_refused(formula: Both) -> None:
    text, python = f"a*({formula.text})", f"a*({formula.python})"
    try:
        worksheet = build(parse_lesson(LESSON.format(formula=text), "fuzz"))
        values = worksheet.values
    except (TutorError, ValueError) as error:
        event(f"refused: {str(error)[:20]}")
        return
    Program(worksheet)  # its formulas compile
    slope = worksheet.by_name.get("dy/da")
    if slope is None:
        return
    for line in derive(worksheet.by_name["y"], "a", slope.formula):
        assert expression_text(line.expression)
    with MP.workdps(_EXACT_DIGITS):  # exp(1e3) - a - exp(1e3) needs 434 digits before the first that a moves
        step, at = MP.mpf(10) ** -25, MP.mpf(GIVENS["a"])
        above, below = (python_value(Both(text, python), a=at + shift) for shift in (step, -step))
    found = MP.mpf(as_fraction(values["dy/da"]).numerator) / as_fraction(values["dy/da"]).denominator
    if above is None or below is None or abs(found) > 10**9 or abs(above) > 10**9:
        event("no slope to compare with")
        return
    event("compared")
    with MP.workdps(_EXACT_DIGITS):
        assert abs((above - below) / (2 * step) - found) <= MP.mpf(10) ** -12 * max(1, abs(found))


@pytest.mark.parametrize("function", ["abs", "relu", "max", "min"])
def test_nested_so_deep_that_nobody_could_write_it_out(function: str) -> None:
    deep = nested(function, Both("a", "a"), [Both("1", "1")] * 38)
    with pytest.raises(ValueError, match="parts when it is written out; it may have 10,000"):
        parse(deep.text, GIVENS)


def test_the_budgets_are_counted_and_the_same_everywhere() -> None:
    assert (A_WORKSHEET, A_STEP, A_SHEET, AN_ANSWER) == (1_000_000_000, 20_000, 500_000_000, 50_000_000)
    expression = parse("exp(a) + b*c", GIVENS)
    spent = []
    for _ in range(2):
        budget = Budget(AN_ANSWER)
        value_of(expression, {n: Fraction(t) for n, t in GIVENS.items()}, ExactSystem(50, budget))
        spent.append(AN_ANSWER - budget.left)
    assert spent[0] == spent[1] > 0
    with pytest.raises(TooMuchComputing):
        value_of(expression, {n: Fraction(t) for n, t in GIVENS.items()}, ExactSystem(50, Budget(spent[0] - 1)))


def test_a_sheet_of_costly_formulas_is_told_which_and_the_others_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a sheet may take is spent line by line; the lines after that say so, and numbers are marked all the same."""
    lines = [c.name for c in DESK.mark("s", HandedIn({"h1_in": "0.48"})).cells]
    costly = "+".join(f"exp(W1/{k})" for k in range(3, 90))
    answers = dict.fromkeys(lines[1:-1], costly) | {lines[0]: "0.48", lines[-1]: "1"}
    assert not [c for c in DESK.mark("s", HandedIn(answers)).cells if c.verdict == "unreadable"]
    monkeypatch.setattr("tutor.marking.formula_answer.A_SHEET", 2_000_000)
    first, *middle, last = DESK.mark("s", HandedIn(answers)).cells
    assert first.verdict == "correct" and last.verdict == "wrong"
    refused = [c for c in middle if c.verdict == "unreadable"]
    assert 0 < len(refused) < len(middle) and middle[-len(refused) :] == refused
    assert all("more computing than" in c.reason for c in refused)


def test_what_is_rational_loses_nothing_where_large_terms_cancel() -> None:
    expression = parse("2**999 + (a - 2**999)", GIVENS)
    assert value_of(expression, {"a": Fraction(-1, 2)}, ExactSystem(80, Budget(AN_ANSWER))) == Fraction(-1, 2)
