"""The values that a lesson's prose and blocks speak of: exact ones of worksheets, one for each seed of experiments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from math import inf, isinf, isnan, nan
from statistics import stdev
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tutor.course.read import Course
from tutor.errors import TutorError
from tutor.lessons.block_values import BlockValues

if TYPE_CHECKING:
    from tutor.course.experiment import Results

Number = Any  # Fraction | mpmath.mpf | inf | nan
_SIDES = re.compile(r"<=|>=|==|!=|<|>|≤|≥|≠")
_SPELLED = {"≤": "<=", "≥": ">=", "≠": "!="}
_STANDS: Mapping[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
}
_EQUAL = Fraction(1, 10**25)
_LARGE, _LARGER = Fraction(10**40), Fraction(10**80)
"""What stands for a target that was never reached, twice: what grows with it is never, too."""


class Infinite(float):
    """The loss of a training that diverged. It compares as a target that was never reached, and is told otherwise."""


class Value(Struct, frozen=True):
    """The value of a formula: one number, or one for each seed."""

    each: tuple[Number, ...]
    by_seed: bool

    @property
    def mean(self) -> Number:
        """Over the seeds; infinite where one of them never came to it, or diverged."""
        if not self.by_seed:
            return self.each[0]
        if any(isinstance(x, float) for x in self.each):
            odd = [x for x in self.each if isinstance(x, float)]
            return nan if any(isnan(x) for x in odd) else odd[0]
        from tutor.numbers.exact import as_fraction

        return sum(map(as_fraction, self.each), Fraction(0)) / len(self.each)

    @property
    def deviation(self) -> float | None:
        """With n - 1; None for a single number and where a seed has none."""
        if len(self.each) < 2 or any(isinstance(x, float) for x in self.each):
            return None
        return float(stdev([float(x) for x in self.each]))


class Comparison(Struct, frozen=True):
    """Two sides and whether the first stands so to the second."""

    left: str
    sign: str
    right: str

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


class Values(BlockValues):
    """All values of one lesson. Experiments are run, or found in the cache, when something of them is asked for."""

    def __init__(self, course: Course, run: Callable[[str], Results] | None = None) -> None:
        super().__init__(course.text)
        self.lesson, self._run = course, run
        self._results: dict[str, Results] = {}

    @cached_property
    def _blocks(self) -> dict[str, str]:
        found = {block.name: block.kind for block in self.lesson.blocks if block.kind in ("worksheet", "experiment")}
        return {name: kind for name, kind in found.items() if name}

    def blocks(self) -> Mapping[str, str]:
        return self._blocks

    def results(self, name: str) -> Results:
        if name not in self._results:
            if self._run is None:
                raise ValueError(f"{name!r} is an experiment, and nothing is trained here")
            self._results[name] = self._run(name)
        return self._results[name]

    def values_of(self, block: str) -> dict[str, Number]:
        """Of an experiment the first seed's: which names there are, and that they are numbers."""
        if self._blocks.get(block) != "experiment":
            return super().values_of(block)
        return {name: each[0] for name, each in self.seeds_of(block).items()}

    def seeds_of(self, block: str) -> dict[str, tuple[Number, ...]]:
        """Every measure of every row of an experiment, seed by seed."""
        return {f"{block}.{name}": each for name, each in self.results(block).values().items()}

    def value(self, formula: str, also: Mapping[str, Number] | None = None) -> Value:
        """The value of a formula over values of blocks, and of names that are known `also`. Raises ValueError where it
        cannot be read or has none."""
        from tutor.formulas.expressions import names
        from tutor.formulas.parse import parse

        text, known = self.names_in(formula)
        known = {**known, **(also or {})}
        expression = parse(text, known)
        used = names(expression)
        seeds: dict[str, tuple[Number, ...]] = {}
        for block in dict.fromkeys(name.partition(".")[0] for name in used):
            if self._blocks.get(block) == "experiment":
                seeds |= self.seeds_of(block)
        by_seed = {name: seeds[name] for name in used if name in seeds}
        if not by_seed:
            return Value((_worked_out(expression, known),), False)
        lengths = {len(each) for each in by_seed.values()}
        if len(lengths) > 1:
            raise ValueError("these experiments have not as many seeds as each other, so they have no seed in common")
        found = []
        for place in range(lengths.pop()):
            here = {**known, **{name: each[place] for name, each in by_seed.items()}}
            found.append(_of_one_seed(expression, here, used))
        return Value(tuple(found), True)

    def is_random(self, formula: str) -> bool:
        """Whether chance has a part in it: in trainings on data, which begin with drawn weights, unlike worksheets."""
        experiments = self.lesson.of_kind("experiment")
        specs = [experiments[block].spec for block, _ in self._mentioned(formula) if block in experiments]
        return any(spec.data or any("data" in row for row in spec.rows.values()) for spec in specs)

    def compare(self, test: Comparison, over: str = "seeds") -> tuple[float, int, Value, Value]:
        """The share of the seeds in which the comparison is true, of how many, and both sides."""
        left, right = self.value(test.left), self.value(test.right)
        if over == "mean":
            return float(is_true(left.mean, test.sign, right.mean)), 1, left, right
        count = max(len(left.each), len(right.each))
        pairs = zip(_by_seed(left, count), _by_seed(right, count), strict=True)
        true = sum(is_true(a, test.sign, b) for a, b in pairs)
        return true / count, count, left, right


