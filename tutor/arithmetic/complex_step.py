"""Complex arithmetic with many digits, for derivatives by a step in the imaginary direction."""

from __future__ import annotations

from fractions import Fraction

from tutor.arithmetic.exact import ExactSystem, LogarithmOfZero, Number, as_fraction


class ComplexSystem(ExactSystem):
    """The same functions over complex numbers, for derivatives by a step in the imaginary direction.

    f(x + ih) = f(x) + ih·f'(x) + …, so Im f(x + ih)/h is the derivative, without any difference that could cancel.
    Source: Squire and Trapp 1998.
    """

    def above(self, value: Fraction, height: Fraction) -> Number:
        """value + i·height"""
        return self._mp.mpc(self.inexact(value), self.inexact(height))

    def height(self, value: Number) -> Fraction:
        """The imaginary part, as a fraction."""
        return Fraction(0) if isinstance(value, Fraction) else as_fraction(self._mp.mpc(value).imag)

    def bounded(self, value: Number) -> Number:
        return super().bounded(value) if isinstance(value, Fraction) else value

    def is_positive(self, z: Number) -> bool:
        return bool((z if isinstance(z, Fraction) else self._mp.mpc(z).real) > 0)

    def power(self, base: Number, exponent: Number) -> Number:
        if isinstance(base, Fraction) and isinstance(exponent, Fraction):
            return super().power(base, exponent)
        whole = isinstance(exponent, Fraction) and exponent.denominator == 1
        return self.inexact(base) ** int(exponent) if whole else self._function(self.inexact(base).__pow__, exponent)

    def exp(self, z: Number) -> Number:
        return self._function(self._mp.exp, z)

    def log(self, z: Number) -> Number:
        if z == 0:
            raise LogarithmOfZero("takes the logarithm of 0")
        return self._function(self._mp.log, z)

    def tanh(self, z: Number) -> Number:
        return self._function(self._mp.tanh, z)
