"""How many answer sheets are marked in a second, and what a class takes: `python tests/benchmark_marking.py`.

The sheet is that of Appendix B with 33 cells, everything but the forward pass after the update and the biases' share.
Students differ: where no two sheets are alike, each is written with 3 to 8 digits, rounded or cut off, and gone on with
as written or as the calculator had it, and the texts of numbers that were read before are forgotten each time.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from itertools import product
from math import exp
from pathlib import Path

from tutor.homework.marker import LessonMarker, MarkingJob
from tutor.lessons.find import lesson_text
from tutor.lessons.format import Homework
from tutor.marking.answer import read_written
from tutor.sheets.read import parse_sheet

TUTOR = [str(Path(sys.executable).with_name("tutor"))]
GOALS = {"right": 2_000, "two root errors": 400}
CLASS = 10_000


ROUNDS = 20


def sheet(
    slope_factor: float = 1.0, weight_for_input: bool = False, digits: int = 5, cut: bool = False, exact: bool = False
) -> dict[str, str]:
    """Appendix B worked in plain Python, each line from what was written above it, or from what was not rounded."""
    v = {"X1": 0.1, "X2": 0.3, "W1": 0.5, "W2": 0.1, "W3": 0.62, "W4": 0.2, "W5": -0.2, "W6": 0.3}
    v |= {"b1": 0.4, "b2": -0.1, "b3": 1.83, "desired": 0.03, "eta": 0.01}
    texts: dict[str, str] = {}

    def line(name: str, value: float, change: bool = False) -> None:
        short = Context(prec=digits, rounding=ROUND_DOWN if cut else ROUND_HALF_EVEN)
        unit = Decimal(1).scaleb(-digits - 4)
        written = Decimal(f"{value:.12g}")  # what a pocket calculator has
        written = written.quantize(unit, short.rounding) if change else short.plus(written)
        texts[name] = str(written)
        v[name] = value if exact else float(written)

    def neuron(stem: str, total: float) -> None:
        line(f"{stem}_in", total)
        line(f"{stem}_out", 1 / (1 + exp(-v[f"{stem}_in"])))

    neuron("h1", v["W1"] * v["X1"] + v["W2"] * v["X2"] + v["b1"])
    neuron("h2", v["W3"] * v["X1"] + v["W4"] * v["X2"] + v["b2"])
    neuron("out", v["W5"] * v["h1_out"] + v["W6"] * v["h2_out"] + v["b3"])
    line("E", (v["desired"] - v["out_out"]) ** 2 / 2)
    line("dE/dout_out", v["out_out"] - v["desired"])
    line("dout_out/dout_in", slope_factor * v["out_out"] * (1 - v["out_out"]))
    for h in ("h1", "h2"):
        line(f"d{h}_out/d{h}_in", v[f"{h}_out"] * (1 - v[f"{h}_out"]))
    for weight, h in (("W5", "h1"), ("W6", "h2")):
        line(f"dout_in/d{weight}", v[f"{h}_out"])
        line(f"dout_in/d{h}_out", v[weight])
    for weight, h, x in (("W1", "h1", "X1"), ("W2", "h1", "X2"), ("W3", "h2", "X1"), ("W4", "h2", "X2")):
        line(f"d{h}_in/d{weight}", v["W3"] if weight == "W3" and weight_for_input else v[x])
    delta = v["dE/dout_out"] * v["dout_out/dout_in"]
    for weight in ("W5", "W6"):
        line(f"dE/d{weight}", delta * v[f"dout_in/d{weight}"])
    for weight, h in (("W1", "h1"), ("W2", "h1"), ("W3", "h2"), ("W4", "h2")):
        line(f"dE/d{weight}", delta * v[f"dout_in/d{h}_out"] * v[f"d{h}_out/d{h}_in"] * v[f"d{h}_in/d{weight}"])
    line("dE/db3", delta)
    for weight in ("W1", "W2", "W3", "W4", "W5", "W6", "b3"):
        line(f"{weight}_new", v[weight] - v["eta"] * v[f"dE/d{weight}"], change=True)
    return texts


def as_csv(answers: dict[str, str]) -> str:
    return "name,answer\n" + "".join(f"{name},{text}\n" for name, text in answers.items())


def rates() -> None:
    """Sheets a second on one core: read, marked, and turned into the data that `--json` prints."""
    marker = LessonMarker(MarkingJob(lesson_text("mlp"), "mlp", Homework(ask=list(sheet()))))
    names = marker.problem.marker.program.places
    habits = [*product(range(3, 9), (False, True), (False, True))]
    print(f"{'sheet':34} {'cells':>5} {'sheets/s':>9}")
    for name, slips, roots in (("right", (1.0, False), 0), ("two root errors", (2.0, True), 2)):
        alike, different = [as_csv(sheet(*slips))], [as_csv(sheet(*slips, *ways)) for ways in habits]
        for text in alike + different:
            document = marker.mark("s", parse_sheet(text, ".csv", names))
            assert len(document.root_errors) == roots, (text, document.root_errors)
        best = max(rate(marker, names, alike, forgetting=False) for _ in range(ROUNDS))
        print(f"{name:34} {len(document.cells):5} {best:9.0f}   at least {GOALS[name]}")
        best = max(rate(marker, names, different, forgetting=True) for _ in range(ROUNDS))
        print(f"{name + ', no two alike':34} {len(document.cells):5} {best:9.0f}")


def rate(marker: LessonMarker, names: Mapping[str, object], texts: list[str], forgetting: bool) -> float:
    """Sheets a second; with `forgetting` each as if its numbers had never been read before."""
    sheets = texts * (48 // len(texts))
    start = time.perf_counter()
    for text in sheets:
        if forgetting:
            read_written.cache_clear()
        marker.mark("s", parse_sheet(text, ".csv", names))
    return len(sheets) / (time.perf_counter() - start)


def classes() -> None:
    """A whole class from files to summary, and the memory that it takes."""
    texts = [as_csv(sheet()), as_csv(sheet(2.0, weight_for_input=True))]
    print(
        f"\n{'class':>6} {'processes':>9} {'s':>6} {'sheets/s':>9} {'MB':>5}   every third sheet with two root errors"
    )
    with tempfile.TemporaryDirectory() as folder:
        sheets = Path(folder) / "sheets"
        sheets.mkdir()
        made = 0
        for size, jobs in ((CLASS // 10, 1), (CLASS, 1), (CLASS, 2)):
            for number in range(made, size):
                (sheets / f"s{number:05}.csv").write_text(texts[number % 3 == 2])
            made = max(made, size)
            start = time.perf_counter()
            with (Path(folder) / "out.json").open("w") as out:
                command = [
                    *TUTOR,
                    "check",
                    "mlp",
                    str(sheets),
                    "--json",
                    "--jobs",
                    str(jobs),
                    "--gradebook",
                    f"{folder}/g.csv",
                ]
                child = subprocess.Popen(command, stdout=out)
                _, _, used = os_wait(child.pid)
            took = time.perf_counter() - start
            print(f"{size:6} {jobs:9} {took:6.1f} {size / took:9.0f} {used.ru_maxrss / 1024:5.0f}")


def os_wait(pid: int) -> tuple[int, int, resource.struct_rusage]:
    import os

    return os.wait4(pid, 0)


if __name__ == "__main__":
    rates()
    classes()
