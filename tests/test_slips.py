"""Slips: each one made by hand in plain Python, and named by the program; and what students hand in, simulated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from math import exp, log10, sqrt, tanh

import pytest
from conftest import LONGER, Tutor
from msgspec.structs import replace as changed
from simulation import Room, simulate_all, try_work
from student import Habits, handed_lines

from tutor.homework.marker import LessonMarker, MarkingJob
from tutor.lessons.find import course_worksheets, lesson_text, worksheet_of
from tutor.lessons.format import Homework
from tutor.lessons.read import parse_lesson
from tutor.marking.report import CellReport, SheetReport
from tutor.marking.sheet import SheetMarker
from tutor.marking.verdict import Marker
from tutor.maths.optimizers import OPTIMIZERS
from tutor.sheets.read import HandedIn
from tutor.slips.example import example_of
from tutor.slips.registry import SLIPS
from tutor.trace.mistakes import registry as in_programs
from tutor.views.slip import slip_document, slip_page

Values = dict[str, float]


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


def mlp() -> Values:
    """Appendix B in floats, worked out here."""
    v = {
        "X1": 0.1,
        "X2": 0.3,
        "W1": 0.5,
        "W2": 0.1,
        "W3": 0.62,
        "W4": 0.2,
        "W5": -0.2,
        "W6": 0.3,
        "b1": 0.4,
        "b2": -0.1,
        "b3": 1.83,
        "t": 0.03,
        "eta": 0.01,
    }
    v["h1_in"] = v["W1"] * v["X1"] + v["W2"] * v["X2"] + v["b1"]
    v["h2_in"] = v["W3"] * v["X1"] + v["W4"] * v["X2"] + v["b2"]
    v["h1_out"], v["h2_out"] = sigmoid(v["h1_in"]), sigmoid(v["h2_in"])
    v["out_in"] = v["W5"] * v["h1_out"] + v["W6"] * v["h2_out"] + v["b3"]
    v["out_out"] = sigmoid(v["out_in"])
    v["E"] = (v["t"] - v["out_out"]) ** 2 / 2
    v["dE"] = v["out_out"] - v["t"]
    v["slope"], v["slope1"], v["slope2"] = (v[n] * (1 - v[n]) for n in ("out_out", "h1_out", "h2_out"))
    v["g5"], v["g1"] = v["dE"] * v["slope"] * v["h1_out"], v["dE"] * v["slope"] * v["W5"] * v["slope1"] * v["X1"]
    return v


V = mlp()
ADAM = "format = 1\ntitle = 't'\n[minimize]\nobjective = 'x**2 + 10*y**2'\nstart = { x = 1.3, y = 0.7 }\noptimizer = 'adam'\nsteps = 2\nlearning_rate = 0.1\n"
BATCH = """format = 1
title = "t"
[network]
inputs = ["x"]
loss = "binary_cross_entropy"
[[network.layers]]
activation = "sigmoid"
weights = [[0.7]]
biases = [0.2]
[[examples]]
inputs = [1.5]
targets = [1]
[[examples]]
inputs = [-0.5]
targets = [0]
[[examples]]
inputs = [0.8]
targets = [1]
[training]
learning_rate = 0.3
"""
EXAMPLES = [(1.5, 1), (-0.5, 0), (0.8, 1)]
OUTPUTS = [sigmoid(0.7 * x + 0.2) for x, _ in EXAMPLES]
GRADIENTS = [(y - t) * x for y, (x, t) in zip(OUTPUTS, EXAMPLES, strict=True)]


def adam_second_step() -> Values:
    """Adam on x alone, written out for two steps."""
    x, m, v = 1.3, 0.0, 0.0
    found = {}
    for t in (1, 2):
        g = 2 * x
        found |= {"m_old": m, "v_old": v, "x_old": x, "g": g}
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        found |= {"m": m, "v": v, "m_hat": m_hat, "v_hat": v_hat}
        x -= 0.1 * m_hat / (sqrt(v_hat) + 1e-8)
    return found


A = adam_second_step()
Case = tuple[str, str, Callable[[], float]]
CASES: dict[str, Case] = {
    "error-sign": ("mlp", "dE/dout_out", lambda: -V["dE"]),
    "missing-slope": ("mlp", "dE/dW5", lambda: V["dE"] * V["h1_out"]),
    "slope-of-output": ("mlp", "dout_out/dout_in", lambda: sigmoid(V["out_out"]) * (1 - sigmoid(V["out_out"]))),
    "other-neuron-slope": ("mlp", "dout_out/dout_in", lambda: V["slope2"]),
    "weight-for-input": ("mlp", "dh2_in/dW3", lambda: V["W3"]),
    "input-for-weight": ("mlp", "dout_in/dh2_out", lambda: V["h2_out"]),
    "partial-for-gradient": ("mlp", "W5_new", lambda: V["W5"] - V["eta"] * V["h1_out"]),
    "ascent": ("mlp", "W5_new", lambda: V["W5"] + V["eta"] * V["g5"]),
    "missing-rate": ("mlp", "W5_new", lambda: V["W5"] - V["g5"]),
    "updated-weight": ("mlp", "dE/dW1", lambda: V["g1"] / V["W5"] * (V["W5"] - V["eta"] * V["g5"])),
    "factor-two": ("mlp", "E", lambda: 2 * V["E"]),
    "missing-bias": ("mlp", "out_in", lambda: V["out_in"] - V["b3"]),
    "missing-term": ("mlp", "out_in", lambda: V["W6"] * V["h2_out"] + V["b3"]),
    "swapped-weights": ("mlp", "h1_in", lambda: V["W2"] * V["X1"] + V["W1"] * V["X2"] + V["b1"]),
    "no-activation": ("mlp", "h1_out", lambda: V["h1_in"]),
    "wrong-activation": ("mlp", "h1_out", lambda: tanh(V["h1_in"])),
    "exp-sign": ("mlp", "out_out", lambda: 1 / (1 + exp(V["out_in"]))),
    "log-base": ("batch", "E@2", lambda: -log10(1 - OUTPUTS[1])),
    "decimal-slip": ("mlp", "dE/dW5", lambda: V["g5"] / 100),
    "sign-slip": ("mlp", "out_in", lambda: V["out_in"] - 2 * V["W6"] * V["h2_out"]),
    "mean-for-sum": ("sum", "dE/dW1", lambda: sum(GRADIENTS) / 3),
    "sum-for-mean": ("batch", "dE/dW1", lambda: sum(GRADIENTS)),
    "overwritten": ("sum", "dE/dW1", lambda: GRADIENTS[2]),
    "missing-bias-correction": ("adam", "x[2]", lambda: A["x_old"] - 0.1 * A["m"] / (sqrt(A["v_hat"]) + 1e-8)),
    "swapped-betas": ("adam", "m_x[2]", lambda: 0.999 * A["m_old"] + 0.001 * A["g"]),
    "epsilon-inside-root": ("epsilon", "x[2]", lambda: A["x_old"] - 0.1 * A["m_hat"] / sqrt(A["v_hat"] + 0.01)),
    "stale-moment": ("adam", "m_hat_x[2]", lambda: A["m_old"] / (1 - 0.9**2)),
    "swapped-values": ("mlp", "h2_out", lambda: V["h1_out"]),
    "extra-slope": ("linear", "dout_out/dout_in", lambda: LINEAR * (1 - LINEAR)),
    "other-branch": ("relu", "dout_out/dout_in", lambda: 1.0),
    "slope-form": ("mlp", "dout_out/dout_in", lambda: 1 - V["out_out"]),
    "missing-factor": ("mlp", "dE/dW5", lambda: V["slope"] * V["h1_out"]),
    "twice": ("shared", "df/da", lambda: (2 * 2.5 + 4.5) * 3.5),  # c is used in u and in w
    "not-updated": ("mlp", "W5_new", lambda: V["W5"]),
    "power-slip": ("mlp", "E", lambda: (V["t"] - V["out_out"]) / 2),
}  # fmt: skip
LINEAR = 0.7 * 1.5 + 0.2


SOFTMAX = """format = 1
title = "t"
[network]
inputs = ["x"]
loss = "cross_entropy"
[[network.layers]]
units = 3
activation = "softmax"
weights = [[0.6], [0.25], [-0.4]]
biases = [0.2, -0.1, 0.35]
[[examples]]
inputs = [0.5]
targets = [0, 1, 0]
[training]
learning_rate = 0.1
optimizer = "momentum"
"""
SUMS = [0.6 * 0.5 + 0.2, 0.25 * 0.5 - 0.1, -0.4 * 0.5 + 0.35]
OTHER_WAYS: list[tuple[str, Case]] = [
    ("swapped-betas", ("rmsprop", "r_x[1]", lambda: 0.9 * (2 * 1.3) ** 2)),
    ("missing-bias-correction", ("adam", "x[2]", lambda: A["x_old"] - 0.1 * A["m"] / (sqrt(A["v"]) + 1e-8))),
    ("swapped-betas", ("adam", "m_x[2]", lambda: 0.1 * A["m_old"] + 0.9 * A["g"])),
    ("swapped-betas", ("adam", "m_x[2]", lambda: 0.9 * A["m_old"] + 0.9 * A["g"])),
    ("swapped-betas", ("softmax", "v_W2_new", lambda: 0.9 * 0.5 * (exp(SUMS[1]) / sum(map(exp, SUMS)) - 1))),
    ("wrong-activation", ("softmax", "o1_out", lambda: exp(SUMS[0]))),
    ("wrong-activation", ("softmax", "o1_out", lambda: sigmoid(SUMS[0]))),
    ("no-activation", ("softmax", "o3_out", lambda: SUMS[2])),
]


LINEAR_LESSON = """format = 1
title = "t"
[network]
inputs = ["x"]
loss = "half_squared_error"
[[network.layers]]
activation = "linear"
weights = [[0.7]]
biases = [0.2]
[[examples]]
inputs = [1.5]
targets = [1]
"""
SHARED = """format = 1
title = "t"
chain = "delta"
[givens]
a = 1.3
b = 3.5
x = 2.5
y = 4.5
[[equations]]
name = "c"
formula = "a*b"
[[equations]]
name = "u"
formula = "c*x"
[[equations]]
name = "w"
formula = "c*y"
[[equations]]
name = "f"
formula = "u + w"
[differentiate]
wrt = ["a", "b"]
"""


def epsilon_lesson() -> str:
    return ADAM + "settings = { epsilon = 0.01 }\n"


LESSONS = {
    "mlp": lambda: lesson_text("mlp"),
    "batch": lambda: BATCH,
    "sum": lambda: BATCH + 'batch = "sum"\n',
    "adam": lambda: ADAM,
    "epsilon": epsilon_lesson,
    "softmax": lambda: SOFTMAX,
    "linear": lambda: LINEAR_LESSON,
    "relu": lambda: LINEAR_LESSON.replace('"linear"', '"relu"').replace("[[0.7]]", "[[-0.7]]"),
    "shared": lambda: SHARED,
    "rmsprop": lambda: ADAM.replace("adam", "rmsprop"),
}
DESKS: dict[str, LessonMarker] = {}


def mark(lesson: str, answers: dict[str, str]) -> SheetReport:
    if lesson not in DESKS:
        DESKS[lesson] = LessonMarker(MarkingJob(LESSONS[lesson](), lesson, Homework()))
    return DESKS[lesson].mark("sheet", HandedIn(answers))


def cell(document: SheetReport, name: str) -> CellReport:
    return next(c for c in document.cells if c.name == name)


def test_every_slip_has_a_case_and_a_hint() -> None:
    assert CASES.keys() == SLIPS.keys()
    for slip in SLIPS.values():
        assert slip.question.endswith("?") and slip.rule.endswith(".") and not re.search(r"\d\.\d", str(slip.hint))


@pytest.mark.parametrize(
    ("slip", "case"), [*((name, case) for name, case in CASES.items() if name != "epsilon-inside-root"), *OTHER_WAYS]
)
def test_a_slip_made_by_hand_is_named(slip: str, case: Case) -> None:
    lesson, name, value = case
    found = cell(mark(lesson, {name: f"{value():#.8g}"}), name)
    assert found.verdict == "wrong"
    ids = [s.id for s in found.slips]
    assert slip in ids
    named = found.slips[ids.index(slip)]
    assert float(named.value) == pytest.approx(value(), rel=1e-6)
    assert len(f"{value():.4g}") < 4 or f"{value():.4g}"[:6] not in named.message, "a hint gives no value away"


def test_epsilon_inside_the_root() -> None:
    """With epsilon = 0.01 and both steps written out: sqrt(v_hat + epsilon) instead of sqrt(v_hat) + epsilon."""
    x, m, v = 1.3, 0.0, 0.0
    for t in (1, 2):
        g = 2 * x
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        slipped = x - 0.1 * m_hat / sqrt(v_hat + 0.01)
        x -= 0.1 * m_hat / (sqrt(v_hat) + 0.01)
    found = cell(mark("epsilon", {"x[2]": f"{slipped:.10g}"}), "x[2]")
    assert [s.id for s in found.slips][:1] == ["epsilon-inside-root"]


EQUATIONS = """format = 1
title = "t"
[givens]
x = 0.4
w = 1.2
[[equations]]
name = "s"
formula = "log(w**2 + x)"
[[equations]]
name = "E"
formula = "s**2 + w*s"
[differentiate]
wrt = ["w"]
"""
PERCEPTRON = """format = 1
title = "t"
[network]
inputs = ["x"]
[[network.layers]]
activation = "step"
weights = [[0.4]]
biases = [-0.7]
[[examples]]
inputs = [1]
targets = [1]
[training]
rule = "perceptron"
max_epochs = 1
learning_rate = 0.3
"""
MISTAKES: list[tuple[str, dict[str, str]]] = [
    *(
        (lesson, {name: f"{value():#.8g}"})
        for lesson, name, value in [*CASES.values(), *(case for _, case in OTHER_WAYS)]
        if lesson != "epsilon"
    ),
    ("equations", {"ds/dw": "2.4000"}),
    ("perceptron", {"error[1]": "-1"}),
]


@pytest.mark.parametrize("lesson", dict.fromkeys(lesson for lesson, _ in MISTAKES))
def test_a_diagnosis_does_not_hang_on_the_words_of_a_reason(lesson: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All mistakes above marked as they are, and with every reason of the worksheet and of the optimizers reworded."""
    text = {**LESSONS, "equations": lambda: EQUATIONS, "perceptron": lambda: PERCEPTRON}[lesson]()
    usual = worksheet_of(parse_lesson(text, lesson))
    for name, entry in OPTIMIZERS.items():
        lines = ([replace(line, reason="so") for line in part] for part in (entry.equations, entry.shared))
        equations, shared = map(tuple, lines)
        monkeypatch.setitem(OPTIMIZERS, name, replace(entry, equations=equations, shared=shared))
    built = worksheet_of(parse_lesson(text, lesson))
    reworded = changed(built, steps=tuple(changed(step, reason="in other words") for step in built.steps))
    both = [SheetMarker(Marker(sheet), []) for sheet in (usual, reworded)]
    for answers in (answers for of, answers in MISTAKES if of == lesson):
        first, second = (marker.mark(answers) for marker in both)
        assert [slip.id for cell in first.cells for slip in cell.slips]
        assert first == second


