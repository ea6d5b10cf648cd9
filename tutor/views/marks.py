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
from tutor.views.feedback import (
    Telling,
    mistakes_left,
    remarks_on_lines,
    shorter,
    shown_mistakes,
    what_to_look_at,
)

NO_COUNT, FROM_EARLIER = "does not count", "from earlier"
MEANINGS = {
    "correct": "agrees with the key",
    "carried": "follows correctly from your own lines above it",
    "rounding": "off by a unit or so in the last digit, from rounding on the way",
    "coarse": "too few digits to tell, or it follows from such a line, or it is further off than the other lines allow",
    FROM_EARLIER: "follows from what stood above it before: to be worked again",
    "wrong": "your own lines above it do not lead here: look at this one first",
    "missing": "left blank",
    "unreadable": "neither a number nor a formula over the lines above",
}
MOST_SHEETS = 60


def sheet_page(sheet: SheetReport, telling: Telling) -> Iterator[Block]:
    """One sheet: every cell with its verdict, the feedback, the score."""
    yield Heading(f"{called(sheet)}: {score(sheet)} points")
    answered = [cell for cell in sheet.cells if cell.verdict != "missing"]
    missing = [cell.name for cell in sheet.cells if cell.verdict == "missing"]
    if answered:
        yield _table(answered, telling.reveal)
    if missing:
        yield Paragraph(f"Left blank: {whole_list(missing)}.")
    for remark in (*sheet.remarks, *sheet.changes, *sheet.notes):
        yield Paragraph(f"Note: {remark}.")
    for reason in sheet.please_look:
        yield Paragraph(f"Please look at this sheet: {reason}.")
    yield from feedback(sheet, telling)
    verdicts = {_verdict(cell) for cell in answered} - {"correct"}
    yield from (Paragraph(Aside(f"{word}: {meaning}"), 2) for word, meaning in MEANINGS.items() if word in verdicts)


def _verdict(cell: CellReport) -> str:
    return NO_COUNT if cell.dropped else FROM_EARLIER if cell.earlier else cell.verdict


def _table(cells: Sequence[CellReport], reveal: bool) -> Table:
    columns = [Column("name", Kind.NAME), Column("answer", Kind.ANSWER), Column("verdict")]
    columns += [Column("key", Kind.NUMBER), Column("from your lines", Kind.NUMBER)] if reveal else []
    rows = []
    for cell in cells:
        verdict = (NO_COUNT if cell.dropped else Verdict(cell.verdict, _verdict(cell)), _why(cell))
        texts: list[Text] = [Strong(cell.name), cell.bare, verdict]
        texts += [shorter(cell.key), shorter(cell.from_own)] if reveal else []
        rows.append(Row(tuple(texts), f"{cell.name} = {cell.bare}: {_verdict(cell)}{_why(cell)}."))
    return Table(tuple(columns), tuple(rows))


def _why(cell: CellReport) -> str:
    """Why the answer cannot be read, after its verdict."""
    return f": {cell.reason}" if cell.reason else ""


def feedback(sheet: SheetReport, telling: Telling) -> Iterator[Paragraph]:
    """The first mistake and what to look at, or all of them; values only with `reveal`."""
    if sheet.done:
        yield _every_line(sheet)
    elif any(cell.verdict == "missing" for cell in sheet.cells):
        yield Paragraph("With --ask STAGE only that stage has to be there.")
    for number, told in enumerate(shown_mistakes(sheet, telling.all_errors), 1):
        cell = told.cell
        own = f" Your lines above lead to {shorter(cell.from_own)}." if telling.reveal and cell.from_own else ""
        count = f"{number}. " if telling.all_errors else "First: "
        yield Paragraph(f"{count}{cell.name} = {cell.bare}: what stands above does not lead here.{own}")
        yield from (Paragraph(text, 3) for text in what_to_look_at(told, telling.hint, telling.reveal))
    if left := mistakes_left(sheet, telling.all_errors):
        yield Paragraph(left)
    yield from map(Paragraph, remarks_on_lines(sheet))


def _every_line(sheet: SheetReport) -> Paragraph:
    asked = " that was asked" if sheet.root_errors else ""
    return Paragraph(f"Every line{asked} earns credit.")


def feedback_page(sheet: Report, telling: Telling) -> Iterator[Block]:
    """What a student is given: what to look at, without the right values; or why the file could not be marked."""
    if isinstance(sheet, NotMarked):
        yield Heading(f"{student_of(sheet)}: not marked", Level.TITLE)
        yield Paragraph(sheet.shown)
        return
    yield Heading(f"{student_of(sheet)}: {score(sheet)} points", Level.TITLE)
    yield from (Paragraph(f"Note: {remark}.") for remark in (*sheet.remarks, *sheet.unread, *sheet.changes))
    if sheet.done:
        yield _every_line(sheet)
    for told in shown_mistakes(sheet, telling.all_errors):
        yield Heading((Code(told.cell.name), " = ", Code(told.cell.bare)))
        yield Paragraph("The lines above it do not lead here. What to look at:")
        yield from (Paragraph(text, 2) for text in what_to_look_at(told, telling.hint))
    if left := mistakes_left(sheet, telling.all_errors):
        yield Paragraph(left)
    yield from map(Paragraph, remarks_on_lines(sheet))
    rows = []
    for cell in sheet.cells:
        verdict = f"{_verdict(cell)}{_why(cell)}"
        rows.append(Row((Code(cell.name), Code(cell.bare), verdict), f"{cell.name} = {cell.bare}: {verdict}."))
    yield Table((Column("name", Kind.NAME), Column("answer", Kind.ANSWER), Column("verdict")), tuple(rows))


def called(sheet: Report) -> str:
    student = isinstance(sheet, SheetReport) and sheet.student
    return f"{sheet.sheet} ({student})" if student else sheet.sheet


def score(sheet: SheetReport) -> str:
    return f"{sheet.score:g} of {sheet.max_score:g}"
