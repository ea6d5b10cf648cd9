"""`--rounding each-step`, held against the standard library's decimal arithmetic rounding line by line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from conftest import ONE_NEURON, Tutor


def by_decimals(digits: int) -> Callable[[Decimal], Decimal]:
    return lambda value: value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)


def by_significant(digits: int) -> Callable[[Decimal], Decimal]:
    def rounded(value: Decimal) -> Decimal:
        return value and value.quantize(Decimal(1).scaleb(value.adjusted() - digits + 1), rounding=ROUND_HALF_EVEN)

    return rounded


def student(r: Callable[[Decimal], Decimal]) -> dict[str, Decimal]:
    """Appendix A by somebody who rounds every line."""
    d = Decimal
    v = {"s": r(d("0.5") * d("0.1") + d("0.2") * d("0.3") + d("1.83"))}
    v["Predicted"] = r(1 / (1 + (-v["s"]).exp()))
    v["E"] = r((d("0.03") - v["Predicted"]) ** 2 / 2)
    v["dE/dPredicted"] = r(v["Predicted"] - d("0.03"))
    v["dPredicted/ds"] = r(v["Predicted"] * (1 - v["Predicted"]))
    v["dE/dW2"] = r(v["dE/dPredicted"] * v["dPredicted/ds"] * d("0.3"))
    v["W2_new"] = r(d("0.2") - d("0.01") * v["dE/dW2"])
    return v


@pytest.mark.parametrize("digits", [2, 3, 4, 7])
@pytest.mark.parametrize("significant", [False, True])
def test_every_line_is_rounded_and_the_next_follows_from_it(tutor: Tutor, digits: int, significant: bool) -> None:
    options = ["--rounding", "each-step", "--digits", str(digits), *(["--significant"] if significant else [])]
    steps = {step["name"]: step for step in tutor.json("run", "perceptron", *options)["steps"]}
    for name, value in student(by_significant(digits) if significant else by_decimals(digits)).items():
        assert Decimal(steps[name]["rounded"]) == value, name
        drift = value - Decimal(steps[name]["value"])
        assert abs(Decimal(steps[name]["drift"]) - drift) <= abs(drift) / 10


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_drift_stands_beside_the_exact_value(tutor: Tutor, width: int) -> None:
    done = tutor("run", "mlp", "--rounding", "each-step", "--width", width)
    assert done.returncode == 0 and "0.116720" in done.stdout and "0.117" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= width


def test_a_rounded_line_that_the_next_cannot_use(tutor: Tutor) -> None:
    text = ONE_NEURON.replace("half_squared_error", "binary_cross_entropy").replace("[[0.5]]", "[[9]]")
    (tutor.folder / "a.toml").write_text(text)
    done = tutor("run", "a.toml", "--rounding", "each-step", "--digits", "2")
    assert done.returncode == 2 and "round to more digits" in done.stderr
