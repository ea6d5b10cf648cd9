"""Numbers of tables with commas and points in them: the value that their writer meant, or a refusal."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.data.read_table import read_csv
from tutor.data.separators import decimal_sign, is_ambiguous, with_point
from tutor.errors import TutorError

FORMS = {"de": (",", "."), "en": (".", ","), "plain comma": (",", ""), "plain point": (".", "")}
"""The decimal sign, and the one between thousands."""


def typed(number: float, places: int, form: str) -> str:
    decimal, thousands = FORMS[form]
    swapped = {",": thousands, ".": decimal}
    return "".join(swapped.get(sign, sign) for sign in f"{number:,.{places}f}")


@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.sampled_from([*FORMS]))
def test_a_number_is_read_as_it_was_meant_or_may_be_meant_otherwise(whole: int, places: int, form: str) -> None:
    number = round(whole / 10**places, places)
    text, (decimal, _thousands) = typed(number, places, form), FORMS[form]
    assert float(with_point(text, decimal)) == number
    shown = decimal_sign(text)
    assert shown in ("", decimal) and (not shown) == (is_ambiguous(text) or not {",", "."} & {*text})
    if is_ambiguous(text):
        other = float(with_point(text, "," if decimal == "." else "."))
        assert other in (pytest.approx(number * 1000), pytest.approx(number / 1000))


def table(folder: Path, rows: list[list[str]], separator: str = ";") -> Path:
    path = folder / "d.csv"
    path.write_text("".join(f"{separator.join(row)}\n" for row in [["sales", "share", "profit"], *rows]))
    return path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_is_read_as_it_was_meant(tmp_path: Path, form: str, separator: str) -> None:
    """Sales of thousands, some of them with three digits behind the only sign: the shares show which sign is which."""
    draw = Random(1).uniform
    numbers = [(round(draw(1000, 900_000)), round(draw(0, 1), 3), round(draw(1, 5000), 2)) for _ in range(40)]
    cells = [[typed(n, places, form) for n, places in zip(row, (0, 3, 2), strict=True)] for row in numbers]
    data = read_csv(table(tmp_path, cells, separator), None, "regression")
    assert data.x.tolist() == [[float(a), b] for a, b, _ in numbers]
    assert data.y[:, 0].tolist() == [c for *_, c in numbers]


@pytest.mark.parametrize("sign", [",", "."])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_may_be_a_thousand_or_a_thousandth_is_refused(tmp_path: Path, sign: str, place: int) -> None:
    rows = [[f"{k}", f"{k % 3}", f"{7 * k}"] for k in range(4, 24)]
    for k, row in enumerate(rows):
        row[place] = f"{2 + k}{sign}{153 + k}"
    with pytest.raises(TutorError) as caught:
        read_csv(table(tmp_path, rows), None, "regression")
    told = str(caught.value)
    assert f"'2{sign}153' may be 2153 or 2.153" in told and f"write 2153, or 2{sign}1530" in told
    rows[-1][place] = f"0{sign}5"  # the last row of all shows it
    data = read_csv(table(tmp_path, rows), None, "regression")
    assert [*data.x[0].tolist(), *data.y[0].tolist()][place] == 2.153


def test_a_point_of_thousands_beside_decimal_commas(tmp_path: Path) -> None:
    rows = [["2.753", "0,092", "3,03"], ["12.731", "0,835", "15,24"], ["997", "0,1", "1.000,5"]] * 3
    data = read_csv(table(tmp_path, rows), None)
    assert data.x[:3].tolist() == [[2753, 0.092], [12731, 0.835], [997, 0.1]] and data.y[2, 0] == 1000.5


def test_text_with_points_shows_nothing(tmp_path: Path) -> None:
    rows = [[f"10.{k}.0.1", f"{k},5", f"{k}"] for k in range(3)] * 3
    data = read_csv(table(tmp_path, rows), None)
    assert data.x[:, 1].tolist() == [0.5, 1.5, 2.5] * 3
