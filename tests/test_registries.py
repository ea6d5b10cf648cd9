"""Every entry of every registry, without naming any: derivatives, extremes, and what `tutor explain` says of it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import sympy
from conftest import Tutor

from tutor.arithmetic.exact import as_fraction
from tutor.arithmetic.floats import FloatSystem
from tutor.arithmetic.symbolic import where
from tutor.errors import TutorError
from tutor.maths.initializers import INITIALIZERS
from tutor.maths.normalizers import NORMALIZERS
from tutor.worksheet.entries import REGISTRIES, Curve, curve_of, find_entry
from tutor.worksheet.evaluate import evaluate_formula

NAMES = [f"{kind}:{name}" for kind, entries in REGISTRIES.items() for name in entries]
CURVES = {name: curve for name in NAMES if (curve := curve_of(*find_entry(name))) is not None}
DERIVED = {name: curve for name, curve in CURVES.items() if curve.derivative is not None}


def at(curve: Curve, x: Any) -> tuple[Any, Any]:
    value = evaluate_formula(curve.step.formula, {curve.variable: x})
    slope = evaluate_formula(curve.derivative, {curve.variable: x, curve.step.name: value})
    return as_fraction(value), as_fraction(slope)


@pytest.mark.parametrize("name", DERIVED)
def test_the_slope_equals_sympys_derivative_and_a_central_difference(name: str) -> None:
    curve = DERIVED[name]
    x = sympy.Symbol(curve.variable, real=True)
    derivative = sympy.diff(curve.step.formula.rewrite(sympy.Piecewise), x)
    for point in curve.points:
        if point == curve.corner:
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
    value = evaluate_formula(curve.step.formula, {curve.variable: Fraction(z)})
    assert abs(as_fraction(value)) <= 1001
    if curve.derivative is not None:
        assert 0 <= at(curve, Fraction(z))[1] <= 1


@pytest.mark.parametrize("name", CURVES)
def test_floats_agree_with_the_exact_values(name: str) -> None:
    curve = CURVES[name]
    for point in curve.points:
        exact = as_fraction(evaluate_formula(curve.step.formula, {curve.variable: point}))
        assert math.isclose(curve.value(float(point), FloatSystem), float(exact), rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_explained(tutor: Tutor, name: str) -> None:
    kind, entry = find_entry(name)
    assert entry.equation and entry.source
    document = tutor.json("explain", name)
    assert document["kind"] == kind and document["equation"] == entry.equation
    if name in DERIVED:
        assert document["derivation"][-1]["expression"]


@pytest.mark.parametrize("name", ["sigmoid", "activation:step", "l1", "cross_entropy", "cosine", "adam", "he", "unit"])
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


COLUMN = [3.0, -1.0, 4.0, 10.0]


@pytest.mark.parametrize("name", NORMALIZERS)
def test_a_normalizer_does_what_it_says(name: str) -> None:
    done = [NORMALIZERS[name].value(x, COLUMN, FloatSystem) for x in COLUMN]
    if name == "zscore":
        assert math.isclose(sum(done), 0, abs_tol=1e-12) and math.isclose(sum(x * x for x in done) / 4, 1)
    elif name == "minmax":
        assert (min(done), max(done)) == (0, 1)
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
