"""What the program writes: never over what it reads, over what is no file, or over somebody else's work; and whole."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ONE_NEURON, ROOT, Tutor, in_this_process

from tutor.data.builtin import load
from tutor.data.source import source_of
from tutor.errors import TutorError
from tutor.files import Kind, Target, claim, written
from tutor.runs.run import go_on, load_run, save_run
from tutor.training.settings import Settings
from tutor.training.setup import set_up
from tutor.training.trainer import Checkpoints
from tutor.transcripts import record

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a matter of POSIX")
POINTS = "a,b,kind\n" + "".join(f"{n % 7},{n % 5},{'yes' if n % 2 else 'no'}\n" for n in range(40))
TABLE = Kind("a table", rb"name,value\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything that a command can read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "l.toml").write_text(ONE_NEURON)
    (tmp_path / "s.csv").write_text("name,answer\no_in,1.25\n")
    (tmp_path / "r.csv").write_text("id\nann\nbob\n")
    (tmp_path / "d.csv").write_text(POINTS)
    data = load("xor", 3)
    trainer = set_up(data, Settings(hidden=(2,), epochs=2))
    trainer.run()
    save_run(tmp_path / "run.npz", source_of("xor", None, 3), data, trainer)
    save_run(tmp_path / "run.json", source_of("xor", None, 3), data, trainer)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def typed(here: Path, monkeypatch: pytest.MonkeyPatch) -> Tutor:
    """A command in that folder, for which recording a transcript is no work."""
    monkeypatch.setattr(record, "make", lambda *given: RECORDED)
    return Tutor(here, in_this_process)


RECORDED = record.Pages(*((ROOT / "transcripts" / f"perceptron{e}").read_text() for e in (".md", ".json")))
WRITING: dict[str, tuple[str, ...]] = {
    "g.csv": ("check", "l.toml", "s.csv", "--ask", "o_in", "--gradebook", "g.csv"),
    "c.csv": ("check", "l.toml", "s.csv", "--ask", "o_in", "--platform", "canvas", "--gradebook", "c.csv"),
    "results.json": ("check", "l.toml", "s.csv", "--ask", "o_in", "--gradescope", "results.json"),
    "grading.json": ("check", "l.toml", "s.csv", "--ask", "o_in", "--prairielearn", "grading.json"),
    "fb/s.md": ("check", "l.toml", "s.csv", "--ask", "o_in", "--feedback", "fb"),
    "t.npz": ("train", "--data", "xor", "--hidden", "2", "--epochs", "2", "--save", "t.npz"),
    "t.json": ("train", "--data", "xor", "--hidden", "2", "--epochs", "2", "--save", "t.json"),
    "e.py": ("export", "run.npz", "--output", "e.py"),
    "p.csv": ("predict", "run.npz", "--data", "xor", "--csv", "p.csv"),
    "m.csv": ("compare", "--data", "xor", "--epochs", "2", "--seeds", "1", "--vary", "hidden=2|3", "--csv", "m.csv"),
    "transcripts/perceptron.md": ("transcript", "record", "perceptron"),
    "transcripts/perceptron.json": ("transcript", "record", "perceptron"),
    "new.toml": ("new", "new.toml"),
    "out/sheets/ann.csv": ("vary", "l.toml", "--roster", "r.csv", "--secret", "s", "--out", "out"),
    "out/problems/bob.toml": ("vary", "l.toml", "--roster", "r.csv", "--secret", "s", "--out", "out"),
}
"""A command for each kind of file, by the file that it writes."""


@pytest.mark.parametrize("name", WRITING)
def test_one_policy_for_files_that_exist(here: Path, typed: Tutor, name: str) -> None:
    """Its own result is replaced, unless people go on working in it; of anybody else it takes --force."""
    file, words = here / name, WRITING[name]
    code, _, said = typed(*words)
    assert code == 0 and file.is_file(), said
    result = file.read_bytes()
    code, _, said = typed(*words)
    if words[0] == "vary":
        assert code == 0 and file.read_bytes() == result, "what has been handed out stays as it is"
    elif name.endswith(".toml"):
        assert code == 2 and "may be your own work and would be replaced" in said and "--force" in said
    else:
        assert code == 0, said
    file.write_bytes(b"mine\n")
    before = sorted(here.rglob("*"))
    code, shown, said = typed(*words)
    assert code == 2 and not shown and len(said.splitlines()) == 1
    assert "exists" in said and "would be replaced; name another" in said and "--force" in said
    assert file.read_bytes() == b"mine\n" and sorted(here.rglob("*")) == before
    code, _, said = typed(*words, "--force")
    assert code == 0, said
    assert len(file.read_bytes()) > 5 and (file.read_bytes()[:10] == result[:10])


@pytest.mark.parametrize("name", WRITING)
@POSIX
def test_what_is_no_ordinary_file_is_never_written(here: Path, typed: Tutor, name: str) -> None:
    file, words = here / name, WRITING[name]
    file.parent.mkdir(parents=True, exist_ok=True)
    for make in (os.mkfifo, os.mkdir):
        make(file)
        code, _, said = typed(*words, "--force")
        assert code == 2 and "Traceback" not in said, said
        assert ("is not an ordinary file" if make is os.mkfifo else "is a folder") in said
        assert file.is_fifo() if make is os.mkfifo else file.is_dir()
        file.unlink() if make is os.mkfifo else file.rmdir()


SAME = {
    "itself": lambda old, new: None,
    "hard link": lambda old, new: os.link(old, new),
    "symbolic link": lambda old, new: new.symlink_to(old),
}


@POSIX
@pytest.mark.parametrize("how", SAME)
@pytest.mark.parametrize(
    "command",
    [
        ("l.toml", "check", "l.toml", "s.csv", "--gradebook"),
        ("s.csv", "check", "l.toml", "s.csv", "--gradescope"),
        ("r.csv", "check", "l.toml", "s.csv", "--roster", "r.csv", "--secret", "s", "--prairielearn"),
        ("d.csv", "compare", "--data", "d.csv", "--epochs", "1", "--csv"),
        ("run.npz", "predict", "run.npz", "--data", "xor", "--csv"),
        ("d.csv", "predict", "run.npz", "--data", "d.csv", "--csv"),
        ("run.npz", "export", "run.npz", "--output"),
        ("d.csv", "train", "--data", "d.csv", "--epochs", "1", "--save"),
    ],
    ids=" ".join,
)
def test_an_output_that_is_an_input_is_refused(here: Path, typed: Tutor, command: tuple[str, ...], how: str) -> None:
    name, *words = command
    ending = {"--output": ".py", "--save": ".npz"}.get(words[-1], "")
    if how == "itself" and ending:
        return  # its name is refused already
    output = here / (name if how == "itself" else f"other{ending}")
    SAME[how](here / name, output)
    before = (here / name).read_bytes()
    names = sorted(here.iterdir())
    for force in ([], ["--force"]):
        code, shown, said = typed(*words, output, *force)
        assert code == 2 and not shown and "is read by this command, so it is not written over" in said, said
    assert (here / name).read_bytes() == before and sorted(here.iterdir()) == names


def test_data_of_a_run_that_goes_on_are_an_input(here: Path, typed: Tutor) -> None:
    assert typed("train", "--data", "d.csv", "--epochs", "2", "--save", "a.npz")[0] == 0
    os.link(here / "d.csv", here / "b.npz")
    assert (
        "is read by this command"
        in typed("train", "--resume", "a.npz", "--epochs", "4", "--save", "b.npz", "--force")[2]
    )
    assert (here / "d.csv").read_text() == POINTS
    assert typed("train", "--resume", "a.npz", "--epochs", "4")[0] == 0
    assert len(load_run(here / "a.npz").heading.history) == 4


def test_two_outputs_are_two_files(here: Path, typed: Tutor) -> None:
    check = ("check", "l.toml", "s.csv", "--ask", "o_in")
    (here / "fb").mkdir()
    for words in (
        (*check, "--gradebook", "g.csv", "--gradescope", "./g.csv"),
        (*check, "--gradebook", "g.csv", "--gradescope", "G.CSV"),
        (*check, "--gradebook", "fb/s.md", "--feedback", "fb"),
        (*check[:2], "s.csv", "d.csv", "--gradescope", "out", "--prairielearn", "out"),
        ("predict", "run.npz", "--data", "xor", "--csv", "-", "--json"),
        ("compare", "--data", "xor", "--csv", "-", "--json"),
    ):
        code, shown, said = typed(*words, "--force")
        assert code == 2 and not shown and "would both write" in said, (words, said)
    assert typed(*check, "--gradescope", "g.json", "--gradebook", "fb/g.csv", "--feedback", "fb")[0] == 0
    assert names(here / "fb") == ["earlier", "g.csv", "s.md"]


def test_a_dash_is_standard_output_where_a_table_or_a_script_is_printed(here: Path, typed: Tutor) -> None:
    for words, begins in (
        (("predict", "run.npz", "--data", "xor", "--csv", "-"), "example,class,"),
        (("compare", "--data", "xor", "--epochs", "2", "--seeds", "1", "--csv", "-"), "seed,training_loss,"),
        (("export", "run.npz", "--output", "-"), '"""A 2-2-1 network'),
    ):
        code, shown, _ = typed(*words)
        assert code == 0 and shown.startswith(begins) and "\r" not in shown
    for option in ("--gradebook", "--gradescope", "--feedback"):
        code, _, said = typed("check", "l.toml", "s.csv", option, "-")
        assert code == 2 and "give it a name instead of -" in said
    assert not (here / "-").exists()


