"""What `tutor trace` shows: every array of a step with its verdict, the mistakes, and one entry opened."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.trace.report import MistakeReport, TraceReport
from tutor.trace.report_text import agreement, cells, explained, follows, headline, verdict
from tutor.trace.verdicts import WRONG
from tutor.trace.why import EntryReport
from tutor.views.blocks import Block, Code, Column, Heading, Kind, Level, Paragraph, Row, Strong, Table, Verdict

_COLOURS = {"right": "correct", "carried": "carried", "wrong": "wrong", "missing": "missing"}


def trace_page(report: TraceReport) -> Iterator[Block]:
    yield Heading("One step of your program", Level.TITLE)
    yield Paragraph(f"Found: {report.said}.")
    yield from (Paragraph(f"Note: {remark}.") for remark in report.remarks)
    yield _arrays(report)
    yield Paragraph(Strong(verdict(report)))
    for number, mistake in enumerate(report.mistakes, 1):
        yield from _mistake(number, mistake)
    if rest := follows(report):
        yield Paragraph(rest)


def _arrays(report: TraceReport) -> Table:
    rows = []
    for array in report.arrays:
        name, shape, found, agrees = cells(array)
        told = f"{name}, {shape.replace('×', ' by ')}: {found}, {agreement(array)}." if shape else f"{name}: {found}."
        texts = (Strong(name), shape, Verdict(_COLOURS[found], found), agrees)
        rows.append(Row(texts, told))
    columns = (Column("array", Kind.NAME), Column("shape"), Column("verdict"), Column("agrees"))
    return Table(columns, tuple(rows), apart=True)


def _mistake(number: int, mistake: MistakeReport) -> Iterator[Block]:
    yield Heading(f"{number}. {headline(mistake)}", Level.SECTION)
    yield from (Paragraph(line, 3) for line in explained(mistake))
    if mistake.picture:
        yield Paragraph("Where it differs (#), as your array lies:", 3, seen=True)
        yield from (Paragraph(Code(row), 5, seen=True) for row in mistake.picture)


def entry_page(entry: EntryReport) -> Iterator[Block]:
    """The sum behind one entry."""
    yield Heading(entry.name, Level.TITLE)
    yield Paragraph(entry.equation)
    rows = [
        Row((t.text, t.numbers, f"{t.value:.9g}"), f"{t.text}: {t.numbers}, which is {t.value:.9g}.")
        for t in entry.terms
    ]
    columns = (Column("term"), Column("in numbers"), Column("value", Kind.NUMBER))
    yield Table(columns, tuple(rows), apart=True)
    if entry.left_out:
        yield Paragraph(f"and {entry.left_out} more terms.")
    yield Paragraph((Strong(f"{entry.name} = {entry.total:.9g}"), " from your own arrays."))
    if entry.yours is not None:
        said = f"You have {entry.yours:.9g}: {entry.verdict}."
        yield Paragraph(Verdict(WRONG, said) if entry.verdict == WRONG else said)
    if entry.worksheet:
        yield Paragraph(
            ("On the worksheet that ", Code("--lesson FILE"), " writes this line is ", Code(entry.worksheet), ".")
        )
