"""An experiment as tables, curves and its best setting; its runs as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from string import ascii_letters

from tutor.errors import counted
from tutor.experiments.differences import against_the_best
from tutor.experiments.measures import OF_LAYERS, Measure
from tutor.experiments.report import About, Final, plain
from tutor.experiments.search import called
from tutor.experiments.summary import Comparison, MeanAndDeviation, Measured, of_a_layer_at_the_end
from tutor.views.blocks import (
    Aside,
    Axis,
    Block,
    Break,
    Column,
    Commands,
    Heading,
    Kind,
    Level,
    Paragraph,
    Piece,
    Plot,
    Regions,
    Row,
    Series,
    Strong,
    Table,
    Text,
    pieces,
)  # fmt: skip
from tutor.views.layers import layers_of_several
from tutor.views.paths import paths_plot
from tutor.views.regions import regions

MEASURES = {
    "training_loss": "training loss", "training_accuracy": "training right",
    "validation_loss": "held-out loss", "validation_accuracy": "held-out right",
}  # fmt: skip
_VALUE = "final value"
"""What the loss of a function is, which has no training part."""
_MOST_CURVES = 8
_TELLING = 6  # seeds: with fewer not even a split of all against none is rare for a sign test
_LETTERS_ON_A_CURVE = 6
_CUT_AT = 3  # times the lowest start, so that one setting that jumps does not flatten the others
_RESAMPLED = (
    "Each run learns from a training set of its own, drawn from the training part with replacement (Efron 1979), and "
    "from a start of its own; all are measured on the same held-out examples. Bias² and variance add up to the mean "
    "squared error of the outputs there (Geman et al. 1992), of probabilities the Brier score (1950); noise in the "
    "targets counts as bias."
)
_SPREAD = "Mean and standard deviation over the seeds (with n - 1), of the network at the end of each run."


def comparison_page(about: About, comparison: Comparison, final: Final) -> Iterator[Block]:
    """A table with a row a setting, the curves, and what to make of it."""
    summaries = comparison.summaries
    drawn = " drawn at random" if about.search == "random" else ""
    counts = f"{counted(len(summaries), 'setting')}{drawn}, {counted(about.seeds, 'seed')} each"
    yield Heading(f"{about.data}: {counts}, {about.base.arithmetic} arithmetic", Level.TITLE)
    if not comparison.complete:
        done = sum(len(summary.outcomes) for summary in summaries)
        yield Paragraph(f"Incomplete: interrupted after {done} of {about.seeds * len(summaries)} runs.")
    yield from map(Paragraph, about.remarks)
    yield Break()
    yield _table(_columns(about, comparison), comparison)
    yield Paragraph(_what_is_shown(about, comparison))
    if about.columns:
        yield Paragraph(" ".join(f"{one.called.capitalize()}: {one.kind.says}." for one in about.columns))
    if any(one.kind.over_runs for one in about.columns):
        yield Paragraph(_RESAMPLED)
    if about.layers:
        yield from _layers(comparison)
    for kind in about.drawn:
        yield from picture(kind, about, comparison)
    yield from _each_at_its_best(comparison)
    yield from _differences(about, comparison)
    yield from _best(about, comparison, final)


def _each_at_its_best(comparison: Comparison) -> Iterator[Block]:
    """What every optimizer comes to at the best of its rates, where it was tried with several."""
    best: dict[str, list[int]] = {}
    for place in comparison.ranking:
        labels = comparison.summaries[place].labels
        others = [f"{name} {text}" for name, text in labels.items() if name != "learning-rate"]
        best.setdefault(", ".join(others), []).append(place)
    if "optimizer" not in comparison.summaries[0].labels or max(map(len, best.values()), default=1) < 2:
        return
    said = []
    for name, (place, *_) in best.items():
        summary = comparison.summaries[place]
        result = "".join(_mean_and_deviation(summary.of(comparison.ranked_by), "accuracy" in comparison.ranked_by))
        said.append(f"{name} with {summary.labels['learning-rate']}: {result}")
    yield Paragraph(f"Each at the best of its rates, by the {MEASURES[comparison.ranked_by]}: {'; '.join(said)}.")


def _columns(about: About, comparison: Comparison) -> dict[str, list[Text]]:
    """The cells of the table by heading, those columns left out that would say nothing."""
    summaries = comparison.summaries
    columns: dict[str, list[Text]] = {n: [summary.labels[n] for summary in summaries] for n in summaries[0].labels}
    for measure, heading in MEASURES.items():
        found = [summary.of(measure) for summary in summaries]
        if any(found) and (not about.columns or measure == comparison.ranked_by):
            share = "accuracy" in measure
            columns[_VALUE if about.of_functions else heading] = [_mean_and_deviation(one, share) for one in found]
    for column in about.columns:
        columns[column.called] = [_measured(summary.measured(column), column) for summary in summaries]
    lengths = {outcome.epochs_done for summary in summaries for outcome in summary.outcomes if not outcome.diverged}
    if not about.columns and (len(lengths) > 1 or (about.of_functions and lengths)):
        columns["epochs done"] = [_mean_and_deviation(summary.of("epochs_done")) for summary in summaries]
    if any(summary.diverged for summary in summaries):
        columns["diverged"] = [f"{summary.diverged} of {len(summary.outcomes)}" for summary in summaries]
    if about.times:
        columns["seconds"] = [_mean_and_deviation(summary.of("seconds")) for summary in summaries]
    if not comparison.complete:
        columns["runs"] = [f"{len(summary.outcomes)} of {about.seeds}" for summary in summaries]
    return columns


def _measured(measured: Measured, measure: Measure) -> tuple[str, ...]:
    """Its spread; of a target that not all runs reach, also how many do not; of what is so or not, how often it is."""
    if measure.kind.of_diverged and measured.over_runs is not None:
        return (f"{measured.over_runs.mean * measured.runs:.0f} of {measured.runs}",)
    if measure.kind.over_runs and measured.over_runs is not None:
        return (f"{measured.over_runs.mean:.4g}",)
    if not measured.never:
        return _mean_and_deviation(measured.over_runs, measure.kind.share)
    return (
        ("never",)
        if measured.over_runs is None
        else (*_mean_and_deviation(measured.over_runs), f", {measured.never} never")
    )


def _mean_and_deviation(value: MeanAndDeviation | None, share: bool = False) -> tuple[str, ...]:
    """`0.1234` and ` ± 0.0056`; of a share in per cent."""
    if value is None:
        return ("-",)
    if share:
        if value.deviation is None:
            return (f"{100 * value.mean:.1f}%",)
        return f"{100 * value.mean:.1f}", f" ± {100 * value.deviation:.1f}%"
    if value.deviation is None:
        return (f"{value.mean:.4g}",)
    return f"{value.mean:.4g}", f" ± {value.deviation:{'#.2g' if 0 < value.deviation < 10 else '.3g'}}"


def _table(columns: Mapping[str, Sequence[Text]], comparison: Comparison) -> Table:
    labels = comparison.summaries[0].labels
    rows = []
    for place in range(len(comparison.summaries)):
        cells = {heading: column[place] for heading, column in columns.items()}
        best = place == comparison.best
        called = (letter(place), " best") if best else (letter(place),)
        settings = ", ".join(f"{heading} {cells[heading]}" for heading in labels)
        lines = [Paragraph(Strong(f"{''.join(called)}{': ' if settings else ''}{settings}"))]
        lines += [Paragraph((name, " ", *pieces(cell)), 2) for name, cell in cells.items() if name not in labels]
        told: list[Piece] = [f"Setting {letter(place)}{', the best' if best else ''}: "]
        for heading, cell in cells.items():
            told += [", " if len(told) > 1 else "", f"{heading} ", *pieces(cell)]
        rows.append(Row((called, *cells.values()), (*told, "."), tuple(lines), best))
    kinds = [Kind.NAME if heading in labels else Kind.NUMBER for heading in columns]
    return Table((Column(""), *map(Column, columns, kinds)), tuple(rows), whole=True)


def _layers(comparison: Comparison) -> Iterator[Block]:
    """The layers of each setting at the end, as `tutor train --layers` shows them: the means over the seeds."""
    found = []
    for place, summary in enumerate(comparison.summaries):
        for number, one in enumerate(summary.layers(), 1):
            means = {name: None if value is None else value.mean for name, value in one.items()}
            found.append((letter(place), f"Setting {letter(place)}", number, means))
    if found:
        yield Heading("Layer by layer at the end, over the training part: means over the seeds")
        yield from layers_of_several(found)


def _what_is_shown(about: About, comparison: Comparison) -> str:
    """What the numbers are, and what no column says because it is the same for all."""
    outcomes = [outcome for summary in comparison.summaries for outcome in summary.outcomes]
    lengths = {outcome.epochs_done for outcome in outcomes if not outcome.diverged}
    diverged = sum(outcome.diverged for outcome in outcomes)
    single = "Of the function at its last step." if about.of_functions else "Of the network at the end of each run."
    said = [_SPREAD if about.seeds > 1 else single]
    if len(lengths) == 1:
        said.append(f"Every {'other ' if diverged else ''}run ended after {counted(lengths.pop(), 'epoch')}.")
    said.append("Runs that diverged are in no mean." if diverged else "None diverged.")
    return " ".join(said)


def letter(place: int) -> str:
    """a, b, …, Z, and then numbers."""
    return ascii_letters[place] if place < len(ascii_letters) else str(place + 1)


def picture(kind: str, about: About, comparison: Comparison) -> Iterator[Plot | Regions]:
    """What there is of this kind to be seen; several functions or data have a picture each."""
    if kind == "curves":
        yield from _curves(about, comparison)
    elif kind == "paths":
        yield from map(paths_plot, about.paths, repeat(letters(comparison)))
    else:
        yield from regions("Which part of the plane is taken for what", about.planes)


def letters(comparison: Comparison) -> dict[str, str]:
    """The letter of each setting by what it is called."""
    return {called(summary.setting): letter(place) for place, summary in enumerate(comparison.summaries)}


def _curves(about: About, comparison: Comparison) -> Iterator[Plot]:
    """The mean loss of each epoch, setting by setting; of many settings the best ones."""
    places = [place for place in range(len(comparison.summaries)) if comparison.summaries[place].curve()]
    which = ""
    if len(places) > _MOST_CURVES:
        which = f" of the {_MOST_CURVES} {'best' if comparison.ranking else 'first'} settings"
        places = sorted((comparison.ranking or places)[:_MOST_CURVES])
    curves = {letter(place): comparison.summaries[place].curve() for place in places}
    longest = max(map(len, curves.values()), default=0)
    if longest < 2:
        return
    lowest, top = (extreme(extreme(curve) for curve in curves.values()) for extreme in (min, max))
    if lowest >= 0:
        top = min(top, _CUT_AT * min(curve[0] for curve in curves.values())) or 1
    what = "value" if about.of_functions else "mean training loss"
    cut_off = any(max(curve) > top for curve in curves.values())
    yield Plot(
        f"The {what}{which}, epoch by epoch",
        Axis("epoch", 1, longest, "whole"),
        Axis(what.split()[-1], min(0, lowest), top),
        tuple(_series(name, curves, longest, top) for name in curves),
        tuple(f"{name}: {_told(curve)}" for name, curve in curves.items()),
        (Paragraph(Aside(f"(cut off above {top:.3g})"), 2),) if cut_off else (),
        keyed=True,
    )


def _series(name: str, curves: Mapping[str, Sequence[float]], longest: int, top: float) -> Series:
    """A curve with its letter at some epochs: each curve at others, so that no letter hides another."""
    last = max(1, _LETTERS_ON_A_CURVE * len(curves) - 1)
    number, curve = list(curves).index(name), curves[name]
    epochs = sorted({1 + round((longest - 1) * (k * len(curves) + number) / last) for k in range(_LETTERS_ON_A_CURVE)})
    marked = tuple((e, curve[e - 1]) for e in epochs if e <= len(curve) and curve[e - 1] <= top)
    return Series(tuple(enumerate(curve, 1)), sign=name, marked=marked)


def _told(curve: Sequence[float]) -> str:
    """The loss in the first epoch and after each quarter of them."""
    epochs = sorted({1, *(max(1, round(len(curve) * k / 4)) for k in range(1, 5))})
    return ", ".join(f"{curve[epoch - 1]:.4g} in epoch {epoch}" for epoch in epochs)


def _differences(about: About, comparison: Comparison) -> Iterator[Block]:
    """Every setting beside the best one, seed by seed: what of their distance the seeds alone could have made."""
    differences = [one for one in against_the_best(comparison) if one.seeds > 1]
    if not differences or comparison.best is None:
        return
    measure, best = MEASURES[comparison.ranked_by], letter(comparison.best)
    share = comparison.ranked_by.endswith("accuracy")

    def spelled(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:+.1f}" if share else f"{value:+.3g}"

    rows = []
    for one in differences:
        name, worse = letter(one.setting), one.lower if share else one.higher
        cells = (spelled(one.mean), spelled(one.low), spelled(one.high), f"{worse} of {one.seeds}", f"{one.p:.2g}")
        told = f"Setting {name}: {cells[0]}, between {cells[1]} and {cells[2]}; worse in {cells[3]}, p {cells[4]}."
        rows.append(Row((name, *cells), told))
    points = ", in percentage points" if share else ""
    yield Heading(f"The others beside {best}, seed by seed: difference of the {measure}{points}")
    headings = ("mean", "from", "to", "worse in", "sign test")
    yield Table((Column("", Kind.NAME), *(Column(name, Kind.NUMBER) for name in headings)), tuple(rows), whole=True)
    seeds = max(one.seeds for one in differences)
    least = f", which with {seeds} seeds is never below {2 ** (1 - seeds):.2g}" if seeds < _TELLING else ""
    yield Paragraph(
        "From and to are the 95% interval by Student's t, paired by seed; where it has 0 inside, the seeds do not tell "
        f"the two apart. The sign test says how often a split at least as uneven comes by chance{least}. The best was "
        "chosen by these very seeds, which flatters it a little."
    )


def _best(about: About, comparison: Comparison, final: Final) -> Iterator[Block]:
    if comparison.best is None:
        if not comparison.ranked_by:
            yield Break()
            yield Paragraph(f"None is called best: {about.unranked}.")
        return
    measure = _VALUE if about.of_functions else MEASURES[comparison.ranked_by]
    how = f"most {measure}" if "right" in measure else f"lowest mean {measure}"
    labels = comparison.summaries[comparison.best].labels
    named = ", ".join(f"{name} {text}" for name, text in labels.items())
    yield Heading(f"Best{'' if comparison.complete else ' so far'}, with the {how}: {named or 'the only setting'}")
    if not comparison.has_learned:
        yield Paragraph(
            "Yet no run of any setting loses clearly less on its training part than a constant guess would: what is "
            "compared here has not begun to learn. `tutor train` with one of the settings says what stands in the way."
        )
    if final.command:
        yield Commands(((tuple(final.command), ""),))
    if final.tested is not None:
        share = "" if final.tested.accuracy is None else f", {100 * final.tested.accuracy:.1f}% right"
        yield Paragraph(f"Trained so once more, it has a loss of {final.tested.loss:.6g}{share} on the test part.")


COLUMNS = ("seed", *MEASURES, "epochs_done", "diverged", "ended")
"""Of the CSV, after those of the settings that are varied."""


def rows(about: About, comparison: Comparison, line_end: str = "\r\n") -> str:
    """What `--csv` writes: one row a run."""
    varied = list(comparison.summaries[0].setting)
    numbers = [*COLUMNS[1:], *(["seconds"] if about.times else [])]
    outcomes = [outcome for summary in comparison.summaries for outcome in summary.outcomes]
    measured = dict.fromkeys(measure for outcome in outcomes for measure in outcome.measured)
    inside = [one for one in measured if about.layers and of_a_layer_at_the_end(one)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    headings = [one.text for one in about.columns] + [f"{OF_LAYERS[m.name][0]}_{m.layer}" for m in inside]
    writer.writerow([*varied, COLUMNS[0], *numbers, *headings])
    for summary in comparison.summaries:
        for outcome in summary.outcomes:
            found = [getattr(outcome, name) for name in numbers]
            found += [plain(outcome.measured.get(measure)) for measure in (*about.columns, *inside)]
            writer.writerow(
                [*summary.labels.values(), outcome.seed, *("" if value is None else value for value in found)]
            )
    return text.getvalue()