def test_the_lecture_as_homework() -> None:
    """Appendix B: exactly five root errors, each with the slip that the errata name."""
    printed = {"h1_in": "0.48", "h1_out": "0.618", "h2_in": "0.022", "h2_out": "0.506", "out_out": "0.865", "E": "0.349", "dE/dout_out": "0.835", "dout_out/dout_in": "0.23", "dout_in/dW5": "0.618", "dout_in/dW6": "0.506", "dE/dW6": "0.097", "dout_in/dh1_out": "-0.2", "dh1_out/dh1_in": "0.236", "dh1_in/dW1": "0.1", "dE/dW1": "-0.001", "dh1_in/dW2": "0.3", "dE/dW2": "-0.003", "dout_in/dh2_out": "0.3", "dh2_out/dh2_in": "0.25", "dh2_in/dW3": "0.62", "dE/dW3": "0.009", "dh2_in/dW4": "0.2", "dE/dW4": "0.003", "W1_new": "0.50001", "W2_new": "0.10003", "W3_new": "0.61991", "W4_new": "0.1997", "W5_new": "-0.20618", "W6_new": "0.29903"}  # fmt: skip
    found = mark("mlp", printed)
    assert found.root_errors == ["dout_out/dout_in", "dh2_in/dW3", "dh2_in/dW4", "W4_new", "W5_new"]
    ids = {name: [s.id for s in cell(found, name).slips] for name in found.root_errors}
    assert {"factor-two", "other-neuron-slope"} <= {*ids["dout_out/dout_in"]}
    assert ids["dh2_in/dW3"][0] == ids["dh2_in/dW4"][0] == "weight-for-input"
    assert ids["W4_new"][0] == "decimal-slip" and ids["W5_new"][0] == "partial-for-gradient"
    told = {m.id: m.cells for m in found.misconceptions}
    assert told["weight-for-input"] == ["dh2_in/dW3", "dh2_in/dW4"]


