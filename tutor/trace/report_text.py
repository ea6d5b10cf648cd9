"""A report in plain text, as `print` shows it; the command line has the same words in its own layout."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.errors import listed
from tutor.trace.report import ArrayReport, MistakeReport, TraceReport
from tutor.trace.verdicts import CARRIED, MISSING, RIGHT, WRONG


def as_text(report: TraceReport) -> str:
    return "\n".join(_lines(report))


def _lines(report: TraceReport) -> Iterator[str]:
    yield f"Found: {report.said}."
    yield from (f"Note: {remark}." for remark in report.remarks)
    yield ""
    rows = [("array", "shape", "verdict", ""), *(cells(a) for a in report.arrays)]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
    yield ""
    yield verdict(report)
    for number, mistake in enumerate(report.mistakes, 1):
        yield ""
        yield f"{number}. {headline(mistake)}"
        yield from (f"   {line}" for line in explained(mistake))
        yield from (f"   {line}" for line in mistake.picture)
    if report.mistakes and (rest := follows(report)):
        yield ""
        yield rest


def cells(array: ArrayReport) -> tuple[str, str, str, str]:
    """Name, shape, verdict, and how far it agrees."""
    name = f"step {array.step}: {array.name}" if array.step else array.name
    shape = "×".join(map(str, array.shape)) or ("" if array.verdict == MISSING else "number")
    return name, shape, array.verdict, agreement(array)


def agreement(array: ArrayReport) -> str:
    if array.verdict == MISSING:
        return "not recorded"
    if array.digits is None:
        return "another shape"
    if array.verdict in (RIGHT, CARRIED):
        return f"to {array.digits} digits"
    if array.error is None or array.error != array.error or array.error == float("inf"):
        return f"not finite at {array.where}"
    at = f" at {array.where}" if array.where != array.name else ""
    return f"off by {_share(array.error)}{at}"


def _share(error: float) -> str:
    """An error as a share of the largest number of its array."""
    if error >= 10:
        return f"{error:,.0f} times"
    return f"{100 * error:.0f}%" if error >= 0.1 else f"{100 * error:.2g}%"


def verdict(report: TraceReport) -> str:
    """The whole in one sentence."""
    wrong = [a for a in report.arrays if a.verdict == WRONG]
    if not wrong:
        checked = [a for a in report.arrays if a.verdict == RIGHT]
        digits = min((a.digits for a in checked if a.digits is not None), default=0)
        return f"Every array that can be checked is right, to {digits} digits at least."
    first = wrong[0]
    step = f" of step {first.step}" if first.step else ""
    return f"The first array that is wrong is {first.name}{step}."


def headline(mistake: MistakeReport) -> str:
    step = f"Step {mistake.step}, " if mistake.step else ""
    return f"{step}{listed(mistake.arrays)}: {mistake.message} ({mistake.id})"


def explained(mistake: MistakeReport) -> Iterator[str]:
    """The equations side by side, the mark in the numbers, and what to look for."""
    yield f"right: {mistake.right}"
    if mistake.written:
        yield f"yours: {mistake.written}"
    if mistake.mark:
        yield f"in the numbers: {mistake.mark}"
    if mistake.also:
        yield f"the same numbers come from: {', '.join(mistake.also)}"
    if mistake.numpy:
        yield f"look for, in NumPy: {mistake.numpy}"
        yield f"look for, in PyTorch: {mistake.pytorch}"


def follows(report: TraceReport) -> str:
    """What is right but for the mistakes above it."""
    carried = [a.name for a in report.arrays if a.verdict == CARRIED]
    if not carried:
        return ""
    verb = "follows" if len(carried) == 1 else "follow"
    return f"{listed(carried)} {verb} from what stands above; worked rightly from your own arrays."
