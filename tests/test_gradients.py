"""Every gradient of random networks, held against SymPy on the composed loss and against differences."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import sympy
from conftest import fuzz
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import RandomNetwork, networks

from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.maths.kind import Kind
from tutor.numbers.exact import as_fraction
from tutor.worksheet.step import Worksheet


def sheet(network: RandomNetwork, chain: str = "full", **training: str) -> Worksheet:
    return worksheet_of(parse_lesson(network.toml(**training), "test"), chain)


def away_from_kinks(network: RandomNetwork, worksheet: Worksheet) -> bool:
    """Whether no ReLU sits so near its corner that a difference quotient straddles it."""
    if "relu" not in network.activations:
        return True
    sums = [worksheet.values[s.name] for s in worksheet.steps if s.kind is Kind.WEIGHTED_SUM and s.stage == "forward"]
    return all(abs(float(as_fraction(z))) > 1e-6 for z in sums)


def as_mpf(value: Any) -> Any:
    exact = as_fraction(value)
    return mpmath.mpf(exact.numerator) / exact.denominator


@fuzz(100)
@given(networks())
def test_every_gradient_equals_a_central_difference(network: RandomNetwork) -> None:
    worksheet = sheet(network)
    assume(away_from_kinks(network, worksheet))
    with mpmath.workdps(60):
        parameters, h = network.parameters(), mpmath.mpf(10) ** -20
        for name in parameters:
            above, below = (network.error(parameters | {name: parameters[name] + d}) for d in (h, -h))
            difference = (above - below) / (2 * h)
            gradient = as_mpf(worksheet.values[f"dE/d{name}"])
            assert abs(gradient - difference) <= mpmath.mpf(10) ** -30 * (1 + abs(difference)), name


class Corner(sympy.Function):
    """max(z, 0). SymPy's own Max and Piecewise fold nested corners for minutes."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Jump(self.args[0])


class Jump(sympy.Function):
    """1 where z > 0, else 0."""


NUMERIC: dict[Any, Callable[..., Any]] = {
    sympy.Add: lambda *terms: mpmath.fsum(terms), sympy.Mul: lambda *factors: mpmath.fprod(factors), sympy.Pow: mpmath.power,
    sympy.exp: mpmath.exp, sympy.log: mpmath.log, Corner: lambda z: max(z, 0), Jump: lambda z: int(z > 0),
}  # fmt: skip


def value_of(expression: Any, known: dict[Any, Any]) -> Any:
    """The expression in mpmath, each part of it worked once: `known` has what is worked already. SymPy's own way, to
    write it out as code, takes ten times as long, for what stands in a derivative a thousand times."""
    if expression not in known:
        if expression.is_Rational:
            known[expression] = mpmath.mpf(expression.p) / expression.q
        else:
            known[expression] = NUMERIC[expression.func](*(value_of(part, known) for part in expression.args))
    return known[expression]


class SymbolicFunctions:
    exp, log = sympy.exp, sympy.log

    @staticmethod
    def number(text: str) -> Any:
        return sympy.Rational(text)

    @staticmethod
    def relu(z: Any) -> Any:
        return Corner(z)


@fuzz(30)
@given(networks(), st.data())
def test_gradients_of_every_layer_equal_sympys_derivatives_of_the_composed_loss(
    network: RandomNetwork, data: st.DataObject
) -> None:
    """A weight and a bias of each layer: all of them take SymPy a minute, and are held against differences above."""
    worksheet = sheet(network)
    assume(away_from_kinks(network, worksheet))
    symbols = {name: sympy.Symbol(name) for name in network.parameters()}
    loss = network.error(symbols, SymbolicFunctions)
    with mpmath.workdps(50):
        known = {symbols[name]: value for name, value in network.parameters().items()}
        for name in [data.draw(st.sampled_from(names)) for names in network.names_by_layer()]:
            expected = value_of(sympy.diff(loss, symbols[name]), known)
            gradient = as_mpf(worksheet.values[f"dE/d{name}"])
            assert abs(gradient - expected) <= mpmath.mpf(10) ** -28 * (1 + abs(expected)), name


@fuzz(30)
@given(networks())
def test_both_chains_give_the_same_gradients_and_updates(network: RandomNetwork) -> None:
    full, delta = sheet(network), sheet(network, "delta")
    for step in full.steps:
        if step.stage in ("gradient", "update", "after"):
            difference = as_fraction(full.values[step.name]) - as_fraction(delta.values[step.name])
            assert abs(difference) <= Fraction(1, 10**30) * (1 + abs(as_fraction(full.values[step.name]))), step.name


@fuzz(30)
@given(networks())
def test_updates_step_against_the_gradient_and_the_error_is_computed_again(network: RandomNetwork) -> None:
    worksheet = sheet(network)
    with mpmath.workdps(60):
        old, rate = network.parameters(), mpmath.mpf(network.rate)
        new = {name: old[name] - rate * as_mpf(worksheet.values[f"dE/d{name}"]) for name in old}
        for name, value in new.items():
            assert abs(as_mpf(worksheet.values[f"{name}_new"]) - value) <= mpmath.mpf(10) ** -30
        error = network.error(new)
        assert abs(as_mpf(worksheet.values["E_after"]) - error) <= mpmath.mpf(10) ** -28 * (1 + abs(error))


@fuzz(10)
@given(networks())
def test_biases_left_alone_stay_as_they_are(network: RandomNetwork) -> None:
    worksheet = sheet(network, update_biases="false")
    assert not [name for name in worksheet.names if name.startswith("b") and name.endswith("_new")]
    assert "W1_new" in worksheet.by_name
    with mpmath.workdps(60):
        old = network.parameters()
        new = {n: as_mpf(worksheet.values[f"{n}_new"]) if n.startswith("W") else v for n, v in old.items()}
        error = network.error(new)
        assert abs(as_mpf(worksheet.values["E_after"]) - error) <= mpmath.mpf(10) ** -28 * (1 + abs(error))


def test_a_deep_network_uses_results_again_and_says_so() -> None:
    layers = [[["0.1"] * 4] * 4] * 3
    network = RandomNetwork(["1"] * 4, ["0"] * 4, layers, [["0"] * 4] * 3, ["tanh"] * 3, "squared_error", "0.1")
    worksheet = sheet(network)
    assert worksheet.conventions.chain == "delta"
    assert "paths" in worksheet.conventions.remarks[0]


def test_saturated_slopes_keep_their_digits() -> None:
    """At z = 1000 the slope a(1 - a) is about e^-1000; computed with 50 digits it would be 0."""
    network = RandomNetwork(["1"], ["0"], [[["1000"]]], [["0"]], ["sigmoid"], "half_squared_error", "1")
    with mpmath.workdps(500):
        slope = as_mpf(sheet(network).values["dout_out/dout_in"])
        expected = mpmath.exp(-1000) / (1 + mpmath.exp(-1000)) ** 2
        assert abs(slope / expected - 1) < mpmath.mpf(10) ** -30
