"""Exact arithmetic that knows where the terms of a sum cancel: a difference of equals is 0, not what rounding left.

A 0 is proved where the fingerprints of the terms cancel as well. Where they do not, it may be found: so small beside
its terms that all digits tried have cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from tutor.numbers import fingerprints
from tutor.numbers.budget import Budget
from tutor.numbers.exact import ExactSystem, Number
from tutor.numbers.fingerprints import Fingerprint

PROVED = 1_000_000
_OF_A_MARK = 1_000  # units of a budget


class Marked(NamedTuple):
    """A number that is not known to be rational, and its fingerprint."""

    size: Any
    mark: Fingerprint


class CancellingSystem(ExactSystem):
    """`found_below` is how many digits of its terms a sum must have lost to count as 0 without a proof, None where
    nothing counts as 0 without. `zeros` collects how many digits of each 0 were found: `PROVED` is all of them.
    """

    def __init__(self, digits: int, budget: Budget | None = None, found_below: int | None = None) -> None:
        super().__init__(digits, budget)
        self.plainly = ExactSystem(digits, self.budget)
        self.compared = self.plainly.compared
        self.zeros: list[int] = []
        self._inverse: dict[tuple[str, Fingerprint], Fingerprint] = {}
        self.found_below = found_below or PROVED
        self._found = None if found_below is None else self._mp.mpf(10) ** -found_below
        self._small = self._mp.mpf(10) ** -(digits // 2)

    @property
    def pi(self) -> Number:
        return Marked(self.plainly.pi, fingerprints.named("pi"))

    def plain(self, value: Number) -> Number:
        return value.size if isinstance(value, Marked) else value

    def charge(self, value: Number) -> None:
        self.plainly.charge(self.plain(value))
        self.budget.spend(_OF_A_MARK)

    def bounded(self, value: Number) -> Number:
        found = self.plainly.bounded(self.plain(value))
        if type(found) is Fraction:
            return found
        return value if isinstance(value, Marked) else Marked(found, _mark(value))

    def add(self, terms: Iterable[Number]) -> Number:
        given = [term for term in terms if isinstance(term, Marked) or term]
        if len(given) == 1:
            return given[0]
        size = self.plainly.add(map(self.plain, given))
        if all(type(term) is Fraction for term in given):
            return self.bounded(size)
        mark = fingerprints.total([_mark(term) for term in given])
        largest = max(abs(self.inexact(self.plain(term))) for term in given)
        return self._unless_zero(size, mark, largest)

    def _unless_zero(self, size: Number, mark: Fingerprint, largest: Number) -> Number:
        """The value, 0 where it is known to be that beside the largest term."""
        if fingerprints.is_zero(mark):
            if abs(size) <= largest * self._small:
                self.zeros.append(PROVED)
                return Fraction(0)
            mark = fingerprints.named(size)  # a root has the other sign among the residues
        if self._found is not None and abs(size) <= largest * self._found:
            self.zeros.append(self.found_below)
            return Fraction(0)
        return Marked(size, mark)

    def multiply(self, factors: Iterable[Number]) -> Number:
        given = list(factors)
        size = self.plainly.multiply(map(self.plain, given))
        return size if type(size) is Fraction else Marked(size, fingerprints.product([*map(_mark, given)]))

    def power(self, base: Number, exponent: Number) -> Number:
        size = self.plainly.power(self.plain(base), self.plain(exponent))
        if type(size) is Fraction:
            return size
        if type(exponent) is Fraction and exponent.denominator == 1:
            return Marked(size, fingerprints.whole_power(_mark(base), int(exponent)))
        if type(exponent) is Fraction and exponent.denominator == 2:
            return Marked(size, fingerprints.whole_power(fingerprints.root(_mark(base)), exponent.numerator))
        logarithm = fingerprints.product([_mark(exponent), fingerprints.log(_mark(base))])
        return Marked(size, fingerprints.exp(logarithm))

    def apply(self, name: str, z: Number) -> Number:
        if name == "cospi" and isinstance(z, Marked):
            half = Fraction(int(self._mp.nint(2 * z.size)), 2)
            z = half if self._is(z, half) else z
        size = self.plainly.apply(name, self.plain(z))
        if type(size) is Fraction:
            return size
        if name == "log" and self._is(z, Fraction(1)):
            return Fraction(0)
        return Marked(size, self._mark_of(name, z))

    def _mark_of(self, name: str, z: Number) -> Fingerprint:
        """The fingerprint of a function of z; by its own rule where there is one that it is known to keep."""
        match name:
            case "exp":
                return self._undone("exp", "log", z, _exponential(z))
            case "log":
                return self._undone("log", "exp", z, fingerprints.log(_mark(z)))
            case "tanh":
                return fingerprints.tanh(_exponential(2 * z if type(z) is Fraction else self.add([z, z])))
        return fingerprints.of_function(name, _mark(z))

    def _undone(self, function: str, inverse: str, z: Number, mark: Fingerprint) -> Fingerprint:
        """The mark of the function of z, that of w where z is the inverse function of w."""
        mark = self._inverse.get((function, _mark(z)), mark)
        self._inverse[inverse, mark] = _mark(z)
        return mark

    def _is(self, z: Number, number: Fraction) -> bool:
        """Whether z is known to be that rational number."""
        difference = self.add([z, -number])
        return type(difference) is Fraction and not difference

    def is_positive(self, z: Number) -> bool:
        return self.plainly.is_positive(self.plain(z))


def _mark(value: Number) -> Fingerprint:
    if isinstance(value, Marked):
        return value.mark
    return fingerprints.of_number(value) if type(value) is Fraction else fingerprints.named(value)


def _exponential(z: Number) -> Fingerprint:
    return fingerprints.exp_of_number(z) if type(z) is Fraction else fingerprints.exp(z.mark)
