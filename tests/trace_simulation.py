"""How programs are read that share no code with the checking.

`python tests/trace_simulation.py [how many [failures shown [seed]]]` prints each figure with its goal.

Right programs, programs with one mistake and with two, in ten styles, five networks, double and single precision, with
everything recorded or only parameters, gradients and new parameters.
"""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice, product
from random import Random
from typing import Any

import numpy as np
from trace_programs import (
    MISTAKES,
    STYLES,
    TASKS,
    Program,
    Style,
    Task,
    can_have,
    names_of,
    needs,
    options_of,
    without_the_middle,
)
from trace_tutorials import TUTORIALS

from tutor.errors import TutorError
from tutor.processes import workers
from tutor.trace import Step


def recorded(task: Task, style: Style, mistakes: tuple[str, ...] = (), layer: int = 0) -> dict[str, Any]:
    with np.errstate(all="ignore"):
        return Program(task, style, mistakes, layer).run()


def checked(arrays: dict[str, Any], task: Task, said: bool = True) -> Any:
    step = Step()
    step.record(**arrays)
    return step.check(**(options_of(task) if said else {k: v for k, v in options_of(task).items() if k == "l2"}))


def first_difference(right: dict[str, Any], wrong: dict[str, Any], p: Any) -> str:
    """The first array in which the two programs differ by more than rounding."""
    tolerance = 1e-9 if p is float else 1e-4
    for name, value in right.items():
        a, b = np.asarray(value, float), np.asarray(wrong[name], float)
        if a.shape != b.shape or not np.allclose(a, b, rtol=tolerance, atol=tolerance * (np.abs(a).max() + 1e-30)):
            return name
    return ""


@dataclass(frozen=True)
class Part:
    """One of several parts of the work, each with random numbers of its own: what comes out does not depend on who
    does which."""

    what: str
    number: int
    of: int
    how_many: int
    seed: int = 20

    @property
    def random(self) -> Random:
        return Random(f"{self.what} {self.number} {self.seed}")

    def of_all(self, kinds: list[Any]) -> list[Any]:
        """Its share of all kinds of programs, in an order that is the same for each part."""
        mixed = [*kinds]
        Random(self.seed).shuffle(mixed)
        return mixed[self.number :: self.of]


@dataclass(frozen=True)
class Told:
    """What was said of a program, and whether it was right, figure by figure; `kind` is what is looked at where it was
    not."""

    text: str
    kind: str
    right: tuple[bool, ...]


def right_programs(part: Part) -> Iterator[Told]:
    """Whether no array was called wrong."""
    random = part.random
    kinds = part.of_all([*product(STYLES, TASKS, (float, np.float32), (False, True), (False, True))])
    for style, name, dtype, few, said in islice(cycle(kinds), part.how_many):
        task = replace(TASKS[name], dtype=dtype, seed=random.randrange(10**6), n=random.choice([1, 2, 3, 6, 8]))
        arrays = recorded(task, STYLES[style])
        if few:
            arrays = without_the_middle(arrays)
        label = f"{style}/{name}/{dtype.__name__} seed={task.seed} n={task.n} few={few} said={said}"
        try:
            report = checked(arrays, task, said)
        except TutorError as error:
            yield Told(f"{label}: {error}", style, (False,))
            continue
        wrong = [a.name for a in report.arrays if a.verdict in ("wrong", "carried")]
        yield Told(f"{label}: {wrong}", style, (not wrong,))


_UNTOLD_BY_FEW = ("sum-for-mean", "mean-for-sum", "forgotten-two")
"""Without the loss these are conventions."""


