"""Worked examples from elsewhere, with the numbers that their authors print."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tutor.lesson_format import parse_lesson
from tutor.lessons import worksheet_of
from tutor.views.rounding import full

MAZUR = """format = 1
title = "A step by step backpropagation example"
source = "Matt Mazur, mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example"
[givens]
b1 = 0.35
b2 = 0.60
[network]
inputs = ["i1", "i2"]
loss = "half_squared_error"
[[network.layers]]
neurons = ["h1", "h2"]
activation = "sigmoid"
weights = [[0.15, 0.20], [0.25, 0.30]]
biases = ["b1", "b1"]
[[network.layers]]
neurons = ["o1", "o2"]
activation = "sigmoid"
weights = [[0.40, 0.45], [0.50, 0.55]]
biases = ["b2", "b2"]
[[examples]]
inputs = [0.05, 0.10]
targets = [0.01, 0.99]
[training]
learning_rate = 0.5
update_biases = false
"""
MAZUR_PRINTS = {
    "h1_in": "0.3775", "h1_out": "0.593269992", "h2_out": "0.596884378", "o1_in": "1.105905967", "o1_out": "0.75136507",
    "o2_out": "0.772928465", "E": "0.298371109", "dE/do1_out": "0.74136507", "do1_out/do1_in": "0.186815602",
    "dE/dW5": "0.082167041", "dh1_out/dh1_in": "0.241300709", "dE/dW1": "0.000438568",
    "W5_new": "0.35891648", "W6_new": "0.408666186", "W7_new": "0.511301270", "W8_new": "0.561370121",
    "W1_new": "0.149780716", "W2_new": "0.19956143", "W3_new": "0.24975114", "W4_new": "0.29950229",
}  # fmt: skip


@pytest.mark.parametrize(("name", "printed"), MAZUR_PRINTS.items())
@pytest.mark.parametrize("chain", ["full", "delta"])
def test_mazur(name: str, printed: str, chain: str) -> None:
    """Two outputs, a bias shared by each layer, biases left alone; he prints nine decimals."""
    worksheet = worksheet_of(parse_lesson(MAZUR, "mazur.toml"), chain)
    value = Decimal(full(worksheet.values[name]))
    unit = Decimal(1).scaleb(Decimal(printed).as_tuple().exponent)
    assert abs(value - Decimal(printed)) <= unit  # the last digit of some of his values is cut, not rounded


def test_mazurs_error_after_the_update() -> None:
    """He prints 0.291027924. The update with his own numbers in full gives 0.291027774: his seventh digit is off."""
    from math import exp

    def sigmoid(z: float) -> float:
        return 1 / (1 + exp(-z))

    new = [float(MAZUR_PRINTS[f"W{i}_new"]) for i in range(1, 9)]
    h1, h2 = (sigmoid(new[i] * 0.05 + new[i + 1] * 0.10 + 0.35) for i in (0, 2))
    o1, o2 = (sigmoid(new[i] * h1 + new[i + 1] * h2 + 0.60) for i in (4, 6))
    by_hand = ((0.01 - o1) ** 2 + (0.99 - o2) ** 2) / 2
    exact = worksheet_of(parse_lesson(MAZUR, "mazur.toml")).values["E_after"]
    assert abs(Decimal(full(exact)) - Decimal(by_hand)) < Decimal("2e-9")
    assert abs(Decimal(full(exact)) - Decimal("0.291027924")) < Decimal("2e-7")
