"""Marked sheets: what is right, which line went wrong first, and what to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tutor.errors import whole_list
from tutor.homework.students import student_of
from tutor.marking.report import CellReport, NotMarked, Report, SheetReport
from tutor.views.blocks import (
    Aside,
    Block,
    Code,
    Column,
    Heading,
    Kind,
    Level,
    Paragraph,
    Row,
    Strong,
    Table,
    Text,
    Verdict,
)

MEANINGS = {
    "correct": "agrees with the key",
    "carried": "follows correctly from your own lines above it",
    "rounding": "off by a unit or so in the last digit, from rounding on the way",
    "coarse": "agrees as far as it goes, but has too few digits to tell",
    "wrong": "your own lines above it do not lead here: look at this one first",
    "missing": "left blank",
    "unreadable": "neither a number nor a formula over the lines above",
}
MOST_HINTS = 3
MOST_SHEETS = 60
FORMULAS = {
    "right": "The formula is right.",
    "wrong": "The formula is not the one asked for.",
    "undecided": "Whether the formula is right could not be decided in time.",
}


def sheet_page(sheet: SheetReport, reveal: bool = False) -> Iterator[Block]:
    """One sheet: every cell with its verdict, the feedback, the score."""
    yield Heading(f"{called(sheet)}: {score(sheet)} points")
    answered = [cell for cell in sheet.cells if cell.verdict != "missing"]
    missing = [cell.name for cell in sheet.cells if cell.verdict == "missing"]
    if answered:
        yield _table(answered, reveal)
    if missing:
        yield Paragraph(f"Left blank: {whole_list(missing)}.")
    for remark in (*sheet.remarks, *sheet.changes, *sheet.notes):
        yield Paragraph(f"Note: {remark}.")
    for reason in sheet.please_look:
        yield Paragraph(f"Please look at this sheet: {reason}.")
    yield from feedback(sheet, reveal)
    verdicts = {cell.verdict for cell in answered if not cell.dropped} - {"correct"}
    yield from (Paragraph(Aside(f"{word}: {meaning}"), 2) for word, meaning in MEANINGS.items() if word in verdicts)


NO_COUNT = "does not count"


def _verdict(cell: CellReport) -> str:
    return NO_COUNT if cell.dropped else cell.verdict


def _table(cells: Sequence[CellReport], reveal: bool) -> Table:
    columns = [Column("name", Kind.NAME), Column("answer", Kind.ANSWER), Column("verdict")]
    columns += [Column("key", Kind.NUMBER), Column("from your lines", Kind.NUMBER)] if reveal else []
    rows = []
    for cell in cells:
        verdict = NO_COUNT if cell.dropped else Verdict(cell.verdict)
        texts: list[Text] = [Strong(cell.name), cell.answer, verdict]
        texts += [shorter(cell.key), shorter(cell.from_own)] if reveal else []
        rows.append(Row(tuple(texts), f"{cell.name} = {cell.answer}: {_verdict(cell)}."))
    return Table(tuple(columns), tuple(rows))


def feedback(sheet: SheetReport, reveal: bool) -> Iterator[Paragraph]:
    """For every root error what to look at, values only with `reveal`."""
    if sheet.done:
        yield _every_line(sheet)
    elif any(cell.verdict == "missing" for cell in sheet.cells):
        yield Paragraph("With --ask STAGE only that stage has to be there.")
    for number, (cell, others) in enumerate(mistakes(sheet), 1):
        own = f" Your lines above lead to {shorter(cell.from_own)}." if reveal and cell.from_own else ""
        yield Paragraph(f"{number}. {cell.name} = {cell.answer}: what stands above does not lead here.{own}")
        for slip in cell.slips[:MOST_HINTS]:
            gives = f" gives {shorter(slip.value)}" if reveal and slip.value else ""
            yield Paragraph(f"{slip.message} ({slip.id}{gives})", 5)
        if others:
            yield Paragraph(f"{_SAME} {', '.join(others)}.", 5)
    for cell in sheet.cells:
        if cell.formula:
            yield Paragraph(f"{cell.name}: {FORMULAS[cell.formula]}")
        if cell.degenerate:
            yield Paragraph(
                f"{cell.name}: what stands above it is 0 or as it was, so there is nothing left to show here."
            )
        if cell.reason:
            yield Paragraph(f"{cell.name} = {cell.answer} cannot be read: {cell.reason}.")
    for update, told in ((False, ""), (True, " (it is the change that counts)")):
        coarse = [
            c.name for c in sheet.cells if c.verdict == "coarse" and not c.dropped and (c.stage == "update") == update
        ]
        if coarse:
            yield Paragraph(f"More digits, please{told}: {', '.join(coarse)}.")


_SAME = "The same mistake shows in these lines, which have to be worked again once it is mended:"


def mistakes(sheet: SheetReport) -> Iterator[tuple[CellReport, list[str]]]:
    """The first line of every mistake, and the others that the same mistake explains."""
    told: set[str] = set()
    for cell in (c for c in sheet.cells if c.verdict == "wrong" and not c.dropped):
        if cell.name in told:
            continue
        groups = (m.cells for m in sheet.misconceptions if cell.name in m.cells and not m.explains_the_same)
        others = [name for name in next(groups, []) if name != cell.name]
        told.update(others)
        yield cell, others


def _every_line(sheet: SheetReport) -> Paragraph:
    asked = " that was asked" if sheet.root_errors else ""
    return Paragraph(f"Every line{asked} earns credit.")


def feedback_page(sheet: Report) -> Iterator[Block]:
    """What a student is given: what to look at, without the right values; or why the file could not be marked."""
    if isinstance(sheet, NotMarked):
        yield Heading(f"{student_of(sheet)}: not marked", Level.TITLE)
        yield Paragraph(sheet.shown)
        return
    yield Heading(f"{student_of(sheet)}: {score(sheet)} points", Level.TITLE)
    yield from (Paragraph(f"Note: {remark}.") for remark in (*sheet.remarks, *sheet.changes))
    if sheet.done:
        yield _every_line(sheet)
    for cell, others in mistakes(sheet):
        yield Heading((Code(cell.name), " = ", Code(cell.answer)))
        yield Paragraph("The lines above it do not lead here. What to look at:")
        yield from (Paragraph(f"{slip.message} ({slip.id})", 2) for slip in cell.slips[:MOST_HINTS])
        if others:
            yield Paragraph(f"{_SAME} {', '.join(others)}.", 2)
    rows = []
    for cell in sheet.cells:
        told = f"{cell.name} = {cell.answer}: {_verdict(cell)}."
        rows.append(Row((Code(cell.name), Code(cell.answer), _verdict(cell)), told))
    yield Table((Column("name", Kind.NAME), Column("answer", Kind.ANSWER), Column("verdict")), tuple(rows))


def shorter(text: str | None) -> str:
    """A value to be read by a person: nine significant digits, so that a small change of a weight shows."""
    return "-" if text is None else f"{float(text):.9g}"


def called(sheet: Report) -> str:
    student = isinstance(sheet, SheetReport) and sheet.student
    return f"{sheet.sheet} ({student})" if student else sheet.sheet


def score(sheet: SheetReport) -> str:
    return f"{sheet.score:g} of {sheet.max_score:g}"
