"""Formulas with indices, sums and means, against the same text read by Python itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from conftest import fuzz
from hypothesis import given
from hypothesis import strategies as st

from tutor.formulas.evaluate import value_of
from tutor.formulas.parse import parse
from tutor.numbers.exact import ExactSystem
from tutor.views.notation import expression_text

X = {k: Fraction(k * k - 2, 3) for k in range(4)}
W = {(i, j): Fraction(2 * i - 3 * j, 4) for i in range(3) for j in range(3)}
GIVENS = {f"x[{k}]": v for k, v in X.items()} | {f"w[{i},{j}]": v for (i, j), v in W.items()}

indices = st.recursive(
    st.sampled_from(["i", "j", "0", "1", "2"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(inner, st.sampled_from(["//", "%"]), st.sampled_from("23")).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda e: f"(-{e})"),
    ),
    max_leaves=5,
)
atoms = st.one_of(
    indices.map(lambda e: f"x[{e} % 4]"),
    st.tuples(indices, indices).map(lambda p: f"w[{p[0]} % 3, {p[1]} % 3]"),
    st.sampled_from(["i", "j", "3"]),
)
TESTS = ["", " if {} != i", " if {} % 2 == 0"]


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Ranges are written <first; last>, which each of the two languages has a spelling for."""
    pairs = st.tuples(inner, st.sampled_from("+-*"), inner)
    loops = st.tuples(st.sampled_from("kmn"), inner, indices, st.sampled_from(TESTS))
    choices = st.tuples(inner, indices, st.sampled_from([">", "<=", "==", "!="]), inner)
    return st.one_of(
        pairs.map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda e: f"({e})**2"),
        loops.map(lambda p: f"sum({p[1]}*x[{p[0]} % 4] for {p[0]} in <0; {p[2]} % 3>{p[3].format(p[0])})"),
        loops.map(lambda p: f"mean({p[1]} - {p[0]} for {p[0]} in <1; {p[2]} % 2 + 1>)"),
        choices.map(lambda p: f"({p[0]} if i {p[2]} {p[1]} else {p[3]})"),
    )


def mean(terms: Iterable[Fraction]) -> Fraction:
    found = list(terms)
    return Fraction(sum(found)) / len(found)


def by_python(text: str, i: int, j: int) -> Fraction:
    python = re.sub(r"<(\d); ([^<>]*)>", r"range(\1, \2 + 1)", text)
    return Fraction(eval(python, {"x": X, "w": W, "i": i, "j": j, "mean": mean}))


@fuzz(150)
@given(st.recursive(atoms, larger, max_leaves=6), st.integers(0, 3), st.integers(0, 3))
def test_formulas_with_indices_have_the_values_that_python_gives_them(text: str, i: int, j: int) -> None:
    written = re.sub(r"<(\d); ([^<>]*)>", r"\1..\2", text)
    try:
        formula = parse(written, GIVENS, {"i": i, "j": j})
    except ValueError as error:
        assert re.search("characters|nested|index '[kmn]' of a sum has the name", str(error)), (written, error)
        return
    assert value_of(formula, GIVENS, ExactSystem(40)) == by_python(text, i, j)


@fuzz(100)
@given(st.recursive(atoms, larger, max_leaves=4), st.integers(0, 3), st.integers(0, 3))
def test_what_is_shown_has_no_index_left_and_means_the_same(text: str, i: int, j: int) -> None:
    try:
        formula = parse(re.sub(r"<(\d); ([^<>]*)>", r"\1..\2", text), GIVENS, {"i": i, "j": j})
    except ValueError:
        return
    shown = expression_text(formula)
    if len(shown) > 2_000:
        return
    again = parse(shown, GIVENS)
    assert value_of(again, GIVENS, ExactSystem(40)) == value_of(formula, GIVENS, ExactSystem(40))


@fuzz(300)
@given(
    st.lists(
        st.sampled_from(
            [
                "x[",
                "]",
                "1",
                "..",
                "i",
                "k",
                " for ",
                " in ",
                "sum(",
                "mean(",
                ")",
                "(",
                ",",
                "+",
                "-",
                "*",
                "//",
                "%",
                " if ",
                " else ",
                ">",
                "==",
                "9999",
                "w[",
                "|",
                "range",
                ":",
                "1/",
            ]
        ),
        max_size=25,
    )
)
def test_scraps_of_the_language_are_read_or_refused_with_a_reason(parts: list[str]) -> None:
    try:
        parse("".join(parts), GIVENS, {"i": 1})
    except ValueError as error:
        assert str(error).isprintable() and len(str(error)) < 400
