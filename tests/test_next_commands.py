"""What leads where: the end of a result, the greeting, what a shell completes; and how wide a terminal is."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ONE_NEURON, Tutor

from tutor.cli.next_commands import NEXT, next_commands
from tutor.worksheet.catalogue import REGISTRIES

posix = pytest.mark.skipif(sys.platform == "win32", reason="a matter of POSIX")


def led_on(text: str) -> list[list[str]]:
    """The commands under the last `Next`, as a shell takes them apart."""
    end = text.rpartition("\nNext\n")[2]
    end = re.sub(r"\\\n *", "", end)
    commands = [re.split(r" {3,}", line.strip())[0] for line in end.splitlines() if line.strip().startswith("tutor ")]
    return [shlex.split(command) for command in commands]


KNOWN = {
    "lesson": "my lesson.toml", "name": "dE/dW1", "sheet": "my lesson.csv", "fresh": "new.toml", "feedback": "feedback",
    "again": ["check", "my lesson.toml", "s.csv"], "file": "s.csv", "data": ["--data", "moons"], "run": "run.npz",
    "number": 3, "folder": "transcripts", "mistake": "missing-slope", "command": ["run", "mlp"],
}  # fmt: skip


def test_everything_leads_to_one_or_two_commands_that_there_are() -> None:
    from tutor.cli.commands import command_line

    there = set(command_line().commands)
    for after in NEXT:
        ways = next_commands(after, **KNOWN)
        assert 1 <= len(ways) <= 2
        for words, purpose in ways:
            assert words[0] == "tutor" and words[1] in there and purpose and "{" not in " ".join(words)


def test_what_is_not_known_is_not_said() -> None:
    assert next_commands("check wrong", lesson="mlp", again=None, name=None) == []
    assert [words for words, _ in next_commands("run", lesson="-", name="E")] == []
    assert [words for words, _ in next_commands("run", lesson="-x.toml", name="E")] == [], "it would be an option"
    assert next_commands("nothing leads on from here") == []


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_command_is_pasted_as_it_stands_however_narrow_the_terminal(width: int, tutor: Tutor, tmp_path: Path) -> None:
    folder = tmp_path / "the sheets of my class in this year"
    folder.mkdir()
    lesson, sheet = folder / "a lesson of my own.toml", folder / "anna and her friend.csv"
    lesson.write_text(ONE_NEURON, encoding="utf-8")
    sheet.write_text("name,answer\nE,77\n", encoding="utf-8")
    done = tutor("check", str(lesson), str(sheet), COLUMNS=str(width))
    again = led_on(done.stdout)[0]
    assert again[:4] == ["tutor", "check", str(lesson), str(sheet)]


EXPLAINED = [
    tuple(words)
    for kind, entries in REGISTRIES.items()
    for name, entry in entries.items()
    for words, _ in next_commands(f"explain {kind}:{name}", name=name, command=getattr(entry, "command", "").split())
]


def test_every_word_of_the_field_leads_on() -> None:
    for name, entry in REGISTRIES["term"].items():
        assert len(next_commands(f"explain term:{name}", name=name, command=entry.command.split())) == 1


@pytest.mark.parametrize("words", dict.fromkeys(EXPLAINED), ids=" ".join)
def test_what_explain_leads_to_works(tutor: Tutor, words: tuple[str, ...]) -> None:
    short = {"train": ["--epochs", "1"], "compare": ["--epochs", "1", "--seeds", "1", "--jobs", "1"]}
    done = tutor(*words[1:], *short.get(words[1], []))
    assert done.returncode == 0, done.stderr


@posix
def test_commands_lead_on_with_the_readers_own_files(tutor: Tutor) -> None:
    (tutor.folder / "my first.toml").write_text(ONE_NEURON)
    shown = tutor("run", "my first.toml").stdout
    assert led_on(shown) == [["tutor", "why", "my first.toml", "dE/dW1"], ["tutor", "run", "my first.toml", "--blank"]]
    assert tutor(*led_on(shown)[0][1:]).returncode == 0
    problem = tutor(*led_on(shown)[1][1:]).stdout
    make, check = led_on(problem)
    assert make == ["tutor", "sheet", "my first.toml", ">", "my first.csv"]
    (tutor.folder / make[-1]).write_text(tutor(*make[1:-2]).stdout)
    done = tutor(*check[1:])
    assert done.returncode == 1 and led_on(done.stdout) == [["tutor", *check[1:], "--watch"]]
    key = tutor("key", "my first.toml").stdout
    (tutor.folder / make[-1]).write_text(re.sub("(?m)^dE/dW1,[^,]*", "dE/dW1,7", key))
    assert ["tutor", "why", "my first.toml", "dE/dW1"] in led_on(tutor(*check[1:], "--ask", "gradient").stdout)
    assert "--ask gradient --watch" in tutor(*check[1:], "--ask", "gradient").stdout
    (tutor.folder / make[-1]).write_text(key)
    assert led_on(tutor(*check[1:]).stdout)[0][:3] == ["tutor", "vary", "my first.toml"]
    assert led_on(tutor("run", "my first.toml", "--blank").stdout)[0][-1] == "my first-2.csv", "nothing is overwritten"


@pytest.mark.parametrize("case", [("list",), ("errata", "mlp"), ("explain", "sigmoid"), ("why", "mlp", "W1"), ("prove", "perceptron"),
                                  ("train", "perceptron", "--epochs", "2"), ("lint", "mlp"), ("run", "mlp", "--only", "loss")], ids=" ".join)  # fmt: skip
@pytest.mark.parametrize("width", [40, 80])
def test_a_command_ends_with_what_to_type_next(tutor: Tutor, case: tuple[str, ...], width: int) -> None:
    done = tutor(*case, "--width", width)
    assert done.returncode == 0 and 1 <= len(led_on(done.stdout)) <= 2
    assert max(map(len, done.stdout.splitlines())) <= width
    for words in led_on(done.stdout):
        if ">" not in words and words[1] != "compare":
            assert tutor(*words[1:], *(["--epochs", "1"] if words[1:3] == ["train", "--data"] else [])).returncode == 0
    assert "Next" in tutor(*case, "--narrate").stdout


def test_data_and_files_on_stdout_have_nothing_added(tutor: Tutor) -> None:
    for case in (("run", "mlp"), ("list",), ("errata",), ("explain", "adam"), ("why", "mlp", "E"), ("lint", "mlp")):
        tutor.json(*case)
    for case in (("sheet", "mlp"), ("key", "mlp"), ("vary", "mlp", "--seed", "1")):
        done = tutor(*case)
        assert "Next" not in done.stdout and done.stderr == ""


def test_a_secret_is_not_repeated(tutor: Tutor) -> None:
    (tutor.folder / "class.csv").write_text("id\nann\n")
    assert tutor("vary", "mlp", "--roster", "class.csv", "--secret", "hush", "--out", "h").returncode == 0
    for path in ("h/sheets/ann.csv", "h/sheets"):
        done = tutor("check", "mlp", path, "--secret", "hush")
        assert done.returncode == 1 and "hush" not in done.stdout + done.stderr


def test_tutor_alone_greets(tutor: Tutor) -> None:
    for columns in ("36", "80", "200"):
        done = tutor(COLUMNS=columns)
        assert (done.returncode, done.stderr) == (0, "") and done.stdout.isascii()
        assert max(map(len, done.stdout.splitlines())) <= int(columns) and len(done.stdout.splitlines()) <= 16
        assert led_on(done.stdout) == [
            ["tutor", "learn"],
            ["tutor", "run", "perceptron"],
            ["tutor", "list"],
            ["tutor", "--help"],
        ]


def test_the_greeting_waits_for_nothing(tmp_path: Path) -> None:
    script = "import sys; sys.argv = ['tutor']; from tutor.__main__ import main; main(); print(*sys.modules)"
    home = {**os.environ, "TUTOR_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=home)
    assert not {"typer", "rich", "sympy", "numpy", "msgspec"} & set(done.stdout.split())


# Completion, through the script that the shell gets.


def completed(tmp_path: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words, by the script that --install-completion wrote."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    tools = Path(sys.executable).parent
    environment = {**os.environ, "HOME": str(home), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("TUTOR_LESSONS", None)

    def bash(script: str) -> str:
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    if not (home / ".bashrc").exists():
        bash("tutor --install-completion; true")  # in a script of more than one command bash stays, and is found
    line = shlex.join(["tutor", *words])
    place = f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; _tutor_completion tutor; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return bash(f"source {home}/.bashrc; {place}").split("\n")[:-1]


@posix
def test_a_shell_completes_commands_options_words_and_lessons(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(ONE_NEURON)
    assert completed(tmp_path, "ex") == ["explain", "export"]
    assert completed(tmp_path, "run", "--bl") == ["--blank"]
    assert completed(tmp_path, "run", "mlp", "--chain", "") == ["full", "delta"]
    assert completed(tmp_path, "run", "m") == ["mlp", "momentum", "mine.toml"]
    assert completed(tmp_path, "check", "per") == ["perceptron"]
    assert completed(tmp_path, "transcript", "re") == ["record"]


# How wide it is.

SIZED = """
import fcntl, os, pty, struct, subprocess, sys, termios
main, other = pty.openpty()
fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 111, 0, 0))
out = {out}
subprocess.run([sys.executable, "-c", "from tutor.printers.screen import terminal_columns as c; print(c())"],
               stdout=out, stderr=other, stdin=subprocess.DEVNULL, env={{**os.environ, **{environment}}})