def test_few_digits_are_said_to_fit_and_many_to_tell() -> None:
    lesson, name, value = CASES["missing-slope"]
    few, many = (cell(mark(lesson, {name: f"{value():.{d}g}"}), name).slips[0] for d in (2, 7))
    assert few.message.startswith("Could be: ") and not few.sure
    assert many.sure and not many.message.startswith("Could be")


def test_a_slip_in_a_line_left_blank_is_found_through_the_lines_after_it() -> None:
    """The slope of the output neuron doubled, and only gradients handed in: one root error, not six. It is just what
    the loss without its half gives, so that is named too."""
    slope = 2 * V["slope"]
    delta = V["dE"] * slope
    gradients = {
        "dE/dW5": delta * V["h1_out"], "dE/dW6": delta * V["h2_out"], "dE/db3": delta,
        "dE/dW1": delta * V["W5"] * V["slope1"] * V["X1"], "dE/dW2": delta * V["W5"] * V["slope1"] * V["X2"],
        "dE/dW3": delta * V["W6"] * V["slope2"] * V["X1"],
    }  # fmt: skip
    found = mark("mlp", {name: f"{value:.6g}" for name, value in gradients.items()})
    assert found.root_errors == ["dE/dW5"]
    slips = cell(found, "dE/dW5").slips
    assert [s.id for s in slips] == ["wrong-loss", "factor-two"]  # no telling which
    assert {cell(found, name).verdict for name in gradients} == {"wrong", "carried"}


