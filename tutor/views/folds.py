"""A cross-validation: a row a fold, then the mean and the spread of every measure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tutor.errors import counted
from tutor.views.blocks import Block, Column, Heading, Kind, Level, Paragraph, Row, Strong, Table

_NAMES = {
    "loss": "loss", "accuracy": "right", "baseline_accuracy": "commonest class", "balanced_accuracy": "balanced",
    "macro_f1": "macro F1", "roc_auc": "ROC-AUC",
    "rmse": "RMSE", "baseline_rmse": "RMSE of the mean", "mae": "MAE", "baseline_mae": "MAE of the mean", "r2": "R²",
}  # fmt: skip
_SHARES = ("accuracy", "baseline_accuracy", "balanced_accuracy")


def folds_page(report: Any) -> Iterator[Block]:
    """Every fold on its own, and all of them together."""
    done, sizes = len(report.folds), "-".join(map(str, report.sizes))
    yield Heading(f"{report.data}: {counted(done, 'fold')} of a {sizes} network", Level.TITLE)
    yield Paragraph(
        f"{counted(report.examples, 'example')}; each network is measured on the fold that it has not seen, and all is "
        "fitted anew on the others."
    )
    yield from map(Paragraph, report.remarks)
    if not done:
        return
    names = list(report.over_folds)
    headings = [_NAMES[name] for name in names]
    rows = [_row(str(fold.fold), headings, [_value(fold, name) for name in names]) for fold in report.folds]
    for title, which in (("mean", "mean"), ("deviation", "deviation")):
        cells = [_told(name, getattr(report.over_folds[name], which)) for name in names]
        rows.append(_row(title, headings, cells))
    yield Table((Column("fold", Kind.NAME), *(Column(h, Kind.NUMBER) for h in headings)), tuple(rows), apart=True)
    diverged = sum(fold.measures is None for fold in report.folds)
    if diverged:
        yield Paragraph(f"{counted(diverged, 'training')} diverged, and {'is' if diverged == 1 else 'are'} in no mean.")
    yield Paragraph(f"In {report.better} of {counted(done, 'fold')} the network is better than {report.baseline}.")
    yield Paragraph("The deviation has n - 1; training parts overlap, so that of independent examples would be larger.")


def _row(title: str, headings: list[str], cells: list[str]) -> Row:
    told = ", ".join(f"{heading} {cell}" for heading, cell in zip(headings, cells, strict=True))
    return Row((Strong(title), *cells), f"{f'Fold {title}' if title.isdigit() else title.capitalize()}: {told}.")


def _value(fold: Any, name: str) -> str:
    if name == "loss":
        return _told(name, fold.loss)
    if fold.measures is None:
        return "-"
    return _told(name, fold.measures.macro.f1 if name == "macro_f1" else getattr(fold.measures, name))


def _told(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name in _SHARES:
        return f"{100 * value:.1f}%"
    return f"{value:.3f}" if name in ("macro_f1", "roc_auc", "r2") else f"{value:.4g}"
