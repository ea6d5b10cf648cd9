"""Lesson files: what they can say, and what the program says of a wrong one."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from conftest import ONE_NEURON, Tutor
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.errors import TutorError
from tutor.lessons.find import course, lesson_files, read_lesson, worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.lessons.templates import KINDS
from tutor.numbers.exact import as_fraction
from tutor.views.worksheet.notes import fill

BROKEN = {
    "not TOML": (("format = 1", "format = = 1"), "not valid TOML"),
    "no format": (("format = 1\n", ""), "first line"),
    "newer format": (("format = 1", "format = 999"), "newer tutor"),
    "format as text": (("format = 1", 'format = "1"'), "must be 1"),
    "unknown key": (("loss =", "los ="), "line 5.*unknown key 'los' — did you mean 'loss'"),
    "unknown key on top": (('title = "one neuron"', 'titel = "one neuron"'), "unknown key 'titel'.*'title'"),
    "unknown activation": (("sigmoid", "sigmoyd"), r"layers\[1\]\.activation.*'sigmoyd' — did you mean 'sigmoid'"),
    "unknown loss": (("half_squared_error", "squared_eror"), "did you mean 'squared_error'"),
    "unknown optimizer": (('"sgd"', '"sdg"'), "did you mean 'sgd'"),
    "ragged weights": (("[[0.5]]", "[[0.5, 1.0]]"), r"row 1: 2 weights for 1 input"),
    "too many rows": (("[[0.5]]", "[[0.5], [1.0]]"), "1 neuron but 2 rows"),
    "no rows": (("[[0.5]]", "[]"), "0 rows|one row for each"),
    "no connection": (("[[0.5]]", '[[""]]'), "at least one connection"),
    "text for a number": (("[[0.5]]", '[["a"]]'), "no given is called 'a'"),
    "true for a number": (("[[0.5]]", "[[true]]"), "Expected a number, got true or false"),
    "nan": (("[[0.5]]", "[[nan]]"), "'NaN' is not a number"),
    "infinity": (("[[0.5]]", "[[-inf]]"), "is not a number"),
    "huge exponent": (("[[0.5]]", "[[1e999999999]]"), "exponent"),
    "huge integer": (("[[0.5]]", f"[[{'1' * 5000}]]"), "cannot be read|characters"),
    "table for a list": (("[[0.5]]", "{ a = 1 }"), "a list"),
    "number for a text": (('title = "one neuron"', "title = 3"), "Expected text, got a whole number"),
    "two biases": (("[0.25]", "[0.25, 1]"), "there are 2 for 1 neuron"),
    "two targets": (("targets = [1]", "targets = [1, 2]"), "2 numbers, but the network has 1 target"),
    "two inputs": (("inputs = [2]", "inputs = [2, 3]"), "2 numbers, but the network has 1 input"),
    "no examples": (("[[examples]]\ninputs = [2]\ntargets = [1]\n", ""), "'examples' is missing"),
    "no learning rate": (("learning_rate = 0.5\n", ""), "'learning_rate' is missing"),
    "a name that cannot be typed": (('"o"', '"o-1"'), "'o-1' cannot be a name"),
    "a reserved name": (('["X1"]', '["eta"]'), "two quantities are called 'eta'"),
    "the same name twice": (('["X1"]', '["o_in"]'), "two quantities are called 'o_in'"),
    "the name of a result": (('["X1"]', '["W1_new"]'), "two quantities are called 'W1_new'"),
    "the name of a later result": (('["X1"]', '["o_out_after"]'), "two quantities are called 'o_out_after'"),
    "a word of Python": (('["X1"]', '["in"]'), "'in' cannot be a name"),
    "a printed value that is no number": (
        ("[training]", '[[printed]]\nname = "o_in"\nvalue = "1..2"\n[training]'),
        r"'1\.\.2' is not a number",
    ),
    "a decimal comma in a printed value": (
        ("[training]", '[[printed]]\nname = "o_in"\nvalue = "1,25"\n[training]'),
        r"printed value of 'o_in': '1,25' is not a number; numbers have a decimal point: 1\.25",
    ),
    "a decimal comma in TOML": (("learning_rate = 0.5", "learning_rate = 0,5"), r"at line 16.*decimal point: 0\.5"),
    "a decimal comma in a weight": (("[[0.5]]", '[["0,5"]]'), r"layers\[1\]: '0,5' is neither.*decimal point: 0\.5"),
    "a decimal comma in a known setting": (
        ('optimizer = "sgd"', 'optimizer = "adam"\nsettings = { beta1 = "0,9" }'),
        r"training\.settings\.beta1: '0,9' is not a number; numbers have a decimal point: 0\.9",
    ),
    "a decimal comma in a given": (
        ("[network]", '[givens]\na = 1\nc = "0,9"\n[network]'),
        r"givens\.c: '0,9' is not a number; numbers have a decimal point: 0\.9",
    ),
    "a date": (("[[0.5]]", "[[2024-01-01]]"), "Expected a number"),
}


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_lesson_is_refused_with_its_place_and_the_nearest_word(change: tuple[str, str], message: str) -> None:
    with pytest.raises(TutorError, match=rf"(?s)({message})") as caught:
        lesson = parse_lesson(ONE_NEURON.replace(*change), "my.toml")
        worksheet_of(lesson)  # what shows only here, the command says with the name of the file
    assert "\n" not in str(caught.value)
    if not str(caught.value).startswith("two quantities"):
        assert str(caught.value).startswith("my.toml")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(ONE_NEURON)), st.text(max_size=12), st.integers(0, 30))
def test_a_damaged_lesson_is_read_or_refused_but_never_crashes(at: int, inserted: str, removed: int) -> None:
    try:
        worksheet_of(parse_lesson(ONE_NEURON[:at] + inserted + ONE_NEURON[at + removed :], "x")).values  # noqa: B018
    except TutorError as error:
        assert str(error)


def test_numbers_are_read_as_they_are_written() -> None:
    lesson = parse_lesson(ONE_NEURON.replace("[[0.5]]", '[["1/3"]]').replace("0.25", "0.1"), "x")
    worksheet = worksheet_of(lesson)
    assert worksheet.values["W1"] == Fraction(1, 3)
    assert worksheet.values["o_in"] == Fraction(2, 3) + Fraction(1, 10)


def test_unnamed_neurons_weights_and_targets_are_numbered() -> None:
    text = """format = 1
