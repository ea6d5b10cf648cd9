"""Saved runs: the same bits after a pause, files that are not believed, and networks in use."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from test_check import LISTENING
from variants import VARIANTS, named, typed

from tutor.data.builtin import load
from tutor.data.read_table import read_csv
from tutor.data.source import source_of
from tutor.errors import TutorError
from tutor.maths.optimizers import OPTIMIZERS
from tutor.runs.predict import new_examples, outputs_of, predict
from tutor.runs.run import go_on, load_run, save_run
from tutor.training.settings import Settings
from tutor.training.setup import set_up
from tutor.training.trainer import Trainer

Array = Any
SMALL = {"hidden": (4,), "batch_size": 60, "seed": 3, "learning_rate": 0.02}


def trained(data: str, path: Path, **settings: Any) -> Trainer:
    wanted = Settings(**{**SMALL, **settings})
    found = load(data, wanted.seed)
    trainer = set_up(found, wanted)
    trainer.run()
    save_run(path, source_of(data, None, wanted.seed), found, trainer)
    return trainer


def bits(trainer: Trainer) -> dict[str, Any]:
    """Everything that a training comes to, but its times."""
    result = trainer.result
    states = {"last": result.last, "now": trainer.engine.state(), "best": result.best[2] if result.best else {}}
    found: dict[str, Any] = {
        f"{which}.{name}": value.tobytes() if isinstance(value, np.ndarray) else value
        for which, state in states.items()
        for name, value in state.items()
    }
    found["history"] = [(e.loss.hex(), e.accuracy, e.validation_loss) for e in result.history]
    return found | {"best": result.best and result.best[:2], "ended": result.ended}


RICH = {"hidden": (4, 4), "dropout": 0.2, "batch_norm": True, "residual": True, "validation": 0.3, "patience": 4}
PAUSES: list[dict[str, Any]] = [
    *({"optimizer": name, "optimizer_setting": typed(settings)} for name, settings in VARIANTS),
    {"schedule": "step", "schedule_setting": {"every": "2"}},
    {"schedule": "cosine", "schedule_setting": {"epochs": "7"}},
    {"schedule": "inverse_time", "l1": 0.01, "l2": 0.02, "clip_norm": 0.1},
    {"normalize": "zscore", "dropconnect": 0.2, "shuffle": False, "clip_value": 0.05},
    {**RICH, "stochastic_depth": 0.3, "normalize": "minmax"},
    {**RICH, "optimizer": "adaptive_sign", "patience": 1, "learning_rate": 0.5},
]


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize("ending", ["npz", "json"])
@pytest.mark.parametrize("settings", PAUSES, ids=lambda s: "-".join(map(str, s.values()))[:40])
def test_a_training_goes_on_to_the_same_bits(
    tmp_path: Path, settings: dict[str, Any], arithmetic: str, ending: str
) -> None:
    path = tmp_path / f"run.{ending}"
    data = "iris" if "hidden" in settings or ending == "json" else "moons"
    settings = {**settings, "arithmetic": arithmetic}
    whole = trained(data, tmp_path / "whole.npz", **settings, epochs=7)
    trained(data, path, **settings, epochs=3)
    source, found, paused = go_on(path, 7)
    paused.run()
    assert bits(paused) == bits(whole)
    save_run(path, source, found, paused)
    again, once = load_run(path), load_run(tmp_path / "whole.npz")
    assert again.heading.history == once.heading.history and again.trained[1] == once.trained[1]
    kept, there = again.trained[0]["vector"], once.trained[0]["vector"]
    assert kept.tobytes() == there.tobytes() == whole.engine.vector.tobytes()


@pytest.mark.parametrize("arithmetic", ["reproducible", "fast"])
@pytest.mark.parametrize(("optimizer", "form"), VARIANTS, ids=named)
def test_straight_line_code_goes_on_to_the_same_bits(
    tmp_path: Path, optimizer: str, form: dict[str, Any], arithmetic: str
) -> None:
    settings = {"hidden": (2,), "batch_size": 1, "optimizer": optimizer, "optimizer_setting": typed(form)}
    settings |= {"arithmetic": arithmetic, "schedule": "constant" if OPTIMIZERS[optimizer].adapts_rate else "step"}
    whole = trained("xor", tmp_path / "whole.npz", **settings, epochs=25)
    trained("xor", tmp_path / "r.json", **settings, epochs=11)
    _, _, paused = go_on(tmp_path / "r.json", 25)
    paused.run()
    assert paused.engine.name == "straight-line" and bits(paused) == bits(whole)


def test_single_precision_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    settings = {"hidden": (700, 20), "arithmetic": "fast", "batch_norm": True, "batch_size": 1000}
    whole = trained("digits", tmp_path / "whole.npz", **settings, epochs=3)
    trained("digits", tmp_path / "r.npz", **settings, epochs=2)
    _, _, paused = go_on(tmp_path / "r.npz", 3)
    paused.run()
    assert whole.engine.vector.dtype == np.float32 and bits(paused) == bits(whole)


def test_the_same_run_is_written_as_the_same_bytes(tmp_path: Path) -> None:
    for ending in ("npz", "json"):
        trainer = trained("xor", tmp_path / f"a.{ending}", epochs=2)
        save_run(tmp_path / f"b.{ending}", source_of("xor", None, 3), load("xor", 3), trainer)
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
        assert sorted(p.name for p in tmp_path.iterdir() if p.suffix == f".{ending}") == [f"a.{ending}", f"b.{ending}"]
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert json.loads(archive["run"].tobytes())["program"] == "tutor"


OPTIONS = ("--data", "moons", "--batch-size", "40", "--seed", "2", "--hidden", "4")


def test_ctrl_c_keeps_the_run_and_it_goes_on_to_the_same_bits(tutor: Tutor) -> None:
    """A process is stopped by a real signal in the middle of 400 epochs."""
    whole = tutor.json("train", *OPTIONS, "--epochs", "400")
    command = [sys.executable, "-c", LISTENING, "train", *OPTIONS, "--epochs", "400", "--save", "r.npz"]
    # A file that comes into being when the first epochs are over tells when to stop it.
    slow = (
        "import tutor.training.trainer as t, pathlib, time; old = t.Trainer._several_epochs\n"
        "def several(self):\n    old(self); self.done > 20 and pathlib.Path('far').touch(); time.sleep(0.001)\n"
        "t.Trainer._several_epochs = several\n"
    )
    command[2] = slow + LISTENING
    child = subprocess.Popen(
        command, cwd=tutor.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        while not (tutor.folder / "far").exists():
            assert child.poll() is None, child.communicate()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 130 and "tutor train --resume r.npz" in said and "Traceback" not in said, said
    assert 20 < len(load_run(tutor.folder / "r.npz").heading.history) < 400
    resumed = tutor.json("train", "--resume", "r.npz")
    for told in (resumed, whole):
        del told["advice"]["commands"]  # one goes on with the file, the other begins anew
    assert {**resumed, "seconds": 0} == {**whole, "seconds": 0}
    assert tutor("train", "--resume", "r.npz").returncode == 2


def test_ctrl_c_without_a_file_says_that_nothing_is_kept(tutor: Tutor) -> None:
    """The interruption comes while the network is measured, between two epochs."""
    code = (
        "import tutor.training.trainer as t; old = t.Trainer.measure\n"
        "def stop(self, places):\n    t.Trainer.measure = old; raise KeyboardInterrupt\n"
        "t.Trainer.measure = stop\n"
    )
    command = [sys.executable, "-c", code + LISTENING, "train", *OPTIONS, "--validation", "0.2", "--json"]
    done = subprocess.run(command, cwd=tutor.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 130 and "nothing was kept" in done.stderr and "Traceback" not in done.stderr
    assert json.loads(done.stdout)["epochs"] == 0


def test_an_interruption_goes_back_to_whole_epochs(tmp_path: Path) -> None:
    wanted = Settings(**SMALL, epochs=9, validation=0.2, patience=5)
    data = load("moons", 3)
    trainer, measured = set_up(data, wanted), Trainer._measured

    def stop(epoch: Any) -> Any:
        found = measured(trainer, epoch)  # the best state has been noted already
        if epoch.number == 4:
            raise KeyboardInterrupt
        return found

    trainer._measured = stop  # type: ignore[method-assign]
    assert trainer.run().interrupted and trainer.done == 3
    save_run(tmp_path / "r.npz", source_of("moons", None, 3), data, trainer)
    _, _, paused = go_on(tmp_path / "r.npz", None)
    paused.run()
    assert bits(paused) == bits(trained("moons", tmp_path / "w.npz", epochs=9, validation=0.2, patience=5))


def test_what_goes_with_resume_and_what_does_not(tutor: Tutor) -> None:
    save = tutor("train", *OPTIONS, "--epochs", "4", "--schedule", "cosine", "--save", "r.npz")
    assert save.returncode == 0 and "Saved in r.npz" in save.stderr
    (tutor.folder / "other.npz").write_bytes(b"mine")
    for arguments, said in (
        (["--data", "moons"], "--data is settled in the saved run"),
        (["--seed", "3"], "--seed is settled"),
        (["--learning-rate", "3"], "--learning-rate is settled"),
        (["--no-shuffle"], "--shuffle is settled"),
        (["--epochs", "3"], "has 4 epochs behind it already"),
        ([], "train more with --epochs 8"),
        (["--epochs", "6", "--save", "other.npz"], "is not a saved run of this program"),
        (["--epochs", "6", "--save", "other"], "the ending .npz"),
        (["--epochs", "6", "--save", "nowhere/r.npz"], "the folder"),
    ):
        done = tutor("train", "--resume", "r.npz", *arguments)
        assert done.returncode == 2 and said in done.stderr and not done.stdout, (arguments, done.stderr)
    assert (tutor.folder / "other.npz").read_bytes() == b"mine"
    more = tutor("train", "--resume", "r.npz", "--epochs", "6", "--save", "s.json")
    assert more.returncode == 0 and "cosine schedule runs over all epochs, now 6" in more.stderr
    assert len(load_run(tutor.folder / "r.npz").heading.history) == 4
    assert tutor("train", "--resume", "s.json", "--epochs", "7").returncode == 0  # kept in the same file
    assert len(load_run(tutor.folder / "s.json").heading.history) == 7
    assert tutor("train").returncode == 2
    lost = tutor("train", *OPTIONS[:2], "--optimizer", "sgd", "--activation", "relu", "--learning-rate", "1e200", "--save", "l.npz")  # fmt: skip
    assert lost.returncode == 1 and "diverged, so nothing was saved" in lost.stderr
    assert not (tutor.folder / "l.npz").exists()


def table(rows: list[tuple[float, float, str]], heading: str = "a,b,kind") -> str:
    return "".join(f"{line}\n" for line in [heading, *(f"{a},{b},{c}" for a, b, c in rows)] if line)


def test_a_schedule_without_a_rate_is_named(tmp_path: Path) -> None:
    settings = {"decay_rate": "-1"}
    with pytest.raises(TutorError, match="the inverse_time schedule has no learning rate for epoch"):
        trained("xor", tmp_path / "r.npz", schedule="inverse_time", schedule_setting=settings, epochs=4)


POINTS = [(a / 10, (a * 7 % 5) / 5, "yes" if a > 0 else "no") for a in range(-20, 21) if a]


def test_the_data_of_a_run_have_to_be_the_same(tutor: Tutor) -> None:
    path = tutor.folder / "d.csv"
    path.write_text(table(POINTS))
    assert tutor("train", "--data", "d.csv", "--epochs", "2", "--save", "r.npz").returncode == 0
    assert tutor("train", "--resume", "r.npz", "--epochs", "3").returncode == 0
    source = load_run(tutor.folder / "r.npz").heading.source
    assert source.name == "d.csv" and source.size == path.stat().st_size and source.sha256
    path.write_text(table(POINTS).replace("0.2,", "0.3,", 1))
    changed = tutor("train", "--resume", "r.npz", "--epochs", "4")
    assert changed.returncode == 2 and "has changed since" in changed.stderr
    path.unlink()
    gone = tutor("train", "--resume", "r.npz", "--epochs", "4")
    assert gone.returncode == 2 and "which is not there" in gone.stderr


def heading_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def changed(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    found = heading_of(path)
    change(found)
    result = path.with_name("changed.json")
    result.write_text(json.dumps(found))
    return result


def put(*keys: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: Any) -> None:
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value

    return change


def drop(*keys: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: Any) -> None:
        for key in keys[:-1]:
            found = found[key]
        del found[keys[-1]]

    return change


HUGE = 10**30
WRONG = [
    (put("format", value=2), "newer tutor, in format 2"),
    (put("format", value="1"), "is in another format"),
    (put("format", value=[[1]]), "is in another format"),
    (drop("format"), "is in another format"),
    (put("program", value="other"), "is no saved run"),
    (drop("program"), "is no saved run"),
    (put("surprise", value=1), "surprise"),
    (drop("shape"), "shape"),
    (put("settings", "surprise", value=1), "unknown setting 'surprise'"),
    (put("settings", "hidden", value="4"), "hidden"),
    (put("settings", "optimizer", value="adma"), "did you mean 'adam'"),
    (put("settings", "optimizer", value="sgd"), "'state_"),
    (put("settings", "seed", value=HUGE), ""),
    (put("settings", "seed", value=-1), "--seed"),
    (put("settings", "seed", value=10**18), "--seed has at most 18 digits"),
    (put("settings", "seed", value=10**400), ""),
    (put("settings", "epochs", value=10**400), ""),
    (put("settings", "epochs", value=10**19), "--epochs has at most 18 digits"),
    (put("settings", "epochs", value="9"), "epochs"),
    (put("settings", "epochs", value=2), "3 epochs of at most 2"),
    (put("settings", "batch_size", value=0), "--batch-size"),
    (put("settings", "hidden", value=[10**9]), "more than 50,000,000 parameters"),
    (put("settings", "hidden", value=[1] * 1001), "--hidden has at most 1,000 layers"),
    (put("settings", "hidden", value=[5]), "'sizes' of 'shape' is not what the settings"),
    (put("settings", "hidden", value=[4, 4]), "'sizes' of 'shape'"),
    (put("settings", "hidden", value=[]), "'sizes' of 'shape'"),
    (put("settings", "activation", value="relu"), "'activations' of 'shape'"),
    (put("settings", "output_activation", value="tanh"), "'activations' of 'shape'"),
    (put("settings", "loss", value="squared_error"), "'loss' of 'shape'"),
    (put("settings", "batch_norm", value=True), "'batch_norm' of 'shape'"),
    (put("shape", "batch_norm", value=True), "'batch_norm' of 'shape'"),
    (put("shape", "residual", value=True), "'residual' of 'shape'"),
    (put("settings", "rule", value="perceptron"), "--hidden 0"),
    (put("source", "seed", value="1"), "seed"),
    (put("settings", "normalize", value=""), "'scaling'"),
    (put("settings", "optimizer_setting", value={"beta1": "import os"}), "beta1 is to be a number"),
    (put("settings", "optimizer_setting", value={"beta1": "1/3"}), "beta1 is to be a number"),
    (put("shape", "sizes", value=[2, HUGE, 1]), "'sizes'"),
    (put("shape", "sizes", value=[2, 10**17, 1]), "'sizes'"),
    (put("shape", "sizes", value=[2, -4, 1]), "'sizes'"),
    (put("shape", "sizes", value=[]), "'sizes'"),
    (put("shape", "activations", value=["step", "sigmoid"]), "'activations'"),
    (put("shape", "loss", value="cross_entropy"), "'loss'"),
    (put("features", value=["a"]), "'sizes' of 'shape'"),
    (put("features", value=[]), "there have to be features"),
    (put("classes", value=["a", "b", "c"]), "'sizes' of 'shape'"),
    (put("classes", value=["a"]), "no classes or several"),
    (put("classes", value=[1, 2]), "classes"),
    (put("classes", value=[]), "'activations' of 'shape'"),
    (put("classes", value=["a", "a"]), "the same name"),
    (put("image", value=[3, 3]), "no image"),
    (put("scaling", "scale", value=[1, 0]), "nothing can be divided by"),
    (put("scaling", "scale", value=[1] * 3), "a shift and a scale for each"),
    (put("scaling", "name", value="unit"), "'scaling'"),
    (put("scaling", value=None), "'scaling'"),
    (put("seconds", value=-1), "'seconds'"),
    (put("history", 0, 0, value="nan"), "history"),
    (put("scaling", "shift", value=[1]), "a shift and a scale for each"),
    (put("history", value=[[1, 2]]), "history"),
    (put("history", value=[[1, None, None, None]] * 9), "9 epochs of at most 3"),
    (put("best", value=[1, 9]), "best epoch"),
    (put("best", value=[1, 2]), "'numbers'"),
    (drop("arrays", "last.state_m"), "'state_m' is missing"),
    (drop("arrays", "initial.vector"), ""),
    (put("arrays", "last.more", value={"dtype": "float64", "shape": [1], "values": [1]}), "'more' is unknown"),
    (put("arrays", "else", value={"dtype": "float64", "shape": [1], "values": [1]}), "belongs to nothing"),
    (put("arrays", "last.vector", "shape", value=[3]), "does not fit"),
    (put("arrays", "last.vector", value={"dtype": "float64", "shape": [2], "values": [1, 2]}), "'vector'"),
    (put("arrays", "last.vector", "values", 0, value=None), "values"),
    (put("arrays", "last.vector", "values", 0, value="__import__('os')"), "values"),
    (put("arrays", "last.vector", "dtype", value="object"), "'object'"),
    (put("arrays", "last.vector", "shape", value=[HUGE, 0]), ""),
    (put("arrays", "last.vector", "shape", value=[[1]]), "shape"),
    (put("arrays", "last.vector", "dtype", value="complex128"), "'complex128'"),
    (put("arrays", "last.vector", "dtype", value=">f8"), "'>f8'"),
    (put("arrays", "last.vector", "dtype", value="float16"), "'float16'"),
    (put("arrays", value=[1]), "arrays"),
    (put("numbers", "last", "updates", value=-1), "whole number"),
    (put("numbers", "last", "updates", value=1.5), "whole number"),
    (put("numbers", "last", value={}), "'updates' is missing"),
    (put("numbers", value={}), ""),
]


def test_what_is_wrong_in_a_file_is_named(tmp_path: Path) -> None:
    """Hidden text of a file reaches nobody unescaped, and nothing of it is taken for code."""
    path = tmp_path / "r.json"
    trained("moons", path, epochs=3, normalize="zscore")
    for change, said in WRONG:
        with pytest.raises(TutorError) as caught:
            load_run(changed(path, change))
        assert "changed.json" in str(caught.value) and said in str(caught.value), (said, str(caught.value))
    raw = path.read_text()
    for text in ("", "[]", "nul", "[" * 100_000, raw[:-40], raw.replace('"loss"', '"los\\u001b[2Js"', 1), "\x00" * 50):
        (tmp_path / "b.json").write_text(text)
        with pytest.raises(TutorError):
            load_run(tmp_path / "b.json")
    (tmp_path / "i.json").write_text(raw.replace("-0.", "1e999, -0.", 1))
    with pytest.raises(TutorError):
        load_run(tmp_path / "i.json")


def test_text_of_a_file_reaches_the_terminal_without_its_control_characters(tutor: Tutor) -> None:
    path = tutor.folder / "r.json"
    trained("moons", path, epochs=1)
    hostile = ["\x1b]0;owned\x07", "[red]\u202e"]
    bad = changed(path, put("settings", "x\x1b[2J", value=1))
    done = tutor("predict", bad, "--data", "moons")
    assert done.returncode == 2 and "\x1b" not in done.stderr and "Traceback" not in done.stderr
    good = changed(path, put("classes", value=hostile))
    (tutor.folder / "d.csv").write_text("x1,x2,y\n1,2,[red]\u202e\n2,3,[red]\u202e\n")
    for options in (["--width", "40"], ["--width", "160"], ["--narrate"]):
        done = tutor("predict", good, "--data", "d.csv", *options)
        assert done.returncode == 0 and "[red]" in done.stdout, done.stderr
        assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout)


def npz(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return path


def member(header: str, body: bytes = b"") -> bytes:
    text = (header + "\n").encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + body


def test_archives_take_no_memory_for_what_they_announce(tmp_path: Path) -> None:
    """Terabytes announced by a header, a bomb of zeros, pickles, two directories: all refused in a few kilobytes."""
    path = tmp_path / "r.npz"
    trained("moons", path, epochs=1)
    with zipfile.ZipFile(path) as archive:
        good = {name: archive.read(name) for name in archive.namelist()}
    objects = io.BytesIO()
    np.save(objects, np.array([{}]), allow_pickle=True)
    shape = "{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}"
    vector = "last.vector.npy"
    cases = [
        {**good, vector: member(shape.format("<f8", False, f"{10**13},"))},
        {**good, vector: member(shape.format("<f8", False, f"{10**40},"), b"x")},
        {**good, vector: member(shape.format("<f8", False, "__import__('os'),"))},
        {**good, vector: member("(" * 5000)},
        {**good, vector: member(shape.format("|O", False, "1,"), bytes(8))},
        {**good, vector: objects.getvalue()},
        {**good, vector: member(shape.format("<f8", True, "1,"), bytes(8))},
        {**good, vector: member(shape.format(">f8", False, "17,"), bytes(136))},
        {**good, vector: member(shape.format("<f2", False, "17,"), bytes(34))},
        {**good, vector: member(shape.format("<c16", False, "17,"), bytes(272))},
        {**good, vector: member(shape.format("<f8", False, "17, 1, 1"), bytes(136))},
        {**good, vector: member(shape.format("<f8", False, "-17,"), bytes(136))},
        {**good, "last.vector": good[vector]},
        {**good, "run.npy": member(shape.format("<f8", False, "2,"), bytes(16))},
        {**good, vector: member(shape.format("<f8", False, "2,"), struct.pack("<2d", 1, float("nan")))},
        {**good, vector: b""},
        {**good, "x.npy": good[vector]},
        {name: raw for name, raw in good.items() if name != "run.npy"},
        {name: raw for name, raw in good.items() if name != vector},
        {**good, "run.npy": member(shape.format("|u1", False, "2,"), b"[]")},
        {f"{k}.npy": b"" for k in range(600)},
    ]
    files = [npz(tmp_path / f"bad{k}.npz", case) for k, case in enumerate(cases)]
    zeros = member(shape.format("<f8", False, f"{10**7},")) + bytes(8 * 10**7)
    files.append(npz(tmp_path / "bomb.npz", {**good, "x.npy": zeros}, zipfile.ZIP_DEFLATED))
    files += [tmp_path / f"cut{k}.npz" for k in range(5)]
    raw = path.read_bytes()
    huge = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 10**6, 10**6, 10**12, 0)  # a directory of 1 TB
    zip64 = raw[:-22] + huge + struct.pack("<4sLQL", b"PK\6\7", 0, len(raw) - 22, 1) + raw[-22:]
    for k, file in enumerate(files[-5:]):
        file.write_bytes([raw[:-30], raw[100:], b"", raw.replace(b"NUMPY", b"NUMPX"), zip64][k])
    tracemalloc.start()
    for file in files:
        with pytest.raises(TutorError) as caught:
            load_run(file)
        assert str(file) in str(caught.value)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    os.truncate(path, 3 * 10**9)  # sparse: announced to the file system, never written
    with pytest.raises(TutorError, match="MB"):
        load_run(path)


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_settings_and_shape_are_compared_before_a_network_is_made(tmp_path: Path, ending: str) -> None:
    """A few kilobytes ask for a network of gigabytes, in the settings, in the shape or in both."""
    path, both = (
        tmp_path / "r.json",
        [[2, 10_000_000, 1], [2, 6_000, 6_000, 1], [2, *[200] * 900, 1], [2, *[1] * 900, 1]],
    )
    trained("xor", path, hidden=(3,), batch_size=4, epochs=2)
    document = heading_of(path)
    arrays = {name: np.array(entry["values"], entry["dtype"]) for name, entry in document["arrays"].items()}
    headings = []
    for sizes in both:
        larger = {"sizes": sizes, "activations": ["tanh"] * (len(sizes) - 2) + ["sigmoid"]}
        settings = {**document["settings"], "hidden": sizes[1:-1]}
        headings += [{**document, "settings": settings}, {**document, "shape": {**document["shape"], **larger}}]
        headings.append({**headings[-1], "settings": settings})
    tracemalloc.start()
    for heading in headings:
        bad = tmp_path / f"bad.{ending}"
        if ending == "json":
            bad.write_text(json.dumps(heading))
        else:
            del heading["arrays"]
            np.savez(bad, run=np.frombuffer(json.dumps(heading).encode(), np.uint8), **arrays)
        with pytest.raises(TutorError, match=r"'sizes'|'activations'|more than 50,000,000|vector has another size"):
            go_on(bad, 10)
        with pytest.raises(TutorError, match=r"'sizes'|'activations'|more than 50,000,000|vector has another size"):
            load_run(bad)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [("[" + "[]," * 16_000_000 + "[]]", "values"), ('{"a":' * 16_000_000, "values"), ("[" * 48_000_000, "values"), ("1" * 100_000_001, "more than 100,000,000 bytes"),
     ('{"program": "tutor", "format": 1, "settings": {"a": [' + "[]," * 300_000 + "[]]}}", "missing"), ('{"program": "tutor", "format": 1, "more": [' + "[]," * 300_000 + "[]]}", "more")],
    ids=range(6),
)  # fmt: skip
def test_a_file_of_brackets_takes_no_memory(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    tracemalloc.start()
    with pytest.raises(TutorError, match=said):
        load_run(path)
    assert tracemalloc.get_traced_memory()[1] < len(text) + 250_000_000
    tracemalloc.stop()


def test_the_run_that_is_too_large_to_be_saved_is_not_trained(tutor: Tutor) -> None:
    for options, said in (
        (("--epochs", 10**9, "--save", "r.npz"), "the losses of at most 1,180,000 epochs"),
        (("--hidden", "800,800", "--save", "r.json"), "save a large network as .npz"),
    ):
        done = tutor("train", "--data", "moons", *options)
        assert done.returncode == 2 and said in done.stderr and not done.stdout
    assert not list(tutor.folder.iterdir())


def test_a_message_about_a_run_is_the_same_in_every_process(process: Tutor) -> None:
    path = process.folder / "r.json"
    trained("moons", path, epochs=1)
    for change in (
        put("settings", "surprise", value=1),
        put("arrays", value={}),
        put("numbers", "last", value={"z": 1, "y": 1, "x": 1}),
    ):
        bad = changed(path, change)
        said = {process("predict", bad, "--data", "moons", PYTHONHASHSEED=seed).stderr for seed in "12"}
        assert len(said) == 1, said


def test_named_data_with_a_seed_that_nothing_is_drawn_from(tutor: Tutor) -> None:
    path = tutor.folder / "r.json"
    trained("moons", path, epochs=1)
    for seed in (10**18, 10**40, -1):
        with pytest.raises(TutorError, match="the seed of the data"):
            go_on(changed(path, put("source", "seed", value=seed)), 3)
    assert tutor("predict", path, "--data", "moons", "--seed", 10**40).returncode == 2
    with pytest.raises(TutorError, match="there is no data set"):
        go_on(changed(path, put("source", "name", value="/dev/zero.csv")), 3)


def test_predictions_are_those_of_the_trainer(tmp_path: Path) -> None:
    for data, settings in (
        ("iris", {"normalize": "zscore", "hidden": (6, 6), "batch_norm": True, "residual": True}),
        ("moons", {"normalize": "minmax", "dropout": 0.3}),
        ("iris", {"normalize": "unit", "activation": "silu"}),
        ("moons", {"output_activation": "tanh"}),
        ("sine", {}),
        ("digits", {"arithmetic": "fast", "validation": 0.2, "patience": 2}),
    ):
        trainer = trained(data, tmp_path / "r.npz", **settings, epochs=6)
        run, found = load_run(tmp_path / "r.npz"), load(data, 3)
        places = np.arange(len(found))
        assert np.array_equal(outputs_of(run, found.x), trainer.engine.outputs(trainer.data.rows, places))
        told = predict(run, new_examples(run, data, None, None))
        assert (told.loss, told.accuracy) == (trainer.measure(places).loss, trainer.measure(places).accuracy)
        if found.classes:
            assert told.accuracy == sum(told.confusion[k][k] for k in range(len(found.classes))) / len(found)
            assert sum(told.counts.values()) == len(found)


def test_predictions_for_tables_in_many_forms(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(table(POINTS))
    source = source_of(str(tmp_path / "d.csv"), "kind", 3)
    data = read_csv(tmp_path / "d.csv", "kind")
    trainer = set_up(data, Settings(epochs=60, learning_rate=0.05, normalize="zscore"))
    trainer.run()
    save_run(tmp_path / "r.npz", source, data, trainer)
    run = load_run(tmp_path / "r.npz")

    def told(name: str, label: str | None = None) -> tuple[Any, list[str]]:
        examples = new_examples(run, str(tmp_path / name), label, None)
        return predict(run, examples), examples.remarks

    full, _ = told("d.csv")
    assert full.accuracy is not None and full.accuracy > 0.9 and full.counts == {"no": 20, "yes": 20}
    same = {
        "bare": "".join(f"{a},{b}\n" for a, b, _ in POINTS),
        "turned": "kind,id,b,a\n" + "".join(f"{c},x{a},{b},{a}\n" for a, b, c in POINTS),
        "semicolons": ("b;a\n" + "".join(f"{b};{a}\n" for a, b, _ in POINTS)).replace(".", ","),
        "commas": "".join(f"{a};{b}\n" for a, b, _ in POINTS).replace(".", ","),
        "identity": "a,b,id\n" + "".join(f"{a},{b},x{a}\n" for a, b, _ in POINTS),
        "renamed": "p,q\n" + "".join(f"{a},{b}\n" for a, b, _ in POINTS),
        "last": "".join(f"{a},{b},{c}\n" for a, b, c in POINTS),
        "some": "a,b,kind\n" + "".join(f"{a},{b},{'' if a > 1 else c}\n" for a, b, c in POINTS),
    }
    for name, text in same.items():
        (tmp_path / f"{name}.csv").write_text(text)
        found, remarks_of = told(f"{name}.csv", "kind" if name == "turned" else None)
        remarks = " ".join(remarks_of)
        assert np.array_equal(found.outputs, full.outputs), name
        assert (found.accuracy is not None) == (name in ("turned", "last", "some")), name
        assert ("was trained on 'a' and 'b'; here the columns are called 'p' and 'q'" in remarks) == (name == "renamed")
        assert ("left aside" in remarks) == (name == "identity")
    for text, said in (
        ("a,c,d,e\n1,2,3,4\n", "the network takes, 'b' is not there; the others here are 'c', 'd' and 'e'"),
        ("c,d,e,f\n1,2,3,4\n", "has 4 columns; the network takes 2: 'a' and 'b'"),
        ("a,a\n1,2\n", "the network takes, 'b' is not there"),
        ("a,a,b\n1,2,3\n", "two columns are called 'a'"),
        ("1\n2\n", "has 1 column"),
        ("a,b\n1,x\n2,2\n", "row 2, column 'b': 'x' is not a number"),
        ("a,b\n1,\n2,2\n", "the cell is empty"),
        ("a,b\n1,2,3\n2,2\n", "row 2: 3 cells"),
        ("a,b\n", "a heading and no examples"),
        ("", "is empty"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(TutorError) as caught:
            told("bad.csv")
        assert said in str(caught.value), (text, str(caught.value))
    (tmp_path / "bad.csv").write_text("a,b,kind\n1,2,perhaps\n")
    with pytest.raises(TutorError, match="'perhaps' is no class"):
        told("bad.csv", "kind")
    with pytest.raises(TutorError, match="and the network takes 2"):
        new_examples(run, "iris", None, None)


def test_every_prediction_as_a_table_that_no_spreadsheet_runs(tutor: Tutor) -> None:
    names = {"no": "=1+1", "yes": "\t@x"}
    rows = [f'{a},{b},"{names[c]}"\n' for a, b, c in POINTS]
    (tutor.folder / "d.csv").write_text("a,b,kind\n" + "".join(rows))
    assert tutor("train", "--data", "d.csv", "--epochs", "3", "--save", "r.json").returncode == 0
    shown = tutor("predict", "r.json", "--data", "d.csv", "--csv", "-")
    assert shown.returncode == 0
    assert tutor("predict", "r.json", "--data", "d.csv", "--output", "p.csv").returncode == 0
    written = (tutor.folder / "p.csv").read_text()
    for text in (shown.stdout, written):
        heading, *body = csv.reader(io.StringIO(text))
        assert len(body) == 40 and heading[:2] == ["example", "class"] and heading[4:] == ["answer"]
        assert [row[4].lstrip("'") for row in body] == [names[c].strip() for *_, c in POINTS]
        assert all(not cell.startswith(("=", "@", "\t", "+")) for row in [heading, *body] for cell in row)
        assert all(float(row[2]) + float(row[3]) == pytest.approx(1) for row in body)
    for target in ("d.csv", "r.json"):
        assert "is read by this command" in tutor("predict", "r.json", "--data", "d.csv", "--csv", target).stderr


def test_a_setting_as_long_as_a_file_is_told_short() -> None:
    from tutor.runs.run import decoded_settings

    with pytest.raises(TutorError) as caught:
        decoded_settings({"arithmetic": "[" * 5_000})
    assert len(str(caught.value)) < 400 and str(caught.value).endswith("`$.arithmetic`")
