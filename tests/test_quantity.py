"""The grammar of names: taken apart and put together again, and names of lessons that only look like parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.formulas.quantity import Quantity, Role, after, derivative, local_derivative, named, read_name, stem, tags
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.marking.sheet import SheetMarker
from tutor.marking.verdict import Marker
from tutor.worksheet.step import Worksheet

WORDS = st.from_regex(r"[A-Za-z]\w{0,6}", fullmatch=True).filter(lambda w: not w.endswith(tuple(filter(None, Role))))
NUMBERS = st.integers(0, 12)
PLAIN = st.builds(Quantity, WORDS, st.sampled_from(Role), NUMBERS, NUMBERS)
QUANTITIES = PLAIN | st.builds(Quantity, WORDS, st.sampled_from(Role), NUMBERS, NUMBERS, PLAIN, st.booleans())
LOOKS_LIKE_A_NAME = st.lists(
    st.sampled_from(
        [*filter(None, Role), "h", "W1", "d", "/d", "local(", ",", ")", "@2", "@", "[3]", "[0]", "[1,2]", "_"]
    )
).map("".join)


@settings(max_examples=500, deadline=None)
@given(QUANTITIES)
def test_what_is_printed_is_read_as_it_was(quantity: Quantity) -> None:
    assert read_name(str(quantity)) == quantity


@settings(max_examples=500, deadline=None)
@given(st.text() | LOOKS_LIKE_A_NAME)
def test_what_is_read_is_printed_as_it_was(text: str) -> None:
    assert str(read_name(text)) == text


@settings(max_examples=300, deadline=None)
@given(LOOKS_LIKE_A_NAME, st.sampled_from(Role), NUMBERS)
def test_endings_come_off_as_they_were_put_on(name: str, role: Role, update: int) -> None:
    """Whatever the name: one that ends in _new has a new value that ends in _new_new."""
    found = read_name(named(name, role))
    assert role is Role.PLAIN or (
        found.role is role and str(Quantity(found.base, of=found.of, local=found.local)) == name
    )
    if update:
        assert read_name(named(name, update=update)).in_any_update == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("h1_in", Quantity("h1_in")),
        ("h1_in_after@2", Quantity("h1_in", Role.AFTER, example=2)),
        ("h1_in@1[2]", Quantity("h1_in", example=1, update=2)),
        ("W1_new", Quantity("W1", Role.NEW)),
        ("dE@1/dW1_clipped[2]", Quantity("W1", Role.CLIPPED, update=2, of=Quantity("E", example=1))),
        ("dh1_out@1/dh1_in@1[2]", Quantity("h1_in", example=1, update=2, of=Quantity("h1_out", example=1))),
        ("local(E,W1)[2]", Quantity("W1", update=2, of=Quantity("E"), local=True)),
        ("x[1,2]", Quantity("x[1,2]")),
        ("delta_h1@2", Quantity("delta_h1", example=2)),
    ],
)
def test_the_names_of_the_design(name: str, parts: Quantity) -> None:
    assert read_name(name) == parts and str(parts) == name


def test_names_made_of_others() -> None:
    assert derivative("E@1", "W1") == "dE@1/dW1" and local_derivative("a", "z") == "local(a,z)"
    assert [after(n) for n in ("E", "h1_in@2", "x_new@2", "h[3]")] == ["E_after", "h1_in_after@2", "x_new_after@2", "h[3]_after"]  # fmt: skip
    assert [read_name(n).earlier for n in ("W1_new", "W1[1]", "W1[2]", "W1")] == ["W1", "W1", "W1[1]", ""]
    assert stem("dE@1/dW5[2]") == "dE/dW5" and stem("W5_new") == "W5"
    assert tags("do_out@1/do_in@1[2]") == ("@1", "[2]") and tags("W1") == ()


ORDINARY = {"inputs": ["p", "q"], "hidden": ["g", "k"], "out": "y", "weights": ["u", "v"]}
LIKE_ROLES = {
    "inputs": ["x_new", "x_clipped"],
    "hidden": ["h_after", "delta_h"],
    "out": "dE",
    "weights": ["w_new", "w_step"],
}
LESSON = """format = 1
title = "t"
[givens]
{weights[0]} = 0.3
{weights[1]} = -0.6
[network]
inputs = {inputs}
loss = "half_squared_error"
[[network.layers]]
neurons = {hidden}
activation = "sigmoid"
weights = [["{weights[0]}", "{weights[1]}"], [0.4, "{weights[0]}"]]
biases = [0.1, -0.2]
[[network.layers]]
neurons = ["{out}"]
activation = "sigmoid"
weights = [[0.7, -0.9]]
biases = [0.25]
[[examples]]
inputs = [0.8, 0.35]
targets = [0.1]
[training]
learning_rate = 0.3
"""


def worksheet(names: dict[str, Any], training: str) -> Worksheet:
    return worksheet_of(parse_lesson(LESSON.format(**names) + training, "test"))


@pytest.mark.parametrize("training", ["epochs = 2\n", "l1 = 0.1\nproximal = true\n", 'rule = "delta"\n'])
def test_names_that_look_like_roles_change_nothing(training: str) -> None:
    """The same lesson in two sets of names: the same numbers line by line, and the same slips in the same mistakes."""
    like, ordinary = worksheet(LIKE_ROLES, training), worksheet(ORDINARY, training)
    assert [*like.values.values()] == [*ordinary.values.values()]
    assert [step.kind for step in like.steps] == [step.kind for step in ordinary.steps]
    last = {step.kind: place for place, step in enumerate(like.steps)}
    assert diagnosed(like, [*last.values()]) == diagnosed(ordinary, [*last.values()])


def diagnosed(sheet: Worksheet, places: Sequence[int]) -> list[list[tuple[str, str]]]:
    """The slips that are named where the value of another line, or twice the own one, is written in these lines."""
    marker, found = SheetMarker(Marker(sheet), []), []
    for step in (sheet.steps[place] for place in places):
        for wrong in (*(sheet.values[name] for name in step.inputs[:1]), sheet.values[step.name] * 2):
            cells = marker.mark({step.name: f"{float(wrong):.7g}"}).cells
            found.append([(fit.id, f"{fit.value:.12g}") for cell in cells for fit in cell.slips])
    return found