title = "t"
network = { inputs = ["a", "b"], loss = "squared_error", layers = [
  { weights = [[1, 2], [3, 4]], biases = [5, 6], activation = "tanh", units = 2 },
  { weights = [[7, 8]], activation = "relu" },
  { weights = [[9], [10]], biases = [11, 12], activation = "linear" },
] }
examples = [{ inputs = [1, 1], targets = [0, 1] }]
training = { learning_rate = 1 }
"""
    worksheet = worksheet_of(parse_lesson(text, "x"))
    assert [worksheet.values[f"W{i}"] for i in range(1, 9)] == [1, 2, 3, 4, 7, 8, 9, 10]
    assert [worksheet.values[f"b{i}"] for i in range(1, 5)] == [5, 6, 11, 12]
    assert {"h1_in", "h2_out", "h3_in", "o1_out", "o2_out", "desired_o1", "desired_o2"} <= set(worksheet.names)


def test_tied_and_absent_connections_train_one_weight() -> None:
    """A tiny convolution: w1 stands in two neurons, so its gradient is a sum over two paths."""
    text = """format = 1
title = "t"
givens = { w1 = 0.5, w2 = -1 }
network = { inputs = ["x1", "x2", "x3"], loss = "squared_error", layers = [
  { neurons = ["c1", "c2"], weights = [["w1", "w2", ""], ["", "w1", "w2"]], activation = "linear" },
] }
examples = [{ inputs = [1, 2, 3], targets = [0, 0] }]
training = { learning_rate = 0.1 }
"""
    worksheet = worksheet_of(parse_lesson(text, "x"))
    # c1 = 0.5·1 - 2 = -1.5, c2 = 0.5·2 - 3 = -2; E = c1² + c2²; dE/dw1 = 2·c1·x1 + 2·c2·x2 = -3 - 8
    assert worksheet.values["E"] == Fraction("6.25")
    assert worksheet.values["dE/dw1"] == -11
    assert worksheet.values["w1_new"] == Fraction("1.6")


def test_lessons_come_in_course_order_and_have_a_title_and_prose() -> None:
    found = course()
    assert [name for name, _ in found][:2] == ["perceptron", "mlp"]
    assert len(found) == len(lesson_files())
    assert len({lesson.order for _, lesson in found}) == len(found)
    for _, lesson in found:
        assert lesson.title and lesson.source


@pytest.mark.parametrize("name", lesson_files())
def test_the_notes_of_a_lesson_compute_their_numbers(name: str) -> None:
    lesson = read_lesson(name)
    worksheet = worksheet_of(lesson)
    for text in [entry.note for entry in lesson.printed] + [m.why for m in lesson.misprints]:
        filled = fill(text, worksheet)
        assert "{" not in filled and "}" not in filled


def test_a_note_with_an_unknown_name_says_so() -> None:
    with pytest.raises(TutorError, match=r"unknown name 'o_inn'.*did you mean 'o_in'"):
        fill("It is {o_inn:3}.", worksheet_of(parse_lesson(ONE_NEURON, "x")))


CROSS_ENTROPY = ONE_NEURON.replace("half_squared_error", "binary_cross_entropy")


def test_a_slope_of_zero_over_zero_is_refused() -> None:
    """A linear output of exactly 1 with target 1: E is 0, but -ln y has the slope -1 there, not 0/0 = 0."""
    text = CROSS_ENTROPY.replace("sigmoid", "linear").replace("[[0.5]]", "[[0.5]]").replace("0.25", "0")
    with pytest.raises(TutorError, match="dE/do_out divides by zero"):
        worksheet_of(parse_lesson(text, "x")).values  # noqa: B018


def test_a_logarithm_of_a_negative_number_is_refused_even_with_the_factor_zero() -> None:
    text = CROSS_ENTROPY.replace("sigmoid", "linear").replace("[[0.5]]", "[[2]]")
    with pytest.raises(TutorError, match="E takes the logarithm of a negative number"):
        worksheet_of(parse_lesson(text, "x")).values  # noqa: B018


@pytest.mark.parametrize("weight", [75, 1000, 4000])
@pytest.mark.parametrize("target", [0, 1])
def test_cross_entropy_of_a_saturated_output_is_exact(weight: int, target: int) -> None:
    """With z = 2w the loss is ln(1 + e^-z) for the target 1 and z + ln(1 + e^-z) for 0, its slope by z is a - t."""
    import mpmath

    text = (
        CROSS_ENTROPY.replace("[[0.5]]", f"[[{weight}]]")
        .replace("0.25", "0")
        .replace("targets = [1]", f"targets = [{target}]")
    )
    values = worksheet_of(parse_lesson(text, "x")).values
    with mpmath.workdps(4000):
        z = mpmath.mpf(2 * weight)
        loss = mpmath.log1p(mpmath.exp(-z)) + (0 if target else z)
        slope = 1 / (1 + mpmath.exp(-z)) - target
        for name, expected in {"E": loss, "dE/db1": slope}.items():
            exact = as_fraction(values[name])
            assert abs(mpmath.mpf(exact.numerator) / exact.denominator / expected - 1) < mpmath.mpf(10) ** -30


@pytest.mark.parametrize("text", ["1 - tanh(200)", "1 - sigmoid(2000)", "1/(1 - tanh(2000))"])
def test_formulas_in_notes_keep_the_digits_of_differences(text: str) -> None:
    import mpmath

    with mpmath.workdps(3000):
        functions = {"tanh": mpmath.tanh, "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z))}
        expected = {
            "1 - tanh(200)": 1 - functions["tanh"](200),
            "1 - sigmoid(2000)": 1 - functions["sigmoid"](mpmath.mpf(2000)),
            "1/(1 - tanh(2000))": 1 / (1 - functions["tanh"](2000)),
        }[text]
        shown = fill(f"{{{text}:5}}", worksheet_of(parse_lesson(ONE_NEURON, "x")))
        assert abs(mpmath.mpf(shown) / expected - 1) < 1e-4


@pytest.mark.parametrize("text", ["((9**999)**999)**999", "exp(9999)**1000", "exp(exp(10))"])
def test_a_giant_number_is_refused_at_once(text: str) -> None:
    with pytest.raises(TutorError, match=r"too large|beyond"):
        fill(f"{{{text}}}", worksheet_of(parse_lesson(ONE_NEURON, "x")))


@pytest.mark.parametrize(
    "note", ["{", "}", "{o_in:x}", "{o_in:100}", "{{o_in}}", "{1/0:4}", "{0**-1}", "{lambda: 1:4}", "{}"]
)
def test_a_broken_blank_in_a_note_is_refused_with_a_reason(note: str) -> None:
    with pytest.raises(TutorError, match=r"brace|divides by zero|formula|empty|no value"):
        fill(note, worksheet_of(parse_lesson(ONE_NEURON, "x")))


PERCEPTRON, NETWORK, MINIMIZE = KINDS["perceptron"], ONE_NEURON, KINDS["minimize"]
GRADIENTS = (
    'format = 1\ntitle = "t"\n[minimize]\nstart = {{ v = 1, w = 2 }}\nlearning_rate = 0.1\ngradients = {{ {} }}\n'
)
NOT_MEANT = [
    (NETWORK + "l1 = -0.1\n", "training.l1: a penalty is not negative"),
    (NETWORK + "clip_norm = 0\n", "training.clip_norm: the limit is a positive number"),
    (NETWORK + "epochs = 501\n", "training.epochs: a worksheet takes 1 to 500, not 501"),
    (NETWORK + 'fires = "s > 0"\n', 'training.fires: this belongs to rule = "perceptron"'),
    (PERCEPTRON + "max_epochs = 501\n", "training.max_epochs: a worksheet takes 1 to 500, not 501"),
    (PERCEPTRON.replace('"step"', '"sigmoid"'), "trains a single layer with the activation step or sign"),
    (PERCEPTRON.replace("[network]", '[network]\nloss = "squared_error"'), "the perceptron rule knows no loss; leave it out"),
    (re.sub("steps = .*", "steps = 501", MINIMIZE), "minimize.steps: a worksheet takes 1 to 500, not 501"),
    (re.sub("start = .*", "start = {}", MINIMIZE), "say where each variable begins, as in start = { x = 1, y = 1 }"),
    (GRADIENTS.format("v = [1]"), "there are none for 'w', which is in minimize.start"),
    (GRADIENTS.format("v = [1, 2], w = [1]"), "v has 2 and w has 1; give one for each step"),
    (GRADIENTS.format("v = [1], w = [1]") + "steps = 2\n", "there are gradients for 1 steps, so leave it out"),
    ('format = 1\ntitle = "t"\ngivens = { x = 1 }\nequations = [{ name = "y", formula = "x" }]\nexamples = [{ inputs = [1] }]\n',
     "examples: they belong to a [network]; put the numbers under [givens]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), NOT_MEANT, ids=[said for _, said in NOT_MEANT])
def test_what_cannot_be_meant_is_told_in_one_line(tutor: Tutor, text: str, said: str) -> None:
    (tutor.folder / "l.toml").write_text(text)
    code, out, err = tutor("run", "l.toml")
    assert code == 2 and not out and said in err and err.startswith("tutor: l.toml: ") and len(err.splitlines()) == 1, (
        err
    )


def test_a_worksheet_may_have_500_epochs(tutor: Tutor) -> None:
    (tutor.folder / "l.toml").write_text(PERCEPTRON + "max_epochs = 500\n")
    assert tutor("run", "l.toml").returncode == 0