def wrong_programs(part: Part, few: bool) -> Iterator[Told]:
    """Whether the first wrong array is the one with the mistake; whether this is named first; whether it is among those
    that are named."""
    random, done = part.random, 0
    kinds = [(m, s, t) for m, s, t in product(MISTAKES, STYLES, TASKS) if can_have(m, TASKS[t], STYLES[s])]
    for mistake, style, name in cycle(part.of_all([k for k in kinds if not (few and k[0] in _UNTOLD_BY_FEW)])):
        if done == part.how_many:
            return
        task = replace(TASKS[name], seed=random.randrange(10**6), n=random.choice([3, 5, 8]))
        task = needs(mistake, replace(task, dtype=random.choice([float, np.float32])))
        layers = [*range(1, len(task.sizes))]
        layer = random.choice(layers if mistake == "layer-not-updated" else [0, *layers])
        try:
            right, wrong = recorded(task, STYLES[style]), recorded(task, STYLES[style], (mistake,), layer)
        except ValueError:  # products that cannot be formed
            continue
        if few:
            right, wrong = without_the_middle(right), without_the_middle(wrong)
        expected = first_difference(right, wrong, task.dtype)
        if not expected:
            continue
        done += 1
        label = f"{mistake}@{layer} {style}/{name}/{task.dtype.__name__} seed={task.seed} n={task.n} few={few}"
        try:
            report = checked(wrong, task)
        except TutorError as error:
            yield Told(f"{label}: {error}", mistake, (False, False, False))
            continue
        first = next((a.name for a in report.arrays if a.verdict == "wrong"), "")
        ids, named, allowed = *names_in(report), names_of(mistake, task)
        told = f"{label}: first {first} for {expected}; {ids} also {sorted(named - set(ids))}"
        fine = (
            first in same_first(expected, mistake, STYLES[style], task),
            bool({*ids[:1]} & allowed),
            bool(named & allowed),
        )
        yield Told(told, mistake, fine)


def names_in(report: Any) -> tuple[list[str], set[str]]:
    """The mistakes that are told, and these with what comes to the same numbers."""
    ids = [m.id for m in report.mistakes]
    return ids, {*ids, *(i for m in report.mistakes for i in m.also)}


def same_first(expected: str, mistake: str, style: Style, task: Task) -> set[str]:
    """The arrays that may be called the first: a division may be missing in the error of the output or behind it."""
    divides = "mean" in mistake or "batch" in mistake
    return {expected, *([style.names("dZ", len(task.sizes) - 1)] if divides else [])}


def two_mistakes(part: Part) -> Iterator[Told]:
    """Whether both were found."""
    random, done = part.random, 0
    kinds = [*product(STYLES, TASKS)]
    while done < part.how_many:
        style, name = random.choice(kinds)
        pair = random.sample([m for m in MISTAKES if can_have(m, TASKS[name], STYLES[style])], 2)
        task = replace(TASKS[name], seed=random.randrange(10**6), n=random.choice([3, 5, 8]))
        if set(pair) == {"ascent", "error-sign"}:  # together they are a convention
            continue
        for m in pair:
            task = needs(m, task)
        layer = random.randrange(1, len(task.sizes)) if "layer-not-updated" in pair else 0
        try:
            runs = [recorded(task, STYLES[style], m, layer) for m in ((), (pair[0],), (pair[1],), tuple(pair))]
        except ValueError:
            continue
        # Each has to make a difference beside the other.
        if not all(first_difference(runs[i], runs[3], float) for i in (0, 1, 2)):
            continue
        done += 1
        label = f"{pair} {style}/{name} seed={task.seed} n={task.n}"
        try:
            report = checked(runs[3], task)
        except TutorError as error:
            yield Told(f"{label}: {error}", " + ".join(sorted(pair)), (False,))
            continue
        ids, named = names_in(report)
        missed = [m for m in pair if not named & names_of(m, task)]
        yield Told(f"{label}: {ids}", " + ".join(missed), (not missed,))


def large_step(part: Part) -> Iterator[Told]:
    """784-128-10 with a batch of 128: the seconds of a check, and its memory beside that of the arrays."""
    dtype = (float, np.float32)[part.number]
    task = Task((784, 128, 10), "classes", "relu", 128, dtype=dtype)
    checked(recorded(replace(task, sizes=(5, 4, 3)), Style()), task)
    arrays = recorded(task, Style())
    began = time.perf_counter()
    checked(arrays, task)
    seconds = time.perf_counter() - began
    tracemalloc.start()
    checked(arrays, task)
    times = tracemalloc.get_traced_memory()[1] / sum(a.nbytes for a in arrays.values())
    tracemalloc.stop()
    yield Told(f"{dtype.__name__}: {seconds:.2f} s, {times:.2f} times", "", (seconds <= 1.5, times <= 3))


