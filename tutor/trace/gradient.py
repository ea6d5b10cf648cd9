"""Is a gradient the gradient of a function? Differences of the function decide, and say how far they can be trusted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import floor, log10
from typing import Any

import numpy as np

from tutor.errors import TutorError

Array = Any
_COMPLEX_STEP = 1e-30
_MOST_ENTRIES = 2_000
_KINK = 0.05
"""How much of the slope two halves of a difference may disagree by before a kink is suspected between them."""
_UNDECIDED = "cannot be told"


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient: where it is, what is claimed, what differences come to and how far they can be off."""

    where: str
    claimed: float
    numeric: float
    allowed: float
    kink: bool = False

    @property
    def is_right(self) -> bool:
        return bool(abs(self.claimed - self.numeric) <= self.allowed)

    @property
    def digits(self) -> int:
        """In how many digits the two agree."""
        size = max(abs(self.claimed), abs(self.numeric))
        off = abs(self.claimed - self.numeric)
        if not off or not size:
            return 15
        return max(0, min(15, floor(-log10(off / size)))) if np.isfinite(off) and np.isfinite(size) else 0


@dataclass(frozen=True)
class GradientReport:
    """`verdict` is right, wrong, or that it cannot be told; `digits` in how many digits claim and differences agree
    where they agree worst."""

    verdict: str
    digits: int
    method: str
    entries: list[Entry]
    remarks: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[Entry]:
        return [e for e in self.entries if not e.kink and not e.is_right]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        count = sum(not e.kink for e in self.entries)
        if self.verdict == "right":
            yield f"right: {count} entries agree with {self.method} in {self.digits} digits at least."
        elif self.verdict == "wrong":
            yield f"wrong: {len(self.wrong)} of {count} entries do not agree with {self.method}."
            worst = sorted(self.wrong, key=lambda e: e.digits)[:5]
            yield from (f"  {e.where}: claimed {e.claimed:.6g}, differences {e.numeric:.6g}" for e in worst)
            yield from (f"  {mark}" for mark in [self._mark()] if mark)
        else:
            yield f"{_UNDECIDED}: every entry lies at a kink, or the function has no value there."
        yield from (f"note: {remark}." for remark in self.remarks)

    def _mark(self) -> str:
        ratios = [e.claimed / e.numeric for e in self.wrong if abs(e.numeric) > 10 * e.allowed]
        if len(ratios) > 1 and np.ptp(ratios) < 1e-3 * abs(np.median(ratios)):
            return f"what is claimed is {np.median(ratios):.4g} times the gradient, throughout"
        return ""


def check_gradient(
    function: Callable[..., Any], parameters: Any, gradient: Any, *, most: int = _MOST_ENTRIES, seed: int = 0
) -> GradientReport:
    """Whether `gradient` is that of `function` at `parameters`.

    `function` takes the parameters as they are given here, an array, a list of arrays or a dictionary of them, and
    returns a number; `gradient` is of the same form. Where the function takes complex numbers, the imaginary part of
    one evaluation gives each slope to all digits; else two differences over steps that fit the precision do, and their
    disagreement says how far to trust them. Entries at a kink (a ReLU at 0, a largest of two) are left out, and said.
    Of more than `most` entries so many are drawn by `seed`. Raises TutorError where shapes do not go together.
    """
    names, arrays, form = _taken_apart(parameters)
    _, claimed, _ = _taken_apart(gradient)
    if [a.shape for a in arrays] != [g.shape for g in claimed]:
        raise TutorError(
            f"the gradient has the shapes {[g.shape for g in claimed]}, the parameters {[a.shape for a in arrays]}"
        )
    single = any(a.dtype.itemsize <= 4 for a in (*arrays, *claimed))
    probe = _Probe(function, [a.astype(np.float64) for a in arrays], form, single)
    places = [(i, index) for i, a in enumerate(arrays) for index in np.ndindex(a.shape)]
    remarks = []
    if len(places) > most:
        drawn = np.sort(np.random.default_rng(seed).choice(len(places), most, replace=False))
        remarks.append(f"{most:,} of {len(places):,} entries were drawn and checked")
        places = [places[i] for i in drawn]
    use_complex = probe.takes_complex()
    entries = []
    for i, index in places:
        where = f"{names[i]}[{','.join(map(str, index))}]" if index else names[i]
        entries.append(probe.entry(where, i, index, float(claimed[i][index]), use_complex))
    kinks = [e.where for e in entries if e.kink]
    if kinks:
        shown = ", ".join(kinks[:5]) + (", …" if len(kinks) > 5 else "")
        remarks.append(f"left out, for the function has a kink there or no value: {shown}")
    smooth = [e for e in entries if not e.kink]
    verdict = _UNDECIDED if not smooth else "right" if all(e.is_right for e in smooth) else "wrong"
    digits = min(
        (e.digits for e in smooth if abs(e.numeric) > e.allowed or not e.is_right), default=15 if smooth else 0
    )
    return GradientReport(
        verdict, digits, "the complex step" if use_complex else "central differences", entries, remarks
    )