def test_the_files_behind_standard_input_and_output_are_in_use(tutor: Tutor) -> None:
    (tutor.folder / "l.toml").write_text(ONE_NEURON)
    sheet = tutor.folder / "s.csv"
    sheet.write_text("name,answer\no_in,1.25\n")
    command = [sys.executable, "-m", "tutor", "check", "l.toml", "-", "--gradebook"]
    with sheet.open() as given, (tutor.folder / "out.txt").open("w") as shown:
        for name, said in (("s.csv", "is standard input"), ("out.txt", "is standard output")):
            done = subprocess.run(
                [*command, name, "--force"],
                stdin=given,
                stdout=shown,
                stderr=subprocess.PIPE,
                text=True,
                cwd=tutor.folder,
            )
            assert done.returncode == 2 and said in done.stderr, done.stderr
    assert sheet.read_text() == "name,answer\no_in,1.25\n"


def test_where_nothing_can_be_written_is_said_before_the_work(here: Path, typed: Tutor) -> None:
    check = ("check", "l.toml", "s.csv")
    for words, part in (
        ((*check, "--gradebook", "no/g.csv"), "the folder"),
        ((*check, "--gradebook", "s.csv/g.csv"), "cannot be written"),
        ((*check, "--feedback", "r.csv"), "is no folder"),
        ((*check, "--feedback", "r.csv/deep/er"), "is no folder"),
        ((*check, "--gradebook", ""), "is a folder; name a file in it"),
        (("new", "x" * 300 + ".toml"), "cannot be written"),
        (("train", "--data", "xor", "--save", "no/r.npz"), "the folder"),
    ):
        code, shown, said = typed(*words)
        assert code == 2 and part in said and not shown and len(said.splitlines()) == 1, (words, said)


