"""A step as a program records it, copy by copy, and what is found in it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tutor.errors import TutorError
from tutor.trace.reading import STEP, arrays_of

if TYPE_CHECKING:
    from tutor.trace.report import TraceReport

Array = Any


class Step:
    """The arrays of one training step, under their names: X, y, W1, b1, Z1, A1, P, loss, dW1, db1, W1_new and the like.

    `record` copies each as it is at that moment, in any order and as many or as few as there are; `check` says which of
    them is the first that is wrong, and `save` keeps them for `tutor trace`.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}

    def record(self, **arrays: Any) -> Step:
        """Copy arrays, nested lists or tensors as they are now. Raises TutorError for what is no array of numbers, and
        for a name that is taken: what an update makes of W1 is W1_new."""
        for name in arrays:
            if name in self.arrays:
                raise TutorError(f"{name!r} is recorded already; call what it is after the update {name + '_new'!r}")
        self.arrays |= arrays_of(arrays)
        return self

    def check(
        self,
        *,
        activation: str = "",
        output_activation: str = "",
        loss: str = "",
        loss_setting: Mapping[str, float] | None = None,
        optimizer: str = "",
        learning_rate: float | None = None,
        optimizer_setting: Mapping[str, Any] | None = None,
        penalty_setting: Mapping[str, float] | None = None,
        dropout: float = 0.0,
        examples: str = "",
        weights: str = "",
        precision: str = "",
        update: int | None = None,
        before: Sequence[Step] = (),
        **penalties: float,
    ) -> TraceReport:
        """What is right and what is not; printed, it reads as text.

        Everything that is not said is found in the arrays. The words are those of `tutor train`: the name of a
        penalty, such as `l2`, has its strength. `examples` is "rows" or "columns", `weights` "in-out" or "out-in",
        `update` the number of the step, from 1. Steps `before` this one tell a gradient that was not set to 0.
        Raises TutorError for what cannot be meant.
        """
        from tutor.trace.options import Options
        from tutor.trace.report import trace

        options = Options(
            activation,
            output_activation,
            loss,
            loss_setting or {},
            optimizer,
            learning_rate,
            optimizer_setting or {},
            penalties,
            penalty_setting or {},
            dropout,
            examples,
            weights,
            precision,
            update,
        )
        return trace([*(s.arrays for s in before), self.arrays], options)[-1].report

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the step as .npz or .json, for `tutor trace`. Files that are no earlier steps take `force`."""
        from tutor.files import Target, claim, written

        path = Path(path)
        if path.suffix.lower() not in (".npz", ".json"):
            raise TutorError(f"{str(path)!r}: give a step the ending .npz, or .json for a small one")
        claim([Target("save", path, STEP)], force=force)
        with written(path, binary=True) as file:
            if path.suffix.lower() == ".npz":
                _write_npz(file, self.arrays)
            else:
                file.write(json.dumps({name: _listed(array) for name, array in self.arrays.items()}).encode())


def _write_npz(file: Any, arrays: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            raw = io.BytesIO()
            np.lib.format.write_array(raw, array, (1, 0), False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), raw.getbuffer())


def _listed(array: Array) -> Any:
    """Nested lists; null for what is not finite, for which JSON has no word."""
    plain = array.tolist()
    return _without_nan(plain) if array.dtype.kind == "f" and not np.all(np.isfinite(array)) else plain


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(v) for v in value]
    return value if np.isfinite(value) else None
