"""A value of a lesson as text: with so many decimals, in per cent, with its spread, or `never` or `infinite`."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isnan
from typing import Any

from tutor.course.prose import Misplaced, Placeholder
from tutor.course.values import Infinite, Value, Values
from tutor.numbers.digits import exponent_of, round_to
from tutor.numbers.exact import as_fraction
from tutor.views.numbers import shown
from tutor.worksheet.values import CORRECT_DIGITS

NEVER, INFINITE = "never", "infinite"
DIGITS = 3
_IN_PERCENT = 1


def number(value: Any, decimals: int | None = None, percent: bool = False, significant: int = 1) -> str:
    """The number as it is shown: where decimals are not said, three of them and three significant digits at least; else
    as many digits as are called `significant`."""
    if isinstance(value, float):
        if isnan(value):
            return "unknown"
        if value in (float("inf"), float("-inf")):
            return INFINITE if isinstance(value, Infinite) else NEVER
        value = Fraction(value)
    value = _settled(value)
    if percent:
        text = shown(value * 100, _IN_PERCENT if decimals is None else decimals, significant=1)
        return f"{text}%"
    return shown(value, DIGITS if decimals is None else decimals, significant=3 if decimals is None else significant)


def spelled(value: Value, decimals: int | None = None, percent: bool = False, with_deviation: bool = False) -> str:
    """The value, or its mean over the seeds; with `with_deviation` the standard deviation behind it."""
    mean = number(value.mean, decimals, percent)
    if not with_deviation or value.deviation is None:
        return mean
    return f"{mean.removesuffix('%')} ± {_deviation(value.deviation, decimals, percent)}"


def _settled(value: Any) -> Fraction:
    """A value that is no fraction, by the digits of it that are right: 3 rather than 2.999…9."""
    exact = as_fraction(value)
    if isinstance(value, Fraction) or not exact:
        return exact
    return round_to(exact, CORRECT_DIGITS - 4 - exponent_of(exact))


def _deviation(value: float, decimals: int | None, percent: bool) -> str:
    """A deviation with two significant digits unless decimals are said: no more of it is known."""
    if decimals is not None or percent or value == 0:
        return number(value, decimals, percent)
    return shown(Fraction(value), 0 if value >= 10 else 1, significant=2)


def apart(left: Value, right: Value) -> tuple[str, str]:
    """Both sides of a comparison with so many digits that they can be told from each other."""
    return pair(left.mean, right.mean)


def pair(one: Any, other: Any) -> tuple[str, str]:
    """Two numbers with so many digits that they can be told from each other."""
    if isinstance(one, float) or isinstance(other, float):
        return number(one), number(other)
    a, b = _settled(one), _settled(other)
    return shown(a, DIGITS, b), shown(b, DIGITS, a)


def told(values: Values, part: Placeholder, also: Mapping[str, Any] | None = None) -> str:
    """What a placeholder shows. Raises Misplaced where it has no value."""
    try:
        return spelled(values.value(part.formula, also), part.decimals, part.percent, part.with_deviation)
    except ValueError as error:
        raise Misplaced(part.line, f"{{{part.formula.strip()[:60]}}}: {error}") from None
