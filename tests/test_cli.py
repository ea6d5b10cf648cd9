"""What a person types and reads."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"},
     {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"COLUMNS": "1"}, {"COLUMNS": "nonsense"}, {"FORCE_COLOR": "0"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("case", CASES[:3] + CASES[-4:], ids=" ".join)
def test_any_terminal_will_do(tutor: Tutor, case: tuple[str, ...], environment: dict[str, str]) -> None:
    done = tutor(*case, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    if environment.get("PYTHONIOENCODING") == "ascii":
        assert done.stdout.isascii() and "\\u" not in done.stdout


@pytest.mark.parametrize("command", [[sys.executable, "-m", "tutor"], [str(Path(sys.executable).with_name("tutor"))]])
@pytest.mark.parametrize("coding", ["ascii", "cp1252", "utf-8"])
def test_both_ways_to_start_it_write_as_the_stream_is_coded(tutor: Tutor, command: list[str], coding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": coding, "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = subprocess.run([*command, "run", "mlp"], capture_output=True, cwd=tutor.folder, env=environment, check=True)
    assert done.stdout.decode(coding) == tutor("run", "mlp", PYTHONIOENCODING=coding).stdout
    assert done.stdout.isascii() == (coding != "utf-8") and not done.stderr


@pytest.mark.parametrize(
    ("words", "stdin"),
    [(("run", "-", "--width", "60"), ONE_NEURON), (("check", "mlp", "-", "--json"), "h1_in,0.5\n"), (("rnu",), ""), (("why", "mlp", "?"), ""),
     (("predict", "-", "--data", "xor"), "no run"), ((), "")],
    ids=str,
)  # fmt: skip
def test_a_command_of_these_tests_does_what_a_process_does(
    tutor: Tutor, process: Tutor, words: tuple[str, ...], stdin: str
) -> None:
    """Most tests run it in their own process, which takes a tenth of the time."""
    assert tutor(*words, stdin=stdin) == process(*words, stdin=stdin)


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
    assert set(document) == {"format", "lesson", "conventions", "givens", "steps", "printed", "sections"}
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
    ("why", "mlp", "W7"): "nearest to it are W6, W5 and W4; `tutor run mlp --brief --all` shows every name$",
    ("why", "gates/xor", "nonsense"): "this worksheet — `tutor run gates/xor --brief --all` shows every name$",
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


def of_numbers(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Every option of every command that takes a number: the command, the option and which kind of number."""
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from of_numbers(found, (*words, name))
            continue
        for option in found.params:
            called = {"int": "a whole number", "integer": "a whole number", "float": "a number"}
            kind = called.get(option.type.name.removesuffix(" range"))
            if kind and option.opts[0].startswith("--"):
                yield (*words, name), option.opts[0], kind


def test_what_is_no_number_is_told_with_the_help_of_the_command(tutor: Tutor) -> None:
    from tutor.cli.commands import command_line

    seen = dict[tuple[tuple[str, ...], str], str]()
    for words, option, kind in of_numbers(command_line()):
        seen.setdefault((words, kind), option)
    assert len(seen) > 20
    for (words, kind), option in seen.items():
        done = tutor(*words, option, "abc")
        assert done.returncode == 2 and done.stderr.count("\n") == 1
        assert f"{option}': 'abc' is not {kind}. Try `tutor {' '.join(words)} --help`." in done.stderr, done.stderr


@pytest.mark.parametrize(("typed", "said"), [
    (("train", "--data", "moons", "--epohs", "3"), "Try `tutor train --help`."),
    (("transcript", "record", "--widht", "3"), "Try `tutor transcript record --help`."),
    (("lint",), "Try `tutor lint --help`."),
    (("nothing",), "Try `tutor --help`."),
    (("train", "--data", "moons", "--hidden", "-4"), "--hidden is at least 1, or 0 alone for none, not -4"),
])  # fmt: skip
def test_a_message_says_what_may_be_typed_and_where_to_read_on(tutor: Tutor, typed: tuple[str, ...], said: str) -> None:
    done = tutor(*typed)
    assert done.returncode == 2 and said in done.stderr


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
    assert running.stdin is not None
    running.stdin.write(b"#" * 200_000)  # more than a pipe takes: written is written only once the program reads
    running.stdin.flush()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, b"", b"")


def test_step_without_a_terminal_shows_the_whole(tutor: Tutor) -> None:
    assert tutor("run", "perceptron/perceptron", "--step").stdout == tutor("run", "perceptron/perceptron").stdout


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


@pytest.fixture
def lesson(tutor: Tutor) -> Callable[[str], str]:
    def write(text: str) -> str:
        (tutor.folder / "my.toml").write_text(text)
        return "my.toml"

    return write


