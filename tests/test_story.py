"""A sheet is explained by the simplest story: one mistake made everywhere is one, a misread given is asked about, and
sheets without work earn next to nothing. The numbers are worked here, in plain Python."""

from __future__ import annotations

from math import exp, log, log10, tanh
from typing import Any

import pytest
from conftest import Tutor, marker_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.homework.marker import LessonMarker, MarkingJob
from tutor.lessons.find import lesson_text, worksheet_of
from tutor.lessons.format import Homework
from tutor.lessons.read import parse_lesson
from tutor.marking.as_written import plain_number
from tutor.marking.report import SheetReport
from tutor.marking.verdict import CREDIT
from tutor.sheets.read import HandedIn


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


TANH = """format = 1
title = "t"
chain = "delta"
[network]
inputs = ["x1", "x2"]
loss = "binary_cross_entropy"
[[network.layers]]
neurons = ["h"]
activation = "tanh"
weights = [[0.3, -0.2]]
biases = [0.1]
[[network.layers]]
neurons = ["out"]
activation = "sigmoid"
weights = [[1]]
[[examples]]
inputs = [1, 2.5]
targets = [1]
[[examples]]
inputs = [0.5, -1]
targets = [0]
[[examples]]
inputs = [-1, 1.5]
targets = [1]
[training]
learning_rate = 0.1
"""
EXAMPLES = [((1, 2.5), 1), ((0.5, -1), 0), ((-1, 1.5), 1)]


def tanh_sheet(slope: Any) -> dict[str, str]:
    """The forward pass, and the gradients of the hidden unit with this slope of its output h and sum z."""
    sheet, sums = {}, [0.0, 0.0, 0.0]
    for e, ((x1, x2), t) in enumerate(EXAMPLES, 1):
        z = 0.3 * x1 - 0.2 * x2 + 0.1
        h = tanh(z)
        y = sigmoid(h)
        sheet |= {f"h_in@{e}": f"{z:.6g}", f"h_out@{e}": f"{h:.6g}", f"out_out@{e}": f"{y:.6g}"}
        delta = (y - t) * slope(h, z)
        sums = [s + delta * x / 3 for s, x in zip(sums, (x1, x2, 1), strict=True)]
    return sheet | {name: f"{s:.6g}" for name, s in zip(("dE/dW1", "dE/dW2", "dE/db1"), sums, strict=True)}


def minimised(optimizer: str, steps: int = 2) -> str:
    return f"""format = 1
title = "t"
[minimize]
objective = "x**2"
start = {{ x = 1.3 }}
optimizer = "{optimizer}"
learning_rate = 0.1
steps = {steps}
"""


def adam(root: float = 0.5, numbers: tuple[int, int] = (1, 2)) -> dict[str, str]:
    x, m, v, sheet = 1.3, 0.0, 0.0, {}
    for t, number in enumerate(numbers, 1):
        g = 2 * x
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x -= 0.1 * (m / (1 - 0.9**number)) / ((v / (1 - 0.999**number)) ** root + 1e-8)
        sheet |= {f"m_x[{t}]": f"{m:.8g}", f"v_x[{t}]": f"{v:.8g}", f"x[{t}]": f"{x:.8g}"}
    return sheet


def momentum(form: str) -> dict[str, str]:
    x, v, sheet = 1.3, 0.0, {}
    for t in (1, 2):
        g = 2 * (x - 0.1 * 0.9 * v) if form == "nesterov" else 2 * x
        v = 0.9 * v + g
        step = v if form == "classical" else 2 * x
        x -= 0.1 * step
        sheet |= {f"v_x[{t}]": f"{v:.8g}", f"x[{t}]": f"{x:.8g}"}
    return sheet


def marked(lesson: str, answers: dict[str, str], wanted: Homework | None = None) -> SheetReport:
    marker = LessonMarker(MarkingJob(lesson, "t", wanted)) if wanted else marker_of(lesson)
    return marker.mark("s", HandedIn(answers))


def first(sheet: SheetReport) -> tuple[str, str]:
    return sheet.misconceptions[0].id, sheet.misconceptions[0].scope


