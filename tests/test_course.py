"""Lessons as texts: what a person writes in one, what is shown of it, and what is said of one that does not come out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import AND, HEAD, ROOT, Tutor
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.course.inequalities import multipliers
from tutor.course.judge import chosen_in
from tutor.course.prose import Misplaced, filled, placeholders, put_back
from tutor.course.values import comparisons, is_true
from tutor.errors import TutorError
from tutor.experiments.measures import read_measure
from tutor.lessons.course_text import CourseText, parse_course
from tutor.lessons.find import course, lesson_files, open_course, worksheet_of
from tutor.lessons.markdown import Prose, read_parts
from tutor.lessons.read import parse_lesson

SQUARE = """```toml worksheet square
[givens]
x = 3

[equations]
y = "x**2"
z = "y + 1/3"
```

"""
QUESTION = """```toml question
ask = "What is larger?"
choices = ["x", "y"]
right = "y"
tests = ["square.x > square.y", "square.y > square.x"]
because = ["It is {square.x}.", "It is {square.y}."]
```
"""
GATES = f"""{AND}```toml worksheet or
like = "and"
examples = "or"
```

"""
LESSON = HEAD + "The square of {square.x} is **{square.y}**.\n\n" + SQUARE + QUESTION


def written(tutor: Tutor, text: str, name: str = "my.md") -> str:
    (tutor.folder / name).write_text(text, encoding="utf-8")
    return name


def said(tutor: Tutor, text: str) -> str:
    """What lint has to say about the lesson, in one line."""
    done = tutor("lint", written(tutor, text), "--width", 1000)
    assert done.returncode in (1, 2), done.stdout
    return " ".join((done.stdout + done.stderr).split())


def line_of(text: str, part: str) -> int:
    assert text.count(part) == 1, part
    return text[: text.index(part)].count("\n") + 1


def test_a_lesson_is_shown_with_its_numbers_and_nothing_in_it_is_to_be_mended(tutor: Tutor) -> None:
    shown = tutor("run", written(tutor, LESSON))
    assert shown.returncode == 0, shown.stderr
    assert ("The square of 3 is 9." in shown.stdout and "y = 9" in shown.stdout.replace("│", "")) or "9" in shown.stdout
    assert shown.stdout.index("What is larger?") < shown.stdout.index("Answers") < shown.stdout.index("It is 9.")
    assert tutor("lint", "my.md").returncode == 0


def test_json_has_the_first_worksheet_on_top_and_every_part_in_its_section(tutor: Tutor) -> None:
    found = tutor.json("run", written(tutor, LESSON.replace("The square", "## Squares\n\nThe square")))
    assert [step["name"] for step in found["steps"]] == ["y", "z"]
    (section,) = found["sections"]
    assert section["title"] == "Squares"
    assert [part["kind"] for part in section["parts"]] == ["prose", "worksheet", "question"]
    assert section["parts"][0]["text"] == ["Squares", "The square of 3 is 9."]
    assert section["parts"][2]["right"] == "y"


WRONG = {
    "an unknown kind": (
        "```toml question",
        "```toml qestion",
        "there is no block 'qestion' — did you mean 'question'?",
    ),
    "an unknown key": ('ask = "What is', 'aks = "What is', "unknown key 'aks' — did you mean 'ask'?"),
    "a name that is not there": ("{square.x} is", "{square.w} is", "there is no 'w' in 'square'"),
    "a block that is not there": (
        "{square.x} is",
        "{squre.x} is",
        "there is no block 'squre' — did you mean 'square'?",
    ),
    "a lone brace": ("The square of", "The { square of", "brace"),
    "a formula without quotation marks": ('y = "x**2"', "y = x**2", "quotation marks"),
    "a backslash": ('y = "x**2"', r'y = "\d"', "backslash"),
    "a right answer that is none": ('right = "y"', 'right = "z"', "right is one of the choices"),
    "an answer that is wrong": ('right = "y"', 'right = "x"', "by tests it is 'y'"),
    "a because too few": ('because = ["It is {square.x}.", ', "because = [", "a because for each of the 2 choices"),
    "an equation that cannot be read": ('z = "y + 1/3"', 'z = "y + q"', "unknown name 'q'"),
}


@pytest.mark.parametrize(("old", "new", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line_in_the_file(tutor: Tutor, old: str, new: str, message: str) -> None:
    text = LESSON.replace(old, new, 1)
    told = said(tutor, text)
    assert message in told, told
    number = re.search(r"line (\d+)", told)
    assert number, told
    block = text[: text.index(new)].rfind("```toml") if "{" not in new or "because" in new else text.index(new)
    assert text[:block].count("\n") < int(number[1]) <= line_of(text, new) + 1, told


def test_a_fence_that_is_not_closed_and_a_name_used_twice(tutor: Tutor) -> None:
    assert "line 12: this block is not closed" in said(tutor, LESSON[: LESSON.index("```\n\n```toml question")])
    twice = LESSON + SQUARE
    assert f"line {twice.count(chr(10), 0, twice.rindex('```toml worksheet')) + 1}: 'square' is also" in said(
        tutor, twice
    )
    assert "begins with a block ```toml lesson" in said(tutor, LESSON.replace("```toml lesson", "```toml"))


def test_show_below_a_table_is_told_where_it_belongs(tutor: Tutor) -> None:
    text = HEAD + SQUARE.replace("x = 3", 'x = 3\n[differentiate]\nwrt = ["x"]\nof = "y"') + QUESTION
    assert tutor("lint", written(tutor, text)).returncode == 0
    below = HEAD + '```toml experiment e\ndata = "xor"\n[settings]\nepochs = 1\nshow = ["table"]\n```\n'
    assert "there is no setting 'show'" in said(tutor, below)


@pytest.mark.parametrize(("lacks", "told"), [
    ('can = ["read it"]\n', "what one can do at its end"), ("minutes = 3\n", "minutes is missing"), (QUESTION, "the lesson asks nothing"),
    ('source = "my own"\n', "source is empty"), ('part = "Mine"\n', "part is missing"),
])  # fmt: skip
def test_lint_names_what_a_lesson_lacks(tutor: Tutor, lacks: str, told: str) -> None:
    assert told in said(tutor, LESSON.replace(lacks, ""))


def test_a_star_in_a_placeholder_works_and_is_advised_against(tutor: Tutor) -> None:
    text = LESSON.replace("{square.y}", "{square.x*square.x}")
    assert "is 9." in tutor("run", written(tutor, text)).stdout
    assert "* would be emphasis" in said(tutor, text)
    assert (
        tutor("lint", written(tutor, text.replace("square.x*square.x", "square.x^2 + 0·\nsquare.x", 1))).returncode == 0
    )


# Worksheets


def test_every_command_takes_a_worksheet_of_a_lesson(tutor: Tutor) -> None:
    written(tutor, HEAD + GATES)
    for command in (("run",), ("why", "W1"), ("sheet",), ("key",), ("train",), ("vary", "--seed", "3")):
        done = tutor(command[0], "my.md/or", *command[1:])
        assert done.returncode == 0, done.stderr
    (tutor.folder / "key.csv").write_text(tutor("key", "my.md/or").stdout)
    assert tutor("check", "my.md/or", "key.csv").returncode == 0
    assert tutor("check", "my.md/and", "key.csv").returncode == 1
    assert tutor("sheet", "my.md").stdout == tutor("sheet", "my.md/and").stdout, "the first without a name"
    assert "there is no worksheet 'nor' — did you mean 'or'?" in tutor("run", "my.md/nor").stderr


def test_like_takes_over_key_by_key_and_examples_by_name_are_the_rows_of_the_gate() -> None:
    course = parse_course(HEAD + GATES, "my.md")
    one, other = course.worksheet("and"), course.worksheet("or")
    assert one.network == other.network and one.training == other.training
    assert [int(e.targets[0]) for e in one.examples] == [a & b for a in (0, 1) for b in (0, 1)]
    assert [int(e.targets[0]) for e in other.examples] == [a | b for a in (0, 1) for b in (0, 1)]


def test_from_takes_exact_values_of_another_worksheet() -> None:
    text = (
        HEAD
        + SQUARE
        + '```toml worksheet next\nfrom = { a = "square.z - 9", b = "sqrt(square.x)" }\n[equations]\nc = "a*3"\n```\n'
    )
    values = worksheet_of(parse_course(text, "my.md").worksheet("next")).values
    assert values["a"] == Fraction(1, 3) and values["c"] == 1
    assert abs(values["b"] ** 2 - 3) < Fraction(1, 10**38)


def test_equal_layers_are_repeated_and_the_abbreviations_hold_in_toml_too() -> None:
    text = """format = 1
