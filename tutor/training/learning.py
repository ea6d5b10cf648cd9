"""Which layers learn, and in which order."""

from __future__ import annotations

from msgspec import Struct


class Learning(Struct, frozen=True):
    """Which layers keep their weights, counted from 0, and whether each of the others is changed before the error goes
    back through it."""

    frozen: frozenset[int] = frozenset()
    output_first: bool = False


EVERY_LAYER = Learning()