@POSIX
def test_a_symbolic_link_stays_and_its_end_is_written(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "far" / "t.csv")
    for text in ("name,value\n", "name,value\nx,1\n"):  # first the end is not there
        claim([Target("--csv", link, TABLE)])
        with written(link) as file:
            file.write(text)
        assert link.is_symlink() and (tmp_path / "far" / "t.csv").read_text() == text
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(TutorError, match="cannot be written"):
        claim([Target("--csv", loop, TABLE)])
    with pytest.raises(TutorError, match="cannot be written"), written(loop) as file:
        file.write("lost")


@POSIX
def test_a_new_file_has_the_mode_of_the_umask_and_a_replaced_one_hands_its_own_on(tmp_path: Path) -> None:
    path, before = tmp_path / "t.csv", os.umask(0o027)
    try:
        for mode in (None, 0o604, 0o600):
            if mode:
                path.chmod(mode)
            with written(path) as file:
                file.write("x")
            assert stat.S_IMODE(path.stat().st_mode) == (mode or 0o640)
    finally:
        os.umask(before)


def test_gradebooks_of_platforms_are_not_taken_for_ours(here: Path, typed: Tutor) -> None:
    """What a teacher has exported begins as ours does, and has more columns."""
    words = WRITING["c.csv"]
    assert typed(*words)[0] == 0
    first, rest = (here / "c.csv").read_text().split("\n", 1)
    (here / "c.csv").write_text(f"{first},Exam (77)\n{rest}")
    assert typed(*words)[0] == 2
    assert "Exam" in (here / "c.csv").read_text()