def test_the_same_slip_is_charged_once_unless_the_teacher_says_otherwise() -> None:
    answers = {"dh2_in/dW3": "0.62000", "dh2_in/dW4": "0.20000", "dE/dW3": "0.0453"}
    right = {"dh1_in/dW1": "0.1", "dh1_in/dW2": "0.3", "dh1_in/db1": "1"}
    answers |= right
    asked = ["dh2_in/dW3", "dh2_in/dW4", *right]
    for charge, score in (("once", 4), ("each", 3)):
        marker = LessonMarker(MarkingJob(lesson_text("mlp"), "mlp", Homework(ask=asked, charge=charge)))  # type: ignore[arg-type]
        assert marker.mark("s", HandedIn(answers)).score == score


def test_simulated_students() -> None:
    """The figures that the README states, on a small scale; `python tests/simulation.py` has them in full."""
    figures = simulate_all(rooms=10 * LONGER, seed=11, sheets=5)
    assert figures.honest > 40 * LONGER and not figures.honest_wrong

    def share(kind: str) -> float:
        of = sum(n for (_, what), n in figures.seen.items() if what == f"of {kind}")
        return sum(n for (_, what), n in figures.seen.items() if what == kind) / of

    assert share("only root") >= 0.985 and share("reported") >= 0.98
    assert share("blank: one root") >= 0.8 and share("blank: reported") >= 0.85


