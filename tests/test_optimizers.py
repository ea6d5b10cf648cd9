"""Every optimizer, in every form, against its paper and the two large frameworks: written out here in plain Python, and
against the frameworks themselves where they are installed."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from fractions import Fraction
from math import sqrt
from typing import Any

import pytest
from conftest import Tutor
from variants import VARIANTS, in_toml, named

from tutor.errors import TutorError
from tutor.homework.variants import Code, problem_lesson
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.maths.optimizers import OPTIMIZERS
from tutor.numbers.exact import as_fraction

GRADIENTS = [1.0, -0.5, 0.25, 0.25, 2.0, -0.125, 0.0, 0.75]
ETA, START = 0.1, 0.5
Path = list[float]


def lesson(body: str) -> str:
    return f'format = 1\ntitle = "t"\n{body}'


def values(body: str) -> dict[str, float]:
    worksheet = worksheet_of(parse_lesson(lesson(body), "t"))
    return {name: float(as_fraction(value)) for name, value in worksheet.values.items()}


def ours(name: str, settings: dict[str, Any], eta: float = ETA) -> Path:
    """The parameter after each of the given gradients, as the worksheet has it."""
    found = values(
        f"""[minimize]
optimizer = "{name}"
learning_rate = {eta}
settings = {in_toml(settings)}
start = {{ w = {START} }}
gradients = {{ w = {GRADIENTS} }}
"""
    )
    return [found[f"w[{k}]"] for k in range(1, len(GRADIENTS) + 1)]


# The frameworks' and the papers' own words, in plain Python.


def pytorch_sgd(momentum: float = 0.0, dampening: float = 0.0, nesterov: bool = False) -> Path:
    """torch.optim.SGD: b_t = momentum·b + (1 - dampening)·g for t > 1, b_1 = g."""
    w, buffer, path = START, None, []
    for g in GRADIENTS:
        if momentum:
            buffer = g if buffer is None else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        w -= ETA * g
        path.append(w)
    return path


def averaged_momentum(beta: float) -> Path:
    """v = beta·v + (1 - beta)·g, from 0."""
    w, v, path = START, 0.0, []
    for g in GRADIENTS:
        v = beta * v + (1 - beta) * g
        w -= ETA * v
        path.append(w)
    return path


def adagrad(epsilon: float, start: float = 0.0, inside: bool = False) -> Path:
    w, total, path = START, start, []
    for g in GRADIENTS:
        total += g * g
        w -= ETA * g / (sqrt(total + epsilon) if inside else sqrt(total) + epsilon)
        path.append(w)
    return path


def rmsprop(
    rho: float = 0.9, epsilon: float = 1e-8, inside: bool = False, centered: bool = False, momentum: float = 0.0
) -> Path:
    """PyTorch's order: the velocity holds scaled gradients, and the learning rate comes last."""
    w, square, mean, buffer, path = START, 0.0, 0.0, 0.0, []
    for g in GRADIENTS:
        square = rho * square + (1 - rho) * g * g
        mean = rho * mean + (1 - rho) * g
        of = square - mean * mean if centered else square
        scaled = g / (sqrt(of + epsilon) if inside else sqrt(of) + epsilon)
        buffer = momentum * buffer + scaled
        w -= ETA * (buffer if momentum else scaled)
        path.append(w)
    return path


def adadelta(rho: float, epsilon: float) -> Path:
    """Zeiler 2012, algorithm 1, with a learning rate before the step."""
    w, of_g, of_step, path = START, 0.0, 0.0, []
    for g in GRADIENTS:
        of_g = rho * of_g + (1 - rho) * g * g
        step = -sqrt(of_step + epsilon) / sqrt(of_g + epsilon) * g
        of_step = rho * of_step + (1 - rho) * step * step
        w += ETA * step
        path.append(w)
    return path


def adam(
    epsilon: float = 1e-8, beta1: float = 0.9, beta2: float = 0.999, amsgrad: bool = False, form: str = "outside",
    decay: float = 0.0,
) -> Path:  # fmt: skip
    """Kingma and Ba's algorithm 1 (`outside`), with epsilon under the root (`inside`), and in the order of their
    section 2 (`hat`, as Keras has it), where epsilon is added to the uncorrected root (`hat inside`: under it)."""
    w, m, v, largest, path = START, 0.0, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, 1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        largest = max(largest, v)
        of = largest if amsgrad else v
        rest1, rest2 = 1 - beta1**t, 1 - beta2**t
        if form == "outside":
            step = ETA * (m / rest1) / (sqrt(of / rest2) + epsilon)
        elif form == "inside":
            step = ETA * (m / rest1) / sqrt(of / rest2 + epsilon)
        else:
            root = sqrt(of) + epsilon if form == "hat" else sqrt(of + epsilon)
            step = ETA * sqrt(rest2) / rest1 * m / root
        w -= ETA * decay * w + step
        path.append(w)
    return path


