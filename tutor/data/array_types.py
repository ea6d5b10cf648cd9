"""The arrays of examples and of training, by what is in them; their shapes are told where they are made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Numbers in single or in double precision."""
Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]
"""The numbers of examples, or of their classes."""
Labels = Indices | Doubles
"""The class of each example, (examples,), or its values, (examples, outputs)."""
Mask = NDArray[np.bool_]
"""Which entries of another array are meant."""
Bits = NDArray[np.uint64]
"""Random words of 64 bits, each of them independent."""
Stored = NDArray[Any]
"""An array of a file: numbers of whatever type it has, or text."""
Image = tuple[int, ...]
"""The height and the width of an image and, where it is in colour, the number of its channels."""
