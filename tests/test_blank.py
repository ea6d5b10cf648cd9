"""A lesson as a problem, `tutor run --blank`, and as bare numbers, `--brief`: what stands there, and what must not."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from conftest import ONE_NEURON, Tutor

from tutor.lessons.find import lesson_text, worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.lessons.templates import KINDS
from tutor.worksheet.step import Worksheet

BATCH = ONE_NEURON.replace("[training]", "[[examples]]\ninputs = [-0.7]\ntargets = [0.3]\n[training]")
SEVERAL = BATCH.replace("update_biases", 'optimizer = "adam"\nepochs = 2\nupdate_biases').replace(
    'optimizer = "sgd"\n', ""
)
RECURRENT = """format = 1
title = "a cell"
about = \"\"\"Three moments of time, and 0.3 to begin with.

The result is 0.9640, which nobody is to read here.\"\"\"
[givens]
u = 0.3
w = "1/3"
"x[1]" = 0.25
"x[2]" = -0.5
h0 = 0.111111119
[[equations]]
name = "h[1]"
formula = "tanh(u*x[1] + w*h0)"
[[equations]]
name = "h[2]"
formula = "tanh(u*x[2] + w*h[1])"
[differentiate]
wrt = ["u", "w"]
"""
LESSONS = {
    "perceptron": lesson_text("perceptron"), "mlp": lesson_text("mlp"), "batch": BATCH, "several updates": SEVERAL,
    "epochs": KINDS["perceptron"], "equations": RECURRENT, "minimize": KINDS["minimize"],
    "delta": ONE_NEURON.replace("update_biases", 'rule = "delta"\nupdate_biases'),
}  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.@\[])-?[0-9]+\.[0-9]+(?:e[-+]?[0-9]+)?")


def results(worksheet: Worksheet) -> dict[Fraction, str]:
    """Every value of a step, rounded to 1 to 8 decimals, that is not given; whole numbers are in no table of results."""
    givens = set(worksheet.givens.values())
    found = {}
    for step in worksheet.steps:
        value = Fraction(str(worksheet.values[step.name]))
        for decimals in range(1, 9):
            rounded = Fraction(round(Decimal(value.numerator) / Decimal(value.denominator), decimals))
            if rounded.denominator != 1 and rounded not in givens:
                found[rounded] = step.name
    return found


@pytest.mark.parametrize("view", [[], ["--narrate"], ["--json"], ["--width", "40"], ["--digits", "9"], ["--chain", "delta"],
                                  ["--rounding", "each-step"], ["--only", "update"], ["--brief"]], ids=" ".join)  # fmt: skip
@pytest.mark.parametrize("kind", LESSONS)
def test_a_problem_holds_no_result(tutor: Tutor, kind: str, view: list[str]) -> None:
    lesson = parse_lesson(LESSONS[kind], kind)
    worksheet = worksheet_of(lesson)
    (tutor.folder / "my.toml").write_text(LESSONS[kind])
    done = tutor("run", "my.toml", "--blank", *view)
    if "--only" in view and not any(step.stage == "update" for step in worksheet.steps):
        assert done.returncode == 3
        return
    assert (done.returncode, done.stderr) == (0, "")
    numbers = {Fraction(number) for number in _NUMBER.findall(done.stdout)}
    forbidden = results(worksheet)
    assert not {forbidden[n]: n for n in numbers & set(forbidden)}
    givens = set(worksheet.givens.values())
    assert not numbers & ({Fraction(entry.value) for entry in lesson.printed} - givens)
    assert "0.9640" not in done.stdout and "without error;" not in done.stdout


@pytest.mark.parametrize("kind", LESSONS)
def test_nothing_is_worked_out_for_a_problem(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked for a value would have one: here that fails."""
    from tutor.printers import Printer
    from tutor.printers.screen import Screen
    from tutor.views.worksheet.blank import problem
    from tutor.views.worksheet.document import blank_document
    from tutor.views.worksheet.model import WorksheetView

    worksheet = worksheet_of(parse_lesson(LESSONS[kind], kind))
    monkeypatch.setattr(Worksheet, "values", property(lambda self: pytest.fail("a value was asked for")))
    view = WorksheetView(worksheet, 3, blank=True)
    for narrate in (False, True):
        Printer(Screen(80, False, True, narrate)).show(problem(view))
    assert blank_document(kind, view)


