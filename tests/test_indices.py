"""Indices of free equations: numbers, arithmetic, several of them, sums and means; and what is said of wrong ones."""

from __future__ import annotations

import json
from fractions import Fraction
from math import log10

import pytest
from conftest import Tutor

from tutor.errors import TutorError
from tutor.formulas.parse import parse
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.views.notation import expression_text
from tutor.worksheet.step import Worksheet


def lesson(equations: str, givens: str = "", more: str = "") -> Worksheet:
    return worksheet_of(parse_lesson(f'format = 1\ntitle = "t"\n{more}\n[givens]\n{givens}\n{equations}', "x"))


def equation(name: str, formula: str, over: str = "") -> str:
    loop = f"for = {over}\n" if over else ""
    return f'[[equations]]\n{loop}name = "{name}"\nformula = "{formula}"\n'


def shown(worksheet: Worksheet, name: str) -> str:
    return expression_text(worksheet.by_name[name].formula)


def test_the_index_is_a_number_and_is_shown_as_one() -> None:
    found = lesson(equation("w[t]", "w[t-1]*(1 - b**t)", '{ t = "1..2" }'), 'b = 0.9\n"w[0]" = 1')
    assert shown(found, "w[2]") == shown(lesson(equation("y", "w1*(1 - b**2)"), "b = 0.9\nw1 = 1"), "y").replace(
        "w1", "w[1]"
    )
    assert found.values["w[2]"] == (1 - Fraction("0.9")) * (1 - Fraction("0.81"))


def test_the_same_equations_over_other_givens_or_in_another_order_of_the_indices() -> None:
    """Formulas that were read before are not read again: what comes out must not depend on that."""
    first, second = '{ i = "1..2", j = "1..3" }', '{ j = "1..3", i = "1..2" }'
    rows, columns, more = (
        lesson(equation("y[i,j]", "a*(i + 10*j)", over), given)
        for over, given in ((first, "a = 2"), (second, "a = 2"), (first, "a = 3\nb = 1"))
    )
    assert [step.name for step in rows.steps] == [f"y[{i},{j}]" for i in (1, 2) for j in (1, 2, 3)]
    assert [step.name for step in columns.steps] == [f"y[{i},{j}]" for j in (1, 2, 3) for i in (1, 2)]
    for found, a in ((rows, 2), (columns, 2), (more, 3)):
        assert found.values["y[2,3]"] == a * 32


def test_a_moving_average_with_bias_correction_for_every_gradient() -> None:
    """m_hat of Adam: the sum of (1 - b)·b^(t - k)·g[k] over 1 - b^t, worked out here step by step."""
    gradients = [Fraction("0.5"), Fraction(-2), Fraction("1.25")]
    given_ones = "\n".join(f'"g[{k}]" = {float(g)}' for k, g in enumerate(gradients, 1))
    formula = "(1 - b)*sum(b**(t-k)*g[k] for k in 1..t)/(1 - b**t)"
    found = lesson(equation("m_hat[t]", formula, '{ t = "1..3" }'), f"b = 0.9\n{given_ones}")
    b, m = Fraction("0.9"), Fraction(0)
    for t, g in enumerate(gradients, 1):
        m = b * m + (1 - b) * g
        assert found.values[f"m_hat[{t}]"] == m / (1 - b**t)


def test_a_matrix_times_a_vector_and_what_is_reversed() -> None:
    """y = W x, read backwards; z has the triangle below the diagonal."""
    givens = "\n".join(f'"W[{i},{j}]" = {3 * i - j}' for i in (1, 2, 3) for j in (1, 2))
    givens += '\n"x[1]" = 0.5\n"x[2]" = -2'
    found = lesson(
        equation("y[i]", "sum(W[i,j]*x[j] for j in 1..2)", '{ i = "1..3" }')
        + equation("back[i]", "y[4-i]", '{ i = "1..3" }')
        + equation("z[i,j]", "y[i]*y[j] if i != j else y[i]", '{ i = "1..3", j = "1..i" }')
        + equation("m", "mean(z[i,j] for i in 1..3 for j in 1..i)")
        + equation("rest[i]", "sum(y[j] for j in 1..3 if j != i)", '{ i = "1..3" }'),
        givens,
    )
    y = {i: Fraction(3 * i - 1, 2) - 2 * (3 * i - 2) for i in (1, 2, 3)}
    z = {(i, j): y[i] * y[j] if i != j else y[i] for i in (1, 2, 3) for j in range(1, i + 1)}
    for i in (1, 2, 3):
        assert found.values[f"y[{i}]"] == y[i] and found.values[f"back[{i}]"] == y[4 - i]
        assert found.values[f"rest[{i}]"] == sum(y.values()) - y[i]
    assert {name for name in found.by_name if name.startswith("z")} == {f"z[{i},{j}]" for i, j in z}
    assert found.values["m"] == sum(z.values()) / 6


