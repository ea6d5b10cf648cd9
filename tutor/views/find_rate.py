"""A learning-rate range test: the loss against the rate, and which rate to take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10
from typing import TYPE_CHECKING

from tutor.errors import counted
from tutor.views.blocks import (
    Axis,
    Block,
    Column,
    Commands,
    Heading,
    Kind,
    Level,
    Paragraph,
    Plot,
    Row,
    Series,
    Table,
)  # fmt: skip

if TYPE_CHECKING:
    from tutor.training.find_rate import RangeTest
    from tutor.training.trainer import Trainer

_ROWS = 8


def rates_page(test: RangeTest, name: str, trainer: Trainer, rule: str, command: Sequence[str]) -> Iterator[Block]:
    """The curve, some of its points, what is to be read off it, and the command to type next."""
    steps, settings = test.steps, trainer.settings
    yield Heading(
        f"{name}: which learning rate for a {'-'.join(map(str, trainer.architecture.sizes))} network?", Level.TITLE
    )
    named = settings.optimizer.replace("_", " ")
    yield Paragraph(
        f"A range test, {named}, seed {settings.seed}: in {counted(len(steps), 'update')} the rate "
        f"grows from {steps[0].rate:.3g} to {steps[-1].rate:.3g}, each time by the same factor. Nothing of this "
        "training is kept."
    )
    yield from map(Paragraph, trainer.data.remarks)
    yield _curve(test)
    yield from _table(test)
    if test.suggestion is None:
        yield Paragraph(
            "The loss falls at no rate, so none is suggested. What keeps the network from learning is seen inside it:"
        )
        yield Commands(((tuple(command), ""),))
        return
    low = test.lowest
    yield Paragraph(f"The loss is lowest at the rate {low.rate:.3g}. {_beyond(test)}")
    yield Paragraph(
        f"Suggested: {test.suggestion:g}, {rule}. It is where the loss falls well and a step is still far from too "
        "large; a longer training may want less, or a --schedule. Try:"
    )
    yield Commands(((tuple(command), ""),))


def _beyond(test: RangeTest) -> str:
    """What comes of still larger rates."""
    last = test.steps[-1]
    if test.exploded:
        return f"Beyond {last.rate:.3g} it explodes, so the test ends there."
    if last.update == test.lowest.update:
        return "That is the largest rate that was tried: the loss has not begun to grow."
    return f"At {last.rate:.3g}, the largest that was tried, it is {last.smoothed:.4g}."


def _curve(test: RangeTest) -> Plot:
    steps, low = test.steps, test.lowest
    top = 1.5 * steps[0].smoothed or 1.0
    points = tuple((log10(step.rate), min(step.smoothed, top)) for step in steps)
    return Plot(
        "",
        Axis("log10 of the rate", points[0][0], points[-1][0], "round"),
        Axis("loss", 0, 1.1 * top),
        (Series(points),),
        (
            f"The loss goes from {steps[0].smoothed:.4g} at the rate {steps[0].rate:.3g} to {low.smoothed:.4g} at "
            f"{low.rate:.3g}, and is {steps[-1].smoothed:.4g} at {steps[-1].rate:.3g}.",
        ),
    )


def _table(test: RangeTest) -> Iterator[Block]:
    steps, low = test.steps, test.lowest
    places = {round((len(steps) - 1) * k / _ROWS) for k in range(_ROWS + 1)} | {low.update - 1}
    rows = []
    for step in (steps[place] for place in sorted(places)):
        cells = f"{step.rate:.3g}", f"{step.smoothed:.4g}"
        rows.append(Row(cells, f"Rate {cells[0]}: loss {cells[1]}.", best=step.update == low.update))
    yield Table((Column("rate", Kind.NUMBER), Column("loss", Kind.NUMBER)), tuple(rows), apart=True)
    if any(step.loss != step.smoothed for step in steps):
        yield Paragraph("The loss is that of the examples of each update, before it, smoothed over about ten updates.")
