"""What a person types and reads."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ONE_NEURON, Tutor

CASES = [
    ("list",), ("run", "perceptron"), ("run", "mlp"), ("run", "mlp", "--chain", "delta"), ("run", "mlp", "--digits", "9"),
    ("run", "mlp", "--only", "gradient", "--only", "update"), ("why", "mlp", "dE/dW1"), ("why", "perceptron", "dPredicted/ds"),
    ("why", "mlp", "W1"), ("errata",), ("errata", "mlp"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=" ".join)
@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("narrate", [False, True])
def test_nothing_is_cut_at_any_width(tutor: Tutor, case: tuple[str, ...], width: int, narrate: bool) -> None:
    done = tutor(*case, "--width", width, *(["--narrate"] if narrate else []))
    assert (done.returncode, done.stderr) == (0, "")
    assert "…" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= width
    assert not [line for line in done.stdout.splitlines() if line != line.rstrip()]
    if narrate:
        assert not re.search(r"[─-╿▀-▟]", done.stdout), "sentences have no strokes"


@pytest.mark.parametrize("width", [40, 80, 160])
def test_every_value_stands_whole_at_every_width(tutor: Tutor, width: int) -> None:
    steps = tutor.json("run", "mlp")["steps"]
    done = tutor("run", "mlp", "--digits", "6", "--width", width)
    for step in steps:
        value = float(step["value"])
        if step["stage"] not in ("update", "after") and abs(value) > 0.1:
            assert re.search(rf"(?<![\d.]){re.escape(f'{value:.6f}'.rstrip('0').rstrip('.'))}0*(?!\d)", done.stdout), (
                step
            )


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}, {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
     {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"COLUMNS": "1"}, {"COLUMNS": "nonsense"}, {"FORCE_COLOR": "0"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("case", CASES[:3] + CASES[-4:], ids=" ".join)
def test_any_terminal_will_do(tutor: Tutor, case: tuple[str, ...], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tutor", *case], capture_output=True, cwd=tutor.folder, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout and b"Traceback" not in done.stderr
    if environment.get("PYTHONIOENCODING") == "ascii":
        assert done.stdout.isascii() and b"\\u" not in done.stdout


def test_colour_when_asked_for(tutor: Tutor) -> None:
    assert "\x1b[" in tutor("run", "mlp", "--color", "always").stdout
    assert "\x1b[" in tutor("run", "mlp", TUTOR_COLOR="always").stdout


def test_every_option_can_be_set_by_an_environment_variable(tutor: Tutor) -> None:
    assert tutor("run", "mlp", TUTOR_DIGITS="7").stdout == tutor("run", "mlp", "--digits", "7").stdout
    assert tutor("run", "mlp", TUTOR_NARRATE="1").stdout == tutor("run", "mlp", "--narrate").stdout


def test_a_lesson_from_a_path_and_from_standard_input(tutor: Tutor) -> None:
    (tutor.folder / "my.toml").write_text(ONE_NEURON)
    from_path = tutor.json("run", "my.toml")
    assert from_path["lesson"] == "my"
    piped = tutor("run", "-", "--json", stdin=ONE_NEURON)
    assert piped.returncode == 0
    assert piped.stdout.replace('"lesson": "-"', '"lesson": "my"') == tutor("run", "my.toml", "--json").stdout


def test_own_lessons_by_name(tutor: Tutor) -> None:
    own = tutor.folder / "own"
    own.mkdir()
    (own / "first.toml").write_text(ONE_NEURON)
    assert tutor("run", "first", TUTOR_LESSONS=str(own)).returncode == 0
    assert "one neuron" in tutor("list", TUTOR_LESSONS=str(own)).stdout


def test_json_says_everything(tutor: Tutor) -> None:
    document = tutor.json("run", "mlp")
    assert set(document) == {"format", "lesson", "conventions", "givens", "steps", "printed"}
    for step in document["steps"]:
        assert set(step) == {"name", "stage", "formula", "substituted", "value", "reason", "inputs"}
        digits = step["value"].lstrip("-0.").replace(".", "")
        assert len(digits) >= 15 or float(step["value"]) == float(f"{float(step['value']):.12g}")
    assert {"loss_factor", "reduction", "bias_policy", "arithmetic", "rounding"} <= set(document["conventions"])


def test_why_reads_names_as_people_write_them(tutor: Tutor) -> None:
    expected = tutor("why", "mlp", "dE/dW5").stdout
    for name in ("∂E/∂W5", "dE / dW5", "de/dw5"):
        assert tutor("why", "mlp", name).stdout == expected


def test_why_shows_the_derivation_and_what_depends_on_it(tutor: Tutor) -> None:
    document = tutor.json("why", "perceptron", "dPredicted/ds")
    assert document["derivation"][-1]["expression"] == "Predicted*(1 - Predicted)"
    assert document["used_by"] == ["dE/dW1", "dE/dW2", "dE/db"]


BAD = {
    ("run", "perceptrn"): "did you mean 'perceptron'",
    ("run", "nothing.toml"): "there is no file 'nothing.toml'",
    ("run", "."): "is a folder",
    ("run", "mlp", "--only", "parital"): "did you mean 'partial'",
    ("run", "mlp", "--digits", "0"): "--digits",
    ("run", "mlp", "--width", "many"): "--width",
    ("run",): "LESSON",
    ("rnu", "mlp"): "run",
    ("why", "mlp", "dE/dW9"): "did you mean 'dE/dW",
    ("why", "mlp", "DE/DB"): "no 'DE/DB'|could be",
    ("transcript", "verify", "nowhere"): "there is no folder",
    ("transcript", "record", "nothing"): "not a lesson",
}


@pytest.mark.parametrize(("case", "message"), BAD.items(), ids=[" ".join(case) for case in BAD])
def test_wrong_input_ends_in_one_message_and_exit_code_2(tutor: Tutor, case: tuple[str, ...], message: str) -> None:
    done = tutor(*case)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.search(message, done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith("tutor: ")
    assert not list(tutor.folder.iterdir()), "nothing was written"


def test_an_unreadable_file(tutor: Tutor) -> None:
    (tutor.folder / "a.toml").write_bytes(b"\xff\xfe\x00")
    done = tutor("run", "a.toml")
    assert done.returncode == 2 and "not UTF-8" in done.stderr


def test_terminal_escapes_and_markup_from_a_file_do_nothing(tutor: Tutor) -> None:
    text = ONE_NEURON.replace("one neuron", r"[bold]x[/bold]\u001b[31m\u0007\u202e[link=http://a]")
    done = tutor("run", "-", "--color", "always", stdin=text)
    assert "[bold]x[/bold][31m[link=http://a]" in done.stdout
    assert "\x07" not in done.stdout and "\x1b[31m" not in done.stdout and "\u202e" not in done.stdout


def test_the_version_and_the_help(tutor: Tutor) -> None:
    assert re.fullmatch(r"tutor \d+\.\d+\.\d+\n", tutor("--version").stdout)
    assert "tutor run perceptron" in tutor("--help").stdout
    for command in ("list", "run", "why", "errata", "transcript"):
        assert tutor(command, "--help").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="closed pipes are a matter of POSIX")
def test_a_closed_pipe_is_no_error(tutor: Tutor) -> None:
    script = f"set -o pipefail; {sys.executable} -m tutor run mlp | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a matter of POSIX")
def test_control_c_leaves_quietly(tutor: Tutor) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "tutor", "run", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that starts the tests in the background has them ignore Ctrl-C; a person's shell does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, b"", b"")


def test_step_without_a_terminal_shows_the_whole(tutor: Tutor) -> None:
    assert tutor("run", "perceptron", "--step").stdout == tutor("run", "perceptron").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of POSIX")
def test_step_by_step_on_a_terminal(tutor: Tutor) -> None:
    screen = on_a_terminal(
        ["run", "perceptron", "--step"], ["", "w", "b", "j dE/dW2", "j nothing", "?", "j E_after", ""]
    )
    assert "Step 1 of 17" in screen and "Step 2 of 17" in screen
    assert "1 / (1 + exp(-s))" in screen
    assert screen.count("Step 1 of 17") == 2, "back went back"
    assert "Step 10 of 17" in screen and "there is no 'nothing'" in screen
    assert "Step 17 of 17" in screen
    assert "Traceback" not in screen


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of POSIX")
def test_step_by_step_can_be_left(tutor: Tutor) -> None:
    screen = on_a_terminal(["run", "perceptron", "--step", "--narrate"], ["q"])
    assert "Step 1 of 17" in screen and "Step 2 of 17" not in screen


def on_a_terminal(arguments: list[str], answers: list[str]) -> str:
    """What appears on a pseudo-terminal when each answer is typed at a prompt."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(COLUMNS="80", TERM="xterm")
        os.execv(sys.executable, [sys.executable, "-m", "tutor", *arguments])
    seen = b""

    def read_until_prompt() -> None:
        nonlocal seen
        try:
            while not seen.endswith(b"> "):
                seen += os.read(terminal, 4096)
        except OSError:
            pass

    for answer in answers:
        read_until_prompt()
        os.write(terminal, answer.encode() + b"\n")
        seen += b"\n"
    read_until_prompt()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", seen.decode())


