"""Sheets that a machine worked: all the digits of a double, or of a single precision number, copied as printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from struct import pack, unpack

import pytest
from simulation import Room, choose
from student import Values, Work, called

from tutor.homework.marking import Marker
from tutor.homework.sheet import SheetMarker
from tutor.lessons import read_lesson, worksheet_of

CREDIT = {"correct", "carried", "rounding"}


def single(x: float) -> float:
    rounded: float = unpack("f", pack("f", x))[0]
    return rounded


def same(x: float) -> float:
    return x


WAYS: dict[str, tuple[Callable[[float], float], Callable[[float], str]]] = {
    "repr": (same, repr),
    "20 decimals": (same, "{:.20f}".format),
    "17 digits": (same, "{:.17g}".format),
    "15 digits": (same, "{:.15g}".format),
    "single precision": (single, repr),
}


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
        room = Room(seed)
        values = worked(room, kept, {})
        marks = room.marker.mark({line.name: printed(values[line.name]) for line in room.lines}).cells
        bad = [c.mark for c in marks if c.mark.answer and c.mark.verdict not in CREDIT]
        tiny = [m for m in bad if m.verdict == "coarse" and kept is single]  # a step smaller than its digits
        assert bad == tiny, (seed, bad[:3])
        verdicts.update(c.mark.verdict for c in marks)
    assert verdicts["correct"] > 0.9 * verdicts.total()


@pytest.mark.parametrize("way", WAYS)
def test_a_slip_is_found_behind_it(way: str) -> None:
    kept, printed = WAYS[way]
    tried = named = 0
    for seed in range(500, 512):
        room = Room(seed)
        right = worked(room, kept, {})
        for _ in range(6):
            chosen = choose(room, room.random)
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
    assert tried > 30 and named >= 0.97 * tried


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("1.9400000000000002", "correct"),
        ("1.9400000000000004", "correct"),
        ("1.9400000572204590", "correct"),  # single precision
        ("1.94000001", "wrong"),  # nobody's rounding: the sum ends at the second decimal
        ("1.940000000001", "wrong"),
        ("1.9400000000000102", "wrong"),  # too far for a double
        ("2.0000000000000000", "wrong"),
        ("1.9400000000000000000000001", "wrong"),  # more digits than a double has, and not those of one
    ],
)
def test_which_numbers_are_a_machines(answer: str, verdict: str) -> None:
    worksheet = worksheet_of(read_lesson("perceptron"))
    marked = SheetMarker(Marker(worksheet), ["s"]).mark({"s": answer})
    assert marked.cells[0].mark.verdict == verdict
