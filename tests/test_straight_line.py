"""The straight-line form of training against the worksheet it is compiled from, and against the matrix form."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from hypothesis import given, settings
from hypothesis import strategies as st
from variants import VARIANTS, in_toml, named, typed

from tutor.data.sampling import normals, permutation, random_bits, uniforms
from tutor.errors import TutorError
from tutor.lessons.find import worksheet_of
from tutor.lessons.format import Lesson
from tutor.lessons.read import parse_lesson
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.numbers import reproducible_scalars
from tutor.numbers.arrays import ARITHMETICS
from tutor.numbers.exact import as_fraction
from tutor.training.architecture import Architecture
from tutor.training.from_lesson import problem_of
from tutor.training.matrix.network import Network
from tutor.training.matrix.optimizer import MatrixOptimizer
from tutor.training.preparation import rows_with_ones
from tutor.training.settings import Settings
from tutor.training.straight_line.engine import StraightLine
from tutor.worksheet.problem import Training

Array = Any


def points() -> Array:
    """Numbers of every size, and all those where the functions change from one way of working to another."""
    edges = [0.0, math.inf, math.nan, 5e-324, 1e-310, 2.0**-1022, 1.7976931348623157e308, 1.0, 0.5, 2.0, 0.125, 19.5]
    edges += [708.0, 709.7, 709.78, 709.782712893384, 709.7827128933841, 720.5, 744.4, 745.1332191019412, 746.0]
    edges += [math.nextafter(x, y) for x in (1.0, 0.125, 19.5, 708.0, 0.7071067811865476) for y in (0.0, 30.0, 800.0)]
    steps = np.arange(1.0, 530000.0, 97.0) * (math.log(2) / 512)  # between two steps of the table of exp
    drawn = uniforms(random_bits(1, "data", 0, 100_000))
    return np.concatenate(
        [edges, steps, 750.0 * drawn, 10.0 ** (616.0 * drawn[:50_000] - 308.0), 21.0 * drawn[:40_000]]
    )


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "erf"])
def test_a_single_number_gets_the_same_bits_as_an_array(name: str) -> None:
    x = np.concatenate([points(), -points()])
    assert len(x) > 200_000
    with np.errstate(all="ignore"):
        expected = getattr(ARITHMETICS["reproducible"], name)(x)
    single = getattr(reproducible_scalars, name, None) or getattr(reproducible_scalars.Reproducible, name)
    found = np.array([single(value) for value in x.tolist()])
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
training = {{ learning_rate = 0.1, epochs = 3, {more} }}
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


def trained_by(optimizer: str, rate: float, settings: dict[str, Any] | None = None, **more: Any) -> Training:
    """How the options of a training change parameters."""
    return Settings(optimizer=optimizer, learning_rate=rate, optimizer_setting=typed(settings or {}), **more).training


def size_of(found: Lesson) -> int:
    """How many examples an update has."""
    assert found.training is not None
    batch = found.training.batch
    return batch if isinstance(batch, int) else 1 if batch == "online" else len(found.examples)


def line_of(found: Lesson, arithmetic: str = "reproducible", size: int | None = None) -> StraightLine:
    x = np.array([[float(v) for v in e.inputs] for e in found.examples]).T
    targets = np.array([[float(v) for v in e.targets] for e in found.examples]).T
    assert found.training is not None
    size = size or size_of(found)
    return StraightLine(found, x, targets, size, arithmetic)


def rates(found: Lesson, epochs: int) -> list[float]:
    """The learning rate of every epoch, as the matrix form has it."""
    training = found.training
    assert training is not None and training.learning_rate is not None
    optimization = MatrixOptimizer(training, 1, np.array([True]), ARITHMETICS["fast"])
    return [optimization.rate(epoch) for epoch in range(epochs)]


def same_as_the_worksheet(found: Lesson, tolerance: float = 1e-12) -> None:
    """Every parameter after every update, in both arithmetics, against the exact values of the worksheet."""
    assert found.training is not None
    worksheet = worksheet_of(found, "delta")
    every, size = list(range(len(found.examples))), size_of(found)
    groups = [every[first : first + size] for first in range(0, len(every), size)]
    by_epoch = rates(found, found.training.epochs)
    count = found.training.epochs * len(groups)
    for line in (line_of(found, arithmetic) for arithmetic in ARITHMETICS):
        assert {name for name, _ in worksheet.updated} == set(line.parameters)
        for k in range(count):
            line.run([groups[k % len(groups)]], [by_epoch[k // len(groups)]])
            names = [f"{p}[{k + 1}]" if count > 1 else f"{p}_new" for p in line.parameters]
            true = [float(as_fraction(worksheet.values[name])) for name in names]
            assert line.vector == pytest.approx(true, rel=tolerance, abs=tolerance), k
        assert line.updates == count and not line.failed


@pytest.mark.parametrize("batch", ['"mean"', '"online"', "2"])
@pytest.mark.parametrize(("optimizer", "settings"), VARIANTS, ids=named)
def test_every_optimizer_moves_as_on_the_worksheet(optimizer: str, settings: dict[str, Any], batch: str) -> None:
    same_as_the_worksheet(lesson(optimizer, more=f"batch = {batch}, settings = {in_toml(settings)}"), 1e-11)


BEFORE = {"m": 0.1, "v": 0.3, "v_max": 0.4, "r": 0.5, "u": 0.01, "a": 0.05, "b": 0.2, "product": 0.3, "change": -0.1,
          "E_before": 0.4}  # fmt: skip


@pytest.mark.parametrize(("optimizer", "settings"), [pair for pair in VARIANTS if pair[0] != "sgd"], ids=named)
def test_every_optimizer_goes_on_from_a_given_state(optimizer: str, settings: dict[str, Any]) -> None:
    variant = OPTIMIZERS[optimizer].variant(settings)
    own = {
        f"{name}_{p}": BEFORE[name]
        for name in variant.state
        for p in ["W1", "W2", "W3", "W4", "W5", "W6", "b1", "b2", "b3"]
    }
    state = own | {name: BEFORE[name] for name in variant.shared_state if name != "eta"} | {"t": 3}
    same_as_the_worksheet(lesson(optimizer, more=f"settings = {in_toml(settings)}, state = {in_toml(state)}"), 1e-11)


@pytest.mark.parametrize("batch", ['"sum"', '"online"', '2, reduction = "sum"'])
@pytest.mark.parametrize(
    "more",
    [
        "l1 = 0.01, l2 = 0.02",
        "l1 = 0.3, proximal = true",
        "elastic_net = 0.1, penalty_settings = { l1_ratio = 0.3 }",
        "elastic_net = 0.3, proximal = true",
        "clip_norm = 0.05",
        "clip_value = 0.02",
        'schedule = "inverse_time"',
        'schedule = "cosine"',
        'schedule = "step", schedule_settings = { every = 2 }',
        'rule = "delta"',
        "rates = { out = 2 }",
        "update_biases = false",
        "rates = { h = 0 }",
        "rates = { h = 0.5, out = 2 }",
    ],
)
def test_what_else_a_lesson_may_ask_for(more: str, batch: str) -> None:
    same_as_the_worksheet(lesson(more=f"{more}, batch = {batch}"))


def test_a_lesson_is_trained_by_so_many_examples_at_a_time(tutor: Tutor) -> None:
    """Three epochs of two updates each, as on its worksheet; the loss is that of the last epoch's updates. A setting on the command line goes before the lesson's."""
    text = LESSON.format(loss="half_squared_error", hidden="tanh", output="sigmoid", second="", bias="", one="1", two="0.25",
                         more="batch = 2")  # fmt: skip
    (tutor.folder / "l.toml").write_text(text)
    trained = tutor.json("train", "l.toml", "--epochs", "3")
    assert trained["updates"] == 6
    steps = {s["name"]: float(s["value"]) for s in tutor.json("run", "l.toml")["steps"]}
    assert trained["loss"] == pytest.approx(sum(steps[n] for n in ("E@1[5]", "E@2[5]", "E@3[6]")) / 3, rel=1e-12)
    assert tutor.json("train", "l.toml", "--epochs", "3", "--batch-size", "3")["updates"] == 3


def test_a_network_that_is_only_run_forward_is_not_trained(tutor: Tutor) -> None:
    text = LESSON.format(
        loss="squared_error", hidden="step", output="linear", second="", bias="", one="1", two="0.25", more=""
    )
    (tutor.folder / "l.toml").write_text(text[: text.index("training")])
    assert tutor("run", "l.toml").returncode == 0
    for command in (("train", "l.toml"), ("prove", "l.toml"), ("why", "l.toml", "dE/dW1")):
        done = tutor(*command)
        assert done.returncode in (2, 3) and "perceptron rule" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("output", ["linear", "sigmoid", "tanh", "softmax", "softplus"])
def test_every_loss_with_what_it_goes_with(loss: str, output: str) -> None:
    if (loss == "cross_entropy" and output != "softmax") or (
        loss == "binary_cross_entropy" and output not in ("sigmoid", "softmax")
    ):
        return
    for rule in ("gradient", "delta"):
        same_as_the_worksheet(lesson(output=output, loss=loss, more=f'batch = "online", rule = "{rule}"'))


@pytest.mark.parametrize("hidden", [name for name, entry in ACTIVATIONS.items() if entry.slope])
def test_every_activation(hidden: str) -> None:
    same_as_the_worksheet(lesson(hidden=hidden))


UNUSUAL = """format = 1
title = "t"
[givens]
tied = 0.3
held = -0.2
[network]
inputs = ["t", "E_1"]
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
        ("", "", 'rates = { low = 0 }\noptimizer = "adam"'),
        ("bias = 0.1", "bias = 0.2", 'optimizer = "adaptive_sign"'),
        ("", 'thresholds = ["tied", 0.3]', 'rule = "delta"'),
        ("biases = [0, 0.1, 0.2]", "", "l2 = 0.1"),
    ],
)
def test_tied_and_absent_weights_thresholds_and_names_that_python_has_taken(
    first: str, second: str, more: str, batch: str
) -> None:
    found = parse_lesson(UNUSUAL.format(first=first, second=second, more=more, batch=batch), "t")
    same_as_the_worksheet(found)


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
    shown = line.worksheet([1], 5)
    assert {shown.givens[p] for p in line.parameters} == {Fraction(v) for v in line.vector.tolist()}
    assert {p for p, _ in shown.updated} == set(line.parameters)
    if losses[-1] == 0:
        x = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
        assert line.outputs(x).T.tolist() == [[float(t) for t in e.targets] for e in found.examples]


