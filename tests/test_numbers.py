"""Reading numbers exactly, and writing them rounded once."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.data.sampling import random_bits, uniforms
from tutor.marking.answer import read_written
from tutor.maths.number_system import FUNCTIONS
from tutor.numbers import decimals, reproducible_scalars
from tutor.numbers.arrays import ARITHMETICS
from tutor.numbers.digits import exactly, exponent_of
from tutor.numbers.exact import ExactSystem, as_fraction, read_number
from tutor.numbers.floats import FloatSystem
from tutor.views.numbers import fixed, full, scientific, shown


@pytest.mark.parametrize(
    "z", ["0", "1e-30", "0.001", "0.5", "-2", "1.5707963267948966", "3.14159", "-1234.5678", "9999"]
)
def test_sine_and_cosine_in_decimals_have_the_digits_of_their_context(z: str) -> None:
    with decimals.precision(50), mpmath.workdps(120):
        for name in ("sin", "cos"):
            found, expected = getattr(decimals, name)(Decimal(z)), getattr(mpmath, name)(mpmath.mpf(z))
            assert abs(mpmath.mpf(str(found)) - expected) <= mpmath.mpf(10) ** -49 * min(
                1, abs(mpmath.mpf(z)) + (name == "cos")
            )


SYSTEMS: dict[str, tuple[Any, Any, float]] = {
    "floats": (FloatSystem, float, 1e-15),
    "decimals": (decimals, lambda z: Decimal(z.numerator) / z.denominator, 1e-26),
    "reproducible arrays": (ARITHMETICS["reproducible"], lambda z: np.array([float(z)]), 5e-16),
    "fast arrays": (ARITHMETICS["fast"], lambda z: np.array([float(z)]), 5e-16),
    "reproducible scalars": (reproducible_scalars.Reproducible, float, 5e-16),
    "fast scalars": (reproducible_scalars.Fast, float, 5e-16),
}
"""Every system of numbers that has values: how a rational is one of its numbers, and how far off a value may be."""


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_has_every_function_of_the_table(system: str, name: str) -> None:
    functions, number, tolerance = SYSTEMS[system]
    entry, far = FUNCTIONS[name], {"sin": 40, "cos": 40, "cospi": 3}.get(name, 12)
    with mpmath.workdps(60):
        for z in [Fraction(k, 16) for k in range(0 if entry.of_positive else -far * 16, far * 16, 7)]:
            if not (entry.of_positive and z == 0):
                value = getattr(functions, name)(number(z))
                found = mpmath.mpf(str(value) if isinstance(value, Decimal) else float(np.ravel(value)[0]))
                expected = getattr(mpmath, name)(mpmath.mpf(z.numerator) / z.denominator)
                assert abs(found - expected) <= tolerance * max(1, abs(expected)) * 8, z


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_slopes_and_the_rational_values_of_the_table_are_right(name: str) -> None:
    entry = FUNCTIONS[name]
    for z in (Fraction(1, 3), Fraction(1), Fraction(5, 2)):
        exact = ExactSystem(40).apply(name, z)
        slope = entry.slope(float(z), float(as_fraction(exact)), FloatSystem)
        assert math.isclose(slope, mpmath.diff(getattr(mpmath, name), float(z)), rel_tol=1e-9, abs_tol=1e-9)
    for z in (Fraction(k, 2) for k in range(0 if entry.of_positive else -8, 9)):
        if (value := entry.rational(z)) is not None:
            assert abs(getattr(mpmath, name)(mpmath.mpf(z.numerator) / z.denominator) - value) < 1e-14
    if entry.odd:
        assert ExactSystem(40).apply(name, Fraction(-1, 3)) == -ExactSystem(40).apply(name, Fraction(1, 3))


def test_the_reproducible_error_function_is_right_nearly_to_the_last_place() -> None:
    x = 6.2 * uniforms(random_bits(1, "data", 0, 20_000)) ** 2
    found = ARITHMETICS["reproducible"].erf(x)
    with mpmath.workdps(40):
        exact = [mpmath.erf(mpmath.mpf(value)) for value in x.tolist()]
        worst = max(abs(f - e) / math.ulp(float(e)) for f, e in zip(found.tolist(), exact, strict=True))
    assert worst < 1.25
    edges = np.array([math.inf, 1e308, 5e-324, 0.0, -0.0, math.nan])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert str(ARITHMETICS["reproducible"].erf(edges).tolist()) == "[1.0, 1.0, 5e-324, 0.0, -0.0, nan]"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.1", Fraction(1, 10)), (".5", Fraction(1, 2)), ("+0.3", Fraction(3, 10)), ("−0.2", Fraction(-1, 5)),
        ("1.2e-3", Fraction(12, 10_000)), ("3/7", Fraction(3, 7)), ("-3 / 7", Fraction(-3, 7)), ("5.", Fraction(5)),
        (" 42 ", Fraction(42)), ("1E2", Fraction(100)),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly(text: str, number: Fraction) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "nan", "inf", "-Infinity", "1e401", "1e999999999", "1" * 401, "0x10", "1_0", "1j", "True", "٣", "1/0", "1/-2",
     "1 2", "--1", ".", "e5", "1e", "1.2.3", "1,5", "$1", "1/2/3"],
)  # fmt: skip
def test_everything_else_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_number(text)


fractions = st.fractions(min_value=-1000, max_value=1000, max_denominator=10_000)


@given(fractions, st.integers(0, 12))
def test_fixed_rounds_half_to_even_as_decimal_does(value: Fraction, decimals: int) -> None:
    scaled = value * 10**decimals
    floor = scaled.numerator // scaled.denominator
    rest = scaled - floor
    nearest = floor + (1 if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2) else 0)
    assert Fraction(fixed(value, decimals)) == Fraction(nearest, 10**decimals)
    assert not fixed(value, decimals).startswith("-0." + "0" * decimals) or nearest


@given(st.decimals(min_value=-10, max_value=10, allow_nan=False, allow_infinity=False, places=8), st.integers(0, 7))
def test_fixed_agrees_with_the_standard_library(value: Decimal, decimals: int) -> None:
    expected = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    assert Decimal(fixed(Fraction(value), decimals)) == expected


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        ("0.1", 3, "0.1"), ("1.94", 3, "1.94"), ("0.87435", 3, "0.874"), ("0.0092761", 3, "0.00928"), ("0", 3, "0"),
        ("0.0000461", 3, "0.0000461"), ("-0.24996", 3, "-0.250"), ("0.0625", 3, "0.0625"), ("0.0005", 3, "0.0005"),
        ("0.1235", 3, "0.124"), ("0.1225", 3, "0.122"), ("1234.5678", 2, "1234.57"), ("0.000000001234", 3, "1.23e-09"),
        ("-9.999e-12", 3, "-1.00e-11"), ("7", 3, "7"),
    ],
)  # fmt: skip
def test_values_are_shown_with_three_digits_at_least(value: str, digits: int, text: str) -> None:
    assert shown(Fraction(value), digits) == text


def test_a_value_that_replaces_another_shows_the_change() -> None:
    assert shown(Fraction("0.4999072"), 3, Fraction("0.5")) == "0.4999072"
    assert shown(Fraction("0.499"), 3, Fraction("0.5")) == "0.499"
    assert shown(Fraction("0.5"), 3, Fraction("0.5")) == "0.5"


def test_a_mantissa_that_rounds_up_to_ten_moves_the_exponent() -> None:
    assert scientific(Fraction("9.9996e-20"), 3) == "1.00e-19"


@given(st.fractions(max_denominator=10**9))
def test_full_has_thirty_correct_digits(value: Fraction) -> None:
    assert abs(Fraction(full(value)) - value) <= abs(value) * Fraction(1, 10**29)


@given(st.integers(-(10**12), 10**12), st.integers(0, 12))
def test_a_short_decimal_is_written_in_full(number: int, decimals: int) -> None:
    value = Fraction(number, 10**decimals)
    assert Fraction(full(value)) == value


def test_mpmath_numbers_become_fractions_without_loss() -> None:
    import mpmath

    system = ExactSystem(50)
    third = system.inexact(Fraction(1, 3))
    assert as_fraction(third) != Fraction(1, 3)
    with mpmath.workdps(60):
        assert mpmath.mpf(as_fraction(third).numerator) / as_fraction(third).denominator == third


@given(
    st.integers(-(10**80), 10**80).filter(bool), st.integers(-400, 400), st.integers(-(10**45), 10**45),
    st.integers(0, 60), st.sampled_from([1, 2, 3, 17, 34]),
)  # fmt: skip
def test_two_values_agree_to_so_many_digits_as_their_fractions_do(
    mantissa: int, exponent: int, moved: int, digits: int, wanted: int
) -> None:
    """What the powers of two say at once is what the whole comparison would have said."""
    first, second = ExactSystem(50), ExactSystem(75)
    value = Fraction(mantissa) * Fraction(2) ** exponent
    rough, fine = first.inexact(value * (1 + Fraction(moved, 10 ** (digits + 45)))), second.inexact(value)
    apart, allowed = abs(as_fraction(rough) - as_fraction(fine)), abs(as_fraction(fine)) / 10**wanted
    if abs(apart - allowed) > allowed / 10**20:  # else the last bit of the difference decides
        assert second.settled(rough, fine, wanted) is (apart <= allowed)


@given(st.fractions(min_value=Fraction(1, 10**40), max_value=10**40))
def test_the_exponent_is_that_of_the_first_digit(value: Fraction) -> None:
    power = exponent_of(value)
    assert Fraction(10) ** power <= value < Fraction(10) ** (power + 1)
    assert exponent_of(-value) == power


def test_rational_values_stay_rational() -> None:
    system = ExactSystem(30)
    assert system.add([Fraction(1, 3)] * 3) == 1
    assert system.power(Fraction(9, 4), Fraction(1, 2)) == Fraction(3, 2)
    assert isinstance(system.apply("exp", Fraction(0)), Fraction)


@pytest.mark.parametrize(
    ("text", "unit", "significant", "decimals"),
    [("0.23", "0.01", 2, 2), ("0.230", "0.001", 3, 3), ("500", "1", 3, 0), ("1.2e-3", "0.0001", 2, 4),
     ("5.", "1", 1, 0), ("-0.001", "0.001", 1, 3), ("0.00", "0.01", 0, 2), ("12e3", "1000", 2, -3),
     (".5", "0.1", 1, 1)],
)  # fmt: skip
def test_the_digits_written_say_how_precise_a_number_is(text: str, unit: str, significant: int, decimals: int) -> None:
    written = read_written(text)
    assert (written.unit, written.digits, written.exponent) == (Fraction(unit), significant, -decimals)


@given(st.one_of(
    st.fractions(), st.fractions(max_denominator=99),
    st.builds(lambda n, e: Fraction(n) * Fraction(10) ** e, st.integers(-(10**20), 10**20), st.integers(-300, 280)),
))  # fmt: skip
def test_what_is_written_exactly_is_read_back(value: Fraction) -> None:
    assert read_number(exactly(value)) == value


def test_exactly_is_how_somebody_writes_it() -> None:
    for text in ("0", "0.25", "-0.1", "1/3", "-2/7", "100", "0.000001", "1e-14", "12345678901234567890.5"):
        assert exactly(read_number(text)) == text
