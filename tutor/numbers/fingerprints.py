"""Whether a value is 0 by algebra: a formula worked out modulo a prime, with random residues for what is not rational.

Two formulas that are equal whatever exp, log and the others are have the same residue at every point; two that differ
have it by chance only, once in 10^38 at each point (Schwartz and Zippel). So the residues of a value are its
fingerprint, made with as many operations as the value itself and never longer, where SymPy may not come to an end.
Source: Gonnet 1984, Determining equivalence of expressions in random polynomial time.

A residue is a + bi modulo P = 2^128 - 15449, in which -1 has no square root, and every rational has one of the form r
or ri. P = 2Q + 1 with Q prime, so e^(n/d) is g^(n/d modulo Q): what holds for powers of e holds for residues.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from hashlib import blake2b

from tutor.maths.number_system import FUNCTIONS

PRIME = 2**128 - 15449
ORDER = (PRIME - 1) // 2
POINTS = 4
Residue = tuple[int, int]
Fingerprint = tuple[Residue, ...]
"""The residue at each point."""

_ONE: Residue = (1, 0)


def of_number(value: Fraction) -> Fingerprint:
    if value.denominator % PRIME == 0:
        return named("1/0", value.numerator)
    return ((value.numerator * pow(value.denominator, -1, PRIME) % PRIME, 0),) * POINTS


def is_zero(value: Fingerprint) -> bool:
    return not any(a or b for a, b in value)


def total(values: list[Fingerprint]) -> Fingerprint:
    return tuple((sum(a for a, _ in at) % PRIME, sum(b for _, b in at) % PRIME) for at in zip(*values, strict=True))


def product(values: list[Fingerprint]) -> Fingerprint:
    return tuple(reduce(_times, at) for at in zip(*values, strict=True))


def whole_power(base: Fingerprint, exponent: int) -> Fingerprint:
    return tuple(_power(at if exponent >= 0 else _inverse(at), abs(exponent)) for at in base)


def root(z: Fingerprint) -> Fingerprint:
    """The square root; of what has none modulo P something that is only equal to itself."""
    return tuple(_root(at, point) for point, at in enumerate(z))


def exp_of_number(z: Fraction) -> Fingerprint:
    if z.denominator % ORDER == 0:
        return named("exp", z)
    power = z.numerator * pow(z.denominator, -1, ORDER) % ORDER
    return tuple((pow(_random("e", _ONE, point) ** 2 % PRIME, power, PRIME), 0) for point in range(POINTS))


def exp(z: Fingerprint) -> Fingerprint:
    """e^z, so that e^-z is 1/e^z."""
    return _by_half("exp", z, _inverse)


def log(z: Fingerprint) -> Fingerprint:
    """ln z, so that ln 1/z is -ln z."""
    turned = [(at, _inverse(at)) for at in z]
    return tuple(
        (_random("log", min(pair), point) * (1 if pair[0] <= pair[1] else -1) % PRIME, 0)
        for point, pair in enumerate(turned)
    )


def tanh(square: Fingerprint) -> Fingerprint:
    """tanh z = (e^2z - 1)/(e^2z + 1), from e^2z"""
    return tuple(_times(_plus(at, -1), _inverse(_plus(at, 1))) for at in square)


def sin(z: Fingerprint) -> Fingerprint:
    """2t/(1 + t²) of a t for half the angle, which makes sin² + cos² = 1."""
    halves = _by_half("turn", z, _opposite)
    return tuple(_times(_plus(t, 0, 2), _inverse(_plus(_times(t, t), 1))) for t in halves)


def cos(z: Fingerprint) -> Fingerprint:
    """(1 - t²)/(1 + t²)"""
    halves = _by_half("turn", z, _opposite)
    squares = [_times(t, t) for t in halves]
    return tuple(_times(_plus(s, 1, -1), _inverse(_plus(s, 1))) for s in squares)


def cospi(z: Fingerprint) -> Fingerprint:
    """cos(pi·z)"""
    return cos(product([named("pi"), z]))


_OWN = {"sin": sin, "cos": cos, "cospi": cospi}


def of_function(name: str, z: Fingerprint) -> Fingerprint:
    """A function of the table: by its own rule, or as one of which nothing is known but whether it is odd."""
    if name in _OWN:
        return _OWN[name](z)
    return (
        _by_half(name, z, _opposite)
        if FUNCTIONS[name].odd
        else tuple((_random(name, at, point), 0) for point, at in enumerate(z))
    )


def named(*key: object) -> Fingerprint:
    """Random residues that belong to this key: of a number of which nothing is known."""
    return tuple((_random("named", key, point), 0) for point in range(POINTS))


def _by_half(function: str, z: Fingerprint, turned: Callable[[Residue], Residue]) -> Fingerprint:
    """Random residues of z; of -z `turned` those of z."""
    found = []
    for point, at in enumerate(z):
        opposite = _opposite(at)
        if at <= opposite:
            found.append((_random(function, at, point), 0))
        else:
            found.append(turned((_random(function, opposite, point), 0)))
    return tuple(found)


def _random(function: str, key: object, point: int) -> int:
    """A residue that is the same in every process."""
    seed = repr((function, key, point)).encode()
    return int.from_bytes(blake2b(seed, digest_size=32).digest()) % (PRIME - 1) + 1


def _opposite(x: Residue) -> Residue:
    return -x[0] % PRIME, -x[1] % PRIME


def _plus(x: Residue, number: int, factor: int = 1) -> Residue:
    return (factor * x[0] + number) % PRIME, factor * x[1] % PRIME


def _times(x: Residue, y: Residue) -> Residue:
    return (x[0] * y[0] - x[1] * y[1]) % PRIME, (x[0] * y[1] + x[1] * y[0]) % PRIME


def _inverse(x: Residue) -> Residue:
    """1/x; of 0, which only a wrong sign of a root makes of a number that is not, anything."""
    norm = (x[0] * x[0] + x[1] * x[1]) % PRIME
    if not norm:
        return _random("inverse", x, 0), 0
    inverse = pow(norm, -1, PRIME)
    return x[0] * inverse % PRIME, -x[1] * inverse % PRIME


def _power(base: Residue, exponent: int) -> Residue:
    if not base[1]:
        return pow(base[0], exponent, PRIME), 0
    result = _ONE
    while exponent:
        if exponent & 1:
            result = _times(result, base)
        base, exponent = _times(base, base), exponent >> 1
    return result


def _root(x: Residue, point: int) -> Residue:
    if x[1]:
        return _random("root", x, point), 0
    found = pow(x[0], (PRIME + 1) // 4, PRIME)
    if found * found % PRIME == x[0]:
        return found, 0
    return 0, pow(-x[0], (PRIME + 1) // 4, PRIME)
