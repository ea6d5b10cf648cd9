"""A difference of equals is 0: proved, or found; what is merely tiny keeps its digits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Tutor, fuzz
from tutor.errors import TutorError
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.numbers.exact import as_fraction
from tutor.numbers.fingerprints import ORDER, PRIME
from tutor.worksheet.step import Worksheet


def equations(givens: str, **formulas: str) -> str:
    lines = ["format = 1", 'title = "zeros"', "[givens]", *givens.split("; ")]
    for name, formula in formulas.items():
        lines += ["[[equations]]", f'name = "{name}"', f'formula = "{formula}"']
    return "\n".join(lines) + "\n"


def worked(givens: str, **formulas: str) -> Worksheet:
    return worksheet_of(parse_lesson(equations(givens, **formulas), "zeros"))


PROVED = {
    "the products of exponentials": "exp(x)*exp(-x) - 1",
    "a sum of exponents that are numbers": "exp(x + y) - exp(x)*exp(y)",
    "tanh by the sigmoid": "tanh(y) - 2*sigmoid(2*y) + 1",
    "a sigmoid and its mirror image": "sigmoid(sqrt(x)) + sigmoid(-sqrt(x)) - 1",
    "the logarithm of an exponential": "log(exp(exp(y))) - exp(y)",
    "the square of a root": "sqrt(x)**2 - x",
    "a product of roots": "sqrt(x)*sqrt(y) - sqrt(x*y)",
    "Pythagoras": "sin(exp(y))**2 + cos(exp(y))**2 - 1",
    "an even function": "cos(exp(y)) - cos(-exp(y))",
    "softmax": "exp(x)/(exp(x) + exp(y)) + exp(y)/(exp(x) + exp(y)) - 1",
    "the shift of a softmax": "exp(x + 3)/(exp(x + 3) + exp(y + 3)) - exp(x)/(exp(x) + exp(y))",
    "terms in another order": "(1 - y)*(x + tanh(x)) + y*x - (x + (1 - y)*tanh(x))",
    "a logarithm of 1": "log(exp(y)/exp(y))",
}


@pytest.mark.parametrize("formula", PROVED.values(), ids=PROVED)
def test_an_identity_is_0_and_proved(formula: str) -> None:
    worksheet = worked("x = 2; y = 0.3", d=formula, e="1 + d")
    assert worksheet.values["d"] == 0 and isinstance(worksheet.values["d"], Fraction)
    assert worksheet.zeros["d"] is None
    assert abs(as_fraction(worksheet.values["e"]) - 1) < Fraction(1, 10**34)


@pytest.mark.parametrize(
    "formula",
    ["log(x*y) - log(x) - log(y)", "exp(exp(y) + 1) - exp(exp(y))*exp(1)", "exp(y)**0.3*exp(y)**0.7 - exp(y)"],
)
def test_an_identity_that_is_not_proved_is_0_with_the_digits_that_were_tried(formula: str) -> None:
    worksheet = worked("x = 2; y = 0.3", d=formula)
    assert worksheet.values["d"] == 0
    assert (worksheet.zeros["d"] or 0) >= 1_000


def test_a_root_of_the_wrong_sign_proves_nothing() -> None:
    """√((e^y - 3)²) is 3 - e^y; among residues the root may have either sign."""
    worksheet = worked("y = 0.3", d="sqrt((exp(y) - 3)**2) - (exp(y) - 3)", z="sqrt((exp(y) - 3)**2) + exp(y) - 3")
    with mpmath.workdps(40):
        assert abs(mpmath.mpf(worksheet.values["d"]) - 2 * (3 - mpmath.exp(mpmath.mpf("0.3")))) < mpmath.mpf(10) ** -33
    assert worksheet.values["z"] == 0 and worksheet.zeros.get("z") is not None


TINY = {
    "an exponential": ("exp(-300)", lambda m: m.exp(-300)),
    "a saturated sigmoid": ("1 - sigmoid(3000)", lambda m: 1 / (1 + m.exp(3000))),
    "its slope": ("sigmoid(-2000)*(1 - sigmoid(-2000))", lambda m: m.exp(-2000)),
    "a small exponent": ("exp(1e-200) - 1", lambda m: m.expm1(m.mpf(10) ** -200)),
    "an identity and a little": ("exp(x)*exp(-x) - 1 + 1e-250", lambda m: m.mpf(10) ** -250),
    "beside large terms": ("exp(x)*1e200 - exp(x)*1e200 + exp(1)*1e-290", lambda m: m.e * m.mpf(10) ** -290),
    "nearly the same": ("tanh(x + 1e-240) - tanh(x)", lambda m: m.mpf(10) ** -240 * m.sech(2) ** 2),
}


@pytest.mark.parametrize(("formula", "truth"), TINY.values(), ids=TINY)
def test_what_is_only_tiny_keeps_its_digits(formula: str, truth: Any) -> None:
    worksheet = worked("x = 2", d=formula)
    with mpmath.workdps(4_000):
        expected = truth(mpmath.mp)
        found = as_fraction(worksheet.values["d"])
        apart = abs(mpmath.mpf(found.numerator) / found.denominator - expected)
        assert apart <= abs(expected) * mpmath.mpf(10) ** -33


def test_other_steps_keep_their_digits() -> None:
    worksheet = worked("x = 2", a="exp(x)", d="a*exp(-x) - 1", b="a/3")
    with mpmath.workdps(60):
        found = as_fraction(worksheet.values["b"])
        assert abs(mpmath.mpf(found.numerator) / found.denominator - mpmath.exp(2) / 3) < mpmath.mpf(10) ** -33
    assert "b" not in worksheet.zeros


@pytest.mark.parametrize("difference", ["exp(x)*exp(-x) - 1", "1 - exp(x)*exp(-x)", "log(x*y) - log(x) - log(y)"])
def test_a_comparison_at_such_a_zero_takes_the_branch_of_0(difference: str) -> None:
    worksheet = worked(
        "x = 2; y = 0.3",
        above=f"1 if {difference} > 0 else 0",
        least=f"1 if {difference} >= 0 else 0",
        ramp=f"relu({difference})",
        most=f"max({difference}, 0) + abs({difference})",
        later="2 if ramp > 0 else 3",
    )
    assert [worksheet.values[name] for name in ("above", "least", "ramp", "most", "later")] == [0, 1, 0, 0, 3]


def test_dividing_by_such_a_zero_says_what_is_0() -> None:
    with pytest.raises(TutorError, match=r"^q divides by zero, since d is 0; change the numbers"):
        assert worked("x = 2", d="exp(x)*exp(-x) - 1", q="1/d").values
    with pytest.raises(TutorError, match=r"^q divides by zero; change"):
        assert worked("x = 2", q="1/(exp(x)*exp(-x) - 1)").values


@pytest.mark.parametrize("formula", ["log(1 - exp(x))", "sqrt(1 - exp(x))"])
def test_what_has_no_value_whatever_the_digits_is_told_at_once(formula: str) -> None:
    with pytest.raises(TutorError, match=r"^d takes .* of a negative number"):
        assert worked("x = 2", d=formula).values


BATCH_NORM = (
    equations(
        "a = 9; b = 4; c = 11; epsilon = 0.01",
        mu="(a + b + c)/3",
        var="((a - mu)**2 + (b - mu)**2 + (c - mu)**2)/3",
        x="(a - mu)/sqrt(var + epsilon)",
        y="(b - mu)/sqrt(var + epsilon)",
        z="(c - mu)/sqrt(var + epsilon)",
    )
    + '[differentiate]\nwrt = ["a", "b", "c"]\nseed = { x = 4, y = 4, z = 4 }\n'
)


def test_equal_gradients_from_above_end_at_a_batch_norm(tutor: Tutor, process: Tutor) -> None:
    """What is added to all results alike the mean takes away again."""
    path = tutor.folder / "norm.toml"
    path.write_text(BATCH_NORM)
    pages = {process.json("run", path, PYTHONHASHSEED=seed).__repr__() for seed in ("0", "1")}
    assert len(pages) == 1
    steps = {step["name"]: step for step in tutor.json("run", path)["steps"]}
    for name in ("dE/da", "dE/db", "dE/dc"):
        assert steps[name]["value"] == "0" and steps[name]["cancels"] == {"proved": True}
    assert "the terms cancel exactly, to 0" in tutor("run", path).stdout
    key = tutor("key", path).stdout
    (tutor.folder / "key.csv").write_text(key)
    assert tutor("check", path, "key.csv").returncode == 0
    assert tutor("prove", path).returncode == 0


def test_how_many_digits_were_tried_stands_on_the_line(tutor: Tutor) -> None:
    path = tutor.folder / "log.toml"
    path.write_text(equations("x = 2; y = 0.3", d="log(x*y) - log(x) - log(y)"))
    (step,) = tutor.json("run", path)["steps"]
    assert step["value"] == "0" and step["cancels"]["proved"] is False
    told = f"{step['cancels']['digits']:,} digits that were tried"
    for arguments in (("run", path), ("run", path, "--narrate"), ("why", path, "d")):
        for width in ("40", "80", "160"):
            assert told in " ".join(tutor(*arguments, COLUMNS=width).stdout.split())


def test_rounding_each_step_leaves_no_noise(tutor: Tutor) -> None:
    path = tutor.folder / "exp.toml"
    path.write_text(equations("x = 2", d="exp(x)*exp(-x) - 1"))
    (step,) = tutor.json("run", path, "--rounding", "each-step")["steps"]
    assert step["rounded"] == "0"


values = st.integers(-30, 30).map(lambda n: f"{n / 10}")


@st.composite
def terms(draw: st.DrawFn, depth: int = 2) -> str:
    """A formula that has a value whatever x and y are."""
    if not depth:
        return draw(st.sampled_from(["x", "y", "2", "0.3"]))
    shape = draw(
        st.sampled_from(
            ["exp({})", "tanh({})", "({} + {})", "({}*{})", "sqrt(1 + ({})**2)", "log(2 + ({})**2)", "sin({})"]
        )
    )
    return shape.format(*(draw(terms(depth - 1)) for _ in range(shape.count("{}"))))


@fuzz(25)
@given(values, values, terms(), terms(), terms(1), st.sampled_from(["0", "1e-60", "-1e-140"]))
def test_a_law_of_algebra_holds_exactly_and_what_is_added_is_seen(
    x: str, y: str, a: str, b: str, c: str, more: str
) -> None:
    formula = f"({a} + {b})*({a} - {b})*{c} - {c}*({a})**2 + {c}*({b})**2 + {more}"
    worksheet = worked(f"x = {x}; y = {y}", d=formula)
    found, expected = as_fraction(worksheet.values["d"]), Fraction(more)
    assert abs(found - expected) <= abs(expected) / 10**30
    assert worksheet.zeros.get("d") is None


def test_the_residues_are_those_of_a_safe_prime() -> None:
    assert sympy.isprime(PRIME) and sympy.isprime(ORDER) and PRIME == 2 * ORDER + 1 and PRIME % 4 == 3
