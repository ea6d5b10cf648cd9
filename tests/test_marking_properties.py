"""What holds of every sheet, whatever its numbers."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from conftest import fuzz, marker_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import RandomNetwork, networks

from tutor.formulas.evaluate import value_of
from tutor.lessons.find import lesson_text, worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.marking.report import SheetReport
from tutor.marking.tolerance import left
from tutor.numbers.exact import ExactSystem, as_fraction
from tutor.sheets.read import HandedIn
from tutor.views.feedback import remarks_on_lines
from tutor.worksheet.step import Worksheet

CREDIT = ("correct", "carried", "rounding")
MLP = lesson_text("mlp")
NAMES = [step.name for step in worksheet_of(parse_lesson(MLP, "mlp")).steps]


def marked(text: str, answers: dict[str, str]) -> SheetReport:
    return marker_of(text).mark("s", HandedIn(answers))


def worked(worksheet: Worksheet, slip: str, factor: Fraction) -> dict[str, Fraction]:
    """Every line in full, worked on from one that came out wrong."""
    values, system = dict(worksheet.givens), ExactSystem(40)
    for step in worksheet.steps:
        value = as_fraction(value_of(step.formula, values, system))
        values[step.name] = value * factor if step.name == slip else value
    return values


def written(value: Any, digits: int) -> str:
    return f"{float(value):.{digits - 1}e}"


@settings(max_examples=12, deadline=None)
@given(networks(widest=2))
def test_the_negative_of_a_key_earns_next_to_nothing(network: RandomNetwork) -> None:
    text = network.toml()
    values = worksheet_of(parse_lesson(text, "t")).values
    steps = [step.name for step in worksheet_of(parse_lesson(text, "t")).steps]
    assume(10 * sum(values[name] == 0 for name in steps) <= len(steps))  # the negative of 0 is right
    negated = marked(text, {name: written(-values[name], 7) for name in steps})
    counting = [cell for cell in negated.cells if values[cell.name] != 0]
    assert sum(cell.earned or 0 for cell in counting) <= 0.15 * len(counting)


@settings(max_examples=12, deadline=None)
@given(networks(), st.data())
def test_further_right_digits_never_take_credit_away(network: RandomNetwork, data: st.DataObject) -> None:
    """Of a writer who goes on in full and writes down some lines, one of which came out wrong; one that is left blank
    may well show itself by further digits."""
    text = network.toml()
    worksheet = worksheet_of(parse_lesson(text, "t"))
    steps = [step.name for step in worksheet.steps]
    slip, factor = data.draw(st.sampled_from(steps)), Fraction(data.draw(st.sampled_from(["13/10", "-1", "2", "1"])))
    try:
        values = worked(worksheet, slip, factor)
    except (ArithmeticError, ValueError):  # nobody can go on from there
        return
    digits = data.draw(st.integers(3, 6))
    handed = list(
        dict.fromkeys([slip, *data.draw(st.lists(st.sampled_from(steps), min_size=1, max_size=12, unique=True))])
    )
    longer = data.draw(st.sampled_from(handed))
    sheet = {name: written(values[name], digits) for name in handed}
    before = {cell.name: cell.verdict for cell in marked(text, sheet).cells}
    sheet[longer] = written(values[longer], digits + data.draw(st.integers(1, 4)))
    after = {cell.name: cell.verdict for cell in marked(text, sheet).cells}
    assert not {n: (before[n], after[n]) for n in handed if before[n] in CREDIT and after[n] not in CREDIT}


def csv_text(answers: dict[str, str], separator: str) -> str:
    return "".join(f"{name}{separator}{answer}\n" for name, answer in [("name", "answer"), *answers.items()])


FORMS = {
    "s.csv": lambda answers: csv_text(answers, ","),
    "semicolons.csv": lambda answers: csv_text(answers, ";"),
    "s.tsv": lambda answers: csv_text(answers, "\t"),
    "s.json": json.dumps,
    "s.toml": lambda answers: "".join(f'"{name}" = "{answer}"\n' for name, answer in answers.items()),
    "s.md": lambda answers: "| name | answer |\n|---|---|\n" + "".join(f"| {n} | {a} |\n" for n, a in answers.items()),
}


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_neither_the_order_of_lines_nor_the_file_matters(data: st.DataObject) -> None:
    folder = Path(mkdtemp())
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=3, max_size=12, unique=True))
    values = worksheet_of(parse_lesson(MLP, "mlp")).values
    answers = {n: f"{float(values[n]) * data.draw(st.sampled_from([1, 1, -1, 10])):.5g}" for n in names}
    answers = {name: answers[name] for name in data.draw(st.permutations(names))}
    reports = []
    for name, write in FORMS.items():
        (folder / name).write_text(write(answers))
        reports.append(marker_of(MLP).mark_file(folder / name))
    assert all((r.cells, r.score, r.misconceptions) == (reports[0].cells, reports[0].score, reports[0].misconceptions)
               for r in reports)  # fmt: skip


_NUMBERS = st.builds(
    "{}{}.{}e{}".format,
    st.sampled_from(["", "-"]),
    st.integers(0, 99),
    st.integers(0, 10**6) | st.integers(10**40, 10**70),
    st.integers(-300, 300) | st.just(0),
)


@fuzz(30)
@given(st.dictionaries(st.sampled_from(NAMES), _NUMBERS | st.just("0.25"), min_size=1, max_size=8))
def test_numbers_of_any_size_and_length_are_marked(answers: dict[str, str]) -> None:
    """Also where they have more digits than are worked with."""
    assert {cell.name for cell in marked(MLP, answers).cells if cell.answer} == answers.keys()


SHARED = """format = 1
title = "shared"
givens = { x = "1/7", y = "3/11" }
equations = [{ name = "a", formula = "x*y" }, { name = "p", formula = "1000*a" }, { name = "q", formula = "-700*a" },
  { name = "r", formula = "400*a + x" }]
