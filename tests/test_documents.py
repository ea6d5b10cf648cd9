"""What the READMEs say holds: the examples run, and the lists of words are complete."""

from __future__ import annotations

import ast
import re
from fractions import Fraction

from conftest import ROOT, Tutor

from tutor.formulas.vocabulary import FUNCTIONS, OVER_A_RANGE
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.marking.printed import mark_printed
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.schedules import SCHEDULES
from tutor.views.worksheet.model import VERDICTS

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
    for line in shown:
        command, _, file = line.partition(" > ")
        if "my.toml" not in command and "verify" not in command:
            done = tutor(*command.split())
            assert done.returncode == (1 if command.startswith("check") else 0), command  # the sheet is still blank
            if file:
                (tutor.folder / file).write_text(done.stdout, encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """The table of the README that begins with this heading: the other cells of each row by the word in the first."""
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", LESSONS, re.M)
    assert table, heading
    cells = [[c.replace("\\|", "|") for c in line.strip("|\n ").split(" | ")] for line in table[1].splitlines()]
    return {first.strip("`"): rest for first, *rest in cells}


def test_the_tables_of_the_documents_are_those_of_the_registries() -> None:
    def listed(settings: dict[str, object]) -> str:
        """A setting that is left out unless it is given stands without a number."""
        return ", ".join(f"`{n}`" + (f" = {v}" if v != "left out" else "") for n, v in settings.items()) or "-"

    assert rows("loss") == {name: [entry.equation] for name, entry in LOSSES.items()}
    assert rows("schedule") == {
        name: [entry.equation, listed({n: setting.default for n, setting in entry.settings.items()})]
        for name, entry in SCHEDULES.items()
    }
    assert rows("optimizer") == {
        name: [
            listed(dict(entry.defaults)),
            entry.rate or "give one",
        ]
        for name, entry in OPTIMIZERS.items()
    }
    prose = " ".join(LESSONS.split())
    for entry in OPTIMIZERS.values():
        for flag in entry.flags.values():
            assert flag.on in prose and flag.off in prose
        assert all(f"`{setting}`" in prose for setting in entry.defaults)


def test_a_printed_weight_is_judged_by_the_digits_of_its_change() -> None:
    """The example of the README: 0.2 becomes 0.19215, and 0.192 is printed."""
    text = """format = 1
title = "t"
minimize = { objective = "0.785*w", start = { w = 0.2 }, learning_rate = 0.01 }
printed = [{ name = "w_new", value = "0.192" }, { name = "w_new", value = "0.1922" }]
"""
    lesson = parse_lesson(text, "x")
    worksheet = worksheet_of(lesson)
    assert worksheet.values["w_new"] == Fraction("0.19215")
    assert [mark.verdict for _, mark in mark_printed(lesson.printed, worksheet)] == ["coarse", "correct"]
    assert "0.2 becomes 0.19215, a printed 0.192" in " ".join(LESSONS.split())


def test_what_is_no_connection_or_has_a_name_takes_no_number() -> None:
    text = """format = 1
title = "t"
givens = { w1 = 3 }
network = { inputs = ["a", "b", "c", "d"], loss = "squared_error", layers = [
  { activation = "linear", weights = [["", 0.5, "w1", 2]] } ] }
examples = [{ inputs = [1, 1, 1, 1], targets = [0] }]
"""
    assert '`weights = [["", 0.5, "w1", 2]]` the numbers are W1 and W2' in LESSONS
    values = worksheet_of(parse_lesson(text, "x")).values
    assert (values["W1"], values["W2"], values["out_in"]) == (Fraction("0.5"), 2, Fraction("5.5"))


def test_the_documents_name_every_word_that_can_be_written() -> None:
    for word in (*LOSSES, *ACTIVATIONS, *VECTOR_ACTIVATIONS, *FUNCTIONS, *OVER_A_RANGE, *OPTIMIZERS, *SCHEDULES):
        assert f"`{word}`" in LESSONS
    for verdict, meaning in VERDICTS.items():
        assert f"| {verdict} |" in README or verdict == "unreadable"
        assert f"| {verdict} | {meaning} |" in README or verdict in ("wrong", "unreadable")


def test_what_is_coarse_may_agree_with_the_lines_before_it_alone(tutor: Tutor) -> None:
    """The appendix prints 0.009 for a derivative of 0.00073: what its own factors give, and nothing that agrees with it."""
    shown = " ".join(tutor("run", "mlp").stdout.split())
    assert "0.009 coarse" in shown and "with the exact value or with what the source's earlier lines lead to" in shown


def test_what_a_contributor_is_sent_to_is_there() -> None:
    section = README.partition("## For developers")[2].partition("\n## ")[0]
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "tutor").rglob("__init__.py")}
    named = set(re.findall(r"`((?:tutor|lessons|tests)/[^` ]*)`", section))
    assert all(any(ROOT.glob(path)) for path in named), named
    inner = {folder for folder in folders if folder.count("/") == 1}
    assert {f"{folder}/" for folder in inner} <= named


def test_every_folder_says_in_two_sentences_what_it_is() -> None:
    for module in (ROOT / "tutor").rglob("__init__.py"):
        told = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
        assert module.parent.name == "tutor" or len(re.findall(r"[.](?=\s|$)", told)) >= 2, module