def test_sums_are_shown_written_out_without_parentheses() -> None:
    found = lesson(equation("y", "b + sum(sum(x[i]*w[j] for j in 1..i) for i in 1..2)"), WEIGHTED)
    written = lesson(equation("y", "b + x[1]*w[1] + x[2]*w[1] + x[2]*w[2]"), WEIGHTED)
    assert shown(found, "y") == shown(written, "y")
    assert shown(lesson(equation("y", "mean(x[i] for i in 1..2)"), WEIGHTED), "y") == shown(
        lesson(equation("y", "(x[1] + x[2])/2"), WEIGHTED), "y"
    )


WEIGHTED = 'b = 0.5\n"x[1]" = 2\n"x[2]" = 3\n"w[1]" = 4\n"w[2]" = -5'


def test_the_empty_sum_and_a_case_that_is_not_chosen() -> None:
    found = lesson(
        equation("y[t]", "(y[t-1] if t > 1 else 0) + sum(x[k] for k in 1..t-1) + t", '{ t = "1..2" }'), WEIGHTED
    )
    assert [found.values[f"y[{t}]"] for t in (1, 2)] == [1, 1 + 2 + 2]


def test_the_common_logarithm() -> None:
    found = lesson(equation("y", "log10(x)") + equation("z", "log10(100*x) - log10(x)"), "x = 7")
    assert abs(float(found.values["y"]) - log10(7)) < 1e-15
    assert abs(float(found.values["z"] - 2)) < 1e-30


def test_gradients_go_through_sums() -> None:
    """E = mean of (w·x[i] - t[i])²: dE/dw is the mean of 2(w·x[i] - t[i])·x[i]."""
    givens = 'w = 0.5\n"x[1]" = 1\n"x[2]" = -2\n"x[3]" = 4\n"t[1]" = 3\n"t[2]" = 0\n"t[3]" = 1'
    end = '\n[differentiate]\nof = "E"\nwrt = ["w", "x[2]"]'
    found = lesson(equation("E", "mean((w*x[i] - t[i])**2 for i in 1..3)") + end, givens)
    w, pairs = Fraction(1, 2), [(1, 3), (-2, 0), (4, 1)]
    assert found.values["dE/dw"] == sum(2 * (w * x - t) * x for x, t in pairs) / 3
    assert found.values["dE/dx[2]"] == 2 * (w * -2 - 0) * w / 3


