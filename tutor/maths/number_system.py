"""What a formula may ask of the number system it runs in, and the table of the functions beyond arithmetic.

A formula in `tutor.maths` is written once, over numbers that know + - * / and **, and takes everything else
from its argument `m`: symbols when a derivative is shown, exact numbers when a value is printed, floats in training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any, Protocol

Scalar = Any


class NumberSystem(Protocol):
    """Every function of `FUNCTIONS` by its name, of which these are the ones that formulas ask for most, and what
    depends on the system. Numbers are `Any` here, since each system has its own."""

    pi: Any

    def exp(self, z: Any) -> Any: ...
    def log(self, z: Any) -> Any: ...
    def tanh(self, z: Any) -> Any: ...
    def sin(self, z: Any) -> Any: ...
    def cos(self, z: Any) -> Any: ...
    def cospi(self, z: Any) -> Any: ...
    def erf(self, z: Any) -> Any: ...
    def sqrt(self, z: Any) -> Any: ...

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


def softplus(z: Any, m: NumberSystem) -> Any:
    """ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), the form that does not overflow"""
    return m.positive(z, z, 0) + m.log(1 + m.exp(-absolute(z, m)))


def polynomial(z: Any, coefficients: Sequence[float]) -> Any:
    """c_0·z^n + … + c_n by Horner's rule."""
    result = coefficients[0] * z + coefficients[1]
    for coefficient in coefficients[2:]:
        result = result * z + coefficient
    return result


@dataclass(frozen=True, slots=True)
class Function:
    """A function of one number beyond + - * / and **.

    `slope(z, a, m)` is its derivative by z, where its value is a. `rational(z)` is its value at a rational z where that
    is rational, else None: everywhere else it has digits without end. A function that is only `of_positive` numbers has
    no value at others; an `odd` one is -f(z) at -z. `body(z, m)` makes it of plain operations and of other functions,
    for every system that has none of its own. Formulas of lessons and sheets may call it where it is `in_formulas`.
    """

    name: str
    title: str
    slope: Callable[[Scalar, Scalar, NumberSystem], Scalar]
    rational: Callable[[Any], int | None]
    body: Callable[[Scalar, NumberSystem], Scalar] | None = None
    of_positive: bool = False
    odd: bool = False
    in_formulas: bool = True


def _at(z: int, value: int) -> Callable[[Any], int | None]:
    """It is rational at one rational number only. Source: Lindemann 1882."""
    return lambda x: value if x == z else None


_NEAR = 0.9375
_SLOPE = 1.1283791670955126  # 2/sqrt(pi)
_SERIES = (*(_SLOPE * (-1) ** n / (factorial(n) * (2 * n + 1)) for n in range(18, 0, -1)), _SLOPE - 1)
_TAIL = (
    -1.377949275504955e-13, -7.929725820708005e-13, 6.54611520231201e-12, 6.916257994507699e-11,
    -1.0698869405628993e-10, -4.9564438046346275e-09, -2.5771460059812173e-08, 1.4320647558321794e-07,
    3.498817367407355e-06, 3.346127707149027e-05, 0.00022259643181564873, 0.0011615374405659306, 0.004990286041083944,
    0.018078437227012214, 0.055891085566080474, 0.1481299299145833, 0.19907263099386563,
)  # fmt: skip


def _erf(z: Scalar, m: NumberSystem) -> Scalar:
    """erf z in floating point: near 0 its power series z + z·(2/sqrt(pi) - 1 - …), else 1 - exp(-z²)·p(u).

    p is exp(z²)·(1 - erf z) from 0.9375 to 6, interpolated at Chebyshev's points of u = (8 - 3z)/(4 + z); beyond 6
    erf is 1 to the last bit. The worst error found is 1.1 units in the last place, against mpmath.
    """
    size = smaller(absolute(z, m), 6.0, m)
    low, high = smaller(size, _NEAR, m), larger(size, _NEAR, m)
    near = low + low * polynomial(low * low, _SERIES)
    far = 1.0 - m.exp(-(high * high)) * polynomial((8.0 - 3.0 * high) / (4.0 + high), _TAIL)
    value = m.positive(size - _NEAR, far, near)
    return m.positive(z, value, m.positive(-z, -value, z))  # the last for 0 with its sign, and what is no number


FUNCTIONS = {
    entry.name: entry
    for entry in (
        Function("exp", "exponential function", lambda z, a, m: a, _at(0, 1)),
        Function("log", "logarithm", lambda z, a, m: 1 / z, _at(1, 0), of_positive=True),
        Function("tanh", "tanh", lambda z, a, m: 1 - a**2, _at(0, 0), odd=True),
        Function("sin", "sine", lambda z, a, m: m.cos(z), _at(0, 0), odd=True),
        Function("cos", "cosine", lambda z, a, m: -m.sin(z), _at(0, 1)),
        Function(
            "cospi",
            "cosine of half turns",
            lambda z, a, m: -m.pi * m.sin(m.pi * z),
            lambda z: (1, 0, -1, 0)[int(2 * z) % 4] if (2 * z).denominator == 1 else None,
            body=lambda z, m: m.cos(m.pi * z),
            in_formulas=False,
        ),
        Function(
            "erf",
            "error function",
            lambda z, a, m: 2 / m.sqrt(m.pi) * m.exp(-(z**2)),
            _at(0, 0),
            body=_erf,
            odd=True,
        ),
    )
}
"""Every function that a formula may call, in the order in which the rules of differentiation are tried. A system has
each under its name; what computes values finds erf or cos where Python, NumPy, mpmath and SymPy call it the same."""


def completed(*libraries: Any) -> Callable[[type], type]:
    """Gives a system what it does not define: the functions of the first library that has one of that name, and what
    formulas make of others."""
    bodies: dict[str, Any] = {name: entry.body for name, entry in FUNCTIONS.items()} | {"log_one_plus_exp": softplus}

    def complete(system: type) -> type:
        for name, body in bodies.items():
            own = next((getattr(library, name) for library in libraries if hasattr(library, name)), None)
            if name in vars(system):
                continue
            if own is not None:
                setattr(system, name, staticmethod(own))
            elif body is not None:
                setattr(system, name, classmethod(lambda cls, z, body=body: body(z, cls)))
        return system

    return complete