def matrix_form(
    shape: Architecture, vector: Array, rules: Training, x: Array, targets: Array, size: int, arithmetic: str
) -> Any:
    """One epoch after the other in matrix form: its parameters and its loss after each."""
    system, count = ARITHMETICS[arithmetic], x.shape[1]
    network = Network(shape, system, vector.copy(), np.empty(len(vector)))
    optimization = MatrixOptimizer(rules, len(vector), shape.weights(), system)
    examples, epoch = system.examples(rows_with_ones(x.T), False), 0
    while True:
        total = 0.0
        for start in range(0, count, size):
            asked = targets[:, start : start + size]
            network.forward(examples.take(np.arange(count)[start : start + size]))
            loss = network.loss.mean(network.loss_inputs, asked)
            network.backward(asked)
            optimization.step(network.vector, network.gradient, loss + optimization.penalty(network.vector), epoch)
            total += loss * asked.shape[1]
        epoch += 1
        yield network.vector, total / count, optimization.rate(epoch - 1)


def same_as_the_matrix_form(
    shape: Architecture, rules: Training, count: int, size: int, arithmetic: str, updates: int = 20, seed: int = 1
) -> None:
    vector = 0.7 * normals(random_bits(seed, "weights", 0, shape.count))
    x = normals(random_bits(seed, "data", 0, count * shape.sizes[0])).reshape(shape.sizes[0], count)
    targets = uniforms(random_bits(seed, "data", 1, count * shape.sizes[-1])).reshape(shape.sizes[-1], count)
    if shape.activations[-1] == "softmax":
        targets = (targets == targets.max(axis=0)).astype(float)
    line = StraightLine(problem_of(shape, vector, rules), x, targets, size, arithmetic)
    assert np.array_equal(line.vector, vector)
    matrix = matrix_form(shape, vector, rules, x, targets, size, arithmetic)
    for _ in range(updates):
        expected, loss, rate = next(matrix)
        assert line.run([range(count)], [rate]) == pytest.approx([loss], rel=1e-12, abs=1e-12)
        assert line.vector == pytest.approx(expected, rel=1e-12, abs=1e-12)
    system = ARITHMETICS[arithmetic]
    network = Network(shape, system, line.vector, np.empty(len(vector)))
    expected = network.forward(system.examples(rows_with_ones(x.T), False).take(np.arange(count)))
    assert line.outputs(x) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(("count", "size"), [(1, 1), (5, 1), (5, 2), (4, 4)])