def test_the_package_brings_its_lessons() -> None:
    """The lessons lie in the wheel under this name; the program looks for them there first."""
    import tomllib

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"lessons": "tutor/lesson_files"}


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are a matter of POSIX")
def test_files_that_are_no_files(tutor: Tutor) -> None:
    os.mkfifo(tutor.folder / "pipe.toml")
    done = tutor("run", "pipe.toml")
    assert done.returncode == 2 and "not an ordinary file" in done.stderr
    assert tutor("list", TUTOR_LESSONS=str(tutor.folder)).returncode == 2
    for name in ("a" * 300, "a" * 300 + ".toml", "", "/", "a/b"):
        done = tutor("run", name)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    done = tutor("list", TUTOR_LESSONS="/nowhere")
    assert done.returncode == 2 and "TUTOR_LESSONS" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_a_full_disk_is_said_in_one_line(tutor: Tutor) -> None:
    script = f"{sys.executable} -m tutor run mlp > /dev/full"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("tutor: the output cannot be written") and len(done.stderr.splitlines()) == 1


def test_a_message_about_the_numbers_names_the_file(tutor: Tutor) -> None:
    text = ONE_NEURON.replace("half_squared_error", "binary_cross_entropy").replace("sigmoid", "linear")
    (tutor.folder / "my.toml").write_text(text)
    done = tutor("run", "my.toml")
    assert done.returncode == 2 and done.stderr.startswith("tutor: my.toml: ")


def test_why_finds_what_only_the_other_chain_writes_down(tutor: Tutor) -> None:
    assert "dE/dh1_in" in tutor("why", "mlp", "dE/dh1_in").stdout