def nadam(
    mu: Callable[[int], float],
    epsilon: float = 1e-8,
    inside: bool = False,
    own_line: Callable[[int], float] | None = None,
) -> Path:
    """Dozat 2016, algorithm 2, with mu(t) for mu_t; `own_line` is what stands for mu_t in the line of m."""
    w, m, n, path = START, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, 1):
        kept = (own_line or mu)(t)
        m, n = kept * m + (1 - kept) * g, 0.999 * n + 0.001 * g * g
        product = 1.0
        for i in range(1, t + 1):
            product *= mu(i)
        m_hat = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
        n_hat = n / (1 - 0.999**t)
        w -= ETA * m_hat / (sqrt(n_hat + epsilon) if inside else sqrt(n_hat) + epsilon)
        path.append(w)
    return path


def lion(beta1: float = 0.9, beta2: float = 0.99, decay: float = 0.0) -> Path:
    """Chen et al. 2023, algorithm 2: the sign of an interpolation, then the momentum by another one."""
    w, m, path = START, 0.0, []
    for g in GRADIENTS:
        c = beta1 * m + (1 - beta1) * g
        w -= ETA * ((c > 0) - (c < 0) + decay * w)
        m = beta2 * m + (1 - beta2) * g
        path.append(w)
    return path


def schedule(psi: float) -> Callable[[int], float]:
    return lambda t: 0.9 * (1 - 0.5 * 0.96 ** (psi * t))


REFERENCES: list[tuple[str, dict[str, Any], Path]] = [
    ("sgd", {}, pytorch_sgd()),
    ("momentum", {}, averaged_momentum(0.9)),
    ("momentum", {"classical": True, "beta": "0.8"}, pytorch_sgd(0.8)),
    ("momentum", {"classical": True, "dampening": "0.25"}, pytorch_sgd(0.9, 0.25)),
    ("nesterov", {}, pytorch_sgd(0.9, nesterov=True)),
    ("adagrad", {}, adagrad(1e-8)),
    ("adagrad", {"epsilon_inside": True, "epsilon": "0.01", "initial_accumulator": "0.1"}, adagrad(0.01, 0.1, True)),
    ("rmsprop", {}, rmsprop()),
    ("rmsprop", {"epsilon_inside": True, "epsilon": "0.01"}, rmsprop(0.9, 0.01, True)),
    ("rmsprop", {"centered": True, "epsilon": "0.001"}, rmsprop(0.9, 0.001, centered=True)),
    ("rmsprop", {"momentum": "0.8"}, rmsprop(momentum=0.8)),
    (
        "rmsprop",
        {"momentum": "0.8", "centered": True, "epsilon_inside": True, "epsilon": "0.01", "rho": "0.7"},
        rmsprop(0.7, 0.01, True, True, 0.8),
    ),
    ("adadelta", {}, adadelta(0.95, 1e-6)),
    ("adam", {}, adam()),
    ("adam", {"epsilon_inside": True, "epsilon": "0.01"}, adam(0.01, form="inside")),
    ("adam", {"epsilon_hat": True, "epsilon": "0.01"}, adam(0.01, form="hat")),
    ("adam", {"amsgrad": True, "beta2": "0.5"}, adam(beta2=0.5, amsgrad=True)),
    (
        "adam",
        {"amsgrad": True, "epsilon_inside": True, "epsilon_hat": True, "epsilon": "0.01"},
        adam(0.01, amsgrad=True, form="hat inside"),
    ),
    ("adamw", {}, adam(decay=0.01)),
    ("adamw", {"epsilon_inside": True, "epsilon": "0.01"}, adam(0.01, form="inside", decay=0.01)),
    (
        "adamw",
        {"amsgrad": True, "epsilon_hat": True, "epsilon": "0.001", "decay": "0.1"},
        adam(0.001, amsgrad=True, form="hat", decay=0.1),
    ),
    ("nadam", {}, nadam(lambda t: 0.9)),
    ("nadam", {"momentum_schedule": True}, nadam(schedule(0.004), own_line=lambda t: 0.9)),
    (
        "nadam",
        {"momentum_schedule": True, "psi": "1", "epsilon_inside": True, "epsilon": "0.001"},
        nadam(schedule(1.0), 0.001, True, lambda t: 0.9),
    ),
    ("lion", {}, lion()),
    ("lion", {"decay": "0.1", "beta1": "0.5"}, lion(0.5, decay=0.1)),
]