"""


def shared(a: Fraction) -> dict[str, Fraction]:
    """The lines asked in `SHARED`, by the one that is left blank."""
    return {"p": 1000 * a, "q": -700 * a, "r": 400 * a + Fraction(1, 7)}


@settings(max_examples=100, deadline=None)
@given(st.integers(-500, 500), st.sampled_from("pqr"))
def test_lines_right_to_the_last_digit_show_how_far_rounding_can_have_moved_another(off: int, name: str) -> None:
    """Rounding a blank line to six decimals moves all that stand on it: honest ones have credit, one alone has not."""
    key = Fraction(3, 77)
    rounded = {line: f"{float(value):.6f}" for line, value in shared(key + Fraction(off, 10**9)).items()}
    assert all(cell.verdict in CREDIT for cell in marked(SHARED, rounded).cells if cell.answer)
    right = {line: f"{float(value):.6f}" for line, value in shared(key).items()}
    alone = marked(SHARED, {**right, name: rounded[name]})
    moved = abs(float(rounded[name]) - float(right[name]))
    verdicts = {cell.name: (cell.verdict, cell.lacks) for cell in alone.cells if cell.answer}
    assert all(verdicts[line] == ("correct", "") for line in right if line != name)
    if moved > 20e-6:
        assert verdicts[name] == ("coarse", "agreement")
        assert [*remarks_on_lines(alone)] == [
            f"{name} is further off than rounding explains, since other lines that stand on the same numbers are right "
            "to the last digit. Work it once more."
        ]


@given(st.integers(1, 6), st.data())
def test_what_other_lines_leave_of_the_tolerance_is_the_conditional_spread(count: int, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.lists(st.integers(-9, 9), min_size=4, max_size=4), min_size=count, max_size=count))
    units = data.draw(st.lists(st.sampled_from([0.5, 1.0, 4.0]), min_size=count, max_size=count))
    line, others = np.array(rows[0], float), np.array(rows[1:], float).reshape(-1, 4) / np.array(units[1:])[:, None]
    spread = others @ others.T / 3 + np.eye(len(others)) / 12
    both = others @ line / 3
    wanted = line @ line / 3 - both @ np.linalg.solve(spread, both)
    given_moves = [dict(enumerate(map(float, row))) for row in rows]
    found = left(given_moves[0], list(zip(given_moves[1:], units[1:], strict=True)))
    assert found == pytest.approx(5 * np.sqrt(max(wanted, 0.0)), rel=1e-6, abs=1e-6)


@given(st.integers(4, 60), st.integers(3, 5), st.booleans())
def test_who_keeps_to_decimals_is_not_called_wrong_for_what_becomes_of_a_small_number(
    parts: int, decimals: int, short: bool
) -> None:
    """A blank line of one digit or two moves every line that stands on it far from its key, and rightly so; a `short`
    value is written as it is, with as many decimals as it has."""
    lesson = f"""format = 1
title = "small"
givens = {{ x = "{parts}/7", y = "1/{10**decimals}" }}
equations = [{{ name = "a", formula = "x*y" }}, {{ name = "p", formula = "30000*a" }}, {{ name = "q", formula = "-70*a" }},
  {{ name = "r", formula = "400*a + x" }}, {{ name = "c", formula = "1/4" }}]
"""
    x = Fraction(parts, 7)
    a = Fraction(round(x), 10**decimals)  # as it is noted
    rounded = {name: f"{float(v):.{decimals}f}" for name, v in {"p": 30000 * a, "q": -70 * a, "r": 400 * a + x}.items()}
    rounded |= {"c": "0.25"} if short else {}
    assert "wrong" not in {cell.verdict for cell in marked(lesson, rounded).cells}
