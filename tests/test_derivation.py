"""Derivations end in SymPy's derivative, and every line of them is equal to every other."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath
import pytest
import sympy
from conftest import Tutor
from hypothesis import given, settings
from networks import RandomNetwork, networks

from tutor.formulas.expressions import symbol
from tutor.formulas.parse import parse
from tutor.lessons.find import lesson_files, read_lesson, worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.kind import Kind
from tutor.maths.losses import LOSSES
from tutor.worksheet.derivation import RULES, D, Line, derive
from tutor.worksheet.forward import activate, loss_step
from tutor.worksheet.named_network import NamedNeuron
from tutor.worksheet.step import Step, Worksheet

X, Y = symbol("x"), symbol("y")
POINTS = [{"x": "0.37", "y": "1.21"}, {"x": "1.9", "y": "0.44"}]


def at(expression: Any, point: dict[str, Any]) -> Any:
    """The value of an expression in which derivatives not yet worked out are worked out by SymPy."""
    done = expression.replace(D, lambda f, x: sympy.diff(f.doit(), x)).rewrite(sympy.Piecewise)
    symbols = sorted(done.free_symbols, key=str)
    with mpmath.workdps(40):
        function = sympy.lambdify(symbols, done.doit(), "mpmath")
        return mpmath.mpf(1) * function(*(mpmath.mpf(point[s.name]) for s in symbols))


def close(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= mpmath.mpf(10) ** -30 * (1 + abs(b)))


FORMULAS = {
    "constant rule": "y + x",
    "sum rule": "x**3 + 2*x + y",
    "case by case": "max(x, 0) + min(x*y, x) + abs(x - 1)",
    "constant factor": "7*y*x",
    "product rule": "x*exp(x)*(x + y)",
    "exponential function, chain rule": "exp(-2*x*y)",
    "logarithm, chain rule": "log(1 + x**2)",
    "tanh, chain rule": "tanh(3*x - y)",
    "error function, chain rule": "erf(x*y)",
    "sine, chain rule": "x*sin(2*x + y)",
    "cosine, chain rule": "cos(x*y)**2",
    "power rule": "x**5",
    "exponential with another base, chain rule": "2**(x*y)",
    "power as an exponential": "x**x",
    "quotient": "(x + y)/(1 + x**2)",
    "root": "sqrt(x**2 + y)",
    "nested": "sigmoid(tanh(x)*log(x + y))**3/(1 + exp(-x))",
}


@pytest.mark.parametrize("text", FORMULAS.values(), ids=FORMULAS)
def test_a_derivation_ends_in_sympys_derivative_and_every_line_equals_it(text: str) -> None:
    expression = parse(text, {"x", "y"})
    expected = sympy.diff(expression, X)
    lines = derive(Step("f", "forward", Kind.EQUATION, expression, "formula"), "x", expected)
    assert lines[-1].expression == expected
    assert not lines[-2].expression.has(D)
    for point in POINTS:
        for line in lines:
            assert close(at(line.expression, point), at(expected, point)), line.rule


def test_every_rule_is_used_by_a_formula_above() -> None:
    used = set()
    for text in FORMULAS.values():
        expression = parse(text, {"x", "y"})
        used |= {
            line.rule
            for line in derive(Step("f", "forward", Kind.EQUATION, expression, ""), "x", sympy.diff(expression, X))
        }
    assert set(RULES) <= used | {rule for rule in RULES if f"{rule}, chain rule" in used}


@pytest.mark.parametrize("name", [name for name, entry in ACTIVATIONS.items() if entry.slope])
def test_the_slope_of_an_activation_equals_sympys_derivative(name: str) -> None:
    step = activate(NamedNeuron("a", "x", "y"), name, Fraction("0.3"))
    expected = sympy.diff(step.formula, X)
    lines = derive(step, "x", step.slopes["x"])
    assert lines[-1].expression == step.slopes["x"]
    for x in ("-1.3", "0.62", "2.5"):
        with mpmath.workdps(40):
            point = {"x": x, "y": at(step.formula, {"x": x})}
            for line in lines:
                assert close(at(line.expression, point), at(expected, point)), (name, line.rule)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("outputs", [1, 3])
def test_the_slope_of_a_loss_equals_sympys_derivative(name: str, outputs: int) -> None:
    ys, ts = [f"y{i}" for i in range(outputs)], [f"t{i}" for i in range(outputs)]
    step = loss_step(name, [Fraction(str(s.default)) for s in LOSSES[name].settings.values()], ys, ts)
    point = {y: f"0.{i + 2}7" for i, y in enumerate(ys)} | {t: f"0.{i + 4}1" for i, t in enumerate(ts)}
    for y in ys:
        lines = derive(step, y, step.slopes[y])
        assert lines[-1].expression == step.slopes[y]
        for line in lines:
            assert close(at(line.expression, point), at(sympy.diff(step.formula, symbol(y)), point)), line.rule


def check_every_partial(worksheet: Worksheet) -> None:
    for step in worksheet.steps:
        if step.partial_of is None:
            continue
        outer, inner = step.partial_of
        lines: tuple[Line, ...] = derive(worksheet.by_name[outer], inner, step.formula)
        assert lines[-1].expression == step.formula
        point = {
            name: mpmath.mpf(1) * worksheet.values[name]
            if not hasattr(worksheet.values[name], "numerator")
            else mpmath.mpf(worksheet.values[name].numerator) / worksheet.values[name].denominator
            for name in worksheet.names
        }
        for line in lines:
            assert close(at(line.expression, point), at(step.formula, point)), (step.name, line.rule)


@pytest.mark.parametrize("lesson", lesson_files())
def test_every_line_of_every_derivation_of_a_lesson_is_true(lesson: str) -> None:
    with mpmath.workdps(40):
        check_every_partial(worksheet_of(read_lesson(lesson)))


@settings(max_examples=5, deadline=None)
@given(networks().filter(lambda n: sum(map(len, n.biases)) <= 4 and len(n.inputs) <= 2))
def test_every_line_of_every_derivation_of_a_random_network_is_true(network: RandomNetwork) -> None:
    with mpmath.workdps(40):
        check_every_partial(worksheet_of(parse_lesson(network.toml(), "test")))


def test_at_the_corner_of_an_absolute_value_the_choice_of_0_is_said() -> None:
    """d|w|/dw is 1 or -1, and at 0 there is none: a taught form with 0 there is no rearrangement of the one before."""
    text = """format = 1