@pytest.mark.parametrize("seed", [1000067, 6000027, 6000041, 6000163, 6000228, 6000247, 6000257, 7000567])
def test_who_cuts_every_line_off_is_not_called_wrong(seed: int) -> None:
    """Where only gradients are handed in, they may all be off by many units, and nothing shows that digits were cut."""
    room = Room(seed)
    for _ in range(40):
        habits = Habits.of(room.random)
        handed = handed_lines(room.lines, habits, room.random)
        honest = try_work(room, habits, handed, {})
        if honest is not None and honest.handed and habits.truncating:
            verdicts = {cell.mark.verdict for cell in room.mark(honest).cells}
            assert not verdicts & {"wrong", "unreadable"}, habits


def test_every_mistake_is_explained() -> None:
    """What `check` or `trace` can name has a page: on paper with a line right and wrong, in code, or both."""
    worksheets, in_code = list(course_worksheets()), {m.id: m for m in in_programs.MISTAKES}
    for name in {*SLIPS, *in_code}:
        example = example_of(SLIPS[name], worksheets) if name in SLIPS else None
        told = slip_document(name, example, in_code.get(name))
        assert example or told.numpy, name
        assert "{" not in told.question + told.rule + told.message
        if told.example is not None:
            assert told.question and told.rule and told.example.right_value != told.example.slipped_value
        page = [str(block) for block in slip_page(told, example, 3)]
        assert any("In numbers" in block for block in page) == (example is not None)
        assert any("In code" in block for block in page) == (name in in_code)