def test_unfinished_files_of_others_are_left_alone(tmp_path: Path) -> None:
    """Two write the same file at once: both succeed, and the later one's is what is there."""
    path = tmp_path / "t.csv"
    with written(path) as first:
        first.write("first")
        with written(path) as second:
            second.write("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" and names(tmp_path) == ["t.csv"]


def test_two_trainings_may_save_into_one_file(tutor: Tutor) -> None:
    words = ["train", "--data", "moons", "--hidden", "3", "--epochs", "60", "--checkpoint", "2", "--save", "r.npz"]
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "tutor", *words, "--seed", str(seed)],
            cwd=tutor.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for seed in (1, 2)
    ]  # fmt: skip
    for child in both:
        _, said = child.communicate(timeout=100)
        assert child.returncode == 0 and "No checkpoint" not in said, said
    assert len(load_run(tutor.folder / "r.npz").heading.history) == 60
    assert names(tutor.folder) == ["r.npz"]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, binary: bool
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old")

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(failing, full)
    with pytest.raises(TutorError, match=r"t\.csv' cannot be written: No space left"), written(path, binary) as file:
        file.write(b"new" if binary else "new")
    monkeypatch.undo()
    assert path.read_text() == "old" and names(tmp_path) == ["t.csv"]


@POSIX
@pytest.mark.parametrize("name", ["g.csv", "results.json", "fb/s.md", "t.npz", "t.json", "e.py", "p.csv", "new.toml"])
def test_a_disk_that_is_full_in_the_middle(here: Path, name: str) -> None:
    """A child may write no file of more than 20 bytes: the first piece that is written fails, as on a full disk."""
    import resource

    done = subprocess.run(
        [sys.executable, "-m", "tutor", *WRITING[name]],
        cwd=here, capture_output=True, text=True, timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20)),
    )  # fmt: skip
    assert done.returncode == 2 and f"{Path(name).name}' cannot be written: File too large" in done.stderr, done.stderr
    assert not (here / name).exists() and not list(here.rglob("*.part"))


@POSIX
def test_files_are_written_where_nobody_reads_what_is_printed(here: Path) -> None:
    """`tutor check … --json | head -1`: the pipe is closed when the first sheets are printed."""
    (here / "sheets").mkdir()
    for number in range(40):
        (here / "sheets" / f"s{number}.csv").write_text("name,answer\no_in,1.25\n")
    words = ["check", "l.toml", "sheets", "--json", "--gradebook", "g.csv", "--feedback", "fb"]
    for unbuffered in ("", "1"):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "tutor", *words], cwd=here, stdout=writing, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, timeout=100,
        )  # fmt: skip
        os.close(writing)
        assert not done.stderr, done.stderr
        assert len((here / "g.csv").read_text().splitlines()) == 41 and len(names(here / "fb")) == 41  # and those kept
        (here / "g.csv").unlink()


def test_what_fails_elsewhere_is_not_told_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(BrokenPipeError), written(tmp_path / "t.csv") as file:
        file.write("x")
        raise BrokenPipeError(errno.EPIPE, "of standard output")
    assert not names(tmp_path)


