"""Marked sheets on a terminal: what is right, which line went wrong first, and what to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tutor.errors import counted, whole_list
from tutor.homework.classroom import ClassReport
from tutor.marking.report import CellReport, NotMarked, Report, SheetReport
from tutor.views.screen import Screen

MEANINGS = {
    "correct": "agrees with the key",
    "carried": "follows correctly from your own lines above it",
    "rounding": "off by a unit or so in the last digit, from rounding on the way",
    "coarse": "agrees as far as it goes, but has too few digits to tell",
    "wrong": "your own lines above it do not lead here: look at this one first",
    "missing": "left blank",
    "unreadable": "neither a number nor a formula over the lines above",
}
STYLES = {"correct": "green", "wrong": "bold red", "unreadable": "red"}
MOST_HINTS = 3
MOST_SHEETS = 60
FORMULAS = {
    "right": "The formula is right.",
    "wrong": "The formula is not the one asked for.",
    "undecided": "Whether the formula is right could not be decided in time.",
}


def show_sheet(sheet: SheetReport, screen: Screen, reveal: bool = False) -> None:
    """One sheet: every cell with its verdict, the feedback, the score."""
    screen.heading(f"{called(sheet)}: {score(sheet)} points")
    answered = [cell for cell in sheet.cells if cell.verdict != "missing"]
    missing = [cell.name for cell in sheet.cells if cell.verdict == "missing"]
    if screen.narrate or screen.stacked:
        for cell in answered:
            screen.show(f"{cell.name} = {cell.answer}: {cell.verdict}.")
    elif answered:
        _table(answered, screen, reveal)
    if missing:
        screen.show(f"Left blank: {whole_list(missing)}.")
    for remark in (*sheet.remarks, *sheet.notes):
        screen.show(f"Note: {remark}.")
    for line, indent in feedback(sheet, reveal):
        screen.indented(line, by=indent)
    found = {cell.verdict for cell in answered} - {"correct"}
    for verdict, meaning in MEANINGS.items():
        if verdict in found:
            screen.indented(f"{verdict}: {meaning}", style="dim")


def _table(cells: Sequence[CellReport], screen: Screen, reveal: bool) -> None:
    headings = ["name", "answer", "verdict", *(["key", "from your lines"] if reveal else [])]
    table = screen.table(*headings, right=["answer", "key", "from your lines"])
    for cell in cells:
        row = [screen.text(cell.name, "bold"), screen.text(cell.answer)]
        row.append(screen.text(cell.verdict, STYLES.get(cell.verdict, "yellow")))
        if reveal:
            row += [screen.text(shorter(cell.key)), screen.text(shorter(cell.from_own))]
        table.add_row(*row)
    screen.show(table)


def feedback(sheet: SheetReport, reveal: bool) -> Iterator[tuple[str, int]]:
    """For every root error what to look at, each line with its indent; values only with `reveal`."""
    if sheet.done:
        asked = " that was asked" if sheet.root_errors else ""
        yield f"Every line{asked} earns credit.", 0
    elif any(cell.verdict == "missing" for cell in sheet.cells):
        yield "With --ask STAGE only that stage has to be there.", 0
    for number, cell in enumerate((c for c in sheet.cells if c.verdict == "wrong"), 1):
        own = f" Your lines above lead to {shorter(cell.from_own)}." if reveal and cell.from_own else ""
        yield f"{number}. {cell.name} = {cell.answer}: what stands above does not lead here.{own}", 0
        for slip in cell.slips[:MOST_HINTS]:
            gives = f" gives {shorter(slip.value)}" if reveal and slip.value else ""
            yield f"{slip.message} ({slip.id}{gives})", 5
    for group in sheet.misconceptions:
        if len(group.cells) > 1:
            yield f"The same slip, {group.id}, is in {', '.join(group.cells)}.", 0
    for cell in sheet.cells:
        if cell.formula:
            yield f"{cell.name}: {FORMULAS[cell.formula]}", 0
        if cell.reason:
            yield f"{cell.name} = {cell.answer} cannot be read: {cell.reason}.", 0
    for update, told in ((False, ""), (True, " (it is the change that counts)")):
        coarse = [c.name for c in sheet.cells if c.verdict == "coarse" and (c.stage == "update") == update]
        if coarse:
            yield f"More digits, please{told}: {', '.join(coarse)}.", 0


def shorter(text: str | None) -> str:
    """A value to be read by a person: nine significant digits, so that a small change of a weight shows."""
    return "-" if text is None else f"{float(text):.9g}"


def called(sheet: Report) -> str:
    student = isinstance(sheet, SheetReport) and sheet.student
    return f"{sheet.sheet} ({student})" if student else sheet.sheet


def score(sheet: SheetReport) -> str:
    return f"{sheet.score:g} of {sheet.max_score:g}"


def class_row(sheet: Report) -> tuple[str, str, str]:
    """What is said about one sheet among many: whose, how many points, what went wrong."""
    if isinstance(sheet, NotMarked):
        return called(sheet), "not marked", sheet.error
    roots = ", ".join(sheet.root_errors)
    return (
        called(sheet),
        score(sheet),
        "; ".join(filter(None, [roots, *sheet.remarks, *sheet.notes])),
    )


def show_class(rows: Sequence[tuple[str, str, str]], total: int, screen: Screen) -> None:
    """One line a sheet; of a large class the first ones, and where to find the others."""
    if screen.narrate or screen.stacked:
        for name, earned, roots in rows:
            screen.show(f"{name}: {earned}{f'; {roots}' if roots else ''}.")
    else:
        table = screen.table("sheet", "points", "root errors and notes", right=["points"])
        for row in rows:
            table.add_row(*map(screen.text, row))
        screen.show(table)
    if total > len(rows):
        screen.show(f"and {total - len(rows)} more; --gradebook FILE writes a line for each, --json everything.")


def show_summary(summary: ClassReport, screen: Screen) -> None:
    """How the class did: the mean, the slips, and the lines in which they sit."""
    mean = f", mean {summary.mean_percent:.0f}% of the points" if summary.sheets else ""
    screen.heading(f"The class: {counted(summary.sheets, 'sheet')} marked{mean}")
    if summary.broken:
        screen.show(f"Not marked: {', '.join(summary.broken)}.")
    for student, sheets in summary.several_sheets.items():
        screen.show(screen.text(f"{student} is on {len(sheets)} sheets: {', '.join(sheets)}."))
    if summary.not_handed_in:
        screen.show(screen.text(f"Nothing from {', '.join(summary.not_handed_in)}."))
    if not summary.slips:
        if summary.sheets:
            screen.show("No slip in any sheet.")
    elif screen.narrate or screen.stacked:
        for slip in summary.slips:
            lines = ", ".join(slip.lines)
            screen.show(f"{slip.id}: in {counted(slip.sheets, 'sheet')}, most often in {lines}.")
    else:
        table = screen.table("slip", "sheets", "most often in", right=["sheets"])
        for slip in summary.slips:
            cells = (slip.id, str(slip.sheets), ", ".join(slip.lines))
            table.add_row(*map(screen.text, cells))
        screen.show(table)
