"""Answer sheets: written in four formats, read back, and read as spreadsheets and people leave them."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import get_args

import pytest
from conftest import LONGER, ONE_NEURON
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.errors import TutorError
from tutor.homework.marker import LessonMarker, MarkingJob
from tutor.lessons.find import lesson_text, read_lesson, worksheet_of
from tutor.lessons.format import Homework
from tutor.lessons.read import parse_lesson
from tutor.marking.assignment import assign
from tutor.marking.report import NotMarked
from tutor.results import as_json
from tutor.sheets.formats import ENDINGS, WRITERS, Paper, questions
from tutor.sheets.read import HandedIn, parse_sheet, read_sheet
from tutor.views.key import key_answers

WORKSHEET = worksheet_of(read_lesson("mlp"))
NAMES = dict.fromkeys(WORKSHEET.names)
STEPS = [step.name for step in WORKSHEET.steps]


def read(text: str, ending: str = ".csv") -> HandedIn:
    return parse_sheet(text, ending, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "name,answer\nh1_in,0.48\nE,0.349\n",
        "\ufeffname,answer\r\nh1_in,0.48\r\nE,0.349\r\n",
        "name;answer\nh1_in;0.48\nE;0.349\n",
        "name;answer\nh1_in;0,48\nE;0,349\n",
        'name,answer\nh1_in,"0,48"\nE,"0,349"\n',
        "name\tanswer\nh1_in\t0.48\nE\t0.349\n",
        "sep=;\nname;answer\nh1_in;0.48\nE;0.349\n",
        "name,answer,,,\nh1_in,0.48,,,\nE,0.349,,,\n,,,,\n",
        "points,Answer,digits,Name\n1,0.48,2,h1_in\n1,0.349,2,E\n",
        '"name","answer"\n"h1_in","0.48"\n"E","0.349"\n',
        "h1_in,0.48\nE,0.349\n",
        "\n\nname,answer\n h1_in , 0.48\n\ne,0.349\n",
    ],
)
def test_what_spreadsheets_make_of_a_sheet(text: str) -> None:
    assert {n: t.strip() for n, t in read(text).answers.items()} == {"h1_in": "0.48", "E": "0.349"}


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("0,48", "0.349"), ("0.48", "0.349")),
        (("0,48", "1,380"), ("0.48", "1.380")),
        (("0.48", "1,380"), ("0.48", "1380")),
        (("12.400,64", "1,5"), ("12400.64", "1.5")),
        (("12,400.64", "1,380"), ("12400.64", "1380")),
        (("1,380", "2"), ("1,380", "2")),
        (("(0.4000)", "0.3"), ("-0.4000", "0.3")),
        (("(0.4000)", "-0.3"), ("(0.4000)", "-0.3")),
    ],
)
def test_commas_points_and_parentheses_mean_what_the_sheet_shows(
    cells: tuple[str, str], numbers: tuple[str, str]
) -> None:
    sheet = read("name;answer\nh1_in;{}\nE;{}\n".format(*cells))
    assert (sheet.answers["h1_in"], sheet.answers["E"]) == numbers


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ('"h1_in" = 0.480\n"dE/dW5" = "0.119"\n', ".toml"),
        ('{"h1_in": 0.480, "dE/dW5": "0.119"}', ".json"),
        ('{"format": 1, "lesson": "mlp", "answers": {"h1_in": 0.480, "dE/dW5": 0.119}}', ".json"),
        ('[{"name": "h1_in", "answer": "0.480"}, {"name": "∂E/∂W5", "answer": 0.119}]', ".json"),
        (
            "# mlp\n\n| name | answer |\n|---|---|\n| `h1_in` | 0.480 |\n\n## next\n\n| name | answer | x |\n|:--|--:|---|\n| dE/dW5 | 0.119 | y |\n",
            ".md",
        ),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_the_other_formats_keep_the_text_of_numbers(text: str, ending: str, known: bool) -> None:
    assert read(text, ending if known else "").answers == {"h1_in": "0.480", "dE/dW5": "0.119"}


def test_whole_numbers_of_toml_keep_their_text_too() -> None:
    answers = read("h1_in = 0x10\nE = 1_0\nh2_in = +3\n", ".toml").answers
    assert answers == {"h1_in": "0x10", "E": "1_0", "h2_in": "+3"}


def test_what_is_odd_about_a_sheet_is_told() -> None:
    found = read("name,answer\nh1_in,0.48\nh1_in,0.5\nnonsense,1\ndE / dW5,0.1\n∂E/∂W6,0.2\n")
    assert found.answers == {"h1_in": "0.5", "dE/dW5": "0.1", "dE/dW6": "0.2"}
    assert "nonsense: no such quantity" in found.remarks[0]
    assert "h1_in: answered more than once" in found.remarks[1]


@pytest.mark.parametrize(
    ("text", "ending", "reason"),
    [
        ("", ".csv", "no answer in it"),
        ("name,answer\n", ".csv", "no answer in it"),
        ("just some words\n", ".csv", "no columns"),
        ("h1_in = \n", ".toml", "not valid TOML"),
        ('{"h1_in": ', ".json", "not valid JSON"),
        ("3", ".json", "is an object"),
        ("[" * 100_000, ".json", "not valid JSON"),
        ("name,answer\n" + "E,1\n" * 60_000, ".csv", "more than 50,000 rows"),
    ],
)
def test_what_is_no_sheet_says_why(text: str, ending: str, reason: str) -> None:
    with pytest.raises(TutorError, match=reason):
        read(text, ending)


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * 1_000_001)
    for path, reason in (
        (large, "more than 1,000,000 bytes"),
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "a folder, not a file"),
    ):
        with pytest.raises(TutorError, match=reason):
            read_sheet(path, NAMES)


def test_encodings_of_spreadsheets(tmp_path: Path) -> None:
    text = "name,answer\nh1_in,−0.48\n"
    path = tmp_path / "s.csv"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_bytes(text.encode(encoding))
        assert read_sheet(path, NAMES).answers["h1_in"] == "−0.48"


number = st.from_regex(r"[-+]?[0-9]{1,4}(\.[0-9]{1,6})?(e-?[0-9])?", fullmatch=True)
answer = st.one_of(
    st.just(""), number, st.sampled_from(["out_out*(1 - out_out)", "3/7", "I don't know", 'a "quoted" word, and more'])
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(STEPS), answer), st.sampled_from(sorted(WRITERS)))
def test_what_is_written_is_read_back(answers: dict[str, str], form: str) -> None:
    asked = questions(WORKSHEET, assign(WORKSHEET, Homework()), answers)
    paper = Paper("A title", asked, WORKSHEET.givens, {"student": "Ann", "problem": "x"})
    found = read(WRITERS[form](paper), ENDINGS[form])
    assert {n: t for n, t in found.answers.items() if t} == {n: t for n, t in answers.items() if t}
    assert found.about == {"student": "Ann", "problem": "x"} and not found.remarks


def test_what_is_demanded_is_printed_on_every_sheet() -> None:
    wanted = Homework(ask=["gradient"], decimals=4, points={"dE/dW1": 3})
    paper = Paper("t", questions(WORKSHEET, assign(WORKSHEET, wanted), {}), WORKSHEET.givens)
    for form in ("csv", "toml", "markdown"):
        text = WRITERS[form](paper)
        assert text.count("4 decimals") == 9 and "3" in next(line for line in text.splitlines() if "dE/dW1" in line)


def test_every_form_that_is_written_can_be_asked_for() -> None:
    from tutor.cli.sheet import SheetFormat

    assert get_args(get_args(SheetFormat)[0]) == tuple(WRITERS)


@pytest.mark.parametrize("form", WRITERS)
def test_what_is_given_is_printed_on_every_sheet_and_no_answer(form: str) -> None:
    """Exactly: a third stays a third. What is given may be called like anything else that a sheet says."""
    text = ONE_NEURON.replace("inputs = [2]", 'inputs = ["1/3"]').replace("X1", "student").replace("0.25", "1e-14")
    worksheet = worksheet_of(parse_lesson(text, "t"))
    sheet = WRITERS[form](Paper("t", questions(worksheet, assign(worksheet, Homework()), {}), worksheet.givens))
    lines = sheet.splitlines()
    for name, value in {"student": "1/3", "W1": "0.5", "b1": "1e-14", "desired": "1", "eta": "0.5"}.items():
        shown = re.compile(rf"(?<!\w){name}\W+{re.escape(value)}(?![\d.])")
        assert sum(bool(shown.search(line)) for line in lines) == 1, (name, sheet)
    found = parse_sheet(sheet, ENDINGS[form], worksheet.by_name)
    assert not found.about and not found.remarks and not any(found.answers.values())
    assert set(found.answers) == set(worksheet.by_name)


# Rubbish: whatever is handed in ends in a mark or in a reason, and quickly.

KEY = questions(WORKSHEET, assign(WORKSHEET, Homework()), key_answers(WORKSHEET, {}))
GOOD = WRITERS["csv"](Paper("t", KEY, WORKSHEET.givens))
PIECES = [
    *STEPS, "name", "answer", ",", ";", "\t", "\n", "\r\n", '"', "'", "|", "---", "=", "[", "]", "{", "}", ":", "#", "\\", "\x00", "\x1b[31m",
    "[bold]", "0.5", "-1e300", "1e400", "9" * 500, "9**9**9", "nan", "inf", "3/0", "1/3", "−2", "٣", "é", "\ud7ff", "true", "null", "=cmd|' /C calc'!A0",
    "exp(" * 50, "a" * 3000, "1,5", "0,5", "#problem", "18ea0a87-7-0", "desired", "eta", "h1_in = 3", "h1_in*h2_in", "__import__('os')",
]  # fmt: skip


def rubbish(r: Random) -> bytes:
    kind = r.randrange(5)
    if kind == 0:
        return r.randbytes(r.randrange(200))
    if kind == 1:
        return GOOD.encode()[: r.randrange(len(GOOD))]
    if kind == 2:
        spoilt = bytearray(GOOD.encode())
        for _ in range(r.randrange(1, 30)):
            spoilt[r.randrange(len(spoilt))] = r.randrange(256)
        return bytes(spoilt)
    if kind == 3:
        return "".join(r.choice(PIECES) for _ in range(r.randrange(60))).encode("utf-8", "surrogatepass")
    rows = [f"{r.choice(PIECES)}{r.choice(',;')}{r.choice(PIECES)}" for _ in range(r.randrange(12))]
    return ("name,answer\n" + "\n".join(rows)).encode("utf-8", "surrogatepass")


def test_broken_sheets_end_in_marks_or_in_a_reason(tmp_path: Path) -> None:
    """FUZZ=10 has twenty thousand of them."""
    count = 2_000 * LONGER
    r = Random(20_000)
    marker = LessonMarker(MarkingJob(lesson_text("mlp"), "mlp", Homework()))
    marked = 0
    for number in range(count):
        path = tmp_path / f"s{r.choice(['.csv', '.toml', '.json', '.md', '.txt'])}"
        path.write_bytes(rubbish(r))
        document = marker.mark_or_complain(path)
        assert isinstance(document, NotMarked) or len(document.cells) >= len(STEPS), number
        marked += not isinstance(document, NotMarked)
        if number % 100 == 0:
            as_json(document)
    assert count / 10 < marked < count * 0.9