@pytest.mark.parametrize(
    ("lesson", "sheet", "story"),
    [
        (TANH, tanh_sheet(lambda h, z: 1.0), ("missing-slope", "layer")),
        (TANH, tanh_sheet(lambda h, z: h * (1 - h)), ("wrong-activation", "everywhere")),
        (TANH, tanh_sheet(lambda h, z: 1 - h), ("slope-form", "everywhere")),
        (minimised("adam"), adam(root=1), ("power-slip", "everywhere")),
        (minimised("adam", 4), adam(numbers=(1, 1, 1, 1)), ("missing-bias-correction", "everywhere")),
        (minimised("adam"), adam(numbers=(2, 3)), ("other-convention", "everywhere")),
        (minimised("momentum"), momentum("classical"), ("other-convention", "everywhere")),
    ],
    ids=[
        "no slope",
        "slope of the sigmoid",
        "1 - a",
        "Adam without its root",
        "t kept at 1",
        "t from 2",
        "classical momentum",
    ],
)
def test_a_mistake_made_everywhere_is_one(lesson: str, sheet: dict[str, str], story: tuple[str, str]) -> None:
    found = marked(lesson, sheet)
    mistakes = [m for m in found.misconceptions if not m.explains_the_same]
    assert first(found) == story and len(mistakes) == 1
    assert found.misconceptions[0].message and found.misconceptions[0].cells


def test_a_misread_given_is_asked_about_and_not_told() -> None:
    """W1 of Appendix B read as 0.6 in place of 0.5: the first line and the updated weight are off by it."""
    right = worksheet_of(parse_lesson(lesson_text("mlp"), "mlp")).values
    h1_in = 0.6 * 0.1 + 0.1 * 0.3 + 0.4
    sheet = {"h1_in": f"{h1_in:.6g}", "h1_out": f"{sigmoid(h1_in):.6g}", "h2_in": "0.022"}
    sheet |= {"dE/dW1": f"{float(right['dE/dW1']):.6g}", "W1_new": f"{0.6 - 0.01 * float(right['dE/dW1']):.8g}"}
    found = marked(lesson_text("mlp"), sheet)
    (told,) = [m for m in found.misconceptions if m.scope == "given"]
    assert (told.id, told.given, told.read_as, told.cells) == ("misread-given", "W1", "0.6", ["h1_in", "W1_new"])
    assert "0." not in told.message


@pytest.mark.parametrize(("old", "read"), [("0.4", "0.44"), ("0.59", "0.99"), ("0.59", "5.59"), ("-0.25", "-0.26")])
def test_a_given_is_misread_as_it_stands_among_the_others(old: str, read: str) -> None:
    """0.4 is one of numbers with two decimals; and the update leaves a weight as it was where few digits are written."""
    lesson = """format = 1
title = "one neuron"
network = { inputs = ["X1", "X2"], loss = "half_squared_error", layers = [
  { activation = "sigmoid", weights = [[0.4, 0.59]], biases = [-0.25] }] }
examples = [{ inputs = [0.31, 0.72], targets = [0.15] }]
training = { learning_rate = 0.001 }
"""
    misread = lesson.replace(f"{old},", f"{read},").replace(f"{old}]", f"{read}]")
    theirs = worksheet_of(parse_lesson(misread, "read"))
    found = marked(lesson, {step.name: f"{float(theirs.values[step.name]):.4f}" for step in theirs.steps})
    assert [(m.id, m.read_as) for m in found.misconceptions] == [("misread-given", read)]


WITHOUT_WORK = {
    "negated": lambda v: f"{-v:.6g}", "twice": lambda v: f"{2 * v:.6g}", "ten times": lambda v: f"{10 * v:.6g}",
    "0": lambda v: "0", "zeros": lambda v: "0.0000000", "1": lambda v: "1", "thousands": lambda v: "1e3",
}  # fmt: skip


@pytest.mark.parametrize("made", WITHOUT_WORK.values(), ids=WITHOUT_WORK)
@pytest.mark.parametrize("lesson", ["mlp", "perceptron"])
def test_a_sheet_without_work_earns_at_most_a_few_points(lesson: str, made: Any) -> None:
    text = lesson_text(lesson)
    right = worksheet_of(parse_lesson(text, lesson))
    found = marked(text, {s.name: made(float(right.values[s.name])) for s in right.steps})
    assert found.score <= 0.15 * found.max_score and found.please_look


