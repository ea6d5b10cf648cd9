"""Ordinary binary floating point, for pictures and tolerances: fast, and not to be read to the last digit."""

from __future__ import annotations

import math

from tutor.numbers.exact import Number, as_fraction


class FloatSystem:
    """The functions of a formula over Python floats. Overflow gives infinity, as in IEEE arithmetic."""

    FUNCTIONS = ("exp", "log", "tanh", "sin", "cos", "sqrt", "power")

    @staticmethod
    def exp(z: float) -> float:
        return math.exp(z) if z < 709 else math.inf

    @staticmethod
    def log(z: float) -> float:
        return math.log(z)

    @staticmethod
    def tanh(z: float) -> float:
        return math.tanh(z)

    @staticmethod
    def sin(z: float) -> float:
        return math.sin(z)

    @staticmethod
    def cos(z: float) -> float:
        return math.cos(z)

    @staticmethod
    def sqrt(z: float) -> float:
        return math.sqrt(z)

    @staticmethod
    def power(base: float, exponent: float) -> float:
        return math.pow(base, exponent)

    @staticmethod
    def number_of(value: Number) -> float:
        """The nearest float."""
        return float(as_fraction(value))

    @staticmethod
    def log_one_plus_exp(z: float) -> float:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z)))

    @staticmethod
    def cos_half_turns(z: float) -> float:
        return math.cos(math.pi * z)

    @staticmethod
    def number(text: str) -> float:
        return float(text)

    @staticmethod
    def positive(z: float, then: float, otherwise: float) -> float:
        return then if z > 0 else otherwise
