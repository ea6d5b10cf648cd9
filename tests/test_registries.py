"""Every entry of every registry, without naming any: derivatives, extremes, and what `tutor explain` says of it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from conftest import Tutor
from hypothesis import assume, given
from hypothesis import strategies as st

from tutor.errors import TutorError
from tutor.formulas.expressions import where
from tutor.maths.initializers import INITIALIZERS
from tutor.maths.normalizers import NORMALIZERS
from tutor.maths.terms import TERMS
from tutor.numbers.arrays import ARITHMETICS
from tutor.numbers.exact import as_fraction
from tutor.numbers.floats import FloatSystem
from tutor.printers.plots import round_axis
from tutor.worksheet.catalogue import ALIASES, REGISTRIES, Curve, curve_of, details_of, find_entry
from tutor.worksheet.values import evaluate_formula

NAMES = [f"{kind}:{name}" for kind, entries in REGISTRIES.items() for name in entries]
CURVES = {name: curve for name in NAMES if (curve := curve_of(find_entry(name)[1])) is not None}
DERIVED = {name: curve for name, curve in CURVES.items() if curve.derivative is not None}


def at(curve: Curve, x: Fraction) -> tuple[Any, Any]:
    return as_fraction(curve.exactly(x)), as_fraction(curve.slope(x))


@pytest.mark.parametrize("name", DERIVED)
def test_the_slope_equals_sympys_derivative_and_a_central_difference(name: str) -> None:
    curve = DERIVED[name]
    x = sympy.Symbol(curve.variable, real=True)
    assert curve.step is not None
    constants = {
        sympy.Symbol(n, real=True): sympy.Rational(v.numerator, v.denominator) for n, v in curve.constants.items()
    }
    derivative = sympy.diff(curve.step.formula.rewrite(sympy.Piecewise), x).subs(constants)
    for point in curve.points:
        if point == curve.corner:
            assert curve.slope(point) is None
            continue
        _, slope = at(curve, point)
        expected = sympy.N(derivative.subs(x, sympy.Rational(point.numerator, point.denominator)), 40)
        assert abs(float(expected) - float(slope)) < 1e-12, point
        h = Fraction(1, 10**9)
        difference = (at(curve, point + h)[0] - at(curve, point - h)[0]) / (2 * h)
        assert abs(float(difference - slope)) < 1e-6, point


@pytest.mark.parametrize("name", [name for name in CURVES if name.startswith("activation")])
@pytest.mark.parametrize("z", [-1000, 1000])
def test_an_activation_is_finite_far_out(name: str, z: int) -> None:
    curve = CURVES[name]
    assert math.isfinite(curve.value(float(z), FloatSystem))
    assert abs(as_fraction(curve.exactly(Fraction(z)))) <= 2000
    if curve.derivative is not None:
        value, slope = at(curve, Fraction(z))
        assert abs(slope) <= 2
        twice = as_fraction(curve.exactly(Fraction(2 * z)))
        assert abs(twice - value - slope * z) < 1, "far out it is straight"


@pytest.mark.parametrize("name", CURVES)
def test_floats_agree_with_the_exact_values(name: str) -> None:
    curve = CURVES[name]
    for point in curve.points:
        exact = as_fraction(curve.exactly(point))
        assert math.isclose(curve.value(float(point), FloatSystem), float(exact), rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("name", DERIVED)
def test_a_derivation_keeps_the_symbols_of_its_equation(name: str) -> None:
    """t stays t and alpha stays alpha, from the first line to the taught form; only the table puts in numbers."""
    curve, work = DERIVED[name], details_of(find_entry(name)[1])
    assert work is not None
    (lines,) = work.derivations.values()
    first = {symbol.name for symbol in lines[0].expression.free_symbols}
    assert set(curve.constants) <= first <= {*curve.constants, curve.variable}


def test_softmax_has_its_jacobian() -> None:
    work = details_of(find_entry("softmax")[1])
    assert work is not None and len(work.derivations) == 2
    exps = [math.exp(z) for z in (1, 2, 3)]
    a = [e / sum(exps) for e in exps]
    for i, (_, z, output, *slopes) in enumerate(work.rows):
        assert (z, float(as_fraction(output))) == (i + 1, pytest.approx(a[i]))
        assert [float(as_fraction(s)) for s in slopes] == pytest.approx([a[i] * ((i == j) - a[j]) for j in range(3)])


@pytest.mark.parametrize("name", TERMS)
def test_what_a_term_points_to_is_there(name: str) -> None:
    for related in TERMS[name].see:
        find_entry(related)


@pytest.mark.parametrize("alias", ALIASES)
def test_another_name_finds_the_entry(alias: str) -> None:
    for written in (alias, alias.upper(), alias.replace("_", "-"), alias.replace("_", " ")):
        kind = "activation:" if ALIASES[alias] == "step" else ""
        assert find_entry(f"{kind}{written}")[1].name == ALIASES[alias]
    assert not any(alias in entries for entries in REGISTRIES.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_explained(tutor: Tutor, name: str) -> None:
    kind, entry = find_entry(name)
    document = tutor.json("explain", name)
    assert document["kind"] == kind and document["equation"] and entry.source
    assert kind == "optimizer" or document["equation"] == entry.equation
    if name in DERIVED:
        assert document["derivation"][-1]["expression"]
    if name in CURVES:
        assert len(document["values"]) == len(CURVES[name].points)


@pytest.mark.parametrize(
    "name", ["sigmoid", "activation:step", "l1", "cross_entropy", "cosine", "adam", "he", "unit", "softmax", "dropout"]
)
@pytest.mark.parametrize("options", [["--width", "40"], ["--width", "160"], ["--narrate"]], ids=str)
def test_an_explanation_fits_the_screen(tutor: Tutor, name: str, options: list[str]) -> None:
    done = tutor("explain", name, *options)
    assert (done.returncode, done.stderr) == (0, "")
    width = int(options[1]) if len(options) > 1 else 80
    assert max(map(len, done.stdout.splitlines())) <= width


def test_names_that_are_more_than_one_thing_or_none() -> None:
    with pytest.raises(TutorError, match="activation:step or schedule:step"):
        find_entry("step")
    with pytest.raises(TutorError, match="did you mean 'sigmoid'"):
        find_entry("sigmoyd")


@given(
    st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-9),
    st.floats(1e-9, 1e9),
    st.integers(2, 20),
)
def test_the_ticks_of_an_axis_are_round_and_the_range_lies_on_it(low: float, width: float, most: int) -> None:
    high = low + width
    assume(width > 1e-9 * abs(low))
    first, step, parts = round_axis(low, high, most)
    assert 2 <= parts <= most
    assert first <= low + 1e-6 * step and first + parts * step >= high - 1e-6 * step
    lead = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(lead - round_number) for round_number in (1, 2, 2.5, 5)) < 1e-6
    assert abs(first / step - round(first / step)) < 1e-6 * max(1, abs(first / step))


def spread_after(layers: int, activation: str, initializer: str, width: int = 200) -> float:
    """How much of the differences between two examples is left after so many layers, worked with plain NumPy."""
    rng = np.random.default_rng(0)
    functions = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}
    x = rng.standard_normal((width, 40))
    before = x.std(axis=1).mean()
    scale = float(INITIALIZERS[initializer].scale(float(width), float(width), FloatSystem))
    for _ in range(layers):
        x = functions[activation](scale * rng.standard_normal((width, width)) @ x)
    return float(x.std(axis=1).mean() / before)


def test_what_is_said_of_initializers_is_so() -> None:
    assert spread_after(10, "sigmoid", "xavier") < 0.25**10 == pytest.approx(9.5e-7, rel=0.01)
    assert "0.00000095" in INITIALIZERS["xavier"].remark and "0.00000095" in TERMS["vanishing_gradient"].remark
    assert spread_after(8, "tanh", "xavier") > 0.2
    assert spread_after(8, "tanh", "normal") < 1e-5
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 100))
    for _ in range(20):
        x = np.maximum(math.sqrt(2 / 400) * rng.standard_normal((400, 400)) @ x, 0)
    assert 0.4 < (x**2).mean() * 2 < 4  # half of the sums' mean square, which stays about 1
    assert math.sqrt(0.05**2 / 3) == pytest.approx(0.029, abs=5e-4)


def test_what_is_said_of_schedules_is_so() -> None:
    rate = curve_of(find_entry("inverse_time")[1])
    assert rate is not None and rate.exactly(Fraction(1)) * 2 == rate.exactly(Fraction(0))
    assert rate.exactly(Fraction(9)) * 10 == rate.exactly(Fraction(0))
    cosine = curve_of(find_entry("cosine")[1])
    assert cosine is not None and cosine.exactly(Fraction(10)) == 0 < cosine.exactly(Fraction(11))


@given(st.floats(0.01, 1.99), st.floats(0.1, 10))
def test_what_is_said_of_the_learning_rate_is_so(times: float, curvature: float) -> None:
    """On a parabola of curvature c a step with eta = times/c leaves 1 - times of the distance."""
    w, eta = 1.0, times / curvature
    w -= eta * curvature * w
    assert abs(w) < 1 and (w >= -1e-12 if times <= 1 else w < 1e-12)


COLUMN = [3.0, -1.0, 4.0, 10.0]


@pytest.mark.parametrize("name", NORMALIZERS)
def test_a_normalizer_does_what_it_says(name: str) -> None:
    done = [NORMALIZERS[name].value(x, np.array(COLUMN), ARITHMETICS["fast"]) for x in COLUMN]
    if name == "zscore":
        assert math.isclose(sum(done), 0, abs_tol=1e-12) and math.isclose(sum(x * x for x in done) / 4, 1)
    elif name == "minmax":
        assert (min(done), max(done)) == (0, 1)
    elif name == "channel_zscore":
        assert done == pytest.approx(
            [NORMALIZERS["zscore"].value(x, np.array(COLUMN), ARITHMETICS["fast"]) for x in COLUMN]
        )
    elif name in ("mean_image", "channel_mean"):
        assert done == [x - 4 for x in COLUMN]
    else:
        assert math.isclose(sum(x * x for x in done), 1)


@pytest.mark.parametrize(
    ("name", "scale"), [("zeros", 0), ("normal", 0.01), ("uniform", 0.05), ("xavier", 0.2), ("he", 0.25)]
)
def test_an_initializer_scales_by_the_size_of_the_layer(name: str, scale: float) -> None:
    assert math.isclose(INITIALIZERS[name].scale(32.0, 18.0, FloatSystem), scale)


def test_the_corner_of_a_case_belongs_to_the_second_one() -> None:
    z = sympy.Symbol("z", real=True)
    assert evaluate_formula(where(z, sympy.Integer(1), sympy.Integer(2)), {"z": Fraction(0)}) == 2


@pytest.mark.parametrize(("word", "told"), [
    ("eta", "how far a step goes"), ("theta", "b = -theta"), ("rmse", "mean of (t - y)²"), ("saturation", "flat part"),
    ("calibration", "as often right as it is sure"), ("dead relu", "no slope for any example"), ("ROC-AUC", "share of the pairs"),
    ("weight", "multiplies one of its inputs"), ("bias", "always 1"), ("hidden layer", "between the inputs"), ("seed", "drawn again"),
    ("loss", "how wrong the outputs are"), ("gradient", "by all weights and biases"), ("batch", "one update"), ("held-out", "does not see"),
    ("mae", "mean of |t - y|"), ("R2", "share of the variance"), ("precision", "taken for it"), ("recall", "that are of it"), ("F1", "harmonic"),
])  # fmt: skip
def test_words_of_the_programs_own_screens_are_explained(tutor: Tutor, word: str, told: str) -> None:
    done = tutor("explain", word)
    assert done.returncode == 0 and told in " ".join(done.stdout.split())
    assert tutor("explain", *word.split()).stdout == done.stdout, "two words need no quotation marks"


@pytest.mark.parametrize("name", [name for name, term in TERMS.items() if term.command.startswith(("train", "run"))])
def test_what_shows_a_term_can_be_typed(tutor: Tutor, name: str) -> None:
    quick = ["--epochs", "2"] if TERMS[name].command.startswith("train") else []
    done = tutor(*TERMS[name].command.split(), *quick)
    assert done.returncode == 0, done.stderr


def test_a_mistake_may_stand_behind_a_space(tutor: Tutor) -> None:
    whole = tutor("explain", "slip:missing-slope")
    assert whole.returncode == 0 and tutor("explain", "slip:", "missing-slope").stdout == whole.stdout
