"""Two settings seed by seed: held against printed tables and by counting."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from conftest import Tutor

from tutor.experiments.differences import difference, sign_test, student

PRINTED = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 9: 2.262, 10: 2.228, 30: 2.042, 120: 1.980}
"""The two-sided 5% points of Student's t, as every table has them."""


@pytest.mark.parametrize(("freedom", "printed"), PRINTED.items())
def test_the_quantiles_are_those_of_the_tables(freedom: int, printed: float) -> None:
    assert student(freedom) == pytest.approx(printed, abs=5e-4)


def test_other_shares_and_many_degrees() -> None:
    assert student(4, 0.99) == pytest.approx(4.604, abs=5e-4)
    assert student(100_000) == pytest.approx(1.95998, abs=1e-4)


@pytest.mark.parametrize("counts", [(0, 5), (1, 4), (2, 2), (3, 0), (0, 0), (4, 1)])
def test_the_sign_test_counts_every_way_to_fall(counts: tuple[int, int]) -> None:
    lower, higher = counts
    total = lower + higher
    ways = [sum(signs) for signs in product((0, 1), repeat=total)]
    uneven = abs(lower - higher)
    assert sign_test(lower, higher) == float(Fraction(sum(abs(2 * k - total) >= uneven for k in ways), len(ways)))


def test_a_difference_by_hand() -> None:
    """1, 2, 3 and 2: mean 2, deviation √(2/3), half the interval 3.182·0.8165/2."""
    found = difference(1, 0, [(2.0, 1.0), (4.0, 2.0), (6.0, 3.0), (4.0, 2.0)])
    assert found is not None and (found.mean, found.lower, found.higher, found.p) == (2.0, 0, 4, 0.125)
    assert (found.low, found.high) == (pytest.approx(2 - 1.2992, abs=1e-3), pytest.approx(2 + 1.2992, abs=1e-3))
    single = difference(1, 0, [(2.0, 1.0)])
    assert single is not None and single.low is None and difference(1, 0, []) is None


def test_compare_tells_the_differences_from_the_best(tutor: Tutor) -> None:
    options: list[Any] = ["compare", "--data", "moons", "--epochs", 3, "--vary", "learning-rate=0.001,0.03,0.05"]
    found = tutor.json(*options, "--seeds", 4)
    best = found["best"]
    losses = [[run["training_loss"] for run in setting["runs"]] for setting in found["settings"]]
    assert [one["setting"] for one in found["differences"]] == [k for k in range(3) if k != best]
    for one in found["differences"]:
        apart = np.array(losses[one["setting"]]) - np.array(losses[best])
        half = 3.18245 * np.std(apart, ddof=1) / 2
        assert (one["other"], one["seeds"]) == (best, 4)
        assert one["mean"] == pytest.approx(np.mean(apart))
        assert one["high"] - one["mean"] == pytest.approx(half, rel=1e-5)
        assert (one["lower"], one["higher"]) == ((apart < 0).sum(), (apart > 0).sum())
    for more in ([], ["--narrate"], ["--width", 40]):
        said = " ".join(tutor(*options, "--seeds", 4, *more).stdout.split())
        assert "difference of the training loss" in said and "Student's t" in said
    assert "Student" not in tutor(*options, "--seeds", 1).stdout


@pytest.mark.parametrize(("seeds", "least"), [(2, "0.5"), (3, "0.25"), (5, "0.062"), (6, None)])
def test_what_few_seeds_cannot_show_is_said(tutor: Tutor, seeds: int, least: str | None) -> None:
    """The sign test of all seeds against none."""
    typed = ["compare", "--data", "xor", "--vary", "hidden=2,3", "--epochs", 3, "--seeds", seeds, "--jobs", 1]
    shown = " ".join(tutor(*typed).stdout.split())
    assert ("never below" in shown) == (least is not None)
    assert least is None or f"which with {seeds} seeds is never below {least}." in shown
    assert least is None or f"{sign_test(0, seeds):.2g}" == least
