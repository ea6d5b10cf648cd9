"""Messages are the same bytes in every process: nothing in them stands in the order of a hash."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import ONE_NEURON

from tutor.errors import TutorError

FREE = """format = 1
title = "x"
[givens]
alpha = 1
beta = 2
gamma = 3
delta = 4
[[equations]]
name = "y"
formula = "{}"
[[equations]]
name = "z"
formula = "y*alpha"
"""
NEURON = {
    "unknown given": ("[[0.5]]", '[["zzz"]]'),
    "unknown loss": ("half_squared_error", "zzz"),
    "unknown activation": ("sigmoid", "zzz"),
    "unknown optimizer": ('"sgd"', '"zzz"'),
    "unknown key": ("update_biases", "zzz"),
    "unknown key at the top": ("[network]", "zzz = 1\n[network]"),
    "unknown rates": ("[training]", "[training]\nrates = { zzz = 1, yyy = 2, xxx = 3 }"),
    "unknown setting": ("[training]", "[training]\nsettings = { zzz = 1, yyy = 2 }"),
    "unknown schedule setting": ("[training]", "[training]\nschedule_settings = { zzz = 1, yyy = 2 }"),
    "unknown ask": ("[training]", '[homework]\nask = ["zzz", "yyy"]\n[training]'),
    "unknown points": ("[training]", "[homework]\npoints = { zzz = 1, yyy = 2 }\n[training]"),
    "printed": ("[training]", '[[printed]]\nname = "zzz"\nvalue = "1"\n[training]'),
    "name twice": ("[network]", "[givens]\nW1 = 1\nb1 = 2\no_in = 3\n[network]"),
}
FORMULAS = [
    "q",
    "alpha + q",
    "zzz(alpha)",
    "alpha +",
    "y",
    "z",
    "1/(alpha-1)",
    "log(alpha-beta)",
    "x[1]",
    "alpha**beta**gamma",
]
COMMANDS = [
    "run zzz", "why one.toml zzz", "explain zzz", "run one.toml --only zzz", "check one.toml s.csv", "check one.toml t.csv",
    "check one.toml s.csv --ask zzz", "train --data zzz", "train --data d.csv --label zzz", "train --data moons --optimizer zzz",
    "train --data moons --optimizer-setting zzz=1", "train --data moons --augment zzz", "compare --data moons --vary zzz=1",
    "predict r.json --data e.csv", "predict r.json --data e.csv --label zzz", "train --resume bad.json",
    "train --resume bad2.json", "train --resume bad3.json", "prove free-right.toml", "run free-right.toml",
    "lint free-right.toml", "vary one.toml --seed 1", "key one.toml", "check one.toml sheets",
]  # fmt: skip
SCRIPT = """
import contextlib, io, json, sys
from tutor.cli import run
found = []
for line in json.loads(sys.argv[1]):
    sys.argv = ["tutor", *line.split()]
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run()
    out.flush()
    timed = code == 0 and line.startswith("train")  # which says how long it took
    found.append([line, code, "" if timed else out.buffer.getvalue().decode()])
print(json.dumps(found))
"""


def test_messages_do_not_depend_on_the_seed_of_hashes(tmp_path: Path) -> None:
    lines = list(COMMANDS)
    (tmp_path / "one.toml").write_text(ONE_NEURON)
    for number, (old, new) in enumerate(NEURON.values()):
        assert old in ONE_NEURON
        (tmp_path / f"n{number}.toml").write_text(ONE_NEURON.replace(old, new, 1))
        lines += [f"run n{number}.toml", f"sheet n{number}.toml", f"train n{number}.toml"]
    for number, formula in enumerate(FORMULAS):
        (tmp_path / f"f{number}.toml").write_text(FREE.format(formula))
        lines.append(f"run f{number}.toml")
    (tmp_path / "free-right.toml").write_text(
        FREE.format("log(alpha + beta)*gamma*delta")
        + '[differentiate]\nof = "z"\nwrt = ["alpha", "beta", "gamma", "delta"]\n'
    )
    (tmp_path / "s.csv").write_text("name,answer\no_in,1.26\nzzz,1\nyyy,2\nO_OUT,0.9\no_out,0.8\nE,log(q)*w\n")
    (tmp_path / "t.csv").write_text("zzz,1\nyyy,2\nxxx,3\n")
    (tmp_path / "sheets").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "sheets" / name).write_text("name,answer\no_in,1.26\no_out,0.7\ndE/do_out,3\nE,0.1\n")
    (tmp_path / "d.csv").write_text("p,q,r\n" + "".join(f"{n},{n % 3},{'xyz'[n % 3]}\n" for n in range(12)))
    (tmp_path / "e.csv").write_text("u,v,w\n1,2,3\n")
    made = [
        sys.executable,
        "-m",
        "tutor",
        "train",
        "--data",
        "d.csv",
        "--epochs",
        "1",
        "--optimizer",
        "adam",
        "--save",
        "r.json",
    ]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    saved = json.loads((tmp_path / "r.json").read_text())
    for name, change in {
        "bad.json": {"settings": {**saved.get("settings", {}), "zzz": 1, "yyy": 2}},
        "bad2.json": {"arrays": {}},
        "bad3.json": {"zzz": 1, "yyy": 2},
    }.items():
        (tmp_path / name).write_text(json.dumps({**saved, **change}))
    by_seed = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, json.dumps(lines)],
            cwd=tmp_path,
            env={"PYTHONHASHSEED": str(seed), "PATH": "", "PYTHONUTF8": "1"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in (0, 1, 2)
    ]
    for one, two in zip(*(json.loads(found) for found in (by_seed[0], by_seed[1])), strict=True):
        assert one == two
        assert one[1] != 70, one
    assert len(set(by_seed)) == 1


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    """A saved run with a field whose name is a line end, as the fuzz of saved runs found it."""
    assert str(TutorError("unknown field `\n` at\r\n`$.arrays`")) == "unknown field ` ` at `$.arrays`"
