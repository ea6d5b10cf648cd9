"""How long the commands take, against plain Python on the same machine: `python tests/benchmark.py`.

Each pair is run in turn, A B A B …, and the ratio of the medians is printed beside its goal. Not part of the tests.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUNS = 15
TUTOR = [str(Path(sys.executable).with_name("tutor"))]
PYTHON = [sys.executable, "-c"]
PAIRS = [
    ("tutor --version", [*TUTOR, "--version"], 'python -c "pass"', [*PYTHON, "pass"], 3.0),
    ("tutor --help", [*TUTOR, "--help"], 'python -c "import typer, rich.table"', [*PYTHON, "import typer, rich.table"], None),
    (
        "tutor run perceptron", [*TUTOR, "run", "perceptron"],
        'python -c "import sympy, typer, rich.table"', [*PYTHON, "import sympy, typer, rich.table"], 1.5,
    ),
    (
        "tutor run mlp", [*TUTOR, "run", "mlp"],
        'python -c "import sympy, typer, rich.table"', [*PYTHON, "import sympy, typer, rich.table"], None,
    ),
]  # fmt: skip


def seconds(command: Sequence[str], folder: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, cwd=folder, check=True)
    return time.perf_counter() - started


def main() -> None:
    print(f"{'command':24} {'ms':>6}   {'beside':45} {'ms':>6}   ratio  goal")
    with tempfile.TemporaryDirectory() as folder:
        for name, command, other_name, other, goal in PAIRS:
            both = [(seconds(command, folder), seconds(other, folder)) for _ in range(RUNS + 2)][2:]
            ours, theirs = (1000 * statistics.median(times) for times in zip(*both, strict=True))
            asked = f"at most {goal}" if goal else ""
            print(f"{name:24} {ours:6.0f}   {other_name:45} {theirs:6.0f}   {ours / theirs:5.2f}  {asked}")


if __name__ == "__main__":
    main()