title = "t"
examples = "xor"
[network]
inputs = ["a", "b"]
loss = "squared_error"
[[network.layers]]
units = 2
repeat = 3
activation = "tanh"
weights = [[0.5, 0.1], [0.2, 0.3]]
[[network.layers]]
activation = "sigmoid"
weights = [[1, 1]]
"""
    lesson = parse_lesson(text, "x")
    assert lesson.network is not None and len(lesson.network.layers) == 4 and len(lesson.examples) == 4
    assert "h6_out@4" in worksheet_of(lesson).values


def test_endings_find_the_last_update_and_that_of_an_epoch(tutor: Tutor) -> None:
    """The perceptron rule for AND, worked here once more."""
    w, t, after, wrong = [Fraction(3, 10), Fraction(-1, 10)], Fraction(1, 5), [], True
    while wrong:
        wrong = False
        for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
            error = (a & b) - int(w[0] * a + w[1] * b >= t)
            w, t = [w[0] + error * a * Fraction(1, 10), w[1] + error * b * Fraction(1, 10)], t - error * Fraction(1, 10)
            wrong = wrong or error != 0
        after.append((w[0], w[1], t))
    text = "{and.W1[end]} {and.W2[end]} {and.theta1[end]} {and.W2[epoch 2]} {and.epochs} {and.updates}"
    shown = tutor.json("run", written(tutor, HEAD + text + "\n\n" + GATES))["sections"][0]["parts"][0]["text"][0]
    assert [Fraction(word) for word in shown.split()] == [*after[-1], after[1][1], len(after), 4 * len(after)]


# Prose


def test_braces_code_and_numbers_that_look_like_markdown() -> None:
    prose = Prose("{{a}} `{b}` {x:2} is\n\n```\n{c}\n```\n\n1. {y}\n2. {z:1%±}", 10)
    assert [(p.formula, p.decimals, p.percent, p.with_deviation, p.line) for p in placeholders(prose)] == [
        ("x", 2, False, False, 10), ("y", None, False, False, 16), ("z", 1, True, True, 17),
    ]  # fmt: skip
    text, numbers = filled(prose, lambda part: "2. ")
    assert text.startswith("{a} `{b}` \ue0000\ue001 is") and "{c}" in text and numbers == ["2. "] * 3


@settings(max_examples=200, deadline=None)
@given(st.text("{}`:%±a.1 \n*#|-", max_size=40))
def test_any_prose_is_filled_or_refused(text: str) -> None:
    try:
        found, numbers = filled(Prose(text, 1), lambda part: "0")
        assert found.count("\ue000") == len(numbers)
    except Misplaced as error:
        assert 1 <= error.line <= text.count("\n") + 1


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(LESSON)), st.text(max_size=10), st.integers(0, 30))
def test_a_damaged_lesson_is_read_or_refused(at: int, inserted: str, removed: int) -> None:
    try:
        course = parse_course(LESSON[:at] + inserted + LESSON[at + removed :], "my.md")
        for name in course.worksheets:
            course.worksheet(name)
    except TutorError as error:
        assert str(error).startswith("my.md")


# Claims


def claim(**keys: Any) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n```toml claim\n" + "\n".join(lines) + "\n```\n"


HOLDS = [
    {"test": "square.y > square.x"}, {"test": ["square.x == 3", "1 < square.x < square.y", "square.z != square.y"]},
    {"identity": "(a + b)^2 == a^2 + 2·a·b + b^2"}, {"identity": "x/(1 + x) == 1 - 1/(1 + x)"}, {"identity": "1 + 1 == 2"},
    {"identity": "exp(-s)/(1 + exp(-s))^2 == sigmoid(s)·(1 - sigmoid(s))"},
    {"contradiction": ["w1 >= t", "w2 >= t", "w1 + w2 < t", "0 < t"]},
]  # fmt: skip
IS_WRONG = [
    {"test": "square.y < square.x"}, {"identity": "(a + b)^2 == a^2 + b^2"}, {"contradiction": ["w1 >= t", "w2 >= t", "w1 + w2 < t"]},
    {"of": "square.z", "printed": "x^2", "correct": "y + 1/3"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("evidence", "verdict"), [(e, "holds") for e in HOLDS] + [(e, "wrong") for e in IS_WRONG], ids=str
)
def test_a_claim_comes_out_as_it_is_and_turned_round_it_is_found(
    tutor: Tutor, evidence: dict[str, Any], verdict: str
) -> None:
    text = LESSON + claim(says="So it is.", verdict=verdict, **evidence)
    assert tutor("lint", written(tutor, text)).returncode == 0
    turned = LESSON + claim(says="So it is.", verdict="wrong" if verdict == "holds" else "holds", **evidence)
    assert f"line {line_of(turned, '```toml claim')}: claim 'So it is.'" in said(tutor, turned)


def test_a_claim_turned_round_is_told_with_its_numbers(tutor: Tutor) -> None:
    told = said(tutor, LESSON + claim(says="s", verdict="holds", test="square.y < square.x"))
    assert "test is false: 9 < 3" in told


def test_depends_needs_a_case_for_each(tutor: Tutor) -> None:
    both = {"says": "s", "verdict": "depends", "test": "square.x < square.y", "counter": "square.y < square.x"}
    assert tutor("lint", written(tutor, LESSON + claim(**both))).returncode == 0
    assert "counter is true: 3 < 9" in said(tutor, LESSON + claim(**{**both, "counter": both["test"]}))
    assert "counter is where" in said(tutor, LESSON + claim(says="s", verdict="depends", test="square.x < square.y"))
    assert "no computation decides" in said(tutor, LESSON + claim(says="s", verdict="words"))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"verdict": "holds", "test": "square.x < square.y"}, "This holds."),
        ({"verdict": "wrong", "test": "square.y < square.x"}, "This is wrong."),
        ({"verdict": "words", "why": "It is a name."}, "This is a matter of words."),
    ],
    ids=["holds", "wrong", "words"],
)
def test_a_verdict_is_a_sentence(tutor: Tutor, keys: dict[str, str], sentence: str) -> None:
    shown = " ".join(tutor("run", written(tutor, LESSON + claim(says="So it is.", **keys))).stdout.split())
    assert f"So it is. {sentence}" in shown


def test_then_works_on_with_each_of_two_formulas(tutor: Tutor) -> None:
    text = LESSON + claim(
        says="s", verdict="wrong", of="square.y", printed="2*x", correct="x**2", then="z",
        why="{printed} and {correct}, then {printed_then:2} and {correct_then:2}, {correct/printed} times",
    )  # fmt: skip
    assert "6 and 9, then 6.33 and 9.33, 1.5 times" in tutor("run", written(tutor, text)).stdout
    assert "does not come to square.y" in said(
        tutor, text.replace('"x**2", "then', '"x', 1).replace('correct = "x**2"', 'correct = "x"')
    )


def test_of_two_formulas_one_is_called_correct_only_where_the_other_is_wrong(tutor: Tutor) -> None:
    """Of two conventions neither is."""
    keys = {"says": "s", "of": "square.y", "printed": "2*x", "correct": "x**2"}
    for verdict, name in (("wrong", "correct"), ("depends", "the other")):
        shown = tutor("run", written(tutor, LESSON + claim(verdict=verdict, **keys))).stdout
        assert f"square.y: printed, 2*x = 6; {name}, x**2 = 9." in " ".join(shown.split())


def satisfiable(rows: list[tuple[int, int, int, bool]]) -> bool:
    """Whether a·x + b·y + c < 0, or <= 0, all hold somewhere: at the corners of the lines, moved a little, or far out."""
    lines = [(Fraction(a), Fraction(b), Fraction(c)) for a, b, c, _ in rows]
    points = [(Fraction(0), Fraction(0))]
    steps = [Fraction(s, d) for s in range(-6, 7) for d in (1, 50, 5000)]
    shifted = [(a, b, c + e) for a, b, c in lines for e in (0, Fraction(1, 1000), Fraction(-1, 1000), 100, -100)]
    for i, (a, b, c) in enumerate(shifted):
        points += [(-c * a / (a * a + b * b), -c * b / (a * a + b * b))] if a or b else []
        for d, e, f in shifted[:i]:
            det = a * e - b * d
            if det:
                points.append(((b * f - c * e) / det, (c * d - a * f) / det))
    del steps
    return any(
        all(
            a * x + b * y + c < 0 or (not strict and a * x + b * y + c == 0)
            for (a, b, c), (*_, strict) in zip(lines, rows, strict=True)
        )
        for x, y in points
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.integers(-2, 2), st.booleans()), min_size=1, max_size=4
    )
)
def test_multipliers_prove_what_they_say_and_are_there_where_nothing_satisfies_all(
    rows: list[tuple[int, int, int, bool]],
) -> None:
    texts = [f"{a}*x + {b}*y + {c} {'<' if strict else '<='} 0" for a, b, c, strict in rows]
    found = multipliers(texts)
    if found is None:
        assert satisfiable(rows)
        return
    assert all(n >= 0 for n in found) and any(found)
    sums = [sum(n * row[k] for n, row in zip(found, rows, strict=True)) for k in range(3)]
    strict = any(n and row[3] for n, row in zip(found, rows, strict=True))
    assert sums[:2] == [0, 0] and (sums[2] > 0 or (strict and sums[2] == 0))


def test_comparisons_are_split_outside_parentheses_and_equal_means_in_25_digits() -> None:
    assert [str(one) for one in comparisons("a <= b < c")] == ["a <= b", "b < c"]
    assert [str(one) for one in comparisons("(1 if x > 0 else 0) ≥ y")] == ["(1 if x > 0 else 0) >= y"]
    assert is_true(Fraction(1, 3), "==", Fraction(1, 3) + Fraction(1, 10**30))
    assert is_true(Fraction(1, 3), "<", Fraction(1, 3) + Fraction(1, 10**20))
    assert (
        is_true(1, "<", float("inf"))
        and not is_true(float("inf"), "<", float("inf"))
        and not is_true(float("nan"), "==", 1)
    )


# Experiments

RACE = """```toml experiment race
data = "xor"
seeds = 5

[settings]
hidden = [4]
epochs = 3

[rows]
slow = { learning-rate = 1e-6 }
fast = { learning_rate = 0.1 }

[measure]
loss = "loss"
soon = "epochs_to_loss(1e-9)"
size = "parameters"
grad = "gradient_norm(layer = 1, epoch = 0)"
```

