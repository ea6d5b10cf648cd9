"""Whatever stands in a lesson, a sheet, a roster: a message or a result, never a fault of the program."""

from __future__ import annotations

import json
import re

import pytest
from conftest import Tutor, fuzz
from hypothesis import given
from hypothesis import strategies as st

from tutor.lessons.templates import KINDS
from tutor.toml_text import parse_toml

HEX = "0x" + "f" * 5_000
ODD = [
    HEX, f"-{'9' * 5_000}", "9" * 4_300, f"1e{'9' * 50}", "1e-400", "1e400", "1e10", "-1", "0", "0.0", "nan", "-inf", "true",
    "2020-01-01", "2020-01-01T00:00:00Z", "12:30:00.123456789", '""', '"\\u001b[31m\\u202e\\U000e0041"', '"1/0"', '"1/3"',
    "'=1+1'", "[]", "{}", "[[]]", "[[[]]]", f"{'[' * 90}{']' * 90}", f"{'[' * 3000}{']' * 3000}", "{ a = { b = { c = 1 } } }",
    f"[{HEX}]", f"{{ a = {HEX} }}", f"['{'x' * 3000}']", "'x'", "['x', 1, 2.5]", "1_0", "0b11", "1979-05-27", "[1, 1]",
    "'W1'", "'o_in'", "'E'", "'x'", "'step'", "'softmax'", "'cross_entropy'", "'nadam'", "'cosine'", "'delta'", "[-1]", "[[0]]",
]  # fmt: skip
LINES = dict(KINDS)
LINES["network"] = LINES["network"].replace("# [[", "[[").replace("# name", "name").replace("# value", "value") + (
    'note = "n"\nplace = "p"\n[homework]\nask = ["forward"]\ndecimals = 3\ncarried_penalty = 0.5\n'
    "points = { forward = 2 }\n[[misprints]]\nplace = 'a'\nprinted = 'b'\ncorrect = 'c'\nwhy = 'd'\n"
)
MORE = [
    "order = {}", "problem = {}", "chain = {}", "printed = {}", "misprints = {}", "homework = {}", "givens = {{ a = {} }}",
    "a.b.c = {}", '"\\u001b" = {}', "equations = {}", "minimize = {}",
]  # fmt: skip
IN_TRAINING = [
    "settings = {{ beta1 = {} }}", "schedule_settings = {{ decay_rate = {} }}", "rates = {{ out = {} }}", "clip_norm = {}",
    "clip_value = {}", "l1 = {}", "l2 = {}", "epochs = {}", "batch = {}", "fires = {}", "schedule = {}", "optimizer = {}",
    "max_epochs = {}", "stop = {}", "proximal = {}", "rule = {}",
]  # fmt: skip
COMMANDS = ["run", "lint", "sheet", "key", "vary --seed 1", "check", "train --epochs 2", "run --json"]


def changed(kind: str, place: int, odd: str) -> str:
    """The lesson with an odd value: in the place of one that is there, or of one that may be."""
    text = LINES[kind]
    lines = text.split("\n")
    values = [n for n, line in enumerate(lines) if " = " in line and '"""' not in line]
    choices = len(values) + len(MORE) + len(IN_TRAINING)
    place %= choices
    if place < len(values):
        at = values[place]
        lines[at] = lines[at].partition(" = ")[0] + f" = {odd}"
        return "\n".join(lines)
    if place < len(values) + len(MORE):
        return lines[0] + "\n" + MORE[place - len(values)].format(odd) + "\n" + "\n".join(lines[1:])
    section = "[minimize]" if kind == "minimize" else "[training]"
    new = IN_TRAINING[place - len(values) - len(MORE)].format(odd)
    if section not in text:
        return f"{text}\n[training]\n{new}\n"
    name = new.partition(" = ")[0]
    return re.sub(rf"(?m)^{name} = .*\n", "", text).replace(section, f"{section}\n{new}")


@fuzz(40)
@given(st.sampled_from(sorted(LINES)), st.integers(0, 200), st.sampled_from(ODD), st.sampled_from(COMMANDS))
def test_any_value_anywhere_in_a_lesson(tutor: Tutor, kind: str, place: int, odd: str, command: str) -> None:
    (tutor.folder / "l.toml").write_text(changed(kind, place, odd), encoding="utf-8")
    (tutor.folder / "s.csv").write_text("name,answer\nh1_in,0.5\nq,3\n")
    word, *options = command.split()
    code, out, err = tutor(word, "l.toml", *(["s.csv"] if word == "check" else []), *options)
    assert code in (0, 1, 2, 3), err
    assert len(err.splitlines()) <= 1 and "integer string conversion" not in out + err, err
    assert not set("\x1b\u202e\U000e0041") & set(out + err)


