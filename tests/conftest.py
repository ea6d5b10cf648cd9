"""What the tests share: running the command line as a person does, and networks as lesson files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
Test = TypeVar("Test", bound=Callable[..., Any])


class Tutor:
    """The command `tutor` in a fresh process and an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, *arguments: object, stdin: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_") and k not in ("CI", "COLUMNS")}
        return subprocess.run(
            [sys.executable, "-m", "tutor", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=self.folder,
            env={**kept, "PYTHONUTF8": "1", **environment},
            timeout=120,
            check=False,
        )

    def json(self, *arguments: object, fails: int = 0, **environment: str) -> Any:
        done = self(*arguments, "--json", **environment)
        assert done.returncode == fails, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def tutor(tmp_path: Path) -> Tutor:
    return Tutor(tmp_path)


def fuzz(examples: int) -> Callable[[Test], Test]:
    """So many inputs for a fuzz test, FUZZ times as many where that is set: FUZZ=100 pytest tests/test_fuzz_toml.py"""
    many = examples * int(os.environ.get("FUZZ", "1"))
    return settings(max_examples=many, deadline=None, suppress_health_check=list(HealthCheck))


ONE_NEURON = """format = 1
title = "one neuron"
[network]
inputs = ["X1"]
loss = "half_squared_error"
[[network.layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[0.5]]
biases = [0.25]
[[examples]]
inputs = [2]
targets = [1]
[training]
optimizer = "sgd"
learning_rate = 0.5
update_biases = true
"""


class Done(NamedTuple):
    """The exit code, and what was written to stdout and stderr."""

    returncode: int
    stdout: str
    stderr: str


class Here:
    """The same in this process, which is quicker: for what does not depend on how a process begins and ends."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        monkeypatch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("TUTOR_") or name in ("CI", "COLUMNS")]:
            monkeypatch.delenv(name)

    def __call__(self, *arguments: object, **environment: str) -> Done:
        from tutor.cli import run

        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["tutor", *map(str, arguments)])
            for name, value in environment.items():
                patch.setenv(name, value)
            code = run()
        return Done(code, *self.capsys.readouterr())

    def json(self, *arguments: object) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path, monkeypatch, capsys)