"""


def test_an_experiment_is_what_compare_trains_seed_by_seed(tutor: Tutor) -> None:
    text = LESSON + RACE + "{race.loss.fast:4±} {race.soon.slow} {race.size.fast} {race.loss.slow/race.loss.slow}\n"
    found = tutor.json("run", written(tutor, text), "--fresh")
    parts = {part["kind"]: part for part in found["sections"][0]["parts"]}
    alone = tutor.json(
        "compare",
        "--data",
        "xor",
        "--hidden",
        4,
        "--epochs",
        3,
        "--seeds",
        5,
        "--vary",
        "learning-rate=1e-6,0.1",
        "--jobs",
        1,
    )
    for row, setting in zip(parts["experiment"]["rows"], alone["settings"], strict=True):
        assert row["measures"]["loss"] == [run["training_loss"] for run in setting["runs"]]
        assert row["measures"]["soon"] == ["never"] * 5 and row["measures"]["size"] == [4 * 3 + 5] * 5
    mean = alone["settings"][1]["summary"]["training_loss"]
    assert parts["prose"]["text"][0].startswith(f"{mean['mean']:.4f} ± {mean['deviation']:.4f} never 17 1")
    assert (
        tutor.json("compare", "my.md/race")["experiment"]["rows"][0]["measures"]
        == parts["experiment"]["rows"][0]["measures"]
    )
    assert tutor.json("compare", "my.md/race", "--seeds", 2, "--epochs", 1)["experiment"]["seeds"] == 2


def test_the_loss_of_a_training_that_diverged_is_infinite_and_a_target_is_never_reached(tutor: Tutor) -> None:
    rows = 'free = { learning_rate = 100, optimizer = "sgd" }\nslow = { learning_rate = 1e-6 }\n'
    race = RACE.replace("slow = { learning-rate = 1e-6 }\nfast = { learning_rate = 0.1 }\n", rows)
    race = race.replace('data = "xor"', 'data = "sine"').replace("hidden = [4]", 'hidden = [4]\nactivation = "relu"')
    told = "{race.loss.free} {race.loss.free·2} {race.soon.free} {race.loss.slow/race.loss.free}\n"
    file = written(tutor, LESSON + race + told)
    shown = tutor("run", file, "--width", 100)
    assert "infinite infinite never 0" in shown.stdout, shown
    assert "A training that diverged is left out of it." not in shown.stdout, "no curve is shown"
    curved = tutor("run", written(tutor, LESSON + race.replace("seeds = 5", 'seeds = 5\nshow = ["curves"]')))
    assert "A training that diverged is left out of it." in " ".join(curved.stdout.split())
    file = written(tutor, LESSON + race + told)
    free = next(line for line in shown.stdout.splitlines() if line.startswith("│ free"))
    assert [cell.strip() for cell in free.split("│")[2:4]] == ["infinite", "never"]
    parts = {part["kind"]: part for part in tutor.json("run", file)["sections"][0]["parts"]}
    measures = parts["experiment"]["rows"][0]["measures"]
    assert measures["loss"] == ["infinite"] * 5 and measures["soon"] == ["never"] * 5


def test_a_table_says_what_a_measure_with_a_name_of_its_own_is(tutor: Tutor) -> None:
    said = " ".join(
        tutor("compare", f"{written(tutor, LESSON + RACE)}/race", "--epochs", 1, "--seeds", 1).stdout.split()
    )
    assert "soon is the first epoch whose loss is so low (epochs to loss 1e-09)" in said
    assert "grad is the length of the gradient of the layer's weights (gradient norm, layer 1, epoch 0)" in said
    assert "loss is the" not in said


def test_a_table_says_what_a_measure_under_its_own_name_is(tutor: Tutor) -> None:
    measures = 'diverged = "diverged"\nupdates = "updates"\nsize ='
    name = written(tutor, LESSON + RACE.replace("size =", measures))
    said = " ".join(tutor("compare", f"{name}/race", "--epochs", 1, "--seeds", 1).stdout.split())
    assert "diverged is the share of trainings that diverged; updates is how many updates there were;" in said


def test_a_curve_says_how_its_last_loss_differs_from_that_of_the_table(tutor: Tutor) -> None:
    """One example after the other: the curve has the losses on the way, the table the loss in the end."""
    both, alone = (
        RACE.replace("seeds = 5", f"seeds = 1\nshow = {show}") for show in ('["table", "curves"]', '["curves"]')
    )
    about = "The curve has the mean over each epoch, every loss taken before the update that it led to"
    shown = " ".join(tutor("run", written(tutor, LESSON + both)).stdout.split())
    assert f"{about}; the table has what was measured at the end." in shown
    row = tutor.json("run", "my.md")["sections"][0]["parts"][-1]["rows"][1]
    assert row["measures"]["loss"][0] != row["curve"][-1]
    assert f"{about}." in " ".join(tutor("run", written(tutor, LESSON + alone)).stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_the_experiments_of_a_lesson_are_trained_in_one_thread(tutor: Tutor) -> None:
    """A picture before them loads NumPy, whose library reads then how many threads it is to have."""
    picture = '```toml plot\ncurves = { a = "sigmoid(z)" }\nover = { z = [-1, 1] }\n```\n\n'
    name = written(tutor, LESSON + picture + RACE)
    script = f"""import os, sys
