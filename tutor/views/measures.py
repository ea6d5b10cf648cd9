"""How good a network is, in words and in numbers: beside a guess without a network, and class by class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tutor.views.blocks import Block, Column, Heading, Kind, Paragraph, Row, Strong, Table

_MOST_CLASSES = 20
_ONE_SIDED = 0.01
"""How far, on the whole, sure and right have to lie apart for one to be called larger."""
_LONGEST = 1e6
"""From which size on a number is told by its power of ten, as an R² of a training that exploded."""


def in_words(measures: Mapping[str, Any]) -> Iterator[Block]:
    """Every part in a sentence."""
    for part, one in measures.items():
        yield Paragraph(_sentence(part, one))


def in_numbers(measures: Mapping[str, Any]) -> Iterator[Block]:
    """The last part, which flatters least, class by class, or, where there are several, output by output."""
    if not measures:
        return
    part, last = list(measures.items())[-1]
    if hasattr(last, "outputs"):
        if len(last.outputs) > 1:
            yield Heading(f"The {part} examples, output by output")
            yield _by_output(last)
    elif len(last.classes) <= _MOST_CLASSES:
        yield Heading(f"The {part} examples, class by class")
        yield _by_class(last)


def _sentence(part: str, one: Any) -> str:
    beside, title = f"{one.verdict} {one.baseline}", part[:1].upper() + part[1:]
    if hasattr(one, "outputs"):
        over = "means over the outputs: " if len(one.outputs) > 1 else ""
        told = f"{over}RMSE {one.rmse:.6g}, MAE {one.mae:.6g}, R² {_number(one.r2)}"
        return f"{title}: {told}; {beside}, with RMSE {one.baseline_rmse:.6g} and MAE {one.baseline_mae:.6g}."
    balanced = f"balanced accuracy {100 * one.balanced_accuracy:.1f}%"
    shares = f"{balanced}, macro F1 {_number(one.macro.f1)}, ROC-AUC {_number(one.roc_auc)}"
    said = f"{title}: {beside}, which is right in {100 * one.baseline_accuracy:.1f}%; {shares}."
    return said if one.calibration is None else f"{said} {_calibrated(one.calibration)}"


def _calibrated(found: Any) -> str:
    """How far the probabilities are from what happens, and to which side where they lie on one."""
    told = f"Calibration error {100 * found.error:.1f}%"
    examples = sum(one.examples for one in found.bins)
    surer = sum(one.examples * (one.confidence - one.accuracy) for one in found.bins if one.examples) / examples
    if abs(surer) < _ONE_SIDED:
        return f"{told}."
    side = "surer than it is right" if found.overconfident else "right more often than it is sure"
    return f"{told}: on the whole the network is {side}."


def _by_output(one: Any) -> Table:
    headings = ("RMSE", "MAE", "R²", "RMSE of the mean")
    rows = []
    for output in one.outputs:
        cells = (f"{output.rmse:.6g}", f"{output.mae:.6g}", _number(output.r2), f"{output.baseline_rmse:.6g}")
        rows.append(_row(output.name, headings, cells))
    return _table("output", headings, rows)


def _by_class(one: Any) -> Table:
    headings = ("examples", "precision", "recall", "F1", "ROC-AUC")
    rows = []
    for c in one.classes:
        cells = (str(c.examples), *(_number(value) for value in (c.precision, c.recall, c.f1, c.roc_auc)))
        rows.append(_row(c.name, headings, cells))
    macro = (one.macro.precision, one.macro.recall, one.macro.f1, one.roc_auc)
    total = sum(c.examples for c in one.classes)
    rows.append(_row("mean (macro)", headings, (str(total), *map(_number, macro))))
    return _table("class", headings, rows)


def _row(name: str, headings: tuple[str, ...], cells: tuple[str, ...]) -> Row:
    told = ", ".join(f"{heading} {cell}" for heading, cell in zip(headings, cells, strict=True))
    return Row((Strong(name), *cells), f"{name}: {told}.")


def _table(first: str, headings: tuple[str, ...], rows: list[Row]) -> Table:
    return Table((Column(first, Kind.NAME), *(Column(name, Kind.NUMBER) for name in headings)), tuple(rows))


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < _LONGEST else f"{value:.4g}"
