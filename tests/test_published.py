"""Worked examples from elsewhere, with the numbers that their authors print."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.views.numbers import full

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


HAN = """format = 1
title = "Sample calculations for learning by backpropagation"
source = "Han, Kamber and Pei, Data Mining, 3rd edition, chapter 9, tables 9.1 to 9.4"
givens = { w14 = 0.2, w15 = -0.3, w24 = 0.4, w25 = 0.1, w34 = -0.5, w35 = 0.2, w46 = -0.3, w56 = -0.2, theta4 = -0.4, theta5 = 0.2, theta6 = 0.1 }
[network]
inputs = ["x1", "x2", "x3"]
targets = ["T"]
loss = "half_squared_error"
[[network.layers]]
neurons = [{ sum = "I4", output = "O4" }, { sum = "I5", output = "O5" }]
activation = "sigmoid"
weights = [["w14", "w24", "w34"], ["w15", "w25", "w35"]]
biases = ["theta4", "theta5"]
[[network.layers]]
neurons = [{ sum = "I6", output = "O6" }]
activation = "sigmoid"
weights = [["w46", "w56"]]
biases = ["theta6"]
[[examples]]
inputs = [1, 0, 1]
targets = [1]
[training]
learning_rate = 0.9
rule = "delta"
"""
HAN_PRINTS = {
    "I4": "-0.7", "I5": "0.1", "I6": "-0.105", "O4": "0.332", "O5": "0.525", "O6": "0.474",
    "delta_O6": "0.1311", "delta_O5": "-0.0065", "delta_O4": "-0.0087",
    "w46_new": "-0.261", "w56_new": "-0.138", "w14_new": "0.192", "w15_new": "-0.306", "w24_new": "0.4", "w25_new": "0.1",
    "w34_new": "-0.508", "w35_new": "0.194", "theta6_new": "0.218", "theta5_new": "0.194", "theta4_new": "-0.408",
}  # fmt: skip


@pytest.mark.parametrize(("name", "printed"), HAN_PRINTS.items())
def test_han_kamber_and_pei(name: str, printed: str) -> None:
    """The delta rule with errors Err_j, names of the book's own; it rounds each line to three or four decimals."""
    value = Decimal(full(worksheet_of(parse_lesson(HAN, "han.toml")).values[name]))
    assert abs(value - Decimal(printed)) <= Decimal(1).scaleb(Decimal(printed).as_tuple().exponent)


SOFTMAX_IMAGE = """format = 1
title = "A softmax classifier for one image of four pixels"
source = "CS231n, Linear Classification, the figure that compares SVM and softmax"
[network]
inputs = ["x0", "x1", "x2", "x3"]
loss = "cross_entropy"
[[network.layers]]
neurons = [{ sum = "f0", output = "p0" }, { sum = "f1", output = "p1" }, { sum = "f2", output = "p2" }]
activation = "softmax"
weights = [[0.01, -0.05, 0.1, 0.05], [0.7, 0.2, 0.05, 0.16], [0.0, -0.45, -0.2, 0.03]]
biases = [0.0, 0.2, -0.3]
[[examples]]
inputs = [-15, 22, -44, 56]
targets = [0, 0, 1]
"""


@pytest.mark.parametrize(
    ("name", "printed"),
    [("f0", "-2.85"), ("f1", "0.86"), ("f2", "0.28"), ("p0", "0.016"), ("p1", "0.631"), ("p2", "0.353"), ("E", "1.04")],
)
def test_the_softmax_classifier_of_cs231n(name: str, printed: str) -> None:
    """Scores, probabilities and the loss with the natural logarithm; nothing is trained there."""
    value = Decimal(full(worksheet_of(parse_lesson(SOFTMAX_IMAGE, "softmax.toml")).values[name]))
    assert abs(value - Decimal(printed)) <= Decimal(1).scaleb(Decimal(printed).as_tuple().exponent)


SIGMOID_CIRCUIT = """format = 1
title = "A sigmoid, gate by gate"
source = "CS231n, Backpropagation, Intuitions: the sigmoid example"
givens = { w0 = 2, x0 = -1, w1 = -3, x1 = -2, w2 = -3 }
equations = [
  { name = "dot", formula = "w0*x0 + w1*x1 + w2" },
  { name = "e", formula = "exp(-dot)" },
  { name = "plus1", formula = "e + 1" },
  { name = "f", formula = "1/plus1" },
]
differentiate = { of = "f", wrt = ["plus1", "e", "dot", "w0", "x0", "w1", "x1", "w2"] }
"""
GATES = [("f", "0.73"), ("df/dplus1", "-0.53"), ("df/de", "-0.53"), ("df/ddot", "0.20"), ("df/dw0", "-0.20"), ("df/dx0", "0.39"), ("df/dw1", "-0.39"), ("df/dx1", "-0.59"), ("df/dw2", "0.20")]  # fmt: skip


@pytest.mark.parametrize(("name", "printed"), GATES)
def test_the_sigmoid_circuit_of_cs231n(name: str, printed: str) -> None:
    """Free equations with a gradient at every gate, printed with two decimals."""
    value = Decimal(full(worksheet_of(parse_lesson(SIGMOID_CIRCUIT, "circuit.toml"), "delta").values[name]))
    assert abs(value - Decimal(printed)) <= Decimal("0.0051")