sys.argv = ["tutor", "run", "{name}"]
from tutor.__main__ import main
main()
print(len(os.listdir("/proc/self/task")), file=sys.stderr)"""
    free = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tutor.folder,
        env={**free, "TUTOR_HOME": str(tutor.folder / "home"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.split()[-1] == "1", done.stderr


def test_what_came_out_is_kept_until_something_changes_and_a_broken_cache_is_no_harm(tutor: Tutor) -> None:
    home = tutor.folder / "home"
    name = written(tutor, LESSON + RACE)
    first = tutor.json("compare", "my.md/race", TUTOR_HOME=str(home))
    (kept,) = (home / "cache").rglob("*.json")
    changed = json.loads(kept.read_text())
    changed["rows"][0]["seeds"][0]["measured"]["loss"] = 42.0
    kept.write_text(json.dumps(changed))
    assert (
        tutor.json("compare", "my.md/race", TUTOR_HOME=str(home))["experiment"]["rows"][0]["measures"]["loss"][0] == 42
    )
    kept.write_text("{")
    assert tutor.json("compare", "my.md/race", TUTOR_HOME=str(home)) == first
    (tutor.folder / name).write_text((LESSON + RACE).replace("epochs = 3", "epochs = 2"))
    tutor.json("compare", "my.md/race", TUTOR_HOME=str(home))
    assert len(list((home / "cache").rglob("*.json"))) == 2


@pytest.mark.parametrize(("old", "new", "told"), [
    ("learning-rate = 1e-6", "lerning-rate = 1", "no setting 'lerning-rate' — did you mean 'learning-rate'"),
    ("parameters", "parametres", "no measure 'parametres' — did you mean 'parameters'"), ('"xor"', '"xro"', "no data set 'xro'"),
    ("epochs_to_loss(1e-9)", "epochs_to_loss", "as in epochs_to_loss(0.2)"), ("layer = 1", "layr = 1", "takes no 'layr'"),
    ("hidden = [4]", 'hidden = "4"', "a list of whole numbers"), ("[rows]", "[vary]\nhidden = [[1]]\n[rows]", "not both"),
])  # fmt: skip
def test_an_experiment_that_cannot_be_meant(tutor: Tutor, old: str, new: str, told: str) -> None:
    found = said(tutor, LESSON + RACE.replace(old, new, 1))
    assert told in found and re.search(r"line \d+", found), found


def test_a_claim_over_seeds_needs_four_fifths_of_five(tutor: Tutor) -> None:
    base = LESSON + RACE
    assert (
        tutor(
            "lint", written(tutor, base + claim(says="s", verdict="holds", test="race.loss.fast < race.loss.slow"))
        ).returncode
        == 0
    )
    shown = tutor("run", "my.md").stdout
    assert "true in 5 of 5 seeds" in " ".join(shown.split())
    turned = said(tutor, base + claim(says="s", verdict="holds", test="race.loss.fast > race.loss.slow"))
    assert "test is false: race.loss.fast > race.loss.slow in 0 of 5 seeds" in turned
    few = said(
        tutor,
        base.replace("seeds = 5", "seeds = 2")
        + claim(says="s", verdict="holds", test="race.loss.fast < race.loss.slow"),
    )
    assert "rests on 2 seeds" in few
    assert "is true" in said(
        tutor, base + claim(says="s", verdict="wrong", test="race.soon.slow == race.soon.fast", over="mean")
    )


def test_the_gradient_of_a_layer_is_that_of_the_worksheet() -> None:
    """Against the exact worksheet of the same network, whose gradient is that of the mean over the examples."""
    from tutor.data.builtin import load
    from tutor.training.layer_measures import LayerWatcher
    from tutor.training.settings import Settings
    from tutor.training.setup import set_up

    trainer = set_up(load("xor", 0), Settings(hidden=(3, 2), activation="tanh", seed=4, epochs=1))
    worksheet = trainer.engine.worksheet(trainer.data.train, 1, "delta")  # type: ignore[attr-defined]
    values, layers = worksheet.values, LayerWatcher(trainer).measured(0)
    by_layer = [(2, 3), (3, 2), (2, 1)]
    first = 0
    for layer, (before, after) in enumerate(by_layer, 1):
        names = [f"dE/dW{first + k + 1}" for k in range(before * after)]
        first += before * after
        exact = sum(float(values[name]) ** 2 for name in names) ** 0.5
        assert layers[layer - 1].gradient_norm == pytest.approx(exact, rel=1e-9)
    sums = [
        float(values[f"dE/dout_in@{k}"]) if f"dE/dout_in@{k}" in values else float(values[f"dE@{k}/dout_in@{k}"])
        for k in range(1, 5)
    ]
    scale = 4 if "dE/dout_in@1" in values else 1
    assert layers[2].signal_norm == pytest.approx((sum((scale * s) ** 2 for s in sums) / 4) ** 0.5, rel=1e-9)


@pytest.mark.parametrize(
    "text", ["loss()", "gradient_norm(layer = last)", 'signal_norm(layer="last", epoch=0)', "epochs_to_loss( 0.2 )"]
)
def test_measures_are_read(text: str) -> None:
    assert read_measure(text).name in text


# Questions, learning


@pytest.mark.parametrize(("typed", "meant"), [
    ("Both down", "Both down"), ("both d", "Both down"), ("b", "Both down"), ("2", "Both down"), ("(b)", "Both down"), ("both", ""),
    ("", ""), ("9", ""), ("W1", "W1 up"),
])  # fmt: skip
def test_a_choice_is_meant_by_its_words_their_beginning_its_letter_or_its_number(typed: str, meant: str) -> None:
    assert chosen_in(typed, ["Both up", "Both down", "W1 up"]) == meant


MORE = """
```toml question number
ask = "What is y?"
quantity = "square.y"
```

