"""A fresh problem of any lesson that can be worked can be worked, marked and handed out itself."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from conftest import ONE_NEURON, Tutor, fuzz
from hypothesis import given
from hypothesis import strategies as st

from tutor.errors import TutorError
from tutor.homework.variants import Varier, problem_text
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.schedules import SCHEDULES

SMOOTH = [name for name, entry in ACTIVATIONS.items() if entry.slope is not None]
NUMBERS = ["0.1", "0.5", "0.9", "1", "2", "0.001", "0", "-1", "1.5", '"1/3"']
number = st.sampled_from(NUMBERS)


@st.composite
def settings_of(draw: Any, names: Any, flags: Any = ()) -> str:
    chosen = {name: draw(number) for name in names if draw(st.booleans())}
    chosen |= {name: draw(st.sampled_from(["true", "false"])) for name in flags if draw(st.booleans())}
    return "{ " + ", ".join(f"{name} = {value}" for name, value in chosen.items()) + " }"


@st.composite
def optimization(draw: Any) -> str:
    optimizer, schedule = draw(st.sampled_from(sorted(OPTIMIZERS))), draw(st.sampled_from(sorted(SCHEDULES)))
    lines = [
        f'optimizer = "{optimizer}"',
        f"learning_rate = {draw(st.sampled_from(['0.1', '0.5', '0.001', '2']))}",
        f"settings = {draw(settings_of(OPTIMIZERS[optimizer].settings, OPTIMIZERS[optimizer].flags))}",
        f'schedule = "{schedule}"',
        f"schedule_settings = {draw(settings_of(SCHEDULES[schedule].settings))}",
    ]
    return "\n".join([*lines, *draw(st.sampled_from([[], ["clip_norm = 0.1"], ["clip_value = 0.01"]]))])


@st.composite
def lessons(draw: Any) -> str:
    wanted = draw(optimization())
    if draw(st.booleans()):
        objective = draw(
            st.sampled_from(["x**2 + 10*y**2", "x*y + exp(x)", "(x - 1)**4 + abs(y)", "log(1 + x**2) + y"])
        )
        start = f"{{ x = {draw(number)}, y = {draw(number)} }}"
        return f'format = 1\ntitle = "t"\n[minimize]\nobjective = "{objective}"\nstart = {start}\nsteps = 2\n{wanted}\n'
    text = ONE_NEURON.replace("sigmoid", draw(st.sampled_from(SMOOTH)))
    text = text.replace("half_squared_error", draw(st.sampled_from(sorted(set(LOSSES) - {"cross_entropy"}))))
    penalties = draw(
        st.sampled_from(["", "l1 = 0.1\n", "l2 = 0.1\n", "l1 = 0.1\nproximal = true\n", "rates = { o = 0.5 }\n"])
    )
    kept = text.replace('optimizer = "sgd"\nlearning_rate = 0.5\n', "")
    return f"{kept}epochs = {draw(st.integers(1, 2))}\n{penalties}{wanted}\n"


def worked(text: str) -> bool:
    """Whether the lesson can be worked; it may be refused, with a message."""
    try:
        return bool(worksheet_of(parse_lesson(text, "t")).values)
    except TutorError:
        return False


@fuzz(3)
@given(lessons(), st.sampled_from(["1", "2", "abc"]))
def test_a_problem_of_any_lesson_can_be_worked(tutor: Tutor, text: str, seed: str) -> None:
    (tutor.folder / "l.toml").write_text(text)
    code, made, err = tutor("vary", "l.toml", "--seed", seed)
    if not worked(text):
        assert code == 2 and len(err.splitlines()) == 1, err
        return
    if code == 2:
        assert "no usable problem" in err, err
        return
    assert code == 0, err
    old, new = tomllib.loads(text), tomllib.loads(made)
    assert {**old, **new}.keys() == new.keys() | {"printed"} & old.keys()
    assert new.get("training", new.get("minimize", {})).keys() == old.get("training", old.get("minimize", {})).keys()
    (tutor.folder / "v.toml").write_text(made)
    for command in (["run", "v.toml"], ["lint", "v.toml"], ["sheet", "v.toml"], ["vary", "v.toml", "--seed", "9"]):
        code, _, err = tutor(*command)
        assert code in (0, 1) if command[0] == "lint" else code == 0 or "no usable problem" in err, (command, err)


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if name != "constant"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_schedule_is_varied(schedule: str, optimizer: str) -> None:
    text = ONE_NEURON.replace('optimizer = "sgd"', f'optimizer = "{optimizer}"\nschedule = "{schedule}"\nepochs = 2')
    made = problem_text(text, Varier(text, parse_lesson(text, "t")).problem("1"))
    assert worked(made) and tomllib.loads(made)["training"]["schedule"] == schedule


def test_a_decay_whose_slip_would_divide_by_0_is_varied() -> None:
    """In the first epoch the schedule is eta/(1 + 1/2·0); turned into eta/(1 - 1) it has no value, and is no slip."""
    text = ONE_NEURON.replace("learning_rate = 0.5", 'learning_rate = 0.5\nschedule = "inverse_time"\nepochs = 2')
    for rate in ("0.5", "1", "2", "0"):
        with_rate = f"{text}schedule_settings = {{ decay_rate = {rate} }}\n"
        assert worked(problem_text(with_rate, Varier(with_rate, parse_lesson(with_rate, "t")).problem("1")))
