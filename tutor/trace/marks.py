"""What shows in the numbers of an array that is wrong: how far off it is, where, and what kind of difference it is."""

from __future__ import annotations

from math import floor, log10
from typing import Any

import numpy as np

from tutor.trace.orientation import Recorded
from tutor.trace.precision import Bounded, Precision, distance

Array = Any
_ROWS, _COLUMNS = 8, 48


def error_of(recorded: Array, own: Bounded) -> tuple[float | None, tuple[int, ...]]:
    """The largest difference as a share of the largest number, and its place inside."""
    if np.shape(recorded) != np.shape(own.value):
        return None, ()
    with np.errstate(all="ignore"):
        off = np.abs(recorded - own.value)
        off = np.where((recorded == own.value) | (np.isnan(recorded) & np.isnan(own.value)), 0.0, off)
        place = tuple(int(i) for i in np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), off.shape))
        # Of a sum that comes to nearly 0 the numbers that were added say how much it can be off.
        largest = max(float(np.max(np.abs(own.value))), float(np.max(own.bound)) / (8 * own.precision.roundoff))
        worst = float(off[place])
    if worst == 0:
        return 0.0, place
    return (worst / largest if largest else worst), place


def digits_of(error: float, p: Precision) -> int:
    """How many significant digits agree, of those that the precision has."""
    most = floor((p.bits - 1) * log10(2)) + 1
    if not error:
        return most
    return max(0, min(most, floor(-log10(error)))) if np.isfinite(error) else 0


def mark_of(recorded: Recorded, own: Bounded, p: Precision, sums: Array | None, examples: int) -> str:
    """In a few words, what kind of difference it is; empty where none stands out."""
    array, truth = recorded.array.astype(np.float64, copy=False), own.value
    if array.shape != np.shape(truth):
        return f"the shape is {_shape(array)} and should be {_shape(truth)}"
    if not np.all(np.isfinite(array)):
        count = int(np.sum(~np.isfinite(array)))
        return f"{count} of {array.size} numbers are not finite"
    wrong = distance(array, own, p) > 0
    return _factor(array, truth, wrong) or _turned(array, truth) or _places(array, wrong, recorded, sums, examples)


def _shape(array: Array) -> str:
    return "×".join(map(str, np.shape(array))) or "one number"


def _factor(array: Array, truth: Array, wrong: Array) -> str:
    big = np.abs(truth) > 1e-3 * np.max(np.abs(truth), initial=0)
    if not np.any(big):
        return "it should be 0 throughout"
    if not np.any(array):
        return "it is 0 throughout"
    ratios = array[big] / truth[big]
    if np.ptp(ratios) <= 1e-3 * abs(np.median(ratios)):
        ratio = float(np.median(ratios))
        if abs(ratio + 1) < 1e-3:
            return "the whole array has the other sign"
        return f"the whole array is times {ratio:.4g}"
    differences = (array - truth)[wrong]
    if differences.size > 1 and np.ptp(differences) <= 1e-6 * abs(np.median(differences)):
        return f"every number is off by {float(np.median(differences)):.4g}"
    return ""


def _turned(array: Array, truth: Array) -> str:
    if array.ndim == 2 and array.shape[0] == array.shape[1] and np.allclose(array, truth.T, rtol=1e-4, atol=0):
        return "it is the transpose of what it should be"
    return ""


def _places(array: Array, wrong: Array, recorded: Recorded, sums: Array | None, examples: int) -> str:
    if not np.any(wrong) or np.all(wrong):
        return ""
    if sums is not None and sums.shape == wrong.shape and np.any(sums < 0) and np.any(sums > 0):
        for sign, there in (("below", sums < 0), ("above", sums > 0)):
            if not np.any(wrong & ~there) and np.mean(wrong[there]) > 0.9:
                return f"only where the weighted sum is {sign} 0"
    if array.ndim == 2:
        rows, columns = np.flatnonzero(wrong.any(axis=1)), np.flatnonzero(wrong.any(axis=0))
        names = ("column", "row") if recorded.turned else ("row", "column")
        for name, places, size in ((names[0], rows, array.shape[0]), (names[1], columns, array.shape[1])):
            if len(places) == 1 and size > 1:
                return f"only in {name} {places[0]}"
            if len(places) < size and len(places) <= 4:
                return f"only in {name}s {', '.join(map(str, places))}"
    return f"in {int(wrong.sum())} of {wrong.size} numbers"


def picture_of(recorded: Recorded, own: Bounded, p: Precision) -> list[str]:
    """Where it differs, as the writer has it: # where it does, · where not; of a large array, blocks of it."""
    array = recorded.array.astype(np.float64, copy=False)
    if array.shape != np.shape(own.value) or array.ndim != 2 or array.size < 2:
        return []
    wrong = distance(array, own, p) > 0
    if not np.any(wrong) or np.all(wrong):
        return []
    seen = wrong.T if recorded.turned else wrong
    rows = np.array_split(np.arange(seen.shape[0]), min(_ROWS, seen.shape[0]))
    columns = np.array_split(np.arange(seen.shape[1]), min(_COLUMNS, seen.shape[1]))
    return ["".join("#" if seen[np.ix_(r, c)].any() else "·" for c in columns) for r in rows]