def test_one_number_in_every_line_is_no_work_even_where_it_is_often_right() -> None:
    """Neurons without an activation have slopes of 1, and every bias moves its sum by 1."""
    lesson = """format = 1
title = "t"
network = { inputs = ["x"], loss = "squared_error", layers = [
  { neurons = ["a", "b"], activation = "linear", weights = [[-0.5], [1.2]], biases = [0.4, -0.3] },
  { neurons = ["c", "d"], activation = "linear", weights = [[0.7, -1], [-0.2, 0.9]], biases = [0.3, 0.6] },
  { neurons = ["y"], activation = "linear", weights = [[-0.8, 0.6]], biases = [0.1] } ] }
examples = [{ inputs = [-1.5], targets = [2] }]
"""
    right = worksheet_of(parse_lesson(lesson, "t"))
    found = marked(lesson, {s.name: "1" for s in right.steps})
    ones = [c.name for c in found.cells if right.values[c.name] == 1]
    assert len(ones) >= 10 and found.please_look
    assert {c.name for c in found.cells if c.earned} == set(ones)


def test_what_follows_from_a_zero_shows_nothing() -> None:
    """The output set to its target: every gradient is 0, and no weight moves."""
    right = worksheet_of(parse_lesson(lesson_text("mlp"), "mlp"))
    sheet = {s.name: f"{float(right.values[s.name]):.6g}" for s in right.steps if s.stage == "forward"}
    sheet |= {s.name: "0" for s in right.steps if s.stage == "gradient"} | {"out_out": "0.03", "dE/dout_out": "0"}
    found = marked(lesson_text("mlp"), sheet, Homework(ask=["forward", "gradient"]))
    gradients = [c for c in found.cells if c.stage == "gradient"]
    assert all(c.degenerate and c.earned == 0 for c in gradients)
    assert found.score <= found.max_score / 2


def test_weights_left_as_they_were_given_after_zeros_show_nothing_however_short_they_are() -> None:
    right = worksheet_of(parse_lesson(lesson_text("mlp"), "mlp"))
    sheet = {}
    for step in right.steps:
        old = right.values[step.before] if step.stage == "update" and step.before else None
        value = right.values[step.name] if old is None else old
        sheet[step.name] = "0" if step.name.startswith("dE/d") else f"{float(value):.6g}"
    found = marked(lesson_text("mlp"), sheet)
    updates = [c for c in found.cells if c.stage == "update"]
    assert updates and all(c.degenerate and c.earned == 0 for c in updates)
    assert found.score <= 0.6 * found.max_score


def test_a_zero_stands_for_nothing_however_few_digits_it_has_and_comes_from_no_other_line() -> None:
    """Appendix B with dE/dout_out = 0, whose truth, 0.835, and with 0 for dE/dout_in, whose truth is 0.097 of it: 0 to
    no decimals, but the writer has six everywhere else. The weights stay, and the second forward pass is the first."""
    right = worksheet_of(parse_lesson(lesson_text("mlp"), "mlp"))
    sheet, first = {}, {s.name for s in right.steps if s.stage == "forward"}
    for step in right.steps:
        value = (
            right.values[step.before] if step.stage in ("update", "after") and step.before else right.values[step.name]
        )
        sheet[step.name] = "0" if step.name.startswith("dE/d") else f"{float(value):.6f}"
    found = marked(lesson_text("mlp"), sheet)
    assert not [m.id for m in found.misconceptions if m.id == "swapped-values"]
    later = [c for c in found.cells if c.stage in ("update", "after")]
    assert first and len(later) > len(first) and not any(c.earned for c in later)


def test_a_branch_that_is_off_is_no_degenerate_line() -> None:
    lesson = """format = 1
title = "t"
network = { inputs = ["x"], loss = "squared_error", layers = [
  { neurons = ["h"], activation = "relu", weights = [[0.5]], biases = [0.4] },
  { neurons = ["out"], activation = "linear", weights = [[2]], biases = [0.1] } ] }
examples = [{ inputs = [1], targets = [1] }]
"""
    sheet = {"h_in": "-0.9", "h_out": "0", "dh_out/dh_in": "0", "dE/dW1": "0"}  # the sign of h_in lost on the way
    cells = {c.name: c for c in marked(lesson, sheet).cells}
    assert cells["h_in"].verdict == "wrong"
    assert {cells[n].verdict for n in ("h_out", "dh_out/dh_in", "dE/dW1")} == {"carried"}
    assert not any(c.degenerate for c in cells.values())


