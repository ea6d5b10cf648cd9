"""The network as a picture made of characters: for each neuron what flows into it, along which weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tutor.worksheet.named_network import NamedLayer, NamedNetwork, NamedNeuron

MOST_INPUTS = 12
MOST_NEURONS = 8


@dataclass(frozen=True, slots=True)
class Strokes:
    line: str
    top: str
    middle: str
    bottom: str
    only: str
    arrow: str
    down: str


UNICODE = Strokes("─", "╮", "┤", "╯", "─", "▶", "▼")
ASCII = Strokes("-", "+", "+", "+", "-", ">", "v")


def layer_titles(layers: Sequence[NamedLayer]) -> list[str]:
    """`Hidden layer 1 (sigmoid)`, …, `Output layer (sigmoid)`; a single layer is simply the neurons."""
    hidden = len(layers) - 1
    titles = [f"Hidden layer{f' {i + 1}' if hidden > 1 else ''}" for i in range(hidden)] + ["Output layer"]
    return [f"{title} ({layer.activation})" for title, layer in zip(titles, layers, strict=True)]


def layer_pictures(known: NamedNetwork, labels: Mapping[str, str], width: int, strokes: Strokes) -> list[list[str]]:
    """For each layer the lines of its picture, none of them wider than `width` where that can be done."""
    pictures, sources = [], [f"{x} = {labels[x]}" if x in labels else x for x in known.inputs]
    for layer in known.layers:
        lines: list[str] = []
        for neuron, row, bias in list(zip(layer.neurons, layer.weights, layer.biases, strict=True))[:MOST_NEURONS]:
            arms = [(source, weight) for source, weight in zip(sources, row, strict=True) if weight]
            constant = ("-1" if layer.subtracted else "1", bias) if bias else None
            lines += _neuron(neuron, layer.activation, arms, constant, labels, width, strokes)
        if len(layer.neurons) > MOST_NEURONS:
            lines.append(f"and {len(layer.neurons) - MOST_NEURONS} more neurons like these")
        pictures.append(lines)
        sources = [neuron.output for neuron in layer.neurons]
    return pictures


def _neuron(
    neuron: NamedNeuron,
    activation: str,
    arms: Sequence[tuple[str, str]],
    constant: tuple[str, str] | None,
    labels: Mapping[str, str],
    width: int,
    strokes: Strokes,
) -> list[str]:
    left = [(source, f"{weight} = {labels[weight]}") for source, weight in arms[:MOST_INPUTS]]
    if len(arms) > MOST_INPUTS:
        left.append(("…" if strokes is UNICODE else "...", f"{len(arms) - MOST_INPUTS} more weights"))
    if constant:
        left.append((constant[0], f"{constant[1]} = {labels[constant[1]]}"))
    wide = max(len(source) for source, _ in left), max(len(weight) for _, weight in left)
    dash, joint = strokes.line, _joints(len(left), strokes)
    rows = [
        f"{source:>{wide[0]}} {dash * 2} {weight:<{wide[1]}} {dash}{end}"
        for (source, weight), end in zip(left, joint, strict=True)
    ]
    head = f"{neuron.sum} {dash} {activation} {dash}{strokes.arrow} {neuron.output}"
    across = f"{dash}{strokes.arrow} {head}"
    if len(rows[0]) + len(across) <= width:
        rows[len(rows) // 2 if len(rows) > 2 else 0] += across
        return [*rows, ""]
    return [*rows, f"{strokes.down:>{len(rows[0])}}", f"{head:>{len(rows[0])}}", ""]


def _joints(count: int, strokes: Strokes) -> list[str]:
    if count == 1:
        return [strokes.only]
    return [strokes.top, *[strokes.middle] * (count - 2), strokes.bottom]