def test_the_missing_slope_is_explained_with_the_numbers_of_appendix_a(tutor: Tutor) -> None:
    """dE/dW1 without the slope is (Predicted - Desired) times X1 = 0.1."""
    example = json.loads(tutor("explain", "slip:missing-slope", "--json").stdout)["example"]
    predicted = sigmoid(0.5 * 0.1 + 0.2 * 0.3 + 1.83)
    assert (example["worksheet"], example["line"]) == ("perceptron/perceptron", "dE/dW1")
    assert float(example["slipped_value"]) == pytest.approx((predicted - 0.03) * 0.1, rel=1e-12)
    assert float(example["right_value"]) == pytest.approx((predicted - 0.03) * predicted * (1 - predicted) * 0.1)


def test_a_mistake_that_there_is_not_gets_the_nearest(tutor: Tutor) -> None:
    done = tutor("explain", "slip:missing-slop")
    assert done.returncode == 2 and "did you mean 'missing-slope'" in done.stderr


def test_the_slope_of_a_relu_that_is_off_is_asked_about_by_its_side_and_not_by_another_neuron() -> None:
    """A slope of 1, as a linear output has it, is that of no neuron in particular."""
    two = LINEAR_LESSON.replace("[[0.7]]", "[[0.9]]").replace(
        "[[network.layers]]",
        '[[network.layers]]\nactivation = "relu"\nweights = [[-0.7]]\nbiases = [0.2]\n[[network.layers]]',
    )
    found = LessonMarker(MarkingJob(two, "two", Homework())).mark("s", HandedIn({"dh1_out/dh1_in": "1.0"}))
    slips = [slip.id for slip in cell(found, "dh1_out/dh1_in").slips]
    assert slips[0] == "other-branch" and "other-neuron-slope" not in slips


def test_a_product_of_free_equations_has_no_weights() -> None:
    text = 'format = 1\ntitle = "t"\n[givens]\na = 1.73\nb = -0.64\n[[equations]]\nname = "p"\nformula = "a*b"\n'
    product = text + '[differentiate]\nof = "p"\nwrt = ["a", "b"]\n'
    found = LessonMarker(MarkingJob(product, "p", Homework())).mark("s", HandedIn({"dp/da": "1.73", "dp/db": "-0.64"}))
    named = [slip for slip in cell(found, "dp/da").slips if slip.id in ("weight-for-input", "input-for-weight")]
    assert named and not any("weight" in slip.message for slip in named)