def test_a_weight_that_was_not_updated_is_named_where_the_digits_would_show_it() -> None:
    found = {c.name: c for c in marked(lesson_text("mlp"), {"b3_new": "1.830000", "b1_new": "0.4000"}).cells}
    assert found["b3_new"].verdict == "wrong" and found["b3_new"].slips[0].id == "not-updated"
    assert found["b1_new"].verdict == "coarse"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *((how.format("0.3487"), "0.3487") for how in (
            "≈{}", "~{}", "{} (approx)", "= {}", "E = {}", "'{}", '"{}"', "${}$", "{} ± 0.0001", "tensor({})",
            "np.float64({})", "tensor([{}], dtype=torch.float64)", "≈ {} ",
        )),
        ("3.487x10^-1", "3.487e-1"), ("3.487×10⁻¹", "3.487e-1"), ("34.87%", "0.3487"), ("12.00%", "0.1200"),
        ("–0.12", "-0.12"), ("٠٫١٢", "0.12"), ("3/7", "3/7"), ("W1*X1", "W1*X1"), ("h1_in = 0.3", "h1_in = 0.3"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str, number: str) -> None:
    assert plain_number(text, "E") == number


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_left(text: str) -> None:
    read = plain_number(text, "E")
    assert read == text or any(character.isdigit() for character in read)


MLP = worksheet_of(parse_lesson(lesson_text("mlp"), "mlp"))
NAMES = [step.name for step in MLP.steps]


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_right_line_more_never_leads_to_an_accusation(data: st.DataObject) -> None:
    digits = data.draw(st.integers(3, 8))
    right = {name: f"{float(MLP.values[name]):.{digits}g}" for name in NAMES}
    some = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=12, unique=True))
    wrong = data.draw(st.sampled_from(some))
    sheet = {name: right[name] for name in some} | {wrong: f"{1.37 * float(MLP.values[wrong]) + 0.2:.{digits}g}"}
    before = {c.name for c in marked(lesson_text("mlp"), sheet).cells if c.verdict == "wrong"}
    more = data.draw(st.sampled_from([n for n in NAMES if n not in some]))
    followers = [s.name for s in MLP.steps if more in s.inputs]
    after = {c.name for c in marked(lesson_text("mlp"), sheet | {more: right[more]}).cells if c.verdict == "wrong"}
    assert after <= before | {more, *followers}, "only what stands on the new line may be seen in its light"


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_the_order_of_lines_changes_nothing(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=4, max_size=15, unique=True))
    sheet = {n: f"{float(MLP.values[n]) * data.draw(st.sampled_from([1, 1, -1, 2])):.6g}" for n in names}
    shuffled = {n: sheet[n] for n in data.draw(st.permutations(names))}
    assert marked(lesson_text("mlp"), sheet).cells == marked(lesson_text("mlp"), shuffled).cells


def test_a_line_that_rounds_to_nothing_is_marked() -> None:
    """Several root errors, after which a blank line is tried whose value is less than a unit of what was written."""
    slips = {"b3_new": -1, "out_out_after": -1, "W1_new": 2, "dE/dW2": -1, "dout_in/dh2_out": 2}
    names = [*slips, "dE/db2", "W4_new", "dout_in/db3", "b2_new", "W2_new", "h2_in_after", "W3_new", "dh2_in/dW3",
             "dh1_out/dh1_in", "W6_new"]  # fmt: skip
    sheet = {name: f"{float(MLP.values[name]) * slips.get(name, 1):.6g}" for name in names}
    cells = {cell.name: cell for cell in marked(lesson_text("mlp"), sheet).cells}
    assert {name for name in names if cells[name].verdict == "wrong"} >= {"b3_new", "W1_new", "dout_in/dh2_out"}


def test_the_page_tells_each_mistake_once(tutor: Tutor) -> None:
    (tutor.folder / "t.toml").write_text(TANH)
    rows = "".join(f"{n},{v}\n" for n, v in tanh_sheet(lambda h, z: h * (1 - h)).items())
    (tutor.folder / "s.csv").write_text("name,answer\n" + rows)
    shown = " ".join(tutor("check", "t.toml", "s.csv").stdout.split())
    assert shown.count("(wrong-activation)") == 1 and "sigmoid" in shown


def test_log_base_everywhere() -> None:
    sheet = {
        f"E@{e}": f"{-log10(y if t else 1 - y):.6g}"
        for e, (y, t) in enumerate(((0.475104, 1), (0.603938, 0), (0.386484, 1)), 1)
    }
    outputs = {f"out_out@{e}": f"{y}" for e, y in enumerate((0.475104, 0.603938, 0.386484), 1)}
    found = marked(TANH, outputs | sheet)
    assert first(found) == ("log-base", "everywhere") and found.misconceptions[0].cells == [*sheet]
    assert sum(c.verdict in CREDIT for c in found.cells) == 3 and found.score >= 5  # one of the three is charged