@pytest.mark.parametrize(
    "rules",
    [
        *(trained_by(name, 0.05, settings) for name, settings in VARIANTS),
        trained_by("adam", 0.05, l1=0.01, l2=0.02),
        trained_by("sgd", 0.3, clip_norm=0.1),
        trained_by("rmsprop", 0.05, clip_value=0.05, l2=0.1),
        trained_by("adaptive_sign", 0.05, l2=0.1),
        trained_by("sgd", 0.3, schedule="exponential"),
    ],
    ids=lambda rules: f"{rules.optimizer}-{named(rules.settings)}-{rules.l2}-{rules.clip_norm}",
)
def test_the_matrix_form_moves_the_same(rules: Training, count: int, size: int, arithmetic: str) -> None:
    same_as_the_matrix_form(
        Architecture((3, 3, 2), ("tanh", "softmax"), "cross_entropy"), rules, count, size, arithmetic
    )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", [name for name, entry in ACTIVATIONS.items() if entry.slope])
def test_the_matrix_form_agrees_for_every_activation_and_loss(activation: str, loss: str) -> None:
    output = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(loss, activation)
    same_as_the_matrix_form(
        Architecture((2, 3, 2), (activation, output), loss), trained_by("sgd", 0.05), 3, 1, "reproducible"
    )


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_network_in_both_forms(data: st.DataObject) -> None:
    sizes = tuple(data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=5)))
    useful = [name for name, entry in ACTIVATIONS.items() if entry.slope]
    hidden = [data.draw(st.sampled_from(useful)) for _ in sizes[2:]]
    pairs = [("softmax", "cross_entropy"), ("softmax", "squared_error"), ("sigmoid", "binary_cross_entropy")]
    pairs += [(a, loss) for a in useful for loss in ("half_squared_error", "squared_error", "mean_squared_error")]
    last, loss = data.draw(st.sampled_from([p for p in pairs if (p[0] == "softmax") <= (sizes[-1] > 1)]))
    name, chosen = data.draw(st.sampled_from(VARIANTS))
    rules = trained_by(name, 0.01, chosen, l2=data.draw(st.sampled_from([0.0, 0.1])))
    count = data.draw(st.integers(1, 7))
    size, seed = data.draw(st.integers(1, count)), data.draw(st.integers(0, 1000))
    shape = Architecture(sizes, (*hidden, last), loss)
    same_as_the_matrix_form(shape, rules, count, size, data.draw(st.sampled_from([*ARITHMETICS])), 5, seed)


