"""How programs are read that share no code with the checking: `python tests/trace_simulation.py [how many]`.

Right programs, programs with one mistake and with two, in ten styles, five networks, double and single precision, with
everything recorded or only parameters, gradients and new parameters.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
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
    needs,
    options_of,
    without_the_middle,
)

from tutor.errors import TutorError
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


def right_programs(how_many: int, random: Random) -> Iterator[tuple[str, bool]]:
    """For each whether no array was called wrong."""
    kinds = [*product(STYLES, TASKS, (float, np.float32), (False, True), (False, True))]
    for number in range(how_many):
        style, name, dtype, few, said = kinds[number % len(kinds)] if number < len(kinds) else random.choice(kinds)
        task = replace(TASKS[name], dtype=dtype, seed=random.randrange(10**6), n=random.choice([1, 2, 3, 6, 8]))
        arrays = recorded(task, STYLES[style])
        if few:
            arrays = without_the_middle(arrays)
        try:
            report = checked(arrays, task, said)
        except TutorError as error:
            yield f"{style}/{name}/{dtype.__name__}/n={task.n}/few={few}/said={said}: {error}", False
            continue
        wrong = [a.name for a in report.arrays if a.verdict in ("wrong", "carried")]
        yield f"{style}/{name}/{dtype.__name__}/seed={task.seed}/n={task.n}/few={few}/said={said}: {wrong}", not wrong


def wrong_programs(how_many: int, random: Random, few: bool) -> Iterator[tuple[str, bool, bool, bool, str]]:
    """For each: whether the first wrong array is right, whether its mistake is named first, whether it is among those
    named."""
    kinds = [(m, s, t) for m, s, t in product(MISTAKES, STYLES, TASKS) if can_have(m, TASKS[t], STYLES[s])]
    random.shuffle(kinds)
    done = 0
    for mistake, style, name in (k for _ in range(100) for k in kinds):
        if done >= how_many:
            return
        task = replace(TASKS[name], seed=random.randrange(10**6), n=random.choice([3, 5, 8]))
        task = needs(mistake, replace(task, dtype=random.choice([float, np.float32])))
        layers = [*range(1, len(task.sizes))]
        layer = random.choice(layers if mistake == "layer-not-updated" else [0, *layers])
        if few and mistake in (
            "sum-for-mean",
            "mean-for-sum",
            "forgotten-two",
        ):  # conventions, where no loss says another
            continue
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
            yield f"{label}: {error}", False, False, False, mistake
            continue
        first = next((a.name for a in report.arrays if a.verdict == "wrong"), "")
        ids = [m.id for m in report.mistakes]
        named = {*ids, *(i for m in report.mistakes for i in m.also)}
        allowed = MISTAKES[mistake]
        told = f"{label}: first {first} for {expected}; {ids} also {sorted(named - set(ids))}"
        same = {
            expected,
            *({STYLES[style].names("dZ", len(task.sizes) - 1)} if "mean" in mistake or "batch" in mistake else ()),
        }
        one = {*ids[:1], *(report.mistakes[0].also if ids else ())}
        yield told, first in same, bool(one & set(allowed)), bool(named & set(allowed)), mistake


def two_mistakes(how_many: int, random: Random) -> Iterator[tuple[str, bool]]:
    kinds = [*product(STYLES, TASKS)]
    done = 0
    while done < how_many:
        style, name = random.choice(kinds)
        possible = [m for m in MISTAKES if can_have(m, TASKS[name], STYLES[style])]
        pair = random.sample(possible, 2)
        task = replace(TASKS[name], seed=random.randrange(10**6), n=random.choice([3, 5, 8]))
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
        try:
            report = checked(runs[3], task)
        except TutorError as error:
            yield f"{pair} {style}/{name}: {error}", False
            continue
        named = {i for m in report.mistakes for i in (m.id, *m.also)}
        found = all(named & set(MISTAKES[m]) for m in pair)
        yield f"{pair} {style}/{name} seed={task.seed} n={task.n}: {[m.id for m in report.mistakes]}", found


def main(how_many: int = 1000, show: int = 5) -> None:
    random = Random(20)
    began = time.time()
    failed = [told for told, right in right_programs(how_many, random) if not right]
    print(f"right programs with an array called wrong: {len(failed)} of {how_many}  ({time.time() - began:.0f} s)")
    for told in failed[:show]:
        print("   ", told)
    for few in (False, True):
        began = time.time()
        found = [*wrong_programs(how_many, random, few)]
        n = len(found)
        what = "parameters and gradients" if few else "everything recorded"
        print(f"one mistake, {what}: {n} programs  ({time.time() - began:.0f} s)")
        for column, text in ((1, "first wrong array"), (2, "mistake named first"), (3, "mistake among those named")):
            print(
                f"    {text}: {sum(bool(f[column]) for f in found)} of {n} ({100 * sum(bool(f[column]) for f in found) / n:.1f}%)"
            )
        missed = Counter(f[4] for f in found if not f[2])
        print("    not first:", dict(missed.most_common(12)))
        for told in [f[0] for f in found if not (f[1] and f[3])][:show]:
            print("       ", told)
        for told in [f[0] for f in found if f[1] and f[3] and not f[2]][:show]:
            print("        (not first)", told)
    began = time.time()
    pairs = [*two_mistakes(max(10, how_many // 4), random)]
    both = sum(found for _, found in pairs)
    print(
        f"two mistakes, both found: {both} of {len(pairs)} ({100 * both / len(pairs):.1f}%)  ({time.time() - began:.0f} s)"
    )
    for told in [told for told, found in pairs if not found][:show]:
        print("   ", told)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