def said(tutor: Tutor, *arguments: object) -> str:
    """What a command prints, without line breaks."""
    done = tutor(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return " ".join(done.stdout.split())


UNTRAINED = ONE_NEURON.partition("[training]")[0]
PLAIN_EQUATION = 'format = 1\ntitle = "t"\ngivens = { x = 1 }\nequations = [{ name = "y", formula = "2*x" }]\n'


@pytest.mark.parametrize(
    ("text", "command", "message"),
    [
        (UNTRAINED, ("run", "--only", "update"), "there is no stage update on this worksheet"),
        (UNTRAINED, ("run", "--only", "update", "--only", "after", "--json"), "there is no stage update or after"),
        (PLAIN_EQUATION, ("prove",), "there is no gradient on this worksheet to prove"),
        (PLAIN_EQUATION, ("prove", "--json"), "there is no gradient"),
    ],
)
def test_where_there_is_nothing_the_exit_code_is_3(
    tutor: Tutor, lesson: Callable[[str], str], text: str, command: tuple[str, ...], message: str
) -> None:
    done = tutor(command[0], lesson(text), *command[1:])
    assert (done.returncode, done.stdout) == (3, "")
    assert message in done.stderr and done.stderr.startswith("tutor: my.toml: ")


def test_a_lesson_without_training_is_shown_by_every_command(tutor: Tutor, lesson: Callable[[str], str]) -> None:
    name = lesson(UNTRAINED)
    for view in ([], ["--narrate"], ["--chain", "delta"], ["--width", "40"], ["--rounding", "each-step"], ["--step"]):
        shown = said(tutor, "run", name, *view)
        assert "gradients only, no update" in shown and "dE/dW1" in shown and "updated" not in shown
    assert "4 of 4" not in said(tutor, "prove", name) and "2 of 2 gradients agree" in said(tutor, "prove", name)
    assert "chain rule" in said(tutor, "why", name, "dE/dW1")
    document = tutor.json("run", name)
    assert {step["stage"] for step in document["steps"]} == {"forward", "loss", "partial", "gradient"}
    assert (document["conventions"]["optimizer"], document["conventions"]["bias_policy"]) == ("", "")


CORNER = ONE_NEURON.replace("sigmoid", "relu").replace("0.25", "-1")  # 0.5·2 - 1 = 0


def test_at_a_corner_differences_are_not_expected_to_agree(tutor: Tutor, lesson: Callable[[str], str]) -> None:
    """E = (1 - relu(s))²/2 at s = 0 falls by 1 to the right of it and stays to the left: no derivative."""
    shown = said(tutor, "prove", lesson(CORNER))
    assert (
        "o_out has no derivative where o_in = 0" in shown
        and "0 of 2 gradients agree to 25 digits, 2 at a corner" in shown
    )
    assert {proof["verdict"] for proof in tutor.json("prove", "my.toml")["gradients"]} == {"at a corner"}
    penalised = ONE_NEURON.replace("[[0.5]]", "[[0]]").replace("[training]", "[training]\nl1 = 0.1")
    verdicts = {proof["name"]: proof["verdict"] for proof in tutor.json("prove", lesson(penalised))["gradients"]}
    assert verdicts == {"dE/dW1": "at a corner", "dE/db1": "agrees"}


def test_the_chain_of_a_lesson_is_its_own_unless_the_option_says_otherwise(
    tutor: Tutor, lesson: Callable[[str], str]
) -> None:
    printed = ONE_NEURON + '[[printed]]\nname = "dE/do_in"\nvalue = "-0.05"\n'
    done = tutor("run", lesson(printed))
    assert done.returncode == 2
    assert (
        "'dE/do_in': only the chain delta writes this quantity down; write chain = \"delta\" at the top" in done.stderr
    )
    name = lesson(printed.replace("title", 'chain = "delta"\ntitle'))
    assert tutor.json("run", name)["conventions"]["chain"] == "delta"
    assert tutor("prove", name).returncode == tutor("why", name, "dE/do_in").returncode == 0
    done = tutor("run", name, "--chain", "full")
    assert done.returncode == 2 and "leave out --chain full" in done.stderr
    name = lesson(ONE_NEURON.replace("title", 'chain = "delta"\ntitle'))
    assert tutor.json("run", name, "--chain", "full")["conventions"]["chain"] == "full"


def test_errata_tell_what_follows_from_misprints_and_what_from_rounding(
    tutor: Tutor, lesson: Callable[[str], str]
) -> None:
    """0.4444² is 0.1975: from the rounded 0.20 the half is 0.10, from a wrong 0.25 it is 0.125."""
    head = 'format = 1\ntitle = "t"\ngivens = { x = 0.4444 }\n'
    rows = "".join(
        f'[[equations]]\nname = "{name}"\nformula = "{formula}"\n[[printed]]\nname = "{name}"\nvalue = "{value}"\n'
        for name, formula, value in [
            ("a", "x*x", "0.20"),
            ("b", "a/2", "0.100"),
            ("c", "x**2", "0.25"),
            ("d", "c/2", "0.125"),
        ]
    )
    shown = said(tutor, "errata", lesson(head + rows))
    assert "follow correctly from earlier misprints and are not counted again: d." in shown
    assert "follow correctly from the source's own rounded lines: b." in shown
    only_rounded = head + rows[: rows.index('[[equations]]\nname = "c"')]
    shown = said(tutor, "errata", lesson(only_rounded))
    assert "misprints" not in shown and "rounded lines: b." in shown
    assert "carried: follows correctly from the source's own earlier lines, rounded or wrong" in said(
        tutor, "run", "my.toml"
    )


THRESHOLDS = ONE_NEURON.replace("biases = [0.25]", "thresholds = [0.25]").replace("update_biases = true\n", "")


def test_thresholds_are_shown_as_what_they_are(tutor: Tutor, lesson: Callable[[str], str]) -> None:
    name = lesson(THRESHOLDS)
    shown = said(tutor, "run", name)
    assert "-1 ── theta1 = 0.25" in shown and "thresholds are updated too" in shown and "bias" not in shown
    narrated = said(tutor, "run", name, "--narrate")
    assert "its threshold is theta1 = 0.25, subtracted" in narrated and "bias" not in narrated


CONVENTIONS = {
    'optimizer = "momentum"': "gradient descent with momentum with learning rate eta = 0.5, in the averaged form v_new = beta·v + (1 - beta)·g;",
    'optimizer = "momentum"\nsettings = { classical = true }': "in the classical form v_new = beta·v + g;",
    "clip_value = 0.02": "every gradient beyond ±0.02 is clipped",
    "clip_norm = 1.5": "longer than 1.5 are clipped by norm",
    'schedule = "exponential"\nschedule_settings = { decay_rate = 0.2 }': "exponential schedule, eta = eta0·exp(-decay_rate·epoch) with decay_rate = 0.2",
    "rates = { o = 0.25 }": "layer o learns with 0.25·eta",
    "rates = { o = 0 }": "biases are not updated; gradient descent with learning rate eta = 0.5; layer o is frozen",
}


@pytest.mark.parametrize(("setting", "convention"), CONVENTIONS.items())
def test_the_conventions_say_what_one_needs_to_get_the_same_numbers(
    tutor: Tutor, lesson: Callable[[str], str], setting: str, convention: str
) -> None:
    text = ONE_NEURON.replace('optimizer = "sgd"\n', "" if "optimizer" in setting else 'optimizer = "sgd"\n')
    assert convention in said(tutor, "run", lesson(text + setting + "\n"), "--only", "forward")


def test_the_epoch_table_of_a_gate_fits_80_columns(tutor: Tutor) -> None:
    tutor("new", "gate.toml", "--kind", "perceptron")
    shown = tutor("run", "gate.toml", "--width", 80).stdout
    assert re.search(r"│ epoch │ example │ x1 │ x2 │ desired │ +s │ y │ error │ +W1 │ +W2 │", shown)
    wide = (tutor.folder / "gate.toml").read_text().replace('neurons = [{ sum = "s", output = "y" }]', "biases = [0.5]")
    (tutor.folder / "gate.toml").write_text(wide)
    shown = tutor("run", "gate.toml", "--width", 80).stdout
    assert re.search(r"│epoch│example│x1│x2│desired│ *out_in│out_out│error│ *W1│ *W2│ *b1│", shown)
    assert max(map(len, shown.splitlines())) <= 80


def test_clipping_reads_as_a_maximum_of_a_minimum(tutor: Tutor, lesson: Callable[[str], str]) -> None:
    name = lesson(ONE_NEURON + "clip_value = 0.02\nl1 = 0.5\n")
    steps = {step["name"]: step for step in tutor.json("run", name)["steps"]}
    assert steps["dE/dW1_clipped"]["formula"] == "max(-clip_value, min(clip_value, dE/dW1))"
    assert steps["E"]["formula"].endswith("l1*abs(W1)")
    assert "the smaller of (clip_value) and (dE/dW1)" in said(tutor, "run", name, "--narrate")


def test_no_minus_stands_before_a_plain_0(tutor: Tutor, lesson: Callable[[str], str]) -> None:
    """Cross-entropy with the target 0 has -(t/y), a penalty at the weight 0 asks for the sign of it."""
    text = """format = 1
title = "t"
network = { inputs = ["x"], loss = "cross_entropy", layers = [{ activation = "softmax", weights = [[0], [1]] }] }
examples = [{ inputs = [1], targets = [0, 1] }]
training = { learning_rate = 1, l1 = 0.1 }
"""
    shown = said(tutor, "run", lesson(text))
    assert not re.search(r"(?<![\d.\w)] )-0(?![.\d])", shown)
    assert "sign(0)" in shown


def test_a_sign_is_written_as_one_and_read_back(tutor: Tutor, lesson: Callable[[str], str]) -> None:
    """0 at 0, where |w| has no slope and programs take that."""
    text = 'format = 1\ntitle = "t"\ngivens = { w = -3, o = 0, u = 2 }\n[equations]\na = "5*sign(w)"\nb = "sign(o)"\nc = "sign(u - 1)"\n'
    steps = {step["name"]: step for step in tutor.json("run", lesson(text))["steps"]}
    assert [float(steps[name]["value"]) for name in "abc"] == [-5, 0, 1]
    assert [steps[name]["formula"] for name in "abc"] == ["5*sign(w)", "sign(o)", "sign(u - 1)"]
    assert "5 times the sign of (w)" in said(tutor, "run", lesson(text), "--narrate")