def xor(arithmetic: str = "fast", rate: float = 0.5, optimizer: str = "sgd", **more: Any) -> StraightLine:
    shape = Architecture((2, 2, 1), ("sigmoid", "sigmoid"), more.pop("loss", "half_squared_error"))
    vector = 2.0 * normals(random_bits(4, "weights", 0, 9))
    x, targets = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
    return StraightLine(problem_of(shape, vector, trained_by(optimizer, rate, **more)), x, targets, 1, arithmetic)


def orders(count: int, first: int = 1) -> list[list[int]]:
    return [permutation(random_bits(1, "shuffle", epoch, 4)).tolist() for epoch in range(first, first + count)]


def test_xor_is_learned() -> None:
    line = xor(rate=1.0)
    losses = line.run(orders(2000), [1.0] * 2000)
    assert losses[-1] < 0.01 < losses[0] and len(losses) == 2000 and line.updates == 8000
    assert (line.outputs(np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])) > 0.5).tolist() == [
        [False, True, True, False]
    ]


@pytest.mark.parametrize(("optimizer", "settings"), VARIANTS, ids=named)
def test_a_training_in_pieces_is_the_same_to_the_last_bit(optimizer: str, settings: dict[str, Any]) -> None:
    """Whatever the pieces, and also where a state was saved and read again by another object."""
    whole, first, second = (xor("reproducible", 0.1, optimizer, settings=settings) for _ in range(3))
    losses = whole.run(orders(30), [0.1] * 30)
    found = first.run(orders(11), [0.1] * 11)
    second.vector, before = first.vector, first.state()
    second.restore(before)
    found += second.run(orders(19, 12), [0.1] * 19)
    assert losses == found and np.array_equal(whole.vector, second.vector) and whole.state() == second.state()
    assert before["updates"] == 44 and whole.updates == 120


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [("sgd", {}), ("adam", {}), ("adaptive_sign", {}), ("nadam", {"momentum_schedule": True})],
    ids=named,
)
@pytest.mark.parametrize("size", [1, 3])
def test_the_worksheet_of_any_update_is_what_the_training_does_next(
    optimizer: str, settings: dict[str, Any], size: int
) -> None:
    shape = Architecture((2, 2, 3), ("tanh", "softmax"), "cross_entropy")
    rules = trained_by(
        optimizer, 0.3, settings, schedule="constant" if optimizer == "adaptive_sign" else "inverse_time", l2=0.01
    )
    vector = normals(random_bits(1, "weights", 0, shape.count))
    x, targets = normals(random_bits(1, "data", 0, 14)).reshape(2, 7), np.eye(3)[:, [0, 1, 2, 0, 1, 2, 0]]
    line = StraightLine(problem_of(shape, vector, rules), x, targets, size, "reproducible")
    rate = MatrixOptimizer(rules, 1, np.array([True]), ARITHMETICS["fast"]).rate
    line.run([range(7)] * 3, [rate(e) for e in range(3)])
    line.run([range(6)], [rate(3)])
    worksheet = line.worksheet([6], 3)
    exact = [float(as_fraction(worksheet.values[f"{p}_new"])) for p in line.parameters]
    assert line.vector.tolist() == [float(worksheet.givens[p]) for p in line.parameters]
    if size == 1:
        line.run([[6]], [rate(3)])
        assert line.vector == pytest.approx(exact, rel=1e-13) and line.updates == 28
    if size == 3:
        with pytest.raises(ValueError, match="no group of this training"):
            line.run([range(5)], [0.1])
    whole = line.worksheet([2, 0, 1], 4, "delta")
    assert whole.by_name["W1_new"].stage == "update" and len(whole.outcomes) == 1