def test_results_are_shown_even_where_they_cannot_be_saved(
    here: Path, typed: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    code, shown, said = typed("train", "--data", "xor", "--epochs", "3", "--save", "n.npz")
    assert code == 2 and "3 updates" in shown and "n.npz' cannot be written: No space left" in said
    assert not (here / "n.npz").exists() and not list(here.glob(".tutor*"))


def test_a_training_goes_on_where_a_checkpoint_cannot_be_saved(
    here: Path, typed: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, calls = os.fsync, [0]

    def full_at_first(number: int) -> None:
        calls[0] += 1
        if calls[0] < 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(number)

    monkeypatch.setattr("os.fsync", full_at_first)
    code, _, said = typed("train", "--data", "xor", "--epochs", "8", "--checkpoint", "2", "--save", "n.npz")
    assert code == 0 and said.count("No checkpoint after epoch") == 2 and "No space left" in said, said
    assert len(load_run(here / "n.npz").heading.history) == 8 and not list(here.glob(".tutor*"))


@pytest.mark.parametrize("hidden", [(4,), (40, 40)], ids=["straight-line", "matrix"])
def test_a_checkpoint_goes_on_to_the_same_bits(tmp_path: Path, hidden: tuple[int, ...]) -> None:
    """Whether the network is measured in that epoch or not; the numbers are those of a training never stopped."""
    wanted = Settings(hidden=hidden, epochs=130, batch_size=50, optimizer="adam", seed=4)
    data, source = load("moons", 4), source_of("moons", None, 4)
    whole = set_up(data, wanted)
    whole.run()
    trainer, kept = set_up(load("moons", 4), wanted), []

    def keep(reached: Any) -> None:
        kept.append(len(reached.history))
        save_run(tmp_path / f"{kept[-1]}.npz", source, data, trainer, reached)

    trainer.checkpoints = Checkpoints(26, keep)
    trainer.run()
    assert kept == [26, 52, 78, 104] and trainer.result.ended == whole.result.ended
    last = tmp_path / "104.npz"
    for number in (26, 78):
        _, _, resumed = go_on(tmp_path / f"{number}.npz", None)
        resumed.run()
        assert resumed.engine.vector.tobytes() == whole.engine.vector.tobytes() == trainer.engine.vector.tobytes()
        assert resumed.result.history == whole.result.history
    assert load_run(last).heading.interrupted and load_run(last).heading.ended == "interrupted after epoch 104"


def test_checkpoints_belong_to_a_run_that_is_saved(here: Path, typed: Tutor) -> None:
    code, _, said = typed("train", "--data", "xor", "--checkpoint", "5")
    assert code == 2 and "add --save FILE" in said
    assert typed("train", "--data", "xor", "--checkpoint", "0", "--save", "n.npz")[0] == 2
    diverges = ("train", "--data", "sine", "--hidden", "0", "--optimizer", "sgd", "--learning-rate", "3")
    code, _, said = typed(*diverges, "--epochs", "900", "--checkpoint", "1", "--save", "n.npz")
    assert code == 1 and "n.npz has the last checkpoint" in said, said
    assert load_run(here / "n.npz").heading.interrupted
    code, _, said = typed(*diverges, "--epochs", "900", "--checkpoint", "890", "--save", "no.npz")
    assert code == 1 and "nothing was saved in no.npz" in said and not (here / "no.npz").exists(), said
    assert typed("train", "--resume", "run.npz", "--epochs", "6", "--checkpoint", "1")[0] == 0


LISTENING = """import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from tutor.__main__ import main
sys.exit(main())
"""


def stopped(folder: Path, number: int, until: Callable[[], bool], *words: str, group: bool = False) -> tuple[int, str]:
    """A command in a process group of its own, sent a signal once `until` holds: how it ended and what it said."""
    child = subprocess.Popen(
        [sys.executable, "-c", LISTENING, *words], cwd=folder, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        last = time.monotonic() + 60
        while not until():
            assert child.poll() is None and time.monotonic() < last, child.communicate()
            time.sleep(0.02)
        (os.killpg if group else os.kill)(child.pid, number)
        said, _ = child.communicate(timeout=60)
        assert not _alive(child.pid), "a process that worked for it is still there"
        return child.returncode, said
    finally:
        if _alive(child.pid):
            os.killpg(child.pid, signal.SIGKILL)


def _alive(group: int) -> bool:
    """Whether a process of the group is left; those that are ending have three seconds."""
    for _ in range(60):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


ENDS = {name: getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}


@POSIX
@pytest.mark.parametrize("name", ENDS)
def test_what_was_reached_is_kept_whatever_ends_the_training(tmp_path: Path, name: str) -> None:
    run, number = tmp_path / "r.npz", ENDS[name]
    words = ["train", "--data", "moons", "--hidden", "3", "--epochs", "1000000", "--checkpoint", "5", "--save", "r.npz"]
    code, said = stopped(tmp_path, number, run.exists, *words)
    assert code == 128 + number and "go on with `tutor train --resume r.npz`" in said and "Traceback" not in said, said
    assert names(tmp_path) == ["r.npz"]
    done = len(load_run(run).heading.history)
    _, _, resumed = go_on(run, done + 10)
    resumed.run()
    whole = set_up(load("moons", 0), Settings(hidden=(3,), epochs=done + 10))
    whole.run()
    assert resumed.engine.vector.tobytes() == whole.engine.vector.tobytes()


@POSIX
@pytest.mark.parametrize("group", [False, True], ids=["it alone", "with its workers"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_class_that_is_broken_off_leaves_nothing_unfinished(tmp_path: Path, name: str, group: bool) -> None:
    (tmp_path / "l.toml").write_text(ONE_NEURON)
    (tmp_path / "sheets").mkdir()
    for number in range(1_500):
        (tmp_path / "sheets" / f"s{number}.csv").write_text(f"name,answer\no_in,1.{number}\nE,0.0{number}1\n")
    words = ["check", "l.toml", "sheets", "--gradebook", "g.csv", "--feedback", "fb", "--jobs", "2"]
    begun = lambda: any((tmp_path / "fb").glob("*.md"))  # noqa: E731
    code, said = stopped(tmp_path, ENDS[name], begun, *words, group=group)
    assert code == 128 + ENDS[name] and "Traceback" not in said, said
    assert not (tmp_path / "g.csv").exists() and not list(tmp_path.rglob("*.part"))
    assert all(path.read_text().endswith("|\n") for path in (tmp_path / "fb").glob("*.md"))


@POSIX
@pytest.mark.parametrize("name,group", [("SIGINT", True), ("SIGTERM", False), ("SIGTERM", True), ("SIGHUP", True)])
def test_what_is_compared_is_reported_whatever_ends_it(tmp_path: Path, name: str, group: bool) -> None:
    started = time.monotonic()
    words = ["compare", "--data", "xor", "--epochs", "100000000", "--seeds", "2", "--jobs", "2", "--csv", "runs.csv"]
    code, said = stopped(tmp_path, ENDS[name], lambda: time.monotonic() > started + 5, *words, group=group)
    assert (
        code == 128 + ENDS[name] and "Incomplete: interrupted after 0 of 2 runs" in said and "Traceback" not in said
    ), said
    assert (tmp_path / "runs.csv").read_text().startswith("seed,training_loss")


@POSIX
def test_a_terminal_that_closes_takes_nothing_with_it(tmp_path: Path) -> None:
    """It sends SIGHUP, and after that nothing can be shown."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        words = ["train", "--data", "moons", "--epochs", "1000000", "--checkpoint", "5", "--save", "r.npz"]
        os.execv(sys.executable, [sys.executable, "-m", "tutor", *words])
    try:
        last = time.monotonic() + 60
        while not (tmp_path / "r.npz").exists():
            assert time.monotonic() < last
            time.sleep(0.02)
        reached = len(load_run(tmp_path / "r.npz").heading.history)
        os.close(terminal)
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            assert time.monotonic() < last
            time.sleep(0.02)
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(ended[1]) == 128 + signal.SIGHUP
    assert len(load_run(tmp_path / "r.npz").heading.history) >= reached and names(tmp_path) == ["r.npz"]


LARGE = """import sys, time
from tutor.processes import workers
with workers(2) as pool:
    results = [pool.submit(bytes, 3_000_000) for _ in range(40)]
    time.sleep(float(sys.argv[1]))
    raise KeyboardInterrupt
"""


@POSIX
@pytest.mark.parametrize("wait", ["0.02", "0.03", "0.05"])
def test_processes_that_end_in_the_middle_of_a_result_are_not_waited_for(wait: str) -> None:
    """What each sends is more than a pipe holds, so that nearly always one of them has sent a part."""
    done = subprocess.run([sys.executable, "-c", LARGE, wait], capture_output=True, text=True, timeout=30)
    assert done.returncode and done.stderr.endswith("KeyboardInterrupt\n"), done.stderr
