"""Every kind of worksheet, held against computations that share nothing with the program.

The independent side is plain Python over mpmath numbers: it trains by its own loops and takes every gradient as a
central difference of its own loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given, settings
from msgspec.structs import replace
from networks import RandomNetwork, networks

from tutor.errors import TutorError
from tutor.formulas.expressions import names as names_in
from tutor.lessons.find import lesson_files, read_lesson, worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.maths.optimizers import OPTIMIZERS
from tutor.numbers.exact import as_fraction
from tutor.views.notation import expression_text
from tutor.worksheet.proof import prove
from tutor.worksheet.softmax import collapses
from tutor.worksheet.values import evaluate_formula

Loss = Callable[[dict[str, Any]], Any]


@pytest.fixture(autouse=True)
def forty_digits() -> Any:
    with mpmath.workdps(60):
        yield


def values(text: str, chain: str = "full") -> dict[str, Any]:
    worksheet = worksheet_of(parse_lesson('format = 1\ntitle = "t"\n' + text, "test"), chain)
    exact = worksheet.values
    if worksheet.gradients:  # every test network is proved as `tutor prove` does it
        assert all(proof.holds for proof in prove(worksheet))
    return {n: mpmath.mpf(as_fraction(v).numerator) / as_fraction(v).denominator for n, v in exact.items()}


def gradient(loss: Loss, at: dict[str, Any], name: str) -> Any:
    h = mpmath.mpf(10) ** -20
    return (loss(at | {name: at[name] + h}) - loss(at | {name: at[name] - h})) / (2 * h)


def close(a: Any, b: Any, digits: int = 28) -> bool:
    return bool(abs(a - b) <= mpmath.mpf(10) ** -digits * (1 + abs(b)))


def sigmoid(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-z))


# One hidden layer, two inputs, two examples: used for everything about training.
NETWORK = """
network = { inputs = ["x1", "x2"], loss = "half_squared_error", layers = [
  { neurons = ["h1", "h2"], activation = "tanh", weights = [[0.3, -0.2], [0.5, 0.7]], biases = [0.1, -0.4] },
  { neurons = ["o"], activation = "sigmoid", weights = [[0.6, -0.9]], biases = [0.2] },
] }
examples = [{ inputs = [0.5, -1], targets = [1] }, { inputs = [1.5, 2], targets = [0] }]
"""
EXAMPLES = [(("0.5", "-1"), "1"), (("1.5", "2"), "0")]


def start() -> dict[str, Any]:
    names = ["W1", "W2", "W3", "W4", "W5", "W6", "b1", "b2", "b3"]
    numbers = ["0.3", "-0.2", "0.5", "0.7", "0.6", "-0.9", "0.1", "-0.4", "0.2"]
    return {n: mpmath.mpf(v) for n, v in zip(names, numbers, strict=True)}


def error(p: dict[str, Any], example: int) -> Any:
    (x1, x2), t = EXAMPLES[example]
    x1, x2, t = mpmath.mpf(x1), mpmath.mpf(x2), mpmath.mpf(t)
    h1 = mpmath.tanh(p["W1"] * x1 + p["W2"] * x2 + p["b1"])
    h2 = mpmath.tanh(p["W3"] * x1 + p["W4"] * x2 + p["b2"])
    return (t - sigmoid(p["W5"] * h1 + p["W6"] * h2 + p["b3"])) ** 2 / 2


def descend(p: dict[str, Any], loss: Loss, rate: Any) -> dict[str, Any]:
    return {n: v - rate * gradient(loss, p, n) for n, v in p.items()}


@pytest.mark.parametrize("chain", ["full", "delta"])
@pytest.mark.parametrize(("batch", "share"), [("mean", "0.5"), ("sum", "1")])
def test_a_batch_is_averaged_or_summed(batch: str, share: str, chain: str) -> None:
    found = values(NETWORK + f'training = {{ learning_rate = 0.3, batch = "{batch}", epochs = 3 }}', chain)

    def loss(q: dict[str, Any]) -> Any:
        return mpmath.mpf(share) * (error(q, 0) + error(q, 1))

    p = start()
    for k in (1, 2, 3):
        assert close(found[f"E[{k}]"], loss(p))
        for name in p:
            assert close(found[f"dE/d{name}[{k}]"], gradient(loss, p, name)), (name, k)
        p = descend(p, loss, mpmath.mpf("0.3"))
        for name, value in p.items():
            assert close(found[f"{name}[{k}]"], value), (name, k)
    assert close(found["E_after"], loss(p))


def test_online_takes_one_example_after_the_other() -> None:
    found = values(NETWORK + 'training = { learning_rate = 0.3, batch = "online", epochs = 2 }')
    p = start()
    for k, example in enumerate([0, 1, 0, 1], 1):

        def loss(q: dict[str, Any], example: int = example) -> Any:
            return error(q, example)

        assert close(found[f"E@{example + 1}[{k}]"], loss(p))
        p = descend(p, loss, mpmath.mpf("0.3"))
        for name, value in p.items():
            assert close(found[f"{name}[{k}]"], value), (name, k)
    for example in (0, 1):
        assert close(found[f"E_after@{example + 1}"], error(p, example))


THREE = NETWORK.replace("targets = [0] }]", "targets = [0] }, { inputs = [-0.7, 0.2], targets = [1] }]")


def of_three(p: dict[str, Any], example: int) -> Any:
    if example < 2:
        return error(p, example)
    x1, x2 = mpmath.mpf("-0.7"), mpmath.mpf("0.2")
    h1 = mpmath.tanh(p["W1"] * x1 + p["W2"] * x2 + p["b1"])
    h2 = mpmath.tanh(p["W3"] * x1 + p["W4"] * x2 + p["b2"])
    return (1 - sigmoid(p["W5"] * h1 + p["W6"] * h2 + p["b3"])) ** 2 / 2


@pytest.mark.parametrize("chain", ["full", "delta"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_so_many_examples_at_a_time_the_last_of_an_epoch_fewer(reduction: str, chain: str) -> None:
    asked = f'training = {{ learning_rate = 0.3, batch = 2, epochs = 2, reduction = "{reduction}" }}'
    found, p = values(THREE + asked, chain), start()
    for k, group in enumerate([(0, 1), (2,), (0, 1), (2,)], 1):

        def loss(q: dict[str, Any], group: tuple[int, ...] = group) -> Any:
            total = sum(of_three(q, e) for e in group)
            return total / len(group) if reduction == "mean" else total

        assert close(found[f"E[{k}]"], loss(p))
        for e in group:
            assert close(found[f"E@{e + 1}[{k}]"], of_three(p, e))
            assert close(found[f"dE@{e + 1}/dW1[{k}]"], gradient(lambda q, e=e: of_three(q, e), p, "W1"))
        assert all(close(found[f"dE/d{name}[{k}]"], gradient(loss, p, name)) for name in p), k
        p = descend(p, loss, mpmath.mpf("0.3"))
        assert all(close(found[f"{name}[{k}]"], value) for name, value in p.items()), k
    assert all(close(found[f"E_after@{e + 1}"], of_three(p, e)) for e in range(3))
    assert "E_after" not in found, "no error of all examples stands before it to compare with"


@pytest.mark.parametrize(("batch", "same"), [("3", '"mean"'), ("1", '"online"')])
def test_a_batch_of_all_or_of_one_is_what_has_a_word(batch: str, same: str) -> None:
    text = THREE + "training = { learning_rate = 0.3, epochs = 2, batch = "
    assert values(f"{text}{batch} }}") == values(f"{text}{same} }}")


def test_the_delta_rule_and_a_penalty_by_parts() -> None:
    plain = values(THREE + "training = { learning_rate = 0.3, batch = 2 }")
    delta = values(THREE + 'training = { learning_rate = 0.3, batch = 2, rule = "delta" }')
    assert all(close(delta[f"{name}[2]"], plain[f"{name}[2]"]) for name in start())
    found = values(THREE + "training = { learning_rate = 0.3, batch = 2, l2 = 0.1 }")
    p = start()
    for k, group in enumerate([(0, 1), (2,)], 1):

        def loss(q: dict[str, Any], group: tuple[int, ...] = group) -> Any:
            squares = sum(q[n] ** 2 for n in q if n[0] == "W")
            return sum(of_three(q, e) for e in group) / len(group) + squares / 10

        assert close(found[f"E[{k}]"], loss(p))
        p = descend(p, loss, mpmath.mpf("0.3"))
        assert all(close(found[f"{name}[{k}]"], value) for name, value in p.items()), k


RUN_ONLY = """
network = { inputs = ["x1", "x2"], LOSS layers = [
  { neurons = ["any", "notboth"], activation = "step", weights = [[1, 1], [-1, -1]], thresholds = [0.5, -1.5] },
  { neurons = ["y"], activation = "OUTPUT", weights = [[1, 1]], thresholds = [1.5] },
] }
examples = [EXAMPLES]
"""
CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize("output", ["step", "sign", "sigmoid"])
@pytest.mark.parametrize("loss", ["", 'loss = "squared_error",'])
def test_step_units_run_forward_where_nothing_is_differentiated(output: str, loss: str) -> None:
    """XOR: a point is in both half planes; nothing says how a weight would have to change."""
    examples = ", ".join(f"{{ inputs = [{a}, {b}]{f', targets = [{a ^ b}]' if loss else ''} }}" for a, b in CORNERS)
    text = RUN_ONLY.replace("LOSS", loss).replace("OUTPUT", output).replace("EXAMPLES", examples)
    worksheet = worksheet_of(parse_lesson('format = 1\ntitle = "t"\n' + text, "x"))
    made = {0.5: {"step": 1, "sign": 1}, -0.5: {"step": 0, "sign": -1}}
    for e, (a, b) in enumerate(CORNERS, 1):
        reached = 0.5 if a ^ b else -0.5
        assert float(worksheet.values[f"y_in@{e}"]) == reached
        expected = made[reached].get(output, 1 / (1 + mpmath.exp(-reached)))
        assert abs(float(worksheet.values[f"y_out@{e}"]) - expected) < 1e-12
        if loss:
            assert abs(float(worksheet.values[f"E@{e}"]) - (expected - (a ^ b)) ** 2) < 1e-12
    assert {s.stage for s in worksheet.steps} == ({"forward", "loss"} if loss else {"forward"})
    assert not worksheet.gradients
    assert any("step" in r and "perceptron rule" in r for r in worksheet.conventions.remarks)
    shown = expression_text(worksheet.by_name["any_out@1"].formula)
    assert shown == "1 if any_in@1 >= 0 else 0"


SEVERAL = """
givens = { z = 0.5, q = 1 }
equations = [
  { name = "c", formula = "z**2" },
  { name = "a", formula = "z*c + q" },
  { name = "b", formula = "a*z + tanh(c)*a" },
]
differentiate = { of = ["b", "a", "c"], wrt = ["z", "q", "a", "c"] }
"""


@pytest.mark.parametrize("chain", ["full", "delta"])
def test_each_of_several_quantities_is_differentiated_by_each(chain: str) -> None:
    """da/dz is the whole derivative, as a goal has it; the local one, c, is local(a,z)."""

    def c(p: dict[str, Any]) -> Any:
        return p["z"] ** 2

    def a(p: dict[str, Any]) -> Any:
        return p["z"] * p.get("c", c(p)) + p["q"]

    def b(p: dict[str, Any]) -> Any:
        whole = p.get("a", a(p))
        return whole * p["z"] + mpmath.tanh(p.get("c", c(p))) * whole

    found = values(SEVERAL, chain)
    p = {"z": mpmath.mpf("0.5"), "q": mpmath.mpf(1)}
    for goal, of in {"a": a, "b": b, "c": c}.items():
        for name in p:
            if (goal, name) != ("c", "q"):
                assert close(found[f"d{goal}/d{name}"], gradient(of, p, name)), (goal, name)
    assert close(found["db/da"], gradient(b, p | {"a": a(p)}, "a"))
    assert close(found["db/dc"], gradient(b, p | {"c": c(p)}, "c"))
    assert close(found["local(a,z)"], c(p)) and close(found["da/dc"], p["z"])
    assert "dc/dq" not in found and "da/da" not in found


def test_one_update_keeps_the_plain_names() -> None:
    found = values(NETWORK + "training = { learning_rate = 0.3 }")
    assert {"h1_in@1", "h1_in@2", "E@1", "E", "dE@1/dW1", "dE/dW1", "W1_new", "h1_in_after@2", "E_after"} <= set(found)


def mean_error(q: dict[str, Any]) -> Any:
    return (error(q, 0) + error(q, 1)) / 2


@pytest.mark.parametrize("single", [True, False])
def test_penalties_count_once_in_loss_and_gradient(single: bool) -> None:
    text = NETWORK.replace(", { inputs = [1.5, 2], targets = [0] }", "") if single else NETWORK
    found = values(text + "training = { learning_rate = 0.3, l1 = 0.05, l2 = 0.02 }")

    def loss(q: dict[str, Any]) -> Any:
        weights = [v for n, v in q.items() if n.startswith("W")]
        penalty = mpmath.mpf("0.05") * sum(map(abs, weights)) + mpmath.mpf("0.02") * sum(w**2 for w in weights)
        return (error(q, 0) if single else mean_error(q)) + penalty

    p = start()
    assert close(found["E"], loss(p))
    for name in p:
        assert close(found[f"dE/d{name}"], gradient(loss, p, name)), name
    assert close(found["E_after"], loss(descend(p, loss, mpmath.mpf("0.3"))))


@pytest.mark.parametrize("ratio", ["0.5", "0.2", "1", "0"])
def test_an_elastic_net_is_both_penalties_in_their_shares(ratio: str) -> None:
    given = "" if ratio == "0.5" else f", penalty_settings = {{ l1_ratio = {ratio} }}"
    found = values(NETWORK + f"training = {{ learning_rate = 0.3, elastic_net = 0.06{given} }}")
    r = mpmath.mpf(ratio)

    def loss(q: dict[str, Any]) -> Any:
        return mean_error(q) + mpmath.mpf("0.06") * sum(
            r * abs(v) + (1 - r) * v**2 for n, v in q.items() if n.startswith("W")
        )

    p = start()
    assert close(found["E"], loss(p))
    for name in p:
        assert close(found[f"dE/d{name}"], gradient(loss, p, name)), name
    assert close(found["E_after"], loss(descend(p, loss, mpmath.mpf("0.3"))))


def test_an_elastic_net_after_each_step_ends_where_the_penalised_error_is_smallest() -> None:
    """½(w - 1)² + 0.4·(0.3·|w| + 0.7·w²) is smallest at w = (1 - 0.4·0.3)/(1 + 2·0.4·0.7)."""
    text = """