def real_programs(part: Part) -> Iterator[Told]:
    """Those of public tutorials, and of PyTorch where it is installed: right is right, and each mistake is found."""
    for name, tutorial in TUTORIALS.items():
        for mistake in (False, True):
            report = Step().record(**tutorial.run(mistake)).check(**tutorial.said)
            ids = names_in(report)[0]
            yield Told(f"{name}: {ids}", name, (ids == [*tutorial.mistakes] if mistake else report.is_right,))
    try:
        import trace_torch_programs as programs
    except ImportError:
        return
    for name, (loss, model, y) in programs.KINDS.items():
        for reduction in ("mean", "sum"):
            report = programs.told(model(), loss(reduction), y)
            yield Told(f"{name}, {reduction}: {names_in(report)[0]}", name, (report.is_right,))
    for name, (array, mistake, run) in programs.MISTAKES.items():
        report = run()
        first = next((a.name for a in report.arrays if a.verdict == "wrong"), "")
        ids = names_in(report)[0]
        yield Told(f"{name}: first {first} for {array}; {ids}", name, (first == array and ids[:1] == [mistake],))


WORK: dict[str, Callable[[Part], Iterator[Told]]] = {
    "right programs": right_programs,
    "one mistake, everything recorded": partial(wrong_programs, few=False),
    "one mistake, parameters, gradients and new parameters": partial(wrong_programs, few=True),
    "two mistakes": two_mistakes,
    "784-128-10, a batch of 128": large_step,
    "real programs": real_programs,
}
ONCE = {"784-128-10, a batch of 128": 2, "real programs": 1}
"""What is done alone, when all else is done, for it is timed: in so many parts."""
_NAMED = (("the mistake named first", 98.0), ("the mistake among those named", 99.5))
FIGURES: dict[str, tuple[tuple[str, float], ...]] = {
    "right programs": (("no array called wrong", 100.0),),
    "one mistake, everything recorded": (("the first wrong array", 99.5), *_NAMED),
    "one mistake, parameters, gradients and new parameters": (("the first wrong array", 97.0), *_NAMED),
    "two mistakes": (("both found", 90.0),),
    "784-128-10, a batch of 128": (("at most 1.5 s", 100.0), ("at most 3 times the arrays", 100.0)),
    "real programs": (("right is right, each mistake is found", 100.0),),
}
"""What is counted, and the goal in percent."""


def done(part: Part) -> list[Told]:
    return [*WORK[part.what](part)]


def main(how_many: int = 1000, show: int = 5, seed: int = 20) -> None:
    began = time.perf_counter()
    pieces = max(1, how_many // 25)
    found: dict[str, list[Told]] = {what: [] for what in WORK}
    each = how_many // pieces
    parts = [Part(what, i, pieces, each, seed) for what in WORK if what not in ONCE for i in range(pieces)]
    with workers(os.cpu_count() or 1) as pool:
        for part, told in zip(parts, pool.map(done, parts), strict=True):
            found[part.what] += told
    for what, of in ONCE.items():
        for i in range(of):
            found[what] += done(Part(what, i, of, 1))
    for what, told in found.items():
        say(what, told, show)
    used = sum(os.times()[:4])
    print(f"{time.perf_counter() - began:.0f} s, {used:.0f} s of processors")


def say(what: str, told: list[Told], show: int) -> None:
    print(f"{what}: {len(told)}")
    for column, (text, goal) in enumerate(FIGURES[what]):
        missed = [t for t in told if not t.right[column]]
        share = 100 * (1 - len(missed) / len(told))
        met = "met" if share >= goal else "MISSED"
        print(f"    {text}: {len(told) - len(missed)} of {len(told)}, {share:.1f}% (goal {goal:g}%, {met})")
        if missed:
            print("       ", dict(Counter(t.kind for t in missed).most_common(12)))
        for t in missed[:show]:
            print("       ", t.text)
    if WORK[what] is large_step:
        print("   ", "; ".join(t.text for t in told))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
