"""What the tests share: running the command line as a person does, and networks as lesson files."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tutor.homework.marker import LessonMarker

ROOT = Path(__file__).resolve().parent.parent
HOME = str(ROOT / ".pytest_cache" / "tutor")
"""Where commands keep what lessons came to: it stands under what they were computed from, so it is never old."""
Test = TypeVar("Test", bound=Callable[..., Any])
# As the program has it for itself, before NumPy is loaded and SymPy's objects are there.
os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
gc.set_threshold(100_000, 50, 50)
# Every process that a test starts would otherwise compile the whole package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "computes_experiments: of a whole lesson, which other tests then find computed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What computes experiments comes first, a share of it with each worker: so none is computed by two of them. Each is
    given as many tests as any other, in the order of the list."""
    count = getattr(config, "workerinput", {}).get("workercount", 1)
    first = [item for item in items if item.get_closest_marker("computes_experiments")]
    later = [item for item in items if not item.get_closest_marker("computes_experiments")]
    shares = [(first[k::count], later[k * len(later) // count : (k + 1) * len(later) // count]) for k in range(count)]
    items[:] = [item for before, after in shares for item in (*before, *after)]


class Done(NamedTuple):
    """The exit code, and what was written to stdout and stderr."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Tutor:
    """The command `tutor` in an empty folder, with an environment that sets nothing for it."""

    folder: Path
    run: Callable[[list[str], str, Path, dict[str, str]], Done]

    def at(self, folder: Path) -> Tutor:
        return replace(self, folder=folder)

    def __call__(self, *arguments: object, stdin: str = "", **environment: str) -> Done:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_") and k not in ("CI", "COLUMNS")}
        return self.run([*map(str, arguments)], stdin, self.folder, {**kept, "TUTOR_HOME": HOME, **environment})

    def json(self, *arguments: object, fails: int | None = 0, **environment: str) -> Any:
        done = self(*arguments, "--json", **environment)
        assert fails is None or done.returncode == fails, done.stderr
        return json.loads(done.stdout)


def in_this_process(words: list[str], stdin: str, folder: Path, environment: dict[str, str]) -> Done:
    """The command as a process of its own would run it, which has its own streams, folder and environment, and shows
    its warnings; here each is an error."""
    from tutor.cli import run

    def no_terminal(*_: object) -> os.terminal_size:
        raise OSError("the tests may run in a terminal, a command in them does not")

    coding = environment.get("PYTHONIOENCODING", "utf-8")
    before = dict(os.environ)
    given = TextIOWrapper(BytesIO(stdin.encode()), coding)
    out, err = (TextIOWrapper(BytesIO(), coding, errors) for errors in ("strict", "backslashreplace"))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        for category in (Warning, DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("error" if category is Warning else "ignore", category)
        patch.chdir(folder)
        for name, value in {"argv": ["tutor", *words], "stdin": given, "stdout": out, "stderr": err}.items():
            patch.setattr(sys, name, value)
        patch.setattr(os, "get_terminal_size", no_terminal)
        set_environment(environment)
        try:
            code = run()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            set_environment(before)
        written = []
        for stream in (out, err):
            stream.flush()
            written.append(stream.buffer.getvalue().decode(coding))
    return Done(code, *written)


def set_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def in_its_own(words: list[str], stdin: str, folder: Path, environment: dict[str, str]) -> Done:
    """The command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tutor", *words],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={"PYTHONUTF8": "1", **environment},
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def tutor(tmp_path: Path) -> Tutor:
    """The command in this process, which is ten times as quick."""
    return Tutor(tmp_path, in_this_process)


@pytest.fixture
def process(tmp_path: Path) -> Tutor:
    """The command in a process of its own: for how one begins and ends, and for what cannot be undone in this one."""
    return Tutor(tmp_path, in_its_own)


LONGER = int(os.environ.get("FUZZ", "1"))
"""How many times as much as usual is tried."""


def fuzz(examples: int) -> Callable[[Test], Test]:
    """So many inputs for a fuzz test, FUZZ times as many where that is set: FUZZ=100 pytest tests/test_fuzz_toml.py"""
    return settings(max_examples=examples * LONGER, deadline=None, suppress_health_check=list(HealthCheck))


@lru_cache(maxsize=8)
def marker_of(text: str) -> LessonMarker:
    """Where sheets of the lesson are marked, one after the other as in a class: finding its slips takes most of the time."""
    from tutor.homework.marker import LessonMarker, MarkingJob
    from tutor.lessons.format import Homework

    return LessonMarker(MarkingJob(text, "t", Homework()))


HEAD = """```toml lesson
format = 2
title = "A small lesson"
source = "my own"
part = "Mine"
minutes = 3
can = ["read it"]
```

"""
"""How a lesson in Markdown begins."""
AND = """```toml worksheet and
examples = "and"
[network]
inputs = ["a", "b"]
[[network.layers]]
neurons = [{ sum = "s", output = "out" }]
activation = "step"
weights = [[0.3, -0.1]]
thresholds = [0.2]
[training]
rule = "perceptron"
fires = "s >= 0"
learning_rate = 0.1
```

"""
"""A gate that learns AND by the perceptron rule, with weights and a threshold that fail one example."""
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
