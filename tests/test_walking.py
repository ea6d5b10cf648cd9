"""`tutor run --step` as somebody at a terminal has it: keys, jumps, a window that changes its size, ways to leave."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator

import pytest

from tutor.cli.stepping import find_step
from tutor.errors import TutorError
from tutor.lessons import read_lesson, worksheet_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of POSIX")

RIGHT, LEFT, UP, DOWN, CTRL_C, CTRL_D = "\x1b[C", "\x1b[D", "\x1b[A", "\x1bOB", "\x03", "\x04"


class Terminal:
    """A program on a pseudo-terminal; `type` gives what appears until the next prompt."""

    def __init__(self, *arguments: str, width: int = 80, **environment: str) -> None:
        import pty

        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.environ.pop("COLUMNS", None)
            os.environ.update({"TERM": "xterm", "PYTHONUTF8": "1", **environment})
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that starts tests in the background ignores it
            time.sleep(0.2)  # until the window has its size
            os.execv(sys.executable, [sys.executable, "-m", "tutor", *arguments])
        self.resize(width)
        self.seen = ""
        self.exit_code: int | None = None

    def resize(self, width: int) -> None:
        import fcntl
        import termios

        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

    def read(self, prompt: str = "> ") -> str:
        """What appears up to the prompt, or to the end."""
        seen, until = b"", time.monotonic() + 60
        with contextlib.suppress(OSError):  # the program has ended
            while not seen.endswith(prompt.encode()) and time.monotonic() < until:
                if select.select([self.end], [], [], 1)[0]:
                    new = os.read(self.end, 4096)
                    if not new:
                        break
                    seen += new
        text = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode().replace("\r\n", "\n"))
        self.seen += text
        return text

    def type(self, keys: str, prompt: str = "> ") -> str:
        os.write(self.end, keys.encode())
        return self.read(prompt)

    def jump(self, place: str) -> str:
        self.type("j", "jump to: ")
        return self.type(f"{place}\n")

    def close(self) -> None:
        self.read("\0")
        self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.end)


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
            terminal.type(leave, "\0")
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
