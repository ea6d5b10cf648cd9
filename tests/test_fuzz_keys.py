"""A key marks itself right: every lesson that can be built, every format of a sheet, every demand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.conftest import LONGER, fuzz
from tests.networks import ACTIVATIONS, decimals
from tutor.errors import TutorError
from tutor.homework.marker import LessonMarker, MarkingJob
from tutor.lessons.format import Homework
from tutor.lessons.read import parse_lesson
from tutor.marking.assignment import assign
from tutor.sheets.formats import ENDINGS, WRITERS, Paper, questions
from tutor.views.key import key_answers
from tutor.worksheet.build import build

OPTIMIZERS = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "nadam", "adadelta", "adamw"]
"""Those whose settings have defaults."""
SMALL_RATES = ["0.1", "0.5", "1", "0.00001", "1e-12", "1e-40", "1e-200", "0"]
rates = st.sampled_from([*SMALL_RATES, "1000000", "25", "1e20"])
rates_of_networks = st.sampled_from(SMALL_RATES) if LONGER == 1 else rates
"""One that runs away asks for thousands of digits, which may take half a minute."""
numbers = st.one_of(decimals(-200, 200), st.sampled_from(["0", "1e-9", "-3e-20", "1e-150", "9", "-12"]))
demands = st.one_of(
    st.just({}),
    st.integers(0, 12).map(lambda n: {"decimals": n}),
    st.integers(1, 12).map(lambda n: {"significant": n}),
    st.sampled_from([{"decimals": 30}, {"significant": 30}]),
)


@st.composite
def networks(draw: st.DrawFn) -> str:
    widths = [draw(st.integers(1, 2)) for _ in range(draw(st.integers(2, 3)))]
    examples = draw(st.integers(1, 2))
    last = draw(st.sampled_from(["sigmoid", "linear", "tanh", *(["softmax"] if widths[-1] > 1 else [])]))
    loss = {"sigmoid": "binary_cross_entropy", "softmax": "cross_entropy"}.get(last, "half_squared_error")
    lines = ["format = 1", 'title = "random"', "[network]", f"inputs = {[f'X{i}' for i in range(widths[0])]}"]
    lines.append(f'loss = "{draw(st.sampled_from([loss, "squared_error"]))}"')
    for layer, (inner, outer) in enumerate(pairwise(widths), 2):
        is_last = layer == len(widths)
        rows = [f"[{', '.join(draw(numbers) for _ in range(inner))}]" for _ in range(outer)]
        lines += ["[[network.layers]]", f'activation = "{last if is_last else draw(st.sampled_from(ACTIVATIONS))}"']
        lines.append(f"weights = [{', '.join(rows)}]")
        if draw(st.booleans()):
            lines.append(f"biases = [{', '.join(draw(numbers) for _ in range(outer))}]")
    for _ in range(examples):
        hot = draw(st.integers(0, widths[-1] - 1))
        lines += ["[[examples]]", f"inputs = [{', '.join(draw(numbers) for _ in range(widths[0]))}]"]
        lines.append(f"targets = {[int(i == hot) for i in range(widths[-1])]}")
    lines += [
        "[training]",
        f'optimizer = "{draw(st.sampled_from(OPTIMIZERS))}"',
        f"learning_rate = {draw(rates_of_networks)}",
    ]
    lines.append(f'batch = "{draw(st.sampled_from(["sum", "mean", "online"]))}"')
    lines.append(f"epochs = {draw(st.integers(1, 2))}")
    if draw(st.booleans()):
        lines.append(f"{draw(st.sampled_from(['l1', 'l2']))} = {draw(st.sampled_from(['0.01', '1e-30', '3']))}")
    if draw(st.booleans()):
        lines += ['schedule = "inverse_time"', "schedule_settings = { decay_rate = 0.5 }"]
    return "\n".join(lines) + "\n"


@st.composite
def minimized(draw: st.DrawFn) -> str:
    objective = draw(st.sampled_from(["(x - 0.7)**2 + y**2", "x**4 - x*y", "exp(-x) + y", "0*x + y**2", "tanh(x)*y"]))
    return (
        'format = 1\ntitle = "m"\n[minimize]\n'
        f'objective = "{objective}"\noptimizer = "{draw(st.sampled_from(OPTIMIZERS))}"\n'
        f"learning_rate = {draw(rates)}\nsteps = {draw(st.sampled_from([1, 2, 6]))}\n"
        f"start = {{ x = {draw(numbers)}, y = {draw(numbers)} }}\n"
    )


@st.composite
def equations(draw: st.DrawFn) -> str:
    formulas = ["tanh(x)", "x*y", "exp(x*1e-60) - 1", "x/3", "sqrt(x**2 + 1)", "exp(-abs(x))", "exp(90*x)", "y**5"]
    formulas += ["exp(x)*exp(-x) - 1", "log(exp(x) + 2) - log(2 + exp(x))"]
    lines = ["format = 1", 'title = "e"', "[givens]", f"x = {draw(numbers)}", f"y = {draw(numbers)}"]
    for i, formula in enumerate(draw(st.lists(st.sampled_from(formulas), min_size=1, max_size=4))):
        lines += ["[[equations]]", f'name = "q{i}"', f'formula = "{formula}"']
    lines += ["[[equations]]", 'name = "E"', 'formula = "q0**2 + x"', "[differentiate]", 'wrt = ["x"]']
    return "\n".join(lines) + "\n"


@st.composite
def perceptrons(draw: st.DrawFn) -> str:
    lines = ["format = 1", 'title = "p"', "[network]", 'inputs = ["a", "b"]', "[[network.layers]]"]
    lines += ['neurons = ["y"]', 'activation = "step"', f"weights = [[{draw(numbers)}, {draw(numbers)}]]"]
    lines += [f"biases = [{draw(numbers)}]"]
    for a, b in ((0, 1), (1, 1)):
        lines += ["[[examples]]", f"inputs = [{a}, {b}]", f"targets = [{draw(st.integers(0, 1))}]"]
    lines += ["[training]", 'rule = "perceptron"', f"learning_rate = {draw(rates)}", "max_epochs = 2"]
    return "\n".join(lines) + "\n"


def _marks_itself_right(text: str, demand: dict[str, int], form: str, folder: Path) -> None:
    wanted = Homework(**demand)  # type: ignore[arg-type]
    try:
        lesson = parse_lesson(text, "random")
        worksheet = build(lesson)
        assert worksheet.values
    except (TutorError, ValueError):
        assume(False)
    assignment = assign(worksheet, wanted)
    asked = {n: (d.decimals, d.significant if d.asked else None) for n, d in assignment.demands.items()}
    answers = key_answers(worksheet, asked)
    path = folder / f"key{ENDINGS[form]}"
    path.write_text(
        WRITERS[form](Paper("key", questions(worksheet, assignment, answers), worksheet.givens)), encoding="utf-8"
    )
    document = LessonMarker(MarkingJob(text, "random", wanted)).mark_file(path)
    assert {c.name: (c.answer, c.key) for c in document.cells if c.verdict != "correct"} == {}
    assert document.score == document.max_score


@pytest.mark.parametrize("lessons", [networks, minimized, equations, perceptrons])
@fuzz(8)
@given(data=st.data())
def test_a_key_marks_itself_right(
    lessons: Callable[[], st.SearchStrategy[str]], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text, demand = data.draw(lessons()), data.draw(demands)
    form = data.draw(st.sampled_from([*WRITERS]))
    _marks_itself_right(text, demand, form, tmp_path_factory.mktemp("key"))
