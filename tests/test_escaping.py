"""Text from files and people does nothing where it is shown: not on a terminal, in a spreadsheet, on a page, as a name."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
import unicodedata
from pathlib import Path

import pytest
from conftest import ONE_NEURON, Tutor, fuzz
from hypothesis import given
from hypothesis import strategies as st

from tutor.escaping import file_name, for_csv, for_json, for_line, for_markdown, for_terminal, for_toml, from_csv
from tutor.homework.variants import seed_of

ACTS = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
HOSTILE = "\x1b[31mRED\x1b]0;t\x07\u202eevil\u2066\u200b\u009b1m\x7f\u2028 [red]x[/red] =1+1 a;=2+2 | <b> `c` [l](u)"
TEXT = st.text(st.sampled_from([*"ab=+-@;,|\t\n\"' `<>[]\\\x1b\u202e\u200b\x9b\x7f\ud800\U000e0041\U0010fffdé½＝"]))


def acting(text: str) -> set[str]:
    """The characters of the text that act on a terminal."""
    return {c for c in text if unicodedata.category(c) in ACTS and c != "\n"}


@given(TEXT)
def test_nothing_that_acts_is_left(text: str) -> None:
    assert not acting(for_terminal(text)) and for_terminal(text, unicode=False).isascii()
    assert not acting(for_line(text)) and "\n" not in for_line(text)
    assert not acting(for_markdown(text)) and not set("`|<>[]\n") & set(for_markdown(text))
    assert not acting(for_json({text: [text]})) and not acting(str(for_csv(text)))


@given(TEXT)
def test_json_means_the_same(text: str) -> None:
    assert json.loads(for_json({text: [text]})) == {text: [text]}


@given(TEXT.filter(lambda text: "\ud800" not in text))
def test_toml_means_the_same_and_has_nothing_raw(text: str) -> None:
    import tomli_w

    document = for_toml(tomli_w.dumps({text: text, "list": [text, {"k": text}]}))
    assert not acting(document) and tomllib.loads(document) == {text: text, "list": [text, {"k": text}]}


@given(st.lists(TEXT, min_size=1, max_size=4), st.sampled_from(",;\t|"))
def test_no_spreadsheet_finds_a_formula_whatever_separates_its_cells(texts: list[str], separator: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerow([for_csv(text) for text in texts])
    for row in csv.reader(io.StringIO(written.getvalue()), delimiter=separator):
        for cell in row:
            assert not cell.strip().strip("\"' ").startswith(("=", "+", "-", "@", "＝")) or "'" in cell, written
            assert not re.match(r'[\s"]*[=+\-@＝＋－＠]', cell), (cell, written.getvalue())


@given(TEXT.filter(lambda text: "'" not in text))
def test_a_cell_is_read_back_as_it_was(text: str) -> None:
    assert from_csv(str(for_csv(text))) == for_line(text)


@pytest.mark.parametrize("number", [1, -2.5, "", "-x"])
def test_numbers_stay_numbers(number: object) -> None:
    assert for_csv(number) == (number if number != "-x" else "'-x")


IDS = ["nul", "CON", "com1", "Lpt9", "-rf", "--help", "a b", "a_b", "A_B", "..", "/etc/passwd", "x" * 300, "x" * 301, "",
       "李", "王", "a.", "a ", "aux.csv", "\x1b[31m", "_", "-", "con_"]  # fmt: skip


def test_every_id_gets_a_file_of_its_own_in_any_folder_of_any_system() -> None:
    taken: set[str] = set()
    names = [file_name(word, taken) for word in IDS]
    assert len({name.lower() for name in names}) == len(IDS)
    devices = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", name) and len(name) < 80
        assert name.lower() not in devices
    assert file_name("ann-2", set()) == "ann-2"


@given(st.lists(TEXT, unique=True, max_size=8))
def test_names_of_files_are_distinct(words: list[str]) -> None:
    taken: set[str] = set()
    assert len({file_name(word, taken).lower() for word in words}) == len(words)


def quoted(text: str) -> str:
    """A basic string of TOML."""
    return '"' + "".join(c if c.isalnum() or c == " " else f"\\u{ord(c):04x}" for c in text) + '"'


H = quoted(HOSTILE)
LESSON = f"""{ONE_NEURON.replace('title = "one neuron"', f"title = {H}{chr(10)}source = {H}{chr(10)}about = {H}")}
[[printed]]
name = "o_in"
value = "1.3"
note = {H}
place = {H}
[[misprints]]
place = {H}
printed = {H}
correct = {H}
why = {H}
"""
DATA = (
    f'"{HOSTILE[:40]}",b,"=cmd"\n' + "".join(f'{n},{n * n % 7},"{HOSTILE if n % 2 else "=1+1"}"\n' for n in range(12))
).replace("\u2028", "")
ROSTER = f'id\n"{HOSTILE}"\n-rf\nnul\n=1+1\nann\n'
COMMANDS = [
    "run l.toml", "run l.toml --narrate", "run l.toml --width 40", "run l.toml --json", "why l.toml o_in", "prove l.toml",
    "why l.toml o_in --json", "lint l.toml", "lint l.toml --json", "errata", "errata --json", "list", "list --json",
    "list --narrate", "sheet l.toml --format csv", "sheet l.toml --format toml", "sheet l.toml --format markdown",
    "sheet l.toml --format json", "key l.toml --format toml", "key l.toml --format markdown", "key l.toml --format csv",
    "vary l.toml --seed 1", "check l.toml s.csv", "check l.toml s.csv --narrate", "check l.toml s.csv --json",
    "check l.toml s.json", "check l.toml sheets", "check l.toml sheets --json --secret S --roster r.csv",
    "check l.toml sheets --secret S --roster r.csv --gradebook g.csv --feedback f --gradescope gs --prairielearn pl",
    "check l.toml sheets --gradebook c.csv --platform canvas", "check l.toml sheets --gradebook m.csv --platform moodle",
    "vary l.toml --roster r.csv --secret S --out h1 --format markdown", "check l.toml h1/sheets --secret S --roster r.csv",
    "vary l.toml --roster r.csv --secret S --out h2 --format toml", "vary l.toml --roster r.csv --secret S --out h3",
    "vary l.toml --roster r.csv --secret S --out h4 --format json",
    "train --data d.csv --epochs 2 --save d.json", "train --data d.csv --epochs 2 --narrate",
    "train --data d.csv --epochs 2 --json", "train --data d.csv --epochs 1 --explain 1", "predict d.json --data d.csv",
    "predict d.json --data d.csv --narrate", "predict d.json --data d.csv --json", "predict d.json --data d.csv --csv -",
    "predict d.json --data d.csv --csv p.csv", "export d.json", "export d.json --to pytorch --output d.py",
    "compare --data d.csv --epochs 2 --seeds 1 --vary hidden=2,3 --jobs 1 --csv x.csv",
    "compare --data d.csv --epochs 2 --seeds 1 --vary hidden=2,3 --jobs 1 --json", "train --data d.csv --label nothing",
    "run {}", "run {}.toml", "why l.toml {}", "explain {}", "check l.toml {}", "sheet l.toml --ask {}", "list --width {}",
    "vary l.toml --seed {}", "check l.toml s.csv --points {}=1", "train --data {}", "train --data {}.csv", "run mlp --only {}",
    "predict {} --data d.csv", "export {}", "transcript verify {}", "new {}", "new {}.toml", "lint {}", "{}", "run mlp --{}",
    "compare --data moons --vary {}=1", "train --data moons --optimizer {}", "train --data moons --resume {}", "prove {}",
    "key l.toml --format {}", "train --data moons --optimizer-setting {}=1", "train --data moons --augment {}",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "l.toml").write_text(LESSON, encoding="utf-8")
    (folder / "d.csv").write_text(DATA, encoding="utf-8")
    (folder / "r.csv").write_text(ROSTER, encoding="utf-8")
    (folder / "sheets").mkdir()
    rows = [["#student", HOSTILE], ["#problem", HOSTILE], [HOSTILE, HOSTILE], ["o_in", HOSTILE], ["o_out", "=1+1"]]
    for number, name in enumerate(["s.csv", "sheets/a.csv", "sheets/=1+1;=2.csv"]):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["name", "answer"], *rows[:1], *rows[2 if number else 1 :]])
    (folder / "s.json").write_text(json.dumps({"sheet": {"student": "\ud800" + HOSTILE}, "answers": {"o_in": HOSTILE}}))
    (folder / "sheets" / "b.json").write_text((folder / "s.json").read_text())
    return folder


@pytest.mark.parametrize("line", COMMANDS)
def test_no_command_lets_anything_through(line: str, made: Path, tutor: Tutor) -> None:
    tutor = tutor.at(made)
    if "d.json" in line and not (made / "d.json").exists():
        tutor("train", "--data", "d.csv", "--epochs", 2, "--save", "d.json")
    if "h1/" in line and not (made / "h1").exists():
        tutor(*["vary", "l.toml", "--roster", "r.csv", "--secret", "S", "--out", "h1", "--format", "markdown"])
    code, out, err = tutor(
        *(word.replace("{}", HOSTILE.replace("/", "")) for word in line.split()), TUTOR_LESSONS=str(made)
    )
    assert code in (0, 1, 2, 3) and "Traceback" not in err, err
    assert not acting(out), sorted(map(ascii, acting(out)))
    assert not acting(err), sorted(map(ascii, acting(err)))
    assert out or err or "--csv" in line
    for path in made.rglob("*"):
        if path.is_file() and path.name not in ("d.csv", "r.csv", "s.csv", "a.csv", "=1+1;=2.csv", "d.json"):
            text = path.read_text(encoding="utf-8")
            assert not acting(text.replace("\r\n", "\n")), path
            if path.suffix == ".csv":
                cells = [c for s in ",;\t|" for row in csv.reader(io.StringIO(text), delimiter=s) for c in row]
                assert not [c for c in cells if re.match(r'[\s"]*[=@]', c)], path
        if path.parent.name in ("f", "gs", "pl", "problems") or "h1" in path.parts[:-1]:
            assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", path.name), path.name


@pytest.mark.parametrize("form", ["csv", "toml", "markdown", "json"])
def test_everybody_on_a_hostile_roster_is_known_again(form: str, made: Path, tutor: Tutor) -> None:
    tutor = tutor.at(made)
    out = f"known-{form}"
    code, _, err = tutor(*f"vary l.toml --roster r.csv --secret S --out {out} --format {form}".split())
    assert code == 0, err
    assert len(list((made / out / "sheets").iterdir())) == 5
    code, found, _ = tutor(*f"check l.toml {out}/sheets --secret S --roster r.csv --json".split())
    document = json.loads(found)
    assert code == 1 and not [sheet for sheet in document["sheets"] if "notes" in sheet or "why" in sheet]
    assert len({seed_of("S", sheet["student"]) for sheet in document["sheets"]}) == 5


def test_a_varied_lesson_keeps_its_meaning(made: Path, tutor: Tutor) -> None:
    _, out, _ = tutor.at(made)("vary", "l.toml", "--seed", "1")
    assert tomllib.loads(out)["title"] == HOSTILE
    (tutor.folder / "again.toml").write_text(out, encoding="utf-8")
    assert tutor("run", "again.toml")[0] == 0


@fuzz(15)
@given(st.text(max_size=30))
def test_any_title_is_harmless_in_every_form(title: str) -> None:
    from tutor.sheets.formats import WRITERS, Paper, Question

    paper = Paper(title, [Question("o_in", "forward", "2 digits", "1")], {}, {"student": title})
    for name, write in WRITERS.items():
        assert not acting(write(paper)), name