def _by_seed(value: Value, count: int) -> tuple[Number, ...]:
    return value.each if len(value.each) == count else value.each * count


def _worked_out(expression: Any, known: Mapping[str, Number]) -> Number:
    if expression.is_Symbol:
        return known[expression.name]
    from tutor.worksheet.values import evaluate_formula

    try:
        return evaluate_formula(expression, known)
    except TutorError as error:
        raise ValueError(str(error)) from None


def _of_one_seed(expression: Any, here: dict[str, Number], used: tuple[str, ...]) -> Number:
    """The value for one seed. Where a target was never reached, what grows with it is never reached, too."""
    odd = [name for name in used if isinstance(here[name], float)]
    if not odd:
        return _worked_out(expression, here)
    if len(odd) > 1 or isnan(here[odd[0]]):
        return here[odd[0]] if expression.is_Symbol else nan
    if expression.is_Symbol:
        return here[odd[0]]
    one, two = (_worked_out(expression, {**here, odd[0]: stand_in}) for stand_in in (_LARGE, _LARGER))
    if abs(two) > _LARGE and abs(two) > abs(one):
        return type(here[odd[0]])(inf if two > 0 else -inf)
    return Fraction(0) if abs(two) < 1 / _LARGE else two


def is_true(left: Number, sign: str, right: Number) -> bool:
    """Whether the comparison is true. Two numbers that agree in 25 digits are equal; what has no value is no number."""
    if any(isinstance(x, float) and isnan(x) for x in (left, right)):
        return False
    if any(isinstance(x, float) and isinf(x) for x in (left, right)):
        return _STANDS[sign]((float(left) > float(right)) - (float(left) < float(right)))
    from tutor.numbers.exact import as_fraction

    a, b = as_fraction(left), as_fraction(right)
    near = abs(a - b) <= _EQUAL * max(abs(a), abs(b))
    return _STANDS[sign](0 if near else (a > b) - (a < b))


def comparisons(text: str) -> list[Comparison]:
    """The comparisons that the text makes: two of a < b < c. Raises ValueError where it makes none."""
    cuts = [found for found in _SIDES.finditer(text) if _is_outside(text, found.start())]
    if not cuts:
        raise ValueError(f"{text[:60]!r} compares nothing; write it as in mlp.E_after < mlp.E")
    ends = [0, *(end for cut in cuts for end in cut.span()), len(text)]
    sides = [text[ends[k] : ends[k + 1]].strip() for k in range(0, len(ends), 2)]
    if not all(sides):
        raise ValueError(f"{text[:60]!r} has a side with nothing in it")
    signs = [_SPELLED.get(cut[0], cut[0]) for cut in cuts]
    return [Comparison(a, sign, b) for a, sign, b in zip(sides, signs, sides[1:], strict=False)]


def _is_outside(text: str, place: int) -> bool:
    return text[:place].count("(") == text[:place].count(")") and text[:place].count("[") == text[:place].count("]")


def statements(test: str | list[str]) -> list[Comparison]:
    """Everything that a test states; all of it must hold."""
    return [one for text in ([test] if isinstance(test, str) else test) for one in comparisons(text)]