```toml question form
ask = "As a formula?"
formula = "square.y"
```

```toml question way
ask = "Does y grow with x?"
predict = "square.y - square.x"
```

## The end

That was all.
"""


def learn(tutor: Tutor, lines: list[str], *options: str, home: Path) -> str:
    done = tutor("learn", *options, stdin="\n".join(lines) + "\n", TUTOR_HOME=str(home))
    assert done.returncode == 0 and not done.stderr, done.stderr
    return " ".join(done.stdout.split())


def test_what_is_said_to_a_wrong_answer_ends_with_one_stop(tutor: Tutor, tmp_path: Path) -> None:
    """A slip says a sentence or asks, other remarks are without a stop; 0.09 for 9 is such a slip."""
    name = written(tutor, LESSON + MORE)
    told = learn(tutor, ["", "b", "0.09", "skip", "quit"], name, home=tmp_path / "home")
    assert "Not yet." in told and not re.search(r"[.?!]\.(?!\.)", told.replace("...", "")), told


def test_hints_have_their_numbers_and_a_heading_is_asked_with_its_question(tutor: Tutor, tmp_path: Path) -> None:
    asked = MORE.replace('quantity = "square.y"', 'quantity = "square.y"\nhints = ["It is {square.x}·{square.x}"]', 1)
    name = written(tutor, LESSON + "## Squares\n" + asked)
    told = learn(tutor, ["", "b", "hint", "9", "quit"], name, home=tmp_path / "home")
    assert re.search(r"Squares Question 2\. What is y\? > It is 3·3\. > Right\.", told), told
    assert "there is no block 'cube'" in said(tutor, LESSON + asked.replace("{square.x}·", "{cube.x}·"))


def test_a_wrong_prediction_is_not_left_without_a_word(tutor: Tutor, tmp_path: Path) -> None:
    """y - x is 9 - 3, so it rises."""
    told = learn(
        tutor, ["", "b", "9", "x*x", "falls", "hint", "rises", "quit"], written(tutor, LESSON + MORE), home=tmp_path
    )
    assert "Not yet. Try another answer, or hint, or skip. > What counts is the sign of square.y - square.x" in told
    assert told.index("What counts") < told.rindex("Right.")


def test_what_is_right_but_for_rounding_is_told_with_the_number_itself(tutor: Tutor, tmp_path: Path) -> None:
    """1/3 of 0.5804 is 0.19347: who has rounded it to 0.58 has 0.1933, and 0.193 is right as it stands."""
    text = LESSON.replace('z = "y + 1/3"', 'u = "y*0.0644888"\nz = "u/3"')
    question = '```toml question third\nask = "And z?"\nquantity = "square.z"\n```\n'
    name = written(tutor, text + question)
    told = learn(tutor, ["", "b", "0.1933", "quit"], name, home=tmp_path / "home")
    assert "Right. It is off by what rounding on the way can do. Without it z = 0.193." in told, told
    told = learn(tutor, ["", "b", "0.193", "quit"], name, "--again", home=tmp_path / "home")
    assert "Right." in told and "rounding" not in told


def test_a_folded_worksheet_says_how_many_lines_it_shows(tutor: Tutor, tmp_path: Path) -> None:
    """The prose speaks of the given x and of the line y; z is left for `rest`."""
    told = learn(tutor, ["", "quit"], written(tutor, LESSON), home=tmp_path / "home")
    assert "That is 1 line of 2;" in told
    both = learn(tutor, ["", "quit"], written(tutor, LESSON + "{square.z}"), "--again", home=tmp_path / "home")
    assert "of 2;" not in both, "all are shown"


@pytest.mark.parametrize("options", [(), ("--narrate",), ("--width", "40")])
def test_learn_asks_marks_helps_and_remembers(tutor: Tutor, options: tuple[str, ...], tmp_path: Path) -> None:
    home, name = tmp_path / "home", written(tutor, LESSON + MORE)
    told = learn(
        tutor, ["", "why y", "calc y + 1", "x", "b", "8", "hint", "9", "9", "x*x", "quit"], name, *options, home=home
    )
    assert "y + 1 = 10" in told and "It is 3." in told and "It is 9." in told
    assert told.index("Not yet.") < told.index("Right.")
    kept = json.loads((home / "progress.json").read_text())
    answered = kept["lessons"]["my"]["answered"]
    assert answered["number"] == {"given": ["8", "9"], "hints": 1, "right": True}
    assert answered["form"]["given"] == ["9", "x*x"] and answered["form"]["right"]
    later = learn(tutor, ["rises", "", ""], name, *options, home=home)
    assert "Does y grow with x?" in later and "What is y?" not in later, "it goes on where one stopped"
    assert "4 of 4 questions answered right" in later and "Now you can" in later


def test_what_is_remembered_is_set_aside_where_it_is_broken(tutor: Tutor, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "progress.json").write_text("{ no")
    done = tutor("list", TUTOR_HOME=str(home))
    assert done.returncode == 0 and "is kept as" in done.stderr
    assert (home / "progress.json.broken").read_text() == "{ no" and not (home / "progress.json").exists()


def test_the_greeting_and_the_list_say_how_far_one_is(tutor: Tutor, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    assert "begin the course" in tutor(TUTOR_HOME=home).stdout
    tutor("learn", "perceptron", stdin="\nskip\nquit\n", TUTOR_HOME=home)
    assert "go on with perceptron" in tutor(TUTOR_HOME=home).stdout
    listed = tutor.json("list", TUTOR_HOME=home)["lessons"]
    assert [one["name"] for one in listed if "done" in one] == ["perceptron"]
    shown = tutor("list", TUTOR_HOME=home).stdout
    assert shown.index("Training by hand") < shown.index("perceptron") < shown.index("Neurons") < shown.index("gates")


# The shipped lessons, and those that begin


def test_no_lesson_is_listed_before_one_that_it_needs(tutor: Tutor) -> None:
    """The list goes part by part, `learn` by order: in both a lesson comes after what it needs."""
    shown = re.findall(r"(?m)^\W*([a-z][a-z0-9-]*): .*minutes", tutor("list", "--narrate", "--width", "200").stdout)
    by_order = [name for name, _ in course()]
    assert sorted(shown) == sorted(by_order)
    for places in (shown, by_order):
        for name, text in open_course():
            if isinstance(text, CourseText):
                assert all(places.index(needed) < places.index(name) for needed in text.header.needs), name


def test_a_new_lesson_runs_and_lint_names_what_is_still_to_be_filled_in(tutor: Tutor) -> None:
    assert tutor("new", "my own.md", "--kind", "lesson").returncode == 0
    assert tutor("run", "my own.md").returncode == 0
    assert [r.split()[0] for r in tutor.json("lint", "my own.md", fails=1)["remarks"]] == [
        "title",
        "source",
        "part",
        "can",
        "the",
    ]
    assert tutor("new", "my.toml", "--kind", "lesson").returncode == 2


def test_the_blocks_that_the_readme_shows_are_read() -> None:
    text = (ROOT / "lessons" / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^````markdown\n(.*?)^````$", text, re.M | re.S)
    kinds = re.findall(r"^```toml (\w+)", "\n".join(shown), re.M)
    assert set(kinds) == {"lesson", "worksheet", "experiment", "claim", "question", "plot"}
    from tutor.course.read import Course

    head = next(block for block in shown if "toml lesson" in block)
    for block in shown:
        if block is not head:
            assert Course("x", parse_course(head + "\n" + block, "README.md")).blocks


@pytest.mark.computes_experiments
@pytest.mark.parametrize("name", lesson_files())
def test_a_shipped_lesson_lints_and_says_every_number_it_can(name: str, tutor: Tutor) -> None:
    done = tutor("lint", name)
    assert done.returncode == 0, done.stdout
    text = lesson_files()[name].read_text(encoding="utf-8")
    assert "```toml question" in text and "```toml claim" in text


def test_errata_have_their_proofs_in_the_order_of_the_slides(tutor: Tutor) -> None:
    found = tutor.json("errata")
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))
    keys = {"number", "where", "says", "verdict", "printed", "correct", "proof", "lesson"}
    assert all(set(one) == keys and one["proof"] and one["where"] for one in found)
    assert {one["verdict"] for one in found} <= {"wrong", "depends", "words"}
    slides = [int(m[1]) for one in found if (m := re.search(r"slides? (\d+)", one["where"]))]
    assert slides == sorted(slides)
    assert any(one["printed"] == "0.23" for one in found) and any(one["verdict"] == "depends" for one in found)
    assert all(re.search(r"slides? \d+|Appendix [AB]", one["where"]) for one in found), "they are found by slide"


def test_errata_are_a_short_list_and_whole_by_number_over_the_course(tutor: Tutor) -> None:
    found = tutor.json("errata")
    listed = " ".join(tutor("errata").stdout.split())
    starts = [listed.index(f" {one['number']}. {one['where'].split(',')[0]}: {one['says'][:40]}") for one in found]
    assert starts == sorted(starts)
    one = next(one for one in found if one["lesson"] == "momentum")
    assert tutor.json("errata", one["number"]) == [one] and one in tutor.json("errata", "momentum")
    whole = " ".join(tutor("errata", one["number"]).stdout.split())
    assert f"Erratum {one['number']}: {one['where']}" in whole and one["proof"][:60] in whole
    assert tutor("errata", "--all").stdout.count("From the lesson ") == len(found)
    assert "numbered from 1 to" in tutor("errata", len(found) + 1).stderr
    assert tutor("errata", "0").returncode == tutor("errata", "1", "mlp").returncode == 2


def test_an_erratum_that_the_worksheet_prints_and_a_claim_explains_is_one(tutor: Tutor) -> None:
    """W3's partial derivative is printed as 0.62, which a claim of the lesson is about, too."""
    of_mlp = tutor.json("errata", "mlp")
    assert [one["says"] for one in of_mlp if "0.62" in one["says"]] == ["dh2_in/dW3 = 0.62"]
    assert [one["printed"] for one in of_mlp if "W5" in one["says"]] == ["-0.20618"]
    assert tutor("errata", "mlp").stdout.count("0.62 is W3 itself") == 1


