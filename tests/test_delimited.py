"""Delimited text: what any writer of CSV has written is read back, cell for cell, with the numbers of its lines."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.delimited import Rows
from tutor.errors import TutorError
from tutor.homework.roster import read_roster

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


def written(rows: list[list[str]], separator: str, quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator="\n").writerows(rows)
    return text.getvalue()


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), max_size=6)),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.integers(0, 2),
)
def test_what_was_written_is_read_back(rows: list[list[str]], separator: str, quoting: int, blank: int) -> None:
    """Where | separates, spaces before an answer are layout, as in a table of Markdown, unless they are quoted."""
    if separator == "|" and quoting == csv.QUOTE_MINIMAL:
        rows = [[cell.lstrip(" ") for cell in row] for row in rows]
    heading = ["id", *"xyz"[: len(rows[0]) - 1]] if rows else ["id", "x"]
    text = "\n" * blank + written([heading, *rows], separator, quoting)
    found = list(Rows("", text, ("id", "x", "y", "z"), notes=True))
    assert [row for _, row in found] == [heading, *(row for row in rows if any(cell.strip() for cell in row))]
    assert found[0][0] == blank + 1
    for number, row in found:
        if not any("\n" in cell for cell in row):
            assert next(csv.reader([text.split("\n")[number - 1]], delimiter=separator)) == row


@pytest.mark.parametrize(
    ("line", "separator"),
    [
        ("1,2", ","), ("1;2", ";"), ("1\t2", "\t"), ("1|2", "|"), ("1,5;2,5", ";"), ("1,5|2,5", "|"), ("0,48", ","),
        ('"a;b;c",2', ","), ("a|b,c|d,e|f", ","), ("word", ","), ('"x, y"|2', "|"),
    ],
)  # fmt: skip
def test_separators_are_told_from_the_first_line(line: str, separator: str) -> None:
    rows = Rows("", f"{line}\n")
    assert rows.separator == separator and rows.decimal_commas == (separator != ",")


def test_names_of_columns_tell_a_separator_better() -> None:
    title = "Homework, with a title, and commas\nname;answer\nh1;0,5\n"
    assert Rows("", title, ("name", "answer")).separator == ";" and Rows("", title).separator == ","


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a,b\n1,2\n3,"4\n5,6\n', "d.csv, row 3: a cell has whole rows in it"),
        ("sep=,\na,b\n\n1,\0\n", "d.csv, row 4: there is a NUL character"),
        ('sep=,\na,b\n\n1,"' + "x" * 200_000 + '"\n', "d.csv, row 4: this is no row of a CSV"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(text: str, said: str) -> None:
    with pytest.raises(TutorError, match=said):
        list(Rows("d.csv", text))


def test_rosters_as_spreadsheets_write_them(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    text = "id;Name, first\nmüller;Jürgen\nœhlin;Åse\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        for end in ("\n", "\r\n", "\r"):
            path.write_bytes(text.replace("\n", end).encode(encoding))
            assert read_roster(path).ids == ("müller", "œhlin")
    path.write_text('id,name\nann,"Ann\nbob,Bob\n')
    with pytest.raises(TutorError, match="row 2: a cell has whole rows in it"):
        read_roster(path)