network = { inputs = ["x"], loss = "half_squared_error", layers = [{ weights = [[0.05]], activation = "linear" }] }
examples = [{ inputs = [1], targets = [1] }]
training = { learning_rate = 0.5, elastic_net = 0.4, penalty_settings = { l1_ratio = 0.3 }, proximal = true, epochs = 60 }
"""
    assert close(values(text)["W1[60]"], mpmath.mpf("0.88") / mpmath.mpf("1.56"), 15)


@pytest.mark.parametrize("target", ["0.4", "3", "-3"])
@pytest.mark.parametrize("delta", ["1", "0.25"])
def test_huber_is_a_parabola_near_the_target_and_straight_far_out(target: str, delta: str) -> None:
    """y = w·x with w = 0.5 and x = 2; beyond delta the error pulls with delta, whatever its size."""
    given = "" if delta == "1" else f", loss_settings = {{ delta = {delta} }}"
    found = values(f"""
network = {{ inputs = ["x"], loss = "huber"{given}, layers = [{{ weights = [[0.5]], activation = "linear" }}] }}
examples = [{{ inputs = [2], targets = [{target}] }}]
training = {{ learning_rate = 0.1 }}
""")
    d, r = mpmath.mpf(delta), mpmath.mpf(target) - 1
    assert close(found["E"], r**2 / 2 if abs(r) <= d else d * (abs(r) - d / 2))
    assert close(found["dE/dW1"], 2 * max(-d, min(d, -r)))


def test_soft_thresholding_gives_exact_zeros() -> None:
    """½(w - 1)² + 0.3·|w| by proximal steps of 0.5 from 0.05: the minimum 0.7; with 2·|w| exactly 0."""
    text = """