TWO_OUTPUTS = """format = 1
title = "t"
[network]
inputs = ["x1", "x2"]
loss = "LOSS"
[[network.layers]]
neurons = ["h1", "h2"]
activation = "sigmoid"
weights = [[0.27, 0.42], [0.18, 0.64]]
[[network.layers]]
neurons = ["o1", "o2"]
activation = "OUT"
weights = [[0.71, -0.36], [0.53, 0.88]]
[[examples]]
inputs = [0.15, 0.35]
targets = [0, 1]
[[examples]]
inputs = [1.2, -0.7]
targets = [1, 0]
"""


def two_outputs(out: str, mistake: str) -> dict[str, str]:
    """Forward pass, losses and gradients, each example's and those of the mean, with one mistake in all of them."""
    weights = {"W1": 0.27, "W2": 0.42, "W3": 0.18, "W4": 0.64, "W5": 0.71, "W6": -0.36, "W7": 0.53, "W8": 0.88}
    w1, w2, w3, w4, *w = weights.values()
    sheet: dict[str, float] = {}
    total = dict.fromkeys(("E", *(f"dE/d{name}" for name in weights)), 0.0)
    for n, (x, t) in enumerate((((0.15, 0.35), (0, 1)), ((1.2, -0.7), (1, 0))), 1):
        z = [w1 * x[0] + w2 * x[1], w3 * x[0] + w4 * x[1]]
        h = [sigmoid(v) for v in z]
        s = [w[0] * h[0] + w[1] * h[1], w[2] * h[0] + w[3] * h[1]]
        y = [exp(v) / (exp(s[0]) + exp(s[1])) for v in s] if out == "softmax" else [sigmoid(v) for v in s]
        for k in (0, 1):
            sheet |= {f"h{k + 1}_in@{n}": z[k], f"h{k + 1}_out@{n}": h[k], f"o{k + 1}_in@{n}": s[k]}
            sheet[f"o{k + 1}_out@{n}"] = y[k]
        slope = [v * (1 - v) for v in y]
        d = [a - b for a, b in zip(y, t, strict=True)]
        if (out == "softmax") == (mistake == "extra slope"):
            d = [a * b for a, b in zip(d, slope, strict=True)]
        if out == "sigmoid" and mistake == "no slope of the output":
            d = [a - b for a, b in zip(y, t, strict=True)]
        if out == "softmax":
            sheet[f"E@{n}"] = -sum(b * log(a) for a, b in zip(y, t, strict=True))
        else:
            sheet[f"E@{n}"] = sum((a - b) ** 2 / 2 for a, b in zip(y, t, strict=True))
        back = [[1.0, 1.0], [1.0, 1.0]] if mistake == "no weights" else [[w[0], w[2]], [w[1], w[3]]]
        inner = [(d[0] * b[0] + d[1] * b[1]) * v * (1 - v) for b, v in zip(back, h, strict=True)]
        found = [inner[0] * x[0], inner[0] * x[1], inner[1] * x[0], inner[1] * x[1]]
        by = [1.0, 1.0] if mistake == "no input" else h
        found += [d[0] * by[0], d[0] * by[1], d[1] * by[0], d[1] * by[1]]
        sheet |= {f"dE@{n}/d{name}": value for name, value in zip(weights, found, strict=True)}
        for name, value in zip(total, (sheet[f"E@{n}"], *found), strict=True):
            total[name] += value if mistake == "sum" else value / 2
    return {name: f"{value:.6f}" for name, value in (sheet | total).items()}


@pytest.mark.parametrize(
    ("out", "mistake", "story"),
    [
        ("softmax", "sum", ("sum-for-mean", "everywhere")),
        ("softmax", "extra slope", ("extra-slope", "everywhere")),
        ("softmax", "no input", ("missing-factor", "everywhere")),
        ("sigmoid", "no input", ("missing-factor", "everywhere")),
        ("sigmoid", "no weights", ("missing-factor", "everywhere")),
        ("sigmoid", "no slope of the output", ("missing-slope", "layer")),
    ],
)
def test_with_several_outputs_and_examples_too(out: str, mistake: str, story: tuple[str, str]) -> None:
    loss = "cross_entropy" if out == "softmax" else "half_squared_error"
    lesson = TWO_OUTPUTS.replace("LOSS", loss).replace("OUT", out)
    right = marked(lesson, two_outputs(out, ""))
    assert right.score == right.max_score - sum(c.verdict == "missing" for c in right.cells)
    found = marked(lesson, two_outputs(out, mistake))
    assert first(found) == story


