"""The problem as a page beside its sheet: all that somebody without the program needs, and no answer."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from conftest import Tutor
from test_blank import _NUMBER, LESSONS, results

from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson


def page_of(tutor: Tutor, text: str, *options: str) -> str:
    (tutor.folder / "my.toml").write_text(text)
    done = tutor("sheet", "my.toml", "--handout", "my.md", "--force", *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == tutor("sheet", "my.toml", *options).stdout, "the sheet is the same with and without a page"
    return (tutor.folder / "my.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", LESSONS)
def test_a_page_says_what_is_given_and_asked_and_holds_no_result(tutor: Tutor, kind: str) -> None:
    lesson = parse_lesson(LESSONS[kind], kind)
    worksheet = worksheet_of(lesson)
    page = page_of(tutor, LESSONS[kind], "--decimals", "5")
    for name, value in worksheet.givens.items():
        said = re.search(rf"`{re.escape(name)} = (-?[0-9]+(?:[./][0-9]+)?(?:e-?[0-9]+)?)`", page)
        assert said and Fraction(said[1]) == value, name
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [step.name for step in worksheet.steps]
    assert all("5 decimals" in row and row.endswith("| 1 |") for row in rows)
    numbers = {Fraction(number) for number in _NUMBER.findall(page)}
    assert not numbers & set(results(worksheet))


def test_a_page_draws_the_network_and_explains_its_names(tutor: Tutor) -> None:
    page = page_of(tutor, LESSONS["mlp"])
    drawn = re.findall(r"(?ms)^```text\n(.*?)^```$", page)
    assert len(drawn) == 2 and "W3 = 0.62 ─╮" in drawn[0] and "out_in ─ sigmoid ─▶ out_out" in drawn[1]
    for said in (
        "half squared error, E = sum of 1/2 (t - y)²", "learning rate eta = 0.01", "sigmoid: a = 1/(1 + exp(-z))",
        "`h1_in` is the weighted sum of a neuron, `h1_out` its output", "`dA/dB` is the derivative of A by B",
        "| `dout_out/dout_in` | the derivative of `out_out` by `out_in` |", "| `W5_new` | `W5` after the update: gradient step |",
        "`_after` after a name", "2 significant digits of the change",
    ):  # fmt: skip
        assert said in page, said
    assert "`@2`" not in page and "`[2]`" not in page, "what no name here has is not explained"


def test_names_of_updates_stand_as_they_are_typed(tutor: Tutor) -> None:
    page = page_of(tutor, LESSONS["several updates"], "--ask", "update")
    assert "| `W1[2]` | `W1[1]` after the update" in page and "`[2]` after a name" in page


def test_a_network_too_large_to_draw_is_told(tutor: Tutor) -> None:
    weights = ", ".join("[0.5]" for _ in range(9))
    text = LESSONS["batch"].replace(
        '[[network.layers]]\nneurons = ["o"]',
        f'[[network.layers]]\nunits = 9\nactivation = "tanh"\nweights = [{weights}]\n[[network.layers]]\nneurons = ["o"]',
    )
    text = text.replace("weights = [[0.5]]\nbiases", f"weights = [[{', '.join(['0.5'] * 9)}]]\nbiases")
    page = page_of(tutor, text, "--ask", "loss")
    assert "```" not in page and "h9_out takes X1 with weight W9 = 0.5" in page


def test_a_page_is_not_written_over_what_is_there(tutor: Tutor) -> None:
    (tutor.folder / "notes.md").write_text("mine")
    done = tutor("sheet", "mlp", "--handout", "notes.md")
    assert done.returncode == 2 and done.stdout == "" and (tutor.folder / "notes.md").read_text() == "mine"


def test_every_student_has_a_page_with_their_own_numbers(tutor: Tutor) -> None:
    (tutor.folder / "r.csv").write_text("id\nann\n[x](http://e.org)\n")
    done = tutor("vary", "mlp", "--roster", "r.csv", "--secret", "s", "--out", "o", "--format", "markdown")
    assert done.returncode == 0 and "keys is yours" in done.stdout
    folders = {
        part: sorted(p.name for p in (tutor.folder / "o" / part).iterdir()) for part in ("problems", "sheets", "keys")
    }
    assert folders["sheets"] == folders["keys"] == ["ann.md", "x_http_e_org.md"]
    assert folders["problems"] == ["ann.md", "ann.toml", "x_http_e_org.md", "x_http_e_org.toml"]
    page = (tutor.folder / "o" / "problems" / "ann.md").read_text(encoding="utf-8")
    lesson = parse_lesson((tutor.folder / "o" / "problems" / "ann.toml").read_text(encoding="utf-8"), "ann")
    worksheet = worksheet_of(lesson)
    assert "Student: `ann`" in page and f"Problem: `{lesson.problem}`" in page
    assert all(f"{name} = " in page for name in worksheet.givens)
    assert not {Fraction(n) for n in _NUMBER.findall(page)} & set(results(worksheet))
    other = (tutor.folder / "o" / "problems" / "x_http_e_org.md").read_text(encoding="utf-8")
    assert not re.search(r"\]\(", re.sub("`[^`]*`", "", other)), "a name is no link"
