"""Augmentation: in every epoch each training example a little different, so that a network learns what does not matter.

The same seed and epoch give the same bits on every machine and with every size of batch: an example's random words are
those at its own place in the stream "augment" of the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from tutor.data.sampling import normals, random_bits
from tutor.errors import TutorError, nearest

if TYPE_CHECKING:
    from tutor.data.array_types import Bits, Floats, Image, Indices

_WORDS = 3
_PIECE = 1 << 18
LARGEST_SHIFT = 100


@dataclass(frozen=True)
class Augmentation:
    """What may be done to an example: `shift` pixels at most in each direction, left and right exchanged half of the
    time, normal noise of the standard deviation `noise`; in this order: flip, shift, noise."""

    shift: int = 0
    flip: bool = False
    noise: float = 0.0

    def check(self, shape: Image | None) -> None:
        """Raises TutorError where the examples are no images of a size that this can be done to."""
        if shape is None and (self.shift or self.flip):
            raise TutorError("--augment shift and flip need images; noise goes with everything")
        if shape and self.shift >= min(shape[:2]):
            raise TutorError(f"--augment shift={self.shift} could push {shape[0]} × {shape[1]} pixels out of sight")

    def apply(self, x: Floats, shape: Image | None, seed: int, epoch: int) -> Floats:
        """A changed copy of x, (examples, features), in its precision. Raises TutorError as `check` does.

        Word 3i of the stream says whether example i is flipped (its highest bit), words 3i + 1 and 3i + 2 how far it
        goes down and to the right (the upper 32 bits times 2·shift + 1, over 2^32, minus shift), and, n examples and f
        features given, word 3n + f·i + j is the noise of its feature j.
        """
        self.check(shape)
        changed = np.array(x, order="C")
        if shape and (self.shift or self.flip):
            raw = random_bits(seed, "augment", epoch, _WORDS * len(x)).reshape(len(x), _WORDS)
            images = changed.reshape(-1, *shape)
            if self.flip:
                chosen = raw[:, 0] >> np.uint64(63) == 1
                images[chosen] = images[chosen, :, ::-1]
            if self.shift:
                images = _shifted(images, *_steps(raw[:, 1:], self.shift).T)
            changed = images.reshape(x.shape)
        if self.noise:
            _add_noise(changed, self.noise, seed, epoch)
        return changed


def _steps(raw: Bits, most: int) -> Indices:
    """Whole numbers from -most to most, one for each word and in their shape."""
    upper = raw >> np.uint64(32)
    return (upper * np.uint64(2 * most + 1) >> np.uint64(32)).astype(np.int64) - most


def _shifted(images: Floats, down: Indices, right: Indices) -> Floats:
    """Every image, (images, height, width) and perhaps channels, moved by its own numbers of pixels, (images,) each;
    what moves in is 0.

    One pass for each way to move.
    """
    moved = np.zeros_like(images)
    for vertical, horizontal in np.unique(np.stack([down, right], axis=1), axis=0).tolist():
        chosen = np.flatnonzero((down == vertical) & (right == horizontal))
        (to_row, from_row), (to_column, from_column) = _overlap(vertical), _overlap(horizontal)
        moved[chosen, to_row, to_column] = images[chosen, from_row, from_column]
    return moved


def _overlap(step: int) -> tuple[slice, slice]:
    """Where the pixels that stay in sight come to lie, and where they were."""
    ahead, behind = slice(max(step, 0), min(step, 0) or None), slice(max(-step, 0), min(-step, 0) or None)
    return ahead, behind


def _add_noise(x: Floats, deviation: float, seed: int, epoch: int) -> None:
    """Add to every number its own; in pieces, since the noise of all examples would take as much room as they do."""
    flat, before = x.reshape(-1), _WORDS * len(x)
    for start in range(0, flat.size, _PIECE):
        piece = flat[start : start + _PIECE]
        piece[...] = piece + deviation * normals(random_bits(seed, "augment", epoch, len(piece), before + start))


def parse_augmentation(text: str) -> Augmentation:
    """What `--augment shift=1,flip,noise=0.05` asks for. Raises TutorError for anything that it does not know."""
    augmentation = Augmentation()
    seen = set()
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name not in ("shift", "flip", "noise"):
            close = nearest(name[:60], ("shift", "flip", "noise"))
            raise TutorError(f"--augment does not know {name[:60]!r}{close}, as in --augment shift=1,flip,noise=0.05")
        if name in seen:
            raise TutorError(f"--augment has {name} twice")
        seen.add(name)
        if name == "flip":
            if equals:
                raise TutorError(f"--augment flip takes no value, not {value[:40]!r}; half of the images are flipped")
            augmentation = replace(augmentation, flip=True)
        elif name == "shift":
            augmentation = replace(augmentation, shift=_pixels(value))
        else:
            augmentation = replace(augmentation, noise=_deviation(value))
    return augmentation


def _pixels(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= LARGEST_SHIFT):
        raise TutorError(f"--augment shift takes pixels, from 1 to {LARGEST_SHIFT}, as in shift=1, not {value[:40]!r}")
    return int(value)


def _deviation(value: str) -> float:
    try:
        deviation = float(value)
    except ValueError:
        deviation = 0.0
    if not (isfinite(deviation) and deviation > 0 and "_" not in value):
        raise TutorError(f"--augment noise takes a standard deviation above 0, as in noise=0.05, not {value[:40]!r}")
    return deviation