def test_explain_quotes_the_errata_that_say_they_are_about_it(tutor: Tutor) -> None:
    about = {"where": "slide 7", "about": ["relu", "Kaiming"]}
    stated = claim(says="A square is eight.", verdict="wrong", test="square.y == 8", why="It is not.", **about)
    folder = tutor.folder / "own"
    folder.mkdir()
    (folder / "mine.md").write_text(LESSON + stated)
    for name in ("relu", "he", "kaiming", "activation:relu"):
        own = [
            one for one in tutor.json("explain", name, TUTOR_LESSONS=str(folder))["errata"] if one["lesson"] == "mine"
        ]
        assert [(one["where"], one["says"], one["verdict"]) for one in own] == [
            ("slide 7", "A square is eight.", "wrong")
        ]
        shown = " ".join(tutor("explain", name, TUTOR_LESSONS=str(folder)).stdout.split())
        assert f"slide 7: A square is eight. This is wrong: tutor errata {own[0]['number']}." in shown
        assert "A square is eight." in tutor("errata", own[0]["number"], TUTOR_LESSONS=str(folder)).stdout
    assert "A square" not in tutor("explain", "tanh", TUTOR_LESSONS=str(folder)).stdout


def test_what_a_claim_is_about_is_a_name_of_the_catalogue(tutor: Tutor) -> None:
    text = LESSON + claim(says="S.", verdict="holds", test="square.y == 9", why="W.", about=["xavir"])
    told = said(tutor, text)
    assert f"line {line_of(text, 'about = ')}" in told and "did you mean 'xavier'" in told