@pytest.mark.parametrize(("name", "settings", "path"), REFERENCES, ids=named)
def test_every_form_moves_as_its_source_says(name: str, settings: dict[str, Any], path: Path) -> None:
    assert ours(name, settings) == pytest.approx(path, rel=1e-12, abs=1e-14)


def test_no_form_goes_without_a_source() -> None:
    """adaptive_sign moves by the error, which given gradients do not have; `test_kinds` has it in plain Python."""
    checked = [(name, settings) for name, settings, _ in REFERENCES]
    assert [pair for pair in VARIANTS if pair not in checked] == [("adaptive_sign", {})]
    for name, entry in OPTIMIZERS.items():
        settings = {key for of, used in checked for key in used if of == name}
        assert entry.flags.keys() <= settings, name


def test_the_first_step_of_nadam_is_that_of_dozat() -> None:
    """g = 1: m = 0.1, beta1·m/(1 - beta1²) = 0.09/0.19, and (1 - beta1)·g/(1 - beta1) = 1; v_hat = 1."""
    found = values(
        '[minimize]\nobjective = "w"\noptimizer = "nadam"\nlearning_rate = 0.5\nsettings = { epsilon = 0 }\n'
        "start = { w = 1 }"
    )
    assert found["w_new"] == pytest.approx(float(1 - Fraction(1, 2) * (Fraction(9, 19) + 1)), rel=1e-15)
    usual = 1 - found["w_new"]
    assert round(usual / 0.5, 2) == 1.47


def test_what_explain_says_of_momentum_is_so() -> None:
    """With dampening = beta the classical form is the averaged one whose velocity began as the first gradient."""
    damped = ours("momentum", {"classical": True, "dampening": "0.9"})
    w, v, path = START, GRADIENTS[0], []
    for g in GRADIENTS:
        v = 0.9 * v + 0.1 * g
        w -= ETA * v
        path.append(w)
    assert damped == pytest.approx(path, rel=1e-12)
    averaged = ours("momentum", {})
    assert averaged == pytest.approx(ours("momentum", {"classical": True}, ETA * (1 - 0.9)), rel=1e-12)


@pytest.mark.parametrize(("name", "times"), [("adagrad", 1.0), ("rmsprop", 1 / sqrt(0.1)), ("adam", 1.0)])
@pytest.mark.parametrize("g", [0.001, 20.0])
def test_the_first_step_does_not_depend_on_the_gradient(name: str, times: float, g: float) -> None:
    found = values(
        f'[minimize]\noptimizer = "{name}"\nlearning_rate = 0.1\nstart = {{ w = 0 }}\ngradients = {{ w = [{g}] }}'
    )
    assert found["w_new"] == pytest.approx(-0.1 * times, rel=1e-4)


# The frameworks themselves, where they are installed: ours, the class, and its arguments.

TORCH = [
    ("sgd", {}, "SGD", {}),
    ("momentum", {"classical": True}, "SGD", {"momentum": 0.9}),
    ("momentum", {"classical": True, "dampening": "0.25"}, "SGD", {"momentum": 0.9, "dampening": 0.25}),
    ("nesterov", {}, "SGD", {"momentum": 0.9, "nesterov": True}),
    ("adagrad", {"epsilon": "1e-10"}, "Adagrad", {}),
    ("adagrad", {"initial_accumulator": "0.1"}, "Adagrad", {"initial_accumulator_value": 0.1, "eps": 1e-8}),
    ("rmsprop", {"rho": "0.99"}, "RMSprop", {}),
    ("rmsprop", {"rho": "0.99", "centered": True}, "RMSprop", {"centered": True}),
    ("rmsprop", {"rho": "0.99", "momentum": "0.8"}, "RMSprop", {"momentum": 0.8}),
    ("adadelta", {"rho": "0.9"}, "Adadelta", {}),
    ("adam", {}, "Adam", {}),
    ("adam", {"amsgrad": True, "beta2": "0.5"}, "Adam", {"amsgrad": True, "betas": (0.9, 0.5)}),
    ("adamw", {}, "AdamW", {}),
    ("nadam", {"momentum_schedule": True}, "NAdam", {}),
]


