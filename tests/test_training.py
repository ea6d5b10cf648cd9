"""Training: its arithmetic, its gradients, its updates, and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from conftest import Tutor
from hypothesis import given, settings
from hypothesis import strategies as st
from variants import VARIANTS, in_toml, typed

from tutor.data.builtin import DATA, load
from tutor.data.sampling import normals, permutation, random_bits, uniforms
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.penalties import PENALTIES
from tutor.numbers import reproducible_arrays
from tutor.numbers.arrays import ARITHMETICS, ReproducibleFloat
from tutor.numbers.exact import as_fraction
from tutor.numbers.reproducible_products import ExactRows, Operand, bits_for, product
from tutor.training.architecture import Architecture
from tutor.training.matrix.dropout import DropRates
from tutor.training.matrix.network import Network
from tutor.training.matrix.optimizer import MatrixOptimizer
from tutor.training.preparation import rows_with_ones
from tutor.training.results import confusion, plane
from tutor.training.settings import Settings
from tutor.training.setup import set_up

Array = Any


@pytest.mark.parametrize(
    ("name", "low", "high", "ulps"),
    [
        ("exp", -700, 700, 0.51),
        ("exp", -3, 3, 0.51),
        ("log", 1e-300, 1e-290, 1),
        ("log", 0.3, 3, 1),
        ("tanh", -20, 20, 1),
        ("tanh", -0.2, 0.2, 1),
        ("sin", -7, 7, 1.5),
        ("cos", -7, 7, 1.5),
    ],
)
def test_elementary_functions_are_right_to_the_last_place(name: str, low: float, high: float, ulps: float) -> None:
    x = low + (high - low) * uniforms(random_bits(5, "data", 0, 3000))
    with mpmath.workprec(120):
        for value, found in zip(x, getattr(reproducible_arrays, name)(x), strict=True):
            true = getattr(mpmath, name)(mpmath.mpf(float(value)))
            assert abs(mpmath.mpf(float(found)) - true) <= ulps * mpmath.mpf(float(np.spacing(abs(float(true))))), value


def test_the_edges_of_elementary_functions() -> None:
    with np.errstate(all="raise"):
        assert reproducible_arrays.exp(np.array([710.0, -746.0, 0.0])).tolist() == [np.inf, 0.0, 1.0]
        assert reproducible_arrays.log(np.array([0.0, np.inf, 1.0])).tolist() == [-np.inf, np.inf, 0.0]
        assert reproducible_arrays.tanh(np.array([50.0, -50.0, 0.0])).tolist() == [1.0, -1.0, 0.0]
    assert np.isnan(reproducible_arrays.exp(np.array([np.nan]))[0]) and np.isnan(
        reproducible_arrays.log(np.array([-1.0]))[0]
    )
    assert str(reproducible_arrays.tanh(np.array([-0.0]))[0]) == "-0.0"


def drawn(purpose: int, rows: int, columns: int) -> Array:
    return normals(random_bits(1, "data", purpose, rows * columns)).reshape(rows, columns)


def times(a: Array, b: Array) -> Array:
    bits = bits_for(a.shape[1])
    found = product(Operand(a, bits), Operand(b, bits))
    again = product(Operand(b, bits).transposed(), Operand(a, bits).transposed())
    assert np.array_equal(found, again.T, equal_nan=True)
    return found


def exactly(a: Array, b: Array) -> Array:
    """a @ b in fractions."""
    rows, columns = [list(map(Fraction, row)) for row in a.tolist()], [list(map(Fraction, c)) for c in b.T.tolist()]
    return np.array([[float(sum(x * y for x, y in zip(r, c, strict=True))) for c in columns] for r in rows])


@pytest.mark.parametrize("shape", [(32, 65, 20), (3, 785, 40), (40, 2, 200)])
def test_large_products_do_not_depend_on_the_order_of_adding(shape: tuple[int, int, int]) -> None:
    n, k, m = shape
    a, b = drawn(0, n, k), drawn(1, k, m)
    order = permutation(random_bits(1, "data", 2, k))
    found = times(a, b)
    assert np.array_equal(found, times(np.ascontiguousarray(a[:, order]), np.ascontiguousarray(b[order])))
    assert np.abs(found - exactly(a, b)).max() <= 1e-12 * np.abs(a).max() * np.abs(b).max() * k
    assert np.isnan(times(np.full((n, k), np.inf), b)).all()


@pytest.mark.parametrize("shape", [(1, 2, 1), (7, 9, 5), (4, 700, 1), (1, 33, 32)])
def test_small_products_are_added_in_order(shape: tuple[int, int, int]) -> None:
    n, k, m = shape
    a, b = drawn(0, n, k), drawn(1, k, m)
    slowly = np.zeros((n, m))
    for i in range(k):
        slowly = slowly + a[:, i : i + 1] * b[i : i + 1] if i else a[:, :1] * b[:1]
    assert np.array_equal(times(a, b), slowly)


@pytest.mark.parametrize("kind", ["pixels", "numbers", "single"])
def test_products_with_examples_do_not_depend_on_the_order_of_adding(kind: str) -> None:
    x = drawn(0, 40, 90)
    if kind == "pixels":
        x = np.floor(np.abs(x) * 40) / 256
    if kind == "single":
        x = x.astype(np.float32)
    weights, delta = drawn(1, 32, 90), drawn(2, 32, 40)
    across, down = permutation(random_bits(1, "data", 3, 90)), permutation(random_bits(1, "data", 4, 40))
    rows = ExactRows(x.copy())
    found, shuffled = rows.take(np.arange(40)).times(weights), ExactRows(x[:, across].copy())
    assert np.array_equal(found, shuffled.take(np.arange(40)).times(weights[:, across]))
    gathered, again = np.empty((32, 90)), np.empty((32, 90))
    rows.take(np.arange(40)).weight_gradient(delta, gathered)
    rows.take(down).weight_gradient(delta[:, down], again)
    assert np.array_equal(gathered, again)
    assert found == pytest.approx(exactly(weights, x.T), abs=1e-11)
    assert gathered == pytest.approx(exactly(delta, x), abs=1e-11)


def test_random_numbers_are_what_they_say() -> None:
    raw = random_bits(3, "weights", 0, 20_000)
    assert np.array_equal(raw[:50], random_bits(3, "weights", 0, 50)) and not np.array_equal(
        raw[:50], random_bits(3, "shuffle", 0, 50)
    )
    u, z = uniforms(raw), normals(raw)
    assert u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.01
    with mpmath.workdps(30):
        for p, found in list(zip(u, z, strict=True))[:300]:
            true = mpmath.sqrt(2) * mpmath.erfinv(2 * (mpmath.mpf(float(p)) + mpmath.mpf(2) ** -54) - 1)
            assert abs(found - float(true)) < 1e-13 * max(1, abs(true))
    assert sorted(permutation(random_bits(1, "shuffle", 4, 1000)).tolist()) == list(range(1000))


def test_whole_powers_of_settings_are_multiplied_out() -> None:
    """By repeated squaring, each product rounded as IEEE-754 does; some differ in the last bit from the library's."""
    for n in (0, 1, 2, 7, 1000):
        result, square = Fraction(1), Fraction(0.9)
        for bit in reversed(f"{n:b}"):
            result = Fraction(float(result * square)) if bit == "1" else result
            square = Fraction(float(square * square))
        assert ReproducibleFloat("0.9") ** n == float(result)
    assert any(ReproducibleFloat("0.9") ** n != 0.9**n for n in range(1000))


