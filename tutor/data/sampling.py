"""Random numbers from one documented generator: raw 64-bit words of Philox, made into numbers here.

Every purpose and every epoch has its own stream, named by the counter, so a training can be resumed without any state.
NumPy guarantees the raw words of a named bit generator; what it makes of them may change, and is not used.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tutor.numbers import reproducible_arrays

if TYPE_CHECKING:
    from tutor.data.array_types import Bits, Doubles, Indices

PURPOSES = {
    name: number
    for number, name in enumerate(
        ("weights", "shuffle", "split", "dropout", "data", "augment", "dropconnect", "depth", "search", "resample")
    )
}
_TWO_53 = 2.0**-53
_DRAWN_TOGETHER = 4096
_CENTRE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_TAIL = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
_FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip
"""The rational approximations of the normal quantile in Wichura 1988, algorithm AS 241, highest power first."""


def random_bits(seed: int, purpose: str, epoch: int, count: int, start: int = 0, batch: int = 0) -> Bits:
    """Raw words of the stream of this seed, purpose, epoch and batch, (count,), from place `start` on.

    The counter goes up by one with every four words, so a long stream can be drawn in pieces.
    """
    counter = [start // 4, batch, epoch, PURPOSES[purpose]]
    return np.random.Philox(key=seed, counter=counter).random_raw(start % 4 + count)[start % 4 :]


def uniforms(raw: Bits) -> Doubles:
    """Numbers in [0, 1), one for each word and in their shape: its upper 53 bits."""
    return (raw >> np.uint64(11)).astype(np.float64) * _TWO_53


def normals(raw: Bits) -> Doubles:
    """Standard normal numbers, one for each word and in their shape, by the inverse of the distribution function."""
    p = uniforms(raw) + 0.5 * _TWO_53
    q = p - 0.5
    centre = q * _ratio(_CENTRE, 0.180625 - q * q)
    tail = np.abs(q) > 0.425
    if tail.any():
        near_end = np.minimum(p[tail], 1.0 - p[tail])
        r = np.sqrt(-reproducible_arrays.log(near_end))
        size: Doubles = np.where(r <= 5.0, _ratio(_TAIL, r - 1.6), _ratio(_FAR, r - 5.0))
        centre[tail] = np.where(q[tail] < 0, -size, size)
    return centre


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Doubles) -> Doubles:
    above, below = (np.full_like(x, series[0]) for series in coefficients)
    for a, b in zip(coefficients[0][1:], coefficients[1][1:], strict=True):
        above, below = above * x + a, below * x + b
    return above / below


def permutation(raw: Bits) -> Indices:
    """An order of 0 … n - 1, (n,), from as many words: words with their low bits replaced by the index, sorted."""
    order: Indices = permutations(raw[None, :])[0]
    return order


def permutations(raw: Bits) -> Indices:
    """An order of 0 … n - 1 from every row of n words, (orders, n)."""
    count = raw.shape[1]
    bits = np.uint64(max(1, (count - 1).bit_length()))
    keys = (raw >> bits << bits) | np.arange(count, dtype=np.uint64)
    keys.sort(axis=1)
    return (keys & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)


def epoch_permutations(seed: int, first: int, epochs: int, count: int) -> Indices:
    """The order of `count` examples in so many epochs, (epochs, count), the first of them numbered `first`.

    The words of several epochs of a small data set are drawn together: starting a stream takes longer than using it.
    """
    together = max(1, _DRAWN_TOGETHER // max(1, count))
    found = []
    for block in range(first // together, (first + epochs - 1) // together + 1):
        start = block * together
        found.append(_block(seed, block, together, count)[max(0, first - start) : first + epochs - start])
    return found[0] if len(found) == 1 else np.concatenate(found)


@lru_cache(maxsize=2)
def _block(seed: int, block: int, epochs: int, count: int) -> Indices:
    return permutations(random_bits(seed, "shuffle", block, epochs * count).reshape(epochs, count))