"""


@posix
@pytest.mark.parametrize(
    ("out", "environment", "width"),
    [("None", {}, 111), ("os.open('file', os.O_CREAT | os.O_WRONLY)", {}, 80), ("None", {"COLUMNS": "57"}, 57),
     ("None", {"COLUMNS": "many"}, 111), ("None", {"COLUMNS": "0"}, 111)],
)  # fmt: skip
def test_a_pager_has_the_width_of_the_terminal_and_a_file_80_columns(
    tmp_path: Path, out: str, environment: dict[str, str], width: int
) -> None:
    kept = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    script = SIZED.format(out=out, environment=environment)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, env=kept)
    file = tmp_path / "file"
    assert int(file.read_text() if file.exists() else done.stdout) == width, done.stderr


def test_the_comparison_that_comes_next_keeps_how_the_examples_are_prepared(tutor: Tutor) -> None:
    """Without them the settings would be compared on examples of another scale, and without a held-out part."""
    rows = "".join(f"{i},{i * i % 17},{1000 * i}\n" for i in range(40))
    (tutor.folder / "d.csv").write_text("a,b,y\n" + rows)
    options = ["--task", "regression", "--normalize", "zscore", "--target-scale", "--validation", "0.3"]
    compare = led_on(tutor("train", "--data", "d.csv", *options, "--epochs", 2).stdout)[-1]
    assert compare[1] == "compare" and set(options) < set(compare)
    assert tutor(*compare[1:], "--epochs", 1, "--seeds", 1, "--jobs", 1).returncode == 0
    assert led_on(tutor("train", "--data", "moons").stdout)[-1] == (
        ["tutor", "compare", "--data", "moons", "--vary", "optimizer=sgd,adam"]
    )


KEPT = {
    "the network": "--hidden 6,6 --activation relu --residual --freeze 1",
    "penalties": "--l2 0.001 --l1 0.002 --dropout 0.1 --proximal",
    "the course": "--batch-size 8 --epochs 3 --no-shuffle --schedule cosine --clip-norm 1 --seed 4",
    "the loss": "--loss half_squared_error --output-activation tanh",
}


@pytest.mark.parametrize("name", KEPT)
def test_the_comparison_that_comes_next_keeps_the_settings_of_the_run(tutor: Tutor, name: str) -> None:
    """All but the rate and the settings of its own optimizer, which the others have for themselves."""
    own = ["--optimizer", "nesterov", "--learning-rate", "0.02", "--optimizer-setting", "beta=0.8"]
    options = shlex.split(KEPT[name])
    compare = led_on(tutor("train", "--data", "moons", *options, *own).stdout)[-1]
    assert {*options} <= {*compare} and not {*own} & {*compare}
    assert tutor(*compare[1:], "--epochs", 1, "--seeds", 1, "--jobs", 1).returncode == 0


def test_after_the_perceptron_rule_gradients_are_compared(tutor: Tutor) -> None:
    compare = led_on(tutor("train", "--data", "and", "--rule", "perceptron", "--hidden", 0).stdout)[-1]
    assert tutor(*compare[1:], "--epochs", 1, "--seeds", 1, "--jobs", 1).returncode == 0
