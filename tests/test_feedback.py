"""What a student reads: the first mistake, hints in three stages, what to work again, and handing in again."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from conftest import Tutor
from simulation import WHOLE, Room, choose, try_work
from student import Paper
from test_slips import CASES, LESSONS, OTHER_WAYS, Case, cell, mark

from tutor.errors import TutorError
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.marking.report import Reporter, mistakes
from tutor.slips.entries import HINTS
from tutor.slips.registry import ARITHMETIC_HINT, MISREAD_HINT, RIGHT_FORMULA_HINT, SLIPS

FORWARD = {"h1_in": "0.48", "h1_out": "0.61775", "h2_in": "0.022", "h2_out": "0.5055", "out_in": "1.8581"}
OUTPUT = {**FORWARD, "out_out": "0.86508", "dout_out/dout_in": "0.11672"}
WRONG = {**OUTPUT, "dE/dout_out": "-0.83508", "dE/dW5": "-0.060212", "dE/dW6": "-0.049271"}
MENDED = {**WRONG, "dE/dout_out": "0.83508"}
RIGHT = {**MENDED, "dE/dW5": "0.060212", "dE/dW6": "0.049271"}
ASKED = [word for name in RIGHT for word in ("--ask", name)]


def write(path: Path, answers: dict[str, str]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("name", "answer"), *answers.items()])
    return path


def said(text: str) -> str:
    return " ".join(text.split())


# The stages of a hint


@pytest.mark.parametrize(("slip", "case"), [*CASES.items(), *OTHER_WAYS])
def test_the_question_has_no_number_in_it(slip: str, case: Case) -> None:
    lesson, name, value = case
    names = worksheet_of(parse_lesson(LESSONS[lesson](), lesson)).names
    fits = cell(mark(lesson, {name: f"{value():#.8g}"}), name).slips
    assert fits
    for fit in fits:
        question = fit.question
        for quantity in sorted(names, key=len, reverse=True):
            question = question.replace(quantity, "it")
        assert not re.search(r"\d", question), question
        assert fit.message.endswith(f"{fit.question} {fit.rule}") or "Could be: " in fit.message


def test_every_hint_asks_first() -> None:
    hints = [
        *(slip.hint for slip in SLIPS.values()),
        *HINTS.values(),
        ARITHMETIC_HINT,
        RIGHT_FORMULA_HINT,
        MISREAD_HINT,
    ]
    assert all(hint.question.endswith("?") and hint.rule.endswith(".") for hint in hints)
    assert not any(re.search(r"\d", hint.question) for hint in hints)


def test_each_stage_says_more(tutor: Tutor) -> None:
    write(tutor.folder / "s.csv", WRONG)
    stages = [said(tutor("check", "mlp", "s.csv", *ASKED, "--hint", n).stdout.split("First:")[1]) for n in (1, 2, 3)]
    assert ["output minus target" in stage for stage in stages] == [False, True, True]
    assert ["out_out - desired = 0.86508 - 0.03" in stage for stage in stages] == [False, False, True]
    assert all("dE/dW5 and dE/dW6" in stage for stage in stages), "which lines to work again is always told"
    assert "0.83508" not in stages[2].replace("dE/dout_out = -0.83508", "").partition("Next")[0]


def test_the_first_mistake_only_unless_all_are_asked_for(tutor: Tutor) -> None:
    write(tutor.folder / "s.csv", {**WRONG, "h1_out": "0.48", "dE/dW6": "0.3"})
    first = said(tutor("check", "mlp", "s.csv", *ASKED).stdout)
    everything = said(tutor("check", "mlp", "s.csv", *ASKED, "--all-errors").stdout)
    assert "(no-activation)" in first and "(error-sign)" not in first and "further mistake" in first
    assert "(no-activation)" in everything and "(error-sign)" in everything and "further mistake" not in everything


def test_a_written_product_is_checked_as_it_stands(tutor: Tutor) -> None:
    write(tutor.folder / "s.csv", {**RIGHT, "dE/dW5": "0.835*0.117*0.618 = 0.0620"})
    assert "the left side is 0.0604" in said(tutor("check", "mlp", "s.csv", *ASKED).stdout)
    write(tutor.folder / "s.csv", {**RIGHT, "dE/dW5": "0.835*0.1167*0.618 = 0.0602"})
    assert "left side" not in tutor("check", "mlp", "s.csv", *ASKED).stdout
    for product, comes_to in (
        ("0.1/7", "0.0143"),
        ("(2**999)**2", "2.87"),
    ):  # coarser and far larger than what is written
        write(tutor.folder / "s.csv", {**RIGHT, "dE/dW5": f"{product} = 0.5"})
        assert f"the left side is {comes_to}" in said(tutor("check", "mlp", "s.csv", *ASKED).stdout)


# Handed in again


def test_a_line_that_follows_from_an_earlier_one_is_not_accused(tutor: Tutor) -> None:
    write(tutor.folder / "before.csv", WRONG)
    write(tutor.folder / "s.csv", MENDED)
    accused = tutor.json("check", "mlp", "s.csv", *ASKED, fails=1)["sheets"][0]
    assert accused["root_errors"] == ["dE/dW5", "dE/dW6"]
    done = tutor("check", "mlp", "s.csv", *ASKED, "--before", "before.csv")
    assert "dE/dW5 and dE/dW6 follow from your earlier dE/dout_out; work them again." in said(done.stdout)
    told = tutor.json("check", "mlp", "s.csv", *ASKED, "--before", "before.csv", fails=1)["sheets"][0]
    assert not told["root_errors"] and not told["misconceptions"] and not told["done"]
    write(tutor.folder / "s.csv", {**MENDED, "dE/dW5": "0.5"})
    assert tutor.json("check", "mlp", "s.csv", *ASKED, "--before", "before.csv", fails=1)["sheets"][0][
        "root_errors"
    ] == ["dE/dW5"], "what follows from neither is a mistake"
    write(tutor.folder / "s.csv", RIGHT)
    assert tutor("check", "mlp", "s.csv", *ASKED, "--before", "before.csv").returncode == 0


def test_the_feedback_folder_knows_what_was_handed_in(tutor: Tutor) -> None:
    roots = []
    for answers in (WRONG, MENDED, MENDED, RIGHT):
        write(tutor.folder / "sheets" / "ann.csv", answers)
        done = tutor("check", "mlp", "sheets", *ASKED, "--feedback", "fb")
        told = said((tutor.folder / "fb" / "ann.md").read_text())
        roots.append(("error-sign" in told, "your earlier dE/dout_out" in told, done.returncode))
    assert roots == [(True, False, 1), (False, True, 1), (False, True, 1), (False, False, 0)]
    (tutor.folder / "fb" / "earlier" / "ann.json").write_text("[{")
    assert tutor("check", "mlp", "sheets", *ASKED, "--feedback", "fb").returncode == 0, "a broken file is left alone"


def test_several_sheets_take_a_folder_of_earlier_ones(tutor: Tutor) -> None:
    for name in ("ann.csv", "bob.csv"):
        write(tutor.folder / "sheets" / name, MENDED)
    write(tutor.folder / "old" / "ann.csv", WRONG)
    refused = tutor("check", "mlp", "sheets", "--before", "old/ann.csv")
    assert refused.returncode == 2 and "folder" in refused.stderr
    found = tutor.json("check", "mlp", "sheets", *ASKED, "--before", "old", fails=1)["sheets"]
    assert [sheet["root_errors"] for sheet in found] == [[], ["dE/dW5", "dE/dW6"]]


# Another lesson, other answers


def test_a_sheet_of_another_lesson_is_asked_about(tutor: Tutor) -> None:
    write(tutor.folder / "sheets" / "ann.csv", RIGHT)
    done = tutor("check", "perceptron", "sheets/ann.csv")
    assert done.returncode == 2 and "is it the sheet of 'mlp'?" in said(done.stderr)
    write(tutor.folder / "sheets" / "bob.csv", {"s": "1"})
    sheets = tutor.json("check", "perceptron", "sheets", fails=1)["sheets"]
    assert "'mlp'" in sheets[0]["why"] and "cells" in sheets[1]
    write(tutor.folder / "s.csv", {"speed": "1", "time": "2"})
    assert "another lesson" in said(tutor("check", "perceptron", "s.csv").stderr)


def test_what_an_answer_may_be(tutor: Tutor) -> None:
    formula = {**RIGHT, "dE/dout_out": "out_out - desired", "dE/dW6": "-(desired-out_out)*out_out*(1-out_out)*h2_out"}
    write(tutor.folder / "s.csv", {**formula, "dE/dW5": "dE/dout_out*h1_out = 0.060212"})

    def marked(answers: str) -> dict[str, tuple[str, float]]:
        sheet = tutor.json("check", "mlp", "s.csv", *ASKED, "--answers", answers, fails=1)["sheets"][0]
        return {c["name"]: (c["verdict"], c["earned"]) for c in sheet["cells"]}

    either, numbers, formulas = map(marked, ("either", "numbers", "formulas"))
    assert either["dE/dW6"] == either["dE/dout_out"] == either["h1_in"] == ("correct", 1)
    assert either["dE/dW5"] == numbers["dE/dW5"] == ("correct", 0.5), "the right number beside a wrong formula"
    assert numbers["dE/dout_out"] == ("unreadable", 0) and numbers["h1_in"] == ("correct", 1)
    assert formulas["dE/dout_out"] == ("correct", 1) and formulas["h1_in"] == ("unreadable", 0)
    why = said(tutor("check", "mlp", "s.csv", *ASKED, "--answers", "numbers").stdout)
    assert "a number is asked for here" in why and "half of the points" in why


def test_numbers_put_into_a_formula_are_no_wrong_formula(tutor: Tutor) -> None:
    write(tutor.folder / "s.csv", {**RIGHT, "dE/dout_out": "0.86508 - desired = 0.83508"})
    assert tutor("check", "mlp", "s.csv", *ASKED).returncode == 0


# Mending


def mended(room: Room, paper: Paper, slips: dict[str, object], digits: int) -> tuple[float, float] | None:
    """The score before, and after the first mistake is mended and the lines that the feedback names are worked again."""
    sheet = room.mark(paper)
    report = Reporter(room.marker.program, room.assignment).report("s", sheet, {})
    told = next(mistakes(report), None)
    if told is None or told.given:
        return None
    rightly = {told.line, told.cell.name, *told.others}
    habits = replace(WHOLE, digits=digits)
    values = dict(paper.values)
    texts = dict(paper.handed)
    for line in room.lines:
        if line.name in rightly or line.name in told.cell.work_again or line.name not in texts:
            way = line.work if line.name in rightly else slips.get(line.name, line.work)
            values[line.name] = way(values)  # type: ignore[operator]
            if line.name in texts:
                fine = replace(habits, digits=12) if line.before else habits  # the digits demanded of the change
                texts[line.name] = fine.write(values[line.name])
    after = room.assignment.earned(room.marker.mark(texts))
    return report.score, sum(after.values())


@pytest.mark.parametrize("seed", range(8))
def test_mending_the_first_mistake_never_lowers_the_score(seed: int) -> None:
    try:
        room = Room(7_000 + seed)
    except TutorError:
        pytest.skip("its numbers run away")
    tried = 0
    for number in range(6):
        r = Random(f"{seed} {number}")
        digits = r.choice([5, 6, 7])
        chosen = [c for c in (choose(room, r) for _ in range(r.randint(1, 3))) if c is not None]
        slips = {line.name: way for line, _, way in chosen}
        handed = {line.name for line in room.lines if line.kind != "partial" or r.random() < 0.7}
        paper = try_work(room, replace(WHOLE, digits=digits), handed, slips)
        scores = mended(room, paper, dict(slips), digits) if paper else None
        if scores is not None:
            tried += 1
            assert scores[1] >= scores[0] - 1e-6, (
                seed,
                number,
                [(line.name, slip) for line, slip, _ in chosen],
                scores,
            )
    assert tried


MISREAD = {"h2_in": "-0.014", "h2_out": "0.49650", "out_in": "1.8554", "out_out": "0.86476", "dE/dout_out": "0.83476"}


def test_a_line_that_shows_the_mistake_is_worked_again_where_it_stands_on_another(tutor: Tutor) -> None:
    """W3 read as 0.26: W3_new shows it, and stands on dE/dW3 besides."""
    write(tutor.folder / "s.csv", {**MISREAD, "dE/dW3": "0.000730", "W3_new": "0.2599927"})
    (cell,) = (c for c in tutor.json("check", "mlp", "s.csv", fails=1)["sheets"][0]["cells"] if c.get("work_again"))
    assert cell["name"] == "h2_in" and {"dE/dW3", "W3_new"} <= {*cell["work_again"]}
    third = said(tutor("check", "mlp", "s.csv", "--hint", "3").stdout)
    assert "W3 = 0.62 is given." in third and "With your numbers: W3" not in third


@pytest.mark.parametrize(("stage", "more"), [(1, "--hint 2"), (2, "--hint 3"), (3, "")])
def test_the_next_stage_is_offered_and_no_value_at_the_first(tutor: Tutor, stage: int, more: str) -> None:
    write(tutor.folder / "s.csv", WRONG)
    after = said(tutor("check", "mlp", "s.csv", "--hint", stage).stdout.partition("Next\n")[2])
    assert re.findall("--hint [0-9]", after.partition("--watch")[0])[:1] == ([more] if more else [f"--hint {stage}"])
    assert f"--hint {stage} --hint" not in after and ("tutor why" in after) == (stage > 1)


def test_no_version_of_a_sheet_is_forgotten_while_it_is_mended(tutor: Tutor) -> None:
    """Line after line: what still follows from the first version, or from one between, is never accused."""
    from tutor.homework.earlier_sheets import with_another
    from tutor.homework.marker import LessonMarker, MarkingJob
    from tutor.lessons.find import lesson_text
    from tutor.lessons.format import Homework
    from tutor.sheets.read import HandedIn

    marker, whole = (
        LessonMarker(MarkingJob(lesson_text("mlp"), "mlp", Homework())),
        worksheet_of(parse_lesson(lesson_text("mlp"), "mlp")),
    )
    right = {step.name: f"{float(whole.values[step.name]):.9g}" for step in whole.steps}
    wrong = {**right, "h1_in": "0.08"} | {"h1_out": f"{1 / (1 + 2.718281828459045**-0.08):.9g}"}
    now, scores = dict(wrong), []
    for name in ["h1_in", "h1_out"]:
        sheet = marker.mark("s", HandedIn(now))
        marker.seen = with_another(sheet, marker.seen)
        scores.append(sheet.score)
        now[name] = right[name]
    scores.append(marker.mark("s", HandedIn(now)).score)
    assert scores == sorted(scores)


def test_the_first_version_stays_however_often_a_sheet_comes_again(tutor: Tutor) -> None:
    from tutor.homework.earlier_sheets import kept

    for number in range(30):
        write(tutor.folder / "sheets" / "ann.csv", {**WRONG, "h1_in": f"0.{number + 10}"})
        tutor("check", "mlp", "sheets", *ASKED, "--feedback", "fb")
    versions = kept(tutor.folder / "fb", "ann")
    assert versions[0]["h1_in"] == "0.39" and versions[-1]["h1_in"] == "0.10" and len(versions) < 30


def test_several_versions_may_be_told(tutor: Tutor) -> None:
    write(tutor.folder / "first.csv", WRONG)
    write(tutor.folder / "second.csv", {**WRONG, "dE/dout_out": "0.9", "dE/dW6": "0.0531"})
    write(tutor.folder / "s.csv", {**MENDED, "dE/dW6": "0.0531"})
    both = ("--before", "first.csv", "--before", "second.csv")
    assert tutor.json("check", "mlp", "s.csv", *ASKED, *both, fails=1)["sheets"][0]["root_errors"] == []
    told = said(tutor("check", "mlp", "s.csv", *ASKED, *both).stdout)
    assert "from earlier: follows from what stood above it before" in told


def test_a_gradebook_has_a_reason_for_every_loss(tutor: Tutor) -> None:
    write(tutor.folder / "sheets" / "ann.csv", {**RIGHT, "dE/dW5": "0.1"})
    tutor("check", "mlp", "sheets", *ASKED, "--gradebook", "g.csv")
    (row,) = csv.DictReader((tutor.folder / "g.csv").open())
    assert "1 line coarse, dE/dW5 first" in row["notes"]


def test_an_earlier_sheet_that_cannot_be_read_is_named(tutor: Tutor) -> None:
    write(tutor.folder / "s.csv", RIGHT)
    done = tutor("check", "mlp", "s.csv", "--before", "nowhere.csv")
    assert done.returncode == 2 and "nowhere.csv, handed in before: there is no such file" in done.stderr
