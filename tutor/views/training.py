"""A training, before and after: what is trained, its curve, its end, its mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tutor.errors import counted, listed
from tutor.views.blocks import (
    Axis,
    Block,
    Break,
    Column,
    Commands,
    Confusion,
    Heading,
    Kind,
    Level,
    Paragraph,
    Plot,
    Row,
    Series,
    Table,
)  # fmt: skip
from tutor.views.layers import layers_page
from tutor.views.measures import in_numbers, in_words
from tutor.views.regions import LINE, regions


def training_page(
    data: Any,
    trainer: Any,
    result: Any,
    confused: Any,
    plane: Any,
    advised: tuple[str, Sequence[Sequence[str]]] | None,
    measured: Mapping[str, Any],
    layers: Sequence[Any] = (),
    hold_out: float = 0.0,
) -> Iterator[Block]:
    """The network, the curve, the numbers at the end, who was taken for whom, where the line is drawn, and what to try:
    `advised` says what was seen, and has the words of commands.

    `measured` has the measures of each part, `confused` the confusion matrix with the part that it is about; `plane`
    the decision regions, if there are any. `layers` are those of every epoch, where they were asked for. `hold_out` is
    the share of examples that could be held out, where none is.
    """
    architecture, settings = trainer.architecture, trainer.settings
    single = ", here in single precision," if trainer.engine.vector.itemsize == 4 else ""
    yield Heading(f"{data.name}: a {'-'.join(map(str, architecture.sizes))} network", Level.TITLE)
    yield Break()
    sizes = f"{counted(len(trainer.data.train), 'example')}, {counted(len(trainer.engine.vector), 'parameter')}"
    by_rule = settings.rule == "perceptron"
    words = " and ".join(dict.fromkeys(architecture.activations))
    loss = "" if by_rule else f" loss: {architecture.loss.replace('_', ' ')};"
    yield Paragraph(f"{sizes}, {words};{loss} {settings.arithmetic} arithmetic.")
    if by_rule:
        yield Paragraph("By the perceptron rule; the loss of an epoch is the number of examples with a wrong output.")
    yield Paragraph(_how(settings))
    yield from map(Paragraph, _learning(settings.learning))
    yield from map(Paragraph, (*data.remarks, *trainer.data.remarks))
    if settings.arithmetic == "fast":
        yield Paragraph(f"The last digits of fast arithmetic{single} may differ from machine to machine.")
    if result.history:
        yield curve(result.history, settings.class_weights)
        yield from _epochs(result.history, settings.class_weights)
        yield Break()
        yield _parts(trainer)
        yield from in_words(measured)
        if hold_out:
            learned = "This is about examples that the network has learned from"
            yield Paragraph(f"{learned}; --validation {hold_out:g} shows how it does on others.")
        yield from confusion_matrix(data.classes, confused)
        yield from in_numbers(measured)
        if plane is not None:
            yield from regions(LINE, [plane])
        yield from layers_page(layers)
    yield Paragraph(_how_it_ended(trainer, result))
    if advised is not None:
        seen, ways = advised
        yield Paragraph(f"{seen}{' Try:' if ways else ''}")
        if ways:
            yield Commands(tuple((tuple(words), "") for words in ways))


def _how_it_ended(trainer: Any, result: Any) -> str:
    """After how many updates, and in what time."""
    updates = trainer.engine.updates
    each = 1e6 * result.seconds / max(1, updates)
    pace = f", {each:.3g} µs each" if each < 1000 else f", {each / 1000:.3g} ms each"
    took = f"{result.seconds:.2f} s" if result.seconds >= 0.1 else f"{1000 * result.seconds:.2g} ms"
    return f"{result.ended.capitalize()}: {counted(updates, 'update')} in {took}{pace if updates else ''}."


def _how(settings: Any) -> str:
    """How the network learns, in a sentence."""
    batches = "one example" if settings.batch_size == 1 else f"up to {settings.batch_size} examples"
    name = "perceptron rule" if settings.rule == "perceptron" else settings.optimizer.replace("_", " ")
    rate = f"{name}, learning rate {float(settings.training.rate):g}, {batches} an update"
    return f"{rate}; at most {counted(settings.epochs, 'epoch')}, seed {settings.seed}."


def _learning(learning: Any) -> Iterator[str]:
    """What is out of the ordinary about which layers learn, and when."""
    if learning.output_first:
        yield (
            "Each layer is changed before the error goes back through it, so only the gradient of the last layer is "
            "that of the loss."
        )
    if learning.frozen:
        layers = [str(depth + 1) for depth in sorted(learning.frozen)]
        keeps = "keeps its" if len(layers) == 1 else "keep their"
        yield f"Layer{'s' if len(layers) > 1 else ''} {listed(layers)} {keeps} weights and biases."


def curve(history: Any, weighted: bool = False) -> Plot:
    """The loss by the epoch, `weighted` by class or not; the table below says the same in numbers."""
    held_out = [e for e in history if e.validation_loss is not None]
    highest = max(e.loss for e in history)
    top = max([highest, *(min(e.validation_loss, 2 * highest) for e in held_out)])
    series = [Series(tuple((e.number, e.validation_loss) for e in held_out), "points", "o")] if held_out else []
    which = "The line is the loss on the training part, o that on the held-out part."
    if weighted:
        which = (
            "The line is the loss on the training part, weighted by class; o is that on the held-out part, unweighted."
        )
    first, last = history[0], history[-1]
    return Plot(
        "",
        Axis("epoch", 0, last.number, "whole"),
        Axis("loss", 0, 1.1 * top or 1),  # what lies on the very edge is not drawn
        (*series, Series(tuple((e.number, e.loss) for e in history))),
        (f"The loss goes from {first.loss:.4g} in epoch {first.number} to {last.loss:.4g} in epoch {last.number}.",),
        (Paragraph(which),) if held_out else (),
    )


def _epochs(history: Any, weighted: bool) -> Iterator[Block]:
    measured = [e for e in history if e.accuracy is not None or e.validation_loss is not None] or history
    chosen = [measured[place] for place in sorted({round((len(measured) - 1) * k / 8) for k in range(9)})]
    held = chosen[0].validation_loss is not None
    right = chosen[0].accuracy is not None
    headings = ["epoch", "loss", *(["right"] if right else []), *(["held-out loss"] if held else [])]
    headings += ["held-out right"] if held and right else []
    rows = []
    for e in chosen:
        cells = [str(e.number), f"{e.loss:.6g}", *([_share(e.accuracy)] if right else [])]
        cells += [f"{e.validation_loss:.6g}"] if held else []
        cells += [_share(e.validation_accuracy)] if held and right else []
        told = ", ".join(f"{heading} {cell}" for heading, cell in zip(headings, cells, strict=True))
        rows.append(Row(tuple(cells), f"{told}."))
    yield Table(tuple(Column(heading, Kind.NUMBER) for heading in headings), tuple(rows), apart=True)
    if weighted:
        yield Paragraph(
            "The loss is the mean over an epoch, each example before its update and weighted by its class; all else is "
            "after it, and unweighted."
        )
    elif right or held:
        yield Paragraph("The loss is the mean over an epoch, each example before its update; the rest is after it.")


def _parts(trainer: Any) -> Paragraph:
    """What the network, as it is in the end, does with every part of the data."""
    said = []
    for part, measure in trainer.measures().items():
        right = "" if measure.accuracy is None else f", {_share(measure.accuracy)} right"
        loss = "" if trainer.settings.rule == "perceptron" else f" loss {measure.loss:.6g}"
        both = f"{loss}{',' if loss and right else ''}{right.removeprefix(',')}"
        said.append(f"{part}{both} ({counted(len(trainer.data.parts[part]), 'example')})")
    return Paragraph(f"In the end: {'; '.join(said)}.")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"


def confusion_matrix(classes: Sequence[str], confused: Any, of: str = "") -> Iterator[Confusion]:
    """How often each class was taken for each, `of` what network, where there are several."""
    part, counts = confused
    if counts:
        examples = f"{of}, the {part} examples" if of else f"The {part} examples"
        title = f"{examples}: what each class was taken for"
        yield Confusion(title, tuple(classes), tuple(map(tuple, counts)))