JSON = [HEX[2:].replace("f", "9"), "1" * 4301, "[" * 900 + "]" * 900, "[" * 100_000, '"\\ud800"', "NaN", "1e999", "null", "true",
        "{}", "[]", '{"a": 1}', '"\\u001b[31m"', "-0.0", "1E400", '""', '"=1+1"']  # fmt: skip
SHEETS = [
    ("s.toml", '"h1_in" = {t}\n[sheet]\nstudent = "ann"\n'), ("s.toml", '"h1_in" = 0.48\n[sheet]\nstudent = {t}\n'),
    ("s.toml", '"h1_in" = 0.48\n[sheet]\nproblem = {t}\n'), ("s.toml", 'sheet = {t}\n"h1_in" = 0.48\n'),
    ("s.toml", 'h1_in = 0.48\nzzz = {t}\n'), ("s.toml", '{t}'), ("s.md", "Student: `{t}`\n\n| name | answer |\n|---|---|\n| h1_in | {t} |\n"),
    ("s.json", '{{"h1_in": {j}}}'), ("s.json", '{{"answers": {j}}}'), ("s.json", '{{"sheet": {{"student": {j}}}, "answers": {{"h1_in": "0.48"}}}}'),
    ("s.json", '{{"sheet": {j}, "h1_in": 1}}'), ("s.json", '[{{"name": {j}, "answer": {j}}}]'), ("s.json", "{j}"),
    ("s.json", '{{"sheet": {{"problem": {j}}}, "h1_in": 1}}'), ("s.csv", "name,answer\nh1_in,{t}\n#student,{t}\n#problem,{t}\n"),
]  # fmt: skip


@fuzz(16)
@given(st.sampled_from(SHEETS), st.sampled_from(ODD), st.sampled_from(JSON), st.booleans())
def test_any_value_anywhere_in_a_sheet(
    tutor: Tutor, sheet: tuple[str, str], odd: str, value: str, secret: bool
) -> None:
    """And the other sheets of the class are marked."""
    folder = tutor.folder / "sheets"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    name, text = sheet
    (folder / name).write_text(text.format(t=odd, j=value), encoding="utf-8", errors="surrogatepass")
    (folder / "good.csv").write_text("name,answer\nh1_in,0.48\n")
    code, out, err = tutor("check", "mlp", folder, "--json", *(["--secret", "S"] if secret else []))
    assert code == 1, err
    told = {entry["sheet"]: entry for entry in json.loads(out)["sheets"]}
    good = told["good.csv"]
    assert good["marked"] is False if secret else good["score"] == 1, "whose problem it answers is not known"
    assert not any("fault" in entry for entry in told.values())
    assert "integer string conversion" not in out


@pytest.mark.parametrize(
    "text", ["id\n\x1b[31m\n", "id;x\n=1;2\n", "\0\n", "id\n" + "9" * 10_000 + "\n", 'id\n"', "a,b\n1,2\n", ""]
)
def test_any_roster(text: str, tutor: Tutor) -> None:
    (tutor.folder / "r.csv").write_text(text, encoding="utf-8")
    code, out, err = tutor("vary", "mlp", "--roster", "r.csv", "--secret", "S", "--out", "o")
    assert code in (0, 2) and len(err.splitlines()) == (code == 2) and "\x1b" not in out + err


@pytest.mark.parametrize(("text", "said"), [
    (f"a = {HEX}", "more than 400 digits"), (f"a = [1, {{ b = -{HEX[2:].replace('f', '9')} }}]", "too many digits"),
    (f"a = {'[' * 2000}{']' * 2000}", "nested too deeply"), (f"{'a.' * 50}b = 1", "too many dots"),
    ("a = 2020-13-45", "not valid TOML|cannot be read"), ("a = ", "not valid TOML"), (f"a = 1e{'9' * 30}", "too many digits"),
])  # fmt: skip
def test_toml_that_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_toml(text)


def test_toml_that_is_read() -> None:
    assert parse_toml("a = 0xff\nb = [1.50]\nc = 2020-01-01", str)["b"] == ["1.50"]
    assert parse_toml(f"a = {10**400 - 1}")["a"] == 10**400 - 1
