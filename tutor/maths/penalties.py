"""Penalties: what is added to the loss so that weights stay small."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.maths.number_system import NumberSystem, absolute, sign
from tutor.maths.setting import Setting

Scalar = Any


@dataclass(frozen=True, slots=True)
class Penalty:
    """lambda times the sum over the weights of term(w); biases are not penalised. `slope` is d term/dw.

    lambda has the name of the penalty, in lessons and among the options. Bodies take the settings, in their order,
    after their other numbers. `proximal(w, width)` is the w' that makes width·term(w') + (w' - w)²/2 smallest: a
    penalty that has it may act after each step in place of its slope.
    """

    name: str
    equation: str
    term: Callable[..., Scalar]
    slope: Callable[..., Scalar]
    derivative: str
    remark: str
    source: str = "the lecture's slides on L1 and L2 regularization"
    corner: float | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    proximal: Callable[..., Scalar] | None = None

    @property
    def of(self) -> str:
        """The term, in words of mathematics."""
        return self.equation.removeprefix(f"{self.name}·sum of ")


def soft_threshold(w: Scalar, width: Scalar, m: NumberSystem) -> Scalar:
    """w moved towards 0 by `width`, and exactly 0 where it would pass it: the proximal step of the L1 penalty.

    Source: Daubechies, Defrise and De Mol 2004; Parikh and Boyd 2014, Proximal algorithms, section 6.5.
    """
    return m.positive(w - width, w - width, m.positive(-w - width, w + width, 0))


_ONCE = "In an update its slope is added to that of the loss, once: a gradient that already contains it is complete."
PENALTIES = {
    entry.name: entry
    for entry in (
        Penalty(
            "l1",
            "l1·sum of |w|",
            term=absolute,
            slope=sign,
            derivative="l1·sign(w), taken as 0 at w = 0",
            remark=_ONCE,
            corner=0,
            proximal=soft_threshold,
        ),
        Penalty(
            "l2",
            "l2·sum of w²",
            term=lambda w, m: w**2,
            slope=lambda w, m: 2 * w,
            derivative="2·l2·w",
            remark=_ONCE,
        ),
        Penalty(
            "elastic_net",
            "elastic_net·sum of l1_ratio·|w| + (1 - l1_ratio)·w²",
            term=lambda w, ratio, m: ratio * absolute(w, m) + (1 - ratio) * w**2,
            slope=lambda w, ratio, m: ratio * sign(w, m) + 2 * (1 - ratio) * w,
            derivative="elastic_net·(l1_ratio·sign(w) + 2·(1 - l1_ratio)·w), with sign(0) taken as 0",
            remark="Both penalties at once: |w| makes weights exactly 0, w² lets weights that mean the same share what "
            "there is to do. With l1_ratio = 1 it is l1, with 0 it is l2. scikit-learn halves the second part.",
            source="Zou and Hastie 2005, whose alpha is 1 - l1_ratio",
            corner=0,
            settings={"l1_ratio": Setting("0.5", "the share of |w|; the rest is that of w²", below=1, closed=True)},
            proximal=lambda w, width, ratio, m: soft_threshold(w, width * ratio, m) / (1 + 2 * width * (1 - ratio)),
        ),
    )
}
PROXIMAL = [name for name, entry in PENALTIES.items() if entry.proximal]
"""Those that may act after each step."""