@pytest.mark.parametrize("factor", [-1, 2, 10, 0.5, 100])
def test_the_key_times_a_number_is_no_work_even_where_each_line_follows(factor: float) -> None:
    """The rule of the perceptron gives the multiple of the weights from a multiple of the error."""
    right = worksheet_of(parse_lesson(GATE, "t"))
    key = {s.name: float(right.values[s.name]) for s in right.steps}
    found = marked(GATE, {name: f"{factor * value:.3f}" for name, value in key.items()})
    assert {c.name for c in found.cells if c.earned} == {name for name, value in key.items() if not value}
    assert found.please_look


def test_a_zero_is_not_explained_by_whatever_is_near() -> None:
    """A bare 0 has no decimals, and is no number from -1 to 1 for that, not even on a sheet that cuts off."""
    inputs, weights = (
        (0.31, -0.47, 0.53, 0.29, -0.37, 0.41, 0.59, -0.61),
        (0.93, -0.97, 0.91, 0.95, -0.94, 0.96, 0.92, 0.98),
    )
    lesson = f"""format = 1
title = "t"
network = {{ inputs = [{", ".join(f'"x{n}"' for n in range(1, 9))}], loss = "squared_error", layers = [
  {{ neurons = ["y"], activation = "linear", weights = [{[*weights]}] }} ] }}
examples = [{{ inputs = {[*inputs]}, targets = [1] }}]
training = {{ learning_rate = 0.05 }}
"""
    slope = 2 * (sum(w * x for w, x in zip(weights, inputs, strict=True)) - 1)
    sheet = {f"dE/dW{n}": f"{slope * x:.9f}"[:-5] for n, x in enumerate(inputs, 1)}
    found = marked(lesson, sheet | {f"W{n}_new": "0" for n in range(1, 9)})
    assert {c.name for c in found.cells if c.earned} == {*sheet}
    assert not [m for m in found.misconceptions if m.scope == "everywhere"]


def test_how_far_a_large_own_value_may_be_off_says_nothing_of_the_key() -> None:
    """With outputs of 6 and 8 in place of 0.6 and 0.8 the slopes come to -30 and -56: ten times the key is no rounding."""
    lesson = TWO_OUTPUTS.replace("LOSS", "half_squared_error").replace("OUT", "sigmoid")
    right = two_outputs("sigmoid", "")
    found = marked(lesson, {name: f"{10 * float(value):.5f}" for name, value in right.items()})
    assert not any(c.earned for c in found.cells)


GATE = """format = 1
title = "t"
[network]
inputs = ["a", "b"]
[[network.layers]]
neurons = [{ sum = "s", output = "y" }]
activation = "step"
weights = [[0.5, -0.3]]
biases = [0.2]
[[examples]]
inputs = [0, 1]
targets = [1]
[[examples]]
inputs = [1, 1]
targets = [0]
[[examples]]
inputs = [1, 0]
targets = [0]
[training]
rule = "perceptron"
learning_rate = 0.4
max_epochs = 6
"""


def test_the_input_left_out_of_the_perceptron_rule() -> None:
    """w + eta·error for w + eta·error·x: the first two updates, where the second is that of inputs 1 and 1."""
    sheet = {"s@1[1]": "-0.1", "y@1[1]": "0", "error@1[1]": "1", "W1[1]": "0.9", "W2[1]": "0.1", "b1[1]": "0.6"}
    found = marked(GATE, sheet)
    assert found.root_errors == ["W1[1]"]
    assert found.cells[3].slips[0].id == "missing-factor"


def test_the_gradient_of_one_example_is_no_link_of_a_chain() -> None:
    sheet = two_outputs("sigmoid", "")
    sheet["dE/dW5"] = f"{float(sheet['dE@2/dW5']):.6f}"
    lesson = TWO_OUTPUTS.replace("LOSS", "half_squared_error").replace("OUT", "sigmoid")
    assert first(marked(lesson, sheet))[0] == "overwritten"
    sheet["dE/dW5"] = f"{float(sheet['dE@1/dW5']) + float(sheet['dE@2/dW5']):.6f}"
    assert first(marked(lesson, sheet))[0] == "sum-for-mean"


