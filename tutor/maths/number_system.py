"""What a formula may ask of the number system it runs in.

A formula in `tutor.maths` is written once, over numbers that know + - * / and **, and takes everything else
from its argument `m`: symbols when a derivative is shown, exact numbers when a value is printed, floats in training.
"""

from __future__ import annotations

from typing import Any, Protocol


class NumberSystem(Protocol):
    """The functions beyond arithmetic. Numbers are `Any` here, since each system has its own."""

    def exp(self, z: Any) -> Any: ...
    def log(self, z: Any) -> Any: ...
    def tanh(self, z: Any) -> Any: ...
    def sqrt(self, z: Any) -> Any: ...
    def cos_half_turns(self, z: Any) -> Any:
        """cos(pi·z)"""

    def number(self, text: str) -> Any:
        """The number that the text writes, such as 0.01, as this system has it."""

    def log_one_plus_exp(self, z: Any) -> Any:
        """ln(1 + exp(z)), which must not overflow on the way"""

    def positive(self, z: Any, then: Any, otherwise: Any) -> Any:
        """`then` where z > 0, else `otherwise`."""


def absolute(z: Any, m: NumberSystem) -> Any:
    """|z|"""
    return m.positive(z, z, -z)


def sign(z: Any, m: NumberSystem) -> Any:
    """1 where z > 0, -1 where z < 0, and 0 at 0."""
    return m.positive(z, 1, m.positive(-z, -1, 0))


def smaller(a: Any, b: Any, m: NumberSystem) -> Any:
    """The smaller of two numbers."""
    return m.positive(b - a, a, b)


def larger(a: Any, b: Any, m: NumberSystem) -> Any:
    """The larger of two numbers."""
    return m.positive(a - b, a, b)
