"""The constants and tables of the reproducible exp, log, tanh, sin and cos: made from whole numbers and decimals, so
that they are the same bits on every IEEE-754 machine."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import isqrt

SHIFT = float.fromhex("0x1.8p+52")  # adding and subtracting it rounds to a whole number
STEPS = 512
PER_STEP = float.fromhex("0x1.71547652b82fep+9")  # 512/ln 2
STEP_HIGH, STEP_LOW = float.fromhex("0x1.62e42fef00000p-10"), float.fromhex("0x1.473de6af278edp-43")  # ln 2/512
LARGEST, SMALLEST, NORMAL = 709.782712893384, -745.1332191019412, -708.0
LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
ROOT_HALF = float.fromhex("0x1.6a09e667f3bcdp-1")
SERIES = tuple(2.0 / n for n in range(25, 1, -2))  # of log: 2/25, …, 2/5, 2/3
TANH_NEAR = 0.125
TANH_SERIES = (
    6404582 / 10854718875, -929569 / 638512875, 21844 / 6081075, -1382 / 155925, 62 / 2835, -17 / 315, 2 / 15, -1 / 3,
)  # fmt: skip
TANH_ONE = 19.5  # beyond that tanh is 1 to the last bit
SINE_SERIES = tuple(1 / n for n in (-1307674368000, 6227020800, -39916800, 362880, -5040, 120, -6))
COSINE_SERIES = tuple(1 / n for n in (20922789888000, -87178291200, 479001600, -3628800, 40320, -720, 24, -2))
PI_OVER_2 = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)


def powers_of_two() -> tuple[list[float], list[float]]:
    """2^(j/512) = h·(1 + l) for j = 0 … 511, from nine square roots of whole numbers."""
    bits = 200
    roots, root = [], 2 << bits
    for _ in range(9):
        root = isqrt(root << bits)
        roots.append(root)
    high, low = [], []
    for j in range(STEPS):
        value = 1 << bits
        for place, root in enumerate(roots):
            if j >> (8 - place) & 1:
                value = value * root >> bits
        h = value / (1 << bits)
        whole = int(h * 2**52) << (bits - 52)
        high.append(h)
        low.append((value - whole) / whole)
    return high, low


def tanh_table() -> tuple[list[float], list[float]]:
    """tanh(j/128) and 1 - tanh²(j/128), correctly rounded."""
    values, slopes = [], []
    with localcontext() as context:
        context.prec = 60  # ten digits more than are needed, for 2,500 products one after the other
        step, square = (Decimal(2) / 128).exp(), Decimal(1)
        for _ in range(int(TANH_ONE * 128) + 2):
            value = (square - 1) / (square + 1)
            values.append(float(value))
            slopes.append(float(1 - value * value))
            square *= step
    return values, slopes
