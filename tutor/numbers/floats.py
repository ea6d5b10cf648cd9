"""Ordinary binary floating point, for pictures and tolerances: fast, and not to be read to the last digit."""

from __future__ import annotations

import math

from tutor.maths.number_system import FUNCTIONS, completed
from tutor.numbers.exact import Number, as_fraction


@completed(math)
class FloatSystem:
    """The functions of a formula over Python floats. Overflow gives infinity, as in IEEE arithmetic."""

    FUNCTIONS = (*FUNCTIONS, "sqrt", "power")
    pi = math.pi

    @staticmethod
    def exp(z: float) -> float:
        return math.exp(z) if z < 709 else math.inf

    sqrt = staticmethod(math.sqrt)
    power = staticmethod(math.pow)

    @staticmethod
    def number_of(value: Number) -> float:
        """The nearest float."""
        return float(as_fraction(value))

    @staticmethod
    def number(text: str) -> float:
        return float(text)

    @staticmethod
    def positive(z: float, then: float, otherwise: float) -> float:
        return then if z > 0 else otherwise