@pytest.mark.filterwarnings("ignore:overflow encountered in exp")
def test_saturated_outputs_train_on() -> None:
    """Sums of ±1000, which overflow exp, and outputs that are 0 and 1 to the last bit."""
    for last, loss, outputs in (
        ("softmax", "cross_entropy", 2),
        ("sigmoid", "binary_cross_entropy", 2),
        ("softplus", "half_squared_error", 1),
    ):
        shape = Architecture((1, outputs), (last,), loss)
        vector = np.array([1000.0, 0.0, -1000.0, 0.0][: 2 * outputs])
        for target in (0.0, 1.0):
            targets = np.array([[target, 1.0 - target][:outputs]]).T
            for x in (1.0, -1.0):
                for arithmetic in ARITHMETICS:
                    rules = trained_by("sgd", 0.001)
                    line = StraightLine(problem_of(shape, vector, rules), np.array([[x]]), targets, 1, arithmetic)
                    loss_of = line.run([[0]] * 2, [0.001] * 2)
                    assert not line.failed and all(map(math.isfinite, [*loss_of, *line.vector]))
                    matrix = matrix_form(shape, vector, rules, np.array([[x]]), targets, 1, arithmetic)
                    assert next(matrix)[1] == pytest.approx(loss_of[0], rel=1e-4, abs=1e-11)
                    assert line.vector == pytest.approx(next(matrix)[0], rel=1e-12)


