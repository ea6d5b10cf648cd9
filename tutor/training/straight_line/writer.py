"""Formulas over local variables: what is worked once an epoch, once an update, or for several steps together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from msgspec import Struct, field

from tutor.errors import TutorError
from tutor.formulas.code import ATOM, CALL, HALF, PRODUCT, Code, Writer, call, product, total
from tutor.formulas.expressions import symbol
from tutor.maths.optimizer import RATE
from tutor.training.straight_line.steps import COUNT

VARIABLE = re.compile(r"\bv\d+\b")


def literal(value: Fraction) -> str:
    """The nearest float, as Python writes it. Raises TutorError where there is none."""
    try:
        return repr(float(value))
    except OverflowError:
        raise TutorError("a number of the network is too large to train with") from None


Expr = Any
CONSTANT, EPOCH, UPDATE, EXAMPLE = range(4)
"""How often something has to be worked again."""
_LONGEST_SUM = 60  # terms in one statement; Python's own compiler walks longer ones too deeply


class Scope(Struct):
    """What all groups of examples have in common: variables that live on from update to update, and what is worked
    once an epoch."""

    variables: dict[str, str] = field(default_factory=dict)
    once_an_epoch: dict[str, str] = field(default_factory=dict)
    powers: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count - 1}"

    def keep(self, name: str) -> str:
        """The variable of a quantity that lives on."""
        if name not in self.variables:
            self.variables[name] = self.fresh()
        return self.variables[name]

    def each_epoch(self, text: str) -> str:
        """The variable of what depends on the learning rate alone."""
        if text not in self.once_an_epoch:
            self.once_an_epoch[text] = self.fresh()
        return self.once_an_epoch[text]


class Statement(Struct, frozen=True):
    """`target` = `text`, written for the step of that name."""

    target: str
    text: str
    step: str


class LineWriter(Writer):
    """Writes formulas over variables. What several of them have in common, and long sums, become statements in `lines`.

    `texts` has the code of every quantity that is known, by its name, `inlined` the formula of those that are written
    where they are used.
    """

    one = Code("1.0")

    def __init__(self, known: Mapping[str, str], scope: Scope) -> None:
        self.scope = scope
        self.texts = {name: Code(text.lstrip("-"), ATOM, text.startswith("-")) for name, text in known.items()}
        self.levels: dict[Any, int] = {}
        self.inlined: dict[str, Expr] = {}
        self.shared: dict[str, str] = {}
        self.lines: list[Statement] = []
        self.step = ""

    def assign(self, text: str) -> str:
        """The new variable of a text, which becomes a statement."""
        target = self.scope.fresh()
        self.lines.append(Statement(target, text, self.step))
        return target

    def _once(self, text: str) -> str:
        """The variable of a text that several steps have in common."""
        if text not in self.shared:
            self.shared[text] = self.assign(text)
        return self.shared[text]

    def level(self, node: Expr) -> int:
        """How often the formula has to be worked again."""
        if node not in self.levels:
            if isinstance(node, sympy.Symbol):
                found = self.texts.get(node.name)
                own = {RATE: EPOCH, COUNT: UPDATE}.get(node.name, EXAMPLE)
                self.levels[node] = own if found is None else EXAMPLE if VARIABLE.search(found.text) else CONSTANT
            elif _is_power_of_count(node):
                self.levels[node] = UPDATE
            else:
                self.levels[node] = max((self.level(argument) for argument in node.args), default=CONSTANT)
        return self.levels[node]

    def code(self, node: Expr) -> Code:
        """The formula in Python, or the variable where it is worked less often than once an example."""
        if isinstance(node, sympy.Symbol):
            return self._name(node.name)
        if node.is_Rational:
            return Code(literal(abs(Fraction(int(node.p), int(node.q)))), ATOM, bool(node < 0))
        if isinstance(node, sympy.NumberSymbol):
            return Code(repr(float(node)))
        if _is_power_of_count(node):
            return Code(self._to_the_count(node.args[0].name))
        found = self.operation(node)
        level = self.level(node)
        if level not in (EPOCH, UPDATE) or found.is_atom:
            return found
        target = self.scope.each_epoch(found.text) if level == EPOCH else self._once(found.text)
        return Code(target, ATOM, found.negative)

    def _name(self, name: str) -> Code:
        if name in self.texts:
            return self.texts[name]
        return Code("eta" if name == RATE else self.scope.keep(COUNT))

    def _to_the_count(self, base: str) -> str:
        """base^t as a variable that is multiplied by the base once an update."""
        self.scope.powers[base] = self._name(base).whole
        return self.scope.keep(power_name(base))

    def operation(self, node: Expr) -> Code:
        if power := _of_softplus(node):
            return call("log_one_plus_exp", self.code(power))
        return super().operation(node)

    def test(self, condition: Expr) -> str:
        """a > b for a - b > 0, which is the same in floating point."""
        terms = [self.code(term) for term in (condition.args if condition.is_Add else (condition,))]
        if len(terms) == 2 and terms[0].negative != terms[1].negative:
            plus, minus = sorted(terms, key=lambda term: term.negative)
            return f"{plus.size(PRODUCT)} > {minus.size(PRODUCT)}"
        if len(terms) == 1:
            return f"{terms[0].size(PRODUCT)} {'<' if terms[0].negative else '>'} 0.0"
        return f"{self.code(condition).at_least(PRODUCT)} > 0.0"

    def sum(self, node: Expr) -> Code:
        terms = [self.code(term) for term in _left_to_right(node)]
        while len(terms) > _LONGEST_SUM:
            terms[:_LONGEST_SUM] = [Code(self.assign(total(terms[:_LONGEST_SUM]).whole))]
        return total(terms)

    def product(self, factors: Iterable[Expr]) -> Code:
        given = list(factors)
        if all(self.level(factor) != EPOCH for factor in given):
            return super().product(given)
        apart = [part for factor in given for part in self._factors(factor)]
        rate = super().product([factor for factor in apart if self.level(factor) <= EPOCH])
        return self._scaled(rate, [factor for factor in apart if self.level(factor) > EPOCH])

    def divides(self, factor: Expr) -> bool:
        return super().divides(factor) and factor.args[0] != 2  # halves are exact

    def operand(self, node: Expr) -> Code:
        return self.code(HALF if super().divides(node) and node.args[0] == 2 else node)

    def _factors(self, node: Expr) -> Iterator[Expr]:
        """The factors of a product and of the products in it, also of those in quantities that are used only here."""
        if isinstance(node, sympy.Symbol) and node.name in self.inlined and self.inlined[node.name].is_Mul:
            node = self.inlined[node.name]
        if node.is_Mul:
            for argument in node.args:
                yield from self._factors(argument)
        else:
            yield node

    def _scaled(self, rate: Code, factors: Sequence[Expr]) -> Code:
        """rate·a·b…, where rate·a is worked once for all products that have it: (eta·delta)·x for eta·(delta·x)."""
        if not rate.is_atom:
            rate = Code(self.scope.each_epoch(rate.text), ATOM, rate.negative)
        rest = super().product(factors)
        if not factors or rest.text == self.one.text:
            return Code(rate.text, ATOM, rate.negative != rest.negative)
        parts = rest.text.split(" * ")
        first = f"{rate.text} * {parts[0]}"
        simple = all(VARIABLE.fullmatch(part) for part in parts)
        if simple and (len(parts) == 2 or (len(parts) == 1 and first in self.shared)):
            return Code(" * ".join([self._once(first), *parts[1:]]), PRODUCT, rate.negative != rest.negative)
        return Code(f"{rate.text} * {rest.at_least(PRODUCT)}", PRODUCT, rate.negative)

    def power(self, base: Expr, exponent: Expr) -> Code:
        inner = self.code(base)
        if isinstance(base, sympy.Symbol) and _is_next_count(exponent):
            return product([Code(self._to_the_count(base.name)), inner])
        if exponent == -1:
            return product([self.one], [inner])
        if exponent == HALF:
            return call("sqrt", inner)
        if not exponent.is_Integer:
            return call("exp", product([self.code(exponent), call("log", inner)]))
        count = int(exponent)
        name = first = inner.at_least(CALL)
        if not inner.is_atom:
            name = self.scope.fresh()
            first = f"({name} := {inner.whole})"
        text = " * ".join([first, *[name] * (abs(count) - 1)])
        return Code(text if count > 0 else f"1.0 / ({text})", PRODUCT)


def _left_to_right(node: Expr) -> list[Expr]:
    """The terms of a + b + c, however they are nested on the left: so a computer adds them anyway."""
    found: list[Expr] = []
    while node.is_Add:
        found += reversed(node.args[1:])
        node = node.args[0]
    return [node, *reversed(found)]


def power_name(base: str) -> str:
    """The name of base^t, for the number of the update t; like every name that no worksheet has, of several words."""
    return f"{base} to the power of t"


def _is_power_of_count(node: Expr) -> bool:
    """Whether it is base^t."""
    return bool(node.is_Pow and isinstance(node.args[0], sympy.Symbol) and node.args[1] == symbol(COUNT))


def _is_next_count(exponent: Expr) -> bool:
    """Whether it is t + 1."""
    return bool(exponent.is_Add and set(exponent.args) == {symbol(COUNT), sympy.S.One})


def _of_softplus(node: Expr) -> Expr | None:
    """z where the node is ln(1 + exp(z)), which must not overflow on the way."""
    if isinstance(node, sympy.log) and node.args[0].is_Add and len(node.args[0].args) == 2:
        powers = [part for part in node.args[0].args if isinstance(part, sympy.exp)]
        if len(powers) == 1 and sympy.S.One in node.args[0].args:
            return powers[0].args[0]
    return None
