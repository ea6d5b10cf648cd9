"""What a lesson came to is kept: the same bytes as when it is worked out, until something that it depends on changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Tutor

from tutor.experiments.experiment import _read
from tutor.training.trainer import Trainer

LESSON = """```toml lesson
format = 2
title = "A lesson"
order = 1
```

# One

At last the weight is {step.w1_new}, and the loss {race.loss.wide:4}.

```toml worksheet step
[network]
inputs = ["x1"]
loss = "half_squared_error"
layers = [{ neurons = ["out"], activation = "sigmoid", weights = [["w1"]], biases = [0.1] }]
[givens]
w1 = 0.5
[[examples]]
inputs = [1]
targets = [0]
[training]
learning_rate = 0.5
```

```toml experiment race
data = "DATA"
seeds = 2
show = ["table", "curves", "regions", "confusion", "layers", "weights"]
[settings]
epochs = 4
learning_rate = 0.5
[rows]
narrow = { hidden = [2] }
wide = { hidden = [4] }
```

```toml plot before
regions = "race.wide"
epochs = [0, 2]
```

```toml claim
says = "A step goes against the derivative."
verdict = "words"
about = ["sgd"]
why = "That is its definition."
```
"""
EXAMPLES = "a,b,label\n" + "".join(f"{a}.{k},{b}.{k},{'one' if a != b else 'same'}\n" for a in (0, 3) for b in (0, 3) for k in range(5))  # fmt: skip


@pytest.fixture
def home(tutor: Tutor) -> Path:
    return tutor.folder / "home"


def written(tutor: Tutor, text: str = LESSON, data: str = "xor") -> str:
    (tutor.folder / "my.md").write_text(text.replace("DATA", data))
    return "my.md"


def kept(home: Path) -> list[Path]:
    return sorted((home / "cache").rglob("*.json"))


@pytest.mark.parametrize("options", [
    (), ("--width", 40), ("--width", 160, "--color", "always"), ("--narrate",), ("--json",), ("--digits", 5),
])  # fmt: skip
@pytest.mark.parametrize("lesson", ["my.md", "losses"])
def test_a_lesson_that_is_kept_is_printed_byte_for_byte_as_one_that_is_worked_out(
    tutor: Tutor, home: Path, lesson: str, options: tuple[object, ...]
) -> None:
    written(tutor)
    first, again = (tutor("run", lesson, *options, TUTOR_HOME=str(home)) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert again == first
    assert tutor("run", lesson, *options, TUTOR_HOME=str(tutor.folder / "another")) == first
    for path in kept(home):
        if "text" in json.loads(path.read_text()):
            path.unlink()  # now the experiments and the networks alone are kept
    assert tutor("run", lesson, *options, TUTOR_HOME=str(home)) == first


def test_what_is_kept_is_what_is_printed_and_fresh_works_it_out_again(tutor: Tutor, home: Path) -> None:
    written(tutor)
    first = tutor("run", "my.md", TUTOR_HOME=str(home))
    (page,) = (path for path in kept(home) if "text" in json.loads(path.read_text()))
    page.write_text(json.dumps({"text": "something else\n"}))
    assert tutor("run", "my.md", TUTOR_HOME=str(home)).stdout == "something else\n"
    assert tutor("run", "my.md", "--fresh", TUTOR_HOME=str(home)) == first
    assert tutor("run", "my.md", TUTOR_HOME=str(home)) == first


def test_a_lesson_that_is_kept_needs_neither_sympy_nor_numpy(tutor: Tutor, home: Path) -> None:
    written(tutor)
    script = """import sys