WRONG = {
    "an index that nothing has": ("x[3]", r"unknown name 'x\[3\]'; there are x\[1\] and x\[2\]"),
    "an index too many": ("x[1,2]", r"unknown name 'x\[1,2\]'; there are x\[1\]"),
    "an index too few": ("x", r"unknown name 'x'; there are x\[1\]"),
    "an index of what has none": ("b[1]", r"unknown name .b\[1\]. — there is b"),
    "no whole number": ("x[3/2]", r"\[3/2\] is 3/2; an index is a whole number"),
    "below zero": ("x[1-2]", r"\[1-2\] is -1; an index is a whole number from 0"),
    "a quantity for an index": ("x[b]", r"\[b\] is not an index; write whole numbers"),
    "a slice": ("x[1:2]", "is not an index"),
    "an index of an index": ("x[1][2]", "does not belong in a formula"),
    "division by zero": ("x[1/(1-1)]", "divides by zero"),
    "a sum without a range": ("sum(x[1], x[2])", r"sum goes over a range, as in sum\(x\[k\] for k in 1..3\)"),
    "a sum of one name": ("mean(x)", "mean goes over a range"),
    "a range of Python": ("sum(x[k] for k in range(2))", r"a range is written as in k = 1..3, not 'range\(2\)'"),
    "a range to a quantity": ("sum(b for k in 1..b)", "from one whole number to another.*'1..b'"),
    "a range downwards": ("sum(b for k in 3..1)", "'3..1' counts down from 3 to 1"),
    "a range to a half": ("sum(b for k in 1..5/2)", "from one whole number to another"),
    "the mean of nothing": ("mean(b for k in 1..0)", "a mean over a range without any number"),
    "the name of a given": ("sum(b for b in 1..2)", "the index 'b' of a sum has the name of something else"),
    "the name of a family": ("sum(b for x in 1..2)", "the index 'x' of a sum has the name of something else"),
    "two at once": ("sum(b for i, j in 1..2)", "one index after another"),
    "no comparison": ("sum(b for k in 1..2 if b > 1)", "compares indices"),
    "too long": ("sum(b for k in 1..100000)", "more than 10,000 parts"),
    "too long together": ("sum(b for i in 1..9999 for j in 1..9999 for k in 1..0)", "more than 10,000 parts"),
    "a range alone": ("1..3", "does not belong in a formula"),
    "what stands for a range": ("sum(b for k in 1|3)", "the character '|' does not belong"),
    "the largest of a range": ("max(x[k] for k in 1..2)", "max takes 2 values"),
    "numbers too large": ("sum(b for k in 99999*99999*99999..1)", "arithmetic of indices goes up to"),
}


