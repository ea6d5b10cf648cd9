"""Two settings compared seed by seed: the mean difference with its interval, and a sign test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import atan, comb, inf, pi, sqrt
from statistics import mean, stdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.experiments.summary import Comparison

CONFIDENCE = 0.95
_DIGITS = 9  # of a quantile: the last bits of an arctangent are the C library's


@dataclass(frozen=True)
class Difference:
    """By how much a setting differs from `other`, over the seeds in which neither diverged: the mean of the differences
    and, where they differ from seed to seed, the interval around it that Student's distribution gives, with n - 1
    degrees of freedom. `lower` and `higher` count the seeds, `p` is that of the two-sided sign test, in which equal
    ones do not count."""

    setting: int
    other: int
    seeds: int
    mean: float
    low: float | None
    high: float | None
    lower: int
    higher: int
    p: float


def difference(setting: int, other: int, pairs: Sequence[tuple[float, float]]) -> Difference | None:
    """Of the first of each pair from the second; None without any."""
    if not pairs:
        return None
    apart = [a - b for a, b in pairs]
    middle, low, high = float(mean(apart)), None, None
    if len({*apart}) > 1:
        half = student(len(apart) - 1) * float(stdev(apart)) / sqrt(len(apart))
        low, high = middle - half, middle + half
    lower, higher = sum(d < 0 for d in apart), sum(d > 0 for d in apart)
    return Difference(setting, other, len(apart), middle, low, high, lower, higher, sign_test(lower, higher))


def against_the_best(comparison: Comparison) -> list[Difference]:
    """Every setting that has a rank beside the best one, by the measure that ranks them."""
    best, measure = comparison.best, comparison.ranked_by
    if best is None:
        return []
    known = [
        {one.seed: getattr(one, measure) for one in summary.outcomes if not one.diverged}
        for summary in comparison.summaries
    ]
    found = []
    for place in sorted(comparison.ranking):
        if place != best:
            pairs = [(value, known[best][seed]) for seed, value in known[place].items() if seed in known[best]]
            one = difference(place, best, [(a, b) for a, b in pairs if a is not None and b is not None])
            found += [] if one is None else [one]
    return found


def sign_test(lower: int, higher: int) -> float:
    """How probable a split at least as uneven is where both signs are as likely as each other."""
    count = lower + higher
    tail = sum(comb(count, k) for k in range(min(lower, higher) + 1))
    return min(1.0, float(2 * tail / 2**count))


@cache
def student(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Where Student's distribution has this share between -t and t."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < confidence:
        low, high = high, 2 * high
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return float(f"{high:.{_DIGITS}g}")


def _within(t: float, freedom: int) -> float:
    """The share between -t and t. Source: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4."""
    if t == inf:
        return 1.0
    length = sqrt(freedom + t * t)
    sine, square = t / length, freedom / (freedom + t * t)
    odd = freedom % 2
    term = total = 0.0
    if freedom > 1:
        term = total = sqrt(square) if odd else 1.0
        for k in range(3 if odd else 2, freedom - 1, 2):
            term *= square * (k - 1) / k
            total += term
    return 2 / pi * (atan(t / sqrt(freedom)) + sine * total) if odd else sine * total
