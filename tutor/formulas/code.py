"""Formulas as Python source: how operations hold together stands here once, for whatever a quantity is spelled as.

`Code` is a piece of source that can be calculated with. `Writer` makes one of a formula; a target says how it spells
quantities, numbers and powers: places in a list (`Listed`, for marking), local variables (`training.straight_line`).
What exported scripts are made of, the bodies in `tutor.maths`, work on `Code` themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from tutor.formulas.compiled import compiled
from tutor.formulas.evaluate import value_of
from tutor.formulas.expressions import where
from tutor.numbers.exact import ExactSystem, Number

Expr = Any
CASE, SUM, PRODUCT, POWER, CALL, ATOM = range(6)
"""What holds a text together, weakest first; an atom is a name or a number."""
HALF = sympy.Rational(1, 2)


@dataclass(frozen=True, slots=True)
class Code:
    """A formula in Python, or, with `negative`, what it is minus of."""

    text: str
    rank: int = ATOM
    negative: bool = False

    @property
    def whole(self) -> str:
        """The text with its sign."""
        return f"-{self.size(PRODUCT)}" if self.negative else self.text

    @property
    def is_atom(self) -> bool:
        return self.rank == ATOM

    def size(self, rank: int) -> str:
        """The text without its sign, where something of at least that rank has to stand."""
        return self.text if self.rank >= rank else f"({self.text})"

    def at_least(self, rank: int) -> str:
        """The text with its sign, where something of at least that rank has to stand."""
        if not self.negative:
            return self.size(rank)
        return self.whole if rank <= SUM else f"({self.whole})"

    def __neg__(self) -> Code:
        return Code(self.text, self.rank, not self.negative)

    def __add__(self, other: Any) -> Code:
        return total([self, code_of(other)])

    def __radd__(self, other: Any) -> Code:
        return total([code_of(other), self])

    def __sub__(self, other: Any) -> Code:
        return total([self, -code_of(other)])

    def __rsub__(self, other: Any) -> Code:
        return total([code_of(other), -self])

    def __mul__(self, other: Any) -> Code:
        return product([self, code_of(other)])

    def __rmul__(self, other: Any) -> Code:
        return product([code_of(other), self])

    def __truediv__(self, other: Any) -> Code:
        return product([self], [code_of(other)])

    def __rtruediv__(self, other: Any) -> Code:
        return product([code_of(other)], [self])

    def __floordiv__(self, other: Any) -> Code:
        return Code(f"{self.at_least(PRODUCT)} // {code_of(other).at_least(POWER)}", PRODUCT)

    def __pow__(self, other: Any) -> Code:
        return power(self, code_of(other))

    def __rpow__(self, other: Any) -> Code:
        return power(code_of(other), self)


def code_of(value: Any) -> Code:
    """A piece of source as it is, a number as its shortest decimals."""
    if isinstance(value, Code):
        return value
    if value == math.pi:
        return Code("math.pi")
    size = abs(value if isinstance(value, int) else float(value))
    text = repr(size) if math.isfinite(size) else f"float({str(size)!r})"
    return Code(text, ATOM, value < 0 or (isinstance(value, float) and math.copysign(1, value) < 0))


def total(terms: Sequence[Code]) -> Code:
    """The sum, from left to right; b - a for -a + b, which is the same and shorter."""
    if len(terms) == 1:
        return terms[0]
    if len(terms) == 2 and terms[0].negative and not terms[1].negative:
        terms = terms[::-1]
    rest = (f" {'-' if term.negative else '+'} {term.size(PRODUCT)}" for term in terms[1:])
    return Code(terms[0].at_least(SUM) + "".join(rest), SUM)


def product(above: Sequence[Code], below: Sequence[Code] = ()) -> Code:
    """a * b / c / d, from left to right."""
    negative = sum(factor.negative for factor in (*above, *below)) % 2 == 1
    if len(above) == 1 and not below:
        return Code(above[0].text, above[0].rank, negative)
    factors = [above[0].size(PRODUCT), *(factor.size(POWER) for factor in above[1:])]
    return Code(" / ".join([" * ".join(factors), *(factor.size(POWER) for factor in below)]), PRODUCT, negative)


def power(base: Code, exponent: Code) -> Code:
    return Code(f"{base.at_least(CALL)}**{exponent.at_least(POWER)}", POWER)


def call(name: str, *arguments: Code) -> Code:
    return Code(f"{name}({', '.join(argument.whole for argument in arguments)})", CALL)


def choice(test: str, then: Code, otherwise: Code) -> Code:
    return Code(f"{then.at_least(SUM)} if {test} else {otherwise.at_least(SUM)}", CASE)


class Writer:
    """Writes formulas. A target says what the `code` of a formula or a part of it is, most of it by `operation`, and
    what a `power`; whatever else it has in another way it overrides. `one` is how it spells 1.
    """

    one = Code("1")

    def code(self, node: Expr) -> Code:
        raise NotImplementedError

    def operand(self, node: Expr) -> Code:
        """A part of an operation."""
        return self.code(node)

    def result(self, node: Expr) -> Code:
        """A formula that may be the whole of a value."""
        return self.code(node)

    def operation(self, node: Expr) -> Code:
        if isinstance(node, where):
            return choice(self.test(node.args[0]), *map(self.result, node.args[1:]))
        if node.is_Add:
            return self.sum(node)
        if node.is_Mul:
            return self.product(node.args)
        if node.is_Pow:
            return self.power(*node.args)
        return call(type(node).__name__, *map(self.operand, node.args))

    def test(self, condition: Expr) -> str:
        return f"{self.code(condition).at_least(SUM)} > 0"

    def sum(self, node: Expr) -> Code:
        return total([self.operand(term) for term in node.args])

    def divides(self, factor: Expr) -> bool:
        """Whether it is 1/x, and x is to stand below the line."""
        return bool(factor.is_Pow and factor.args[1] == -1)

    def product(self, factors: Iterable[Expr]) -> Code:
        above, below, negative = [], [], False
        for factor in factors:
            if self.divides(factor):
                below.append(self.operand(factor.args[0]))
            elif (code := self.operand(factor)).text == self.one.text:
                negative = negative != code.negative
            else:
                above.append(code)
        found = product(above or [self.one], below)
        return -found if negative else found

    def power(self, base: Expr, exponent: Expr) -> Code:
        raise NotImplementedError


Pass = Callable[[list[Any], list[Any]], None]
_PRECISION = 120
_DEEPEST = 30  # operations one in the other, each with up to three parentheses; Python's own parser takes 200
_VALUES = re.compile(r"\bv\b")
_LONGEST_SUM = 100  # terms in one expression; Python's own compiler walks longer ones too deeply


class Source(Writer):
    """Writes formulas over places in a list, and collects their constants.

    With `rounding` every result inside a formula is rounded to the unit `u`, as somebody does who writes it down. With
    `decided` every case distinction is decided by the list `c`, whatever the values in `v`. With `snapping` a sum that
    is as good as 0 beside its terms is 0.
    """

    def __init__(
        self, places: Mapping[str, int], rounding: bool = False, decided: bool = False, snapping: bool = False
    ) -> None:
        self.places, self.rounding, self.decided, self.snapping = places, rounding, decided, snapping
        self.arguments = "v" + (", u" if rounding else "") + (", c" if decided else "")
        self.constants: list[Number] = []
        self.apart: list[str] = []
        self._known: dict[Any, str] = {}
        self._naming: dict[Any, bool] = {}
        self._depth = 0

    def formula(self, node: Expr) -> str:
        """The source of a whole formula."""
        return self.result(node).at_least(SUM)

    def result(self, node: Expr) -> Code:
        """A number by its place among the constants, since a plain one is no number of every system."""
        return self.code(node) if self.has_names(node) else Code(self.constant(node))

    def has_names(self, node: Expr) -> bool:
        if node not in self._naming:
            self._naming[node] = isinstance(node, sympy.Symbol) or any(map(self.has_names, node.args))
        return self._naming[node]

    def code(self, node: Expr) -> Code:
        if isinstance(node, sympy.Symbol):
            return Code(f"v[{self.places[node.name]}]")
        if node.is_Integer and abs(int(node)) < 1_000:
            return code_of(int(node))
        if not self.has_names(node):
            return Code(self.constant(node))
        if self._depth == _DEEPEST:
            return Code(self._apart(node))
        self._depth += 1
        code = self.operation(node)
        self._depth -= 1
        return code

    def operand(self, node: Expr) -> Code:
        code = self.code(node)
        return call("rounded", code, Code("u")) if self.rounding and is_written_down(node) else code

    def _apart(self, node: Expr) -> str:
        """A deep part as a function of its own."""
        if node not in self._known:
            self._depth, depth = 0, self._depth
            text = self.formula(node)
            self._depth = depth
            self._known[node] = f"p{len(self.apart)}({self.arguments})"
            self.apart.append(f"p{len(self.apart)} = lambda {self.arguments}: {text}")
        return self._known[node]

    def constant(self, node: Expr) -> str:
        """A number by its place among the constants."""
        if node not in self._known:
            number = _number(node)
            self._known[node] = "(1 / 0)" if number is None else f"k[{len(self.constants)}]"
            self.constants += [] if number is None else [number]
        return self._known[node]

    def test(self, condition: Expr) -> str:
        test = super().test(condition)
        return _VALUES.sub("c", test) if self.decided else test

    def sum(self, node: Expr) -> Code:
        terms = [self.operand(term) for term in node.args]
        if self.snapping:
            return call("snapped", Code(f"({', '.join(term.whole for term in terms)})"))
        while len(terms) > _LONGEST_SUM:
            terms = [total(terms[i : i + _LONGEST_SUM]) for i in range(0, len(terms), _LONGEST_SUM)]
        return total(terms)

    def divides(self, factor: Expr) -> bool:
        return super().divides(factor) and self.has_names(factor)

    def power(self, base: Expr, exponent: Expr) -> Code:
        code = self.operand(base)
        if exponent == HALF:
            return call("sqrt", code)
        if not exponent.is_Integer:
            return call("power", code, self.operand(exponent))
        raised = code if abs(exponent) == 1 else power(code, code_of(abs(int(exponent))))
        return raised if exponent > 0 else product([self.one], [raised])


@lru_cache(maxsize=1_000)
def _number(node: Expr) -> Number | None:
    """What a formula without names comes to; None where it has no value, as 1/(1 - 1), to which a slip can lead."""
    if node.is_Rational:
        return Fraction(node.p, node.q)
    try:
        return value_of(node, {}, ExactSystem(_PRECISION))
    except (ArithmeticError, ValueError):
        return None


def is_written_down(node: Expr) -> bool:
    """Whether a person notes this as a result: not a number or a name, nor -x or the 1/x of a quotient."""
    return bool(node.args) and not (node.is_Mul and node.args[0] == -1) and not (node.is_Pow and node.args[1] == -1)


def functions(
    formulas: Sequence[Expr],
    places: Mapping[str, int],
    arithmetic: Any,
    rounding: bool = False,
    decided: bool = False,
    snapping: bool = False,
) -> list[Callable[..., Any]]:
    """Each formula as a function of the values; with `rounding` also of the unit to which its results are rounded, with
    `decided` also of the values by which its cases are decided."""
    source = Source(places, rounding, decided, snapping)
    lines = [f"  lambda {source.arguments}: {source.formula(formula)}," for formula in formulas]
    lines = [*source.apart, "made = [", *lines, "]"]
    made: list[Callable[..., Any]] = compiled(lines, arithmetic, source.constants)["made"]
    return made