@pytest.mark.parametrize(("formula", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_index_is_told_with_what_there_is(formula: str, message: str) -> None:
    with pytest.raises(TutorError, match=message):
        lesson(equation("y", formula), WEIGHTED)


WRONG_LOOPS = {
    "downwards": (("y[t]", "b", '{ t = "3..1" }'), "'3..1' counts down"),
    "no range": (("y[t]", "b", '{ t = "1-3" }'), "a range is written as in t = 1..3, not '1-3'"),
    "to a quantity": (("y[t]", "b", '{ t = "1..b" }'), "from one whole number to another"),
    "of nothing": (("y[t]", "b", '{ t = "1..0" }'), "over no value at all"),
    "no name": (("y[t]", "b", '{ "t 1" = "1..3" }'), "'t 1' cannot be an index"),
    "the name of a given": (("y[b]", "1", '{ b = "1..3" }'), "the index 'b' has the name of a quantity"),
    "the name of a family": (("y[x]", "1", '{ x = "1..3" }'), "the index 'x' has the name of a quantity"),
    "not in the name": (("y", "b*t", '{ t = "1..3" }'), r"write each index in it, as in y\[t\]"),
    "an unknown one": (("y[s]", "b", '{ t = "1..3" }'), r"\[s\] is not an index; write whole numbers, with t"),
    "halves": (("y[t/2]", "b", '{ t = "1..3" }'), r"\[t/2\] is 1/2 for t = 1"),
    "below zero": (("y[t-2]", "b", '{ t = "1..3" }'), r"\[t-2\] is -1 for t = 1"),
    "beyond the last": (("y[t]", "x[t]", '{ t = "1..3" }'), r"'y\[3\]': unknown name 'x\[3\]'; there are x\[1\] and"),
    "itself": (("y[t]", "y[t]", '{ t = "1..3" }'), "y.1. is what this equation defines"),
    "taken inside": (("y[t]", "sum(b for t in 1..2)", '{ t = "1..3" }'), "the index 't' of a sum"),
    "too much": (("y[t]", "sum(b for k in 1..1000)", '{ t = "1..2000" }'), "at most 300,000 parts together"),
    "a name that is none": (("y[t", "b", '{ t = "1..2" }'), "a name has letters, digits and _"),
}


@pytest.mark.parametrize(("parts", "message"), WRONG_LOOPS.values(), ids=WRONG_LOOPS)
def test_a_wrong_for_is_told_with_its_place(parts: tuple[str, str, str], message: str) -> None:
    with pytest.raises(TutorError, match=f"equation 1, .*{message}"):
        lesson(equation(*parts), WEIGHTED)


def test_a_given_with_two_indices_is_written_without_spaces() -> None:
    with pytest.raises(TutorError, match=r"'m\[1, 2\]' cannot be a name.*x\[1,2\], without spaces"):
        lesson(equation("y", "1"), '"m[1, 2]" = 1')


FULL = """format = 1
title = "indices"
source = "own"
about = "Everything that has an index."
[givens]
b = 0.9
"w[0]" = 1.5
"x[1,1]" = 0.7
"x[1,2]" = -0.3
"x[2,1]" = 1.1
"x[2,2]" = 0.4
[[equations]]
for = { t = "1..2" }
name = "w[t]"
formula = "w[t-1]*(1 - b**t) + t/10"
[[equations]]
for = { i = "1..2", j = "1..2" }
name = "y[i,j]"
formula = "tanh(w[j]*x[i,3-j])"
[[equations]]
name = "E"
formula = "mean(sum(y[i,j]**2 for j in 1..2) for i in 1..2)"
[differentiate]
of = "E"
wrt = ["b", "x[1,2]"]
"""


def test_a_lesson_with_indices_goes_through_every_command(tutor: Tutor) -> None:
    path = tutor.folder / "l.toml"
    path.write_text(FULL)
    key = tutor("key", path)
    assert '"y[1,2]"' in key.stdout
    (tutor.folder / "k.csv").write_text(key.stdout)
    assert tutor("check", path, "k.csv").returncode == 0
    assert tutor("prove", path).returncode == 0
    assert tutor("lint", path).returncode == 0
    assert "y[1,2]" in tutor("why", path, "y[1, 2]").stdout
    for form in ("toml", "markdown"):
        filled = tutor("key", path, "--format", form)
        name = tutor.folder / f"k.{'md' if form == 'markdown' else form}"
        name.write_text(filled.stdout)
        assert tutor("check", path, name).returncode == 0, form
    fresh = tutor("vary", path, "--seed", "3")
    assert fresh.returncode == 0
    (tutor.folder / "v.toml").write_text(fresh.stdout)
    given_ones = {g["name"]: g["value"] for g in tutor.json("run", "v.toml")["givens"]}
    assert set(given_ones) == {"b", "w[0]", *(f"x[{i},{j}]" for i in (1, 2) for j in (1, 2))}
    assert given_ones["b"] != "0.9"


@pytest.mark.parametrize(
    ("answer", "earns"),
    [
        ("(sum(y[1,j]**2 for j in 1..2) + y[2,1]**2 + y[2,3-1]**2)/2", True),
        ("mean(sum(y[i,j]**2 for j in 1..2) for i in 1..2)", True),
        ("sum(sum(y[i,j]**2 for j in 1..2) for i in 1..2)", False),
        ("sum(y[i,3]**2 for i in 1..2)", False),
    ],
)
def test_an_answer_may_be_a_sum(tutor: Tutor, answer: str, earns: bool) -> None:
    (tutor.folder / "l.toml").write_text(FULL)
    (tutor.folder / "a.json").write_text(json.dumps({"E": answer}))
    cells = tutor.json("check", "l.toml", "a.json", "--ask", "E", fails=0 if earns else 1)["sheets"][0]["cells"]
    assert (cells[0]["verdict"] in ("correct", "carried")) == earns


def test_names_with_slashes_take_an_index_that_is_worked_out() -> None:
    known = {"dL/dh[2]", "dL/dh[3]", "h1_in@2[1]", "w[1]_new", "w[1]"}
    assert parse("sum(dL/dh[k]*w[1] for k in 2..3)", known) == parse("dL/dh[2]*w[1] + dL/dh[3]*w[1]", known)
    assert parse("dL/dh[1+1] + h1_in@2[2-1] + w[1]_new", known) == parse("dL/dh[2] + h1_in@2[1] + w[1]_new", known)
    with pytest.raises(ValueError, match=r"unknown name 'dL/dh\[4\]'; there are dL/dh\[2\] and dL/dh\[3\]"):
        parse("dL/dh[4]", known)