title = "t"
network = { inputs = ["x"], loss = "squared_error", layers = [{ activation = "linear", weights = [[0.4]] }] }
examples = [{ inputs = [1], targets = [0] }]
training = { learning_rate = 1, l1 = 0.1, l2 = 0.2 }
"""
    worksheet = worksheet_of(parse_lesson(text, "x"))
    local = worksheet.by_name["local(E,W1)"]
    lines = derive(worksheet.by_name["E"], "W1", local.formula)
    at_zero = {s.name: mpmath.mpf(0 if s.name == "W1" else 1) for line in lines for s in line.expression.free_symbols}
    reasons = []
    for before, line in pairwise(lines):
        if at(before.expression, at_zero) != at(line.expression, at_zero):
            reasons.append(line.rule)
    assert reasons == ["0 is chosen at W1 = 0, where there is no derivative"]
    assert at(lines[-1].expression, at_zero) == 0


def test_the_lectures_derivation_of_a_weighted_sum() -> None:
    """Appendix A: sum rule, constants vanish, constant factor, power rule, W1 to the power 0 is 1, X1 remains."""
    worksheet = worksheet_of(read_lesson("perceptron"))
    rules = [line.rule for line in derive(worksheet.by_name["s"], "W1", symbol("X1"))]
    assert rules == [
        "what is asked",
        "sum rule",
        "constant rule",
        "constant factor",
        "power rule",
        "x⁰ = 1",
        "simplify",
    ]


@pytest.mark.parametrize(
    "formula",
    ["1 - a/p", "2 - a*p", "sigmoid(a/(1 - p))", "sigmoid(a)", "-a/(1 - p)", "-(a + 1)", "1 - a", "-a", "1 - a**2*p"],
)
def test_a_negative_number_after_a_minus_stands_in_parentheses(tutor: Tutor, formula: str) -> None:
    """What is substituted can be read aloud and typed into a calculator: no two signs in a row, and the same value."""
    text = f'format = 1\ntitle = "signs"\n[givens]\na = -0.5\np = 0.25\n[equations]\ny = "{formula}"\n'
    (tutor.folder / "signs.toml").write_text(text)
    (step,) = tutor.json("run", "signs.toml")["steps"]
    written = step["substituted"]
    assert not re.search(r"[-+] *-", written), written
    assert eval(written.replace("^", "**"), {"exp": math.exp}) == pytest.approx(float(step["value"]))