def test_what_the_lecture_says_stands_in_lessons_alone() -> None:
    from tutor.worksheet.catalogue import REGISTRIES

    told = {
        name: entry.remark
        for entries in REGISTRIES.values()
        for name, entry in entries.items()
        if hasattr(entry, "remark")
    }
    assert told and not [name for name, remark in told.items() if "lecture" in remark.lower()]


_NUMERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?!\w|\.\d)")
_TITLE = re.compile(r"^title = .*$", re.MULTILINE)
_TYPED = {
    ("adam", "1e-8"): "what is usual, as its paper has it",
    ("decision-boundary", "400"): "the size of a built-in data set",
    ("dropout", "400"): "the size of a built-in data set",
    ("initialization", "4"): "the largest slope of a sigmoid, 1/4, proved in the lesson on vanishing gradients",
    ("lecture-notes", "1.05"): "the lecture prints it",
    ("losses", "0.87"): "the lecture prints it",
    ("softmax", "45"): "the held-out part as a question on it has it",
    ("softmax", "150"): "the size of a built-in data set",
    ("training-algorithm", "0.01"): "the lecture prints it",
    ("xor", "11"): "the name of a point",
}
"""Numbers in the prose of a lesson that stand in none of its blocks, and why they are typed."""


@pytest.mark.parametrize("name", [name for name, path in lesson_files().items() if path.suffix == ".md"])
def test_a_number_in_prose_is_given_in_a_block_or_computed(name: str) -> None:
    """Outside of placeholders and code, and in the titles over worksheets; 0, 1 and 2 belong to formulas."""
    parts = read_parts(lesson_files()[name].read_text("utf-8"), name)
    whole = "\n".join(part.text for part in parts if not isinstance(part, Prose))
    titles, blocks = "\n".join(_TITLE.findall(whole)), _TITLE.sub("", whole)
    given = {0.0, 1.0, 2.0, *map(float, _NUMERAL.findall(blocks))}
    prose = "\n".join(put_back(*filled(part, lambda _: "")) for part in parts if isinstance(part, Prose))
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", prose, flags=re.DOTALL)
    typed = {number for number in _NUMERAL.findall(f"{outside}\n{titles}") if float(number) not in given}
    assert typed == {number for lesson, number in _TYPED if lesson == name}


