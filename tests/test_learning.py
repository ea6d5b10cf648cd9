"""What `tutor learn` says to an answer: that it is true of the very answer, and helps on from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import AND, HEAD, Tutor

BOWL = """```toml worksheet bowl
[minimize]
objective = "(w - 1)**2/2 + 0.3*w**2"
start = { w = 0.6 }
learning_rate = 0.1
```

"""
LINE = """```toml worksheet line
givens = { x = 3, y = 2.5 }
equations = { z = "x + y/1000", v = "z*2" }
```

"""


def question(quantity: str, **more: str) -> str:
    keys = {"ask": '"What is it?"', "quantity": f'"{quantity}"', **more}
    return "```toml question\n" + "\n".join(f"{key} = {value}" for key, value in keys.items()) + "\n```\n"


def said(tutor: Tutor, home: Path, text: str, *answers: str) -> list[str]:
    """What is said to each answer to the question that the lesson begins with."""
    (tutor.folder / "my.md").write_text(HEAD + text, encoding="utf-8")
    lines = "\n".join([*answers, "quit"]) + "\n"
    done = tutor("learn", "my.md", "--again", "--width", 300, stdin=lines, TUTOR_HOME=str(home))
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [" ".join(part.split()) for part in done.stdout.split("\n> ")[1 : len(answers) + 1]]


@pytest.mark.parametrize(("typed", "told"), [
    ("0.2", "Not yet. That is theta1[2], the value before the update."),
    ("0.25", "Not yet. The change from theta1[2] = 0.2 is half as large as it should be."),
    ("0.4", "Not yet. The change from theta1[2] = 0.2 is twice as large as it should be."),
    ("0.1", "Not yet. The change from theta1[2] = 0.2 has the wrong sign."),
    ("0.35", "Not yet. Try another answer, or skip."),
])  # fmt: skip
def test_a_threshold_is_judged_by_its_change_and_by_nothing_that_was_not_asked(
    tutor: Tutor, tmp_path: Path, typed: str, told: str
) -> None:
    """Of AND with 0.3, -0.1 and 0.2 the third example is the first error: the threshold goes from 0.2 to 0.3."""
    (answer,) = said(tutor, tmp_path, question("and.theta1[3]", hints="[]") + AND, typed)
    assert answer.replace("or hint, ", "") == told


def test_the_value_before_an_update_is_no_rounding_of_that_after_it(tutor: Tutor, tmp_path: Path) -> None:
    """The slope is -0.4 + 0.36, so w goes from 0.6 to 0.604; 0.64 would be a change of ten times that."""
    text = question("bowl.w_new") + BOWL
    same, longer, ten, right = said(tutor, tmp_path, text, "0.6", "0.60", "0.64", "0.604")
    assert same == longer == "Not yet. That is w, the value before the update."
    assert ten == "Not yet. The change from w = 0.6 is ten times as large as it should be."
    assert right.startswith("Right.")


def test_what_the_formula_begins_with_is_told_from_what_comes_out(tutor: Tutor, tmp_path: Path) -> None:
    """z is 3.0025, and 3.00 agrees with it as far as it goes; but it is x, too."""
    answers = said(tutor, tmp_path, question("line.z") + LINE, "3.00", "3", "3.0", "3.003")
    told = "That is x, which stands in the formula; with more digits the two can be told apart."
    assert answers[:3] == [f"Not yet. {told}"] * 3 and answers[3].startswith("Right.")


def test_a_word_that_needs_another_says_so_and_is_no_answer(tutor: Tutor, tmp_path: Path) -> None:
    text = question("line.z") + LINE + BOWL
    why, calc, other, small, none = said(tutor, tmp_path, text, "why", "calc", "why dE/dw", "calc 0.25^9", "why q")
    assert why == "`why` needs the name of a quantity behind it; `rest` shows every name."
    assert calc.startswith("`calc` needs a formula behind it")
    assert other.startswith("There is no 'dE/dw' on this worksheet") and "`why bowl.dE/dw`" in other
    assert small == "0.25^9 = 0.000003815"
    assert none.startswith("There is no 'q' on this worksheet") and "another" not in none
    (answered,) = json.loads(next(tmp_path.glob("*.json")).read_text())["lessons"]["my"]["answered"].values()
    assert answered["given"] == []


def test_what_is_no_choice_is_no_answer(tutor: Tutor, tmp_path: Path) -> None:
    said(tutor, tmp_path, CHOICES, "sideways", "b")
    (answered,) = json.loads(next(tmp_path.glob("*.json")).read_text())["lessons"]["my"]["answered"].values()
    assert answered["given"] == ["b"]


def test_nothing_is_said_of_lines_that_were_not_asked_for(tutor: Tutor, tmp_path: Path) -> None:
    """6.05 for v = 2·3.0025 would come of z = 3.025, by a decimal slip in z."""
    (answer,) = said(tutor, tmp_path, question("line.v") + LINE, "6.05")
    assert "blank" not in answer and answer.startswith("Not yet. ")


CHOICES = """```toml question
ask = "Where?"
choices = ["up, to where it should", "up, but half as far", "on 10"]
right = "on 10"
because = ["No.", "No.", "Yes."]
```
"""


def test_what_singles_out_a_choice_is_enough_and_choices_can_be_told_apart(tutor: Tutor, tmp_path: Path) -> None:
    unclear, half, ten = said(tutor, tmp_path, CHOICES, "up", "half", "10")
    assert unclear == "Answer with one of these: a) up, to where it should; b) up, but half as far; c) on 10."
    assert half.startswith("Not yet.") and ten.startswith("Right.")


def test_the_letter_of_a_choice_is_no_beginning_of_another(tutor: Tutor, tmp_path: Path) -> None:
    """What is shown as a) is meant by a, though the right one, b), begins with an a."""
    text = CHOICES.replace("up, to where it should", "ten times").replace("up, but half as far", "as far")
    text = text.replace('right = "on 10"', 'right = "as far"').replace('"No.", "No.", "Yes."', '"No.", "Yes.", "No."')
    letter, bracket, begun, right = said(tutor, tmp_path, text, "a", "A)", "t", "as")
    assert letter == bracket == begun == "Not yet. No." and right.startswith("Right. Yes.")


def test_a_question_has_the_number_that_its_answer_is_told_with(tutor: Tutor, tmp_path: Path) -> None:
    (tutor.folder / "my.md").write_text(HEAD + CHOICES + question("line.z") + LINE)
    told = tutor("learn", "my.md", "--again", stdin="skip\nskip\n", TUTOR_HOME=str(tmp_path)).stdout
    for number in (1, 2):
        assert told.index(f"Question {number}. ") < told.index(f"Question {number}: ")


def test_a_hint_is_offered_only_where_there_is_one(tutor: Tutor, tmp_path: Path) -> None:
    empty, asked, helped = said(tutor, tmp_path, CHOICES, "", "hint", "help")
    assert empty == "Type an answer, or skip." and asked == "This question has no hint; skip shows the answer."
    assert "hint" not in helped and "skip" in helped
    one = question("line.z", hints='["x and a little"]') + LINE
    empty, helped, hint, wrong, after, more = said(tutor, tmp_path, one, "", "help", "hint", "17.3", "", "hint")
    assert empty == "Type an answer, or hint, or skip." and "a hint; there may be several" in helped
    assert hint == "x and a little." and "or hint" not in wrong and after == "Type an answer, or skip."
    assert more == "There is no hint left; skip shows the answer."


def test_a_name_at_the_beginning_of_a_hint_is_not_made_a_capital(tutor: Tutor, tmp_path: Path) -> None:
    """v = β·v is about v, and V is nothing."""
    hints = '["v = β·v + y, and v was 0.", "y/1000 is added"]'
    first, second = said(tutor, tmp_path, question("line.z", hints=hints) + LINE, "hint", "hint")
    assert (first, second) == ("v = β·v + y, and v was 0.", "y/1000 is added.")


def test_a_function_is_minimised_without_outputs_and_targets(tutor: Tutor, tmp_path: Path) -> None:
    """The headlines of its worksheet are about it, where those of a network speak of a forward pass."""
    (rest,) = said(tutor, tmp_path, question("bowl.w_new") + BOWL, "rest")
    assert "The function that is minimised" in rest and "The function after the last step" in rest
    assert "target" not in rest and "forward pass" not in rest
