"""Blocks in sentences, for screen readers and for reading aloud: what has no words of its own is told in paragraphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from tutor.errors import counted
from tutor.printers import terminal
from tutor.printers.screen import Screen
from tutor.printers.text import equation, spelled
from tutor.views.blocks import (
    Block,
    Break,
    Calculation,
    Calculations,
    Commands,
    Confusion,
    Derivation,
    Formula,
    Heading,
    Network,
    Paragraph,
    Plot,
    Printed,
    Regions,
    Sign,
    Table,
    Text,
    Verbatim,
    pieces,
)  # fmt: skip
from tutor.views.style import SPOKEN

Told = Iterator[Heading | Paragraph | Verbatim | Break | Commands]
_PLUS_OR_MINUS = re.compile(r" ?± ?")
_EQUALS = " = "


def printed(blocks: Iterable[Block], screen: Screen) -> Iterator[str]:
    """The blocks one after the other, each as soon as it is there."""
    return terminal.printed(chain.from_iterable(map(told, blocks)), screen)


def told(block: Block) -> Told:
    """The block in blocks that can be read aloud."""
    return BY_BLOCK[type(block)](block)


def _aloud(text: Text) -> Text:
    """The text with its signs in words; the sign between a name and its number is read as it is."""
    kept = [piece for piece in pieces(text) if not isinstance(piece, Sign)]
    said = [_PLUS_OR_MINUS.sub(" plus or minus ", p) if isinstance(p, str) else p for p in kept]
    said = [" equals " if piece == _EQUALS else piece for piece in said]
    return said[0] if len(said) == 1 else tuple(said)


def _as_it_is(block: Heading | Break | Verbatim) -> Told:
    yield block


def _paragraph(block: Paragraph) -> Told:
    if not block.seen:
        yield Paragraph(_aloud(block.text), block.indent)


def _table(block: Table) -> Told:
    for text in [block.aloud.text] if block.aloud is not None else [row.told for row in block.rows]:
        yield Paragraph(_aloud(text))


def _confusion(block: Confusion) -> Told:
    yield Heading(block.title)
    yield from _table(block.table)


def _calculations(block: Calculations) -> Told:
    for line in block.lines:
        yield from _calculation(line)
    if block.more:
        yield Paragraph(block.more)


def _calculation(block: Calculation) -> Told:
    """Position, name, rule, formula, numbers, value, and what is printed."""
    formula, numbers, value = equation(block, SPOKEN)
    said = [formula]
    if numbers:
        said.append(f", which is {'' if block.exact else 'about '}{numbers}")
    if value:
        said.append(f", which is {value}")
    if block.remark:
        said.append(f"; {block.remark}")
    if block.drift:
        said.append("; the exact value is {}, the drift {}".format(*block.drift))
    position = f"{block.position}. " if block.position else ""
    printed = "".join(f" {_printed(one)}" for one in block.printed)
    yield Paragraph(f"{position}{block.name}, {block.reason}: {''.join(said)}.{printed}")
    if block.in_full:
        yield Paragraph(f"{block.in_full}.")


def _printed(one: Printed) -> str:
    return f"Printed is {one.value}: {one.verdict}.{f' {one.note}' if one.note else ''}"


def _derivation(block: Derivation) -> Told:
    """One paragraph, rule before result."""
    (first, _), *rest = block.lines
    said = [f"{block.name} is {spelled(Formula(first), SPOKEN)}."]
    said += [f"Then, {rule}: {spelled(Formula(expression), SPOKEN)}." for expression, rule in rest]
    yield Paragraph(" ".join(said))


def _network(block: Network) -> Told:
    """What flows into each neuron, with the weights."""
    known, labels = block.named_network, block.labels
    inputs = block.examples[0][0] if len(block.examples) == 1 else known.inputs
    yield Paragraph(f"The network has {counted(len(known.inputs), 'input')}: {', '.join(inputs)}.")
    sources = known.inputs
    for number, layer in enumerate(known.layers, 1):
        kind = "output layer" if number == len(known.layers) else "hidden layer"
        several = len(layer.neurons) > 1
        neurons = f"{len(layer.neurons)} {layer.activation} neurons" if several else f"one {layer.activation} neuron"
        yield Paragraph(f"Layer {number}, the {kind}, has {neurons}.")
        for neuron, row, bias in zip(layer.neurons, layer.weights, layer.biases, strict=True):
            arms = [f"{x} with weight {w} = {labels[w]}" for x, w in zip(sources, row, strict=True) if w]
            kind, how = ("threshold", ", subtracted") if layer.subtracted else ("bias", "")
            end = f"; its {kind} is {bias} = {labels[bias]}{how}" if bias else ""
            yield Paragraph(f"{neuron.output} takes {', '.join(arms)}{end}.")
        sources = tuple(neuron.output for neuron in layer.neurons)
    yield from examples(block)


def examples(block: Network) -> Iterator[Paragraph]:
    """The inputs and the targets of each example; of a single one only the targets, its inputs stand at the network."""
    for number, (given, targets) in enumerate(block.examples, 1):
        if len(block.examples) > 1:
            target = f"; the target is {', '.join(targets)}" if targets else ""
            yield Paragraph(f"Example {number}: {', '.join(given)}{target}.")
        elif targets:
            yield Paragraph(f"The target is {', '.join(targets)}.")


def _plot(block: Plot) -> Told:
    if block.keyed:
        yield Heading(block.title)
    for text in block.told:
        yield Paragraph(_aloud(text), 2 if block.keyed else 0)


def _regions(block: Regions) -> Told:
    """How far the planes go, and how large a share of each every class has."""
    about = f"; {block.about}" if block.about else ""
    yield Paragraph(f"{block.title}. The plane has {block.extent}{about}. {block.told}")


def _commands(block: Commands) -> Told:
    for words, purpose in block.ways:
        yield Paragraph(f"{' '.join(words)}: {purpose}.") if purpose else Commands(((words, ""),))


BY_BLOCK: Mapping[type, Callable[[Any], Told]] = {
    Heading: _as_it_is,
    Paragraph: _paragraph,
    Verbatim: _as_it_is,
    Break: _as_it_is,
    Table: _table,
    Confusion: _confusion,
    Calculation: _calculation,
    Calculations: _calculations,
    Derivation: _derivation,
    Network: _network,
    Plot: _plot,
    Regions: _regions,
    Commands: _commands,
}
