"""How far a long piece of work is: on stderr, whole at every width, and in a few sentences where a bar is no help."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from terminals import Terminal

from tutor.printers import progress
from tutor.printers.screen import Screen


@dataclass
class Epoch:
    number: int
    loss: float = 0.123456
    accuracy: float | None = 0.5


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, as long as the test says."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def told(
    narrate: bool, epochs: int, seconds: float, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> list[str]:
    with progress.watching(epochs, Screen(80, False, True, narrate), silent=False) as watch:
        for number in range(1, epochs + 1):
            clock[0] += seconds / epochs
            watch(Epoch(number))
    out, err = capsys.readouterr()
    assert out == "" and "\r" not in err
    return err.splitlines()


@pytest.mark.parametrize("narrate", [False, True])
@pytest.mark.parametrize("seconds", [0.5, 20, 100, 100_000])
def test_where_no_bar_helps_a_handful_of_sentences_is_said(
    narrate: bool, seconds: float, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(narrate, 1000, seconds, clock, capsys)
    assert (0 if seconds < 5 else 1) <= len(said) <= min(5, seconds // 5)
    assert all(re.fullmatch(r"Epoch \d+ of 1000: loss 0\.1235, 50\.0% right\.", line) for line in said)


def test_a_few_things_and_silence_say_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(80, False, True, narrate=True)
    assert list(progress.progress(range(5), 5, "marking", screen)) == list(range(5))
    with progress.watching(100, screen, silent=True) as watch:
        clock[0] += 100
        watch(Epoch(50))
    assert capsys.readouterr() == ("", "")


TRAIN = ("train", "--data", "xor", "--hidden", "2", "--epochs", "3000")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of POSIX")
@pytest.mark.parametrize("width", [24, 40, 100])
def test_the_line_of_a_training_is_never_cut(width: int) -> None:
    terminal = Terminal(*TRAIN, width=width)
    terminal.close()
    before = terminal.seen.partition("xor: a")[0]
    words = " ".join(re.sub(r"\x1b\[\??[0-9;]*[A-Za-z]|[━╸╺]", " ", before).split())
    assert "…" not in before and "..." not in before
    assert width < 100 or re.search(r"epoch 3000 of 3000 loss [0-9.e-]+, [0-9.]+% right", words), words
    assert {"epoch", "3000", "loss", "right"} <= set(words.split())


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of POSIX")
@pytest.mark.parametrize(("more", "environment"), [(["--narrate"], {}), ([], {"TERM": "dumb"})], ids=str)
def test_no_bar_moves_for_who_cannot_see_one(more: list[str], environment: dict[str, str]) -> None:
    terminal = Terminal(*TRAIN, *more, **environment)
    terminal.close()
    assert "\r" not in terminal.seen and "\x1b" not in terminal.seen and "━" not in terminal.seen


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of POSIX")
def test_no_bar_flashes_for_an_experiment_that_is_kept(tmp_path: Path) -> None:
    lesson = tmp_path / "l.md"
    head = 'format = 2\ntitle = "T"\nsource = "s"\npart = "Neurons"\norder = 1\nminutes = 1\ncan = ["c"]\n'
    race = 'data = "xor"\nseeds = 3\nsettings = { hidden = [2], epochs = 3 }\n'
    lesson.write_text(f"```toml lesson\n{head}```\n\n# One\n\n```toml experiment race\n{race}```\n")
    seen = []
    for width in (90, 91):  # in another width the page is made again
        terminal = Terminal("run", str(lesson), width=width, TUTOR_HOME=str(tmp_path / "home"))
        terminal.close()
        assert terminal.exit_code == 0
        seen.append(terminal.seen)
    assert "training 0 of 3" in seen[0] and "training" not in seen[1].partition("loss")[0]
