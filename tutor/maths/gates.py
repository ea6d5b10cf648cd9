"""Truth tables of two inputs, which run through 00, 01, 10 and 11."""

from __future__ import annotations

from collections.abc import Mapping

ROWS = ((0, 0), (0, 1), (1, 0), (1, 1))
GATES: Mapping[str, tuple[int, int, int, int]] = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "nand": (1, 1, 1, 0),
    "xor": (0, 1, 1, 0),
}
