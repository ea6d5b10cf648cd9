"""A marked class: a row for each student, how the class did, and how each line did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tutor.errors import counted, whole_list
from tutor.homework.classroom import ClassReport, SlipCount
from tutor.homework.earlier_marks import Change
from tutor.homework.statistics import ItemReport, MistakeCount
from tutor.homework.students import NOTHING, Row
from tutor.views import blocks
from tutor.views.blocks import Block, Column, Heading, Kind, Paragraph, Table

MOST_ROWS = 60


def class_page(rows: Iterable[Row], summary: ClassReport) -> Iterator[Block]:
    """One line a student, of a large class the first ones and where to find the others; then how the class did."""
    yield from _students(list(rows))
    mean = f", mean {summary.mean_percent:.0f}% of the points" if summary.sheets else ""
    yield Heading(f"The class: {counted(summary.sheets, 'sheet')} marked{mean}")
    for change in summary.changes:
        yield Paragraph(f"Note: {change}.")
    if summary.broken:
        yield Paragraph(f"Not marked: {', '.join(summary.broken)}.")
    for student, sheets in summary.several_sheets.items():
        counting = next(row.sheet for row in summary.students if row.student == student)
        yield Paragraph(
            f"{student} is on {len(sheets)} sheets: {', '.join(sheets)}. The better one counts: {counting}."
        )
    if summary.not_handed_in:
        yield Paragraph(f"Nothing from {', '.join(summary.not_handed_in)}.")
    if summary.not_on_roster:
        yield Paragraph(f"Not on the roster, and in no platform's gradebook: {', '.join(summary.not_on_roster)}.")
    if summary.slips:
        yield _slips(summary.slips)
    elif summary.sheets:
        yield Paragraph("No slip in any sheet.")
    if summary.please_look:
        yield Heading("Please look at these sheets")
        yield from (Paragraph(f"{sheet}: {'; '.join(why)}.") for sheet, why in summary.please_look.items())
    if summary.misconceptions:
        yield Heading("The commonest mistakes")
        yield _mistakes(summary.misconceptions)
    if summary.sheets > 1:
        yield Heading("Line by line")
        yield from _items(summary.items)


def _students(rows: Sequence[Row]) -> Iterator[Block]:
    told = [_row(row) for row in rows[:MOST_ROWS]]
    yield Table(
        (Column("student"), Column("points", Kind.NUMBER), Column("root errors and notes")),
        tuple(blocks.Row(row, f"{row[0]}: {row[1]}{f'; {row[2]}' if row[2] else ''}.") for row in told),
    )
    if len(rows) > MOST_ROWS:
        more = len(rows) - MOST_ROWS
        yield Paragraph(f"and {more} more; --gradebook FILE writes a line for each, --json everything.")


def _row(row: Row) -> tuple[str, str, str]:
    """What is said about one student among many: how many points, what went wrong."""
    if not row.sheet:
        return row.student, NOTHING, ""
    called = row.sheet if row.sheet.rpartition(".")[0] == row.student else f"{row.sheet} ({row.student})"
    if row.score is None or row.max_score is None:
        return called, "not marked", "; ".join([*row.several, row.why])
    look = ["please look"] if row.look else []
    told = "; ".join(filter(None, [*row.several, row.roots, *row.notes, *look]))
    return called, f"{row.score:g} of {row.max_score:g}", told


def _slips(slips: Sequence[SlipCount]) -> Table:
    """In how many sheets each slip is, and the lines in which it sits."""
    rows = []
    for slip in slips:
        lines = ", ".join(slip.lines)
        told = f"{slip.id}: in {counted(slip.sheets, 'sheet')}, most often in {lines}."
        rows.append(blocks.Row((slip.id, str(slip.sheets), lines), told))
    return Table((Column("slip"), Column("sheets", Kind.NUMBER), Column("most often in")), tuple(rows))


def _mistakes(mistakes: Sequence[MistakeCount]) -> Table:
    """The mistakes of the sheets' stories, where they were made, and the lines that show them."""
    rows = []
    for mistake in mistakes:
        lines = ", ".join(mistake.lines)
        told = f"{mistake.id} ({mistake.scope}): in {counted(mistake.sheets, 'sheet')}, most often in {lines}."
        rows.append(blocks.Row((mistake.id, mistake.scope, str(mistake.sheets), lines), told))
    columns = (Column("mistake"), Column("made"), Column("sheets", Kind.NUMBER), Column("shows in"))
    return Table(columns, tuple(rows))


def _items(items: Sequence[ItemReport]) -> Iterator[Block]:
    """How each line did. Those that everybody has right are only named."""
    easy = [item.name for item in items if item.right == 1]
    if easy:
        yield Paragraph(f"Right on every sheet: {whole_list(easy)}.")
    if len(easy) < len(items):
        yield _item_table([item for item in items if item.right < 1])


def _item_table(items: Sequence[ItemReport]) -> Table:
    columns = [Column("line", Kind.NAME), *(Column(name, Kind.NUMBER) for name in ("right", "carried", "wrong"))]
    columns += [Column("discrimination", Kind.NUMBER), Column("mistakes")]
    rows = []
    for item in items:
        shares = [f"{100 * share:.0f}%" for share in (item.right, item.carried, item.wrong)]
        known = "-" if item.discrimination is None else f"{item.discrimination:.2f}"
        mistakes = _counts(item.mistakes)
        told = f"{item.name}: right {shares[0]}, carried {shares[1]}, wrong {shares[2]}, discrimination {known}"
        rows.append(blocks.Row((item.name, *shares, known, mistakes), f"{told}{f'; {mistakes}' if mistakes else ''}."))
    return Table(tuple(columns), tuple(rows))


def _counts(mistakes: Mapping[str, int]) -> str:
    return ", ".join(f"{slip} ({count})" for slip, count in mistakes.items())


def changes_page(changes: Sequence[Change], since: str) -> Iterator[Block]:
    """Whose marks have changed."""
    yield Heading(f"Compared with {since}")
    if not changes:
        yield Paragraph("No mark has changed.")
        return
    rows = []
    for change in changes:
        before, after = _mark(change.before, change.before_of), _mark(change.after, change.after_of)
        told = (
            f"{change.student} ({change.sheet}): {before} before, {after} now{f', {change.why}' if change.why else ''}."
        )
        rows.append(blocks.Row((change.student, change.sheet, before, after), told))
    columns = (Column("student"), Column("sheet"), Column("before", Kind.NUMBER), Column("now", Kind.NUMBER))
    yield Table(columns, tuple(rows))


def _mark(score: float | None, most: float | None) -> str:
    return "not marked" if score is None or most is None else f"{score:g} of {most:g}"