def test_a_float_cut_off_is_no_error_on_a_sheet_that_cuts_off() -> None:
    """The first sum is 0.032, in floats 0.03199…: three digits of it are cut off there as everywhere else."""
    weights = [(0.81, 0.26), (0.8132, 0.267), (0.3773, -0.251), (-0.4332, 0.685), (0.5717, 0.349)]
    lesson = f"""format = 1
title = "t"
examples = [{{ inputs = [0.7, -1.25] }}]
[network]
inputs = ["x1", "x2"]
[[network.layers]]
neurons = ["a", "b", "c", "d", "e"]
activation = "tanh"
weights = {[list(w) for w in weights]}
biases = [-0.21, 0, 0, 0, 0]
"""
    sums = [u * 0.7 + v * -1.25 for u, v in weights]
    sums[0] -= 0.21
    assert sums[0] < 0.032
    sheet = {f"{n}_in": f"{z:.17f}"[:-13] for n, z in zip("abcde", sums, strict=True)}
    found = marked(lesson, sheet)
    assert sheet["a_in"] == "0.0319" and found.cells[0].verdict == "rounding"
    assert all(c.credit for c in found.cells if c.name in sheet)


def test_another_form_of_the_optimizer_is_named_as_it_is() -> None:
    """Averaged momentum where the classical one is asked: momentum corrects nothing, and counts no updates."""
    lesson = minimised("momentum").replace("steps =", "settings = { classical = true }\nsteps =")
    x, v, sheet = 1.3, 0.0, {}
    for t in (1, 2):
        v = 0.9 * v + 0.1 * 2 * x
        x -= 0.1 * v
        sheet |= {f"v_x[{t}]": f"{v:.8g}", f"x[{t}]": f"{x:.8g}"}
    found = marked(lesson, sheet)
    assert first(found) == ("other-convention", "everywhere") and "averaged form" in found.misconceptions[0].message
    assert not any("correction" in m.message for m in found.misconceptions)


def test_another_loss_is_one_mistake_before_and_after_the_update() -> None:
    right = {name: float(v) for name, v in worksheet_of(parse_lesson(lesson_text("mlp"), "mlp")).values.items()}
    sheet = {"E": f"{2 * right['E']:.6g}", "dE/dout_out": f"{2 * right['dE/dout_out']:.6g}"}
    sheet |= {"out_out_after": f"{right['out_out_after']:.8g}", "E_after": f"{2 * right['E_after']:.6g}"}
    found = marked(lesson_text("mlp"), {"h1_in": "0.48", "h2_in": "0.022", **sheet})
    assert [m.id for m in found.misconceptions if not m.explains_the_same] == ["wrong-loss"]
    assert found.root_errors == ["E", "dE/dout_out", "E_after"] and found.score == 5


L2 = """format = 1
title = "t"
[network]
inputs = ["x1", "x2"]
loss = "half_squared_error"
[[network.layers]]
neurons = ["h"]
activation = "sigmoid"
weights = [[0.3, -0.7]]
biases = [0.1]
[[network.layers]]
neurons = ["out"]
activation = "linear"
weights = [[0.9]]
biases = [-0.2]
[[examples]]
inputs = [0.5, 1.5]
targets = [0.4]
[training]
learning_rate = 0.1
l2 = 0.04
"""


def test_half_a_penalty_is_no_misread_strength_where_the_loss_has_the_right_one() -> None:
    right = {name: float(v) for name, v in worksheet_of(parse_lesson(L2, "t")).values.items()}
    sheet = {"E": f"{right['E']:.6g}"} | {f"local(E,W{k})": f"{0.04 * right[f'W{k}']:.6g}" for k in (1, 2, 3)}
    others = ("h_in", "dh_out/dh_in", "dout_in/dW3", "dh_in/dW1", "dh_in/dW2")
    sheet |= {name: f"{right[name]:.6g}" for name in others}
    found = marked(L2, sheet)
    assert first(found) == ("factor-two", "everywhere") and found.score == len(sheet) - 1


def test_a_short_exact_number_is_no_rounding_among_long_ones() -> None:
    """dout_in/dh2_out is W6, 0.3; dh1_in/db1 is 1. Exchanged they are exact, and 0.5055 is no 1 in five digits."""
    right = worksheet_of(parse_lesson(lesson_text("mlp"), "mlp")).values
    sheet = {step: f"{float(right[step]):.5g}" for step in ("h1_out", "h2_out", "out_in", "dout_out/dout_in", "E")}
    found = marked(lesson_text("mlp"), {**sheet, "dout_in/dh2_out": "1", "dh1_in/db1": "0.3"})
    (cell,) = (c for c in found.cells if c.name == "dout_in/dh2_out")
    assert [slip.id for slip in cell.slips] == ["swapped-values"]


