"""For those who write lessons: new, lint, schema."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

import pytest
from conftest import ONE_NEURON, ROOT, Tutor

from tutor.course.schema import schema
from tutor.lessons.templates import KINDS
from tutor.worksheet.catalogue import REGISTRIES


def remarks(tutor: Tutor, fails: int) -> list[str]:
    return tutor.json("lint", "my first-lesson.toml", fails=fails)["remarks"]


FILLED = {
    "What this lesson shows": "One step of training",
    "where the example comes from": "my own",
    "What the reader should know first. An empty line begins a new paragraph.": "Follow the numbers.",
}


@pytest.mark.parametrize(("kind", "old", "new"), [
    ("network", "[[0.7, 0.8]]", "[[0.7, -0.8]]"), ("perceptron", "theta = 0.2", "theta = 0.25"),
    ("equations", "y = 5", "y = 6"), ("minimize", "steps = 3", "steps = 2"),
])  # fmt: skip
def test_a_new_lesson_runs_as_it_is_and_lint_names_what_is_still_to_be_filled_in(
    tutor: Tutor, kind: str, old: str, new: str
) -> None:
    assert tutor("new", "my first-lesson.toml", "--kind", kind).returncode == 0
    assert tutor("run", "my first-lesson.toml").returncode == 0
    found = remarks(tutor, fails=1)
    assert [remark.split()[0] for remark in found] == ["title", "source", "about", "the"]
    path = tutor.folder / "my first-lesson.toml"
    changes = {**FILLED, old: new}
    for number, (before, after) in enumerate(changes.items(), 1):
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, after))
        assert remarks(tutor, fails=int(number < 4)) == found[number:], "one by one they go"


def test_every_kind_has_its_placeholders_tried() -> None:
    assert set(KINDS) == {"network", "perceptron", "equations", "minimize"}


def test_a_new_lesson_overwrites_nothing(tutor: Tutor) -> None:
    (tutor.folder / "a.toml").write_text("mine")
    assert tutor("new", "a.toml").returncode == 2
    assert (tutor.folder / "a.toml").read_text() == "mine"
    assert tutor("new", "a.txt").returncode == 2
    assert tutor("new", "nowhere/a.toml").returncode == 2


PRINTED = '[[printed]]\nname = "o_in"\nvalue = "1.6"\n'
TO_MEND = {
    ONE_NEURON: "about is empty",
    ONE_NEURON + PRINTED: "printed value o_in = 1.6 is wrong: say why in its note",
    ONE_NEURON.replace("0.25", "-2").replace("sigmoid", "relu"): "dE/dW1 and dE/db1 are exactly 0",
    ONE_NEURON.replace("[network]", "[givens]\nw = 1\nrest = 2\n[network]"): "nothing uses what is given as w and rest",
}


@pytest.mark.parametrize(("text", "remark"), TO_MEND.items(), ids=TO_MEND.values())
def test_lint_says_what_to_do(tutor: Tutor, text: str, remark: str) -> None:
    (tutor.folder / "my.toml").write_text(text)
    done = tutor("lint", "my.toml", "--width", 200)
    assert done.returncode == 1
    assert re.search(re.escape(remark), done.stdout)
    listed = tutor("lint", "my.toml", "--json")
    assert any(remark in said for said in json.loads(listed.stdout)["remarks"])


def told(tutor: Tutor, text: str) -> str:
    (tutor.folder / "my.toml").write_text(text)
    return " ".join(tutor.json("lint", "my.toml", fails=1)["remarks"])


def test_a_gradient_that_a_given_0_explains_is_no_remark(tutor: Tutor) -> None:
    """dE/dW1 has the input 0 as a factor. A bias that is 0 is no factor of anything."""
    assert "exactly 0" not in told(tutor, ONE_NEURON.replace("inputs = [2]", "inputs = [0]"))
    hidden = ONE_NEURON.replace(
        "[[examples]]", '[[network.layers]]\nactivation = "linear"\nweights = [[0]]\n[[examples]]'
    )
    assert "exactly 0" not in told(tutor, hidden)  # the weight 0 stands on every path to the first layer
    exact = ONE_NEURON.replace("sigmoid", "linear").replace("0.25", "0")  # 0.5·2 = 1, the target itself
    assert "dE/dW1 and dE/db1 are exactly 0" in told(tutor, exact)


def test_an_example_from_a_book_keeps_its_numbers(tutor: Tutor) -> None:
    dead = ONE_NEURON.replace("0.25", "-2").replace("sigmoid", "relu")
    assert "exactly 0" not in told(tutor, dead.replace("[network]", 'source = "page 3"\n[network]', 1))


def test_a_given_that_only_a_note_uses_is_used(tutor: Tutor) -> None:
    text = ONE_NEURON.replace("[network]", "[givens]\nw = 1\n[network]")
    assert "nothing uses" in told(tutor, text)
    assert "nothing uses" not in told(tutor, text + '[[printed]]\nname = "o_in"\nvalue = "1.25"\nnote = "{w + 1}"\n')


def test_lint_reads_the_key_as_check_does(tutor: Tutor) -> None:
    """A number too large for an exponent is written as a product, which check takes for right."""
    (tutor.folder / "my.toml").write_text(
        'format = 1\ntitle = "t"\nabout = "a"\nsource = "s"\n[givens]\nz = 1000\n[equations]\ne = "exp(z)"\n'
    )
    key = tutor("key", "my.toml").stdout
    assert "* 10**" in key
    (tutor.folder / "key.csv").write_text(key)
    assert tutor("check", "my.toml", "key.csv").returncode == 0
    assert tutor.json("lint", "my.toml")["remarks"] == []


def test_lint_marks_the_key_that_key_writes(tutor: Tutor) -> None:
    """After many steps a weight hardly changes, and only more digits tell by how much."""
    (tutor.folder / "my.toml").write_text(
        'format = 1\ntitle = "t"\nabout = "a"\nsource = "s"\n'
        '[minimize]\nobjective = "(x - 1)**2"\nstart = { x = 2 }\nlearning_rate = 0.45\nsteps = 12\n'
    )
    key = dict(line.split(",")[:2] for line in tutor("key", "my.toml").stdout.splitlines())
    assert Fraction(key["x[12]"]) - Fraction(key["x[11]"]) == pytest.approx(-0.9 * 0.1**11, rel=0.01)
    assert tutor.json("lint", "my.toml")["remarks"] == []


def test_lint_of_a_file_that_cannot_be_used(tutor: Tutor) -> None:
    (tutor.folder / "my.toml").write_text(ONE_NEURON.replace("loss", "los"))
    assert tutor("lint", "my.toml").returncode == 2


def in_order(part: Any) -> Any:
    """The same with alternatives sorted: msgspec does not always have them in the same order."""
    if isinstance(part, dict):
        return {key: in_order(value) for key, value in part.items()}
    return sorted(map(in_order, part), key=json.dumps) if isinstance(part, list) else part


def test_the_schema_that_is_shipped_is_that_of_the_code(tutor: Tutor) -> None:
    shipped = (ROOT / "lessons" / "lesson.schema.json").read_text(encoding="utf-8")
    assert tutor("schema").stdout == json.dumps(schema(), indent=1) + "\n"
    assert in_order(json.loads(shipped)) == in_order(schema())


def test_the_schema_knows_every_key_and_refuses_others() -> None:
    lesson = schema()["$defs"]["Lesson"]
    assert {"network", "equations", "minimize", "training", "printed"} <= set(lesson["properties"])
    assert lesson["additionalProperties"] is False
    assert set(lesson["required"]) == {"format", "title"}
    assert "for" in schema()["$defs"]["Equation"]["properties"]


def test_the_schema_lists_the_words_of_the_registries() -> None:
    kinds = schema()["$defs"]
    offered = {
        "activation": kinds["Layer"]["properties"]["activation"],
        "loss": kinds["Network"]["properties"]["loss"]["anyOf"][0],
        "optimizer": kinds["Training"]["properties"]["optimizer"],
        "schedule": kinds["Minimize"]["properties"]["schedule"],
    }
    for kind, described in offered.items():
        assert described["enum"] == list(REGISTRIES[kind])


def test_a_long_worksheet_shows_its_beginning_and_says_how_many_steps_are_not_shown(tutor: Tutor) -> None:
    rows = ", ".join("[0.1, 0.2]" for _ in range(60))
    text = f"""format = 1
title = "wide"
network = {{ inputs = ["x1", "x2"], loss = "half_squared_error", layers = [
  {{ activation = "sigmoid", weights = [{rows}] }}, {{ activation = "sigmoid", weights = [[{", ".join(["0.1"] * 60)}]] }},
] }}
examples = [{{ inputs = [1, 2], targets = [1] }}]
training = {{ learning_rate = 0.1 }}
"""
    (tutor.folder / "wide.toml").write_text(text)
    for options in ([], ["--narrate"]):
        done = tutor("run", "wide.toml", *options)
        assert done.returncode == 0
        assert "and 82 more like these; --all shows them" in " ".join(done.stdout.split())
        assert "more like these" not in tutor("run", "wide.toml", "--all", *options).stdout
    assert len(tutor.json("run", "wide.toml")["steps"]) > 600