SMOOTH = [name for name, entry in ACTIVATIONS.items() if entry.slope and not entry.corner and entry.corner != 0]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_gradients_agree_with_central_differences(data: st.DataObject) -> None:
    """Any layers, smooth activations, losses and masks, against differences of the loss in double precision."""
    sizes = tuple(data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    hidden = [data.draw(st.sampled_from(SMOOTH)) for _ in sizes[2:]]
    pairs = [
        (a, loss)
        for loss in LOSSES
        for a in (*SMOOTH, "softmax")
        if loss == "half_squared_error" or a in ("sigmoid", "softmax")
    ]
    last, loss = data.draw(st.sampled_from([p for p in pairs if (p[0] == "softmax") <= (sizes[-1] > 1)]))
    norm, residual = data.draw(st.booleans()), data.draw(st.booleans())
    system = data.draw(st.sampled_from(list(ARITHMETICS.values())))
    shape = Architecture(sizes, (*hidden, last), loss, norm, residual)
    seed = data.draw(st.integers(0, 1000))
    vector = 0.7 * normals(random_bits(seed, "weights", 0, shape.count))
    network = Network(shape, system, vector.copy(), np.empty(shape.count))
    x = rows_with_ones(normals(random_bits(seed, "data", 0, 4 * sizes[0])).reshape(4, sizes[0]))
    batch = system.examples(x, False).take(np.arange(4))
    targets = uniforms(random_bits(seed, "data", 1, 4 * sizes[-1])).reshape(sizes[-1], 4)
    if last == "softmax":
        targets = targets / targets.sum(axis=0)
    masks = DropRates(0.3, 0.2, 0.4).masks(shape, seed, 1, 0, 4)
    shares = uniforms(random_bits(seed, "data", 2, 4)) + 0.5 if data.draw(st.booleans()) else None

    def mean_loss(v: Array) -> float:
        network.vector[...] = v
        network.forward(batch, True, masks)
        return network.loss.mean(network.loss_inputs, targets, shares)

    mean_loss(vector)
    network.backward(targets, shares)
    found = network.gradient.copy()
    for place in range(len(vector)):
        h = np.zeros(len(vector))
        h[place] = 1e-5
        difference = (mean_loss(vector + h) - mean_loss(vector - h)) / 2e-5
        assert found[place] == pytest.approx(difference, rel=1e-4, abs=1e-7)


LESSON = """format = 1
title = "t"
network = {{ inputs = ["x1", "x2"], loss = "half_squared_error", layers = [
  {{ activation = "tanh", weights = [[0.3, -0.2], [0.5, 0.7]], biases = [0.1, -0.4] }},
  {{ activation = "sigmoid", weights = [[0.6, -0.9]], biases = [0.2] }},
] }}
examples = [{{ inputs = [0.5, -1], targets = [1] }}, {{ inputs = [1.5, 2], targets = [0] }}]
training = {{ learning_rate = 0.1, epochs = 20, optimizer = "{optimizer}", {more} }}
"""


@pytest.mark.parametrize(
    ("optimizer", "more", "rules"),
    [
        *(
            (name, f"settings = {in_toml(settings)}", {"optimizer_setting": typed(settings)})
            for name, settings in VARIANTS
        ),
        ("sgd", "l1 = 0.01, l2 = 0.02", {"l1": 0.01, "l2": 0.02}),
        *(("sgd", f"{name} = 0.03", {name: 0.03}) for name in PENALTIES),
        ("sgd", "clip_norm = 0.05", {"clip_norm": 0.05}),
        ("sgd", "clip_value = 0.02", {"clip_value": 0.02}),
        ("momentum", 'schedule = "inverse_time"', {"schedule": "inverse_time"}),
        ("sgd", 'schedule = "cosine"', {"schedule": "cosine", "epochs": 10}),
    ],
)
def test_twenty_updates_are_those_of_the_worksheet(optimizer: str, more: str, rules: dict[str, Any]) -> None:
    text = LESSON.format(optimizer=optimizer, more=more).replace(",  }", " }")
    worksheet = worksheet_of(parse_lesson(text, "t"))
    names = ["W1", "W2", "b1", "W3", "W4", "b2", "W5", "W6", "b3"]  # neuron by neuron, the bias last
    for arithmetic, system in ARITHMETICS.items():
        vector = np.array([float(worksheet.givens[name]) for name in names])
        network = Network(
            Architecture((2, 2, 1), ("tanh", "sigmoid"), "half_squared_error"), system, vector, np.empty(9)
        )
        optimization = MatrixOptimizer(
            Settings(optimizer=optimizer, learning_rate=0.1, **rules).training,
            9,
            network.architecture.weights(),
            system,
        )
        x, targets = np.array([[0.5, -1.0, 1.0], [1.5, 2.0, 1.0]]), np.array([[1.0, 0.0]])
        batch = system.examples(x, False).take(np.arange(2))
        for k in range(20):
            loss = network.loss.mean(network.forward(batch), targets) + optimization.penalty(vector)
            network.backward(targets)
            optimization.step(vector, network.gradient, loss, k)
            true = [float(as_fraction(worksheet.values[f"{name}[{k + 1}]"])) for name in names]
            assert vector == pytest.approx(true, rel=1e-12, abs=1e-12), (arithmetic, k)


@pytest.mark.parametrize("name", DATA)
def test_data_sets(name: str) -> None:
    data = load(name, 3)
    assert len(data.x) == len(data.y) > 3 and data.x.shape[1] == len(data.features) and np.isfinite(data.x).all()
    assert np.array_equal(data.x, load(name, 3).x)
    if data.classes:
        assert set(data.y.tolist()) == set(range(len(data.classes)))


def test_known_data_are_what_is_known_of_them() -> None:
    """Fisher's table has these means; the digits are the 1,797 of the repository's test set."""
    iris, digits = load("iris", 0), load("digits", 0)
    assert iris.x.mean(axis=0) == pytest.approx([5.8433, 3.0573, 3.758, 1.1993], abs=1e-4) and len(iris) == 150
    assert (
        digits.x.shape == (1797, 64)
        and digits.x.max() == 1
        and np.bincount(digits.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    )


@pytest.mark.parametrize(("name", "coefficients"), [("sparse", [2, -2, 1, *[0] * 17]), ("dense", [0.5, -0.5] * 10)])
def test_the_linear_data_have_the_coefficients_and_the_noise_that_they_say(
    name: str, coefficients: list[float]
) -> None:
    """Least squares finds them, to a few times 1/√400 each."""
    for seed in range(5):
        data = load(name, seed)
        found, rest, _, _ = np.linalg.lstsq(data.x, data.y[:, 0], rcond=None)
        assert found == pytest.approx(coefficients, abs=0.25)
        assert rest[0] / (400 - 20) == pytest.approx(1, abs=0.35) and data.x.std() == pytest.approx(1, abs=0.05)
    assert not np.array_equal(load(name, 0).x, load(name, 1).x)


def test_the_noisy_moons_overlap_and_the_moons_do_not() -> None:
    """By the nearest other example: of the moons it is nearly always of the same class, of the noisy ones often not."""

    def misled(name: str) -> float:
        data = load(name, 3)
        apart = np.linalg.norm(data.x[:, None] - data.x[None], axis=2) + np.diag([np.inf] * len(data.x))
        return float(np.mean(data.y[apart.argmin(axis=1)] != data.y))

    assert misled("moons") < 0.02 and 0.08 < misled("noisy_moons") < 0.25


XOR = [
    "train",
    "--data",
    "xor",
    "--hidden",
    "2",
    "--activation",
    "sigmoid",
    "--loss",
    "half_squared_error",
    "--output-activation",
    "sigmoid",
    "--optimizer",
    "sgd",
    "--learning-rate",
    "0.5",
    "--batch-size",
    "1",
    "--epochs",
    "30",
    "--seed",
    "1",
]


def test_the_same_bits_in_other_environments(process: Tutor) -> None:
    digits = ["train", "--data", "digits", "--hidden", "8", "--activation", "relu", "--epochs", "1", "--seed", "3"]
    for command in (XOR, digits):
        seen = set()
        for environment in (
            {},
            {"OPENBLAS_CORETYPE": "Prescott", "PYTHONHASHSEED": "7"},
            {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL"},
        ):
            document = process.json(*command, **environment)
            document.pop("seconds")
            seen.add(json.dumps(document, sort_keys=True))
        assert len(seen) == 1


def test_the_document_says_what_was_done(tutor: Tutor) -> None:
    found = tutor.json(*XOR)
    assert (
        found["updates"] == 120
        and found["epochs"] == len(found["history"]) == 30
        and found["arithmetic"] == "reproducible"
    )
    assert found["network"]["sizes"] == [2, 2, 1] and found["data"]["name"] == "xor" and len(found["weights"]) == 9


def test_xor_fails_with_one_hidden_unit_and_succeeds_with_four(tutor: Tutor) -> None:
    options = ("--data", "xor", "--batch-size", "4", "--epochs", "300", "--learning-rate", "0.05", "--seed", "1")
    assert tutor.json("train", *options, "--hidden", "4")["accuracy"] == 1
    one = tutor("train", *options, "--hidden", "1")
    assert one.returncode == 0 and "not linearly separable" in one.stdout
    for width in ("40", "80", "160"):
        shown = tutor("train", *options[:4], "--epochs", "5", "--width", width).stdout
        assert max(map(len, shown.splitlines())) <= int(width)
    assert "epoch 1, loss" in tutor("train", *options[:4], "--epochs", "2", "--narrate").stdout


@pytest.mark.parametrize(
    ("data", "least", "options"),
    [
        ("iris", 0.93, ["--normalize", "zscore"]),
        ("iris", 0.93, ["--normalize", "unit", "--activation", "gelu"]),
        ("digits", 0.95, ["--hidden", "32", "--epochs", "12"]),
        ("moons", 0.97, []),
        ("circles", 0.97, []),
    ],
)
def test_networks_learn(tutor: Tutor, data: str, least: float, options: list[str]) -> None:
    found = tutor.json(
        "train", "--data", data, "--validation", "0.25", "--learning-rate", "0.02", "--epochs", "60", *options
    )
    assert found["history"][-1]["validation_accuracy"] >= least


def test_early_stopping_divergence_and_what_does_not_fit(tutor: Tutor) -> None:
    stopped = tutor.json(
        "train",
        "--data",
        "spirals",
        "--validation",
        "0.5",
        "--patience",
        "3",
        "--learning-rate",
        "0.2",
        "--epochs",
        "400",
    )
    assert stopped["ended"].startswith("stopped early") and stopped["epochs"] < 400
    diverged = tutor(
        "train",
        "--data",
        "sine",
        "--optimizer",
        "sgd",
        "--learning-rate",
        "500",
        "--activation",
        "relu",
        "--epochs",
        "60",
    )
    assert diverged.returncode == 1 and "diverged" in diverged.stdout.lower() and "--learning-rate" in diverged.stdout
    for arguments, said in (
        (["--data", "nothing"], "there is no data set"),
        (["--data", "xor", "--hidden", "a"], "--hidden takes whole numbers"),
        (["--data", "xor", "--loss", "cross_entropy"], "cross_entropy needs probabilities"),
        (["--data", "xor", "--activation", "step"], "unknown activation"),
        (["--data", "xor", "--patience", "3"], "--validation"),
        (["--data", "xor", "--optimizer", "adma"], "adam"),
    ):
        done = tutor("train", *arguments)
        assert done.returncode == 2 and said in done.stderr, arguments


def test_the_confusion_matrix_and_the_regions_agree_with_the_accuracy(tutor: Tutor) -> None:
    """Every held-out example is in one cell of the matrix; its diagonal is the accuracy, 0.25 of 150 held out."""
    common = {"learning_rate": 0.05, "batch_size": 16, "seed": 1}
    settings = Settings(hidden=(8,), validation=0.2, normalize="zscore", epochs=20, **common)
    trainer = set_up(load("iris", 1), settings)
    result = trainer.run()
    part, table = confusion(trainer)
    assert part == "held-out" and [sum(row) for row in table] == [10, 10, 10]
    assert sum(table[i][i] for i in range(3)) / 30 == pytest.approx(result.history[-1].validation_accuracy)
    assert plane(trainer) is None
    circles = set_up(load("circles", 1), Settings(epochs=40, **common))
    circles.run()
    found = plane(circles)
    assert (
        found is not None and found.cells(21, 21)[10, 10] == 1 and found.cells(21, 21)[0, 0] == 0
    )  # the inner ring in the middle
    shown = tutor("train", "--data", "circles", "--epochs", "40", "--learning-rate", "0.05", "--width", "80").stdout
    assert "Where the network draws the line: · 0, # 1" in shown and "x1 from" in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b,y\n1,2,p\n3,,q\n1,1,p\n2,2,q\n", "row 3, column 'b': the cell is empty"),
        ("a,b,y\n1,2,p\n3,x,q\n1,1,p\n2,2,q\n", "row 3, column 'b': 'x' is not a number"),
        ("a,b,y\n1,2,p\n3,4\n1,1,p\n2,2,q\n", "row 3: 2 cells, but there are 3 columns"),
        ("a,y\n1,p\n2,p\n3,p\n4,p\n", "every example has the label 'p'"),
        ("a,y\n1,p\n2,q\n3,r\n4,s\n", "4 classes for 4 examples"),
        ("a,y\n1,p\n2,q\n", "at least 4"),
        ("a,y\n1,\n2,q\n3,q\n1,p\n", "the label is missing"),
        ("y\np\nq\np\nq\n", "there is only the label"),
        ("a,y\n1,nan\n2,1\n3,0\n4,1\n", "classes for 4 examples"),
    ],
)
def test_bad_data_say_in_which_row_and_column(tutor: Tutor, text: str, said: str) -> None:
    (tutor.folder / "d.csv").write_text(text)
    done = tutor("train", "--data", "d.csv")
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_data_from_a_file(tutor: Tutor) -> None:
    """Two classes told apart by the sign of a; and a line y = 2a, with semicolons, no heading and no classes."""
    rows = [(a / 10, b % 7, "yes" if a > 0 else "no") for b, a in enumerate(range(-20, 21)) if a]
    (tutor.folder / "d.csv").write_text("a,what,b\n" + "".join(f"{a},{y},{b}\n" for a, b, y in rows))
    found = tutor.json("train", "--data", "d.csv", "--label", "what", "--epochs", "150", "--learning-rate", "0.05")
    assert (
        found["data"]["classes"] == ["no", "yes"] and found["network"]["sizes"] == [2, 16, 1] and found["accuracy"] == 1
    )
    (tutor.folder / "line.csv").write_text("".join(f"{a / 10};{2 * a / 10 + 0.001}\n" for a in range(-20, 21)))
    line = tutor.json("train", "--data", "line.csv", "--hidden", "0", "--epochs", "200", "--learning-rate", "0.05")
    assert line["loss"] < 1e-3 and line["weights"][0] == pytest.approx(2, abs=0.05) and "accuracy" not in line
    for arguments, said in (
        (["--data", "d.csv", "--label", "wha"], "did you mean 'what'"),
        (["--data", "none.csv"], "there is no file 'none.csv'"),
        (["--data", "."], "there is no data set"),
    ):
        done = tutor("train", *arguments)
        assert done.returncode == 2 and said in done.stderr, done.stderr


@pytest.mark.parametrize("activation", [name for name, entry in ACTIVATIONS.items() if entry.slope])
def test_single_precision_stays_single(activation: str) -> None:
    """Every constant of a formula leaves arrays in the precision that they have."""
    wanted = Settings(
        hidden=(760,), activation=activation, arithmetic="fast", batch_norm=True, batch_size=1797, epochs=1
    )
    trainer = set_up(load("digits", 1), wanted)
    assert not trainer.run().diverged and trainer.engine.vector.dtype == np.float32


GATE = """format = 1
title = "AND"
network = {{ inputs = ["x1", "x2"], layers = [{{ activation = "step", weights = [[0.3, -0.1]], biases = [0.2] }}] }}
examples = [{{ inputs = [0, 0], targets = [0] }}, {{ inputs = [0, 1], targets = [0] }}, {{ inputs = [1, 0], targets = [0] }},
  {{ inputs = [1, 1], targets = [1] }}]
training = {{ rule = "perceptron", learning_rate = 0.1, max_epochs = {epochs} }}
"""


def perceptron_rule(rows: list[tuple[list[float], int]], w: list[float], b: float, eta: float, epochs: int) -> Any:
    """The rule in plain Python: the weights, and the number of errors of each epoch up to the first without any."""
    errors = []
    for _ in range(epochs):
        errors.append(0)
        for x, target in rows:
            error = target - (sum(p * q for p, q in zip(w, x, strict=True)) + b >= 0)
            w = [p + eta * error * q for p, q in zip(w, x, strict=True)]
            b += eta * error
            errors[-1] += error != 0
        if not errors[-1]:
            break
    return [*w, b], errors


def test_the_perceptron_rule_stops_at_an_epoch_without_error(tutor: Tutor) -> None:
    rows = [([0.0, 0.0], 0), ([0.0, 1.0], 0), ([1.0, 0.0], 0), ([1.0, 1.0], 1)]
    (tutor.folder / "gate.toml").write_text(GATE.format(epochs=30))
    for command, start in (
        (["gate.toml"], ([0.3, -0.1], 0.2, 0.1)),
        (["--data", "and", "--rule", "perceptron", "--hidden", "0", "--no-shuffle"], ([0.0, 0.0], 0.0, 1.0)),
    ):
        weights, errors = perceptron_rule(rows, *start, 30)
        found = tutor.json("train", *command, "--epochs", "30")
        assert found["weights"] == pytest.approx(weights) and found["accuracy"] == 1
        assert [epoch["loss"] for epoch in found["history"]] == errors and errors[-1] == 0 and len(errors) < 30
        assert found["ended"] == f"epoch {len(errors)} is without error"
    xor = tutor.json("train", "--data", "xor", "--rule", "perceptron", "--hidden", "0", "--epochs", "40")
    assert xor["epochs"] == 40 and xor["ended"] == "all epochs done" and xor["accuracy"] < 1
    for arguments, said in (
        (["--rule", "perceptron"], "add --hidden 0"),
        (["--rule", "perceptron", "--hidden", "0", "--optimizer", "adam"], "leave out --optimizer"),
        (["--rule", "perceptron", "--hidden", "0", "--l2", "1"], "the perceptron rule has none; leave out --l2"),
        (["--rule", "perceptron", "--hidden", "0", "--schedule", "step"], "leave out --schedule"),
    ):
        done = tutor("train", "--data", "xor", *arguments)
        assert done.returncode == 2 and said in done.stderr


def test_a_lesson_trains_as_its_worksheet_does(tutor: Tutor) -> None:
    """After one update the weights are those that the worksheet of the lesson has as new ones."""
    for lesson in ("perceptron", "mlp"):
        values = {step["name"]: float(step["value"]) for step in tutor.json("run", lesson)["steps"]}
        found = tutor.json("train", lesson, "--epochs", "1")
        new = [value for name, value in values.items() if name.endswith("_new")]
        assert sorted(found["weights"]) == pytest.approx(sorted(new), rel=1e-14)
        assert found["loss"] == pytest.approx(values["E"], rel=1e-14) and found["updates"] == 1
        explained = tutor.json("train", lesson, "--epochs", "9", "--explain", "9")
        after = tutor.json("train", lesson, "--epochs", "9")["weights"]
        assert sorted(float(row["trained"]) for row in explained["trainer"]) == sorted(after)
        assert all(abs(float(row["difference"])) < 1e-15 for row in explained["trainer"])
    for arguments, said in (
        (["mlp", "--hidden", "3"], "--hidden is the lesson's affair"),
        (["mlp", "--data", "xor"], "one of the two"),
        (["mlp", "--explain", "101"], "numbered from 1 to 100"),
        (["mlp", "--save", "r.npz"], "go with --data"),
        ([], "name a lesson"),
        (["--data", "digits", "--explain", "1"], "nobody can read"),
        (["--data", "xor", "--explain", "1", "--dropout", "0.1"], "without dropout"),
    ):
        done = tutor("train", *arguments)
        assert done.returncode == 2 and said in done.stderr, done.stderr


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_the_explained_update_is_the_trainers_own(tutor: Tutor, arithmetic: str) -> None:
    """A matrix form and a straight-line form, batches and states: the exact worksheet and the trainer agree."""
    for options in (
        ["--data", "blobs", "--hidden", "3", "--batch-size", "10", "--optimizer", "adaptive_sign"],
        ["--data", "xor", "--hidden", "2", "--batch-size", "3", "--optimizer", "adam"],
    ):
        shown = tutor.json("train", *options, "--arithmetic", arithmetic, "--epochs", "4", "--explain", "7")
        assert shown["update"] == 7 and len(shown["trainer"]) > 8
        assert all(abs(float(row["difference"])) < 1e-13 for row in shown["trainer"])


def test_what_is_left_out_changes_only_the_training(tutor: Tutor) -> None:
    """Each way to leave something out trains, differs from the plain training, and is the same for the same seed."""
    base = ["train", "--data", "moons", "--hidden", "8,8", "--epochs", "4", "--learning-rate", "0.05"]
    plain = tutor.json(*base)["weights"]
    for more in (
        ["--dropout", "0.3"],
        ["--dropconnect", "0.3"],
        ["--residual"],
        ["--residual", "--stochastic-depth", "0.5"],
        ["--batch-norm"],
        ["--augment", "noise=0.1"],
        ["--l1", "0.01"],
        ["--clip-norm", "0.1"],
    ):
        found = tutor.json(*base, *more)
        assert found["weights"] != plain and found["loss"] < 1, more
        assert tutor.json(*base, *more)["weights"] == found["weights"]


def test_batch_normalization_uses_running_averages_once_the_training_is_over() -> None:
    """One example alone, which has no variance, gets the output that it gets among others."""
    trainer = set_up(load("moons", 1), Settings(hidden=(6,), batch_norm=True, epochs=5))
    trainer.run()
    rows, places = trainer.data.rows, np.arange(40)
    together = trainer.engine.outputs(rows, places)
    alone = np.concatenate([trainer.engine.outputs(rows, places[i : i + 1]) for i in range(40)], axis=1)
    assert together == pytest.approx(alone, rel=1e-12)


def test_class_weights_let_a_rare_class_count(tutor: Tutor) -> None:
    """19 of 20 examples are of one class, and the two overlap: only with weights is the rare one found at all."""
    draw = normals(random_bits(4, "data", 0, 800))
    rows = [(z + (1.2 if i % 20 == 0 else 0), "rare" if i % 20 == 0 else "common") for i, z in enumerate(draw)]
    (tutor.folder / "d.csv").write_text("a,y\n" + "".join(f"{a:.4f},{y}\n" for a, y in rows))
    base = ["--data", "d.csv", "--hidden", "0", "--epochs", "60", "--learning-rate", "0.05", "--save", "r.json"]
    found = {}
    for more in ([], ["--class-weights"]):
        tutor.json("train", *base, *more)
        tutor("predict", "r.json", "--data", "d.csv", "--output", "p.csv")
        lines = (tutor.folder / "p.csv").read_text().splitlines()
        found[bool(more)] = sum(line.split(",")[1] == "rare" for line in lines)
    assert found[True] > 10 * (found[False] + 1)


@pytest.mark.parametrize("strengths", [*({name: 0.3} for name in PENALTIES), dict.fromkeys(PENALTIES, 0.2)], ids=str)
def test_penalties_agree_with_central_differences(strengths: dict[str, Any]) -> None:
    shape = Architecture((2, 3, 2), ("tanh", "softmax"), "cross_entropy", batch_norm=True)
    vector = normals(random_bits(2, "weights", 0, shape.count))
    optimization = MatrixOptimizer(
        Settings(optimizer="sgd", learning_rate=1.0, **strengths).training,
        shape.count,
        shape.weights(),
        ARITHMETICS["reproducible"],
    )
    moved = vector.copy()
    optimization.step(moved, np.zeros(shape.count), 0.0, 0)  # at the rate 1 and without a loss the step is the slope
    for place in range(shape.count):
        h = np.zeros(shape.count)
        h[place] = 1e-6
        difference = (optimization.penalty(vector + h) - optimization.penalty(vector - h)) / 2e-6
        assert vector[place] - moved[place] == pytest.approx(difference, rel=1e-6, abs=1e-8)


def test_what_went_wrong_once(tutor: Tutor) -> None:
    """Single precision with masks; a probability that is 1 in single precision; a flag that is off; strict JSON."""
    (tutor.folder / "d.csv").write_text("a,y\n" + "".join(f"{i - 30},{'p' if i > 30 else 'q'}\n" for i in range(60)))
    large = ["train", "--data", "d.csv", "--hidden", "30000", "--epochs", "2", "--arithmetic", "fast"]
    for more in (["--dropout", "0.2"], ["--dropconnect", "0.2"], ["--learning-rate", "0.1", "--epochs", "20"]):
        found = tutor.json(*large, *more)
        assert found["loss"] < 20 and "diverged" not in found["ended"], more
    momentum = ["train", "--data", "xor", "--optimizer", "momentum", "--epochs", "3"]
    usual = tutor.json(*momentum)["weights"]
    assert tutor.json(*momentum, "--optimizer-setting", "classical=0")["weights"] == usual
    assert tutor.json(*momentum, "--optimizer-setting", "classical=true")["weights"] != usual
    assert "true or false" in tutor(*momentum, "--optimizer-setting", "classical=2").stderr
    wild = ["--optimizer", "sgd", "--learning-rate", "500", "--activation", "relu", "--epochs", "60"]
    done = tutor("train", "--data", "sine", *wild, "--json")
    assert done.returncode == 1 and json.loads(done.stdout, parse_constant=pytest.fail)["ended"].startswith("diverged")


def test_another_optimizer_for_a_lesson_has_its_own_rate(tutor: Tutor) -> None:
    for lesson, optimizer in (("mlp", "adam"), ("perceptron", "momentum"), ("mlp", "rmsprop")):
        shown = tutor.json("train", lesson, "--optimizer", optimizer, "--explain", "2")
        assert all(abs(float(row["difference"])) < 1e-14 for row in shown["trainer"])


def test_every_example_is_brought_to_length_one_but_for_zeros(tutor: Tutor) -> None:
    """Saved and used again: what is predicted for an example is predicted for ten times the example."""
    (tutor.folder / "d.csv").write_text("a,b,c\n3,4,x\n0,0,y\n-0.5,0,x\n5,-12,y\n")
    tutor("train", "--data", "d.csv", "--normalize", "unit", "--hidden", "2", "--save", "r.json")
    (tutor.folder / "new.csv").write_text("a,b\n3,4\n30,40\n0.6,0.8\n0,0\n-5,12\n")
    outputs = [row["outputs"] for row in tutor.json("predict", "r.json", "--data", "new.csv")["predictions"]]
    assert outputs[0] == outputs[1] == pytest.approx(outputs[2]) and len({str(row) for row in outputs[2:]}) == 3
    (tutor.folder / "d.csv").write_text("a,b,c\n3,4,x\n1e300,0,y\n3,4,x\n0,1,y\n")
    assert "too large to be normalised" in tutor("train", "--data", "d.csv", "--normalize", "unit").stderr


def test_a_lesson_with_a_schedule_over_all_epochs_is_explained_with_the_rate_that_it_was_trained_with(
    tutor: Tutor,
) -> None:
    text = LESSON.format(optimizer="sgd", more='schedule = "cosine"')
    (tutor.folder / "c.toml").write_text('format = 1\ntitle = "t"\n' + text if "format" not in text else text)
    shown = tutor.json("train", "c.toml", "--epochs", "40", "--explain", "30")
    assert all(abs(float(row["difference"])) < 1e-14 for row in shown["trainer"])


def test_a_feature_that_never_changes_is_left_alone(tutor: Tutor) -> None:
    """The mean of 24 times 0.1 is not 0.1 in floating point; what is left over is no deviation to divide by."""
    for name in ("zscore", "minmax"):
        rows = "".join(f"{i},0.1,{'p' if i > 11 else 'q'}\n" for i in range(24))
        (tutor.folder / "d.csv").write_text("a,b,y\n" + rows)
        tutor.json("train", "--data", "d.csv", "--normalize", name, "--save", "r.json", "--epochs", "30")
        seen = [tutor.folder / f"{place}.csv" for place in (0, 1)]
        for place, changed in zip(seen, ("0.1", "0.2"), strict=True):
            place.write_text(f"a,b\n3,{changed}\n20,{changed}\n")
        first, second = (tutor.json("predict", "r.json", "--data", place.name) for place in seen)
        assert len(first["predictions"]) == 2 and first["predictions"] != second["predictions"]
    (tutor.folder / "d.csv").write_text("a,b,y\n" + "".join(f"{i}e308,{i},{i}\n" for i in (-1.5, 1, 1.7, -1, 0.5)))
    for normalize in ([], ["--normalize", "zscore"], ["--normalize", "minmax"]):
        done = tutor("train", "--data", "d.csv", *normalize, "--hidden", "200")
        assert done.returncode in (0, 1, 2) and "Traceback" not in done.stderr


def test_ctrl_c_takes_the_masks_off() -> None:
    wanted = Settings(hidden=(8,), dropout=0.5, dropconnect=0.3, epochs=3, normalize="zscore")
    trainer = set_up(load("iris", 1), wanted)
    numbers, count = trainer.engine.optimization.numbers, []  # type: ignore[attr-defined]

    def stop(*given: Any) -> Any:
        count.append(1)
        if len(count) == 8:
            raise KeyboardInterrupt
        return numbers(*given)

    trainer.engine.optimization.numbers = stop  # type: ignore[attr-defined]
    assert trainer.run().interrupted
    whole = set_up(load("iris", 1), replace(wanted, epochs=1))
    whole.run()
    assert trainer.measures() == whole.measures()


def test_a_perceptron_is_saved_and_used(tutor: Tutor) -> None:
    learned = tutor.json(
        "train", "--data", "iris", "--rule", "perceptron", "--hidden", "0", "--epochs", "20", "--save", "p.npz"
    )
    used = tutor.json("predict", "p.npz", "--data", "iris")
    assert used["accuracy"] == learned["accuracy"]
    more = tutor.json("train", "--resume", "p.npz", "--epochs", "30")["weights"]
    assert (
        more
        == tutor.json("train", "--data", "iris", "--rule", "perceptron", "--hidden", "0", "--epochs", "30")["weights"]
    )
    done = tutor("export", "p.npz", "--to", "numpy")
    assert done.returncode == 2 and "perceptron rule" in done.stderr


def test_what_a_student_met(tutor: Tutor) -> None:
    """Numbers that are none, sizes that nothing holds, files that have no end, quotes that are not closed."""
    (tutor.folder / "d.csv").write_text("a,y\n" + "".join(f"{i},{'no' if i % 2 else 'yes'}\n" for i in range(40)))
    text = (tutor.folder / "d.csv").read_text().replace("7,no", '7,"no')
    (tutor.folder / "quote.csv").write_text(text)
    for arguments, said in (
        (["--data", "xor", "--learning-rate", "inf"], "--learning-rate is a finite number"),
        (["--data", "xor", "--l2", "nan"], "--l2 is a finite number"),
        (["--data", "moons", "--seed", "-1"], "--seed is at least 0"),
        (["--data", "xor", "--hidden", "1000000000000"], "more than 50,000,000 parameters"),
        (["--data", "/dev/zero"], "not an ordinary file"),
        (["--data", "quote.csv"], "row 9: a cell has whole rows in it"),
        (["--data", "moons", "--batch-norm", "--batch-size", "1"], "--batch-size 2"),
        (["--data", "moons", "--optimizer-setting", "beta=0.8"], "setting of adam 'beta'"),
        (["--data", "moons", "--optimizer", "sgd", "--optimizer-setting", "beta=0.8"], "sgd has no settings"),
        (["--data", "moons", "--optimizer", "momentum", "--optimizer-setting", "beta=2"], "share from 0 to below 1"),
        (
            ["--data", "xor", "--schedule", "step", "--schedule-setting", "every=0.1"],
            "every is a whole number of at least 1",
        ),
        (
            ["--data", "xor", "--schedule", "cosine", "--schedule-setting", "epochs=0"],
            "epochs is a whole number of at least",
        ),
        (["--data", "xor", "--penalty-setting", "l1_ratio=0.5"], "training without a penalty has no settings"),
        (["--data", "xor", "--elastic-net", "1", "--penalty-setting", "l1_ratio=2"], "l1_ratio is a share from 0 to 1"),
        (["--data", "xor", "--loss", "huber", "--loss-setting", "delta=0"], "delta is a positive number"),
        (["--data", "moons", "--label", "y"], "--label names a column of a file"),
    ):
        done = tutor("train", *arguments)
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, (arguments, done.stderr)
    xor = ["train", "--data", "xor", "--hidden", "2", "--optimizer", "sgd", "--learning-rate", "500", "--epochs", "6"]
    losses = [[e["loss"] for e in tutor.json(*xor, *form, fails=1)["history"]] for form in ([], ["--dropout", "1e-9"])]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5) and max(losses[0]) > 28  # what -ln 1e-12 would be
    shown = tutor("train", "--data", "xor", "--hidden", "1", "--width", "100").stdout
    assert "The loss is still falling" in shown or "not linearly separable" in shown
    assert any("\u2800" < c < "\u28ff" for c in shown), "the curve is drawn"
    assert "learning rate 0.03, up to 32 examples an update" in shown