def test_the_functions_that_raise_give_way_without_a_trace() -> None:
    """The careful functions have the same values: it does not matter when the training changes to them."""
    line, careful = xor("fast", 300.0, loss="binary_cross_entropy"), xor("fast", 300.0, loss="binary_cross_entropy")
    careful._run = careful._loop.function(reproducible_scalars.Fast)
    losses = line.run(orders(200), [300.0] * 200)
    assert losses == careful.run(orders(200), [300.0] * 200) and np.array_equal(line.vector, careful.vector)


def test_a_training_that_fails_says_where() -> None:
    shape = Architecture((1, 1), ("linear",), "half_squared_error")
    problem = problem_of(shape, np.array([1.0, 0.0]), trained_by("sgd", 10.0))
    line = StraightLine(problem, np.array([[3.0, 4.0]]), np.array([[0.0, 1.0]]), 1, "fast")
    losses = line.run([[0, 1]] * 300, [10.0] * 300)
    assert len(losses) < 300 and not math.isfinite(losses[-1]) and all(map(math.isfinite, losses[:-1]))
    assert line.failed == f"update {line.updates + 1}: the loss is inf" and np.isfinite(line.vector).all()
    rules = trained_by("adagrad", 0.1, {"epsilon": "0"})
    dead = StraightLine(
        problem_of(shape, np.array([1.0, 0.0]), rules), np.array([[0.0, 1.0]]), np.array([[1.0, 1.0]]), 1, "fast"
    )
    found = dead.run([[1, 0]] * 3, [0.1] * 3)
    assert math.isnan(found[-1]) and dead.failed == "update 1: W1_new divides by zero" and dead.updates == 0


def test_nothing_that_a_file_says_gets_into_the_source() -> None:
    found = parse_lesson(UNUSUAL.format(first="", second="", more='optimizer = "adam"', batch="mean"), "t")
    allowed = {
        "def",
        "run",
        "kept",
        "rows",
        "epochs",
        "losses",
        "for",
        "order",
        "rest",
        "count",
        "eta",
        "in",
        "total",
        "if",
        "else",
    }
    allowed |= {"append", "break", "return", "i0", "i1", *reproducible_scalars.Fast.FUNCTIONS}
    for source in line_of(found)._loop.lines:
        bare = re.sub(r"\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b|\bv\d+\b", "", source)
        assert set(re.findall(r"[A-Za-z_]\w*", bare)) <= allowed, source


@pytest.mark.parametrize("taken", ["eta", "m_W1", "beta1"])
def test_quantities_that_share_a_name_are_refused(taken: str) -> None:
    text = UNUSUAL.format(first="", second="", more='optimizer = "adam"', batch="mean").replace("held", taken)
    with pytest.raises((ValueError, TutorError), match=f"two quantities are called '{taken}'"):
        line_of(parse_lesson(text, "t"))


def test_large_networks_are_compiled_too() -> None:
    wide = Architecture((6000, 1), ("sigmoid",), "half_squared_error")
    same_as_the_matrix_form(wide, trained_by("sgd", 0.001), 2, 1, "fast", 2)
    clipped = Architecture((30, 30, 2), ("tanh", "softmax"), "cross_entropy")
    same_as_the_matrix_form(clipped, trained_by("sgd", 0.1, clip_norm=0.1), 2, 2, "fast", 2)
