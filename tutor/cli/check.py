"""`tutor check`: one answer sheet, or a class of thousands."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tutor.cli import abandon_output, tell
from tutor.cli.app import Force, command
from tutor.cli.lessons import Json
from tutor.cli.onward import as_typed, free_name, lead_on
from tutor.cli.sheet import Ask, Decimals, Points, Significant, homework_of
from tutor.cli.worksheet import LessonName
from tutor.errors import NothingThere, TutorError, counted
from tutor.faults import Fault
from tutor.printers import Printer
from tutor.read_files import is_folder

if TYPE_CHECKING:
    from tutor.homework.earlier import Change, Earlier
    from tutor.homework.journal import Journal
    from tutor.homework.marker import Order
    from tutor.homework.outputs import Wanted
    from tutor.homework.ownership import Owners
    from tutor.homework.roster import Roster as Students
    from tutor.homework.students import Row
    from tutor.marking.report import Report, SheetReport


Sheets = Annotated[list[Path], typer.Argument(metavar="SHEET…", help="Answer sheets, folders of them, or - for stdin.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show the right values too.")]
Penalty = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of its points lost by a line that follows from an error.")
]
Charge = Annotated[
    Literal["once", "each"] | None, typer.Option(help="Charge the same slip in several lines once, or each time.")
]
Platform = Annotated[Literal["plain", "canvas", "moodle"], typer.Option(help="The columns of the gradebook.")]
Secret = Annotated[str | None, typer.Option(help="The secret of `tutor vary --roster`: each sheet must be its own.")]
Roster = Annotated[Path | None, typer.Option(help="A CSV of students with a column id.")]
Scale = Annotated[
    float | None,
    typer.Option(min=0.01, max=1_000_000, help="Write shares of so many points."),
]
Compare = Annotated[Path | None, typer.Option(help="What --json printed earlier: say whose marks have changed since.")]
Jobs = Annotated[int | None, typer.Option(min=1, max=64, help="Processes for a large class.")]
POLL_SECONDS = 0.3


@command()
def check(
    lesson: LessonName,
    paths: Sheets,
    printer: Printer,
    reveal: Reveal = False,
    ask: Ask = None,
    decimals: Decimals = None,
    significant: Significant = None,
    points: Points = None,
    carried_penalty: Penalty = None,
    charge: Charge = None,
    gradebook: Annotated[Path | None, typer.Option(help="Write a CSV with one row a student.")] = None,
    platform: Platform = "plain",
    gradescope: Annotated[Path | None, typer.Option(help="Write Gradescope's results.json; a folder for many.")] = None,
    prairielearn: Annotated[Path | None, typer.Option(help="The same for PrairieLearn.")] = None,
    feedback: Annotated[Path | None, typer.Option(help="Write a Markdown file for each student into a folder.")] = None,
    secret: Secret = None,
    roster: Roster = None,
    scale: Scale = None,
    compare: Compare = None,
    force: Force = False,
    jobs: Jobs = None,
    watch: Annotated[bool, typer.Option("--watch", help="Mark the sheet again whenever it is saved.")] = False,
    json_output: Json = False,
) -> None:
    """Mark answer sheets: which line went wrong first, which slip it was, and credit for what follows from it.

    Sheets are CSV (columns name and answer), TOML, JSON, or the filled Markdown sheet of `tutor sheet`. An answer is
    a number or a formula. Ends with 0 where every asked line earns credit, 1 where one does not.
    """
    from tutor.homework.earlier import Earlier
    from tutor.homework.marker import ENDINGS, Order, passed_over, sheets_in
    from tutor.homework.outputs import Wanted
    from tutor.homework.roster import read_roster
    from tutor.lessons.find import lesson_file, lesson_text, slug
    from tutor.lessons.read import parse_lesson

    text = lesson_text(lesson)
    found = parse_lesson(text, lesson)
    penalty = None if carried_penalty is None else str(carried_penalty)
    wanted = homework_of(found, ask, decimals, significant, points, carried_penalty=penalty, charge=charge)
    files = sheets_in(paths)
    students = read_roster(roster) if roster else None
    order = Order(text, lesson, wanted, _owners(files, secret, students), students)
    earlier = Earlier(compare) if compare else None
    if not files:
        raise NothingThere("there is no sheet to mark")
    if watch:
        _watch(order, files[0], printer, reveal)
        return
    for folder, count in passed_over(paths):
        tell(f"tutor: {counted(count, 'entry')} of {str(folder)!r} passed over: no {', '.join(ENDINGS)}")
    single = len(files) == 1 and not is_folder(paths[0])
    outputs = Wanted(found.title, single, gradebook, platform, gradescope, prairielearn, feedback, scale or 0)
    outputs.claim(files, [lesson_file(lesson), *(path for path in (roster, compare) if path)], force)
    if single:
        done = _mark_one(order, files[0], slug(lesson), printer, outputs, reveal, json_output, earlier)
    else:
        done = _mark_class(order, files, slug(lesson), printer, outputs, jobs, json_output, earlier)
    if not done:
        raise typer.Exit(1)


def _owners(files: list[Path], secret: str | None, students: Students | None) -> Owners | None:
    """Who has which problem, where the teacher gives the secret."""
    if secret is None:
        return None
    from tutor.homework.ownership import Owners, codes_of

    return Owners(secret, students, codes_of(files, secret, students))


def _mark_one(
    order: Order,
    path: Path,
    lesson: str,
    printer: Printer,
    outputs: Wanted,
    reveal: bool,
    json_output: bool,
    earlier: Earlier | None,
) -> bool:
    """One sheet in full."""
    from tutor.homework.classroom import Checked, Summary
    from tutor.homework.marker import Desk
    from tutor.homework.outputs import Outputs
    from tutor.marking.report import NotMarked
    from tutor.results import as_json
    from tutor.views.class_marks import changes_page
    from tutor.views.marks import sheet_page

    sheet = Desk(order).mark_or_complain(path)
    summary = Summary(order.roster)
    summary.add(sheet)
    files = Outputs(outputs, _feedback)  # a learning platform is told of a sheet that is not marked, too
    files.add(sheet)
    files.finish(summary.students)
    _warn(outputs, summary.students)
    changed = list(earlier.changes(sheet)) if earlier else None
    if isinstance(sheet, NotMarked):
        if json_output:
            print(as_json(Checked(lesson=lesson, sheets=[sheet], changed=changed)))
        raise Fault(f"{path.name}: {sheet.fault}") if sheet.fault else TutorError(f"{path}: {sheet.why}")
    if json_output:
        print(as_json(Checked(lesson=lesson, sheets=[sheet], changed=changed)))
    else:
        printer.show(sheet_page(sheet, reveal))
        if earlier and changed is not None:
            printer.show(changes_page(changed, str(earlier.path)))
        _lead_on_from(sheet, path, order, printer)
    return sheet.done


def _lead_on_from(sheet: SheetReport, path: Path, order: Order, printer: Printer) -> None:
    """What to do with a marked sheet. The word of a secret is not repeated."""
    again = None if order.owners or "-" in (order.where, str(path)) else as_typed()
    lesson = None if order.owners else order.where
    if sheet.done:
        lead_on(printer, "check right", lesson=lesson, fresh=free_name("new", ".toml"))
    else:
        lead_on(printer, "check wrong", lesson=lesson, again=again, name=next(iter(sheet.root_errors), None))


def _mark_class(
    order: Order,
    paths: list[Path],
    lesson: str,
    printer: Printer,
    outputs: Wanted,
    jobs: int | None,
    json_output: bool,
    earlier: Earlier | None,
) -> bool:
    """Every sheet in a line, and how the class did; as JSON everything, sheet by sheet as they are marked."""
    from tutor.homework.classroom import Checked, Summary, mark_all
    from tutor.homework.outputs import Outputs
    from tutor.printers.progress import progress
    from tutor.results import as_json
    from tutor.views.class_marks import changes_page, class_page

    summary = Summary(order.roster)
    changed: list[Change] = []
    between = ""
    if json_output:
        _print(as_json(Checked(lesson=lesson, sheets=[]), None).removesuffix("]}"), outputs)
    with _journal(order, paths, outputs) as journal:
        files = Outputs(outputs, _feedback)
        sheets = _started(mark_all(order, paths, jobs or os.cpu_count() or 1, journal))
        for sheet in progress(sheets, len(paths), "marking", printer.screen):
            summary.add(sheet)
            files.add(sheet)
            changed += earlier.changes(sheet) if earlier else ()
            if json_output:
                _print(f"{between}{as_json(sheet, None)}", outputs)
                between = ","
        files.finish(summary.students)
    _warn(outputs, summary.students)
    if json_output:
        compared = f', "changed": {as_json(changed, None)}' if earlier else ""
        print(f'], "summary": {as_json(summary.report, None)}{compared}}}')
    else:
        printer.show(class_page(summary.students, summary.report))
        if earlier:
            printer.show(changes_page(changed, str(earlier.path)))
        if not order.owners:
            feedback = None if outputs.feedback else free_name("feedback", "")
            lead_on(printer, "check class", lesson=order.where, again=as_typed(), feedback=feedback, file=paths[0])
    for name in summary.broken:
        tell(f"tutor: {name!r} could not be marked")
    if summary.faults:
        first, fault = next(iter(summary.faults.items()))
        raise Fault(f"{first}: {fault}; {counted(len(summary.faults), 'sheet')} not marked for a fault of the program")
    return summary.done == len(paths)


def _journal(order: Order, paths: list[Path], outputs: Wanted) -> AbstractContextManager[Journal | None]:
    """What keeps what is marked until everything is, where files are written."""
    from tutor.homework.journal import Journal

    return nullcontext() if outputs.folder is None else Journal(outputs.folder, order, paths)


def _warn(outputs: Wanted, rows: Iterable[Row]) -> None:
    """What Moodle would refuse as a whole is said before it is handed to it."""
    from tutor.homework.gradebook import MOODLE_MOST

    if outputs.gradebook is None or outputs.platform != "moodle":
        return
    if (outputs.scale or max((row.score or 0 for row in rows), default=0)) > MOODLE_MOST:
        tell(f"tutor: Moodle refuses a file with a grade above {MOODLE_MOST}: use --scale {MOODLE_MOST}")


def _print(text: str, outputs: Wanted) -> None:
    """Print it; where nobody reads on, the files that are wanted, too, are written all the same."""
    try:
        print(text)
    except BrokenPipeError:
        if not outputs.targets:
            raise
        abandon_output()


def _feedback(sheet: Report) -> str:
    from tutor.printers import document
    from tutor.views.marks import feedback_page

    return document(feedback_page(sheet))


def _started(sheets: Iterator[Report]) -> Iterator[Report]:
    """The same, with the first one worked out: the processes are there before a progress bar begins to draw."""
    first = next(sheets, None)
    return chain([] if first is None else [first], sheets)


def _watch(order: Order, path: Path, printer: Printer, reveal: bool) -> None:
    """Mark the sheet, and again whenever the file changes, until Ctrl-C."""
    from tutor.homework.marker import Desk
    from tutor.views.marks import sheet_page

    desk, seen = Desk(order), None
    while True:
        try:
            stamp = path.stat().st_mtime_ns
        except OSError:  # an editor is just replacing it
            stamp = 0
        if stamp != seen:
            seen = stamp
            try:
                printer.show(sheet_page(desk.mark_file(path), reveal))
            except TutorError as error:
                printer.say(f"{path}: {error}")
            printer.say("", "Save the sheet to have it marked again; Ctrl-C ends.")
        time.sleep(POLL_SECONDS)