@pytest.mark.parametrize(("name", "settings", "kind", "arguments"), TORCH, ids=named)
def test_pytorch_moves_the_same(name: str, settings: dict[str, Any], kind: str, arguments: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # in which NAdam keeps its product
    try:
        w = torch.nn.Parameter(torch.tensor([START]))
        optimizer, path = getattr(torch.optim, kind)([w], lr=ETA, **arguments), []
        for g in GRADIENTS:
            w.grad = torch.tensor([g])
            optimizer.step()
            path.append(w.item())
    finally:
        torch.set_default_dtype(before)
    assert ours(name, settings) == pytest.approx(path, rel=1e-12)


KERAS = [
    ("sgd", {}, "SGD", {}),
    ("momentum", {"classical": True}, "SGD", {"momentum": 0.9}),
    ("nesterov", {}, "SGD", {"momentum": 0.9, "nesterov": True}),
    ("adagrad", {"epsilon_inside": True, "epsilon": "1e-7", "initial_accumulator": "0.1"}, "Adagrad", {}),
    ("rmsprop", {"epsilon_inside": True, "epsilon": "1e-7"}, "RMSprop", {}),
    ("rmsprop", {"epsilon_inside": True, "epsilon": "1e-7", "centered": True}, "RMSprop", {"centered": True}),
    ("rmsprop", {"epsilon_inside": True, "epsilon": "1e-7", "momentum": "0.8"}, "RMSprop", {"momentum": 0.8}),
    ("adadelta", {"epsilon": "1e-7"}, "Adadelta", {}),
    ("adam", {"epsilon_hat": True, "epsilon": "1e-7"}, "Adam", {}),
    ("adam", {"epsilon_hat": True, "epsilon": "0.01", "amsgrad": True}, "Adam", {"amsgrad": True, "epsilon": 0.01}),
    ("adamw", {"epsilon_hat": True, "epsilon": "1e-7", "decay": "0.004"}, "AdamW", {}),
    ("nadam", {"momentum_schedule": True, "psi": "1", "epsilon": "1e-7"}, "Nadam", {}),
]


@pytest.mark.parametrize(("name", "settings", "kind", "arguments"), KERAS, ids=named)
def test_keras_moves_the_same(name: str, settings: dict[str, Any], kind: str, arguments: dict[str, Any]) -> None:
    keras = pytest.importorskip("keras", exc_type=ImportError)
    w = keras.Variable([START], dtype="float32")
    optimizer, path = getattr(keras.optimizers, kind)(learning_rate=ETA, **arguments), []
    for g in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor([g], dtype="float32")], [w])
        path.append(float(keras.ops.convert_to_numpy(w.value)[0]))
    assert ours(name, settings) == pytest.approx(path, abs=1e-5)  # in single precision 1 - 0.999 is good to 6e-5 of it


# A start from given state, and given gradients.


def test_a_next_step_from_given_moments() -> None:
    """m = 0.1, v = 0.01 and t = 3, as a homework has it: the fourth update, in plain Python."""
    found = values(
        '[minimize]\nobjective = "(w - 3)**2"\nstart = { w = 1 }\noptimizer = "adam"\nlearning_rate = 0.1\n'
        "state = { t = 3, m_w = 0.1, v_w = 0.01 }"
    )
    m, v = 0.9 * 0.1 + 0.1 * -4, 0.999 * 0.01 + 0.001 * 16
    w = 1 - 0.1 * (m / (1 - 0.9**4)) / (sqrt(v / (1 - 0.999**4)) + 1e-8)
    assert (found["m_w_new"], found["v_w_new"], found["w_new"]) == pytest.approx((m, v, w), rel=1e-14)


@pytest.mark.parametrize(("name", "settings"), [pair for pair in VARIANTS if pair[0] != "adaptive_sign"], ids=named)
def test_a_start_from_the_state_of_a_worksheet_goes_on_as_that_does(name: str, settings: dict[str, Any]) -> None:
    head = f'optimizer = "{name}"\nlearning_rate = 0.1\nsettings = {in_toml(settings)}\n'
    whole = values(
        f"[minimize]\n{head}start = {{ w = 0.5, b = -1 }}\ngradients = {{ w = [1, -0.5, 2], b = [3, 1, -2] }}"
    )
    variant = OPTIMIZERS[name].variant(settings)
    state = {f"{s}_{p}": whole[f"{s}_{p}[2]"] for s in variant.state for p in ("w", "b")}
    state |= {s: whole[f"{s}[2]"] for s in variant.shared_state}
    given = ", ".join(f"{key} = {value!r}" for key, value in state.items())
    start = f"start = {{ w = {whole['w[2]']!r}, b = {whole['b[2]']!r} }}"
    rest = f"[minimize]\n{head}{start}\ngradients = {{ w = [2], b = [-2] }}"
    found = values(rest + (f"\nstate = {{ t = 2, {given} }}" if state else ""))
    assert (found["w_new"], found["b_new"]) == pytest.approx((whole["w[3]"], whole["b[3]"]), rel=1e-13)