@pytest.mark.parametrize(("factor", "answer"), [(10, 0.1 * 0.5 + 10 * 0.1 * 0.3 + 0.4), (0.1, 0.01 * 0.5 + 0.03 + 0.4)])
def test_the_decimal_point_of_one_product_is_in_another_place(factor: float, answer: float) -> None:
    (cell,) = (c for c in marked(lesson_text("mlp"), {"h1_in": f"{answer:.5g}"}).cells if c.answer)
    assert "decimal-slip" in [slip.id for slip in cell.slips], factor


def test_no_minus_is_read_where_none_is_given() -> None:
    """Ascent is a step in the wrong direction, and no rate of -0.01."""
    right = {name: float(v) for name, v in worksheet_of(parse_lesson(lesson_text("mlp"), "mlp")).values.items()}
    sheet = {f"dE/dW{k}": f"{right[f'dE/dW{k}']:.6g}" for k in range(1, 7)}
    sheet |= {f"W{k}_new": f"{right[f'W{k}'] + 0.01 * right[f'dE/dW{k}']:.9g}" for k in range(1, 7)}
    assert [m.id for m in marked(lesson_text("mlp"), sheet).misconceptions] == ["ascent"]


def test_a_single_digit_is_right_only_where_zeros_were_left_off() -> None:
    """0.8 is no answer to 0.79505 among numbers of five digits, and is one to 0.80001, which a spreadsheet shows so."""
    lesson = (
        'format = 1\ntitle = "t"\n[givens]\nx = 0.265016\nz = 0.26667\n[[equations]]\nname = "a"\nformula = "3*x"\n'
    )
    lesson += '[[equations]]\nname = "b"\nformula = "3*z"\n[[equations]]\nname = "c"\nformula = "x*z"\n'
    found = marked(lesson, {"a": "0.8", "b": "0.8", "c": f"{0.265016 * 0.26667:.5g}"})
    assert [c.verdict for c in found.cells] == ["coarse", "correct", "correct"]


@pytest.mark.parametrize("answer", ["0.1193559", "0.119355", "0.119356"])
def test_a_new_weight_is_cut_off_as_a_float_is(answer: str) -> None:
    """0.16 - 0.05·0.81288 is 0.11935599999 in binary; cut off it is a unit below what it is."""
    lesson = 'format = 1\ntitle = "t"\n[minimize]\nobjective = "0.81288*w"\nstart = { w = 0.16 }\nlearning_rate = 0.05\nsteps = 2\n'
    (cell,) = (c for c in marked(lesson, {"w[1]": answer}).cells if c.answer)
    assert cell.credit


@pytest.mark.parametrize("digits", [4, 5, 6])
@pytest.mark.parametrize("rounding", ["ROUND_DOWN", "ROUND_HALF_EVEN"])
def test_who_notes_so_many_digits_of_every_change_has_worked_with_as_many(digits: int, rounding: str) -> None:
    """Only new weights and biases, in Appendix B, each as long as its change needs: 0.5000046034 has five digits of it."""
    from decimal import Context, Decimal

    short = Context(prec=digits, rounding=rounding)

    def cut(value: float) -> float:
        return float(short.plus(Decimal(f"{value:.12g}")))

    h1, h2 = (cut(sigmoid(z)) for z in (0.48, 0.022))
    y = cut(sigmoid(cut(-0.2 * h1 + 0.3 * h2 + 1.83)))
    delta = cut(cut(y - 0.03) * cut(y * cut(1 - y)))
    back = [cut(cut(delta * w) * cut(h * cut(1 - h))) for w, h in ((-0.2, h1), (0.3, h2))]
    slopes = {"W1": cut(back[0] * 0.1), "W2": cut(back[0] * 0.3), "W3": cut(back[1] * 0.1), "W4": cut(back[1] * 0.3)}
    slopes |= {"W5": cut(delta * h1), "W6": cut(delta * h2), "b1": back[0], "b2": back[1], "b3": delta}
    old = {"W1": "0.5", "W2": "0.1", "W3": "0.62", "W4": "0.2", "W5": "-0.2", "W6": "0.3", "b1": "0.4", "b2": "-0.1"}
    old["b3"] = "1.83"
    sheet = {f"{p}_new": str(Decimal(old[p]) - short.plus(Decimal(f"{0.01 * g:.12g}"))) for p, g in slopes.items()}
    found = marked(lesson_text("mlp"), sheet)
    assert [(c.name, c.verdict) for c in found.cells if c.answer and not c.credit] == []
