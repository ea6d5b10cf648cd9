"""What people write, in every kind of sheet: numbers in any spelling, files of spreadsheets, forms, arrays of programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from math import exp, log, tanh
from pathlib import Path
from typing import Any

import pytest
from conftest import Tutor, fuzz
from hypothesis import given
from hypothesis import strategies as st
from workbooks import ods_content, write_workbook, xlsx_parts, zipped

from tutor.lessons.find import read_lesson, worksheet_of
from tutor.marking.answer import read_written
from tutor.marking.as_written import plain_number, why_unreadable
from tutor.sheets.read import parse_sheet

NAMES = dict.fromkeys(worksheet_of(read_lesson("mlp")).names)


def as_csv(name: str, text: str) -> tuple[str, str]:
    file = io.StringIO()
    csv.writer(file).writerows([["name", "answer"], [name, text]])
    return file.getvalue(), ".csv"


FORMATS: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "csv": as_csv,
    "toml": lambda name, text: (f"{json.dumps(name)} = {json.dumps(text, ensure_ascii=False)}\n", ".toml"),
    "json": lambda name, text: (json.dumps({name: text}), ".json"),
    "markdown": lambda name, text: (f"| name | answer |\n|---|---|\n| {name} | {text} |\n", ".md"),
}


def read(text: str, form: str = "csv", name: str = "E") -> str:
    """The number, as digits, that the marking has of the only line of a sheet."""
    return plain_number(parse_sheet(*FORMATS[form](name, text), NAMES).answers["E"], "E")


AS_IT_IS = [
    "{}", "≈{}", "~{}", "≈ {}", "{} (approx)", "{} (approx.)", "= {}", "E = {}", "E={}", "E ≈ {}", "E: {}", "'{}", '"{}"', "“{}”", "${}$",
    "$E = {}$", "**{}**", "`{}`", "{} ± 0.01", "{} +/- 0.01", "np.float64({})", "np.float32({})", "tensor({})", "tensor({}, grad_fn=<MulBackward0>)",
    "tensor([{}], dtype=torch.float64)", "torch.tensor({})", "array({})", "Decimal('{}')",
]  # fmt: skip
POWERS = [
    "{}x10^{}",
    "{}×10^{}",
    "{} × 10^({})",
    "{}·10^{}",
    "{}*10^{}",
    "{}*10**{}",
    "{} x 10^{}",
    r"${} \cdot 10^{{{}}}$",
    r"{} \times 10^{{{}}}",
]
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
numbers = st.decimals(-999, 999, places=4, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("form", FORMATS)
@fuzz(25)
@given(number=numbers, how=st.sampled_from(AS_IT_IS), sign=st.sampled_from("-−–"))
def test_what_stands_around_a_number_changes_nothing(form: str, number: Decimal, how: str, sign: str) -> None:
    found = read_written(read(how.format(str(number).replace("-", sign)), form))
    assert (found.value, found.exponent) == (number, -4)


@pytest.mark.parametrize("form", FORMATS)
@fuzz(25)
@given(number=numbers, power=st.integers(-12, 12), how=st.sampled_from(POWERS), raised=st.booleans())
def test_powers_of_ten(form: str, number: Decimal, power: int, how: str, raised: bool) -> None:
    text = f"{number}·10{str(power).translate(RAISED)}" if raised else how.format(number, power)
    found = read_written(read(text, form))
    assert found.value == number.scaleb(power) and (found.exponent == power - 4 or not number)


@pytest.mark.parametrize("form", FORMATS)
@fuzz(25)
@given(number=numbers, zero=st.sampled_from("٠०０𝟎"), blank=st.sampled_from(["", " ", "\u00a0"]))
def test_other_digits_decimal_commas_and_shares(form: str, number: Decimal, zero: str, blank: str) -> None:
    other = "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in str(number))
    assert Decimal(read(other, form)) == number
    if number:
        assert read(str(number).replace(".", ","), form) == str(number)
    share = read(f"{number}{blank}%", form)
    assert Decimal(share) == number / 100 and Decimal(share).as_tuple().exponent == -6


@pytest.mark.parametrize("form", FORMATS)
def test_the_forms_of_the_list(form: str) -> None:
    for text, meant in (
        ("12.00%", "0.1200"), ("12,00 %", "0.1200"), ("1.38x10^-1", "1.38e-1"), ("1.38×10⁻¹", "1.38e-1"), ("1,38·10⁻³", "1.38e-3"),
        ("–0.12", "-0.12"), ("(0.4000)", "-0.4000"), ("≈0,12", "0.12"), ("0,12 ± 0,01", "0.12"), ("٠٫١٢", "0.12"), ("3/7", "3/7"),
        ("12.400,64", "12400.64"), ("12,400.64", "12400.64"), ("12 400,64", "12400.64"), ("12'400.64", "12400.64"), ("1,380", "1,380"),
        ("≈1,380", "≈1,380"), ("1,380,000", "1380000"),
    ):  # fmt: skip
        assert read(text, form) == meant, text


@pytest.mark.parametrize(
    ("cells", "meant"),
    [
        (["0,48", "0.349"], ["0.48", "0.349"]),  # a cell with a point among commas is what it says
        (["0,48", "0,022", "0.349", "1,380"], ["0.48", "0.022", "0.349", "1.380"]),
        (["12,400.64", "1,380"], ["12400.64", "1380"]),
        (["12.400,64", "1.380", "1,380"], ["12400.64", "1380", "1.380"]),
        (["12,400.64", "0,5", "1,380"], ["12400.64", "0.5", "1,380"]),  # both are shown: it is asked about
        (["0.5", "≈1,380"], ["0.5", "1380"]),
        (["(0.4000)", "h2_in = (0,25)"], ["-0.4000", "-0.25"]),
        (["(0.4000)", "–0.3"], ["0.4000", "-0.3"]),
        (["0,5*h1_in", "max(0,5)"], ["0.5*h1_in", "max(0,5)"]),
        (["2.11.2026", "1.2.3"], ["2.11.2026", "1.2.3"]),
    ],
)
def test_commas_and_points_mean_what_the_sheet_shows(cells: Sequence[str], meant: Sequence[str]) -> None:
    names = ["h1_in", "h2_in", "E", "out_in"][: len(cells)]
    rows = "".join(f"{name};{cell}\n" for name, cell in zip(names, cells, strict=True))
    answers = parse_sheet(f"name;answer\n{rows}", ".csv", NAMES).answers
    assert [plain_number(answers[name], name) for name in names] == meant


@pytest.mark.parametrize("form", FORMATS)
def test_subscripts_in_names_and_formulas(form: str, tutor: Tutor) -> None:
    text, ending = FORMATS[form]("h₁_in", "W₁*X₁ + W₂·X₂ + b₁ ≈ 0.48")
    (tutor.folder / f"s{ending}").write_text(text, encoding="utf-8")
    cell = next(
        c
        for c in tutor.json("check", "mlp", f"s{ending}", "--ask", "h1_in")["sheets"][0]["cells"]
        if c["name"] == "h1_in"
    )
    assert (cell["verdict"], cell["formula"]) == ("correct", "right")


def test_lines_without_quotes_are_read_as_they_stand(tutor: Tutor) -> None:
    text = '# mine\nh1_in = 0,4800  # the sum\n"E" = "≈0,3487"\nh2_in = 2,2%\n\n[sheet]\nstudent = Zoë\n'
    for name in ("s.toml", "s.txt"):
        (tutor.folder / name).write_text(text, encoding="utf-8")
        sheet = tutor.json("check", "mlp", name, "--ask", "h1_in", "--ask", "E", "--ask", "h2_in")["sheets"][0]
        assert (sheet["score"], sheet["student"]) == (3, "Zoë")
    (tutor.folder / "s.toml").write_text("h1_in = 0,48\nand so on\n")
    assert "not valid TOML" in tutor("check", "mlp", "s.toml").stderr


def test_in_a_chain_of_equal_sides_the_last_is_the_answer(tutor: Tutor) -> None:
    (tutor.folder / "s.csv").write_text('name,answer\nh1_in,"0.5*0.1 + 0.1*0.3 + 0.4 = 0.05 + 0.43 = 0.48"\n')
    assert tutor("check", "mlp", "s.csv", "--ask", "h1_in").returncode == 0
    (tutor.folder / "s.csv").write_text('name,answer\nh1_in,"0.5*0.1 + 0.1*0.3 + 0.4 = 0.48 = 0.53"\n')
    assert tutor("check", "mlp", "s.csv", "--ask", "h1_in").returncode == 1


def test_what_cannot_be_read_is_said_where_the_marks_are(tutor: Tutor) -> None:
    (tutor.folder / "s.csv").write_text('name,answer\nh1_in,"1,380"\nE,no idea\n')
    done = tutor("check", "mlp", "s.csv", "--gradebook", "g.csv", "--feedback", "f", "--width", "160")
    table = {line.split("│")[1].strip(): line for line in done.stdout.splitlines() if line.count("│") == 4}
    assert "unreadable: 1,380 may be 1380 or 1.380" in table["h1_in"] and "unreadable" in table["E"]
    spoken = tutor("check", "mlp", "s.csv", "--narrate", "--width", "200").stdout
    assert "h1_in = 1,380: unreadable: 1,380 may be 1380 or 1.380" in spoken
    notes = next(csv.DictReader((tutor.folder / "g.csv").open()))["notes"]
    page = (tutor.folder / "f" / "s.md").read_text()
    for said in (notes, page):
        assert (
            "h1_in = 1,380 cannot be read: 1,380 may be 1380 or 1.380" in said and "E = no idea cannot be read" in said
        )


# Files of spreadsheets

ROWS = [["A title", ""], ["name", "answer", "digits"], ["h1_in", ("0.48", "0.0000")], ["h1_out", ("0.61774787", "0.000")],
        ["E", ("0.34867544", "General")], ["h2_in", "≈0,022"], ["dE/dW5", ("6.0211869E-2", "0.00E+00")], ["#student", "Zoë"]]  # fmt: skip


@pytest.mark.parametrize("ending", [".xlsx", ".ods"])
@pytest.mark.parametrize("shared", [True, False])
def test_files_of_spreadsheets(tutor: Tutor, ending: str, shared: bool) -> None:
    write_workbook(tutor.folder / f"s{ending}", ROWS, shared)
    sheet = tutor.json("check", "mlp", f"s{ending}", fails=1)["sheets"][0]
    answers = {c["name"]: (c["answer"], c["verdict"]) for c in sheet["cells"] if c["verdict"] != "missing"}
    assert answers == {
        "h1_in": ("0.4800", "correct"), "h1_out": ("0.61774787", "correct"), "E": ("0.34867544", "correct"),
        "h2_in": ("≈0.022", "correct"), "dE/dW5": ("0.060211869", "correct"),
    }  # fmt: skip
    assert sheet["student"] == "Zoë"


@pytest.mark.parametrize("ending", [".xlsx", ".ods"])
@pytest.mark.parametrize(
    ("stored", "shown", "answer"),
    [
        ("0.12", "0.0000", "0.1200"),
        ("0.12345678", "0.00", "0.12345678"),
        ("3", "0.00", "3.00"),
        ("0.30000000000000004", "0.000", "0.30000000000000004"),
        ("1E-7", "General", "0.0000001"),
        ("0.48", "0.00%", "0.4800"),
        ("-0.5", '0.000" V"', "-0.500"),
    ],
)
def test_a_stored_number_has_the_digits_that_are_shown(
    tutor: Tutor, ending: str, stored: str, shown: str, answer: str
) -> None:
    write_workbook(tutor.folder / f"s{ending}", [["name", "answer"], ["h1_in", (stored, shown)]])
    cells = tutor.json("check", "mlp", f"s{ending}", fails=1)["sheets"][0]["cells"]
    assert next(c["answer"] for c in cells if c["name"] == "h1_in") == answer


@pytest.mark.parametrize("ending", [".xlsx", ".ods"])
def test_what_a_spreadsheet_has_made_a_date_of_is_no_number(tutor: Tutor, ending: str) -> None:
    """3/7, typed into a cell, is the seventh of March there."""
    path = write_workbook(tutor.folder / f"s{ending}", [["name", "answer"], ["h1_in", ("46088", "d/m/yyyy")]])
    if ending == ".ods":
        content = ods_content([["name", "answer"], ["h1_in", ("46088", "0")]])
        stored, date = 'value-type="float" office:value="46088"', 'value-type="date" office:date-value="2026-03-07"'
        zipped(path, {"content.xml": content.replace(stored, date)})
    cells = tutor.json("check", "mlp", path.name, fails=1)["sheets"][0]["cells"]
    cell = next(c for c in cells if c["name"] == "h1_in")
    assert cell["verdict"] == "unreadable" and "made a date of it" in cell["reason"]


_FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
_LAUGHS = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
_REPEATED = '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="1900" office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row></table:table>'
BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no-zip.xlsx": (lambda p: p.write_bytes(b"name,answer\n"), "no .xlsx file"),
    "old.xlsx": (lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "an old Excel file"),
    "cut.xlsx": (lambda p: p.write_bytes(write_workbook(p, ROWS).read_bytes()[:700]), "damaged"),
    "spoilt.xlsx": (lambda p: p.write_bytes(write_workbook(p, ROWS).read_bytes().replace(b"xl/worksheets", b"xl/worksheetz", 1)), "damaged"),
    "else.xlsx": (lambda p: zipped(p, {"a.txt": "x"}), "neither .xlsx nor .ods"),
    "arrays.xlsx": (lambda p: zipped(p, {"dW1.npy": "x"}), "arrays of NumPy"),
    "far.xlsx": (lambda p: zipped(p, {k: v.replace("</sheetData>", _FAR) for k, v in xlsx_parts(ROWS).items()}), "too far apart"),
    "far.ods": (lambda p: zipped(p, {"content.xml": ods_content(ROWS).replace("</table:table>", _REPEATED)}), "too far apart"),
    "laughs.ods": (lambda p: zipped(p, {"content.xml": _LAUGHS + ods_content(ROWS)}), "not written by a spreadsheet"),
    "xml.ods": (lambda p: zipped(p, {"content.xml": ods_content(ROWS)[:-9]}), "is damaged"),
    "bomb.ods": (lambda p: zipped(p, {"content.xml": b" " * 30_000_000}), "unpacked it has more than 8,000,000 bytes"),
    "empty.xlsx": (lambda p: write_workbook(p, []), "no answer in it"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_or_hostile_file_says_why(tutor: Tutor, name: str) -> None:
    write, said = BROKEN[name]
    write(tutor.folder / name)
    done = tutor("check", "mlp", name)
    assert done.returncode == 2 and said in " ".join(done.stderr.split()), done.stderr


def test_no_broken_file_stops_a_class(tutor: Tutor) -> None:
    (tutor.folder / "class").mkdir()
    for name, (write, _) in BROKEN.items():
        write(tutor.folder / "class" / name)
    write_workbook(tutor.folder / "class" / "good.xlsx", ROWS)
    found = tutor.json("check", "mlp", "class", fails=1)
    assert found["summary"]["sheets"] == 1 and sorted(found["summary"]["broken"]) == sorted(BROKEN)
    assert not any("fault" in sheet for sheet in found["sheets"])


@fuzz(60)
@given(data=st.data())
def test_any_damage_to_a_file_ends_in_marks_or_a_reason(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tutor.errors import TutorError
    from tutor.sheets.workbook import workbook_tables

    path = tmp_path_factory.mktemp("w") / data.draw(st.sampled_from(["s.xlsx", "s.ods"]))
    spoilt = bytearray(write_workbook(path, ROWS).read_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    with suppress(TutorError):
        assert all(isinstance(cell, str) for table in workbook_tables(bytes(spoilt)) for row in table for cell in row)


# A form's export

FORMS = {
    "Google": [
        ["Timestamp", "Email Address", "Score", "1. h1_in (four decimals)", "h1_in [Score]", "What is E?", "Remarks, if you have any"],
        ["2026/11/02 8:00", "ann@x.org", "0 / 2", "0.48", "1 / 1", "0.3487", "none"],
        ["2026/11/02 8:01", "bob@x.org", "0 / 2", "0,49", "0 / 1", "≈ 0,35", ""],
        ["2026/11/02 8:02", "cy@x.org", "0 / 2", "1,380", "0 / 1", "", ""],
    ],
    "Microsoft": [
        ["ID", "Start time", "Completion time", "Email", "Name", "h1_in\xa0", "Points - h1_in", "Feedback - h1_in", "E"],
        ["1", "a", "b", "ann@x.org", "Ann", "0.48", "1", "", "0.3487"],
        ["2", "a", "b", "bob@x.org", "Bob", "0,49", "0", "", "≈ 0,35"],
        ["3", "a", "b", "cy@x.org", "Cy", "1,380", "0", "", ""],
    ],
    "Moodle": [
        ["Last name", "First name", "Email address", "Status", "Started on", "Grade/2.00", "Question 1", "Response 1", "Question 2", "Response 2"],
        ["A", "Ann", "ann@x.org", "Finished", "now", "0", "What is h1_in?", "0.48", "E", "0.3487"],
        ["B", "Bob", "bob@x.org", "Finished", "now", "0", "E", "≈ 0,35", "What is h1_in?", "0,49"],
        ["C", "Cy", "cy@x.org", "Finished", "now", "0", "What is h1_in?", "1,380", "E", "-"],
        ["Overall average", "", "", "", "", "0", "", "", "", ""],
    ],
}  # fmt: skip


def written(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        return path
    return write_workbook(path, rows)


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".ods"])
@pytest.mark.parametrize("kind", FORMS)
def test_a_form_is_a_class_in_one_file(tutor: Tutor, kind: str, ending: str) -> None:
    written(tutor.folder / f"form{ending}", FORMS[kind])
    found = tutor.json("check", "mlp", f"form{ending}", "--ask", "h1_in", "--ask", "E", "--gradebook", "g.csv", fails=1)
    verdicts = [{c["name"]: c["verdict"] for c in s["cells"] if c["name"] in ("h1_in", "E")} for s in found["sheets"]]
    assert [sheet["student"] for sheet in found["sheets"]] == ["ann@x.org", "bob@x.org", "cy@x.org"]
    assert verdicts[0] == {"h1_in": "correct", "E": "correct"}
    assert verdicts[1]["h1_in"] == "wrong" and verdicts[2]["h1_in"] == "unreadable"
    assert verdicts[2]["E"] == ("unreadable" if kind == "Moodle" else "missing")
    assert [sheet["score"] for sheet in found["sheets"]][::2] == [2, 0] and found["summary"]["sheets"] == 3
    rows = list(csv.DictReader((tutor.folder / "g.csv").open()))
    assert [row["student"] for row in rows] == ["ann@x.org", "bob@x.org", "cy@x.org"]
    assert [row["sheet"] for row in rows] == [f"row {n} of form{ending}" for n in (2, 3, 4)]
    assert all("no such quantity" not in row["notes"] for row in rows)


def test_a_column_that_is_no_quantity_is_told_and_a_sheet_is_no_form(tutor: Tutor) -> None:
    (tutor.folder / "form.csv").write_text("Name,h1in,E\nAnn,0.48,0.3487\n")
    notes = tutor.json("check", "mlp", "form.csv", fails=1)["sheets"][0]["remarks"]
    assert any("h1in: no such quantity" in note for note in notes)
    (tutor.folder / "sheet.csv").write_text("name,answer,remark\nh1_in,0.48,h1_out E\n")
    assert tutor.json("check", "mlp", "sheet.csv", "--ask", "h1_in")["sheets"][0]["sheet"] == "sheet.csv"
    piped = tutor("check", "mlp", "-", stdin="Name,h1_in,E\nAnn,0.48,0.3487\n")
    assert piped.returncode == 2 and "a class in one file" in piped.stderr
    watched = tutor("check", "mlp", "form.csv", "--watch")
    assert watched.returncode == 2 and "a whole class" in watched.stderr


def test_each_row_of_a_form_is_marked_against_its_own_problem(tutor: Tutor) -> None:
    (tutor.folder / "r.csv").write_text("id\nann@x.org\nbob@x.org\n")
    assert tutor("vary", "mlp", "--roster", "r.csv", "--secret", "s", "--out", "o").returncode == 0
    keys = {}
    for student, name in (("ann@x.org", "ann_x_org"), ("bob@x.org", "bob_x_org")):
        rows = csv.reader((tutor.folder / "o" / "keys" / f"{name}.csv").open(encoding="utf-8"))
        keys[student] = {row[0]: row[1] for row in rows if row[0] and row[0][0] != "#" and row[0] != "name"}
    heading = ["Email", *keys["ann@x.org"]]
    written(tutor.folder / "form.csv", [heading, *([student, *found.values()] for student, found in keys.items())])
    done = tutor.json("check", "mlp", "form.csv", "--roster", "r.csv", "--secret", "s")
    assert [sheet["score"] for sheet in done["sheets"]] == [47, 47]
    rows = csv.reader((tutor.folder / "o" / "sheets" / "bob_x_org.csv").open(encoding="utf-8"))
    code = next(row[1] for row in rows if row[0] == "#problem")
    found = [code, *keys["bob@x.org"].values()]
    written(
        tutor.folder / "form.csv", [["Email", "Problem", *heading[1:]], ["bob@x.org", *found], ["ann@x.org", *found]]
    )
    sheets = tutor.json("check", "mlp", "form.csv", "--roster", "r.csv", "--secret", "s", fails=None)["sheets"]
    assert "notes" not in sheets[0] and sheets[0]["score"] == 47
    assert "another student's problem, that of bob@x.org" in str(sheets[1])


def test_rows_of_nobody_are_told_apart(tutor: Tutor) -> None:
    (tutor.folder / "form.csv").write_text("h1_in,E,h2_in\n0.48,0.3487,0.022\n0.49,0.3487,0.022\n")
    assert tutor("check", "mlp", "form.csv", "--gradebook", "g.csv").returncode == 1
    rows = list(csv.DictReader((tutor.folder / "g.csv").open()))
    assert [(row["student"], row["score"]) for row in rows] == [("row 2 of form", "3"), ("row 3 of form", "2")]


def test_a_form_may_be_larger_than_a_sheet(tutor: Tutor) -> None:
    rows = "".join(f"s{n}@x.org,{'x' * 30_000},0.48\n" for n in range(40))
    (tutor.folder / "form.csv").write_text("Email,Remarks,h1_in\n" + rows)
    assert tutor.json("check", "mlp", "form.csv", "--ask", "h1_in")["summary"]["without_error"] == 40


# Arrays of a program

BATCH = """format = 1
title = "t"
[network]
inputs = ["x1", "x2"]
loss = "cross_entropy"
[[network.layers]]
units = 3
activation = "tanh"
weights = [[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]]
biases = [0.01, 0.02, -0.03]
[[network.layers]]
units = 2
activation = "softmax"
weights = [[0.2, -0.1, 0.3], [0.4, 0.5, -0.6]]
biases = [0.05, -0.05]
[[examples]]
inputs = [1.0, 0.5]
targets = [1, 0]
[[examples]]
inputs = [-0.5, 0.25]
targets = [0, 1]
[training]
optimizer = "sgd"
learning_rate = 0.1
update_biases = true
reduction = "mean"
"""
Matrix = list[list[float]]


def product(a: Matrix, b: Matrix) -> Matrix:
    return [[sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a]


def turned(a: Matrix) -> Matrix:
    return [list(column) for column in zip(*a, strict=True)]


def one_step() -> dict[str, Any]:
    """A program of its own: the batch above with examples as rows and weights as (inputs, outputs)."""
    X, Y, n = [[1.0, 0.5], [-0.5, 0.25]], [[1.0, 0.0], [0.0, 1.0]], 2
    W1, b1 = turned([[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]]), [0.01, 0.02, -0.03]
    W2, b2 = turned([[0.2, -0.1, 0.3], [0.4, 0.5, -0.6]]), [0.05, -0.05]
    Z1 = [[z + b for z, b in zip(row, b1, strict=True)] for row in product(X, W1)]
    A1 = [[tanh(z) for z in row] for row in Z1]
    Z2 = [[z + b for z, b in zip(row, b2, strict=True)] for row in product(A1, W2)]
    P = [[exp(z) / sum(map(exp, row)) for z in row] for row in Z2]
    loss = sum(-log(p) for ps, ys in zip(P, Y, strict=True) for p, y in zip(ps, ys, strict=True) if y) / n
    dZ2 = [[(p - y) / n for p, y in zip(ps, ys, strict=True)] for ps, ys in zip(P, Y, strict=True)]
    dA1 = product(dZ2, turned(W2))
    dZ1 = [[d * (1 - a * a) for d, a in zip(ds, row, strict=True)] for ds, row in zip(dA1, A1, strict=True)]
    dW1, dW2 = product(turned(X), dZ1), product(turned(A1), dZ2)
    db1, db2 = ([sum(column) for column in zip(*d, strict=True)] for d in (dZ1, dZ2))
    found: dict[str, Any] = {"X": X, "y": Y, "Z1": Z1, "A1": A1, "Z2": Z2, "P": P, "loss": loss}
    for name, old, slope in (("W1", W1, dW1), ("W2", W2, dW2)):
        new = [[w - 0.1 * g for w, g in zip(a, b, strict=True)] for a, b in zip(old, slope, strict=True)]
        found |= {name: old, f"d{name}": slope, f"{name}_new": new}
    for name, bias, slopes in (("b1", b1, db1), ("b2", b2, db2)):
        found |= {
            name: bias,
            f"d{name}": slopes,
            f"{name}_new": [b - 0.1 * g for b, g in zip(bias, slopes, strict=True)],
        }
    return found


STEP = one_step()
OTHER_NAMES = {
    "dW1": "W1.grad",
    "dW2": "grad_W2",
    "db1": "db_1",
    "A1": "H1",
    "P": "y_hat",
    "loss": "L",
    "W1_new": "w1_new",
}


def rewritten(kind: str) -> dict[str, Any]:
    matrices = {name for name in STEP if name.strip("d").startswith("W")}
    if kind == "weights turned":
        return {name: turned(a) if name in matrices else a for name, a in STEP.items()}
    if kind == "examples as columns":
        return {name: turned(a) if name in ("X", "y", "Z1", "A1", "Z2", "P") else a for name, a in STEP.items()}
    if kind == "other names":
        return {OTHER_NAMES.get(name, name): a for name, a in STEP.items()}
    if kind == "rows of biases":
        return {name: [a] if "b" in name else a for name, a in STEP.items()}
    return STEP


@pytest.mark.parametrize("kind", ["as it is", "weights turned", "examples as columns", "other names", "rows of biases"])
@pytest.mark.parametrize("ending", [".json", ".toml", ".csv"])
def test_arrays_of_a_program_are_spread_over_the_names(tutor: Tutor, kind: str, ending: str) -> None:
    (tutor.folder / "t.toml").write_text(BATCH)
    arrays = rewritten(kind)
    if ending == ".csv":
        text = "".join(f'{name};"{value}"\n' for name, value in arrays.items())
        text = "name;answer\n" + text
    elif ending == ".toml":
        text = "".join(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in arrays.items())
    else:
        text = json.dumps(arrays)
    (tutor.folder / f"s{ending}").write_text(text)
    sheet = tutor.json("check", "t.toml", f"s{ending}", fails=1)["sheets"][0]
    verdicts = {c["name"]: c["verdict"] for c in sheet["cells"] if c["verdict"] != "missing"}
    assert len(verdicts) == 2 * (3 + 3 + 2 + 2) + 1 + 2 * (6 + 3 + 6 + 2) and set(verdicts.values()) == {"correct"}
    as_rows = kind != "weights turned"
    assert f"weights are read as ({'inputs, outputs' if as_rows else 'outputs, inputs'})" in sheet["remarks"]
    assert f"examples are read as {'columns' if kind == 'examples as columns' else 'rows'}" in sheet["remarks"]


def test_what_no_array_of_the_network_is_is_told(tutor: Tutor) -> None:
    (tutor.folder / "t.toml").write_text(BATCH)
    (tutor.folder / "s.json").write_text(
        json.dumps({"dW1": [[1, 2], [3, 4]], "mask": [1, 0, 1], "Z3": [[1, 2], [1, 2]], "note": 7})
    )
    remarks = tutor.json("check", "t.toml", "s.json", fails=1)["sheets"][0]["remarks"]
    assert any("dW1 has the shape 2 × 2" in r and "3 × 2" in r for r in remarks)
    assert any(r.startswith("mask, Z3 and note: no array of this network") for r in remarks)
    (tutor.folder / "q.toml").write_text(
        'format = 1\ntitle = "t"\n[givens]\nx = 2\n[[equations]]\nname = "q"\nformula = "x*x"\n'
    )
    found = tutor.json("check", "q.toml", "s.json", fails=1)["sheets"][0]
    assert "this lesson has none" in found["remarks"][0]


@pytest.mark.parametrize("with_given", [True, False])
@pytest.mark.parametrize("as_rows", [True, False])
def test_the_axes_of_square_arrays_are_found_by_their_numbers(tutor: Tutor, with_given: bool, as_rows: bool) -> None:
    """The network of the lecture has two inputs and two hidden neurons."""
    rows = csv.reader(tutor("key", "mlp").stdout.splitlines())
    key = {row[0]: row[1] for row in rows}
    slopes = [[float(key[f"dE/dW{n}"]) for n in pair] for pair in ((1, 2), (3, 4))]
    given = [[0.5, 0.1], [0.62, 0.2]]
    turn = (lambda a: a) if as_rows else turned
    (tutor.folder / "s.json").write_text(
        json.dumps({"dW1": turn(slopes), **({"W1": turn(given)} if with_given else {})})
    )
    cells = tutor.json("check", "mlp", "s.json", fails=1)["sheets"][0]["cells"]
    assert {c["name"]: c["verdict"] for c in cells if c["verdict"] != "missing"} == {
        f"dE/dW{n}": "correct" for n in (1, 2, 3, 4)
    }


@fuzz(150)
@given(st.text(alphabet="[[]],  0123.-eantensor()'\"", max_size=40))
def test_an_array_has_as_many_numbers_as_its_shape_says(text: str) -> None:
    from tutor.sheets.arrays import read_array

    array = read_array(text)
    if array is not None:
        size = 1
        for length in array.shape:
            size *= length
        assert size == len(array.numbers) > 0 and array.transposed.transposed == array


@pytest.mark.parametrize(
    "made", ["03. Jan", "1-Mar", "Jan 03", "2026-03-01", "2026-03-01 00:00:00", "03.01.2026", "3. Mrz", "01-janv"]
)
def test_a_date_in_a_csv_file_is_told_too(made: str) -> None:
    assert "made a date of it" in why_unreadable(made, ValueError("no"))


@pytest.mark.parametrize("typed", ["O.6413", "-0.1O5", "0.26812l", "I.5e-O3"])
def test_a_letter_for_a_digit_is_told(typed: str) -> None:
    assert "a letter stands in the place of a digit" in why_unreadable(typed, ValueError("no"))


@pytest.mark.parametrize("text", ["o1_out", "l", "may", "3 mm", "1.2.3.4", "O"])
def test_what_is_neither_keeps_its_reason(text: str) -> None:
    assert why_unreadable(text, ValueError("no")) == "no"


@pytest.mark.parametrize("text", ["- {}", "−  {}", "– {}", "E = - {}", "= -({})", "-( {} )", "( - {})"])
@pytest.mark.parametrize("number", ["0.0325", ".5", "3e-4", "1/7"])
def test_a_sign_apart_from_its_number_is_its_sign(text: str, number: str) -> None:
    """As a number of so many digits: what is taken for a formula is taken to be exact."""
    if number != "1/7" or "(" not in text:
        assert read(text.format(number)) == f"-{number}"


def test_a_wrong_number_is_wrong_whatever_stands_between_it_and_its_sign(tutor: Tutor) -> None:
    """dE/dW5 of Appendix B is 0.0602, so that W5_new is -0.200602."""
    for sign in ("-", "- ", "−  ", "W5_new = - "):
        (tutor.folder / "s.csv").write_text(f"name,answer\nW5_new,{sign}0.201602\n")
        (cell,) = (c for c in tutor.json("check", "mlp", "s.csv", fails=1)["sheets"][0]["cells"] if c["answer"])
        assert (cell["name"], cell["verdict"], bool(cell["slips"])) == ("W5_new", "wrong", True)
        assert "W5_new = W5_new" not in tutor("check", "mlp", "s.csv").stdout


@pytest.mark.parametrize("only", ["[[{}]]", "[{}]", "{}"])
def test_the_only_bias_of_a_layer_is_no_scalar_of_the_worksheet(tutor: Tutor, only: str) -> None:
    """b2 beside an array b1 is the bias of the second layer, which Appendix B calls b3."""
    d = worksheet_of(read_lesson("mlp")).values
    new = {name: float(d[f"{name}_new"]) for name in ("W1", "W2", "W3", "W4", "W5", "W6", "b1", "b2", "b3")}
    (tutor.folder / "s.json").write_text(
        f'{{"W1_new": [[{new["W1"]}, {new["W2"]}], [{new["W3"]}, {new["W4"]}]], "b1_new": [{new["b1"]}, {new["b2"]}], '
        f'"W2_new": [[{new["W5"]}, {new["W6"]}]], "b2_new": {only.format(new["b3"])}}}'
    )
    sheet = tutor.json("check", "mlp", "s.json", fails=1)["sheets"][0]
    read_as = {c["name"]: c["verdict"] for c in sheet["cells"] if c["answer"]}
    assert read_as == dict.fromkeys((f"{name}_new" for name in new), "correct")


def test_a_column_of_a_form_without_numbers_is_no_answer(tutor: Tutor) -> None:
    """The times of Microsoft Forms have a heading in the language of whoever made the form."""
    rows = "".join(f"0{n}.11.2026 20:15,s{n}@uni.example,0.48,0.617748,0.1\n" for n in (1, 2))
    (tutor.folder / "form.csv").write_text(f"Startzeit,E-Mail,h1_in,h1_out,h9_in\n{rows}")
    sheets = tutor.json("check", "mlp", "form.csv", fails=1)["sheets"]
    assert [s["remarks"] for s in sheets] == [["h9_in: no such quantity on this worksheet, so not marked"]] * 2
