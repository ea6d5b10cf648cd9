"""What a person may read in place of a given number: another digit, two exchanged, the sign, the point, a neighbour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

_MOST_DIGITS = 12


def readings(given: Decimal, others: Sequence[Decimal]) -> Iterator[Decimal]:
    """Every number that may be read instead, each once."""
    seen = {given}
    for read in (*_written_alike(given), *others):
        if read not in seen:
            seen.add(read)
            yield read


def _written_alike(given: Decimal) -> Iterator[Decimal]:
    yield -given
    for places in (1, -1, 2, -2):
        yield given.scaleb(places)
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
