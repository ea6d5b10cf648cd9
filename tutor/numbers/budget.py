"""How much may be computed: counted in digits, never in seconds, so that every machine gives the same verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tutor.errors import TutorError

A_WORKSHEET, A_STEP = 1_000_000_000, 20_000
"""What the numbers of a worksheet may take, and each of its steps besides."""
A_SHEET, AN_ANSWER = 500_000_000, 50_000_000
"""What the formulas on one answer sheet may take together, and each of them."""
_AN_OPERATION = 64  # of numbers so short that their digits cost nothing
_OF_A_FUNCTION, _QUADRATIC_FROM = 10, 3_000  # mpmath's exp takes as long as ten products, and longer from 3,000 bits on


class TooMuchComputing(TutorError):
    """What was asked for is beyond its budget."""


class Budget:
    """A number of units to spend. One is about as much as can be done with one bit: 10 ns, on a machine of 2025.

    Raises TooMuchComputing where more is spent than there is.
    """

    def __init__(self, units: int) -> None:
        self.left = units

    @contextmanager
    def share(self, units: int) -> Iterator[Budget]:
        """So many units of it, or what is left, for one of several things; what that does not need stays."""
        share = Budget(min(units, self.left))
        self.left -= share.left
        try:
            yield share
        finally:
            self.left += max(share.left, 0)

    def spend(self, bits: int) -> None:
        """For a number of so many bits that is read or made."""
        self.left -= _AN_OPERATION + bits
        if self.left < 0:
            raise TooMuchComputing("it asks for more computing than it may")

    def spend_on_function(self, bits: int) -> None:
        """For one value of exp, log and the like to so many bits."""
        self.spend(_of_a_function(bits))


def cost_of(functions: int, operations: int, digits: int) -> int:
    """What so many of each to so many digits will take."""
    bits = digits * 10 // 3
    return functions * _of_a_function(bits) + operations * (_AN_OPERATION + bits)


def _of_a_function(bits: int) -> int:
    return _OF_A_FUNCTION * bits * (_QUADRATIC_FROM + bits) // _QUADRATIC_FROM