@pytest.mark.parametrize("view", [[], ["--narrate"], ["--json"]], ids=" ".join)
@pytest.mark.parametrize("kind", [kind for kind in LESSONS if kind != "epochs"])
def test_a_problem_says_what_is_given_and_what_is_to_be_found(tutor: Tutor, kind: str, view: list[str]) -> None:
    worksheet = worksheet_of(parse_lesson(LESSONS[kind], kind))
    (tutor.folder / "my.toml").write_text(LESSONS[kind])
    shown = " ".join(tutor("run", "my.toml", "--blank", "--width", "400", *view).stdout.split())
    for name in worksheet.by_name:
        assert name in shown
    for name, value in worksheet.givens.items():
        said = re.search(
            rf'(?<![\w/]){re.escape(name)}(?: = |", "value": ")(-?[0-9]+(?:[./][0-9]+)?(?:e-?[0-9]+)?)', shown
        )
        assert said and Fraction(said[1]) == value, name


@pytest.mark.parametrize("view", [[], ["--blank"], ["--narrate"]], ids=" ".join)
def test_where_nothing_is_given_nothing_is_said_to_be(tutor: Tutor, view: list[str]) -> None:
    (tutor.folder / "my.toml").write_text('format = 1\ntitle = "t"\n[[equations]]\nname = "a"\nformula = "2*3"\n')
    shown = tutor("run", "my.toml", *view)
    assert shown.returncode == 0 and "2 " in shown.stdout and "Given" not in shown.stdout


def test_a_problem_of_equations_states_them(tutor: Tutor) -> None:
    (tutor.folder / "my.toml").write_text(RECURRENT)
    shown = tutor("run", "my.toml", "--blank", "--width", "400").stdout
    assert "h[2] = tanh(u · x[2] + w · h[1])" in shown and "w = 1/3" in shown and "h0 = 0.111111119" in shown
    assert "Three moments of time, and 0.3 to begin with." in shown, "prose without other numbers stays"
    steps = json.loads(tutor("run", "my.toml", "--blank", "--json").stdout)["steps"]
    assert [step["name"] for step in steps if "formula" in step] == ["h[1]", "h[2]"]
    assert all(set(step) <= {"name", "stage", "formula"} for step in steps)


def test_how_many_epochs_it_takes_is_a_result(tutor: Tutor) -> None:
    (tutor.folder / "my.toml").write_text(KINDS["perceptron"])
    shown = " ".join(tutor("run", "my.toml", "--blank").stdout.split())
    assert "epochs follow until one is without error, 20 epochs at most" in shown
    assert "epoch 5" not in shown and "[6]" not in shown and "And so on with every example in turn" in shown
    assert "epoch 5 is without error" in " ".join(tutor("run", "my.toml").stdout.split())


def test_a_problem_has_no_steps_to_pause_at(tutor: Tutor) -> None:
    done = tutor("run", "mlp", "--blank", "--step")
    assert done.returncode == 2 and "leave out --step" in done.stderr


@pytest.mark.parametrize("view", [[], ["--narrate"], ["--step"], ["--digits", "9"], ["--chain", "delta"]], ids=" ".join)
def test_brief_is_formulas_and_values_alone(tutor: Tutor, view: list[str]) -> None:
    steps = tutor.json("run", "mlp", *[word for word in view if word in ("--chain", "delta")])["steps"]
    shown = tutor("run", "mlp", "--brief", *view, "--width", "160").stdout
    for gone in ("what is asked", "printed", "misprint", "Two hidden neurons", "sum rule", "In the same way"):
        assert gone not in shown
    digits = 9 if "--digits" in view else 3
    for step in steps:
        assert step["name"] in shown
        if abs(value := float(step["value"])) > 0.1 and step["stage"] in ("forward", "partial"):
            assert f"{value:.{digits}f}".rstrip("0") in shown, step
    only = tutor("run", "mlp", "--brief", "--only", "partial", *view).stdout
    assert "dout_in/dW5" in only and "what is asked" not in only and "W5_new" not in only


@pytest.mark.parametrize(
    ("lesson", "said", "unsaid"),
    [
        ("[givens]\nn = 3\n[[equations]]\nname = 'y'\nformula = '2*n'\n", "The equations, from what is given", "Forward pass"),
        (
            "minimize = { objective = 'x**2', start = { x = 1 }, learning_rate = 0.1, steps = 1 }\n",
            "The function that is minimised", "targets",
        ),
        (ONE_NEURON, "Forward pass: from the inputs to the outputs", "The equations"),
    ],
    ids=["equations", "a function", "a network"],
)  # fmt: skip
@pytest.mark.parametrize(
    "command", [("run",), ("run", "--blank"), ("sheet", "--format", "toml"), ("sheet", "--format", "markdown")]
)
def test_headlines_speak_of_what_the_worksheet_is_about(
    tutor: Tutor, lesson: str, said: str, unsaid: str, command: tuple[str, ...]
) -> None:
    text = lesson if "format" in lesson else f"format = 1\ntitle = 't'\n{lesson}"
    (tutor.folder / "my.toml").write_text(text, encoding="utf-8")
    shown = tutor(command[0], "my.toml", *command[1:]).stdout
    assert said in shown and unsaid not in shown
