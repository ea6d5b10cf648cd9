"""What a person may read in place of a given number: another digit, two exchanged, the sign, the point, a neighbour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

_MOST_DIGITS = 12


def readings(given: Decimal, others: Sequence[Decimal]) -> Iterator[tuple[Decimal, bool]]:
    """Every number that may be read instead, each once; and whether it is the digits that were misread. The sign or the
    point may as well have been lost in the computation, and a neighbour be taken for it."""
    seen = {given, Decimal(0)}  # nobody reads that nothing is there
    signs = (-given,) if given < 0 else ()  # a sign is lost; none is read where there is none
    moved = (*signs, *(given.scaleb(places) for places in (1, -1, 2, -2)))
    for reads, by_digits in ((_by_digits(_among(given, others)), True), (moved, False), (others, False)):
        for read in reads:
            if read not in seen:
                seen.add(read)
                yield read, by_digits


def _among(given: Decimal, others: Sequence[Decimal]) -> Decimal:
    """The number with as many decimals as most of the others have: 0.4 may stand as 0.40 among them."""
    decimals = Counter(max(0, -exponent) for other in others if isinstance(exponent := other.as_tuple().exponent, int))
    usual = max(decimals, key=decimals.__getitem__, default=0)
    _, digits, exponent = given.as_tuple()
    if not isinstance(exponent, int) or -exponent >= usual or len(digits) + usual > _MOST_DIGITS:
        return given
    return given.quantize(Decimal((0, (1,), -usual)))


def _by_digits(given: Decimal) -> Iterator[Decimal]:
    sign, digits, exponent = given.as_tuple()
    if len(digits) > _MOST_DIGITS or not isinstance(exponent, int):
        return
    whole = (0,) * max(0, -exponent - len(digits) + 1) + digits  # 0.05 has the digits 0, 0 and 5
    for place in range(len(whole)):
        for digit in range(10):
            if digit != whole[place]:
                yield Decimal((sign, (*whole[:place], digit, *whole[place + 1 :]), exponent))
        if place and whole[place] != whole[place - 1]:
            exchanged = (*whole[: place - 1], whole[place], whole[place - 1], *whole[place + 1 :])
            yield Decimal((sign, exchanged, exponent))
