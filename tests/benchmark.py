"""How long the commands take, against plain Python on the same machine: `python tests/benchmark.py`.

Each pair is run in turn, A B A B …, and the ratio of the medians is printed beside its goal. Not part of the tests.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

RUNS = 15
# Without compiled modules it would be the compiler of Python that is timed.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
TUTOR = [str(Path(sys.executable).with_name("tutor"))]
PYTHON = [sys.executable, "-c"]
IMPORTS = ('python -c "import sympy, typer, rich.table"', [*PYTHON, "import sympy, typer, rich.table"])
PAIRS = [
    ("tutor --version", [*TUTOR, "--version"], 'python -c "pass"', [*PYTHON, "pass"], 3.0),
    ("tutor --help", [*TUTOR, "--help"], 'python -c "import typer, rich.table"', [*PYTHON, "import typer, rich.table"], None),
    ("tutor run perceptron", [*TUTOR, "run", "perceptron"], *IMPORTS, 1.5),
    ("tutor run mlp", [*TUTOR, "run", "mlp"], *IMPORTS, 1.5),
    # a worksheet alone is worked out each time, a lesson is kept
    ("tutor run perceptron/perceptron", [*TUTOR, "run", "perceptron/perceptron"], *IMPORTS, 1.6),
    ("tutor run mlp/mlp", [*TUTOR, "run", "mlp/mlp"], *IMPORTS, 1.6),
    # the lessons without experiments, as if for the first time
    ("tutor run depth --fresh", [*TUTOR, "run", "depth", "--fresh"], *IMPORTS, 1.6),
    ("tutor run training-algorithm --fresh", [*TUTOR, "run", "training-algorithm", "--fresh"], *IMPORTS, 1.6),
]  # fmt: skip


SIZES = (64, 128, 256, 512, 1024)


def network(sizes: Sequence[int]) -> str:
    """A lesson with layers of these sizes, sigmoid throughout."""
    layers = []
    for before, after in pairwise(sizes):
        rows = ([((i * 37 + j * 53) % 100 - 50) / 100 for j in range(before)] for i in range(after))
        biases = [(i * 29 % 100 - 50) / 100 for i in range(after)]
        layers.append(f'{{ activation = "sigmoid", weights = {list(rows)}, biases = {biases} }}')
    inputs = ", ".join(f'"x{i + 1}"' for i in range(sizes[0]))
    return (
        f'format = 1\ntitle = "{sizes}"\n'
        f'network = {{ inputs = [{inputs}], loss = "half_squared_error", layers = [{", ".join(layers)}] }}\n'
        f"examples = [{{ inputs = {[0.3] * sizes[0]}, targets = {[0.2] * sizes[-1]} }}]\n"
        "training = { learning_rate = 0.1 }\n"
    )


def sizes_table(folder: str) -> None:
    """The worksheet of 2-h-1 networks: the time at most doubles, within a quarter, as h doubles."""
    print(f"\n{'worksheet, --json':24} {'ms':>6}   times the one before (at most 2.5)")
    last = None
    for hidden in SIZES:
        path = Path(folder) / f"w{hidden}.toml"
        path.write_text(network((2, hidden, 1)))
        whole = min(seconds([*TUTOR, "run", str(path), "--json"], folder) for _ in range(3))
        print(f"{f'2-{hidden}-1':24} {1000 * whole:6.0f}   {f'{whole / last:.2f}' if last else ''}")
        last = whole
    path = Path(folder) / "deep.toml"
    path.write_text(network((4, 10, 10, 10, 2)))
    print(
        f"{'4-10-10-10-2':24} {1000 * seconds([*TUTOR, 'run', str(path), '--json'], folder):6.0f}   paths written out: no"
    )


def seconds(command: Sequence[str], folder: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, cwd=folder, check=True)
    return time.perf_counter() - started


def main() -> None:
    print(f"{'command':36} {'ms':>6}   {'beside':45} {'ms':>6}   ratio  goal")
    with tempfile.TemporaryDirectory() as folder:
        for name, command, other_name, other, goal in PAIRS:
            both = [(seconds(command, folder), seconds(other, folder)) for _ in range(RUNS + 2)][2:]
            ours, theirs = (1000 * statistics.median(times) for times in zip(*both, strict=True))
            asked = f"at most {goal}" if goal else ""
            print(f"{name:36} {ours:6.0f}   {other_name:45} {theirs:6.0f}   {ours / theirs:5.2f}  {asked}")
        sizes_table(folder)


if __name__ == "__main__":
    main()
