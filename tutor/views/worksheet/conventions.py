"""The conventions of a worksheet in one line: what a reader must know to get the same numbers."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.errors import counted
from tutor.maths.losses import LOSSES
from tutor.maths.optimizer import RATE
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.schedules import SCHEDULES
from tutor.views.numbers import FEWEST_SIGNIFICANT, shown
from tutor.worksheet.step import Worksheet

POLICIES = {
    "updated": "{} are updated too",
    "partly updated": "{} are updated too, except those of frozen layers",
    "not updated": "{} are not updated",
    "none": "no biases",
    "": "",
}
CLIPS = {
    "clip_value": "every gradient beyond ±{} is clipped to that value",
    "clip_norm": "gradients that are together longer than {} are clipped by norm to that length",
}


def conventions_line(worksheet: Worksheet, digits: int, rounding: str = "", blank: bool = False) -> str:
    """The loss with its factor, how parameters are updated, the chain rule's form, the arithmetic and the digits.

    What came of the training is left out of a `blank` worksheet.
    """
    made = worksheet.conventions
    parts = []
    if made.loss:
        parts.append(f"loss: {made.loss.replace('_', ' ')}, {LOSSES[made.loss].equation} for target t and output y")
    parts.append(POLICIES[made.bias_policy].format(_biases(worksheet)))
    if made.optimizer:
        parts += update_remarks(worksheet, digits)
    parts += [*made.remarks, *([made.ended] if made.ended and not blank else [])]
    exact = (
        f"exact arithmetic, rounded once for display: {counted(digits, 'decimal')}, at least {FEWEST_SIGNIFICANT} "
        "significant digits. Every value is computed from the full values above it, not from the rounded ones shown"
    )
    parts.append(rounding or exact)
    return "Conventions: " + "; ".join(filter(None, parts)) + "."


def _biases(worksheet: Worksheet) -> str:
    """What the network calls its biases: thresholds where they are subtracted."""
    layers = worksheet.network.layers if worksheet.network else []
    kinds = {layer.subtracted for layer in layers if any(layer.biases)}
    return " and ".join(word for word, subtracted in (("biases", False), ("thresholds", True)) if subtracted in kinds)


def update_remarks(worksheet: Worksheet, digits: int) -> Iterator[str]:
    """The optimizer with its form and its rate, the rates of layers, the schedule, clipping: whatever is not plain."""
    made = worksheet.conventions
    chosen, rate = OPTIMIZERS[made.optimizer], shown(worksheet.givens[RATE], digits)
    yield ", ".join(filter(None, [f"{chosen.title} with learning rate eta = {rate}", *made.forms]))
    for layer, factor in made.rates.items():
        yield f"layer {layer} learns with {shown(factor, digits)}·eta" if factor else f"layer {layer} is frozen"
    if made.schedule != "constant":
        settings = " and ".join(f"{name} = {shown(value, digits)}" for name, value in made.schedule_settings.items())
        equation = " with ".join(filter(None, [SCHEDULES[made.schedule].equation, settings]))
        yield f"{made.schedule.replace('_', ' ')} schedule, {equation}, epochs counted from 0"
    for limit in made.clips:
        yield CLIPS[limit].format(shown(worksheet.givens[limit], digits))