HEAD = "[minimize]\nlearning_rate = 0.1\nstart = { w = 1, b = 2 }\n"
BY_ERROR = HEAD + 'objective = "w**2 + b"\n'
BY_SLOPES = HEAD + "gradients = { w = [1, 2], b = [0, 1] }\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            BY_ERROR + 'optimizer = "adam"\nstate = { t = 3, m_w = 1, v_w = 1, m_b = 1 }',
            "also give v_b; after an update",
        ),
        (BY_ERROR + 'optimizer = "adam"\nstate = { m_w = 1, v_w = 1, m_b = 1, v_b = 1 }', "also give t .t is how many"),
        (
            BY_ERROR + 'optimizer = "adam"\nstate = { t = 3, m_w = 1, v_w = 1, m_b = 1, v_c = 1 }',
            "there is no 'v_c' — did you mean",
        ),
        (BY_ERROR + 'optimizer = "adam"\nstate = { t = 1.5 }', "minimize.state.t: how many updates .* a whole number"),
        (BY_ERROR + 'optimizer = "adam"\nstate = { t = -1 }', "minimize.state.t: how many updates"),
        (BY_ERROR + "state = { t = 1 }", "sgd keeps nothing"),
        (HEAD, "either an `objective`, or the gradient"),
        (BY_SLOPES + 'objective = "w + b"', "either an `objective`, or the gradient"),
        (BY_SLOPES + "steps = 3", "gradients for 2 steps"),
        (BY_SLOPES + 'optimizer = "adaptive_sign"', "adaptive_sign also needs the error"),
        (HEAD + "gradients = { w = [1, 2], b = [0] }", "w has 2 and b has 1"),
        (HEAD + "gradients = { w = [1, 2] }", "none for 'b'"),
        (HEAD + "gradients = { w = [1, 2], b = [0, 1], c = [1, 1] }", "'c' has no start"),
        (HEAD + "gradients = { w = [], b = [] }", "1 to 500, not 0"),
        (BY_ERROR + 'optimizer = "nadam"\nsettings = { psi = 1 }', "psi goes with momentum_schedule = true"),
        (BY_ERROR + 'optimizer = "momentum"\nsettings = { dampening = 0.5 }', "dampening goes with classical = true"),
        (BY_ERROR + 'optimizer = "adam"\nsettings = { amsgrad = 1 }', "amsgrad is true or false, not '1'"),
        (BY_ERROR + 'optimizer = "adam"\nsettings = { beta1 = true }', "beta1 is a share from 0 to below 1"),
        (BY_ERROR + 'optimizer = "adam"\nsettings = { beta2 = 1 }', "beta2 is a share from 0 to below 1, not 1"),
        (BY_ERROR + 'optimizer = "adam"\nsettings = { epsilon = -1 }', "epsilon is a number of at least 0, not -1"),
        (
            BY_ERROR + 'optimizer = "adam"\nsettings = { amsgrat = true }',
            "unknown setting of adam 'amsgrat'.*'amsgrad'",
        ),
    ],
)
def test_what_cannot_be_meant_is_told(body: str, said: str) -> None:
    with pytest.raises((TutorError, ValueError), match=said):
        worksheet_of(parse_lesson(lesson(body), "t"))


def test_a_velocity_needs_no_count_where_no_equation_has_it() -> None:
    rest = 'optimizer = "momentum"\nsettings = { classical = true }\nstate = { v_w = 1, v_b = -1 }'
    found = values(BY_ERROR + rest)
    assert found["w_new"] == pytest.approx(1 - 0.1 * (0.9 * 1 + 2)) and found["b_new"] == pytest.approx(
        2 - 0.1 * (1 - 0.9)
    )


