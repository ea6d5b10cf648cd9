"""Every path that a command reads: whatever is there instead of a file, one message and exit code 2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import ONE_NEURON, Tutor

from tutor.errors import TutorError
from tutor.read_files import is_file, is_folder, read_text, read_whole, real_path

POSIX = pytest.mark.skipif(os.name != "posix", reason="special files as on POSIX")
READS = [
    "run {}.toml", "lint {}.toml", "why {}.toml o_in", "prove {}.toml", "sheet {}.toml", "key {}.toml",
    "vary {}.toml --seed 1", "check {}.toml s.csv", "check one.toml {}.csv", "check one.toml {}.json",
    "check one.toml s.csv {}.csv", "check one.toml s.csv --secret S --roster {}.csv",
    "check one.toml s.csv --roster {}.csv", "vary one.toml --secret S --out o --roster {}.csv", "train {}.toml",
    "train --data {}.csv", "train --data {}.tsv", "train --data {}.npz", "train --data {}-images-idx3-ubyte",
    "train --data {}-images-idx3-ubyte.gz", "train --resume {}.json", "train --resume {}.npz",
    "predict {}.json --data xor", "predict {}.npz --data xor", "predict r.json --data {}.csv", "export {}.json",
    "compare --data {}.csv --vary hidden=2,3", "compare --data {}.npz --vary hidden=2,3",
]  # fmt: skip
KINDS = ["loop", "missing", "folder", "pipe", "dangling", "long", "inside-a-file", "hidden", "null"]


def put(kind: str, path: Path) -> None:
    if kind == "loop":
        path.symlink_to(path.name)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "null":
        path.symlink_to("/dev/null")


@POSIX
@pytest.mark.parametrize("line", READS)
def test_what_is_no_file_is_told(line: str, tutor: Tutor) -> None:
    (tutor.folder / "one.toml").write_text(ONE_NEURON)
    (tutor.folder / "s.csv").write_text("name,answer\no_in,1.25\n")
    (tutor.folder / "plain").write_text("")
    if "r.json" in line:
        assert tutor("train", "--data", "xor", "--epochs", 1, "--save", "r.json")[0] == 0
    words = line.split()
    at = next(place for place, word in enumerate(words) if "{}" in word)
    for kind in KINDS:
        stem = {"long": "x" * 5000, "inside-a-file": "plain/x", "hidden": "x/../" * 2000 + "x"}.get(kind, kind)
        name = words[at].replace("{}", stem)
        if len(name) < 200:
            put(kind, tutor.folder / name)
        code, _, err = tutor(*words[:at], name, *words[at + 1 :])
        if kind == "folder" and line.startswith("check one.toml {}"):
            assert code == 3, err  # a folder of sheets in which there is none
            continue
        if kind == "folder" and "s.csv {}" in line:
            continue
        if line == "check one.toml s.csv {}.csv":
            assert code == 1 and "could not be marked" in err
            continue
        assert code == 2 and len(err.splitlines()) == 1, (kind, err)
        assert any(said in err for said in ("there is no", "cannot be read", "not an ordinary", "is a folder", "is not there",
                                            "are missing", "no such file")), (kind, err)  # fmt: skip


WRITES = [
    "check one.toml s.csv --gradebook {}.csv", "check one.toml s.csv --gradescope {}.json", "check one.toml s.csv --feedback {}",
    "check one.toml s.csv --prairielearn {}.json", "vary one.toml --roster r.csv --secret S --out {}", "new {}.toml",
    "train --data xor --epochs 1 --save {}.json", "export r.json --output {}.py", "transcript verify {}",
    "predict r.json --data xor --csv {}.csv", "compare --data xor --vary hidden=2,3 --epochs 1 --seeds 1 --csv {}.csv",
]  # fmt: skip


@POSIX
@pytest.mark.parametrize("line", WRITES)
def test_a_place_where_nothing_can_be_is_told(line: str, tutor: Tutor) -> None:
    (tutor.folder / "one.toml").write_text(ONE_NEURON)
    (tutor.folder / "s.csv").write_text("name,answer\no_in,1.25\n")
    (tutor.folder / "r.csv").write_text("id\nann\n")
    (tutor.folder / "plain").write_text("")
    put("loop", tutor.folder / "round")
    if "r.json" in line:
        assert tutor("train", "--data", "xor", "--epochs", 1, "--save", "r.json")[0] == 0
    for stem in ("x" * 5000, "x/../" * 2000 + "x", "plain/x", "round/x"):
        code, _, err = tutor(*line.replace("{}", stem).split())
        assert code == 2 and len(err.splitlines()) == 1, (stem[:20], err)


@POSIX
def test_one_loop_among_the_sheets_does_not_stop_the_others(tutor: Tutor) -> None:
    (tutor.folder / "one.toml").write_text(ONE_NEURON)
    (tutor.folder / "s.csv").write_text("name,answer\no_in,1.25\n")
    put("loop", tutor.folder / "loop.csv")
    code, out, err = tutor("check", "one.toml", "s.csv", "loop.csv", "--gradebook", "g.csv")
    assert code == 1 and "1 of" in out and "'loop.csv' could not be marked" in err
    assert "loop" in (tutor.folder / "g.csv").read_text()


def test_reading_is_bounded_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    path.write_bytes(b"\xef\xbb\xbfh\xc3\xa9")
    assert read_text(path, 6, "text") == "h\u00e9" and read_whole(path, 6, "text") == path.read_bytes()
    with pytest.raises(TutorError, match=r"more than 5 bytes; that is no text"):
        read_whole(path, 5, "text")
    path.write_bytes(b"ab\xff")
    with pytest.raises(TutorError, match=r"not UTF-8 text \(byte 3\)"):
        read_text(path, 10, "text")
    assert is_file(path) and is_folder(tmp_path) and not is_file(tmp_path) and not is_folder(path)
    for name in ("x" * 5000, "a\0b"):
        assert not is_file(name) and not is_folder(name)
    assert real_path(path) == str(path.resolve())


@POSIX
def test_an_error_of_the_reader_is_not_taken_for_one_of_the_file(tmp_path: Path) -> None:
    from tutor.read_files import opened

    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(ValueError, match="mine"), opened(tmp_path / "f"):
        raise ValueError("mine")
