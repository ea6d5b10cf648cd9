"""Sheets that a machine worked: all the digits of a double, or of a single precision number, copied as printed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from copy import copy
from fractions import Fraction
from functools import cache
from struct import pack, unpack

import numpy as np
import pytest
from conftest import LONGER
from simulation import Room, choose
from student import Values, Work, called

from tutor.lessons.find import read_lesson, worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.marking.marked import MarkedSheet
from tutor.marking.sheet import SheetMarker
from tutor.marking.verdict import CREDIT, Marker


def single(x: float) -> float:
    rounded: float = unpack("f", pack("f", x))[0]
    return rounded


WAYS: dict[str, tuple[Callable[[float], float], Callable[[float], str]]] = {
    "repr": (float, repr),
    "20 decimals": (float, "{:.20f}".format),
    "17 digits": (float, "{:.17g}".format),
    "15 digits": (float, "{:.15g}".format),
    "single precision": (single, repr),
    "single precision as NumPy prints it": (single, lambda x: str(np.float32(x))),
    "single precision to 10 decimals": (single, "{:.10f}".format),
}


@cache
def room_of(seed: int) -> Room:
    """The same for every way of printing: making one takes most of the time."""
    return Room(seed)


def worked(room: Room, kept: Callable[[float], float], slips: dict[str, Work]) -> Values:
    """Every line in floats, each result kept as the machine keeps it."""
    values = {name: kept(float(text)) for name, text in room.exercise.start().items()}
    for line in room.lines:
        values[line.name] = kept(slips.get(line.name, line.work)(values))
    return values


@pytest.mark.parametrize("way", WAYS)
def test_the_rounding_of_a_machine_is_no_error(way: str) -> None:
    kept, printed = WAYS[way]
    verdicts: Counter[str] = Counter()
    for seed in range(500, 512):
        room = room_of(seed)
        values = worked(room, kept, {})
        marks = room.marker.mark({line.name: printed(values[line.name]) for line in room.lines}).cells
        bad = [c.mark for c in marks if c.mark.answer and c.mark.verdict not in CREDIT]
        tiny = [m for m in bad if m.verdict == "coarse" and kept is single]  # a step smaller than its digits
        assert bad == tiny, (seed, bad[:3])
        verdicts.update(c.mark.verdict for c in marks)
    assert verdicts["correct"] > 0.9 * verdicts.total()


def test_a_formula_beside_numbers_in_single_precision() -> None:
    room = room_of(501)
    values = worked(room, single, {})
    sheet = {line.name: f"{values[line.name]:.10f}" for line in room.lines}
    name = next(line.name for line in room.lines if line.name.endswith("_out"))
    sheet[name] = str(room.marker.program.worksheet.by_name[name].formula)
    assert not room.marker.mark(sheet).root_errors


@pytest.mark.parametrize("way", WAYS)
def test_a_slip_is_found_behind_it(way: str) -> None:
    kept, printed = WAYS[way]
    tried = named = 0
    for seed in range(500, 500 + 6 * LONGER):
        room = room_of(seed)
        right, random = worked(room, kept, {}), copy(room.random)
        for _ in range(6):
            chosen = choose(room, random)
            assert chosen is not None
            line, slip, work = chosen
            values = worked(room, kept, {line.name: work})
            if abs(values[line.name] - right[line.name]) < 1e-4 or abs(values[line.name]) < 1e-4:
                continue
            if len(repr(values[line.name])) < 8 or max(map(abs, values.values())) > 1e6:
                continue
            marked = room.marker.mark({line.name: printed(values[line.name]) for line in room.lines})
            assert marked.root_errors == [line.name], (seed, slip, line.name)
            found = {c.mark.name: c for c in marked.cells}[line.name].slips
            tried += 1
            named += called(slip, work, line, right) in [fit.id for fit in found]
    assert tried > 15 * LONGER and named >= 0.97 * tried


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("1.9400000000000002", "correct"),
        ("1.9400000000000004", "correct"),
        ("1.9400000572204590", "correct"),  # single precision
        ("1.94000001", "wrong"),  # nobody's rounding: the sum ends at the second decimal
        ("1.940000000001", "wrong"),
        ("1.9400000000000102", "wrong"),  # too far for a double
        ("1.9400000000000000000000001", "wrong"),  # more digits than a double has, and not those of one
    ],
)
def test_which_numbers_are_a_machines(answer: str, verdict: str) -> None:
    worksheet = worksheet_of(read_lesson("perceptron"))
    marked = SheetMarker(Marker(worksheet), ["s"]).mark({"s": answer})
    assert marked.cells[0].mark.verdict == verdict


def marked(equations: dict[str, str], givens: str, answers: dict[str, str]) -> MarkedSheet:
    lines = "".join(f'[[equations]]\nname = "{name}"\nformula = "{f}"\n' for name, f in equations.items())
    text = f'format = 1\ntitle = "t"\ngivens = {givens}\n{lines}'
    return SheetMarker(Marker(worksheet_of(parse_lesson(text, "t"))), []).mark(answers)


def verdicts(equations: dict[str, str], givens: str, answers: dict[str, str]) -> dict[str, str]:
    return {c.mark.name: c.mark.verdict for c in marked(equations, givens, answers).cells}


@pytest.mark.parametrize(
    ("answer", "slip"),
    [
        ("19.400000000000002", "decimal-slip"),
        ("1940.0000000000002", "decimal-slip"),
        ("3.8800000000000003", "factor-two"),
        ("-1.9400000000000002", "sign-slip"),
    ],
)
def test_a_slip_may_make_the_number_large(answer: str, slip: str) -> None:
    found = SheetMarker(Marker(worksheet_of(read_lesson("perceptron"))), ["s"]).mark({"s": answer}).cells[0]
    assert found.mark.verdict == "wrong" and found.slips[0].id == slip


@pytest.mark.parametrize("factor", [1, 1.005, 1.02, 2, 0.1, -0.9])
def test_one_short_number_says_nothing_of_a_machine(factor: float) -> None:
    """The bias is forgotten, so h1_in is 0.08, two digits where all else has those of a double."""
    h1_out, h2_out = (1 / (1 + math.exp(-z)) for z in (0.08, 0.62 * 0.1 + 0.2 * 0.3 - 0.1))
    out_in = -0.2 * h1_out + 0.3 * h2_out + 1.83
    out = 1 / (1 + math.exp(-out_in))
    by_sum = (out - 0.03) * out * (1 - out)
    numbers = {"h1_out": h1_out, "h2_out": h2_out, "out_in": out_in, "dE/dW5": by_sum * h1_out}
    answers = {"h1_in": "0.08", **{n: repr(x) for n, x in numbers.items()}, "dE/dW6": repr(by_sum * h2_out * factor)}
    found = SheetMarker(Marker(worksheet_of(read_lesson("mlp"))), []).mark(answers)
    verdicts = {c.mark.name: c.mark.verdict for c in found.cells}
    assert verdicts.pop("dE/dW6") == ("carried" if factor == 1 else "wrong")
    assert verdicts.pop("h1_in") == "wrong" and set(verdicts.values()) <= set(CREDIT)


def test_a_machine_keeps_to_no_decimal() -> None:
    equations = {"a": "sqrt(x)*3", "g": "w*w/7", "y": "g*1000"}
    for factor, verdict in ((1.0, "correct"), (1.3, "wrong"), (1.01, "wrong")):
        answers = {"a": repr(single(5.870615)), "y": repr(single(factor * 1e-3 / 7))}
        assert verdicts(equations, "{ x = 3.7, w = 0.001 }", answers)["y"] == verdict


@pytest.mark.parametrize(("answer", "verdict"), [("0", "carried"), ("3", "wrong"), ("-4", "wrong"), ("9.5", "wrong")])
def test_at_a_decision_the_writers_own_branch_is_followed(answer: str, verdict: str) -> None:
    """0.1 + 0.2 - 0.3 is 0, and not 5e-17 as in floats."""
    equations = {"p": "x*0.7143", "q": "sqrt(2)*x", "k": "5 if p + q - 0.3 > 0 else 0"}
    found = verdicts(equations, "{ x = 0.14 }", {"p": "0.1", "q": "0.2", "k": answer})
    assert found["k"] == ("correct" if answer == "0" and found["k"] == "correct" else verdict)


def test_the_tolerance_where_floats_give_way() -> None:
    """log(1 + exp(-40.3)) with 40.3 for 40.26: in floats both are 0, and so is the difference."""
    equations = {"z": "40*x", "l": "log(1 + exp(-z))"}
    for answer, verdict in (("3.2100e-18", "carried"), ("3.5000e-18", "wrong")):
        assert verdicts(equations, "{ x = 1.00654 }", {"z": "40.3", "l": answer})["l"] == verdict


def test_what_a_double_loses_where_numbers_cancel() -> None:
    equations = {"a": "100000000*x", "c": "a + 1/3 - a"}
    lost = 1e8 + 1 / 3 - 1e8
    assert verdicts(equations, "{ x = 1 }", {"c": repr(lost)})["c"] == "correct" and abs(lost - 1 / 3) > 1e-9


@pytest.mark.parametrize(
    ("name", "answer", "verdict"),
    [
        ("out_out", "1.0", "wrong"),  # of a step function in Python, and not 0.865 to one decimal
        ("out_out", "0.87", "correct"),
        ("out_out", "0", "wrong"),
        ("h1_out", "0.60", "wrong"),
        ("dout_in/dh1_out", "-0.3", "wrong"),  # a copy of -0.2: nothing was computed that could add up
        ("dE/dW3", "0", "wrong"),
    ],
)
def test_a_short_number_among_long_ones_is_not_a_rounded_one(name: str, answer: str, verdict: str) -> None:
    worksheet = worksheet_of(read_lesson("mlp"))
    sheet = {step.name: f"{float(worksheet.values[step.name]):.6g}" for step in worksheet.steps}
    found = SheetMarker(Marker(worksheet), []).mark({**sheet, name: answer})
    assert {c.mark.name: c.mark.verdict for c in found.cells}[name] == verdict


@pytest.mark.parametrize("residue", ["-5.551115123125783e-17", "2.7755575615628914e-17", "1e-17", "0", "0.0"])
def test_what_floats_leave_of_a_gradient_that_is_0(residue: str) -> None:
    lesson = """
format = 1
title = "a bias that all outputs share"
network = { inputs = ["x"], loss = "cross_entropy", layers = [
  { units = 3, activation = "softmax", weights = [[0.6], [0.25], [-0.4]], bias = 0.2 }] }
examples = [{ inputs = [0.5], targets = [0, 1, 0] }]
training = { learning_rate = 0.1 }
"""
    worksheet = worksheet_of(parse_lesson(lesson, "t"))
    assert worksheet.values["dE/db1"] == 0 and worksheet.values["b1_new"] == Fraction("0.2")
    sheet = {step.name: repr(float(worksheet.values[step.name])) for step in worksheet.steps}
    found = SheetMarker(Marker(worksheet), []).mark({**sheet, "dE/db1": residue})
    assert not found.root_errors
    assert {c.mark.name: c.mark.verdict for c in found.cells}["dE/db1"] in CREDIT
