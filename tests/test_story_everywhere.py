"""One mistake made in all neurons and examples is one, whether the lines between are asked or not; and a sheet half of
which is the key times a number earns its right half. The network is worked here, in plain NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from conftest import marker_of

from tutor.homework.marker import LessonMarker, MarkingJob
from tutor.lessons.format import Homework
from tutor.marking.report import SheetReport, mistakes
from tutor.sheets.read import HandedIn
from tutor.views.feedback import FORMULA, remarks_on_lines, what_to_look_at

Array = Any
W = np.array([[0.37, -0.52], [0.81, 0.24], [-0.46, 0.63]])
B = np.array([0.15, -0.35, 0.28])
V = np.array([[0.72, -0.41, 0.33], [-0.58, 0.86, 0.47]])
C = np.array([0.21, -0.13])
EXAMPLES = [(np.array([0.65, -0.4]), np.array([0, 1])), (np.array([-0.85, 1.1]), np.array([1, 0]))]
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda h: h * (1 - h)),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0) * 1.0),
}
SOFTMAX, SQUARED = "softmax and cross-entropy", "softmax and half the squared error"
LOSSES = {SOFTMAX: "cross_entropy", SQUARED: "half_squared_error"}


def same(values: Array) -> Array:
    return values


@dataclass(frozen=True)
class Student:
    """Who works the network with the weights and biases `forward` makes of them, without the input `forgotten`, with
    `backward` weights, other `slopes` of the hidden units, another `hidden` activation or another `error`: the gradient
    by the sums of the outputs, from outputs, targets and the derivatives of softmax."""

    forward: Callable[[Array], Array] = same
    biases: Callable[[Array], Array] = same
    backward: Callable[[Array], Array] = same
    slopes: Callable[[Array], Array] = same
    forgotten: int | None = None
    hidden: str = ""
    error: Callable[[Array, Array, Array], Array] | None = None

    def sums(self, weights: Array, biases: Array, values: Array) -> Array:
        used = self.forward(weights).copy()
        if self.forgotten is not None:
            used[:, self.forgotten] = 0
        return used @ values + self.biases(biases)

    def sheet(self, hidden: str, loss: str, decimals: int = 6) -> dict[str, str]:
        """All forward lines, losses, and the gradients of each example and of their mean."""
        lines: dict[str, float] = {}
        means: dict[str, float] = {}
        function, slope = ACTIVATIONS[self.hidden or hidden]
        for e, (x, t) in enumerate(EXAMPLES, 1):
            z = self.sums(W, B, x)
            h = function(z)
            s = self.sums(V, C, h)
            y = np.exp(s) / np.exp(s).sum()
            jacobian = np.diag(y) - np.outer(y, y)
            right = y - t if loss == SOFTMAX else jacobian @ (y - t)
            d = self.error(y, t, jacobian) if self.error else right
            inner = (self.backward(V).T @ d) * self.slopes(slope(h))
            for stem, values in (("h{}_in", z), ("h{}_out", h), ("o{}_in", s), ("o{}_out", y)):
                lines |= {f"{stem.format(n)}@{e}": v for n, v in enumerate(values, 1)}
            gradients = [*np.outer(inner, x).flatten(), *np.outer(d, h).flatten()]
            found = {f"W{n}": v for n, v in enumerate(gradients, 1)}
            found |= {f"b{n}": v for n, v in enumerate([*inner, *d], 1)}
            lines[f"E@{e}"] = -(t * np.log(y)).sum() if loss == SOFTMAX else ((y - t) ** 2).sum() / 2
            lines |= {f"dE@{e}/d{name}": v for name, v in found.items()}
            for name, v in {"E": lines[f"E@{e}"], **{f"dE/d{name}": v for name, v in found.items()}}.items():
                means[name] = means.get(name, 0.0) + v / 2
        return {name: f"{value:.{decimals}f}" for name, value in {**lines, **means}.items()}


def lesson(hidden: str, loss: str) -> str:
    examples = "\n".join(f"[[examples]]\ninputs = {x.tolist()}\ntargets = {t.tolist()}" for x, t in EXAMPLES)
    return f"""format = 1
