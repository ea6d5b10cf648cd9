"""Why linear inequalities cannot all hold: multipliers with which their sum says that a number is below itself.

That is Farkas' lemma, and the multipliers come out of Fourier's elimination, in which every inequality remembers of
which it was made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from msgspec import Struct

from tutor.course.values import comparisons
from tutor.formulas.vocabulary import CONSTANTS, FUNCTIONS, OVER_A_RANGE

MOST_ROWS = 5_000
_WORD = re.compile(r"(?<![\w.])[A-Za-z]\w*")
_WORDS = {*FUNCTIONS, *CONSTANTS, *OVER_A_RANGE, "if", "else", "for", "in", "d"}


class Row(Struct, frozen=True):
    """Σ coefficients·names + constant <= 0, or < 0 where it is strict, as a sum of given ones, each so many times."""

    coefficients: Mapping[str, Fraction]
    constant: Fraction
    strict: bool
    times: tuple[Fraction, ...]

    @property
    def is_impossible(self) -> bool:
        return not self.coefficients and (self.constant > 0 or (self.strict and self.constant == 0))


def free_names(*formulas: str) -> set[str]:
    """The names in formulas that are free to mean any number."""
    return {word for text in formulas for word in _WORD.findall(text)} - _WORDS


def multipliers(inequalities: Sequence[str]) -> tuple[int, ...] | None:
    """How many times each inequality is to be taken, in whole numbers, so that their sum cannot be; None where they can
    all hold. Raises ValueError for what is no linear inequality."""
    rows = [row for place, text in enumerate(inequalities) for row in _read(text, place, len(inequalities))]
    for name in sorted({name for row in rows for name in row.coefficients}):
        rows = _without(name, rows)
    impossible = [row for row in rows if row.is_impossible]
    if not impossible:
        return None
    best = min(impossible, key=lambda row: (sum(map(bool, row.times)), sum(map(abs, row.times))))
    scale = lcm(*(x.denominator for x in best.times))
    whole = [int(x * scale) for x in best.times]
    return tuple(x // (gcd(*whole) or 1) for x in whole)


def _read(text: str, place: int, count: int) -> list[Row]:
    made = comparisons(text)
    if len(made) != 1:
        raise ValueError(f"{text!r}: write one comparison in each inequality")
    one = made[0]
    if one.sign == "!=":
        raise ValueError(f"{text!r}: != is no inequality that can be added to others")
    low, high = (one.left, one.right) if one.sign in ("<", "<=", "==") else (one.right, one.left)
    unit = tuple(Fraction(int(k == place)) for k in range(count))
    found = [_row(low, high, one.sign in ("<", ">"), unit)]
    if one.sign == "==":
        found.append(_row(high, low, False, tuple(-x for x in unit)))
    return found


def _row(low: str, high: str, strict: bool, times: tuple[Fraction, ...]) -> Row:
    import sympy

    from tutor.formulas.parse import parse

    names = free_names(low, high)
    difference = sympy.expand(parse(low, names) - parse(high, names))
    found = dict[str, Fraction]()
    constant = Fraction(0)
    for term, factor in difference.as_coefficients_dict().items():
        if not factor.is_Rational or not (term.is_Symbol or term == 1):
            raise ValueError(f"{low} against {high} is not linear in its names")
        if term == 1:
            constant += Fraction(int(factor.p), int(factor.q))
        else:
            found[term.name] = Fraction(int(factor.p), int(factor.q))
    return Row({name: c for name, c in found.items() if c}, constant, strict, times)


def _without(name: str, rows: Sequence[Row]) -> list[Row]:
    """What follows for the other names: every inequality that bounds the name from below with every one from above."""
    kept = [row for row in rows if name not in row.coefficients]
    above = [row for row in rows if row.coefficients.get(name, 0) > 0]
    below = [row for row in rows if row.coefficients.get(name, 0) < 0]
    if len(kept) + len(above) * len(below) > MOST_ROWS:
        raise ValueError("these are too many inequalities to be added up; give fewer")
    return [*kept, *(_added(a, -b.coefficients[name], b, a.coefficients[name]) for a in above for b in below)]


def _added(one: Row, times: Fraction, other: Row, others: Fraction) -> Row:
    names = {*one.coefficients, *other.coefficients}
    sums = {n: times * one.coefficients.get(n, 0) + others * other.coefficients.get(n, 0) for n in names}
    return Row(
        {name: Fraction(c) for name, c in sums.items() if c},
        times * one.constant + others * other.constant,
        one.strict or other.strict,
        tuple(times * a + others * b for a, b in zip(one.times, other.times, strict=True)),
    )
