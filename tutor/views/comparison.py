"""An experiment as tables, curves and its best setting; the same for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from tutor.errors import counted
from tutor.experiments.report import About, Final
from tutor.experiments.summary import Comparison, Spread
from tutor.views.plots import mark, show_curves
from tutor.views.screen import Screen

MEASURES = {
    "training_loss": "training loss", "training_accuracy": "training right",
    "validation_loss": "held-out loss", "validation_accuracy": "held-out right",
}  # fmt: skip
_SPREAD = "Mean and standard deviation over the seeds (with n - 1), of the network at the end of each run."


def show(about: About, comparison: Comparison, final: Final, screen: Screen) -> None:
    """A table with a row a setting, the curves, and what to make of it."""
    summaries = comparison.summaries
    drawn = " drawn at random" if about.search == "random" else ""
    counts = f"{counted(len(summaries), 'setting')}{drawn}, {counted(about.seeds, 'seed')} each"
    screen.show(screen.text(f"{about.data}: {counts}, {about.base.arithmetic} arithmetic", "bold"))
    if not comparison.complete:
        done = sum(len(summary.outcomes) for summary in summaries)
        screen.show(f"Incomplete: interrupted after {done} of {about.seeds * len(summaries)} runs.")
    screen.show("")
    columns = _columns(about, comparison)
    lines = next((lines for lines in (1, 2) if _width(columns, lines) <= screen.width), None)
    if screen.narrate:
        _narrate(columns, comparison, screen)
    elif lines and not screen.stacked:
        _table(columns, comparison, screen, lines)
    else:
        _stack(columns, comparison, screen)
    screen.show(_what_is_shown(about, comparison))
    show_curves(comparison, screen)
    _show_best(comparison, final, screen)


def _columns(about: About, comparison: Comparison) -> dict[str, list[str]]:
    """The cells of the table by heading, those columns left out that would say nothing."""
    summaries = comparison.summaries
    columns = {name: [summary.labels[name] for summary in summaries] for name in summaries[0].labels}
    for measure, heading in MEASURES.items():
        found = [summary.of(measure) for summary in summaries]
        if any(found):
            columns[heading] = [_spread(one, measure) for one in found]
    lengths = {outcome.epochs_done for summary in summaries for outcome in summary.outcomes if not outcome.diverged}
    if len(lengths) > 1:
        columns["epochs done"] = [_spread(summary.of("epochs_done"), "epochs_done") for summary in summaries]
    if any(summary.diverged for summary in summaries):
        columns["diverged"] = [f"{summary.diverged} of {len(summary.outcomes)}" for summary in summaries]
    if about.times:
        columns["seconds"] = [_spread(summary.of("seconds"), "seconds") for summary in summaries]
    if not comparison.complete:
        columns["runs"] = [f"{len(summary.outcomes)} of {about.seeds}" for summary in summaries]
    return columns


def _spread(found: Spread | None, measure: str) -> str:
    """`0.1234 ± 0.0056`; of an accuracy in per cent."""
    if found is None:
        return "-"
    if "accuracy" in measure:
        more = "" if found.deviation is None else f" ± {100 * found.deviation:.1f}"
        return f"{100 * found.mean:.1f}{more}%"
    if found.deviation is None:
        return f"{found.mean:.4g}"
    return f"{found.mean:.4g} ± {found.deviation:{'#.2g' if found.deviation < 10 else '.3g'}}"


def _broken(cell: str, lines: int) -> str:
    """A cell on so many lines: the deviation on the second."""
    return cell if lines == 1 else cell.replace(" ±", "\n±").replace(" best", "\nbest")


def _heading(name: str, lines: int) -> str:
    """A heading on so many lines: its last word on the second."""
    return name if lines == 1 else name.replace(" ", "\n") if " " in name else "-\n".join(name.rsplit("-", 1))


def _width(columns: Mapping[str, list[str]], lines: int) -> int:
    """How wide the table is."""
    texts = [_broken("a best", lines)]
    for name, cells in columns.items():
        texts.append("\n".join([_heading(name, lines), *(_broken(cell, lines) for cell in cells)]))
    return sum(3 + max(map(len, text.split("\n"))) for text in texts) + 1


def _table(columns: Mapping[str, list[str]], comparison: Comparison, screen: Screen, lines: int) -> None:
    named = list(comparison.summaries[0].labels)
    headings = {name: _heading(name, lines) for name in columns}
    table = screen.table("", *headings.values(), right=[text for name, text in headings.items() if name not in named])
    for place in range(len(comparison.summaries)):
        cells = [_called(place, comparison), *(column[place] for column in columns.values())]
        style = "bold" if place == comparison.best else ""
        table.add_row(*(screen.text(_broken(cell, lines)) for cell in cells), style=style)
    screen.show(table)


def _called(place: int, comparison: Comparison) -> str:
    return f"{mark(place)} best" if place == comparison.best else mark(place)


def _stack(columns: Mapping[str, list[str]], comparison: Comparison, screen: Screen) -> None:
    named = list(comparison.summaries[0].labels)
    for place in range(len(comparison.summaries)):
        said = ", ".join(f"{name} {columns[name][place]}" for name in named)
        screen.show(screen.text(f"{_called(place, comparison)}{': ' if said else ''}{said}", "bold"))
        for heading, cells in columns.items():
            if heading not in named:
                screen.indented(f"{heading} {cells[place]}")


def _narrate(columns: Mapping[str, list[str]], comparison: Comparison, screen: Screen) -> None:
    for place in range(len(comparison.summaries)):
        said = [f"{heading} {cells[place].replace('±', 'plus or minus')}" for heading, cells in columns.items()]
        best = ", the best" if place == comparison.best else ""
        screen.show(f"Setting {mark(place)}{best}: {', '.join(said)}.")


def _what_is_shown(about: About, comparison: Comparison) -> str:
    """What the numbers are, and what no column says because it is the same for all."""
    outcomes = [outcome for summary in comparison.summaries for outcome in summary.outcomes]
    lengths = {outcome.epochs_done for outcome in outcomes if not outcome.diverged}
    diverged = sum(outcome.diverged for outcome in outcomes)
    said = [_SPREAD if about.seeds > 1 else "Of the network at the end of each run."]
    if len(lengths) == 1:
        said.append(f"Every {'other ' if diverged else ''}run ended after {counted(lengths.pop(), 'epoch')}.")
    said.append("Runs that diverged are in no mean." if diverged else "None diverged.")
    return " ".join(said)


def _show_best(comparison: Comparison, final: Final, screen: Screen) -> None:
    if comparison.best is None:
        if not comparison.ranked_by:
            screen.show("", "None is called best: their losses are of different kinds, which cannot be compared.")
        return
    measure = MEASURES[comparison.ranked_by]
    how = f"most {measure}" if "right" in measure else f"lowest mean {measure}"
    labels = comparison.summaries[comparison.best].labels
    named = ", ".join(f"{name} {text}" for name, text in labels.items())
    screen.heading(f"Best{'' if comparison.complete else ' so far'}, with the {how}: {named or 'the only setting'}")
    screen.command(final.command)
    if final.tested is not None:
        share = "" if final.tested.accuracy is None else f", {100 * final.tested.accuracy:.1f}% right"
        screen.show(f"Trained so once more, it has a loss of {final.tested.loss:.6g}{share} on the test part.")


COLUMNS = ("seed", *MEASURES, "epochs_done", "diverged", "ended")
"""Of the CSV, after those of the settings that are varied."""


def rows(comparison: Comparison, times: bool, line_end: str = "\r\n") -> str:
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
