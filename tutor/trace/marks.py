"""What shows in the numbers of an array that is wrong: how far off it is, where, and what kind of difference it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10
from typing import Any

import numpy as np

from tutor.trace.algebra import Role
from tutor.trace.precision import Precision, distance
from tutor.trace.replay import Step

Array = Any
_ROWS, _COLUMNS = 8, 48


def error_of(step: Step, role: Role, truth: Step) -> tuple[float | None, tuple[int, ...]]:
    """The largest difference from what another step gives, as a share of the largest number, and its place inside."""
    worst, place, largest = -1.0, tuple[int, ...](), 0.0
    for start, recorded, own in step.compared(role, truth):
        if recorded.shape != own.shape:
            return None, ()
        with np.errstate(all="ignore"):
            off, at = _most_off(recorded.value, own.value)
            if off > worst or (np.isnan(off) and np.isfinite(worst)):
                worst, place = off, (at[0] + start, *at[1:]) if at else ()
            # Of a sum that comes to nearly 0 the numbers that were added say how much it can be off.
            sizes = float(np.max(np.abs(own.value))), float(np.max(own.bound)) / (8 * own.precision.roundoff)
            largest = max(largest, *sizes)
    if worst == 0:
        return 0.0, place
    return (worst / largest if largest else worst), place


def _most_off(recorded: Array, own: Array) -> tuple[float, tuple[int, ...]]:
    """The largest difference and its place; what is no number counts for most."""
    off = np.abs(recorded - own)
    off = np.where((recorded == own) | (np.isnan(recorded) & np.isnan(own)), 0.0, off)
    place = tuple(int(i) for i in np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), off.shape))
    return float(off[place]), place


def digits_of(error: float, p: Precision) -> int:
    """How many significant digits agree, of those that the precision has."""
    most = floor((p.bits - 1) * log10(2)) + 1
    if not error:
        return most
    return max(0, min(most, floor(-log10(error)))) if np.isfinite(error) else 0


@dataclass(frozen=True)
class Beside:
    """An array beside what its equation gives for it, and where the two differ by more than they can."""

    array: Array
    truth: Array
    wrong: Array

    @classmethod
    def of(cls, step: Step, role: Role) -> Beside:
        truths, wrong = [], []
        for _, recorded, own in step.compared(role):
            truths.append(own.value)
            same_shape = recorded.shape == own.shape
            with np.errstate(all="ignore"):
                off = distance(recorded.value, own, step.precision) > 0 if same_shape else np.ones(recorded.shape, bool)
            wrong.append(off)
        joined = (np.concatenate(blocks) if len(blocks) > 1 else blocks[0] for blocks in (truths, wrong))
        return cls(step.value(role).value, *joined)


def mark_of(beside: Beside, transposed: bool, sums: Array | None) -> str:
    """In a few words, what kind of difference it is; empty where none stands out. `transposed` is an array that the
    writer has the other way round, `sums` are the weighted sums that belong to it."""
    array, truth = beside.array, beside.truth
    if array.shape != np.shape(truth):
        return f"the shape is {_shape(array)} and should be {_shape(truth)}"
    if not np.all(np.isfinite(array)):
        count = int(np.sum(~np.isfinite(array)))
        return f"{count} of {array.size} numbers are not finite"
    return _factor(array, truth, beside.wrong) or _transposed(array, truth) or _places(beside.wrong, transposed, sums)


def _shape(array: Array) -> str:
    return "×".join(map(str, np.shape(array))) or "one number"


def _factor(array: Array, truth: Array, wrong: Array) -> str:
    big = np.abs(truth) > 1e-3 * np.max(np.abs(truth), initial=0)
    if not np.any(big):
        return "it should be 0 throughout"
    if not np.any(array):
        return "it is 0 throughout"
    ratios = array[big]
    ratios /= truth[big]
    ratio = float(np.median(ratios))
    throughout = np.ptp(ratios) <= 1e-3 * abs(ratio)
    del ratios
    if throughout:  # also where it is small
        off = ratio * truth
        off -= array
        throughout = max(off.max(), -off.min()) <= 2e-3 * abs(ratio) * max(truth.max(), -truth.min())
    if throughout and (array.size > 1 or _is_plain(ratio)):
        if abs(ratio + 1) < 1e-3:
            return "the whole array has the other sign" if array.size > 1 else "it has the other sign"
        return f"{'the whole array' if array.size > 1 else 'it'} is times {ratio:.4g}"
    differences = (array - truth)[wrong]
    if differences.size > 1 and np.ptp(differences) <= 1e-6 * abs(np.median(differences)):
        return f"every number is off by {float(np.median(differences)):.4g}"
    return ""


def _is_plain(ratio: float) -> bool:
    """Whether it is a whole number or one over it: any other says nothing where there is one number alone."""
    size = abs(ratio) if abs(ratio) > 1 else 1 / max(abs(ratio), 1e-300)
    return abs(size - round(size)) <= 1e-3 * size


def _transposed(array: Array, truth: Array) -> str:
    if array.ndim == 2 and array.shape[0] == array.shape[1] and np.allclose(array, truth.T, rtol=1e-4, atol=0):
        return "it is the transpose of what it should be"
    return ""


def _places(wrong: Array, transposed: bool, sums: Array | None) -> str:
    if not np.any(wrong) or np.all(wrong):
        return ""
    if sums is not None and sums.shape == wrong.shape and np.any(sums < 0) and np.any(sums > 0):
        for sign, there in (("below", sums < 0), ("above", sums > 0)):
            if not np.any(wrong & ~there) and np.mean(wrong[there]) > 0.9:
                return f"only where the weighted sum is {sign} 0"
    if wrong.ndim == 2:
        rows, columns = np.flatnonzero(wrong.any(axis=1)), np.flatnonzero(wrong.any(axis=0))
        names = ("column", "row") if transposed else ("row", "column")
        for name, places, size in ((names[0], rows, wrong.shape[0]), (names[1], columns, wrong.shape[1])):
            if len(places) == 1 and size > 1:
                return f"only in {name} {places[0]}"
            if len(places) < size and len(places) <= 4:
                return f"only in {name}s {', '.join(map(str, places))}"
    return f"in {int(wrong.sum())} of {wrong.size} numbers"


def picture_of(beside: Beside, transposed: bool) -> list[str]:
    """Where it differs, as the writer has it: # where it does, · where not; of a large array, blocks of it."""
    wrong = beside.wrong
    if beside.array.shape != np.shape(beside.truth) or wrong.ndim != 2 or wrong.size < 2:
        return []
    if not np.any(wrong) or np.all(wrong):
        return []
    seen = wrong.T if transposed else wrong
    rows = np.array_split(np.arange(seen.shape[0]), min(_ROWS, seen.shape[0]))
    columns = np.array_split(np.arange(seen.shape[1]), min(_COLUMNS, seen.shape[1]))
    return ["".join("#" if seen[np.ix_(r, c)].any() else "·" for c in columns) for r in rows]