def _taken_apart(value: Any) -> tuple[list[str], list[Array], Callable[[Sequence[Array]], Any]]:
    """The arrays of parameters in their order, what each is called, and how to put such arrays together again."""
    if isinstance(value, dict):
        keys = list(value)
        return [str(k) for k in keys], [_array(value[k]) for k in keys], lambda a: dict(zip(keys, a, strict=True))
    if isinstance(value, list | tuple) and any(np.ndim(v) for v in value):
        return [f"parameter {i}" for i in range(len(value))], [_array(v) for v in value], list
    return ["parameter"], [_array(value)], lambda a: a[0]


def _array(value: Any) -> Array:
    try:
        array = np.array(value)
    except (ValueError, TypeError):
        raise TutorError("parameters and gradients are arrays of numbers") from None
    if array.dtype.kind not in "iuf":
        raise TutorError("parameters and gradients are arrays of plain numbers")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


class _Probe:
    """A function near a point."""

    def __init__(self, function: Callable[..., Any], arrays: list[Array], form: Any, single: bool) -> None:
        self.function, self.arrays, self.form = function, arrays, form
        self.roundoff = 2.0**-24 if single else 2.0**-53
        self.dtype = np.float32 if single else np.float64
        self.here = self._value(None, (), 0.0)

    def _value(self, i: int | None, index: tuple[int, ...], step: complex) -> Any:
        """The function with one entry moved. A function that changes what it is given does so to a copy."""
        kind: Any = np.complex128 if isinstance(step, complex) else self.dtype
        moved = [a.astype(kind) for a in self.arrays]
        if i is not None:
            moved[i][index] += step
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that an imaginary part is dropped: `takes_complex` sees it
            found = np.asarray(self.function(self.form(moved)))
        if found.size != 1:
            raise TutorError(f"the function returns {found.size} numbers; it has to return one, the loss")
        return found.reshape(())[()]

    def takes_complex(self) -> bool:
        """Whether an imaginary part goes through the function as it should: what it does to a real number is not
        changed, and along a direction it gives the slope that differences give."""
        for i, a in enumerate(self.arrays):
            if not a.size:
                continue
            index = tuple(int(x) for x in np.unravel_index(np.argmax(np.abs(a)), a.shape))
            try:
                value = self._value(i, index, 1j * _COMPLEX_STEP)
            except Exception:  # whatever a function does that knows no complex numbers
                return False
            if not np.iscomplexobj(value) or not np.isfinite(value):
                return False
            numeric, allowed, kink = self._difference(i, index)
            if kink or abs(value.imag / _COMPLEX_STEP - numeric) > 4 * allowed:
                return False
        return True

    def entry(self, where: str, i: int, index: tuple[int, ...], claimed: float, use_complex: bool) -> Entry:
        numeric, allowed, kink = self._difference(i, index)
        if use_complex and not kink:
            value = self._value(i, index, 1j * _COMPLEX_STEP).imag / _COMPLEX_STEP
            if abs(value - numeric) <= 4 * allowed:  # else the function uses |z| or a real part somewhere on this way
                size = abs(value) + abs(float(np.real(self.here)))
                return Entry(where, claimed, float(value), 1e3 * self.roundoff * size, False)
        return Entry(where, claimed, numeric, allowed, kink)

    def _difference(self, i: int, index: tuple[int, ...]) -> tuple[float, float, bool]:
        """Slope by central differences over h and h/2, how far it can be off, and whether there is a kink between."""
        size = max(abs(float(self.arrays[i][index])), 1.0)
        h = size * self.roundoff ** (1 / 3)
        h = float(self.dtype(self.arrays[i][index] + h)) - float(self.arrays[i][index])  # a step that the type has
        values = [float(np.real(self._value(i, index, k * h))) for k in (-1.0, -0.5, 0.5, 1.0)]
        here = float(np.real(self.here))
        if not all(np.isfinite([*values, here])):
            return float("nan"), float("inf"), True
        wide, narrow = (values[3] - values[0]) / (2 * h), (values[2] - values[1]) / h
        best = (4 * narrow - wide) / 3
        noise = 32 * self.roundoff * max(map(abs, [*values, here])) / h
        forward, backward = (values[3] - here) / h, (here - values[0]) / h
        half_forward, half_backward = (values[2] - here) / (h / 2), (here - values[1]) / (h / 2)
        bend, half_bend = abs(forward - backward), abs(half_forward - half_backward)
        scale = max(abs(best), noise)
        # The two sides of a smooth function come together by half when the step is halved; at a kink they do not.
        kink = half_bend > _KINK * scale + 8 * noise and half_bend > 0.75 * bend - 8 * noise
        kink = kink or abs(wide - narrow) > _KINK * scale + 8 * noise
        return best, noise + 2 * abs(wide - narrow) + 1e-3 * noise, kink