def test_an_experiment_shows_the_layers_and_the_weights_of_its_networks(tutor: Tutor) -> None:
    """Those that `tutor train` comes to with the same settings and the first seed."""
    lesson = f"""{HEAD}
```toml experiment race
data = "moons"
seeds = 2
show = ["layers", "weights"]
settings = {{ hidden = [3], epochs = 4 }}
```
"""
    (tutor.folder / "l.md").write_text(lesson)
    shown = " ".join(tutor("run", "l.md", "--narrate").stdout.split())
    options = ("--data", "moons", "--hidden", "3", "--epochs", "4", "--seed", "0", "--layers")
    trained = tutor.json("train", *options, "--save", "m.npz")
    for layer in (one for one in trained["layers"] if one["epoch"] == 4):
        assert f"all, layer {layer['layer']}: gradient {layer['gradient_norm']:.3g}, " in shown
        assert f"length of the weights {layer['weight_norm']:.3g}, " in shown
    vector = trained["weights"]  # of three neurons with two inputs and of one with three, each with its bias at the end
    weights = sorted(w for place, w in enumerate(vector) if place not in (2, 5, 8, 12))
    assert f"{weights[0]:.4g} at percentile 0, " in shown and f"{weights[-1]:.4g} at percentile 100" in shown


@pytest.mark.parametrize("options", [("--narrate",), ("--width", "40")])
def test_a_row_of_a_table_in_the_text_says_where_a_title_ends_and_its_cell_begins(
    tutor: Tutor, options: tuple[str, ...]
) -> None:
    table = "| λ | nearer to 0 | eighth, measured | |\n|---|---|---|---|\n| 0.3 | 4 | 0.5, or so | good |\n| 0.6 | 5 | | |\n"
    (tutor.folder / "l.md").write_text(f"{HEAD}# Numbers\n\n{table}", encoding="utf-8")
    shown = " ".join(tutor("run", "l.md", *options).stdout.split())
    assert "λ: 0.3; nearer to 0: 4; eighth, measured: 0.5, or so; good." in shown
    assert "λ: 0.6; nearer to 0: 5." in shown


def test_a_worksheet_that_shows_nothing_gives_its_numbers_to_the_text(tutor: Tutor) -> None:
    quiet = '```toml worksheet quiet\nshow = []\ngivens = { a = 2 }\nequations = { b = "3*a" }\n```\n'
    (tutor.folder / "l.md").write_text(f"{HEAD}# Numbers\n\n{quiet}\nb is {{quiet.b:0}}.\n")
    shown = tutor("run", "l.md").stdout
    assert "b is 6." in shown and "3 · a" not in shown and "Worksheet" not in shown
    assert "3 · a" in tutor("run", "l.md/quiet").stdout
    assert [part["kind"] for part in tutor.json("run", "l.md")["sections"][-1]["parts"]][-2:] == ["worksheet", "prose"]


@pytest.mark.parametrize("last", [2, 7, 10, 60, 133])
def test_what_is_counted_has_whole_numbers_on_its_axis(tutor: Tutor, last: int) -> None:
    picture = f'```toml plot\ncurves = {{ odd = "1/k", half = "k/2" }}\nover = {{ k = "1..{last}" }}\n```\n'
    shown = tutor("run", written(tutor, LESSON + picture)).stdout.splitlines()
    (axis,) = (line for line, before in zip(shown, ["", *shown], strict=False) if before.endswith("(k)"))
    ticks = axis.partition("|")[2].split()
    assert len(ticks) > 1 and all(tick.isdigit() for tick in ticks)
    assert int(ticks[-2]) < last <= int(ticks[-1]), "and no part of it is empty"


def test_a_worksheet_stands_under_its_own_title(tutor: Tutor) -> None:
    """One that is made from another does not take over the other's title."""
    first = (
        '```toml worksheet first\ntitle = "Three times\\n  two"\ngivens = { a = 2 }\nequations = { b = "3*a" }\n```\n'
    )
    other = '```toml worksheet other\nlike = "first"\ngivens = { a = 5 }\n```\n'
    (tutor.folder / "l.md").write_text(f"{HEAD}# Numbers\n\n{first}\n{other}")
    shown = tutor("run", "l.md").stdout.splitlines()
    assert "Worksheet first: Three times two" in shown and "Worksheet other" in shown
    assert "Worksheet first: Three times two" in tutor("learn", "l.md", stdin="\n\n\n\n").stdout
    (tutor.folder / "l.md").write_text(f"{HEAD}# Numbers\n\n{first}")
    assert "Three times two" in tutor("run", "l.md").stdout.splitlines()


@pytest.mark.parametrize("more", [(), ("--narrate",), ("--width", "28"), ("--json",)], ids=str)
@pytest.mark.parametrize("measure", ["", '[measure]\nright = "accuracy"\n'], ids=["the usual measures", "one"])
def test_an_experiment_of_a_single_training_is_shown(tutor: Tutor, measure: str, more: tuple[str, ...]) -> None:
    """Neither rows nor what varies: a table of the measures alone, without a name in front."""
    race = (
        f'```toml experiment race\ndata = "xor"\nseeds = 2\nsettings = {{ hidden = [2], epochs = 2 }}\n{measure}```\n'
    )
    (tutor.folder / "l.md").write_text(f"{HEAD}# Numbers\n\n{race}")
    for command in (("run", "l.md"), ("compare", "l.md/race")):
        done = tutor(*command, *more)
        assert done.returncode == 0, done.stderr
        assert ("accuracy" if not measure else "right") in done.stdout and not re.search(r"^ *: ", done.stdout, re.M)


def test_an_index_that_a_derivative_does_not_have_is_told_with_the_name_that_there_is(tutor: Tutor) -> None:
    """What stands before the stroke alone is no name of the lesson, and says nothing to its writer."""
    lines = 'givens = { x = 2 }\nequations = { y = "x**2" }\ndifferentiate = { of = "y", wrt = ["x"] }\n'
    told = said(tutor, f"{HEAD}# One\n\n```toml worksheet f\n{lines}```\n\nIt is {{f.dy/dx[1]}}.\n")
    assert "unknown name 'f.dy' — did you mean 'f.dy/dx'?" in told
