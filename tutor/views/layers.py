"""A network layer by layer while it is trained: gradients and weights, and what the units do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from tutor.views.blocks import Block, Column, Heading, Kind, Level, Paragraph, Row, Table

_FEW_LAYERS, _EPOCHS, _OF_DEEP_ONES = 4, 5, 3
"""Of up to so many layers so many epochs are shown, of deeper networks fewer; the first and the last always are."""


def _number(value: float | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.3g}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.3g}%"


Cell = tuple[str, str, str, Callable[[Any], str]]
"""The field of the measure, its heading, how it is said with its value, and how that is written."""
GRADIENTS: Sequence[Cell] = (
    ("gradient_norm", "gradient", "gradient {}", _number),
    ("signal_norm", "signal", "signal {}", _number),
    ("update_ratio", "change", "change {}", _share),
    ("weight_norm", "weights", "length of the weights {}", _number),
    ("zero", "zero", "{} of them exactly 0", _number),
    ("near_zero", "near 0", "{} below 0.001", _number),
)
UNITS: Sequence[Cell] = (
    ("activation_mean", "mean", "mean {}", _number),
    ("activation_spread", "spread", "spread {}", _number),
    ("dead", "dead", "{} dead", _share),
    ("saturated", "saturated", "{} saturated", _share),
    ("identical", "copies", "{} copies", _share),
)
_OF_GRADIENTS = (
    "Gradient: the length of dE/dw, E being the mean loss of the training part. Signal: that of dE/d of the weighted "
    "sums, for an example. Change: of the weights in the epoch, against their length, which comes next; then how many "
    "of them are exactly 0, and how many below 0.001."
)
_OF_UNITS = (
    "Mean and spread are those of the outputs, over units and examples. Dead: units without slope for any example. "
    "Saturated: weighted sums with a slope below a hundredth of the largest. Copies: units with the weights and bias "
    "of another one."
)
TABLES = (("Gradients and weights", GRADIENTS, _OF_GRADIENTS), ("Units", UNITS, _OF_UNITS))
"""Each with its columns, and what these are."""


def layers_page(measures: Sequence[Any]) -> Iterator[Block]:
    """The first epoch, some and the last; what no layer has is left out."""
    if not measures:
        return
    shown = shown_epochs(measures)
    chosen = [one for one in measures if one.epoch in shown]
    yield Heading("Layer by layer, over the training part")
    for title, cells, about in TABLES:
        yield from _table(title, cells, chosen, about)
    yield from map(Paragraph, _reach(chosen))
    every = {one.epoch for one in measures}
    if len(shown) < len(every):
        yield Paragraph(f"These are {len(shown)} of {len(every)} moments; --json has all of them.")


def shown_epochs(measures: Sequence[Any]) -> list[int]:
    """The first epoch, the last, and some between them."""
    epochs = sorted({one.epoch for one in measures})
    depth = max(one.layer for one in measures)
    most = _EPOCHS if depth <= _FEW_LAYERS else _OF_DEEP_ONES
    return [epochs[place] for place in sorted({round((len(epochs) - 1) * k / (most - 1)) for k in range(most)})]


def _table(title: str, cells: Sequence[Cell], measures: Sequence[Any], about: str) -> Iterator[Block]:
    known = [cell for cell in cells if any(getattr(one, cell[0]) is not None for one in measures)]
    rows = []
    for place, one in enumerate(measures):
        values = [write(getattr(one, name)) for name, _, _, write in known]
        said = ", ".join(
            how.format(value)
            for (name, _, how, _), value in zip(known, values, strict=True)
            if getattr(one, name) is not None
        )
        first = not place or measures[place - 1].epoch != one.epoch
        ends = place + 1 < len(measures) and measures[place + 1].epoch != one.epoch
        epoch = str(one.epoch) if first else ""
        rows.append(Row((epoch, str(one.layer), *values), f"{_when(one.epoch)}, layer {one.layer}: {said}.", ends=ends))
    columns = (Column("epoch", Kind.NUMBER), Column("layer", Kind.NUMBER))
    yield Heading(title, Level.LINES)
    yield Table((*columns, *(Column(heading, Kind.NUMBER) for _, heading, _, _ in known)), tuple(rows), whole=True)
    yield Paragraph(about)


def layers_of_several(measures: Sequence[tuple[str, str, int, Mapping[str, float | None]]]) -> Iterator[Block]:
    """The layers of several networks: what each is called, in the table and in a sentence, the number of the layer and
    its measures by name."""
    for title, cells, about in TABLES:
        known = [cell for cell in cells if any(values.get(cell[0]) is not None for *_, values in measures)]
        rows = []
        for place, (name, called, number, values) in enumerate(measures):
            each = [values.get(cell[0]) for cell in known]
            said = [
                cell[2].format(cell[3](value)) for cell, value in zip(known, each, strict=True) if value is not None
            ]
            shown = tuple(cell[3](value) for cell, value in zip(known, each, strict=True))
            ends = place + 1 < len(measures) and measures[place + 1][0] != name
            told = f"{called}, layer {number}: {', '.join(said)}."
            rows.append(Row((name if number == 1 else "", str(number), *shown), told, ends=ends))
        columns = (Column("", Kind.NAME), Column("layer", Kind.NUMBER))
        yield Heading(title, Level.LINES)
        yield Table((*columns, *(Column(cell[1], Kind.NUMBER) for cell in known)), tuple(rows), whole=True)
        yield Paragraph(about)


def _when(epoch: int) -> str:
    return f"After epoch {epoch}" if epoch else "Before training"


def _reach(measures: Sequence[Any]) -> Iterator[str]:
    """How the gradient of the first layer is to that of the last, where there are several and they have any."""
    for epoch in dict.fromkeys((measures[0].epoch, measures[-1].epoch)):
        layers = [one for one in measures if one.epoch == epoch]
        first, last = layers[0].gradient_norm, layers[-1].gradient_norm
        if len(layers) > 1 and first is not None and last and isfinite(first / last):
            yield (
                f"{_when(epoch)} the gradient of layer 1 is {first / last:.3g} times as long as that of layer "
                f"{layers[-1].layer}."
            )