def test_the_document_has_what_the_weights_alone_do_not_say(tutor: Tutor) -> None:
    """Scaling and running averages: with them the network can be worked again from the document."""
    options = ["--data", "iris", "--hidden", "5", "--batch-norm", "--normalize", "zscore", "--epochs", "8"]
    found = tutor.json("train", *options)
    data = load("iris", 0)
    x = (data.x - found["scaling"]["shift"]) / found["scaling"]["scale"]
    w = np.array(found["weights"])
    first, second, gamma = w[:25].reshape(5, 5), w[25:43].reshape(3, 6), w[43:]
    mean, variance = np.array(found["running"]["mean_0"]), np.array(found["running"]["variance_0"])
    z = gamma * (x @ first[:, :4].T - mean) / np.sqrt(variance + 1e-5) + first[:, 4]
    logits = np.tanh(z) @ second[:, :5].T + second[:, 5]
    assert (logits.argmax(axis=1) == data.y).mean() == pytest.approx(found["accuracy"])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert -np.log(shares[np.arange(150), data.y]).mean() == pytest.approx(
        found["parts"]["training"]["loss"], rel=1e-12
    )


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize("form", ["straight-line", "matrix"])
@pytest.mark.parametrize(("classes", "loss"), [(2, "binary_cross_entropy"), (2, "softmax"), (3, "cross_entropy")])
def test_the_loss_is_true_where_probabilities_are_rounded_to_0(
    tutor: Tutor, classes: int, loss: str, form: str, arithmetic: str
) -> None:
    """After long steps sums are in the hundreds; the loss is worked again from the weights, in 50 digits."""
    rows = [(0.5 * i - 2, (i * 7 + i // 3) % classes) for i in range(9)]
    (tutor.folder / "d.csv").write_text("x,y\n" + "".join(f"{x},c{y}\n" for x, y in rows))
    words = ["--data", "d.csv", "--hidden", 0, "--optimizer", "sgd", "--learning-rate", 300, "--epochs", 1]
    words += ["--batch-size", 9, "--arithmetic", arithmetic]
    words += ["--output-activation", "softmax", "--loss", "cross_entropy"] if loss == "softmax" else []
    words += ["--dropconnect", "1e-9"] if form == "matrix" else []
    done = tutor("train", *words, "--json")
    found = json.loads(done.stdout)
    assert found["network"]["form"] == form
    weights = [mpmath.mpf(w) for w in found["weights"]]
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    names = found["data"]["classes"]
    with mpmath.workdps(50):
        true = mpmath.mpf(0)
        for x, y in rows:
            sums = [w * x + b for w, b in pairs]
            sums = [mpmath.mpf(0), *sums] if len(sums) == 1 else sums
            true += mpmath.log(sum(map(mpmath.exp, sums))) - sums[names.index(f"c{y}")]
        assert true / 9 > 28
    assert found["parts"]["training"]["loss"] == pytest.approx(float(true / 9), rel=1e-10)