def test_a_sheet_of_given_gradients_is_asked_and_marked(tutor: Tutor, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "given.toml"
    path.write_text(lesson('[minimize]\noptimizer = "adam"\nlearning_rate = 0.1\nstart = { w = 1 }\n'
                           "gradients = { w = [0.1, -0.2, 0.3] }"))  # fmt: skip
    shown = tutor.json("run", str(path))
    assert [row["value"] for row in shown["givens"] if row["name"].startswith("dE/dw")] == ["0.1", "-0.2", "0.3"]
    assert [row["name"] for row in shown["steps"] if row["name"].startswith("w[")] == ["w[1]", "w[2]", "w[3]"]
    key = tmp_path / "key.csv"
    key.write_text(tutor("key", str(path)).stdout)
    assert tutor("check", str(path), str(key)).returncode == 0
    assert "no gradient on this worksheet to prove" in tutor("prove", str(path)).stderr
    fresh = tutor("vary", str(path), "--seed", "1")
    assert (fresh.returncode, fresh.stderr) == (0, "") and "gradients" in fresh.stdout


# What `tutor explain` says.


def test_explain_tells_every_symbol_and_every_form(tutor: Tutor) -> None:
    for name, entry in OPTIMIZERS.items():
        told = tutor.json("explain", name)
        symbols = {s for line in told["equations"] for s in re.findall(r"[A-Za-z]\w*", line["formula"])} - {
            "sqrt",
            "max",
            "sign",
        }
        words = {s.removesuffix("_new") for s in symbols} - {"if", "else", "in", "the", "first", "update"}
        assert words <= told["symbols"].keys(), name
        forms = [form["with"] for form in told["forms"]]
        assert all(setting in told["symbols"] or setting in str(told["forms"]) for setting in entry.settings), name
        assert all(any(f"{flag} = true" in form for form in forms) for flag in entry.flags), name
        assert all(form["equations"] for form in told["forms"])


def test_the_three_updates_of_explain_are_right(tutor: Tutor) -> None:
    """Adam with eta = 0.1 and the gradients 1, 0.5 and -1, in plain Python."""
    told = tutor.json("explain", "adam")
    assert told["start"] == "w = 1, eta = 0.1 and the gradients 1, 0.5 and -1"
    w, m, v = 1.0, 0.0, 0.0
    for t, (g, row) in enumerate(zip((1.0, 0.5, -1.0), told["updates"], strict=True), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        w -= 0.1 * m_hat / (sqrt(v_hat) + 1e-8)
        right = {"t": t, "g": g, "m_new": m, "v_new": v, "m_hat": m_hat, "v_hat": v_hat, "w_new": w}
        assert {name: float(value) for name, value in row.items()} == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("options", [["--width", "40"], ["--width", "80"], ["--width", "160"], ["--narrate"]], ids=str)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_explained_optimizer_fits_the_screen(tutor: Tutor, name: str, options: list[str]) -> None:
    done = tutor("explain", name, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= (int(options[1]) if len(options) > 1 else 80)
    assert OPTIMIZERS[name].frameworks[:20] in " ".join(done.stdout.split())


def test_free_equations_take_their_step_from_a_given_state() -> None:
    """E = (2w - 1)² at w = 1: dE/dw = 4, v = 0.9·0.5 + 0.1·4 = 0.85."""
    found = values(
        'givens = { w = 1, x = 2 }\nequations = [{ name = "E", formula = "(w*x - 1)**2" }]\n'
        'differentiate = { of = "E", wrt = ["w"] }\n'
        'training = { optimizer = "momentum", learning_rate = 0.1, state = { v_w = 0.5 } }'
    )
    assert found["v_w_new"] == pytest.approx(0.85) and found["w_new"] == pytest.approx(1 - 0.085)


def test_a_fresh_problem_has_moments_of_its_own_and_as_many_updates_behind_it() -> None:
    text = lesson(
        '[minimize]\nobjective = "(w - 3)**2"\nstart = { w = 1 }\noptimizer = "adam"\nlearning_rate = 0.1\n'
        "state = { t = 3, m_w = 0.12, v_w = 0.034 }"
    )
    drawn = [problem_lesson(text, Code("0" * 8, str(seed), 0)).minimize for seed in range(20)]
    states = [made.state for made in drawn if made is not None]
    assert {state["t"] for state in states} == {3} and len({state["m_w"] for state in states}) > 5
    assert all(state["v_w"] > 0 for state in states)


def test_the_classical_velocity_is_called_no_average(tutor: Tutor) -> None:
    """Under a constant gradient it comes to ten times that; the same words head it and the averaged form."""
    shown = tutor("explain", "momentum", "--width", 200).stdout
    assert shown.count("velocity: a weighted sum of the gradients") >= 3 and "average of the gradients" not in shown