network = {{ inputs = ["x"], loss = "half_squared_error", layers = [{{ weights = [[0.05]], activation = "linear" }}] }}
examples = [{{ inputs = [1], targets = [1] }}]
training = {{ learning_rate = 0.5, l1 = {0}, proximal = true, epochs = 60 }}
"""
    assert close(values(text.format("0.3"))["W1[60]"], mpmath.mpf("0.7"), 15)
    named = "givens = { w = 0.05 }\n" + text.format("0.3").replace("[[0.05]]", '[["w"]]')
    assert close(values(named)["w[60]"], mpmath.mpf("0.7"), 15)
    assert values(text.format("2"))["W1[60]"] == 0


def test_a_gradient_is_clipped_by_value_or_by_norm() -> None:
    p = start()
    whole = {n: gradient(mean_error, p, n) for n in p}
    by_value = values(NETWORK + "training = { learning_rate = 0.3, clip_value = 0.02 }")
    limit = mpmath.mpf("0.02")
    for name, g in whole.items():
        assert close(by_value[f"dE/d{name}_clipped"], max(-limit, min(limit, g)))
    by_norm = values(NETWORK + "training = { learning_rate = 0.3, clip_norm = 0.02 }")
    length = mpmath.sqrt(sum(g**2 for g in whole.values()))
    assert close(by_norm["norm"], length) and length > limit
    for name, g in whole.items():
        assert close(by_norm[f"{name}_new"], p[name] - mpmath.mpf("0.3") * g * limit / length)
    both = values(NETWORK + "training = { learning_rate = 0.3, clip_value = 0.02, clip_norm = 0.03 }")
    limited = {n: max(-limit, min(limit, g)) for n, g in whole.items()}
    length = mpmath.sqrt(sum(g**2 for g in limited.values()))
    assert close(both["norm"], length) and length > mpmath.mpf("0.03")
    for name, g in limited.items():
        assert close(both[f"dE/d{name}_limited"], g)
        assert close(both[f"dE/d{name}_clipped"], g * mpmath.mpf("0.03") / length)
        assert close(both[f"{name}_new"], p[name] - mpmath.mpf("0.3") * g * mpmath.mpf("0.03") / length)
    loose = values(NETWORK + "training = { learning_rate = 0.3, clip_norm = 20 }")
    assert close(loose["dE/dW1_clipped"], whole["W1"])


def test_a_frozen_layer_and_a_rate_for_each_layer() -> None:
    found = values(NETWORK + "training = { learning_rate = 0.3, rates = { h = 0, o = 0.5 } }")
    p = start()
    assert "W1_new" not in found and "dE/dW1" not in found
    for name in ("W5", "W6", "b3"):
        assert close(found[f"{name}_new"], p[name] - mpmath.mpf("0.15") * gradient(mean_error, p, name))


SCHEDULES = {
    '"constant"': lambda k: mpmath.mpf(1),
    '"inverse_time", schedule_settings = { decay_rate = 0.5 }': lambda k: 1 / (1 + mpmath.mpf("0.5") * k),
    '"step", schedule_settings = { factor = 0.1, every = 2 }': lambda k: mpmath.mpf("0.1") ** (k // 2),
    '"exponential", schedule_settings = { decay_rate = 0.2 }': lambda k: mpmath.exp(-mpmath.mpf("0.2") * k),
    '"cosine", schedule_settings = { epochs = 5 }': lambda k: (1 + mpmath.cos(mpmath.pi * k / 5)) / 2,
}


@pytest.mark.parametrize(("schedule", "factor"), SCHEDULES.items(), ids=[s.split('"')[1] for s in SCHEDULES])
def test_a_schedule_changes_the_rate_from_epoch_to_epoch(schedule: str, factor: Callable[[int], Any]) -> None:
    text = f"minimize = {{ objective = 'x**2', start = {{ x = 1 }}, learning_rate = 0.1, steps = 5, schedule = {schedule} }}"
    found, x = values(text), mpmath.mpf(1)
    for k in range(5):
        x -= mpmath.mpf("0.1") * factor(k) * 2 * x
        assert close(found[f"x[{k + 1}]"], x), k


class Vector:
    """The optimizers once more, over plain lists, written from their papers and the lecture's slides."""

    def __init__(self, name: str, size: int, rate: str) -> None:
        self.name, self.rate = name, mpmath.mpf(rate)
        self.a, self.b = [mpmath.mpf(0)] * size, [mpmath.mpf(0)] * size
        self.t, self.last_error, self.last_change = 0, None, mpmath.mpf(0)

    def step(self, w: Sequence[Any], g: Sequence[Any], error: Any) -> list[Any]:
        self.t += 1
        f, eps = mpmath.mpf, mpmath.mpf("1e-8")
        move = getattr(self, self.name)
        if self.name == "adaptive_sign":
            change = f(0) if self.last_error is None else error - self.last_error
            product = change * self.last_change
            self.rate *= f("1.05") if product > 0 else f("0.7") if product < 0 else 1
            self.last_error, self.last_change = error, change
        return [wi - self.rate * move(i, gi, wi, f, eps) for i, (wi, gi) in enumerate(zip(w, g, strict=True))]

    def sgd(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        return g

    adaptive_sign = sgd

    def momentum(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        self.a[i] = f("0.9") * self.a[i] + f("0.1") * g
        return self.a[i]

    def nesterov(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        self.a[i] = f("0.9") * self.a[i] + g
        return g + f("0.9") * self.a[i]

    def adagrad(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        self.a[i] += g**2
        return g / (mpmath.sqrt(self.a[i]) + eps)

    def rmsprop(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        self.a[i] = f("0.9") * self.a[i] + f("0.1") * g**2
        return g / (mpmath.sqrt(self.a[i]) + eps)

    def adadelta(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        self.a[i] = f("0.95") * self.a[i] + f("0.05") * g**2
        d = mpmath.sqrt(self.b[i] + f("1e-6")) / mpmath.sqrt(self.a[i] + f("1e-6")) * g
        self.b[i] = f("0.95") * self.b[i] + f("0.05") * d**2
        return d

    def _moments(self, i: int, g: Any, f: Any) -> tuple[Any, Any]:
        self.a[i] = f("0.9") * self.a[i] + f("0.1") * g
        self.b[i] = f("0.999") * self.b[i] + f("0.001") * g**2
        return self.a[i] / (1 - f("0.9") ** self.t), self.b[i] / (1 - f("0.999") ** self.t)

    def adam(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        m, v = self._moments(i, g, f)
        return m / (mpmath.sqrt(v) + eps)

    def adamw(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        return self.adam(i, g, w, f, eps) + f("0.01") * w

    def lion(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        c = f("0.9") * self.a[i] + f("0.1") * g
        self.a[i] = f("0.99") * self.a[i] + f("0.01") * g
        return mpmath.sign(c)

    def nadam(self, i: int, g: Any, w: Any, f: Any, eps: Any) -> Any:
        m, v = self._moments(i, g, f)
        ahead = m * (1 - f("0.9") ** self.t) / (1 - f("0.9") ** (self.t + 1))
        return (f("0.9") * ahead + f("0.1") * g / (1 - f("0.9") ** self.t)) / (mpmath.sqrt(v) + eps)


BOWL = ("x**2 + 10*y**2", lambda x, y: x**2 + 10 * y**2, lambda x, y: [2 * x, 20 * y], "0.02")
ROSENBROCK = (
    "(1 - x)**2 + 100*(y - x**2)**2",
    lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    lambda x, y: [-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)],
    "0.0005",
)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("function", [BOWL, ROSENBROCK], ids=["bowl", "rosenbrock"])
def test_every_optimizer_agrees_with_a_vector_implementation_over_20_steps(name: str, function: Any) -> None:
    text, f, slopes, rate = function
    found = values(
        f"""minimize = {{ objective = "{text}", optimizer = "{name}", learning_rate = {rate}, steps = 20,
        start = {{ x = -1.2, y = 1 }} }}""".replace("\n", " ")
    )
    w, vector = [mpmath.mpf("-1.2"), mpmath.mpf(1)], Vector(name, 2, rate)
    for k in range(1, 21):
        w = vector.step(w, slopes(*w), f(*w))
        assert close(found[f"x[{k}]"], w[0]) and close(found[f"y[{k}]"], w[1]), k


def test_momentum_in_the_classical_form() -> None:
    found = values(
        """minimize = { objective = "x**2", optimizer = "momentum", learning_rate = 0.1, steps = 2,
        start = { x = 1 }, settings = { beta = 0.5, classical = true } }""".replace("\n", " ")
    )
    # v = 2, x = 1 - 0.2 = 0.8; v = 1 + 1.6 = 2.6, x = 0.8 - 0.26 = 0.54
    assert close(found["x[1]"], mpmath.mpf("0.8")) and close(found["x[2]"], mpmath.mpf("0.54"))


SOFTMAX = """
network = { inputs = ["x1", "x2"], loss = "cross_entropy", layers = [
  { activation = "softmax", weights = [[0.5, 0.1], [1, -0.3], [-1, 0.2]], biases = [0.25, 0, -0.1] },
] }
examples = [{ inputs = [2, -0.7], targets = [0, 1, 0] }]
training = { learning_rate = 0.5 }
"""


@pytest.mark.parametrize("chain", ["full", "delta"])
def test_softmax_with_cross_entropy(chain: str) -> None:
    found = values(SOFTMAX, chain)
    z = [mpmath.mpf(v) for v in ("1.18", "2.21", "-2.24")]
    total = sum(map(mpmath.exp, z))
    a = [mpmath.exp(v) / total for v in z]
    assert close(found["E"], -mpmath.log(a[1]))
    for i in range(3):
        assert close(found[f"o{i + 1}_out"], a[i])
        for j in range(3):
            assert close(found[f"do{i + 1}_out/do{j + 1}_in"], a[i] * ((i == j) - a[j]))
    for i, target in enumerate((0, 1, 0)):
        assert close(found[f"dE/db{i + 1}"], a[i] - target)
        assert close(found[f"dE/dW{2 * i + 1}"], (a[i] - target) * 2)
    if chain == "delta":
        assert close(found["dE/do1_in"], a[0])


def test_thresholds_are_subtracted_and_a_bias_can_be_shared() -> None:
    text = """
network = { inputs = ["x"], loss = "squared_error", layers = [
  { neurons = ["h1", "h2"], activation = "linear", weights = [[2], [3]], thresholds = [0.5, 1] },
  { neurons = ["o1", "o2"], activation = "linear", weights = [[1, 1], [1, -1]], bias = 0.25 },
] }
examples = [{ inputs = [1], targets = [0, 0] }]
training = { learning_rate = 0.1 }
"""
    found = values(text)
    # h = 1.5, 2; o = 3.75, -0.25; E = 14.0625 + 0.0625; dE/db = 2(3.75 - 0.25) = 7; dE/dh1 = 7.5 - 0.5 = 7
    assert (found["h1_out"], found["o1_out"], found["o2_out"], found["E"]) == (1.5, 3.75, -0.25, 14.125)
    assert found["dE/db1"] == 7
    assert found["dE/dtheta1"] == -7
    assert close(found["theta1_new"], mpmath.mpf("1.2"))


@pytest.mark.parametrize("activation", ["leaky_relu", "prelu", "elu", "softplus"])
def test_the_other_activations_train(activation: str) -> None:
    alpha = ", alpha = 0.3" if activation in ("prelu", "elu") else ""
    text = f"""
network = {{ inputs = ["x"], loss = "squared_error", layers = [
  {{ activation = "{activation}", weights = [[0.7], [-0.4]]{alpha} }}, {{ activation = "linear", weights = [[1, 2]] }},
] }}
examples = [{{ inputs = [1.5], targets = [0.2] }}]
training = {{ learning_rate = 0.1 }}
"""
    bodies = {
        "leaky_relu": lambda z: z if z > 0 else z / 100,
        "prelu": lambda z: z if z > 0 else mpmath.mpf("0.3") * z,
        "elu": lambda z: z if z > 0 else mpmath.mpf("0.3") * (mpmath.exp(z) - 1),
        "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    }

    def loss(p: dict[str, Any]) -> Any:
        f, x = bodies[activation], mpmath.mpf("1.5")
        return (mpmath.mpf("0.2") - p["W3"] * f(p["W1"] * x) - p["W4"] * f(p["W2"] * x)) ** 2

    p = {"W1": mpmath.mpf("0.7"), "W2": mpmath.mpf("-0.4"), "W3": mpmath.mpf(1), "W4": mpmath.mpf(2)}
    found = values(text)
    for name in p:
        assert close(found[f"dE/d{name}"], gradient(loss, p, name)), name


BATCH_NORM = """
givens = { x1 = 1, x2 = 2.5, x3 = -0.5, x4 = 4, gamma = 1.5, beta = 0.2, eps = 0.00001 }
[[equations]]
name = "mu"
formula = "(x1 + x2 + x3 + x4)/4"
[[equations]]
name = "var"
formula = "((x1 - mu)**2 + (x2 - mu)**2 + (x3 - mu)**2 + (x4 - mu)**2)/4"
EQUATIONS
[differentiate]
seed = { y1 = 0.1, y2 = -0.3, y3 = 0.7, y4 = 0.2 }
wrt = ["x1", "x4", "gamma", "beta"]
"""
ROWS = "".join(
    f'[[equations]]\nname = "xhat{i}"\nformula = "(x{i} - mu)/sqrt(var + eps)"\n'
    f'[[equations]]\nname = "y{i}"\nformula = "gamma*xhat{i} + beta"\n'
    for i in (1, 2, 3, 4)
)


@pytest.mark.parametrize("chain", ["full", "delta"])
def test_batch_normalisation_backwards_with_gradients_from_above(chain: str) -> None:
    def loss(p: dict[str, Any]) -> Any:
        xs = [p[f"x{i}"] for i in (1, 2, 3, 4)]
        mu = sum(xs) / 4
        std = mpmath.sqrt(sum((x - mu) ** 2 for x in xs) / 4 + mpmath.mpf("0.00001"))
        seeds = [mpmath.mpf(s) for s in ("0.1", "-0.3", "0.7", "0.2")]
        return sum(s * (p["gamma"] * (x - mu) / std + p["beta"]) for s, x in zip(seeds, xs, strict=True))

    p = {
        n: mpmath.mpf(v)
        for n, v in {"x1": "1", "x2": "2.5", "x3": "-0.5", "x4": "4", "gamma": "1.5", "beta": "0.2"}.items()
    }
    found = values(BATCH_NORM.replace("EQUATIONS", ROWS), chain)
    for name in ("x1", "x4", "gamma", "beta"):
        assert close(found[f"dE/d{name}"], gradient(loss, p, name)), name


def test_a_recurrent_cell_through_three_time_steps() -> None:
    text = """
givens = { u = 0.5, w = -0.8, "h[0]" = 0.1, "x[1]" = 1, "x[2]" = -2, "x[3]" = 0.5 }
[[equations]]
for = { t = "1..3" }
name = "h[t]"
formula = "tanh(u*x[t] + w*h[t-1])"
[[equations]]
name = "L"
formula = "(h[3] - 0.25)**2"
[differentiate]
of = "L"
wrt = ["u", "w", "h[0]"]
[training]
learning_rate = 0.1
"""

    def loss(p: dict[str, Any]) -> Any:
        h = p["h[0]"]
        for x in (1, -2, mpmath.mpf("0.5")):
            h = mpmath.tanh(p["u"] * x + p["w"] * h)
        return (h - mpmath.mpf("0.25")) ** 2

    found = values(text)
    p = {"u": mpmath.mpf("0.5"), "w": mpmath.mpf("-0.8"), "h[0]": mpmath.mpf("0.1")}
    for name in p:
        assert close(found[f"dL/d{name}"], gradient(loss, p, name)), name
    assert close(found["L_after"], loss(descend(p, loss, mpmath.mpf("0.1"))))


GATES = {
    "f": 'name = "f[t]"\nformula = "sigmoid(a*x[t] + b*h[t-1])"',
    "g": 'name = "g[t]"\nformula = "tanh(c*x[t] + d*f[t]*h[t-1])"',
    "h": 'name = "h[t]"\nformula = "(1 - f[t])*h[t-1] + f[t]*g[t]"',
}
GATED = """
givens = { a = 0.4, b = -0.7, c = 1.1, d = 0.3, "h[0]" = 0.2, "x[1]" = 1, "x[2]" = -2, "x[3]" = 0.5 }
EQUATIONS
[[equations]]
name = "L"
formula = "(h[3] - 0.5)**2/2"
[differentiate]
of = "L"
wrt = ["a", "b", "c", "d", "h[0]"]
"""


@pytest.mark.parametrize("order", ["fgh", "hgf", "gfh"])
def test_gates_that_need_one_another_at_the_step_before_run_together(order: str) -> None:
    def states(p: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
        h, found = p["h[0]"], []
        for x in (1, -2, mpmath.mpf("0.5")):
            f = sigmoid(p["a"] * x + p["b"] * h)
            g = mpmath.tanh(p["c"] * x + p["d"] * f * h)
            h = (1 - f) * h + f * g
            found.append((f, g, h))
        return found

    def loss(p: dict[str, Any]) -> Any:
        return (states(p)[-1][2] - mpmath.mpf("0.5")) ** 2 / 2

    p = {n: mpmath.mpf(v) for n, v in {"a": "0.4", "b": "-0.7", "c": "1.1", "d": "0.3", "h[0]": "0.2"}.items()}
    gates = [f'[[equations]]\nfor = {{ t = "1..3" }}\n{GATES[name]}\n' for name in order]
    lesson = GATED.replace("EQUATIONS", "".join(gates))
    for chain in ("full", "delta"):
        found = values(lesson, chain)
        for t, state in enumerate(states(p), 1):
            assert all(close(found[f"{name}[{t}]"], value) for name, value in zip("fgh", state, strict=True)), t
        for name in p:
            assert close(found[f"dL/d{name}"], gradient(loss, p, name)), name


def test_equations_of_one_index_find_what_stands_at_a_later_one() -> None:
    """h doubles; y needs its last value from the first index on, and b runs backwards: 1, 3, 7."""
    text = """
givens = { "h[0]" = 1, "b[3]" = 0 }
equations = [
  { for = { t = "1..3" }, name = "h[t]", formula = "2*h[t-1]" },
  { for = { t = "1..3" }, name = "y[t]", formula = "h[3] - h[t]" },
  { for = { t = "0..2" }, name = "b[t]", formula = "2*b[t+1] + 1" },
]
"""
    found = values(text)
    assert [found[f"y[{t}]"] for t in (1, 2, 3)] == [6, 4, 0]
    assert [found[f"b[{t}]"] for t in (2, 1, 0)] == [1, 3, 7]
    names = list(worksheet_of(parse_lesson('format = 1\ntitle = "t"\n' + text, "x")).by_name)
    assert names.index("y[3]") < names.index("b[2]"), "a group is worked before the next one"


@pytest.mark.parametrize("batch", ["", ", { inputs = [1.5, 2], targets = [0] }"])
def test_without_training_there_are_gradients_and_no_update(batch: str) -> None:
    network = NETWORK.replace(", { inputs = [1.5, 2], targets = [0] }", batch)
    p, loss = start(), (mean_error if batch else lambda q: error(q, 0))
    for chain in ("full", "delta"):
        found = values(network, chain)
        assert close(found["E"], loss(p))
        assert all(close(found[f"dE/d{name}"], gradient(loss, p, name)) for name in p)
        assert not [name for name in found if "_new" in name or "_after" in name or name == "eta"]
    worksheet = worksheet_of(parse_lesson('format = 1\ntitle = "t"\n' + network, "x"))
    assert not worksheet.updated and not worksheet.outcomes and not worksheet.conventions.optimizer


def test_sine_and_cosine_are_differentiated() -> None:
    def f(p: dict[str, Any]) -> Any:
        return mpmath.sin(p["x"] * p["y"]) + p["y"] * mpmath.cos(p["x"]) ** 2

    found = values(
        "minimize = { objective = 'sin(x*y) + y*cos(x)**2', start = { x = 0.7, y = -2 }, learning_rate = 1 }"
    )
    p = {"x": mpmath.mpf("0.7"), "y": mpmath.mpf(-2)}
    assert close(found["E"], f(p))
    assert all(close(found[f"dE/d{name}"], gradient(f, p, name)) for name in p)


def test_a_residual_block_and_a_dropout_mask() -> None:
    text = """
givens = { x = 0.7, w1 = 0.4, w2 = -1.1, mask = 0, keep = 0.5 }
[[equations]]
name = "h"
formula = "relu(w1*x)*mask/keep"
[[equations]]
name = "y"
formula = "x + w2*h"
[[equations]]
name = "E"
formula = "(y - 1)**2/2"
[differentiate]
of = "E"
wrt = ["x", "w1", "w2"]
"""
    found = values(text)  # the neuron is dropped: y = x, only the shortcut carries a gradient
    assert close(found["dE/dx"], mpmath.mpf("-0.3")) and found["dE/dw1"] == 0 and found["dE/dw2"] == 0
    kept = values(text.replace("mask = 0", "mask = 1"))
    # h = 0.28·2 = 0.56, y = 0.7 - 0.616 = 0.084, dE/dy = -0.916, dy/dx = 1 + w2·w1·2 = 0.12
    assert close(kept["dE/dx"], mpmath.mpf("-0.916") * mpmath.mpf("0.12"))
    assert close(kept["dE/dw2"], mpmath.mpf("-0.916") * mpmath.mpf("0.56"))


def test_an_expression_circuit() -> None:
    """f = (x + y)·z at x = -2, y = 5, z = -4: f = -12 with the gradient (-4, -4, 3), the example of CS231n."""
    text = """
givens = { x = -2, y = 5, z = -4 }
equations = [{ name = "q", formula = "x + y" }, { name = "f", formula = "q*z" }]
differentiate = { of = "f", wrt = ["x", "y", "z"] }
"""
    found = values(text)
    assert [found[n] for n in ("q", "f", "df/dx", "df/dy", "df/dz")] == [3, -12, -4, -4, 3]


GATE_HEAD = """
network = { inputs = ["x"], layers = [{ neurons = ["o"], activation = "step", weights = [[1]] }] }
examples = [{ inputs = [1], targets = [1] }]
"""
WRONG = {
    "the delta rule with adam": (NETWORK + 'training = { learning_rate = 0.1, rule = "delta", optimizer = "adam" }', "the delta rule is plain gradient"),
    "a target too many": (NETWORK.replace("loss =", 'targets = ["t", "u"], loss =') + "training = { learning_rate = 0.1 }", "2 names for 1 output"),
    "circular equations": ("equations = [{ name = 'y', formula = 'z' }, { name = 'z', formula = 'y' }]", "defined only further on"),
    "an unknown name": ("givens = { x = 1 }\nequations = [{ name = 'y', formula = 'xx' }]", "unknown name 'xx'.*did you mean 'x'"),
    "code in a formula": ("equations = [{ name = 'y', formula = '__import__(1)' }]", "unknown function"),
    "a name twice": ("givens = { x = 1 }\nequations = [{ name = 'x', formula = '1' }]", "two quantities are called 'x'"),
    "an index that is none": ("equations = [{ for = { t = '1..2' }, name = 'h[s]', formula = '1' }]", "not an index"),
    "a range that is none": ("equations = [{ for = { t = '1-2' }, name = 'h[t]', formula = '1' }]", "a range is written"),
    "nothing to do": ("", "exactly one of"),
    "two things to do": (NETWORK + "training = { learning_rate = 1 }\nminimize = { objective = 'x', start = { x = 1 } }", "exactly one"),
    "an unknown seed": ("givens = { x = 1 }\nequations = [{ name = 'y', formula = 'x' }]\ndifferentiate = { wrt = ['x'], seed = { z = 1 } }",
                        "there is no 'z'"),
    "a gradient through a step": (NETWORK.replace('"tanh"', '"step"') + "training = { learning_rate = 1 }", "perceptron rule"),
    "cross-entropy without softmax": (NETWORK.replace("half_squared_error", "cross_entropy") + "training = { learning_rate = 1 }", "softmax"),
    "an unknown setting": (NETWORK + "training = { optimizer = 'adam', settings = { beta3 = 1 } }", "unknown setting.*'beta3'"),
    "a rate for no layer": (NETWORK + "training = { learning_rate = 1, rates = { g = 1 } }", "no layer is called 'g'"),
    "a schedule without effect": (
        NETWORK + "training = { learning_rate = 1, optimizer = 'adaptive_sign', schedule = 'cosine' }",
        "training.schedule: adaptive_sign changes the learning rate itself"),
    "a part of an epoch": (
        NETWORK + "training = { learning_rate = 1, schedule = 'step', schedule_settings = { every = 0.1 } }",
        "training.schedule_settings.every is a whole number of at least 1, not 1/10"),
    "a schedule over no epoch": (
        "minimize = { objective = 'x**2', start = { x = 1 }, schedule = 'cosine', learning_rate = 1, schedule_settings = { epochs = 0 } }",
        "minimize.schedule_settings.epochs is a whole number of at least 1, not 0"),
    "a share of no penalty": (NETWORK + "training = { learning_rate = 1, l2 = 1, penalty_settings = { l1_ratio = 1 } }", "penalty l2 has no settings"),
    "a loss with the setting of another": (
        NETWORK.replace("loss =", "loss_settings = { delta = 2 }, loss =") + "training = { learning_rate = 1 }", "half_squared_error loss has no settings"),
    "soft-thresholding of nothing": (NETWORK + "training = { learning_rate = 1, proximal = true }", "give l1 or"),
    "epochs of free equations": (
        "givens = { x = 1 }\nequations = [{ name = 'y', formula = 'x' }]\ndifferentiate = { wrt = ['x'] }\n"
        "training = { learning_rate = 1, epochs = 3 }", "training.epochs: this belongs to a .network"),
    "a penalty with the perceptron rule": (GATE_HEAD + "training = { rule = 'perceptron', l2 = 1 }", "training.l2: this belongs to gradient descent"),
    "several goals to step along": (
        "givens = { x = 1 }\nequations = [{ name = 'y', formula = 'x' }, { name = 'z', formula = 'x' }]\n"
        "differentiate = { of = ['y', 'z'], wrt = ['x'] }\ntraining = { learning_rate = 1 }", "gradient of one quantity"),
    "a goal twice": (
        "givens = { x = 1 }\nequations = [{ name = 'y', formula = 'x' }]\ndifferentiate = { of = ['y', 'y'], wrt = ['x'] }", "twice"),
    "by itself": (
        "givens = { x = 1 }\nequations = [{ name = 'y', formula = 'x' }]\ndifferentiate = { of = 'y', wrt = ['y'] }", "'y' by itself is 1"),
    "a goal that is no text": (
        "givens = { x = 1 }\nequations = [{ name = 'y', formula = 'x' }]\ndifferentiate = { of = 3, wrt = ['x'] }",
        "differentiate.of: Expected text or a list, got a whole number"),
    "a batch of none": (NETWORK + "training = { learning_rate = 1, batch = 0 }", "training.batch: 0 examples an update, but there are 2"),
    "a batch of more than there are": (NETWORK + "training = { learning_rate = 1, batch = 3 }", "training.batch: 3 examples"),
    "a reduction of a word": (NETWORK + "training = { learning_rate = 1, reduction = 'sum' }", "training.reduction: .*batch = \"sum\""),
    "a batch for the perceptron": (GATE_HEAD + "training = { rule = 'perceptron', batch = 1 }", "training.batch: this belongs to gradient"),
    "training without targets": (NETWORK.replace(", targets = [1]", "").replace(", targets = [0]", "") + "training = { learning_rate = 1 }",
                                 r"examples.1..targets: 0 numbers, but the network has 1 target"),
    "some targets": (NETWORK.replace('loss = "half_squared_error", ', "").replace(", targets = [0]", ""), r"examples.2..targets: 0 numbers"),
    "a chain of a forward pass": ("chain = 'delta'\n" + NETWORK.replace('"tanh"', '"step"'), "chain: no gradient"),
    "no epochs": (NETWORK + "training = { learning_rate = 1, epochs = 0 }", "training.epochs"),
    "two inputs of one name": (NETWORK.replace('"x1", "x2"', '"x1", "x1"'), "network.inputs: two are called 'x1'"),
    "two targets of one name": (
        SOFTMAX.replace("loss =", 'targets = ["t", "u", "t"], loss ='), "network.targets: two are called 't'"),
    "no loss": (NETWORK.replace('loss = "half_squared_error", ', "") + "training = { learning_rate = 1 }", "'loss' is missing.*squared_error.*cross_entropy"),
    "softmax of one": (NETWORK.replace("sigmoid", "softmax"), r"layers.2.*softmax of a single neuron is always 1"),
    "a negative rate": (NETWORK + "training = { learning_rate = -0.1 }", "training.learning_rate: .*negative"),
    "a negative rate for the perceptron": (GATE_HEAD + "training = { rule = 'perceptron', learning_rate = -1 }", "learning_rate: .*negative"),
    "a negative rate of a layer": (NETWORK + "training = { learning_rate = 1, rates = { h = -1 } }", "training.rates.h: .*negative"),
    "a chain for the delta rule": ("chain = 'delta'\n" + NETWORK + "training = { learning_rate = 1, rule = 'delta' }", "chain: no gradient"),
    "a chain of nothing": ("chain = 'delta'\nminimize = { objective = 'x', start = { x = 1 }, learning_rate = 1 }", "chain: no gradient"),
    "equations that need one another": (
        "equations = [{ for = { t = '1..2' }, name = 'a[t]', formula = 'b[t]' }, { for = { t = '1..2' }, name = 'b[t]', formula = 'a[t]' }]",
        r"equation 1, 'a.1.'.*b.1. is defined only further on"),
    "more equations than anybody reads": (
        "equations = [{ for = { t = '1..9999', s = '1..9999' }, name = 'a[t]', formula = '1' }]", "at most 20,000"),
    "no rate for sgd": (NETWORK + "training = { epochs = 1 }", "'learning_rate' is missing"),
    "the name of a setting": ("givens = { eta = 1 }\nminimize = { objective = 'x*eta', start = { x = 1 }, learning_rate = 1 }", "'eta'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(TutorError, match=rf"(?s){message}"):
        values(text)


GATE = """
givens = {{ theta = 0.2 }}
network = {{ inputs = ["x1", "x2"], layers = [
  {{ neurons = [{{ sum = "s", output = "y" }}], activation = "step", weights = [[0.3, -0.1]] }} ] }}
examples = [{{ inputs = [0, 0], targets = [{0}] }}, {{ inputs = [0, 1], targets = [{1}] }},
            {{ inputs = [1, 0], targets = [{2}] }}, {{ inputs = [1, 1], targets = [{3}] }}]
training = {{ rule = "perceptron", learning_rate = 0.1, fires = "s {rule} theta" }}
"""


def rosenblatt(targets: Sequence[int], strict: bool, epochs: int = 20) -> list[tuple[int, int, int, int]]:
    """The perceptron rule in whole tenths: (output, error, w1, w2) for each example until a clean epoch."""
    w1, w2, rows = 3, -1, []
    for _ in range(epochs):
        clean = True
        for (x1, x2), target in zip([(0, 0), (0, 1), (1, 0), (1, 1)], targets, strict=True):
            s = w1 * x1 + w2 * x2
            y = int(s > 2 if strict else s >= 2)
            w1, w2 = w1 + (target - y) * x1, w2 + (target - y) * x2
            clean = clean and y == target
            rows.append((y, target - y, w1, w2))
        if clean:
            break
    return rows


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("targets", [(0, 0, 0, 1), (0, 1, 1, 1), (0, 1, 1, 0)], ids=["and", "or", "xor"])
def test_the_perceptron_rule_with_weights_in_tenths(targets: tuple[int, ...], strict: bool) -> None:
    """The sums meet the threshold exactly: in binary floating point 0.3 - 0.1 is not 0.2."""
    found = values(GATE.format(*targets, rule=">" if strict else ">="))
    rows = rosenblatt(targets, strict)
    for number, (y, error, w1, w2) in enumerate(rows, 1):
        tag = f"@{(number - 1) % 4 + 1}[{number}]"
        assert (found[f"y{tag}"], found[f"error{tag}"]) == (y, error), number
        assert close(found[f"W1[{number}]"], mpmath.mpf(w1) / 10) and close(found[f"W2[{number}]"], mpmath.mpf(w2) / 10)
    assert f"W1[{len(rows) + 1}]" not in found
    assert len(rows) == 80 if targets == (0, 1, 1, 0) else len(rows) < 80


def test_the_textbook_table_of_the_and_gate() -> None:
    """Negnevitsky, Artificial Intelligence (2nd ed.), table 6.3: AND with threshold 0.2, rate 0.1, weights 0.3, -0.1.

    The neuron fires at the threshold; the table ends with epoch 5 and the weights 0.1 and 0.1.
    """
    found = values(GATE.format(0, 0, 0, 1, rule=">="))
    assert close(found["W1[20]"], mpmath.mpf("0.1")) and close(found["W2[20]"], mpmath.mpf("0.1"))
    assert "W1[21]" not in found


def test_a_neuron_is_compared_with_what_it_has_learned_so_far() -> None:
    """w·x + b against w itself: w = 1, x = 2, b = -1.5 and then what the rule makes of them."""
    text = """
givens = { w = 1, b = -1.5 }
network = { inputs = ["x"], layers = [{ neurons = ["o"], activation = "step", weights = [["w"]], biases = ["b"] }] }
examples = [{ inputs = [2], targets = [1] }, { inputs = [3], targets = [1] }, { inputs = [1], targets = [0] }]
training = { rule = "perceptron", learning_rate = 0.5, fires = "s > w", stop = "max_epochs", max_epochs = 4 }
"""
    found = values(text)
    w, b = Fraction(1), Fraction(-3, 2)
    for number in range(12):
        x, target = ((2, 1), (3, 1), (1, 0))[number % 3]
        output = int(w * x + b > w)
        at = f"[{number + 1}]"
        assert found[f"o_out@{number % 3 + 1}{at}"] == output
        w, b = w + Fraction(target - output, 2) * x, b + Fraction(target - output, 2)
        assert found[f"w{at}"] == w and found[f"b{at}"] == b


def test_sign_neurons_with_a_subtracted_threshold() -> None:
    text = """
network = { inputs = ["x"], layers = [{ neurons = ["o"], activation = "sign", weights = [[1]], thresholds = [0.5] }] }
examples = [{ inputs = [1], targets = [-1] }, { inputs = [-1], targets = [1] }]
training = { rule = "perceptron", learning_rate = 0.5, fires = "s > 0" }
"""
    found = values(text)
    # 1 - 0.5 > 0 fires: error -2, W = 1 - 1 = 0, theta = 0.5 + 1 = 1.5; 0 - 1.5 gives -1: error 2, W = -1, theta = 0.5
    assert [found[n] for n in ("o_out@1[1]", "error@1[1]", "W1[1]", "theta1[1]")] == [1, -2, 0, 1.5]
    assert [found[n] for n in ("o_out@2[2]", "error@2[2]", "W1[2]", "theta1[2]")] == [-1, 2, -1, 0.5]


@pytest.mark.parametrize(
    "settings",
    [
        'batch = "mean"',
        'batch = "sum", epochs = 2',
        'batch = "online"',
        'schedule = "inverse_time", epochs = 2',
        "rates = { h = 0.5 }",
        "update_biases = false",
    ],
)
def test_the_delta_rule_is_gradient_descent_written_with_deltas(settings: str) -> None:
    lesson = NETWORK + f"training = {{ learning_rate = 0.3, rule = 'delta', {settings} }}"
    by_delta, by_gradient = values(lesson), values(lesson.replace("rule = 'delta', ", ""))
    updated = [name for name in by_gradient if name.endswith("_new") or name.endswith("]") or name.startswith("dE/dW")]
    shared = [name for name in updated if name in by_delta]
    assert len(shared) >= 9
    assert all(close(by_delta[name], by_gradient[name]) for name in shared)
    if settings == 'batch = "sum", epochs = 2':
        p = start()
        z = sum(
            p[w] * mpmath.tanh(p[a] * 0.5 - p[c] + p[b])
            for w, a, c, b in (("W5", "W1", "W2", "b1"), ("W6", "W3", "W4", "b2"))
        )
        out = sigmoid(z + p["b3"])
        assert close(by_delta["delta_o@1[1]"], (1 - out) * out * (1 - out))


def test_deltas_through_softmax_thresholds_and_shared_weights() -> None:
    lesson = SOFTMAX.replace("rate = 0.5 }", "rate = 0.5, rule = 'delta' }")
    found, plain = values(lesson), values(SOFTMAX)
    targets = dict(zip(("o1", "o2", "o3"), (0, 1, 0), strict=True))
    assert all(close(found[f"delta_{o}"], t - found[f"{o}_out"]) for o, t in targets.items())
    assert all(close(found[name], plain[name]) for name in plain if name.endswith("_new"))
    tied = """
network = { inputs = ["x1", "x2", "x3"], loss = "squared_error", targets = ["t"], layers = [
  { activation = "tanh", weights = [["w1", "w2", ""], ["", "w1", "w2"]], thresholds = ["q", "q"] },
  { activation = "linear", neurons = [{ sum = "s", output = "y" }], weights = [["w1", 0.4]], thresholds = [0.3] },
] }
givens = { w1 = 0.5, w2 = -1.5, q = 0.25 }
examples = [{ inputs = [1, 2, -1], targets = [0.5] }]
training = { learning_rate = 0.1, rule = "delta" }
"""
    found, plain = values(tied), values(tied.replace(', rule = "delta"', ""))
    assert close(found["delta_y"], 2 * (found["t"] - found["y"]))
    assert all(close(found[name], plain[name]) for name in plain if name.endswith("_new"))
    assert {"w1_new", "w2_new", "q_new"} <= {name for name in found if name.endswith("_new")}


PROVED = [
    NETWORK + 'training = { learning_rate = 0.3, epochs = 2, l1 = 0.05, l2 = 0.02, optimizer = "adam" }',
    NETWORK + 'training = { learning_rate = 0.3, batch = "online" }',
    SOFTMAX,
    'minimize = { objective = "(1 - x)**2 + 100*(y - x**2)**2", start = { x = -1.2, y = 1 }, steps = 3, learning_rate = 0.001 }',
]  # fmt: skip


@pytest.mark.parametrize("text", PROVED, ids=range(len(PROVED)))
@pytest.mark.parametrize("chain", ["full", "delta"])
def test_every_gradient_is_proved_four_ways(text: str, chain: str) -> None:
    worksheet = worksheet_of(parse_lesson('format = 1\ntitle = "t"\n' + text, "test"), chain)
    found = list(prove(worksheet))
    assert found and all(proof.holds and len(proof.others) == 3 for proof in found)


@pytest.mark.parametrize("lesson", lesson_files())
def test_the_gradients_of_the_lessons_are_proved(lesson: str) -> None:
    assert all(proof.holds for proof in prove(worksheet_of(read_lesson(lesson))))


@settings(max_examples=12, deadline=None)
@given(networks())
def test_the_gradients_of_random_networks_are_proved(network: RandomNetwork) -> None:
    worksheet = worksheet_of(parse_lesson(network.toml(), "test"))
    assume("relu" not in network.activations)
    assert all(proof.holds for proof in prove(worksheet))


def test_a_wrong_gradient_is_not_proved() -> None:
    worksheet = worksheet_of(read_lesson("perceptron"))
    wrong = [replace(s, formula=s.formula * 2) if s.name == "dPredicted/ds" else s for s in worksheet.steps]
    assert {proof.verdict for proof in prove(replace(worksheet, steps=tuple(wrong)))} == {"differs"}


@pytest.mark.parametrize("text", [SOFTMAX, SOFTMAX.replace("[0, 1, 0]", "[0.2, 0.5, 0.3]")], ids=["one-hot", "soft"])
def test_softmax_with_cross_entropy_collapses_to_output_minus_target(text: str) -> None:
    worksheet = worksheet_of(parse_lesson('format = 1\ntitle = "t"\n' + text, "test"))
    found = values(text, "delta")
    collapsed = collapses(worksheet)
    assert [name for name, _ in collapsed] == ["dE/do1_in", "dE/do2_in", "dE/do3_in"]
    twice = worksheet_of(
        parse_lesson('format = 1\ntitle = "t"\n' + text.replace("rate = 0.5 }", "rate = 0.5, epochs = 2 }"), "test")
    )
    for _, lines in collapsed + collapses(twice):
        assert {n for line in lines for n in names_in(line.expression)} <= {*worksheet.names, *twice.names}
    for name, lines in collapsed:
        for line in lines:
            exact = as_fraction(evaluate_formula(line.expression, worksheet.values))
            assert close(mpmath.mpf(exact.numerator) / exact.denominator, found[name]), line.rule
    assert not collapses(worksheet_of(read_lesson("mlp")))
    halves = text.replace("[0, 1, 0]", "[0, 0.5, 0]").replace("[0.2, 0.5, 0.3]", "[0.2, 0.5, 0]")
    assert not collapses(worksheet_of(parse_lesson('format = 1\ntitle = "t"\n' + halves, "test")))
