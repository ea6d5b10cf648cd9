"""An experiment as plain data: JSON with everything, and CSV with one row a run."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from tutor.views.comparison import MEASURES, About, Final

COLUMNS = ("seed", *MEASURES, "epochs_done", "diverged", "ended")
"""Of the CSV, after those of the settings that are varied."""


def document(about: About, comparison: Any, final: Final) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "format": 1,
        "data": about.data,
        "arithmetic": about.base.arithmetic,
        "search": about.search,
        "varied": list(about.varied),
        "seeds": [about.base.seed + k for k in range(about.seeds)],
        "complete": comparison.complete,
        "spread": "standard deviation, n - 1",
        "ranked_by": comparison.ranked_by or None,
        "best": comparison.best,
        "command": " ".join(final.command) or None,
        "test": final.tested and {"loss": final.tested.loss, "accuracy": final.tested.accuracy},
        "settings": [_setting_document(summary, about.times) for summary in comparison.summaries],
    }


def _setting_document(summary: Any, times: bool) -> dict[str, Any]:
    measures = [*MEASURES, "epochs_done", *(["seconds"] if times else [])]
    spreads = {name: summary.of(name) for name in measures}
    found = {name: spread and {"mean": spread.mean, "deviation": spread.deviation} for name, spread in spreads.items()}
    return {
        "settings": dict(summary.setting),
        "summary": {"runs": len(summary.outcomes), "diverged": summary.diverged, **found, "curve": summary.curve()},
        "runs": [_run_document(outcome, times) for outcome in summary.outcomes],
    }


def _run_document(outcome: Any, times: bool) -> dict[str, Any]:
    return {
        "seed": outcome.seed,
        **{name: getattr(outcome, name) for name in MEASURES},
        "epochs_done": outcome.epochs_done,
        "diverged": outcome.diverged,
        "ended": outcome.ended,
        **({"seconds": outcome.seconds} if times else {}),
        "history": [
            {("epoch" if name == "number" else name): value for name, value in asdict(epoch).items()}
            for epoch in outcome.history
        ],
    }


def rows(comparison: Any, times: bool, line_end: str = "\r\n") -> str:
    """What `--csv` writes: one row a run."""
    varied = list(comparison.summaries[0].setting)
    numbers = [*COLUMNS[1:], *(["seconds"] if times else [])]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow([*varied, COLUMNS[0], *numbers])
    for summary in comparison.summaries:
        for outcome in summary.outcomes:
            found = [getattr(outcome, name) for name in numbers]
            writer.writerow(
                [*summary.labels.values(), outcome.seed, *("" if value is None else value for value in found)]
            )
    return text.getvalue()
