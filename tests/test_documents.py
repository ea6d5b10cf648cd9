"""What the READMEs say holds: the examples run, and the lists of words are complete."""

from __future__ import annotations

import re
from fractions import Fraction

from conftest import ROOT, Tutor

from tutor.lesson_format import parse_lesson
from tutor.lessons import worksheet_of
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.schedules import SCHEDULES
from tutor.views.tableau import VERDICTS
from tutor.worksheet.parse import FUNCTIONS

README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSONS = (ROOT / "lessons" / "README.md").read_text(encoding="utf-8")


def test_there_are_exactly_two_set_up_lines() -> None:
    lines = re.findall(r"^```sh\n(.*?)\n```$", README, re.M | re.S)
    assert len(lines) == 2 and all("\n" not in line for line in lines)
    assert lines[0].endswith("tutor run perceptron") and lines[1].endswith("pytest")


def test_the_example_lesson_runs() -> None:
    example, *others = re.findall(r"^```toml\n(format.*?)^```$", LESSONS, re.M | re.S)
    for other in others:
        assert worksheet_of(parse_lesson(other, "README")).values
    worksheet = worksheet_of(parse_lesson(example, "README"))
    assert worksheet.values["out_in"] == Fraction("0.1")  # 1·0.5 - 2·0.25 + 0.1


def test_the_commands_that_the_readme_shows_run(tutor: Tutor) -> None:
    shown = re.findall(r"^\| `tutor ([^`]*)` \|", README, re.M)
    assert len(shown) > 8
    for command in shown:
        if "my.toml" not in command and "verify" not in command:
            assert tutor(*command.split()).returncode == 0, command


def test_the_documents_name_every_word_that_can_be_written() -> None:
    for word in (*LOSSES, *ACTIVATIONS, *VECTOR_ACTIVATIONS, *FUNCTIONS, *OPTIMIZERS, *SCHEDULES):
        assert f"`{word}`" in LESSONS
    for verdict in VERDICTS:
        assert f"| {verdict} |" in README or verdict == "unreadable"
