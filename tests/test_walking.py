"""`tutor run --step` as somebody at a terminal has it: keys, jumps, a window that changes its size, ways to leave."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import pytest
from conftest import Tutor
from terminals import Terminal

from tutor.cli.stepping import find_step
from tutor.errors import TutorError
from tutor.lessons.find import read_lesson, worksheet_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of POSIX")

RIGHT, LEFT, UP, DOWN, CTRL_C, CTRL_D = "\x1b[C", "\x1b[D", "\x1b[A", "\x1bOB", "\x03", "\x04"


@contextlib.contextmanager
def walking(*arguments: str, width: int = 80, steps: int = 17, **environment: str) -> Iterator[Terminal]:
    """`tutor run perceptron --step` up to its first prompt; it ends with 0 and without a word of Python."""
    terminal = Terminal("run", "perceptron", "--step", *arguments, width=width, **environment)
    assert f"Step 1 of {steps}" in terminal.read()
    yield terminal
    terminal.close()
    assert terminal.exit_code == 0 and "Traceback" not in terminal.seen, terminal.seen


def test_one_key_goes_forth_and_one_back() -> None:
    with walking() as terminal:
        for forth in ("\n", "\r", " ", "n", RIGHT, DOWN):
            for back in ("b", LEFT, UP):
                assert "Step 2 of 17" in terminal.type(forth), repr(forth)
                assert "Step 1 of 17" in terminal.type(back), repr(back)
        assert "Step 1 of 17" in terminal.type(LEFT), "there is nothing before the first"
        terminal.type("q", "\0")


def test_jumps_by_number_by_stage_and_by_name() -> None:
    with walking() as terminal:
        assert "Step 9 of 17" in terminal.jump("9")
        assert "gradient" in terminal.jump("gradient") and "dE/dW1  " in terminal.jump("grad")
        assert "dE/dW2  " in terminal.jump("de/dw2") and "dE/dPredicted  " in terminal.jump("∂E/∂Pred")
        assert "Step 12 of 17" in terminal.jump("W1_new")
        assert "from 1 to 17" in terminal.jump("18")
        assert "there is no 'nothing'" in terminal.jump("nothing")
        assert "Step 13 of 17" in terminal.type(RIGHT), "a jump that fails goes nowhere"
        terminal.type("q", "\0")


def test_why_the_picture_and_help() -> None:
    with walking() as terminal:
        terminal.type(" ")
        assert "exp(-s)" in terminal.type("w")
        assert "X1 = 0.1 ── W1 = 0.5 ─╮" in terminal.type("p")
        for unknown in ("?", "x", "\x1b[3~", "é"):
            assert "this help" in terminal.type(unknown)
        assert "Step 3 of 17" in terminal.type(" ")
        terminal.type("q", "\0")


@pytest.mark.parametrize("leave", ["q", CTRL_C, CTRL_D])
def test_leaving_ends_the_line_and_is_no_error(leave: str) -> None:
    with walking() as terminal:
        terminal.type(leave, "\0")
    assert terminal.seen.endswith("> \n") and "Step 2" not in terminal.seen


def test_leaving_in_the_middle_of_a_jump() -> None:
    for leave in (CTRL_C, CTRL_D):
        with walking() as terminal:
            terminal.type("j", "jump to: ")
            terminal.leave(leave)
        assert terminal.seen.endswith("\n")


def test_the_layout_follows_the_window() -> None:
    with walking(width=100) as terminal:
        wide = terminal.jump("dPredicted/ds") + terminal.type("w")
        terminal.resize(40)
        narrow = terminal.jump("dPredicted/ds") + terminal.type("w")
        assert max(map(len, wide.splitlines())) > 40 >= max(map(len, narrow.splitlines()))
        terminal.type("q", "\0")


def test_a_width_that_was_asked_for_stays() -> None:
    with walking("--width", "60", width=120) as terminal:
        terminal.resize(30)
        terminal.jump("dPredicted/ds")
        assert 30 < max(map(len, terminal.type("w").splitlines())) <= 60
        terminal.type("q", "\0")


def test_the_end_says_what_changed_and_leads_on() -> None:
    with walking("--only", "after", steps=3) as terminal:
        terminal.type(" ")
        terminal.type(" ")
        end = terminal.type(" ", "\0")
    assert "E fell from" in end and "tutor run perceptron --blank" in end


def test_after_several_steps_it_is_the_error_that_fell_and_not_its_first_value(tutor: Tutor) -> None:
    """E[1] is the error at the start, whatever comes of it."""
    (tutor.folder / "my.toml").write_text(
        'format = 1\ntitle = "t"\nminimize = { objective = "w**2", start = { w = 1 }, learning_rate = 0.25, steps = 2 }\n'
    )
    assert "\nE fell from 1 to 0.0625, " in tutor("run", "my.toml").stdout


@pytest.mark.parametrize("place", ["3", "j 3", "jump 3"])
def test_a_terminal_without_keys_sends_lines(place: str) -> None:
    with walking("--narrate", TERM="dumb") as terminal:
        assert "Step 2 of 17" in terminal.type("\n") and "Step 1 of 17" in terminal.type("back\n")
        assert ("Step 3 of 17" in terminal.type(f"{place}\n")) == place.startswith("j")
        terminal.type(CTRL_D, "\0")


STEPS = worksheet_of(read_lesson("mlp")).steps


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("1", "h1_in"), (str(len(STEPS)), "E_after"), ("gradient", "dE/dW5"), ("UPD", "W1_new"), ("loss", "E"),
        ("e", "E"), ("dE/dW", "dE/dW5"), ("∂out_out/∂", "dout_out/dout_in"), ("dE / dW3", "dE/dW3"), ("h2", "h2_in"),
    ],
)  # fmt: skip
def test_places_are_found_as_people_write_them(written: str, name: str) -> None:
    assert STEPS[find_step(written, STEPS)].name == name


@pytest.mark.parametrize("written", ["0", "99", "9" * 50, "", " ", "dE/dW9", "\x1b[31m"])
def test_what_is_no_place_is_told(written: str) -> None:
    with pytest.raises(TutorError):
        find_step(written, STEPS)