title = "t"
network = {{ inputs = ["x1", "x2"], loss = "{LOSSES[loss]}", layers = [
  {{ neurons = ["h1", "h2", "h3"], activation = "{hidden}", weights = {W.tolist()}, biases = {B.tolist()} }},
  {{ neurons = ["o1", "o2"], activation = "softmax", weights = {V.tolist()}, biases = {C.tolist()} }} ] }}
{examples}
"""


def totals(sheet: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in sheet.items() if "@" not in name}


def marked(hidden: str, loss: str, sheet: Mapping[str, str], wanted: Homework | None = None) -> SheetReport:
    text = lesson(hidden, loss)
    marker = LessonMarker(MarkingJob(text, "t", wanted)) if wanted else marker_of(text)
    return marker.mark("s", HandedIn(dict(sheet)))


def columns(weights: Array) -> Array:
    return weights.flatten().reshape(weights.shape[::-1]).T


def rows(weights: Array) -> Array:
    return np.roll(weights, 1, axis=0)


def places(weights: Array) -> Array:
    return np.roll(weights, -1, axis=1)


MADE_EVERYWHERE = {
    "weights read by columns": (SOFTMAX, Student(forward=columns), "swapped-weights"),
    "the row of another neuron": (SOFTMAX, Student(forward=rows), "swapped-weights"),
    "the row and the bias of another neuron": (SOFTMAX, Student(forward=rows, biases=rows), "swapped-weights"),
    "the weights of a row moved on": (SQUARED, Student(forward=places, backward=places), "swapped-weights"),
    "weights read by columns on the way back": (SOFTMAX, Student(backward=columns), "swapped-weights"),
    "the way back through the last output only": (SOFTMAX, Student(backward=lambda v: v * [[0], [1]]), "overwritten"),
    "the same with the squared error": (SQUARED, Student(backward=lambda v: v * [[0], [1]]), "overwritten"),
    "the first input forgotten": (SOFTMAX, Student(forgotten=0), "missing-term"),
    "the last input forgotten": (SQUARED, Student(forgotten=-1), "missing-term"),
    "the slope of the next unit": (SOFTMAX, Student(slopes=lambda s: np.roll(s, -1)), "other-neuron-slope"),
    "one slope for all units": (SQUARED, Student(slopes=lambda s: s[:1].repeat(3)), "other-neuron-slope"),
    "no slope of softmax": (SQUARED, Student(error=lambda y, t, _: y - t), "missing-slope"),
    "softmax without its derivatives across": (SQUARED, Student(error=lambda y, t, _: (y - t) * y * (1 - y)), "missing-term"),
    "the slope of softmax once more": (SOFTMAX, Student(error=lambda y, t, slopes: slopes @ (y - t)), "extra-slope"),
}  # fmt: skip


@pytest.mark.parametrize("asked", [totals, dict], ids=["totals", "all lines"])
@pytest.mark.parametrize(("loss", "student", "slip"), MADE_EVERYWHERE.values(), ids=MADE_EVERYWHERE)
def test_a_mistake_made_everywhere_is_told_as_one(loss: str, student: Student, slip: str, asked: Any) -> None:
    found = marked("tanh", loss, asked(student.sheet("tanh", loss)))
    mistakes = [m.id for m in found.misconceptions if not m.explains_the_same]
    assert mistakes == [slip]
    assert {*found.root_errors} == {name for m in found.misconceptions for name in m.cells}, "nothing is left over"


def test_weights_read_by_columns_where_the_derivatives_by_the_outputs_are_right() -> None:
    sheet = Student(backward=columns).sheet("tanh", SOFTMAX)
    right = {f"do{o + 1}_in@{e}/dh{h + 1}_out@{e}": f"{v:g}" for (o, h), v in np.ndenumerate(V) for e in (1, 2)}
    found = marked("tanh", SOFTMAX, {**sheet, **right})
    assert [(m.id, m.scope) for m in found.misconceptions] == [("swapped-weights", "everywhere")]
    assert {*found.misconceptions[0].cells} == {*found.root_errors}


def test_the_mean_over_the_examples_is_no_mean_over_the_outputs() -> None:
    """Both losses and gradients are added up over the examples; this student takes the mean of the gradients."""
    sheet = totals(Student().sheet("tanh", SQUARED))
    sheet["E"] = f"{2 * float(sheet['E']):.6f}"
    adding = lesson("tanh", SQUARED) + '[training]\nbatch = "sum"\nlearning_rate = 0.1\n'
    found = LessonMarker(MarkingJob(adding, "t", Homework())).mark("s", HandedIn(sheet))
    assert [m.id for m in found.misconceptions if not m.explains_the_same] == ["mean-for-sum"]


def test_the_student_is_right_without_a_mistake() -> None:
    for loss in LOSSES:
        sheet = Student().sheet("tanh", loss)
        assert not [c.name for c in marked("tanh", loss, sheet).cells if c.answer and not c.credit]


def test_another_activation_costs_the_same_at_four_decimals_as_at_six() -> None:
    """Digits that are too few are no part of the mistake."""
    charged = []
    for decimals in (4, 6):
        found = marked("relu", SOFTMAX, Student(hidden="sigmoid").sheet("relu", SOFTMAX, decimals))
        assert [(m.id, m.entry) for m in found.misconceptions] == [("wrong-activation", "sigmoid")]
        charged.append([c.name for c in found.cells if c.answer and not c.earned and c.verdict != "coarse"])
    assert charged[0] == charged[1]


@pytest.mark.parametrize("factor", [-1, 2])
@pytest.mark.parametrize("start", [0, 1], ids=["the second half", "every other line"])
def test_the_key_times_a_number_earns_nothing_even_where_half_of_the_lines_are_right(factor: int, start: int) -> None:
    right = Student().sheet("tanh", SQUARED)
    names = [*right]
    scaled = {*(names[1::2] if start else names[len(names) // 2 :])}
    sheet = {n: f"{factor * float(text):.6f}" if n in scaled else text for n, text in right.items()}
    found = marked("tanh", SQUARED, sheet)
    assert not [c.name for c in found.cells if c.name in scaled and c.earned]
    assert sum(c.earned for c in found.cells) == len(names) - len(scaled) and found.please_look


def test_one_wrong_sign_is_no_such_sheet() -> None:
    """All gradients are the negative of the key, and the forward pass is right."""
    student = Student(error=lambda y, t, _: t - y)
    found = marked("tanh", SOFTMAX, student.sheet("tanh", SOFTMAX))
    assert found.misconceptions[0].id == "error-sign" and not found.please_look
    assert sum(bool(c.answer) for c in found.cells) - found.score == 1


ONLY_TOTALS = {
    "no slope": (Student(slopes=np.ones_like), "dE@1/dW1", "dh1_out@1/dh1_in@1"),
    "the sign of the error": (Student(error=lambda y, t, _: t - y), "dE@1/do1_out@1", ""),
    "the slope at the output": (Student(slopes=lambda s: 1 - np.tanh(np.sqrt(1 - s)) ** 2), "dh1_out@1/dh1_in@1", ""),
}


@pytest.mark.parametrize(("student", "line", "about"), ONLY_TOTALS.values(), ids=ONLY_TOTALS)
def test_a_mistake_in_lines_left_blank_is_told_where_it_sits(student: Student, line: str, about: str) -> None:
    """The hint is about the line's own neuron, and every total that has to change is told."""
    right, sheet = (totals(s.sheet("tanh", SOFTMAX)) for s in (Student(), student))
    told = next(mistakes(marked("tanh", SOFTMAX, sheet)))
    assert told.cell.name == "dE/dW1" and told.line == line
    assert about in told.cell.slips[0].rule
    assert {n for n in sheet if sheet[n] != right[n]} == {told.cell.name, *told.others, *told.cell.work_again}