sys.argv = ["tutor", "run", "my.md"]
from tutor.__main__ import main
main()
print(*{"sympy", "mpmath", "numpy", "rich"} & {*sys.modules}, file=sys.stderr)"""
    environment = {**os.environ, "TUTOR_HOME": str(home), "PYTHONPATH": str(ROOT)}
    loaded = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=tutor.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stderr.split()
        for _ in range(2)
    ]
    assert sorted(loaded[0]) == ["mpmath", "numpy", "rich", "sympy"] and loaded[1] == []


def test_no_network_is_trained_a_second_time_until_that_is_asked_for(
    tutor: Tutor, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another width everything is worked out, but what was trained."""
    written(tutor)
    assert tutor("run", "my.md", TUTOR_HOME=str(home)).returncode == 0
    narrow = tutor("run", "my.md", "--width", 50, TUTOR_HOME=str(tutor.folder / "another"))
    trained, train = [], Trainer.run
    monkeypatch.setattr(Trainer, "run", lambda self, *a: (trained.append(self), train(self, *a))[1])
    assert tutor("run", "my.md", "--width", 50, TUTOR_HOME=str(home)) == narrow
    assert tutor("learn", "my.md", stdin="\n" * 9, TUTOR_HOME=str(home)).returncode == 0
    assert not trained
    tutor("run", "my.md", "--fresh", TUTOR_HOME=str(home))
    assert len(trained) == 2 * 2 + 2 + 1  # two seeds of two rows, the networks of both, and that of the plot


@pytest.mark.parametrize(("old", "new"), [
    ("A lesson", "Another"), ("w1 = 0.5", "w1 = 0.25"), ("epochs = 4", "epochs = 3"), ("hidden = [2]", "hidden = [3]"), ("[0, 2]", "[0, 1]"),
])  # fmt: skip
def test_what_is_changed_in_a_lesson_is_seen_at_once(tutor: Tutor, home: Path, old: str, new: str) -> None:
    first = tutor("run", written(tutor), TUTOR_HOME=str(home))
    second = tutor("run", written(tutor, LESSON.replace(old, new)), TUTOR_HOME=str(home))
    assert second.returncode == 0 and second.stdout != first.stdout
    assert second == tutor("run", "my.md", TUTOR_HOME=str(tutor.folder / "another"))
    assert tutor("run", written(tutor), TUTOR_HOME=str(home)) == first


def test_data_in_a_file_that_change_or_are_gone_are_noticed(tutor: Tutor, home: Path) -> None:
    examples = tutor.folder / "my.csv"
    examples.write_text(EXAMPLES)
    first = tutor("run", written(tutor, data="my.csv"), TUTOR_HOME=str(home))
    assert first.returncode == 0, first.stderr
    examples.write_text(EXAMPLES.replace("one", "other"))
    _read.cache_clear()  # another command is another process, which has read nothing yet
    second = tutor("run", "my.md", TUTOR_HOME=str(home))
    assert second.returncode == 0 and second.stdout != first.stdout
    examples.unlink()
    _read.cache_clear()
    gone = tutor("run", "my.md", TUTOR_HOME=str(home))
    assert gone.returncode == 2 and "my.csv" in gone.stderr


@pytest.mark.parametrize("content", [
    "", "{", "[]", "null", '{"text": 3}', r'{"text": "\u001b]0;a title\u0007\u001b[2J"}', '{"measures": {}, "rows": [{}]}', '{"states": {}, "last": 4, "diverged": false, "layers": []}',
    '{"states": {"4": {"vector": [1, 2, 3]}, "0": {}}, "last": 4, "diverged": false, "layers": []}', '{"states": {"x": {}}, "last": 4, "diverged": false, "layers": []}',
])  # fmt: skip
def test_a_damaged_file_is_no_harm(tutor: Tutor, home: Path, content: str) -> None:
    first = tutor("run", written(tutor), TUTOR_HOME=str(home))
    assert len(kept(home)) == 1 + 1 + 2 + 1  # the page, the results, the networks of both rows, and that of the plot
    for path in kept(home):
        path.write_text(content)
    assert tutor("run", "my.md", TUTOR_HOME=str(home)) == first


def test_a_lesson_that_is_broken_is_not_kept(tutor: Tutor, home: Path) -> None:
    broken = written(tutor, f"{LESSON}\n{{race.loss.wyde}}\n")
    first, again = (tutor("run", broken, TUTOR_HOME=str(home)) for _ in range(2))
    assert first.returncode == 2 and again == first


def test_of_a_lesson_so_many_results_are_kept_and_not_more(tutor: Tutor, home: Path) -> None:
    (tutor.folder / "short.md").write_text(LESSON.split("# One", maxsplit=1)[0] + "# One\n\nText.\n")
    for width in range(20, 130):
        assert tutor("run", "short.md", "--width", width, TUTOR_HOME=str(home)).returncode == 0
    assert len(kept(home)) == 100
