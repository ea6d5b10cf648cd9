"""The straight-line form of training against the worksheet it is compiled from, and against the matrix form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tutor.arithmetic import elementary, scalar
from tutor.arithmetic.exact import as_fraction
from tutor.lesson_format import Lesson, parse_lesson
from tutor.lessons import worksheet_of
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.training.optimization import Optimization, Rules
from tutor.training.sampling import uniforms, words
from tutor.training.straight_line import StraightLine
from tutor.training.systems import ARITHMETICS

Array = Any


def points() -> Array:
    """Numbers of every size, and all those where the functions change from one way of working to another."""
    edges = [0.0, math.inf, math.nan, 5e-324, 1e-310, 2.0**-1022, 1.7976931348623157e308, 1.0, 0.5, 2.0, 0.125, 19.5]
    edges += [708.0, 709.7, 709.78, 709.782712893384, 709.7827128933841, 720.5, 744.4, 745.1332191019412, 746.0]
    edges += [math.nextafter(x, y) for x in (1.0, 0.125, 19.5, 708.0, 0.7071067811865476) for y in (0.0, 30.0, 800.0)]
    steps = np.arange(1.0, 530000.0, 97.0) * (math.log(2) / 512)  # between two steps of the table of exp
    drawn = uniforms(words(1, "data", 0, 100_000))
    return np.concatenate(
        [edges, steps, 750.0 * drawn, 10.0 ** (616.0 * drawn[:50_000] - 308.0), 21.0 * drawn[:40_000]]
    )


@pytest.mark.parametrize("name", ["exp", "log", "tanh"])
def test_a_single_number_gets_the_same_bits_as_an_array(name: str) -> None:
    x = np.concatenate([points(), -points()])
    assert len(x) > 200_000
    with np.errstate(all="ignore"):
        expected = getattr(elementary, name)(x)
    found = np.array([getattr(scalar, name)(value) for value in x.tolist()])
    same = (expected.view(np.int64) == found.view(np.int64)) | (np.isnan(expected) & np.isnan(found))
    assert same.all(), x[~same][:5]


LESSON = """format = 1
title = "t"
network = {{ inputs = ["x1", "x2"], loss = "{loss}", layers = [
  {{ activation = "{hidden}", weights = [[0.3, -0.2], [0.5, 0.7]], biases = [0.1, -0.4] }},
  {{ activation = "{output}", weights = [[0.6, -0.9]{second}], biases = [0.2{bias}] }},
] }}
examples = [
  {{ inputs = [0.5, -1], targets = [{one}] }}, {{ inputs = [1.5, 2], targets = [{two}] }},
  {{ inputs = [-0.7, 0.4], targets = [{one}] }},
]
training = {{ learning_rate = 0.1, epochs = 7, {more} }}
"""


def lesson(
    optimizer: str = "sgd",
    hidden: str = "tanh",
    output: str = "sigmoid",
    loss: str = "half_squared_error",
    more: str = "",
) -> Lesson:
    several = output == "softmax"
    words_of = {"second": ", [-0.3, 0.8]", "bias": ", -0.1", "one": "1, 0", "two": "0.25, 0.75"}
    words_of = words_of if several else {"second": "", "bias": "", "one": "1", "two": "0.25"}
    more = f'optimizer = "{optimizer}"' + (f", {more}" if more else "")
    return parse_lesson(LESSON.format(loss=loss, hidden=hidden, output=output, more=more, **words_of), "t")


def line_of(found: Lesson, arithmetic: str = "reproducible", size: int | None = None) -> StraightLine:
    x = np.array([[float(v) for v in e.inputs] for e in found.examples]).T
    targets = np.array([[float(v) for v in e.targets] for e in found.examples]).T
    assert found.training is not None
    size = size or (1 if found.training.batch == "online" else len(found.examples))
    return StraightLine(found, x, targets, size, arithmetic)


def rates(found: Lesson, epochs: int) -> list[float]:
    """The learning rate of every epoch, as the matrix form has it."""
    training = found.training
    assert training is not None and training.learning_rate is not None
    texts = {name: str(float(value)) for name, value in training.schedule_settings.items()}
    rules = Rules(learning_rate=float(training.learning_rate), schedule=training.schedule, schedule_settings=texts)
    optimization = Optimization(rules, 1, np.array([True]), ARITHMETICS["fast"])
    return [optimization.rate(epoch) for epoch in range(epochs)]


def same_as_the_worksheet(found: Lesson, arithmetic: str, tolerance: float = 1e-12) -> None:
    """Every parameter after every update, against the exact values of the worksheet."""
    assert found.training is not None
    worksheet, line = worksheet_of(found, "delta"), line_of(found, arithmetic)
    online = found.training.batch == "online" and len(found.examples) > 1
    groups = [[e] for e in range(len(found.examples))] if online else [list(range(len(found.examples)))]
    by_epoch = rates(found, found.training.epochs)
    assert {name for name, _ in worksheet.updated} == set(line.parameters)
    count = found.training.epochs * len(groups)
    for k in range(count):
        line.run([groups[k % len(groups)]], [by_epoch[k // len(groups)]])
        names = [f"{p}[{k + 1}]" if count > 1 else f"{p}_new" for p in line.parameters]
        true = [float(as_fraction(worksheet.values[name])) for name in names]
        assert line.vector == pytest.approx(true, rel=tolerance, abs=tolerance), k
    assert line.updates == count and not line.failed


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("batch", ["mean", "sum", "online"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_moves_as_on_the_worksheet(optimizer: str, batch: str, arithmetic: str) -> None:
    same_as_the_worksheet(lesson(optimizer, more=f'batch = "{batch}"'), arithmetic, 1e-11)


@pytest.mark.parametrize("batch", ["mean", "online"])
@pytest.mark.parametrize(
    "more",
    [
        "l1 = 0.01, l2 = 0.02",
        "l1 = 0.3, proximal = true",
        "clip_norm = 0.05",
        "clip_value = 0.02",
        'schedule = "inverse_time"',
        'schedule = "cosine"',
        'schedule = "step", schedule_settings = { every = 2 }',
        'rule = "delta"',
        "update_biases = false",
        "rates = { h = 0 }",
        "rates = { h = 0.5, out = 2 }",
    ],
)
def test_what_else_a_lesson_may_ask_for(more: str, batch: str) -> None:
    same_as_the_worksheet(lesson(more=f'{more}, batch = "{batch}"'), "reproducible")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("output", ["linear", "sigmoid", "tanh", "softmax", "softplus"])
def test_every_loss_with_what_it_goes_with(loss: str, output: str) -> None:
    if (loss == "cross_entropy" and output != "softmax") or (
        loss == "binary_cross_entropy" and output not in ("sigmoid", "softmax")
    ):
        return
    for rule in ("gradient", "delta"):
        same_as_the_worksheet(lesson(output=output, loss=loss, more=f'batch = "online", rule = "{rule}"'), "fast")


@pytest.mark.parametrize("hidden", [name for name, entry in ACTIVATIONS.items() if entry.slope])
def test_every_activation(hidden: str) -> None:
    same_as_the_worksheet(lesson(hidden=hidden), "reproducible")


UNUSUAL = """format = 1
title = "t"
[givens]
tied = 0.3
held = -0.2
[network]
inputs = ["if_", "E_1"]
targets = ["lambda1", "exp"]
loss = "squared_error"
[[network.layers]]
name = "low"
activation = "tanh"
neurons = ["in1", "h", "v0"]
weights = [["tied", 0.4], ["", "tied"], [0.7, "held"]]
{first}
[[network.layers]]
activation = "elu"
alpha = 0.5
weights = [["tied", 0.1, -0.3], [0.9, "", 0.2]]
{second}
[[examples]]
inputs = [0.5, -1]
targets = [1, 0.25]
[[examples]]
inputs = [-0.7, 0.4]
targets = [-0.5, 0]
[training]
learning_rate = 0.2
epochs = 3
batch = "{batch}"
{more}
"""


@pytest.mark.parametrize("batch", ["mean", "online"])
@pytest.mark.parametrize(
    ("first", "second", "more"),
    [
        ("thresholds = [0.1, -0.3, 0.2]", "bias = 0.4", ""),
        ("bias = -0.1", 'biases = [0.3, ""]', 'optimizer = "momentum"'),
        ("", "", "rates = { low = 0 }"),
        ("", 'thresholds = ["tied", 0.3]', 'rule = "delta"'),
        ("biases = [0, 0.1, 0.2]", "", "l2 = 0.1"),
    ],
)
def test_tied_and_absent_weights_thresholds_and_names_that_python_has_taken(
    first: str, second: str, more: str, batch: str
) -> None:
    found = parse_lesson(UNUSUAL.format(first=first, second=second, more=more, batch=batch), "t")
    same_as_the_worksheet(found, "reproducible")


PERCEPTRON = """format = 1
title = "t"
network = {{ inputs = ["x1", "x2"], layers = [ {{ activation = "{activation}", weights = [[0.1, -0.3]{second}], {bias} }} ] }}
examples = [
  {{ inputs = [0, 0], targets = [{low}{zero}] }}, {{ inputs = [0, 1], targets = [{low}{one}] }},
  {{ inputs = [1, 0], targets = [{low}{one}] }}, {{ inputs = [1, 1], targets = [1{one}] }},
]
training = {{ rule = "perceptron", learning_rate = 0.25, max_epochs = 20, {more} }}
"""


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("activation", "bias", "more"),
    [
        ("step", "biases = [0.2{again}]", 'stop = "clean_epoch"'),
        ("sign", "thresholds = [0.2{again}]", 'stop = "clean_epoch"'),
        ("step", "thresholds = [0.2{again}]", 'stop = "clean_epoch", fires = "s > 0"'),
        ("step", "biases = [0.2{again}]", 'stop = "max_epochs", fires = "s > 0.5"'),
    ],
)
def test_the_perceptron_rule_ends_where_its_worksheet_does(
    activation: str, bias: str, more: str, several: bool
) -> None:
    low = "0" if activation == "step" else "-1"
    words_of = (
        {"second": ", [0.4, 0.2]", "zero": f", {low}", "one": ", 1"}
        if several
        else dict.fromkeys(("second", "zero", "one"), "")
    )
    bias = bias.format(again=", 0.1" if several else "")
    found = parse_lesson(PERCEPTRON.format(activation=activation, bias=bias, more=more, low=low, **words_of), "t")
    worksheet, line = worksheet_of(found), line_of(found)
    losses = line.run([range(4)] * 20, [0.25] * 20)
    wrong: list[set[int]] = [set() for _ in losses]
    for step in worksheet.steps:
        if step.stage == "loss" and worksheet.values[step.name]:
            epoch, example = (int(part.split(" ")[-1]) for part in step.part.split(", "))
            wrong[epoch - 1].add(example)
    assert losses == [len(examples) for examples in wrong] and not line.failed
    last = {p: float(as_fraction(worksheet.values[name])) for p, name in worksheet.updated}
    assert dict(zip(line.parameters, line.vector.tolist(), strict=True)) == pytest.approx(last, abs=1e-14)
    if losses[-1] == 0:
        x = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
        assert line.outputs(x).T.tolist() == [[float(t) for t in e.targets] for e in found.examples]