@pytest.mark.parametrize(("loss", "rule"), [(SOFTMAX, "is negative"), (SQUARED, "output minus target")])
def test_the_rule_for_the_sign_of_an_error_is_that_of_the_loss(loss: str, rule: str) -> None:
    """With cross-entropy the derivative by an output is -target/output."""
    student = Student(error=lambda y, t, slopes: t - y if loss == SOFTMAX else slopes @ (t - y))
    told = next(mistakes(marked("tanh", loss, totals(student.sheet("tanh", loss)))))
    assert told.cell.slips[0].id == "error-sign" and rule in told.cell.slips[0].rule


def test_more_digits_are_asked_for_where_they_are_missing_and_not_below() -> None:
    """What follows from a number of two digits has all its own, and is to be worked again."""
    sheet = Student().sheet("tanh", SOFTMAX)
    rounded = {name: f"{float(text):.2f}" for name, text in sheet.items() if name == "h1_out@1"}
    h = float(rounded["h1_out@1"])
    off = {f"o{o}_in@1": float(sheet[f"o{o}_in@1"]) + V[o - 1, 0] * (h - float(sheet["h1_out@1"])) for o in (1, 2)}
    written = {**sheet, **rounded, **{name: f"{value:.6f}" for name, value in off.items()}}
    found = marked("tanh", SOFTMAX, written, Homework(decimals=6))
    verdicts = {c.name: (c.verdict, c.lacks) for c in found.cells}
    assert verdicts["h1_out@1"] == ("coarse", "digits") and verdicts["o1_in@1"] == ("coarse", "")
    asked, below = remarks_on_lines(found)
    assert asked == "More digits, please: h1_out@1."
    assert below.startswith("Then work again what stands on it: ") and "o1_in@1" in below


def test_a_parameter_left_as_it_was_is_asked_about() -> None:
    trained = lesson("tanh", SOFTMAX) + "[training]\nlearning_rate = 0.00001\n"
    found = LessonMarker(MarkingJob(trained, "t", Homework(ask=["W1_new", "b1_new"]))).mark(
        "s", HandedIn({"W1_new": "0.37", "b1_new": "0.15"})
    )
    assert [*remarks_on_lines(found)] == [
        "W1_new and b1_new are as before the update. Were they updated? Then more digits will show by how much."
    ]


def test_a_guess_about_a_line_left_blank_comes_after_the_line_itself() -> None:
    """Two digits exchanged in a total, which by chance is what some value in the place of another would give."""
    right = totals(Student().sheet("tanh", SOFTMAX, 4))
    guesses = 0
    for name, text in right.items():
        if not name.startswith("dE/dW") or text[-1] == text[-2]:
            continue
        told = next(mistakes(marked("tanh", SOFTMAX, {**right, name: f"{text[:-2]}{text[-1]}{text[-2]}"})), None)
        if told is not None and told.is_guess:
            guesses += 1
            first, *_, last = (s for s in what_to_look_at(told, FORMULA) if not s.startswith("Then work"))
            assert first == "Does this line come out again if it is worked once more?"
            assert last.startswith(f"With your numbers: {name} = ")
            parts = [float(p.replace(" ", "")) for p in re.findall(r"-? ?\d+\.\d+", last.rpartition("(")[2])]
            assert sum(parts) / 2 == pytest.approx(float(text), abs=2e-4), (
                "what their lines lead to, not what they wrote"
            )
    assert guesses
